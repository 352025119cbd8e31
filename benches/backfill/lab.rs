//! The server that everything is measured on, and tables that start alike.

use std::sync::atomic::{AtomicU32, Ordering};

use phase::throwaway::{Cluster, Options, ServerBinaries};
use tokio_postgres::{Client, NoTls};

use crate::Outcome;

/// Settings of the server: a small machine's, with a log that is really flushed.
/// No autovacuum on the table, so that what is measured is the work alone.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("min_wal_size", "4GB"),
    ("checkpoint_timeout", "30min"),
    ("track_io_timing", "off"),
];

/// The table: a primary key, two indexes, packed pages.
const TABLE: &str = "CREATE TABLE item (
  id bigint PRIMARY KEY, account int NOT NULL, created_at timestamptz NOT NULL,
  amount numeric(12,2) NOT NULL, note text NOT NULL, cents bigint
) WITH (autovacuum_enabled = false)";

/// What is worked out for each row.
pub(crate) const EXPRESSION: &str = "(amount * 100)::bigint";

/// A server with a template of the table.
pub(crate) struct Lab {
    cluster: Cluster,
    pub(crate) rows: u64,
    count: AtomicU32,
}

/// A table that nobody has touched.
pub(crate) struct Fresh {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) client: Client,
}

/// Sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) table: f64,
    pub(crate) indexes: f64,
}

impl Lab {
    /// The machine and the server, in words.
    pub(crate) fn setting() -> Outcome<String> {
        let binaries = ServerBinaries::find()?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
        let settings: Vec<String> =
            SETTINGS.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        Ok(format!(
            "PostgreSQL {} on {cores} cores ({}), {}; application, program and server share the machine; {}",
            binaries.major(),
            cpu.trim_start_matches([' ', '\t', ':']),
            std::env::consts::OS,
            settings.join(", ")
        ))
    }

    pub(crate) async fn start(rows: u64) -> Outcome<Self> {
        let binaries = ServerBinaries::find()?;
        let cluster = Cluster::start(&binaries, &options())?;
        let lab = Self { cluster, rows, count: AtomicU32::new(0) };
        let admin = connect(&lab.cluster.url("postgres")).await?;
        admin.batch_execute("CREATE DATABASE template").await?;
        fill(&connect(&lab.cluster.url("template")).await?, rows).await?;
        recycle(&admin).await?;
        Ok(lab)
    }

    /// A database with the table as it was filled, and a checkpoint behind it.
    pub(crate) async fn fresh(&self) -> Outcome<Fresh> {
        let name = format!("run{}", self.count.fetch_add(1, Ordering::SeqCst));
        let admin = connect(&self.cluster.url("postgres")).await?;
        // Sessions that are on their way out still count as users of the template.
        let copied = admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template")).await;
        copied.map_err(|error| format!("{error:?}"))?;
        admin.batch_execute("CHECKPOINT").await?;
        let url = self.cluster.url(&name);
        let client = connect(&url).await?;
        // What follows finds the table in memory, whoever comes first.
        client.batch_execute("SELECT count(note) FROM item; SET synchronous_commit = on").await?;
        Ok(Fresh { url, name, client })
    }

    /// Removes a database.
    pub(crate) async fn over(&self, fresh: Fresh) -> Outcome<()> {
        let admin = connect(&self.cluster.url("postgres")).await?;
        admin.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", fresh.name)).await?;
        Ok(())
    }

    pub(crate) fn folder(&self) -> String {
        self.cluster.folder().display().to_string()
    }
}

/// The server's settings.
pub(crate) fn options() -> Options {
    Options { settings: SETTINGS.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect() }
}

/// Makes and fills the table.
pub(crate) async fn fill(client: &Client, rows: u64) -> Outcome<()> {
    client.batch_execute(TABLE).await?;
    let sql = format!(
        "INSERT INTO item SELECT n, n % 5000, now() - n * interval '1 second', (n % 100000) / 7.0, 'note ' || md5(n::text)
         FROM generate_series(1, {rows}) AS n"
    );
    client.batch_execute(&sql).await?;
    client.batch_execute("CREATE INDEX ON item (account); CREATE INDEX ON item (created_at)").await?;
    client.batch_execute("VACUUM (FREEZE, ANALYZE) item").await?;
    Ok(())
}

/// Files of the log that are there to be written again, as on a server that has run
/// for a while. A new one is filled with zeros first, and every commit waits for that.
async fn recycle(admin: &Client) -> Outcome<()> {
    let noise = "DO $$ BEGIN FOR part IN 1..60 LOOP
        PERFORM pg_logical_emit_message(false, 'bench', repeat('x', 50000000)); END LOOP; END $$";
    admin.batch_execute(noise).await?;
    admin.batch_execute("CHECKPOINT").await?;
    Ok(())
}

impl Fresh {
    /// Where the log stands, in bytes.
    pub(crate) async fn log(&self) -> Outcome<f64> {
        number(&self.client, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8").await
    }

    pub(crate) async fn sizes(&self) -> Outcome<Sizes> {
        Ok(Sizes {
            table: number(&self.client, "SELECT pg_table_size('item')::float8").await?,
            indexes: number(&self.client, "SELECT pg_indexes_size('item')::float8").await?,
        })
    }
}

pub(crate) async fn connect(url: &str) -> Outcome<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// One number of a query.
pub(crate) async fn number(client: &Client, sql: &str) -> Outcome<f64> {
    Ok(client.query_one(sql, &[]).await?.try_get::<_, Option<f64>>(0)?.unwrap_or(0.0))
}

/// The middle of some figures.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}
