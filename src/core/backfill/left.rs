//! Writes the predicates over one row: whether it is left to do, and whether it
//! is out of step.

use super::{Backfill, InStep, Leaf, TypedColumn};
use crate::core::ident::Ident;
use crate::core::plan::model::BackfillWork;
use crate::core::sql::closed;

impl Backfill {
    /// Which rows are left: what the plan says, and for `set` only rows that
    /// would change, so that a row that is right is never written and every
    /// pass ends.
    ///
    /// A column that a sync writes is left only while it is null: a value in it
    /// was written by an application or by the sync, and is never overwritten.
    pub(super) fn left(&self, leaf: &Leaf) -> String {
        self.rows(leaf, true)
    }

    /// Which rows are out of step: those that are left, and those that somebody
    /// wrote around the sync, so that neither side gives the other.
    ///
    /// The plan's filter is for what is left: a value in a new column that its old one contradicts is out of step whatever
    /// that says.
    pub(super) fn out_of_step(&self, leaf: &Leaf) -> String {
        let rows = self.rows(leaf, false);
        let BackfillWork::Set(columns) = &self.work else { return rows };
        let strays = columns.iter().filter_map(|(column, expr)| {
            let sync = self.sync_of(column).filter(|sync| !sync.back.is_empty())?;
            let differs = other(column, expr, type_of(&leaf.targets, column));
            Some(format!("({column} IS NOT NULL AND {differs} AND {})", contradicts(sync, leaf)))
        });
        let strays: Vec<String> = strays.filter(|_| self.filter.is_some()).collect();
        if strays.is_empty() { rows } else { format!("(({rows}) OR {})", strays.join(" OR ")) }
    }

    /// Rows of the plan's filter that differ; of columns that a two-way sync
    /// writes `only_null`, or all that neither side explains.
    fn rows(&self, leaf: &Leaf, only_null: bool) -> String {
        let filter = self.filter.as_ref().map(|filter| format!("({})", closed(filter)));
        let BackfillWork::Set(columns) = &self.work else {
            return filter.unwrap_or_else(|| "true".into());
        };
        let differs = |(column, expr): &(Ident, String)| {
            let mut parts = vec![other(column, expr, type_of(&leaf.targets, column))];
            if let Some(sync) = self.sync_of(column) {
                // Without a way back nothing tells a given value from a wrong one.
                if only_null || sync.back.is_empty() {
                    parts.insert(0, format!("{column} IS NULL"));
                }
                if !sync.back.is_empty() {
                    parts.push(contradicts(sync, leaf));
                }
            }
            format!("({})", parts.join(" AND "))
        };
        let differs = format!("({})", columns.iter().map(differs).collect::<Vec<_>>().join(" OR "));
        filter.map_or(differs.clone(), |filter| format!("{filter} AND {differs}"))
    }

    /// The assignments of `set`. A value that is there in a column that a sync
    /// writes stays, unless rows out of step are to be `repaired`.
    pub(super) fn assignments(&self, repaired: bool) -> String {
        let BackfillWork::Set(columns) = &self.work else { return String::new() };
        let one = |(column, expr): &(Ident, String)| {
            let expr = closed(expr);
            match self.sync_of(column) {
                Some(_) if !repaired => format!("{column} = coalesce({column}, ({expr}))"),
                _ => format!("{column} = ({expr})"),
            }
        };
        columns.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Whether some old column is not what its expression over the new ones gives.
fn contradicts(sync: &InStep, leaf: &Leaf) -> String {
    let parts: Vec<String> =
        sync.back.iter().map(|(column, expr)| other(column, expr, type_of(&leaf.backs, column))).collect();
    format!("({})", parts.join(" OR "))
}

/// Whether a column is not what an expression gives. Compared as record images,
/// which see what `=` of some types does not (case of citext, scale of numeric)
/// and work for types without `=`.
fn other(column: &Ident, expr: &str, type_name: Option<&str>) -> String {
    let value = match type_name {
        Some(type_name) => format!("CAST(({}) AS {type_name})", closed(expr)),
        None => format!("({})", closed(expr)),
    };
    format!("ROW({column})::record OPERATOR(pg_catalog.*<>) ROW({value})::record")
}

fn type_of<'a>(columns: &'a [TypedColumn], name: &Ident) -> Option<&'a str> {
    columns.iter().find(|column| column.name == *name).map(|column| column.type_name.as_str())
}
