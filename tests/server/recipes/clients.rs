//! Old and new clients at full speed, each with rows of its own and some that it shares with
//! itself as the other version: every write is remembered, every read must give what was written.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use super::Example;
use crate::harness::{Db, TestResult, check};

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// How many statements every client makes before the next command.
const STRETCH: u64 = 40;
/// Rows of each client.
const ROWS: i64 = 20;

/// The statements of one version of the application; `$1` is the row's id, `$2` a text that is
/// never the same twice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    /// Makes a row.
    pub insert: &'static str,
    /// Changes it.
    pub update: &'static [&'static str],
    /// What the text of the row is.
    pub read: &'static str,
}

/// What a client knows of its rows.
type Written = HashMap<i64, String>;

struct Lane {
    stop: Arc<AtomicBool>,
    done: watch::Receiver<u64>,
    task: JoinHandle<Result<Written, String>>,
}

/// The clients of one run.
pub(super) struct Clients<'a> {
    db: &'a Db,
    old: Version,
    new: Version,
    next: i64,
    old_lanes: Vec<Lane>,
    new_lanes: Vec<Lane>,
    /// Rows that both versions write, one after the other.
    both: Vec<Lane>,
    written: Written,
    did: u64,
}

impl<'a> Clients<'a> {
    pub(super) fn new(db: &'a Db, example: &Example) -> Self {
        // A run of its own ids.
        let next = i64::from(rand::random::<u32>()) * 1_000 + 1_000_000;
        Self {
            db,
            old: example.old,
            new: example.new,
            next,
            old_lanes: Vec::new(),
            new_lanes: Vec::new(),
            both: Vec::new(),
            written: Written::new(),
            did: 0,
        }
    }

    async fn lane(&mut self, versions: &[Version]) -> Result<Lane, Fault> {
        let client = self.db.connect().await?;
        let (stop, (did, done)) = (Arc::new(AtomicBool::new(false)), watch::channel(0));
        let first = self.next;
        self.next += ROWS;
        let work = work(client, versions.to_vec(), first, Arc::clone(&stop), did);
        Ok(Lane { stop, done, task: tokio::spawn(work) })
    }

    pub(super) async fn start_old(&mut self) -> TestResult {
        for _ in 0..2 {
            let lane = self.lane(&[self.old]).await?;
            self.old_lanes.push(lane);
        }
        self.go_on().await
    }

    /// New code, and rows that both write; once.
    pub(super) async fn start_new(&mut self) -> TestResult {
        if self.new_lanes.is_empty() {
            for _ in 0..2 {
                let lane = self.lane(&[self.new]).await?;
                self.new_lanes.push(lane);
            }
            let both = self.lane(&[self.old, self.new]).await?;
            self.both.push(both);
        }
        self.go_on().await
    }

    /// Waits until every client has done its stretch.
    pub(super) async fn go_on(&mut self) -> TestResult {
        for lane in self.old_lanes.iter_mut().chain(&mut self.new_lanes).chain(&mut self.both) {
            let until = *lane.done.borrow() + STRETCH;
            // It ends early where the client has something to say.
            if lane.done.wait_for(|done| *done >= until).await.is_err() {
                break;
            }
        }
        // One that has ended by itself has something to say.
        let ended = |lane: &Lane| lane.done.has_changed().is_err();
        if self.old_lanes.iter().chain(&self.new_lanes).chain(&self.both).any(ended) {
            self.stop_old().await?;
            self.stop_new().await?;
        }
        Ok(())
    }

    async fn stop(&mut self, lanes: Vec<Lane>) -> TestResult {
        for lane in &lanes {
            lane.stop.store(true, Ordering::SeqCst);
        }
        for lane in lanes {
            self.did += *lane.done.borrow();
            self.written.extend(lane.task.await??);
        }
        Ok(())
    }

    pub(super) async fn stop_old(&mut self) -> TestResult {
        let mut lanes = std::mem::take(&mut self.old_lanes);
        lanes.append(&mut self.both);
        self.stop(lanes).await
    }

    pub(super) async fn stop_new(&mut self) -> TestResult {
        let mut lanes = std::mem::take(&mut self.new_lanes);
        lanes.append(&mut self.both);
        self.stop(lanes).await
    }

    /// From now on the old version is what reads.
    pub(super) async fn as_old(&mut self) -> TestResult {
        self.new = self.old;
        Ok(())
    }

    /// Stops them all, and reads every row once more by the version that is left; how many
    /// statements they made.
    pub(super) async fn end(&mut self) -> Result<u64, Fault> {
        self.stop_old().await?;
        self.stop_new().await?;
        let client = self.db.connect().await?;
        let read = client.prepare(self.new.read).await?;
        for (id, text) in &self.written {
            let found: Option<String> = client.query_one(&read, &[id]).await?.get(0);
            check!(found.as_ref() == Some(text), "row {id}: {text} was written, {found:?} is there");
        }
        check!(!self.written.is_empty(), "nobody wrote anything");
        Ok(self.did)
    }
}

/// Writes and reads rows of its own by one version after the other.
async fn work(
    client: Client,
    versions: Vec<Version>,
    first: i64,
    stop: Arc<AtomicBool>,
    done: watch::Sender<u64>,
) -> Result<Written, String> {
    let mut written = Written::new();
    let mut n: usize = 0;
    while !stop.load(Ordering::SeqCst) {
        let version = versions[n % versions.len()];
        let id = first + i64::try_from(n / 3).unwrap_or(0) % ROWS;
        let text = format!("{id} {n}");
        let sql =
            if written.contains_key(&id) { version.update[n % version.update.len()] } else { version.insert };
        let failed = |sql: &str, error: tokio_postgres::Error| {
            let said = error.as_db_error().map_or_else(|| error.to_string(), |error| format!("{error:?}"));
            format!("{sql}: {said}")
        };
        let changed = client.execute(sql, &[&id, &text]).await.map_err(|error| failed(sql, error))?;
        if changed != 1 {
            return Err(format!("{sql} of {id} changed {changed} rows"));
        }
        written.insert(id, text.clone());
        // The other version reads it, where there is one.
        let reader = versions[(n + 1) % versions.len()].read;
        let row = client.query_one(reader, &[&id]).await.map_err(|error| failed(reader, error))?;
        let found: Option<String> = row.get(0);
        if found.as_ref() != Some(&text) {
            return Err(format!("{reader} of {id}: {text} was written by {sql}, {found:?} is there"));
        }
        done.send_modify(|done| *done += 1);
        n += 1;
    }
    Ok(written)
}
