//! x
use crate::harness::tests;
tests![];
