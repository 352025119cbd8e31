//! How a plan writes a partitioned table, and its partitions as SQL writes them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Partition, PartitionTable};
use crate::core::ident::{Ident, plain};
use crate::core::plan::yaml::OneOrMany;
use crate::core::recipe::constraint::columns;
use crate::core::recipe::reader::Reader;

/// `partition_table: {table, by, columns, partitions, …}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::core::recipe) struct Raw {
    /// The table.
    table: String,
    /// How rows are dealt out.
    by: By,
    /// The columns that decide; every key of the table has them.
    columns: Vec<String>,
    /// The partitions; by hash a row goes to one of them by its remainder, in their order.
    partitions: Vec<RawPartition>,
    /// Whether a partition besides, TABLE_default, takes the rows that no other takes.
    #[serde(default)]
    default: bool,
}

/// How rows are dealt out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// By ranges: `from` belongs to the partition, `to` to the next.
    Range,
    /// By values.
    List,
    /// By a hash of the values.
    Hash,
}

impl By {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Range => "RANGE",
            Self::List => "LIST",
            Self::Hash => "HASH",
        }
    }
}

/// A partition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawPartition {
    /// Its name, in the table's schema.
    name: String,
    /// By range: the first values, each as SQL writes it, or MINVALUE; one of them needs no list.
    #[serde(default)]
    from: OneOrMany,
    /// By range: the values that it ends before, or MAXVALUE.
    #[serde(default)]
    to: OneOrMany,
    /// By list: its values, NULL among them.
    #[serde(default, rename = "in")]
    values: OneOrMany,
}

pub(in crate::core::recipe) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<PartitionTable> {
    let Raw { by, default, partitions: given, .. } = raw;
    let table = reader.table("table", &raw.table);
    let columns = columns(reader, "columns", &raw.columns);
    let (table, columns) = (table?, columns?);
    if given.is_empty() {
        reader.fault("partitions is empty");
        return None;
    }
    if by == By::List && columns.len() > 1 {
        reader.fault("by list a table is partitioned by one column");
        return None;
    }
    if by == By::Hash && default {
        reader.fault("by hash every row has its partition: leave out default");
        return None;
    }
    let (mut partitions, count) = (Vec::new(), given.len());
    for (n, one) in given.into_iter().enumerate() {
        let (name, bound) =
            (reader.ident("name", &one.name), bound(&one, (by, columns.len()), n, count, reader));
        partitions.push(Partition { name: table.sibling(name?), bound: bound? });
    }
    if default {
        let name = Ident::derived(table.name.as_str(), "", "default");
        partitions.push(Partition { name: table.sibling(name), bound: "DEFAULT".into() });
    }
    let mut names: Vec<&Ident> = partitions.iter().map(|one| &one.name.name).collect();
    names.push(&table.name);
    names.sort();
    let twice = names.iter().zip(names.iter().skip(1)).find(|(a, b)| a == b);
    if let Some((name, _)) = twice {
        reader.fault(format!("two tables would be called {}", plain(name)));
        return None;
    }
    let complete = by == By::Hash || default;
    Some(PartitionTable { table, by, columns, partitions, complete })
}

/// What stands behind PARTITION OF.
fn bound(
    raw: &RawPartition,
    (by, columns): (By, usize),
    n: usize,
    count: usize,
    reader: &mut Reader<'_, '_>,
) -> Option<String> {
    let (ranged, listed) = (!raw.from.0.is_empty() || !raw.to.0.is_empty(), !raw.values.0.is_empty());
    let wanted = match by {
        By::Range => (true, false, "by range a partition has from and to"),
        By::List => (false, true, "by list a partition has in"),
        By::Hash => (false, false, "by hash a partition has a name alone"),
    };
    if (ranged, listed) != (wanted.0, wanted.1) {
        reader.fault(format!("partition {}: {}", raw.name, wanted.2));
        return None;
    }
    let text = match by {
        By::Hash => format!("WITH (MODULUS {count}, REMAINDER {n})"),
        By::List => format!("IN ({})", values("in", &raw.values.0, reader)?),
        By::Range => {
            if raw.from.0.len() != columns || raw.to.0.len() != columns {
                reader.fault(format!("partition {}: from and to have a value for each column", raw.name));
                return None;
            }
            let from = values("from", &raw.from.0, reader)?;
            format!("FROM ({from}) TO ({})", values("to", &raw.to.0, reader)?)
        }
    };
    Some(format!("FOR VALUES {text}"))
}

fn values(what: &str, texts: &[String], reader: &mut Reader<'_, '_>) -> Option<String> {
    let mut one = |text: &String| match text.trim().to_ascii_uppercase().as_str() {
        end @ ("MINVALUE" | "MAXVALUE") => Some(end.to_owned()),
        _ => reader.expression(what, text),
    };
    let read: Vec<Option<String>> = texts.iter().map(&mut one).collect();
    Some(read.into_iter().collect::<Option<Vec<_>>>()?.join(", "))
}
