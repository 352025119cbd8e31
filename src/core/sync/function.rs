//! Owns the functions of what is kept in step: how one is made, named and told as the plan's own, and
//! kept to the rights and the settings that it needs.

use crate::core::ident::{QName, do_block, dollar_quote, literal};

/// What an expression may give another value for, where a session has set it: each has in the function what it has
/// when the step runs. Source: the settings of "Locale and Formatting" and of number output in the manual of PostgreSQL.
const FORMATS: &[&str] = &[
    "TimeZone",
    "DateStyle",
    "IntervalStyle",
    "extra_float_digits",
    "bytea_output",
    "xmloption",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "default_text_search_config",
];

/// A trigger function with the rights of whoever writes the table. `computes`: whether what it writes may depend
/// on settings of the session.
pub(super) fn invoker(name: &QName, body: &str, plan: &str, computes: bool) -> Vec<String> {
    let pinned = if computes { FORMATS } else { &[] };
    let settings: String = pinned.iter().map(|setting| format!(" SET \"{setting}\" FROM CURRENT")).collect();
    vec![create(name, &settings, body), search_path(name), comment(&format!("{name}()"), plan)]
}

/// A trigger function with the rights of whoever runs the step, as a writer of the one table need
/// not have any on the other. Nobody can hang it on a table of his own (no EXECUTE for PUBLIC), and
/// where row security would hide rows from it, it fails.
pub(super) fn definer(name: &QName, body: &str, plan: &str) -> Vec<String> {
    vec![
        create(name, " SECURITY DEFINER SET row_security TO off", body),
        search_path(name),
        format!("REVOKE ALL ON FUNCTION {name}() FROM PUBLIC"),
        comment(&format!("{name}()"), plan),
    ]
}

fn create(name: &QName, more: &str, body: &str) -> String {
    let quote = dollar_quote(body);
    format!(
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql{more} AS {quote}\n{body}\n{quote}"
    )
}

/// Names mean in the function what they mean now, for everybody: the schemas themselves, not `$user`, and never a
/// temporary table of a session (`pg_temp` comes last).
fn search_path(name: &QName) -> String {
    do_block(&format!(
        "BEGIN\n  EXECUTE pg_catalog.format('ALTER FUNCTION %s() SET search_path TO %s', {},\n    \
         (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(schema), ', ' ORDER BY n)\n    \
          FROM pg_catalog.unnest(pg_catalog.current_schemas(false) || 'pg_temp'::pg_catalog.name) WITH ORDINALITY path (schema, n)));\nEND",
        literal(&name.to_string())
    ))
}

/// Says of a function, by its signature, which plan made it.
pub(super) fn comment(signature: &str, plan: &str) -> String {
    let text = format!("Made by phase for plan {plan}, which removes it.");
    format!("COMMENT ON FUNCTION {signature} IS {}", literal(&text))
}

/// What stands in the names of all that one of a plan's syncs has: triggers fire in the order of their names, so that
/// a number of two digits must come after those of one.
pub(super) fn tag(version: &str, ordinal: usize) -> String {
    let digits = ordinal.to_string();
    let longer = u32::try_from(digits.len()).unwrap_or(1) - 1;
    let before = char::from_u32(u32::from('a') + longer - 1).filter(|_| longer > 0);
    format!("{version}_{}{digits}", before.map(String::from).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_sort_as_their_numbers_do() {
        let tags: Vec<String> = [1, 2, 9, 10, 11, 99, 100, 1_000, 1_001].map(|n| tag("7", n)).to_vec();
        let mut sorted = tags.clone();
        sorted.sort();
        assert_eq!(tags, sorted);
        assert_eq!((tags[0].as_str(), tags[3].as_str()), ("7_1", "7_a10"));
    }
}
