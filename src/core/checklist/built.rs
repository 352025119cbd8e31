//! Whether indexes and constraints come without a lock that anybody waits for.

use super::{Answer, Known, Told, told};
use crate::core::step::Phase;

impl Known<'_> {
    pub(super) fn indexes(&self) -> Told {
        const RULES: &[&str] = &[
            "create-index",
            "create-index-partitioned",
            "add-unique",
            "add-primary-key-partitioned",
            "add-unique-partitioned",
            "add-primary-key",
            "add-exclusion",
            "attach-partition-index",
        ];
        match self.found(RULES, &Phase::ALL) {
            found if found.is_empty() => {
                (Answer::Yes, "none is built under a lock that writes wait for".into())
            }
            found => (Answer::No, told(&found)),
        }
    }

    pub(super) fn constraints(&self) -> Told {
        const RULES: &[&str] = &[
            "add-check",
            "add-column-check",
            "add-column-references",
            "add-foreign-key",
            "add-foreign-key-partitioned",
            "add-not-null",
            "set-not-null",
            "domain-add-constraint",
            "domain-set-not-null",
        ];
        match self.found(RULES, &Phase::ALL) {
            found if found.is_empty() => {
                (Answer::Yes, "none is proven under a lock that queries or writes wait for".into())
            }
            found => (Answer::No, told(&found)),
        }
    }
}
