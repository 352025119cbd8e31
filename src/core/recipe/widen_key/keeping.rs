//! Keeps the old columns of a family for as long as abort can bring them back: what they hold
//! then, what is taken away from them, and how they get it again.

use super::family::{Family, Member};
use crate::core::ident::{Ident, QName, do_block, list, literal, plain};
use crate::core::recipe::carried::Carried;
use crate::core::recipe::draft::{Draft, Sql};
use crate::core::recipe::known::{Column, range};

/// The first server on which NOT NULL is a constraint with a name.
const NAMED: u32 = 180_000;

/// A column that must have a value.
struct Bound {
    table: QName,
    name: Ident,
    hidden: Ident,
    check: Ident,
}

/// The old columns of a family, while contract keeps them.
pub(super) struct Keeping {
    root: (QName, Ident),
    limits: (i64, i64),
    kind: String,
    named: bool,
    bound: Vec<Bound>,
    free: Vec<(QName, Ident, Option<String>)>,
    spare: Vec<(QName, Ident)>,
}

impl Keeping {
    /// What is kept of a family whose columns are of a type.
    pub(super) fn new(family: &Family, draft: &Draft<'_>, kind: &str) -> Self {
        let mut keeping = Self {
            root: family
                .members
                .first()
                .and_then(|root| Some((root.table.clone(), root.names().next()?)))
                .unwrap_or_else(
                    // A family has its key.
                    || {
                        (
                            QName { schema: None, name: Ident::shortened("", "key") },
                            Ident::shortened("", "key"),
                        )
                    },
                ),
            limits: range(kind).unwrap_or((i32::MIN.into(), i32::MAX.into())),
            kind: kind.to_owned(),
            named: draft.server() >= NAMED,
            bound: Vec::new(),
            free: Vec::new(),
            spare: Vec::new(),
        };
        for member in &family.members {
            for (column, name) in member.columns.iter().zip(member.names()) {
                let hidden = draft.own_name(name.as_str());
                if column.not_null {
                    let check = draft.own_name(&format!("fits_{}", name.as_str()));
                    keeping.bound.push(Bound { table: member.table.clone(), name, hidden, check });
                } else {
                    keeping.free.push((member.table.clone(), hidden, column.comment.clone()));
                }
            }
            keeping.spare.extend(spare(member, draft).map(|(name, _)| (member.table.clone(), name)));
        }
        keeping
    }

    /// The value of an old column: nothing where its type cannot hold that of the new one.
    pub(super) fn value(&self, name: &Ident) -> String {
        let (min, max) = self.limits;
        format!("CASE WHEN {name} BETWEEN {min} AND {max} THEN {name}::{} END", self.kind)
    }

    /// An old column need not have a value any more.
    pub(super) fn hide(&self, member: &Member, column: &Column, name: &Ident, around: &mut Carried) {
        let table = &member.table;
        let Some(bound) = self.bound.iter().find(|bound| bound.table == *table && bound.name == *name) else {
            return;
        };
        let named = |known: &&crate::core::recipe::known::Constraint| {
            known.kind == "n" && known.columns == [column.name.clone()]
        };
        let constraint = member.known.constraints.iter().find(named);
        let constraint = constraint.and_then(|known| Ident::exact(known.name.clone()).ok());
        let alter = format!("ALTER TABLE {table}");
        // The constraint over it, which steps before this one have proven, spares a look at every row.
        let bind = match constraint.filter(|_| self.named) {
            Some(constraint) => format!("{alter} ADD CONSTRAINT {constraint} NOT NULL {name}"),
            None => format!("{alter} ALTER COLUMN {name} SET NOT NULL"),
        };
        around.hide.there.push(format!("{alter} ALTER COLUMN {name} DROP NOT NULL"));
        let comment = column.comment.as_deref().map_or_else(|| "NULL".to_owned(), literal);
        let back = [
            bind,
            format!("{alter} DROP CONSTRAINT IF EXISTS {}", bound.check),
            format!("COMMENT ON COLUMN {table}.{name} IS {comment}"),
        ];
        around.hide.back.splice(0..0, back);
    }

    /// Writes the steps after the exchange; `raise` lets the sequences go on, and `lower` takes that back.
    pub(super) fn write(&self, draft: &mut Draft<'_>, raise: Vec<String>, mut lower: Vec<String>) {
        let said = format!("Kept for the way back; empty where {} cannot hold it.", self.kind);
        let comment = |table: &QName, column: &Ident, text: &str| {
            format!("COMMENT ON COLUMN {table}.{column} IS {text}")
        };
        for (table, hidden, before) in &self.free {
            let before = before.as_deref().map_or_else(|| "NULL".to_owned(), literal);
            draft.contract_sql(Sql::new(
                comment(table, hidden, &literal(&said)),
                comment(table, hidden, &before),
            ));
        }
        for Bound { table, hidden, check, .. } in &self.bound {
            draft.contract_sql(Sql::new(
                comment(table, hidden, &literal(&said)),
                format!("ALTER TABLE {table} VALIDATE CONSTRAINT {check}"),
            ));
        }
        let noted: Vec<String> = self
            .spare
            .iter()
            .map(|(table, index)| {
                let said = literal("Takes the place of the primary key on the way back.");
                format!("COMMENT ON INDEX {} IS {said}", table.sibling(index.clone()))
            })
            .collect();
        let mut checks: Vec<String> = self.bound.iter().map(Bound::add).collect();
        let why = "it finds the least and the greatest number by the index of the key";
        if raise.is_empty() {
            checks.insert(0, self.refuse_greater());
            draft.contract_sql(Sql::new(noted.join(";\n"), checks.join(";\n")).allow("opaque", why));
        } else {
            draft.contract_sql(Sql::new(noted.join(";\n"), checks.join(";\n")));
            lower.insert(0, self.refuse_greater());
            draft.contract_sql(Sql::new(raise.join(";\n"), lower.join(";\n")).allow("opaque", why));
        }
    }

    /// A statement that fails where the old columns cannot hold every number.
    fn refuse_greater(&self) -> String {
        let ((table, column), (min, max)) = (&self.root, self.limits);
        let body = format!(
            "BEGIN\n  IF EXISTS (SELECT FROM {table} WHERE {column} > {max}) OR EXISTS (SELECT FROM {table} WHERE {column} < {min}) THEN\n    \
             RAISE EXCEPTION '% has numbers that {} cannot hold', {}\n      \
             USING HINT = 'There is no way back to it while those rows are there: go on, with phase purge.';\n  END IF;\nEND",
            self.kind,
            literal(&format!("{}.{}", table.plain(), plain(column))),
        );
        do_block(&body)
    }
}

impl Bound {
    fn add(&self) -> String {
        let Self { table, hidden, check, .. } = self;
        format!("ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({hidden} IS NOT NULL) NOT VALID")
    }
}

/// The second index of a primary key over its old columns, with what creates it: taken away with
/// its constraint, the first one cannot come back but by a build under a lock.
pub(super) fn spare(member: &Member, draft: &Draft<'_>) -> Option<(Ident, String)> {
    let of_key = |index: &&crate::core::recipe::known::Index| {
        index.constraint.as_deref() == Some("p") && member.is_of(&index.columns)
    };
    let index = member.known.indexes.iter().find(of_key)?;
    let name = draft.own_name(&format!("spare_{}", index.name));
    let keys: Option<Vec<Ident>> = index.keys.iter().map(|key| Ident::exact(key.clone()).ok()).collect();
    let create = format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {} ({})", member.table, list(&keys?));
    Some((name, create))
}
