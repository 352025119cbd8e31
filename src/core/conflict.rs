//! Owns what two plans may not touch together.
