//! Writes parts of a statement again, as SQL: an author's own words for the safe way.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{
    AlterTableCmd, AlterTableStmt, AlterTableType, ConstrType, Constraint, DropBehavior, IndexElem,
    IndexStmt, Node as Tree, ObjectType, RangeVar, SortByDir, SortByNulls, TypeCast, TypeName,
};

use super::KeyIndex;
use super::objects::words;
use crate::core::sql::parse::{SqlError, expression_text, statement_text};

/// A type as SQL writes it.
pub(super) fn type_name(of: &TypeName) -> Result<String, SqlError> {
    let null = pg_query::protobuf::AConst { isnull: true, ..Default::default() };
    let cast = TypeCast {
        arg: Some(Box::new(Tree { node: Some(Node::AConst(null)) })),
        type_name: Some(of.clone()),
        location: 0,
    };
    let text = expression_text(&Tree { node: Some(Node::TypeCast(Box::new(cast))) })?;
    Ok(text.trim_start_matches("NULL::").to_owned())
}

/// A constraint of a table, without its name and without NOT VALID.
pub(super) fn constraint(of: &Constraint) -> Result<String, SqlError> {
    let mut of = of.clone();
    of.conname = "k".into();
    (of.skip_validation, of.initially_valid) = (false, true);
    let command = AlterTableCmd {
        subtype: AlterTableType::AtAddConstraint.into(),
        def: Some(Box::new(Tree { node: Some(Node::Constraint(Box::new(of))) })),
        behavior: DropBehavior::DropRestrict.into(),
        ..AlterTableCmd::default()
    };
    let alter = AlterTableStmt {
        relation: Some(somewhere()),
        cmds: vec![Tree { node: Some(Node::AlterTableCmd(Box::new(command))) }],
        objtype: ObjectType::ObjectTable.into(),
        missing_ok: false,
    };
    let text = statement_text(Node::AlterTableStmt(alter))?;
    Ok(after(&text, "ADD CONSTRAINT k ").to_owned())
}

/// The index behind UNIQUE or PRIMARY KEY, where the constraint makes one.
pub(super) fn key_index(of: &Constraint) -> Result<Option<KeyIndex>, SqlError> {
    let builds = matches!(of.contype(), ConstrType::ConstrUnique | ConstrType::ConstrPrimary);
    if !builds || !of.indexname.is_empty() || of.keys.is_empty() {
        return Ok(None);
    }
    let column = |name: &str| IndexElem {
        name: name.to_owned(),
        ordering: SortByDir::SortbyDefault.into(),
        nulls_ordering: SortByNulls::SortbyNullsDefault.into(),
        ..IndexElem::default()
    };
    let element = |name| Tree { node: Some(Node::IndexElem(Box::new(column(name)))) };
    let built = IndexStmt {
        idxname: "k".into(),
        relation: Some(somewhere()),
        access_method: "btree".into(),
        table_space: of.indexspace.clone(),
        index_params: words(&of.keys).into_iter().map(element).collect(),
        index_including_params: words(&of.including).into_iter().map(element).collect(),
        options: of.options.clone(),
        unique: true,
        nulls_not_distinct: of.nulls_not_distinct,
        ..IndexStmt::default()
    };
    let text = statement_text(Node::IndexStmt(Box::new(built)))?;
    let deferral = match (of.deferrable, of.initdeferred) {
        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    };
    Ok(Some(KeyIndex { shape: after(&text, " ON t ").to_owned(), deferral: deferral.into() }))
}

/// An index from USING on, without what only says how it is stored.
pub(super) fn shape(of: &IndexStmt) -> Result<String, SqlError> {
    let mut of = of.clone();
    of.idxname = "k".into();
    of.relation = Some(somewhere());
    of.options.clear();
    of.table_space.clear();
    (of.concurrent, of.if_not_exists) = (false, false);
    let text = statement_text(Node::IndexStmt(Box::new(of)))?;
    Ok(after(&text, " ON t ").to_owned())
}

/// A table that stands for any.
fn somewhere() -> RangeVar {
    RangeVar { relname: "t".into(), inh: true, relpersistence: "p".into(), ..RangeVar::default() }
}

fn after<'a>(text: &'a str, head: &str) -> &'a str {
    text.split_once(head).map_or(text, |(_, rest)| rest)
}
