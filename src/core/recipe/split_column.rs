//! `split_column`: several columns in the place of one.
//!
//! # Deploying
//!
//! New code, which knows only the new columns, ships once the plan is `backfilled`; where the plan gives the new
//! columns an index of its own in validate, once it is `validated`. With `back: none` what new code writes never
//! reaches the old column: then old code must be gone before new code writes.
//! `COPY … FROM` without a list of columns meets one column more from expand on, and so does `INSERT … SELECT *`: let them
//! name their columns first.
//!
//! Contract stops as long as the function of one of the table's own triggers says `NEW.x` or `OLD.x` of the old column: every
//! write would fail from then on. Replace it beforehand by one that works before and after, such as by `to_jsonb(NEW) ->> 'x'`
//! to read and `jsonb_populate_record(NEW, …)` to write.
//!
//! # Going back
//!
//! The old column is filled by `back` until purge, so that nothing is lost that `back` can express. With
//! `back: none` it is as old code left it, and what new code wrote goes with the new columns.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::Draft;
use super::reader::Reader;
use super::reshape::{New, Old, RawNew, Reshape};
use crate::core::ident::QName;

/// `split_column: {table, column, into: [{column, type, using}, …], back}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The old column.
    column: String,
    /// The new ones.
    into: Vec<RawNew>,
    /// The old column's value, an expression over the new ones; none: nothing leads back.
    back: String,
}

/// Several columns in the place of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitColumn(Reshape);

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<SplitColumn> {
    let table = reader.table("table", &raw.table);
    let old = Old::read(&raw.column, &raw.back, reader);
    if raw.into.len() < 2 {
        reader.fault("into: name at least two columns; one in the place of one is transform_column");
    }
    let new: Vec<Option<New>> = raw.into.into_iter().map(|raw| New::read(raw, reader)).collect();
    let new = new.into_iter().collect::<Option<Vec<New>>>();
    Some(SplitColumn(Reshape { table: table?, new: new?, old: vec![old?] }))
}

impl SplitColumn {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.0.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        self.0.write(draft);
    }
}
