//! Cuts a leaf into chunks: by pages, or at keys of a sample of its pages.
//!
//! Keys are never cut by arithmetic between the least and the greatest: gaps and
//! skew would leave most rows in one chunk. The keys of some hundred pages taken
//! at random (TABLESAMPLE SYSTEM) are sorted by the server, and every n-th is a
//! bound: the error of such a quantile falls with the square root of the pages,
//! needs no statistics to be there, and holds for composite keys as for any type.

use super::range::{Key, order, texts};
use super::{Backfill, Leaf};

/// Rows of a chunk where there are enough of them: some seconds of work, so that
/// workers end together and a lost lease costs little.
const CHUNK_ROWS: i64 = 250_000;
/// The most chunks of a leaf: each is a row that is looked at.
const MOST: i64 = 400;
/// The fewest pages that are worth a chunk of their own.
const FEWEST_PAGES: i64 = 64;
/// Pages of a sample.
const SAMPLE_PAGES: i64 = 400;

/// A chunk to be: what comes before its first row, and its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The bound before the first row; `None`: the beginning.
    pub lower: Option<Key>,
    /// The last key, or the page after the last.
    pub upper: Key,
    /// Rows, as far as is known.
    pub rows: i64,
}

/// How many chunks a leaf is worth.
#[must_use]
pub fn count(leaf: &Leaf) -> i64 {
    let by_rows = leaf.estimate / CHUNK_ROWS + 1;
    // A small table is shared as well where it is worth it.
    let least = (leaf.pages / FEWEST_PAGES).clamp(1, 8);
    by_rows.clamp(least, MOST)
}

/// Cuts pages into `count` chunks.
#[must_use]
pub fn pages(leaf: &Leaf, count: i64) -> Vec<Cut> {
    let count = count.clamp(1, leaf.pages.max(1));
    let bound = |n: i64| leaf.pages * n / count;
    (0..count)
        .map(|n| Cut {
            lower: (n > 0).then(|| vec![bound(n).to_string()]),
            upper: vec![bound(n + 1).to_string()],
            rows: leaf.estimate / count,
        })
        .filter(|_| leaf.pages > 0)
        .collect()
}

/// Makes chunks of bounds that were found and of the last key.
#[must_use]
pub fn keys(bounds: Vec<Key>, last: Option<Key>, estimate: i64) -> Vec<Cut> {
    let Some(last) = last else { return Vec::new() };
    let mut bounds: Vec<Key> = bounds.into_iter().filter(|bound| *bound != last).collect();
    bounds.dedup();
    let chunks = i64::try_from(bounds.len()).unwrap_or(i64::MAX).saturating_add(1);
    let mut lower = None;
    let mut cuts = Vec::new();
    for upper in bounds.into_iter().chain([last]) {
        cuts.push(Cut { lower: lower.replace(upper.clone()), upper, rows: estimate / chunks });
    }
    cuts
}

impl Backfill {
    /// The last key of a leaf: rows beyond it came after the start. What is selected must
    /// not have the name of a column: ORDER BY would mean it.
    #[must_use]
    pub fn last_sql(&self, leaf: &Leaf) -> String {
        format!(
            "SELECT {} AS _phase_key FROM ONLY {} ORDER BY {} LIMIT 1",
            texts(&leaf.key),
            leaf.table,
            order(&leaf.key, " DESC")
        )
    }

    /// Keys that cut a leaf into `count` parts of about the same size, in order.
    #[must_use]
    pub fn bounds_sql(&self, leaf: &Leaf, count: i64) -> String {
        #[allow(clippy::cast_precision_loss, reason = "a share in percent")]
        let percent = (SAMPLE_PAGES as f64 * 100.0 / leaf.pages.max(1) as f64).min(100.0);
        format!(
            "SELECT _phase_key FROM (\n  \
               SELECT {} AS _phase_key, row_number() OVER (ORDER BY {}) AS n, count(*) OVER () AS rows\n  \
               FROM ONLY {} TABLESAMPLE SYSTEM ({percent:.9})\n\
             ) AS sample\n\
             WHERE n * {count} / rows > (n - 1) * {count} / rows AND n < rows ORDER BY n",
            texts(&leaf.key),
            order(&leaf.key, ""),
            leaf.table
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::backfill::tests::leaf;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_of_pages_cover_every_page_once(pages in 0_i64..5_000_000, count in 1_i64..500) {
            let leaf = Leaf { pages, ..leaf() };
            let cuts = super::pages(&leaf, count);
            let mut at = 0_i64;
            for cut in &cuts {
                let lower: i64 = cut.lower.as_ref().map_or(0, |key| key[0].parse().unwrap_or(-1));
                prop_assert_eq!(lower, at);
                at = cut.upper[0].parse().unwrap_or(-1);
                prop_assert!(at > lower);
            }
            prop_assert_eq!(at, pages);
        }

        #[test]
        fn chunks_of_keys_join_without_a_gap(numbers in proptest::collection::btree_set(0_i32..1000, 0..50), last in 1000_i32..1100) {
            let bounds = numbers.iter().map(|n| vec![n.to_string()]).collect();
            let cuts = keys(bounds, Some(vec![last.to_string()]), 1_000);
            prop_assert_eq!(cuts[0].lower.clone(), None);
            for pair in cuts.windows(2) {
                prop_assert_eq!(pair[1].lower.clone(), Some(pair[0].upper.clone()));
            }
            prop_assert_eq!(cuts.last().map(|cut| cut.upper.clone()), Some(vec![last.to_string()]));
        }
    }

    #[test]
    fn an_empty_table_has_no_chunk() {
        assert!(keys(Vec::new(), None, 0).is_empty());
        assert!(pages(&Leaf { pages: 0, ..leaf() }, 1).is_empty());
    }
}
