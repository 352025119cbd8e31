//! Reads explicit steps of all phases that stand somewhere else than in the plan's own sections.

use schemars::JsonSchema;
use serde::Deserialize;

use super::fault::Faults;
use super::model::{BackfillSpec, Placed, StepSpec};
use super::raw::{RawBackfill, RawStep};
use super::yaml::Spanned;
use super::{ReadFile, backfill, steps};
use crate::core::step::Phase;

/// `sql: {expand: [steps], backfill: [entries], validate: [steps], contract: [steps]}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::core) struct RawPhases {
    /// Steps that put the new shape beside the old.
    #[serde(default)]
    #[schemars(with = "Vec<RawStep>")]
    expand: Vec<Spanned<RawStep>>,
    /// Data to carry over, batch by batch.
    #[serde(default)]
    #[schemars(with = "Vec<RawBackfill>")]
    backfill: Vec<Spanned<RawBackfill>>,
    /// Steps that prove the new shape.
    #[serde(default)]
    #[schemars(with = "Vec<RawStep>")]
    validate: Vec<Spanned<RawStep>>,
    /// Steps that take the old shape away.
    #[serde(default)]
    #[schemars(with = "Vec<RawStep>")]
    contract: Vec<Spanned<RawStep>>,
}

/// Explicit steps of all phases, read.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::core) struct Phases {
    /// Those of expand.
    pub expand: Vec<Placed<StepSpec>>,
    /// Data to carry over.
    pub backfill: Vec<Placed<BackfillSpec>>,
    /// Those of validate.
    pub validate: Vec<Placed<StepSpec>>,
    /// Those of contract.
    pub contract: Vec<Placed<StepSpec>>,
}

impl Phases {
    /// Reads them as the plan's own sections are read; `text` is the file.
    pub(in crate::core) fn read(
        raw: RawPhases,
        text: &str,
        sql_file: ReadFile<'_>,
        faults: &mut Faults<'_>,
    ) -> Self {
        let mut steps = |phase, raw| steps::read(phase, raw, text, sql_file, faults);
        let expand = steps(Phase::Expand, raw.expand);
        let validate = steps(Phase::Validate, raw.validate);
        let contract = steps(Phase::Contract, raw.contract);
        Self { expand, backfill: backfill::read(raw.backfill, faults), validate, contract }
    }

    /// Every step that is no backfill.
    pub(in crate::core) fn steps(&self) -> impl Iterator<Item = &Placed<StepSpec>> {
        self.expand.iter().chain(&self.validate).chain(&self.contract)
    }
}

impl RawPhases {
    /// Whether there is nothing to do.
    pub(in crate::core) const fn is_empty(&self) -> bool {
        self.expand.is_empty()
            && self.backfill.is_empty()
            && self.validate.is_empty()
            && self.contract.is_empty()
    }
}
