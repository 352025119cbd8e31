//! Owns the scope: the tables that a part of a statement sees, and under which names.

use serde_json::Value;

use super::classify::qname;
use super::parse::string;
use crate::core::ident::QName;

/// The relations of one FROM, or the target of a write.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The name in the statement, and the relation; `None` for what a query derives.
    seen: Vec<(String, Option<QName>)>,
    ctes: Vec<String>,
}

impl Scope {
    /// What a SELECT sees.
    pub(super) fn of_query(fields: &Value) -> Self {
        let mut scope = Self { ctes: ctes(fields), ..Self::default() };
        scope.from(fields.get("from_clause").unwrap_or(&Value::Null));
        scope
    }

    /// What UPDATE, DELETE or MERGE sees: its target, and what stands in `others`.
    pub(super) fn of_write(fields: &Value, others: &str) -> Self {
        let mut scope = Self { ctes: ctes(fields), ..Self::default() };
        scope.from(fields.get("relation").unwrap_or(&Value::Null));
        scope.from(fields.get(others).unwrap_or(&Value::Null));
        scope
    }

    /// What the parts of a table see, and the rows that triggers and ON CONFLICT speak of.
    pub(super) fn of_table(fields: &Value) -> Self {
        let mut scope = Self::default();
        for name in ["relation", "table", "relations"] {
            scope.from(fields.get(name).unwrap_or(&Value::Null));
        }
        if let Some(table) = scope.target().cloned() {
            let rows = ["new", "old", "excluded"].map(|row| (row.to_owned(), Some(table.clone())));
            scope.seen.extend(rows);
        }
        scope
    }

    /// What one side of a join sees, beside the same CTEs.
    pub(super) fn of_side(&self, side: &Value) -> Self {
        let mut scope = self.only_ctes();
        scope.from(side);
        scope
    }

    /// The same CTEs, and nothing else.
    pub(super) fn only_ctes(&self) -> Self {
        Self { seen: Vec::new(), ctes: self.ctes.clone() }
    }

    /// The relation that stands first.
    pub(super) fn target(&self) -> Option<&QName> {
        self.seen.first().and_then(|(_, table)| table.as_ref())
    }

    /// Every relation.
    pub(super) fn tables(&self) -> impl Iterator<Item = &QName> {
        self.seen.iter().filter_map(|(_, table)| table.as_ref())
    }

    /// What stands under a name: a relation, those of a join, or none where it is derived.
    pub(super) fn called(&self, name: &str) -> Option<Vec<&QName>> {
        let mut all = self.seen.iter().filter(|(seen, _)| seen == name).peekable();
        all.peek().is_some().then(|| all.filter_map(|(_, table)| table.as_ref()).collect())
    }

    pub(super) fn is_cte(&self, name: &str) -> bool {
        self.ctes.iter().any(|cte| cte == name)
    }

    /// A join with a name hides those of its tables.
    fn hide(&mut self, first: usize, name: &str) {
        self.seen.iter_mut().skip(first).for_each(|(seen, _)| name.clone_into(seen));
    }

    fn from(&mut self, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.from(value)),
            Value::Object(_) => {
                if let Some(table) = relation(value) {
                    let named = alias(value).unwrap_or_else(|| table.name.as_str().to_owned());
                    let cte = table.schema.is_none() && self.is_cte(table.name.as_str());
                    self.seen.push((named, if cte { None } else { Some(table) }));
                } else if let Some((kind, fields)) = node(value) {
                    match kind {
                        "RangeVar" | "RangeTableSample" => {
                            self.from(fields.get("relation").unwrap_or(fields));
                        }
                        "JoinExpr" => {
                            let first = self.seen.len();
                            for side in ["larg", "rarg"] {
                                self.from(fields.get(side).unwrap_or(&Value::Null));
                            }
                            if let Some(name) = alias(fields) {
                                self.hide(first, &name);
                            }
                        }
                        _ => self.seen.extend(alias(fields).map(|name| (name, None))),
                    }
                }
            }
            _ => {}
        }
    }
}

/// The names of the CTEs of a statement.
fn ctes(fields: &Value) -> Vec<String> {
    let with = fields.get("with_clause").unwrap_or(&Value::Null);
    let name = |cte: &Value| Some(text(cte.pointer("/node/CommonTableExpr")?, "ctename")?.to_owned());
    items(with, "ctes").filter_map(name).collect()
}

fn alias(fields: &Value) -> Option<String> {
    text(fields.get("alias")?, "aliasname").map(str::to_owned)
}

/// The kind and the fields of a node.
fn node(value: &Value) -> Option<(&str, &Value)> {
    value.get("node")?.as_object()?.iter().next().map(|(kind, fields)| (kind.as_str(), fields))
}

/// The relation that a value names; its own fields tell it.
pub(super) fn relation(fields: &Value) -> Option<QName> {
    qname(text(fields, "schemaname").unwrap_or_default(), text(fields, "relname")?).ok()
}

pub(super) fn text<'a>(fields: &'a Value, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// The values of a list; none where there is no list.
pub(super) fn items<'a>(fields: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// The texts of a list of `String` nodes.
pub(super) fn strings<'a>(fields: &'a Value, name: &str) -> Vec<&'a str> {
    items(fields, name).filter_map(string).collect()
}
