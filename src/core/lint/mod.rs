//! The place of lint rules, one file each.
