//! Makes the like of the indexes and constraints of a family over its new columns, and lets them
//! take the names in the exchange.

use super::both;
use super::family::{Family, Member};
use super::keeping::spare;
use crate::core::ident::{Ident, QName, literal};
use crate::core::plan::model::StepSpec;
use crate::core::recipe::carried::{Carried, marks};
use crate::core::recipe::draft::{Draft, Sql};
use crate::core::recipe::known::{Constraint, Index};
use crate::core::sql::{SqlError, constraint_over_all, index_over};

/// What is made over the new columns.
pub(super) struct Over<'o, 'd> {
    pub(super) draft: &'o mut Draft<'d>,
    pub(super) family: &'o Family,
    /// The column that takes the place of one.
    pub(super) shadow: &'o dyn Fn(&Ident) -> Ident,
    pub(super) around: &'o mut Carried,
}

impl Over<'_, '_> {
    /// Writes what is made before the exchange, and what is to run around it.
    pub(super) fn write(&mut self) {
        // The primary keys go without the foreign keys that rely on them.
        self.drop_links();
        for member in &self.family.members {
            for index in member.known.indexes.iter().filter(|index| member.is_of(&index.columns)) {
                self.index(member, index);
            }
            for (column, name) in member.columns.iter().zip(member.names()) {
                if column.not_null {
                    let column = (self.shadow)(&name);
                    self.draft.validate(StepSpec::NotNull { table: member.table.clone(), column });
                }
            }
            let own = |constraint: &&Constraint| {
                member.is_of(&constraint.columns) && matches!(constraint.kind.as_str(), "c" | "f" | "n")
            };
            for constraint in member.known.constraints.iter().filter(own) {
                if !self.is_link(member, constraint) {
                    self.constraint(member, constraint);
                }
            }
        }
        self.primary_keys_back();
        self.links();
    }

    fn is_link(&self, member: &Member, constraint: &Constraint) -> bool {
        self.family.links.iter().any(|link| {
            let child = self.family.members.get(link.child);
            child.is_some_and(|child| child.table == member.table) && link.constraint.name == constraint.name
        })
    }

    fn index(&mut self, member: &Member, index: &Index) {
        let (Ok(name), table) = (Ident::exact(index.name.clone()), &member.table) else { return };
        if !index.valid {
            return;
        }
        if index.constraint.as_deref() == Some("x") {
            return self.draft.refuse(format!(
                "exclusion constraint {} of {} cannot be built beside the old one",
                index.name,
                table.plain()
            ));
        }
        let own = self.draft.own_relation(&format!("new_{}", index.name));
        let mut create = Ok(index.definition.clone());
        for (from, to) in member.pairs(self.shadow) {
            create = create.and_then(|create: String| index_over(&create, table, &from, &to, &own));
        }
        let drop = format!("DROP INDEX CONCURRENTLY {}", table.sibling(own.clone()));
        match create {
            Ok(create) => self.draft.validate_sql(Sql::new(create, drop)),
            Err(error) => return self.refuse(table, &index.name, &error),
        }
        let alter = format!("ALTER TABLE {table}");
        let hidden = self.draft.own_relation(&index.name);
        let of_name = |constraint: &&Constraint| constraint.name == index.name;
        let constraint = member.known.constraints.iter().find(of_name);
        let deferral = constraint.map_or("", Constraint::deferral);
        match index.constraint.as_deref() {
            None => {
                let rename = |from: &Ident, to: &Ident| {
                    format!("ALTER INDEX {} RENAME TO {to}", table.sibling(from.clone()))
                };
                both(&mut self.around.hide, rename(&name, &hidden), rename(&hidden, &name));
                both(&mut self.around.then, rename(&own, &name), rename(&name, &own));
            }
            Some("p") => {
                let drop = format!("{alter} DROP CONSTRAINT {name}");
                self.around.hide.there.push(drop.clone());
                let add = format!("{alter} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {own}{deferral}");
                both(&mut self.around.then, add, drop);
                if self.draft.keeps()
                    && let Some((spare, create)) = spare(member, self.draft)
                {
                    let drop = format!("DROP INDEX CONCURRENTLY {}", table.sibling(spare));
                    let why = "it takes the place of the primary key on the way back";
                    self.draft.validate_sql(Sql::new(create, drop).allow("duplicate-index", why));
                }
            }
            Some(_) => {
                let rename = |from: &Ident, to: &Ident| format!("{alter} RENAME CONSTRAINT {from} TO {to}");
                both(&mut self.around.hide, rename(&name, &hidden), rename(&hidden, &name));
                let add = format!("{alter} ADD CONSTRAINT {name} UNIQUE USING INDEX {own}{deferral}");
                both(&mut self.around.then, add, format!("{alter} DROP CONSTRAINT {name}"));
            }
        }
        if let Some(constraint) = constraint {
            self.comment(table, constraint);
        }
        if index.constraint.as_deref() != Some("p") {
            if index.replica_identity {
                // A column of it cannot be without a value.
                self.around.hide.there.push(format!("{alter} REPLICA IDENTITY NOTHING"));
            }
            marks(table, index, &name, self.around);
        }
    }

