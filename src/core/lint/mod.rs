//! Lock safety: which lock each statement takes, on what, what the server does
//! under it, and the safe way.

mod answer;
mod effect;
mod fill;
mod finding;
mod hanging;
mod idle;
mod inspect;
mod judge;
mod lesson;
mod lock;
mod look;
mod mentions;
mod outline;
pub mod partitioned;
mod passage;
mod renamed;
mod rules;
pub mod second;
pub mod table;
mod traffic;
mod world;

#[cfg(test)]
mod tests;

pub(in crate::core) use fill::scalar;

pub use effect::{Effect, effect, effects, strongest};
pub use finding::{Finding, Level};
pub use inspect::{Inspected, Taken, defaults, inspect, inspect_sql, mentions, statements, taken};
pub use judge::{is_judged, is_settled, judge, judge_rest};
pub use lesson::{Lesson, accepts, lessons, names};
pub use lock::Lock;
pub use look::SMALL_TABLE_BYTES;
pub use mentions::Mentions;
pub use outline::{apply, constraint};
pub use passage::Passage;
pub use traffic::{BUSY_PER_SECOND, Look, Traffic};
pub use world::{
    Column, Constraint, Domain, Filled, Hanging, HangingKind, Index, Referrer, Table, TableKind, World,
};
