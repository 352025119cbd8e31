//! Whether the way back is written, and was rehearsed on data like production's.

use super::{Answer, Known, Told, some};
use crate::core::record::Kind;
use crate::core::step::{Phase, Undo};
use crate::core::timeline::Rollback;

/// A rehearsal is on data of production's size from this share of its rows on: a scan of
/// half of a table tells what one of all of it takes.
const SHARE: f64 = 0.5;

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

    pub(super) fn size(&self) -> Told {
        let Some(record) = self.record else {
            return (Answer::Unknown, "rehearsals stand in the record: ask with a database".into());
        };
        let Some(outcome) = record.rehearsal.filter(|outcome| outcome.checksum == self.item.checksum) else {
            let version = &self.item.version;
            return (Answer::No, format!("it was not rehearsed: phase rehearse {version} --on a clone"));
        };
        let same = |name: &str, table: &str| name == table || name.ends_with(&format!(".{table}"));
        let table = outcome.largest.as_deref();
        let production = table.and_then(|table| {
            let mut tables = self.world.tables.iter();
            tables.find(|(name, _)| same(table, &name.plain()) || same(&name.plain(), table))
        });
        let Some((name, Some(rows))) = production.map(|(name, table)| (name.plain(), table.rows)) else {
            return (
                Answer::Unknown,
                "the catalog tells no rows of the tables that it was rehearsed on".into(),
            );
        };
        #[allow(clippy::cast_precision_loss, reason = "a share")]
        let enough = outcome.rows as f64 >= rows as f64 * SHARE;
        let told = format!("{} rows of {name} in the rehearsal, about {rows} here", outcome.rows);
        (if enough { Answer::Yes } else { Answer::No }, told)
    }
}
