//! Makes triggers beside those that a change of one column brings about (UPDATE OF), so that a
//! change of the column that stands in for it does as well.

use super::draft::{Draft, Sql};
use super::known::{Table, Trigger};
use crate::core::ident::{Ident, QName, plain, said};
use crate::core::sql::rows::differ;
use crate::core::sql::{Beside, SqlError, qualify, trigger_beside};

/// A column, and another that stands in for it.
pub(super) struct Standing<'a> {
    column: &'a Ident,
    other: &'a Ident,
    /// What a new row gives the column: an expression over `new`.
    value: String,
    /// What an old row gives the other: an expression over `old`.
    filled: String,
}

impl<'a> Standing<'a> {
    /// Both have the same values.
    pub(super) fn equal(column: &'a Ident, other: &'a Ident) -> Self {
        Self { column, other, value: format!("new.{other}"), filled: format!("old.{column}") }
    }

    /// Each has a value that is computed from the row.
    pub(super) fn computed(
        (column, back): (&'a Ident, &str),
        (other, using, kind): (&'a Ident, &str, &str),
    ) -> Result<Self, SqlError> {
        let (value, using) = (qualify(back, "new")?, qualify(using, "old")?);
        Ok(Self { column, other, value: format!("({value})"), filled: format!("CAST({using} AS {kind})") })
    }
}

/// Makes the triggers in expand that a write of the other needs, beside those of the column: the
/// statements that make them, and those that drop them again.
pub(super) fn beside(
    draft: &mut Draft<'_>,
    table: &QName,
    known: &Table,
    standing: &Standing<'_>,
) -> (Vec<String>, Vec<String>) {
    let Standing { column, other, .. } = standing;
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for trigger in &known.triggers {
        let of_it = trigger.columns.iter().any(|name| name == column.as_str());
        if of_it {
            match one(draft, trigger, table, standing) {
                Ok((create, drop)) => {
                    there.extend(create);
                    back.push(drop);
                }
                Err(error) => draft.refuse(format!(
                    "a write of {} must bring about trigger {} of {} too, and that cannot be written: {error}",
                    plain(other),
                    trigger.name,
                    table.plain()
                )),
            }
        }
    }
    runs_before(draft, table, known, column, &plain(other));
    name_said(draft, table, known, column);
    if !there.is_empty() {
        draft.expand_sql(Sql::new(there.join(";\n"), back.join(";\n")));
    }
    (there, back)
}

/// Names the triggers whose functions stop contract, as they say the name of a column that goes.
pub(super) fn name_said(draft: &mut Draft<'_>, table: &QName, known: &Table, column: &Ident) {
    for trigger in known.triggers.iter().filter(|trigger| says(trigger, column)) {
        draft.caution(format!(
            "function {}, which trigger {} of {} runs, names {} of NEW or OLD: contract stops there until the function is \
             replaced by one that works before and after, such as by to_jsonb(NEW) ->> {}",
            trigger.function,
            trigger.name,
            table.plain(),
            plain(column),
            said(column.as_str())
        ));
    }
}

fn says(trigger: &Trigger, column: &Ident) -> bool {
    trigger.says.iter().any(|name| name == column.as_str())
}

/// Names the triggers that see a row of new code before its old column is filled.
pub(super) fn runs_before(draft: &mut Draft<'_>, table: &QName, known: &Table, column: &Ident, others: &str) {
    // The syncs of other plans come in their own order.
    let of_others = |trigger: &&Trigger| {
        trigger.before() && !trigger.name.starts_with("zz_phase_") && !says(trigger, column)
    };
    for trigger in known.triggers.iter().filter(of_others) {
        let head = trigger.definition.split(" ON ").next().unwrap_or_default();
        let of_it = trigger.columns.iter().any(|name| name == column.as_str());
        if of_it || trigger.columns.is_empty() || head.contains(" INSERT") {
            draft.caution(format!(
                "trigger {} of {} runs before the columns are kept in step: where new code writes {others}, it finds the \
                 value that {2} had before (none in an INSERT), and what it gives {2} then is overwritten: look at its body",
                trigger.name,
                table.plain(),
                plain(column)
            ));
        }
    }
}

fn one(
    draft: &mut Draft<'_>,
    trigger: &Trigger,
    table: &QName,
    Standing { column, other, value, filled }: &Standing<'_>,
) -> Result<(Vec<String>, String), SqlError> {
    // Triggers fire in the order of their names: next to the one that it stands beside.
    let name = Ident::shortened("", &format!("{}_phase_{}", trigger.name, draft.version()));
    let changed = |name: &Ident| differ(&format!("new.{name}"), &format!("old.{name}"));
    // The backfill writes what is there already, which is no change for anybody; and where a
    // statement names both, the trigger itself fires.
    let filled = format!("NOT (old.{other} IS NULL AND NOT {})", differ(&format!("new.{other}"), filled));
    let mut when = format!("{} AND {filled}", changed(other));
    if trigger.before() {
        when = format!("{when} AND NOT {}", changed(column));
    }
    let beside = Beside { column, other, value, name: &name, when: &when };
    let (create, of_rows) = trigger_beside(&trigger.definition, &beside)?;
    if !of_rows {
        draft.caution(format!(
            "trigger {} of {} fires for every batch of the backfill",
            trigger.name,
            table.plain()
        ));
    }
    let mut sql = vec![create];
    sql.extend(trigger.state(table, &name));
    Ok((sql, format!("DROP TRIGGER {name} ON {table}")))
}
