//! Lists what statements name, each with what is done to it: relations, columns
//! as far as the tree tells whose they are, types, functions.

mod objects;

use std::collections::BTreeSet;

use pg_query::protobuf::RawStmt;
use serde_json::Value;

use crate::core::ident::QName;
use crate::core::sql::classify::ident;
use crate::core::sql::ddl::{Change, changes};
use crate::core::sql::parse::{SqlError, json, string, with_tree};
use crate::core::sql::scope::{Scope, items, relation, strings, text};
use crate::core::sql::thing::{How, Thing};

/// What one statement names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// What it changes, one by one.
    pub changes: Vec<Change>,
    /// What its tree names besides.
    pub touches: BTreeSet<(Thing, How)>,
    /// Bodies that are text to the parser: functions, DO.
    pub bodies: Vec<String>,
}

/// What each statement of a script names.
///
/// # Errors
/// When the script does not parse.
pub fn names(sql: &str) -> Result<Vec<Names>, SqlError> {
    with_tree(sql, |tree| tree.stmts.iter().map(statement).collect())
}

fn statement(raw: &RawStmt) -> Result<Names, SqlError> {
    let node = raw.stmt.as_ref().and_then(|stmt| stmt.node.as_ref());
    let changes = node.map(changes).transpose()?.unwrap_or_default();
    let mut reader = Reader { found: Names { changes, ..Names::default() }, scopes: Vec::new() };
    reader.walk(&json(&node)?);
    Ok(reader.found)
}

/// Walks a tree with the tables that each part of it sees.
struct Reader {
    found: Names,
    scopes: Vec<Scope>,
}

impl Reader {
    fn add(&mut self, thing: Thing, how: How) {
        self.found.touches.insert((thing, how));
    }

    fn walk(&mut self, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.walk(value)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    if value.is_object() {
                        self.enter(name, value);
                    } else {
                        self.walk(value);
                    }
                }
            }
            _ => {}
        }
    }

    fn within(&mut self, scope: Scope, fields: &Value) {
        self.scopes.push(scope);
        self.walk(fields);
        self.scopes.pop();
    }

    /// A query that sees the CTEs of its surroundings, and not their tables.
    fn apart(&mut self, fields: &Value) {
        let inner = self.scopes.pop();
        let ctes = inner.as_ref().map(Scope::only_ctes).unwrap_or_default();
        self.within(ctes, fields);
        self.scopes.extend(inner);
    }

    fn enter(&mut self, name: &str, fields: &Value) {
        match name {
            "SelectStmt" => return self.within(Scope::of_query(fields), fields),
            // The arms of a UNION are no nodes, and those of a join are.
            "larg" | "rarg" if fields.get("target_list").is_some() => {
                return self.within(Scope::of_query(fields), fields);
            }
            "InsertStmt" => return self.insert(fields),
            "UpdateStmt" => {
                self.targets(fields, fields);
                return self.within(Scope::of_write(fields, "from_clause"), fields);
            }
            "DeleteStmt" => {
                self.target(fields, How::Writes);
                return self.within(Scope::of_write(fields, "using_clause"), fields);
            }
            "MergeStmt" => return self.merge(fields),
            "CopyStmt" => self.copy(fields),
            "IndexStmt" | "CreateTrigStmt" | "RuleStmt" | "CreatePolicyStmt" | "AlterPolicyStmt"
            | "AlterTableStmt" | "CreateStmt" | "CreateStatsStmt" => {
                self.columns_of_trigger(name, fields);
                return self.within(Scope::of_table(fields), fields);
            }
            // Neither sees what stands beside it in the same FROM.
            "CommonTableExpr" => return self.apart(fields),
            "RangeSubselect" if fields.get("lateral") != Some(&Value::Bool(true)) => {
                return self.apart(fields);
            }
            "IndexElem" => {
                let target = self.scopes.last().and_then(Scope::target).cloned();
                if let (Some(table), Some(column)) = (target, text(fields, "name").map(ident)) {
                    column
                        .into_iter()
                        .for_each(|column| self.add(Thing::Column(table.clone(), column), How::Reads));
                }
            }
            "ColumnRef" => self.column(fields),
            "FuncCall" => self.named(&strings(fields, "funcname"), How::Reads, Thing::Function),
            "TypeName" | "type_name" | "return_type" | "arg_type" => {
                self.named(&strings(fields, "names"), How::Reads, Thing::Type);
            }
            "CreateFunctionStmt" => {
                self.named(&strings(fields, "funcname"), How::Makes, Thing::Function);
                self.bodies(fields, "options");
            }
            "CreateSeqStmt"
            | "CreateForeignTableStmt"
            | "CompositeTypeStmt"
            | "CreateEnumStmt"
            | "CreateRangeStmt"
            | "DefineStmt"
            | "CreateSchemaStmt" => self.made(name, fields),
            "DoStmt" => self.bodies(fields, "args"),
            "DropStmt" | "RenameStmt" | "AlterFunctionStmt" | "AlterObjectSchemaStmt" => {
                self.object(name, fields);
            }
            _ => {}
        }
        if let Some(table) = relation(fields).filter(|table| !self.derived(table)) {
            self.add(Thing::Relation(table), How::Reads);
        }
        self.walk(fields);
    }

    /// Whether a name is that of a CTE.
    fn derived(&self, table: &QName) -> bool {
        table.schema.is_none() && self.scopes.iter().any(|scope| scope.is_cte(table.name.as_str()))
    }

    fn insert(&mut self, fields: &Value) {
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

    fn merge(&mut self, fields: &Value) {
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

    fn copy(&mut self, fields: &Value) {
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

    fn target(&mut self, fields: &Value, how: How) -> Option<QName> {
        let table = fields.get("relation").and_then(relation)?;
        self.add(Thing::Relation(table.clone()), how);
        Some(table)
    }

    /// The columns that UPDATE sets.
    fn targets(&mut self, fields: &Value, list: &Value) {
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

    /// UPDATE OF names columns by words.
    fn columns_of_trigger(&mut self, name: &str, fields: &Value) {
        let Some(table) = fields.get("relation").and_then(relation).filter(|_| name == "CreateTrigStmt")
        else {
            return;
        };
        for column in strings(fields, "columns").into_iter().filter_map(|column| ident(column).ok()) {
            self.add(Thing::Column(table.clone(), column), How::Reads);
        }
        self.named(&strings(fields, "funcname"), How::Reads, Thing::Function);
    }

    fn column(&mut self, fields: &Value) {
        let parts: Vec<Option<&str>> = items(fields, "fields").map(string).collect();
        match parts.as_slice() {
            [Some(column)] => {
                let Ok(column) = ident(column) else { return };
                let tables: Vec<QName> = self.scopes.iter().flat_map(Scope::tables).cloned().collect();
                for table in tables {
                    self.add(Thing::Column(table, column.clone()), How::Reads);
                }
            }
            [None] => {
                let tables: Vec<QName> =
                    self.scopes.last().into_iter().flat_map(Scope::tables).cloned().collect();
                tables.into_iter().for_each(|table| self.add(Thing::Row(table), How::Reads));
            }
            [.., Some(alias), column] => {
                let found = self.scopes.iter().rev().find_map(|scope| scope.called(alias));
                let Some(table) = found.flatten().cloned() else { return };
                match column.map(ident) {
                    Some(Ok(column)) => self.add(Thing::Column(table, column), How::Reads),
                    Some(Err(_)) => {}
                    None => self.add(Thing::Row(table), How::Reads),
                }
            }
            _ => {}
        }
    }
}
