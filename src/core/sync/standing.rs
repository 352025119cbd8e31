//! Owns whether the syncs of a plan still stand as its steps made them: which triggers must be
//! there by what is on record, and what the catalog's answer about them means.

use serde::Serialize;

use crate::core::ident::{Ident, QName, plain};
use crate::core::record::{StepRecord, StepStatus};
use crate::core::sql::closed;
use crate::core::state::State;
use crate::core::step::Step;

/// What a step does to the triggers of a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes one, in the place of one of the same name.
    Put(Trigger),
    /// Takes one away.
    Taken(Ident),
}

/// A trigger of a sync, as its step makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The table.
    pub table: QName,
    /// The name.
    pub name: Ident,
    /// When it fires.
    pub event: Event,
    /// What it runs.
    pub function: QName,
    /// The text of that.
    pub body: String,
    /// What it keeps filled.
    pub keeps: Keeps,
    /// The old columns that it fills once contract has turned it round, each with its expression.
    pub kept: Vec<(Ident, String)>,
}

impl Trigger {
    /// Whether a row has no value in an old column that it would have filled: that row came around it. `None`: it fills none.
    #[must_use]
    pub fn missed(&self) -> Option<String> {
        let missed = |(column, expr): &(Ident, String)| {
            format!("({column} IS NULL AND ({}) IS NOT NULL)", closed(expr))
        };
        let missed: Vec<String> = self.kept.iter().map(missed).collect();
        (!missed.is_empty()).then(|| missed.join(" OR "))
    }

    /// The statement that fills them in a table or partition.
    #[must_use]
    pub fn mend(&self, relation: &QName) -> Option<String> {
        let set =
            |(column, expr): &(Ident, String)| format!("{column} = coalesce({column}, ({}))", closed(expr));
        let set: Vec<String> = self.kept.iter().map(set).collect();
        self.missed().map(|missed| format!("UPDATE {relation} SET {} WHERE {missed}", set.join(", ")))
    }
}

/// When a trigger of a sync fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// BEFORE INSERT, for each row.
    Insert,
    /// BEFORE UPDATE, for each row.
    Update,
    /// AFTER INSERT, UPDATE and DELETE, for each row.
    Rows,
    /// AFTER INSERT, for each row.
    Inserted,
    /// AFTER UPDATE, for each row.
    Updated,
    /// AFTER TRUNCATE, once a statement; of the table alone, not of its partitions.
    Truncate,
}

impl Event {
    /// Whether it is a trigger BEFORE the row is written, which others may follow.
    const fn before(self) -> bool {
        matches!(self, Self::Insert | Self::Update)
    }

    /// The same as `pg_trigger.tgtype` has it.
    const fn bits(self) -> i16 {
        const BEFORE_EACH_ROW: i16 = 1 | 2;
        match self {
            Self::Insert => BEFORE_EACH_ROW | 4,
            Self::Update => BEFORE_EACH_ROW | 16,
            Self::Rows => 1 | 4 | 8 | 16,
            Self::Inserted => 1 | 4,
            Self::Updated => 1 | 16,
            Self::Truncate => 32,
        }
    }
}

/// Which columns a sync keeps filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeps {
    /// The new ones.
    New,
    /// The old ones as well.
    Both,
    /// Only the old ones: contract has turned it round.
    Old,
}

/// A trigger that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The step that made it last.
    pub step: String,
    /// The trigger.
    pub trigger: Trigger,
}

/// The triggers that must be there by the steps that are done.
#[must_use]
pub fn due(steps: &[Step], recorded: &[StepRecord]) -> Vec<Due> {
    // An undo that did not commit changed nothing.
    let stands = |step: &&Step| {
        recorded.iter().any(|record| {
            record.step == step.id && matches!(record.status, StepStatus::Done | StepStatus::Undoing)
        })
    };
    let mut due: Vec<Due> = Vec::new();
    for step in steps.iter().filter(stands) {
        for change in &step.syncs {
            let (Change::Put(Trigger { name, .. }) | Change::Taken(name)) = change;
            due.retain(|known| known.trigger.name != *name);
            if let Change::Put(trigger) = change {
                due.push(Due { step: step.id.clone(), trigger: trigger.clone() });
            }
        }
    }
    due
}

