//! Makes the like of what stands over a column over the one that takes its place, and lets it
//! take the names in the same moment.

use super::dependents::{Target, dependents};
use super::draft::{Draft, Sql};
use super::guard;
use super::known::{Column, Constraint, Index, Table};
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::plan::model::BothWays;
use crate::core::sql::{constraint_over, index_over};

/// What is to run around the exchange of columns.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// What takes the locks of all that it is about.
    pub(super) lock: Vec<String>,
    /// Before it.
    pub(super) first: BothWays,
    /// Before it, where the old column is kept.
    pub(super) hide: BothWays,
    /// After it.
    pub(super) then: BothWays,
    /// At the very end.
    pub(super) last: BothWays,
    /// What is dropped before the old columns are.
    pub(super) drop: Vec<String>,
}

impl Carried {
    /// Something takes a name that something of the old column has.
    pub(super) fn takes(&mut self, rename: &dyn Fn(&Ident, &Ident) -> String, names: &Names<'_>) {
        let Names { own, name, hidden } = names;
        self.hide.there.push(rename(name, hidden));
        self.hide.back.insert(0, rename(hidden, name));
        self.then.there.push(rename(own, name));
        self.then.back.insert(0, rename(name, own));
    }
}

/// The names of one thing that stands over a column.
pub(super) struct Names<'a> {
    /// That of the new one until the exchange.
    pub(super) own: Ident,
    /// The one that both want.
    pub(super) name: &'a Ident,
    /// That of the old one from then on.
    pub(super) hidden: Ident,
}

/// Writes what is made before, and gives what is to run around the exchange.
pub(super) fn carried(
    draft: &mut Draft<'_>,
    table: &QName,
    known: &Table,
    column: &Column,
    from: &Ident,
    to: &Ident,
) -> Carried {
    let mut carried = Carried::default();
    let whole = |columns: &[String]| {
        let taken = |name: &String| known.columns.iter().any(|one| one.name == *name && one.exchanged);
        columns.iter().any(|name| name == from.as_str()) && columns.iter().any(taken)
    };
    let indexes = known.indexes.iter().map(|index| (&index.columns, &index.name));
    let constraints = known.constraints.iter().map(|constraint| (&constraint.columns, &constraint.name));
    for (_, name) in indexes.chain(constraints).filter(|(columns, _)| whole(columns)) {
        draft.refuse(format!(
            "{name} stands over two columns of which this plan changes the types: take two plans"
        ));
    }
    // Whoever reads a view locks it before what it reads: so does the exchange.
    let target = Target { table, known, pairs: vec![(from.clone(), to.clone())] };
    dependents(draft, &[target], &mut carried);
    carried.first.there.extend(guard::of_column(draft, table, known, column, from));
    for index in known.indexes_of(from) {
        one_index(draft, table, index, (from, to), &mut carried, known);
    }
    let of_it = |constraint: &&Constraint| constraint.columns.iter().any(|name| name == from.as_str());
    for constraint in known.constraints.iter().filter(of_it) {
        one_constraint(draft, table, constraint, (from, to), &mut carried);
    }
    triggers(table, known, std::slice::from_ref(from), &mut carried);
    if let Some(default) = &column.default {
        // What nobody writes must not look written to the trigger that keeps it.
        carried.hide.there.push(format!("ALTER TABLE {table} ALTER COLUMN {from} DROP DEFAULT"));
        carried.hide.back.insert(0, format!("ALTER TABLE {table} ALTER COLUMN {from} SET DEFAULT {default}"));
    }
    if let Some(comment) = &column.comment {
        carried.then.there.push(format!("COMMENT ON COLUMN {table}.{from} IS {}", literal(comment)));
    }
    carried
}

fn one_index(
    draft: &mut Draft<'_>,
    table: &QName,
    index: &Index,
    (from, to): (&Ident, &Ident),
    carried: &mut Carried,
    known: &Table,
) {
    let Ok(name) = Ident::exact(index.name.clone()) else { return };
    if matches!(index.constraint.as_deref(), Some("x" | "p")) {
        if index.constraint.as_deref() == Some("x") {
            draft.refuse(format!(
                "exclusion constraint {} over it cannot be built beside the old one",
                index.name
            ));
        }
        return;
    }
    let own = draft.own_relation(&format!("new_{}", index.name));
    let hidden = draft.own_relation(&index.name);
    match index_over(&index.definition, table, from, to, &own) {
        Ok(create) => {
            draft.validate_sql(Sql::new(
                create,
                format!("DROP INDEX CONCURRENTLY {}", table.sibling(own.clone())),
            ));
        }
        Err(error) => {
            return draft.refuse(format!("index {} cannot be made for the new type: {error}", index.name));
        }
    }
    if index.constraint.is_none() {
        let rename =
            |from: &Ident, to: &Ident| format!("ALTER INDEX {} RENAME TO {to}", table.sibling(from.clone()));
        carried.takes(&rename, &Names { own, name: &name, hidden });
        return marks(table, index, &name, carried);
    }
    // The index takes the name of its constraint.
    let of_name = |constraint: &&Constraint| constraint.name == index.name;
    let deferral = known.constraints.iter().find(of_name).map_or("", Constraint::deferral);
    let alter = format!("ALTER TABLE {table}");
    carried.hide.there.push(format!("{alter} RENAME CONSTRAINT {name} TO {hidden}"));
    carried.hide.back.insert(0, format!("{alter} RENAME CONSTRAINT {hidden} TO {name}"));
    carried.then.there.push(format!("{alter} ADD CONSTRAINT {name} UNIQUE USING INDEX {own}{deferral}"));
    carried.then.back.insert(0, format!("{alter} DROP CONSTRAINT {name}"));
    comment(table, known.constraint(&name), &name, carried);
    marks(table, index, &name, carried);
}

