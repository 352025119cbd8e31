#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::collections::BTreeSet;

use super::*;
use crate::core::lint::{World, apply};
use crate::core::sql::split;

/// What is known after the setting and a row's own setup.
fn world(setup: &str) -> World {
    let mut world = World::offline(180_000);
    for statement in split(&format!("{SETTING};{setup}")).unwrap() {
        statement.changes.iter().for_each(|change| apply(&mut world, change));
    }
    world
}

#[test]
fn every_example_meets_its_own_row() {
    let mut wrong = Vec::new();
    for row in rows() {
        let mut world = world(row.example.setup);
        world.version = row.until.min(18) * 10_000;
        world.utc = Some(row.id.contains("timestamptz"));
        let statements = split(row.example.sql).unwrap_or_else(|error| panic!("{}: {error}", row.id));
        assert_eq!(statements.len(), 1, "{}", row.id);
        let met: Vec<_> = statements[0]
            .changes
            .iter()
            .filter_map(|change| super::row(&Case { change, world: &world }))
            .map(|row| row.id)
            .collect();
        if !met.contains(&row.id) {
            wrong.push(format!("{}: {met:?} by {:?}", row.id, statements[0].changes));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rows_have_names_of_their_own() {
    let names: BTreeSet<_> = rows().map(|row| row.id).collect();
    assert_eq!(names.len(), rows().count());
    assert!(names.len() >= 80, "{}", names.len());
}
