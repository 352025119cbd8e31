//! Owns what a statement can name in a database, and what it can do to it.

use std::fmt;

use crate::core::ident::{Ident, QName, plain};

/// Something in a database that statements name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A table, view, index or sequence: these share one space of names.
    Relation(QName),
    /// A column of a table or a view.
    Column(QName, Ident),
    /// Every column of a table at once: `*`, INSERT without a list of columns.
    Row(QName),
    /// A row of a table as one value (`row_to_json(u)`), or all that two tables have in common
    /// (NATURAL JOIN): without a column it is another, and nothing fails.
    Value(QName),
    /// A constraint of a table.
    Constraint(QName, Ident),
    /// A type or a domain.
    Type(QName),
    /// A function or a procedure; the types of its arguments where the statement tells them.
    Function(QName, Option<Vec<String>>),
    /// Extended statistics.
    Statistics(QName),
    /// What belongs to a table under a name of its own.
    Piece(Piece, QName, Ident),
    /// What stands in no schema.
    Wide(Wide, Ident),
    /// A schema and everything in it.
    Schema(Ident),
}

/// What belongs to a table under a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// A trigger.
    Trigger,
    /// A row security policy.
    Policy,
    /// A rewrite rule.
    Rule,
}

/// What stands in no schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wide {
    /// A publication.
    Publication,
    /// An extension.
    Extension,
    /// An event trigger.
    EventTrigger,
}

/// What a statement does to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// It reads it, or refers to it.
    Reads,
    /// It writes rows or values of it.
    Writes,
    /// It makes it unless it is there: IF NOT EXISTS, OR REPLACE.
    Ensures,
    /// It makes it, also as the new name of something else.
    Makes,
    /// It changes what it is.
    Alters,
    /// It gives it another name or place.
    Renames,
    /// It drops it.
    Drops,
}

impl Thing {
    /// The relation that it is, or that it is a part of.
    #[must_use]
    pub const fn relation(&self) -> Option<&QName> {
        match self {
            Self::Relation(name)
            | Self::Column(name, _)
            | Self::Row(name)
            | Self::Value(name)
            | Self::Constraint(name, _)
            | Self::Piece(_, name, _) => Some(name),
            Self::Type(_) | Self::Function(..) | Self::Statistics(_) | Self::Wide(..) | Self::Schema(_) => {
                None
            }
        }
    }

    /// The schema that it stands in, where it is named.
    #[must_use]
    pub const fn schema(&self) -> Option<&Ident> {
        match self {
            Self::Schema(name) => Some(name),
            _ => match self.name() {
                Some(name) => name.schema.as_ref(),
                None => None,
            },
        }
    }

    /// The name that its schema is looked up for; of a part, that of its relation.
    #[must_use]
    pub const fn name(&self) -> Option<&QName> {
        match self {
            Self::Type(name) | Self::Function(name, _) | Self::Statistics(name) => Some(name),
            Self::Wide(..) | Self::Schema(_) => None,
            _ => self.relation(),
        }
    }

    /// The same thing, where it names no schema, in one.
    #[must_use]
    pub fn placed(mut self, schema: &Ident) -> Self {
        let name = match &mut self {
            Self::Relation(name)
            | Self::Column(name, _)
            | Self::Row(name)
            | Self::Value(name)
            | Self::Constraint(name, _)
            | Self::Type(name)
            | Self::Function(name, _)
            | Self::Statistics(name)
            | Self::Piece(_, name, _) => name,
            Self::Wide(..) | Self::Schema(_) => return self,
        };
        name.schema.get_or_insert_with(|| schema.clone());
        self
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relation(name) => write!(f, "{}", name.plain()),
            Self::Column(table, column) => write!(f, "{}.{}", table.plain(), plain(column)),
            Self::Row(table) => write!(f, "every column of {}", table.plain()),
            Self::Value(table) => write!(f, "rows of {}", table.plain()),
            Self::Constraint(table, name) => write!(f, "constraint {} of {}", plain(name), table.plain()),
            Self::Type(name) => write!(f, "type {}", name.plain()),
            Self::Function(name, None) => write!(f, "function {}", name.plain()),
            Self::Function(name, Some(types)) => {
                write!(f, "function {}({})", name.plain(), types.join(", "))
            }
            Self::Statistics(name) => write!(f, "statistics {}", name.plain()),
            Self::Piece(piece, table, name) => {
                write!(f, "{} {} on {}", piece.word(), plain(name), table.plain())
            }
            Self::Wide(wide, name) => write!(f, "{} {}", wide.word(), plain(name)),
            Self::Schema(name) => write!(f, "schema {}", plain(name)),
        }
    }
}

impl Piece {
    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Policy => "policy",
            Self::Rule => "rule",
        }
    }
}

impl Wide {
    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Publication => "publication",
            Self::Extension => "extension",
            Self::EventTrigger => "event trigger",
        }
    }
}

impl How {
    /// Whether the thing is not there under its name afterwards.
    #[must_use]
    pub const fn takes_away(self) -> bool {
        matches!(self, Self::Renames | Self::Drops)
    }

    /// Whether the thing is there afterwards.
    #[must_use]
    pub const fn makes(self) -> bool {
        matches!(self, Self::Ensures | Self::Makes)
    }

    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reads => "uses",
            Self::Writes => "writes",
            Self::Ensures | Self::Makes => "makes",
            Self::Alters => "alters",
            Self::Renames => "renames",
            Self::Drops => "drops",
        }
    }
}
