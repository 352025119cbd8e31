//! The PostgreSQL side: the ports of the engine, and the only place that speaks
//! the protocol.

pub mod at_work;
pub mod backfills;
mod catalog;
pub mod classify;
pub mod connect;
pub mod copy;
pub mod history;
mod impact;
pub mod import;
mod indexes;
pub mod known;
mod ledger;
pub mod lock;
pub mod monitor;
mod obstacles;
mod orphans;
mod partitions;
mod prepared;
pub mod queries;
pub mod schema;
mod sessions;
pub mod shape;
pub mod store;
mod syncs;
pub mod target;
pub mod trace;
mod traffic;
pub mod walk;
mod watch;
pub mod world;
