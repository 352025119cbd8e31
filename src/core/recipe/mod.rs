//! Recipes, one file each: a named change into the explicit parts of a plan, purely, from what
//! is known of the tables that it is about.

#![allow(clippy::needless_pass_by_value, reason = "every recipe is read in one way")]

mod add_check;
mod add_column;
mod add_enum_value;
mod add_exclusion;
mod add_foreign_key;
mod add_index;
mod add_unique;
mod carried;
mod change_type;
mod constraint;
mod create_table;
mod dependents;
mod draft;
mod drop_column;
mod drop_constraint;
mod drop_default;
mod drop_index;
mod drop_not_null;
mod drop_table;
mod folded;
pub mod form;
mod guard;
mod known;
mod merge_columns;
mod move_columns;
mod partition_table;
mod reader;
mod relabel;
mod remove_enum_value;
mod rename_column;
mod rename_constraint;
mod rename_table;
mod replace_enum;
mod replace_index;
mod reshape;
mod restless;
mod set_default;
mod set_not_null;
mod split_column;
mod sql;
mod transform_column;
mod trigger;
mod widen_key;

#[cfg(test)]
mod column_tests;
#[cfg(test)]
mod constraint_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;

pub use draft::Draft;
pub use known::{
    Column, Constraint, Dependent, Enum, Grant, Hanging, Index, Known, OfIndex, Partition, Referrer,
    Sequence, Table, Taken, Trigger, User, ViewIndex,
};

use crate::core::ident::QName;
use crate::core::plan::ReadFile;
use crate::core::plan::fault::Faults;
use crate::core::plan::model::{Place, Placed, Plan};
use crate::core::plan::yaml::{Spanned, place};
use reader::Reader;

/// Every recipe: its key in a plan, its type, and one sentence for the schema.
macro_rules! recipes {
    ($($key:ident: $kind:ident, $doc:literal;)*) => {
        /// One change: exactly one recipe.
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct RawChange {
            $(#[doc = $doc] $key: Option<$key::Raw>,)*
        }

        /// A change, read.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Change {
            $(#[doc = $doc] $kind($key::$kind),)*
        }

        /// The names of all recipes.
        pub const NAMES: &[&str] = &[$(stringify!($key)),*];

        impl RawChange {
            fn given(&self) -> usize {
                [$(self.$key.is_some()),*].into_iter().filter(|given| *given).count()
            }

            fn read(self, reader: &mut Reader<'_, '_>) -> Option<Change> {
                $(if let Some(raw) = self.$key {
                    return $key::read(raw, reader).map(Change::$kind);
                })*
                None
            }
        }

        impl Change {
            /// The recipe's name, as a plan writes it.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => stringify!($key),)*
                }
            }

            /// The tables that it must know, and other relations whose names matter.
            #[must_use]
            pub fn tables(&self) -> Vec<&QName> {
                match self {
                    $(Self::$kind(change) => change.tables(),)*
                }
            }

            fn write(&self, draft: &mut Draft<'_>) {
                match self {
                    $(Self::$kind(change) => change.write(draft),)*
                }
            }
        }
    };
}

recipes! {
    add_check: AddCheck, "A CHECK, from validate on.";
    add_column: AddColumn, "A new column.";
    add_enum_value: AddEnumValue, "Another label of an enum type, from expand on.";
    add_exclusion: AddExclusion, "An EXCLUDE constraint, for which the table stands still.";
    add_foreign_key: AddForeignKey, "A foreign key, from validate on.";
    add_index: AddIndex, "A new index, built while the table is in use.";
    add_unique: AddUnique, "A UNIQUE constraint, from validate on.";
    change_type: ChangeType, "Another type for a column, under the same name or another.";
    create_table: CreateTable, "A new table.";
    drop_column: DropColumn, "A column goes.";
    drop_constraint: DropConstraint, "A constraint that goes, when old code is gone.";
    drop_default: DropDefault, "A column without a default, when old code is gone.";
    drop_index: DropIndex, "An index goes, while the table is in use.";
    drop_not_null: DropNotNull, "A column that may be null, from expand on.";
    drop_table: DropTable, "A table goes.";
    merge_columns: MergeColumns, "One column in the place of several.";
    move_columns: MoveColumns, "Columns that move to another table, row by row.";
    partition_table: PartitionTable, "A table in partitions, under the same name.";
    remove_enum_value: RemoveEnumValue, "A label goes out of an enum type, and another stands in its rows.";
    rename_column: RenameColumn, "Another name for a column; both names work until contract.";
    rename_constraint: RenameConstraint, "Another name for a constraint, when old code is gone.";
    rename_table: RenameTable, "Another name for a table; the old one is a view until contract.";
    replace_enum: ReplaceEnum, "Another enum type for a column, label by label.";
    replace_index: ReplaceIndex, "An index by another definition; the new one is there before the old one goes.";
    set_default: SetDefault, "Another default of a column, from expand on, or when: contract.";
    set_not_null: SetNotNull, "A column that must have a value, from validate on.";
    split_column: SplitColumn, "Several columns in the place of one.";
    sql: Sql, "Explicit steps of every phase, for what is left.";
    transform_column: TransformColumn, "A column in another form, under another name.";
    widen_key: WidenKey, "A wider integer type for a key and all that refers to it.";
}

impl Change {
    /// Tables of which it must know as well, by what is known so far.
    #[must_use]
    pub fn unknown(&self, known: &Known) -> Vec<QName> {
        match self {
            Self::WidenKey(change) => change.unknown(known),
            _ => Vec::new(),
        }
    }
}

/// Reads the changes of a plan.
pub(super) fn read(
    raw: Vec<Spanned<RawChange>>,
    text: &str,
    sql_file: ReadFile<'_>,
    faults: &mut Faults<'_>,
) -> Vec<Placed<Change>> {
    let mut changes = Vec::new();
    for raw in raw {
        let at = place(&raw);
        if raw.value.given() == 1 {
            let change = raw.value.read(&mut Reader { at, text, sql_file, faults });
            changes.extend(change.map(|value| Placed { value, place: at }));
        } else {
            faults.add(at, format!("a change is exactly one of {}", NAMES.join(", ")));
        }
    }
    changes
}

/// A plan with its changes written out.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The plan, without recipes: their steps stand before its own.
    pub plan: Plan,
    /// Why it may not start, by what is known of the tables.
    pub refused: Vec<(Place, String)>,
    /// What to look at twice before it starts.
    pub cautions: Vec<(Place, String)>,
}

/// Writes the changes of a plan out.
#[must_use]
pub fn written(plan: &Plan, known: &Known) -> Written {
    let mut draft = Draft::new(plan, known);
    for change in &folded::folded(&plan.change) {
        draft.turn_to(change.place);
        draft.refuse_closed(&change.value.tables());
        if !matches!(change.value, Change::Sql(_)) {
            draft.refuse_unseen(&change.value.tables());
        }
        change.value.write(&mut draft);
        draft.was_about(change.value.tables());
    }
    draft.finish(plan)
}
