//! The PostgreSQL side: the ports of the engine, and the only place that speaks
//! the protocol.

pub mod classify;
pub mod connect;
pub mod lock;
pub mod queries;
pub mod schema;
pub mod store;
pub mod target;
mod walk;
