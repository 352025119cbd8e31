//! Every row of the lock table against a real server: the locks it takes, what
//! the server does under them, and whether it may share a transaction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use phase::core::ident::{Ident, QName};
use phase::core::lint::table::{Row, SETTING, rows};
use phase::core::lint::{Effect, Inspected, Lock, Mentions, effects, strongest};
use phase::core::rehearse::{Look, Sighting, Verdict, compare, sighting};
use phase::core::sql::split;
use phase::pg::trace::look;
use phase::pg::world::world;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::harness::{Db, TestResult, check, same, tests, value};

tests![every_row_takes_the_locks_and_does_the_work_that_it_says];

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// A session whose notices are kept.
struct Traced {
    client: Client,
    notices: Arc<Mutex<Vec<String>>>,
}

impl Traced {
    async fn open(db: &Db, schema: &str) -> Result<Self, Fault> {
        let (client, mut connection) = tokio_postgres::connect(&db.url, NoTls).await?;
        let notices = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&notices);
        tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notice(notice) = message {
                    kept.lock().unwrap().push(notice.message().to_owned());
                }
            }
        });
        client.batch_execute(&format!("SET search_path = {schema}, public")).await?;
        Ok(Self { client, notices })
    }

    /// Statement by statement: some cannot share a transaction.
    async fn prepare(&self, sql: &str) -> Result<(), Fault> {
        for statement in split(sql)? {
            let sent = self.client.batch_execute(&statement.text).await;
            sent.map_err(|error| format!("{}: {error:?}", statement.text))?;
        }
        Ok(())
    }

    /// What the server said since the last call.
    fn said(&self) -> Vec<String> {
        std::mem::take(&mut *self.notices.lock().unwrap())
    }
}

/// The relations of a row's schema, with the locks that a backend holds or waits for;
/// the same look that a rehearsal takes.
async fn relations(client: &Client, pid: i32, schema: &str) -> Result<Look, Fault> {
    let mut all = look(client, pid, &Ident::parse("phase")?).await?;
    all.relations.retain(|_, relation| relation.name.schema == schema);
    Ok(all)
}

/// A session whose notices are kept, for a test beside this one.
pub(crate) async fn traced(db: &Db) -> Result<(Client, Arc<Mutex<Vec<String>>>), Fault> {
    let Traced { client, notices } = Traced::open(db, "public").await?;
    Ok((client, notices))
}

/// The locks that are held on what stood before.
fn held(seen: &Sighting) -> BTreeMap<String, Lock> {
    seen.held.iter().map(|(name, lock)| (name.name.clone(), *lock)).collect()
}

async fn every_row_takes_the_locks_and_does_the_work_that_it_says(db: Db) -> TestResult {
    let mut faults = Vec::new();
    let mut tried = 0;
    for (n, row) in rows().enumerate().filter(|(_, row)| (row.since..=row.until).contains(&db.major)) {
        tried += 1;
        if let Err(fault) = try_row(&db, row, n).await {
            faults.push(format!("{}: {fault}", row.id));
        }
    }
    check!(tried >= 80, "only {tried} rows were tried");
    check!(
        faults.is_empty(),
        "{} of {tried} rows are not as the table says:\n{}",
        faults.len(),
        faults.join("\n")
    );
    Ok(())
}

async fn try_row(db: &Db, row: &Row, n: usize) -> TestResult {
    let schema = format!("row_{n}");
    let traced = Traced::open(db, &schema).await?;
    traced.client.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
    traced.prepare(SETTING).await?;
    traced.prepare(row.example.setup).await?;
    traced.client.batch_execute("ANALYZE").await?;
    let version: u32 = value(&traced.client, "SHOW server_version_num").await?.parse()?;
    let statement = split(row.example.sql)?.pop().ok_or("no statement")?;
    let known = world(&traced.client, version, &Mentions::of(&statement.changes)).await?;
    let effects = effects(&statement, &known);
    let met: Vec<&str> = effects.iter().filter_map(|effect| effect.row).map(|row| row.id).collect();
    check!(met.contains(&row.id), "the catalog leads to {met:?}");
    let pid: i32 = value(&traced.client, "SELECT pg_backend_pid()").await?.parse()?;
    traced.client.batch_execute("SET client_min_messages = debug1").await?;
    traced.said();
    let seen = if row.alone {
        alone(db, &traced, row, &effects, &schema, pid).await?
    } else {
        shared(&traced, row, &effects, &schema, pid).await?
    };
    // TRUNCATE gives a new file without writing rows anew.
    same!(
        !seen.rewritten.is_empty(),
        row.work.rewrites || row.id == "truncate",
        "whether the table is written anew"
    );
    // A rehearsal of this statement would say the same.
    let compared = compare(&[Inspected { statement, effects }], &[seen], false);
    let opaque = row.id == "opaque" || row.id == "unknown";
    check!(opaque || compared.verdict == Verdict::AsPredicted, "a rehearsal says {compared:?}");
    let milder = compared.locks.iter().find(|line| line.milder());
    check!(milder.is_none(), "a rehearsal says {milder:?}");
    Ok(())
}

