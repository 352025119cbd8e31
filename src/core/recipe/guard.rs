//! Stops contract where something of a table has come, changed or gone since the plan started: what takes
//! the place of the table, or of one of its columns, was made like what the catalog said then.

use super::Change;
use super::draft::Draft;
use super::known::{Column, Grant, Table};
use crate::core::ident::{Ident, QName, do_block, literal};

/// What is known of a thing: what it is called, and what it was then.
type Was = (String, String);

/// A table as a whole, that another takes the place of.
pub(super) fn of_table(table: &QName, new: &QName, known: &Table) -> Option<String> {
    if known.kind.is_empty() {
        return None;
    }
    let own = regclass(table);
    let mut was = over(known, None, true);
    for column in &known.columns {
        was.extend(of_default(column));
        was.extend(column.comment.iter().map(|said| (format!("comment on {}", column.name), said.clone())));
        was.extend(column.grants.iter().map(|grant| right(grant, Some(&column.name))));
    }
    was.extend(known.grants.iter().map(|grant| right(grant, None)));
    was.extend(known.owner.iter().map(|owner| ("owner".to_owned(), owner.clone())));
    let attributes =
        format!("pg_catalog.pg_attribute a WHERE a.attrelid = {own} AND a.attnum > 0 AND NOT a.attisdropped");
    let now = [
        things(&own, None, true, &[]),
        vec![
            format!(
                "SELECT 'default of ' || a.attname, pg_catalog.pg_get_expr(e.adbin, e.adrelid) FROM pg_catalog.pg_attrdef e JOIN pg_catalog.pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum WHERE e.adrelid = {own} AND a.attgenerated = ''"
            ),
            format!(
                "SELECT 'comment on ' || a.attname, pg_catalog.col_description({own}, a.attnum) FROM {attributes} AND pg_catalog.col_description({own}, a.attnum) IS NOT NULL"
            ),
            rights(
                "a.attacl",
                "' (' || a.attname || ')'",
                &format!("pg_catalog.pg_attribute a WHERE a.attrelid = {own} AND NOT a.attisdropped"),
                "true",
            ),
            rights(
                "c.relacl",
                "''",
                &format!("pg_catalog.pg_class c WHERE c.oid = {own}"),
                "x.grantee <> c.relowner",
            ),
            format!(
                "SELECT 'owner', pg_catalog.pg_get_userbyid(c.relowner)::text FROM pg_catalog.pg_class c WHERE c.oid = {own}"
            ),
            format!(
                "SELECT 'row security', '' FROM pg_catalog.pg_class c WHERE c.oid = {own} AND (c.relrowsecurity OR c.relforcerowsecurity)"
            ),
            format!(
                "SELECT 'replica identity', '' FROM pg_catalog.pg_class c WHERE c.oid = {own} AND c.relreplident <> 'd'"
            ),
            format!("SELECT 'rule ' || r.rulename, '' FROM pg_catalog.pg_rewrite r WHERE r.ev_class = {own}"),
            format!(
                "SELECT 'comment on the table', '' WHERE pg_catalog.obj_description({own}, 'pg_class') IS DISTINCT FROM pg_catalog.obj_description({}, 'pg_class')",
                regclass(new)
            ),
            hangs(&own, "true"),
        ],
    ];
    Some(block(table, &was, &now.concat()))
}

