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
/// Looks that a rate is taken over: a session adds to the counters once a second, so that
/// between two looks all of them may have added nothing.
const RATE_OF: usize = 3;
/// Seconds from the first look until a rate means something.
const SETTLED: f64 = 2.0;

/// The memory that two looks need.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traffic {
    before: Option<(f64, Counters)>,
    /// Our own work since then.
    own: Own,
    /// Our own batches up to the look before: they are counted late as well.
    late: f64,
    /// Seconds between looks, and transactions of others.
    looks: VecDeque<(f64, f64)>,
    recent: VecDeque<f64>,
}

impl Traffic {
    /// Learns the counters `at` seconds on any steady clock, and what we did ourselves
    /// since the last call; what others did over the last few looks. `None` at first,
    /// where the counters could not be had, and after they were reset.
    pub fn learn(&mut self, at: f64, now: Option<Counters>, own: Own) -> Option<Others> {
        self.own.batches += own.batches;
        self.own.ms += own.ms;
        let now = now?;
        let own = std::mem::take(&mut self.own);
        let (since, before) = self.before.replace((at, now))?;
        let seconds = at - since;
        let counted = now.transactions - before.transactions;
        if seconds <= 0.0 || counted < 0.0 {
            (self.late, self.looks) = (0.0, VecDeque::new());
            return None;
        }
        let late = std::mem::replace(&mut self.late, own.batches);
        self.looks.push_back((seconds, counted - own.batches.max(late)));
        if self.looks.len() > RATE_OF {
            self.looks.pop_front();
        }
        let transactions = counted - own.batches;
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
        let (seconds, transactions) =
            self.looks.iter().fold((0.0, 0.0), |sum, look| (sum.0 + look.0, sum.1 + look.1));
        let per_s = transactions.max(0.0) / seconds;
        (seconds >= SETTLED).then(|| Others { per_s, ms: recent.get(recent.len() / 2).copied() })
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
        assert_eq!(traffic.learn(1.0, counters(1_050.0, 750.0), own), None, "too early");
        let others = traffic.learn(2.0, counters(2_100.0, 1_500.0), own);
        assert_eq!(others, Some(Others { per_s: 1_000.0, ms: Some(0.6) }));
    }

    #[test]
    fn others_are_there_though_nothing_was_counted_between_two_looks() {
        let mut traffic = Traffic::default();
        let mut seen = Vec::new();
        for (second, counted) in [0.0, 0.0, 6_000.0, 6_000.0, 12_000.0, 18_000.0].into_iter().enumerate() {
            let others = traffic.learn(second as f64, counters(counted, counted * 0.5), Own::default());
            seen.extend(others.map(|others| others.per_s));
        }
        assert!(seen.iter().all(|per_s| *per_s >= 2_000.0), "{seen:?}");
    }

    #[test]
    fn our_own_batches_that_are_counted_late_are_not_others() {
        let mut traffic = Traffic::default();
        let mut late = 0.0;
        let mut counted = 0.0;
        for (second, batches) in [250.0, 250.0, 250.0, 60.0, 20.0, 10.0, 10.0].into_iter().enumerate() {
            counted += std::mem::replace(&mut late, batches);
            let own = Own { batches, ms: 100.0 };
            let others = traffic.learn(second as f64, counters(counted, 0.0), own);
            assert!(others.is_none_or(|others| others.per_s < 1.0), "{second}: {others:?}");
        }
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
            seen.extend(others.and_then(|others| others.ms));
        }
        assert_eq!(seen.len(), 4);
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
        let others = traffic.learn(2.0, counters(110.0, 2_010.0), Own { batches: 10.0, ms: 2_000.0 });
        assert_eq!(others, Some(Others { per_s: 50.0, ms: None }));
        assert_eq!(traffic.learn(3.0, counters(5.0, 0.0), Own::default()), None, "reset");
        let uncounted = Counters { transactions: 45.0, active_ms: None };
        assert_eq!(
            traffic.learn(5.0, Some(uncounted), Own::default()),
            Some(Others { per_s: 20.0, ms: None })
        );
    }
}
