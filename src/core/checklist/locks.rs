//! Whether a step locks a table under load: for how long, and while what is done.

use super::{Answer, Known, Told, some, told};
use crate::core::ident::QName;
use crate::core::lint::{Effect, Finding, Inspected, Level, Lock, World, inspect};
use crate::core::sql::SqlError;
use crate::core::step::{Action, Phase, Step};

/// The steps that take locks which somebody waits for.
#[derive(Default)]
struct Held {
    /// Those that only change the catalog meanwhile, by name.
    moments: Vec<String>,
    /// Those that read or write a table meanwhile, each in a few words.
    works: Vec<String>,
}

impl Known<'_> {
    pub(super) fn locks(&self) -> Result<Told, SqlError> {
        let long = |finding: &&Finding| {
            let blocks = |taken: &crate::core::lint::Taken| taken.blocks_reads || taken.blocks_writes;
            let works = finding.locks.iter().any(|taken| blocks(taken) && taken.is_long());
            finding.level == Level::Error && (works || finding.rule == "work-under-lock")
        };
        let long: Vec<&Finding> = self.findings.iter().filter(long).collect();
        if !long.is_empty() {
            return Ok((Answer::Yes, told(&long)));
        }
        let opaque: Vec<&Finding> =
            self.findings.iter().filter(|finding| finding.rule.starts_with("opaque")).collect();
        if !opaque.is_empty() {
            return Ok((Answer::Unknown, told(&opaque)));
        }
        let (mut world, mut held) = (self.world.clone(), Held::default());
        for step in Phase::ALL.into_iter().flat_map(|phase| self.item.steps_of(phase)) {
            let inspected = inspect(step, &mut world)?;
            held.add(step, &inspected, &world);
        }
        Ok((Answer::No, held.told(self.item.limits.lock_timeout)))
    }
}

impl Held {
    /// Adds a step; `world` is what stands after it.
    fn add(&mut self, step: &Step, inspected: &[Inspected], world: &World) {
        // Nobody waits for what the plan itself has made.
        let old = |name: &QName| !world.table(name).is_some_and(|table| table.made);
        let mut locked: Option<(&QName, Lock)> = None;
        let mut works = None;
        for statement in inspected {
            if !matches!(step.action, Action::Transaction(_)) {
                locked = None;
            }
            let taken = statement.effects.iter().flat_map(|effect| &effect.locks);
            let blocking = taken.filter(|(name, lock)| lock.blocks_writes() && old(name));
            let strongest =
                blocking.map(|(name, lock)| (name, *lock)).chain(locked).max_by_key(|(_, lock)| *lock);
            locked = strongest;
            let worked = |effect: &&Effect| {
                effect.work.grows()
                    && (effect.locks.is_empty() || effect.locks.iter().any(|(name, _)| old(name)))
            };
            let work = statement.effects.iter().find(worked);
            works = works.or(locked.zip(work).map(|((name, lock), effect)| (name, lock, effect)));
            if locked.is_some() && self.moments.last() != Some(&step.id) {
                self.moments.push(step.id.clone());
            }
        }
        let Some((name, lock, effect)) = works else { return };
        self.moments.retain(|known| *known != step.id);
        let size = world.table(name).and_then(|table| table.bytes);
        let size =
            size.map_or_else(String::new, |bytes| format!(", {} kB by the catalog", bytes.div_ceil(1_024)));
        self.works.push(format!(
            "{} holds {} on {}{size}, while the server {}",
            step.id,
            lock.name(),
            name.plain(),
            effect.work.words()
        ));
    }

    fn told(&self, lock_timeout: std::time::Duration) -> String {
        let waits =
            format!("nobody waits longer than lock_timeout ({})", humantime::format_duration(lock_timeout));
        match (self.works.is_empty(), self.moments.is_empty()) {
            (true, true) => "no step takes a lock that queries or writes wait for".into(),
            (true, false) => format!("for a moment only ({}); {waits}", some(&self.moments)),
            (false, true) => format!("no table that is big or busy, but {}; {waits}", some(&self.works)),
            (false, false) => format!(
                "no table that is big or busy, but {}; the others for a moment ({}); {waits}",
                some(&self.works),
                some(&self.moments)
            ),
        }
    }
}
