//! Owns what is worth knowing about a backfill's table before it runs: triggers
//! that its writes fire, and what keeps its updates from being HOT.

use std::time::Duration;

use super::Backfill;
use crate::core::brief::brief;
use crate::core::ident::{Ident, plain};
use crate::core::plan::model::BackfillWork;

/// A trigger of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerSeen {
    /// Its name.
    pub name: String,
    /// Its function.
    pub function: String,
    /// When it fires: `O` usually, `A` always, `R` on replicas, `D` never.
    pub enabled: String,
    /// BEFORE, AFTER or INSTEAD OF.
    pub timing: String,
    /// For each row, not for each statement.
    pub each_row: bool,
    /// Events.
    pub on_insert: bool,
    /// Events.
    pub on_delete: bool,
    /// Events.
    pub on_update: bool,
    /// The columns that it names; none: all.
    pub columns: Vec<String>,
}

/// What the catalog says about room for updates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Room {
    /// Indexes that depend on a column that is written.
    pub indexes: Vec<String>,
    /// The share of a page that inserts fill, in percent.
    pub fillfactor: Option<i32>,
    /// Seconds that the oldest transaction with a snapshot has been open.
    pub oldest_s: Option<f64>,
}

/// A transaction that is older holds dead rows back for longer than a backfill can wait.
const OLD: f64 = 60.0;
/// From this share of room on, updates stay on their page without stripes.
const ROOMY: i32 = 70;

/// The events of a trigger that a backfill's writes are.
fn fires(work: &BackfillWork, trigger: &TriggerSeen) -> Option<&'static str> {
    match work {
        BackfillWork::Set(set) => {
            let named = |column: &String| set.iter().any(|(target, _)| target.as_str() == column);
            let hit = trigger.columns.is_empty() || trigger.columns.iter().any(named);
            (trigger.on_update && hit).then_some("UPDATE")
        }
        BackfillWork::Delete => trigger.on_delete.then_some("DELETE"),
        BackfillWork::Copy { .. } => trigger.on_insert.then_some("INSERT"),
    }
}

impl Backfill {
    /// One sentence a thing worth knowing; `triggers` are those of the table that is
    /// written.
    #[must_use]
    pub fn notes(&self, triggers: &[TriggerSeen], room: &Room) -> Vec<String> {
        let skip = self.tuning.fire_triggers == Some(false);
        let mut notes: Vec<String> = triggers.iter().filter_map(|one| self.of_trigger(one, skip)).collect();
        if self.sets() {
            notes.extend(of_room(room));
        }
        notes
    }

    fn of_trigger(&self, trigger: &TriggerSeen, skip: bool) -> Option<String> {
        let event = fires(&self.work, trigger)?;
        let runs = match trigger.enabled.as_str() {
            "D" => return None,
            "R" => skip,
            "A" => true,
            _ => !skip,
        };
        let TriggerSeen { name, function, timing, .. } = trigger;
        let each = if trigger.each_row { "every row that it writes" } else { "every batch" };
        Some(if runs {
            let how = if skip {
                "although triggers are skipped: it is one that always fires"
            } else {
                "triggers: skip leaves it out, where the role may"
            };
            format!("trigger {name} runs {function}() {timing} {event}, for {each} ({how})")
        } else {
            format!("trigger {name} ({function}(), {timing} {event}) does not fire: triggers: skip")
        })
    }
}

fn of_room(room: &Room) -> Vec<String> {
    let mut notes = Vec::new();
    // Room on the pages and dead rows matter only where updates could be HOT.
    if !room.indexes.is_empty() {
        let indexes: Vec<String> = room
            .indexes
            .iter()
            .map(|name| Ident::exact(name.as_str()).map_or(name.clone(), |ident| plain(&ident)))
            .collect();
        let (depends, it) = if indexes.len() == 1 { ("depends", "it") } else { ("depend", "them") };
        notes.push(format!(
            "no update can be HOT: {} {depends} on a column that is written; build {it} after the backfill",
            indexes.join(", ")
        ));
        return notes;
    }
    if let Some(fillfactor) = room.fillfactor.filter(|fillfactor| *fillfactor <= ROOMY) {
        notes.push(format!(
            "fillfactor {fillfactor} leaves room on the pages: updates stay on them without stripes"
        ));
    }
    if let Some(oldest) = room.oldest_s.filter(|oldest| *oldest >= OLD) {
        notes.push(format!(
            "a transaction that has been open for {} keeps dead rows from being pruned: stripes cannot help until it ends",
            brief(Duration::from_secs_f64(oldest.floor()))
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::backfill::Tuning;
    use crate::core::ident::QName;

    fn backfill(fire_triggers: Option<bool>) -> Backfill {
        Backfill {
            table: QName::parse("users").unwrap(),
            work: BackfillWork::Set(vec![(Ident::parse("a").unwrap(), "b".into())]),
            filter: None,
            key: None,
            syncs: Vec::new(),
            tuning: Tuning { fire_triggers, ..Tuning::default() },
        }
    }

    fn trigger(name: &str, enabled: &str, columns: &[&str]) -> TriggerSeen {
        TriggerSeen {
            name: name.into(),
            function: "touch".into(),
            enabled: enabled.into(),
            timing: "BEFORE".into(),
            each_row: true,
            on_insert: false,
            on_delete: false,
            on_update: true,
            columns: columns.iter().map(|column| (*column).into()).collect(),
        }
    }

    #[test]
    fn triggers_that_fire_are_named_and_others_are_not() {
        let all = [
            trigger("of_all", "O", &[]),
            trigger("of_another", "O", &["c"]),
            trigger("off", "D", &[]),
            trigger("always", "A", &["a"]),
        ];
        let fires = backfill(None).notes(&all, &Room::default());
        assert_eq!(fires.len(), 2, "{fires:?}");
        assert!(fires[0].contains("of_all runs touch() BEFORE UPDATE, for every row"), "{fires:?}");
        let skipped = backfill(Some(false)).notes(&all, &Room::default());
        assert!(skipped[0].contains("does not fire: triggers: skip"), "{skipped:?}");
        assert!(skipped[1].contains("always fires"), "{skipped:?}");
    }

    #[test]
    fn what_costs_hot_updates_is_said() {
        let room = Room { indexes: vec!["Users a".into()], fillfactor: Some(50), oldest_s: Some(75.5) };
        let notes = backfill(None).notes(&[], &room);
        assert!(notes[0].contains("\"Users a\" depends"), "{notes:?}");
        assert_eq!(notes.len(), 1, "nothing else matters then");
        let two = Room { indexes: vec!["a".into(), "b".into()], ..Room::default() };
        assert!(backfill(None).notes(&[], &two)[0].contains("a, b depend on a column"));
        let roomy = Room { indexes: Vec::new(), ..room };
        let notes = backfill(None).notes(&[], &roomy);
        assert!(notes[0].contains("fillfactor 50") && notes[1].contains("1m 15s"), "{notes:?}");
        let calm = Room { fillfactor: Some(90), oldest_s: Some(2.0), ..Room::default() };
        assert_eq!(backfill(None).notes(&[], &calm), Vec::<String>::new());
    }
}
