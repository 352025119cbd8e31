//! Reads what a CREATE INDEX names: its columns, and what each is called in the index's own name.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{AExprKind, IndexStmt, Node as Tree};
use serde_json::Value;

use super::classify::ident;
use super::parse::{SqlError, json, string, walk, with_tree};
use crate::core::ident::Ident;

/// What a CREATE INDEX names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRead {
    /// Every column that it names anywhere, each once.
    pub columns: Vec<Ident>,
    /// What the server calls its columns, in order, those of INCLUDE as well.
    pub words: Vec<String>,
}

/// Reads a CREATE INDEX.
///
/// # Errors
/// When the statement is none, or names a column with its table.
pub fn index_read(create: &str) -> Result<IndexRead, SqlError> {
    with_tree(create, |tree| {
        let [only] = tree.stmts.as_slice() else {
            return Err(SqlError::new("one index belongs here, and nothing beside it"));
        };
        let Some(Node::IndexStmt(index)) = only.stmt.as_ref().and_then(|stmt| stmt.node.as_ref()) else {
            return Err(SqlError::new("this is no CREATE INDEX"));
        };
        Ok(IndexRead { columns: columns(index)?, words: words(index) })
    })
}

fn elements(index: &IndexStmt) -> impl Iterator<Item = &pg_query::protobuf::IndexElem> {
    let all = index.index_params.iter().chain(&index.index_including_params);
    all.filter_map(|element| match &element.node {
        Some(Node::IndexElem(element)) => Some(&**element),
        _ => None,
    })
}

fn columns(index: &IndexStmt) -> Result<Vec<Ident>, SqlError> {
    let mut names: Vec<String> = elements(index)
        .filter(|element| !element.name.is_empty())
        .map(|element| element.name.clone())
        .collect();
    let exprs = elements(index).filter_map(|element| element.expr.as_deref());
    for expr in exprs.chain(index.where_clause.as_deref()) {
        let mut fault = false;
        walk(&json(expr)?, &mut |kind, fields| {
            if kind == "ColumnRef" {
                let parts = fields.get("fields").and_then(Value::as_array);
                match parts.map(Vec::as_slice) {
                    Some([only]) if string(only).is_some() => {
                        names.extend(string(only).map(ToOwned::to_owned));
                    }
                    _ => fault = true,
                }
            }
        });
        if fault {
            return Err(SqlError::new("name columns bare: without a table, and no *"));
        }
    }
    let mut columns: Vec<Ident> = Vec::new();
    for name in names {
        let name = ident(&name)?;
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    Ok(columns)
}

fn words(index: &IndexStmt) -> Vec<String> {
    let word = |element: &pg_query::protobuf::IndexElem| match element.expr.as_deref() {
        None => element.name.clone(),
        Some(expr) => called(expr).map_or_else(|| "expr".to_owned(), |(name, _)| name),
    };
    elements(index).map(word).collect()
}

/// What the server calls an expression, and whether for what it is (`FigureColname`).
fn called(expr: &Tree) -> Option<(String, bool)> {
    let last = |parts: &[Tree]| {
        parts.iter().rev().find_map(|part| match &part.node {
            Some(Node::String(name)) => Some(name.sval.clone()),
            _ => None,
        })
    };
    let sure = |name: &str| Some((name.to_owned(), true));
    match expr.node.as_ref()? {
        Node::ColumnRef(column) => last(&column.fields).map(|name| (name, true)),
        Node::FuncCall(call) => last(&call.funcname).map(|name| (name, true)),
        Node::AIndirection(inner) => match last(&inner.indirection) {
            Some(name) => Some((name, true)),
            None => called(inner.arg.as_deref()?),
        },
        Node::AExpr(op) if op.kind() == AExprKind::AexprNullif => sure("nullif"),
        Node::CollateClause(inner) => called(inner.arg.as_deref()?),
        Node::TypeCast(cast) => match cast.arg.as_deref().and_then(called) {
            Some((name, true)) => Some((name, true)),
            other => {
                let name = cast.type_name.as_ref().and_then(|of| last(&of.names));
                name.map(|name| (name, false)).or(other)
            }
        },
        Node::CaseExpr(case) => match case.defresult.as_deref().and_then(called) {
            Some((name, true)) => Some((name, true)),
            _ => Some(("case".into(), false)),
        },
        Node::AArrayExpr(_) => sure("array"),
        Node::RowExpr(_) => sure("row"),
        Node::CoalesceExpr(_) => sure("coalesce"),
        Node::MinMaxExpr(of) => {
            sure(if of.op() == pg_query::protobuf::MinMaxOp::IsGreatest { "greatest" } else { "least" })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_an_index_names() {
        let of = |rest: &str| index_read(&format!("CREATE INDEX CONCURRENTLY i ON t {rest}"));
        let read = of(
            "(a DESC, lower(\"B b\") text_pattern_ops, (c::text), (c || 'x'), (1)) INCLUDE (d) WHERE e > a",
        )
        .unwrap();
        assert_eq!(read.words, ["a", "lower", "c", "expr", "expr", "d"]);
        let columns: Vec<&str> = read.columns.iter().map(Ident::as_str).collect();
        assert_eq!(columns, ["a", "d", "B b", "c", "e"]);
        let words = |rest: &str| of(rest).unwrap().words;
        assert_eq!(
            words("((j ->> 'a'), ((j #> '{}')::int), coalesce(a, b), greatest(a, b), nullif(a, b))"),
            ["expr", "int4", "coalesce", "greatest", "nullif"]
        );
        assert!(of("((t.a + 1))").is_err());
        assert!(index_read("DROP INDEX i").is_err());
    }
}
