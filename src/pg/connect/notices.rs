//! Owns what the server says beside its answers, for whoever asked to keep it.

use std::sync::{Arc, Mutex, PoisonError};

/// The notices of one session; clones hear the same ones.
#[derive(Debug, Clone, Default)]
pub struct Notices(Arc<Mutex<Option<Vec<String>>>>);

impl Notices {
    /// Keeps notices from now on, without those of before.
    pub fn keep(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// What was kept since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn hear(&self, message: &str) {
        if let Some(kept) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            kept.push(message.to_owned());
        }
    }
}
