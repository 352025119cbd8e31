//! Writes changes out, for tests.
#![allow(clippy::unwrap_used)]

use super::{Index, Known, OfIndex, Table, Written, written};
use crate::core::compile::{self, Server};
use crate::core::ident::QName;
use crate::core::plan::model::Plan;
use crate::core::plan::{Source, parse};
use crate::core::step::Undo;
use crate::core::version::Version;

/// A plan, read.
pub(super) fn plan(text: &str) -> Plan {
    read(text).unwrap()
}

fn read(text: &str) -> Result<Plan, String> {
    let version = Version::parse("7").unwrap();
    let source = Source { file: "p.yaml", version: &version, name: "p", text };
    parse(&source, &|_| Err("no files here".into())).map_err(|error| error.to_string())
}

/// The faults of a plan that does not read, or what it is written out to.
pub(super) fn changes(text: &str, known: &Known) -> Result<Written, String> {
    Ok(written(&read(text)?, known))
}

/// What is refused.
pub(super) fn refused(text: &str, known: &Known) -> Vec<String> {
    changes(text, known).unwrap().refused.into_iter().map(|(_, why)| why).collect()
}

/// What to look at twice.
pub(super) fn cautions(text: &str, known: &Known) -> Vec<String> {
    changes(text, known).unwrap().cautions.into_iter().map(|(_, what)| what).collect()
}

/// The steps, each with its undo.
pub(super) fn shown(text: &str, known: &Known) -> String {
    let written = changes(text, known).unwrap();
    assert_eq!(written.refused, []);
    let mut lines = Vec::new();
    for step in compile::plan(&written.plan, Server::NEWEST).unwrap() {
        lines.push(format!("{}: {}", step.id, step.action.sql().join(";\n  ")));
        match &step.undo {
            Undo::Nothing => {}
            Undo::Run(action) => lines.push(format!("  undo: {}", action.sql().join(";\n  undo: "))),
            Undo::Recorded => lines.push("  undo: as recorded".into()),
            Undo::Irreversible(why) => lines.push(format!("  no undo: {why}")),
        }
    }
    lines.join("\n")
}

/// Relations that are all there is.
pub(super) fn known(tables: impl IntoIterator<Item = (&'static str, Table)>) -> Known {
    let named = |(name, table)| (QName::parse(name).unwrap().plain(), table);
    Known {
        complete: true,
        version: 150_000,
        tables: tables.into_iter().map(named).collect(),
        ..Known::default()
    }
}

/// A table with text columns.
pub(super) fn table(columns: &[&str]) -> Table {
    let column =
        |name: &&str| super::Column { name: (*name).into(), kind: "text".into(), ..Default::default() };
    Table {
        kind: "r".into(),
        schema: "public".into(),
        columns: columns.iter().map(column).collect(),
        ..Table::default()
    }
}

/// An index, asked for by its name.
pub(super) fn index(index: OfIndex) -> Table {
    Table { kind: "i".into(), schema: "public".into(), index: Some(index), ..Table::default() }
}

/// An index, as its table knows it.
pub(super) fn of_table(name: &str) -> Index {
    Index { name: name.into(), valid: true, ..Index::default() }
}

/// An enum type that is all there is.
pub(super) fn labels(name: &str, of: &[&str]) -> Known {
    let one = super::Enum {
        kind: "e".into(),
        schema: "public".into(),
        labels: of.iter().map(|label| (*label).to_owned()).collect(),
        ..Default::default()
    };
    let mut known = known([]);
    known.enums.insert(QName::parse(name).unwrap().plain(), one);
    known
}
