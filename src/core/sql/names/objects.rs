//! Reads the names of types, functions, sequences and schemas, and the bodies of functions.

use pg_query::protobuf::ObjectType;
use serde_json::Value;

use super::Reader;
use crate::core::ident::QName;
use crate::core::sql::classify::{ident, qname};
use crate::core::sql::parse::string;
use crate::core::sql::scope::{items, relation, strings, text};
use crate::core::sql::thing::{How, Thing};

impl Reader {
    /// A name of one to three words; what PostgreSQL brings along is left out.
    pub(super) fn named(&mut self, words: &[&str], how: How, thing: fn(QName) -> Thing) {
        let name = match words {
            [name] => qname("", name),
            ["pg_catalog", _] | [] => return,
            [.., schema, name] => qname(schema, name),
        };
        name.into_iter().for_each(|name| self.add(thing(name), how));
    }

    pub(super) fn bodies(&mut self, fields: &Value, list: &str) {
        for option in items(fields, list).filter_map(|option| option.pointer("/node/DefElem")) {
            if text(option, "defname") != Some("as") {
                continue;
            }
            let argument = option.get("arg").unwrap_or(&Value::Null);
            let parts = argument.pointer("/node/List/items").and_then(Value::as_array);
            let texts = parts.into_iter().flatten().chain([argument]).filter_map(string);
            self.found.bodies.extend(texts.map(str::to_owned));
        }
    }

    /// What is made by statements that make nothing else.
    pub(super) fn made(&mut self, statement: &str, fields: &Value) {
        let thing = match statement {
            "CreateSeqStmt" => fields.get("sequence").and_then(relation).map(Thing::Relation),
            "CreateForeignTableStmt" => {
                fields.pointer("/base_stmt/relation").and_then(relation).map(Thing::Relation)
            }
            "CompositeTypeStmt" => fields.get("typevar").and_then(relation).map(Thing::Type),
            "CreateSchemaStmt" => {
                text(fields, "schemaname").and_then(|name| ident(name).ok()).map(Thing::Schema)
            }
            "DefineStmt" => return self.named(&strings(fields, "defnames"), How::Makes, Thing::Type),
            _ => return self.named(&strings(fields, "type_name"), How::Makes, Thing::Type),
        };
        thing.into_iter().for_each(|thing| self.add(thing, How::Makes));
    }

    /// Types and functions that are dropped, renamed, altered or moved.
    pub(super) fn object(&mut self, statement: &str, fields: &Value) {
        let (kind, how, objects): (_, _, Vec<&Value>) = match statement {
            "DropStmt" => ("remove_type", How::Drops, items(fields, "objects").collect()),
            "RenameStmt" => ("rename_type", How::Renames, fields.get("object").into_iter().collect()),
            "AlterFunctionStmt" => ("objtype", How::Alters, fields.get("func").into_iter().collect()),
            _ => ("object_type", How::Renames, fields.get("object").into_iter().collect()),
        };
        let kind = fields.get(kind).and_then(Value::as_i64).and_then(|kind| i32::try_from(kind).ok());
        let thing: fn(QName) -> Thing = match kind.and_then(|kind| ObjectType::try_from(kind).ok()) {
            Some(
                ObjectType::ObjectFunction
                | ObjectType::ObjectProcedure
                | ObjectType::ObjectRoutine
                | ObjectType::ObjectAggregate,
            ) => Thing::Function,
            Some(ObjectType::ObjectType | ObjectType::ObjectDomain) => Thing::Type,
            _ => return,
        };
        for object in objects {
            let node = object.get("node").unwrap_or(object);
            let lists = [
                node.pointer("/ObjectWithArgs/objname"),
                node.get("objname"),
                node.pointer("/List/items"),
                node.pointer("/TypeName/names"),
            ];
            let words = lists.into_iter().flatten().find_map(Value::as_array);
            let words: Vec<&str> = words.into_iter().flatten().filter_map(string).collect();
            self.named(&words, how, thing);
        }
    }
}
