//! `widen_key`: a wider integer type for a key and for every column that refers to it.
//!
//! Each table of the family (the table of the key, those whose foreign keys refer to it, those that refer
//! to these columns in turn) gets a second column of the new type, kept in step out of sight of the
//! application, with the like of its indexes, constraints and foreign keys over it. Contract lets them all
//! take the names in one short transaction, the primary key and the sequence or identity with them; a last
//! step lets the sequence count on past the end of the old type. No table is written anew under a lock.
//!
//! Views that read one of the columns, also of several of the tables, and views on those, are made again in
//! that transaction as the server prints them, with owner, privileges, comments, options, defaults, rules
//! and triggers; so are policies, triggers, and a table's place in a publication that names a column. Extended
//! statistics and materialized views get their like beforehand, filled before it takes the name. Expand
//! tries all of that once and takes it back, but for views that group by the primary key alone and show
//! more of the row, which the server takes once the key is there. What cannot be made again, such as a
//! materialized view that groups so, a view that a function returns rows of, a generated column, or a
//! rule, is refused by name.
//!
//! # Deploying
//!
//! Old code and new code use the same names and the same statements; what code must be ready for, before
//! contract, are numbers that its own integer type cannot hold (`int` in many languages, ids in JSON that a
//! client reads as 32 bits). A gate waits for that: `gates: {contract: {deployed: [APP@VERSION]}}`. A session
//! that has prepared a statement which gives the column back fails with `cached plan must not change
//! result type` until it is prepared anew, as after an ALTER COLUMN TYPE; most drivers do that by
//! themselves. The columns are the last of their tables then: `SELECT *` gives them at the end.
//!
//! Statements without a list of columns must be gone before: `COPY` meets one column more from expand on, and an `INSERT`
//! meets them in another order from contract on, the old ones among them while they are kept.
//!
//! # Going back
//!
//! Before contract abort takes the second columns away. While contract keeps the old columns they hold every
//! number that their type can, and nothing where it cannot, so that no writer ever fails; abort brings them
//! back with their primary key, their foreign keys and their sequence, and is refused once there is a number
//! that they cannot hold.

mod family;
mod fit;
mod keeping;
mod numbers;
mod over;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;

use super::carried::{Carried, triggers};
use super::dependents::{Target, dependents};
use super::draft::{Draft, Sql};
use super::known::{Column, Known, Table};
use super::reader::Reader;
use crate::core::ident::{Ident, QName, list, plain};
use crate::core::plan::model::{AssertSpec, BothWays, ExchangeSpec, Pair, StepSpec, SyncSpec};
use crate::core::step::Allow;
use family::{Family, Member};
use keeping::Keeping;
use over::Over;

/// `widen_key: {table, column, type}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table of the key.
    table: String,
    /// Its column.
    column: String,
    /// The new type; bigint where nothing is said.
    #[serde(rename = "type")]
    kind: Option<Wide>,
}

/// A wider integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Wide {
    /// Four bytes.
    Integer,
    /// Eight bytes.
    Bigint,
}

impl Wide {
    const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Bigint => "bigint",
        }
    }
}

/// A wider integer type for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WidenKey {
    table: QName,
    column: Ident,
    kind: &'static str,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<WidenKey> {
    let table = reader.table("table", &raw.table);
    let column = reader.ident("column", &raw.column);
    let kind = raw.kind.unwrap_or(Wide::Bigint).name();
    Some(WidenKey { table: table?, column: column?, kind })
}

/// Something to run, and what takes it back, which runs in the other order.
fn both(ways: &mut BothWays, there: String, back: String) {
    ways.there.push(there);
    ways.back.insert(0, back);
}

