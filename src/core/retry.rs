//! Owns the retry schedule of steps that wait for locks.
