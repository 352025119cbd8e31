//! The application beside a backfill: pgbench, which selects and updates by key,
//! eight clients, open loop, so that a transaction that waits for its turn
//! counts from when it should have begun.

use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use phase::throwaway::ServerBinaries;
use tokio::process::{Child, Command};

use crate::Outcome;
use crate::lab::{Fresh, Lab};

/// What a client does again and again.
const SCRIPT: &str = "\\set a random(1, :rows)
\\set b random(1, :rows)
SELECT note, amount FROM item WHERE id = :a;
UPDATE item SET note = 'seen ' || :a WHERE id = :b;
";
const CLIENTS: &str = "8";

/// The load under way.
pub(crate) struct Load {
    child: Child,
    folder: tempfile::TempDir,
}

/// What the application felt: how many microseconds each transaction took.
#[derive(Debug, Clone)]
pub(crate) struct Felt(Histogram<u64>);

impl Felt {
    fn nothing() -> Self {
        Self(Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("3 digits are allowed"))
    }

    /// What was felt in all of some runs together.
    pub(crate) fn together<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut sum = Self::nothing();
        for one in all {
            sum.0.add(&one.0).expect("they have the same bounds");
        }
        sum
    }

    /// Milliseconds.
    pub(crate) fn p50(&self) -> f64 {
        self.0.value_at_quantile(0.5) as f64 / 1e3
    }

    /// Milliseconds.
    pub(crate) fn p99(&self) -> f64 {
        self.0.value_at_quantile(0.99) as f64 / 1e3
    }

    /// Milliseconds.
    pub(crate) fn worst(&self) -> f64 {
        self.0.max() as f64 / 1e3
    }
}

/// Every transaction: when it ended (seconds since 1970) and how many
/// microseconds it took.
pub(crate) struct Log(Vec<(f64, u64)>);

fn pgbench(lab: &Lab, fresh: &Fresh, folder: &tempfile::TempDir, seconds: u64) -> Outcome<Command> {
    let binaries = ServerBinaries::find()?;
    let beside = binaries.program("pgbench");
    let script = folder.path().join("script.sql");
    std::fs::write(&script, SCRIPT)?;
    let mut command =
        Command::new(if beside.is_file() { beside } else { std::path::PathBuf::from("pgbench") });
    command
        .args(["-n", "-M", "prepared", "-c", CLIENTS, "-j", "2", "-U", "postgres"])
        .args(["-T", &seconds.to_string(), "-D", &format!("rows={}", lab.rows), "-h", &lab.folder()])
        .arg("-f")
        .arg(script)
        .arg(&fresh.name)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// Transactions a second where nothing holds the clients back.
pub(crate) async fn capacity(lab: &Lab, fresh: &Fresh, seconds: u64) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let output = pgbench(lab, fresh, &folder, seconds)?.output().await;
    let output = output.map_err(|error| {
        format!("pgbench: {error}; it comes with PostgreSQL's server or its contrib package")
    })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    tps.ok_or_else(|| failed(&output).into())
}

fn failed(output: &Output) -> String {
    format!("pgbench: {}", String::from_utf8_lossy(&output.stderr))
}

/// Starts the load: so many transactions a second for so many seconds.
pub(crate) fn start(lab: &Lab, fresh: &Fresh, rate: f64, seconds: u64) -> Outcome<Load> {
    let folder = tempfile::tempdir()?;
    let mut command = pgbench(lab, fresh, &folder, seconds)?;
    let child = command.args(["-l", "--log-prefix=log", "-R", &format!("{rate:.0}")]).spawn()?;
    Ok(Load { child, folder })
}

impl Load {
    /// Waits for its end; what each transaction took.
    pub(crate) async fn end(self) -> Outcome<Log> {
        let output = self.child.wait_with_output().await?;
        if !output.status.success() {
            return Err(failed(&output).into());
        }
        let mut log = Vec::new();
        for entry in std::fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log.")) {
                continue;
            }
            for line in std::fs::read_to_string(path)?.lines() {
                // client, transaction, microseconds, script, second, microsecond, lag
                let fields: Vec<u64> = line.split(' ').filter_map(|field| field.parse().ok()).collect();
                if let [_, _, took, _, second, micro, ..] = fields[..] {
                    log.push((second as f64 + micro as f64 / 1e6, took));
                }
            }
        }
        Ok(Log(log))
    }
}

impl Log {
    /// What was felt in some spans of time, in seconds since 1970.
    pub(crate) fn within(&self, spans: &[std::ops::Range<f64>]) -> Felt {
        let mut felt = Felt::nothing();
        for (at, took) in &self.0 {
            // By its beginning: what had to wait until the end counts as well.
            let began = at - *took as f64 / 1e6;
            if spans.iter().any(|span| span.contains(&began)) {
                felt.0.saturating_record(*took);
            }
        }
        felt
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}
