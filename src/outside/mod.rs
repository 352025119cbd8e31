//! What is neither the record nor the database: addresses and programs, asked by throttles and by gates.

mod address;
pub mod checks;
pub mod probe;
mod program;
