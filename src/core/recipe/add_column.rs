//! `add_column`: a column beside the others, filled without ever holding the table.
//!
//! A constant default is there for every row at once. Any other default, and a `from`, is filled in batch by batch;
//! an identity column gets its numbers from a sequence of the plan's own, which hands over to the identity when all
//! rows have one. NOT NULL comes last, as a proof that holds up nobody.
//!
//! # Deploying
//!
//! Old code does not know the column and goes on as before. New code may write it once the plan is `expanded`, and
//! may count on a value in every row once it is `backfilled`, on NOT NULL once it is `validated`. With `from` a
//! sync fills it for old code, and contract takes that sync away: by then old code must be gone.
//!
//! # Going back
//!
//! The column goes, with what was written into it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::known::Column;
use super::reader::Reader;
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::plan::model::{StepSpec, SyncSpec};
use crate::core::sql::{read_default, steady};

/// From this version on a column can be computed when it is read.
const VIRTUAL: u32 = 180_000;

/// `add_column: {table, column, type, …}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The new column.
    column: String,
    /// Its type.
    #[serde(rename = "type")]
    kind: String,
    /// Its default.
    default: Option<String>,
    /// What the rows that are there, and those of old code, have in it: an expression over the row.
    from: Option<String>,
    /// Whether it must have a value in the end.
    #[serde(default)]
    not_null: bool,
    /// An expression that the server computes it from whenever it is read (PostgreSQL 18).
    generated: Option<String>,
    /// Whether it gets numbers by itself.
    identity: Option<RawIdentity>,
    /// A comment on it.
    comment: Option<String>,
}

/// Who may write an identity column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawIdentity {
    /// Only the server.
    Always,
    /// Whoever gives a value.
    ByDefault,
}

impl RawIdentity {
    /// As GENERATED … AS IDENTITY has it.
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Always => "ALWAYS",
            Self::ByDefault => "BY DEFAULT",
        }
    }
}

/// A new column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddColumn {
    table: QName,
    column: Ident,
    kind: String,
    not_null: bool,
    comment: Option<String>,
    filled: Filled,
}

