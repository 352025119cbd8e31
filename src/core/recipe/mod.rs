//! The place of recipes, one file each: a named change into steps of every phase.
