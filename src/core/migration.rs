//! Owns SQL migrations: one file into UP and DOWN.
