//! Looks at the relations of a database, and at the locks of backends: once, or again and
//! again while a command runs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Row};

use crate::core::failure::Failure;
use crate::core::ident::Ident;
use crate::core::lint::Lock;
use crate::core::rehearse::{Look, Name, Relation};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// The relations of a database, with the locks of one backend.
///
/// # Errors
/// When the server cannot be asked.
pub async fn look(client: &Client, pid: i32, metadata: &Ident) -> Result<Look, Failure> {
    let rows = client.query(q::REHEARSE_LOOK, &[&metadata.as_str()]).await;
    let relation = |row: &Row| {
        let kind: String = row.get("kind");
        let name = Name { schema: row.get("schema"), name: row.get("name"), visible: row.get("visible") };
        let relation = Relation {
            name,
            kind: kind.chars().next().unwrap_or('?'),
            file: row.get("file"),
            scans: row.get("scans"),
            rows_read: row.get("rows_read"),
        };
        (row.get("id"), relation)
    };
    let relations = rows.map_err(|error| failure(&error))?.iter().map(relation).collect();
    let mut locks = BTreeMap::new();
    merge(&mut locks, client, &[pid]).await?;
    Ok(Look { relations, locks })
}

/// The locks of some backends at a moment.
pub(super) struct Locks {
    /// Those on relations; whether each is held, or waited for.
    of: Vec<(u32, Lock, bool)>,
    /// The strongest that one of them waits for, be it of a relation or of anything else.
    pub(super) waits: Option<Lock>,
}

impl Locks {
    /// Those that are held and those that are waited for.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, Lock)> {
        self.of.iter().map(|(id, lock, _)| (*id, *lock))
    }
}

/// Looks at the locks of some backends.
pub(super) async fn locks(client: &Client, pids: &[i32]) -> Result<Locks, Failure> {
    let rows = client.query(q::REHEARSE_HELD, &[&pids]).await.map_err(|error| failure(&error))?;
    let lock = |row: &Row| {
        let (id, mode): (Option<u32>, String) = (row.get("id"), row.get("mode"));
        Some((id?, Lock::of_mode(&mode)?, row.get("granted")))
    };
    let waits = rows.iter().filter(|row| !row.get::<_, bool>("granted"));
    Ok(Locks {
        of: rows.iter().filter_map(lock).collect(),
        waits: waits.filter_map(|row| Lock::of_mode(row.get("mode"))).max(),
    })
}

/// Adds the locks that some backends hold or wait for; the strongest that one of them
/// waits for.
pub(super) async fn merge(
    held: &mut BTreeMap<u32, Lock>,
    client: &Client,
    pids: &[i32],
) -> Result<Option<Lock>, Failure> {
    let seen = locks(client, pids).await?;
    strongest(held, seen.all());
    Ok(seen.waits)
}

/// How long each relation is held in a mode that queries or writes wait for, look by look: a
/// command outside of transactions has several of its own.
#[derive(Default)]
pub(super) struct Spans {
    since: BTreeMap<u32, Instant>,
    longest: BTreeMap<u32, Duration>,
}

impl Spans {
    /// What is held at a moment.
    pub(super) fn now(&mut self, at: Instant, seen: &Locks) {
        let in_the_way = |lock: Lock| lock.blocks_reads() || lock.blocks_writes();
        let held: Vec<u32> =
            seen.of.iter().filter(|(_, lock, held)| *held && in_the_way(*lock)).map(|(id, ..)| *id).collect();
        let over: Vec<u32> = self.since.keys().filter(|id| !held.contains(*id)).copied().collect();
        over.into_iter().for_each(|id| self.over(id, at));
        for id in held {
            self.since.entry(id).or_insert(at);
        }
    }

    fn over(&mut self, id: u32, at: Instant) {
        if let Some(since) = self.since.remove(&id) {
            let entry = self.longest.entry(id).or_default();
            *entry = (*entry).max(at - since);
        }
    }

    /// The longest span of each, at the end of all of them.
    pub(super) fn end(mut self, at: Instant) -> BTreeMap<u32, Duration> {
        let open: Vec<u32> = self.since.keys().copied().collect();
        open.into_iter().for_each(|id| self.over(id, at));
        self.longest
    }
}

pub(super) fn strongest(held: &mut BTreeMap<u32, Lock>, more: impl IntoIterator<Item = (u32, Lock)>) {
    for (id, lock) in more {
        let entry = held.entry(id).or_insert(lock);
        *entry = (*entry).max(lock);
    }
}

pub(super) fn with_locks(look: &Look, locks: &BTreeMap<u32, Lock>) -> Look {
    Look { relations: look.relations.clone(), locks: locks.clone() }
}
