//! Writes the statement of one batch: fence, rows, work and cursor at once.
//!
//! Every statement here takes the same parameters, so that a caller binds them
//! once: see [`super::fence`]. It gives one row, or none when the fence does not
//! hold: another epoch, another place than the caller believes, or a table that
//! was rewritten since its pages were cut.

use super::fence::{IN_PLACE, OURS, PARAMETERS, PLACE, RENEWED, healthy, outcome, same_storage, window_end};
use super::range::{identity, is_integer, listed, names, stripe, within};
use super::{Backfill, Leaf, Stripes, Walk, unzip};
use crate::core::ident::{Ident, QName};
use crate::core::plan::model::BackfillWork;

/// How a batch meets rows that somebody else has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Locking {
    /// Waits for a few milliseconds, and gives the whole batch up then: the
    /// cheapest way where nobody else writes.
    Try,
    /// Passes them over; the proof comes back to them.
    Skip,
    /// Takes one row and waits for it.
    Wait,
}

/// Which rows a statement takes, and where the walk is after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Take {
    /// One stripe of the window; the last one moves the cursor.
    Stripe,
    /// What is left in the window; the walk stays where it is.
    Rest,
    /// What is out of step in the window, made to what the expressions give.
    OutOfStep,
    /// The rows that are listed; the walk stays where it is.
    Listed,
}

/// What decides the text of a batch statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// How rows are found.
    pub walk: Walk,
    /// Which rows.
    pub take: Take,
    /// How locks are met.
    pub locking: Locking,
    /// Whether there is a lower bound.
    pub after: bool,
    /// How the window is cut.
    pub stripes: Stripes,
    /// Whether this is the first stripe.
    pub first: bool,
    /// Whether this is the last stripe.
    pub last: bool,
    /// Whether rows are in quarantine.
    pub quarantine: bool,
}

impl Backfill {
    /// The statement of one batch; see the module.
    ///
    /// Rows are locked with SKIP LOCKED, so that a batch neither waits for the
    /// application nor makes it deadlock, and are updated by their place. A row
    /// that changed between the look and the lock is left for the proof.
    #[must_use]
    pub fn batch_sql(&self, leaf: &Leaf, form: Form, metadata: &Ident) -> String {
        let rows = self.rows_of(leaf, form);
        let work = self.work_sql(leaf, form, &rows);
        let (mark, next) = mark(leaf, form);
        let place = match form.take {
            Take::Stripe => " AND c.window_end IS NOT DISTINCT FROM $7::text[] AND c.stripe = $10",
            Take::Rest | Take::OutOfStep | Take::Listed => "",
        };
        format!(
            "WITH {PARAMETERS}, _phase_fence AS MATERIALIZED (\n  \
               SELECT pg_stat_get_xact_tuples_hot_updated($14) AS hot FROM {metadata}.backfill_chunk AS c\n  \
               WHERE {OURS}\n    AND {IN_PLACE}{place}{storage} FOR UPDATE\n\
             ), {work}{next}, _phase_mark AS (\n  \
               UPDATE {metadata}.backfill_chunk AS c SET {mark}\n    \
                 rows_written = c.rows_written + (SELECT count(*) FROM _phase_done), batches = c.batches + 1,\n    {RENEWED}\n  \
               FROM _phase_fence WHERE {OURS}\n  RETURNING {PLACE}\n\
             )\n\
             SELECT _phase_mark.*, (SELECT count(*) FROM _phase_done) AS written,\n  \
               pg_stat_get_xact_tuples_hot_updated($14) - _phase_fence.hot AS hot,\n  {}\n\
             FROM _phase_mark, _phase_fence",
            outcome(metadata),
            storage = same_storage(form.walk),
        )
    }

    /// The statement that opens a window: it sets its end, and takes no row.
    #[must_use]
    pub fn open_sql(&self, leaf: &Leaf, walk: Walk, after: bool, metadata: &Ident) -> String {
        let end = window_end(walk, leaf, after.then_some("$6"), "$6");
        format!(
            "WITH {PARAMETERS}\n\
             UPDATE {metadata}.backfill_chunk AS c SET window_end = {end}, stripe = 0, stripe_by = $15, stripes = $16\n\
             WHERE {OURS} AND {IN_PLACE}{}\nRETURNING {PLACE}",
            same_storage(walk)
        )
    }

