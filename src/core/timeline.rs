//! Owns the timeline: plans and SQL migrations in one order.
