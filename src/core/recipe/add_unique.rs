//! `add_unique`: a UNIQUE constraint in force from validate on, over an index that is built
//! concurrently; a build that meets duplicates names them, and leaves nothing behind.
//!
//! The index binds every writer while it is built already: a gate on validate is for the version
//! that writes no duplicates. A partitioned table gets it by its partitions.

use schemars::JsonSchema;
use serde::Deserialize;

use super::constraint::{self, Deferrable, Kind, Part};
use super::draft::{Draft, Sql};
use super::known::{Index, Table};
use super::reader::Reader;
use crate::core::ident::{Ident, QName, list, plain};

/// From this version on two rows without a value can be equal.
const NULLS: u32 = 150_000;

/// `add_unique: {table, columns, …}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// Its columns, in the order of the index.
    columns: Vec<String>,
    /// Its name; without, the one that PostgreSQL would choose.
    name: Option<String>,
    /// Columns that its index carries along.
    #[serde(default)]
    include: Vec<String>,
    /// Whether two rows without a value are duplicates (PostgreSQL 15).
    #[serde(default)]
    nulls_not_distinct: bool,
    /// When it is checked, if that may wait until COMMIT.
    deferrable: Option<Deferrable>,
}

/// A UNIQUE constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddUnique {
    table: QName,
    columns: Vec<Ident>,
    name: Option<Ident>,
    include: Vec<Ident>,
    nulls_not_distinct: bool,
    deferrable: Option<Deferrable>,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<AddUnique> {
    let table = reader.table("table", &raw.table);
    let columns = constraint::columns(reader, "columns", &raw.columns);
    let name = constraint::given_name(reader, raw.name.as_deref());
    let include = match raw.include.as_slice() {
        [] => Some(Vec::new()),
        include => constraint::columns(reader, "include", include),
    };
    let Raw { nulls_not_distinct, deferrable, .. } = raw;
    Some(AddUnique {
        table: table?,
        columns: columns?,
        name: name?,
        include: include?,
        nulls_not_distinct,
        deferrable,
    })
}

impl AddUnique {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, columns, deferrable, .. } = self;
        let known = draft.required(table).unwrap_or_default();
        let all: Vec<Ident> = columns.iter().chain(&self.include).cloned().collect();
        for column in &all {
            draft.column(table, column);
        }
        self.refuse_unfit(draft, &known);
        let name = constraint::name(draft, table, self.name.as_ref(), &all, Kind::Unique);
        draft.binds(&format!("UNIQUE {} of {}", plain(&name), table.plain()));
        let (over, nulls) =
            (self.over(draft), if self.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" });
        let when = Deferrable::words(*deferrable);
        let definition = format!("UNIQUE{nulls} {over}{when}");
        let index_over = format!("{over}{nulls}");
        for part in constraint::parts(draft, table, &known, "unique index") {
            let name = match part.below {
                true => constraint::derived(&Table::default(), &part.table, &all, Kind::Unique),
                false => name.clone(),
            };
            build(draft, &part, &name, &index_over, (&definition, when));
        }
        let index = self.index(&name, &all, &index_over);
        let constraint = constraint::known(&name, "u", definition, columns);
        draft.now(table, |table| {
            table.indexes.push(index);
            table.constraints.push(constraint);
        });
    }

    /// What stands behind the table in CREATE INDEX.
    fn over(&self, draft: &Draft<'_>) -> String {
        let now = |columns: &[Ident]| {
            let now: Vec<Ident> = columns.iter().map(|column| draft.name_now(&self.table, column)).collect();
            list(&now)
        };
        let mut over = format!("({})", now(&self.columns));
        if !self.include.is_empty() {
            over += &format!(" INCLUDE ({})", now(&self.include));
        }
        over
    }

    fn index(&self, name: &Ident, all: &[Ident], over: &str) -> Index {
        let names = |columns: &[Ident]| columns.iter().map(|column| column.as_str().to_owned()).collect();
        Index {
            name: name.as_str().into(),
            definition: format!("CREATE UNIQUE INDEX {name} ON {} USING btree {over}", self.table),
            columns: names(all),
            constraint: Some("u".into()),
            valid: true,
            keys: names(&self.columns),
            unique: true,
            immediate: self.deferrable.is_none(),
            partial: false,
            ..Index::default()
        }
    }

    fn refuse_unfit(&self, draft: &mut Draft<'_>, known: &Table) {
        let table = self.table.plain();
        if self.nulls_not_distinct && draft.server() < NULLS {
            draft.refuse(
                "nulls_not_distinct: before PostgreSQL 15 two rows without a value are never duplicates",
            );
        }
        if !matches!(known.kind.as_str(), "r" | "p" | "") {
            draft.refuse(format!("{table} is no table"));
        }
        let missing = |key: &&String| !self.columns.iter().any(|column| column.as_str() == key.as_str());
        let missing: Vec<&str> = known.partition_key.iter().filter(missing).map(String::as_str).collect();
        if !missing.is_empty() {
            draft.refuse(format!(
                "{table} is partitioned by {}, which a UNIQUE constraint must have among its columns: no index spans partitions",
                missing.join(", ")
            ));
        }
    }
}

fn build(draft: &mut Draft<'_>, part: &Part, name: &Ident, over: &str, (definition, when): (&str, &str)) {
    let table = &part.table;
    let index = table.sibling(name.clone());
    let add = format!("ALTER TABLE {table} ADD CONSTRAINT {name}");
    // That of a partition goes with the one that it is part of.
    let there = if part.below { "IF EXISTS " } else { "" };
    let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {there}{name}");
    if part.whole {
        // It takes those of its partitions for its own, and builds none.
        draft.validate_sql(Sql::new(format!("{add} {definition}"), drop));
        return;
    }
    // The index goes with its constraint.
    draft.validate_sql(Sql::new(
        format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {over}"),
        format!("DROP INDEX CONCURRENTLY IF EXISTS {index}"),
    ));
    draft.validate_sql(Sql::new(format!("{add} UNIQUE USING INDEX {name}{when}"), drop));
}