/// Where its values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Filled {
    /// From whoever writes the row.
    Written,
    /// A default that is the same for every row of a statement: the server adds it without a look at the rows.
    Steady(String),
    /// A default that is another for every row.
    Restless(String),
    /// An expression over the row, and the default that it has in the end.
    From(String, Option<String>),
    /// Whenever it is read.
    Virtual(String),
    /// A sequence.
    Identity(&'static str),
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<AddColumn> {
    let table = reader.table("table", &raw.table);
    let column = reader.ident("column", &raw.column);
    let kind = reader.type_name("type", &raw.kind);
    let default = reader.maybe("default", raw.default.as_deref())?;
    let from = reader.maybe("from", raw.from.as_deref())?;
    let generated = reader.maybe("generated", raw.generated.as_deref())?;
    let filled = match (default, from, generated, raw.identity) {
        (None, None, None, None) => Filled::Written,
        (Some(default), None, None, None) => match read_default(&default) {
            Ok(read) if read.calls.iter().all(steady) => Filled::Steady(default),
            _ => Filled::Restless(default),
        },
        (default, Some(from), None, None) => Filled::From(from, default),
        (None, None, Some(expr), None) => Filled::Virtual(expr),
        (None, None, None, Some(who)) => Filled::Identity(who.sql()),
        _ => {
            reader.fault(
                "generated and identity go with no default and no from: the server fills such a column",
            );
            return None;
        }
    };
    if raw.not_null && filled == Filled::Written {
        reader.fault(
            "not_null: the rows that are there, and those that old code writes, have nothing in it: \
             give default, or from with an expression over the row",
        );
    }
    Some(AddColumn {
        table: table?,
        column: column?,
        kind: kind?,
        not_null: raw.not_null || matches!(filled, Filled::Identity(_)),
        comment: raw.comment,
        filled,
    })
}

impl AddColumn {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, column, kind, .. } = self;
        draft.table(table);
        draft.refuse_taken(table, column);
        let left = format!("{column} IS NULL");
        match &self.filled {
            Filled::Written => self.add(draft, ""),
            Filled::Steady(default) => {
                let binds = if self.not_null { " NOT NULL" } else { "" };
                self.add(draft, &format!(" DEFAULT {default}{binds}"));
            }
            Filled::Restless(default) => {
                // Set apart from ADD COLUMN: only rows that come get it at once.
                self.and(
                    draft,
                    &[format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}")],
                );
                draft.fill(table, vec![(column.clone(), default.clone())], Some(left));
                self.not_null(draft);
            }
            Filled::From(from, default) => {
                self.add(draft, "");
                let from = draft.expression_now(table, from);
                let set = vec![(column.clone(), from.clone())];
                draft.sync(SyncSpec { table: table.clone(), set: set.clone(), back: Vec::new() });
                draft.fill(table, set, Some(format!("{left} AND ({from}) IS NOT NULL")));
                self.not_null(draft);
                if let Some(default) = default {
                    let alter = format!("ALTER TABLE {table} ALTER COLUMN {column}");
                    draft.contract_sql(Sql::new(
                        format!("{alter} SET DEFAULT {default}"),
                        format!("{alter} DROP DEFAULT"),
                    ));
                }
            }
            Filled::Virtual(expr) => {
                if draft.server() < VIRTUAL {
                    draft.refuse(
                        "before PostgreSQL 18 a generated column is stored, for which the server writes the whole table \
                         anew while nobody reads or writes it: give the expression as from, which fills an ordinary column",
                    );
                }
                let expr = draft.expression_now(table, expr);
                self.add(draft, &format!(" GENERATED ALWAYS AS ({expr}) VIRTUAL"));
            }
            Filled::Identity(who) => self.identity(draft, who),
        }
        let known = Column {
            name: column.as_str().into(),
            kind: kind.clone(),
            not_null: self.not_null,
            ..Column::default()
        };
        draft.now(table, |table| table.columns.push(known));
    }

    fn add(&self, draft: &mut Draft<'_>, rest: &str) {
        self.statements(draft, rest, &[]);
    }

    fn and(&self, draft: &mut Draft<'_>, more: &[String]) {
        self.statements(draft, "", more);
    }

    fn statements(&self, draft: &mut Draft<'_>, rest: &str, more: &[String]) {
        let Self { table, column, kind, .. } = self;
        let mut sql = vec![format!("ALTER TABLE {table} ADD COLUMN {column} {kind}{rest}")];
        sql.extend_from_slice(more);
        if let Some(comment) = &self.comment {
            sql.push(format!("COMMENT ON COLUMN {table}.{column} IS {}", literal(comment)));
        }
        draft.expand_sql(Sql::new(sql.join(";\n"), format!("ALTER TABLE {table} DROP COLUMN {column}")));
    }

    fn not_null(&self, draft: &mut Draft<'_>) {
        if self.not_null {
            draft.validate(StepSpec::NotNull { table: self.table.clone(), column: self.column.clone() });
        }
    }

    /// The server would number all rows while nobody reads or writes the table: a sequence of
    /// the plan's own does it batch by batch, and hands over to that of the identity.
    fn identity(&self, draft: &mut Draft<'_>, who: &str) {
        let Self { table, column, kind, .. } = self;
        let sequence = table.sibling(draft.own_name(&format!("{}_{}", table.name.as_str(), column.as_str())));
        let next = format!("nextval({})", literal(&sequence.to_string()));
        let alter = format!("ALTER TABLE {table} ALTER COLUMN {column}");
        self.and(
            draft,
            &[
                format!("CREATE SEQUENCE {sequence} AS {kind} OWNED BY {table}.{column}"),
                format!("{alter} SET DEFAULT {next}"),
            ],
        );
        draft.fill(table, vec![(column.clone(), next)], Some(format!("{column} IS NULL")));
        self.not_null(draft);
        let identity =
            format!("pg_get_serial_sequence({}, {})", literal(&table.to_string()), literal(column.as_str()));
        let handed = format!(
            "SELECT setval({identity}, (SELECT last_value FROM {sequence}), (SELECT is_called FROM {sequence}))"
        );
        let own = literal(&sequence.to_string());
        let there = format!(
            "{alter} DROP DEFAULT;\nALTER SEQUENCE {sequence} OWNED BY NONE;\n{alter} ADD GENERATED {who} AS IDENTITY;\n\
             {handed};\nDROP SEQUENCE {sequence}"
        );
        // The first statement takes the lock, so that nobody draws a number in between.
        let back = format!(
            "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\nCREATE SEQUENCE {sequence} AS {kind} OWNED BY {table}.{column};\n\
             SELECT setval({own}, nextval({identity}), false);\n{alter} DROP IDENTITY;\n{alter} SET DEFAULT nextval({own})"
        );
        let why = "it reads one row of a sequence";
        draft.validate_sql(Sql::new(there, back).allow("work-under-lock", why).allow("lock-table", why));
        if !["smallint", "integer", "bigint", "int", "int2", "int4", "int8"].contains(&kind.as_str()) {
            draft.refuse(format!(
                "identity columns are smallint, integer or bigint; {} is {kind}",
                plain(column)
            ));
        }
    }
}
