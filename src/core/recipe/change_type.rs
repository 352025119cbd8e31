//! `change_type`: another type for a column, without writing the table anew under a lock.
//!
//! A second column of the new type is kept in step out of sight of the application, gets the like
//! of everything that stands over the column, and takes its name in one short transaction. Until
//! then both versions of the application see the old type, from then on the new one. Statements
//! that sessions have prepared are planned again by the server; one that gives the column back
//! fails in a session that prepared it before (`cached plan must not change result type`) until it
//! is prepared anew, as after an ALTER COLUMN TYPE; most drivers do that by themselves.
//! The column is the last of the table then: `SELECT *` gives it at the end, and an `INSERT` without a list of columns
//! puts values into other ones than before.
//!
//! With `to` it gets another name as well, and the second column has that name from expand on: new
//! code writes it in its new type, old code the old one, and each sees what the other wrote, by
//! `using` and `back`. Contract takes the old one out of sight. `rename_column` and `change_type` of
//! one column in one plan, in either order, are the same where nothing else about the table stands
//! between them.
//!
//! Views that read the column, and views on those, are made again in that transaction as the server
//! prints them, with owner, privileges, comments, options, defaults, rules and triggers; so are
//! policies, triggers, and the table's place in a publication that names the column. Extended
//! statistics and materialized views get their like beforehand, filled before it takes the name.
//! Expand tries all of that once and takes it back. What cannot be made again, such as a view that
//! a function returns rows of, a generated column, or a rule, is refused by name. What comes to the column by hand after the
//! plan has started, or changes, stops contract by name.
//!
//! # Deploying
//!
//! Statements without a list of columns must be gone before: `COPY` meets one column more from expand on, and an `INSERT`
//! meets them in another order from contract on, the old one among them while it is kept.
//!
//! From expand on old code may write only what the new type can hold: any other value fails its writer, as ALTER COLUMN
//! TYPE would fail on it (a text that is too long is never cut), and a row that has one goes into quarantine, which holds contract back. Give `using`
//! where such values are to become others.
//!
//! Without `to`, code that needs the new type ships after contract. With `to`, new code ships once the plan is
//! `validated`: by then every row has its value under the new name, and the indexes and constraints over it are there.
//! Until purge a write fails where `back` gives the old column a value that its type cannot hold.
//!
//! A transaction of REPEATABLE READ or SERIALIZABLE that began before the backfill, and reads the column under its name
//! for the first time after contract, finds null in it, as an ALTER COLUMN TYPE would show it no rows at all: contract
//! waits for those that hold the table, not for others.
//!
//! Contract stops as long as the function of one of the table's own triggers says `NEW.x` or `OLD.x` of the old name, with `to`: every
//! write would fail from then on. Replace it beforehand by one that works before and after, such as by `to_jsonb(NEW) ->> 'x'`
//! to read and `jsonb_populate_record(NEW, …)` to write.
//!
//! # Going back
//!
//! The old column is there until purge. With `to` it has every write of either version, those of new code by `back`.
//! After contract, while `keep` lasts, it is kept by `back`, and abort brings it back with all that stood over it.

mod fit;

use schemars::JsonSchema;
use serde::Deserialize;

use super::carried::{Carried, carried};
use super::draft::{Draft, Sql};
use super::known::{Column, Table};
use super::reader::Reader;
use super::restless;
use super::trigger::{Standing, beside};
use crate::core::ident::{Ident, QName, plain};
use crate::core::plan::model::{ExchangeSpec, Pair, StepSpec, SyncSpec};
use crate::core::sql::{Cast, Fit, TypeRef, cast, cuts, expression_over, fit, holds, read_type};
use crate::core::step::Allow;

/// `change_type: {table, column, type, using, back, default, to}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The column.
    column: String,
    /// Its new type.
    #[serde(rename = "type")]
    kind: String,
    /// The new value: an expression over the row as it was; a cast where nothing is said.
    using: Option<String>,
    /// The old value: an expression over the row as it will be; a cast where nothing is said.
    back: Option<String>,
    /// Its default in the end; the old one, cast, where nothing is said.
    default: Option<String>,
    /// Its name in the end, where that is another: both names work until contract.
    to: Option<String>,
}

