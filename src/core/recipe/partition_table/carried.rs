//! Carries over what hangs on the table: what the new one has from the start, and what changes hands
//! in contract, names first.

use super::and;
use crate::core::ident::{Ident, QName, do_block, literal};
use crate::core::plan::model::BothWays;
use crate::core::recipe::draft::Draft;
use crate::core::recipe::known::{Column, Index, Table};
use crate::core::sql::index_of_all;

/// A table, the one that takes its place, and its name out of sight.
pub(super) struct Carried<'a> {
    pub(super) table: &'a QName,
    pub(super) new: &'a QName,
    pub(super) hidden: &'a QName,
    pub(super) known: &'a Table,
}

impl Carried<'_> {
    /// Keys, indexes and foreign keys of the new table, before it has partitions; the former
    /// under names of the plan's own.
    pub(super) fn parts(&self, draft: &mut Draft<'_>) -> Vec<String> {
        let Self { new, known, .. } = self;
        let mut sql = Vec::new();
        for constraint in known.constraints.iter().filter(|one| matches!(one.kind.as_str(), "p" | "u")) {
            let own = draft.own_name(&format!("for_{}", constraint.name));
            sql.push(format!("ALTER TABLE {new} ADD CONSTRAINT {own} {}", constraint.definition));
        }
        for index in known.indexes.iter().filter(|index| index.constraint.is_none()) {
            let own = draft.own_name(&format!("for_{}", index.name));
            match index_of_all(&index.definition, new, &own) {
                Ok(create) => sql.push(create),
                Err(error) => {
                    draft
                        .refuse(format!("index {} cannot be written for another table: {error}", index.name));
                }
            }
        }
        for constraint in known.constraints.iter().filter(|one| one.kind == "f") {
            if let Ok(name) = Ident::exact(constraint.name.clone()) {
                sql.push(format!("ALTER TABLE {new} ADD CONSTRAINT {name} {}", constraint.definition));
            }
        }
        for (column, name) in self.columns() {
            sql.extend(column.planned(new, &name));
        }
        sql
    }

    fn columns(&self) -> impl Iterator<Item = (&Column, Ident)> {
        let named = |column| Some((column, Ident::exact(Column::clone(column).name).ok()?));
        self.known.columns.iter().filter_map(named)
    }

    /// The statement that gives a table to the owner of the old one.
    pub(super) fn owned(&self, table: &QName) -> Option<String> {
        let owner = Ident::exact(self.known.owner.clone()?).ok()?;
        Some(format!("ALTER TABLE {table} OWNER TO {owner}"))
    }

    /// The grants: as on the table, whatever new relations are granted by default.
    pub(super) fn rights(&self) -> Vec<String> {
        let Self { new, known, .. } = self;
        let mut sql = Vec::new();
        for role in &known.granted_by_default {
            let from = role.clone().map_or_else(
                || Some("PUBLIC".into()),
                |role| Ident::exact(role).ok().map(|role| role.to_string()),
            );
            sql.extend(from.map(|from| format!("REVOKE ALL ON {new} FROM {from}")));
        }
        sql.extend(known.grants.iter().map(|grant| grant.on_table(new)));
        for (column, name) in self.columns() {
            sql.extend(column.grants.iter().map(|grant| grant.on(new, &name)));
        }
        sql
    }

    /// The comment on the table, those on its keys and indexes, and its storage parameters, which
    /// only partitions can have.
    pub(super) fn words(&self) -> String {
        let Self { table, new, .. } = self;
        let body = format!(
            "DECLARE\n  one record;\nBEGIN\n  \
             FOR one IN SELECT pg_catalog.obj_description(c.oid, 'pg_class') AS said, c.reloptions AS options FROM pg_catalog.pg_class c\n    \
             WHERE c.oid = {0}::pg_catalog.regclass LOOP\n    \
             IF one.said IS NOT NULL THEN\n      \
             EXECUTE pg_catalog.format('COMMENT ON TABLE %s IS %L', {1}::pg_catalog.regclass, one.said);\n    END IF;\n    \
             IF one.options IS NOT NULL THEN\n      \
             EXECUTE (SELECT pg_catalog.string_agg(pg_catalog.format('ALTER TABLE %s SET (%s)', p.relid, pg_catalog.array_to_string(one.options, ', ')), '; ')\n        \
             FROM pg_catalog.pg_partition_tree({1}::pg_catalog.regclass) p WHERE p.isleaf);\n    END IF;\n  END LOOP;\nEND",
            literal(&table.to_string()),
            literal(&new.to_string()),
        );
        do_block(&body)
    }

    /// Takes the names of the old table's keys and indexes away from it.
    pub(super) fn hide_names(&self, draft: &Draft<'_>) -> BothWays {
        let mut ways = BothWays::default();
        for (index, name) in self.indexes() {
            let old = draft.own_name(&format!("old_{}", index.name));
            let (there, back) = (self.table.sibling(name.clone()), self.table.sibling(old.clone()));
            and(
                &mut ways,
                format!("ALTER INDEX {there} RENAME TO {old}"),
                format!("ALTER INDEX {back} RENAME TO {name}"),
            );
        }
        ways
    }

    fn indexes(&self) -> impl Iterator<Item = (&Index, Ident)> {
        self.known.indexes.iter().filter_map(|index| Some((index, index.ident().ok()?)))
    }

    /// What changes hands once the new table has the name.
    pub(super) fn take_over(&self, draft: &Draft<'_>) -> BothWays {
        let Self { table, hidden, known, .. } = self;
        let mut ways = BothWays::default();
        for (index, name) in self.indexes() {
            let own = draft.own_name(&format!("for_{}", index.name));
            let (there, back) = (table.sibling(own.clone()), table.sibling(name.clone()));
            and(
                &mut ways,
                format!("ALTER INDEX {there} RENAME TO {name}"),
                format!("ALTER INDEX {back} RENAME TO {own}"),
            );
        }
        for (column, name) in self.columns() {
            let sequence = column.sequence.as_deref().and_then(|name| QName::parse(name).ok());
            match (sequence, column.identity.as_deref()) {
                (None, _) => {}
                (Some(sequence), None) => and(
                    &mut ways,
                    format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{name}"),
                    format!("ALTER SEQUENCE {sequence} OWNED BY {hidden}.{name}"),
                ),
                (Some(sequence), Some(kind)) => {
                    let old = draft.own_name(&format!("old_{}", sequence.name.as_str()));
                    let kept = sequence.sibling(old.clone());
                    let always = if kind == "a" { "ALWAYS" } else { "BY DEFAULT" };
                    and(
                        &mut ways,
                        format!("ALTER SEQUENCE {sequence} RENAME TO {old}"),
                        format!("ALTER SEQUENCE {kept} RENAME TO {}", sequence.name),
                    );
                    and(
                        &mut ways,
                        identity(table, &name, always, &kept, &sequence),
                        format!("ALTER TABLE {table} ALTER COLUMN {name} DROP IDENTITY"),
                    );
                    and(&mut ways, goes_on(&kept, &sequence), goes_on(&sequence, &kept));
                }
            }
        }
        for trigger in &known.triggers {
            let Ok(name) = Ident::exact(trigger.name.clone()) else { continue };
            for statement in trigger.statements(table) {
                ways.there.push(statement);
            }
            ways.there.push(format!("ALTER TABLE {hidden} DISABLE TRIGGER {name}"));
            let state = match trigger.enabled.as_str() {
                "D" => None,
                _ => trigger
                    .state(hidden, &name)
                    .or_else(|| Some(format!("ALTER TABLE {hidden} ENABLE TRIGGER {name}"))),
            };
            let back = [Some(format!("DROP TRIGGER {name} ON {table}")), state];
            ways.back.splice(0..0, back.into_iter().flatten());
        }
        ways
    }
}

/// Numbers of its own for the new table, from a sequence like the old one.
fn identity(table: &QName, column: &Ident, always: &str, old: &QName, name: &QName) -> String {
    let body = format!(
        "BEGIN\n  EXECUTE (SELECT pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED {always} AS IDENTITY \
         (SEQUENCE NAME %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s CACHE %s %s)', {}, {}, {},\n    \
         seqincrement, seqmin, seqmax, seqstart, seqcache, CASE WHEN seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)\n    \
         FROM pg_catalog.pg_sequence WHERE seqrelid = {}::pg_catalog.regclass);\nEND",
        literal(&table.to_string()),
        literal(column.as_str()),
        literal(&name.to_string()),
        literal(&old.to_string()),
    );
    do_block(&body)
}

/// One sequence goes on where another is.
fn goes_on(from: &QName, to: &QName) -> String {
    let body = format!(
        "BEGIN\n  PERFORM pg_catalog.setval({}::pg_catalog.regclass, last_value, is_called) FROM {from};\nEND",
        literal(&to.to_string())
    );
    do_block(&body)
}