    /// What tells the rows of the window apart, without a look at any
    /// expression: a row that makes one fail is listed too.
    #[must_use]
    pub fn identities_sql(&self, leaf: &Leaf, form: Form) -> String {
        let range = within(form.walk, &leaf.key, form.after.then_some("$6"), "$7");
        let stripe = stripe(form.stripes, &leaf.key, "$10");
        format!(
            "WITH {PARAMETERS} SELECT {} AS row FROM ONLY {} AS {} WHERE {range} AND {stripe} AND {}",
            identity(&leaf.key),
            leaf.table,
            self.table.name,
            healthy(leaf, form.quarantine, "true")
        )
    }

    /// Tries the proof's look on listed rows of the window, and changes nothing: it
    /// fails where one of them makes an expression fail.
    #[must_use]
    pub fn weigh_sql(&self, leaf: &Leaf, form: Form) -> String {
        let range = within(form.walk, &leaf.key, form.after.then_some("$6"), "$7");
        let astray = healthy(leaf, form.quarantine, &self.out_of_step(leaf));
        let listed = listed(&leaf.key, "$13");
        format!(
            "WITH {PARAMETERS} SELECT count(*) FILTER (WHERE CASE WHEN {listed} THEN {astray} ELSE false END) AS astray \
             FROM ONLY {} AS {} WHERE {range}",
            leaf.table, self.table.name,
        )
    }

    /// The predicate for the rows that a statement takes.
    fn rows_of(&self, leaf: &Leaf, form: Form) -> String {
        let range = within(form.walk, &leaf.key, form.after.then_some("$6"), "$7");
        let left = match form.take {
            Take::OutOfStep => self.out_of_step(leaf),
            Take::Stripe | Take::Rest | Take::Listed => self.left(leaf),
        };
        let left = healthy(leaf, form.quarantine, &left);
        // CASE, not AND: an expression must not be tried on rows of another batch,
        // which may be the ones that it fails on.
        let share = |share: String| format!("CASE WHEN {share} THEN {left} ELSE false END");
        let left = match form.take {
            Take::Stripe if form.stripes.count > 1 => share(stripe(form.stripes, &leaf.key, "$10")),
            Take::Listed => share(listed(&leaf.key, "$13")),
            Take::Stripe | Take::Rest | Take::OutOfStep => left,
        };
        format!("EXISTS (SELECT FROM _phase_fence) AND {range}\n    AND {left}")
    }

    fn work_sql(&self, leaf: &Leaf, form: Form, rows: &str) -> String {
        let (table, alias) = (&leaf.table, &self.table.name);
        let repaired = form.take == Take::OutOfStep;
        let change = self.change(table, alias, repaired);
        match (&change, form.locking) {
            (Some(change), Locking::Try) if self.sets() => {
                return format!("_phase_done AS (\n  {change}\n  WHERE {rows}\n  RETURNING 1\n)");
            }
            (Some(change), Locking::Wait) => {
                let one = one_of(leaf, alias, rows);
                return format!(
                    "_phase_done AS (\n  {change}\n  WHERE {rows}\n    AND {one}\n  RETURNING 1\n)"
                );
            }
            _ => {}
        }
        let strength = match self.work {
            BackfillWork::Set(_) => "NO KEY UPDATE",
            BackfillWork::Delete => "UPDATE",
            // A writer that changes or deletes the row waits until the copy is
            // there, so that its own trigger finds it.
            BackfillWork::Copy { .. } => "SHARE",
        };
        let lock = match form.locking {
            // Set and delete wait above, a row at a time; a copied row may match the filter
            // still, so one at a time would never end.
            Locking::Wait => format!("FOR {strength}"),
            Locking::Try | Locking::Skip => format!("FOR {strength} SKIP LOCKED"),
        };
        let (what, done) = match &self.work {
            BackfillWork::Set(_) | BackfillWork::Delete => {
                let with = if self.sets() { "FROM" } else { "USING" };
                let done = format!(
                    "{} {with} _phase_todo WHERE {alias}.ctid = _phase_todo._phase_place RETURNING 1",
                    change.unwrap_or_default()
                );
                ("ctid AS _phase_place".to_owned(), done)
            }
            BackfillWork::Copy { into, columns } => {
                let (into_columns, exprs) = unzip(columns);
                let exprs: Vec<String> =
                    exprs.iter().enumerate().map(|(n, expr)| format!("{expr} AS _phase_{n}")).collect();
                (
                    exprs.join(", "),
                    format!(
                        "INSERT INTO {into} ({into_columns}) SELECT * FROM _phase_todo ON CONFLICT ({}) DO NOTHING RETURNING 1",
                        names(&leaf.arbiter)
                    ),
                )
            }
        };
        format!(
            "_phase_todo AS MATERIALIZED (\n  SELECT {what} FROM ONLY {table} AS {alias}\n  WHERE {rows}\n  {lock}\n), \
             _phase_done AS (\n  {done}\n)"
        )
    }

