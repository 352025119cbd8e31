//! Owns columns that move to another table: triggers of both tables keep the two values of a row
//! equal, whichever table is written.
//!
//! | what happens | what follows |
//! |---|---|
//! | a row comes into the old table | a row of the new one is made with its values; where the same statement made one, null in it takes the value |
//! | a value changes in the old table | it is written into the new one, whose row is made where it is missing |
//! | a row comes into the new table | its values are written into the old one; null takes what the old one has |
//! | a value changes in the new table | it is written into the old one |
//! | a row of the old table is deleted | that of the new one goes by its foreign key |
//! | a row of the new table is deleted | the values of the old one stay |
//!
//! A trigger that meets equal values writes nothing, which ends the echo. One whose row has been
//! written again by a nested statement leaves it to the trigger of that. The functions have the rights of the role that made them, as a writer of the one
//! table need not have any on the other ([`function::definer`]).

use super::standing::{Change, Event, Keeps, Trigger};
use super::{function, last_look};
use crate::core::ident::{Ident, QName, dollar_quote, list};
use crate::core::plan::model::MoveSpec;
use crate::core::sql::rows::{differ, equal, over};

/// Columns that move, named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    spec: MoveSpec,
    made_for: String,
    tag: String,
    /// Whether only the old columns are kept, for an abort.
    turned: bool,
}

/// One of its functions, with the triggers that run it.
struct Part {
    table: QName,
    function: QName,
    body: String,
    insert: Ident,
    update: Ident,
    /// The columns whose change counts.
    columns: Vec<Ident>,
}

impl Move {
    /// The `ordinal`-th move of a plan.
    #[must_use]
    pub fn new(spec: &MoveSpec, version: &str, ordinal: usize) -> Self {
        let tag = function::tag(version, ordinal);
        Self { spec: spec.clone(), made_for: version.into(), tag, turned: false }
    }

    /// Once the old columns are out of sight under other names: they are filled from the new ones alone.
    #[must_use]
    pub fn turned(&self, hidden: &dyn Fn(&Ident) -> Ident) -> Self {
        let columns = self.spec.columns.iter().map(|(old, new)| (hidden(old), new.clone())).collect();
        let spec = MoveSpec { columns, ..self.spec.clone() };
        Self { spec, tag: format!("{}_back", self.tag), turned: true, ..self.clone() }
    }

    /// The step as the recipe has it.
    #[must_use]
    pub const fn spec(&self) -> &MoveSpec {
        &self.spec
    }

    /// The statement that locks both tables, the one that refers to the other first.
    #[must_use]
    pub fn lock(&self) -> String {
        format!("LOCK TABLE {}, {} IN ACCESS EXCLUSIVE MODE", self.spec.to, self.spec.from)
    }

    /// The statements that install it, for one transaction.
    #[must_use]
    pub fn install(&self) -> Vec<String> {
        let mut sql = self.look();
        sql.extend(self.parts().iter().flat_map(|part| self.make(part)));
        sql
    }

    /// The triggers that [`Move::install`] makes.
    #[must_use]
    pub fn installed(&self) -> Vec<Change> {
        let keeps = if self.turned { Keeps::Old } else { Keeps::Both };
        let put = |part: &Part, name: &Ident, event| {
            Change::Put(Trigger {
                kept: Vec::new(),
                table: part.table.clone(),
                name: name.clone(),
                event,
                function: part.function.clone(),
                body: part.body.clone(),
                keeps,
            })
        };
        let both =
            |part: &Part| [put(part, &part.insert, Event::Inserted), put(part, &part.update, Event::Updated)];
        self.parts().iter().flat_map(both).collect()
    }

    /// The triggers that [`Move::remove`] takes away.
    #[must_use]
    pub fn removed(&self) -> Vec<Change> {
        let both = |part: Part| [Change::Taken(part.insert), Change::Taken(part.update)];
        self.parts().into_iter().flat_map(both).collect()
    }

    /// The statements that take it away, both tables being locked: not before a last look whether it
    /// has seen every write.
    #[must_use]
    pub fn take_away(&self) -> Vec<String> {
        let look = |part: &Part| {
            last_look::refuse_lost(&part.table, &[part.insert.clone(), part.update.clone()], true)
        };
        let mut sql: Vec<String> = self.parts().iter().map(look).collect();
        sql.extend(self.remove());
        sql
    }

