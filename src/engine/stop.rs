//! Owns the request to stop: from a signal, or from a time budget.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// A request to stop that may come at any time; clones see the same one.
#[derive(Debug, Clone)]
pub struct Stop {
    signal: watch::Receiver<bool>,
    deadline: Option<Instant>,
}

/// Makes the request.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// Asks everything to stop at the next safe place.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// A request that has not been made, and the way to make it.
    #[must_use]
    pub fn new() -> (Stopper, Self) {
        let (sender, signal) = watch::channel(false);
        (Stopper(sender), Self { signal, deadline: None })
    }

    /// The same request, also made when `budget` is used up.
    #[must_use]
    pub fn within(&self, budget: Option<Duration>) -> Self {
        let deadline = budget.and_then(|budget| Instant::now().checked_add(budget));
        Self { signal: self.signal.clone(), deadline }
    }

    /// Why to stop now, if at all.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        if *self.signal.borrow() {
            Some("interrupted")
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Some("its time is used up (--max-duration)")
        } else {
            None
        }
    }

    /// Resolves when somebody asks to stop; never because of the time budget.
    pub async fn interrupted(&self) {
        let mut signal = self.signal.clone();
        if signal.wait_for(|stop| *stop).await.is_err() {
            // Nobody is left who could ask.
            std::future::pending::<()>().await;
        }
    }

    /// Sleeps, or returns early when somebody asks to stop.
    pub async fn sleep(&self, span: Duration) {
        tokio::select! {
            () = tokio::time::sleep(span) => {}
            () = self.interrupted() => {}
        }
    }
}
