//! Reads what expressions name: columns, all columns at once, rows as values.

use serde_json::Value;

use super::Reader;
use crate::core::ident::QName;
use crate::core::sql::classify::qname;
use crate::core::sql::parse::string;
use crate::core::sql::scope::{Scope, items, strings};
use crate::core::sql::thing::{How, Thing};

impl Reader {
    /// The relations that stand under a name; more than one under that of a join.
    pub(super) fn called(&self, name: &str) -> Vec<QName> {
        let found = self.scopes.iter().rev().find_map(|scope| scope.called(name));
        found.into_iter().flatten().cloned().collect()
    }

    /// The relation that is named with its schema.
    fn spelled(&self, schema: &str, name: &str) -> Option<QName> {
        let table = qname(schema, name).ok()?;
        self.scopes.iter().flat_map(Scope::tables).any(|seen| *seen == table).then_some(table)
    }

    /// `*` in a list of results stands for each column.
    pub(super) fn spread(&mut self, fields: &Value) {
        let value = fields.pointer("/val/node").unwrap_or(&Value::Null);
        let row = value.pointer("/AIndirection/arg/node/ColumnRef");
        let rest = value.get("AIndirection").unwrap_or(&Value::Null);
        let stars = |list: &Value, name| {
            items(list, name).last().is_some_and(|last| last.pointer("/node/AStar").is_some())
        };
        let tables = match value.get("ColumnRef") {
            Some(star) if stars(star, "fields") => {
                let words = strings(star, "fields");
                match words.last() {
                    Some(alias) => self.called(alias),
                    None => self.scopes.last().into_iter().flat_map(Scope::tables).cloned().collect(),
                }
            }
            None if stars(rest, "indirection") => {
                let words = row.map(|row| strings(row, "fields")).unwrap_or_default();
                words.last().map(|alias| self.called(alias)).unwrap_or_default()
            }
            _ => return,
        };
        self.rows(tables, Thing::Row);
    }

    pub(super) fn column(&mut self, fields: &Value) {
        let parts: Vec<Option<&str>> = items(fields, "fields").map(string).collect();
        match parts.as_slice() {
            [Some(column)] => {
                let tables: Vec<QName> = self.scopes.iter().flat_map(Scope::tables).cloned().collect();
                self.reads_of(&tables, std::iter::once(*column));
                // The name of a table stands for its row, unless there is a column of that name.
                self.rows(self.called(column), Thing::Value);
            }
            [.., Some(alias), Some(column)] => {
                let tables = self.called(alias);
                self.reads_of(&tables, std::iter::once(*column));
                if tables.is_empty() {
                    self.rows(self.spelled(alias, column), Thing::Value);
                }
            }
            [.., Some(alias), None] => self.rows(self.called(alias), Thing::Value),
            _ => {}
        }
    }

    /// Rows of tables, not of CTEs.
    pub(super) fn rows(&mut self, tables: impl IntoIterator<Item = QName>, thing: fn(QName) -> Thing) {
        for table in tables {
            if !self.derived(&table) {
                self.add(thing(table), How::Reads);
            }
        }
    }

    /// `(alias).column`; whether it is that.
    pub(super) fn field(&mut self, fields: &Value) -> bool {
        let Some(row) = fields.pointer("/arg/node/ColumnRef") else { return false };
        let parts: Vec<Option<&str>> = items(row, "fields").map(string).collect();
        let [Some(alias)] = parts.as_slice() else { return false };
        let (tables, column) = (self.called(alias), items(fields, "indirection").next().and_then(string));
        let Some(column) = column.filter(|_| !tables.is_empty()) else { return false };
        self.reads_of(&tables, std::iter::once(column));
        // It may as well be a field of a column that is called like the table.
        let tables: Vec<QName> = self.scopes.iter().flat_map(Scope::tables).cloned().collect();
        self.reads_of(&tables, std::iter::once(*alias));
        items(fields, "indirection").for_each(|part| self.walk(part));
        true
    }
}
