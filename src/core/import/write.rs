//! Owns the text of the file that a migration of another tool becomes.

use super::plain::plain;
use super::{Body, Foreign, Tool};
use crate::core::compile;
use crate::core::ident::literal;
use crate::core::migration::{MAX_MIGRATION_BYTES, SqlMigration};
use crate::core::version::Version;

/// What every file that an import writes begins with.
pub const IMPORTED: &str = "-- Imported from ";
/// The longest name that a file gets here, in bytes.
const MAX_NAME: usize = 100;

/// A file, as it is to be written.
pub(super) struct Written {
    /// Its text.
    pub(super) text: String,
    /// Whether it can be run.
    pub(super) runs: bool,
    /// What to know about it.
    pub(super) note: Option<String>,
}

/// The name of the file: letters, digits and `_`.
pub(super) fn name(called: &str) -> String {
    let plain: String = called.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let plain = plain.trim_matches('_');
    match plain.get(..MAX_NAME.min(plain.len())) {
        Some(name) if !name.is_empty() => name.trim_end_matches('_').to_owned(),
        _ => "migration".into(),
    }
}

/// The file; or why it cannot be run, where it is still to be run.
pub(super) fn file(tool: Tool, foreign: &Foreign, version: &Version, name: &str) -> Result<Written, String> {
    let made = match &foreign.body {
        Body::Sql { up, down } => sql(tool, foreign, version, name, up, down.as_deref()),
        Body::Kept { why, text } => Err((why.clone(), text.clone())),
        Body::Program(what) => Err((format!("it is {what}"), String::new())),
        Body::Missing => Err(("its file is not in the folder".into(), String::new())),
    };
    match made {
        Ok(written) => Ok(written),
        Err((why, _)) if !foreign.applied => Err(format!(
            "{} is pending, and phase cannot run it: {why}. Run it there first ({}), or take its file out of the \
             folder and write what it does as SQL (phase new {name} --sql)",
            foreign.called,
            tool.finish()
        )),
        Err((why, kept)) => {
            // Of a tool whose migrations are programs this goes for every one of them.
            let program = matches!(foreign.body, Body::Program(_));
            let note = format!("{} is recorded with a file that only says so: {why}", foreign.called);
            let note = (!program).then_some(note);
            Ok(Written { text: says_so(tool, foreign, &why, &kept), runs: false, note })
        }
    }
}

/// The file of SQL; or why it cannot be one, and the SQL.
fn sql(
    tool: Tool,
    foreign: &Foreign,
    version: &Version,
    name: &str,
    up: &str,
    down: Option<&str>,
) -> Result<Written, (String, String)> {
    let head = head(tool, foreign);
    let nothing = "SELECT 1; -- it had no statement\n";
    let up_section = plain(up).map_or_else(|| nothing.to_owned(), |up| closed(&up));
    let forward = format!("{head}-- UP\n{up_section}");
    let Some(back) = down.and_then(plain) else {
        return match fault(version, name, &forward) {
            None => Ok(Written { text: forward, runs: true, note: None }),
            Some(why) => Err((why, up.to_owned())),
        };
    };
    let both = format!("{forward}\n-- DOWN\n{}", closed(&back));
    if fault(version, name, &both).is_none() {
        return Ok(Written { text: both, runs: true, note: None });
    }
    if let Some(why) = fault(version, name, &forward) {
        return Err((why, format!("{up}\n{back}")));
    }
    let why = fault(version, name, &format!("-- UP\n{}", closed(&back))).unwrap_or_default();
    let kept = commented(&back);
    let text = format!("{forward}\n-- DOWN\n-- irreversible: phase cannot run its way back: {why}\n{kept}");
    let note = format!("{} cannot be rolled back by phase: {why}", foreign.called);
    Ok(Written { text, runs: true, note: Some(note) })
}

/// What is wrong with a file, in one line.
fn fault(version: &Version, name: &str, text: &str) -> Option<String> {
    if text.len() > MAX_MIGRATION_BYTES {
        return Some(format!(
            "it is larger than the {} KiB that a SQL migration may have",
            MAX_MIGRATION_BYTES / 1024
        ));
    }
    let read = SqlMigration::parse("file", version.clone(), name, text);
    let why = match read {
        Err(error) => error.to_string(),
        Ok(migration) => compile::migration(&migration).err()?.message,
    };
    let line = why.lines().next().unwrap_or_default();
    Some(
        line.split_once(": ")
            .filter(|(place, _)| place.starts_with("file:"))
            .map_or(line, |(_, why)| why)
            .to_owned(),
    )
}

