//! Asks the catalog about tables, keys and indexes.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row, SimpleQueryMessage};

use crate::core::backfill::notes::{Room, TriggerSeen};
use crate::core::backfill::{Backfill, Leaf, Table, TypedColumn};
use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::{Ident, QName, plain};
use crate::core::plan::model::BackfillWork;
use crate::core::preflight::Requirement;
use crate::pg::classify::failure;
use crate::pg::indexes::relation;
use crate::pg::queries as q;

/// Why a table, or the key that a backfill needs, cannot be used.
pub(super) async fn missing(client: &Client, requirement: &Requirement) -> Result<Option<String>, Failure> {
    let (table, name) = (requirement.table.to_string(), requirement.table.name.as_str());
    let row = client.query_one(q::TABLE_EXISTS, &[&table, &name]).await.map_err(|error| failure(&error))?;
    if !row.get::<_, Option<bool>>("found").unwrap_or(false) {
        if let Some(other) = row.get::<_, Option<&str>>("other") {
            return Ok(Some(format!("{} is {other}: name the table itself", requirement.table.plain())));
        }
        let near = row
            .get::<_, Option<String>>("near")
            .map_or_else(String::new, |near| format!("; there is {near}"));
        return Ok(Some(format!("there is no table {}{near}", requirement.table.plain())));
    }
    if requirement.skips_triggers && !may_skip_triggers(client).await? {
        return Ok(Some(
            "triggers: skip sets session_replication_role, which this role may not: fire them, run as a superuser, \
             or since PostgreSQL 15 have one GRANT SET ON PARAMETER session_replication_role"
                .into(),
        ));
    }
    if let Some(fault) = no_column(client, requirement).await? {
        return Ok(Some(fault));
    }
    if let Some(column) = &requirement.nullable
        && client
            .query_one(q::NOT_NULL, &[&table, &column.as_str()])
            .await
            .map_err(|error| failure(&error))?
            .get("set")
    {
        return Ok(Some(format!(
            "{}.{} is NOT NULL already, and an abort would take that away: take not_null out of the plan",
            requirement.table.plain(),
            plain(column)
        )));
    }
    let Some(key) = &requirement.key else { return Ok(None) };
    let found = key_columns(client, &requirement.table, Some(key)).await?;
    Ok(found.is_empty().then(|| no_key(&requirement.table, Some(key))))
}

/// The most columns of a table that a message lists.
const LISTED: usize = 20;

/// A column that the table does not have, and those that it has.
async fn no_column(client: &Client, requirement: &Requirement) -> Result<Option<String>, Failure> {
    if requirement.columns.is_empty() {
        return Ok(None);
    }
    let rows = client.query(q::TABLE_COLUMNS, &[&requirement.table.to_string()]).await;
    let there: Vec<String> = rows.map_err(|error| failure(&error))?.iter().map(|row| row.get(0)).collect();
    let absent = requirement.columns.iter().find(|column| !there.iter().any(|name| name == column.as_str()));
    Ok(absent.map(|column| {
        let mut has = there.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
        if there.len() > LISTED {
            has += ", …";
        }
        format!("table {} has no column {}; it has {has}", requirement.table.plain(), plain(column))
    }))
}

/// Whether our role may leave triggers out, by trying it.
async fn may_skip_triggers(client: &Client) -> Result<bool, Failure> {
    let tried = client.batch_execute("BEGIN; SET LOCAL session_replication_role = replica").await;
    client.batch_execute("ROLLBACK").await.map_err(|error| failure(&error))?;
    match tried {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(false),
        Err(error) => Err(failure(&error)),
    }
}

/// What a backfill's table is: its leaves, their keys, columns and sizes.
pub(super) async fn table(client: &Client, backfill: &Backfill, version: u32) -> Result<Table, Failure> {
    let root = backfill.table.to_string();
    not_of_the_partition_key(client, backfill).await?;
    let rows = client.query(q::LEAVES, &[&root]).await.map_err(|error| failure(&error))?;
    let mut leaves = Vec::new();
    for row in &rows {
        leaves.push(leaf(client, backfill, row).await?);
    }
    if !leaves.is_empty() {
        let arbiter = arbiter(client, backfill).await?;
        leaves.iter_mut().for_each(|leaf| leaf.arbiter.clone_from(&arbiter));
    }
    Ok(Table { leaves, version })
}

/// What is worth knowing about the table that a backfill writes: its triggers, and
/// what room there is for updates.
pub(super) async fn surroundings(
    client: &Client,
    backfill: &Backfill,
    metadata: &Ident,
) -> Result<(Vec<TriggerSeen>, Room), Failure> {
    let written = match &backfill.work {
        BackfillWork::Copy { into, .. } => into.to_string(),
        BackfillWork::Set(_) | BackfillWork::Delete => backfill.table.to_string(),
    };
    let rows = client.query(q::CATALOG_TRIGGERS, &[&written, &metadata.as_str()]).await;
    let rows = rows.map_err(|error| failure(&error))?;
    let triggers = rows.iter().map(|row| TriggerSeen {
        name: row.get("name"),
        function: row.get("function"),
        enabled: row.get("enabled"),
        timing: row.get("timing"),
        each_row: row.get("each_row"),
        on_insert: row.get("on_insert"),
        on_delete: row.get("on_delete"),
        on_update: row.get("on_update"),
        columns: row.get("columns"),
    });
    let targets: Vec<&str> = match &backfill.work {
        BackfillWork::Set(set) => set.iter().map(|(column, _)| column.as_str()).collect(),
        BackfillWork::Copy { .. } | BackfillWork::Delete => Vec::new(),
    };
    let row =
        client.query_one(q::CATALOG_HOT, &[&written, &targets]).await.map_err(|error| failure(&error))?;
    let room = Room {
        indexes: row.get("indexes"),
        fillfactor: row.get("fillfactor"),
        oldest_s: row.get("oldest_s"),
    };
    Ok((triggers.collect(), room))
}

