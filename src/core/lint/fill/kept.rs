//! Writes the proof that a change of type has lost nothing: a cast that somebody wrote cuts
//! a text and rounds a number in silence.

use super::yaml::scalar;

/// How it is told that every value is still what it was.
pub(super) enum Kept {
    /// By a step of validate.
    Asserted(String),
    /// Not at all while nobody knows the old type: a comment.
    Unknown(String),
}

/// The proof that the values of `new`, which is of type `to`, are those of `old`, which is of
/// type `from`, where that is known.
pub(super) fn kept(table: &str, new: &str, old: &str, to: &str, from: &str) -> Kept {
    let Some((left, right)) = sides(new, old, to, from) else {
        return Kept::Unknown(format!(
            "  # a value that {to} has no room for is cut or rounded in silence: with the old type known, phase check \
             --online prints the assert that finds it\n"
        ));
    };
    let sql = format!("SELECT count(*) FROM {table} WHERE {left} IS DISTINCT FROM {right}");
    Kept::Asserted(format!(
        "  - assert: {{name: {}, sql: {}, expect: \"0\"}}\n",
        scalar(&format!("no value of {old} is lost")),
        scalar(&sql)
    ))
}

/// What must be equal.
fn sides(new: &str, old: &str, to: &str, from: &str) -> Option<(String, String)> {
    let (into, out_of) = (base(to), base(from));
    if from.is_empty() {
        // Whatever the old type is, these can be held against it by its text.
        return if TEXTS.contains(&into) {
            Some((format!("{new}::text"), format!("{old}::text")))
        } else if NUMBERS.contains(&into) {
            Some((format!("{new}::text::numeric"), format!("{old}::text::numeric")))
        } else {
            None
        };
    }
    if out_of == "json" && !from.ends_with("[]") {
        // It has no equality, and its text differs by blanks.
        return Some((format!("({new})::jsonb"), format!("{old}::jsonb")));
    }
    // What has no equality, or one of its own, is compared by its text.
    let text = if PLAIN.contains(&out_of) || NUMBERS.contains(&out_of) || TEXTS.contains(&out_of) {
        ""
    } else {
        "::text"
    };
    Some((format!("({new})::{from}{text}"), format!("{old}{text}")))
}

/// Whether a type takes any text that fits.
pub(super) fn is_text(kind: &str) -> bool {
    let texts = TEXTS.iter().chain(&["character", "char", "bpchar", "name"]);
    !kind.ends_with("[]") && texts.into_iter().any(|text| *text == base(kind))
}

/// A type without its modifiers.
fn base(kind: &str) -> &str {
    kind.split(['(', '[']).next().unwrap_or_default().trim()
}

const TEXTS: &[&str] = &["text", "varchar", "character varying"];

const NUMBERS: &[&str] = &[
    "int2",
    "int4",
    "int8",
    "smallint",
    "int",
    "integer",
    "bigint",
    "numeric",
    "decimal",
    "real",
    "float",
    "float4",
    "float8",
    "double precision",
];

/// What is equal only where it is the same.
const PLAIN: &[&str] = &[
    "character",
    "boolean",
    "bytea",
    "date",
    "time",
    "time without time zone",
    "timestamp",
    "timestamp without time zone",
    "timestamp with time zone",
    "uuid",
    "jsonb",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "bit",
    "bit varying",
    "money",
    "oid",
];
