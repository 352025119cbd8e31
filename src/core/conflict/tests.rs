#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod gone;
mod made;
mod named;

use super::*;
use crate::core::testing::item;

fn record(item: &Item, state: State) -> Record {
    Record { state, goal: state, ..Record::planned(item) }
}

const RENAME: &str = "expand:
  - {sql: ALTER TABLE users ADD COLUMN display_name text, undo: ALTER TABLE users DROP COLUMN display_name}
  - sync: {table: users, set: {display_name: name}, back: {name: display_name}}
contract:
  - drop_column: {table: users, column: name}
keep: 7d
";

fn add(column: &str) -> String {
    format!(
        "expand:\n  - {{sql: ALTER TABLE users ADD COLUMN {column} text, undo: ALTER TABLE users DROP COLUMN {column}}}\n"
    )
}

fn fill(from: &str) -> String {
    format!("{}backfill:\n  - {{table: users, set: {{nick: lower({from})}}}}\n", add("nick"))
}

/// Level and message of each conflict between items of which nothing or all is known to be open.
fn found(items: &[(&str, &str)], standing: Standing) -> Vec<(Grade, String)> {
    let items: Vec<Item> = items.iter().map(|(stem, text)| item(stem, text)).collect();
    let found = among(&items, &|_| standing).unwrap();
    found.into_iter().map(|conflict| (conflict.level, conflict.described())).collect()
}

#[track_caller]
fn one(items: &[(&str, &str)], standing: Standing, level: Grade, part: &str) {
    let found = found(items, standing);
    assert!(
        matches!(found.as_slice(), [(grade, text)] if *grade == level && text.contains(part)),
        "{found:#?}"
    );
}

const DROP: &str = "contract:\n  - drop_column: {table: users, column: name}\n";

/// The same with what a server says of the path.
fn found_along(path: &str, items: &[(&str, &str)], standing: Standing) -> Vec<(Grade, String)> {
    let record = Ident::parse("phase").unwrap();
    let path = SearchPath::read(path, "ann", &record);
    let items: Vec<Item> =
        items.iter().map(|(stem, text)| Item { path: path.clone(), ..item(stem, text) }).collect();
    let found = among(&items, &|_| standing).unwrap();
    found.into_iter().map(|conflict| (conflict.level, conflict.described())).collect()
}