/// One column, that another takes the place of: nothing, where what is known of the table is not what the
/// catalog says.
pub(super) fn of_column(
    draft: &Draft<'_>,
    table: &QName,
    known: &Table,
    column: &Column,
    name: &Ident,
) -> Vec<String> {
    // Other changes may bring something over the column themselves.
    let alone = |change: &Change| {
        matches!(
            change,
            Change::ChangeType(_)
                | Change::ReplaceEnum(_)
                | Change::RemoveEnumValue(_)
                | Change::RenameColumn(_)
                | Change::AddColumn(_)
        )
    };
    if known.kind.is_empty() || !draft.changes_of(table).all(alone) {
        return Vec::new();
    }
    // What another exchange has made again is printed as that has left it.
    let whole = !draft.is_about(table);
    // A change of labels has put those of the new type into what is known of the definitions.
    let relabels = |change: &Change| matches!(change, Change::ReplaceEnum(_) | Change::RemoveEnumValue(_));
    let printed = whole && !draft.changes_of(table).any(relabels);
    let own = regclass(table);
    let number = format!(
        "(SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = {own} AND attname = {} AND NOT attisdropped)",
        literal(name.as_str())
    );
    let beside = known.triggers.iter().map(|trigger| {
        Ident::shortened("", &format!("{}_phase_{}", trigger.name, draft.version())).as_str().to_owned()
    });
    let mut was = over(known, Some(name), printed);
    let mut now = things(&own, Some(&number), printed, &beside.collect::<Vec<_>>());
    if whole {
        was.extend(of_default(column));
        was.extend(column.not_null.then(|| ("NOT NULL".to_owned(), String::new())));
        was.extend(column.comment.iter().map(|said| (format!("comment on {}", column.name), said.clone())));
        was.extend(column.grants.iter().map(|grant| right(grant, Some(&column.name))));
        let of_it = format!("pg_catalog.pg_attribute a WHERE a.attrelid = {own} AND a.attnum = {number}");
        now.push(format!("SELECT 'default of ' || a.attname, pg_catalog.pg_get_expr(e.adbin, e.adrelid) FROM pg_catalog.pg_attrdef e JOIN pg_catalog.pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum WHERE e.adrelid = {own} AND e.adnum = {number} AND a.attgenerated = ''"));
        now.push(format!("SELECT 'NOT NULL', '' FROM {of_it} AND a.attnotnull"));
        now.push(format!("SELECT 'comment on ' || a.attname, pg_catalog.col_description({own}, a.attnum) FROM {of_it} AND pg_catalog.col_description({own}, a.attnum) IS NOT NULL"));
        now.push(rights("a.attacl", "' (' || a.attname || ')'", &of_it, "true"));
    }
    // Where something hangs on it already, the statements that make that again look at the rest.
    if !known.dependents.iter().any(|one| one.reads(name)) {
        now.push(hangs(&own, &format!("d.refobjsubid = {number}")));
    }
    vec![format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), block(table, &was, &now)]
}

/// The constraints, indexes and triggers that are known, of a column or all.
fn over(known: &Table, column: Option<&Ident>, printed: bool) -> Vec<Was> {
    let of_it =
        |columns: &[String]| column.is_none_or(|column| columns.iter().any(|name| name == column.as_str()));
    let text = |text: &str| if printed { text.to_owned() } else { String::new() };
    let constraints = known
        .constraints
        .iter()
        .filter(|one| matches!(one.kind.as_str(), "c" | "f" | "p" | "u" | "x") && of_it(&one.columns))
        .map(|one| {
            let definition = one.definition.strip_suffix(" NOT VALID").unwrap_or(&one.definition);
            (format!("constraint {}", one.name), text(definition))
        });
    let indexes = known
        .indexes
        .iter()
        .filter(|one| of_it(&one.columns))
        .map(|one| (format!("index {}", one.name), text(&one.definition)));
    let hanging = |name: &str| {
        known.hanging.iter().any(|one| {
            one.kind == "trigger"
                && one.column.as_deref() == column.map(Ident::as_str)
                && one.called.as_deref() == Some(name)
        })
    };
    let triggers =
        known.triggers.iter().filter(|one| of_it(&one.columns) || hanging(&one.name)).map(|one| {
            (format!("trigger {}", one.name), text(&format!("{} {}", one.enabled, one.definition)))
        });
    constraints.chain(indexes).chain(triggers).collect()
}

