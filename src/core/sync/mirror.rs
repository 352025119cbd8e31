//! Owns the mirror: rows of one table kept in step with those of another by AFTER triggers.
//!
//! | what happens to a row of the one table | what happens in the other |
//! |---|---|
//! | it is written | the row of its key becomes equal, or is made; where it is equal, nothing is written |
//! | its key changes | besides, the row of the key before goes, unless it is one that the table has again |
//! | it is deleted | the row of its key goes, unless it is one that the table has again |
//! | the table is truncated | the other is truncated |
//!
//! A trigger says only which keys to look at; what is written is what the table has of them at that
//! moment. So the order in which triggers fire does not matter: those of nested statements, of keys
//! that change places, and of rows that move between partitions lead to the same rows. A row of a key
//! that another row has taken goes all the same, so that its unique values are free for others; the
//! trigger of that other row, which is still to come, makes it anew. No session setting and no
//! `search_path` decides anything.
//!
//! A writer needs no rights on the other table: the functions run with those of the role that made
//! them ([`function::definer`]), and fail rather than take a row that is hidden for deleted.
//!
//! A transaction of REPEATABLE READ or above that deletes a row may not see the copy which a
//! backfill has made of it meanwhile. It tries to insert the row, takes that back, and fails with
//! `40001` where the copy is there, as such a transaction has to expect: the row cannot come back.

use super::standing::{Change, Event, Keeps, Trigger};
use super::{function, last_look};
use crate::core::ident::{Ident, QName, list};
use crate::core::plan::model::MirrorSpec;
use crate::core::sql::rows::{differ, equal, over};

/// A mirror, named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    spec: MirrorSpec,
    made_for: String,
    tag: String,
    keeps: Keeps,
}

impl Mirror {
    /// The `ordinal`-th mirror of a plan.
    #[must_use]
    pub fn new(spec: &MirrorSpec, version: &str, ordinal: usize) -> Self {
        let tag = function::tag(version, ordinal);
        Self { spec: spec.clone(), made_for: version.into(), tag, keeps: Keeps::New }
    }

    /// The other way round, between tables under other names: what it fills is there for an abort alone.
    #[must_use]
    pub fn turned(&self, from: QName, to: QName, fixed: &[Ident]) -> Self {
        let MirrorSpec { key, columns, .. } = &self.spec;
        let spec = MirrorSpec { from, to, key: key.clone(), columns: columns.clone(), fixed: fixed.to_vec() };
        Self { spec, tag: format!("{}_back", self.tag), keeps: Keeps::Old, ..self.clone() }
    }

    /// The step as the recipe has it.
    #[must_use]
    pub const fn spec(&self) -> &MirrorSpec {
        &self.spec
    }

