#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod path;
mod things;
mod uses;

use super::*;
use crate::core::compile;
use crate::core::migration::SqlMigration;
use crate::core::plan::{Source, parse};
use crate::core::version::Version;

fn shown(footprint: &Footprint) -> Vec<String> {
    let one = |(thing, how, _): (&Thing, How, &Site)| format!("{} {thing}", how.word());
    footprint.touches().map(one).collect()
}

fn of_sql(up: &str) -> Footprint {
    let migration = SqlMigration::parse("m.sql", Version::parse("1").unwrap(), "m", up).unwrap();
    Footprint::of(&compile::migration(&migration).unwrap().0).unwrap()
}

fn of_plan(text: &str) -> Footprint {
    let version = Version::parse("1").unwrap();
    let source = Source { file: "p.yaml", version: &version, name: "p", text };
    let plan = parse(&source, &|_| Err(String::new())).unwrap_or_else(|error| panic!("{error}"));
    Footprint::of(&compile::plan(&plan, compile::Server::NEWEST).unwrap()).unwrap()
}

/// Whether a statement touches each of these, said as `show` says it.
#[track_caller]
fn has(sql: &str, wanted: &[&str]) {
    let found = shown(&of_sql(sql));
    for want in wanted {
        assert!(found.iter().any(|touch| touch == want), "{sql}\n{want} is not among {found:#?}");
    }
}

#[track_caller]
fn has_not(sql: &str, unwanted: &[&str]) {
    let found = shown(&of_sql(sql));
    for touch in unwanted {
        assert!(!found.iter().any(|found| found == touch), "{sql}\n{touch} is among {found:#?}");
    }
}
