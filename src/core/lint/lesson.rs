//! Owns what is known of each rule: its name, its page, its examples.

use super::fill::fill;
use super::finding::Level;
use super::outline::apply;
use super::world::World;
use super::{rules, table};
use crate::core::compile::Server;
use crate::core::sql::{Change, split};

/// Whether a plan may accept a rule for a reason.
///
/// # Errors
/// Why not: there is no such rule, or no reason is given.
pub fn accepts(rule: &str, reason: &str) -> Result<(), String> {
    if reason.trim().is_empty() {
        return Err(format!("accepting {rule} needs a reason: it is kept in the history"));
    }
    let names = || names().into_iter();
    if names().any(|name| name == rule) {
        return Ok(());
    }
    let near = names().min_by_key(|name| strsim::osa_distance(name, rule)).unwrap_or_default();
    Err(format!("there is no rule {rule:?}; did you mean {near}? docs/lint/ lists them"))
}

/// What the page of a rule says, with examples against [`table::SETTING`].
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The rule.
    pub rule: &'static str,
    /// What it is about.
    pub title: String,
    /// How bad it is.
    pub level: Level,
    /// Why it hurts.
    pub why: &'static str,
    /// The row of the lock table, where the rule is one.
    pub row: Option<&'static table::Row>,
    /// What stands before the examples.
    pub setup: &'static str,
    /// A plan that the rule objects to.
    pub bad: String,
    /// One that it does not; `None`: there is no online way, or only another server helps.
    pub good: Option<String>,
    /// What to do, in the words of the finding.
    pub advice: Option<&'static str>,
    /// The first major version that knows the statement.
    pub since: u32,
}

/// The lessons of all rules, by name.
#[must_use]
pub fn lessons() -> Vec<Lesson> {
    let of_row = |row: &'static table::Row| {
        let hazard = row.hazard?;
        let advice = match hazard.safe {
            table::Safe::Advice(text) => Some(text),
            table::Safe::Plan(_) => None,
        };
        Some(Lesson {
            rule: row.id,
            title: row.what.to_owned(),
            level: Level::Error,
            why: hazard.why,
            row: Some(row),
            setup: row.example.setup,
            bad: format!(
                "expand:\n  - sql: |\n      {}\n    undo: \"irreversible: an example\"\n",
                row.example.sql
            ),
            good: hazard.good.map(str::to_owned).or_else(|| filled_example(row)),
            advice,
            since: row.since,
        })
    };
    let of_rule = |rule: &'static rules::Rule| Lesson {
        rule: rule.id,
        title: rule.title.to_owned(),
        level: rule.level,
        why: rule.why,
        row: None,
        setup: rule.setup,
        bad: rule.bad.to_owned(),
        good: Some(rule.good.to_owned()).filter(|good| !good.is_empty()),
        advice: None,
        since: 13,
    };
    let mut lessons: Vec<Lesson> =
        table::rows().filter_map(of_row).chain(rules::RULES.iter().map(of_rule)).collect();
    lessons.sort_by_key(|lesson| lesson.rule);
    lessons
}

/// The names of all rules, sorted.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let rows = table::rows().filter(|row| row.hazard.is_some()).map(|row| row.id);
    let mut names: Vec<_> = rows.chain(rules::RULES.iter().map(|rule| rule.id)).collect();
    names.sort_unstable();
    names
}

/// The safe way of a row in the names of its own example, where it is a plan.
fn filled_example(row: &table::Row) -> Option<String> {
    let table::Safe::Plan(text) = row.hazard?.safe else { return None };
    let statement = split(row.example.sql).ok()?.pop()?;
    let world = World::offline(Server::NEWEST.version);
    let meets = |change: &&Change| {
        let mut world = world.clone();
        let read = |sql: &str| split(sql).unwrap_or_default();
        for before in read(table::SETTING).into_iter().chain(read(row.example.setup)) {
            before.changes.iter().for_each(|change| apply(&mut world, change));
        }
        table::row(&table::Case { change, world: &world }).is_some_and(|found| found.id == row.id)
    };
    let change = statement.changes.iter().find(meets).or_else(|| statement.changes.first())?;
    Some(fill(text, &table::Case { change, world: &world }, &statement.changes))
}