/// Another type for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeType {
    table: QName,
    column: Ident,
    kind: String,
    using: Option<String>,
    back: Option<String>,
    default: Option<String>,
    to: Option<Ident>,
    /// Whether each value has one in the other type, there and back.
    total: bool,
}

/// A column's value in a type, where nothing is said: a cast, but never one that cuts it without a word.
fn value(name: &Ident, from: &str, to: &str) -> String {
    let cut = read_type(to).is_ok_and(|kind| cuts(&printed(from), &kind));
    if cut { name.to_string() } else { format!("{name}::{to}") }
}

/// A type as `format_type` prints it.
fn printed(kind: &str) -> String {
    read_type(kind).map_or_else(|_| kind.to_owned(), |kind| kind.printed())
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<ChangeType> {
    let table = reader.table("table", &raw.table);
    let column = reader.ident("column", &raw.column);
    let kind = reader.type_name("type", &raw.kind);
    let using = reader.maybe("using", raw.using.as_deref())?;
    let back = reader.maybe("back", raw.back.as_deref())?;
    let default = reader.maybe("default", raw.default.as_deref())?;
    let to = raw.to.map(|to| reader.ident("to", &to));
    let to = if let Some(to) = to { Some(to?) } else { None };
    if to.is_some() && to == column {
        reader.fault("to is the name that the column has: leave it out");
        return None;
    }
    Some(ChangeType { table: table?, column: column?, kind: kind?, using, back, default, to, total: false })
}

impl ChangeType {
    /// Of a recipe that says what each value becomes, there and back.
    pub(super) fn by(
        (table, column): (&QName, &Ident),
        kind: String,
        [using, back]: [String; 2],
        default: Option<String>,
    ) -> Self {
        let (table, column) = (table.clone(), column.clone());
        Self { table, column, kind, using: Some(using), back: Some(back), default, to: None, total: true }
    }

    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, column: name, kind, .. } = self;
        let column = draft.column(table, name);
        let known = draft.table(table).unwrap_or_default();
        self.refuse_unfit(draft, &known, &column);
        if let Some(to) = &self.to {
            draft.refuse_taken(table, to);
        }
        let own = || draft.own_name(&format!("new_{}", name.as_str()));
        let shadow = self.to.clone().unwrap_or_else(own);
        let mut add = column.like(table, &shadow, kind);
        let default = self.default.clone().or_else(|| self.carried_default(draft, &column));
        if let Some(default) = &default {
            // Fails now, and not in contract, where it does not fit. EXPLAIN runs nothing.
            add.push(format!("EXPLAIN UPDATE {table} SET {shadow} = ({default})"));
        }
        let added = Sql::new(add.join(";\n"), format!("ALTER TABLE {table} DROP COLUMN {shadow}"));
        let quiet = "EXPLAIN looks at the expression of the default and runs nothing";
        draft.expand_sql(if default.is_some() { added.allow("opaque", quiet) } else { added });
        let using = self.using.clone().unwrap_or_else(|| value(name, &column.kind, kind));
        if let Some(to) = &self.to {
            restless::refuse(draft, table, to, &using);
        }
        let using = draft.expression_now(table, &using);
        let set = vec![(shadow.clone(), using.clone())];
        let kept = self.kept(&column);
        let back = self.to.iter().map(|_| (name.clone(), draft.expression_now(table, &kept))).collect();
        let sync = draft.sync(SyncSpec { table: table.clone(), set: set.clone(), back });
        let (triggers, no_triggers) = self.triggers(draft, &known, &column, &using);
        draft.fill(table, set, Some(format!("{shadow} IS NULL AND ({using}) IS NOT NULL")));
        let Carried { lock, mut first, hide, then, last, drop } =
            carried(draft, table, &known, &column, name, &shadow);
        first.there.extend(no_triggers);
        first.back.extend(triggers);
        if column.not_null {
            draft.validate(StepSpec::NotNull { table: table.clone(), column: shadow.clone() });
        }
        let mut then = then;
        let stands = known.constraints.iter().any(|one| one.columns.iter().any(|of| of == name.as_str()))
            || known.indexes_of(name).next().is_some();
        let read = known.dependents.iter().any(|one| one.reads(name));
        let reason = "the recipe has made its like over the column that takes the place";
        let slow = |kind: &str| matches!(kind, "materialized view" | "publication");
        let held = known.dependents.iter().any(|one| one.reads(name) && slow(&one.kind));
        // The linter sees by itself what stands over a column of another name, but for statistics.
        let statistics = known.dependents.iter().any(|one| one.reads(name) && one.kind == "statistics");
        let along = if self.to.is_some() { statistics } else { stands || read };
        let rules = [("drop-column-takes-along", along), ("drop-column-dependents", held)];
        let allow =
            rules.iter().filter(|(_, is)| *is).map(|(rule, _)| Allow::of_step(rule, reason)).collect();
        if let Some(default) = &default {
            then.there.push(format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}"));
            then.back.insert(0, format!("ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"));
        }
        draft.exchange(ExchangeSpec {
            title: self.title(),
            pairs: vec![Pair {
                table: table.clone(),
                sync,
                gone: name.clone(),
                stays: shadow,
                name: name.clone(),
                finally: self.to.clone(),
                kept,
            }],
            lock,
            first,
            hide,
            then,
            last,
            drop,
            allow,
        });
        self.caution(draft, &column);
        self.now(draft, default);
    }

    /// The old default as one of the new type: cast, where the server has no assignment from the old one.
    fn carried_default(&self, draft: &mut Draft<'_>, column: &Column) -> Option<String> {
        let default = column.default.clone()?;
        let name = format!("{}.{}", self.table.plain(), plain(&self.column));
        let Ok(kind) = read_type(&self.kind) else { return Some(default) };
        match cast(&column.kind, &kind) {
            Cast::Assigned => Some(default),
            Cast::Explicit => {
                let over = format!("({default})::{}", self.kind);
                draft.caution(format!(
                    "the default of {name} is cast, and expand fails where that cannot be: {over}; where that is not the \
                     right one, say it: default: EXPRESSION"
                ));
                Some(over)
            }
            Cast::None => {
                draft.refuse(format!(
                    "the default of {name}, {default}, cannot be cast to {}: say the new one, default: EXPRESSION",
                    self.kind
                ));
                Some(default)
            }
        }
    }

    fn caution(&self, draft: &mut Draft<'_>, column: &Column) {
        let name = format!("{}.{}", self.table.plain(), plain(&self.column));
        let every = |from: &str, to: &str| read_type(to).is_ok_and(|to| holds(from, &to));
        let known = draft.table(&self.table).unwrap_or_default();
        let last = known.columns.last().is_none_or(|last| last.name == column.name);
        if draft.keeps() || !last {
            draft.caution(format!(
                "from contract on {name} is the last column of its table, behind the old one while that is kept: an INSERT without a \
                 list of columns would put values into other ones than before, and COPY meets one column more from expand on; let \
                 them name their columns first"
            ));
        }
        if !self.total && (self.using.is_some() || !every(&column.kind, &self.kind)) {
            let cannot = if self.using.is_some() {
                format!("a value of which using gives none of type {}", self.kind)
            } else {
                format!("a value that is none of type {}", self.kind)
            };
            draft.caution(format!(
                "from expand on {cannot} fails its writer in {name}, old code too; a row that has one already goes into \
                 quarantine, which holds contract back until it is mended"
            ));
        }
        let plainly = self.using.is_none() && self.to.is_none() && column.collation.is_none();
        let fits = |kind: &TypeRef| fit(&column.kind, kind, None) == Some(Fit::Same);
        if plainly && read_type(&self.kind).is_ok_and(|kind| fits(&kind)) {
            draft.caution(format!(
                "PostgreSQL gives {name} the type {0} without writing the table anew: where nothing hangs on it and no way back \
                 is needed, sql: {{expand: [{{sql: ALTER TABLE {1} ALTER COLUMN {2} TYPE {0}, …}}]}} is enough",
                self.kind,
                self.table.plain(),
                plain(&self.column)
            ));
        }
        if !self.total && (self.back.is_some() || !every(&printed(&self.kind), &column.kind)) {
            let since = if self.to.is_some() { "from expand on, and " } else { "" };
            draft.caution(format!(
                "{since}while contract keeps the old {name}, a value that its type cannot hold fails its writer: purge ends that"
            ));
        }
    }

    /// The old value, over the row as it will be.
    fn kept(&self, column: &Column) -> String {
        let name = self.to.as_ref().unwrap_or(&self.column);
        self.back.clone().unwrap_or_else(|| value(name, &self.kind, &column.kind))
    }

    fn title(&self) -> String {
        let Self { table, column, kind, .. } = self;
        let named = self.to.as_ref().map(|to| format!(" and the name {}", plain(to))).unwrap_or_default();
        format!("give {}.{} the type {kind}{named}", table.plain(), plain(column))
    }

    /// What a write of the new name must bring about, where there is one before contract.
    fn triggers(
        &self,
        draft: &mut Draft<'_>,
        known: &Table,
        column: &Column,
        using: &str,
    ) -> (Vec<String>, Vec<String>) {
        let Some(to) = &self.to else { return (Vec::new(), Vec::new()) };
        let back = draft.expression_now(&self.table, &self.kept(column));
        match Standing::computed((&self.column, &back), (to, using, &self.kind)) {
            Ok(standing) => beside(draft, &self.table, known, &standing),
            Err(error) => {
                draft.refuse(format!("triggers for {} cannot be written: {error}", plain(to)));
                (Vec::new(), Vec::new())
            }
        }
    }

    /// What the changes that follow find.
    fn now(&self, draft: &mut Draft<'_>, default: Option<String>) {
        let (table, name) = (&self.table, self.column.as_str());
        if self.to.is_some() {
            draft.renames_in_dependents(table, Some(&self.column));
        }
        let last = self.to.as_ref().map_or(name, Ident::as_str);
        draft.now_column(table, &self.column, |column| {
            self.kind.clone_into(&mut column.kind);
            column.was = Some(column.name.clone()).filter(|was| was != last);
            last.clone_into(&mut column.name);
            column.default = default;
            column.exchanged = true;
        });
        draft.now(table, |known| {
            let indexes = known.indexes.iter_mut().map(|index| &mut index.columns);
            let constraints = known.constraints.iter_mut().map(|constraint| &mut constraint.columns);
            for column in indexes.chain(constraints).flatten().filter(|column| *column == name) {
                last.clone_into(column);
            }
        });
    }

    /// The same under another name in the end; `None`: it has one already.
    pub(super) fn named(&self, to: &Ident) -> Option<Self> {
        let over = |expr: &Option<String>| {
            expr.as_ref().map(|expr| expression_over(expr, &self.column, to)).transpose().ok()
        };
        let back = over(&self.back)?;
        self.to.is_none().then(|| Self { to: Some(to.clone()), back, ..self.clone() })
    }

    /// The same of a column that had another name before, which it has in the end.
    pub(super) fn renamed_from(&self, from: &Ident) -> Option<Self> {
        let using =
            self.using.as_ref().map(|expr| expression_over(expr, &self.column, from)).transpose().ok()?;
        let to = Some(self.column.clone());
        self.to.is_none().then(|| Self { column: from.clone(), to, using, ..self.clone() })
    }

    /// Whether it is of this column.
    pub(super) fn is_of(&self, table: &QName, column: &Ident) -> bool {
        self.table == *table && self.column == *column
    }
}
