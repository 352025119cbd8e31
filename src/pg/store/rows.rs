//! Reads rows of the record into values.

use tokio_postgres::Row;

use crate::core::failure::{Failure, FailureKind};
use crate::core::record::{Hold, Kind, Record, StepRecord, StepStatus};
use crate::core::state::State;
use crate::core::version::Version;

fn bad_row(what: &str) -> Failure {
    Failure::new(
        FailureKind::Other,
        format!("the record holds a {what} that this version of phase does not know"),
    )
}

fn state(row: &Row, column: &str) -> Result<State, Failure> {
    State::from_name(row.get(column)).ok_or_else(|| bad_row("state"))
}

fn version(text: &str) -> Result<Version, Failure> {
    Version::parse(text).ok_or_else(|| bad_row("version"))
}

pub(super) fn record(row: &Row) -> Result<Record, Failure> {
    let hold: Option<String> = row.get("hold_reason");
    let depends_on: Vec<String> = row.get("depends_on");
    let known: Option<&str> = row.get("known");
    Ok(Record {
        version: version(row.get("version"))?,
        name: row.get("name"),
        kind: match row.get::<_, &str>("kind") {
            "plan" => Kind::Plan,
            "sql" => Kind::Sql,
            _ => return Err(bad_row("kind")),
        },
        state: state(row, "state")?,
        goal: state(row, "goal")?,
        state_since: row.get("state_since"),
        epoch: row.get("epoch"),
        source: row.get("source"),
        checksum: row.get("checksum"),
        tables: row.get("tables"),
        known: known.map(serde_json::from_str).transpose().map_err(|_| bad_row("known"))?,
        depends_on: depends_on.iter().map(|text| version(text)).collect::<Result<_, _>>()?,
        batch: row.get("batch"),
        baseline: row.get("baseline"),
        error: row.get("error"),
        touched: row.get("touched"),
        hold: hold.map(|reason| Hold { reason, by: row.get("hold_by"), since: row.get("hold_since") }),
    })
}

pub(super) fn step(row: &Row) -> Result<StepRecord, Failure> {
    Ok(StepRecord {
        step: row.get("step"),
        status: StepStatus::from_name(row.get("status")).ok_or_else(|| bad_row("step status"))?,
        attempts: row.get("attempts"),
        finished_at: row.get("finished_at"),
        duration_ms: row.get("duration_ms"),
        undo: row.get("undo"),
        error: row.get("error"),
    })
}
