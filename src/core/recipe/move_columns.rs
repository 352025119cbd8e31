//! `move_columns`: columns move to a table that the plan makes, whose rows belong to those of the old one by a
//! foreign key. From expand on triggers keep both in step: old code writes the old table, new code the new one.
//!
//! A row comes into the new table with each one of the old table; a copy makes those that were there before. Type,
//! collation, default, NOT NULL, statistics target, comment and privileges of a column go with it. Indexes and constraints over it
//! go with the old column: what the new table needs of the kind, `add_index`, `add_check` and so on make in the
//! same plan. Views, policies, generated columns, rules and triggers that name the column are refused by name, and
//! so is a table that was there before: what its rows have in the new columns nobody could tell.
//!
//! # Deploying
//!
//! New code, which reads and writes the columns in the new table, ships once the plan is `validated`: by then every row of the
//! old table has its row there. That row is made by the INSERT into the old table: new code writes it by `UPDATE`,
//! or by `INSERT … ON CONFLICT … DO UPDATE` over its key; a plain INSERT would find it there already, until contract.
//! After contract nothing makes it any more, so `INSERT … ON CONFLICT` is right at any time.
//!
//! A row that is written through both tables in the same moment can end in a deadlock, as each writer has what
//! the other one waits for: the server fails one of the two statements (`40P01`), which is to be tried again. So it is
//! with any two statements that write the same rows in different orders. Triggers of the old table fire for what is
//! written in the new one as well, and its constraints hold it until purge.
//!
//! A row of the old table that is deleted takes its row of the new one along (`on_delete: cascade`, which
//! the recipe asks for). A row of the new table that is deleted by itself leaves the values in the old one; validate and
//! contract stop at a row without one.
//!
//! # Going back
//!
//! The old columns have every write of either version: before contract by the triggers, and while `keep` lasts from the new
//! ones, under names out of sight. Abort gives them back, and drops the new table with what else was
//! written into it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::drop_column::DropColumn;
use super::known::{Column, Table};
use super::reader::Reader;
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::plan::model::{AssertSpec, BothWays, MoveSpec, MovedSpec, StepSpec};
use crate::core::plan::yaml::Pairs;
use crate::core::sync::moved::Move;

/// `move_columns: {table, to, columns, key}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The table that gets them, which a `create_table` before it makes.
    to: String,
    /// The columns, each with its name there.
    columns: Pairs,
    /// The columns by which rows belong together, each with its name there; as the foreign key says where nothing is said.
    key: Option<Pairs>,
}

/// Columns that move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveColumns {
    table: QName,
    to: QName,
    columns: Vec<(Ident, Ident)>,
    key: Option<Vec<(Ident, Ident)>>,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<MoveColumns> {
    let (table, to) = (reader.table("table", &raw.table), reader.table("to", &raw.to));
    let columns = pairs(reader, "columns", raw.columns);
    let key = match raw.key {
        None => None,
        Some(key) => Some(pairs(reader, "key", key)?),
    };
    let change = MoveColumns { table: table?, to: to?, columns: columns?, key };
    if change.table == change.to {
        reader.fault("table and to are the same table: rename_column gives a column another name");
        return None;
    }
    let of_key = |(old, new): &(Ident, Ident)| {
        change.key.iter().flatten().any(|(of_old, of_new)| of_old == old || of_new == new)
    };
    if change.columns.iter().any(of_key) {
        reader.fault("a column of the key is in both tables and does not move");
        return None;
    }
    Some(change)
}

/// Names with their names in the other table, no name twice.
fn pairs(reader: &mut Reader<'_, '_>, what: &str, raw: Pairs) -> Option<Vec<(Ident, Ident)>> {
    let read: Vec<_> =
        raw.0.iter().map(|(old, new)| Some((reader.ident(what, old)?, reader.ident(what, new)?))).collect();
    let read: Vec<(Ident, Ident)> = read.into_iter().collect::<Option<_>>()?;
    let twice = |(n, (old, new)): (usize, &(Ident, Ident))| {
        read.iter().take(n).any(|(before, there)| before == old || there == new)
    };
    if read.is_empty() {
        reader.fault(format!("{what} is empty"));
        return None;
    }
    if read.iter().enumerate().any(twice) {
        reader.fault(format!("{what}: a name stands there twice"));
        return None;
    }
    Some(read)
}

