//! Reads the names of types, functions, sequences, statistics and schemas, and the bodies of functions.

use pg_query::protobuf::{FunctionParameterMode, ObjectType};
use serde_json::Value;

use super::{Reader, pieces};
use crate::core::ident::{Ident, QName};
use crate::core::sql::classify::{ident, qname};
use crate::core::sql::parse::string;
use crate::core::sql::scope::{items, relation, strings, text};
use crate::core::sql::thing::{How, Thing};

impl Reader {
    /// A name of one to three words; what PostgreSQL brings along is left out.
    pub(super) fn named(&mut self, words: &[&str], how: How, thing: impl FnOnce(QName) -> Thing) {
        let name = match words {
            [name] => qname("", name),
            ["pg_catalog", _] | [] => return,
            [.., schema, name] => qname(schema, name),
        };
        if let Ok(name) = name {
            self.add(thing(name), how);
        }
    }

    /// A type, or with `%TYPE` that of a column.
    pub(super) fn kind(&mut self, fields: &Value) {
        let words = strings(fields, "names");
        match (fields.get("pct_type") == Some(&Value::Bool(true)), words.split_last()) {
            (true, Some((column, table))) => {
                let mut tables = Vec::new();
                self.named(table, How::Reads, |table| {
                    tables.push(table.clone());
                    Thing::Relation(table)
                });
                self.reads_of(&tables, std::iter::once(*column));
            }
            _ => self.named(&words, How::Reads, Thing::Type),
        }
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

    /// CREATE FUNCTION and CREATE PROCEDURE.
    pub(super) fn function(&mut self, fields: &Value) {
        let inward = |parameter: &&Value| {
            let mode = parameter.get("mode").and_then(Value::as_i64);
            !matches!(mode, Some(mode) if OUTWARD.iter().any(|out| i64::from(*out as i32) == mode))
        };
        let parameters = items(fields, "parameters").filter_map(|one| one.pointer("/node/FunctionParameter"));
        let types = parameters.filter(inward).map(|one| type_word(one.get("arg_type")?)).collect();
        self.named(&strings(fields, "funcname"), making(fields), |name| Thing::Function(name, types));
    }

    /// What is made by statements that make nothing else.
    pub(super) fn made(&mut self, statement: &str, fields: &Value) {
        let how = making(fields);
        let thing = match statement {
            "CreateSeqStmt" => {
                self.owner(fields);
                fields.get("sequence").and_then(relation).map(Thing::Relation)
            }
            "CreateForeignTableStmt" => {
                let how = making(fields.get("base_stmt").unwrap_or(&Value::Null));
                let table = fields.pointer("/base_stmt/relation").and_then(relation);
                return table.into_iter().for_each(|table| self.add(Thing::Relation(table), how));
            }
            "CompositeTypeStmt" => fields.get("typevar").and_then(relation).map(Thing::Type),
            "CreateSchemaStmt" => {
                text(fields, "schemaname").and_then(|name| ident(name).ok()).map(Thing::Schema)
            }
            "DefineStmt" => {
                let name = strings(fields, "defnames");
                return match object_type(fields, "kind") {
                    Some(ObjectType::ObjectType) => self.named(&name, how, Thing::Type),
                    Some(ObjectType::ObjectAggregate) => {
                        self.named(&name, how, |name| Thing::Function(name, None));
                    }
                    _ => {}
                };
            }
            _ => return self.named(&strings(fields, "type_name"), how, Thing::Type),
        };
        thing.into_iter().for_each(|thing| self.add(thing, how));
    }

    /// What is no table and is dropped, renamed, altered or moved; and where a table is moved to.
    pub(super) fn object(&mut self, statement: &str, fields: &Value) {
        let (kind, how, objects): (_, _, Vec<&Value>) = match statement {
            "DropStmt" => ("remove_type", How::Drops, items(fields, "objects").collect()),
            "RenameStmt" => ("rename_type", How::Renames, fields.get("object").into_iter().collect()),
            "AlterFunctionStmt" => ("objtype", How::Alters, fields.get("func").into_iter().collect()),
            _ => ("object_type", How::Renames, fields.get("object").into_iter().collect()),
        };
        let word = |name: &str| text(fields, name).and_then(|word| ident(word).ok());
        let (name, schema) = (word("newname"), word("newschema"));
        let of = object_type(fields, kind);
        if of == Some(ObjectType::ObjectSchema) && statement == "RenameStmt" {
            word("subname").into_iter().for_each(|from| self.add(Thing::Schema(from), How::Renames));
            return name.into_iter().for_each(|to| self.add(Thing::Schema(to), How::Makes));
        }
        schema.iter().for_each(|schema| self.add(Thing::Schema(schema.clone()), How::Reads));
        let relation = fields.get("relation").and_then(relation).map(Thing::Relation);
        if let Some(relation) = relation {
            // The changes tell the rest.
            let sequence = of == Some(ObjectType::ObjectSequence);
            if sequence && name.is_some() {
                self.add(relation.clone(), How::Renames);
            }
            name.iter().for_each(|to| self.renamed_piece(fields, to));
            if schema.is_some() || sequence {
                self.add(renamed(relation, name.as_ref(), schema.as_ref()), How::Makes);
            }
        }
        for thing in objects.into_iter().filter_map(|object| thing(fields, kind, object)) {
            match thing {
                // The changes tell of these.
                Thing::Relation(_) | Thing::Column(..) | Thing::Constraint(..) | Thing::Schema(_) => continue,
                // Its objects are moved, and it stands in no schema.
                Thing::Wide(..) if schema.is_some() => {
                    self.add(thing, How::Alters);
                    continue;
                }
                _ => {}
            }
            if how == How::Renames {
                self.add(renamed(thing.clone(), name.as_ref(), schema.as_ref()), How::Makes);
            }
            self.add(thing, how);
        }
    }
}

/// The arguments that are none to a caller.
const OUTWARD: [FunctionParameterMode; 2] =
    [FunctionParameterMode::FuncParamOut, FunctionParameterMode::FuncParamTable];

/// How a CREATE makes its object: IF NOT EXISTS and OR REPLACE do not mind that it is there.
pub(super) fn making(fields: &Value) -> How {
    let says = |name| fields.get(name) == Some(&Value::Bool(true));
    if says("if_not_exists") || says("replace") { How::Ensures } else { How::Makes }
}

/// What a statement names as an object of a kind; nothing of what PostgreSQL brings along.
pub(super) fn thing(fields: &Value, kind: &str, object: &Value) -> Option<Thing> {
    let node = object.get("node").unwrap_or(object);
    let lists = [
        node.pointer("/ObjectWithArgs/objname"),
        node.get("objname"),
        node.pointer("/List/items"),
        node.pointer("/TypeName/names"),
    ];
    let words = match lists.into_iter().flatten().find_map(Value::as_array) {
        Some(words) => words.iter().filter_map(string).collect(),
        None => string(object).into_iter().collect::<Vec<&str>>(),
    };
    let of = object_type(fields, kind)?;
    let part = pieces::piece(of).is_some()
        || matches!(of, ObjectType::ObjectColumn | ObjectType::ObjectTabconstraint);
    let (last, table) = words.split_last()?;
    let name = match if part { table } else { &words } {
        [name] => qname("", name).ok()?,
        ["pg_catalog", _] | [] => return None,
        [.., schema, name] => qname(schema, name).ok()?,
    };
    Some(match of {
        ObjectType::ObjectFunction => {
            Thing::Function(name, signature(node.get("ObjectWithArgs").unwrap_or(node)))
        }
        // Of these, what is left out of a list of arguments differs from one server to the next.
        ObjectType::ObjectProcedure | ObjectType::ObjectRoutine | ObjectType::ObjectAggregate => {
            Thing::Function(name, None)
        }
        ObjectType::ObjectType | ObjectType::ObjectDomain => Thing::Type(name),
        ObjectType::ObjectSchema => Thing::Schema(name.name),
        ObjectType::ObjectStatisticExt => Thing::Statistics(name),
        ObjectType::ObjectColumn => Thing::Column(name, ident(last).ok()?),
        ObjectType::ObjectTabconstraint => Thing::Constraint(name, ident(last).ok()?),
        ObjectType::ObjectTable
        | ObjectType::ObjectForeignTable
        | ObjectType::ObjectView
        | ObjectType::ObjectMatview
        | ObjectType::ObjectIndex
        | ObjectType::ObjectSequence => Thing::Relation(name),
        of => match (pieces::piece(of), pieces::wide(of)) {
            (Some(piece), _) => Thing::Piece(piece, name, ident(last).ok()?),
            (_, Some(wide)) => Thing::Wide(wide, name.name),
            _ => return None,
        },
    })
}

pub(super) fn object_type(fields: &Value, name: &str) -> Option<ObjectType> {
    let kind = fields.get(name).and_then(Value::as_i64).and_then(|kind| i32::try_from(kind).ok())?;
    ObjectType::try_from(kind).ok()
}

/// The types of the arguments, where they are told.
fn signature(function: &Value) -> Option<Vec<String>> {
    if function.get("args_unspecified") == Some(&Value::Bool(true)) {
        return None;
    }
    items(function, "objargs").map(|of| type_word(of.pointer("/node/TypeName")?)).collect()
}

/// A type by one word: the parser has one for each that PostgreSQL brings along, however it is written.
fn type_word(of: &Value) -> Option<String> {
    if of.get("pct_type") == Some(&Value::Bool(true)) {
        return None;
    }
    let words = strings(of, "names");
    let name = *words.last()?;
    // An array of arrays is one of the same type, and `_int4` is what the catalog calls `int4[]`.
    let element = name.strip_prefix('_').filter(|element| !element.is_empty());
    let array = element.is_some() || items(of, "array_bounds").next().is_some();
    Some(format!("{}{}", element.unwrap_or(name), if array { "[]" } else { "" }))
}

/// A thing under another name or in another schema.
fn renamed(thing: Thing, to: Option<&Ident>, schema: Option<&Ident>) -> Thing {
    let moved = |name: QName| QName {
        schema: schema.cloned().or(name.schema),
        name: to.cloned().unwrap_or(name.name),
    };
    match thing {
        Thing::Relation(name) => Thing::Relation(moved(name)),
        Thing::Type(name) => Thing::Type(moved(name)),
        Thing::Function(name, types) => Thing::Function(moved(name), types),
        Thing::Statistics(name) => Thing::Statistics(moved(name)),
        Thing::Wide(wide, name) => Thing::Wide(wide, to.cloned().unwrap_or(name)),
        other => other,
    }
}
