//! Owns the functions of what is kept in step: how one is made, told as the plan's own, and kept to
//! the rights that it needs.

use crate::core::ident::{QName, do_block, dollar_quote, literal};

/// A trigger function with the rights of whoever runs the step, as a writer of the one table need
/// not have any on the other. Temporary tables of a session cannot stand in for anything in it
/// (`pg_temp` comes last), nobody can hang it on a table of his own (no EXECUTE for PUBLIC), and
/// where row security would hide rows from it, it fails.
pub(super) fn definer(name: &QName, body: &str, plan: &str) -> Vec<String> {
    let quote = dollar_quote(body);
    // Names mean what they mean now, and never a temporary table.
    let path = do_block(&format!(
        "BEGIN\n  EXECUTE pg_catalog.format('ALTER FUNCTION %s() SET search_path TO %s', {},\n    \
         pg_catalog.concat_ws(', ', nullif(nullif(pg_catalog.current_setting('search_path'), ''), '\"\"'), 'pg_temp'));\nEND",
        literal(&name.to_string())
    ));
    vec![
        format!(
            "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET row_security TO off AS {quote}\n{body}\n{quote}"
        ),
        path,
        format!("REVOKE ALL ON FUNCTION {name}() FROM PUBLIC"),
        comment(&format!("{name}()"), plan),
    ]
}

/// Says of a function, by its signature, which plan made it.
pub(super) fn comment(signature: &str, plan: &str) -> String {
    let text = format!("Made by phase for plan {plan}, which removes it.");
    format!("COMMENT ON FUNCTION {signature} IS {}", literal(&text))
}
