//! Records what psql sends of a script: the server writes each statement into its log.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use phase::throwaway::{Cluster, Options, ServerBinaries};
use serde_json::Value;

use crate::Failed;

/// How long the server may take to write its log out.
const PATIENCE: Duration = Duration::from_secs(30);

/// A text that psql sent.
pub(crate) struct Sent {
    pub(crate) text: String,
    /// Whether the server's own parser took it.
    pub(crate) parsed: bool,
}

/// A server that logs all, and psql in front of it.
pub(crate) struct Recorder {
    cluster: Cluster,
    psql: PathBuf,
    log: PathBuf,
}

impl Recorder {
    pub(crate) fn start() -> Result<Self, Failed> {
        let binaries = ServerBinaries::find()?;
        if binaries.major() < 15 {
            return Err(format!(
                "PostgreSQL {} cannot write its log as JSON: 15 or newer is needed",
                binaries.major()
            )
            .into());
        }
        let settings = [
            ("logging_collector", "on"),
            ("log_destination", "jsonlog"),
            ("log_directory", "corpus"),
            ("log_filename", "corpus"),
            ("log_file_mode", "0644"),
            ("log_rotation_age", "0"),
            ("log_rotation_size", "0"),
            ("log_statement", "all"),
            ("max_prepared_transactions", "10"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), format!("'{value}'"))).to_vec();
        let cluster = Cluster::start(&binaries, &Options { settings })?;
        let beside = binaries.program("psql");
        let psql = if beside.exists() { beside } else { "psql".into() };
        let log = find(cluster.folder(), "corpus.json").ok_or("the server writes no log")?;
        Ok(Self { cluster, psql, log })
    }

    /// What psql sends of a file, in order, each text as the server got it.
    pub(crate) fn record(&self, file: &Path) -> Result<Vec<Sent>, Failed> {
        let from = std::fs::metadata(&self.log)?.len();
        let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        self.run("postgres", |psql| {
            psql.args(["-c", "DROP DATABASE IF EXISTS corpus WITH (FORCE)", "-c", "CREATE DATABASE corpus"])
        })?;
        self.run("corpus", |psql| {
            psql.arg("-f")
                .arg(file)
                .env("PGAPPNAME", &name)
                .env("PGOPTIONS", "-c statement_timeout=3s -c lock_timeout=1s")
        })?;
        let end = format!("end of {name}");
        self.run("postgres", |psql| psql.args(["-c", &format!("SELECT '{end}'")]))?;
        let mut sent = Vec::new();
        for entry in self.entries(from, &end)? {
            if entry["application_name"] != Value::String(name.clone())
                || entry["backend_type"] != "client backend"
            {
                continue;
            }
            let message = entry["message"].as_str().unwrap_or_default();
            // What does not parse is not logged as a statement, only beside its error.
            let refused = entry["error_severity"] == "ERROR" && entry["state_code"] == "42601";
            let (text, parsed) = match (message.strip_prefix("statement: "), entry["statement"].as_str()) {
                (Some(text), _) if entry["error_severity"] == "LOG" => (text, true),
                (_, Some(text)) if refused => (text, false),
                _ => continue,
            };
            // An error of a statement that is on the list already comes after its parsing.
            if parsed || sent.last().is_none_or(|last: &Sent| last.text != text) {
                sent.push(Sent { text: text.to_owned(), parsed });
            }
        }
        Ok(sent)
    }

    fn run(&self, database: &str, with: impl FnOnce(&mut Command) -> &mut Command) -> Result<(), Failed> {
        let mut psql = Command::new(&self.psql);
        psql.args(["-X", "-q", "-d", &self.cluster.url(database)]);
        with(&mut psql).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        Ok(())
    }

    /// The entries of the log from a place on, once the last of them is there.
    fn entries(&self, from: u64, end: &str) -> Result<Vec<Value>, Failed> {
        let since = Instant::now();
        loop {
            let mut log = std::fs::File::open(&self.log)?;
            log.seek(SeekFrom::Start(from))?;
            let mut text = Vec::new();
            log.read_to_end(&mut text)?;
            let text = String::from_utf8_lossy(&text);
            let entries: Vec<Value> =
                text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            if entries.iter().any(|entry| entry["message"].as_str().is_some_and(|said| said.contains(end))) {
                return Ok(entries);
            }
            if since.elapsed() > PATIENCE {
                return Err(format!("the log does not come to {end}").into());
            }
            std::thread::yield_now();
        }
    }
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let here = files.into_iter().find(|file| file.file_name().is_some_and(|file| file == name));
    here.or_else(|| folders.iter().find_map(|folder| find(folder, name)))
}
