//! `rename_table`: another name for a table; the old one lives on as a view until contract.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::known::Table;
use super::reader::Reader;
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::sql::{SqlError, on_table, referring_to};

/// From this version on a view is read and written with the rights of who asks.
const INVOKER: u32 = 150_000;
/// From this version on MERGE writes through a view.
const MERGES: u32 = 170_000;

/// `rename_table: {table, to}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table's name now.
    table: String,
    /// Its name at the end, in the same schema.
    to: String,
}

/// Another name for a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameTable {
    table: QName,
    to: QName,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<RenameTable> {
    let (table, to) = (reader.table("table", &raw.table), reader.ident("to", &raw.to));
    let (table, to) = (table?, to?);
    if table.name == to {
        reader.fault("table and to are the same name");
        return None;
    }
    let to = table.sibling(to);
    Some(RenameTable { table, to })
}

impl RenameTable {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table, &self.to]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, to } = self;
        let known = draft.table(table).unwrap_or_default();
        if draft.is_about(table) {
            draft.refuse(format!(
                "another change of this plan is about {0}, which is a view from expand on: let this one come first, and \
                 call the table {1} in the others",
                table.plain(),
                to.plain()
            ));
        }
        if draft.is_taken(table, to) {
            draft.refuse(format!(
                "{0} is there already: where this plan gives the table of that name another one, a view has it until \
                 contract; take two plans, one after the other",
                to.plain()
            ));
        }
        self.refuse_unfit(draft, &known);
        self.caution(draft, &known);
        let view = self.view(&known, draft.server());
        let rename = |from: &QName, to: &QName| format!("ALTER TABLE {from} RENAME TO {}", to.name);
        let there = [vec![rename(table, to)], view.clone()].concat();
        let back = [format!("DROP VIEW {table}"), rename(to, table)];
        let why = "a view takes the old name in the same transaction";
        draft.expand_sql(
            Sql::new(there.join(";\n"), back.join(";\n")).allow("expand-breaks-application", why),
        );
        draft.contract_sql(Sql::new(format!("DROP VIEW {table}"), view.join(";\n")));
        draft.renames(table, to);
        self.printed(draft);
        // A view has the old name until contract.
        draft.makes(table.clone());
    }

    /// What the server printed with the old name, which a view has by now, is written with the new one for the
    /// changes that follow.
    fn printed(&self, draft: &mut Draft<'_>) {
        let Self { table, to } = self;
        let mut unwritten = Vec::new();
        let mut put = |of: String, text: &mut String, written: Result<String, SqlError>| match written {
            Ok(written) => *text = written,
            Err(error) => unwritten.push(format!("{of} cannot be written for {}: {error}", to.plain())),
        };
        let tables: Vec<QName> =
            draft.known().tables.keys().filter_map(|name| QName::parse(name).ok()).collect();
        for name in tables {
            draft.now(&name, |known| {
                if name == *to {
                    for index in &mut known.indexes {
                        let written = on_table(&index.definition, to);
                        put(format!("index {}", index.name), &mut index.definition, written);
                    }
                    for trigger in &mut known.triggers {
                        let written = on_table(&trigger.definition, to);
                        put(format!("trigger {}", trigger.name), &mut trigger.definition, written);
                    }
                }
                for key in &mut known.constraints {
                    let refers = |of: &String| QName::parse(of).is_ok_and(|of| of.may_be(table));
                    if key.kind == "f" && key.references.as_ref().is_some_and(refers) {
                        let written = referring_to(&key.definition, to);
                        put(format!("foreign key {}", key.name), &mut key.definition, written);
                        key.references = Some(to.to_string());
                    }
                }
            });
        }
        // Nobody reads them where nothing follows.
        if draft.changes_of(to).count() > 1 {
            for why in unwritten {
                draft.refuse(why);
            }
        }
    }

    /// What takes the old name, for whoever might use the table.
    fn view(&self, known: &Table, server: u32) -> Vec<String> {
        let Self { table, to } = self;
        let columns: Vec<String> = known
            .columns
            .iter()
            .filter_map(|column| Ident::exact(column.name.clone()).ok())
            .map(|name| name.to_string())
            .collect();
        let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
        let invoker = if server >= INVOKER { " WITH (security_invoker = true)" } else { "" };
        let mut sql = vec![format!("CREATE VIEW {table}{invoker} AS SELECT {columns} FROM {to}")];
        let comment = format!("The name that {} had, until contract.", to.plain());
        sql.push(format!("COMMENT ON VIEW {table} IS {}", literal(&comment)));
        let owner = known.owner.clone().and_then(|name| Ident::exact(name).ok());
        sql.extend(owner.map(|owner| format!("ALTER VIEW {table} OWNER TO {owner}")));
        // Nobody may do more than on the table, whatever new relations are granted by default.
        for role in &known.granted_by_default {
            let from = role.clone().map_or_else(
                || Some("PUBLIC".into()),
                |role| Ident::exact(role).ok().map(|role| role.to_string()),
            );
            sql.extend(from.map(|from| format!("REVOKE ALL ON {table} FROM {from}")));
        }
        sql.extend(known.grants.iter().map(|grant| grant.on_table(table)));
        for column in &known.columns {
            if let Ok(name) = Ident::exact(column.name.clone()) {
                sql.extend(column.grants.iter().map(|grant| grant.on(table, &name)));
            }
        }
        sql
    }

    /// Refuses what a view cannot do as the table does.
    fn refuse_unfit(&self, draft: &mut Draft<'_>, known: &Table) {
        let name = self.table.plain();
        if !matches!(known.kind.as_str(), "r" | "p" | "") {
            draft.refuse(format!("{name} is no table"));
        }
        if known.row_security && draft.server() < INVOKER {
            draft.refuse(format!(
                "{name} has row security, and before PostgreSQL 15 a view goes by the policies for its owner, not for \
                 who asks: nothing can stand in for the table"
            ));
        }
        if !known.publications.is_empty() {
            draft.refuse(format!(
                "{name} is in publication {}: its subscribers look for a table of the same name, and would stop at the \
                 new one",
                known.publications.join(", ")
            ));
        }
        if known.subscribed {
            draft.refuse(format!(
                "{name} is filled by a subscription, which looks for a table of the publisher's name"
            ));
        }
        if !known.rules.is_empty() {
            draft.refuse(format!(
                "{name} has rule {}, which a write through a view meets in another way",
                known.rules.join(", ")
            ));
        }
        if !known.row_type.is_empty() {
            draft.refuse(format!(
                "{} of the type of a row of {name}, and a row of the view has another: let it have a type of its own",
                match known.row_type.as_slice() {
                    [one] => format!("{one} is"),
                    many => format!("{} are", many.join(", ")),
                }
            ));
        }
    }

    fn caution(&self, draft: &mut Draft<'_>, known: &Table) {
        let name = self.table.plain();
        let merge = if (150_000..MERGES).contains(&draft.server()) { ", MERGE" } else { "" };
        draft.caution(format!(
            "from expand to contract {name} is a view: old code may read it, INSERT (also ON CONFLICT over columns), UPDATE \
             and DELETE as before; COPY, TRUNCATE, ON CONFLICT ON CONSTRAINT{merge}, ctid and the like, and \
             pg_get_serial_sequence need the table's name, which is {}",
            self.to.plain()
        ));
        if !known.triggers.is_empty() {
            let names: Vec<&str> = known.triggers.iter().map(|trigger| trigger.name.as_str()).collect();
            draft.caution(format!(
                "trigger {} finds {} in TG_TABLE_NAME",
                names.join(", "),
                plain(&self.to.name)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{cautions, changes, known, of_table, refused, shown, table};
    use super::super::{Grant, Index, Known, Table, Trigger};

    const TEXT: &str = "change:\n  - rename_table: {table: s.t, to: '\"U u\"'}\nkeep: 7d\n";

    fn full() -> Table {
        let grant = |to: Option<&str>, privilege: &str, grantable| Grant {
            to: to.map(Into::into),
            privilege: privilege.into(),
            grantable,
        };
        let mut full = table(&["a", "B b"]);
        full.columns[1].grants = vec![grant(Some("R r"), "UPDATE", false)];
        Table {
            owner: Some("Boss".into()),
            grants: vec![grant(Some("R r"), "SELECT", true), grant(None, "INSERT", false)],
            granted_by_default: vec![None, Some("reader".into())],
            ..full
        }
    }

    #[test]
    fn a_view_takes_the_old_name() {
        insta::assert_snapshot!(shown(TEXT, &known([("s.t", full())])));
        let mut before = known([("s.t", full())]);
        before.version = 140_000;
        assert!(!shown(TEXT, &before).contains("security_invoker"));
        assert!(shown(TEXT, &Known::default()).contains("SELECT * FROM"));
    }

    #[test]
    fn what_a_view_cannot_do_is_refused_by_name() {
        let on = |version, of: Table| {
            let mut known = known([("s.t", of)]);
            known.version = version;
            refused(TEXT, &known)
        };
        let one = |of: Table| on(180_000, of).into_iter().next().unwrap_or_default();
        assert_eq!(one(table(&["a"])), "");
        assert_eq!(on(150_000, Table { row_security: true, ..table(&["a"]) }), Vec::<String>::new());
        assert!(on(140_000, Table { row_security: true, ..table(&["a"]) })[0].contains("row security"));
        assert!(one(Table { publications: vec!["p".into()], ..table(&["a"]) }).contains("in publication p"));
        assert!(one(Table { subscribed: true, ..table(&["a"]) }).contains("subscription"));
        assert!(one(Table { rules: vec!["r".into()], ..table(&["a"]) }).contains("has rule r"));
        assert!(
            one(Table { row_type: vec!["function f(s.t)".into()], ..table(&["a"]) })
                .starts_with("function f(s.t) is of the type")
        );
        assert!(one(Table { kind: "v".into(), ..table(&["a"]) }).contains("no table"));
        let taken = known([("s.t", table(&["a"])), ("s.\"U u\"", table(&[]))]);
        assert!(refused(TEXT, &taken)[0].starts_with("s.\"U u\" is there already"));
        // A view of another change has the name.
        let chain = "change:\n  - rename_table: {table: t, to: u}\n  - rename_table: {table: r, to: t}\n";
        let two = known([("t", table(&["a"])), ("r", table(&["a"]))]);
        assert!(refused(chain, &two)[0].contains("take two plans"), "{:?}", refused(chain, &two));
        assert!(changes("change:\n  - rename_table: {table: t, to: T}\n", &Known::default()).is_err());
    }

    #[test]
    fn changes_that_follow_know_the_new_name_alone() {
        let there = known([("s.t", table(&["a"]))]);
        let index = "  - add_index: {table: s.t, columns: [a]}\n";
        let first = TEXT.replace("change:\n", &format!("change:\n{index}"));
        assert!(refused(&first, &there)[0].contains("let this one come first"));
        let then = TEXT
            .replace("keep", &format!("{}keep", index.replace("s.t", "'s.\"U u\"'").replace("[a]", "[z]")));
        assert_eq!(refused(&then, &there), ["table s.\"U u\" has no column z"]);
    }

    #[test]
    fn what_is_printed_with_the_old_name_is_written_with_the_new_one() {
        let index = Index {
            definition: "CREATE INDEX i ON s.t USING btree (a)".into(),
            columns: vec!["a".into()],
            ..of_table("i")
        };
        let trigger = Trigger {
            name: "x".into(),
            definition: "CREATE TRIGGER x AFTER UPDATE OF a ON s.t FOR EACH ROW EXECUTE FUNCTION f()".into(),
            columns: vec!["a".into()],
            ..Trigger::default()
        };
        let there =
            known([("s.t", Table { indexes: vec![index], triggers: vec![trigger], ..table(&["a"]) })]);
        let text = TEXT.replace("keep", "  - rename_column: {table: 's.\"U u\"', from: a, to: b}\nkeep");
        let shown = shown(&text, &there);
        assert!(shown.contains("ON s.\"U u\" USING btree (b)"), "{shown}");
        assert!(shown.contains("AFTER UPDATE OF b ON s.\"U u\""), "{shown}");
    }

    #[test]
    fn what_to_look_at() {
        let trigger = Trigger { name: "x".into(), ..Trigger::default() };
        let mut there = known([("s.t", Table { triggers: vec![trigger], ..table(&["a"]) })]);
        let said = cautions(TEXT, &there);
        assert!(
            said[0].contains("ON CONSTRAINT, MERGE, ctid") && said[1].starts_with("trigger x finds \"U u\""),
            "{said:?}"
        );
        there.version = 170_000;
        assert!(!cautions(TEXT, &there)[0].contains("MERGE"));
    }
}
