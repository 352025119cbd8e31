//! Owns what a backfill is: the table, the work on its rows, and the SQL of one batch.

use std::time::Duration;

use crate::core::ident::{Ident, QName};
use crate::core::plan::model::BackfillWork;
use crate::core::sql::closed;

/// Keys that one statement of the second pass looks at: some milliseconds of reading.
const SECOND_PASS_KEYS: u32 = 10_000;

/// A backfill entry, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Backfill {
    /// The table that is walked.
    pub table: QName,
    /// What happens to its rows.
    pub work: BackfillWork,
    /// Which rows are left to do, as the plan says.
    pub filter: Option<String>,
    /// The key to walk; `None`: the primary key.
    pub key: Option<Vec<Ident>>,
    /// Keys a batch.
    pub rows: u32,
    /// Sleep between batches.
    pub pause: Duration,
}

/// A column with the type that the server gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedColumn {
    /// The column.
    pub name: Ident,
    /// Its type as `format_type` prints it; safe to paste into SQL.
    pub type_name: String,
}

/// What the catalog says about the table of a backfill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The columns of the key that is walked, in index order.
    pub key: Vec<TypedColumn>,
    /// The columns that the work sets.
    pub targets: Vec<TypedColumn>,
    /// Live rows, as the statistics have it.
    pub estimate: i64,
}

/// Where a walk is; keys are column values as text, in key order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// 1: locked rows are skipped; 2: what is left, row by row.
    pub pass: i32,
    /// The last key that is done.
    pub cursor: Option<Vec<String>>,
    /// The last key that is work.
    pub upper: Option<Vec<String>>,
    /// Nothing is left.
    pub finished: bool,
    /// Keys walked in the first pass.
    pub rows_seen: i64,
    /// Rows written.
    pub rows_written: i64,
    /// Keys to walk, as the statistics had it at the start.
    pub rows_total: i64,
    /// Batches committed.
    pub batches: i64,
}

/// Which of the batch statements a position needs.
///
/// The lower bound is left out rather than made optional: the planner cannot
/// use an index for `(lo IS NULL OR key > lo)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Whether there is a lower bound.
    pub after: bool,
    /// Whether this is the second pass.
    pub second_pass: bool,
}

impl Backfill {
    /// What it does, as one statement for people; batches run it range by range.
    #[must_use]
    pub fn outline(&self) -> String {
        let table = &self.table;
        let filter =
            self.filter.as_ref().map_or_else(String::new, |filter| format!(" WHERE {}", filter.trim()));
        match &self.work {
            BackfillWork::Set(columns) => {
                let set: Vec<String> =
                    columns.iter().map(|(column, expr)| format!("{column} = {expr}")).collect();
                format!("UPDATE {table} SET {}{filter}", set.join(", "))
            }
            BackfillWork::Copy { into, columns } => {
                let (names, exprs) = unzip(columns);
                format!(
                    "INSERT INTO {into} ({names}) SELECT {exprs} FROM {table}{filter} ON CONFLICT DO NOTHING"
                )
            }
            BackfillWork::Delete => format!("DELETE FROM {table}{filter}"),
        }
    }

    /// The last key of the table: rows beyond it came after the start.
    #[must_use]
    pub fn upper_sql(&self, shape: &Shape) -> String {
        let keys =
            shape.key.iter().map(|column| format!("{}::text", column.name)).collect::<Vec<_>>().join(", ");
        format!(
            "SELECT ARRAY[{keys}] AS upper FROM {} ORDER BY {} LIMIT 1",
            self.table,
            order(shape, " DESC")
        )
    }