async fn leaf(client: &Client, backfill: &Backfill, row: &Row) -> Result<Leaf, Failure> {
    let kind: String = row.get("relkind");
    let wrong = |why: String| Failure::new(FailureKind::Catalog, why);
    let table = relation(row)?;
    if kind != "r" {
        return Err(wrong(format!(
            "{} is part of {} and no ordinary table (relkind {kind}): its rows cannot be changed in batches",
            table.plain(),
            backfill.table.plain()
        )));
    }
    let columns = client.query(q::TABLE_COLUMNS, &[&table.to_string()]).await;
    let columns =
        columns.map_err(|error| failure(&error))?.iter().map(typed).collect::<Result<Vec<_>, _>>()?;
    let find = |name: &Ident| {
        let found = columns.iter().find(|column| column.name == *name).cloned();
        found.ok_or_else(|| wrong(format!("table {} has no column {}", table.plain(), plain(name))))
    };
    let targets = match &backfill.work {
        BackfillWork::Set(set) => set.iter().map(|(name, _)| find(name)).collect::<Result<Vec<_>, _>>()?,
        BackfillWork::Copy { .. } | BackfillWork::Delete => Vec::new(),
    };
    let backs = backfill.syncs.iter().flat_map(|sync| &sync.back).map(|(name, _)| find(name));
    let backs = backs.collect::<Result<Vec<_>, _>>()?;
    let key = key_columns(client, &table, backfill.key.as_deref()).await?;
    if key.is_empty() && backfill.key.is_some() {
        return Err(wrong(no_key(&table, backfill.key.as_deref())));
    }
    let estimate = estimate(client, &table).await?;
    Ok(Leaf {
        oid: row.get("oid"),
        filenode: row.get("filenode"),
        pages: row.get("pages"),
        table,
        key,
        targets,
        backs,
        arbiter: Vec::new(),
        estimate,
    })
}

/// What tells copied rows apart in the table that they go to.
async fn arbiter(client: &Client, backfill: &Backfill) -> Result<Vec<TypedColumn>, Failure> {
    let BackfillWork::Copy { into, columns } = &backfill.work else { return Ok(Vec::new()) };
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let found = unique_key(client, into, None, Some(&names)).await?;
    if !found.is_empty() {
        return Ok(found);
    }
    Err(Failure::new(
        FailureKind::Catalog,
        format!(
            "{} has no unique key over columns that are copied ({}), all of them NOT NULL: without one a row \
             that is copied twice could not be told from two rows; add one in expand",
            into.plain(),
            columns.iter().map(|(name, _)| plain(name)).collect::<Vec<_>>().join(", ")
        ),
    ))
}

/// A row whose partition key changes would have to move to another partition,
/// which a batch of one partition cannot do.
async fn not_of_the_partition_key(client: &Client, backfill: &Backfill) -> Result<(), Failure> {
    let BackfillWork::Set(set) = &backfill.work else { return Ok(()) };
    let rows = client.query(q::PARTITION_KEY, &[&backfill.table.to_string()]).await;
    for row in rows.map_err(|error| failure(&error))? {
        let name: &str = row.get("attname");
        if set.iter().any(|(column, _)| column.as_str() == name) {
            return Err(Failure::new(
                FailureKind::Catalog,
                format!(
                    "{name} decides which partition of {} a row is in: a backfill cannot set it; copy the rows into a new table",
                    backfill.table.plain()
                ),
            ));
        }
    }
    Ok(())
}

/// How many rows a table has, as the planner has it: the statistics scaled to
/// the table's present size, or a guess from its size where there are none. A
/// reading of pg_class alone says -1 for a new table.
async fn estimate(client: &Client, table: &QName) -> Result<i64, Failure> {
    let answer = client.simple_query(&format!("EXPLAIN (FORMAT JSON) SELECT FROM ONLY {table}")).await;
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
    unique_key(client, table, key.as_deref(), None).await
}

/// The columns of a unique key: over exactly these, or for ON CONFLICT over some of those.
async fn unique_key(
    client: &Client,
    table: &QName,
    exactly: Option<&[&str]>,
    among: Option<&[&str]>,
) -> Result<Vec<TypedColumn>, Failure> {
    let rows = client.query(q::KEY_COLUMNS, &[&table.to_string(), &exactly, &among]).await;
    rows.map_err(|error| failure(&error))?.iter().map(typed).collect()
}

fn typed(row: &Row) -> Result<TypedColumn, Failure> {
    let name = Ident::exact(row.get::<_, String>("attname"));
    let name = name.map_err(|error| Failure::new(FailureKind::Catalog, error.to_string()))?;
    Ok(TypedColumn { name, type_name: row.get("type_name") })
}

/// Why a key cannot be walked, and what helps.
fn no_key(table: &QName, key: Option<&[Ident]>) -> String {
    let key = key.unwrap_or_default().iter().map(plain).collect::<Vec<_>>().join(", ");
    format!(
        "table {} has no unique index over exactly ({key}), every column NOT NULL: build one, name another key, or leave key out",
        table.plain()
    )
}
