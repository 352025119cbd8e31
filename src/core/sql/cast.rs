//! Owns which casts the server has between its own types: by assignment, by a word alone, or not at all.

use super::TypeRef;

/// How a value of one type becomes one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cast {
    /// Where it is written to a column, by itself.
    Assigned,
    /// Where somebody says so; of types that are not the server's own it may be that there is none.
    Explicit,
    /// Not at all.
    None,
}

/// Types that are alike to casts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Text,
    Number,
    Boolean,
    Time,
    Bits,
    Json,
    Address,
    Uuid,
}

fn family(base: &str) -> Option<Family> {
    Some(match base {
        "text" | "character varying" | "character" => Family::Text,
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => Family::Number,
        "boolean" => Family::Boolean,
        "date" | "timestamp without time zone" | "timestamp with time zone" => Family::Time,
        "bit" | "bit varying" => Family::Bits,
        "json" | "jsonb" => Family::Json,
        "inet" | "cidr" => Family::Address,
        "uuid" => Family::Uuid,
        _ => return None,
    })
}

/// How a value of a type, as `format_type` prints it, becomes one of another.
///
/// Source: `pg_cast`, and the casts from and to text by way of input and output.
#[must_use]
pub fn cast(from: &str, to: &TypeRef) -> Cast {
    let bare = from.split_once('(').map_or_else(
        || from.to_owned(),
        |(before, rest)| {
            let after = rest.split_once(')').map_or("", |(_, after)| after);
            format!("{before}{after}")
        },
    );
    if to.printed() == from {
        return Cast::Assigned;
    }
    let into = if to.array || to.schema.is_some() { None } else { family(to.base()) };
    match (family(&bare), into) {
        (_, Some(Family::Text)) => Cast::Assigned,
        (Some(from), Some(into)) if from == into => Cast::Assigned,
        (Some(Family::Text), _) | (None, _) | (_, None) => Cast::Explicit,
        (Some(Family::Number), Some(Family::Boolean)) if bare == "integer" => Cast::Explicit,
        (Some(Family::Boolean), Some(Family::Number)) if to.base() == "integer" => Cast::Explicit,
        (Some(Family::Number), Some(Family::Bits)) | (Some(Family::Bits), Some(Family::Number)) => {
            Cast::Explicit
        }
        (Some(Family::Json), Some(Family::Number | Family::Boolean)) => Cast::Explicit,
        _ => Cast::None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::sql::read_type;

    #[test]
    fn casts_are_those_of_the_server() {
        for (from, to, how) in [
            ("integer", "bigint", Cast::Assigned),
            ("character varying(3)", "text", Cast::Assigned),
            ("integer", "text", Cast::Assigned),
            ("numeric(5,2)", "int", Cast::Assigned),
            ("timestamp(3) without time zone", "date", Cast::Assigned),
            ("text", "int", Cast::Explicit),
            ("boolean", "int", Cast::Explicit),
            ("integer", "boolean", Cast::Explicit),
            ("text", "s.mood", Cast::Explicit),
            ("mood", "int", Cast::Explicit),
            ("text", "int[]", Cast::Explicit),
            ("boolean", "bigint", Cast::None),
            ("integer", "date", Cast::None),
            ("uuid", "integer", Cast::None),
        ] {
            assert_eq!(cast(from, &read_type(to).unwrap()), how, "{from} to {to}");
        }
    }
}
