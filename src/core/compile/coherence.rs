//! Refuses steps of one plan that would undo what others of it do: each may be right by itself.

use super::CompileError;
use super::in_step::InStep;
use crate::core::footprint::Footprint;
use crate::core::ident::plain;
use crate::core::lint;
use crate::core::plan::model::{ExchangeSpec, Pair, Place, Plan, StepSpec};
use crate::core::sql::{Thing, deep};
use crate::core::step::{Action, Phase, Step};
use crate::core::sync::{Sync, chain};

const TWO_PLANS: &str =
    "change it in two plans, one after the other: phase purge PLAN --now ends the window of the first";

/// Refuses them by name, where they stand.
///
/// # Errors
/// The first of them.
pub(super) fn check(plan: &Plan, kept: &InStep, steps: &[Step]) -> Result<(), CompileError> {
    let exchanges: Vec<(Place, &ExchangeSpec)> = plan
        .contract
        .iter()
        .filter_map(|spec| match &spec.value {
            StepSpec::Exchange(exchange) => Some((spec.place, exchange)),
            _ => None,
        })
        .collect();
    let places =
        plan.expand.iter().filter(|spec| matches!(spec.value, StepSpec::Sync(_))).map(|spec| spec.place);
    let syncs: Vec<(&Sync, Place)> = kept.syncs.iter().zip(places).collect();
    chains(&syncs)?;
    let early: Vec<&Step> = steps
        .iter()
        .filter(|step| matches!(step.phase, Phase::Expand | Phase::Validate) && step.syncs.is_empty())
        .filter(|step| !matches!(step.action, Action::Assert { .. } | Action::Backfill(_)))
        .collect();
    defaults(&syncs, &early)?;
    for (place, exchange) in exchanges {
        for pair in &exchange.pairs {
            over_what_turns(pair, &syncs)?;
            over_what_goes(plan, pair, place, &early)?;
        }
    }
    Ok(())
}

/// Syncs that do not see what another one writes.
fn chains(syncs: &[(&Sync, Place)]) -> Result<(), CompileError> {
    for (n, (second, place)) in syncs.iter().enumerate() {
        if let Some(why) = syncs.iter().take(n).find_map(|(first, _)| chain::refusal(first, second)) {
            return Err(CompileError::at(*place, format!("sync: {why}; or {TWO_PLANS}")));
        }
    }
    Ok(())
}

