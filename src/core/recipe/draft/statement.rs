//! Owns the SQL that a recipe writes: the statements, their way back, and the findings that they take care of.

use crate::core::ident::{Ident, QName};
use crate::core::plan::model::{SqlSpec, StepSpec, UndoSpec};
use crate::core::plan::scalar::Places;
use crate::core::recipe::known::Column;
use crate::core::step::Allow;

/// SQL that a recipe writes.
pub(in crate::core::recipe) struct Sql {
    text: String,
    undo: Option<UndoSpec>,
    allow: Vec<Allow>,
}

impl Sql {
    /// Statements, and those that take them back.
    pub(in crate::core::recipe) fn new(text: impl Into<String>, undo: impl Into<String>) -> Self {
        let undo = Some(UndoSpec::Sql(undo.into(), Places::default()));
        Self { text: text.into(), undo, allow: Vec::new() }
    }

    /// Statements that only prove something: there is nothing to take back.
    pub(in crate::core::recipe) fn proof(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None, allow: Vec::new() }
    }

    /// Statements that nothing takes back, and why.
    pub(in crate::core::recipe) fn for_good(text: impl Into<String>, why: &str) -> Self {
        Self { text: text.into(), undo: Some(UndoSpec::Irreversible(why.into())), allow: Vec::new() }
    }

    /// Statements of which abort leaves behind what they make.
    pub(in crate::core::recipe) fn that_stays(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: Some(UndoSpec::Stays), allow: Vec::new() }
    }

    /// Accepts a finding of the linter, because the recipe has taken care of it.
    pub(in crate::core::recipe) fn allow(mut self, rule: &str, reason: &str) -> Self {
        self.allow.push(Allow::of_step(rule, reason));
        self
    }

    /// Says that it makes a column of the type of another, of which nothing may be known yet.
    pub(in crate::core::recipe) fn of_type(self, column: &Column, table: &QName, name: &Ident) -> Self {
        if *column != Column::assumed(table, name) {
            return self;
        }
        self.allow("unknown-type", "it is that of the column, which the catalog tells before the plan starts")
    }

    pub(super) fn spec(self) -> StepSpec {
        let Self { text, undo, allow } = self;
        StepSpec::Sql(SqlSpec { text, file: None, places: Places::default(), undo, allow })
    }
}
