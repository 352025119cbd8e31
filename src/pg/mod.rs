//! The PostgreSQL side: the only place that speaks the protocol.

pub mod connect;
