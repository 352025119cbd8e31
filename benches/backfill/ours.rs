//! Runs `phase backfill` as a user does: a plan in a folder, the binary, a process.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio_postgres::Client;

use crate::Outcome;
use crate::lab::{EXPRESSION, number};

/// As fast as the server allows, whatever else runs there.
pub(crate) const FULL_PACE: &str = "throttle: {congestion: false}";

/// A backfill whose expand is done.
pub(crate) struct Ours {
    url: String,
    project: tempfile::TempDir,
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran {
    /// Seconds from the first chunk to the last row.
    pub(crate) work: f64,
    /// Seconds of the whole command, the proof included.
    pub(crate) whole: f64,
    /// The most memory that the process held, in bytes.
    pub(crate) resident: f64,
}

impl Ours {
    /// Writes a plan with these settings of its backfill, and expands.
    pub(crate) async fn new(url: &str, settings: &str) -> Outcome<Self> {
        let ours = Self { url: url.into(), project: tempfile::tempdir()? };
        let plans = ours.project.path().join("plans");
        std::fs::create_dir(&plans)?;
        let comma = if settings.is_empty() { "" } else { ", " };
        let plan = format!(
            "expand:\n  - sql: SELECT 1\n    undo: SELECT 1\nbackfill:\n  - {{table: item, set: {{cents: {EXPRESSION:?}}}{comma}{settings}}}\n"
        );
        std::fs::write(plans.join("1_cents.yaml"), plan)?;
        let ended = ours.command(&["expand"]).output().await?;
        if !ended.status.success() {
            return Err(String::from_utf8_lossy(&ended.stderr).into_owned().into());
        }
        Ok(ours)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_phase"));
        command
            .args(args)
            .current_dir(self.project.path())
            .env("DATABASE_URL", &self.url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts the backfill.
    pub(crate) fn start(&self) -> Outcome<Child> {
        Ok(self.command(&["backfill"]).stderr(Stdio::null()).spawn()?)
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, client: &Client) -> Outcome<Ran> {
        let began = Instant::now();
        let mut child = self.command(&["backfill"]).spawn()?;
        let status = format!("/proc/{}/status", child.id().unwrap_or(0));
        let mut resident = 0.0_f64;
        let ended = loop {
            resident = resident.max(peak(Path::new(&status)).unwrap_or(0.0));
            if let Ok(ended) = tokio::time::timeout(Duration::from_millis(100), child.wait()).await {
                break ended?;
            }
        };
        let whole = began.elapsed().as_secs_f64();
        if !ended.success() {
            let said = child.wait_with_output().await?.stderr;
            return Err(format!("phase backfill: {}", String::from_utf8_lossy(&said)).into());
        }
        let work = "SELECT extract(epoch FROM b.proof_since - min(c.started_at))::float8
            FROM phase.backfill b JOIN phase.backfill_chunk c USING (version, step) WHERE c.pass = 1 GROUP BY b.proof_since";
        Ok(Ran { work: number(client, work).await?, whole, resident })
    }

    /// Asks a running command to stop, and waits for its end.
    pub(crate) async fn stop(&self, mut child: Child) -> Outcome<()> {
        if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM)?;
        }
        child.wait().await?;
        Ok(())
    }
}

/// Rows written so far.
pub(crate) async fn written(client: &Client) -> Outcome<f64> {
    number(client, "SELECT coalesce(sum(rows_written), 0)::float8 FROM phase.backfill_chunk").await
}

/// The most memory that a process has held so far, in bytes.
fn peak(status: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kilobytes| kilobytes * 1024.0)
}
