//! Refuses to take the name of a column away while the body of a trigger's function reads it: every write of the table
//! would fail from that moment on.

use crate::core::ident::{Ident, QName, do_block, literal, plain};

/// The statement that fails where an own trigger of a table or of one that inherits from it names one of the columns: in its
/// function's body as NEW.column or OLD.column, or in its arguments. `None`: no column of these is an application's.
///
/// It goes by the text of the body, which the server keeps as it was written: a name in a comment counts as well, one
/// that the body puts together itself does not.
pub(super) fn refuse_read(table: &QName, columns: &[&Ident]) -> Option<String> {
    let ours = |column: &&&Ident| column.as_str().starts_with("_phase_");
    let mut columns: Vec<&Ident> = columns.iter().filter(|column| !ours(column)).copied().collect();
    columns.sort();
    columns.dedup();
    if columns.is_empty() {
        return None;
    }
    let rows: Vec<String> = columns
        .iter()
        .map(|column| {
            let (shown, name) = (literal(&plain(column)), literal(column.as_str()));
            format!("({shown}, {name}, {})", literal(&pattern(column)))
        })
        .collect();
    Some(do_block(&format!(
        "DECLARE\n  reader record;\nBEGIN\n  \
         SELECT t.tgname AS trigger, p.oid::pg_catalog.regprocedure AS body, c.shown AS column INTO reader\n  \
         FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid\n  \
         CROSS JOIN (VALUES {rows}) c (shown, name, pattern)\n  \
         WHERE t.tgrelid IN (WITH RECURSIVE own (oid) AS (SELECT {table}::pg_catalog.regclass::pg_catalog.oid\n      \
         UNION SELECT h.inhrelid FROM pg_catalog.pg_inherits h JOIN own ON own.oid = h.inhparent) SELECT oid FROM own)\n    \
         AND NOT t.tgisinternal AND t.tgname NOT LIKE 'zz\\_phase\\_%' AND t.tgenabled <> 'D'\n    \
         AND (p.prosrc ~ c.pattern\n      \
         OR pg_catalog.strpos('\\000' || pg_catalog.encode(t.tgargs, 'escape'), '\\000' || c.name || '\\000') > 0)\n  \
         ORDER BY 1, 3 LIMIT 1;\n  \
         IF FOUND THEN\n    \
         RAISE EXCEPTION 'trigger % runs %, which names column %: once that name is taken away, every write that fires it fails',\n      \
         reader.trigger, reader.body, reader.column\n      \
         USING HINT = 'Replace the function by one that works with the column and without it: to read, to_jsonb(NEW) ->> ''column''; \
         to write, NEW := jsonb_populate_record(NEW, jsonb_build_object(''column'', ...)), which passes over what is not there. \
         Or drop the trigger. Then run the same command again; nothing has been taken away.';\n  END IF;\nEND",
        rows = rows.join(", "),
        table = literal(&table.to_string()),
    )))
}

/// A regular expression of the server's that finds NEW.column and OLD.column. Letters of a plain name are read in
/// either case, whatever the locale is.
fn pattern(column: &Ident) -> String {
    let name = column.as_str();
    let either = |c: char| match c {
        'a'..='z' => format!("[{c}{}]", c.to_ascii_uppercase()),
        _ => escaped(c),
    };
    let quoted: String = name.replace('"', "\"\"").chars().map(escaped).collect();
    let mut ways = vec![format!("\"{quoted}\"")];
    if plain(column) == name {
        ways.push(format!("{}\\M", name.chars().map(either).collect::<String>()));
    }
    format!(r#"\m([nN][eE][wW]|[oO][lL][dD])"?\s*\.\s*({})"#, ways.join("|"))
}

fn escaped(c: char) -> String {
    if c.is_alphanumeric() || c == '_' || !c.is_ascii() { c.to_string() } else { format!("\\{c}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pattern_takes_a_name_as_sql_reads_it() {
        let of = |name: &str| pattern(&Ident::exact(name.to_owned()).unwrap());
        assert_eq!(of("a_1"), r#"\m([nN][eE][wW]|[oO][lL][dD])"?\s*\.\s*("a_1"|[aA]_1\M)"#);
        assert_eq!(of("A \"b\"."), r#"\m([nN][eE][wW]|[oO][lL][dD])"?\s*\.\s*("A\ \"\"b\"\"\.")"#);
    }

    #[test]
    fn columns_of_ours_need_no_look() {
        let table = QName::parse("t").unwrap();
        assert_eq!(refuse_read(&table, &[&Ident::parse("_phase_1_new_a").unwrap()]), None);
    }
}
