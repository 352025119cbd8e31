//! Tests of all recipes by their examples: the steps that each comes to, and that the linter has
//! nothing against them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::NAMES;
use crate::core::compile::Server;
use crate::core::lint::{Finding, SMALL_TABLE_BYTES, World, judge};
use crate::core::step::{Phase, Step, Undo};
use crate::core::timeline::Item;
use crate::examples::examples;

/// Warnings that an example brings about by what it asks for: its plan, the rule, and why.
const MEANT: &[(&str, &str, &str)] = &[
    ("20261202040100_change_type", "foreign-key-index", "a bigint comes to refer to an integer"),
    (
        "20261205020100_change_type_of_much",
        "foreign-key-index",
        "a varchar(60) comes to refer to a varchar(80)",
    ),
    (
        "20261205050100_change_type_and_name",
        "unused-allow",
        "the materialized view goes right before the column",
    ),
    ("20261205020100_change_type_of_much", "unused-allow", "who reads migrations alone sees no publication"),
];

fn shown(step: &Step) -> String {
    let mut text = format!("{} [{}] {}\n", step.id, step.action.mode(), step.title);
    text.extend(step.action.sql().iter().map(|sql| format!("  {}\n", indented(sql))));
    text += &match &step.undo {
        Undo::Nothing => String::new(),
        Undo::Run(action) => action.sql().iter().map(|sql| format!("  undo: {}\n", indented(sql))).collect(),
        Undo::Recorded => "  undo: as recorded\n".into(),
        Undo::Irreversible(why) => format!("  no undo: {why}\n"),
    };
    text.extend(step.allow.iter().map(|allow| format!("  allowed: {}: {}\n", allow.rule, allow.reason)));
    text
}

fn indented(sql: &str) -> String {
    sql.replace('\n', "\n  ")
}

fn steps(item: &Item) -> String {
    let mut text = String::new();
    for phase in Phase::ALL {
        let steps: String = item.steps_of(phase).map(shown).collect();
        if !steps.is_empty() {
            text += &format!("== {phase}\n{steps}");
        }
    }
    text.extend(item.cautions.iter().map(|caution| format!("!! {caution}\n")));
    text
}

/// What there is against an item that it does not accept itself.
fn objections(item: &Item, world: World) -> Vec<String> {
    let findings = judge(item, world, SMALL_TABLE_BYTES).unwrap();
    let meant = |finding: &Finding| {
        let here = |(stem, rule, _): &(&str, &str, &str)| *stem == item.stem() && *rule == finding.rule;
        !finding.refuses() && MEANT.iter().any(here)
    };
    let open = findings.into_iter().filter(|finding| finding.allowed.is_none() && !meant(finding));
    open.map(|Finding { step, rule, statement, why, .. }| format!("{step}: {rule}: {statement}: {why}"))
        .collect()
}

#[test]
fn every_recipe_has_an_example() {
    let shown: Vec<&str> =
        examples().iter().flat_map(|example| example.recipes().collect::<Vec<_>>()).collect();
    for name in NAMES {
        assert!(shown.contains(name), "no plan in plans/ shows {name}");
    }
}

#[test]
fn the_steps_of_every_example_are_these() {
    for example in examples() {
        let item = example.item();
        assert!(item.refused.is_empty(), "{}: {:?}", example.stem, item.refused);
        insta::assert_snapshot!(example.stem.as_str(), steps(&item));
    }
}

#[test]
fn the_linter_has_nothing_against_an_example() {
    for example in examples() {
        let item = example.item();
        let offline = World::offline(Server::NEWEST.version);
        // Who does not know the database sees no step of a partition either.
        let parted = example.known.tables.values().any(|table| table.kind == "p");
        let offline = (!parted).then_some((offline, "offline"));
        for (world, what) in offline.into_iter().chain([(example.world(), "in its database")]) {
            let found = objections(&item, world);
            assert!(found.is_empty(), "{}, {what}:\n{}", example.stem, found.join("\n"));
        }
    }
}

#[test]
fn an_example_needs_no_server_to_be_shown() {
    for example in examples() {
        let item = example.offline();
        assert!(item.refused.is_empty(), "{}: {:?}", example.stem, item.refused);
        assert!(!item.steps.is_empty(), "{}", example.stem);
        let found = objections(&item, World::offline(Server::NEWEST.version));
        assert!(found.is_empty(), "{}:\n{}", example.stem, found.join("\n"));
    }
}
