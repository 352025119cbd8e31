//! Owns what a recipe knows of tables, columns and types, as the changes before it leave them.

use super::Draft;
use crate::core::ident::{Ident, QName, plain};
use crate::core::recipe::known::{Column, Dependent, Enum, Known, Table};
use crate::core::sql::expression_over;

impl Draft<'_> {
    /// All that is known, as the changes before this one leave it.
    pub(in crate::core::recipe) const fn known(&self) -> &Known {
        &self.known
    }

    /// A table; `None` where nothing is known of it. That one is not there is said by the preflight.
    pub(in crate::core::recipe) fn table(&self, name: &QName) -> Option<Table> {
        self.known.table(name).cloned()
    }

    /// A table that must be there, unless the plan makes it itself.
    pub(in crate::core::recipe) fn required(&mut self, name: &QName) -> Option<Table> {
        let found = self.table(name);
        if found.is_none() && self.known.complete && !self.made.contains(&name.name) {
            self.refuse(format!("there is no table {}", name.plain()));
        }
        found
    }

    /// An enum type that must be there; `None` where nothing is known of it, or what is there is none.
    pub(in crate::core::recipe) fn required_enum(&mut self, name: &QName) -> Option<Enum> {
        let found = self.known.enums.get(&name.plain()).cloned();
        match &found {
            None if self.known.complete => self.refuse(format!("there is no type {}", name.plain())),
            Some(other) if !other.is_one() => self.refuse(format!("type {} is no enum", name.plain())),
            _ => {}
        }
        found.filter(Enum::is_one)
    }

    /// Whether a name is that of a type, of whichever kind, or of a table, whose rows have one.
    pub(in crate::core::recipe) fn has_type(&self, name: &QName) -> bool {
        self.known.enums.contains_key(&name.plain()) || self.known.table(name).is_some()
    }

    /// Makes a type known to the changes that follow.
    pub(in crate::core::recipe) fn makes_type(&mut self, name: &QName, made: Enum) {
        self.known.enums.insert(name.plain(), made);
    }

    /// Changes what the next recipes know of a type.
    pub(in crate::core::recipe) fn now_enum(&mut self, name: &QName, change: impl FnOnce(&mut Enum)) {
        if let Some(known) = self.known.enums.get_mut(&name.plain()) {
            change(known);
        }
    }

    /// Whether the catalog was asked: what is not known is not there.
    pub(in crate::core::recipe) const fn knows_all(&self) -> bool {
        self.known.complete
    }

    /// A column; where nothing is known of its table, one that is assumed. One that is not there is refused.
    pub(in crate::core::recipe) fn column(&mut self, table: &QName, column: &Ident) -> Column {
        match self.known.table(table).map(|known| known.column(column).cloned()) {
            Some(Some(found)) => return found,
            Some(None) if self.is_gone(table, column) => {
                self.refuse(format!(
                    "a change before takes {}.{} away already",
                    table.plain(),
                    plain(column)
                ));
            }
            Some(None) => self.refuse(format!("table {} has no column {}", table.plain(), plain(column))),
            None => {}
        }
        Column::assumed(table, column)
    }

    /// Makes known to the changes that follow that contract takes a column away.
    pub(in crate::core::recipe) fn takes_away(&mut self, table: &QName, column: &Ident) {
        self.now(table, |known| known.columns.retain(|known| known.name != column.as_str()));
        self.gone.push((table.clone(), column.clone()));
    }

    fn is_gone(&self, table: &QName, column: &Ident) -> bool {
        self.gone.iter().any(|(of, gone)| of == table && gone == column)
    }

    /// What a column is called until contract, when a change before this one has given it its name.
    pub(in crate::core::recipe) fn name_now(&self, table: &QName, column: &Ident) -> Ident {
        let known = self.known.table(table).and_then(|known| known.column(column));
        let before = known.and_then(|known| known.until_contract.clone());
        before.and_then(|name| Ident::exact(name).ok()).unwrap_or_else(|| column.clone())
    }

    /// The columns of a table that changes before this one give another name in contract: the old one and the new one.
    pub(in crate::core::recipe) fn renamed_in_contract(&self, table: &QName) -> Vec<(Ident, Ident)> {
        let renamed = |column: &Column| {
            let before = column.until_contract.clone().or_else(|| column.was.clone())?;
            Some((Ident::exact(before).ok()?, Ident::exact(column.name.clone()).ok()?))
        };
        self.known.table(table).into_iter().flat_map(|known| &known.columns).filter_map(renamed).collect()
    }

    /// An expression over the row, as it is written until contract.
    pub(in crate::core::recipe) fn expression_now(&mut self, table: &QName, expr: &str) -> String {
        let renamed = |column: &Column| {
            let name = Ident::exact(column.name.clone()).ok()?;
            Some((name, Ident::exact(column.until_contract.clone()?).ok()?))
        };
        let known = self.known.table(table);
        let renamed: Vec<(Ident, Ident)> =
            known.into_iter().flat_map(|known| &known.columns).filter_map(renamed).collect();
        let mut text = expr.to_owned();
        for (name, now) in renamed {
            match expression_over(&text, &name, &now) {
                Ok(over) => text = over,
                Err(error) => self.refuse(format!("{expr}: {error}")),
            }
        }
        text
    }

    /// Refuses a name that a column of the table has already.
    pub(in crate::core::recipe) fn refuse_taken(&mut self, table: &QName, column: &Ident) {
        let taken = |known: &Column| {
            known.name == column.as_str() || known.until_contract.as_deref() == Some(column.as_str())
        };
        if self.known.table(table).is_some_and(|known| known.columns.iter().any(taken)) {
            self.refuse(format!("table {} has a column {} already", table.plain(), plain(column)));
        }
        if self.is_gone(table, column) {
            self.refuse(format!(
                "{}.{} is there until contract takes it away: change_type gives it another type; else take two plans",
                table.plain(),
                plain(column)
            ));
        }
    }

    /// Changes what the next recipes know of a table.
    pub(in crate::core::recipe) fn now(&mut self, table: &QName, change: impl FnOnce(&mut Table)) {
        if let Some(known) = self.known.table_mut(table) {
            change(known);
        }
    }

    /// As [`Draft::now`], of one column.
    pub(in crate::core::recipe) fn now_column(
        &mut self,
        table: &QName,
        column: &Ident,
        change: impl FnOnce(&mut Column),
    ) {
        self.now(table, |table| {
            if let Some(known) = table.columns.iter_mut().find(|known| known.name == column.as_str()) {
                change(known);
            }
        });
    }

    /// Makes a table known to the changes that follow.
    pub(in crate::core::recipe) fn made(&mut self, name: &QName, table: Table) {
        self.known.tables.insert(name.plain(), table);
    }

    /// Gives a table another name, from expand on.
    pub(in crate::core::recipe) fn renames(&mut self, from: &QName, to: &QName) {
        self.renames_in_dependents(from, None);
        if let Some(table) = self.known.tables.remove(&from.plain()) {
            self.known.tables.insert(to.plain(), table);
        }
    }

    /// Puts down that what reads a column, or the table, is not what the catalog said any more.
    pub(in crate::core::recipe) fn renames_in_dependents(&mut self, table: &QName, column: Option<&Ident>) {
        let of_it = |one: &&Dependent| column.is_none_or(|column| one.reads(column));
        let known = self.known.table(table);
        let named: Vec<String> = known
            .into_iter()
            .flat_map(|known| &known.dependents)
            .filter(of_it)
            .map(|one| one.said.clone())
            .collect();
        let all = self.known.tables.values_mut().flat_map(|table| &mut table.dependents);
        for one in all.filter(|one| named.contains(&one.said)) {
            one.renamed = true;
        }
    }

    /// Puts down that what is called so is made again, for each table that it reads.
    pub(in crate::core::recipe) fn remakes(&mut self, said: &[&str]) {
        let all = self.known.tables.values_mut().flat_map(|table| &mut table.dependents);
        for one in all.filter(|one| said.contains(&one.said.as_str())) {
            one.remade = true;
        }
    }

    /// Puts down that explicit steps drop a view.
    pub(in crate::core::recipe) fn drops_view(&mut self, view: &QName) {
        for table in self.known.tables.values_mut() {
            let is = |relation: &String| QName::parse(relation).is_ok_and(|relation| relation.may_be(view));
            table.hanging.retain(|one| !one.relation.as_ref().is_some_and(is));
        }
    }
}
