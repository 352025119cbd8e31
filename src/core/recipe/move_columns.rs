//! `move_columns`: columns move to a table that the plan makes, whose rows belong to those of the old one by a
//! foreign key. From expand on triggers keep both in step: old code writes the old table, new code the new one.
//!
//! A row comes into the new table with each one of the old table; a copy makes those that were there before. Type,
//! collation, default, NOT NULL, statistics target, options, storage, comment and privileges of a column go with it, and roles get the privileges on the new table that they have on the old one;
//! its owner, where that is not the role that runs the plan, needs a `GRANT` in a step of the plan's own. Indexes and constraints over it
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
//! Contract stops as long as the function of one of the table's own triggers says `NEW.x` or `OLD.x` of a column that moves: every
//! write would fail from then on. Replace it beforehand by one that works before and after, such as by `to_jsonb(NEW) ->> 'x'`
//! to read and `jsonb_populate_record(NEW, …)` to write.
//!
//! # Going back
//!
//! The old columns have every write of either version: before contract by the triggers, and while `keep` lasts from the new
//! ones, under names out of sight. Abort gives them back, and drops the new table with what else was
//! written into it.

mod fit;
mod key;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::drop_column::DropColumn;
use super::known::Column;
use super::reader::Reader;
use super::trigger::name_said;
use crate::core::ident::{Ident, QName, literal};
use crate::core::plan::model::{AssertSpec, BothWays, MoveSpec, MovedSpec, StepSpec};
use crate::core::plan::yaml::Pairs;
use crate::core::sql::rows;
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
        // Whoever may write the values in the old table may do so in the new one.
        let mut rights: Vec<String> = known.grants.iter().map(|grant| grant.on_table(to)).collect();
        for (old, new) in columns {
            let column = draft.column(table, old);
            self.refuse_column(draft, &known, old, &column);
            draft.refuse_taken(to, new);
            allow.extend(DropColumn::of(table, old).along(draft, &known));
            name_said(draft, table, &known, old);
            draft.expand_sql(self.add(old, new, &column, std::mem::take(&mut rights)));
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
        let copied = key.iter().chain(columns).map(|(old, new)| (new.clone(), old.to_string())).collect();
        draft.copy((table, to), copied, Some(missing));
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

    fn add(&self, old: &Ident, new: &Ident, column: &Column, rights: Vec<String>) -> Sql {
        let Self { table, to, .. } = self;
        let mut sql = column.like(to, new, &column.type_words());
        sql.extend(rights);
        if let Some(comment) = &column.comment {
            sql.push(format!("COMMENT ON COLUMN {to}.{new} IS {}", literal(comment)));
        }
        Sql::new(sql.join(";\n"), format!("ALTER TABLE {to} DROP COLUMN {new}"))
            .allow("json-column", "it has the type that it has in the other table")
            .of_type(column, table, old)
    }

    /// That every row has its row in the other table, with the same values.
    fn equal(&self, key: &[(Ident, Ident)]) -> AssertSpec {
        let Self { table, to, columns, .. } = self;
        let on = rows::equal("b", "a", key.iter().map(|(old, new)| (new, old)));
        let missing: Vec<String> = key.iter().take(1).map(|(_, new)| format!("b.{new} IS NULL")).collect();
        let old = rows::over("a", columns.iter().map(|(old, _)| old));
        let new = rows::over("b", columns.iter().map(|(_, new)| new));
        AssertSpec {
            name: format!("{} has the values of {}", to.plain(), table.plain()),
            sql: format!(
                "SELECT count(*) FROM {table} a LEFT JOIN {to} b ON {on} WHERE {} OR {}",
                missing.join(""),
                rows::differ(&old, &new)
            ),
            expect: "0".into(),
        }
    }
}