/// What the catalog has of a trigger, on its table or on one of the partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The table or partition.
    pub relation: String,
    /// `pg_trigger.tgenabled`; `None`: there is no such trigger.
    pub enabled: Option<String>,
    /// `pg_trigger.tgtype`.
    pub bits: i16,
    /// Whether it is only for changes of some columns.
    pub of_columns: bool,
    /// Whether it runs the function that it was made with.
    pub function: bool,
    /// The text of the function that it runs.
    pub body: String,
    /// A trigger that is none of a plan's, fires before the row is written, and comes after it.
    pub later: Option<String>,
}

/// A trigger that does not stand as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The trigger.
    pub trigger: String,
    /// The table, or the first of the partitions where it is not as it was made.
    pub table: String,
    /// The step that made it.
    pub step: String,
    /// What became of it.
    pub why: Why,
    /// The trigger that fires after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<String>,
    /// Which columns it kept filled.
    #[serde(skip)]
    pub keeps: Keeps,
    /// Whether it kept rows of another table in step.
    #[serde(skip)]
    pub rows: bool,
}

/// What became of a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its table is not there under its name.
    NoTable,
    /// It was dropped.
    Dropped,
    /// It is disabled, or does not fire always, as when it was made.
    Disabled,
    /// It was made anew, and otherwise.
    Remade,
    /// Its function was replaced.
    Replaced,
    /// Another trigger fires after it, and may write what it does not see.
    Overtaken,
}

impl Lost {
    /// What became of it, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { trigger, table, why, later, .. } = self;
        match why {
            Why::NoTable => format!("table {table} of trigger {trigger} is not there"),
            Why::Dropped => format!("trigger {trigger} of {table} is not there any more"),
            Why::Disabled => {
                format!(
                    "trigger {trigger} of {table} is disabled, or was, as it is not enabled always any more"
                )
            }
            Why::Overtaken => format!(
                "trigger {} of {table} fires after {trigger}, which does not see what it writes",
                later.as_deref().unwrap_or_default()
            ),
            Why::Remade => format!("trigger {trigger} of {table} is not as it was made"),
            Why::Replaced => format!("the function of trigger {trigger} of {table} was replaced"),
        }
    }
}

/// Judges one trigger by what is seen of it; `None`: it stands.
#[must_use]
pub fn lost(due: &Due, seen: &[Seen]) -> Option<Lost> {
    let Due { step, trigger } = due;
    let lost = |table: String, why, later: Option<&String>| Lost {
        trigger: plain(&trigger.name),
        table,
        step: step.clone(),
        why,
        later: later.filter(|_| why == Why::Overtaken).cloned(),
        keeps: trigger.keeps,
        rows: !trigger.event.before(),
    };
    if seen.is_empty() {
        return Some(lost(trigger.table.plain(), Why::NoTable, None));
    }
    // The table comes before its partitions.
    let of_table_alone = trigger.event == Event::Truncate;
    let seen = if of_table_alone { seen.get(..1).unwrap_or_default() } else { seen };
    seen.iter().find_map(|seen| Some(lost(seen.relation.clone(), trigger.fault(seen)?, seen.later.as_ref())))
}

impl Trigger {
    fn fault(&self, seen: &Seen) -> Option<Why> {
        // Where a body was pasted from what `show` prints, it is indented.
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        match seen.enabled.as_deref() {
            None => Some(Why::Dropped),
            Some("O" | "A") if seen.bits != self.event.bits() || seen.of_columns || !seen.function => {
                Some(Why::Remade)
            }
            Some("O" | "A") if words(&seen.body) != words(&self.body) => Some(Why::Replaced),
            Some("A") if self.event.before() && seen.later.is_some() => Some(Why::Overtaken),
            Some("A") => None,
            Some(_) => Some(Why::Disabled),
        }
    }
}

