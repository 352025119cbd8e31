//! Splitting against psql: what psql sends of each file of PostgreSQL's regression
//! SQL, statement by statement, is what `sql::split` must find, and nothing is lost.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report")]

mod compare;
mod files;
mod second;
mod sent;

use std::path::PathBuf;
use std::process::ExitCode;

use compare::{Report, compare};
use second::Second;
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
    let mut second = Second::default();
    for file in &files {
        let sent = recorder.record(file)?;
        let report = compare(&file.display().to_string(), &std::fs::read(file)?, &sent);
        total.add(report);
        let asked = second::ask(&file.display().to_string(), &sent);
        second.asked += asked.asked;
        second.opinions += asked.opinions;
        second.disagree.extend(asked.disagree);
    }
    println!("{total}");
    println!(
        "the second parser: {} groups of statements, {} opinions, {} groups refused because the two disagree",
        second.asked,
        second.opinions,
        second.disagree.len()
    );
    second.disagree.iter().for_each(|why| println!("  {why}"));
    Ok(total.lost.is_empty() && total.statements > 0)
}
