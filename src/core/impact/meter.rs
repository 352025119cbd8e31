//! Adds up looks at the server into an impact.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::lint::Lock;

use super::look::{Look, Pressure, Waiting, blocked};
use super::{Held, Impact, Waiter};

/// Adds up looks into an impact. Times are since any one moment.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    impact: Impact,
    seen: BTreeSet<i32>,
    open: BTreeMap<i32, Wait>,
    attempt: Option<Attempt>,
}

/// A wait under way.
#[derive(Debug, Clone)]
struct Wait {
    who: Waiter,
    /// Not later than it began, or than our part in it did.
    since: Duration,
    /// The server's word for it.
    began: Option<i64>,
    plain: bool,
}

/// An attempt under way.
#[derive(Debug, Clone)]
struct Attempt {
    /// When the last look at it was sent, or when it began.
    looked: Duration,
    /// No lock was held before this.
    free: Duration,
    held: bool,
}

impl Meter {
    /// An attempt begins.
    pub fn begin(&mut self, at: Duration) {
        self.impact.attempts += 1;
        self.attempt = Some(Attempt { looked: at, free: at, held: false });
    }

    /// Whether an attempt is under way.
    #[must_use]
    pub const fn under_way(&self) -> bool {
        self.attempt.is_some()
    }

    /// Takes a look in that was sent and answered at these times; `ours` are our sessions.
    pub fn look(&mut self, sent: Duration, answered: Duration, look: &Look, ours: &[i32]) -> Pressure {
        let Some(attempt) = &mut self.attempt else { return Pressure::default() };
        self.impact.looks += 1;
        self.impact.gap_ms = self.impact.gap_ms.max(millis(answered.saturating_sub(attempt.looked)));
        let before = std::mem::replace(&mut attempt.looked, sent);
        // Without its locks after it had them, it is over at the server, and we have not heard of it yet.
        if look.holding {
            attempt.held = true;
        } else if !attempt.held {
            attempt.free = sent;
        }
        let because = blocked(&look.waiting, ours, |waiting| self.since(waiting, sent, before));
        let gone = |pid: &i32| !because.contains_key(pid);
        for pid in self.open.keys().copied().filter(gone).collect::<Vec<_>>() {
            self.close(pid, answered);
        }
        for (pid, (waiting, since)) in because {
            self.seen.insert(pid);
            let same = self.open.get(&pid).map(|wait| wait.is(waiting));
            if same == Some(false) {
                self.close(pid, answered);
            }
            let wait = Wait { who: waiting.who.clone(), since, began: waiting.began, plain: waiting.plain };
            let open = self.open.entry(pid).or_insert(wait);
            open.began = open.began.or(waiting.began);
        }
        let longest =
            self.open.values().filter(|wait| wait.plain).map(|wait| answered.saturating_sub(wait.since));
        let waits = look.waiting.iter().any(|waiting| ours.contains(&waiting.who.pid));
        Pressure { longest: longest.max().unwrap_or_default(), working: !waits }
    }

    /// Takes in which locks the attempt holds.
    pub fn locks(&mut self, held: impl IntoIterator<Item = Held>) {
        for held in held {
            if let (Some(attempt), true) = (&mut self.attempt, held.lock > Lock::RowExclusive) {
                attempt.held = true;
            }
            match self.impact.locks.iter_mut().find(|known| known.relation == held.relation) {
                Some(known) => known.lock = known.lock.max(held.lock),
                None => self.impact.locks.push(held),
            }
        }
        self.impact.locks.sort();
    }

    /// The attempt is over: nobody waits because of it any more.
    pub fn end(&mut self, at: Duration) {
        let Some(attempt) = self.attempt.take() else { return };
        self.impact.gap_ms = self.impact.gap_ms.max(millis(at.saturating_sub(attempt.looked)));
        for pid in self.open.keys().copied().collect::<Vec<_>>() {
            self.close(pid, at);
        }
        if attempt.held {
            let held = millis(at.saturating_sub(attempt.free));
            self.impact.held_ms = Some(self.impact.held_ms.unwrap_or(0).max(held));
        }
    }

    /// What is known by now.
    #[must_use]
    pub fn impact(&self) -> Impact {
        let waiters = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        Impact { waiters, ..self.impact.clone() }
    }

    /// Not later than a wait began; `before`: when the look before was sent.
    fn since(&self, waiting: &Waiting, sent: Duration, before: Duration) -> Duration {
        match self.open.get(&waiting.who.pid) {
            Some(wait) if wait.is(waiting) => wait.since,
            // Without the server's word: after the look before, or it would have been seen.
            _ => waiting.waited.map_or(before, |waited| sent.saturating_sub(waited)),
        }
    }

