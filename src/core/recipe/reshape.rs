//! Puts new columns in the place of old ones, with a value for each in both directions: what
//! `transform_column`, `split_column` and `merge_columns` have in common.

use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::known::{Column, Table};
use super::reader::Reader;
use super::restless;
use super::trigger::{name_said, runs_before};
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::plan::model::{StepSpec, SyncSpec};

/// Says that nothing leads back.
const NONE: &str = "none";

/// A new column as a plan writes it.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNew {
    /// Its name.
    pub(super) column: String,
    /// Its type.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Its value: an expression over the old columns.
    pub(super) using: String,
    /// Whether it must have a value in the end.
    #[serde(default)]
    pub(super) not_null: bool,
    /// A comment on it.
    pub(super) comment: Option<String>,
}

/// A new column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct New {
    column: Ident,
    kind: String,
    using: String,
    not_null: bool,
    comment: Option<String>,
}

impl New {
    pub(super) fn read(raw: RawNew, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let column = reader.ident("column", &raw.column);
        let kind = reader.type_name("type", &raw.kind);
        let using = reader.expression("using", &raw.using);
        Some(Self {
            column: column?,
            kind: kind?,
            using: using?,
            not_null: raw.not_null,
            comment: raw.comment,
        })
    }
}

/// An old column, and its value as an expression over the new ones; `None`: nothing leads back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Old {
    pub(super) column: Ident,
    pub(super) back: Option<String>,
}

impl Old {
    pub(super) fn read(column: &str, back: &str, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let column = reader.ident("column", column);
        let back = if back.trim() == NONE { None } else { Some(reader.expression("back", back)?) };
        Some(Self { column: column?, back })
    }
}

/// New columns in the place of old ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reshape {
    pub(super) table: QName,
    pub(super) new: Vec<New>,
    pub(super) old: Vec<Old>,
}

impl Reshape {
    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, new, old } = self;
        let known = draft.table(table).unwrap_or_default();
        for one in old {
            let column = draft.column(table, &one.column);
            self.refuse_unfit(draft, &known, one, &column);
        }
        if old.iter().any(|one| one.back.is_none()) && !draft.contract_is_gated() {
            draft.refuse(
                "back: none: what new code writes never reaches the old column, so that old code must be gone before \
                 new code writes: say who vouches for it, gates: {contract: {deployed: APP@VERSION}} or {approvals: 1}",
            );
        }
        let both_ways = old.iter().any(|one| one.back.is_some());
        for one in new {
            draft.refuse_taken(table, &one.column);
            if both_ways {
                restless::refuse(draft, table, &one.column, &one.using);
            }
            self.add(draft, one);
        }
        let set: Vec<(Ident, String)> =
            new.iter().map(|one| (one.column.clone(), draft.expression_now(table, &one.using))).collect();
        let back = old.iter().filter_map(|one| Some((draft.name_now(table, &one.column), one.back.clone()?)));
        let back: Vec<(Ident, String)> = back.collect();
        let names = |columns: Vec<&Ident>| columns.into_iter().map(plain).collect::<Vec<_>>().join(", ");
        let others = names(new.iter().map(|one| &one.column).collect());
        for (column, _) in &back {
            runs_before(draft, table, &known, column, &others);
        }
        for one in old {
            name_said(draft, table, &known, &one.column);
        }
        draft.sync(SyncSpec { table: table.clone(), set: set.clone(), back });
        // Whatever was written since the sync is in step already; where the expression gives nothing
        // there is nothing to do.
        let left: Vec<String> = set
            .iter()
            .map(|(column, using)| format!("({column} IS NULL AND ({using}) IS NOT NULL)"))
            .collect();
        draft.fill(table, set, Some(left.join(" OR ")));
        for one in new.iter().filter(|one| one.not_null) {
            draft.validate(StepSpec::NotNull { table: table.clone(), column: one.column.clone() });
        }
        for one in old {
            let column = draft.name_now(table, &one.column);
            draft.contract(StepSpec::DropColumn { table: table.clone(), column, allow: Vec::new() });
            draft.takes_away(table, &one.column);
        }
        draft.now(table, |known| {
            known.columns.extend(new.iter().map(|one| Column {
                name: one.column.as_str().into(),
                kind: one.kind.clone(),
                not_null: one.not_null,
                ..Column::default()
            }));
        });
    }

    fn add(&self, draft: &mut Draft<'_>, one: &New) {
        let (table, New { column, kind, comment, .. }) = (&self.table, one);
        let mut sql = vec![format!("ALTER TABLE {table} ADD COLUMN {column} {kind}")];
        if let Some(comment) = comment {
            sql.push(format!("COMMENT ON COLUMN {table}.{column} IS {}", literal(comment)));
        }
        // Whoever may use the old columns may use what takes their place.
        let known = draft.table(table).unwrap_or_default();
        let grants = self.old.iter().filter_map(|one| known.column(&one.column)).flat_map(|one| &one.grants);
        let mut given: Vec<String> = grants.map(|grant| grant.on(table, column)).collect();
        given.sort();
        given.dedup();
        sql.extend(given);
        draft.expand_sql(Sql::new(sql.join(";\n"), format!("ALTER TABLE {table} DROP COLUMN {column}")));
    }

    fn refuse_unfit(&self, draft: &mut Draft<'_>, known: &Table, one: &Old, column: &Column) {
        let name = format!("{}.{}", self.table.plain(), plain(&one.column));
        if column.generated.is_some() && one.back.is_some() {
            draft
                .refuse(format!("{name} is computed by the server, so nothing can write it: say back: none"));
        }
        if column.inherited {
            draft.refuse(format!("{name} is inherited: change it in the table that it comes from"));
        }
        if known.partition_key.iter().any(|key| key == one.column.as_str()) {
            draft.refuse(format!("{name} is part of the partition key, which nothing can replace"));
        }
        // What stands over an old column means nothing over a new one of another shape.
        let indexes = known.indexes_of(&one.column).map(|index| format!("index {}", index.name));
        let over = |of: &&super::known::Constraint| {
            matches!(of.kind.as_str(), "c" | "f" | "p" | "u" | "x")
                && of.columns.iter().any(|name| name == one.column.as_str())
        };
        let constraints =
            known.constraints.iter().filter(over).map(|constraint| format!("constraint {}", constraint.name));
        let stands: Vec<String> = constraints.chain(indexes).collect();
        if !stands.is_empty() {
            draft.caution(format!(
                "{} over {name} goes with the old column: make what the new columns need of the kind in validate",
                stands.join(", ")
            ));
        }
    }
}
