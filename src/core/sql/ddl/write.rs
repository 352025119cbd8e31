//! Reads statements that write or read rows.

use pg_query::protobuf::a_const::Val;
use pg_query::protobuf::node::Node;
use pg_query::protobuf::{
    AConst, AExprKind, BoolExprType, MergeMatchKind, MergeStmt, Node as Tree, RangeVar,
};

use serde_json::Value;

use super::column::columns_of;
use super::objects::{calls, reads, relation};
use super::{Change, WriteVerb};
use crate::core::ident::QName;
use crate::core::sql::parse::{SqlError, expression_text, json, string, walk};
use crate::core::sql::steady;

/// A statement over rows, and what it calls; `None` for any other.
pub(super) fn rows(node: &Node) -> Result<Option<Vec<Change>>, SqlError> {
    one(node)?.map(|change| with_calls(change, node)).transpose()
}

/// A change, and the functions and settings that the query in it reaches.
pub(super) fn with_calls(change: Change, query: &impl serde::Serialize) -> Result<Vec<Change>, SqlError> {
    let tree = json(query)?;
    let mut changes = vec![change];
    let mut fault = None;
    walk(&tree, &mut |name, fields| {
        if name == "FuncCall" {
            match setting(fields) {
                Ok(set) => changes.extend(set),
                Err(error) => fault = Some(error),
            }
        }
    });
    if let Some(fault) = fault {
        return Err(fault);
    }
    let mut called: Vec<QName> = Vec::new();
    for function in calls(query)? {
        let sets = function.name.as_str() == "set_config";
        if !sets && !steady::harmless(&function) && !called.contains(&function) {
            called.push(function);
        }
    }
    if !called.is_empty() {
        changes.push(Change::Calls(called));
    }
    Ok(changes)
}

/// A call of `set_config`, as the SET that it is.
fn setting(call: &Value) -> Result<Option<Change>, SqlError> {
    let words: Vec<&str> =
        call.get("funcname").and_then(Value::as_array).into_iter().flatten().filter_map(string).collect();
    if words.last() != Some(&"set_config") {
        return Ok(None);
    }
    let given = |n: usize| call.get("args").and_then(Value::as_array).and_then(|args| args.get(n));
    let text = |n: usize| {
        let constant = given(n)?.pointer("/node/AConst")?;
        constant.pointer("/val/Sval/sval")?.as_str().map(str::to_owned)
    };
    Ok(Some(match text(0) {
        Some(name) => Change::Set { name: name.to_ascii_lowercase(), value: text(1) },
        None => Change::Opaque("set_config of a setting that is computed"),
    }))
}

fn one(node: &Node) -> Result<Option<Change>, SqlError> {
    Ok(Some(match node {
        Node::InsertStmt(of) => write(node, of.relation.as_ref(), WriteVerb::Insert, true)?,
        Node::UpdateStmt(of) => {
            let bounded = of.where_clause.as_deref().is_some_and(bounds);
            write(node, of.relation.as_ref(), WriteVerb::Update, bounded)?
        }
        Node::DeleteStmt(of) => {
            let bounded = of.where_clause.as_deref().is_some_and(bounds);
            write(node, of.relation.as_ref(), WriteVerb::Delete, bounded)?
        }
        Node::MergeStmt(of) => write(node, of.relation.as_ref(), WriteVerb::Merge, merge_bounds(of))?,
        Node::CopyStmt(of) if of.is_from => write(node, of.relation.as_ref(), WriteVerb::Insert, true)?,
        Node::SelectStmt(of) => match of.into_clause.as_ref().and_then(|into| into.rel.as_ref()) {
            Some(into) => Change::CreateTable {
                table: relation(Some(into))?,
                columns: Vec::new(),
                partition_of: None,
                bound: None,
                inherits: Vec::new(),
                key: None,
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

/// Whether a condition leaves rows out, as far as its words tell: one that names no
/// column, or compares a column with itself, does not.
fn bounds(condition: &Tree) -> bool {
    match &condition.node {
        Some(Node::BoolExpr(of)) => match of.boolop() {
            BoolExprType::AndExpr => of.args.iter().any(bounds),
            BoolExprType::OrExpr => of.args.iter().all(bounds),
            _ => of.args.first().is_some_and(bounds),
        },
        Some(Node::AExpr(of)) if of.kind() == AExprKind::AexprOp && of.lexpr.is_some() => {
            let text = |side: Option<&Tree>| side.and_then(|side| expression_text(side).ok());
            names_rows(condition) && text(of.lexpr.as_deref()) != text(of.rexpr.as_deref())
        }
        _ => names_rows(condition),
    }
}

/// Whether an expression looks at a column, here or in a subquery.
fn names_rows(expr: &Tree) -> bool {
    columns_of(expr).is_ok_and(|columns| !columns.is_empty())
}

/// Whether a MERGE leaves rows of its table out.
fn merge_bounds(of: &MergeStmt) -> bool {
    let every = |node: &Tree| match &node.node {
        Some(Node::MergeWhenClause(when)) => {
            when.match_kind() == MergeMatchKind::MergeWhenNotMatchedBySource
                && !when.condition.as_deref().is_some_and(bounds)
        }
        _ => false,
    };
    of.join_condition.as_deref().is_some_and(bounds) && !of.merge_when_clauses.iter().any(every)
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
