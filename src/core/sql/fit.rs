//! Owns how a type fits the values of another: which the server gives a column without writing its table
//! anew, which hold every value, and which an explicit cast would cut to their length.

use super::TypeRef;

/// How a new type fits what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The stored values are those of the new type, and so are the indexes.
    Same,
    /// The stored values stay while the time zone is UTC; indexes do not.
    Zone,
}

/// A type as `format_type` prints it: its base and its modifiers.
fn parts(printed: &str) -> (String, Vec<i32>) {
    let Some((before, rest)) = printed.split_once('(') else { return (printed.to_owned(), Vec::new()) };
    let Some((inside, after)) = rest.split_once(')') else { return (printed.to_owned(), Vec::new()) };
    let modifiers = inside.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    (format!("{before}{after}"), modifiers)
}

/// How a type fits a column whose type `from` is, as `format_type` prints it; `None`: what is stored must
/// be written anew. `utc`: whether the session's time zone is UTC, where that is known.
///
/// Source: the planner support functions `varchar_support`, `numeric_support`,
/// `timestamp_support` and their kin, and the binary-coercible casts of `pg_cast`.
#[must_use]
pub fn fit(from: &str, to: &TypeRef, utc: Option<bool>) -> Option<Fit> {
    if to.array || to.schema.is_some() || from.ends_with("[]") {
        return None;
    }
    let (base, old) = parts(from);
    let new = to.modifiers.as_slice();
    // No modifier is no limit.
    let wider = |old: &[i32], new: &[i32]| match (old.first(), new.first()) {
        (_, None) => true,
        (Some(old), Some(new)) => new >= old,
        (None, Some(_)) => false,
    };
    match (base.as_str(), to.name.as_str()) {
        ("character varying", "varchar") if wider(&old, new) => Some(Fit::Same),
        ("character varying" | "text", "text") => Some(Fit::Same),
        ("text", "varchar") if new.is_empty() => Some(Fit::Same),
        ("cidr", "inet") => Some(Fit::Same),
        ("bit varying", "varbit") if wider(&old, new) => Some(Fit::Same),
        // More digits in front; those behind the point must stay as many.
        ("numeric", "numeric") => {
            let scale = |modifiers: &[i32]| modifiers.get(1).copied().unwrap_or(0);
            let same = new.is_empty() || !old.is_empty() && wider(&old, new) && scale(&old) == scale(new);
            same.then_some(Fit::Same)
        }
        ("timestamp without time zone", "timestamp") | ("timestamp with time zone", "timestamptz")
            if wider(&old, new) =>
        {
            Some(Fit::Same)
        }
        ("timestamp without time zone", "timestamptz") | ("timestamp with time zone", "timestamp")
            if utc == Some(true) && wider(&old, new) =>
        {
            Some(Fit::Zone)
        }
        (base, _) => {
            (to.built_in && new.is_empty() && old.is_empty() && base == to.base()).then_some(Fit::Same)
        }
    }
}

/// Whether every value of a type, as `format_type` prints it, is one of another that reads the same.
#[must_use]
pub fn widens(from: &str, to: &TypeRef) -> bool {
    let wider = match (from, to.base()) {
        ("smallint", "integer" | "bigint" | "numeric") | ("integer", "bigint" | "numeric") => true,
        ("bigint", "numeric") | ("real", "double precision") => true,
        _ => fit(from, to, None) == Some(Fit::Same),
    };
    // More digits are no loss, but a number of digits is a limit.
    let bounded = to.base() == "numeric" && !to.modifiers.is_empty() && !from.starts_with("numeric");
    wider && !bounded && !to.array
}

/// Whether every value of a type becomes one of another, if not always one that reads the same.
#[must_use]
pub fn holds(from: &str, to: &TypeRef) -> bool {
    let becomes = match to.base() {
        "text" | "character varying" => to.modifiers.is_empty(),
        "real" | "double precision" => matches!(from, "smallint" | "integer" | "bigint"),
        "date" | "timestamp without time zone" | "timestamp with time zone" => {
            let (from, _) = parts(from);
            matches!(from.as_str(), "date" | "timestamp without time zone" | "timestamp with time zone")
        }
        _ => false,
    };
    widens(from, to) || becomes && !to.array && to.schema.is_none()
}

/// Whether an explicit cast cuts a value to the length of the type without a word, where the assignment
/// of ALTER COLUMN TYPE fails; not where the server has no assignment from the old type.
#[must_use]
pub fn cuts(from: &str, to: &TypeRef) -> bool {
    let of_bits = from.starts_with("bit");
    let limited = match to.base() {
        "character varying" => !to.modifiers.is_empty(),
        "character" => true,
        "bit" => of_bits,
        "bit varying" => of_bits && !to.modifiers.is_empty(),
        _ => false,
    };
    limited && to.schema.is_none() && (!to.array || from.ends_with("[]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(name: &str, modifiers: &[i32]) -> TypeRef {
        TypeRef {
            schema: None,
            name: name.into(),
            modifiers: modifiers.into(),
            array: false,
            built_in: true,
            text: name.into(),
        }
    }

    #[test]
    fn a_type_that_holds_every_value_is_told_from_one_that_cuts() {
        for (from, new, all, cut) in [
            ("integer", to("int8", &[]), true, false),
            ("integer", to("numeric", &[5, 2]), false, false),
            ("integer", to("text", &[]), true, false),
            ("timestamp(3) without time zone", to("timestamptz", &[]), true, false),
            ("text", to("varchar", &[3]), false, true),
            ("character varying(3)", to("varchar", &[5]), true, true),
            ("text", to("varchar", &[]), true, false),
            ("text", to("bpchar", &[1]), false, true),
            ("bit(8)", to("bit", &[4]), false, true),
            ("integer", to("bit", &[4]), false, false),
            ("text", to("int4", &[]), false, false),
        ] {
            assert_eq!((holds(from, &new), cuts(from, &new)), (all, cut), "{from} {new:?}");
        }
        let list = TypeRef { array: true, ..to("varchar", &[2]) };
        assert!(cuts("text[]", &list) && !cuts("text", &list) && !holds("text[]", &list));
    }

    #[test]
    fn a_type_that_fits_is_told_from_one_that_does_not() {
        for (from, new, wanted) in [
            ("character varying(20)", to("varchar", &[40]), Some(Fit::Same)),
            ("character varying(20)", to("varchar", &[10]), None),
            ("character varying(20)", to("varchar", &[]), Some(Fit::Same)),
            ("character varying(20)", to("text", &[]), Some(Fit::Same)),
            ("text", to("varchar", &[20]), None),
            ("numeric(10,2)", to("numeric", &[12, 2]), Some(Fit::Same)),
            ("numeric(10,2)", to("numeric", &[12, 3]), None),
            ("numeric(10,2)", to("numeric", &[]), Some(Fit::Same)),
            ("numeric", to("numeric", &[12, 2]), None),
            ("integer", to("int8", &[]), None),
            ("integer", to("int4", &[]), Some(Fit::Same)),
        ] {
            assert_eq!(fit(from, &new, None), wanted, "{from} {new:?}");
        }
        let zone = |utc| fit("timestamp without time zone", &to("timestamptz", &[]), utc);
        assert_eq!((zone(Some(true)), zone(Some(false)), zone(None)), (Some(Fit::Zone), None, None));
    }
}
