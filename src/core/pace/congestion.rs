//! Owns congestion control: the share of time to work, from delays alone.
//!
//! Three delays are watched that need no privilege and work on every host: the
//! time that a batch takes for a row, the round trip of a query that does
//! nothing (the canary), and the mean time of everybody else's transactions.
//! Each is compared with the lowest of its recent values.
//! Where a server has room, more work does not raise them; where it has none, a
//! queue builds up, and they rise long before anything fails. This is the idea
//! of LEDBAT (RFC 6817), which yields to other traffic by its queueing delay,
//! and of gradient limiters.
//!
//! The law, once a second:
//!
//! - start with a small share and double it while nothing rises (slow start), where
//!   nobody else is at work, once that is known: there a wrong step hurts no one, and
//!   what it would do to others could not be told from their usual state afterwards;
//! - when a delay has risen, take half of the share, and remember where that was;
//! - afterwards add a little each second, less where others are at work, half as much
//!   near where it rose before: probing costs the application something;
//! - when nothing was near its least for a while, take half: delays that stay up
//!   would otherwise become the new least, and the share would creep;
//! - never less than the floor: a seventh of one session, in short pieces, is hardly felt, and
//!   the backfill ends.

use std::collections::VecDeque;

use super::traffic::Others;

/// The least share: a little more rows than a common script with its pauses writes, in short
/// stretches (beside pgbench on two cores, five rounds each: 1.1 times as many). What an application feels of shares between 0.08 and 0.16 at one length of
/// batches could not be told apart.
pub const FLOOR: f64 = 0.14;
/// The first share.
const START: f64 = FLOOR;
/// Why the share is what it is before a delay has risen.
const FINDING_OUT: &str = "finding out what the server has room for";
/// Above this ratio to the lowest value, a delay has risen: what a row costs
/// differs by half from one stripe of a window to the next.
const RISEN: f64 = 2.0;
/// Below this ratio, it has not.
const CALM: f64 = 1.6;
/// Above this ratio, transactions of others have got slower: their mean moves far
/// less than the slowest of them, which an application notices first.
const HURT: f64 = 1.15;
/// Below this ratio, they have not.
const UNHURT: f64 = 1.05;
/// With fewer transactions of others a second, nobody is there; our own housekeeping
/// is about twenty.
const NOBODY: f64 = 50.0;
/// What a second of calm adds after the slow start.
const STEP: f64 = 0.02;
/// What it adds where others are at work: a quarter of an hour from the floor to all. A
/// table that is worth the care takes hours, and every step up is an experiment on somebody.
const STEP_AMONG_OTHERS: f64 = 0.001;
/// Seconds without a word of others until they count as absent: the counters tell after
/// three looks, where they can be read at all.
const UNHEARD_OF: u32 = 5;
/// Seconds over which the lowest value is remembered.
const MEMORY: usize = 300;
/// Below this ratio a delay is near its least.
const NEAR: f64 = 1.2;
/// Seconds without a delay near its least: well within the memory.
const LOST: u32 = 60;
/// Seconds after which what had risen is no news any more.
const OLD_NEWS: u32 = 15;
/// Round trips shorter than this are all the same: what differs is noise.
const LEAST_RTT_US: f64 = 1_000.0;

/// What one second showed; `None` where nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Second {
    /// Microseconds at the server for a row, the median of the batches.
    pub us_per_row: Option<f64>,
    /// Microseconds of the canary's round trip, the median.
    pub rtt_us: Option<f64>,
    /// What others did.
    pub others: Option<Others>,
}

/// The share of time to work.
#[derive(Debug, Clone, PartialEq)]
pub struct Congestion {
    share: f64,
    rows: Lowest,
    rtts: Lowest,
    others: Lowest,
    slow_start: bool,
    /// The share at which a delay rose last.
    ceiling: Option<f64>,
    why: Option<String>,
    /// Seconds since a delay was near its least.
    far: u32,
    /// Seconds since a delay had risen.
    calm: u32,
    /// Seconds in which nothing was known of others.
    unheard: u32,
}

impl Default for Congestion {
    fn default() -> Self {
        Self {
            share: START,
            rows: Lowest::default(),
            rtts: Lowest::default(),
            others: Lowest::default(),
            slow_start: true,
            ceiling: None,
            why: Some(FINDING_OUT.into()),
            far: 0,
            calm: 0,
            unheard: 0,
        }
    }
}

impl Congestion {
    /// The share of time to work, and why it is not all of it.
    #[must_use]
    pub fn share(&self) -> (f64, Option<&str>) {
        (self.share, self.why.as_deref())
    }

    /// What had risen lately, where something had.
    #[must_use]
    pub fn risen(&self) -> Option<&str> {
        self.why.as_deref().filter(|why| *why != FINDING_OUT)
    }

    /// What a row costs where nobody is in the way, in microseconds, as far as that is known.
    #[must_use]
    pub fn us_per_row(&self) -> Option<f64> {
        self.rows.lowest()
    }

    /// Goes over to rows that cost something else; what was found out about the
    /// server holds on.
    pub fn other_rows(&mut self) {
        self.rows = Lowest::default();
    }

