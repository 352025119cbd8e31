//! A whole plan beside pgbench and a report that keeps its transaction open: every step
//! gets through, no statement of the load waits longer than lock_timeout and a little, and
//! no build leaves an invalid index. `PHASE_REPORT_SECONDS` says how long the report takes.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use phase::throwaway::ServerBinaries;
use tokio::process::{Child, Command};

use crate::harness::{Db, TestResult, check, same, tests};

tests![a_whole_plan_gets_through_beside_load_and_a_long_report];

type Fault = Box<dyn std::error::Error + Send + Sync>;

const LOCK_TIMEOUT: Duration = Duration::from_millis(500);
/// What a statement may wait beyond that.
const MARGIN: Duration = Duration::from_millis(200);
/// Transactions a second; each is one statement.
const RATE: &str = "300";
/// How much longer the load lasts than the report.
const LONGER: u64 = 12;

/// One statement each, so that what pgbench times is what a statement waited.
const STATEMENTS: [&str; 3] = [
    "\\set id random(1, 20000)\nSELECT total, note FROM orders WHERE id = :id;\n",
    "\\set id random(1, 20000)\nUPDATE orders SET total = total + 1 WHERE id = :id;\n",
    "\\set user random(1, 500)\nINSERT INTO orders (user_id, total) VALUES (:user, 1);\n",
];

const TABLES: &str = "CREATE TABLE users (id int PRIMARY KEY, name text); \
    INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 500) i; \
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int NOT NULL, total int NOT NULL, \
      note text, old int); \
    INSERT INTO orders (user_id, total) SELECT 1 + i % 500, i FROM generate_series(1, 20000) i; \
    ANALYZE orders";

/// Every kind of step that asks for a lock.
const PLAN: &str = r#"
settings: {lock_timeout: 500ms, statement_timeout: 2s, lock_wait_max: 10m}
expand:
  - sql: ALTER TABLE orders ADD COLUMN currency text
    undo: ALTER TABLE orders DROP COLUMN currency
  - sync: {table: orders, set: {currency: "'EUR'"}}
  - sql: ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID
    undo: ALTER TABLE orders DROP CONSTRAINT orders_user
    lint: {allow: [{rule: foreign-key-index, reason: the index comes in validate}]}
backfill:
  - {table: orders, set: {currency: "'EUR'"}, where: currency IS NULL}
validate:
  - index: {table: orders, columns: [user_id], name: orders_user_id}
  - sql: ALTER TABLE orders VALIDATE CONSTRAINT orders_user
  - not_null: {table: orders, column: currency}
  - sql: ALTER TABLE orders ALTER COLUMN currency SET DEFAULT 'EUR'
    undo: ALTER TABLE orders ALTER COLUMN currency DROP DEFAULT
contract:
  - drop_column: {table: orders, column: old}
"#;

async fn a_whole_plan_gets_through_beside_load_and_a_long_report(db: Db) -> TestResult {
    let seconds = std::env::var("PHASE_REPORT_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    db.run(TABLES).await?;
    db.file("plans/1_p.yaml", PLAN)?;
    let load = Load::start(&db, 2 * seconds + LONGER)?;
    let mut spans = Vec::new();
    // The first report stands in the way of every ALTER TABLE, the second of the build as well.
    for goal in ["backfilled", "contracted"] {
        let report = db.connect().await?;
        report
            .batch_execute(
                "SET application_name = 'report'; BEGIN ISOLATION LEVEL REPEATABLE READ; \
                 SELECT count(*) FROM orders JOIN users ON users.id = user_id",
            )
            .await?;
        let since = Instant::now();
        let reporting = tokio::spawn(async move {
            report.batch_execute(&format!("SELECT pg_sleep({seconds}); COMMIT")).await
        });
        let mut command = db.command(&["advance", "1", "--to", goal]);
        // What a role or a database sets must not reach a build: it would leave an invalid index.
        command.env("PGOPTIONS", "-c lock_timeout=50 -c statement_timeout=200");
        let ended = crate::harness::Ended::of(&command.output().await?).expect(0)?;
        spans.push(since.elapsed());
        reporting.await??;
        check!(
            spans.iter().all(|took| took.as_secs() >= seconds),
            "it did not wait for the report: {spans:?}"
        );
        check!(ended.stderr.contains("application report"), "the report was not named: {ended:?}");
    }
    same!(db.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid").await?, "0");
    let (longest, statements) = load.end().await?;
    let told = db.value("SELECT max(longest_wait_ms) FROM phase.impact").await?;
    println!(
        "two reports of {seconds} s: the two halves of the plan took {spans:.1?}; {statements} statements of the load, the longest {longest:.0?}; \
         the longest wait on record: at most {told} ms"
    );
    check!(statements > seconds * 100, "only {statements} statements");
    let limit = LOCK_TIMEOUT + MARGIN;
    check!(longest <= limit, "a statement took {longest:?}, more than {limit:?}; on record: {told} ms");
    check!(told.parse::<u128>()? <= limit.as_millis(), "on record: {told} ms");
    same!(db.value("SELECT count(*) FROM orders WHERE currency IS NULL").await?, "0");
    Ok(())
}

/// pgbench under way.
struct Load {
    child: Child,
    folder: tempfile::TempDir,
}

impl Load {
    fn start(db: &Db, seconds: u64) -> Result<Self, Fault> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(pgbench());
        for (n, statement) in STATEMENTS.iter().enumerate() {
            let script = folder.path().join(format!("{n}.sql"));
            std::fs::write(&script, statement)?;
            command.arg("-f").arg(script);
        }
        let child = command
            .args(["-n", "-c", "6", "-j", "2", "-R", RATE, "-l", "--log-prefix=log", "-U", "postgres"])
            .args(["-T", &seconds.to_string(), "-h"])
            .arg(&db.socket)
            .arg(&db.name)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { child, folder })
    }

    /// The longest statement, and how many there were; each must have succeeded.
    async fn end(self) -> Result<(Duration, u64), Fault> {
        let output: Output = self.child.wait_with_output().await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        check!(output.status.success() && !said.contains("ERROR"), "a statement of the load failed: {said}");
        let (mut longest, mut statements) = (Duration::ZERO, 0);
        for entry in std::fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log.")) {
                for took in took(&path)? {
                    longest = longest.max(took);
                    statements += 1;
                }
            }
        }
        Ok((longest, statements))
    }
}

/// How long each statement of a log took, without the time that it began late.
fn took(log: &Path) -> Result<Vec<Duration>, Fault> {
    let line = |line: &str| {
        // client, transaction, microseconds, script, second, microsecond, microseconds late
        let fields: Vec<u64> = line.split(' ').filter_map(|field| field.parse().ok()).collect();
        match fields[..] {
            [_, _, took, _, _, _, late] => Ok(Duration::from_micros(took.saturating_sub(late))),
            _ => Err(Fault::from(format!("{}: {line}", log.display()))),
        }
    };
    std::fs::read_to_string(log)?.lines().map(line).collect()
}

/// It comes with the server, or with its contrib package.
fn pgbench() -> PathBuf {
    let beside = ServerBinaries::find().ok().map(|binaries| binaries.program("pgbench"));
    beside.filter(|program| program.is_file()).unwrap_or_else(|| PathBuf::from("pgbench"))
}
