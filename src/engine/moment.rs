//! Waits for a quiet moment before a transaction asks for its locks, says who is in
//! the way meanwhile, and ends those whom the plan allows it to end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::core::brief::brief;
use crate::core::failure::{Blocker, Failure, FailureKind};
use crate::core::ident::QName;
use crate::core::kill::due;
use crate::core::lint::{Lock, inspect, mentions, strongest};
use crate::core::quiet::{BLIND, Quiet, Seen, conflicting, quiet};
use crate::core::step::{Action, Limits, Step};
use crate::engine::attempt::Tried;
use crate::engine::current::Current;
use crate::engine::error::RunError;
use crate::engine::event::Event;
use crate::engine::execute::{Ended, Execution};
use crate::engine::gauge::{CLOSELY, Care};
use crate::engine::says::of_them;
use crate::engine::{Store, Target};

/// How often somebody looks whether the moment is there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What an attempt needs, and since when who is in the way.
pub(crate) struct Moment {
    locks: Vec<(QName, Lock)>,
    began: Instant,
    seen: Seen,
    told: Vec<Blocker>,
    ended: BTreeSet<String>,
}

/// What came of waiting for a moment.
enum Came {
    /// It is there; with these limits.
    Now(Limits),
    /// Somebody asked to stop; why.
    Stopped(String),
}

impl Moment {
    pub(crate) fn new(locks: Vec<(QName, Lock)>) -> Self {
        Self { locks, began: Instant::now(), seen: Seen::default(), told: Vec::new(), ended: BTreeSet::new() }
    }

