//! Reads SQL with PostgreSQL's own grammar (`pg_query`): splitting,
//! classification, references. Nothing else in this program parses SQL, and
//! whatever does not parse is refused.

mod cast;
mod classify;
mod condition;
mod ddl;
mod expression;
mod fit;
mod index;
mod index_read;
mod index_same;
mod labels;
mod locate;
mod moved;
mod names;
mod outside;
mod parse;
mod redact;
mod rename;
pub mod rows;
mod scan;
mod scope;
mod split;
mod steady;
mod tables;
mod thing;
mod tokens;

pub use cast::{Cast, cast};
pub use classify::{BuildIndex, DropIndex, Kind};
pub use condition::{Compare, Condition, Literal, condition};
pub use ddl::{
    Alter, Bound, Change, Demand, DomainChange, Edge, Generated, Inline, KeyIndex, NewColumn, NewConstraint,
    NewDefault, NewIndex, Object, Part, PartitionKey, Renamed, TypeRef, Verb, WriteVerb, proven_not_null,
    read_default, read_type,
};
pub use expression::{
    changes_every_time, check_expression, check_predicate, check_query, closed, expression_columns, qualify,
};
pub use fit::{Fit, cuts, fit, holds, widens};
pub use index::{index_of_all, index_on};
pub use index_read::{IndexRead, index_read};
pub use index_same::may_be_same_index;
pub use labels::{Labels, Relabelled};
pub use moved::{on_table, referring_to};
pub use names::{Names, names};
pub use outside::outside;
pub use parse::{SqlError, deep, deep_each};
pub use redact::{first_words, redact, without_literals};
pub use rename::{Beside, constraint_over, constraint_over_all, expression_over, index_over, trigger_beside};
pub use scan::Scan;
pub use split::{Statement, split};
pub use steady::{restless, steady, steady_names, waits};
pub use tables::{made_tables, tables};
pub use thing::{How, Piece, Thing, Wide};
pub use tokens::{blank_comments, is_keyword, nesting, renamed};

#[cfg(test)]
mod tests;
