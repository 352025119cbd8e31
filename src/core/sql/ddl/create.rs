//! Reads CREATE TABLE and its relatives.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{CreateStmt, CreateTableAsStmt, RangeVar};

use super::Change;
use super::bound::{bound, key};
use super::column::{column, constraint};
use super::objects::{reads, relation, relations};
use crate::core::sql::parse::SqlError;

/// A table and its constraints, each a change.
pub(super) fn table(of: &CreateStmt) -> Result<Vec<Change>, SqlError> {
    let table = relation(of.relation.as_ref())?;
    let (mut columns, mut constraints, mut like) = (Vec::new(), Vec::new(), Vec::new());
    for node in of.table_elts.iter().chain(&of.constraints) {
        match &node.node {
            Some(Node::ColumnDef(def)) => {
                let (new, inside) = column(def)?;
                columns.push(new);
                constraints.extend(inside);
            }
            Some(Node::Constraint(added)) => constraints.extend(constraint(added)?),
            Some(Node::TableLikeClause(clause)) => like.push(relation(clause.relation.as_ref())?),
            _ => {}
        }
    }
    let parents = relations(&of.inh_relations)?;
    let (partition_of, inherits) = match &of.partbound {
        Some(bound) => (parents.into_iter().next().map(|parent| (parent, bound.is_default)), Vec::new()),
        None => (None, parents),
    };
    let mut changes = vec![Change::CreateTable {
        table: table.clone(),
        columns,
        partition_of,
        bound: of.partbound.as_ref().map(bound),
        inherits,
        key: of.partspec.as_ref().map(key).transpose()?,
        perhaps: of.if_not_exists,
        temporary: temporary(of.relation.as_ref()),
        filled: false,
        reads: like,
    }];
    changes.extend(
        constraints
            .into_iter()
            .map(|constraint| Change::CreateTableConstraint { table: table.clone(), constraint }),
    );
    Ok(changes)
}

/// A table that a query fills.
pub(super) fn filled(of: &CreateTableAsStmt) -> Result<Change, SqlError> {
    let into = of.into.as_ref().and_then(|into| into.rel.as_ref());
    Ok(Change::CreateTable {
        table: relation(into)?,
        perhaps: of.if_not_exists,
        temporary: temporary(into),
        columns: Vec::new(),
        partition_of: None,
        bound: None,
        inherits: Vec::new(),
        key: None,
        filled: true,
        reads: reads(&of.query)?,
    })
}

pub(super) fn temporary(relation: Option<&RangeVar>) -> bool {
    relation.is_some_and(|relation| relation.relpersistence == "t")
}
