//! A constraint that comes with expand binds the code that runs now, valid or not.

use super::{Objection, Rule, Scene};
use crate::core::ident::Ident;
use crate::core::lint::finding::Level;
use crate::core::lint::table::Case;
use crate::core::sql::{Alter, Change, Demand, DomainChange, NewConstraint, Object};
use crate::core::step::Phase;

pub(super) const RULE: Rule = Rule {
    id: "expand-narrows",
    title: "Expand does not narrow what the running application may write",
    why: "a constraint binds every new write from the moment on at which it is there, NOT VALID or not; the application that runs while expand does was written without it",
    level: Level::Warning,
    back: false,
    ours: false,
    check,
    setup: "",
    bad: "expand:
  - sql: ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID
    undo: ALTER TABLE t DROP CONSTRAINT k
",
    good: "validate:
  - sql: ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID
    undo: ALTER TABLE t DROP CONSTRAINT k
  - sql: ALTER TABLE t VALIDATE CONSTRAINT k
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    if scene.phase() != Phase::Expand {
        return None;
    }
    scene.cases().find_map(|case| narrows(scene, &case))
}

fn narrows(scene: &Scene<'_>, case: &Case<'_>) -> Option<Objection> {
    if case.table().is_some_and(|table| table.made) {
        return None;
    }
    let new = |column: &Ident| case.made_column(column) || comes_with(scene, column);
    let old = |columns: &[Ident]| columns.is_empty() || !columns.iter().all(new);
    let what = match case.change {
        Change::Alter { what: Alter::AddConstraint(added), .. } => {
            let binds = match added.demand {
                Demand::Check { .. }
                | Demand::Foreign { .. }
                | Demand::Unique
                | Demand::Primary
                | Demand::Exclude => true,
                // Its index has bound the writes already; NOT NULL breaks, which another rule says.
                Demand::UsingIndex { .. } | Demand::NotNull => false,
            };
            (binds && old(&added.columns) && !replaces(scene, added)).then_some("the constraint")?
        }
        Change::CreateIndex(index) if index.unique && old(&index.uses) => "the unique index",
        Change::Domain { domain, what: DomainChange::Add { .. } }
            if !case.world.has_made(Object::Type, domain) =>
        {
            "the domain's constraint"
        }
        Change::Alter { what: Alter::Default { column, dropped: true }, .. } if required(case, column) => {
            return Objection::new(
                "the application that runs now may rely on the default: the column is NOT NULL, and an INSERT that leaves it out fails from this moment on",
                "drop the default in contract, when all code that runs writes the column",
            );
        }
        Change::Alter { what: Alter::RowSecurity { on: true }, .. } => {
            return Objection::new(
                "row security binds the application that runs now as well: rows that no policy shows it are gone for it from this moment on",
                "make the policies first, and be sure of the role that the application runs as",
            );
        }
        _ => return None,
    };
    Objection::new(
        format!(
            "{what} binds what the application that runs now writes, from this moment on: be sure that it keeps to it already"
        ),
        "add it in validate, when the code that keeps to it is out; NOT VALID binds new writes as well",
    )
}

/// Whether the statement adds a column itself.
fn comes_with(scene: &Scene<'_>, column: &Ident) -> bool {
    scene.inspected.statement.changes.iter().any(|change| match change {
        Change::Alter { what: Alter::AddColumn(added), .. } => added.name == *column,
        _ => false,
    })
}

/// Whether the same step has dropped a constraint of the same name: then this one takes its place.
fn replaces(scene: &Scene<'_>, added: &NewConstraint) -> bool {
    let here = &scene.inspected.statement.changes;
    let mut before = scene.before.iter().flat_map(|before| &before.statement.changes).chain(here);
    before.any(|change| match change {
        Change::Alter { what: Alter::DropConstraint(name), .. } => added.name.as_ref() == Some(name),
        _ => false,
    })
}

/// Whether a column of old is known to be NOT NULL.
fn required(case: &Case<'_>, column: &Ident) -> bool {
    let known = case.table().and_then(|table| table.column(column));
    known.is_some_and(|known| known.not_null && !known.made)
}
