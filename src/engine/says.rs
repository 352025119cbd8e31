//! Puts on record what a step under way waits for, so that somebody else can ask.

use std::sync::{Mutex, OnceLock};

use crate::core::failure::Blocker;
use crate::engine::current::Current;
use crate::engine::execute::Execution;
use crate::engine::{Store, Target};

/// What a run of a step has said of itself.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The number of its record.
    number: OnceLock<i64>,
    last: Mutex<Option<String>>,
}

impl Said {
    /// It is on record under a number.
    pub(crate) fn on_record(&self, number: i64) {
        let _ = self.number.set(number);
    }

    /// Whether it is something new.
    fn changes(&self, words: Option<&str>) -> bool {
        let Ok(mut last) = self.last.lock() else { return false };
        let changes = last.as_deref() != words;
        if changes {
            *last = words.map(str::to_owned);
        }
        changes
    }
}

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// Says what a step waits for; `None`: it goes on. The step is as it is, whether that
    /// can be put on record or not.
    pub(crate) async fn says(&self, current: &Current<'_>, words: Option<String>) {
        let Some(number) = current.said.number.get() else { return };
        if current.said.changes(words.as_deref())
            && let Err(failure) = self.store.impact_says(*number, words.as_deref()).await
        {
            tracing::debug!(step = %current.step.id, "what it waits for could not be put on record: {failure}");
        }
    }
}

/// Those in the way, in one line, without what changes while they are.
pub(crate) fn of_them(blockers: &[Blocker]) -> String {
    let one = |who: &Blocker| Blocker { age_s: None, query: None, ..who.clone() }.to_string();
    blockers.iter().map(one).collect::<Vec<_>>().join("; ")
}