    /// What changes a row where it is; a copy changes none.
    pub(super) fn change(&self, table: &QName, alias: &Ident, repaired: bool) -> Option<String> {
        match self.work {
            BackfillWork::Set(_) => {
                Some(format!("UPDATE ONLY {table} AS {alias} SET {}", self.assignments(repaired)))
            }
            BackfillWork::Delete => Some(format!("DELETE FROM ONLY {table} AS {alias}")),
            BackfillWork::Copy { .. } => None,
        }
    }

    /// Whether it changes rows where they are, so that stripes can help, and
    /// batches may try without passing locked rows over.
    #[must_use]
    pub const fn sets(&self) -> bool {
        matches!(self.work, BackfillWork::Set(_))
    }

    /// Whether stripes can be dealt out by the remainder of the leaf's key.
    #[must_use]
    pub fn remainders(&self, leaf: &Leaf) -> bool {
        is_integer(leaf)
    }
}

/// One of the rows. It is found without a lock and changed by its key: a statement
/// that waits for a row's writer then looks at what that left, where one that had
/// locked the row first could not see the version that it has to change.
fn one_of(leaf: &Leaf, alias: &Ident, rows: &str) -> String {
    let columns = if leaf.key.is_empty() { "ctid".to_owned() } else { names(&leaf.key) };
    format!("({columns}) = (SELECT {columns} FROM ONLY {} AS {alias} WHERE {rows} LIMIT 1)", leaf.table)
}

/// How the chunk's row changes, and what must be looked up for it.
fn mark(leaf: &Leaf, form: Form) -> (String, String) {
    if form.take != Take::Stripe {
        return (String::new(), String::new());
    }
    let (mut set, mut next) = (String::new(), String::new());
    if form.first {
        // Counted before the rows move to other pages.
        let range = within(form.walk, &leaf.key, form.after.then_some("$6"), "$7");
        next += &format!(
            ", _phase_seen AS (\n  SELECT count(*) AS rows FROM ONLY {} WHERE EXISTS (SELECT FROM _phase_fence) AND {range}\n)",
            leaf.table
        );
    }
    let seen = if form.first { "(SELECT rows FROM _phase_seen)" } else { "c.window_rows" };
    if form.last {
        let end = window_end(form.walk, leaf, Some("$7"), "$7");
        set += &format!(
            "cursor = $7, finished = $7::text[] = $8::text[], stripe = 0, stripe_by = $15, stripes = $16,\n    \
             window_end = CASE WHEN $7::text[] = $8::text[] THEN NULL ELSE {end} END,\n    \
             window_rows = NULL, rows_seen = CASE WHEN $7::text[] = $8::text[]\n      \
               THEN greatest(c.rows_seen + coalesce({seen}, 0), c.rows_written + (SELECT count(*) FROM _phase_done))\n      \
               ELSE c.rows_seen + coalesce({seen}, 0) END,\n   "
        );
    } else {
        set += &format!("stripe = c.stripe + 1, window_rows = {seen},\n   ");
    }
    (set, next)
}
