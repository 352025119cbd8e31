//! Owns which types the server gives a column without writing its table anew.

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