    fn close(&mut self, pid: i32, at: Duration) {
        let Some(wait) = self.open.remove(&pid) else { return };
        let waited = millis(at.saturating_sub(wait.since));
        if waited >= self.impact.longest_wait_ms {
            self.impact.longest_wait_ms = waited;
            self.impact.longest = Some(wait.who);
        }
    }
}

impl Wait {
    /// Whether a session that waits is still at this wait.
    fn is(&self, waiting: &Waiting) -> bool {
        self.began.zip(waiting.began).is_none_or(|(ours, its)| ours == its)
    }
}

fn millis(span: Duration) -> u64 {
    // Rounded up: a bound stays one.
    u64::try_from(span.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn waiting(pid: i32, behind: &[i32], began: Option<i64>, waited: Option<u64>) -> Waiting {
        let who = Waiter { pid, user: None, application: None };
        Waiting { who, behind: behind.to_vec(), began, waited: waited.map(ms), plain: true }
    }

    fn look(waiting: Vec<Waiting>) -> Look {
        Look { waiting, holding: true }
    }

    #[test]
    fn waits_behind_us_are_counted_directly_or_behind_others_and_no_others() {
        let mut meter = Meter::default();
        meter.begin(ms(0));
        let all = vec![
            waiting(3, &[2], Some(900), Some(90)), // behind one that waits for us since 40 ms
            waiting(2, &[1], Some(950), Some(40)),
            waiting(5, &[4], Some(100), Some(900)), // somebody else's business
            waiting(1, &[4], Some(800), Some(100)), // ours
        ];
        let pressure = meter.look(ms(100), ms(110), &look(all), &[1]);
        assert_eq!(pressure, Pressure { longest: ms(50), working: false });
        meter.end(ms(130));
        let impact = meter.impact();
        assert_eq!((impact.waiters, impact.longest_wait_ms), (2, 70));
        assert_eq!((impact.attempts, impact.looks, impact.gap_ms), (1, 1, 110));
    }

    #[test]
    fn a_wait_is_never_told_shorter_than_it_was() {
        let mut meter = Meter::default();
        meter.begin(ms(0));
        meter.look(ms(10), ms(12), &look(Vec::new()), &[1]);
        // The server does not say since when: it may have begun right after the look before.
        meter.look(ms(40), ms(42), &look(vec![waiting(2, &[1], None, None)]), &[1]);
        // Gone by now: it may have lasted until this look was answered.
        meter.look(ms(70), ms(75), &look(Vec::new()), &[1]);
        assert_eq!(meter.impact().longest_wait_ms, 65);
        // The same session waits again, and again after that: waits of their own.
        meter.look(ms(100), ms(101), &look(vec![waiting(2, &[1], Some(5), Some(20))]), &[1]);
        meter.look(ms(130), ms(131), &look(vec![waiting(2, &[1], Some(9), Some(5))]), &[1]);
        meter.end(ms(140));
        let impact = meter.impact();
        assert_eq!((impact.longest_wait_ms, impact.waiters), (65, 1));
    }

    #[test]
    fn locks_are_held_from_the_last_moment_without_them() {
        let mut meter = Meter::default();
        meter.begin(ms(0));
        meter.look(ms(10), ms(11), &Look::default(), &[1]);
        meter.look(ms(30), ms(31), &look(Vec::new()), &[1]);
        meter.end(ms(50));
        assert_eq!(meter.impact().held_ms, Some(40));
        // What nobody saw, but the session itself tells.
        meter.begin(ms(100));
        meter.locks([Held { relation: "t".into(), lock: Lock::AccessExclusive }]);
        meter.locks([Held { relation: "t".into(), lock: Lock::AccessShare }]);
        meter.end(ms(103));
        assert_eq!(meter.impact().held_ms, Some(40));
        assert_eq!(meter.impact().locks, [Held { relation: "t".into(), lock: Lock::AccessExclusive }]);
        // A look that finds them gone comes after the commit, not before the lock.
        meter.begin(ms(150));
        meter.look(ms(160), ms(161), &look(Vec::new()), &[1]);
        meter.look(ms(190), ms(191), &Look::default(), &[1]);
        meter.end(ms(195));
        assert_eq!(meter.impact().held_ms, Some(45));
        meter.begin(ms(200));
        meter.end(ms(900));
        assert_eq!((meter.impact().held_ms, meter.impact().attempts), (Some(45), 4));
    }
}
