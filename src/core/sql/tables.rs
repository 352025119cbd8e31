//! Lists the relations that a script names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::classify::qname;
use super::parse::{SqlError, json, string, walk, with_tree};
use super::scope::{relation, text};
use crate::core::ident::QName;

/// The relations that a script touches; names of CTEs are left out.
///
/// # Errors
/// When the script does not parse.
pub fn tables(sql: &str) -> Result<BTreeSet<QName>, SqlError> {
    with_tree(sql, |tree| Ok(relations(&json(tree)?)))
}

/// The relations that a tree names, wherever they stand in it; names of CTEs are left out.
pub(super) fn relations(tree: &Value) -> BTreeSet<QName> {
    let (mut found, mut ctes) = (BTreeSet::new(), BTreeSet::new());
    walk(tree, &mut |name, fields| match name {
        "CommonTableExpr" => ctes.extend(text(fields, "ctename").map(str::to_owned)),
        "DropStmt" => found.extend(dropped(fields)),
        // A relation is a node or a field of many names; its own fields tell it.
        _ => found.extend(relation(fields)),
    });
    found.retain(|table: &QName| table.schema.is_some() || !ctes.contains(table.name.as_str()));
    found
}

/// The tables that a script creates, or gives a new name.
///
/// # Errors
/// When the script does not parse.
pub fn made_tables(sql: &str) -> Result<BTreeSet<QName>, SqlError> {
    with_tree(sql, |tree| {
        let tree = json(tree)?;
        let mut found = BTreeSet::new();
        walk(&tree, &mut |name, fields| match name {
            "CreateStmt" => found.extend(fields.get("relation").and_then(relation)),
            "CreateTableAsStmt" => found.extend(fields.pointer("/into/rel").and_then(relation)),
            "RenameStmt" => found.extend(text(fields, "newname").and_then(|name| qname("", name).ok())),
            _ => {}
        });
        Ok(found)
    })
}

/// Object types whose names are relations, as the parser numbers them.
fn dropped(fields: &Value) -> Vec<QName> {
    use pg_query::protobuf::ObjectType;
    let kind = fields.get("remove_type").and_then(Value::as_i64);
    let relation =
        [ObjectType::ObjectTable, ObjectType::ObjectView, ObjectType::ObjectMatview, ObjectType::ObjectIndex]
            .iter()
            .any(|of| kind == Some(i64::from(*of as i32)));
    let objects = fields.get("objects").and_then(Value::as_array).filter(|_| relation);
    let name = |object: &Value| {
        let parts: Vec<&str> =
            object.pointer("/node/List/items")?.as_array()?.iter().filter_map(string).collect();
        match parts.as_slice() {
            [name] => qname("", name).ok(),
            [.., schema, name] => qname(schema, name).ok(),
            [] => None,
        }
    };
    objects.map(|objects| objects.iter().filter_map(name).collect()).unwrap_or_default()
}
