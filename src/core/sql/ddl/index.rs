//! Reads CREATE INDEX, REINDEX and VACUUM.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{IndexStmt, Node as Tree, ReindexObjectType, ReindexStmt, VacuumStmt};
use serde_json::Value;

use super::column::columns_of;
use super::objects::relation;
use super::{Change, NewIndex, deparse};
use crate::core::ident::Ident;
use crate::core::sql::classify::ident;
use crate::core::sql::parse::{SqlError, json, statement_text};

pub(super) fn index(of: &IndexStmt) -> Result<NewIndex, SqlError> {
    let table = of.relation.as_ref();
    let column = |node: &Tree| match &node.node {
        Some(Node::IndexElem(element)) if !element.name.is_empty() => ident(&element.name).map(Some),
        _ => Ok(None),
    };
    let columns: Vec<Option<Ident>> = of.index_params.iter().map(column).collect::<Result<_, _>>()?;
    let computed = |node: &Tree| matches!(&node.node, Some(Node::IndexElem(of)) if of.name.is_empty());
    let mut uses = columns_of(&(&of.index_params, &of.where_clause))?;
    for element in of.index_params.iter().chain(&of.index_including_params) {
        if let Some(named) = column(element)?.filter(|named| !uses.contains(named)) {
            uses.push(named);
        }
    }
    let called = called(of, &columns)?;
    Ok(NewIndex {
        concurrent: concurrent(of, &called)?,
        called,
        uses,
        computed: of.where_clause.is_some() || of.index_params.iter().any(computed),
        shape: deparse::shape(of)?,
        name: if of.idxname.is_empty() { None } else { Some(ident(&of.idxname)?) },
        table: relation(table)?,
        perhaps: of.if_not_exists,
        concurrently: of.concurrent,
        only: table.is_some_and(|table| !table.inh),
        unique: of.unique,
        columns,
    })
}

/// The name of an index; where none is given, as the server would choose it.
fn called(of: &IndexStmt, columns: &[Option<Ident>]) -> Result<Ident, SqlError> {
    if !of.idxname.is_empty() {
        return ident(&of.idxname);
    }
    let table = of.relation.as_ref().map(|table| table.relname.as_str()).unwrap_or_default();
    let words = columns.iter().map(|column| column.as_ref().map_or("expr", Ident::as_str));
    let words: Vec<&str> = std::iter::once(table).chain(words).chain(["idx"]).collect();
    Ok(Ident::shortened("", &words.join("_")))
}

/// The statement as it is built concurrently.
fn concurrent(of: &IndexStmt, called: &Ident) -> Result<String, SqlError> {
    let mut build = of.clone();
    build.concurrent = true;
    build.idxname = called.as_str().to_owned();
    statement_text(Node::IndexStmt(Box::new(build)))
}

/// Whether an option in brackets or behind the verb is on: `VACUUM (FULL off)` is not.
fn option(options: &[Tree], wanted: &str) -> Result<bool, SqlError> {
    for node in options {
        let Some(Node::DefElem(option)) = &node.node else { continue };
        if option.defname.eq_ignore_ascii_case(wanted) {
            let value = json(&option.arg)?;
            let text =
                value.pointer("/node/String/sval").and_then(Value::as_str).map(str::to_ascii_lowercase);
            let number = value.pointer("/node/Integer/ival").and_then(Value::as_i64);
            let truth = value.pointer("/node/Boolean/boolval").and_then(Value::as_bool);
            let off =
                matches!(text.as_deref(), Some("off" | "false")) || number == Some(0) || truth == Some(false);
            return Ok(!off);
        }
    }
    Ok(false)
}

pub(super) fn reindex(of: &ReindexStmt) -> Result<Change, SqlError> {
    let index = of.kind() == ReindexObjectType::ReindexObjectIndex;
    Ok(match &of.relation {
        Some(name) => Change::Reindex {
            name: relation(Some(name))?,
            index,
            concurrently: option(&of.params, "concurrently")?,
        },
        None => Change::ReindexWide { concurrently: option(&of.params, "concurrently")? },
    })
}

pub(super) fn vacuum(of: &VacuumStmt) -> Result<Change, SqlError> {
    let named = of.rels.iter().filter_map(|node| match &node.node {
        Some(Node::VacuumRelation(of)) => Some(relation(of.relation.as_ref())),
        _ => None,
    });
    let tables = named.collect::<Result<_, _>>()?;
    Ok(if of.is_vacuumcmd {
        Change::Vacuum { tables, full: option(&of.options, "full")? }
    } else {
        Change::Analyze(tables)
    })
}
