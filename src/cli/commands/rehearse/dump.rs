//! Runs pg_dump: the schema of a database, or the rows of its record.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::cli::exit::CommandError;
use crate::core::ident::{Ident, plain};
use crate::pg::connect::ConnectSettings;
use crate::throwaway::ServerBinaries;

/// How long pg_dump may wait for a lock of the target; it takes ACCESS SHARE on every table.
const LOCK_WAIT: &str = "--lock-wait-timeout=5s";

/// A pg_dump that knows a server.
pub(super) struct PgDump {
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl PgDump {
    /// One that is not older than the server: beside server binaries, else in PATH.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn find(
        binaries: &ServerBinaries,
        target: &ConnectSettings,
        major: u32,
    ) -> Result<Self, CommandError> {
        let mut seen = Vec::new();
        for program in [binaries.program("pg_dump"), PathBuf::from("pg_dump")] {
            match version(&program).await {
                Some(version) if version >= major => {
                    return Ok(Self { program, environment: target.environment() });
                }
                Some(version) => seen.push(format!("{} is {version}", program.display())),
                None => {}
            }
        }
        let seen = if seen.is_empty() { "there is none".to_owned() } else { seen.join(", ") };
        Err(CommandError::Usage(format!(
            "the schema of the target is read with pg_dump, which must not be older than the server ({major}): {seen}; \
             install postgresql-client-{major}, name a clone (--on URL), or begin with the project's files (--from-files)"
        )))
    }

    /// Everything but the record, without rows.
    ///
    /// # Errors
    /// When pg_dump fails.
    pub(super) async fn schema(&self, record: &Ident) -> Result<String, CommandError> {
        let without = format!("--exclude-schema={}", pattern(record));
        self.run(&["--schema-only", &without, "--no-subscriptions"]).await
    }

    /// The record with its rows, but without its history.
    ///
    /// # Errors
    /// When pg_dump fails.
    pub(super) async fn record(&self, record: &Ident) -> Result<String, CommandError> {
        let only = format!("--schema={}", pattern(record));
        let without = format!("--exclude-table-data={}.history", pattern(record));
        self.run(&[&only, &without, "--rows-per-insert=500"]).await
    }

    async fn run(&self, args: &[&str]) -> Result<String, CommandError> {
        let failed = |why: String| CommandError::Io(format!("{}: {why}", self.program.display()));
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .args(["--encoding=UTF8", "--no-tablespaces", "--no-security-labels", "--no-password", LOCK_WAIT])
            // On no command line: other users of the machine can read those.
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let output = command.output().await.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        String::from_utf8(output.stdout).map_err(|error| failed(error.to_string()))
    }
}

/// A name as pg_dump's patterns take it, in which nothing stands for anything else.
fn pattern(name: &Ident) -> String {
    if plain(name) == name.as_str() { name.as_str().to_owned() } else { name.to_string() }
}

async fn version(program: &PathBuf) -> Option<u32> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "pg_dump (PostgreSQL) 19devel"
    let version = text.split_whitespace().nth(2)?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
