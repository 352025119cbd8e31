//! Owns the decision what happens next.
