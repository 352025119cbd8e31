//! Owns what recipes of constraints share: their names as the server would choose them, and when
//! those that may wait are checked.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::known::{Constraint, Partition, Table};
use super::reader::Reader;
use crate::core::ident::{Ident, QName, plain};
use crate::core::index::name_in;

/// When a constraint that may wait until COMMIT is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deferrable {
    /// After each statement, unless a transaction says otherwise.
    Immediate,
    /// At COMMIT, unless a transaction says otherwise.
    Deferred,
}

impl Deferrable {
    /// What stands behind the constraint.
    pub(super) const fn words(given: Option<Self>) -> &'static str {
        match given {
            None => "",
            Some(Self::Immediate) => " DEFERRABLE",
            Some(Self::Deferred) => " DEFERRABLE INITIALLY DEFERRED",
        }
    }
}

/// Columns, at least one.
pub(super) fn columns(reader: &mut Reader<'_, '_>, what: &str, texts: &[String]) -> Option<Vec<Ident>> {
    let names: Vec<Option<Ident>> = texts.iter().map(|text| reader.ident(what, text)).collect();
    let names: Vec<Ident> = names.into_iter().collect::<Option<_>>()?;
    if names.is_empty() {
        reader.fault(format!("{what} is empty"));
        return None;
    }
    Some(names)
}

/// A name, where one is given; the outer `None` is a fault.
#[allow(clippy::option_option, reason = "a fault is not nothing")]
pub(super) fn given_name(reader: &mut Reader<'_, '_>, text: Option<&str>) -> Option<Option<Ident>> {
    match text {
        None => Some(None),
        Some(text) => reader.ident("name", text).map(Some),
    }
}

/// The kinds of constraints, by what they need a name for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Check,
    Foreign,
    Unique,
    Exclusion,
    /// No constraint, but an index alone.
    Index,
}

impl Kind {
    const fn label(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Foreign => "fkey",
            Self::Unique => "key",
            Self::Exclusion => "excl",
            Self::Index => "idx",
        }
    }

    /// Whether an index has its name as well.
    const fn indexed(self) -> bool {
        matches!(self, Self::Unique | Self::Exclusion | Self::Index)
    }
}

/// The name of a new constraint: as it is given, which must be free, or as the server would choose it.
pub(super) fn name(
    draft: &mut Draft<'_>,
    table: &QName,
    given: Option<&Ident>,
    columns: &[Ident],
    kind: Kind,
) -> Ident {
    let known = draft.table(table).unwrap_or_default();
    if let Some(given) = given {
        if known.constraint(given).is_some() {
            draft.refuse(format!("table {} has a constraint {} already", table.plain(), plain(given)));
        } else if kind.indexed() && known.indexes.iter().any(|index| index.name == given.as_str()) {
            draft.refuse(format!("table {} has an index {} already", table.plain(), plain(given)));
        }
        return given.clone();
    }
    derived(&known, table, columns, kind)
}

/// The name that the server would choose: numbered where others have it.
pub(super) fn derived(known: &Table, table: &QName, columns: &[Ident], kind: Kind) -> Ident {
    let columns: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    let numbered = |n: usize| {
        let number = if n == 0 { String::new() } else { n.to_string() };
        Ident::derived(table.name.as_str(), &columns.join("_"), &format!("{}{number}", kind.label()))
    };
    let taken = |name: &Ident| {
        let same = |other: &String| other == name.as_str();
        known.constraint(name).is_some()
            || known.taken.constraints.iter().any(same)
            || kind.indexed()
                && (known.taken.relations.iter().any(same)
                    || known.indexes.iter().any(|index| same(&index.name)))
    };
    (0..).map(numbered).find(|name| !taken(name)).unwrap_or_else(|| numbered(0))
}

/// A constraint as it will be known.
pub(super) fn known(name: &Ident, kind: &str, definition: String, columns: &[Ident]) -> Constraint {
    Constraint {
        name: name.as_str().into(),
        kind: kind.into(),
        definition,
        columns: columns.iter().map(|column| column.as_str().to_owned()).collect(),
        valid: true,
        ..Constraint::default()
    }
}

/// A table or a partition that gets a constraint.
pub(super) struct Part {
    pub table: QName,
    /// Whether it only takes those of its partitions for its own.
    pub whole: bool,
    /// Whether it is a partition, whose constraint goes with the one that it is part of.
    pub below: bool,
}

/// What gets a constraint, from the lowest partitions up to the table; a foreign table among them is refused.
pub(super) fn parts(draft: &mut Draft<'_>, table: &QName, known: &Table, what: &str) -> Vec<Part> {
    for foreign in known.partitions.iter().filter(|partition| partition.kind == "f") {
        draft.refuse(format!("{} is a foreign table, which can have no {what}", foreign.name));
    }
    let below = known.partitions.iter().filter_map(|partition| {
        Some(Part { table: partition.beside(table)?, whole: partition.kind == "p", below: true })
    });
    let own = Part { table: table.clone(), whole: known.kind == "p", below: false };
    below.chain([own]).collect()
}

/// Gives the indexes of partitions, which a build by partitions calls after the index of the table, the names
/// that the server would choose.
pub(super) fn name_indexes(
    draft: &mut Draft<'_>,
    table: &QName,
    known: &Table,
    index: &Ident,
    columns: &[Ident],
) {
    let pair = |partition: &Partition| {
        let partition = partition.beside(table)?;
        let name = derived(&Table::default(), &partition, columns, Kind::Index);
        Some((partition.sibling(name_in(&partition, index)), partition.sibling(name)))
    };
    let rename = |from: &QName, to: &QName| format!("ALTER INDEX {from} RENAME TO {}", to.name);
    let pairs: Vec<(QName, QName)> = known.partitions.iter().filter_map(pair).collect();
    if !pairs.is_empty() {
        let there: Vec<String> = pairs.iter().map(|(built, chosen)| rename(built, chosen)).collect();
        let back: Vec<String> = pairs.iter().map(|(built, chosen)| rename(chosen, built)).collect();
        draft.validate_sql(Sql::new(there.join(";\n"), back.join(";\n")));
    }
}
