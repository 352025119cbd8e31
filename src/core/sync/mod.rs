//! Owns the sync triggers: a sync step into the SQL that installs them, turns
//! them round and removes them.
//!
//! The rule, for each new column `n` with its expression E over old columns, and
//! each old column `o` with its expression B over new ones:
//!
//! | statement | what the writer changed | what happens |
//! |---|---|---|
//! | INSERT | `n` is null | `n := E` |
//! | INSERT | `n` is given and is not E | `o := B` |
//! | UPDATE | an input of E, not `n` | `n := E` |
//! | UPDATE | `n`, to something else than E | `o := B` |
//! | UPDATE | both, contradicting | `o := B`: new wins |
//! | any | `n`, to just what E gives | nothing: the row is in step |
//!
//! Where there are only old columns, which go while nothing takes their place, `o` is what the
//! writer gives, and `o := B` where it is left out: null in an INSERT, unchanged in an UPDATE that
//! changes an input of B.
//!
//! The triggers fire ALWAYS: for what logical replication applies as well, where the publisher does
//! not know the new columns, or the old ones any more.
//!
//! The last line is why a backfill costs nothing and never writes back: it sets
//! `n` to E, which the WHEN clause of the trigger sees. What changed is decided
//! by the values of the row alone: no session setting, no `search_path`, no
//! recursion, because one BEFORE trigger does all of it. Values are compared as
//! record images ([`crate::core::sql::rows`]).

pub mod chain;
mod filling;
mod function;
mod last_look;
pub mod mirror;
pub mod moved;
pub mod standing;
mod turned;
mod two_way;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::core::ident::{Ident, QName, do_block, literal, plain};
use crate::core::plan::model::SyncSpec;
use crate::core::sql::rows::differ;
use crate::core::sql::{SqlError, closed, expression_columns, qualify};
use standing::{Change, Event, Keeps, Trigger};

/// Why a sync cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// An expression is not right.
    #[error("sync: the expression of {column}: {error}")]
    Expression {
        /// The column.
        column: String,
        /// Why.
        error: SqlError,
    },
    /// A column stands on both sides.
    #[error(
        "sync: {0} is computed and read in the same direction: set reads old columns, back reads new ones"
    )]
    BothSides(String),
}

/// One direction of one column, read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Computed {
    column: Ident,
    /// The expression over `NEW`.
    over_new: String,
    /// The columns that it reads.
    inputs: Vec<Ident>,
}

/// A sync step, read and named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sync {
    spec: SyncSpec,
    made_for: String,
    tag: String,
    forward: Vec<Computed>,
    back: Vec<Computed>,
}

impl Sync {
    /// Reads the `ordinal`-th sync of a plan.
    ///
    /// # Errors
    /// When an expression is not a plain one over columns of the row, or a
    /// column stands on both sides.
    pub fn new(spec: &SyncSpec, version: &str, ordinal: usize) -> Result<Self, SyncError> {
        let forward = read(&spec.set)?;
        let back = read(&spec.back)?;
        for (own, other) in [(&forward, &spec.back), (&back, &spec.set)] {
            let written: BTreeSet<&Ident> = own.iter().map(|computed| &computed.column).collect();
            let reads_own = own.iter().flat_map(|c| &c.inputs).find(|input| written.contains(input));
            let both = other.iter().map(|(column, _)| column).find(|column| written.contains(column));
            if let Some(column) = reads_own.or(both) {
                return Err(SyncError::BothSides(plain(column)));
            }
        }
        let tag = function::tag(version, ordinal);
        Ok(Self { spec: spec.clone(), made_for: version.into(), tag, forward, back })
    }

    /// The step as the plan has it.
    #[must_use]
    pub const fn spec(&self) -> &SyncSpec {
        &self.spec
    }

    /// Whether it writes this old column.
    #[must_use]
    pub fn fills(&self, column: &Ident) -> bool {
        self.back.iter().any(|computed| computed.column == *column)
    }

    /// The statements that install it, for one transaction.
    #[must_use]
    pub fn install(&self) -> Vec<String> {
        let mut sql = vec![self.refuse_defaults()];
        sql.extend(self.refuse_other_types());
        sql.extend(self.replace(&self.function(""), "", &self.body(), self.condition()));
        sql
    }