    /// The statements that remove it.
    #[must_use]
    pub fn remove(&self) -> Vec<String> {
        let one = |part: &Part| {
            [
                format!("DROP TRIGGER IF EXISTS {} ON {}", part.insert, part.table),
                format!("DROP TRIGGER IF EXISTS {} ON {}", part.update, part.table),
                format!("DROP FUNCTION IF EXISTS {}()", part.function),
            ]
        };
        let mut sql: Vec<String> = self.parts().iter().flat_map(one).collect();
        if !self.turned {
            sql.push(format!("DROP FUNCTION IF EXISTS {}({})", self.missing(), self.spec.types.join(", ")));
        }
        sql
    }

    /// Whether a row has none in the new table, as an expression over it. A copy that tried to make
    /// one that is there would wait for who writes it, who may wait for the row that the copy has locked.
    #[must_use]
    pub fn is_missing(&self) -> String {
        let key: Vec<String> = self.spec.key.iter().map(|(old, _)| old.to_string()).collect();
        format!("{}({})", self.missing(), key.join(", "))
    }

    fn missing(&self) -> QName {
        self.spec.to.sibling(Ident::shortened("phase_move_", &format!("{}_missing", self.tag)))
    }

    /// The function that [`Move::is_missing`] asks.
    fn look(&self) -> Vec<String> {
        if self.turned {
            return Vec::new();
        }
        let MoveSpec { to, key, types, .. } = &self.spec;
        let on: Vec<String> =
            key.iter().enumerate().map(|(n, (_, new))| format!("_phase_to.{new} = ${}", n + 1)).collect();
        let body = format!("SELECT NOT EXISTS (SELECT FROM {to} AS _phase_to WHERE {})", on.join(" AND "));
        let quote = dollar_quote(&body);
        let function = format!("{}({})", self.missing(), types.join(", "));
        vec![
            format!(
                "CREATE OR REPLACE FUNCTION {function} RETURNS boolean LANGUAGE sql STABLE SET search_path FROM CURRENT AS {quote}\n{body}\n{quote}"
            ),
            format!("REVOKE ALL ON FUNCTION {function} FROM PUBLIC"),
            function::comment(&function, &self.made_for),
        ]
    }

    fn make(&self, part: &Part) -> Vec<String> {
        let Part { table, function, body, insert, update, columns } = part;
        let mut sql = function::definer(function, body, &self.made_for);
        sql.extend([
            format!("DROP TRIGGER IF EXISTS {insert} ON {table}"),
            format!(
                "CREATE TRIGGER {insert} AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
            ),
            format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {insert}"),
            format!("DROP TRIGGER IF EXISTS {update} ON {table}"),
            format!(
                "CREATE TRIGGER {update} AFTER UPDATE ON {table} FOR EACH ROW\nWHEN ({})\nEXECUTE FUNCTION {function}()",
                differ(&over("NEW", columns), &over("OLD", columns))
            ),
            format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {update}"),
        ]);
        sql
    }

    /// The one of the old table, unless it is turned, and that of the new one.
    fn parts(&self) -> Vec<Part> {
        let MoveSpec { from, to, columns, .. } = &self.spec;
        let part = |table: &QName, way: &str, body: String, columns: Vec<Ident>| Part {
            table: table.clone(),
            function: table.sibling(Ident::shortened("phase_move_", &format!("{}_{way}", self.tag))),
            body,
            insert: Ident::shortened("zz_phase_", &format!("{}_{way}_insert", self.tag)),
            update: Ident::shortened("zz_phase_", &format!("{}_{way}_update", self.tag)),
            columns,
        };
        let (old, new): (Vec<Ident>, Vec<Ident>) = columns.iter().cloned().unzip();
        let mut parts = Vec::new();
        if !self.turned {
            parts.push(part(from, "old", self.of_old(), old));
        }
        parts.push(part(to, "new", self.of_new(), new));
        parts
    }