    /// The statements that install it, for one transaction.
    #[must_use]
    pub fn install(&self) -> Vec<String> {
        let (table, function) = (&self.spec.from, self.function());
        let (rows, truncate) = self.triggers();
        let mut sql = function::definer(&function, &self.body(), &self.made_for);
        sql.extend([
            format!("DROP TRIGGER IF EXISTS {rows} ON {table}"),
            format!(
                "CREATE TRIGGER {rows} AFTER INSERT OR DELETE OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
            ),
            // Also for what logical replication writes.
            format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {rows}"),
            format!("DROP TRIGGER IF EXISTS {truncate} ON {table}"),
            format!(
                "CREATE TRIGGER {truncate} AFTER TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            ),
            format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {truncate}"),
        ]);
        sql
    }

    /// The triggers that [`Mirror::install`] makes.
    #[must_use]
    pub fn installed(&self) -> Vec<Change> {
        let (rows, truncate) = self.triggers();
        let put = |name: Ident, event| {
            Change::Put(Trigger {
                kept: Vec::new(),
                table: self.spec.from.clone(),
                name,
                event,
                function: self.function(),
                body: self.body(),
                keeps: self.keeps,
            })
        };
        vec![put(rows, Event::Rows), put(truncate, Event::Truncate)]
    }

    /// The triggers that [`Mirror::remove`] takes away.
    #[must_use]
    pub fn removed(&self) -> Vec<Change> {
        let (rows, truncate) = self.triggers();
        vec![Change::Taken(rows), Change::Taken(truncate)]
    }

    /// The statements that take it away where nothing may be missing in the other table: not before
    /// a last look, under the lock, whether it has seen every write.
    #[must_use]
    pub fn take_away(&self) -> Vec<String> {
        let (rows, truncate) = self.triggers();
        let table = &self.spec.from;
        let look = [
            format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"),
            last_look::refuse_lost(table, &[rows], true),
            last_look::refuse_lost(table, &[truncate], false),
        ];
        [look.to_vec(), self.remove()].concat()
    }

    /// The statements that remove it.
    #[must_use]
    pub fn remove(&self) -> Vec<String> {
        let (table, (rows, truncate)) = (&self.spec.from, self.triggers());
        vec![
            format!("DROP TRIGGER IF EXISTS {rows} ON {table}"),
            format!("DROP TRIGGER IF EXISTS {truncate} ON {table}"),
            format!("DROP FUNCTION IF EXISTS {}()", self.function()),
        ]
    }

    fn function(&self) -> QName {
        self.spec.from.sibling(Ident::shortened("phase_mirror_", &self.tag))
    }

    /// The names of the triggers: they come after the application's own.
    fn triggers(&self) -> (Ident, Ident) {
        let name = |event| Ident::shortened("zz_phase_", &format!("{}_{event}", self.tag));
        (name("mirror"), name("truncate"))
    }

    fn body(&self) -> String {
        let MirrorSpec { from, to, key, columns, fixed } = &self.spec;
        let all: Vec<Ident> = key.iter().chain(columns).cloned().collect();
        let (names, arbiter) = (list(&all), list(key));
        let same = |a: &str, b: &str| equal(a, b, key.iter().map(|name| (name, name)));
        let set: Vec<&Ident> = all.iter().filter(|name| !fixed.contains(name)).collect();
        let otherwise = if set.is_empty() {
            "DO NOTHING".to_owned()
        } else {
            let assign: Vec<String> = set.iter().map(|name| format!("{name} = excluded.{name}")).collect();
            format!(
                "DO UPDATE SET {}\n      WHERE {}",
                assign.join(", "),
                differ(&over("_phase_to", set.iter().copied()), &over("excluded", set.iter().copied()))
            )
        };
        format!(
            "#variable_conflict use_column\nBEGIN\n  \
             IF TG_OP = 'TRUNCATE' THEN\n    TRUNCATE {to};\n    RETURN NULL;\n  END IF;\n  \
             IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND {key_moves} THEN\n    \
               DELETE FROM {to} AS _phase_to WHERE {to_old}\n      \
                 AND NOT EXISTS (SELECT FROM {from} AS _phase_from WHERE {from_old}\n        \
                   AND NOT {differs});\n    \
               IF NOT FOUND AND pg_catalog.current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN\n      \
                 BEGIN\n        \
                   INSERT INTO {to} ({names}) OVERRIDING SYSTEM VALUE VALUES ({old})\n        \
                   ON CONFLICT ({arbiter}) DO NOTHING;\n        \
                   RAISE SQLSTATE 'PHASE';\n      \
                 EXCEPTION\n        \
                   WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN RAISE;\n        \
                   WHEN OTHERS THEN NULL;\n      \
                 END;\n    \
               END IF;\n  \
             END IF;\n  \
             IF TG_OP <> 'DELETE' THEN\n    \
               INSERT INTO {to} AS _phase_to ({names}) OVERRIDING SYSTEM VALUE\n    \
               SELECT {from_all} FROM {from} AS _phase_from WHERE {from_new}\n    \
               ON CONFLICT ({arbiter}) {otherwise};\n  \
             END IF;\n  \
             RETURN NULL;\nEND",
            key_moves = differ(&over("OLD", key), &over("NEW", key)),
            to_old = same("_phase_to", "OLD"),
            from_old = same("_phase_from", "OLD"),
            from_new = same("_phase_from", "NEW"),
            old = over("OLD", &all),
            from_all = over("_phase_from", &all),
            differs = differ(&over("_phase_to", &all), &over("_phase_from", &all)),
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn spec(columns: &[&str], fixed: &[&str]) -> MirrorSpec {
        let names = |names: &[&str]| names.iter().map(|name| Ident::parse(name).unwrap()).collect();
        MirrorSpec {
            from: QName::parse("app.\"Old \"\"t\"").unwrap(),
            to: QName::parse("app.new").unwrap(),
            key: names(&["id"]),
            columns: names(columns),
            fixed: names(fixed),
        }
    }

    #[test]
    fn a_mirror_reads_well() {
        let mirror = Mirror::new(&spec(&["a", "\"B b\""], &["id"]), "7", 1);
        insta::assert_snapshot!(mirror.install().join(";\n"));
        let back = mirror.turned(QName::parse("t").unwrap(), QName::parse("u").unwrap(), &[]);
        insta::assert_snapshot!(back.take_away().join(";\n"));
    }

    #[test]
    fn a_table_of_nothing_but_a_fixed_key() {
        let sql = Mirror::new(&spec(&[], &["id"]), "7", 1).install().join(";\n");
        assert!(sql.contains("ON CONFLICT (\"id\") DO NOTHING;\n  END IF;"), "{sql}");
    }
}
