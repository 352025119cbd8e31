//! Reads the columns that statements write: those of INSERT, UPDATE, MERGE and COPY.

use serde_json::Value;

use super::Reader;
use crate::core::ident::QName;
use crate::core::sql::classify::ident;
use crate::core::sql::scope::{Scope, items, relation, strings, text};
use crate::core::sql::thing::{How, Thing};

impl Reader {
    pub(super) fn insert(&mut self, fields: &Value) {
        let Some(table) = self.target(fields, How::Writes) else { return self.walk(fields) };
        let columns: Vec<&Value> = items(fields, "cols").collect();
        let values = fields.get("select_stmt").is_some_and(|select| !select.is_null());
        if columns.is_empty() && values {
            self.add(Thing::Row(table.clone()), How::Writes);
        }
        self.results(&table, columns.into_iter());
        // The query that is inserted does not see the table; what comes after it does.
        let ctes = Scope::of_query(fields);
        self.scopes.push(ctes);
        for name in ["with_clause", "select_stmt"] {
            fields.get(name).into_iter().for_each(|part| self.walk(part));
        }
        self.scopes.push(Scope::of_table(fields));
        for name in ["on_conflict_clause", "returning_clause"] {
            let Some(part) = fields.get(name) else { continue };
            self.results(&table, items(part, "target_list"));
            self.walk(part);
        }
        self.scopes.truncate(self.scopes.len() - 2);
    }

    pub(super) fn merge(&mut self, fields: &Value) {
        if let Some(table) = self.target(fields, How::Writes) {
            for clause in items(fields, "merge_when_clauses") {
                let Some(clause) = clause.pointer("/node/MergeWhenClause") else { continue };
                let filled = items(clause, "values").next().is_some();
                if filled && items(clause, "target_list").next().is_none() {
                    self.add(Thing::Row(table.clone()), How::Writes);
                }
                self.results(&table, items(clause, "target_list"));
            }
        }
        self.within(Scope::of_write(fields, "source_relation"), fields);
    }

    pub(super) fn copy(&mut self, fields: &Value) {
        let from = fields.get("is_from") == Some(&Value::Bool(true));
        let how = if from { How::Writes } else { How::Reads };
        let Some(table) = self.target(fields, how) else { return };
        let columns = strings(fields, "attlist");
        if columns.is_empty() {
            self.add(Thing::Row(table.clone()), how);
        }
        for column in columns.into_iter().filter_map(|column| ident(column).ok()) {
            self.add(Thing::Column(table.clone(), column), how);
        }
    }

    pub(super) fn target(&mut self, fields: &Value, how: How) -> Option<QName> {
        let table = fields.get("relation").and_then(relation)?;
        self.add(Thing::Relation(table.clone()), how);
        Some(table)
    }

    /// The columns that UPDATE sets.
    pub(super) fn targets(&mut self, fields: &Value, list: &Value) {
        if let Some(table) = self.target(fields, How::Writes) {
            self.results(&table, items(list, "target_list"));
        }
    }

    fn results<'a>(&mut self, table: &QName, targets: impl Iterator<Item = &'a Value>) {
        for target in targets.filter_map(|target| target.pointer("/node/ResTarget")) {
            if let Some(Ok(column)) = text(target, "name").map(ident) {
                self.add(Thing::Column(table.clone(), column), How::Writes);
            }
        }
    }
}
