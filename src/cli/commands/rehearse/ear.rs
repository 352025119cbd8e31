//! Hears which step runs, and puts what was seen meanwhile beside it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::core::rehearse::Sighting;
use crate::engine::event::{Event, Listener};
use crate::pg::trace::Trace;

/// A step that ran, or its undo.
pub(super) struct Ran {
    /// The step.
    pub(super) id: String,
    /// Whether it was taken back.
    pub(super) undo: bool,
    /// How long it took, without the looks at it.
    pub(super) took: Duration,
    /// What was seen, statement by statement.
    pub(super) seen: Vec<Sighting>,
}

/// Passes every event on, and keeps what ran.
pub(super) struct Ear<'a> {
    inner: &'a dyn Listener,
    trace: Arc<Trace>,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    now: Option<(String, bool)>,
    ran: Vec<Ran>,
}

impl<'a> Ear<'a> {
    pub(super) fn new(inner: &'a dyn Listener, trace: Arc<Trace>) -> Self {
        Self { inner, trace, heard: Mutex::default() }
    }

    /// What ran since the last call.
    pub(super) fn take(&self) -> Vec<Ran> {
        std::mem::take(&mut self.heard().ran)
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Ear<'_> {
    fn on(&self, event: &Event) {
        self.inner.on(event);
        match event {
            Event::StepStarted { id, undo, .. } => {
                // What was looked at between the steps is nobody's.
                drop(self.trace.take());
                self.heard().now = Some((id.clone(), *undo));
            }
            Event::StepDone { id, took } => {
                let seen = self.trace.take();
                let mut heard = self.heard();
                let undo = heard.now.take().is_some_and(|(_, undo)| undo);
                let measured: Duration = seen.iter().map(|one| one.took).sum();
                let took = if measured.is_zero() { *took } else { measured };
                heard.ran.push(Ran { id: id.clone(), undo, took, seen });
            }
            _ => {}
        }
    }
}
