//! Owns the steps that recipes write, phase by phase.

use std::mem::discriminant;

use super::{Draft, Sql};
use crate::core::ident::{Ident, QName};
use crate::core::plan::model::{
    BackfillSpec, BackfillWork, ExchangeSpec, MirrorSpec, MoveSpec, Placed, StepSpec, SyncSpec,
};

impl Draft<'_> {
    pub(in crate::core::recipe) fn expand(&mut self, step: StepSpec) {
        self.expand.push(Placed { value: step, place: self.at });
    }

    pub(in crate::core::recipe) fn expand_sql(&mut self, sql: Sql) {
        self.expand(sql.spec());
    }

    /// Whether a sync fills a column from others.
    pub(in crate::core::recipe) fn is_filled(&self, table: &QName, column: &Ident) -> bool {
        let fills = |sync: &SyncSpec| sync.table == *table && sync.set.iter().any(|(name, _)| name == column);
        self.expand.iter().any(|step| matches!(&step.value, StepSpec::Sync(sync) if fills(sync)))
    }

    /// Keeps columns in step from expand on; which sync of the plan that is, from 1.
    pub(in crate::core::recipe) fn sync(&mut self, sync: SyncSpec) -> usize {
        self.nth(StepSpec::Sync(sync))
    }

    /// Keeps a table in step with another from expand on; which mirror of the plan that is, from 1.
    pub(in crate::core::recipe) fn mirror(&mut self, mirror: MirrorSpec) -> usize {
        self.nth(StepSpec::Mirror(mirror))
    }

    /// Keeps columns equal to those of another table from expand on; which move of the plan that is, from 1.
    pub(in crate::core::recipe) fn moves(&mut self, moved: MoveSpec) -> usize {
        self.nth(StepSpec::Move(moved))
    }

    /// Puts a step into expand; which of its kind that is there, from 1.
    fn nth(&mut self, step: StepSpec) -> usize {
        let kind = discriminant(&step);
        self.expand(step);
        self.expand.iter().filter(|step| discriminant(&step.value) == kind).count()
    }

    pub(in crate::core::recipe) fn validate(&mut self, step: StepSpec) {
        self.validate.push(Placed { value: step, place: self.at });
    }

    pub(in crate::core::recipe) fn validate_sql(&mut self, sql: Sql) {
        self.validate(sql.spec());
    }

    pub(in crate::core::recipe) fn contract(&mut self, step: StepSpec) {
        self.contract.push(Placed { value: step, place: self.at });
    }

    pub(in crate::core::recipe) fn contract_sql(&mut self, sql: Sql) {
        self.contract(sql.spec());
    }

    /// Columns change places in contract.
    pub(in crate::core::recipe) fn exchange(&mut self, exchange: ExchangeSpec) {
        match &mut self.gathered {
            Some(gathered) => gathered.push(exchange),
            None => self.contract(StepSpec::Exchange(exchange)),
        }
    }

    /// From here on exchanges wait for [`Draft::gathered`].
    pub(in crate::core::recipe) fn gather(&mut self) {
        self.gathered = Some(Vec::new());
    }

    /// Those that wait, as one.
    pub(in crate::core::recipe) fn gathered(&mut self) -> Option<ExchangeSpec> {
        let all = self.gathered.take().unwrap_or_default();
        let one = all.into_iter().reduce(|mut one, mut more| {
            one.pairs.append(&mut more.pairs);
            one.lock.append(&mut more.lock);
            for (into, from) in [
                (&mut one.first, more.first),
                (&mut one.hide, more.hide),
                (&mut one.then, more.then),
                (&mut one.last, more.last),
            ] {
                into.there.extend(from.there);
                into.back.splice(0..0, from.back);
            }
            one.drop.append(&mut more.drop);
            one.allow.append(&mut more.allow);
            one
        });
        one.map(|mut one| {
            one.pairs.sort_by(|a, b| a.table.cmp(&b.table));
            one
        })
    }

    /// Fills columns, row by row, where `filter` says that a row is left to do.
    pub(in crate::core::recipe) fn fill(
        &mut self,
        table: &QName,
        columns: Vec<(Ident, String)>,
        filter: Option<String>,
    ) {
        self.works(table, BackfillWork::Set(columns), filter);
    }

    /// Copies rows into another table, where `filter` says that a row is left to do: each column there with what it gets.
    pub(in crate::core::recipe) fn copy(
        &mut self,
        (table, into): (&QName, &QName),
        columns: Vec<(Ident, String)>,
        filter: Option<String>,
    ) {
        self.works(table, BackfillWork::Copy { into: into.clone(), columns }, filter);
    }

    fn works(&mut self, table: &QName, work: BackfillWork, filter: Option<String>) {
        let spec = BackfillSpec { filter, ..BackfillSpec::of(table.clone(), work) };
        self.carry(Placed { value: spec, place: self.at });
    }

    /// Carries data over as a backfill of the plan says.
    pub(in crate::core::recipe) fn carry(&mut self, entry: Placed<BackfillSpec>) {
        self.backfill.push(entry);
    }
}
