//! Tests of the linter, by topic; here stand the databases and plans that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod application;
mod back;
mod fuzz;
mod hanging;
mod hidden;
mod lessons;
mod like;
mod places;
mod printed;
mod sql;
mod types;

use super::table::SETTING;
use super::*;
use crate::core::sql::split;
use crate::core::timeline::Item;

/// The database of the examples, as a catalog would tell of it, with tables of unknown size.
fn world(setup: &str, version: u32) -> World {
    crate::core::testing::world(&format!("{SETTING};{setup}"), version)
}

fn item(text: &str) -> Item {
    crate::core::testing::item("1_x", text)
}

fn found(text: &str, setup: &str, version: u32) -> Vec<Finding> {
    judge(&item(text), world(setup, version), SMALL_TABLE_BYTES).unwrap()
}

/// The rules that a plan meets.
fn rules(text: &str, world: World) -> Vec<&'static str> {
    judge(&item(text), world, SMALL_TABLE_BYTES).unwrap().iter().map(|finding| finding.rule).collect()
}

/// The same database, with every table of a known, small size.
fn small(setup: &str) -> World {
    let mut world = world(setup, 180_000);
    world.tables.values_mut().for_each(|table| table.bytes = Some(8_192));
    world
}

/// The first safe way that is printed against a statement of expand.
fn printed(sql: &str, world: World) -> String {
    let text = format!("expand:\n  - sql: |\n      {sql}\n    undo: \"irreversible: an example\"\n");
    let findings = judge(&item(&text), world, SMALL_TABLE_BYTES).unwrap();
    findings.into_iter().find_map(|finding| finding.safe).unwrap()
}
