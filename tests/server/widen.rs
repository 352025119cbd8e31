//! `widen_key` on a big table with three inbound foreign keys and views over them, beside clients at full speed: no
//! statement fails or waits longer than lock_timeout and a little, no write is lost, and the numbers
//! go on past the end of the old type. `PHASE_WIDEN_ROWS` says how many rows the table has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::harness::{Db, TestResult, check, same, tests, until};

tests![a_key_is_widened_beside_load];

type Fault = Box<dyn std::error::Error + Send + Sync>;

const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// What a statement may wait beyond that.
const MARGIN: Duration = Duration::from_millis(300);
const CLIENTS: usize = 6;

/// One statement each, with the client's own generator of random numbers; `$1` is a key that is there,
/// `$2` another.
const STATEMENTS: [&str; 9] = [
    "UPDATE accounts SET hits = hits + 1 WHERE id = $1::bigint AND $2::bigint > 0",
    "WITH account AS (INSERT INTO accounts (hits) VALUES (1) RETURNING id),
        card AS (INSERT INTO cards (account_id) SELECT id FROM account),
        payment AS (INSERT INTO payments (account_id, amount) SELECT id, 1 FROM account)
        INSERT INTO friends (one, other) SELECT id, $1::bigint FROM account WHERE $2::bigint > 0",
    "INSERT INTO payments (account_id, amount) VALUES ($1::bigint, 1 + $2::bigint * 0)",
    "UPDATE payments SET account_id = $2::bigint WHERE n = (SELECT min(n) FROM payments WHERE account_id = $1::bigint)",
    "INSERT INTO accounts (id, hits) VALUES ($1::bigint, 1 + $2::bigint * 0) ON CONFLICT (id) DO UPDATE SET hits = accounts.hits + 1",
    "DELETE FROM cards WHERE account_id = $1::bigint AND $2::bigint % 10 = 0",
    "SELECT FROM accounts a LEFT JOIN cards c ON c.account_id = a.id LEFT JOIN payments p ON p.account_id = a.id
        LEFT JOIN friends f ON f.one = a.id WHERE a.id = $1::bigint AND $2::bigint > 0",
    "UPDATE seen SET hits = hits + 1 WHERE id = $1::bigint AND $2::bigint > 0",
    "SELECT FROM friendly y JOIN seen s USING (id) WHERE y.id = $1::bigint AND $2::bigint > 0",
];
/// Which of them add one to the sum of hits, each time that they do anything.
const HITS: [usize; 4] = [0, 1, 4, 7];

fn tables(rows: u32) -> String {
    format!(
        "CREATE TABLE accounts (id serial PRIMARY KEY, hits int NOT NULL DEFAULT 0);
        CREATE TABLE cards (account_id int PRIMARY KEY REFERENCES accounts ON DELETE CASCADE, label text);
        CREATE TABLE payments (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL REFERENCES accounts, amount int);
        CREATE TABLE friends (one int NOT NULL REFERENCES accounts, other int NOT NULL, PRIMARY KEY (one, other));
        INSERT INTO accounts (hits) SELECT 0 FROM generate_series(1, {rows});
        INSERT INTO cards SELECT g FROM generate_series(1, {rows}, 5) g;
        INSERT INTO payments (account_id, amount) SELECT g, 1 FROM generate_series(1, {rows}, 2) g;
        INSERT INTO friends SELECT g, g + 1 FROM generate_series(1, {rows}, 3) g;
        CREATE INDEX ON payments (account_id);
        CREATE VIEW seen AS SELECT id, hits FROM accounts WHERE id > 0;
        CREATE VIEW labels AS SELECT c.account_id, c.label, s.hits FROM cards c JOIN seen s ON s.id = c.account_id;
        CREATE VIEW friendly AS SELECT a.id, a.hits, l.label, count(f.one) AS many
            FROM accounts a LEFT JOIN labels l ON l.account_id = a.id LEFT JOIN friends f ON f.one = a.id GROUP BY a.id, l.label;
        ANALYZE"
    )
}

const PLAN: &str = "
change:
  - widen_key: {table: accounts, column: id}
keep: 1d
";

