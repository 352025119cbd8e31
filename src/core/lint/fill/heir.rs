//! Writes what a column that takes another's place takes over from it, as far as it is
//! known: its type, NOT NULL, its default, and the like of what stands over it.

use super::kept::{Kept, is_text, kept};
use super::like::Like;
use super::names::{Names, named, written};
use super::yaml::scalar;
use crate::core::ident::{Ident, QName, literal};
use crate::core::lint::table::Case;
use crate::core::lint::world::Filled;

/// What is known of the column whose place is taken.
#[derive(Default)]
pub(super) struct Heir {
    /// Its type; empty where it is not known.
    kind: String,
    not_null: bool,
    default: Option<String>,
    filled: Option<Filled>,
    /// What stands over it, over the new one.
    like: Like,
}

impl Heir {
    pub(super) fn of(case: &Case<'_>, column: &Ident, names: &Names) -> Self {
        let Some(table) = case.table() else { return Self::default() };
        let Some(known) = table.column(column) else { return Self::default() };
        Self {
            kind: known.kind.clone(),
            not_null: known.not_null,
            default: known.default.clone(),
            filled: known.filled,
            like: Like::of(case, column, names),
        }
    }

    /// The steps that prove the new column, and make it and what stands over it like the old one.
    pub(super) fn validate(&self, names: &Names) -> String {
        let (table, new) = (written(&names.table), named(&names.new));
        let mut steps = String::new();
        if !self.like.left.is_empty() {
            steps += &format!(
                "  # over {} stands also what is not in here, make its like over {new} in validate: {}\n",
                names.old(),
                self.like.left.join(", ")
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
        let Like { indexes, constraints, .. } = &self.like;
        let all = [&assert, indexes, &not_null, constraints].map(String::as_str).concat();
        if all.is_empty() { steps } else { format!("{steps}validate:\n{all}") }
    }

    /// What a column of another type cannot hold while the old one is written beside it.
    pub(super) fn limit(&self, names: &Names) -> String {
        let Some(to) = &names.cast else { return String::new() };
        let stamps = [self.kind.as_str(), to].iter().all(|kind| kind.starts_with("timestamp"));
        if stamps || is_text(&self.kind) && !self.kind.contains('(') {
            return String::new();
        }
        let kind = if self.kind.is_empty() { "its type" } else { &self.kind };
        format!(
            "  # until purge, keep included, {} is written as well: a value of {to} that {kind} does not hold fails its writer\n",
            names.old()
        )
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

    /// What comes before the drop of the old column: what only the author can write, and the new one's default.
    pub(super) fn contract(&self, names: &Names) -> String {
        let (old, new) = (names.old(), named(&names.new));
        let mut steps = self.given(names);
        if let Some(make) = &self.like.lost {
            steps += &format!(
                "  # once {old} is purged, the table has no primary key: in a plan of its own, {make}\n"
            );
        }
        if !self.like.held.is_empty() {
            let held = self.like.held.join(", ");
            steps += &format!(
                "  # {old} cannot go while these stand on it; drop them here, or make them anew over {new}: {held}\n"
            );
        }
        steps
    }

    /// The step that gives the new column its default: while a sync fills it, it must have none.
    fn given(&self, names: &Names) -> String {
        let (table, new, old) = (written(&names.table), named(&names.new), names.old());
        let own = match (self.filled, &self.default) {
            (Some(Filled::Identity), _) if counts(names.cast.as_deref().unwrap_or(&self.kind)) => {
                return identity(names);
            }
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
        let wider = matches!(self.kind.as_str(), "integer" | "smallint") && names.cast.is_some();
        let ends = if wider && !sequence.is_empty() {
            format!(
                "  # the sequence of a serial column ends where {} does; once {old} is purged, in a plan of its own: ALTER \
                 SEQUENCE {sequence} AS bigint\n",
                self.kind
            )
        } else {
            String::new()
        };
        let (run, undo) = if sequence.is_empty() {
            (set, drop)
        } else {
            (format!("{}; {set}", owned(&new)), format!("{drop}; {}", owned(&old)))
        };
        format!("{ends}  - sql: {}\n    undo: {}\n", scalar(&run), scalar(&undo))
    }
}

/// Whether an identity column can be of a type.
fn counts(kind: &str) -> bool {
    ["smallint", "integer", "bigint", "int", "int2", "int4", "int8"].contains(&kind)
}

/// The step that makes the new column count where the old one has come to.
fn identity(names: &Names) -> String {
    let (table, new, old) = (written(&names.table), named(&names.new), names.old());
    let sequence =
        |column: &Ident| format!("pg_get_serial_sequence({}, {})", literal(&table), literal(column.as_str()));
    let Some(column) = &names.column else { return String::new() };
    let goes_on =
        |of: &Ident, after: &Ident| format!("SELECT setval({}, nextval({}))", sequence(of), sequence(after));
    let alter = format!("ALTER TABLE {table} ALTER COLUMN {new}");
    let run = format!("{alter} ADD GENERATED BY DEFAULT AS IDENTITY; {}", goes_on(&names.new, column));
    let undo = format!("{}; {alter} DROP IDENTITY", goes_on(column, &names.new));
    format!(
        "  # where the sequence of {old} has options of its own, INCREMENT or CACHE, write them behind IDENTITY in brackets\n  \
         - sql: {}\n    undo: {}\n",
        scalar(&run),
        scalar(&undo)
    )
}

/// The sequence of a default of a serial column, as SQL.
fn sequence(default: &str) -> Option<String> {
    let (name, _) = default.strip_prefix("nextval('")?.split_once("'::regclass)")?;
    QName::parse(&name.replace("''", "'")).ok().map(|name| written(&name))
}
