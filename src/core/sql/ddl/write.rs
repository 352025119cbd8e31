//! Reads statements that write or read rows.

use pg_query::protobuf::a_const::Val;
use pg_query::protobuf::node::Node;
use pg_query::protobuf::{AConst, Node as Tree, RangeVar};

use super::objects::{reads, relation};
use super::{Change, WriteVerb};
use crate::core::ident::QName;
use crate::core::sql::parse::{SqlError, json, walk};

/// A statement over rows; `None` for any other.
pub(super) fn rows(node: &Node) -> Result<Option<Change>, SqlError> {
    Ok(Some(match node {
        Node::InsertStmt(of) => write(node, of.relation.as_ref(), WriteVerb::Insert, true)?,
        Node::UpdateStmt(of) => {
            let bounded = bounds(of.where_clause.as_deref()) || !of.from_clause.is_empty();
            write(node, of.relation.as_ref(), WriteVerb::Update, bounded)?
        }
        Node::DeleteStmt(of) => {
            let bounded = bounds(of.where_clause.as_deref()) || !of.using_clause.is_empty();
            write(node, of.relation.as_ref(), WriteVerb::Delete, bounded)?
        }
        Node::MergeStmt(of) => write(node, of.relation.as_ref(), WriteVerb::Merge, true)?,
        Node::CopyStmt(of) if of.is_from => write(node, of.relation.as_ref(), WriteVerb::Insert, true)?,
        Node::SelectStmt(of) => match of.into_clause.as_ref().and_then(|into| into.rel.as_ref()) {
            Some(into) => Change::CreateTable {
                table: relation(Some(into))?,
                columns: Vec::new(),
                partition_of: None,
                inherits: Vec::new(),
                partitioned: false,
                perhaps: false,
                temporary: super::create::temporary(Some(into)),
                filled: true,
                reads: reads(&of.from_clause)?,
            },
            None => read(node)?,
        },
        Node::CopyStmt(_) | Node::PrepareStmt(_) | Node::DeclareCursorStmt(_) | Node::ExplainStmt(_) => {
            read(node)?
        }
        _ => return Ok(None),
    }))
}

fn write(node: &Node, table: Option<&RangeVar>, verb: WriteVerb, bounded: bool) -> Result<Change, SqlError> {
    let table = relation(table)?;
    if writes(node)? > 1 {
        return Ok(Change::Opaque("a write inside another statement"));
    }
    let reads: Vec<QName> = reads(node)?.into_iter().filter(|read| *read != table).collect();
    Ok(Change::Write { table, verb, bounded, reads })
}

/// How many statements in it write rows, itself included.
fn writes(node: &Node) -> Result<usize, SqlError> {
    let mut found = 0;
    walk(&json(node)?, &mut |name, _| {
        found += usize::from(matches!(name, "InsertStmt" | "UpdateStmt" | "DeleteStmt" | "MergeStmt"));
    });
    Ok(found)
}

/// Whether a WHERE bounds anything: `WHERE true` does not.
fn bounds(condition: Option<&Tree>) -> bool {
    let truth = |constant: &AConst| matches!(&constant.val, Some(Val::Boolval(truth)) if truth.boolval);
    condition
        .is_some_and(|condition| !matches!(&condition.node, Some(Node::AConst(constant)) if truth(constant)))
}

/// A query. One that writes inside of WITH or EXPLAIN ANALYZE is not seen through.
fn read(node: &Node) -> Result<Change, SqlError> {
    let mut locks_rows = false;
    walk(&json(node)?, &mut |name, _| locks_rows |= name == "LockingClause");
    if writes(node)? > 0 {
        return Ok(Change::Opaque("a write inside another statement"));
    }
    Ok(Change::Read { reads: reads(node)?, locks_rows })
}

/// A constant as SET shows it.
pub(super) fn constant(of: &AConst) -> Option<String> {
    Some(match of.val.as_ref()? {
        Val::Ival(number) => number.ival.to_string(),
        Val::Fval(number) => number.fval.clone(),
        Val::Sval(text) => text.sval.clone(),
        Val::Boolval(truth) => truth.boolval.to_string(),
        Val::Bsval(_) => return None,
    })
}
