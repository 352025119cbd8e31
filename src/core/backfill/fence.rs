//! Owns what every statement of a walk shares: its parameters, the chunk that it
//! may touch, and what it gives back.

use super::range::{self, listed, texts, within};
use super::{Leaf, Walk};
use crate::core::ident::Ident;

/// The parameters of every statement of a walk, in order: version, step, pass,
/// chunk, epoch, cursor, end of the window, upper bound, size of the next window
/// (keys or pages), stripe, lease in seconds, rows in quarantine, rows to take,
/// oid of the leaf, how the next window is cut, in how many stripes.
pub(super) const PARAMETERS: &str = "_phase_given AS (SELECT $1::text, $2::text, $3::int, $4::int, $5::bigint, $6::text[], $7::text[], \
     $8::text[], $9::bigint, $10::int, $11::float8, $12::jsonb, $13::jsonb, $14::oid, $15::text, $16::int)";

/// The chunk under the epoch of the lease, as `c`.
pub(super) const OURS: &str =
    "c.version = $1 AND c.step = $2 AND c.pass = $3 AND c.chunk = $4 AND c.epoch = $5";

/// The same where the caller believes it to be, with work left in it.
pub(super) const IN_PLACE: &str = "c.cursor IS NOT DISTINCT FROM $6::text[] AND NOT c.finished";

/// The lease, renewed.
pub(super) const RENEWED: &str =
    "lease_until = clock_timestamp() + $11 * interval '1 second', updated_at = clock_timestamp()";

/// Where the walk is afterwards.
pub(super) const PLACE: &str = "c.cursor, c.window_end, c.stripe, c.stripe_by, c.stripes, c.finished";

/// The time that the statement took at the server, and a hold that stands.
pub(super) fn outcome(metadata: &Ident) -> String {
    format!(
        "(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000)::float8 AS ms,\n  \
         (SELECT reason FROM {metadata}.hold WHERE version = $1 AND lifted_at IS NULL) AS hold"
    )
}

/// Whether the pages that the chunk was cut from are still those of the table.
pub(super) fn same_storage(walk: Walk) -> &'static str {
    match walk {
        Walk::Key => "",
        Walk::Pages => "\n    AND c.filenode = pg_relation_filenode($14::oid::regclass)::bigint",
    }
}

/// The end of the window after `from`: an array of texts.
pub(super) fn window_end(walk: Walk, leaf: &Leaf, after: Option<&str>, from: &str) -> String {
    match walk {
        Walk::Pages => {
            format!(
                "ARRAY[least(coalesce(({from}::text[])[1]::bigint, 0) + $9, ($8::text[])[1]::bigint)::text]"
            )
        }
        Walk::Key => format!(
            "coalesce((\n    SELECT {} AS _phase_key FROM ONLY {} WHERE {} ORDER BY {} OFFSET $9 - 1 LIMIT 1), $8::text[])",
            texts(&leaf.key),
            leaf.table,
            within(Walk::Key, &leaf.key, after, "$8"),
            range::order(&leaf.key, "")
        ),
    }
}

/// A predicate that is not looked at for rows in quarantine: CASE fixes the
/// order, where AND leaves it to the planner.
pub(super) fn healthy(leaf: &Leaf, quarantine: bool, predicate: &str) -> String {
    if quarantine {
        format!("CASE WHEN {} THEN false ELSE {predicate} END", listed(&leaf.key, "$12"))
    } else {
        predicate.to_owned()
    }
}
