//! Splitting against psql: what psql sends of each file of PostgreSQL's regression
//! SQL, statement by statement, is what `sql::split` must find, and nothing is lost.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report")]

mod compare;
mod files;
mod sent;

use std::path::PathBuf;
use std::process::ExitCode;

use compare::{Report, compare};
use sent::Recorder;

type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Failed> {
    let folder = std::env::var_os("PHASE_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".phase-corpus/sql"), PathBuf::from);
    let files = files::list(&folder)?;
    let recorder = Recorder::start()?;
    let mut total = Report::default();
    for file in &files {
        let sent = recorder.record(file)?;
        let report = compare(&file.display().to_string(), &std::fs::read(file)?, &sent);
        total.add(report);
    }
    println!("{total}");
    Ok(total.lost.is_empty() && total.statements > 0)
}
