//! `rename_column`: a second column stands in for the new name while both versions of the
//! application run, kept equal by a two-way sync; contract takes it out of the way and gives the
//! column itself the new name, in one short transaction.
//!
//! What hangs on the column (constraints, foreign keys, views, policies, comments, statistics,
//! privileges) never has to be carried over: it hangs on the column, which stays. Only what the
//! new application needs of the stand-in is made for it: indexes, grants, and triggers that a
//! change of the column brings about.
//!
//! # Deploying
//!
//! New code, which knows only the new name, ships once the plan is `validated`: by then every row has its value
//! under the new name, and the indexes over it are there for its searches and its ON CONFLICT. `SELECT *` gives
//! both columns until contract. Where a client keeps it as a prepared statement, the server refuses that after
//! expand and after contract (`cached plan must not change result type`) until it is prepared anew, as after
//! every ADD COLUMN: statements that name their columns go on.
//! `COPY … FROM` without a list of columns meets one column more from expand on, and so does `INSERT … SELECT *`: let them
//! name their columns first.
//!
//! Contract stops as long as the function of one of the table's own triggers says `NEW.x` or `OLD.x` of the old name: every
//! write would fail from then on. Replace it beforehand by one that works before and after, such as by `to_jsonb(NEW) ->> 'x'`
//! to read and `jsonb_populate_record(NEW, …)` to write.
//!
//! # Going back
//!
//! The column itself is never touched before contract, and has every write of either version; abort takes the
//! second one away. After contract abort gives the column its old name back.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Change;
use super::draft::{Draft, Sql};
use super::known::{Column, Index, Table};
use super::reader::Reader;
use super::trigger::{Standing, beside};
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::plan::model::{AssertSpec, BothWays, ExchangeSpec, Pair, StepSpec, SyncSpec};
use crate::core::sql::index_over;
use crate::core::sql::rows::differ;

/// `rename_column: {table, from, to}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The column's name now.
    from: String,
    /// Its name at the end.
    to: String,
}

/// Another name for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameColumn {
    table: QName,
    from: Ident,
    to: Ident,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<RenameColumn> {
    let (table, from, to) = reader.renamed(&raw.table, &raw.from, &raw.to)?;
    Some(RenameColumn { table, from, to })
}

