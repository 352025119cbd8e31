//! Reads plans: YAML text into a checked plan, errors with their place.

mod backfill;
mod cautions;
pub mod durations;
pub mod fault;
mod gates;
pub mod index;
pub mod model;
mod phases;
mod raw;
pub mod scalar;
mod steps;
mod supported;
mod throttle;
pub mod yaml;

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

pub use fault::{PlanError, located};
pub(in crate::core) use phases::{Phases, RawPhases};

use fault::Faults;
use model::{AppVersion, Placed, Plan, Settings, StepSpec};
use raw::RawPlan;

use crate::core::recipe;
use crate::core::step::Phase;
use crate::core::version::Version;

/// The most bytes that a plan file may have.
pub const MAX_PLAN_BYTES: usize = 1024 * 1024;

/// One plan file, as it was read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file, for messages.
    pub file: &'a str,
    /// The version, from its name.
    pub version: &'a Version,
    /// The name, from its name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Reads the text of a file that a plan names, relative to the plan.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Reads a plan.
///
/// # Errors
/// Every fault that can be told apart, each with its place.
pub fn parse(source: &Source<'_>, sql_file: ReadFile<'_>) -> Result<Plan, PlanError> {
    let raw: RawPlan = yaml::read(source.file, source.text)?;
    let mut faults = Faults::new(source.file, source.text);
    let plan = build(source, raw, sql_file, &mut faults);
    faults.finish(plan)
}

/// The versions of applications that the contract of a plan on record waits for, whatever else it says.
#[must_use]
pub fn contract_waits_for(source: &str) -> Vec<AppVersion> {
    // What a plan pulls in stands after it.
    let text = source.split("\n# sql_file ").next().unwrap_or_default();
    let Ok(read) = yaml::read::<raw::OnlyGates>("", text) else { return Vec::new() };
    let wanted = read.gates.contract.deployed.0;
    wanted.iter().filter_map(|text| AppVersion::parse(text)).collect()
}

fn build(source: &Source<'_>, raw: RawPlan, sql_file: ReadFile<'_>, faults: &mut Faults<'_>) -> Plan {
    let empty = [&raw.expand, &raw.validate, &raw.contract].iter().all(|steps| steps.is_empty());
    if empty && raw.backfill.is_empty() && raw.change.is_empty() {
        faults.add(
            fault::TOP,
            "this plan does nothing: give it at least one of change, expand, backfill, validate, contract",
        );
    }
    let mut steps = |phase, raw| steps::read(phase, raw, source.text, sql_file, faults);
    let expand = steps(Phase::Expand, raw.expand);
    let validate = steps(Phase::Validate, raw.validate);
    let contract = steps(Phase::Contract, raw.contract);
    let plan = Plan {
        version: source.version.clone(),
        name: source.name.into(),
        title: raw.title.unwrap_or_else(|| source.name.replace('_', " ")),
        author: raw.author.clone(),
        depends_on: depends_on(source, raw.depends_on, faults),
        settings: Settings {
            lock_timeout: durations::limit(raw.settings.lock_timeout.as_ref(), faults),
            statement_timeout: durations::limit(raw.settings.statement_timeout.as_ref(), faults),
            lock_wait_max: durations::read(raw.settings.lock_wait_max.as_ref(), faults),
        },
        kill_blockers: durations::kill(raw.settings.kill_blockers.as_ref(), faults),
        change: recipe::read(raw.change, source.text, sql_file, faults),
        expand,
        backfill: backfill::read(raw.backfill, faults),
        validate,
        contract,
        requires: gates::requires(raw.requires.as_ref(), faults),
        gates: gates::read(raw.gates, faults),
        keep: durations::read(raw.keep.as_ref(), faults),
        slo: throttle::slo(raw.slo.as_ref(), faults),
    };
    let drops = |spec: &Placed<StepSpec>| {
        matches!(spec.value, StepSpec::DropColumn { .. } | StepSpec::DropTable { .. })
    };
    if let Some(keep) =
        raw.keep.as_ref().filter(|_| plan.change.is_empty() && !plan.contract.iter().any(drops))
    {
        faults.add(
            yaml::place(keep),
            "there is nothing to keep: contract has no drop_column and no drop_table",
        );
    }
    plan
}

fn depends_on(
    source: &Source<'_>,
    raw: Vec<yaml::Spanned<yaml::Scalar>>,
    faults: &mut Faults<'_>,
) -> Vec<Placed<Version>> {
    let mut found = Vec::new();
    for on in raw {
        let place = yaml::place(&on);
        let text = on.value.0.as_str();
        let version = Version::parse(text).or_else(|| Version::split_stem(text).map(|(version, _)| version));
        match version {
            None => faults.add(
                place,
                format!("{text:?} names no version: write it like 20261120081500 or 20261120081500_orders"),
            ),
            Some(version) if version == *source.version => {
                faults.add(place, "a plan cannot depend on itself");
            }
            Some(value) => found.push(Placed { value, place }),
        }
    }
    found
}

/// SHA-256 of a file and of the files that it pulls in, in hex. Line ends count
/// as one newline, so that a checkout on another system is the same file.
#[must_use]
pub fn checksum(text: &str, pulled: &[(String, String)]) -> String {
    let mut hash = Sha256::new();
    hash.update(text.replace("\r\n", "\n"));
    for (name, text) in pulled {
        // A byte that no text has keeps the parts apart.
        hash.update(b"\0");
        hash.update(name);
        hash.update(b"\0");
        hash.update(text.replace("\r\n", "\n"));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The JSON Schema of the format, for completion in an editor.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(RawPlan)
}
