//! `phase` takes a live PostgreSQL database from one schema to the next.

pub mod core;
pub mod pg;
pub mod throwaway;
