//! Stops contract where what it would make again is not as it was when the plan started.

use super::super::known::Dependent;
use super::{Target, is_view};
use crate::core::ident::{do_block, literal};

/// Stops contract where what it would make again has changed, or something has come.
pub(super) fn guard(targets: &[Target<'_>], found: &[&Dependent]) -> String {
    // What another exchange of the plan has made again is printed as that has left it.
    let same: String = found
        .iter()
        .filter(|one| is_view(one) && !one.remade)
        .filter_map(|one| Some((one, one.definition.as_ref()?)))
        .map(|(one, definition)| {
            format!(
                "  IF pg_catalog.pg_get_viewdef({}::regclass) IS DISTINCT FROM {} THEN\n    RAISE EXCEPTION {} \
                 USING HINT = 'Abort the plan, and start it anew.';\n  END IF;\n",
                literal(&one.called),
                literal(definition),
                literal(&format!("{} is not as it was when the plan started", one.said).replace('%', "%%"))
            )
        })
        .collect();
    let known: Vec<String> = found.iter().map(|one| literal(&one.said)).collect();
    let columns: Vec<String> = targets
        .iter()
        .flat_map(|Target { table, pairs, .. }| {
            let table = literal(&table.to_string());
            pairs.iter().map(move |(from, _)| format!("({table}::regclass, {})", literal(from.as_str())))
        })
        .collect();
    let body = format!(
        "DECLARE
  found text;
BEGIN
{same}  SELECT said INTO found FROM (
    SELECT CASE WHEN r.oid IS NOT NULL THEN pg_catalog.pg_describe_object('pg_class'::regclass, r.ev_class, 0)
           ELSE pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) END AS said
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
    WHERE d.refclassid = 'pg_class'::regclass AND (d.refobjid, a.attname) IN ({})
      AND (r.oid IS NOT NULL OR d.classid IN ('pg_policy'::regclass, 'pg_publication_rel'::regclass, 'pg_statistic_ext'::regclass))
  ) hangs WHERE said <> ALL (ARRAY[{}]) LIMIT 1;
  IF found IS NOT NULL THEN
    RAISE EXCEPTION '% has come since the plan started', found USING HINT = 'Abort the plan, and start it anew.';
  END IF;
END",
        columns.join(", "),
        known.join(", ")
    );
    do_block(&body)
}
