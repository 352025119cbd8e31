//! Owns the shape of the file: the keys that a plan may have, as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::index::RawIndex;
use super::yaml::{FlagOrList, Many, OneOrMany, Pairs, Scalar, Spanned};
use crate::core::recipe::RawChange;

/// A phase plan of phase.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "phase plan")]
pub(super) struct RawPlan {
    /// One sentence for people.
    pub title: Option<String>,
    /// Who wrote it: the name of their database user or operating system user.
    pub author: Option<String>,
    /// Recipes: named changes that phase writes out into steps of every phase.
    #[serde(default)]
    #[schemars(with = "Vec<RawChange>")]
    pub change: Vec<Spanned<RawChange>>,
    /// Versions that this plan builds on; it never gets ahead of them.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub depends_on: Vec<Spanned<Scalar>>,
    /// Limits for this plan's statements.
    #[serde(default)]
    pub settings: RawSettings,
    /// Steps that put the new shape beside the old.
    #[serde(default)]
    #[schemars(with = "Vec<RawStep>")]
    pub expand: Vec<Spanned<RawStep>>,
    /// Data to carry over, batch by batch.
    #[serde(default)]
    #[schemars(with = "Vec<RawBackfill>")]
    pub backfill: Vec<Spanned<RawBackfill>>,
    /// Steps that prove the new shape.
    #[serde(default)]
    #[schemars(with = "Vec<RawStep>")]
    pub validate: Vec<Spanned<RawStep>>,
    /// Steps that take the old shape away.
    #[serde(default)]
    #[schemars(with = "Vec<RawStep>")]
    pub contract: Vec<Spanned<RawStep>>,
    /// Which version of an application needs which state before it may start, such as {web@2.4.0: expanded}.
    #[schemars(with = "Option<Pairs>")]
    pub requires: Option<Spanned<Pairs>>,
    /// What must hold before each phase may start.
    #[serde(default)]
    pub gates: RawGates,
    /// The undo window after contract, such as 7d.
    #[schemars(with = "Option<String>")]
    pub keep: Option<Spanned<String>>,
    /// A service level that the backfills must not hurt.
    #[schemars(with = "Option<RawSlo>")]
    pub slo: Option<Spanned<RawSlo>>,
}

/// Limits; each a duration such as 1s.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSettings {
    /// How long one statement may wait for a lock.
    #[schemars(with = "Option<String>")]
    pub lock_timeout: Option<Spanned<String>>,
    /// How long one statement may run.
    #[schemars(with = "Option<String>")]
    pub statement_timeout: Option<Spanned<String>>,
    /// How long a step goes on retrying because of locks.
    #[schemars(with = "Option<String>")]
    pub lock_wait_max: Option<Spanned<String>>,
    /// Whose sessions may be ended when they are in the way.
    #[schemars(with = "Option<RawKill>")]
    pub kill_blockers: Option<Spanned<RawKill>>,
}

/// Sessions that may be ended: never those of superusers, replication or a vacuum.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKill {
    /// How long one must have been in the way, such as 2m.
    #[schemars(with = "String")]
    pub after: Spanned<String>,
    /// Database users whose sessions may be ended.
    pub only: Vec<String>,
}

/// One step: exactly one of its kinds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    /// One or many statements.
    #[schemars(with = "Option<String>")]
    pub sql: Option<Spanned<String>>,
    /// A file with statements, relative to the plan.
    pub sql_file: Option<String>,
    /// Statements that take it back, or `irreversible: why`.
    #[schemars(with = "Option<String>")]
    pub undo: Option<Spanned<String>>,
    /// Findings of this sql or this drop that are accepted.
    #[schemars(with = "Option<RawLint>")]
    pub lint: Option<Spanned<RawLint>>,
    /// An index to build concurrently.
    pub index: Option<RawIndex>,
    /// An index to drop concurrently.
    pub drop_index: Option<RawDropIndex>,
    /// Columns to keep equal by triggers.
    pub sync: Option<RawSync>,
    /// A column to prove and set NOT NULL.
    pub not_null: Option<RawColumn>,
    /// A value that must be as expected.
    pub assert: Option<RawAssert>,
    /// A column to take away.
    pub drop_column: Option<RawColumn>,
    /// A table to take away.
    pub drop_table: Option<RawTable>,
}

/// What is accepted of a step's findings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLint {
    /// Each rule that is accepted, and why.
    #[schemars(with = "Vec<RawAllow>")]
    pub allow: Vec<Spanned<RawAllow>>,
}

/// A rule that is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAllow {
    /// The rule, as docs/lint/ names it.
    pub rule: String,
    /// Why it is right all the same; kept in the history.
    pub reason: String,
}

/// An index by name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDropIndex {
    pub name: String,
}

/// A two-way sync.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSync {
    pub table: String,
    /// New column: expression over old columns.
    pub set: Option<Pairs>,
    /// Old column: expression over new columns.
    pub back: Option<Pairs>,
}

/// A column of a table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawColumn {
    pub table: String,
    pub column: String,
}

/// A table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTable {
    pub table: String,
}

