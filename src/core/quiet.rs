//! Decides whether this is the moment to ask for a lock: behind a transaction that
//! will not end in time, asking makes the application wait and gets nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::failure::Blocker;
use crate::core::lint::Lock;

/// Without a quiet moment, somebody asks all the same after so long: where one long
/// transaction follows another, there is none, and only the queue makes room.
pub const BLIND: Duration = Duration::from_secs(30);
/// How much longer than `deadlock_timeout` a statement waits so that a vacuum gives way:
/// the server looks for one after that time, not before, and lock_timeout comes first
/// where the two are equal (`ProcSleep` in PostgreSQL's proc.c).
const GIVE_WAY: Duration = Duration::from_millis(100);

/// A lock that somebody else holds, or waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub who: Blocker,
    /// Which of the locks that we want it stands beside.
    pub wanted: usize,
    /// Its lock.
    pub lock: Lock,
    /// How long its transaction is open; `None` where our role may not see it.
    pub age: Option<Duration>,
    /// Whether it is a vacuum that ends itself when somebody waits for it.
    pub gives_way: bool,
}

/// Who waits for one lock while it holds another can be in a deadlock with the application, whose
/// sessions look for one after `deadlock_timeout` and then fail: we give up in half of that time.
const OF_DEADLOCK_TIMEOUT: u32 = 2;

/// Whether to ask now.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quiet {
    /// Now; with this limit for each lock.
    Go(Duration),
    /// Not before a vacuum has given way to who asks for this one of the locks alone, with this limit.
    Clear(usize, Duration),
    /// Later: these are in the way.
    Wait(Vec<Blocker>),
}

/// Since when transactions are known to be in the way, by their names.
#[derive(Debug, Clone, Default)]
pub struct Seen(BTreeMap<String, Duration>);

impl Seen {
    /// Takes in who is in the way at a moment, and forgets everybody else.
    pub fn now<'a>(&mut self, at: Duration, blockers: impl IntoIterator<Item = &'a Blocker>) {
        let known = std::mem::take(&mut self.0);
        let names = blockers.into_iter().map(Blocker::transaction_name);
        self.0 = names.map(|name| (name.clone(), known.get(&name).copied().unwrap_or(at))).collect();
    }

    /// How long a transaction is known to be in the way.
    #[must_use]
    pub fn span(&self, at: Duration, blocker: &Blocker) -> Duration {
        self.0.get(&blocker.transaction_name()).map_or(Duration::ZERO, |since| at.saturating_sub(*since))
    }
}

/// Those of `holders` whose locks conflict with the ones that are wanted.
#[must_use]
pub fn conflicting<'a>(holders: &'a [Holder], wanted: &[Lock]) -> Vec<&'a Holder> {
    let conflicts =
        |holder: &&Holder| wanted.get(holder.wanted).is_some_and(|lock| lock.conflicts(holder.lock));
    holders.iter().filter(conflicts).collect()
}

