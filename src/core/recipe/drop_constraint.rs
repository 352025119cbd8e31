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
use crate::core::sql::constraint_over_all;

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
        let Some(again) = self.again(draft, found) else { return };
        let mut back = vec![again];
        back.extend(
            found
                .comment
                .iter()
                .map(|comment| format!("COMMENT ON CONSTRAINT {name} ON {table} IS {}", literal(comment))),
        );
        draft.contract_sql(Sql::new(drop, back.join(";\n")));
    }

    /// The statement that adds it again without a look at the rows, over the names that its columns have by then.
    fn again(&self, draft: &mut Draft<'_>, found: &Constraint) -> Option<String> {
        let Self { table, name } = self;
        let other = found.references.as_ref().and_then(|other| QName::parse(other).ok());
        let own = draft.renamed_in_contract(table);
        let there = other.map(|other| draft.renamed_in_contract(&other)).unwrap_or_default();
        if own.is_empty() && there.is_empty() {
            let late = if found.definition.ends_with(" NOT VALID") { "" } else { " NOT VALID" };
            return Some(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {}{late}", found.definition));
        }
        let again = constraint_over_all(&found.definition, table, &own, &there, name);
        if let Err(error) = &again {
            draft.refuse(format!(
                "{} of {} cannot be written over the names that this plan gives columns: {error}; put this before that change",
                plain(name),
                table.plain()
            ));
        }
        again.ok()
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

#[cfg(test)]
mod tests {
    use super::super::testing::{known, shown, table};
    use super::super::{Constraint, Table};

    #[test]
    fn it_comes_back_over_the_names_that_columns_have_by_then() {
        let constraint = |name: &str, kind: &str, definition: &str, columns: &[&str]| Constraint {
            name: name.into(),
            kind: kind.into(),
            definition: definition.into(),
            columns: columns.iter().map(|name| (*name).into()).collect(),
            valid: true,
            ..Constraint::default()
        };
        let key = Constraint {
            references: Some("u".into()),
            ..constraint("k", "f", "FOREIGN KEY (b) REFERENCES u(x)", &["b"])
        };
        let check = constraint("c", "c", "CHECK ((a <> b))", &["a", "b"]);
        let of = Table { constraints: vec![check, key], ..table(&["a", "b"]) };
        let known = known([("t", of), ("u", table(&["x"]))]);
        let text = |first: &str, name: &str| {
            format!("change:\n  - {first}\n  - drop_constraint: {{table: t, name: {name}}}\nkeep: 1d\n")
        };
        let rename = "rename_column: {table: t, from: a, to: z}";
        let said = shown(&text(rename, "c"), &known);
        assert!(said.contains("undo: ALTER TABLE t ADD CONSTRAINT c CHECK (z <> b) NOT VALID"), "{said}");
        let said = shown(&text("rename_column: {table: u, from: x, to: y}", "k"), &known);
        assert!(
            said.contains("undo: ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES u (y) NOT VALID"),
            "{said}"
        );
    }
}