    /// One batch in one statement: fence, window, rows, cursor.
    ///
    /// Parameters: `$1` version, `$2` step, `$3` epoch, `$4` keys a batch (bigint),
    /// `$5` the cursor that the caller believes in (text[]), `$6` the upper bound
    /// (text[]). It gives one row (cursor, finished, seen, written, rows_seen,
    /// rows_written, batches, hold) or none when the fence does not hold: another epoch, or
    /// another cursor than the caller believes.
    ///
    /// The window's end is found from the index alone. Rows are locked in key
    /// order with SKIP LOCKED, so that a batch neither waits for the application
    /// nor makes it deadlock; the second pass takes what was skipped one row at a time
    /// and waits. The UPDATE repeats the range, so that no planner has a reason
    /// for a join over the whole table.
    #[must_use]
    pub fn batch_sql(&self, shape: &Shape, variant: Variant, metadata: &Ident) -> String {
        let table = &self.table;
        let key = names(shape, "");
        let todo_key: Vec<String> = shape
            .key
            .iter()
            .enumerate()
            .map(|(n, column)| format!("{} AS _phase_key_{n}", column.name))
            .collect();
        let todo_order =
            (0..shape.key.len()).map(|n| format!("_phase_key_{n} DESC")).collect::<Vec<_>>().join(", ");
        let todo_text =
            (0..shape.key.len()).map(|n| format!("_phase_key_{n}::text")).collect::<Vec<_>>().join(", ");
        let edge_text =
            shape.key.iter().map(|column| format!("{}::text", column.name)).collect::<Vec<_>>().join(", ");
        let range = self.range(shape, variant);
        let lower = if variant.after { format!("{} AND", bound(shape, ">", "$5")) } else { String::new() };
        let upper = bound(shape, "<=", "$6");
        let lock = match (&self.work, variant.second_pass) {
            (BackfillWork::Copy { .. }, _) => "",
            (BackfillWork::Set(_), false) => "FOR NO KEY UPDATE SKIP LOCKED",
            (BackfillWork::Set(_), true) => "LIMIT 1 FOR NO KEY UPDATE",
            (BackfillWork::Delete, false) => "FOR UPDATE SKIP LOCKED",
            (BackfillWork::Delete, true) => "LIMIT 1 FOR UPDATE",
        };
        let one_by_one = variant.second_pass && self.takes_locks();
        let next = if one_by_one {
            "coalesce((SELECT key FROM last), (SELECT key FROM edge))"
        } else {
            "(SELECT key FROM edge)"
        };
        let ended = if one_by_one { "NOT EXISTS (SELECT FROM last) AND" } else { "" };
        format!(
            "WITH fence AS MATERIALIZED (\n  \
               SELECT 1 FROM {metadata}.backfill_range\n  \
               WHERE version = $1 AND step = $2 AND range = 0 AND epoch = $3 AND cursor IS NOT DISTINCT FROM $5::text[]\n    \
                 AND NOT finished FOR UPDATE\n\
             ), edge AS MATERIALIZED (\n  \
               SELECT {key}, ARRAY[{edge_text}] AS key, count(*) OVER () AS seen\n  \
               FROM (SELECT {key} FROM {table} WHERE {lower} {upper} ORDER BY {order_up} LIMIT $4) AS win\n  \
               ORDER BY {order_down} LIMIT 1\n\
             ), todo AS MATERIALIZED (\n  \
               SELECT {todo_key} FROM {table}\n  \
               WHERE EXISTS (SELECT FROM fence) AND {range} AND ({filter})\n  \
               ORDER BY {order_up} {lock}\n\
             ), last AS MATERIALIZED (\n  \
               SELECT ARRAY[{todo_text}] AS key FROM todo ORDER BY {todo_order} LIMIT 1\n\
             ), done AS (\n  {work}\n\
             ), mark AS (\n  \
               UPDATE {metadata}.backfill_range AS r SET\n    \
                 cursor = coalesce({next}, r.cursor),\n    \
                 finished = {ended} coalesce((SELECT seen FROM edge), 0) < $4,\n    \
                 rows_seen = r.rows_seen + {seen},\n    \
                 rows_written = r.rows_written + (SELECT count(*) FROM done),\n    \
                 batches = r.batches + 1, updated_at = clock_timestamp()\n  \
               FROM fence WHERE r.version = $1 AND r.step = $2 AND r.range = 0 AND r.epoch = $3\n  \
               RETURNING r.cursor, r.finished, r.rows_seen, r.rows_written, r.batches\n\
             )\n\
             SELECT mark.*, (SELECT reason FROM {metadata}.hold WHERE version = $1 AND lifted_at IS NULL) AS hold FROM mark",
            todo_key = todo_key.join(", "),
            filter = self.rows_left(shape),
            order_up = order(shape, ""),
            order_down = order(shape, " DESC"),
            work = self.work_sql(shape, &range),
            seen = if variant.second_pass { "0" } else { "coalesce((SELECT seen FROM edge), 0)" },
        )
    }