/// A file that stands for what phase cannot run.
fn says_so(tool: Tool, foreign: &Foreign, why: &str, kept: &str) -> String {
    let title = tool.title();
    let message = format!("{} was a migration of {title} that phase cannot run", shown(&foreign.called));
    let hint = format!(
        "Where it was applied, phase import puts it on record. Make a new database from a dump of the schema \
         (pg_dump --schema-only), with the table of {title}, and run phase import there."
    );
    let body = format!(
        "BEGIN RAISE EXCEPTION USING MESSAGE = {}, HINT = {}; END",
        literal(&message),
        literal(&hint)
    );
    let kept =
        if kept.trim().is_empty() { String::new() } else { format!("-- What it was:\n{}", commented(kept)) };
    format!(
        "{}-- It is here for the record and cannot be run: {}.\n{kept}-- lint: allow opaque: it only raises an error\n-- UP\nDO $phase${body}$phase$;\n\n-- DOWN\n\
         -- irreversible: {title} ran it, and phase knows no way back\n",
        head(tool, foreign),
        shown(why)
    )
}

fn head(tool: Tool, foreign: &Foreign) -> String {
    format!("{IMPORTED}{}: {}\n", tool.title(), shown(&foreign.called))
}

/// In one line, and harmless between the quotes around it.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '$' || c == '\\' { ' ' } else { c }).collect()
}

/// Ends with the end of a line.
fn closed(sql: &str) -> String {
    format!("{}\n", sql.trim_end())
}

/// As comments that say nothing here, whatever they hold.
fn commented(text: &str) -> String {
    text.trim().lines().map(|line| format!("-- was: {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::migration::Down;
    use crate::core::sql::split;

    fn of(body: Body, applied: bool) -> Result<Written, String> {
        let foreign = Foreign { called: "1_a.sql".into(), digits: None, name: "a".into(), applied, body };
        file(Tool::Dbmate, &foreign, &Version::parse("1").unwrap(), "a")
    }

    fn sql(up: &str, down: Option<&str>) -> Body {
        Body::Sql { up: up.into(), down: down.map(str::to_owned) }
    }

    fn read(text: &str) -> SqlMigration {
        SqlMigration::parse("f", Version::parse("1").unwrap(), "a", text).unwrap()
    }

    fn statements(sql: &str) -> Vec<String> {
        split(sql).unwrap().into_iter().map(|statement| statement.text).collect()
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_statements() {
        let up = "-- Down\nCREATE TABLE a (x text DEFAULT '\n-- DOWN\n');\n-- lint: allow x: y\n-- migrate:down\n/* DOWN */\nSELECT 1";
        let down = "-- UP\nDROP TABLE a;\n-- depends_on: 7";
        let written = of(sql(up, Some(down)), false).unwrap();
        let got = read(&written.text);
        assert!(written.runs && got.allow.is_empty() && got.depends_on.is_empty(), "{}", written.text);
        assert_eq!(statements(&got.up), statements(up));
        let Down::Sql(back) = got.down else { panic!("{}", written.text) };
        assert_eq!(statements(&back), statements(down));
    }

    #[test]
    fn an_empty_migration_still_runs() {
        let written = of(sql("-- nothing yet\n", Some("  ")), false).unwrap();
        assert_eq!(
            written.text,
            "-- Imported from dbmate: 1_a.sql\n-- UP\nSELECT 1; -- it had no statement\n"
        );
        assert!(written.runs);
    }

    #[test]
    fn what_cannot_be_run_is_kept_where_it_was_applied_and_refused_where_not() {
        let bad = "CREATE TABLE a ();\n\\connect other\n-- DOWN\n";
        let written = of(sql(bad, None), true).unwrap();
        let got = read(&written.text);
        assert!(!written.runs && got.up.contains("RAISE EXCEPTION"), "{}", written.text);
        assert!(written.text.contains("-- was: \\connect other\n-- was: -- DOWN\n"), "{}", written.text);
        assert!(matches!(got.down, Down::Irreversible(_)));
        assert!(compile::migration(&got).is_ok());
        let why = of(sql(bad, None), false).err().unwrap();
        assert!(
            why.starts_with("1_a.sql is pending, and phase cannot run it: ")
                && why.contains("dbmate migrate"),
            "{why}"
        );
    }

    #[test]
    fn a_way_back_that_cannot_run_does_not_spoil_the_way_forth() {
        let written = of(sql("CREATE TABLE a ();", Some("BEGIN; DROP TABLE a; ROLLBACK;")), false).unwrap();
        let got = read(&written.text);
        assert!(written.runs && written.note.is_some());
        assert!(
            matches!(got.down, Down::Irreversible(why) if why.contains("transaction control")),
            "{}",
            written.text
        );
    }

    #[test]
    fn programs_and_missing_files_say_so() {
        for body in [Body::Program("a program"), Body::Missing] {
            assert!(of(body.clone(), false).is_err());
            let written = of(body, true).unwrap();
            assert!(!written.runs && compile::migration(&read(&written.text)).is_ok());
        }
    }

    #[test]
    fn names_are_made_of_letters_digits_and_underscores() {
        for (called, made) in
            [("create-users", "create_users"), ("a.b c", "a_b_c"), ("", "migration"), ("äö", "migration")]
        {
            assert_eq!(name(called), made);
        }
        assert_eq!(name(&"x".repeat(300)).len(), MAX_NAME);
    }
}