/// A check on one value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAssert {
    pub name: String,
    pub sql: String,
    pub expect: Scalar,
}

/// Data to carry over: exactly one of set, copy and delete.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBackfill {
    pub table: String,
    /// Column: expression over the row.
    pub set: Option<Pairs>,
    pub copy: Option<RawCopy>,
    pub delete: Option<bool>,
    /// Which rows are left to do; must become false for a row that is done.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// The key to walk, where the primary key is not the one.
    pub key: Option<Vec<String>>,
    #[serde(default)]
    pub batch: RawBatch,
    #[schemars(with = "Option<u32>")]
    pub workers: Option<Spanned<u32>>,
    #[schemars(with = "Option<String>")]
    pub window: Option<Spanned<String>>,
    /// Rows in quarantine that stop it, 1000 where nothing is said.
    pub max_quarantine: Option<u32>,
    /// What the table's own triggers do for the backfill's writes.
    pub triggers: Option<RawTriggers>,
    #[schemars(with = "Option<RawThrottle>")]
    pub throttle: Option<Spanned<RawThrottle>>,
}

/// Rows to insert into another table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCopy {
    pub into: String,
    pub columns: Pairs,
}

/// The size of a batch.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBatch {
    pub rows: Option<u32>,
    pub min_rows: Option<u32>,
    pub max_rows: Option<u32>,
    #[schemars(with = "Option<String>")]
    pub target: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub pause: Option<Spanned<String>>,
    /// Whether windows may be cut into stripes; true where nothing is said.
    pub stripes: Option<bool>,
    /// Whether a batch waits until its commit is on disk; false where nothing is said.
    pub synchronous_commit: Option<bool>,
}

/// What the table's own triggers do.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawTriggers {
    /// They fire.
    Fire,
    /// They do not, where the role may set session_replication_role.
    Skip,
}

/// Limits on the server's health, each with its unit, or off; and fixed brakes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawThrottle {
    /// The most time that a replica may be behind, such as 5s.
    #[schemars(with = "Option<String>")]
    pub replica_lag: Option<Spanned<Scalar>>,
    /// The most log that a replica may have left to replay, such as 500MB.
    #[schemars(with = "Option<String>")]
    pub replica_bytes: Option<Spanned<Scalar>>,
    /// The most log that a replication slot may keep, such as 10GB.
    #[schemars(with = "Option<String>")]
    pub slot_wal: Option<Spanned<Scalar>>,
    /// The least log that must be left before a slot is lost, such as 2GB.
    #[schemars(with = "Option<String>")]
    pub free_wal: Option<Spanned<Scalar>>,
    /// The most log a second of all sessions together, such as 50MB/s.
    #[schemars(with = "Option<String>")]
    pub wal_rate: Option<Spanned<Scalar>>,
    /// The most log files that may wait for the archiver.
    #[schemars(with = "Option<String>")]
    pub archive_backlog: Option<Spanned<Scalar>>,
    /// The most sessions that may run a statement.
    #[schemars(with = "Option<String>")]
    pub active_sessions: Option<Spanned<Scalar>>,
    /// The most sessions that may wait for a lock of a batch.
    #[schemars(with = "Option<String>")]
    pub lock_waiters: Option<Spanned<Scalar>>,
    /// The most age of the oldest transaction, such as 10m.
    #[schemars(with = "Option<String>")]
    pub oldest_transaction: Option<Spanned<Scalar>>,
    /// stop, or off: an autovacuum against wraparound on the table.
    #[schemars(with = "Option<String>")]
    pub wraparound_vacuum: Option<Spanned<Scalar>>,
    /// The most share of dead rows, such as 20%.
    #[schemars(with = "Option<String>")]
    pub bloat: Option<Spanned<Scalar>>,
    /// The most checkpoints a minute that the amount of log forces.
    #[schemars(with = "Option<String>")]
    pub checkpoints: Option<Spanned<Scalar>>,
    /// A query that must give true.
    pub query: Option<String>,
    /// An address that must answer with 200.
    pub http: Option<String>,
    /// A command that must succeed.
    pub command: Option<String>,
    /// Whether delays decide how much of the time is worked; true where nothing is said.
    pub congestion: Option<bool>,
    /// What a signal that cannot be had means; go where nothing is said.
    pub unknown: Option<RawUnknown>,
    /// Whether phase may run VACUUM on the table itself.
    pub vacuum: Option<bool>,
    /// The share of time to sleep, from 0 to 0.99.
    #[schemars(with = "Option<f64>")]
    pub nice: Option<Spanned<f64>>,
    /// The most rows a second.
    #[schemars(with = "Option<u32>")]
    pub rate: Option<Spanned<u32>>,
}

/// What a signal that cannot be had means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawUnknown {
    /// Nothing.
    Go,
    /// The backfill stands still.
    Stop,
}

