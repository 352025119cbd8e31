//! Refuses, by name, what a partitioned table cannot have or what would be lost with the old one.

use super::PartitionTable;
use crate::core::ident::{Ident, QName, do_block, list, literal, plain};
use crate::core::recipe::draft::Draft;
use crate::core::recipe::known::Table;

impl PartitionTable {
    pub(super) fn refuse_unfit(&self, draft: &mut Draft<'_>, known: &Table) {
        let name = self.table.plain();
        if draft.is_about(&self.table) {
            draft.refuse(format!(
                "another change of this plan is about {name}: partition it in a plan of its own"
            ));
        }
        for one in &self.partitions {
            if draft.is_taken(&self.table, &one.name) {
                draft.refuse(format!("{} is there already", one.name.plain()));
            }
        }
        if known.kind.is_empty() {
            return;
        }
        if known.kind != "r" || known.partition {
            draft.refuse(format!("{name} is no table that stands for itself"));
            return;
        }
        self.refuse_columns(draft, known);
        self.refuse_keys(draft, known);
        self.refuse_around(draft, known);
    }

    fn refuse_columns(&self, draft: &mut Draft<'_>, known: &Table) {
        let name = self.table.plain();
        for column in &self.columns {
            let found = draft.column(&self.table, column);
            if found.generated.is_some() {
                draft
                    .refuse(format!("{name} cannot be partitioned by {}, which is generated", plain(column)));
            }
        }
        let primary = known.indexes.iter().find(|index| index.constraint.as_deref() == Some("p"));
        let in_key = |name: &String| primary.is_some_and(|index| index.keys.contains(name));
        for column in known.columns.iter().filter(|column| column.identity.as_deref() == Some("a")) {
            if !in_key(&column.name) {
                draft.refuse(format!(
                    "{name}.{} is GENERATED ALWAYS AS IDENTITY and not part of the primary key, so that no abort could bring \
                     its numbers back: make it BY DEFAULT first",
                    column.name
                ));
            }
        }
    }

    fn refuse_keys(&self, draft: &mut Draft<'_>, known: &Table) {
        let name = self.table.plain();
        let has_all =
            |keys: &[String]| self.columns.iter().all(|column| keys.iter().any(|key| key == column.as_str()));
        match known.indexes.iter().find(|index| index.constraint.as_deref() == Some("p")) {
            None => draft.refuse(format!("{name} has no primary key, by which its rows could be kept in step")),
            Some(index) if !index.immediate => draft.refuse(format!(
                "the primary key of {name} is deferrable, and rows cannot be kept in step by such a key"
            )),
            Some(index) if !has_all(&index.keys) => draft.refuse(format!(
                "the primary key of {name} is ({}), and that of a partitioned table has all columns that it is partitioned \
                 by: make it ({}) first, in a plan of its own, or partition by columns of the key (by: hash)",
                index.keys.join(", "),
                self.wider(&index.keys)
            )),
            Some(_) => {}
        }
        for index in known.indexes.iter().filter(|index| index.constraint.as_deref() != Some("p")) {
            if index.unique && !has_all(&index.keys) {
                draft.refuse(format!(
                    "{} of {name} is unique without {}, which a partitioned table cannot have: drop it, or make it wider, first",
                    index.name,
                    list(&self.columns).replace('"', "")
                ));
            }
            if !index.valid {
                draft.refuse(format!(
                    "index {} of {name} is invalid: drop it, or build it again, first",
                    index.name
                ));
            }
        }
        for constraint in &known.constraints {
            let why = match constraint.kind.as_str() {
                "x" => Some(
                    "excludes rows of each other, which before PostgreSQL 17 no partitioned table can have: drop it first",
                ),
                "c" | "f" if !constraint.valid => Some("is NOT VALID: validate it first"),
                "c" if constraint.definition.contains("NO INHERIT") => {
                    Some("is NO INHERIT, which a partitioned table cannot have")
                }
                _ => None,
            };
            if let Some(why) = why {
                draft.refuse(format!("constraint {} of {name} {why}", constraint.name));
            }
        }
    }