fn wanted(effects: &[Effect]) -> BTreeMap<String, Lock> {
    let plain = |(name, lock): (QName, Lock)| (name.name.as_str().to_owned(), lock);
    strongest(effects).into_iter().map(plain).collect()
}

/// Runs the statement in a transaction and looks at what that holds.
async fn shared(
    traced: &Traced,
    row: &Row,
    effects: &[Effect],
    schema: &str,
    pid: i32,
) -> Result<Sighting, Fault> {
    let client = &traced.client;
    client.batch_execute("BEGIN").await?;
    let before = relations(client, pid, schema).await?;
    client.batch_execute(row.example.sql).await?;
    let after = relations(client, pid, schema).await?;
    client.batch_execute("COMMIT").await?;
    let seen = sighting(&before, &after, &traced.said(), Duration::ZERO);
    let (held, claimed) = (held(&seen), wanted(effects));
    for (relation, lock) in &claimed {
        same!(held.get(relation), Some(lock), "the lock on {relation}, of {held:?}");
    }
    // Indexes are locked beside their tables; ACCESS SHARE stands in nobody's way.
    let index = |name: &str| seen.indexes.iter().any(|index| index.name == name);
    let unsaid = held
        .iter()
        .find(|(name, lock)| !claimed.contains_key(*name) && !index(name) && **lock > Lock::AccessShare);
    check!(unsaid.is_none(), "{unsaid:?} as well");
    // TRUNCATE makes the indexes anew, over no rows: a matter of a moment.
    if row.id == "truncate" {
        return Ok(seen);
    }
    same!(!seen.built.is_empty(), row.work.builds, "whether an index is built: {:?}", seen.built);
    if !row.work.rewrites {
        same!(!seen.read.is_empty(), row.work.scans || row.work.builds, "whether every row is read");
    }
    Ok(seen)
}

/// Awaits that a backend waits for a lock of a mode on a relation.
async fn waits_for(client: &Client, pid: i32, relation: &str, mode: &str) -> TestResult {
    let started = Instant::now();
    let waits = "SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted AND locktype = 'relation' AND mode LIKE $2";
    while client.query_one(waits, &[&pid, &mode]).await?.get::<_, i64>(0) == 0 {
        check!(started.elapsed() < Duration::from_secs(15), "it never waited for {mode} of {relation}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Runs the statement outside of any transaction, behind a lock that makes it wait.
async fn alone(
    db: &Db,
    traced: &Traced,
    row: &Row,
    effects: &[Effect],
    schema: &str,
    pid: i32,
) -> Result<Sighting, Fault> {
    let client = &traced.client;
    client.batch_execute("BEGIN").await?;
    let refused = client.batch_execute(row.example.sql).await;
    client.batch_execute("ROLLBACK").await?;
    let code = refused.err().and_then(|error| error.code().map(|code| code.code().to_owned()));
    same!(code.as_deref(), Some("25001"), "it must not run in a transaction block");
    let other = db.connect().await?;
    other.batch_execute(&format!("SET search_path = {schema}, public")).await?;
    let before = relations(&other, pid, schema).await?;
    let mut waiting = before.clone();
    let claimed = wanted(effects);
    // What only the last of its transactions takes must wait once more.
    let last = db.connect().await?;
    let whole = claimed.iter().find(|(_, lock)| **lock == Lock::AccessExclusive);
    if let Some((relation, _)) = whole {
        last.batch_execute(&format!("BEGIN; LOCK TABLE {schema}.{relation} IN ACCESS SHARE MODE")).await?;
    }
    if let Some((relation, _)) = claimed.iter().next_back() {
        other
            .batch_execute(&format!("BEGIN; LOCK TABLE {schema}.{relation} IN SHARE UPDATE EXCLUSIVE MODE"))
            .await?;
        let look = async {
            waits_for(&other, pid, relation, "%").await?;
            waiting = relations(&other, pid, schema).await?;
            other.batch_execute("COMMIT").await?;
            if let Some((relation, _)) = whole {
                waits_for(&other, pid, relation, "AccessExclusiveLock").await?;
                for (id, lock) in relations(&other, pid, schema).await?.locks {
                    let known = waiting.locks.entry(id).or_insert(lock);
                    *known = (*known).max(lock);
                }
                last.batch_execute("COMMIT").await?;
            }
            let held = held(&sighting(&before, &waiting, &[], Duration::ZERO));
            for (relation, lock) in &claimed {
                same!(held.get(relation), Some(lock), "the lock on {relation}, of {held:?}");
            }
            Ok::<(), Fault>(())
        };
        let (ran, looked) = tokio::join!(client.batch_execute(row.example.sql), async {
            let looked = look.await;
            if looked.is_err() {
                let _ = other.batch_execute("ROLLBACK").await;
                let _ = last.batch_execute("ROLLBACK").await;
            }
            looked
        });
        looked?;
        ran?;
    } else {
        client.batch_execute(row.example.sql).await?;
    }
    let mut after = relations(&other, pid, schema).await?;
    after.locks = waiting.locks;
    Ok(sighting(&before, &after, &traced.said(), Duration::ZERO))
}
