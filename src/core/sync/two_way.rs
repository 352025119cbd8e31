//! Writes the trigger function and the WHEN clause of the two-way sync.

use std::collections::BTreeSet;

use super::{Computed, Sync, any, changed};
use crate::core::ident::Ident;
use crate::core::sql::rows::differ;

/// A new column: computed from old ones, read by old ones, or both.
struct NewColumn<'a> {
    name: &'a Ident,
    forward: Option<&'a Computed>,
    read_back: bool,
}

fn new_columns(sync: &Sync) -> Vec<NewColumn<'_>> {
    let read: BTreeSet<&Ident> = sync.back.iter().flat_map(|computed| &computed.inputs).collect();
    let forward = sync.forward.iter().map(|computed| NewColumn {
        name: &computed.column,
        forward: Some(computed),
        read_back: read.contains(&computed.column),
    });
    let computed: BTreeSet<&Ident> = sync.forward.iter().map(|c| &c.column).collect();
    let others = read.iter().filter(|name| !computed.contains(*name));
    forward.chain(others.map(|name| NewColumn { name, forward: None, read_back: true })).collect()
}

/// When an UPDATE needs the function: an input of a new column changed, or a
/// new column that an old one reads changed to something else than its
/// expression gives. The latter is a filter only: where the expression's type
/// is another than the column's, the function sees what is the same. It must
/// never take what differs for the same, as texts of floats do where a session
/// prints few digits.
pub(super) fn condition(sync: &Sync) -> Option<String> {
    let inputs: BTreeSet<&Ident> = sync.forward.iter().flat_map(|computed| &computed.inputs).collect();
    let mut conditions: Vec<String> = inputs.into_iter().map(changed).collect();
    for column in new_columns(sync).iter().filter(|column| column.read_back) {
        let name = column.name;
        conditions.push(match column.forward {
            None => changed(name),
            Some(Computed { over_new: new, .. }) => format!(
                "({} AND CASE WHEN pg_catalog.pg_typeof(NEW.{name}) OPERATOR(pg_catalog.=) pg_catalog.pg_typeof({new})\n    \
                 THEN {} ELSE true END)",
                changed(name),
                differ(&format!("NEW.{name}"), &format!("({new})"))
            ),
        });
    }
    (!conditions.is_empty()).then(|| conditions.join("\n  OR "))
}

/// Whether no new column of a row had a value before an UPDATE: nothing has filled it yet. `None`: there is one alone,
/// or none is read back, so that nothing is lost where the others are computed later.
fn unfilled(columns: &[NewColumn<'_>]) -> Option<String> {
    let forward: Vec<_> = columns.iter().filter(|column| column.forward.is_some()).collect();
    let several = forward.len() > 1 && forward.iter().any(|column| column.read_back);
    let nulls = || forward.iter().map(|column| format!("OLD.{} IS NULL", column.name));
    several.then(|| nulls().collect::<Vec<_>>().join(" AND "))
}

/// The body: what was written is looked at first, then the new columns are
/// computed, then the old ones. A value is computed in its own column, which
/// gives it its type, and what was written is put back. Where a row is written that nothing has filled yet,
/// all its new columns are computed, as the old ones may be computed from several of them.
pub(super) fn body(sync: &Sync) -> String {
    let columns = new_columns(sync);
    let unfilled = unfilled(&columns);
    let mut declare = String::from("DECLARE\n  given record;\n");
    let (mut on_insert, mut on_update, mut forward) = (String::new(), String::new(), String::new());
    if let Some(unfilled) = &unfilled {
        declare += "  unfilled boolean;\n";
        on_update += &format!("    unfilled := {unfilled};\n");
    }
    for (n, column) in columns.iter().enumerate() {
        let name = column.name;
        declare += &format!("  written_{n} boolean;\n");
        on_insert += &format!("    written_{n} := NEW.{name} IS NOT NULL;\n");
        on_update += &format!("    written_{n} := {};\n", changed(name));
        let Some(computed) = column.forward else { continue };
        declare += &format!("  moved_{n} boolean;\n");
        on_insert += &format!("    moved_{n} := true;\n");
        let mut moved: Vec<String> = computed.inputs.iter().map(changed).collect();
        moved.extend(unfilled.as_ref().map(|_| "unfilled".to_owned()));
        on_update += &format!("    moved_{n} := {};\n", any(&moved));
        forward += &format!(
            "  IF written_{n} OR moved_{n} THEN\n    NEW.{name} := {};\n  END IF;\n  \
             IF written_{n} THEN\n    written_{n} := {};\n    NEW.{name} := given.{name};\n  END IF;\n",
            computed.over_new,
            differ(&format!("given.{name}"), &format!("NEW.{name}"))
        );
    }
    let mut back = String::new();
    for computed in &sync.back {
        let written: Vec<String> = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| computed.inputs.contains(column.name))
            .map(|(n, _)| format!("written_{n}"))
            .collect();
        back += &format!(
            "  IF {} THEN\n    NEW.{} := {};\n  END IF;\n",
            any(&written),
            computed.column,
            computed.over_new
        );
    }
    format!(
        "{declare}BEGIN\n  given := NEW;\n  IF TG_OP = 'INSERT' THEN\n{on_insert}  ELSE\n{on_update}  END IF;\n{forward}{back}  RETURN NEW;\nEND"
    )
}
