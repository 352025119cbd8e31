//! `drop_not_null`: a column that may be null, from expand on, because new code leaves it so from
//! its first statement on; old code must be able to read a row without a value.
//!
//! Going back proves that every row has a value before NOT NULL is set again, without a scan under
//! a lock that stops anybody. Rows that new code has left null stop it there: they need a value first.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::known::Column;
use super::reader::Reader;
use crate::core::ident::{Ident, QName, literal, plain};

/// From this version on NOT NULL is a constraint with a name.
const NAMED: u32 = 180_000;

/// `drop_not_null: {table, column}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The column.
    column: String,
}

/// A column that may be null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropNotNull {
    table: QName,
    column: Ident,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<DropNotNull> {
    let (table, column) = (reader.table("table", &raw.table), reader.ident("column", &raw.column));
    Some(DropNotNull { table: table?, column: column? })
}

impl DropNotNull {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, column } = self;
        draft.required(table);
        let known = draft.column(table, column);
        self.refuse_unfit(draft, &known);
        let now = draft.name_now(table, column);
        let alter = format!("ALTER TABLE {table}");
        let proof = draft.own_name(&format!("{}_{}", table.name.as_str(), now.as_str()));
        let drop = format!("{alter} DROP CONSTRAINT {proof}");
        let set = match self.constraint(draft, &now) {
            Some(name) => format!("{alter} ADD CONSTRAINT {name} NOT NULL {now}"),
            None => format!("{alter} ALTER COLUMN {now} SET NOT NULL"),
        };
        let add = format!("{alter} ADD CONSTRAINT {proof} CHECK ({now} IS NOT NULL) NOT VALID");
        let remark = format!("Proves that {} may be NOT NULL again, when a plan goes back.", plain(&now));
        // Undone from the last to the first: the proof is added, validated, and made use of.
        let all = "the column is NOT NULL";
        draft.expand_sql(
            Sql::new(add.clone(), format!("{set};\n{drop}"))
                .allow("expand-narrows", all)
                .allow("set-not-null", "its undo runs after the one that proves it"),
        );
        draft.expand_sql(Sql::new(
            format!("COMMENT ON CONSTRAINT {proof} ON {table} IS {}", literal(&remark)),
            format!("{alter} VALIDATE CONSTRAINT {proof}"),
        ));
        draft.expand_sql(Sql::new(format!("{alter} ALTER COLUMN {now} DROP NOT NULL;\n{drop}"), add));
        draft.now_column(table, column, |known| known.not_null = false);
    }

    /// The constraint that it is, where that has not the name which SET NOT NULL would give it.
    fn constraint(&self, draft: &Draft<'_>, now: &Ident) -> Option<Ident> {
        let table = draft.table(&self.table).filter(|_| draft.server() >= NAMED)?;
        let mut found = table.constraints.into_iter().filter(|known| known.kind == "n");
        let found = found.find(|known| known.columns == [now.as_str()])?;
        let usual = Ident::derived(self.table.name.as_str(), now.as_str(), "not_null");
        Ident::exact(found.name).ok().filter(|name| *name != usual)
    }

    fn refuse_unfit(&self, draft: &mut Draft<'_>, known: &Column) {
        let name = format!("{}.{}", self.table.plain(), plain(&self.column));
        let Some(table) = draft.table(&self.table) else { return };
        if !known.not_null {
            draft.refuse(format!("{name} may be null already"));
        }
        if known.identity.is_some() {
            draft.refuse(format!("{name} is an identity column, which always has a value"));
        }
        if known.inherited {
            draft.refuse(format!("{name} is inherited: drop its NOT NULL in the table that it comes from"));
        }
        let primary = |kind: &Option<String>| kind.as_deref() == Some("p");
        if table.indexes.iter().any(|index| primary(&index.constraint) && index.columns.contains(&known.name))
        {
            draft.refuse(format!("{name} is part of the primary key"));
        }
    }
}