/// What was lost, and what that means for the writes since.
#[must_use]
pub fn describe(lost: &[Lost]) -> String {
    let faults: Vec<String> = lost.iter().map(Lost::describe).collect();
    let missing = match lost.iter().map(|lost| lost.keeps).max() {
        Some(_) if lost.iter().all(|lost| lost.rows) => {
            "what was written since then may be missing in the table that follows"
        }
        None | Some(Keeps::New) => "what old code wrote since then may be missing in the new columns",
        Some(Keeps::Both) => {
            "what old code wrote since then may be missing in the new columns, and what new code wrote in the old ones"
        }
        Some(Keeps::Old) => {
            "what new code wrote since then may be missing in the old columns, which are still kept"
        }
    };
    format!("a sync does not stand as it was made: {}; {missing}", faults.join(", "))
}

/// What helps; the first is needed for each of the others but abort. `proves`: the plan has
/// backfills, whose proof looks at the rows.
#[must_use]
pub fn help(version: &str, lost: &[Lost], state: State, goal: State, proves: bool) -> Vec<String> {
    let mut steps: Vec<&str> = lost.iter().map(|lost| lost.step.as_str()).collect();
    steps.dedup();
    let back = if lost.iter().all(|lost| lost.why == Why::Disabled) {
        let enable = lost
            .iter()
            .map(|lost| format!("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}", lost.table, lost.trigger));
        format!("switch it on again: {}", enable.collect::<Vec<_>>().join("; "))
    } else if lost.iter().all(|lost| lost.why == Why::Overtaken) {
        let mut rename: Vec<String> = lost
            .iter()
            .filter_map(|lost| {
                Some(format!("ALTER TRIGGER {} ON {} RENAME TO …", lost.later.as_ref()?, lost.table))
            })
            .collect();
        rename.dedup();
        format!("give it a name that sorts before zz_phase_: {}", rename.join("; "))
    } else {
        format!(
            "put it back: run what creates functions and triggers in step {}, which phase show {version} prints",
            steps.join(" and ")
        )
    };
    let stale = "rows that hold an old value in the new column are to be mended by hand before you go on, as the sync has \
                 no back by which a proof would see them";
    let one_way = lost.iter().all(|lost| lost.keeps == Keeps::New);
    let then = match goal {
        _ if lost.iter().all(|lost| lost.rows) && goal != State::Contracted => {
            format!(
                "then make the rows that were written meanwhile equal by hand, and let those that were deleted go, and phase \
                 validate {version} --prove: contract compares the two tables before it begins, and stops while they differ"
            )
        }
        State::Contracted => {
            "mend by hand the rows that were written meanwhile, before you go on: contract has begun, and no proof can be made"
                .to_owned()
        }
        _ if !proves => {
            "mend by hand the rows that were written meanwhile, before you go on: the plan has no backfill whose proof would \
             find them"
                .to_owned()
        }
        _ if state < State::Backfilled => format!(
            "then phase advance {version} --to backfilled and phase validate {version} --prove, which counts the rows that \
             are out of step"
        ),
        _ => format!("then phase validate {version} --prove, which counts the rows that are out of step"),
    };
    let repair = "--repair in its place sets the new columns of such rows to what the plan says of the old ones; where new \
                  code wrote them, mend them by hand";
    let mut help = vec![back, then];
    let rows = lost.iter().any(|lost| lost.rows);
    if proves && goal != State::Contracted && !rows {
        help.push(if one_way { stale.to_owned() } else { repair.to_owned() });
    }
    help.push(format!("or go back to the old shape: phase abort {version}"));
    help
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::testing;

    const PLAN: &str = "expand:
  - {sql: ALTER TABLE t ADD COLUMN b text, undo: ALTER TABLE t DROP COLUMN b}
  - sync: {table: t, set: {b: a}, back: {a: b}}
contract:
  - drop_column: {table: t, column: a}
";

    fn after(text: &str, done: &[&str]) -> Vec<Due> {
        let record = |step: &&str| StepRecord {
            step: (*step).to_owned(),
            status: StepStatus::Done,
            attempts: 1,
            finished_at: None,
            duration_ms: None,
            undo: None,
            error: None,
        };
        due(&testing::item("1_p", text).steps, &done.iter().map(record).collect::<Vec<_>>())
    }

    fn names(due: &[Due]) -> Vec<String> {
        due.iter().map(|due| format!("{} by {}", due.trigger.name.as_str(), due.step)).collect()
    }

    fn seen(trigger: &Trigger) -> Seen {
        Seen {
            relation: "t".into(),
            enabled: Some("A".into()),
            bits: trigger.event.bits(),
            of_columns: false,
            function: true,
            body: format!("\n  {}\n", trigger.body),
            later: None,
        }
    }

    #[test]
    fn what_must_be_there_follows_the_steps_that_are_done() {
        let kept = format!("{PLAN}keep: 1d\n");
        assert!(after(PLAN, &["expand.1"]).is_empty());
        let both = ["zz_phase_1_1_insert by expand.2", "zz_phase_1_1_update by expand.2"];
        assert_eq!(names(&after(PLAN, &["expand.1", "expand.2"])), both);
        // Without keep it goes with the column, with keep it is turned round first.
        assert!(after(PLAN, &["expand.2", "contract.1"]).is_empty());
        let turned =
            |by| [format!("zz_phase_1_1_back_insert by {by}"), format!("zz_phase_1_1_back_update by {by}")];
        assert_eq!(names(&after(&kept, &["expand.2", "contract.sync.1"])), turned("contract.sync.1"));
        let hidden = after(&kept, &["expand.2", "contract.sync.1", "contract.1"]);
        assert_eq!(names(&hidden), turned("contract.1"));
        assert!(hidden.iter().all(|due| due.trigger.body.contains("_phase_1_a")), "{hidden:?}");
        assert!(after(&kept, &["expand.2", "contract.sync.1", "contract.1", "purge.1"]).is_empty());
    }

    #[test]
    fn a_trigger_stands_only_as_it_was_made() {
        let due = after(PLAN, &["expand.2"]).remove(0);
        let stands = seen(&due.trigger);
        assert_eq!(lost(&due, std::slice::from_ref(&stands)), None);
        let why = |seen: Seen| lost(&due, &[stands.clone(), seen]).map(|lost| lost.why);
        // Where it was disabled and enabled again, what is written as a replica passes by it.
        for enabled in ["D", "R", "O"] {
            assert_eq!(why(Seen { enabled: Some(enabled.into()), ..stands.clone() }), Some(Why::Disabled));
        }
        assert_eq!(why(Seen { enabled: None, ..stands.clone() }), Some(Why::Dropped));
        assert_eq!(why(Seen { bits: 5, ..stands.clone() }), Some(Why::Remade));
        assert_eq!(why(Seen { of_columns: true, ..stands.clone() }), Some(Why::Remade));
        assert_eq!(why(Seen { function: false, ..stands.clone() }), Some(Why::Remade));
        assert_eq!(why(Seen { body: "BEGIN RETURN NEW; END".into(), ..stands.clone() }), Some(Why::Replaced));
        let later = Seen { later: Some("zzz".into()), ..stands.clone() };
        assert!(lost(&due, &[later]).unwrap().describe().starts_with("trigger zzz of t fires after"));
        assert_eq!(lost(&due, &[]).map(|lost| lost.why), Some(Why::NoTable));
    }

    #[test]
    fn what_helps_fits_the_state() {
        let of = |why| {
            let due = after(PLAN, &["expand.2"]).remove(0);
            vec![Lost { why, ..lost(&due, &[]).unwrap() }]
        };
        let said = |why, state, goal, proves| help("1", &of(why), state, goal, proves).join("\n");
        let disabled = said(Why::Disabled, State::Validated, State::Validated, true);
        assert!(disabled.contains("ALTER TABLE t ENABLE ALWAYS TRIGGER zz_phase_1_1_insert"), "{disabled}");
        assert!(disabled.contains("then phase validate 1 --prove"), "{disabled}");
        let dropped = said(Why::Dropped, State::Expanded, State::Backfilled, true);
        assert!(dropped.contains("step expand.2, which phase show 1 prints"), "{dropped}");
        assert!(dropped.contains("phase advance 1 --to backfilled"), "{dropped}");
        // Where no proof can be made, none is offered.
        for (goal, proves) in [(State::Contracted, true), (State::Validated, false)] {
            let said = said(Why::Dropped, State::Validated, goal, proves);
            assert!(said.contains("by hand") && !said.contains("--prove"), "{said}");
        }
    }
}
