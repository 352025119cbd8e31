//! `partition_table`: a partitioned table takes the place of one that is not. It stands beside the
//! table from expand on, under a name of the plan's own, with all its columns, keys, indexes, checks,
//! foreign keys, grants and comments; a copy fills it, triggers keep it in step, and contract gives
//! it the name in one short transaction, with the triggers and the sequences of the table.
//!
//! The applications know one name, so that one of the two tables is written by clients at any time.
//! A row that no partition takes would fail its writer: where the plan has no `default`, a partition
//! of its own takes such rows until contract, and validate and contract stop while there are any.
//!
//! What has no place in the new table is refused by name: a primary key or a unique index without
//! the partition columns, foreign keys that refer to the table, views, rules, policies, exclusion
//! constraints, extended statistics, publications, inheritance, a replica identity, and whatever
//! uses the type of its rows. What comes to the table, changes or goes by hand between the start of the plan and contract
//! would be lost with the old one: contract stops there by name.
//!
//! # Deploying
//!
//! No code has to change for it, and none has to ship: the statements are the same before and after, and each
//! write of the table costs a second one, of the other table, from expand to purge. Reads that name no partition
//! column look into every partition, so look at your slow queries on a copy first. `ANALYZE` the new table (`phase show`
//! prints its name) before `phase contract`: the server does not do that of itself for a partitioned table as a whole.
//!
//! Indexes and constraints of the table have the names that they had; those of the partitions have the names that
//! the server gives them (`orders_2026_pkey`). Storage parameters go to the partitions. A transaction of REPEATABLE
//! READ that is older than the end of the copy and comes to the table only after contract does not see the
//! rows that were copied since it began: end such transactions before.
//!
//! A row that an UPDATE moves from one partition to another is deleted there and inserted here: its triggers for
//! DELETE and INSERT fire, and those AFTER UPDATE do not, as in every partitioned table.
//!
//! # Going back
//!
//! Before contract the table itself is never touched, and abort drops the new one. While `keep` lasts the old
//! table is out of sight, without its triggers, and follows the new one row by row, so that abort gives it
//! back its name with every write. A `TRUNCATE`, `DETACH` or `DROP` of a single partition is nothing that it could
//! follow: the rows of that stay in it. Partitions that came meanwhile go with abort; their rows are in the old table.

mod carried;
mod fit;
mod raw;
#[cfg(test)]
mod tests;

use super::draft::{Draft, Sql};
use super::guard;
use super::known::Table;
use crate::core::ident::{Ident, QName, do_block, list, literal};
use crate::core::plan::model::{AssertSpec, BothWays, MirrorSpec, StepSpec, SucceedSpec};
use crate::core::sql::rows;
use carried::Carried;
pub(super) use raw::{Raw, read};

/// A table in partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionTable {
    table: QName,
    by: raw::By,
    columns: Vec<Ident>,
    partitions: Vec<Partition>,
    /// Whether there is a partition for every row.
    complete: bool,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Partition {
    name: QName,
    /// What stands behind PARTITION OF.
    bound: String,
}

