//! Owns what a plan takes for granted about the database, so that it can be
//! looked up before anything runs.

use std::collections::BTreeSet;

use crate::core::ident::{Ident, QName};
use crate::core::lint;
use crate::core::plan::model::{BackfillSpec, BackfillWork, Pair, Place, Plan, StepSpec, SyncSpec, Triggers};
use crate::core::sql::{self, Alter, Change, Renamed, SqlError, deep};
use crate::core::timeline::Item;

/// Something that must be there before a plan starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Where the plan asks for it.
    pub place: Place,
    /// The table that must exist.
    pub table: QName,
    /// The columns that it must have.
    pub columns: Vec<Ident>,
    /// The key that it must have: a unique index over exactly these columns.
    pub key: Option<Vec<Ident>>,
    /// The column that must be able to be null: an undo will make it so again.
    pub nullable: Option<Ident>,
    /// Whether the role must be able to leave the table's triggers out.
    pub skips_triggers: bool,
}

impl Requirement {
    fn table(place: Place, table: &QName) -> Self {
        Self {
            place,
            table: table.clone(),
            columns: Vec::new(),
            key: None,
            nullable: None,
            skips_triggers: false,
        }
    }
}

/// Lists what a plan requires; tables that it creates itself are left out.
#[must_use]
pub fn requirements(plan: &Plan) -> Vec<Requirement> {
    let made = made(plan);
    let steps = plan.expand.iter().chain(&plan.validate).chain(&plan.contract);
    let mut found: Vec<Requirement> = steps
        .flat_map(|step| {
            let (table, columns, nullable) = match &step.value {
                StepSpec::Index(spec) => (&spec.table, Vec::new(), None),
                StepSpec::Sync(spec) => (&spec.table, of_sync(spec), None),
                StepSpec::NotNull { table, column } => (table, vec![column.clone()], Some(column.clone())),
                StepSpec::DropColumn { table, column, .. } => (table, vec![column.clone()], None),
                StepSpec::DropTable { table, .. } => (table, Vec::new(), None),
                StepSpec::Exchange(spec) => {
                    let of_pair = |pair: &Pair| Requirement {
                        columns: vec![pair.gone.clone(), pair.stays.clone()],
                        ..Requirement::table(step.place, &pair.table)
                    };
                    return spec.pairs.iter().map(of_pair).collect();
                }
                StepSpec::Mirror(spec) => {
                    let columns = || spec.key.iter().chain(&spec.columns).cloned().collect();
                    let of =
                        |table| Requirement { columns: columns(), ..Requirement::table(step.place, table) };
                    return vec![of(&spec.from), of(&spec.to)];
                }
                StepSpec::Move(spec) => {
                    let (old, new) = spec.key.iter().chain(&spec.columns).cloned().unzip();
                    return [(&spec.from, old), (&spec.to, new)]
                        .map(|(table, columns)| Requirement {
                            columns,
                            ..Requirement::table(step.place, table)
                        })
                        .into();
                }
                StepSpec::Sql(_)
                | StepSpec::DropIndex(_)
                | StepSpec::Assert(_)
                | StepSpec::Succeed(_)
                | StepSpec::Moved(_)
                | StepSpec::Last(_) => {
                    return Vec::new();
                }
            };
            vec![Requirement { columns, nullable, ..Requirement::table(step.place, table) }]
        })
        .collect();
    for entry in &plan.backfill {
        let spec = &entry.value;
        found.push(Requirement {
            columns: of_backfill(spec),
            key: spec.key.clone(),
            skips_triggers: spec.triggers == Some(Triggers::Skip),
            ..Requirement::table(entry.place, &spec.table)
        });
        if let BackfillWork::Copy { into, columns } = &spec.work {
            let columns = columns.iter().map(|(column, _)| column.clone()).collect();
            found.push(Requirement { columns, ..Requirement::table(entry.place, into) });
        }
    }
    found.retain(|requirement| !made.contains(&requirement.table.name));
    found.sort_by_key(|requirement| requirement.place);
    found
}

