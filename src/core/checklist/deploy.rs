//! Whether old and new code and both shapes get along, and when what is deployed.

use std::collections::BTreeSet;

use super::{Answer, Known, Told, some, told};
use crate::core::footprint::Footprint;
use crate::core::plan::model::AppVersion;
use crate::core::sql::SqlError;
use crate::core::state::State;
use crate::core::step::{Phase, Step};

impl Known<'_> {
    pub(super) fn old_code(&self) -> Told {
        const WHILE_IT_RUNS: &[Phase] = &[Phase::Expand, Phase::Backfill, Phase::Validate];
        let breaks = self.found(
            &["expand-breaks-application", "expand-narrows", "drop-cascade", "truncate"],
            WHILE_IT_RUNS,
        );
        if !breaks.is_empty() {
            return (Answer::No, told(&breaks));
        }
        let opaque = self.found(&["opaque", "opaque-function"], WHILE_IT_RUNS);
        if !opaque.is_empty() {
            return (Answer::Unknown, told(&opaque));
        }
        if !self.item.cautions.is_empty() {
            return (Answer::Unknown, format!("look at this twice: {}", self.item.cautions.join("; ")));
        }
        (Answer::Yes, "until contract, nothing is taken away or made narrower that stands now".into())
    }

    pub(super) fn new_code(&self) -> Result<Told, SqlError> {
        let expand: Vec<Step> = self.item.steps_of(Phase::Expand).cloned().collect();
        let footprint = Footprint::of(&expand)?;
        let made: BTreeSet<String> = footprint
            .touches()
            .filter(|(_, how, _)| how.makes())
            .map(|(thing, ..)| thing.to_string())
            .collect();
        Ok(if made.is_empty() {
            (Answer::Yes, "expand makes nothing that it could miss".into())
        } else {
            let made: Vec<String> = made.into_iter().collect();
            (Answer::No, format!("{} is there only after expand, so expand comes first", some(&made)))
        })
    }

    pub(super) fn order(&self) -> Told {
        let gates = &self.item.gates;
        let gates = [&gates.expand, &gates.backfill, &gates.validate, &gates.contract, &gates.purge];
        let wanted: Vec<&AppVersion> = gates.iter().flat_map(|gate| &gate.deployed).collect();
        let Some(record) = self.record else {
            return (Answer::Unknown, "the record tells: ask with a database".into());
        };
        if record.state == State::Aborted {
            return (
                Answer::No,
                "it is aborted, and nothing of it runs any more: what is still wanted of it needs a new version".into(),
            );
        }
        if record.state >= State::Expanded {
            return (Answer::Yes, format!("it is {} already", record.state));
        }
        match wanted.iter().find(|app| record.markers.iter().any(|marker| marker.is_of(app))) {
            Some(AppVersion { app, version }) => {
                (Answer::No, format!("{app}@{version} is deployed, and it is {}: phase expand", record.state))
            }
            None => (
                Answer::Unknown,
                "it is not expanded: let phase expand run in the deploy before new code ships".into(),
            ),
        }
    }

    pub(super) fn failed_deploy(&self, old_code: Told, undo: Told) -> Told {
        let version = &self.item.version;
        match (old_code, undo) {
            ((Answer::Yes, _), (Answer::Yes, _)) => {
                (Answer::Yes, format!("old code goes on as before; phase abort {version} takes expand back"))
            }
            ((Answer::Yes, _), (_, why)) => {
                (Answer::Yes, format!("old code goes on as before, but it stays: {why}"))
            }
            (old_code, _) => old_code,
        }
    }
}
