//! `phase` takes a live PostgreSQL database from one schema to the next, phase
//! by phase, while old and new application code both run.
//!
//! One way for the data, no way back:
//!
//! ```text
//! YAML text -> Plan -> Steps -> Decision -> Outcome -> Store
//!                                             └-> Event -> terminal, JSON, logs
//! ```
//!
//! - [`core`] is pure: plans, steps, states, the table of transitions, decisions.
//! - [`engine`] runs decisions through its ports; it knows no database.
//! - [`pg`] implements the ports for PostgreSQL.
//! - [`cli`] has one file a command and wires everything.
//! - [`outside`] asks addresses and programs, for throttles and gates.
//! - [`throwaway`] starts private servers, for rehearsals, the demo and the tests.
//! - [`embed`] is for applications that open their gate, or expand, before they serve.
//! - [`demo`] shows a whole change under load.

pub mod cli;
pub mod core;
pub mod demo;
pub mod embed;
pub mod engine;
pub mod outside;
pub mod pg;
pub mod throwaway;

#[cfg(test)]
mod docs;
#[cfg(test)]
mod examples;