    /// What follows a write of the old table.
    fn of_old(&self) -> String {
        let MoveSpec { from, to, key, columns, .. } = &self.spec;
        let (old_key, new_key): (Vec<Ident>, Vec<Ident>) = key.iter().cloned().unzip();
        let (old, new): (Vec<Ident>, Vec<Ident>) = columns.iter().cloned().unzip();
        let insert = format!(
            "INSERT INTO {to} AS _phase_to ({}, {}) OVERRIDING SYSTEM VALUE\n    VALUES ({}, {})\n    ON CONFLICT ({})",
            list(&new_key),
            list(&new),
            over("NEW", &old_key),
            over("NEW", &old),
            list(&new_key),
        );
        let set = |value: &dyn Fn(&Ident) -> String| {
            let set: Vec<String> = new.iter().map(|name| format!("{name} = {}", value(name))).collect();
            let values: Vec<String> = new.iter().map(value).collect();
            format!(
                "DO UPDATE SET {}\n      WHERE {}",
                set.join(", "),
                differ(&over("_phase_to", &new), &values.join(", "))
            )
        };
        format!(
            "#variable_conflict use_column\nBEGIN\n  {current}\n  \
             IF TG_OP = 'INSERT' THEN\n    {insert} {fill};\n  \
             ELSE\n    {insert} {write};\n  END IF;\n  RETURN NULL;\nEND",
            current = current(from, &old_key, &old),
            fill = set(&|name| format!("coalesce(_phase_to.{name}, excluded.{name})")),
            write = set(&|name| format!("excluded.{name}")),
        )
    }

    /// What follows a write of the new table.
    fn of_new(&self) -> String {
        let MoveSpec { from, to, key, columns, .. } = &self.spec;
        let (new_key, new): (Vec<Ident>, Vec<Ident>) = (
            key.iter().map(|(_, new)| new.clone()).collect(),
            columns.iter().map(|(_, new)| new.clone()).collect(),
        );
        let of_old = equal("_phase_from", "NEW", key.iter().map(|(old, new)| (old, new)));
        let old: Vec<Ident> = columns.iter().map(|(old, _)| old.clone()).collect();
        let fill = if self.turned {
            String::new()
        } else {
            let value = |(old, new): &(Ident, Ident)| format!("coalesce(_phase_to.{new}, _phase_from.{old})");
            let set: Vec<String> =
                columns.iter().map(|pair| format!("{} = {}", pair.1, value(pair))).collect();
            let values: Vec<String> = columns.iter().map(value).collect();
            format!(
                "IF TG_OP = 'INSERT' THEN\n    \
                 UPDATE {to} AS _phase_to SET {} FROM {from} AS _phase_from\n    WHERE {} AND {of_old}\n      AND {};\n    \
                 IF FOUND THEN\n      RETURN NULL;\n    END IF;\n  END IF;\n  ",
                set.join(", "),
                same_key("_phase_to", &new_key),
                differ(&over("_phase_to", &new), &values.join(", ")),
            )
        };
        let set: Vec<String> = columns.iter().map(|(old, new)| format!("{old} = NEW.{new}")).collect();
        format!(
            "#variable_conflict use_column\nBEGIN\n  {}\n  {fill}\
             UPDATE {from} AS _phase_from SET {}\n  WHERE {of_old} AND {};\n  RETURN NULL;\nEND",
            current(to, &new_key, &new),
            set.join(", "),
            differ(&over("_phase_from", &old), &over("NEW", &new)),
        )
    }
}

/// Ends the function unless the row has still the values that brought it about.
fn current(table: &QName, key: &[Ident], columns: &[Ident]) -> String {
    format!(
        "PERFORM 1 FROM {table} AS _phase_row WHERE {}\n    AND NOT {};\n  IF NOT FOUND THEN\n    RETURN NULL;\n  END IF;",
        same_key("_phase_row", key),
        differ(&over("_phase_row", columns), &over("NEW", columns)),
    )
}

fn same_key(alias: &str, key: &[Ident]) -> String {
    equal(alias, "NEW", key.iter().map(|name| (name, name)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_move_reads_well() {
        let name = |name: &str| Ident::parse(name).unwrap();
        let spec = MoveSpec {
            from: QName::parse("app.\"Old \"\"t\"").unwrap(),
            to: QName::parse("new").unwrap(),
            key: vec![(name("id"), name("of"))],
            types: vec!["bigint".into()],
            columns: vec![(name("a"), name("b")), (name("\"A a\""), name("\"A a\""))],
        };
        let moved = Move::new(&spec, "7", 1);
        insta::assert_snapshot!(moved.install().join(";\n"));
        let turned = moved.turned(&|name| Ident::shortened("hidden_", name.as_str()));
        insta::assert_snapshot!(turned.install().join(";\n"));
    }
}
