//! Writes the statements of the proof: it counts, window by window, the rows
//! that are left and the rows that are out of step.

use super::fence::{IN_PLACE, OURS, PARAMETERS, PLACE, RENEWED, healthy, outcome, same_storage, window_end};
use super::range::{listed, within};
use super::{Backfill, Key, Leaf, Walk};
use crate::core::ident::{Ident, literal};
use crate::core::plan::model::BackfillWork;

/// What decides the text of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How rows are found.
    pub walk: Walk,
    /// Whether there is a lower bound.
    pub after: bool,
    /// Whether rows are in quarantine.
    pub quarantine: bool,
    /// Whether all that could be done in the window was done.
    pub settled: bool,
    /// Whether rows out of step count as left.
    pub repair: bool,
}

impl Backfill {
    /// Counts the rows of a leaf that are out of step, all in one statement; rows in
    /// quarantine are left out.
    #[must_use]
    pub fn astray_sql(&self, leaf: &Leaf, quarantine: &[Key]) -> String {
        let astray = self.out_of_step(leaf);
        let astray = if quarantine.is_empty() {
            astray
        } else {
            let list = format!("{}::jsonb", literal(&serde_json::json!(quarantine).to_string()));
            format!("CASE WHEN {} THEN false ELSE {astray} END", listed(&leaf.key, &list))
        };
        format!("SELECT count(*) FROM ONLY {} AS {} WHERE {astray}", leaf.table, self.table.name)
    }

    /// Whether a leaf that no pass has walked holds rows that a pass would have had to do: one row, a boolean. `None`
    /// where that cannot be told from what applications write: without a sync, rows are as their writers left them.
    #[must_use]
    pub fn untouched_sql(&self, leaf: &Leaf) -> Option<String> {
        let copies = matches!(self.work, BackfillWork::Copy { .. });
        (copies || self.synced()).then(|| {
            format!(
                "SELECT EXISTS (SELECT FROM ONLY {} AS {} WHERE {})",
                leaf.table,
                self.table.name,
                self.out_of_step(leaf)
            )
        })
    }

    /// Looks at one window: one row (left, out of step, seen, and where the walk
    /// is), or none when the fence does not hold. The cursor moves only past a
    /// window in which nothing is left, or, `settled`, past one where all that
    /// could be done was done: what is still left there is out of step. To
    /// `repair`, rows out of step count as left.
    #[must_use]
    pub fn check_sql(&self, leaf: &Leaf, look: Look, metadata: &Ident) -> String {
        let Look { walk, after, quarantine, settled, repair } = look;
        let lower = after.then_some("$6");
        // What was done was done up to the end of the look before; rows come and go,
        // and a window that is measured anew may hold some that nobody has looked at.
        let edge = if settled { "$7::text[]".to_owned() } else { window_end(walk, leaf, lower, "$6") };
        let range = within(walk, &leaf.key, lower, "(SELECT key FROM _phase_edge)");
        let left = if repair { self.out_of_step(leaf) } else { self.left(leaf) };
        // The plan's filter need not see that a row is copied; the insert did.
        let out = if matches!(self.work, BackfillWork::Copy { .. }) {
            "false".into()
        } else {
            self.out_of_step(leaf)
        };
        let moves = if settled { "true" } else { "_phase_found.remaining = 0" };
        format!(
            "WITH {PARAMETERS}, _phase_fence AS MATERIALIZED (\n  \
               SELECT 1 FROM {metadata}.backfill_chunk AS c\n  WHERE {OURS}\n    AND {IN_PLACE}{storage} FOR UPDATE\n\
             ), _phase_edge AS MATERIALIZED (\n  SELECT {edge} AS key\n\
             ), _phase_found AS MATERIALIZED (\n  \
               SELECT count(*) AS seen, count(*) FILTER (WHERE {left}) AS remaining, count(*) FILTER (WHERE {out}) AS astray\n  \
               FROM ONLY {table} AS {alias} WHERE EXISTS (SELECT FROM _phase_fence) AND {range}\n    AND {healthy}\n\
             ), _phase_mark AS (\n  \
               UPDATE {metadata}.backfill_chunk AS c SET\n    \
                 cursor = CASE WHEN {moves} THEN _phase_edge.key ELSE c.cursor END,\n    \
                 window_end = _phase_edge.key,\n    \
                 finished = {moves} AND _phase_edge.key = $8::text[],\n    \
                 rows_seen = c.rows_seen + CASE WHEN {moves} THEN _phase_found.seen ELSE 0 END,\n    \
                 out_of_step = c.out_of_step + CASE WHEN {moves} THEN _phase_found.astray ELSE 0 END,\n    \
                 {RENEWED}\n  \
               FROM _phase_fence, _phase_edge, _phase_found\n  WHERE {OURS}\n  RETURNING {PLACE}\n\
             )\n\
             SELECT _phase_mark.*, _phase_found.remaining, _phase_found.astray, _phase_found.seen,\n  {outcome}\n\
             FROM _phase_mark, _phase_found",
            table = leaf.table,
            alias = self.table.name,
            storage = same_storage(walk),
            outcome = outcome(metadata),
            healthy = healthy(leaf, quarantine, "true"),
        )
    }
}
