//! Writes a CREATE INDEX statement for another table.

use pg_query::protobuf::node::Node;

use super::parse::{SqlError, changed_statement, first_node, with_tree};
use crate::core::ident::{Ident, QName};

/// The same index on another relation under another name: on a partitioned one `alone`,
/// without its partitions, else built concurrently.
///
/// # Errors
/// When the statement is none that creates an index.
pub fn index_on(create: &str, table: &QName, name: &Ident, alone: bool) -> Result<String, SqlError> {
    rewritten(create, table, name, alone, !alone)
}

/// The same index on another relation and all its partitions under another name, built at once.
///
/// # Errors
/// When the statement is none that creates an index.
pub fn index_of_all(create: &str, table: &QName, name: &Ident) -> Result<String, SqlError> {
    rewritten(create, table, name, false, false)
}

fn rewritten(
    create: &str,
    table: &QName,
    name: &Ident,
    alone: bool,
    concurrent: bool,
) -> Result<String, SqlError> {
    with_tree(create, |tree| {
        let Some(Node::IndexStmt(index)) = first_node(tree) else {
            return Err(SqlError::new("this is no CREATE INDEX"));
        };
        let mut index = index.clone();
        name.as_str().clone_into(&mut index.idxname);
        index.concurrent = concurrent;
        index.if_not_exists = false;
        if let Some(relation) = &mut index.relation {
            relation.schemaname =
                table.schema.as_ref().map_or_else(String::new, |schema| schema.as_str().to_owned());
            table.name.as_str().clone_into(&mut relation.relname);
            relation.inh = !alone;
        }
        changed_statement(&Node::IndexStmt(index), |text| {
            format!("this index cannot be written for a partition: it would become {text}")
        })
    })
}
