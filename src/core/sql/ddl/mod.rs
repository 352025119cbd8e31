//! Reads what a statement changes, as typed values: the lock table looks at
//! these, never at the parse tree.
//!
//! One statement is many changes: each subcommand of ALTER TABLE is one, and so
//! is each constraint that stands inside a column's definition.

mod alter;
mod bound;
mod change;
mod column;
mod create;
mod deparse;
mod domain;
mod index;
mod objects;
mod parts;
mod read;
mod write;

pub use bound::{Bound, Edge, PartitionKey};
pub use change::*;
pub use column::{proven_not_null, read_default, read_type};
pub use parts::*;
pub(super) use read::changes;
