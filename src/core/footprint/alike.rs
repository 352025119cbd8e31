//! Owns the question whether two names mean one thing: a name without a schema is
//! looked up along the `search_path`.

use crate::core::ident::{Ident, QName};
use crate::core::sql::{Thing, names};

/// What stands in a `search_path` for the schema that is called like the role.
const OWN: &str = "$user";

/// Where a name without a schema is looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SearchPath {
    /// Nobody asked a server: `public`, and perhaps elsewhere.
    #[default]
    Assumed,
    /// In these schemas and nowhere else.
    Known(Vec<Ident>),
}

/// Whether two names mean one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// They do not.
    Apart,
    /// They do where the `search_path` is so, which nobody knows.
    Perhaps,
    /// They do, or can.
    One,
}

impl SearchPath {
    /// Reads a setting as the server spells it, for a user; a schema that is never looked
    /// into is left out.
    #[must_use]
    pub fn read(setting: &str, user: &str, never: &Ident) -> Self {
        // An empty name stands for no schema, and is none to the parser.
        let parts = setting.split(", ").filter(|part| !part.is_empty() && *part != "\"\"");
        let parts: Vec<&str> = parts.collect();
        if parts.is_empty() {
            return Self::Known(Vec::new());
        }
        let statement = names(&format!("SET search_path TO {}", parts.join(", ")));
        let path = statement.ok().and_then(|found| found.into_iter().next()?.path);
        let schema = |name: Ident| if name.as_str() == OWN { Ident::exact(user).ok() } else { Some(name) };
        path.map_or(Self::Assumed, |path| {
            Self::Known(path.into_iter().filter_map(schema).filter(|name| name != never).collect())
        })
    }

    /// Whether two names of one kind of thing mean the same.
    #[must_use]
    pub fn names(&self, a: &QName, b: &QName) -> Likeness {
        if a.name != b.name {
            return Likeness::Apart;
        }
        match (&a.schema, &b.schema) {
            (Some(own), Some(other)) | (Some(other), Some(own)) if own != other && own.as_str() == OWN => {
                Self::own(other)
            }
            (Some(a), Some(b)) if a != b => Likeness::Apart,
            (Some(schema), None) | (None, Some(schema)) => self.reaches(schema),
            _ => Likeness::One,
        }
    }

    /// Whether two things are one.
    #[must_use]
    pub fn things(&self, a: &Thing, b: &Thing) -> Likeness {
        match (a, b) {
            (Thing::Relation(a), Thing::Relation(b))
            | (Thing::Row(a), Thing::Row(b))
            | (Thing::Value(a), Thing::Value(b))
            | (Thing::Type(a), Thing::Type(b))
            | (Thing::Statistics(a), Thing::Statistics(b)) => self.names(a, b),
            (Thing::Function(a, with), Thing::Function(b, given)) => match (with, given) {
                (Some(with), Some(given)) if with != given => Likeness::Apart,
                _ => self.names(a, b),
            },
            (Thing::Column(a, x), Thing::Column(b, y))
            | (Thing::Constraint(a, x), Thing::Constraint(b, y))
                if x == y =>
            {
                self.names(a, b)
            }
            (Thing::Piece(one, a, x), Thing::Piece(other, b, y)) if (one, x) == (other, y) => {
                self.names(a, b)
            }
            (Thing::Wide(one, a), Thing::Wide(other, b)) if (one, a) == (other, b) => Likeness::One,
            (Thing::Schema(a), Thing::Schema(b)) if a == b => Likeness::One,
            _ => Likeness::Apart,
        }
    }

    /// Whether a thing stands in a schema. Without a server, what names none stands in `public`:
    /// else whatever is named so would be in doubt with each schema that goes.
    #[must_use]
    pub fn within(&self, thing: &Thing, schema: &Ident) -> Likeness {
        match (thing, self) {
            (Thing::Schema(_) | Thing::Wide(..), _) => Likeness::Apart,
            (thing, _) if thing.schema().is_some() => {
                if thing.schema() == Some(schema) {
                    Likeness::One
                } else {
                    Likeness::Apart
                }
            }
            (_, Self::Assumed) if schema.as_str() != "public" => Likeness::Apart,
            (_, Self::Known(path)) if path.len() > 1 => self.reaches(schema).min(Likeness::Perhaps),
            _ => self.reaches(schema),
        }
    }

    /// Whether a name without a schema can be found in one.
    fn reaches(&self, schema: &Ident) -> Likeness {
        match self {
            _ if schema.as_str() == OWN => Likeness::Perhaps,
            Self::Known(path) if path.contains(schema) => Likeness::One,
            Self::Known(_) => Likeness::Apart,
            Self::Assumed if schema.as_str() == "public" => Likeness::One,
            Self::Assumed => Self::own(schema),
        }
    }

    /// Whether a schema may be that of a role.
    fn own(schema: &Ident) -> Likeness {
        let name = schema.as_str();
        let never = name == "public" || name == "information_schema" || name.starts_with("pg_");
        if never { Likeness::Apart } else { Likeness::Perhaps }
    }
}

/// The schemas of a `search_path` that a script sets. The role's own is passed over where another
/// follows, as the server does where there is none, and as it is with a path that nobody sets;
/// alone, it is a schema that nobody knows.
pub(super) fn known(mut path: Vec<Ident>) -> Vec<Ident> {
    if path.iter().any(|schema| schema.as_str() != OWN) {
        path.retain(|schema| schema.as_str() != OWN);
    }
    path
}
