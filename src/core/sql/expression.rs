//! Reads expressions, predicates and queries of a plan's author, and makes sure
//! that each is just that, so that it can stand inside generated SQL.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{ParseResult, SelectStmt};
use serde_json::Value;

use super::classify::ident;
use super::parse::{SqlError, json, string, walk, with_tree};
use crate::core::ident::Ident;

const PREFIX: &str = "SELECT (";

/// Makes sure that a text is one scalar expression and nothing more.
///
/// # Errors
/// When it does not parse, or reaches outside its brackets.
pub fn check_expression(expr: &str) -> Result<(), SqlError> {
    with_tree(&wrapped(expr), |tree| target(tree).map(|_| ()))
}

/// Makes sure that a text is one predicate and nothing more.
///
/// # Errors
/// When it does not parse, or reaches outside its brackets.
pub fn check_predicate(expr: &str) -> Result<(), SqlError> {
    with_tree(&format!("SELECT WHERE ({expr}\n)"), |tree| {
        let mut select = only_select(tree)?.clone();
        let predicate = select.where_clause.take().is_some();
        if predicate && bare(&select) { Ok(()) } else { Err(more_than("a predicate")) }
    })
}

/// Makes sure that a text is one query.
///
/// # Errors
/// When it does not parse, is several statements or no SELECT.
pub fn check_query(sql: &str) -> Result<(), SqlError> {
    with_tree(sql, |tree| {
        let select = only_select(tree)?;
        if select.into_clause.is_some() {
            Err(SqlError::new("a query may not write: SELECT INTO"))
        } else {
            Ok(())
        }
    })
}

