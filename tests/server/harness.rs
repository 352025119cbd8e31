//! Owns what every test gets: a database of its own, a project folder, the
//! binary, and a time limit.

use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use phase::throwaway::{Cluster, ServerBinaries};
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls};

/// What a test gives.
pub(crate) type TestResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// How long a test may take; far more than any needs.
const LIMIT: Duration = Duration::from_secs(300);
/// Where a test is told to do more than in `make test`, in seconds.
const LONGER: &str = "PHASE_TEST_SECONDS";

/// One test.
#[derive(Clone, Copy)]
pub(crate) struct Test {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Db) -> Pin<Box<dyn Future<Output = TestResult>>>,
}

/// Lists tests of a module.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        pub(crate) fn tests() -> Vec<crate::harness::Test> {
            vec![$(crate::harness::Test { name: stringify!($name), run: |db| Box::pin($name(db)) }),*]
        }
    };
}
pub(crate) use tests;

/// Fails a test with a message unless a condition holds.
macro_rules! check {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!("{} ({}:{})", format!($($message)+), file!(), line!()).into());
        }
    };
}
pub(crate) use check;

/// Fails a test unless two values are equal.
macro_rules! same {
    ($left:expr, $right:expr $(, $($message:tt)+)?) => {{
        let (left, right) = (&$left, &$right);
        if left != right {
            let note = String::new() $(+ &format!($($message)+))?;
            return Err(format!("left: {left:?}\nright: {right:?}\n{note} ({}:{})", file!(), line!()).into());
        }
    }};
}
pub(crate) use same;

/// A cluster that tests share.
pub(crate) struct Server {
    cluster: Cluster,
    pub(crate) binaries: ServerBinaries,
    count: AtomicU64,
}

impl Server {
    pub(crate) fn new(cluster: Cluster, binaries: ServerBinaries) -> Self {
        Self { cluster, binaries, count: AtomicU64::new(0) }
    }
}

/// Runs one test in a database of its own.
pub(crate) fn run(server: &Server, test: &Test) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let result = runtime.block_on(async {
        let name = format!("t{}_{}", server.count.fetch_add(1, Ordering::SeqCst), test.name);
        let db = Db::create(server, &name).await.map_err(|error| error.to_string())?;
        let admin = server.cluster.url("postgres");
        let longer = std::env::var(LONGER).ok().and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let limit = longer.unwrap_or(LIMIT);
        let outcome = tokio::time::timeout(limit, (test.run)(db)).await;
        let client = connect(&admin).await.map_err(|error| error.to_string())?;
        let dropped = client.batch_execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)")).await;
        match outcome {
            Err(_) => Err(format!("not done within {limit:?}")),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(())) => dropped.map_err(|error| error.to_string()),
        }
    });
    runtime.shutdown_background();
    result
}

/// Opens a session; its connection ends with the runtime.
pub(crate) async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A test's database and project folder.
pub(crate) struct Db {
    pub(crate) url: String,
    pub(crate) project: tempfile::TempDir,
    pub(crate) major: u32,
    pub(crate) binaries: ServerBinaries,
    pub(crate) socket: PathBuf,
    pub(crate) name: String,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Fails unless the command ended with this code.
    pub(crate) fn expect(self, code: i32) -> Result<Self, String> {
        if self.code == Some(code) {
            return Ok(self);
        }
        Err(format!(
            "expected exit code {code}, got {:?}\nstdout: {}\nstderr: {}",
            self.code, self.stdout, self.stderr
        ))
    }

    pub(crate) fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_str(&self.stdout)
    }
}

impl Db {
    async fn create(server: &Server, name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let admin = connect(&server.cluster.url("postgres")).await?;
        admin.batch_execute(&format!("CREATE DATABASE \"{name}\"")).await?;
        let project = tempfile::tempdir()?;
        for folder in ["plans", "migrations"] {
            std::fs::create_dir(project.path().join(folder))?;
        }
        Ok(Self {
            url: server.cluster.url(name),
            project,
            major: server.binaries.major(),
            binaries: server.binaries.clone(),
            socket: server.cluster.folder().to_path_buf(),
            name: name.into(),
        })
    }

    pub(crate) async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        connect(&self.url).await
    }

    /// Another database of the same server, with a project of its own.
    pub(crate) async fn beside(
        &self,
        called: &str,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let name = format!("{}_{called}", self.name);
        self.run(&format!("CREATE DATABASE \"{name}\"")).await?;
        let project = tempfile::tempdir()?;
        for folder in ["plans", "migrations"] {
            std::fs::create_dir(project.path().join(folder))?;
        }
        Ok(Self {
            url: self.url.replace(&format!("/{}?", self.name), &format!("/{name}?")),
            project,
            binaries: self.binaries.clone(),
            socket: self.socket.clone(),
            name,
            major: self.major,
        })
    }

    /// Writes a plan or SQL migration into the project.
    pub(crate) fn file(&self, path: &str, text: &str) -> std::io::Result<()> {
        std::fs::write(self.project.path().join(path), text)
    }

    /// Copies the example application, without the examples of recipes.
    pub(crate) fn examples(&self) -> std::io::Result<()> {
        for folder in ["plans", "migrations"] {
            let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
            for entry in std::fs::read_dir(from)? {
                let entry = entry?;
                // The application's own; those of recipes come after it.
                if entry.file_name().to_string_lossy().as_ref() >= "202612" {
                    continue;
                }
                std::fs::copy(entry.path(), self.project.path().join(folder).join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    /// The real binary, in the project's folder, on this database.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_phase"));
        command
            .args(args)
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DATABASE_URL", &self.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn phase(&self, args: &[&str]) -> std::io::Result<Ended> {
        Ok(Ended::of(&self.command(args).output().await?))
    }

    /// Starts a command without waiting for it.
    pub(crate) fn start(&self, args: &[&str]) -> std::io::Result<Child> {
        self.command(args).spawn()
    }

    /// One value of a query, as text.
    pub(crate) async fn value(&self, sql: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let client = self.connect().await?;
        value(&client, sql).await
    }

    pub(crate) async fn run(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.connect().await?.batch_execute(sql).await
    }
}

/// Waits until a query gives true.
pub(crate) async fn until(client: &Client, sql: &str) -> TestResult {
    while value(client, sql).await? != "t" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// One value of a query, as text.
pub(crate) async fn value(
    client: &Client,
    sql: &str,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    for message in client.simple_query(sql).await? {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
            return Ok(row.get(0).unwrap_or("null").to_owned());
        }
    }
    Err(format!("no row: {sql}").into())
}

/// Everything that a plan may change in a database, as text: tables, columns,
/// constraints, indexes with their validity, triggers, functions. Generated
/// names of not-null constraints differ between versions and are left out.
pub(crate) const SCHEMA: &str = "
SELECT coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\"), '') FROM (
  SELECT format('column %s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                pg_get_expr(d.adbin, d.adrelid)) AS line
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
  UNION ALL
  SELECT format('index %s valid=%s ready=%s', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT format('trigger %s', pg_get_triggerdef(t.oid)) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT format('function %s', p.oid::regprocedure) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
) lines";