    /// On the way back the second index over the old columns becomes the primary key, after NOT NULL.
    fn primary_keys_back(&mut self) {
        for member in &self.family.members {
            let key =
                |index: &&Index| index.constraint.as_deref() == Some("p") && member.is_of(&index.columns);
            let Some(index) = member.known.indexes.iter().find(key) else { continue };
            let (Ok(name), Some((spare, _))) = (Ident::exact(index.name.clone()), spare(member, self.draft))
            else {
                continue;
            };
            let constraint = member.known.constraints.iter().find(|constraint| constraint.name == index.name);
            let deferral = constraint.map_or("", Constraint::deferral);
            let table = &member.table;
            let back = &mut self.around.hide.back;
            back.push(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {spare}{deferral}"
            ));
            back.push(comment_on_index(table, &name, index.comment.as_deref()));
            back.extend(constraint.and_then(|constraint| comment_on(table, constraint)));
            // Once it is there, here and there.
            marks(table, index, &name, self.around);
        }
    }

    fn constraint(&mut self, member: &Member, constraint: &Constraint) {
        let (Ok(name), table) = (Ident::exact(constraint.name.clone()), &member.table) else { return };
        let alter = format!("ALTER TABLE {table}");
        let rename = |from: &Ident, to: &Ident| format!("{alter} RENAME CONSTRAINT {from} TO {to}");
        if constraint.kind == "n" {
            // From 18 on NOT NULL is one, which the step that proves it makes under this name.
            let Some((_, shadow)) = member
                .pairs(self.shadow)
                .into_iter()
                .find(|(column, _)| constraint.columns == [column.as_str().to_owned()])
            else {
                return;
            };
            let own = Ident::shortened("", &format!("{}_{}_not_null", table.name.as_str(), shadow.as_str()));
            return both(&mut self.around.then, rename(&own, &name), rename(&name, &own));
        }
        let own = self.draft.own_name(&format!("new_{}", constraint.name));
        let hidden = self.draft.own_name(&constraint.name);
        match constraint_over_all(&constraint.definition, table, &member.pairs(self.shadow), &[], &own) {
            Ok(add) => {
                self.draft.validate_sql(Sql::new(add, format!("{alter} DROP CONSTRAINT {own}")));
                if constraint.valid {
                    self.draft.validate_sql(Sql::proof(format!("{alter} VALIDATE CONSTRAINT {own}")));
                }
            }
            Err(error) => return self.refuse(table, &constraint.name, &error),
        }
        both(&mut self.around.hide, rename(&name, &hidden), rename(&hidden, &name));
        both(&mut self.around.then, rename(&own, &name), rename(&name, &own));
        self.comment(table, constraint);
    }

    /// The foreign keys of the family go before the exchange.
    fn drop_links(&mut self) {
        for link in &self.family.links {
            let Some(child) = self.family.members.get(link.child) else { continue };
            let Ok(name) = Ident::exact(link.constraint.name.clone()) else { continue };
            self.around.first.there.push(format!("ALTER TABLE {} DROP CONSTRAINT {name}", child.table));
        }
    }

    /// Foreign keys from new columns to new columns. On the way back they are made over the old ones
    /// without a look at the rows, which the step that proves the new ones takes then.
    fn links(&mut self) {
        for link in &self.family.links {
            let members = &self.family.members;
            let (Some(child), Some(parent)) = (members.get(link.child), members.get(link.parent)) else {
                continue;
            };
            let (constraint, table) = (&link.constraint, &child.table);
            let Ok(name) = Ident::exact(constraint.name.clone()) else { continue };
            let own = self.draft.own_name(&format!("new_{}", constraint.name));
            let over = |columns: &[(Ident, Ident)], referred: &[(Ident, Ident)], name: &Ident| {
                constraint_over_all(&constraint.definition, table, columns, referred, name)
            };
            let new = over(&child.pairs(self.shadow), &parent.pairs(self.shadow), &own);
            let (add, again) = match (new, over(&[], &[], &name)) {
                (Ok(add), Ok(again)) => (add, again),
                (Err(error), _) | (_, Err(error)) => {
                    self.refuse(table, &constraint.name, &error);
                    continue;
                }
            };
            let alter = format!("ALTER TABLE {table}");
            self.draft.validate_sql(Sql::new(add, format!("{alter} DROP CONSTRAINT IF EXISTS {own}")));
            if constraint.valid {
                let prove = |name: &Ident| format!("{alter} VALIDATE CONSTRAINT {name}");
                self.draft.validate_sql(Sql::new(prove(&own), prove(&name)));
            }
            let take = format!("{alter} RENAME CONSTRAINT {own} TO {name}");
            both(&mut self.around.then, take, format!("{alter} DROP CONSTRAINT {name}"));
            self.around.hide.back.push(again);
            self.around.hide.back.extend(comment_on(table, constraint));
            self.comment(table, constraint);
        }
    }

    fn comment(&mut self, table: &QName, constraint: &Constraint) {
        self.around.then.there.extend(comment_on(table, constraint));
    }

    fn refuse(&mut self, table: &QName, name: &str, error: &SqlError) {
        self.draft.refuse(format!("{name} of {} cannot be made for the new type: {error}", table.plain()));
    }
}

/// The comment on a constraint, put on the one that has its name.
fn comment_on(table: &QName, constraint: &Constraint) -> Option<String> {
    let (comment, name) = (constraint.comment.as_ref()?, Ident::exact(constraint.name.clone()).ok()?);
    Some(format!("COMMENT ON CONSTRAINT {name} ON {table} IS {}", literal(comment)))
}

fn comment_on_index(table: &QName, name: &Ident, comment: Option<&str>) -> String {
    let comment = comment.map_or_else(|| "NULL".to_owned(), literal);
    format!("COMMENT ON INDEX {} IS {comment}", table.sibling(name.clone()))
}
