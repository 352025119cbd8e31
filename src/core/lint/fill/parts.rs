//! Writes the steps that a safe way takes on each partition.

use super::names::{Names, named, word, written};
use super::yaml::scalar;
use crate::core::ident::{Ident, QName};

impl Names {
    /// The partitions of the table, or a word for them.
    fn partitions(&self) -> Vec<QName> {
        let unknown = || vec![QName { schema: None, name: word("PARTITION") }];
        if self.partitions.is_empty() { unknown() } else { self.partitions.clone() }
    }

    /// The steps that give each partition the constraint, so that that of the table finds it there.
    pub(super) fn key_parts(&self, kind: &str) -> String {
        let part = |partition: &QName| {
            let own =
                Ident::shortened("", &format!("{}_{}", partition.name.as_str(), self.constraint.as_str()));
            let (table, name) = (written(partition), named(&own));
            // That of the whole takes those of its parts with it.
            let undo = scalar(&format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"));
            let (first, first_undo, then) = if self.key_shape.is_empty() {
                (
                    format!("ALTER TABLE {table} ADD CONSTRAINT {name} {} NOT VALID", self.definition),
                    undo,
                    format!(
                        "  - sql: {}\n",
                        scalar(&format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
                    ),
                )
            } else {
                let add = format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name}{}",
                    self.deferral
                );
                (
                    format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {}", self.key_shape),
                    scalar(&format!("DROP INDEX CONCURRENTLY {}", written(&partition.sibling(own)))),
                    format!("  - sql: {}\n    undo: {undo}\n", scalar(&add)),
                )
            };
            format!("  - sql: {}\n    undo: {first_undo}\n{then}", scalar(&first))
        };
        self.partitions().iter().map(part).collect()
    }
}