impl RenameColumn {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    /// The column, its name now and at the end.
    pub(super) const fn names(&self) -> (&QName, &Ident, &Ident) {
        (&self.table, &self.from, &self.to)
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, from, to } = self;
        let column = draft.column(table, from);
        if column.until_contract.is_some() {
            draft.refuse(format!("{} gets its name in this plan: give it the last one at once", plain(from)));
        }
        let of_enum = |change: &Change| matches!(change, Change::ReplaceEnum(_) | Change::RemoveEnumValue(_));
        if column.exchanged && draft.changes_of(table).any(of_enum) {
            draft.refuse(format!(
                "{} gets another type in this plan: take two plans, one after the other (phase purge PLAN --now ends the window \
                 of the first one)",
                plain(from)
            ));
        } else if column.exchanged {
            draft.refuse(format!(
                "{} gets another type in this plan: say its name there, change_type: {{table: {}, column: \
                 {}, to: {}, …}}, or put the two changes beside each other",
                plain(from),
                table.plain(),
                plain(from),
                plain(to)
            ));
        }
        draft.refuse_taken(table, to);
        let known = draft.table(table).unwrap_or_default();
        self.refuse_unfit(draft, &known, &column);
        draft.expand_sql(self.stand_in(&column));
        let sync = draft.sync(SyncSpec {
            table: table.clone(),
            set: vec![(to.clone(), from.to_string())],
            back: vec![(from.clone(), to.to_string())],
        });
        let (triggers, no_triggers) = beside(draft, table, &known, &Standing::equal(from, to));
        // Whatever was written since the sync is equal already.
        let left = format!("{to} IS NULL AND {from} IS NOT NULL");
        draft.fill(table, vec![(to.clone(), from.to_string())], Some(left));
        for index in known.indexes_of(from) {
            self.index(draft, index);
        }
        draft.validate(StepSpec::Assert(AssertSpec {
            name: format!("{} and {} of every row of {} are equal", plain(from), plain(to), table.plain()),
            sql: format!("SELECT count(*) FROM {table} WHERE {}", differ(&from.to_string(), &to.to_string())),
            expect: "0".into(),
        }));
        draft.contract(StepSpec::Exchange(ExchangeSpec {
            title: format!("give {}.{} the name {}", table.plain(), plain(from), plain(to)),
            pairs: vec![Pair {
                table: table.clone(),
                sync,
                gone: to.clone(),
                stays: from.clone(),
                name: to.clone(),
                finally: None,
                kept: to.to_string(),
            }],
            lock: Vec::new(),
            first: BothWays { there: no_triggers, back: triggers },
            hide: BothWays::default(),
            then: BothWays::default(),
            last: BothWays::default(),
            drop: Vec::new(),
            allow: Vec::new(),
        }));
        draft.renames_in_dependents(table, Some(from));
        draft.now(table, |known| {
            let column = known.columns.iter_mut().find(|column| column.name == from.as_str());
            if let Some(column) = column {
                column.until_contract = Some(from.as_str().to_owned());
                to.as_str().clone_into(&mut column.name);
            }
        });
    }

    /// Refuses what a column that stands in cannot do.
    fn refuse_unfit(&self, draft: &mut Draft<'_>, known: &Table, column: &Column) {
        let name = format!("{}.{}", self.table.plain(), plain(&self.from));
        if column.generated.is_some() {
            draft.refuse(format!(
                "{name} is computed by the server, so nothing can keep a second column equal to it: \
                 add a column with the same expression, and drop this one when nobody reads it"
            ));
        }
        if column.inherited {
            draft.refuse(format!("{name} is inherited: rename it in the table that it comes from"));
        }
        if known.inherited {
            draft.refuse(format!(
                "other tables inherit from {}, whose rows no trigger of it sees",
                self.table.plain()
            ));
        }
        if known.partition_key.iter().any(|key| key == self.from.as_str()) {
            draft.refuse(format!(
                "{name} is part of the partition key: a row finds its partition before any trigger sees it, so that \
                 nothing can fill it from another column"
            ));
        }
        if !matches!(known.kind.as_str(), "r" | "p" | "") {
            draft.refuse(format!("{} is no table", self.table.plain()));
        }
    }

    fn stand_in(&self, column: &Column) -> Sql {
        let Self { table, to, .. } = self;
        let mut sql = vec![format!("ALTER TABLE {table} ADD COLUMN {to} {}", column.type_words())];
        sql.push(format!(
            "COMMENT ON COLUMN {table}.{to} IS {}",
            literal(&format!("Stands in for {} until contract gives that this name.", plain(&self.from)))
        ));
        sql.extend(column.grants.iter().map(|grant| grant.on(table, to)));
        Sql::new(sql.join(";\n"), format!("ALTER TABLE {table} DROP COLUMN {to}"))
            .of_type(column, table, &self.from)
    }

    /// The new application searches by the new name, and may name it in ON CONFLICT.
    fn index(&self, draft: &mut Draft<'_>, index: &Index) {
        let Self { table, from, to } = self;
        if !index.valid {
            return;
        }
        if index.constraint.as_deref() == Some("x") {
            draft.caution(format!(
                "exclusion constraint {} cannot be built concurrently: {} has none of its own until contract, and is \
                 held to it by {}",
                index.name,
                plain(to),
                plain(from)
            ));
            return;
        }
        let name = draft.own_relation(&index.name);
        match index_over(&index.definition, table, from, to, &name) {
            Ok(create) => {
                let drop = format!("DROP INDEX CONCURRENTLY {}", table.sibling(name));
                draft.validate_sql(Sql::new(create, drop));
            }
            Err(error) => {
                draft.refuse(format!("index {} cannot be made for {}: {error}", index.name, plain(to)));
            }
        }
    }
}
