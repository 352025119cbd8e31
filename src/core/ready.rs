//! Owns whether a build of an application may start: what it needs of the timeline, and every reason why it must wait.

use std::cmp::Ordering;

use crate::core::plan::contract_waits_for;
use crate::core::plan::model::{AppVersion, Compare};
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::timeline::Item;

/// What is about to start.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The application and its version, where they are known.
    pub app: Option<&'a AppVersion>,
    /// The state that plans must have reached that say nothing of this application.
    pub needs: State,
    /// Whether the items were named one by one: what was aborted stops it then.
    pub named: bool,
}

/// Gives every reason why a build may not start yet, one sentence each; none: it may. `items` are those that it
/// comes with or names, `records` everything on record.
#[must_use]
pub fn reasons(build: Build<'_>, items: &[&Item], records: &[Record]) -> Vec<String> {
    let of = |item: &Item| records.iter().find(|record| record.version == item.version);
    let early = items.iter().filter_map(|item| too_early(build, item, of(item)));
    let late = records.iter().filter_map(|record| too_late(build.app?, record));
    early.chain(late).collect()
}

/// The state that an item must have reached; `None`: this build needs nothing of it.
fn needed(build: Build<'_>, item: &Item) -> Option<State> {
    if item.kind == Kind::Sql {
        return Some(State::Completed);
    }
    match build.app.filter(|_| !item.needed_by.is_empty()) {
        None => Some(build.needs),
        Some(app) => {
            let mine = item.needed_by.iter().filter(|(other, _)| other.app == app.app);
            let due = mine.filter(|(other, _)| {
                // What cannot be compared is needed, to be safe.
                Compare::Semantic.order(&app.version, &other.version) != Some(Ordering::Less)
            });
            due.map(|(_, state)| *state).max()
        }
    }
}

fn too_early(build: Build<'_>, item: &Item, record: Option<&Record>) -> Option<String> {
    let needs = needed(build, item)?;
    let state = record.map_or(State::Planned, |record| record.state);
    let aborting = record.is_some_and(|record| record.goal == State::Aborted);
    let (stem, version) = (item.stem(), &item.version);
    if state == State::Aborted {
        return build.named.then(|| {
            format!("{stem} was aborted, and this build needs it {needs}: write the change as a new version")
        });
    }
    if aborting {
        return Some(format!("{stem} is being aborted, and this build needs it {needs}"));
    }
    if state >= needs {
        return None;
    }
    let command = match (item.kind, state) {
        (Kind::Sql, _) | (Kind::Plan, State::Planned) => "phase expand".to_owned(),
        (Kind::Plan, _) => format!("phase advance {version} --to {needs}"),
    };
    Some(format!("{stem} is {state}, and this build needs it {needs}: {command}"))
}

/// Why a build is too old for what a plan has taken away.
fn too_late(app: &AppVersion, record: &Record) -> Option<String> {
    let gone = record.state.max(record.goal) >= State::Contracted;
    if record.kind != Kind::Plan || !gone || record.state == State::Aborted || record.goal == State::Aborted {
        return None;
    }
    let waits = contract_waits_for(record.source.as_deref()?);
    let wanted = waits.iter().find(|wanted| wanted.app == app.app)?;
    let old = Compare::Semantic.order(&app.version, &wanted.version) == Some(Ordering::Less);
    let back = match record.state {
        State::Completed => "the old shape is gone for good".to_owned(),
        _ => format!("phase abort {} brings the old shape back", record.version),
    };
    old.then(|| {
        format!(
            "{}_{} is {}, which takes {}@{} or later, and this build is {}: {back}",
            record.version,
            record.name,
            record.state.max(record.goal.min(State::Contracted)),
            app.app,
            wanted.version,
            app.version
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing;

    const PLAN: &str = "expand:\n  - {sql: SELECT 1, undo: SELECT 1}\n";

    fn app(version: &str) -> AppVersion {
        AppVersion { app: "web".into(), version: version.into() }
    }

    fn told(item: &Item, state: State, app: Option<&AppVersion>, named: bool) -> Vec<String> {
        let record =
            Record { state, goal: state, source: Some(item.source.clone()), ..Record::planned(item) };
        reasons(Build { app, needs: State::Expanded, named }, &[item], &[record])
    }

    #[test]
    fn a_build_waits_until_what_it_comes_with_is_expanded() {
        let plan = testing::item("1_p", PLAN);
        assert_eq!(
            told(&plan, State::Planned, None, false),
            ["1_p is planned, and this build needs it expanded: phase expand"]
        );
        for state in [State::Expanded, State::Validated, State::Completed] {
            assert_eq!(told(&plan, state, None, false), [""; 0], "{state}");
        }
        // What was set aside is nobody's, unless it is asked for.
        assert_eq!(told(&plan, State::Aborted, None, false), [""; 0]);
        assert_eq!(told(&plan, State::Aborted, None, true).len(), 1);
        let sql = testing::item("2_s", "SELECT 1");
        assert!(told(&sql, State::Planned, None, false)[0].contains("needs it completed: phase expand"));
    }

    #[test]
    fn a_plan_says_which_version_needs_what() {
        let text = format!(
            "{PLAN}requires: {{web@2.4.0: expanded, web@2.5.0: backfilled, worker@1.0.0: validated}}\n"
        );
        let plan = testing::item("1_p", &text);
        let of = |version: &str, state| told(&plan, state, Some(&app(version)), false);
        assert_eq!(of("2.3.9", State::Planned), [""; 0]);
        assert_eq!(of("2.4.0", State::Expanded), [""; 0]);
        assert_eq!(
            of("2.5.0", State::Expanded),
            ["1_p is expanded, and this build needs it backfilled: phase advance 1 --to backfilled"]
        );
        assert_eq!(of("2.5.1", State::Backfilled), [""; 0]);
    }

    #[test]
    fn old_code_does_not_start_over_what_is_taken_away() {
        let text = "contract:\n  - drop_column: {table: t, column: a}\ngates: {contract: {deployed: web@2.4.0}}\nkeep: 1d\n";
        let plan = testing::item("1_p", text);
        let of = |version: &str, state| told(&plan, state, Some(&app(version)), false);
        assert_eq!(of("2.3.9", State::Validated), [""; 0]);
        assert_eq!(
            of("2.3.9", State::Contracted),
            [
                "1_p is contracted, which takes web@2.4.0 or later, and this build is 2.3.9: phase abort 1 brings the old \
                 shape back"
            ]
        );
        assert!(of("2.3.9", State::Completed)[0].ends_with("the old shape is gone for good"));
        assert_eq!(of("2.4.0", State::Contracted), [""; 0]);
    }
}