fn of_sync(spec: &SyncSpec) -> Vec<Ident> {
    let pairs = || spec.set.iter().chain(&spec.back);
    let mut columns: Vec<Ident> = pairs().map(|(column, _)| column.clone()).collect();
    pairs().for_each(|(_, expr)| columns.extend(read_by(expr, &spec.table)));
    columns
}

fn of_backfill(spec: &BackfillSpec) -> Vec<Ident> {
    let (written, exprs): (Vec<&Ident>, Vec<&String>) = match &spec.work {
        BackfillWork::Set(pairs) => pairs.iter().map(|(column, expr)| (column, expr)).unzip(),
        BackfillWork::Copy { columns, .. } => (Vec::new(), columns.iter().map(|(_, expr)| expr).collect()),
        BackfillWork::Delete => (Vec::new(), Vec::new()),
    };
    let mut columns: Vec<Ident> = written.into_iter().chain(spec.key.iter().flatten()).cloned().collect();
    exprs.into_iter().chain(&spec.filter).for_each(|expr| columns.extend(read_by(expr, &spec.table)));
    columns
}

/// The columns of a table that an expression reads. One that is more than a plain expression over
/// them is left to the server, and so are the row as a whole and what every table has.
fn read_by(expr: &str, table: &QName) -> Vec<Ident> {
    const OF_EVERY_TABLE: [&str; 6] = ["tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"];
    let mut columns = sql::expression_columns(expr).unwrap_or_default();
    columns.retain(|column| *column != table.name && !OF_EVERY_TABLE.contains(&column.as_str()));
    columns
}

/// What items make, by name: what they require of it cannot be looked up before they run.
#[derive(Debug, Clone, Default)]
pub struct Made {
    tables: BTreeSet<Ident>,
    columns: BTreeSet<Ident>,
    /// Tables that they change in some other way.
    changed: BTreeSet<Ident>,
    /// Whether some of it cannot be seen through.
    unknown: bool,
}

impl Made {
    /// Adds what an item makes.
    ///
    /// # Errors
    /// When its SQL cannot be read.
    pub fn add(&mut self, item: &Item) -> Result<(), SqlError> {
        deep(|| {
            for step in &item.steps {
                // What the program writes itself is known, its DO blocks included.
                let own = step.statements.is_empty();
                for change in lint::statements(step)?.iter().flat_map(|statement| &statement.changes) {
                    self.change(change, own);
                }
            }
            Ok(())
        })?
    }

    /// Whether the tables of an item will not be as they are now.
    #[must_use]
    pub fn alters(&self, item: &Item) -> bool {
        let names = item.tables.iter().filter_map(|name| QName::parse(name).ok());
        self.unknown
            || names
                .into_iter()
                .any(|table| self.tables.contains(&table.name) || self.changed.contains(&table.name))
    }

    fn change(&mut self, change: &Change, own: bool) {
        match change {
            Change::CreateTable { table, .. } => {
                self.tables.insert(table.name.clone());
            }
            Change::Alter { table, what, .. } => {
                self.changed.insert(table.name.clone());
                if let Alter::AddColumn(column) = what {
                    self.columns.insert(column.name.clone());
                }
            }
            Change::Rename { of: Renamed::Column, to, .. } => {
                self.columns.insert(to.clone());
            }
            Change::Rename { of: Renamed::Table, to, .. } => {
                self.tables.insert(to.clone());
            }
            Change::SetSchema { table, .. } => {
                self.tables.insert(table.name.clone());
            }
            Change::CreateIndex(index) => {
                self.changed.insert(index.table.name.clone());
            }
            Change::Opaque(_) | Change::Calls(_) => self.unknown |= !own,
            _ => {}
        }
    }
}

