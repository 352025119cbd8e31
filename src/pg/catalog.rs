//! Asks the catalog about tables, keys and indexes.

use tokio_postgres::{Client, Row, SimpleQueryMessage};

use crate::core::backfill::{Backfill, Shape, TypedColumn};
use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::{Ident, QName, plain};
use crate::core::index::{Found, Probe};
use crate::core::plan::model::BackfillWork;
use crate::core::preflight::{Key, Requirement};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// Why a table, or the key that a backfill needs, cannot be used.
pub(super) async fn missing(client: &Client, requirement: &Requirement) -> Result<Option<String>, Failure> {
    let (table, name) = (requirement.table.to_string(), requirement.table.name.as_str());
    let row = client.query_one(q::TABLE_EXISTS, &[&table, &name]).await.map_err(|error| failure(&error))?;
    if !row.get::<_, Option<bool>>("found").unwrap_or(false) {
        let near = row
            .get::<_, Option<String>>("near")
            .map_or_else(String::new, |near| format!("; there is {near}"));
        return Ok(Some(format!("there is no table {}{near}", requirement.table.plain())));
    }
    let key = match &requirement.key {
        None => return Ok(None),
        Some(Key::Primary) => None,
        Some(Key::Columns(columns)) => Some(columns.as_slice()),
    };
    let found = key_columns(client, &requirement.table, key).await?;
    Ok(found.is_empty().then(|| no_key(&requirement.table, key)))
}

/// What has the name of an index; `table` is the one that it should be on.
pub(super) async fn probe_index(
    client: &Client,
    index: &QName,
    table: Option<&QName>,
) -> Result<Probe, Failure> {
    let (whole, name, table) = (index.to_string(), index.name.as_str(), table.map(ToString::to_string));
    let row =
        client.query_opt(q::INDEX_PROBE, &[&whole, &name, &table]).await.map_err(|error| failure(&error))?;
    let Some(row) = row else { return Ok(Probe::Absent) };
    if !row.get::<_, bool>("ours") {
        let (name, kind): (String, String) = (row.get("name"), row.get("kind"));
        return Ok(Probe::Taken(format!("{name} (relkind {kind}), which is no index of this table")));
    }
    Ok(Probe::Found(Found {
        valid: row.get("valid"),
        definition: row.get("definition"),
        unique: row.get("is_unique"),
        builder: row.get("builder"),
    }))
}

/// What builds an index again, as JSON for the record.
pub(super) async fn index_definition(client: &Client, index: &QName) -> Result<Option<String>, Failure> {
    let row = client.query_opt(q::INDEX_DEFINITION, &[&index.to_string()]).await;
    Ok(row.map_err(|error| failure(&error))?.map(|row| row.get("definition")))
}

/// The key, the columns and the size of a backfill's table.
pub(super) async fn shape(client: &Client, backfill: &Backfill) -> Result<Shape, Failure> {
    let table = backfill.table.to_string();
    let key = key_columns(client, &backfill.table, backfill.key.as_deref()).await?;
    if key.is_empty() {
        return Err(Failure::new(FailureKind::Catalog, no_key(&backfill.table, backfill.key.as_deref())));
    }
    let columns = client.query(q::TABLE_COLUMNS, &[&table]).await.map_err(|error| failure(&error))?;
    let columns = columns.iter().map(typed).collect::<Result<Vec<_>, _>>()?;
    let target = |(name, _): &(Ident, String)| {
        let found = columns.iter().find(|column| column.name == *name).cloned();
        let what = || format!("table {} has no column {}", backfill.table.plain(), plain(name));
        found.ok_or_else(|| Failure::new(FailureKind::Catalog, what()))
    };
    let targets = match &backfill.work {
        BackfillWork::Set(set) => set.iter().map(target).collect::<Result<Vec<_>, _>>()?,
        BackfillWork::Copy { .. } | BackfillWork::Delete => Vec::new(),
    };
    Ok(Shape { key, targets, estimate: estimate(client, &backfill.table).await? })
}

/// How many rows a table has, as the planner has it: the statistics scaled to
/// the table's present size, or a guess from its size where there are none, all
/// partitions together. A reading of pg_class alone says -1 for a new table.
async fn estimate(client: &Client, table: &QName) -> Result<i64, Failure> {
    let answer = client.simple_query(&format!("EXPLAIN (FORMAT JSON) SELECT FROM {table}")).await;
    let answer = answer.map_err(|error| failure(&error))?;
    let plan = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            row.get(0).and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
        }
        _ => None,
    });
    let rows =
        plan.as_ref().and_then(|plan| plan.pointer("/0/Plan/Plan Rows")).and_then(serde_json::Value::as_f64);
    #[allow(clippy::cast_possible_truncation, reason = "an estimate; what passes the range is clamped")]
    Ok(rows.map_or(0, |rows| rows.max(0.0) as i64))
}

async fn key_columns(
    client: &Client,
    table: &QName,
    key: Option<&[Ident]>,
) -> Result<Vec<TypedColumn>, Failure> {
    let key: Option<Vec<&str>> = key.map(|key| key.iter().map(Ident::as_str).collect());
    let rows = client.query(q::KEY_COLUMNS, &[&table.to_string(), &key]).await;
    rows.map_err(|error| failure(&error))?.iter().map(typed).collect()
}

fn typed(row: &Row) -> Result<TypedColumn, Failure> {
    let name = Ident::exact(row.get::<_, String>("attname"));
    let name = name.map_err(|error| Failure::new(FailureKind::Catalog, error.to_string()))?;
    Ok(TypedColumn { name, type_name: row.get("type_name") })
}

/// Why there is no key to walk, and what helps.
fn no_key(table: &QName, key: Option<&[Ident]>) -> String {
    let table = table.plain();
    match key {
        None => format!(
            "table {table} has no primary key to walk: give it one, or name a unique NOT NULL key with key: [column, …]"
        ),
        Some(key) => {
            let key = key.iter().map(plain).collect::<Vec<_>>().join(", ");
            format!(
                "table {table} has no unique index over exactly ({key}), every column NOT NULL: build one, or name another key"
            )
        }
    }
}
