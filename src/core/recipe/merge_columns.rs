//! `merge_columns`: one column in the place of several.
//!
//! # Deploying
//!
//! New code, which knows only the new column, ships once the plan is `backfilled`; where the plan gives the new
//! column an index of its own in validate, once it is `validated`. With `back: none` what new code writes never
//! reaches the old columns: then old code must be gone before new code writes.
//! `COPY … FROM` without a list of columns meets one column more from expand on, and so does `INSERT … SELECT *`: let them
//! name their columns first.
//!
//! Contract stops as long as the function of one of the table's own triggers says `NEW.x` or `OLD.x` of an old column: every
//! write would fail from then on. Replace it beforehand by one that works before and after, such as by `to_jsonb(NEW) ->> 'x'`
//! to read and `jsonb_populate_record(NEW, …)` to write.
//!
//! # Going back
//!
//! The old columns are filled by `back` until purge, so that nothing is lost that `back` can express. With
//! `back: none` they are as old code left them, and what new code wrote goes with the new column.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::Draft;
use super::reader::Reader;
use super::reshape::{New, Old, RawNew, Reshape};
use crate::core::ident::QName;
use crate::core::plan::yaml::Pairs;

/// `merge_columns: {table, to, type, using, back: {OLD: expression, …}, …}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The new column.
    to: String,
    /// Its type.
    #[serde(rename = "type")]
    kind: String,
    /// Its value: an expression over the old columns.
    using: String,
    /// Each old column and its value, an expression over the new one; none: nothing leads back.
    back: Pairs,
    /// Whether it must have a value in the end.
    #[serde(default)]
    not_null: bool,
    /// A comment on it.
    comment: Option<String>,
}

/// One column in the place of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeColumns(Reshape);

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<MergeColumns> {
    let table = reader.table("table", &raw.table);
    let Raw { to, kind, using, back, not_null, comment, .. } = raw;
    if back.0.len() < 2 {
        reader
            .fault("back: name every old column, at least two; one in the place of one is transform_column");
    }
    let old: Vec<Option<Old>> = back.0.iter().map(|(column, back)| Old::read(column, back, reader)).collect();
    let old = old.into_iter().collect::<Option<Vec<Old>>>();
    let new = New::read(RawNew { column: to, kind, using, not_null, comment }, reader);
    Some(MergeColumns(Reshape { table: table?, new: vec![new?], old: old? }))
}

impl MergeColumns {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.0.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        self.0.write(draft);
    }
}
