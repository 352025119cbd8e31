//! Asks the catalog what the lock table needs to know of a plan's tables.

use std::collections::BTreeSet;

use serde::Deserialize;
use tokio_postgres::Client;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::{Ident, QName};
use crate::core::lint::{
    Column, Constraint, Domain, Filled, Hanging, HangingKind, Index, Mentions, Referrer, Table, TableKind,
    World, constraint,
};
use crate::core::sql::{
    Alter, Change, NewDefault, PartitionKey, SqlError, deep, proven_not_null, read_default, split,
};
use crate::pg::classify::failure;
use crate::pg::queries as q;

#[derive(Deserialize)]
struct Seen {
    kind: char,
    rows: Option<u64>,
    analyzed: bool,
    bytes: Option<u64>,
    index_of: Option<String>,
    parent: Option<String>,
    partitions: Vec<String>,
    default_partition: Option<String>,
    columns: Vec<SeenColumn>,
    constraints: Vec<SeenConstraint>,
    indexes: Vec<SeenIndex>,
    referenced_by: Vec<SeenReferrer>,
    key: Option<SeenKey>,
}

#[derive(Deserialize)]
struct SeenReferrer {
    name: String,
    table: String,
    columns: Vec<String>,
}

#[derive(Deserialize)]
struct SeenKey {
    hash: bool,
    columns: Vec<Option<String>>,
}

#[derive(Deserialize)]
struct SeenColumn {
    name: String,
    kind: String,
    not_null: bool,
    collation: Option<String>,
    default: Option<String>,
    filled: Option<String>,
}

#[derive(Deserialize)]
struct SeenConstraint {
    name: String,
    kind: char,
    valid: bool,
    columns: Vec<String>,
    check: Option<String>,
    definition: Option<String>,
    references: Option<String>,
}

#[derive(Deserialize)]
struct SeenIndex {
    name: String,
    definition: String,
    valid: bool,
    constraint: bool,
}

/// What the catalog tells of the names in `mentions`, and of the tables that
/// are tied to them.
///
/// # Errors
/// When the server cannot be asked.
pub async fn world(client: &Client, version: u32, mentions: &Mentions) -> Result<World, Failure> {
    let mut world = World { version, complete: true, ..World::default() };
    let mut wanted: BTreeSet<QName> = mentions.relations.clone();
    domains(client, &mut world, mentions).await?;
    wanted.extend(world.domains.values().flat_map(|domain| domain.used_by.iter().cloned()));
    // Twice: the tables that are named, then those that they are tied to.
    for _ in 0..2 {
        relations(client, &mut world, &wanted).await?;
        let tied = world.tables.values().flat_map(tied).chain(world.indexes.values().cloned());
        wanted = tied.filter(|name| !world.tables.contains_key(name)).collect();
    }
    hanging(client, &mut world, mentions).await?;
    let defaults = world.domains.values().flat_map(|domain| &domain.default);
    let called = defaults.flat_map(|default| default.calls.clone()).chain(mentions.functions.clone());
    let called: BTreeSet<QName> = called.collect();
    functions(client, &mut world, &called).await?;
    let zone = client.query_one("SELECT current_setting('TimeZone')", &[]).await;
    let zone: String = zone.map_err(|error| failure(&error))?.get(0);
    world.utc = Some(["utc", "etc/utc", "gmt", "etc/gmt"].contains(&zone.to_lowercase().as_str()));
    Ok(world)
}

fn tied(table: &Table) -> impl Iterator<Item = QName> + '_ {
    let references = table.constraints.iter().filter_map(|constraint| constraint.references.clone());
    let referrers = table.referenced_by.iter().map(|referrer| referrer.table.clone());
    let near = table.partitions.iter().chain(&table.parent).cloned();
    references.chain(referrers).chain(near)
}

