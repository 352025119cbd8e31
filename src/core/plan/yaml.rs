//! Owns the YAML library: nothing else knows which one it is.
//!
//! `serde-saphyr` reads into types with spans, refuses duplicate keys, and its
//! budget ends input that would grow without bound (docs/decisions/0001).

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

pub use serde_saphyr::Spanned;

use super::fault::{PlanError, TOP};
use super::model::Place;

/// The deepest nesting that a file may have; plans need six.
const MAX_DEPTH: usize = 32;

/// Reads a YAML document into a type.
///
/// # Errors
/// With the place of the first fault.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, PlanError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_events: 200_000,
            max_anchors: 64,
            max_aliases: 64,
            max_nodes: 100_000,
            max_documents: 1,
            max_total_scalar_bytes: super::MAX_PLAN_BYTES,
        },
        with_snippet: false,
    };
    if text.trim().is_empty() {
        return Err(PlanError::one(file, text, TOP, "the file is empty"));
    }
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map_or(TOP, of_location);
        let torn = if torn(text, place) {
            "; inside of { } and [ ] a comma ends a text: put quotes around one that has a comma"
        } else {
            ""
        };
        PlanError::one(file, text, place, &(message(&error) + torn))
    })
}

/// Whether what stands at a place is the rest of a text that its own comma has ended: before it on its
/// line, in the same braces, a comma stands between round brackets and outside of quotes.
fn torn(text: &str, place: Place) -> bool {
    let line = text.lines().nth(place.line - 1).unwrap_or_default();
    let before: String = line.chars().take(place.column - 1).collect();
    let Some((_, value)) = before.rsplit_once(['{', '[']) else { return false };
    let (mut depth, mut quote) = (0_usize, None);
    for c in value.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            (',', None) if depth > 0 => return true,
            _ => {}
        }
    }
    false
}

/// The library's message without its own place, which ours replaces.
fn message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    match error.without_snippet() {
        Error::Budget { .. } => return "this is more than a plan may hold: too deep, too long, too many aliases, or more than one document".into(),
        Error::DuplicateMappingKey { key, .. } => {
            return key.as_ref().map_or_else(|| "a key stands here twice".into(), |key| format!("the key {key} stands here twice"));
        }
        _ => {}
    }
    let text = error.without_snippet().to_string();
    if text.contains("cannot deserialize null") {
        return "this is empty: write an expression, and SQL's NULL in quotes ('NULL')".into();
    }
    let first = text.lines().next().unwrap_or("this is not right").to_owned();
    first.split(" at line ").next().unwrap_or(&first).trim_end_matches([':', ',']).to_owned()
}

fn of_location(location: serde_saphyr::Location) -> Place {
    let number = |value: u64| usize::try_from(value).unwrap_or(1).max(1);
    Place { line: number(location.line()), column: number(location.column()) }
}

/// Where a value stands.
#[must_use]
pub fn place<T>(spanned: &Spanned<T>) -> Place {
    of_location(spanned.referenced)
}

/// A scalar of any plain type, as the file writes it: `y` is a column and `1.50`
/// keeps its zero.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub struct Scalar(pub String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// What the schema says of a value that is read as text.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "it stands for its schema")]
enum Value {
    Text(String),
    Number(f64),
}

/// What the schema says of one or many.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "it stands for its schema")]
enum Values {
    One(Value),
    Many(Vec<Value>),
}

/// What the schema says of a flag or a list.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "it stands for its schema")]
enum FlagOrTexts {
    Flag(bool),
    Texts(Vec<String>),
}

/// One value or a list of them.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(with = "Values")]
pub struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.into()]))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<OneOrMany, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<OneOrMany, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<OneOrMany, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element::<String>()? {
                    texts.push(text);
                }
                Ok(OneOrMany(texts))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

/// What the schema says of one or many of a kind.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "it stands for its schema")]
enum OneOrList<T> {
    Short(String),
    One(T),
    Many(Vec<ShortOrLong<T>>),
}

/// What the schema says of one of a list.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "it stands for its schema")]
enum ShortOrLong<T> {
    Short(String),
    Long(T),
}

/// One of a kind or a list of them; each with its keys, or as the text that says all but what has a default.
#[derive(Debug, JsonSchema)]
#[schemars(with = "OneOrList<T>")]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de> + From<String>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + From<String>> Visitor<'de> for Each<T> {
            type Value = Many<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, keys with their values, or a list of such")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Many<T>, E> {
                Ok(Many(vec![T::from(text.into())]))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
                Ok(Many(vec![T::deserialize(de::value::MapAccessDeserializer::new(map))?]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Many<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(Many(some)) = seq.next_element::<Many<T>>()? {
                    all.extend(some);
                }
                Ok(Many(all))
            }
        }
        deserializer.deserialize_any(Each(PhantomData))
    }
}

/// `true`, or a list of names.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "FlagOrTexts")]
pub enum FlagOrList {
    /// `true` or `false`.
    Flag(bool),
    /// The names.
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for FlagOrList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = FlagOrList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or a list of table.column")
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<FlagOrList, E> {
                Ok(FlagOrList::Flag(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<FlagOrList, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(FlagOrList::List)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A mapping whose order counts.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "std::collections::BTreeMap<String, String>")]
pub struct Pairs(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of columns to expressions")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Scalar>()? {
                    pairs.push((name, value.0));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