/// The columns that an expression refers to, each once, in order.
///
/// # Errors
/// When it is not a plain expression over columns of one row.
pub fn expression_columns(expr: &str) -> Result<Vec<Ident>, SqlError> {
    let mut columns: Vec<Ident> = Vec::new();
    for (name, _) in references(expr)? {
        let name = ident(&name)?;
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    Ok(columns)
}

/// The same expression with every column of the row named after `prefix`
/// (`NEW` or `OLD`). The places come from the parse tree; the result is parsed
/// again, and must refer to the same columns, now all under the prefix.
///
/// # Errors
/// As [`expression_columns`].
pub fn qualify(expr: &str, prefix: &str) -> Result<String, SqlError> {
    let references = references(expr)?;
    let mut text = expr.to_owned();
    let mut places: Vec<usize> = references.iter().map(|(_, at)| *at).collect();
    places.sort_unstable();
    for at in places.into_iter().rev() {
        if !text.is_char_boundary(at) {
            return Err(SqlError::new("the parser gave a position inside a character"));
        }
        text.insert_str(at, &format!("{prefix}."));
    }
    let text = closed(&text);
    let qualified = with_tree(&wrapped(&text), |tree| {
        let mut qualified = 0;
        walk(&json(tree)?, &mut |name, fields| {
            qualified += usize::from(name == "ColumnRef" && parts(fields).len() == 2);
        });
        Ok(qualified)
    })?;
    if qualified == references.len() {
        Ok(text)
    } else {
        Err(SqlError::new("the columns of this expression cannot be told apart"))
    }
}

/// Functions of PostgreSQL that give another value with every statement.
const RESTLESS: &[&str] = &[
    "random",
    "random_normal",
    "gen_random_uuid",
    "uuidv4",
    "uuidv7",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "gen_random_bytes",
    "nextval",
    "now",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "txid_current",
    "pg_current_xact_id",
];

/// What in an expression gives another value every time it is asked, if anything does.
///
/// # Errors
/// When it does not parse.
pub fn changes_every_time(expr: &str) -> Result<Option<String>, SqlError> {
    with_tree(&wrapped(expr), |tree| {
        let mut found = None;
        walk(&json(target(tree)?)?, &mut |name, fields| match name {
            "FuncCall" => {
                let last = fields.get("funcname").and_then(Value::as_array).and_then(|parts| parts.last());
                let last = last.and_then(string).unwrap_or_default();
                if RESTLESS.contains(&last) {
                    found.get_or_insert_with(|| last.to_owned());
                }
            }
            // current_timestamp and the like; users and schemas do not change.
            "SqlvalueFunction" | "SQLValueFunction" => {
                let op = fields.get("op").and_then(Value::as_i64).unwrap_or(0);
                if (1..=8).contains(&op) {
                    found.get_or_insert_with(|| "the present time".to_owned());
                }
            }
            _ => {}
        });
        Ok(found)
    })
}

/// An expression that a bracket may follow: a comment at its end must not reach on.
#[must_use]
pub fn closed(expr: &str) -> String {
    if expr.contains("--") { format!("{expr}\n") } else { expr.to_owned() }
}

/// The columns of an expression and their byte offsets in it.
pub(super) fn references(expr: &str) -> Result<Vec<(String, usize)>, SqlError> {
    with_tree(&wrapped(expr), |tree| {
        let target = json(target(tree)?)?;
        let (mut found, mut fault) = (Vec::new(), None);
        walk(&target, &mut |name, fields| match name {
            "SubLink" => fault = Some("a subquery may not stand here: put it into a function and call that"),
            "ParamRef" => fault = Some("a parameter may not stand here"),
            "FuncCall" if fields.get("over").is_some_and(|over| !over.is_null()) => {
                fault = Some("a window function may not stand here");
            }
            "FuncCall" if fields.get("agg_star") == Some(&Value::Bool(true)) => {
                fault = Some("an aggregate may not stand here");
            }
            "ColumnRef" => match (parts(fields).as_slice(), offset(fields)) {
                ([Some(only)], Some(at)) => found.push(((*only).to_owned(), at)),
                _ => fault = Some("name columns bare: without a table, and no *"),
            },
            _ => {}
        });
        match fault {
            None => Ok(found),
            Some(fault) => Err(SqlError::new(fault)),
        }
    })
}

fn wrapped(expr: &str) -> String {
    format!("{PREFIX}{expr}\n)")
}

fn parts(fields: &Value) -> Vec<Option<&str>> {
    fields
        .get("fields")
        .and_then(Value::as_array)
        .map(|parts| parts.iter().map(string).collect())
        .unwrap_or_default()
}

fn offset(fields: &Value) -> Option<usize> {
    usize::try_from(fields.get("location")?.as_i64()?).ok()?.checked_sub(PREFIX.len())
}

fn more_than(what: &str) -> SqlError {
    SqlError::new(format!("this is not just {what}: something reaches outside its brackets"))
}

fn only_select(tree: &ParseResult) -> Result<&SelectStmt, SqlError> {
    let not_one = || SqlError::new("exactly one SELECT belongs here");
    let [only] = tree.stmts.as_slice() else { return Err(not_one()) };
    match only.stmt.as_ref().and_then(|stmt| stmt.node.as_ref()) {
        Some(Node::SelectStmt(select)) => Ok(select),
        _ => Err(not_one()),
    }
}

/// The one target of `SELECT (…)`, when there is nothing beside it.
fn target(tree: &ParseResult) -> Result<&pg_query::protobuf::Node, SqlError> {
    let select = only_select(tree)?;
    let [target] = select.target_list.as_slice() else { return Err(more_than("an expression")) };
    let mut rest = select.clone();
    rest.target_list.clear();
    if !bare(&rest) {
        return Err(more_than("an expression"));
    }
    match &target.node {
        Some(Node::ResTarget(result)) if result.name.is_empty() && result.indirection.is_empty() => {
            let value = result.val.as_deref().ok_or_else(|| more_than("an expression"))?;
            // `(a, b)` is a row, which no column holds.
            if matches!(value.node, Some(Node::RowExpr(_))) {
                Err(more_than("one expression"))
            } else {
                Ok(value)
            }
        }
        _ => Err(more_than("an expression")),
    }
}

/// Whether nothing is left of a SELECT.
fn bare(select: &SelectStmt) -> bool {
    let blank = SelectStmt { limit_option: select.limit_option, op: select.op, ..SelectStmt::default() };
    let plain = SelectStmt::default();
    let is_set_operation = select.larg.is_some() || select.rarg.is_some();
    !is_set_operation && *select == SelectStmt { ..blank } && plain.target_list.is_empty()
}
