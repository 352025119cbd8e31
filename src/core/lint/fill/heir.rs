//! Writes what a column that takes another's place takes over from it, as far as it is
//! known: its type, NOT NULL, its default; and names what else hangs on the old one.

use super::kept::{Kept, is_text, kept};
use super::names::{Names, named, written};
use super::yaml::scalar;
use crate::core::ident::{Ident, QName};
use crate::core::lint::table::Case;
use crate::core::lint::world::{Column, Filled, Table};

/// What is known of the column whose place is taken.
#[derive(Default)]
pub(super) struct Heir {
    /// Its type; empty where it is not known.
    kind: String,
    not_null: bool,
    default: Option<String>,
    filled: Option<Filled>,
    /// The names of its indexes and constraints.
    hangs: Vec<String>,
}

impl Heir {
    pub(super) fn of(case: &Case<'_>, column: &Ident) -> Self {
        let Some(table) = case.table() else { return Self::default() };
        let Some(known) = table.column(column) else { return Self::default() };
        Self {
            kind: known.kind.clone(),
            not_null: known.not_null,
            default: known.default.clone(),
            filled: known.filled,
            hangs: hanging(table, known),
        }
    }

    /// The step that makes the new column NOT NULL where the old one is.
    pub(super) fn validate(&self, names: &Names) -> String {
        let (table, new) = (written(&names.table), named(&names.new));
        let mut steps = String::new();
        if !self.hangs.is_empty() {
            steps += &format!(
                "  # over {} stand {}: make their like in validate\n",
                names.old(),
                self.hangs.join(", ")
            );
        }
        let kept = names.cast.as_ref().map(|to| kept(&table, &new, &names.old(), to, &self.kind));
        let (loss, assert) = match kept {
            Some(Kept::Asserted(assert)) => (String::new(), assert),
            Some(Kept::Unknown(comment)) => (comment, String::new()),
            None => Default::default(),
        };
        steps += &loss;
        let not_null = if self.not_null {
            format!("  - not_null: {{table: {}, column: {}}}\n", scalar(&table), scalar(&new))
        } else {
            String::new()
        };
        if !assert.is_empty() || !not_null.is_empty() {
            steps += &format!("validate:\n{assert}{not_null}");
        }
        steps
    }

    /// The value of the new column as one of the old: nothing else than a text takes a text unasked.
    pub(super) fn back(&self, names: &Names) -> String {
        let (new, to) = (named(&names.new), names.cast.as_deref().unwrap_or_default());
        if is_text(to) && !self.kind.is_empty() && !is_text(&self.kind) {
            format!("{new}::{}", self.kind)
        } else {
            new
        }
    }

    /// The step of contract that gives the new column its default: while a sync fills it, it must have none.
    pub(super) fn contract(&self, names: &Names) -> String {
        let (table, new, old) = (written(&names.table), named(&names.new), names.old());
        let own = match (self.filled, &self.default) {
            (Some(Filled::Identity | Filled::Always), _) => None,
            (Some(Filled::Serial), default) => Some(default.as_deref().and_then(sequence)),
            (Some(Filled::Generated), _) | (None, None) => return String::new(),
            (None, Some(_)) => Some(Some(String::new())),
        };
        let (Some(Some(sequence)), Some(default)) = (own, &self.default) else {
            return format!(
                "  # {old} counts up by itself: give {new} a sequence of its own and its default here\n"
            );
        };
        // The default was written for the old type.
        let default = names.cast.as_ref().map_or_else(|| default.clone(), |to| format!("({default})::{to}"));
        let set = format!("ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {default}");
        let drop = format!("ALTER TABLE {table} ALTER COLUMN {new} DROP DEFAULT");
        let owned = |by: &str| format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{by}");
        let (run, undo) = if sequence.is_empty() {
            (set, drop)
        } else {
            (format!("{}; {set}", owned(&new)), format!("{drop}; {}", owned(&old)))
        };
        format!("  - sql: {}\n    undo: {}\n", scalar(&run), scalar(&undo))
    }
}

/// The sequence of a default of a serial column, as SQL.
fn sequence(default: &str) -> Option<String> {
    let (name, _) = default.strip_prefix("nextval('")?.split_once("'::regclass)")?;
    QName::parse(&name.replace("''", "'")).ok().map(|name| written(&name))
}

/// The indexes and constraints over a column, but for what makes it NOT NULL.
fn hanging(table: &Table, column: &Column) -> Vec<String> {
    let indexes = table.indexes.iter().filter(|index| index.uses.contains(&column.name));
    let mut names: Vec<String> = indexes.map(|index| named(&index.name)).collect();
    let over =
        table.constraints.iter().filter(|known| known.kind != 'n' && known.columns.contains(&column.name));
    for name in over.filter_map(|known| known.name.as_ref()).map(named) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
