//! `transform_column`: a column in another form, under another name.
//!
//! # Deploying
//!
//! New code, which knows only the new column, ships once the plan is `backfilled`; where the plan gives the new
//! column an index of its own in validate, once it is `validated`. With `back: none` what new code writes never
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
//! `back: none` it is as old code left it, and what new code wrote goes with the new column.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::Draft;
use super::reader::Reader;
use super::reshape::{New, Old, RawNew, Reshape};
use crate::core::ident::QName;

/// `transform_column: {table, column, to, type, using, back, …}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The old column.
    column: String,
    /// The new one.
    to: String,
    /// Its type.
    #[serde(rename = "type")]
    kind: String,
    /// Its value: an expression over the old columns.
    using: String,
    /// The old column's value, an expression over the new one; none: nothing leads back.
    back: String,
    /// Whether it must have a value in the end.
    #[serde(default)]
    not_null: bool,
    /// A comment on it.
    comment: Option<String>,
}

/// A column in another form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransformColumn(Reshape);

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<TransformColumn> {
    let table = reader.table("table", &raw.table);
    let old = Old::read(&raw.column, &raw.back, reader);
    let Raw { to, kind, using, not_null, comment, .. } = raw;
    let new = New::read(RawNew { column: to, kind, using, not_null, comment }, reader);
    Some(TransformColumn(Reshape { table: table?, new: vec![new?], old: vec![old?] }))
}

impl TransformColumn {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.0.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        self.0.write(draft);
    }
}