/// What can be looked up of an item's requirements now, where `before` runs before it.
///
/// # Errors
/// When its SQL cannot be read.
pub fn to_look_up(item: &Item, before: &Made) -> Result<Vec<Requirement>, SqlError> {
    let mut own = Made::default();
    own.add(item)?;
    let known =
        |requirement: &&Requirement| !before.unknown && !before.tables.contains(&requirement.table.name);
    let left = |requirement: &Requirement| {
        let mut left = requirement.clone();
        left.columns.retain(|column| {
            !own.unknown && !own.columns.contains(column) && !before.columns.contains(column)
        });
        if before.changed.contains(&left.table.name) {
            (left.key, left.nullable) = (None, None);
        }
        left
    };
    Ok(item.requires.iter().filter(known).map(left).collect())
}

/// Names of tables that the plan's own SQL creates or renames.
/// The tables that a plan's own SQL makes in expand.
pub(super) fn made(plan: &Plan) -> BTreeSet<Ident> {
    let texts = plan.expand.iter().filter_map(|step| match &step.value {
        StepSpec::Sql(spec) => Some(spec.text.as_str()),
        _ => None,
    });
    texts.flat_map(|text| sql::made_tables(text).unwrap_or_default()).map(|table| table.name).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::testing;

    const PLAN: &str = "expand:
  - {sql: ALTER TABLE t ADD COLUMN b text, undo: ALTER TABLE t DROP COLUMN b}
  - sync: {table: t, set: {b: lower(a)}, back: {a: b}}
backfill:
  - {table: t, set: {b: lower(a)}, where: c IS NULL AND ctid IS NOT NULL, key: [id]}
validate:
  - not_null: {table: t, column: b}
contract:
  - drop_column: {table: t, column: a}
";

    fn asked(text: &str, before: &[&str]) -> Vec<String> {
        let item = testing::item("9_p", text);
        let mut made = Made::default();
        for (n, text) in before.iter().enumerate() {
            made.add(&testing::item(&format!("{n}_b"), text)).unwrap();
        }
        let columns = |found: &Requirement| {
            let names: Vec<&str> = found.columns.iter().map(Ident::as_str).collect();
            format!("{} {}", found.place.line, names.join(" ")).trim_end().to_owned()
        };
        to_look_up(&item, &made).unwrap().iter().map(columns).collect()
    }

    #[test]
    fn columns_that_are_made_first_are_not_asked_for() {
        assert_eq!(asked(PLAN, &[]), ["3 a a", "5 id a c", "7", "9 a"]);
        let adds = "-- UP\nALTER TABLE t ADD COLUMN a text;\n";
        assert_eq!(asked(PLAN, &[adds]), ["3", "5 id c", "7", "9"]);
        let renames = "-- UP\nALTER TABLE t RENAME COLUMN old TO c;\n";
        assert_eq!(asked(PLAN, &[renames]), ["3 a a", "5 id a", "7", "9 a"]);
        let creates = "-- UP\nCREATE TABLE t (a text);\n";
        assert!(asked(PLAN, &[creates]).is_empty());
    }

    #[test]
    fn what_cannot_be_seen_through_may_make_anything() {
        let opaque = "-- UP\nDO $$ BEGIN EXECUTE 'ALTER TABLE t ADD COLUMN a text'; END $$;\n";
        assert!(asked(PLAN, &[opaque]).is_empty());
        let own = PLAN.replace("ALTER TABLE t ADD COLUMN b text,", "SELECT add_columns(),");
        assert_eq!(asked(&own, &[]), ["3", "5", "7", "9"]);
    }

    #[test]
    fn a_key_that_is_built_first_is_not_asked_for() {
        let item = testing::item("9_p", PLAN);
        let mut made = Made::default();
        let key = |made: &Made| to_look_up(&item, made).unwrap().iter().any(|found| found.key.is_some());
        assert!(key(&made));
        made.add(&testing::item("1_b", "-- UP\nCREATE UNIQUE INDEX i ON t (id);\n")).unwrap();
        assert!(!key(&made));
    }
}