async fn relations(client: &Client, world: &mut World, wanted: &BTreeSet<QName>) -> Result<(), Failure> {
    let names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let rows = client.query(q::WORLD, &[&names]).await.map_err(|error| failure(&error))?;
    let rows: Vec<(String, serde_json::Value)> =
        rows.iter().map(|row| (row.get("name"), row.get("seen"))).collect();
    deep(|| rows.into_iter().try_for_each(|(name, seen)| relation(world, &name, seen)))
        .map_err(|error| unreadable(&error))?
}

fn relation(world: &mut World, name: &str, seen: serde_json::Value) -> Result<(), Failure> {
    let name = named(name)?;
    let seen: Seen = serde_json::from_value(seen).map_err(|error| unreadable(&error))?;
    match &seen.index_of {
        Some(table) => {
            world.indexes.insert(name, named(table)?);
        }
        None => {
            world.tables.insert(name, table(seen)?);
        }
    }
    Ok(())
}

async fn domains(client: &Client, world: &mut World, mentions: &Mentions) -> Result<(), Failure> {
    let names: Vec<String> = mentions.types.iter().map(ToString::to_string).collect();
    for row in client.query(q::DOMAINS, &[&names]).await.map_err(|error| failure(&error))? {
        let (name, used_by): (String, Vec<String>) = (row.get("name"), row.get("used_by"));
        let used_by = used_by.iter().map(|name| named(name)).collect::<Result<_, _>>()?;
        let fallback: Option<String> = row.get("fallback");
        let default: Option<NewDefault> =
            fallback.map(|text| read_default(&text)).transpose().map_err(|error| unreadable(&error))?;
        let domain = Domain { constrained: row.get("constrained"), default, used_by };
        world.domains.insert(named(&name)?, domain);
    }
    Ok(())
}

async fn hanging(client: &Client, world: &mut World, mentions: &Mentions) -> Result<(), Failure> {
    if mentions.dropping.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = mentions.dropping.iter().map(ToString::to_string).collect();
    for row in client.query(q::HANGING, &[&names]).await.map_err(|error| failure(&error))? {
        let (name, kind): (String, String) = (row.get("name"), row.get("kind"));
        let (column, called): (Option<String>, Option<String>) = (row.get("column"), row.get("called"));
        let relation: Option<String> = row.get("relation");
        let called = called.map(ident).transpose()?;
        let known = Hanging {
            column: column.map(ident).transpose()?,
            relation: relation.as_deref().map(named).transpose()?,
            kind: match (kind.as_str(), called) {
                ("view", _) => HangingKind::View,
                ("generated", Some(column)) => HangingKind::Generated(column),
                ("foreign", Some(key)) => HangingKind::Foreign(key),
                _ => HangingKind::Part,
            },
            said: row.get("said"),
            holds: row.get("holds"),
        };
        if let Some(table) = world.tables.get_mut(&named(&name)?) {
            table.hanging.push(known);
        }
    }
    Ok(())
}

async fn functions(client: &Client, world: &mut World, called: &BTreeSet<QName>) -> Result<(), Failure> {
    let schema = |name: &QName| name.schema.as_ref().map_or("", Ident::as_str).to_owned();
    let schemas: Vec<String> = called.iter().map(schema).collect();
    let names: Vec<&str> = called.iter().map(|name| name.name.as_str()).collect();
    let rows = client.query(q::STEADY, &[&schemas, &names]).await.map_err(|error| failure(&error))?;
    for row in rows {
        let (schema, name): (String, String) = (row.get("schema"), row.get("name"));
        let schema = if schema.is_empty() { None } else { Some(ident(schema)?) };
        world.steady.insert(QName { schema, name: ident(name)? }, row.get("steady"));
    }
    Ok(())
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Other, format!("the catalog holds what cannot be read: {error}"))
}

fn ident(name: String) -> Result<Ident, Failure> {
    Ident::exact(name).map_err(|error| unreadable(&error))
}

/// A name as the server prints a relation: in quotes where it needs them.
fn named(text: &str) -> Result<QName, Failure> {
    QName::parse(text).map_err(|error| unreadable(&error))
}

