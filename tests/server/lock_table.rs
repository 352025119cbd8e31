//! Every row of the lock table against a real server: the locks it takes, what
//! the server does under them, and whether it may share a transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use phase::core::ident::QName;
use phase::core::lint::table::{Row, SETTING, rows};
use phase::core::lint::{Effect, Lock, Mentions, effects, strongest};
use phase::core::sql::split;
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

    /// The tables whose indexes were built since the last call.
    fn built(&self, there: &There) -> BTreeSet<String> {
        let notices = std::mem::take(&mut *self.notices.lock().unwrap());
        let table = |notice: &String| {
            let (_, rest) = notice.split_once("building index ")?;
            let (_, table) = rest.split_once("on table \"")?;
            Some(table.split('"').next().unwrap_or_default().to_owned())
        };
        notices.iter().filter_map(table).filter(|table| there.contains_key(table)).collect()
    }
}

/// A relation as it was before the statement.
struct Relation {
    oid: u32,
    file: i64,
    /// Whether it is an index, which is locked beside its table.
    index: bool,
}

/// The relations of a schema, by name.
type There = BTreeMap<String, Relation>;

async fn relations(client: &Client, schema: &str) -> Result<There, Fault> {
    let sql = "SELECT relname::text, oid, coalesce(pg_relation_filenode(oid), 0)::bigint, relkind IN ('i', 'I') \
               FROM pg_class WHERE relnamespace = $1::text::regnamespace";
    let relation =
        |row: &tokio_postgres::Row| Relation { oid: row.get(1), file: row.get(2), index: row.get(3) };
    let rows = client.query(sql, &[&schema]).await?;
    Ok(rows.iter().map(|row| (row.get(0), relation(row))).collect())
}

/// The strongest lock that a backend holds or waits for, by the name that the
/// relation had before.
async fn locks(client: &Client, pid: i32, there: &There) -> Result<BTreeMap<String, Lock>, Fault> {
    let sql = "SELECT relation, mode FROM pg_locks WHERE pid = $1 AND locktype = 'relation'";
    let mut held = BTreeMap::new();
    for row in client.query(sql, &[&pid]).await? {
        let (oid, mode): (u32, String) = (row.get(0), row.get(1));
        let Some((name, _)) = there.iter().find(|(_, relation)| relation.oid == oid) else { continue };
        let (name, lock) = (name.clone(), Lock::of_mode(&mode));
        let lock = lock.ok_or_else(|| format!("no lock is called {mode}"))?;
        let entry = held.entry(name).or_insert(lock);
        *entry = (*entry).max(lock);
    }
    Ok(held)
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
    let before = relations(&traced.client, &schema).await?;
    traced.client.batch_execute("SET client_min_messages = debug1").await?;
    traced.built(&before);
    if row.alone {
        alone(db, &traced, row, &effects, &schema, &before).await?;
    } else {
        shared(&traced, row, &effects, &before).await?;
    }
    let after = relations(&traced.client, &schema).await?;
    let file = |there: &There, name: &String| there.get(name).map(|relation| relation.file);
    // What is gone, or has another name, was not written anew.
    let changed = |name: &String| file(&after, name).is_some_and(|new| file(&before, name) != Some(new));
    let wanted = wanted(&effects);
    let rewritten = before.keys().filter(|name| wanted.contains_key(*name)).any(changed);
    // TRUNCATE and REINDEX give a new file without writing rows anew.
    let fresh = ["truncate", "reindex-index"].contains(&row.id);
    same!(rewritten, row.work.rewrites || fresh, "whether the table is written anew");
    Ok(())
}

fn wanted(effects: &[Effect]) -> BTreeMap<String, Lock> {
    let plain = |(name, lock): (QName, Lock)| (name.name.as_str().to_owned(), lock);
    strongest(effects).into_iter().map(plain).collect()
}

/// Runs the statement in a transaction and looks at what that holds.
async fn shared(traced: &Traced, row: &Row, effects: &[Effect], before: &There) -> TestResult {
    let client = &traced.client;
    let pid: i32 = value(client, "SELECT pg_backend_pid()").await?.parse()?;
    // What earlier statements read may not have been reported yet: only the difference counts.
    let reads = "SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_xact_user_tables WHERE schemaname = current_schema() \
                 AND relname = ANY ($1)";
    let old: Vec<&String> = before.keys().collect();
    client.batch_execute("BEGIN").await?;
    let read_before: i64 = client.query_one(reads, &[&old]).await?.get(0);
    client.batch_execute(row.example.sql).await?;
    let held = locks(client, pid, before).await?;
    let read = client.query_one(reads, &[&old]).await?.get::<_, i64>(0) > read_before;
    client.batch_execute("COMMIT").await?;
    let claimed = wanted(effects);
    for (relation, lock) in &claimed {
        same!(held.get(relation), Some(lock), "the lock on {relation}, of {held:?}");
    }
    // Indexes are locked beside their tables; ACCESS SHARE stands in nobody's way.
    let unsaid = held.iter().find(|(name, lock)| {
        !claimed.contains_key(*name) && !before[*name].index && **lock > Lock::AccessShare
    });
    check!(unsaid.is_none(), "{unsaid:?} as well");
    let built = traced.built(before);
    // TRUNCATE makes the indexes anew, over no rows: a matter of a moment.
    if row.id == "truncate" {
        return Ok(());
    }
    same!(!built.is_empty(), row.work.builds, "whether an index is built: {built:?}");
    if !row.work.rewrites {
        same!(read, row.work.scans || row.work.builds, "whether every row is read");
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
    before: &There,
) -> TestResult {
    let client = &traced.client;
    client.batch_execute("BEGIN").await?;
    let refused = client.batch_execute(row.example.sql).await;
    client.batch_execute("ROLLBACK").await?;
    let code = refused.err().and_then(|error| error.code().map(|code| code.code().to_owned()));
    same!(code.as_deref(), Some("25001"), "it must not run in a transaction block");
    let pid: i32 = value(client, "SELECT pg_backend_pid()").await?.parse()?;
    let other = db.connect().await?;
    let claimed = wanted(effects);
    if let Some((relation, lock)) = claimed.iter().next_back() {
        other
            .batch_execute(&format!("BEGIN; LOCK TABLE {schema}.{relation} IN SHARE UPDATE EXCLUSIVE MODE"))
            .await?;
        let look = async {
            let started = Instant::now();
            loop {
                let waits =
                    "SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted AND locktype = 'relation'";
                let waiting: i64 = other.query_one(waits, &[&pid]).await?.get(0);
                if waiting > 0 {
                    break;
                }
                check!(started.elapsed() < Duration::from_secs(15), "it never waited for {relation}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let held = locks(&other, pid, before).await?;
            same!(held.get(relation), Some(lock), "the lock on {relation}, of {held:?}");
            for (relation, lock) in &claimed {
                same!(held.get(relation), Some(lock), "the lock on {relation}, of {held:?}");
            }
            other.batch_execute("COMMIT").await?;
            Ok::<(), Fault>(())
        };
        let (ran, looked) = tokio::join!(client.batch_execute(row.example.sql), async {
            let looked = look.await;
            if looked.is_err() {
                let _ = other.batch_execute("ROLLBACK").await;
            }
            looked
        });
        looked?;
        ran?;
    } else {
        client.batch_execute(row.example.sql).await?;
    }
    Ok(())
}