    /// Learns from a second.
    pub fn learn(&mut self, second: Second) {
        let rows = second.us_per_row.map_or(1.0, |us| self.rows.ratio(us));
        let rtt = second.rtt_us.map_or(1.0, |us| self.rtts.ratio(us.max(LEAST_RTT_US)));
        let others = second.others.and_then(|others| others.ms).map_or(1.0, |ms| self.others.ratio(ms));
        let among_others = second.others.is_some_and(|others| others.per_s >= NOBODY);
        if among_others {
            self.slow_start = false;
        }
        self.unheard = if second.others.is_some() { 0 } else { self.unheard + 1 };
        let worst = rows.max(rtt);
        self.far = if worst < NEAR { 0 } else { self.far + 1 };
        if worst >= RISEN || others >= HURT || self.far > LOST {
            (self.far, self.calm) = (0, 0);
            self.ceiling = Some(self.share);
            self.slow_start = false;
            self.share = (self.share * 0.5).max(FLOOR);
            let (what, ratio) = match (rows, rtt) {
                _ if others >= HURT => ("a transaction of others", others),
                (rows, rtt) if rtt >= rows => ("a round trip", rtt),
                (rows, _) => ("a row", rows),
            };
            self.why = Some(format!("congestion: {what} takes {ratio:.1} times its least"));
        } else if worst < CALM && others < UNHURT {
            if self.slow_start {
                let known = second.others.is_some() || self.unheard >= UNHEARD_OF;
                self.share *= if known { 2.0 } else { 1.0 };
            } else {
                let step = if among_others { STEP_AMONG_OTHERS } else { STEP };
                let near = self.ceiling.is_some_and(|ceiling| self.share >= ceiling * 0.5);
                self.share += if near { step * 0.5 } else { step };
            }
            self.share = self.share.min(1.0);
        }
        self.calm += 1;
        if self.share >= 1.0 {
            self.why = None;
        } else if self.why.is_none() || self.calm > OLD_NEWS {
            self.why = Some(FINDING_OUT.into());
        }
    }
}

/// The lowest of recent values.
#[derive(Debug, Clone, PartialEq, Default)]
struct Lowest {
    seen: VecDeque<f64>,
}

impl Lowest {
    /// Learns a value; its ratio to the lowest one.
    fn ratio(&mut self, value: f64) -> f64 {
        let value = value.max(1e-3);
        self.seen.push_back(value);
        if self.seen.len() > MEMORY {
            self.seen.pop_front();
        }
        value / self.lowest().unwrap_or(value)
    }

    fn lowest(&self) -> Option<f64> {
        self.seen.iter().copied().min_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server with room for a share of work beside an application: beyond it,
    /// delays rise with what is too much.
    fn run(congestion: &mut Congestion, seconds: usize, room: f64) -> Vec<f64> {
        let one = |congestion: &mut Congestion| {
            let (share, _) = congestion.share();
            let delay = 1.0 + ((share - room) * 10.0).max(0.0);
            congestion.learn(Second {
                us_per_row: Some(10.0 * delay),
                rtt_us: Some(1_500.0 * delay),
                others: Some(Others { per_s: 5.0, ms: None }),
            });
            share
        };
        (0..seconds).map(|_| one(congestion)).collect()
    }

    #[test]
    fn an_idle_server_is_used_in_full_within_seconds() {
        let mut congestion = Congestion::default();
        let shares = run(&mut congestion, 6, 2.0);
        assert!((shares[5] - 1.0).abs() < 1e-9, "{shares:?}");
        assert_eq!(congestion.share().1, None);
    }

    #[test]
    fn nothing_is_tried_before_it_is_known_whether_anybody_is_there() {
        let second = |others| Second { us_per_row: Some(10.0), rtt_us: Some(300.0), others };
        let share = |congestion: &Congestion| congestion.share().0;
        let mut congestion = Congestion::default();
        congestion.learn(second(None));
        assert!((share(&congestion) - START).abs() < 1e-9);
        congestion.learn(second(Some(Others { per_s: 7_000.0, ms: Some(0.6) })));
        assert!(share(&congestion) < START + 0.01, "{}", share(&congestion));
        // Counters that cannot be read at all do not keep it at its start.
        let mut congestion = Congestion::default();
        (0..10).for_each(|_| congestion.learn(second(None)));
        assert!((share(&congestion) - 1.0).abs() < 1e-9, "{}", share(&congestion));
    }

    #[test]
    fn a_busy_server_is_left_alone_and_probed_gently() {
        let mut congestion = Congestion::default();
        run(&mut congestion, 60, 0.3);
        let shares = run(&mut congestion, 300, 0.3);
        // A delay of twice the least is at a share of 0.4.
        let over = shares.iter().filter(|share| **share > 0.42).count();
        assert!(over < 15, "{over}");
        let average = shares.iter().sum::<f64>() / 300.0;
        assert!((0.15..0.4).contains(&average), "{average}");
    }

    #[test]
    fn an_application_that_gets_slower_is_left_alone_long_before_anything_else_shows() {
        let mut congestion = Congestion::default();
        let mut shares = Vec::new();
        for _ in 0..120 {
            let (share, _) = congestion.share();
            shares.push(share);
            let ms = 0.6 * (1.0 + 2.0 * (share - FLOOR).max(0.0));
            let others = Some(Others { per_s: 7_000.0, ms: Some(ms) });
            congestion.learn(Second { us_per_row: Some(10.0), rtt_us: Some(300.0), others });
        }
        assert!(shares.iter().all(|share| *share < 0.26), "{shares:?}");
        assert!(shares[..3].windows(2).all(|two| two[1] < two[0] * 1.5), "no slow start: {shares:?}");
    }

    #[test]
    fn it_never_starves_and_comes_back_when_there_is_room() {
        let mut congestion = Congestion::default();
        let shares = run(&mut congestion, 100, 0.0);
        assert!(shares.iter().all(|share| *share >= FLOOR));
        let shares = run(&mut congestion, 120, 2.0);
        assert!(shares[119] > 0.99, "{}", shares[119]);
    }
}
