//! Owns a sequence that numbers a column, as recipes know it, with the words that make one like it.

use serde::{Deserialize, Serialize};

use super::parts::Grant;

/// A sequence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sequence {
    /// Its name, as SQL writes it, with its schema where that is needed.
    pub name: String,
    /// The type of its numbers: smallint, integer or bigint.
    pub kind: String,
    /// The first number.
    pub start: i64,
    /// What is added each time.
    pub increment: i64,
    /// The least number.
    pub min: i64,
    /// The greatest.
    pub max: i64,
    /// How many a session takes at once.
    pub cache: i64,
    /// Whether it begins again at its end.
    pub cycle: bool,
    /// Who may use it, beside its owner.
    pub grants: Vec<Grant>,
    /// The comment on it.
    pub comment: Option<String>,
}

/// The least and the greatest number of an integer type.
#[must_use]
pub(in crate::core::recipe) fn range(kind: &str) -> Option<(i64, i64)> {
    match kind {
        "smallint" => Some((i16::MIN.into(), i16::MAX.into())),
        "integer" => Some((i32::MIN.into(), i32::MAX.into())),
        "bigint" => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

impl Sequence {
    /// What stands in brackets behind AS IDENTITY: the same sequence, with the same limits.
    #[must_use]
    pub fn options(&self) -> String {
        let Self { name, start, increment, min, max, cache, cycle, .. } = self;
        let cycle = if *cycle { "CYCLE" } else { "NO CYCLE" };
        format!(
            "SEQUENCE NAME {name} START WITH {start} INCREMENT BY {increment} MINVALUE {min} MAXVALUE {max} CACHE {cache} {cycle}"
        )
    }

    /// Its least and its greatest number in a wider type: where they are those of its own, those of that.
    #[must_use]
    pub fn widened(&self, kind: &str) -> (i64, i64) {
        let (Some((least, greatest)), Some((low, high))) = (range(&self.kind), range(kind)) else {
            return (self.min, self.max);
        };
        let min = if self.min == least { low } else { self.min };
        let max = if self.max == greatest { high } else { self.max };
        (min, max)
    }
}