impl PartitionTable {
    pub(super) fn tables(&self) -> Vec<&QName> {
        std::iter::once(&self.table).chain(self.partitions.iter().map(|one| &one.name)).collect()
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, .. } = self;
        let known = draft.required(table).unwrap_or_default();
        self.refuse_unfit(draft, &known);
        let new = table.sibling(draft.own_name(&format!("new_{}", table.name.as_str())));
        let rest = table.sibling(draft.own_name(&format!("rest_{}", table.name.as_str())));
        let hidden = table.sibling(draft.own_name(table.name.as_str()));
        let carried = Carried { table, new: &new, hidden: &hidden, known: &known };
        let (key, columns) = self.columns_of(&known);
        let made = self.made(draft, &carried, &rest);
        let why = "nobody but the plan knows the new table, whose parts the table had already";
        draft.expand_sql(Sql::new(made, format!("DROP TABLE {new}")).allow("opaque", why));
        let mirror = draft.mirror(MirrorSpec {
            from: table.clone(),
            to: new.clone(),
            key: key.clone(),
            columns: columns.clone(),
            fixed: Vec::new(),
        });
        let all: Vec<Ident> = [key.clone(), columns].concat();
        let copied = all.iter().map(|name| (name.clone(), name.to_string())).collect();
        draft.copy((table, &new), copied, None);
        let proof = equal(table, &new, &key, &all);
        draft.validate(StepSpec::Assert(proof.clone()));
        let mut first = carried.hide_names(draft);
        first.there.splice(0..0, guard::of_table(table, &new, &known));
        let mut then = carried.take_over(draft);
        if !self.complete {
            let name = format!("every row of {} has its partition", table.plain());
            let sql = format!("SELECT count(*) FROM {rest}");
            draft.validate(StepSpec::Assert(AssertSpec { name, sql, expect: "0".into() }));
            first.there.insert(0, refuse_rest(table, &rest));
            then.there.push(format!("DROP TABLE {rest}"));
            let mut again = vec![format!("CREATE TABLE {rest} PARTITION OF {table} DEFAULT")];
            again.extend(carried.owned(&rest));
            then.back.splice(0..0, again);
            draft.caution(format!(
                "from contract on a row of {} that no partition takes fails its statement: default: true makes a partition \
                 for such rows",
                table.plain()
            ));
        }
        let fixed = known.columns.iter().filter(|column| column.identity.as_deref() == Some("a"));
        // Once more: where the triggers were off for a while, no proof of the copy would see it.
        draft.contract(StepSpec::Assert(proof));
        draft.contract(StepSpec::Succeed(SucceedSpec {
            title: format!("give the name {} to the partitioned table", table.plain()),
            mirror,
            first,
            then,
            fixed: fixed.filter_map(|column| Ident::exact(column.name.clone()).ok()).collect(),
            allow: Vec::new(),
        }));
        draft.closes(
            table,
            "is another table from contract on: make other changes of it in a plan of their own",
        );
    }

    /// The primary key, and the columns besides it that can be written; those that the plan names where nothing is known.
    fn columns_of(&self, known: &Table) -> (Vec<Ident>, Vec<Ident>) {
        let names =
            |names: &[String]| names.iter().filter_map(|name| Ident::exact(name.clone()).ok()).collect();
        let primary = known.indexes.iter().find(|index| index.constraint.as_deref() == Some("p"));
        let Some(primary) = primary else { return (self.columns.clone(), Vec::new()) };
        let key: Vec<Ident> = names(&primary.keys);
        let rest = known.columns.iter().filter(|column| column.generated.is_none());
        let rest: Vec<String> = rest.map(|column| column.name.clone()).collect();
        let rest: Vec<Ident> = names(&rest);
        (key.clone(), rest.into_iter().filter(|name| !key.contains(name)).collect())
    }

    /// The statements that make the new table.
    fn made(&self, draft: &mut Draft<'_>, carried: &Carried<'_>, rest: &QName) -> String {
        let Self { table, by, columns, partitions, complete } = self;
        let new = carried.new;
        let mut like = "INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS INCLUDING COMMENTS INCLUDING STORAGE".to_owned();
        if draft.server() >= COMPRESSION {
            like += " INCLUDING COMPRESSION";
        }
        let mut sql = vec![
            format!(
                "CREATE TABLE {new} (LIKE {table} {like})\n  PARTITION BY {} ({})",
                by.sql(),
                list(columns)
            ),
            fit::refuse_unseen(table),
        ];
        sql.extend(carried.parts(draft));
        let mut of: Vec<(&QName, &str)> =
            partitions.iter().map(|one| (&one.name, one.bound.as_str())).collect();
        if !complete {
            of.push((rest, "DEFAULT"));
        }
        for (name, bound) in of {
            sql.push(format!("CREATE TABLE {name} PARTITION OF {new} {bound}"));
            sql.extend(carried.owned(name));
        }
        sql.extend(carried.owned(new));
        sql.extend(carried.rights());
        sql.push(carried.words());
        sql.join(";\n")
    }
}

/// From this version on a column has a compression of its own.
const COMPRESSION: u32 = 140_000;

/// That each of two tables has the rows of the other.
fn equal(table: &QName, new: &QName, key: &[Ident], all: &[Ident]) -> AssertSpec {
    let on = rows::equal("a", "b", key.iter().map(|name| (name, name)));
    AssertSpec {
        name: format!("the partitioned table has the rows of {}", table.plain()),
        sql: format!(
            "SELECT count(*) FROM {table} a FULL JOIN {new} b ON {on} WHERE {}",
            rows::differ(&rows::over("a", all), &rows::over("b", all))
        ),
        expect: "0".into(),
    }
}

/// Rows that came since validate and that no partition takes.
fn refuse_rest(table: &QName, rest: &QName) -> String {
    let body = format!(
        "BEGIN\n  IF EXISTS (SELECT FROM {rest}) THEN\n    \
         RAISE EXCEPTION 'table % has rows that no partition takes', {}\n      \
         USING HINT = {};\n  END IF;\nEND",
        literal(&table.plain()),
        literal(&format!(
            "They stand in {}; nothing has been taken away. Change them, or abort and give them a partition.",
            rest.plain()
        )),
    );
    do_block(&body)
}

/// Adds to both ways: `back` runs the other way round.
fn and(ways: &mut BothWays, there: String, back: String) {
    ways.there.push(there);
    ways.back.insert(0, back);
}
