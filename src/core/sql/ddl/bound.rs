//! Reads which rows belong to a partition, and what a partitioned table is
//! partitioned by.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{
    Node as Tree, PartitionBoundSpec, PartitionRangeDatumKind, PartitionSpec, PartitionStrategy,
};

use super::objects::words;
use crate::core::ident::Ident;
use crate::core::sql::classify::ident;
use crate::core::sql::condition::{Literal, literal};
use crate::core::sql::parse::SqlError;

/// Which rows belong to a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// Those that belong to no other one.
    Default,
    /// Those with one of these values; one that cannot be read is `None`.
    List(Vec<Option<Literal>>),
    /// Those from the first values on and below the second ones, column by column.
    Range(Vec<Edge>, Vec<Edge>),
    /// Those with a remainder.
    Hash,
}

/// One end of a range, in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edge {
    /// MINVALUE or MAXVALUE: there is none.
    Open,
    /// A constant.
    At(Literal),
    /// What cannot be read.
    Unclear,
}

/// What a partitioned table is partitioned by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartitionKey {
    /// Its columns; `None` for an expression.
    pub columns: Vec<Option<Ident>>,
    /// Whether rows are spread by a remainder.
    pub hash: bool,
}

impl PartitionKey {
    /// A key of one column.
    #[must_use]
    pub fn of(column: &Ident) -> Self {
        Self { columns: vec![Some(column.clone())], hash: false }
    }
}

pub(super) fn bound(of: &PartitionBoundSpec) -> Bound {
    let edges = |nodes: &[Tree]| nodes.iter().map(edge).collect();
    if of.is_default {
        return Bound::Default;
    }
    match of.strategy.as_str() {
        "l" => Bound::List(of.listdatums.iter().map(literal).collect()),
        "r" => Bound::Range(edges(&of.lowerdatums), edges(&of.upperdatums)),
        _ => Bound::Hash,
    }
}

fn edge(node: &Tree) -> Edge {
    let open = match &node.node {
        // The grammar gives MINVALUE and MAXVALUE as columns of these names.
        Some(Node::ColumnRef(column)) => match words(&column.fields).as_slice() {
            [word] => word.eq_ignore_ascii_case("minvalue") || word.eq_ignore_ascii_case("maxvalue"),
            _ => false,
        },
        Some(Node::PartitionRangeDatum(datum)) => {
            datum.kind() != PartitionRangeDatumKind::PartitionRangeDatumValue
        }
        _ => false,
    };
    match (open, literal(node)) {
        (true, _) => Edge::Open,
        (false, Some(value)) => Edge::At(value),
        (false, None) => Edge::Unclear,
    }
}

pub(super) fn key(of: &PartitionSpec) -> Result<PartitionKey, SqlError> {
    let column = |node: &Tree| match &node.node {
        Some(Node::PartitionElem(element)) if !element.name.is_empty() => ident(&element.name).map(Some),
        _ => Ok(None),
    };
    Ok(PartitionKey {
        columns: of.part_params.iter().map(column).collect::<Result<_, _>>()?,
        hash: of.strategy() == PartitionStrategy::Hash,
    })
}