    /// The triggers that [`Sync::install`] makes.
    #[must_use]
    pub fn installed(&self) -> Vec<Change> {
        let keeps = if self.back.is_empty() { Keeps::New } else { Keeps::Both };
        self.changes("", &self.body(), self.condition().is_some(), keeps)
    }

    fn body(&self) -> String {
        if filling::is_of(self) { filling::body(self) } else { two_way::body(self) }
    }

    fn condition(&self) -> Option<String> {
        if filling::is_of(self) { filling::condition(self) } else { two_way::condition(self) }
    }

    /// The triggers that [`Sync::remove`] takes away.
    #[must_use]
    pub fn removed(&self) -> Vec<Change> {
        self.taken("")
    }

    /// The triggers that [`Sync::turn_round`] makes.
    #[must_use]
    pub fn turned(&self, columns: &[(Ident, Ident)]) -> Vec<Change> {
        let updates = turned::condition(self, columns).is_some();
        let mut changes = self.changes(TURNED, &turned::body(self, columns), updates, Keeps::Old);
        for change in &mut changes {
            if let Change::Put(trigger) = change {
                trigger.kept = turned::filled(self, columns);
            }
        }
        changes
    }

    /// The triggers that [`Sync::remove_turned`] takes away.
    #[must_use]
    pub fn turned_removed(&self) -> Vec<Change> {
        self.taken(TURNED)
    }

    /// The statements that take it away where its columns go: not before a last look, under the
    /// lock, whether it has seen every write.
    #[must_use]
    pub fn take_away(&self) -> Vec<String> {
        [last_look::statements(self), self.remove()].concat()
    }

    /// The statements that remove it.
    #[must_use]
    pub fn remove(&self) -> Vec<String> {
        self.removal("")
    }

    /// The statements that keep only the old columns filled, from the new ones:
    /// each of `columns` is an old column and the name that it has now. They may
    /// be run again with other names.
    #[must_use]
    pub fn turn_round(&self, columns: &[(Ident, Ident)]) -> Vec<String> {
        self.replace(
            &self.function(TURNED),
            TURNED,
            &turned::body(self, columns),
            turned::condition(self, columns),
        )
    }

    /// The statements that remove what [`Sync::turn_round`] made.
    #[must_use]
    pub fn remove_turned(&self) -> Vec<String> {
        self.removal(TURNED)
    }

    /// Statements that fail unless every expression fits its column: the trigger
    /// would otherwise turn it into text and back, and fail the application's
    /// statements one by one. EXPLAIN analyses and runs nothing.
    fn refuse_other_types(&self) -> Vec<String> {
        let table = &self.spec.table;
        let one = |(column, expr): &(Ident, String)| {
            format!("EXPLAIN UPDATE {table} SET {column} = ({})", closed(expr))
        };
        self.spec.set.iter().chain(&self.spec.back).map(one).collect()
    }

