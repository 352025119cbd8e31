//! Writes the statement that tries one row in quarantine once more.

use super::range::{listed, names};
use super::{Backfill, Leaf, unzip};
use crate::core::ident::Ident;
use crate::core::plan::model::BackfillWork;

impl Backfill {
    /// The row and its place in quarantine, in one statement: parameters are
    /// version, step, leaf, key (text[]) and the same key as a JSON array of one
    /// array. It gives one row (written, there), or none when the row is not in
    /// quarantine any more.
    ///
    /// The quarantine's own row is the fence: an abort takes it away. A row that is not
    /// there to be done is right already, deleted, or under another key or on another page
    /// by now. A row that is right under its key (`there`) may be another one that took the
    /// key over: only a look at all of them tells, so no proof counts that began before this moment.
    #[must_use]
    pub fn retry_sql(&self, leaf: &Leaf, metadata: &Ident) -> String {
        let (table, alias) = (&leaf.table, &self.table.name);
        let rows = format!(
            "EXISTS (SELECT FROM _phase_fence) AND {} AND {}",
            listed(&leaf.key, "$5"),
            self.left(leaf)
        );
        let work = match &self.work {
            BackfillWork::Set(_) | BackfillWork::Delete => {
                let change = self.change(table, alias, false).unwrap_or_default();
                format!("{change} WHERE {rows} RETURNING 1")
            }
            BackfillWork::Copy { into, columns } => {
                let (into_columns, exprs) = unzip(columns);
                format!(
                    "INSERT INTO {into} ({into_columns}) SELECT {} FROM ONLY {table} AS {alias} WHERE {rows} FOR SHARE \
                     ON CONFLICT ({}) DO NOTHING RETURNING 1",
                    exprs.join(", "),
                    names(&leaf.arbiter)
                )
            }
        };
        let there = if !leaf.key.is_empty() {
            format!("EXISTS (SELECT FROM ONLY {table} AS {alias} WHERE {})", listed(&leaf.key, "$5"))
        } else {
            "false".into()
        };
        format!(
            "WITH _phase_fence AS MATERIALIZED (\n  \
               SELECT 1 FROM {metadata}.quarantine WHERE version = $1 AND step = $2 AND leaf = $3 AND key = $4::text[] FOR UPDATE\n\
             ), _phase_done AS (\n  {work}\n\
             ), _phase_out AS (\n  \
               DELETE FROM {metadata}.quarantine q USING _phase_fence\n  \
               WHERE q.version = $1 AND q.step = $2 AND q.leaf = $3 AND q.key = $4::text[] RETURNING 1\n\
             ), _phase_there AS MATERIALIZED (\n  SELECT {there} AS there\n\
             ), _phase_unproven AS (\n  \
               UPDATE {metadata}.backfill SET proof_since = clock_timestamp() WHERE version = $1 AND step = $2\n  \
               AND EXISTS (SELECT FROM _phase_out) AND NOT EXISTS (SELECT FROM _phase_done)\n\
             )\n\
             SELECT (SELECT count(*) FROM _phase_done) AS written, _phase_there.there FROM _phase_out, _phase_there"
        )
    }
}