fn table(seen: Seen) -> Result<Table, Failure> {
    let idents = |names: Vec<String>| names.into_iter().map(ident).collect::<Result<Vec<_>, _>>();
    let names = |names: Vec<String>| names.iter().map(|name| named(name)).collect::<Result<Vec<_>, _>>();
    let column = |seen: SeenColumn| {
        Ok::<_, Failure>(Column {
            name: ident(seen.name)?,
            kind: seen.kind,
            not_null: seen.not_null,
            collation: seen.collation.as_deref().map(named).transpose()?,
            default: seen.default,
            filled: match seen.filled.as_deref() {
                Some("generated") => Some(Filled::Generated),
                Some("identity") => Some(Filled::Identity),
                Some("always") => Some(Filled::Always),
                Some(_) => Some(Filled::Serial),
                None => None,
            },
            made: false,
        })
    };
    let referrer = |seen: SeenReferrer| {
        Ok::<_, Failure>(Referrer {
            name: Some(ident(seen.name)?),
            table: named(&seen.table)?,
            columns: idents(seen.columns)?,
        })
    };
    let key = |seen: SeenKey| {
        let columns = seen.columns.into_iter().map(|name| name.map(ident).transpose());
        Ok::<_, Failure>(PartitionKey { columns: columns.collect::<Result<_, _>>()?, hash: seen.hash })
    };
    let bound = |seen: SeenConstraint| {
        let proves = match &seen.check {
            Some(check) => proven_not_null(check).unwrap_or_default(),
            None if seen.kind == 'n' => idents(seen.columns.clone())?,
            None => Vec::new(),
        };
        Ok::<_, Failure>(Constraint {
            name: Some(ident(seen.name)?),
            kind: seen.kind,
            valid: seen.valid,
            columns: idents(seen.columns)?,
            proves,
            references: seen.references.as_deref().map(named).transpose()?,
            text: match seen.definition {
                Some(definition) => as_written(&definition).map_err(|error| unreadable(&error))?,
                None => seen.check.unwrap_or_default(),
            },
        })
    };
    let index = |seen: SeenIndex| {
        let (name, constraint) = (ident(seen.name)?, seen.constraint);
        let statement = split(&seen.definition).map_err(|error| unreadable(&error))?;
        match statement.into_iter().flat_map(|statement| statement.changes).next() {
            Some(Change::CreateIndex(new)) => {
                let known = Index { constraint, ..Index::of(&new, name) };
                // One that is not valid serves nobody.
                Ok(if seen.valid { known } else { Index { shape: String::new(), ..known } })
            }
            _ => Err(unreadable(&format!("the index {}", name.as_str()))),
        }
    };
    Ok(Table {
        made: false,
        kind: match seen.kind {
            'r' => TableKind::Ordinary,
            'p' => TableKind::Partitioned,
            'm' => TableKind::MatView,
            'v' => TableKind::View,
            _ => TableKind::Other,
        },
        rows: seen.rows.filter(|_| seen.analyzed),
        bytes: seen.bytes,
        traffic: None,
        columns: seen.columns.into_iter().map(column).collect::<Result<_, _>>()?,
        constraints: seen.constraints.into_iter().map(bound).collect::<Result<_, _>>()?,
        indexes: seen.indexes.into_iter().map(index).collect::<Result<_, _>>()?,
        referenced_by: seen.referenced_by.into_iter().map(referrer).collect::<Result<_, _>>()?,
        hanging: Vec::new(),
        parent: seen.parent.as_deref().map(named).transpose()?,
        partitions: names(seen.partitions)?,
        default_partition: seen.default_partition.as_deref().map(named).transpose()?,
        key: seen.key.map(key).transpose()?,
    })
}

/// A foreign key or a UNIQUE constraint as plans write it, however the server prints it.
fn as_written(definition: &str) -> Result<String, SqlError> {
    let statements = split(&format!("ALTER TABLE t ADD CONSTRAINT k {definition}"))?;
    let changes = statements.into_iter().flat_map(|statement| statement.changes);
    Ok(changes
        .filter_map(|change| match change {
            Change::Alter { what: Alter::AddConstraint(added), .. } => Some(constraint(&added, true).text),
            _ => None,
        })
        .collect())
}