/// What is said of an index and done by it.
pub(super) fn marks(table: &QName, index: &Index, name: &Ident, carried: &mut Carried) {
    if let Some(comment) = &index.comment {
        let index = table.sibling(name.clone());
        carried.then.there.push(format!("COMMENT ON INDEX {index} IS {}", literal(comment)));
    }
    if index.clustered {
        carried.then.there.push(format!("ALTER TABLE {table} CLUSTER ON {name}"));
        carried.first.back.push(format!("ALTER TABLE {table} CLUSTER ON {name}"));
    }
    if index.replica_identity {
        let identity = format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {name}");
        carried.then.there.push(identity.clone());
        // Before any statement that updates the table, which a publication refuses without one.
        carried.hide.back.push(identity);
    }
}

fn comment(table: &QName, constraint: Option<&Constraint>, name: &Ident, carried: &mut Carried) {
    if let Some(comment) = constraint.and_then(|constraint| constraint.comment.as_ref()) {
        let said = format!("COMMENT ON CONSTRAINT {name} ON {table} IS {}", literal(comment));
        carried.then.there.push(said);
    }
}

fn one_constraint(
    draft: &mut Draft<'_>,
    table: &QName,
    constraint: &Constraint,
    (from, to): (&Ident, &Ident),
    carried: &mut Carried,
) {
    let Ok(name) = Ident::exact(constraint.name.clone()) else { return };
    let alter = format!("ALTER TABLE {table}");
    let own = match constraint.kind.as_str() {
        "c" | "f" => draft.own_name(&format!("new_{}", constraint.name)),
        // From 18 on NOT NULL is one, which the step that proves it makes under this name.
        "n" => Ident::shortened("", &format!("{}_{}_not_null", table.name.as_str(), to.as_str())),
        _ => return,
    };
    let hidden = draft.own_name(&constraint.name);
    if constraint.kind != "n" {
        match constraint_over(&constraint.definition, table, from, to, &own) {
            Ok(add) => {
                draft.validate_sql(Sql::new(add, format!("{alter} DROP CONSTRAINT {own}")));
                if constraint.valid {
                    draft.validate_sql(Sql::proof(format!("{alter} VALIDATE CONSTRAINT {own}")));
                }
            }
            Err(error) => {
                return draft
                    .refuse(format!("constraint {} cannot be made for the new type: {error}", plain(&name)));
            }
        }
    }
    let rename = |from: &Ident, to: &Ident| format!("{alter} RENAME CONSTRAINT {from} TO {to}");
    carried.takes(&rename, &Names { own, name: &name, hidden });
    comment(table, Some(constraint), &name, carried);
}

/// A trigger of the columns (UPDATE OF, WHEN) is made anew over those that have their names.
pub(super) fn triggers(table: &QName, known: &Table, from: &[Ident], carried: &mut Carried) {
    let goes = |name: &String| from.iter().any(|from| from.as_str() == name);
    let hangs = |name: &str| {
        known.hanging.iter().any(|one| {
            one.kind == "trigger"
                && one.column.as_ref().is_some_and(goes)
                && one.called.as_deref() == Some(name)
        })
    };
    for trigger in &known.triggers {
        let of_it = trigger.columns.iter().any(goes) || hangs(&trigger.name);
        let Ok(name) = Ident::exact(trigger.name.clone()) else { continue };
        if of_it {
            let drop = format!("DROP TRIGGER {name} ON {table}");
            let mut anew = trigger.statements(table);
            anew.extend(
                trigger
                    .comment
                    .as_ref()
                    .map(|comment| format!("COMMENT ON TRIGGER {name} ON {table} IS {}", literal(comment))),
            );
            carried.first.there.push(drop.clone());
            carried.first.back.extend(anew.clone());
            carried.then.there.extend(anew);
            carried.then.back.insert(0, drop);
        }
    }
}
