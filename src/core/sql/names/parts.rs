//! Reads the columns that statements name by words, outside of any expression: those of
//! USING, of privileges, comments, statistics, publications and sequences.

use serde_json::Value;

use super::Reader;
use crate::core::ident::QName;
use crate::core::sql::classify::{ident, qname};
use crate::core::sql::parse::string;
use crate::core::sql::scope::{Scope, items, relation, strings, text};
use crate::core::sql::thing::{How, Thing};

impl Reader {
    /// Columns of any of some tables.
    pub(super) fn reads_of<'a>(&mut self, tables: &[QName], columns: impl Iterator<Item = &'a str>) {
        for column in columns.filter_map(|column| ident(column).ok()) {
            for table in tables {
                if self.derived(table) {
                    continue;
                }
                self.add(Thing::Column(table.clone(), column.clone()), How::Reads);
            }
        }
    }

    /// The columns that both sides of a join must have; NATURAL goes by all of them.
    pub(super) fn join(&mut self, fields: &Value) {
        let Some(scope) = self.scopes.last() else { return };
        let sides = ["larg", "rarg"].map(|side| scope.of_side(fields.get(side).unwrap_or(&Value::Null)));
        let tables: Vec<QName> = sides.iter().flat_map(Scope::tables).cloned().collect();
        if fields.get("is_natural") == Some(&Value::Bool(true)) {
            self.rows(tables.clone(), Thing::Value);
        }
        self.reads_of(&tables, strings(fields, "using_clause").into_iter());
    }

    /// UPDATE OF of a trigger, the list of a publication, and the name of statistics.
    pub(super) fn columns_by_word(&mut self, statement: &str, fields: &Value) {
        let table = fields.get("relation").and_then(relation);
        match statement {
            "CreateTrigStmt" => {
                self.reads_of(table.as_slice(), strings(fields, "columns").into_iter());
                let function = strings(fields, "funcname");
                self.named(&function, How::Reads, |name| Thing::Function(name, None));
            }
            "pubtable" => {
                self.reads_of(table.as_slice(), strings(fields, "columns").into_iter());
                table.into_iter().for_each(|table| self.add(Thing::Relation(table), How::Reads));
            }
            "CreateStatsStmt" => {
                let how = super::objects::making(fields);
                self.named(&strings(fields, "defnames"), how, Thing::Statistics);
            }
            _ => {}
        }
    }

    /// The columns of GRANT and REVOKE, and what is neither a table nor a sequence.
    pub(super) fn grant(&mut self, fields: &Value) {
        let objects = || items(fields, "objects");
        let tables: Vec<QName> =
            objects().filter_map(|object| relation(object.pointer("/node/RangeVar")?)).collect();
        for privilege in items(fields, "privileges").filter_map(|one| one.pointer("/node/AccessPriv")) {
            self.reads_of(&tables, strings(privilege, "cols").into_iter());
        }
        /// `ALL TABLES IN SCHEMA`, as the parser numbers it.
        const ALL_IN_SCHEMA: i64 = 2;
        if fields.get("targtype").and_then(Value::as_i64) == Some(ALL_IN_SCHEMA) {
            let schemas = objects().filter_map(string).filter_map(|name| ident(name).ok());
            return schemas.for_each(|schema| self.add(Thing::Schema(schema), How::Reads));
        }
        let things = objects().filter_map(|object| super::objects::thing(fields, "objtype", object));
        things.for_each(|thing| self.add(thing, How::Reads));
    }

    /// What COMMENT and SECURITY LABEL speak of.
    pub(super) fn comment(&mut self, fields: &Value) {
        let object = fields.get("object").unwrap_or(&Value::Null);
        if let Some(thing) = super::objects::thing(fields, "objtype", object) {
            if let Some(table) = thing.relation() {
                self.add(Thing::Relation(table.clone()), How::Reads);
            }
            self.add(thing, How::Reads);
        }
    }

    /// ALTER SEQUENCE.
    pub(super) fn sequence(&mut self, fields: &Value) {
        let sequence = fields.get("sequence").and_then(relation);
        sequence.into_iter().for_each(|sequence| self.add(Thing::Relation(sequence), How::Alters));
        self.owner(fields);
    }

    /// OWNED BY of a sequence.
    pub(super) fn owner(&mut self, fields: &Value) {
        for option in items(fields, "options").filter_map(|option| option.pointer("/node/DefElem")) {
            let Some(list) =
                option.pointer("/arg/node/List").filter(|_| text(option, "defname") == Some("owned_by"))
            else {
                continue;
            };
            let table = match strings(list, "items").as_slice() {
                [.., schema, table, column] => qname(schema, table).map(|table| (table, *column)),
                [table, column] => qname("", table).map(|table| (table, *column)),
                _ => continue,
            };
            if let Ok((table, column)) = table {
                self.add(Thing::Relation(table.clone()), How::Reads);
                self.reads_of(&[table], std::iter::once(column));
            }
        }
    }

    /// A whole schema of a publication.
    pub(super) fn published(&mut self, fields: &Value) {
        let schema = text(fields, "name").and_then(|name| ident(name).ok());
        schema.into_iter().for_each(|schema| self.add(Thing::Schema(schema), How::Reads));
    }
}
