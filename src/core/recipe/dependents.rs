//! Makes again, over the column that takes the place of another, what reads the old one: views and
//! policies and a table's place in a publication in the moment of the exchange itself; materialized
//! views and extended statistics, which take time to fill, beforehand under names of the plan's own.

mod like;
mod locks;
#[cfg(test)]
mod tests;

use super::carried::{Carried, Names};
use super::draft::{Draft, Sql};
use super::known::{Dependent, Table};
use crate::core::ident::{Ident, QName, do_block, literal, plain};
use like::{Like, Name};
use locks::locks;

const VIEW: &str = "view";
const MATERIALIZED: &str = "materialized view";
const STATISTICS: &str = "statistics";

/// The way back from what leaves nothing behind.
const NOTHING: &str = "SELECT 1";

/// Writes what is made before, and puts down what is to run around the exchange.
pub(super) fn dependents(
    draft: &mut Draft<'_>,
    table: &QName,
    known: &Table,
    (from, to): (&Ident, &Ident),
    carried: &mut Carried,
) {
    let found: Vec<&Dependent> = known.dependents.iter().filter(|one| one.reads(from)).collect();
    if found.is_empty() {
        return;
    }
    for one in &found {
        refuse(draft, table, known, one, from);
    }
    let quiet = "it tries what contract will do and takes that back at once";
    let locks = locks(table, outermost_first(&found));
    let tried: Vec<String> =
        locks.clone().into_iter().chain([trial(draft, table, &found, (from, to))]).collect();
    draft.expand_sql(Sql::new(tried.join(";\n"), NOTHING).allow("opaque", quiet));
    let likes: Vec<Like<'_>> = found.iter().filter_map(|one| Like::of(draft, one)).collect();
    made_before(draft, table, &likes, (from, to));
    carried.first.there.extend(locks.clone());
    carried.first.there.push(guard(table, &found, from));
    carried.last.back.extend(locks);
    let of = |one: &Dependent| likes.iter().find(|like| like.one.said == one.said);
    for one in outermost_first(&found).filter(|one| one.kind != STATISTICS) {
        let away =
            |to: Name| of(one).map_or_else(|| vec![one.drop.clone()], |like| like.rename(Name::Its, to));
        carried.first.there.extend(away(Name::Hidden));
        carried.last.back.extend(away(Name::Own));
        carried.drop.extend(of(one).map(|like| like.drop(Name::Hidden)));
    }
    for one in found.iter().filter(|one| one.kind != STATISTICS) {
        let make = |from: Name| of(one).map_or_else(|| one.make.clone(), |like| like.rename(from, Name::Its));
        carried.last.there.extend(make(Name::Own));
        carried.first.back.extend(make(Name::Hidden));
    }
    for like in likes.iter().filter(|like| like.one.kind == STATISTICS) {
        let rename = |from: &Ident, to: &Ident| like.rename_to(from, to);
        let (own, hidden) = (like.name(Name::Own).clone(), like.name(Name::Hidden).clone());
        carried.takes(&rename, &Names { own, name: like.name(Name::Its), hidden });
    }
    said(draft, table, &found, from);
    draft.now(table, |known| {
        for one in known.dependents.iter_mut().filter(|one| one.reads(from)) {
            one.remade = true;
        }
    });
}