    /// The columns of a key with those that it lacks.
    fn wider(&self, keys: &[String]) -> String {
        let lacks =
            self.columns.iter().map(Ident::as_str).filter(|column| keys.iter().all(|key| key != column));
        keys.iter().map(String::as_str).chain(lacks).collect::<Vec<_>>().join(", ")
    }

    fn refuse_around(&self, draft: &mut Draft<'_>, known: &Table) {
        let name = self.table.plain();
        let (own, mut said) = (known.own.first(), Vec::new());
        said.extend(
            known.referenced_by.iter().map(|key| format!("foreign key {} of {}", key.name, key.table)),
        );
        // Its own triggers and generated columns are carried over.
        let carried = |kind: &str, relation: Option<&String>| {
            matches!(kind, "trigger" | "generated") && relation.is_some() && relation == own
        };
        let hanging = known.hanging.iter().filter(|one| !carried(&one.kind, one.relation.as_ref()));
        said.extend(hanging.map(|one| one.said.clone()));
        said.extend(known.publications.iter().map(|publication| format!("publication {publication}")));
        said.extend(known.rules.iter().map(|rule| format!("rule {rule}")));
        said.extend(known.row_type.iter().cloned());
        said.sort();
        said.dedup();
        if !said.is_empty() {
            draft.refuse(format!(
                "{} would be left with the old table, which is dropped in the end: drop them first, and make them again for \
                 the partitioned one",
                said.join(", ")
            ));
        }
        for (is, what) in [
            (
                known.inherited || known.columns.iter().any(|column| column.inherited),
                "is part of an inheritance tree",
            ),
            (known.row_security, "has row security, whose policies cannot be carried over"),
            (
                known.subscribed,
                "is filled by a subscription, which would not know the new table under its name",
            ),
        ] {
            if is {
                draft.refuse(format!("{name} {what}"));
            }
        }
        for trigger in &known.triggers {
            let head = trigger.definition.split(" ON ").next().unwrap_or_default();
            if head.contains(" AFTER ") && head.contains("UPDATE") {
                draft.caution(format!(
                    "trigger {} of {name} does not fire for an UPDATE that moves a row to another partition: those for \
                     DELETE and INSERT do",
                    trigger.name
                ));
            }
            let row = trigger.definition.contains(" FOR EACH ROW ");
            if trigger.definition.starts_with("CREATE CONSTRAINT TRIGGER")
                || row && trigger.definition.contains(" REFERENCING ")
            {
                draft.refuse(format!(
                    "trigger {} of {name} is a constraint trigger, or one for each row with transition tables, which a \
                     partitioned table cannot have",
                    trigger.name
                ));
            }
        }
    }
}

/// Fails where the table has something that is carried over nowhere, and that no recipe asks for.
pub(super) fn refuse_unseen(table: &QName) -> String {
    let own = format!("{}::pg_catalog.regclass", literal(&table.to_string()));
    let body = format!(
        "DECLARE\n  lacks text;\nBEGIN\n  \
         SELECT pg_catalog.string_agg(x.what, ', ') INTO lacks FROM pg_catalog.pg_class c CROSS JOIN LATERAL (VALUES\n    \
         (c.relpersistence <> 'p', 'it is not logged'), (c.reltablespace <> 0, 'it has a tablespace of its own'),\n    \
         (c.relreplident <> 'd', 'it has a replica identity of its own'), (c.reloftype <> 0, 'it is of a type'),\n    \
         (c.relrowsecurity OR c.relforcerowsecurity, 'it has row security')) x (found, what) WHERE c.oid = {own} AND x.found;\n  \
         IF lacks IS NOT NULL THEN\n    \
         RAISE EXCEPTION 'table % cannot be carried over to a partitioned one: %', {}, lacks\n      \
         USING HINT = 'Nothing has been done.';\n  END IF;\nEND",
        literal(&table.plain())
    );
    do_block(&body)
}