/// A service level that the backfills must not hurt: exactly one probe.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSlo {
    /// A query whose value must not pass max.
    pub query: Option<String>,
    /// The bound of the query's value.
    pub max: Option<f64>,
    /// An address that must answer with 200.
    pub http: Option<String>,
    /// A command that must succeed.
    pub command: Option<String>,
    /// How long it may be violated before the plan is held, such as 1m.
    #[schemars(with = "Option<String>")]
    pub grace: Option<Spanned<String>>,
}

/// Gates, one for each phase.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGates {
    #[schemars(with = "Option<RawGate>")]
    pub expand: Option<Spanned<RawGate>>,
    #[schemars(with = "Option<RawGate>")]
    pub backfill: Option<Spanned<RawGate>>,
    #[schemars(with = "Option<RawGate>")]
    pub validate: Option<Spanned<RawGate>>,
    #[schemars(with = "Option<RawGate>")]
    pub contract: Option<Spanned<RawGate>>,
    #[schemars(with = "Option<RawGate>")]
    pub purge: Option<Spanned<RawGate>>,
}

/// What must hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGate {
    /// app@version, or a list of them.
    #[serde(default)]
    pub deployed: OneOrMany,
    /// How versions are compared: semantic (the default) or lexical.
    #[serde(default)]
    pub compare: RawCompare,
    /// Nobody older is connected, by what application_name says.
    #[serde(default)]
    pub observed: Many<RawObserved>,
    /// How long the state before, or the marker, must have lasted.
    #[schemars(with = "Option<String>")]
    pub soak: Option<Spanned<String>>,
    /// What soak is counted from: state (the default) or marker.
    #[serde(default)]
    pub soak_since: RawSince,
    /// How many people must have approved.
    pub approvals: Option<u32>,
    /// Queries that must give true.
    #[serde(default)]
    pub query: OneOrMany,
    /// Addresses that must answer.
    #[serde(default)]
    pub http: Many<RawHttp>,
    /// Programs that must end with exit code 0.
    #[serde(default)]
    pub command: Many<RawCommand>,
    /// When it may open, such as mon-thu 09:00-16:00 Europe/Berlin.
    #[schemars(with = "Option<String>")]
    pub window: Option<Spanned<String>>,
    /// Days when it does not open, such as 2026-12-20..2027-01-03.
    #[serde(default)]
    pub freeze: Vec<String>,
    /// How old the proof of the backfills may be.
    #[schemars(with = "Option<String>")]
    pub proof_max_age: Option<Spanned<String>>,
    /// Nothing uses what the plan drops (true), or these, as table.column.
    #[schemars(with = "Option<FlagOrList>")]
    pub unused: Option<Spanned<FlagOrList>>,
}

/// How versions are compared.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawCompare {
    #[default]
    Semantic,
    Lexical,
}

/// What a soak is counted from.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawSince {
    #[default]
    State,
    Marker,
}

/// A request that must be answered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp {
    /// The address, http or https.
    pub url: String,
    /// The status of the answer; 200 where nothing is said.
    pub status: Option<u16>,
    /// What the answer's body must contain.
    pub contains: Option<String>,
    /// Headers of the request; $NAME in a value is that variable of the environment.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How long it may take; 10s where nothing is said.
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Spanned<String>>,
}

/// A program that must end with exit code 0.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCommand {
    /// The command line, for the shell.
    pub run: String,
    /// How long it may take; 1m where nothing is said.
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Spanned<String>>,
}

/// Nobody older than a version of an application has been connected for a while.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawObserved {
    /// The application, as application_name says it.
    pub app: String,
    /// The oldest version that may be connected.
    #[schemars(with = "String")]
    pub min_version: Scalar,
    /// For how long nobody older may have been seen, such as 30m.
    #[serde(rename = "for")]
    #[schemars(with = "String")]
    pub span: Option<Spanned<String>>,
    /// How application_name is read: a regular expression with the groups app and version; by itself web@2.4.0.
    pub pattern: Option<String>,
    /// Database users of the application: a session of theirs that says no version counts as too old.
    #[serde(default)]
    pub users: OneOrMany,
}

impl From<String> for RawObserved {
    fn from(text: String) -> Self {
        let (app, version) = text.split_once('@').unwrap_or((&text, ""));
        let (app, min_version) = (app.to_owned(), Scalar(version.to_owned()));
        Self { app, min_version, span: None, pattern: None, users: OneOrMany::default() }
    }
}

impl From<String> for RawHttp {
    fn from(url: String) -> Self {
        Self { url, status: None, contains: None, headers: BTreeMap::new(), timeout: None }
    }
}

impl From<String> for RawCommand {
    fn from(run: String) -> Self {
        Self { run, timeout: None }
    }
}

/// What of a plan on record is read without the rest.
#[derive(Debug, Deserialize)]
pub(super) struct OnlyGates {
    #[serde(default)]
    pub gates: OnlyContract,
}

/// As [`OnlyGates`].
#[derive(Debug, Default, Deserialize)]
pub(super) struct OnlyContract {
    #[serde(default)]
    pub contract: OnlyDeployed,
}

/// As [`OnlyGates`].
#[derive(Debug, Default, Deserialize)]
pub(super) struct OnlyDeployed {
    #[serde(default)]
    pub deployed: OneOrMany,
}