/// Whoever reads a view locks it before what it reads: so does who takes it away.
fn outermost_first<'a>(found: &'a [&'a Dependent]) -> impl Iterator<Item = &'a Dependent> {
    let views = found.iter().rev().filter(|one| is_view(one));
    views.chain(found.iter().filter(|one| !is_view(one))).copied()
}

fn is_view(one: &Dependent) -> bool {
    [VIEW, MATERIALIZED].contains(&one.kind.as_str())
}

fn refuse(draft: &mut Draft<'_>, table: &QName, known: &Table, one: &Dependent, from: &Ident) {
    let name = format!("{}.{}", table.plain(), plain(from));
    for why in &one.blocked {
        draft.refuse(format!(
            "{} reads {name} and cannot be made again over it: {why}; drop it in expand and make it again in contract",
            one.said
        ));
    }
    if one.renamed {
        draft.refuse(format!(
            "{} reads {name}, and something to which this plan gives another name: take two plans",
            one.said
        ));
    }
    let before = [MATERIALIZED, STATISTICS].contains(&one.kind.as_str());
    if before && known.columns.iter().any(|column| column.exchanged && one.reads.contains(&column.name)) {
        draft.refuse(format!(
            "{} stands over two columns of which this plan changes the types: take two plans",
            one.said
        ));
    }
}

/// Tries the exchange in a subtransaction that never stays: what cannot be made over the new type
/// fails here, before anything hangs on the plan.
fn trial(draft: &Draft<'_>, table: &QName, found: &[&Dependent], (from, to): (&Ident, &Ident)) -> String {
    let was = draft.own_name(&format!("was_{}", from.as_str()));
    let drops = outermost_first(found).map(|one| one.drop.clone());
    let renames = [(from, &was), (to, from)]
        .map(|(from, to)| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
    let makes = found.iter().flat_map(|one| {
        one.make.iter().cloned().chain(one.indexes.iter().map(|index| index.definition.clone()))
    });
    let statements: String = drops
        .chain(renames)
        .chain(makes)
        .map(|statement| format!("    EXECUTE {};\n", literal(&statement)))
        .collect();
    do_block(&format!(
        "BEGIN\n  BEGIN\n{statements}    RAISE SQLSTATE 'PH000';\n  EXCEPTION WHEN SQLSTATE 'PH000' THEN\n    NULL;\n  END;\nEND"
    ))
}

/// Stops contract where what it would make again has changed, or something has come.
fn guard(table: &QName, found: &[&Dependent], from: &Ident) -> String {
    // What another column's exchange has made again is printed as that has left it.
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
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = {}::regclass AND a.attname = {}
      AND (r.oid IS NOT NULL OR d.classid IN ('pg_policy'::regclass, 'pg_publication_rel'::regclass, 'pg_statistic_ext'::regclass))
  ) hangs WHERE said <> ALL (ARRAY[{}]) LIMIT 1;
  IF found IS NOT NULL THEN
    RAISE EXCEPTION '% has come since the plan started', found USING HINT = 'Abort the plan, and start it anew.';
  END IF;
END",
        literal(&table.to_string()),
        literal(from.as_str()),
        known.join(", ")
    );
    do_block(&body)
}

/// What is made beforehand: in one short transaction the column has the other's name, so that the
/// server reads what it has printed itself.
fn made_before(draft: &mut Draft<'_>, table: &QName, likes: &[Like<'_>], (from, to): (&Ident, &Ident)) {
    if likes.is_empty() {
        return;
    }
    let was = draft.own_name(&format!("was_{}", from.as_str()));
    let column = |from: &Ident, to: &Ident| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}");
    let each = |of: &dyn Fn(&Like<'_>) -> Vec<String>| likes.iter().flat_map(of).collect::<Vec<_>>();
    let there = [
        locks(table, likes.iter().map(|like| like.one)).into_iter().collect(),
        each(&|like| like.rename(Name::Its, Name::Hidden)),
        vec![column(from, &was), column(to, from)],
        each(&|like| like.make()),
        each(&|like| like.rename(Name::Its, Name::Own)),
        vec![column(from, to), column(&was, from)],
        each(&|like| like.rename(Name::Hidden, Name::Its)),
    ];
    let back: Vec<String> = likes.iter().map(|like| like.drop(Name::Own)).collect();
    let made = Sql::new(there.concat().join(";\n"), back.join(";\n"))
        .allow("rename-column", "the names come back in the same transaction")
        .allow("opaque", "it takes the locks of what follows")
        .allow("work-under-lock", "what is made there has no rows yet")
        .allow("create-index", "what it is made on has no rows yet");
    draft.validate_sql(made);
    if likes.iter().any(|like| like.one.kind == STATISTICS) {
        draft.validate_sql(Sql::new(format!("ANALYZE {table}"), NOTHING));
    }
    for like in likes.iter().filter(|like| like.one.filled) {
        let own = like.qualified(Name::Own);
        let alone = "it fills a like that nobody reads before it has its name, and that nobody waits for";
        let refresh = Sql::new(format!("REFRESH MATERIALIZED VIEW {own}"), NOTHING);
        draft.contract_sql(refresh.allow("refresh", alone).allow("scan-in-contract", alone));
        draft.caution(format!(
            "contract fills the like of materialized view {} right before the exchange, for which it reads all that the \
             view reads; where the exchange is put off after that, and after an abort of it, refresh the view",
            like.one.called
        ));
    }
}

fn said(draft: &mut Draft<'_>, table: &QName, found: &[&Dependent], from: &Ident) {
    let views: Vec<&str> = found.iter().filter(|one| is_view(one)).map(|one| one.called.as_str()).collect();
    if !views.is_empty() {
        draft.caution(format!(
            "contract makes {} again: where they show {}.{}, it has its new type there too",
            views.join(", "),
            table.plain(),
            plain(from)
        ));
    }
}