/// The queries that give those that are there now, without the plan's own.
fn things(own: &str, number: Option<&String>, printed: bool, ours: &[String]) -> Vec<String> {
    let text = |text: &str| if printed { text.to_owned() } else { "''".to_owned() };
    let depends = |catalog: &str, object: &str| {
        number.map_or_else(
            || "true".to_owned(),
            |number| {
                format!(
                    "EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass AND d.objid = {object} \
                     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = {own} AND d.refobjsubid = {number})"
                )
            },
        )
    };
    let in_key = number.map_or_else(|| "true".to_owned(), |number| format!("{number} = ANY (k.conkey)"));
    let indexed = number
        .map_or_else(|| "true".to_owned(), |number| format!("{number} = ANY (i.indkey::pg_catalog.int2[])"));
    let ours: Vec<String> = ours.iter().map(|name| literal(name)).collect();
    vec![
        format!(
            "SELECT 'constraint ' || k.conname::text, {} FROM pg_catalog.pg_constraint k WHERE k.conrelid = {own} AND k.contype IN ('c', 'f', 'p', 'u', 'x') \
             AND NOT pg_catalog.starts_with(k.conname::text, '_phase_') AND {in_key}",
            text("pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID$', '')")
        ),
        format!(
            "SELECT 'index ' || x.relname, {} FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = {own} \
             AND NOT pg_catalog.starts_with(x.relname::text, '_phase_') AND ({indexed} OR {})",
            text("pg_catalog.pg_get_indexdef(x.oid)"),
            depends("pg_class", "x.oid")
        ),
        format!(
            "SELECT 'trigger ' || t.tgname, {} FROM pg_catalog.pg_trigger t WHERE t.tgrelid = {own} AND NOT t.tgisinternal \
             AND NOT pg_catalog.starts_with(t.tgname::text, 'zz_phase_') AND t.tgname::text <> ALL (ARRAY[{}]::text[]) AND {}",
            text("t.tgenabled::text || ' ' || pg_catalog.pg_get_triggerdef(t.oid)"),
            ours.join(", "),
            depends("pg_trigger", "t.oid")
        ),
        format!(
            "SELECT 'foreign key ' || k.conname || ' of ' || k.conrelid::pg_catalog.regclass::text, '' FROM pg_catalog.pg_constraint k \
             WHERE k.confrelid = {own} AND k.conrelid <> {own} AND k.contype = 'f' AND k.conparentid = 0 AND {}",
            number.map_or_else(|| "true".to_owned(), |number| format!("{number} = ANY (k.confkey)"))
        ),
    ]
}

/// Views, policies, statistics and publications.
fn hangs(own: &str, such: &str) -> String {
    format!(
        "SELECT CASE WHEN r.oid IS NOT NULL THEN pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, r.ev_class, 0) \
         ELSE pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) END, '' FROM pg_catalog.pg_depend d \
         LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid \
         WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = {own} AND {such} AND (r.ev_class <> {own} \
         OR d.classid IN ('pg_catalog.pg_policy'::pg_catalog.regclass, 'pg_catalog.pg_publication_rel'::pg_catalog.regclass, \
         'pg_catalog.pg_statistic_ext'::pg_catalog.regclass))"
    )
}

fn of_default(column: &Column) -> Option<Was> {
    Some((format!("default of {}", column.name), column.default.clone()?))
}

/// A privilege, and whether it may be handed on.
fn right(grant: &Grant, column: Option<&String>) -> Was {
    let of = column.map(|name| format!(" ({name})")).unwrap_or_default();
    let to = grant.to.as_deref().unwrap_or("PUBLIC");
    (format!("privilege {}{of} of {to}", grant.privilege), grant.grantable.to_string())
}

fn rights(acl: &str, of: &str, from: &str, such: &str) -> String {
    let from = from.replacen(" WHERE ", &format!(" CROSS JOIN LATERAL pg_catalog.aclexplode({acl}) x LEFT JOIN pg_catalog.pg_roles g ON g.oid = x.grantee WHERE "), 1);
    format!(
        "SELECT 'privilege ' || x.privilege_type || {of} || ' of ' || coalesce(g.rolname, 'PUBLIC'), x.is_grantable::text FROM {from} AND {such}"
    )
}

fn regclass(table: &QName) -> String {
    format!("{}::pg_catalog.regclass", literal(&table.to_string()))
}

fn block(table: &QName, was: &[Was], now: &[String]) -> String {
    let was: Vec<String> = was
        .iter()
        .map(|(what, text)| format!("SELECT {}::text, {}::text", literal(what), literal(text)))
        .collect();
    let was = if was.is_empty() {
        "SELECT ''::text, ''::text WHERE false".to_owned()
    } else {
        was.join("\n    UNION ALL ")
    };
    let now = now.join("\n    UNION ALL ");
    do_block(&format!(
        "DECLARE\n  found text;\nBEGIN\n  WITH was (what, said) AS (\n    {was}\n  ), now (what, said) AS (\n    {now}\n  )\n  \
         SELECT pg_catalog.string_agg(DISTINCT x.what, ', ') INTO found FROM (\n    \
         (SELECT * FROM was EXCEPT SELECT * FROM now) UNION ALL (SELECT * FROM now EXCEPT SELECT * FROM was)) x;\n  \
         IF found IS NOT NULL THEN\n    \
         RAISE EXCEPTION 'since the plan started this has come to table %, changed or gone: %', {}, found\n      \
         USING HINT = 'Put it back as it was, or abort the plan and start it anew; nothing has been taken away.';\n  END IF;\nEND",
        literal(&table.plain())
    ))
}
