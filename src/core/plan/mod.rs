//! Reads plans: YAML text into a checked plan, errors with their place.

pub mod model;
