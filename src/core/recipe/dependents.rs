//! Makes again, over the columns that take the place of others, what reads the old ones: views and
//! policies and a table's place in a publication in the moment of the exchange itself; materialized
//! views and extended statistics, which take time to fill, beforehand under names of the plan's own.

mod found;
mod guard;
mod like;
mod locks;
#[cfg(test)]
mod tests;
mod trial;

use super::carried::{Carried, Names};
use super::draft::{Draft, Sql};
use super::known::{Dependent, Table};
use crate::core::ident::{Ident, QName, plain};
pub(super) use found::Target;
use found::found;
use guard::guard;
use like::{Like, Name};
use locks::locks;
use trial::{renames, trial};

const VIEW: &str = "view";
const MATERIALIZED: &str = "materialized view";
const STATISTICS: &str = "statistics";

/// The way back from what leaves nothing behind.
const NOTHING: &str = "SELECT 1";

/// Writes what is made before, and puts down what is to run around the exchange.
pub(super) fn dependents(draft: &mut Draft<'_>, targets: &[Target<'_>], carried: &mut Carried) {
    let found = found(targets);
    let found: Vec<&Dependent> = found.iter().collect();
    if found.is_empty() {
        return;
    }
    for one in &found {
        refuse(draft, targets, one);
    }
    let quiet = "it tries what contract will do and takes that back at once";
    let read = read_by(targets, &found);
    let tried: Vec<String> = locks(&read, outermost_first(&found))
        .into_iter()
        .chain([trial(draft, &read, outermost_first(&found), &found)])
        .collect();
    draft.expand_sql(Sql::new(tried.join(";\n"), NOTHING).allow("opaque", quiet));
    let likes: Vec<Like<'_>> = found.iter().filter_map(|one| Like::of(draft, one)).collect();
    made_before(draft, targets, &likes);
    let all: Vec<&Target<'_>> = targets.iter().collect();
    carried.lock.extend(locks(&all, outermost_first(&found)));
    carried.first.there.push(guard(targets, &found));
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
    for target in targets {
        said(draft, target, &found);
    }
    let names: Vec<&str> = found.iter().map(|one| one.said.as_str()).collect();
    draft.remakes(&names);
}

/// Those of the tables that some of it reads.
fn read_by<'a, 't>(targets: &'a [Target<'t>], found: &[&Dependent]) -> Vec<&'a Target<'t>> {
    targets.iter().filter(|target| found.iter().any(|one| target.read_by(one).is_some())).collect()
}

/// Whoever reads a view locks it before what it reads: so does who takes it away.
fn outermost_first<'a>(found: &'a [&'a Dependent]) -> impl Iterator<Item = &'a Dependent> {
    let views = found.iter().rev().filter(|one| is_view(one));
    views.chain(found.iter().filter(|one| !is_view(one))).copied()
}

fn is_view(one: &Dependent) -> bool {
    [VIEW, MATERIALIZED].contains(&one.kind.as_str())
}

/// Refuses by name what hangs on a column that is to go, and is not made again over another.
pub(super) fn refuse_hanging(draft: &mut Draft<'_>, table: &QName, known: &Table, column: &Ident) {
    let name = format!("{}.{}", table.plain(), plain(column));
    let hangs = |kind: &str| matches!(kind, "view" | "rule" | "policy" | "generated" | "other");
    for one in known.hanging.iter().filter(|one| one.column.as_deref() == Some(column.as_str())) {
        if one.kind == "generated" {
            draft.refuse(format!(
                "{} is computed from {name}, and no column that is there can become one like it without the table \
                 being written anew under a lock: drop it in expand, or add one over the new column by a plan after this",
                one.said
            ));
        } else if hangs(&one.kind) && !known.remakes(one) {
            draft.refuse(format!(
                "{} hangs on {name}, whose type cannot change under it: drop it in expand and make it again in contract",
                one.said
            ));
        }
    }
}

fn refuse(draft: &mut Draft<'_>, targets: &[Target<'_>], one: &Dependent) {
    let column = targets.iter().find_map(|target| Some((target.table, target.read_by(one)?)));
    let Some((table, column)) = column else { return };
    let name = format!("{}.{}", table.plain(), plain(column));
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
    if before && one.remade {
        draft.refuse(format!(
            "{} stands over two columns of which this plan changes the types: take two plans",
            one.said
        ));
    }
    if before && one.keyed {
        draft.refuse(format!(
            "{} groups by the primary key of {name} alone, which its like could not do before the exchange: name all \
             columns in its GROUP BY, or drop it in expand and make it again in contract",
            one.said
        ));
    }
}

/// What is made beforehand: in one short transaction the columns have the others' names, so that the
/// server reads what it has printed itself.
fn made_before(draft: &mut Draft<'_>, targets: &[Target<'_>], likes: &[Like<'_>]) {
    if likes.is_empty() {
        return;
    }
    let ones: Vec<&Dependent> = likes.iter().map(|like| like.one).collect();
    let read = read_by(targets, &ones);
    let (renamed, named_back) = renames(draft, &read);
    let each = |of: &dyn Fn(&Like<'_>) -> Vec<String>| likes.iter().flat_map(of).collect::<Vec<_>>();
    let there = [
        locks(&read, ones.iter().copied()).into_iter().collect(),
        each(&|like| like.rename(Name::Its, Name::Hidden)),
        renamed,
        each(&|like| like.make()),
        each(&|like| like.rename(Name::Its, Name::Own)),
        named_back,
        each(&|like| like.rename(Name::Hidden, Name::Its)),
    ];
    let back: Vec<String> = likes.iter().map(|like| like.drop(Name::Own)).collect();
    let made = Sql::new(there.concat().join(";\n"), back.join(";\n"))
        .allow("rename-column", "the names come back in the same transaction")
        .allow("opaque", "it takes the locks of what follows")
        .allow("work-under-lock", "what is made there has no rows yet")
        .allow("create-index", "what it is made on has no rows yet");
    draft.validate_sql(made);
    let counts = |target: &&&Target<'_>| {
        ones.iter().any(|one| one.kind == STATISTICS && target.read_by(one).is_some())
    };
    for target in read.iter().filter(counts) {
        draft.validate_sql(Sql::new(format!("ANALYZE {}", target.table), NOTHING));
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

fn said(draft: &mut Draft<'_>, target: &Target<'_>, found: &[&Dependent]) {
    for (from, _) in &target.pairs {
        let shows = |one: &&&Dependent| {
            is_view(one) && target.known.dependents.iter().any(|own| own.said == one.said && own.reads(from))
        };
        let views: Vec<&str> = found.iter().filter(shows).map(|one| one.called.as_str()).collect();
        if !views.is_empty() {
            draft.caution(format!(
                "contract makes {} again: where they show {}.{}, it has its new type there too",
                views.join(", "),
                target.table.plain(),
                plain(from)
            ));
        }
    }
}