impl MoveColumns {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table, &self.to]
    }

    /// The table that gets the columns.
    pub(super) const fn to(&self) -> &QName {
        &self.to
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, to, columns, .. } = self;
        let known = draft.required(table).unwrap_or_default();
        self.refuse_unfit(draft, &known);
        let key = self.key_of(draft, &known);
        let mut allow = Vec::new();
        let mut then = BothWays::default();
        let mut proofs = Vec::new();
        let mut moved = Vec::new();
        for (old, new) in columns {
            let column = draft.column(table, old);
            self.refuse_column(draft, &known, old, &column);
            draft.refuse_taken(to, new);
            allow.extend(DropColumn::of(table, old).along(draft, &known));
            draft.expand_sql(self.add(old, new, &column));
            let alter = format!("ALTER TABLE {to} ALTER COLUMN {new}");
            let default = column
                .default
                .as_ref()
                .map(|value| [format!("{alter} SET DEFAULT {value}"), format!("{alter} DROP DEFAULT")]);
            match default {
                // Who leaves it out of an INSERT must not fail by it.
                Some([set, drop]) if column.not_null => {
                    proofs.push((Some(Sql::new(set, drop)), new.clone()));
                }
                Some([set, drop]) => {
                    then.there.push(set);
                    then.back.insert(0, drop);
                }
                None if column.not_null => proofs.push((None, new.clone())),
                None => {}
            }
            moved.push(Column { name: new.as_str().into(), until_contract: None, ..column });
        }
        let types = key.iter().map(|(old, _)| draft.column(table, old).kind).collect();
        let spec = MoveSpec {
            from: table.clone(),
            to: to.clone(),
            key: key.clone(),
            types,
            columns: columns.clone(),
        };
        let ordinal = draft.moves(spec.clone());
        let missing = Move::new(&spec, draft.version(), ordinal).is_missing();
        draft.copy_as((table, to), &[key.clone(), columns.clone()].concat(), missing);
        let proof = self.equal(&key);
        draft.validate(StepSpec::Assert(proof.clone()));
        for (default, column) in proofs {
            if let Some(default) = default {
                draft.validate_sql(default);
            }
            draft.validate(StepSpec::NotNull { table: to.clone(), column });
        }
        // Once more: where the triggers were off for a while, no proof of the copy would see it.
        draft.contract(StepSpec::Assert(proof));
        draft.contract(StepSpec::Moved(MovedSpec { moved: ordinal, then, allow }));
        draft.caution(format!(
            "from expand on each new row of {0} has one of {1} at once: new code writes that by UPDATE or by INSERT … ON CONFLICT … DO \
             UPDATE; a row that is written through both tables in the same moment can end one of the two \
             statements in a deadlock (40P01), which is to be tried again",
            table.plain(),
            to.plain()
        ));
        draft.now(table, |known| {
            known.columns.retain(|column| !columns.iter().any(|(old, _)| column.name == old.as_str()));
        });
        draft.now(to, |known| known.columns.extend(moved));
    }

    fn add(&self, old: &Ident, new: &Ident, column: &Column) -> Sql {
        let Self { table, to, .. } = self;
        let mut sql = vec![format!("ALTER TABLE {to} ADD COLUMN {new} {}", column.type_words())];
        if let Some(target) = column.statistics {
            sql.push(format!("ALTER TABLE {to} ALTER COLUMN {new} SET STATISTICS {target}"));
        }
        if let Some(comment) = &column.comment {
            sql.push(format!("COMMENT ON COLUMN {to}.{new} IS {}", literal(comment)));
        }
        sql.extend(column.grants.iter().map(|grant| grant.on(to, new)));
        let sql = Sql::new(sql.join(";\n"), format!("ALTER TABLE {to} DROP COLUMN {new}"))
            .allow("json-column", "it has the type that it has in the other table");
        if *column == Column::assumed(table, old) {
            return sql.allow(
                "unknown-type",
                "it is that of the column, which the catalog tells before the plan starts",
            );
        }
        sql
    }

    /// That every row has its row in the other table, with the same values.
    fn equal(&self, key: &[(Ident, Ident)]) -> AssertSpec {
        let Self { table, to, columns, .. } = self;
        let on: Vec<String> = key.iter().map(|(old, new)| format!("b.{new} = a.{old}")).collect();
        let missing: Vec<String> = key.iter().take(1).map(|(_, new)| format!("b.{new} IS NULL")).collect();
        let old: Vec<String> = columns.iter().map(|(old, _)| format!("a.{old}")).collect();
        let new: Vec<String> = columns.iter().map(|(_, new)| format!("b.{new}")).collect();
        AssertSpec {
            name: format!("{} has the values of {}", to.plain(), table.plain()),
            sql: format!(
                "SELECT count(*) FROM {table} a LEFT JOIN {to} b ON {} WHERE {} OR pg_catalog.record_image_ne(ROW({}), ROW({}))",
                on.join(" AND "),
                missing.join(""),
                old.join(", "),
                new.join(", ")
            ),
            expect: "0".into(),
        }
    }

    /// How rows belong together: by the foreign key of the table that gets the columns.
    fn key_of(&self, draft: &mut Draft<'_>, known: &Table) -> Vec<(Ident, Ident)> {
        let Self { table, to, .. } = self;
        let assumed = || {
            let id = Ident::exact("id").ok().map(|id| vec![(id.clone(), id)]);
            self.key.clone().or(id).unwrap_or_default()
        };
        let Some(made) = draft.creates(to) else {
            if draft.knows_all() {
                draft.refuse(format!(
                    "{} is not made by a create_table of this plan: what the rows of a table that is there already should \
                     have in the columns nobody could tell, so make a table for them",
                    to.plain()
                ));
            }
            return assumed();
        };
        if draft.table(to).is_none() {
            draft.refuse(format!("put the create_table of {} before it", to.plain()));
        }
        let primary = known.indexes.iter().find(|index| index.constraint.as_deref() == Some("p"));
        let primary: Option<Vec<Ident>> = primary
            .map(|index| index.keys.iter().filter_map(|name| Ident::exact(name.clone()).ok()).collect());
        let mut found = made.owners(table);
        let with_names = |owner: &super::create_table::Owner| -> Vec<(Ident, Ident)> {
            let there = match (owner.to.is_empty(), &primary) {
                (false, _) => owner.to.clone(),
                (true, Some(primary)) => primary.clone(),
                (true, None) => owner.columns.clone(),
            };
            there.into_iter().zip(owner.columns.iter().cloned()).collect()
        };
        if let Some(wanted) = &self.key {
            found.retain(|owner| {
                let pairs = with_names(owner);
                pairs.len() == wanted.len() && wanted.iter().all(|pair| pairs.contains(pair))
            });
        }
        let [owner] = found.as_slice() else {
            draft.refuse(format!(
                "{0} needs one foreign key to {1}, over its primary key or a unique one, that says which rows belong together; \
                 where there are several, key says which: key: {{column of {1}: column of {0}}}",
                to.plain(),
                table.plain()
            ));
            return assumed();
        };
        let key = with_names(owner);
        if !owner.follows_delete {
            draft.refuse(format!(
                "the foreign key of {} to {} is not on_delete: cascade: old code, which does not know its rows, could delete none of {}",
                to.plain(),
                table.plain(),
                table.plain()
            ));
        }
        if !owner.follows_update {
            draft.caution(format!(
                "a statement that changes the key of a row of {} fails from expand on, unless the foreign key of {} is on_update: cascade",
                table.plain(),
                to.plain()
            ));
        }
        for (_, column) in key.iter().filter(|(_, column)| !made.never_null(column)) {
            draft.refuse(format!("{}.{} must be NOT NULL: rows are found by it", to.plain(), plain(column)));
        }
        for column in made.wanted().into_iter().filter(|column| key.iter().all(|(_, of)| of != *column)) {
            draft.refuse(format!(
                "{}.{} is NOT NULL and has no default, so that rows which old code makes could not come there",
                to.plain(),
                plain(column)
            ));
        }
        if self
            .columns
            .iter()
            .any(|(old, new)| key.iter().any(|(of_old, of_new)| of_old == old || of_new == new))
        {
            draft.refuse("a column of the key is in both tables and does not move");
        }
        key
    }

    fn refuse_unfit(&self, draft: &mut Draft<'_>, known: &Table) {
        let table = self.table.plain();
        if !matches!(known.kind.as_str(), "r" | "") || known.partition {
            draft.refuse(format!(
                "{table} is partitioned, a partition, or no table: its columns cannot move by this recipe"
            ));
        }
        if known.inherited {
            draft.refuse(format!("other tables inherit from {table}, whose rows no trigger of it sees"));
        }
        if known.row_security {
            draft.refuse(format!(
                "{table} has row security, which the triggers and the new table would pass by: move its columns by hand"
            ));
        }
        for rule in &known.rules {
            draft.refuse(format!(
                "rule {rule} of {table} may write other rows than those that the triggers see"
            ));
        }
        if !known.triggers.is_empty() {
            let names: Vec<&str> = known.triggers.iter().map(|trigger| trigger.name.as_str()).collect();
            draft.caution(format!(
                "triggers of {table} fire as well for what new code writes in {}: {}",
                self.to.plain(),
                names.join(", ")
            ));
        }
    }

    fn refuse_column(&self, draft: &mut Draft<'_>, known: &Table, old: &Ident, column: &Column) {
        let name = format!("{}.{}", self.table.plain(), plain(old));
        if column.until_contract.is_some() || column.exchanged {
            draft.refuse(format!("{name} is changed by this plan already: move it in another"));
        }
        if column.generated.is_some() || column.identity.is_some() || column.sequence.is_some() {
            draft.refuse(format!(
                "{name} is filled by the server, so that nothing can keep it equal to a column of another table"
            ));
        }
        if column.inherited {
            draft.refuse(format!("{name} is inherited: move it in the table that it comes from"));
        }
        if column.not_null && column.default.is_none() {
            draft.refuse(format!(
                "{name} is NOT NULL and has no default, so that new code, which does not know it, could not insert: give it a \
                 default before, by set_default in a plan of its own, or let it be null"
            ));
        }
        for trigger in &known.triggers {
            if trigger.columns.iter().any(|of| of == old.as_str()) {
                draft.refuse(format!(
                    "trigger {} is about {name}: drop it first, and make one of {}",
                    trigger.name,
                    self.to.plain()
                ));
            }
        }
        for index in known.indexes_of(old).filter(|index| index.replica_identity) {
            draft.refuse(format!("index {} over {name} is the replica identity of the table", index.name));
        }
        let held = known.holds_column(old);
        if !held.is_empty() {
            draft.refuse(format!("{} depend on {name}: drop or replace them first", held.join(", ")));
        }
        let of_it = |columns: &[String]| columns.iter().any(|of| of == old.as_str());
        let stands = known.indexes_of(old).next().is_some()
            || known.constraints.iter().any(|one| one.kind != "n" && of_it(&one.columns));
        if stands {
            draft.caution(format!(
                "what stands over {name} holds new code as well until purge, and nothing of it goes to {}: add_index, add_unique, \
                 add_check, add_foreign_key after this change make there what it needs",
                self.to.plain()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{cautions, changes, known, of_table, refused, shown, table};
    use super::super::{Column, Constraint, Hanging, Index, Known, Table, Trigger};

    const MADE: &str = "change:\n  - create_table: {table: u, columns: [{name: of, type: bigint, primary_key: true}], foreign_keys: [{columns: [of], references: t, on_delete: cascade, on_update: cascade}]}\n";
    const MOVE: &str = "  - move_columns: {table: t, to: u, columns: {'\"A a\"': b}}\n";

    fn text() -> String {
        format!("{MADE}{MOVE}keep: 7d\n")
    }

    fn keyed(columns: &[&str]) -> Table {
        let primary = Index {
            keys: vec!["id".into()],
            constraint: Some("p".into()),
            unique: true,
            ..of_table("t_pkey")
        };
        Table { indexes: vec![primary], ..table(columns) }
    }

    fn of(of: Table) -> Vec<String> {
        refused(&text(), &known([("t", of)]))
    }

    #[test]
    fn both_tables_are_kept_in_step() {
        let column = Column {
            name: "A a".into(),
            kind: "text".into(),
            not_null: true,
            default: Some("'it''s'".into()),
            comment: Some("It's odd.".into()),
            ..Column::default()
        };
        let mut of = keyed(&["id"]);
        of.columns.push(column);
        insta::assert_snapshot!(shown(&text(), &known([("t", of)])));
        assert!(!shown(&text(), &Known::default()).is_empty());
        let alone = format!("change:\n{MOVE}");
        assert!(shown(&alone, &Known::default()).contains("DROP COLUMN \"A a\""));
    }

    #[test]
    fn the_new_table_belongs_to_the_old_one() {
        let good = known([("t", keyed(&["id", "A a"]))]);
        assert_eq!(refused(&text(), &good), Vec::<String>::new());
        assert!(cautions(&text(), &good).iter().any(|what| what.contains("40P01")));
        for (from, to, why) in [
            ("on_delete: cascade, ", "", "is not on_delete: cascade"),
            ("references: t", "references: t, to: [id]", ""),
            (", primary_key: true", "", "needs one foreign key to t"),
            (", primary_key: true}", "}], unique: [{columns: [of]}", "u.of must be NOT NULL"),
            ("true}]", "true}, {name: c, type: int, not_null: true}]", "u.c is NOT NULL and has no default"),
            ("true}]", "true}, {name: b, type: int}]", "table u has a column b already"),
            ("columns: {'", "key: {id: other}, columns: {'", "needs one foreign key to t"),
            ("columns: {'", "key: {id: of}, columns: {'", ""),
        ] {
            let text = text().replacen(from, to, 1);
            let found = refused(&text, &good);
            if why.is_empty() {
                assert_eq!(found, Vec::<String>::new(), "{text}");
            } else {
                assert!(found.iter().any(|found| found.contains(why)), "{text}: {found:?}");
            }
        }
        let there = known([("t", keyed(&["id", "A a"])), ("u", table(&["of"]))]);
        let alone = refused(&format!("change:\n{MOVE}"), &there);
        assert!(alone[0].contains("is not made by a create_table"), "{alone:?}");
        let after = format!("change:\n{MOVE}{}", MADE.trim_start_matches("change:\n"));
        assert!(refused(&after, &good)[0].contains("put the create_table of u before it"));
        assert!(
            cautions(&text().replace(", on_update: cascade", ""), &good)
                .iter()
                .any(|what| what.contains("changes the key"))
        );
    }

    #[test]
    fn what_cannot_move_is_named() {
        let with = |column: Column| {
            let mut of = keyed(&["id"]);
            of.columns.push(Column { name: "A a".into(), kind: "text".into(), ..column });
            of
        };
        assert!(of(with(Column { not_null: true, ..Column::default() }))[0].contains("has no default"));
        assert!(
            of(with(Column { generated: Some("1".into()), ..Column::default() }))[0]
                .contains("filled by the server")
        );
        assert!(of(keyed(&["id"]))[0].contains("has no column \"A a\""));
        let whole = || keyed(&["id", "A a"]);
        let view =
            Hanging { column: Some("A a".into()), said: "view v".into(), holds: true, ..Hanging::default() };
        assert_eq!(
            of(Table { hanging: vec![view], ..whole() }),
            ["view v depend on t.\"A a\": drop or replace them first"]
        );
        let trigger = Trigger { name: "x".into(), columns: vec!["A a".into()], ..Trigger::default() };
        assert!(of(Table { triggers: vec![trigger], ..whole() })[0].contains("trigger x is about"));
        assert!(of(Table { kind: "p".into(), ..whole() })[0].contains("is partitioned"));
        assert!(of(Table { row_security: true, ..whole() })[0].contains("row security"));
        assert!(of(Table { rules: vec!["r".into()], ..whole() })[0].contains("rule r"));
        let check = Constraint {
            name: "c".into(),
            kind: "c".into(),
            columns: vec!["A a".into()],
            ..Constraint::default()
        };
        let found = cautions(&text(), &known([("t", Table { constraints: vec![check.clone()], ..whole() })]));
        assert!(found.iter().any(|what| what.contains("add_check")), "{found:?}");
        let both = Constraint { columns: vec!["A a".into(), "id".into()], ..check };
        assert!(of(Table { constraints: vec![both], ..whole() })[0].contains("is about more"));
    }

    #[test]
    fn faults_of_the_plan() {
        for bad in [
            "table: t, to: t, columns: {a: b}",
            "table: t, to: u, columns: {}",
            "table: t, to: u, columns: {a: b, c: b}",
            "table: t, to: u, columns: {a: b}, key: {a: c}",
            "table: t, to: u, columns: {a: b}, key: {}",
            "table: t, to: u, columns: {'': b}",
        ] {
            let text = format!("change:\n  - move_columns: {{{bad}}}\n");
            assert!(changes(&text, &Known::default()).is_err(), "{bad}");
        }
    }
}
