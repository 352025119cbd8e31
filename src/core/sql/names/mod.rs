//! Lists what statements name, each with what is done to it: relations, columns
//! as far as the tree tells whose they are, types, functions.

mod columns;
mod constants;
mod objects;
mod parts;
mod pieces;
mod writes;

use std::collections::BTreeSet;

use pg_query::protobuf::a_const::Val;
use pg_query::protobuf::node::Node;
use pg_query::protobuf::{ObjectType, RawStmt, VariableSetKind};
use serde_json::Value;

use crate::core::ident::{Ident, QName};
use crate::core::sql::classify::ident;
use crate::core::sql::ddl::{Change, changes};
use crate::core::sql::parse::{SqlError, json, with_tree};
use crate::core::sql::scope::{Scope, relation, strings, text};
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
    /// Whether it takes along what depends on something, and nobody knows what: CASCADE.
    pub cascades: bool,
    /// Whether it makes what stays and holds on to what it names: a view, a rule, a body of SQL.
    pub lasting: bool,
    /// Where it has names without a schema looked up from now on; none: where the role has them.
    pub path: Option<Vec<Ident>>,
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
    let (lasting, path) = (node.is_some_and(lasting), node.and_then(path));
    let found = Names { changes, lasting, path, ..Names::default() };
    let mut reader = Reader { found, scopes: Vec::new() };
    reader.walk(&json(&node)?);
    Ok(reader.found)
}

/// Whether a statement makes what holds on to the columns that it names.
fn lasting(node: &Node) -> bool {
    match node {
        Node::ViewStmt(_) | Node::RuleStmt(_) | Node::CreateTrigStmt(_) | Node::CreatePolicyStmt(_) => true,
        Node::CreateTableAsStmt(statement) => statement.objtype() == ObjectType::ObjectMatview,
        Node::CreateFunctionStmt(statement) => statement.sql_body.is_some(),
        _ => false,
    }
}

/// The `search_path` that a statement sets.
fn path(node: &Node) -> Option<Vec<Ident>> {
    let Node::VariableSetStmt(set) = node else { return None };
    let mut words: Vec<&str> = Vec::new();
    for argument in &set.args {
        if let Some(Node::AConst(constant)) = &argument.node
            && let Some(Val::Sval(text)) = &constant.val
        {
            words.push(&text.sval);
        }
    }
    let all = set.name.is_empty() && set.kind() == VariableSetKind::VarResetAll;
    let named = set.name.eq_ignore_ascii_case("search_path");
    (named || all).then(|| words.into_iter().filter_map(|word| ident(word).ok()).collect())
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
            | "AlterTableStmt" | "CreateStmt" | "CreateStatsStmt" | "pubtable" => {
                self.columns_by_word(name, fields);
                self.piece(name, fields);
                return self.within(Scope::of_table(fields), fields);
            }
            // Neither sees what stands beside it in the same FROM.
            "CommonTableExpr" => return self.apart(fields),
            "RangeSubselect" if fields.get("lateral") != Some(&Value::Bool(true)) => {
                return self.apart(fields);
            }
            "IndexElem" | "StatsElem" => {
                let target = self.scopes.last().and_then(Scope::target).cloned();
                self.reads_of(target.as_slice(), text(fields, "name").into_iter());
            }
            "JoinExpr" => self.join(fields),
            "AIndirection" if self.field(fields) => return,
            "ResTarget" => self.spread(fields),
            "ColumnRef" => self.column(fields),
            "TypeCast" => self.cast(fields),
            "FuncCall" => {
                self.call(fields);
                self.named(&strings(fields, "funcname"), How::Reads, |name| Thing::Function(name, None));
            }
            "TypeName" | "type_name" | "return_type" | "arg_type" => self.kind(fields),
            "CreateFunctionStmt" => {
                self.function(fields);
                self.bodies(fields, "options");
            }
            "CreateSeqStmt"
            | "CreateForeignTableStmt"
            | "CompositeTypeStmt"
            | "CreateEnumStmt"
            | "CreateRangeStmt"
            | "DefineStmt"
            | "CreateSchemaStmt" => self.made(name, fields),
            "CreatePublicationStmt"
            | "AlterPublicationStmt"
            | "CreateExtensionStmt"
            | "AlterExtensionStmt"
            | "AlterExtensionContentsStmt"
            | "CreateEventTrigStmt"
            | "AlterEventTrigStmt" => self.wide(name, fields),
            "AlterTableCmd" | "DropOwnedStmt" => self.cascade(fields),
            "DoStmt" => self.bodies(fields, "args"),
            "DropStmt" | "RenameStmt" | "AlterFunctionStmt" | "AlterObjectSchemaStmt" => {
                self.cascade(fields);
                self.object(name, fields);
            }
            "GrantStmt" => self.grant(fields),
            "CommentStmt" | "SecLabelStmt" => self.comment(fields),
            "AlterStatsStmt" => self.named(&strings(fields, "defnames"), How::Alters, Thing::Statistics),
            "AlterSeqStmt" => self.sequence(fields),
            "PublicationObjSpec" => self.published(fields),
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
}
