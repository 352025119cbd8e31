//! The pure core: no tokio, no clock, no socket, no terminal, and imports of
//! nothing but itself. Everything here is a function from values to values.

pub mod address;
pub mod back;
pub mod backfill;
pub mod brief;
pub mod checklist;
pub mod chosen;
pub mod compile;
pub mod conflict;
pub mod decide;
pub mod detach;
pub mod drift;
pub mod failure;
pub mod footprint;
pub mod gate;
pub mod ident;
pub mod impact;
pub mod import;
pub mod in_force;
pub mod index;
pub mod kill;
pub mod lint;
pub mod migration;
pub mod pace;
pub mod plan;
pub mod preflight;
pub mod quiet;
pub mod ready;
pub mod recipe;
pub mod record;
pub mod rehearse;
pub mod retry;
pub mod shape;
pub mod sql;
pub mod state;
pub mod step;
pub mod sync;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
pub mod transition;
pub mod version;