    fn replace(&self, function: &QName, suffix: &str, body: &str, when: Option<String>) -> Vec<String> {
        let table = &self.spec.table;
        let (insert, update) = self.triggers(suffix);
        let mut sql = function::invoker(function, body, &self.made_for, self.computes());
        sql.extend([
            format!("DROP TRIGGER IF EXISTS {insert} ON {table}"),
            format!(
                "CREATE TRIGGER {insert} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
            ),
            // Also for what logical replication writes.
            format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {insert}"),
            format!("DROP TRIGGER IF EXISTS {update} ON {table}"),
        ]);
        if let Some(when) = when {
            sql.push(format!(
                "CREATE TRIGGER {update} BEFORE UPDATE ON {table} FOR EACH ROW\nWHEN ({when})\nEXECUTE FUNCTION {function}()"
            ));
            sql.push(format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {update}"));
        }
        sql
    }

    /// Whether an expression is more than a column: what it gives may depend on settings of the session.
    fn computes(&self) -> bool {
        let plain = |(_, expr): &(Ident, String)| Ident::parse(expr.trim()).is_ok();
        !self.spec.set.iter().chain(&self.spec.back).all(plain)
    }

    fn changes(&self, suffix: &str, body: &str, updates: bool, keeps: Keeps) -> Vec<Change> {
        let (insert, update) = self.triggers(suffix);
        let put = |name: Ident, event| {
            Change::Put(Trigger {
                table: self.spec.table.clone(),
                name,
                event,
                function: self.function(suffix),
                body: body.to_owned(),
                keeps,
                kept: Vec::new(),
            })
        };
        let second = if updates { put(update, Event::Update) } else { Change::Taken(update) };
        vec![put(insert, Event::Insert), second]
    }

    fn taken(&self, suffix: &str) -> Vec<Change> {
        let (insert, update) = self.triggers(suffix);
        vec![Change::Taken(insert), Change::Taken(update)]
    }

    fn removal(&self, suffix: &str) -> Vec<String> {
        let table = &self.spec.table;
        let (insert, update) = self.triggers(suffix);
        vec![
            format!("DROP TRIGGER IF EXISTS {insert} ON {table}"),
            format!("DROP TRIGGER IF EXISTS {update} ON {table}"),
            format!("DROP FUNCTION IF EXISTS {}()", self.function(suffix)),
        ]
    }

    fn function(&self, suffix: &str) -> QName {
        self.spec.table.sibling(Ident::shortened("phase_sync_", &format!("{}{suffix}", self.tag)))
    }

    /// The names of the triggers. Triggers fire in the order of their names:
    /// these come after the application's own, whose changes they must see.
    fn triggers(&self, suffix: &str) -> (Ident, Ident) {
        let name = |event| Ident::shortened("zz_phase_", &format!("{}{suffix}_{event}", self.tag));
        (name("insert"), name("update"))
    }

    /// A new column with a default would look written to every INSERT of an
    /// old writer, whose value would then be lost.
    fn refuse_defaults(&self) -> String {
        let (filled, hint) = if filling::is_of(self) {
            (&self.back, "New rows have the default in it: leave the column out of the sync.")
        } else {
            (&self.forward, "Add the column without a default, and set the default in contract.")
        };
        let columns: Vec<String> = filled.iter().map(|c| literal(c.column.as_str())).collect();
        let body = format!(
            "DECLARE\n  found text;\nBEGIN\n  SELECT attname INTO found FROM pg_catalog.pg_attribute\n  \
             WHERE attrelid = {0}::regclass AND atthasdef AND attname IN ({1}) LIMIT 1;\n  \
             IF found IS NOT NULL THEN\n    \
             RAISE EXCEPTION 'column % has a default, so a sync could not tell a written value from it', found\n      \
             USING HINT = {2};\n  END IF;\n  \
             IF EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid\n    \
             WHERE h.inhparent = {0}::regclass AND NOT c.relispartition) THEN\n    \
             RAISE EXCEPTION 'tables inherit from this one, and no trigger of it sees their rows'\n      \
             USING HINT = 'Give each of those tables a plan of its own.';\n  END IF;\n  \
             SELECT tgname INTO found FROM pg_catalog.pg_trigger\n  \
             WHERE tgrelid = {0}::regclass AND NOT tgisinternal AND tgtype & 3 = 3 AND tgtype & 20 <> 0\n    \
             AND tgname > {3}::pg_catalog.name AND tgname NOT LIKE 'zz\\_phase\\_%' LIMIT 1;\n  \
             IF found IS NOT NULL THEN\n    \
             RAISE EXCEPTION 'trigger % fires after the sync, which would not see what it writes', found\n      \
             USING HINT = 'Give it a name that sorts before zz_phase_: ALTER TRIGGER … RENAME TO ….';\n  END IF;\nEND",
            literal(&self.spec.table.to_string()),
            columns.join(", "),
            literal(hint),
            literal(self.triggers("").0.as_str())
        );
        do_block(&body)
    }
}

/// The suffix of what is made when the sync is turned round.
const TURNED: &str = "_back";

fn read(columns: &[(Ident, String)]) -> Result<Vec<Computed>, SyncError> {
    let one = |(column, expr): &(Ident, String)| {
        let wrong = |error| SyncError::Expression { column: plain(column), error };
        let inputs = expression_columns(expr).map_err(wrong)?;
        Ok(Computed { column: column.clone(), over_new: qualify(expr, "NEW").map_err(wrong)?, inputs })
    };
    columns.iter().map(one).collect()
}

/// A column that differs between the old and the new row.
fn changed(column: &Ident) -> String {
    differ(&format!("NEW.{column}"), &format!("OLD.{column}"))
}

fn any(conditions: &[String]) -> String {
    if conditions.is_empty() { "false".into() } else { conditions.join(" OR ") }
}