/// Decides whether to ask for one lock, or for several of which one is held while the next is
/// waited for. A transaction that has lasted longer than the limit of a wait will hardly
/// end within another; `span` tells how long one is known to us, where its age is hidden.
pub fn quiet(
    conflicting: &[&Holder],
    several: bool,
    lock_timeout: Duration,
    deadlock_timeout: Duration,
    span: impl Fn(&Blocker) -> Duration,
) -> Quiet {
    let longer = deadlock_timeout + GIVE_WAY;
    let vacuum = conflicting.iter().find(|holder| holder.gives_way);
    // Far below deadlock_timeout, the plan asks for shorter waits than that would take.
    let vacuum = vacuum.filter(|_| lock_timeout >= deadlock_timeout);
    let stays = |holder: &&&Holder| {
        let age = holder.age.unwrap_or_default().max(span(&holder.who));
        age > lock_timeout && !(holder.gives_way && vacuum.is_some())
    };
    let mut staying: Vec<Blocker> =
        conflicting.iter().filter(stays).map(|holder| holder.who.clone()).collect();
    staying.sort_by_key(|who| who.pid);
    staying.dedup_by_key(|who| who.pid);
    match vacuum {
        _ if !staying.is_empty() => Quiet::Wait(staying),
        Some(vacuum) if several => Quiet::Clear(vacuum.wanted, longer),
        Some(_) => Quiet::Go(lock_timeout.max(longer)),
        None if several => Quiet::Go(lock_timeout.min(deadlock_timeout / OF_DEADLOCK_TIMEOUT)),
        None => Quiet::Go(lock_timeout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pid: i32, lock: Lock, age_ms: Option<u64>, gives_way: bool) -> Holder {
        let who = Blocker { transaction: Some(format!("3/{pid}")), ..Blocker::of_pid(pid) };
        Holder { who, wanted: 0, lock, age: age_ms.map(Duration::from_millis), gives_way }
    }

    fn decide(holders: &[Holder], wanted: Lock, timeout_ms: u64) -> Quiet {
        let timeout = Duration::from_millis(timeout_ms);
        quiet(&conflicting(holders, &[wanted]), false, timeout, Duration::from_secs(1), |_| Duration::ZERO)
    }

    #[test]
    fn only_old_transactions_with_conflicting_locks_are_waited_for() {
        let old = holder(1, Lock::AccessShare, Some(5_000), false);
        let young = holder(2, Lock::RowExclusive, Some(20), false);
        let second = Duration::from_secs(1);
        let both = [old.clone(), young.clone()];
        assert_eq!(decide(&both, Lock::AccessExclusive, 1_000), Quiet::Wait(vec![old.who]));
        assert_eq!(decide(&both, Lock::ShareRowExclusive, 1_000), Quiet::Go(second));
        assert_eq!(decide(&[young], Lock::AccessExclusive, 1_000), Quiet::Go(second));
        // Whose age is hidden is as old as we have known it for.
        let hidden = [holder(3, Lock::AccessShare, None, false)];
        assert_eq!(decide(&hidden, Lock::AccessExclusive, 1_000), Quiet::Go(second));
        let found = conflicting(&hidden, &[Lock::AccessExclusive]);
        let known = |_: &Blocker| Duration::from_secs(2);
        assert!(matches!(quiet(&found, false, second, second, known), Quiet::Wait(_)));
    }

    #[test]
    fn a_vacuum_gives_way_to_who_waits_longer_than_deadlock_timeout() {
        let vacuum = [holder(1, Lock::ShareUpdateExclusive, Some(60_000), true)];
        assert_eq!(decide(&vacuum, Lock::AccessExclusive, 1_000), Quiet::Go(Duration::from_millis(1_100)));
        assert_eq!(decide(&vacuum, Lock::AccessExclusive, 3_000), Quiet::Go(Duration::from_secs(3)));
        assert!(matches!(decide(&vacuum, Lock::AccessExclusive, 100), Quiet::Wait(_)));
        assert_eq!(decide(&vacuum, Lock::RowExclusive, 100), Quiet::Go(Duration::from_millis(100)));
    }

    #[test]
    fn who_asks_for_several_locks_gives_up_before_anybody_looks_for_a_deadlock() {
        let second = Duration::from_secs(1);
        let decide = |holders: &[Holder], timeout_ms| {
            let found = conflicting(holders, &[Lock::AccessExclusive]);
            quiet(&found, true, Duration::from_millis(timeout_ms), second, |_| Duration::ZERO)
        };
        assert_eq!(decide(&[], 1_000), Quiet::Go(second / 2));
        assert_eq!(decide(&[], 200), Quiet::Go(Duration::from_millis(200)));
        let vacuum = holder(1, Lock::ShareUpdateExclusive, Some(60_000), true);
        assert_eq!(
            decide(std::slice::from_ref(&vacuum), 1_000),
            Quiet::Clear(0, Duration::from_millis(1_100))
        );
        assert!(matches!(decide(std::slice::from_ref(&vacuum), 100), Quiet::Wait(_)));
        let old = holder(2, Lock::AccessShare, Some(5_000), false);
        assert!(matches!(decide(&[vacuum, old], 1_000), Quiet::Wait(_)));
    }

    #[test]
    fn a_transaction_is_known_since_it_was_first_seen() {
        let (mut seen, who) = (Seen::default(), holder(1, Lock::Share, None, false).who);
        seen.now(Duration::from_secs(1), [&who]);
        seen.now(Duration::from_secs(4), [&who]);
        assert_eq!(seen.span(Duration::from_secs(4), &who), Duration::from_secs(3));
        let next = Blocker { transaction: Some("3/9".into()), ..who.clone() };
        seen.now(Duration::from_secs(5), [&next]);
        assert_eq!(seen.span(Duration::from_secs(6), &who), Duration::ZERO);
        assert_eq!(seen.span(Duration::from_secs(6), &next), Duration::from_secs(1));
    }
}