impl WidenKey {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    /// The tables of its family of which nothing is known yet.
    pub(super) fn unknown(&self, known: &Known) -> Vec<QName> {
        let column = known.table(&self.table).and_then(|table| table.column(&self.column));
        column.map(|column| Family::of(known, &self.table, column).unknown).unwrap_or_default()
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, column: name, kind } = self;
        let column = draft.column(table, name);
        let family = Family::of(draft.known(), table, &column);
        self.refuse_unfit(draft, &family, &column);
        let key = |known: &Table| {
            known.constraints.iter().any(|one| one.kind == "p" && one.columns.contains(&column.name))
        };
        if family.members.first().is_some_and(|root| !root.known.columns.is_empty() && !key(&root.known)) {
            return; // It is refused, and no step can be written.
        }
        let column = family.members.first().and_then(|root| root.columns.first().cloned()).unwrap_or(column);
        let version = draft.version().to_owned();
        let shadow = |name: &Ident| Ident::shortened(&format!("_phase_{version}_new_"), name.as_str());
        family.members.iter().for_each(|member| self.add(draft, member, &shadow));
        let syncs: Vec<usize> =
            family.members.iter().map(|member| keep_in_step(draft, member, kind, &shadow)).collect();
        for member in family.members.iter().filter(|member| !member.columns.is_empty()) {
            draft.validate(equal(member, &shadow));
        }
        let mut around = Carried::default();
        let exchanged: Vec<&Member> =
            family.members.iter().filter(|member| !member.columns.is_empty()).collect();
        let targets: Vec<Target<'_>> = exchanged
            .iter()
            .map(|member| Target { table: &member.table, known: &member.known, pairs: member.pairs(&shadow) })
            .collect();
        let kinds = targets.iter().flat_map(Target::kinds);
        let slow = kinds.into_iter().any(|kind| matches!(kind, "materialized view" | "publication"));
        // Whoever reads a view locks it before what it reads: so does the exchange.
        dependents(draft, &targets, &mut around);
        for member in &exchanged {
            let names: Vec<Ident> = member.names().collect();
            triggers(&member.table, &member.known, &names, &mut around);
        }
        let keeping = Keeping::new(&family, draft, &column.kind);
        let mut over = Over { draft, family: &family, shadow: &shadow, around: &mut around };
        over.write();
        let mut pairs = Vec::new();
        for (member, sync) in family.members.iter().zip(syncs) {
            for old in &member.columns {
                let Ok(name) = Ident::exact(old.name.clone()) else { continue };
                numbers::hand_over(draft, &member.table, old, &shadow(&name), kind, &mut around);
                carry(&member.table, old, &name, &mut around);
                keeping.hide(member, old, &name, &mut around);
                pairs.push(Pair {
                    table: member.table.clone(),
                    sync,
                    stays: shadow(&name),
                    name: name.clone(),
                    finally: None,
                    kept: keeping.value(&name),
                    gone: name,
                });
            }
        }
        let reason = "the recipe has made its like over the column that takes the place";
        let allowed = [("drop-column-takes-along", true), ("drop-column-dependents", slow)];
        let allow =
            allowed.iter().filter(|(_, is)| *is).map(|(rule, _)| Allow::of_step(rule, reason)).collect();
        let Carried { lock, first, hide, then, last, drop } = around;
        draft.contract(StepSpec::Exchange(ExchangeSpec {
            title: format!("give {}.{} and what refers to it the type {kind}", table.plain(), plain(name)),
            pairs,
            lock,
            first,
            hide,
            then,
            last,
            drop,
            allow,
        }));
        let raised = family.members.iter().flat_map(|member| {
            member.columns.iter().filter_map(|column| numbers::raise(&member.table, column, kind))
        });
        let (there, back): (Vec<String>, Vec<String>) = raised.unzip();
        if draft.keeps() {
            keeping.write(draft, there, back);
        } else if !there.is_empty() {
            draft.contract_sql(Sql::new(there.join(";\n"), back.join(";\n")));
        }
        self.now(draft, &family);
    }

    fn add(&self, draft: &mut Draft<'_>, member: &Member, shadow: &dyn Fn(&Ident) -> Ident) {
        let table = &member.table;
        let (mut there, mut back) = (Vec::new(), Vec::new());
        for (column, (_, shadow)) in member.columns.iter().zip(member.pairs(shadow)) {
            there.extend(column.like(table, &shadow, self.kind));
            back.push(format!("ALTER TABLE {table} DROP COLUMN {shadow}"));
        }
        if !there.is_empty() {
            draft.expand_sql(Sql::new(there.join(";\n"), back.join(";\n")));
        }
    }

    /// What the changes that follow know of the tables.
    fn now(&self, draft: &mut Draft<'_>, family: &Family) {
        for member in &family.members {
            for name in member.names() {
                draft.now_column(&member.table, &name, |column| {
                    self.kind.clone_into(&mut column.kind);
                    column.exchanged = true;
                });
            }
        }
    }
}

/// Keeps a member's new columns in step and fills them; which sync of the plan that is.
fn keep_in_step(
    draft: &mut Draft<'_>,
    member: &Member,
    kind: &str,
    shadow: &dyn Fn(&Ident) -> Ident,
) -> usize {
    let pairs = member.pairs(shadow);
    if pairs.is_empty() {
        return 0;
    }
    let set: Vec<(Ident, String)> =
        pairs.iter().map(|(name, shadow)| (shadow.clone(), format!("{name}::{kind}"))).collect();
    let left: Vec<String> =
        pairs.iter().map(|(name, shadow)| format!("({shadow} IS NULL AND {name} IS NOT NULL)")).collect();
    let table = &member.table;
    let sync = draft.sync(SyncSpec { table: table.clone(), set: set.clone(), back: Vec::new() });
    draft.fill(table, set, Some(left.join(" OR ")));
    sync
}

fn equal(member: &Member, shadow: &dyn Fn(&Ident) -> Ident) -> StepSpec {
    let table = &member.table;
    let (names, shadows): (Vec<Ident>, Vec<Ident>) = member.pairs(shadow).into_iter().unzip();
    StepSpec::Assert(AssertSpec {
        name: format!("the old and the new columns of every row of {} are equal", table.plain()),
        sql: format!(
            "SELECT count(*) FROM {table} WHERE ({}) IS DISTINCT FROM ({})",
            list(&names),
            list(&shadows)
        ),
        expect: "0".into(),
    })
}

/// The default and the comment of a column.
fn carry(table: &QName, old: &Column, name: &Ident, around: &mut Carried) {
    let alter = format!("ALTER TABLE {table} ALTER COLUMN {name}");
    if let Some(default) = &old.default {
        // What nobody writes must not look written to the trigger that keeps it.
        both(&mut around.hide, format!("{alter} DROP DEFAULT"), format!("{alter} SET DEFAULT {default}"));
        both(&mut around.then, format!("{alter} SET DEFAULT {default}"), format!("{alter} DROP DEFAULT"));
    }
    if let Some(comment) = &old.comment {
        let comment = crate::core::ident::literal(comment);
        around.then.there.push(format!("COMMENT ON COLUMN {table}.{name} IS {comment}"));
    }
}
