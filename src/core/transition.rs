//! Owns TRANSITIONS: the whole machine as one table.

use crate::core::state::State;
use crate::core::step::Phase;

/// What a transition does on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Runs the steps of a phase.
    Run(Phase),
    /// Takes back every step that was done, newest first.
    Undo,
    /// Runs a SQL migration's UP.
    Apply,
    /// Runs a SQL migration's DOWN.
    RollBack,
}

/// One row of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The state that it leaves.
    pub from: State,
    /// The state that it reaches; its guarantee holds when the work is done.
    pub to: State,
    /// The work in between.
    pub work: Work,
    /// What happens, in one sentence: the log, the diagram and the docs say this.
    pub sentence: &'static str,
}

const fn row(from: State, to: State, work: Work, sentence: &'static str) -> Transition {
    Transition { from, to, work, sentence }
}

/// Every way from one state to another; what is not here cannot happen.
pub const TRANSITIONS: &[Transition] = {
    use State::{Aborted, Backfilled, Completed, Contracted, Expanded, Planned, Validated};
    use Work::{Apply, RollBack, Run, Undo};
    &[
        row(
            Planned,
            Expanded,
            Run(Phase::Expand),
            "Puts the new shape beside the old and keeps both written.",
        ),
        row(
            Expanded,
            Backfilled,
            Run(Phase::Backfill),
            "Carries the rows that were there before into the new shape, batch by batch.",
        ),
        row(
            Backfilled,
            Validated,
            Run(Phase::Validate),
            "Builds indexes and proves constraints and assertions on the new shape.",
        ),
        row(
            Validated,
            Contracted,
            Run(Phase::Contract),
            "Takes the old shape out of the application's sight.",
        ),
        row(Contracted, Completed, Run(Phase::Purge), "Drops for good what contract kept."),
        row(
            Planned,
            Aborted,
            Undo,
            "Sets the plan aside before it has changed anything, or takes back an unfinished expand.",
        ),
        row(Expanded, Aborted, Undo, "Takes the new shape away; the old one has every write."),
        row(
            Backfilled,
            Aborted,
            Undo,
            "Takes the new shape away, backfilled rows included; the old one has every write.",
        ),
        row(
            Validated,
            Aborted,
            Undo,
            "Takes constraints, indexes and the new shape away; the old one has every write.",
        ),
        row(
            Contracted,
            Aborted,
            Undo,
            "Brings the old shape back from where contract kept it, then takes the new one away.",
        ),
        row(Planned, Completed, Apply, "Runs a SQL migration's UP."),
        row(Completed, Planned, RollBack, "Runs a SQL migration's DOWN."),
    ]
};

const _: () = assert!(no_duplicates(), "two rows of TRANSITIONS lead from one state to the same other");

const fn no_duplicates() -> bool {
    let mut i = 0;
    while i < TRANSITIONS.len() {
        let mut j = i + 1;
        while j < TRANSITIONS.len() {
            let (a, b) = (&TRANSITIONS[i], &TRANSITIONS[j]);
            if a.from as u8 == b.from as u8 && a.to as u8 == b.to as u8 {
                return false;
            }
            j += 1;
        }
        i += 1;
    }
    true
}

impl Transition {
    /// The row from one state to another.
    #[must_use]
    pub fn find(from: State, to: State) -> Option<&'static Self> {
        TRANSITIONS.iter().find(|row| row.from == from && row.to == to)
    }

    /// The row that goes one phase forward from a plan's state.
    #[must_use]
    pub fn forward(from: State) -> Option<&'static Self> {
        TRANSITIONS.iter().find(|row| row.from == from && matches!(row.work, Work::Run(_)))
    }

    /// The command that starts it, for the docs and for hints.
    #[must_use]
    pub const fn command(&self) -> &'static str {
        match self.work {
            Work::Run(phase) => phase.name(),
            Work::Undo => "abort",
            Work::Apply => "expand",
            Work::RollBack => "rollback",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_a_plan_leads_to_its_end() {
        let mut state = State::Planned;
        let mut path = vec![state];
        while let Some(row) = Transition::forward(state) {
            state = row.to;
            path.push(state);
        }
        assert_eq!(path, State::ALL[..6]);
    }

    #[test]
    fn abort_leads_out_of_every_state_before_completed() {
        for state in State::ALL {
            let open = state < State::Completed;
            assert_eq!(Transition::find(state, State::Aborted).is_some(), open, "{state}");
        }
    }
}
