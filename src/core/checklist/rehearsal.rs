//! Whether the way back is written, and was rehearsed.

use super::{Answer, Known, Told, some};
use crate::core::record::Kind;
use crate::core::step::{Phase, Undo};
use crate::core::timeline::Rollback;

impl Known<'_> {
    /// Whether everything up to contract has a way back.
    pub(super) fn undo_written(&self) -> Told {
        let irreversible =
            self.item.steps.iter().filter(|step| step.phase < Phase::Purge).filter_map(|step| {
                match &step.undo {
                    Undo::Irreversible(why) => Some(format!("{} ({why})", step.id)),
                    Undo::Nothing | Undo::Run(_) | Undo::Recorded => None,
                }
            });
        let irreversible: Vec<String> = match (&self.item.kind, &self.item.down) {
            (Kind::Sql, Rollback::Refused(why)) => vec![why.clone()],
            (Kind::Sql, Rollback::Steps(_)) => Vec::new(),
            (Kind::Plan, _) => irreversible.collect(),
        };
        if irreversible.is_empty() {
            (Answer::Yes, "every step has a way back".into())
        } else {
            (Answer::No, format!("nothing leads back from {}", some(&irreversible)))
        }
    }

    pub(super) fn undo(&self, (written, why): Told) -> Told {
        let version = &self.item.version;
        if written != Answer::Yes {
            return (written, why);
        }
        let Some(record) = self.record else {
            return (
                Answer::Unknown,
                "it is written; rehearsals stand in the record: ask with a database".into(),
            );
        };
        match record.rehearsal {
            None => (Answer::No, format!("it is written and was never rehearsed: phase rehearse {version}")),
            Some(outcome) if outcome.checksum != self.item.checksum => (
                Answer::No,
                format!("the file is another one since it was rehearsed: phase rehearse {version}"),
            ),
            Some(outcome) if !outcome.passed => {
                (Answer::No, format!("the last rehearsal failed: phase rehearse {version}"))
            }
            Some(outcome) if outcome.round_trips == 0 => {
                (Answer::No, "it was rehearsed without a way back".into())
            }
            Some(outcome) => {
                (Answer::Yes, format!("{} ways back led to the schema as it was", outcome.round_trips))
            }
        }
    }
}