/// A default that a sync takes for a written value: what old code writes would be lost.
fn defaults(syncs: &[(&Sync, Place)], early: &[&Step]) -> Result<(), CompileError> {
    for step in early.iter().filter(|_| !syncs.is_empty()) {
        let given = deep(|| lint::defaults(step)).and_then(|given| given);
        // What does not parse is refused where it stands.
        for (table, column) in given.unwrap_or_default() {
            let filled = |(sync, _): &&(&Sync, Place)| {
                sync.spec().table.may_be(&table) && sync.fills_from_others(&column)
            };
            if syncs.iter().any(|sync| filled(&sync)) {
                return Err(CompileError::at(
                    step.place.unwrap_or(crate::core::plan::fault::TOP),
                    format!(
                        "{}.{} is filled by a sync, which would take its default for a value that somebody wrote, and what \
                         old code writes would be lost: set the default in contract",
                        table.plain(),
                        plain(&column)
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Syncs that lead back over a column whose place another one takes in contract.
fn over_what_turns(pair: &Pair, syncs: &[(&Sync, Place)]) -> Result<(), CompileError> {
    for (n, (sync, place)) in syncs.iter().enumerate() {
        if n + 1 == pair.sync || !sync.leads_back() || sync.spec().table != pair.table {
            continue;
        }
        let used: Vec<_> = sync.reads().into_iter().chain(sync.writes()).collect();
        let names = [&pair.gone, &pair.stays, &pair.name];
        if let Some(column) = names.into_iter().find(|name| used.contains(name)) {
            return Err(CompileError::at(
                *place,
                format!(
                    "sync: it leads back over {}.{}, which contract puts another column in the place of: {TWO_PLANS}",
                    pair.table.plain(),
                    plain(column)
                ),
            ));
        }
    }
    Ok(())
}

/// What later steps make over a column that goes in contract would go with it.
fn over_what_goes(plan: &Plan, pair: &Pair, place: Place, early: &[&Step]) -> Result<(), CompileError> {
    let own = |step: &Step| {
        let specs = if step.phase == Phase::Expand { &plan.expand } else { &plan.validate };
        let n = step.id.split('.').nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or_default();
        // Steps that the plan writes out come after those of its changes, wherever they stand in the file.
        specs.iter().rposition(|spec| spec.place == place).is_some_and(|last| n > last + 1)
    };
    for step in early {
        let at = step.place.unwrap_or(place);
        if at == place || !(at > place || own(step)) {
            continue;
        }
        let Ok(footprint) = Footprint::of(std::slice::from_ref(*step)) else { continue };
        let goes = |thing: &Thing| matches!(thing, Thing::Column(table, column) if *column == pair.gone && table.may_be(&pair.table));
        if footprint.touches().any(|(thing, ..)| goes(thing)) {
            return Err(CompileError::at(
                at,
                format!(
                    "contract puts another column in the place of {0}.{1}, and what this makes over it would go with the old one: \
                     put it before that change, where the column is called {2}: the change takes along what it finds; or {TWO_PLANS}",
                    pair.table.plain(),
                    plain(&pair.name),
                    plain(if pair.stays.as_str().starts_with("_phase_") { &pair.gone } else { &pair.stays })
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::core::compile::{Server, plan};
    use crate::core::plan::{Source, parse};
    use crate::core::recipe::{Known, written};
    use crate::core::version::Version;

    /// Why a plan does not compile; empty where it does.
    fn refusal(text: &str) -> String {
        let version = Version::parse("7").unwrap();
        let source = Source { file: "p.yaml", version: &version, name: "p", text };
        let read =
            parse(&source, &|_| Err("no files here".into())).map_err(|error| error.to_string()).unwrap();
        let written = written(&read, &Known::default());
        plan(&written.plan, Server::NEWEST).err().map(|error| error.to_string()).unwrap_or_default()
    }

    const RETYPE: &str = "  - change_type: {table: t, column: n, type: bigint}\n";
    const RENAME: &str = "  - rename_column: {table: t, from: a, to: b}\n";

    #[test]
    fn what_would_go_with_the_old_column_is_refused() {
        for later in [
            "  - add_index: {table: t, columns: [n, id]}\n",
            "  - add_check: {table: t, check: n > 0}\n",
            "  - set_default: {table: t, column: n, default: '1'}\n",
            "  - set_not_null: {table: t, column: n}\n",
            "  - add_unique: {table: t, columns: [id, n]}\n",
            "  - add_foreign_key: {table: t, columns: [n], references: {table: u}}\n",
            "expand:\n  - {sql: CREATE INDEX CONCURRENTLY i ON t (n), undo: DROP INDEX CONCURRENTLY i}\n",
        ] {
            let text = format!("change:\n{RETYPE}{later}keep: 1d\n");
            assert!(refusal(&text).contains("put it before that change"), "{later}: {}", refusal(&text));
            if !later.starts_with("expand") {
                let before = format!("change:\n{later}{RETYPE}keep: 1d\n");
                assert_eq!(refusal(&before), "", "{later}");
            }
        }
        let text = format!("change:\n{RENAME}  - add_index: {{table: t, columns: [b]}}\nkeep: 1d\n");
        assert!(
            refusal(&text).contains("before that change, where the column is called a:"),
            "{}",
            refusal(&text)
        );
        // Its own steps come after its changes, wherever they stand.
        let own = "expand:\n  - {sql: ALTER TABLE t ALTER n SET STATISTICS 5, undo: ALTER TABLE t ALTER n SET STATISTICS -1}\nchange:\n";
        assert!(refusal(&format!("{own}{RETYPE}")).contains("put it before"));
        assert_eq!(
            refusal(&format!("change:\n{RETYPE}  - add_index: {{table: t, columns: [id]}}\nkeep: 1d\n")),
            ""
        );
    }

    #[test]
    fn what_a_sync_would_not_see_is_refused() {
        let down = "  - drop_column: {table: t, column: e, down: a}\n";
        let split = "  - split_column: {table: t, column: b, back: \"c || d\", into: [{column: c, type: text, using: b}, {column: d, type: text, using: b}]}\n";
        for (changes, part) in [
            (format!("{down}{RENAME}"), "put this one first"),
            (format!("{RENAME}{down}"), "leads back from"),
            (format!("{RENAME}{split}"), "too, and each would undo the other"),
        ] {
            let text = format!("change:\n{changes}keep: 1d\n");
            assert!(refusal(&text).contains(part), "{text}{}", refusal(&text));
            assert!(refusal(&text).contains("two plans"), "{}", refusal(&text));
        }
        let down = "  - drop_column: {table: t, column: e, down: n}\n";
        assert!(refusal(&format!("change:\n{RETYPE}{down}keep: 1d\n")).contains("leads back over t.n"));
        let from = "  - add_column: {table: t, column: c, type: text, from: b}\n";
        assert_eq!(refusal(&format!("change:\n{RENAME}{from}keep: 1d\n")), "");
    }

    #[test]
    fn a_default_waits_until_no_sync_fills_the_column() {
        let sync = "  - {sql: ALTER TABLE t ADD COLUMN b text, undo: ALTER TABLE t DROP COLUMN b}\n  - sync: {table: t, set: {b: a}}\n";
        let default =
            "  - {sql: ALTER TABLE t ALTER b SET DEFAULT 'x', undo: ALTER TABLE t ALTER b DROP DEFAULT}\n";
        assert!(
            refusal(&format!("expand:\n{sql}{default}", sql = sync)).contains("set the default in contract")
        );
        assert_eq!(refusal(&format!("expand:\n{sync}contract:\n{default}")), "");
        let constant = sync.replace("b: a", "b: \"'x'\"");
        assert_eq!(refusal(&format!("expand:\n{constant}{default}")), "");
        // The recipe puts it there by itself.
        let set = "  - set_default: {table: t, column: c, default: \"'x'\"}\n";
        let into = "  - transform_column: {table: t, column: a, to: c, type: text, using: a, back: c}\n";
        assert_eq!(refusal(&format!("change:\n{into}{set}keep: 1d\n")), "");
    }
}
