//! Reads the names of relations, types and their parts out of the parse tree.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{Node as Tree, ObjectType, RangeVar};
use serde_json::Value;

use super::{Object, Part};
use crate::core::ident::{Ident, QName};
use crate::core::sql::classify::{ident, qname};
use crate::core::sql::parse::{SqlError, json, string, walk};
use crate::core::sql::tables;

pub(super) fn relation(of: Option<&RangeVar>) -> Result<QName, SqlError> {
    let of = of.ok_or_else(|| SqlError::new("a relation without a name"))?;
    qname(&of.schemaname, &of.relname)
}

pub(super) fn relations(of: &[Tree]) -> Result<Vec<QName>, SqlError> {
    of.iter()
        .filter_map(|node| match &node.node {
            Some(Node::RangeVar(var)) => Some(relation(Some(var))),
            _ => None,
        })
        .collect()
}

/// The texts of a list of `String` nodes.
pub(super) fn words(of: &[Tree]) -> Vec<&str> {
    of.iter()
        .filter_map(|node| match &node.node {
            Some(Node::String(text)) => Some(text.sval.as_str()),
            _ => None,
        })
        .collect()
}

pub(super) fn idents(of: &[Tree]) -> Result<Vec<Ident>, SqlError> {
    words(of).into_iter().map(ident).collect()
}

/// A name of one to three parts; a database in front is left out.
pub(super) fn name(of: &[Tree]) -> Result<QName, SqlError> {
    match words(of).as_slice() {
        [name] => qname("", name),
        [.., schema, name] => qname(schema, name),
        [] => Err(SqlError::new("an object without a name")),
    }
}

/// The name of a dropped or renamed object: a list of words, a type or a function.
pub(super) fn object(of: &Tree) -> Result<Vec<&str>, SqlError> {
    Ok(match &of.node {
        Some(Node::List(list)) => words(&list.items),
        Some(Node::TypeName(kind)) => words(&kind.names),
        Some(Node::ObjectWithArgs(routine)) => words(&routine.objname),
        Some(Node::String(text)) => vec![text.sval.as_str()],
        _ => return Err(SqlError::new("an object whose name cannot be read")),
    })
}

pub(super) fn joined(words: &[&str]) -> Result<QName, SqlError> {
    match words {
        [name] => qname("", name),
        [.., schema, name] => qname(schema, name),
        [] => Err(SqlError::new("an object without a name")),
    }
}

pub(super) const fn kind(of: ObjectType) -> Object {
    match of {
        ObjectType::ObjectTable => Object::Table,
        ObjectType::ObjectForeignTable => Object::ForeignTable,
        ObjectType::ObjectIndex => Object::Index,
        ObjectType::ObjectView => Object::View,
        ObjectType::ObjectMatview => Object::MatView,
        ObjectType::ObjectSequence => Object::Sequence,
        ObjectType::ObjectType | ObjectType::ObjectDomain => Object::Type,
        ObjectType::ObjectSchema => Object::Schema,
        ObjectType::ObjectExtension => Object::Extension,
        ObjectType::ObjectStatisticExt => Object::Statistics,
        ObjectType::ObjectFunction
        | ObjectType::ObjectProcedure
        | ObjectType::ObjectRoutine
        | ObjectType::ObjectAggregate => Object::Function,
        _ => Object::Other,
    }
}

/// The part of a table that an object is, where it is one.
pub(super) const fn part(of: ObjectType) -> Option<Part> {
    match of {
        ObjectType::ObjectTrigger => Some(Part::Trigger),
        ObjectType::ObjectPolicy => Some(Part::Policy),
        ObjectType::ObjectRule => Some(Part::Rule),
        _ => None,
    }
}

/// The relations that a query reads.
pub(super) fn reads(node: &impl serde::Serialize) -> Result<Vec<QName>, SqlError> {
    Ok(tables::relations(&json(node)?).into_iter().collect())
}

/// The functions that an expression calls, wherever they stand in it.
pub(super) fn calls(node: &impl serde::Serialize) -> Result<Vec<QName>, SqlError> {
    let mut found = Vec::new();
    walk(&json(node)?, &mut |name, fields| {
        if name == "FuncCall"
            && let Some(parts) = fields.get("funcname").and_then(Value::as_array)
            && let Ok(function) = joined(&parts.iter().filter_map(string).collect::<Vec<_>>())
        {
            found.push(function);
        }
    });
    Ok(found)
}