    /// How many keys one batch looks at. The second pass writes one row at the
    /// most and otherwise only reads, so it may look further.
    #[must_use]
    pub fn window(&self, variant: Variant) -> i64 {
        i64::from(if variant.second_pass { self.rows.max(SECOND_PASS_KEYS) } else { self.rows })
    }

    /// Whether its batches lock rows one after another, so that a second pass is needed.
    #[must_use]
    pub const fn takes_locks(&self) -> bool {
        !matches!(self.work, BackfillWork::Copy { .. })
    }

    /// Which rows are left: what the plan says, and for `set` only rows that
    /// would change. Compared as record images, which see what `=` of some
    /// types does not (case of citext, scale of numeric) and work for types
    /// without `=`; so a row that is right is never written, and a second pass ends.
    fn rows_left(&self, shape: &Shape) -> String {
        let filter = self.filter.as_ref().map(|filter| format!("({})", closed(filter)));
        let BackfillWork::Set(columns) = &self.work else {
            return filter.unwrap_or_else(|| "true".into());
        };
        let differs: Vec<String> = columns
            .iter()
            .zip(&shape.targets)
            .map(|((column, expr), typed)| {
                format!(
                    "ROW({column})::record OPERATOR(pg_catalog.*<>) ROW(CAST(({}) AS {}))::record",
                    closed(expr),
                    typed.type_name
                )
            })
            .collect();
        let differs = format!("({})", differs.join(" OR "));
        filter.map_or(differs.clone(), |filter| format!("{filter} AND {differs}"))
    }

    fn work_sql(&self, shape: &Shape, range: &str) -> String {
        let table = &self.table;
        let name = &self.table.name;
        let joined: Vec<String> = shape
            .key
            .iter()
            .enumerate()
            .map(|(n, column)| format!("{name}.{} = todo._phase_key_{n}", column.name))
            .collect();
        let joined = joined.join(" AND ");
        match &self.work {
            BackfillWork::Set(columns) => {
                let set: Vec<String> =
                    columns.iter().map(|(column, expr)| format!("{column} = ({})", closed(expr))).collect();
                format!(
                    "UPDATE {table} SET {} FROM todo WHERE {joined} AND {range} RETURNING 1",
                    set.join(", ")
                )
            }
            BackfillWork::Delete => {
                format!("DELETE FROM {table} USING todo WHERE {joined} AND {range} RETURNING 1")
            }
            BackfillWork::Copy { into, columns } => {
                let (names, exprs) = unzip(columns);
                format!(
                    "INSERT INTO {into} ({names}) SELECT {exprs} FROM {table}\n  \
                     WHERE EXISTS (SELECT FROM fence) AND {range} AND ({}) ON CONFLICT DO NOTHING RETURNING 1",
                    self.rows_left(shape)
                )
            }
        }
    }

    fn range(&self, shape: &Shape, variant: Variant) -> String {
        let name = &self.table.name;
        let keys = names(shape, &format!("{name}."));
        let columns = names(shape, "");
        let end = format!("({keys}) <= (SELECT {columns} FROM edge)");
        if variant.after {
            format!("{} AND {end}", bound_on(shape, &format!("{name}."), ">", "$5"))
        } else {
            end
        }
    }
}

fn names(shape: &Shape, prefix: &str) -> String {
    shape.key.iter().map(|column| format!("{prefix}{}", column.name)).collect::<Vec<_>>().join(", ")
}

fn order(shape: &Shape, direction: &str) -> String {
    shape.key.iter().map(|column| format!("{}{direction}", column.name)).collect::<Vec<_>>().join(", ")
}

fn bound(shape: &Shape, operator: &str, parameter: &str) -> String {
    bound_on(shape, "", operator, parameter)
}

fn bound_on(shape: &Shape, prefix: &str, operator: &str, parameter: &str) -> String {
    let values: Vec<String> = shape
        .key
        .iter()
        .enumerate()
        .map(|(n, column)| format!("({parameter}::text[])[{}]::{}", n + 1, column.type_name))
        .collect();
    format!("({}) {operator} ({})", names(shape, prefix), values.join(", "))
}

fn unzip(columns: &[(Ident, String)]) -> (String, String) {
    let names = columns.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(", ");
    let exprs = columns.iter().map(|(_, expr)| format!("({})", closed(expr))).collect::<Vec<_>>().join(", ");
    (names, exprs)
}