/// What a client saw.
struct Seen {
    statements: u64,
    hits: u64,
    /// How long, of which statement, and when it had its answer.
    longest: (Duration, &'static str, Instant),
}

fn client(client: Client, rows: u32, stop: Arc<AtomicBool>) -> JoinHandle<Result<Seen, String>> {
    tokio::spawn(async move {
        let mut seen = Seen { statements: 0, hits: 0, longest: (Duration::ZERO, "", Instant::now()) };
        while !stop.load(Ordering::SeqCst) {
            let (kind, key, other) = {
                let mut random = rand::rng();
                let rows = i64::from(rows);
                (
                    random.random_range(0..STATEMENTS.len()),
                    random.random_range(1..=rows),
                    random.random_range(1..=rows),
                )
            };
            let sql = STATEMENTS[kind];
            let began = Instant::now();
            let done = client.execute(sql, &[&key, &other]).await;
            let took = began.elapsed();
            let done = done.map_err(|error| {
                format!(
                    "{sql}: {}",
                    error.as_db_error().map_or_else(|| error.to_string(), |db| format!("{db:?}"))
                )
            })?;
            if took > seen.longest.0 {
                seen.longest = (took, sql, Instant::now());
            }
            seen.statements += 1;
            if HITS.contains(&kind) && done > 0 {
                seen.hits += 1;
            }
        }
        Ok(seen)
    })
}

async fn a_key_is_widened_beside_load(db: Db) -> TestResult {
    let rows = std::env::var("PHASE_WIDEN_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    db.run(&tables(rows)).await?;
    db.file("plans/1_p.yaml", PLAN)?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(client(db.connect().await?, rows, Arc::clone(&stop)));
    }
    let began = Instant::now();
    let mut spans = Vec::new();
    for state in ["expanded", "backfilled", "validated", "contracted"] {
        let ended = db.phase(&["advance", "1", "--to", state, "--quiet"]).await?;
        check!(ended.code == Some(0), "{state}: {ended:?}");
        spans.push(format!("{state} after {:.1?}", began.elapsed()));
    }
    // The sequence goes on past the end of the old type; there is no way back then.
    db.run("SELECT setval('accounts_id_seq', 2147483640)").await?;
    spans.push(format!("number set after {:.1?}", began.elapsed()));
    let past = "SELECT count(*) > 20 FROM accounts WHERE id > 2147483647";
    until(&db.connect().await?, past).await?;
    spans.push(format!("past the end after {:.1?}", began.elapsed()));
    let ended = db.phase(&["abort", "1", "--quiet"]).await?;
    spans.push(format!("abort refused after {:.1?}", began.elapsed()));
    check!(ended.code != Some(0), "{ended:?}");
    check!(ended.stderr.contains("has numbers that integer cannot hold"), "{ended:?}");
    same!(
        db.value("SELECT state || ' ' || goal FROM phase.item WHERE version = '1'").await?,
        "contracted contracted"
    );
    let ended = db.phase(&["purge", "1", "--now", "--quiet"]).await?;
    check!(ended.code == Some(0), "{ended:?}");
    spans.push(format!("completed after {:.1?}", began.elapsed()));
    stop.store(true, Ordering::SeqCst);
    let (mut statements, mut hits, mut longest) = (0, 0, (Duration::ZERO, "", began));
    for client in clients {
        let seen = client.await?.map_err(Fault::from)?;
        statements += seen.statements;
        hits += seen.hits;
        longest = longest.max(seen.longest);
    }
    println!(
        "{rows} rows: {}; {statements} statements of {CLIENTS} clients, none failed, the longest {:.0?}, until {:.1?}: {}",
        spans.join(", "),
        longest.0,
        longest.2 - began,
        longest.1
    );
    check!(longest.0 <= LOCK_TIMEOUT + MARGIN, "{} took {:.0?}", longest.1, longest.0);
    same!(db.value("SELECT sum(hits)::text FROM accounts").await?, hits.to_string());
    same!(
        db.value(
            "SELECT string_agg(DISTINCT format_type(atttypid, NULL), ',') FROM pg_attribute
            WHERE attname IN ('id', 'account_id', 'one') AND attrelid IN ('accounts'::regclass, 'cards'::regclass, 'payments'::regclass, 'friends'::regclass)"
        )
        .await?,
        "bigint"
    );
    let views =
        "SELECT string_agg(a.attrelid::regclass || '.' || a.attname, ' ' ORDER BY c.relname) FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace
        WHERE a.atttypid = 'bigint'::regtype AND a.attname IN ('id', 'account_id')";
    same!(db.value(views).await?, "friendly.id labels.account_id seen.id");
    same!(db.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated AND confrelid = 'accounts'::regclass").await?, "3");
    Ok(())
}
