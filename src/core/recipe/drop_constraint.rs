//! `drop_constraint`: in contract, because what relies on it (ON CONFLICT, keys of other tables, a
//! program that counts on the server to refuse) does so until old code is gone.
//!
//! Going back adds a CHECK or a foreign key without a look at the rows, and then proves them: rows
//! that new code wrote against it stop it there. What an index backs does not come back.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::known::{Constraint, Table};
use super::reader::Reader;
use crate::core::ident::{Ident, QName, literal, plain};

/// `drop_constraint: {table, name}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The constraint.
    name: String,
}

/// A constraint that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropConstraint {
    table: QName,
    name: Ident,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<DropConstraint> {
    let (table, name) = (reader.table("table", &raw.table), reader.ident("name", &raw.name));
    Some(DropConstraint { table: table?, name: name? })
}

impl DropConstraint {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, name } = self;
        let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
        let Some(known) = draft.required(table) else {
            draft.contract_sql(Sql::for_good(drop, "nothing is known of it without its database"));
            return;
        };
        let Some(found) = known.constraint(name).cloned() else {
            draft.refuse(format!("table {} has no constraint {}", table.plain(), plain(name)));
            return;
        };
        self.refuse_unfit(draft, &found);
        self.steps(draft, &known, &found, drop);
        draft.now(table, |table| {
            let found = table.constraints.iter_mut().find(|known| known.name == name.as_str());
            found.into_iter().for_each(|known| known.until_contract = true);
        });
    }

    fn steps(&self, draft: &mut Draft<'_>, known: &Table, found: &Constraint, drop: String) {
        let Self { table, name } = self;
        let whole = known.kind == "p" && found.kind == "f";
        if !matches!(found.kind.as_str(), "c" | "f") || whole {
            let why = if whole {
                "a partitioned table gets a foreign key back by its partitions: add_foreign_key in a plan of its own"
            } else {
                "rows that it refuses may have come in, and its index is gone: a plan of its own adds it again"
            };
            if draft.keeps() {
                draft.caution(format!(
                    "after contract this plan cannot be aborted: {} does not come back",
                    plain(name)
                ));
            }
            draft.contract_sql(Sql::for_good(drop, why));
            return;
        }
        if found.valid {
            // Undone last: it is valid, so that now nothing is read.
            let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}");
            let sql = Sql::new(validate.clone(), validate);
            draft.contract_sql(sql.allow("scan-in-contract", "the constraint is valid: no row is read"));
        }
        let late = if found.definition.ends_with(" NOT VALID") { "" } else { " NOT VALID" };
        let mut back = vec![format!("ALTER TABLE {table} ADD CONSTRAINT {name} {}{late}", found.definition)];
        back.extend(
            found
                .comment
                .iter()
                .map(|comment| format!("COMMENT ON CONSTRAINT {name} ON {table} IS {}", literal(comment))),
        );
        draft.contract_sql(Sql::new(drop, back.join(";\n")));
    }

    fn refuse_unfit(&self, draft: &mut Draft<'_>, found: &Constraint) {
        let name = format!("{} of {}", plain(&self.name), self.table.plain());
        if !found.referred_by.is_empty() {
            draft.refuse(format!("{name} is what {} refers to", found.referred_by.join(", ")));
        }
        if found.inherited {
            draft.refuse(format!("{name} comes from a table above: drop it there"));
        }
        if found.kind == "n" {
            draft.refuse(format!("{name} is a NOT NULL, which drop_not_null takes away"));
        }
    }
}
