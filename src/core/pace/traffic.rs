//! Owns what is known of everybody else's work: how many transactions there are,
//! and how long they run on average.
//!
//! The server counts both for everyone to see (`pg_stat_database`, the time since
//! PostgreSQL 14), over thousands of transactions a second where there are
//! thousands. So their mean tells within seconds, and without a privilege, what a
//! backfill does to an application: far sooner than a single query could.

use std::collections::VecDeque;

/// Counters that only rise, all sessions together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counters {
    /// Transactions that ended.
    pub transactions: f64,
    /// Milliseconds in which a statement ran; `None` where the server does not count them.
    pub active_ms: Option<f64>,
}

/// What our own workers did between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Own {
    /// Batches, each a transaction.
    pub batches: f64,
    /// Milliseconds that they took at the server.
    pub ms: f64,
}

/// What others did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Others {
    /// Transactions a second.
    pub per_s: f64,
    /// Milliseconds a transaction, on average over some seconds; `None` where it
    /// cannot be told from our own work.
    pub ms: Option<f64>,
}

/// Seconds whose middle counts: one long report must not look like congestion.
const MIDDLE_OF: usize = 3;

/// The memory that two looks need.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traffic {
    before: Option<(f64, Counters)>,
    /// Our own work since then.
    own: Own,
    recent: VecDeque<f64>,
}

impl Traffic {
    /// Learns the counters `at` seconds on any steady clock, and what we did ourselves
    /// since the last call; what others did since the last look. `None` at the first
    /// one, where the counters could not be had, and after they were reset.
    pub fn learn(&mut self, at: f64, now: Option<Counters>, own: Own) -> Option<Others> {
        self.own.batches += own.batches;
        self.own.ms += own.ms;
        let now = now?;
        let own = std::mem::take(&mut self.own);
        let (since, before) = self.before.replace((at, now))?;
        let seconds = at - since;
        let transactions = now.transactions - before.transactions - own.batches;
        if seconds <= 0.0 || now.transactions < before.transactions {
            return None;
        }
        let active = now.active_ms.zip(before.active_ms).map(|(now, before)| now - before - own.ms);
        // Where we are most of what runs, an error in our own share would drown the rest.
        if let Some(active) = active.filter(|active| *active >= own.ms && transactions >= 1.0) {
            self.recent.push_back(active / transactions);
            if self.recent.len() > MIDDLE_OF {
                self.recent.pop_front();
            }
        } else {
            self.recent.clear();
        }
        let mut recent: Vec<f64> = self.recent.iter().copied().collect();
        recent.sort_by(f64::total_cmp);
        Some(Others { per_s: transactions.max(0.0) / seconds, ms: recent.get(recent.len() / 2).copied() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "as learn takes it")]
    fn counters(transactions: f64, active_ms: f64) -> Option<Counters> {
        Some(Counters { transactions, active_ms: Some(active_ms) })
    }

    #[test]
    fn the_mean_of_others_leaves_our_own_work_out() {
        let mut traffic = Traffic::default();
        assert_eq!(traffic.learn(0.0, counters(0.0, 0.0), Own::default()), None);
        let own = Own { batches: 50.0, ms: 150.0 };
        let others = traffic.learn(1.0, counters(1_050.0, 750.0), own);
        assert_eq!(others, Some(Others { per_s: 1_000.0, ms: Some(0.6) }));
    }

    #[test]
    fn one_long_report_is_not_congestion() {
        let mut traffic = Traffic::default();
        traffic.learn(0.0, counters(0.0, 0.0), Own::default());
        let (mut seen, mut active) = (Vec::new(), 0.0);
        for (second, more) in [500.0, 500.0, 600_000.0, 500.0, 500.0].into_iter().enumerate() {
            let at = second as f64 + 1.0;
            active += more;
            let others = traffic.learn(at, counters(at * 1_000.0, active), Own::default());
            seen.push(others.unwrap().ms.unwrap());
        }
        assert!(seen.iter().all(|ms| (*ms - 0.5).abs() < 1e-9), "{seen:?}");
    }

    #[test]
    fn a_look_that_was_missed_takes_nothing_from_the_next_one() {
        let mut traffic = Traffic::default();
        traffic.learn(0.0, counters(0.0, 0.0), Own::default());
        let own = Own { batches: 50.0, ms: 150.0 };
        assert_eq!(traffic.learn(1.0, None, own), None);
        let others = traffic.learn(2.0, counters(2_100.0, 1_500.0), own);
        assert_eq!(others, Some(Others { per_s: 1_000.0, ms: Some(0.6) }));
    }

    #[test]
    fn what_is_mostly_ours_says_nothing_about_others() {
        let mut traffic = Traffic::default();
        traffic.learn(0.0, counters(0.0, 0.0), Own::default());
        let others = traffic.learn(1.0, counters(60.0, 1_010.0), Own { batches: 10.0, ms: 1_000.0 });
        assert_eq!(others, Some(Others { per_s: 50.0, ms: None }));
        assert_eq!(traffic.learn(2.0, counters(5.0, 0.0), Own::default()), None, "reset");
        let uncounted = Counters { transactions: 25.0, active_ms: None };
        assert_eq!(
            traffic.learn(3.0, Some(uncounted), Own::default()),
            Some(Others { per_s: 20.0, ms: None })
        );
    }
}