    /// A failure with those in the way that were seen before it, where none were seen beside it.
    fn blamed(&self, failure: Failure) -> Failure {
        let blockers = if failure.blockers.is_empty() { self.told.clone() } else { failure.blockers };
        Failure { blockers, ..failure }
    }
}

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// The locks that an action of a step takes, by the lock table and the catalog.
    pub(crate) async fn locks(&self, current: &Current<'_>, action: &Action) -> Result<Moment, RunError> {
        let acting = Step { action: action.clone(), ..current.step.clone() };
        let unread = |error: crate::core::sql::SqlError| current.refused(error.to_string());
        let mentioned = mentions([&acting]).map_err(unread)?;
        let mut world = self.target.world(&mentioned).await.map_err(|failure| current.failed(failure))?;
        let inspected = inspect(&acting, &mut world).map_err(unread)?;
        let effects = inspected.iter().flat_map(|inspected| &inspected.effects);
        let in_the_way = |(_, lock): &(QName, Lock)| *lock > Lock::RowExclusive;
        Ok(Moment::new(strongest(effects).into_iter().filter(in_the_way).collect()))
    }

    /// Runs a transaction in a quiet moment, again and again while locks are in the way, and
    /// ends it when others have waited for it as long as they may.
    pub(crate) async fn with_care(
        &self,
        current: &Current<'_>,
        mut moment: Moment,
        run: impl AsyncFn(Limits) -> Result<(), Failure>,
    ) -> Result<Ended, RunError> {
        let attempt = async || {
            let limits = match self.quiet_moment(current, &mut moment).await? {
                Came::Now(limits) => limits,
                Came::Stopped(why) => return Ok(Tried::WorkLeft(why)),
            };
            let care = Care { limit: Some(limits.lock_timeout), every: CLOSELY };
            let sent = current.gauge.attempt(care, run(limits)).await.map(Tried::Done);
            sent.map_err(|failure| moment.blamed(failure))
        };
        Ok(self.retrying(current, attempt).await?.into())
    }

    /// Waits until nobody is in the way of an attempt who will stay there, or until it
    /// has waited so long that it tries all the same.
    async fn quiet_moment(&self, current: &Current<'_>, moment: &mut Moment) -> Result<Came, Failure> {
        let (relations, wanted): (Vec<QName>, Vec<Lock>) = moment.locks.iter().cloned().unzip();
        let since = Instant::now();
        if wanted.is_empty() {
            return Ok(Came::Now(self.limits));
        }
        loop {
            let (holders, deadlock_timeout) = self.target.holders(&relations).await?;
            let found = conflicting(&holders, &wanted);
            let at = moment.began.elapsed();
            moment.seen.now(at, found.iter().map(|holder| &holder.who));
            let span = |who: &Blocker| moment.seen.span(at, who);
            let several = wanted.len() > 1;
            let staying = match quiet(&found, several, self.limits.lock_timeout, deadlock_timeout, span) {
                Quiet::Go(lock_timeout) => {
                    self.has_waited(current, since, moment).await?;
                    moment.told.clear();
                    return Ok(Came::Now(Limits { lock_timeout, ..self.limits }));
                }
                Quiet::Clear(which, limit) => {
                    if let (Some(relation), Some(lock)) = (relations.get(which), wanted.get(which)) {
                        self.clear(current, relation, *lock, limit).await?;
                    }
                    continue;
                }
                Quiet::Wait(staying) => staying,
            };
            if since.elapsed() >= BLIND || at >= self.limits.lock_wait_max {
                self.has_waited(current, since, moment).await?;
                return Ok(Came::Now(self.limits));
            }
            self.tell(current, moment, &staying).await;
            self.end_blockers(current, &staying, at, &moment.seen, &mut moment.ended).await?;
            self.stop.sleep(LOOK_EVERY).await;
            if let Some(why) = self.stop.reason() {
                self.has_waited(current, since, moment).await?;
                return Ok(Came::Stopped(why.into()));
            }
        }
    }

    /// Has a vacuum give way, by asking for one lock and giving it back.
    async fn clear(
        &self,
        current: &Current<'_>,
        relation: &QName,
        lock: Lock,
        limit: Duration,
    ) -> Result<(), Failure> {
        let limits = Limits { lock_timeout: limit, ..self.limits };
        let care = Care { limit: Some(limit), every: CLOSELY };
        let sql = format!("LOCK TABLE {relation} IN {} MODE", lock.name());
        let asked = self.target.run_quickly(&sql, &limits, &current.gauge);
        match current.gauge.attempt(care, asked).await {
            // An index cannot be locked by itself, nor what our role may not: the vacuum stays then.
            Err(failure)
                if matches!(
                    failure.kind,
                    FailureKind::Other | FailureKind::Catalog | FailureKind::Permission
                ) =>
            {
                tracing::debug!("no vacuum gives way on {relation}: {failure}");
                self.stop.sleep(LOOK_EVERY).await;
                Ok(())
            }
            asked => asked,
        }
    }

    /// Puts on record how long it waited for a quiet moment, and who was in the way last.
    async fn has_waited(
        &self,
        current: &Current<'_>,
        since: Instant,
        moment: &Moment,
    ) -> Result<(), Failure> {
        self.says(current, None).await;
        if moment.told.is_empty() {
            return Ok(());
        }
        let detail =
            format!("{} for a quiet moment; in the way: {}", brief(since.elapsed()), of_them(&moment.told));
        self.store.note(&self.fence.version, Some(&current.step.id), "waited", &detail).await
    }

    async fn tell(&self, current: &Current<'_>, moment: &mut Moment, staying: &[Blocker]) {
        let same = |a: &Blocker, b: &Blocker| a.transaction_name() == b.transaction_name();
        let known = staying.iter().all(|who| moment.told.iter().any(|told| same(told, who)));
        if !known {
            moment.told = staying.to_vec();
            let words = format!("waits for a quiet moment; in the way: {}", of_them(staying));
            self.says(current, Some(words)).await;
            self.listener.on(&Event::InTheWay { id: current.step.id.clone(), blockers: staying.to_vec() });
        }
    }

    /// Ends the sessions in the way that the plan allows to end, each put on record first.
    pub(crate) async fn end_blockers(
        &self,
        current: &Current<'_>,
        blockers: &[Blocker],
        at: Duration,
        seen: &Seen,
        already: &mut BTreeSet<String>,
    ) -> Result<(), Failure> {
        let Some(policy) = self.kill else { return Ok(()) };
        for who in due(policy, blockers, |who| seen.span(at, who)) {
            if !already.insert(who.transaction_name()) {
                continue;
            }
            let id = &current.step.id;
            // What it ran is its own business.
            let named = Blocker { query: None, ..who.clone() };
            let detail = format!("ends a session in its way (kill_blockers): {named}");
            self.store.note(&self.fence.version, Some(id), "kill", &detail).await?;
            // Whatever waits may go on at once, and nobody listens any more.
            self.listener.on(&Event::Ending { id: id.clone(), who: who.clone() });
            let ended = match self.target.end_session(who, &policy.only).await {
                Ok(ended) => ended,
                Err(failure) if failure.kind == FailureKind::Permission => {
                    tracing::warn!(step = %id, "{who} may not be ended by our role: {failure}");
                    false
                }
                Err(failure) => return Err(failure),
            };
            if !ended {
                let detail = format!("it was not ended, because it is over or may not be: {named}");
                self.store.note(&self.fence.version, Some(id), "kill", &detail).await?;
                self.listener.on(&Event::NotEnded { id: id.clone(), who: who.clone() });
            }
        }
        Ok(())
    }
}
