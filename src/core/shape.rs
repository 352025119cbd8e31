//! Owns the shape of a database: every object in its catalog as a value, and the
//! difference between two of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Every object of a database but the server's own and the record's: what it is
/// called, and what it is, in the server's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    objects: BTreeMap<(String, String), String>,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// What kind of object: `table`, `column`, `index`, …
    pub kind: String,
    /// Its name, unique among its kind.
    pub identity: String,
    /// Everything else about it.
    pub definition: String,
}

/// An object that two shapes do not have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What kind of object.
    pub kind: String,
    /// Its name.
    pub identity: String,
    /// What it was; `None`: it was not there.
    pub before: Option<String>,
    /// What it is; `None`: it is gone.
    pub after: Option<String>,
}

impl FromIterator<Object> for Shape {
    fn from_iter<I: IntoIterator<Item = Object>>(objects: I) -> Self {
        let object = |Object { kind, identity, definition }| ((kind, identity), definition);
        Self { objects: objects.into_iter().map(object).collect() }
    }
}

impl Shape {
    /// Every object, by kind and name.
    pub fn objects(&self) -> impl Iterator<Item = Object> + '_ {
        self.objects.iter().map(|((kind, identity), definition)| Object {
            kind: kind.clone(),
            identity: identity.clone(),
            definition: definition.clone(),
        })
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// What stands in one of the two only, or otherwise in the one than in the other.
    #[must_use]
    pub fn diff(&self, after: &Self) -> Vec<Difference> {
        let difference = |key: &(String, String)| {
            let (before, after) = (self.objects.get(key), after.objects.get(key));
            (before != after).then(|| Difference {
                kind: key.0.clone(),
                identity: key.1.clone(),
                before: before.cloned(),
                after: after.cloned(),
            })
        };
        let gone = self.objects.keys().filter(|key| !after.objects.contains_key(*key));
        let mut keys: Vec<&(String, String)> = gone.chain(after.objects.keys()).collect();
        keys.sort();
        let mut found: Vec<Difference> = keys.into_iter().filter_map(difference).collect();
        // Where columns came or went, their order says nothing more.
        let moved: Vec<String> = found
            .iter()
            .filter(|one| one.kind == COLUMN && (one.before.is_none() || one.after.is_none()))
            .map(|one| one.identity.clone())
            .collect();
        found.retain(|one| {
            one.kind != COLUMN_ORDER || !moved.iter().any(|column| is_of(column, &one.identity))
        });
        found
    }
}

const COLUMN: &str = "column";
const COLUMN_ORDER: &str = "column order";

fn is_of(column: &str, table: &str) -> bool {
    column.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
}

impl Difference {
    /// One or two lines for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let what = format!("{} {}", self.kind, self.identity);
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                format!("{what}: was {}; is {}", one_line(before), one_line(after))
            }
            (Some(before), None) => format!("{what} is gone: {}", one_line(before)),
            (None, Some(after)) => format!("{what} is new: {}", one_line(after)),
            (None, None) => what,
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(objects: &[(&str, &str, &str)]) -> Shape {
        let object = |(kind, identity, definition): &(&str, &str, &str)| Object {
            kind: (*kind).into(),
            identity: (*identity).into(),
            definition: (*definition).into(),
        };
        objects.iter().map(object).collect()
    }

    fn described(before: &Shape, after: &Shape) -> Vec<String> {
        before.diff(after).iter().map(Difference::describe).collect()
    }

    #[test]
    fn a_shape_is_equal_to_itself() {
        let one = shape(&[("table", "public.t", "owner a"), ("column", "public.t.id", "bigint")]);
        assert_eq!(one.diff(&one), []);
        assert_eq!(one.objects().collect::<Shape>(), one);
        assert_eq!((one.len(), one.is_empty()), (2, false));
    }

    #[test]
    fn what_came_went_and_changed_is_said() {
        let before = shape(&[("index", "i", "valid"), ("table", "t", "owner a"), ("type", "e", "'a'")]);
        let after = shape(&[("table", "t", "owner b"), ("table", "u", "owner\n  a"), ("type", "e", "'a'")]);
        assert_eq!(
            described(&before, &after),
            ["index i is gone: valid", "table t: was owner a; is owner b", "table u is new: owner a"]
        );
    }

    #[test]
    fn the_order_of_columns_counts_where_no_column_came_or_went() {
        let before =
            shape(&[("column", "t.a", "int"), ("column", "t.b", "int"), ("column order", "t", "a, b")]);
        let turned =
            shape(&[("column", "t.a", "int"), ("column", "t.b", "int"), ("column order", "t", "b, a")]);
        let fewer = shape(&[("column", "t.b", "int"), ("column order", "t", "b")]);
        assert_eq!(described(&before, &turned), ["column order t: was a, b; is b, a"]);
        assert_eq!(described(&before, &fewer), ["column t.a is gone: int"]);
    }
}
