//! Reads steps: exactly one kind each, and only where it may stand.

use super::ReadFile;
use super::fault::Faults;
use super::index;
use super::model::{AssertSpec, Place, Placed, SqlSpec, StepSpec, SyncSpec, UndoSpec};
use super::raw::{RawAllow, RawColumn, RawLint, RawStep, RawSync};
use super::scalar::Places;
use super::yaml::{Pairs, Spanned, place};
use crate::core::ident::{Ident, QName};
use crate::core::lint;
use crate::core::migration::lint_comment;
use crate::core::step::{Allow, Phase};

pub(super) fn read(
    phase: Phase,
    raw: Vec<Spanned<RawStep>>,
    text: &str,
    sql_file: ReadFile<'_>,
    faults: &mut Faults<'_>,
) -> Vec<Placed<StepSpec>> {
    let mut steps = Vec::new();
    for step in raw {
        let at = place(&step);
        let step = Reader { phase, at, text, sql_file, faults }.step(step.value);
        steps.extend(step.map(|value| Placed { value, place: at }));
    }
    steps
}

struct Reader<'r, 'a> {
    phase: Phase,
    at: Place,
    /// The file, for the places of statements.
    text: &'r str,
    sql_file: ReadFile<'r>,
    faults: &'r mut Faults<'a>,
}

impl Reader<'_, '_> {
    fn step(&mut self, raw: RawStep) -> Option<StepSpec> {
        let kinds = [
            ("sql", raw.sql.is_some(), [true; 3]),
            ("sql_file", raw.sql_file.is_some(), [true; 3]),
            ("index", raw.index.is_some(), [true, true, false]),
            ("drop_index", raw.drop_index.is_some(), [false, false, true]),
            ("sync", raw.sync.is_some(), [true, false, false]),
            ("not_null", raw.not_null.is_some(), [false, true, false]),
            ("assert", raw.assert.is_some(), [false, true, true]),
            ("drop_column", raw.drop_column.is_some(), [false, false, true]),
            ("drop_table", raw.drop_table.is_some(), [false, false, true]),
        ];
        let given: Vec<_> = kinds.iter().filter(|(_, given, _)| *given).collect();
        let [(kind, _, allowed)] = given.as_slice() else {
            let names = kinds.map(|(name, ..)| name).join(", ");
            self.fault(format!("a step is exactly one of {names}"));
            return None;
        };
        let phases = [Phase::Expand, Phase::Validate, Phase::Contract];
        if !phases.iter().zip(allowed).any(|(phase, allowed)| *phase == self.phase && *allowed) {
            let places: Vec<_> =
                phases.iter().zip(allowed).filter(|(_, a)| **a).map(|(p, _)| p.name()).collect();
            self.fault(format!("{kind} belongs into {}, not into {}", places.join(" or "), self.phase));
            return None;
        }
        if raw.undo.is_some() && !matches!(*kind, "sql" | "sql_file") {
            self.fault(format!("undo belongs to sql and sql_file; that of {kind} is derived"));
        }
        let judged = matches!(*kind, "sql" | "sql_file" | "drop_column" | "drop_table");
        if let Some(lint) = raw.lint.as_ref().filter(|_| !judged) {
            let message = format!(
                "lint belongs to sql, sql_file, drop_column and drop_table; {kind} is safe by itself"
            );
            self.faults.add(place(lint), message);
        }
        match raw {
            RawStep { sql: Some(text), undo, lint, .. } => {
                let places = Places::of_scalar(self.text, place(&text), &text.value);
                self.sql(text.value, None, places, undo, lint)
            }
            RawStep { sql_file: Some(file), undo, lint, .. } => self.file(file, undo, lint),
            RawStep { index: Some(raw), .. } => index::read(raw, self.at, self.faults).map(StepSpec::Index),
            RawStep { drop_index: Some(raw), .. } => self.table("name", &raw.name).map(StepSpec::DropIndex),
            RawStep { sync: Some(raw), .. } => self.sync(raw),
            RawStep { not_null: Some(raw), .. } => {
                self.column(&raw).map(|(table, column)| StepSpec::NotNull { table, column })
            }
            RawStep { assert: Some(raw), .. } => {
                Some(StepSpec::Assert(AssertSpec { name: raw.name, sql: raw.sql, expect: raw.expect.0 }))
            }
            RawStep { drop_column: Some(raw), lint, .. } => {
                let allow = self.allow(lint);
                self.column(&raw).map(|(table, column)| StepSpec::DropColumn { table, column, allow })
            }
            RawStep { drop_table: Some(raw), lint, .. } => {
                let allow = self.allow(lint);
                self.table("table", &raw.table).map(|table| StepSpec::DropTable { table, allow })
            }
            _ => None,
        }
    }

    fn fault(&mut self, message: impl Into<String>) {
        self.faults.add(self.at, message);
    }

    fn table(&mut self, what: &str, text: &str) -> Option<QName> {
        self.faults.take(self.at, what, QName::parse(text))
    }

    fn ident(&mut self, what: &str, text: &str) -> Option<Ident> {
        self.faults.take(self.at, what, Ident::parse(text))
    }

    fn column(&mut self, raw: &RawColumn) -> Option<(QName, Ident)> {
        let (table, column) = (self.table("table", &raw.table), self.ident("column", &raw.column));
        Some((table?, column?))
    }

    fn sql(
        &mut self,
        text: String,
        file: Option<String>,
        places: Places,
        undo: Option<Spanned<String>>,
        lint: Option<Spanned<RawLint>>,
    ) -> Option<StepSpec> {
        let allow = self.allow(lint);
        if let Some(at) = lint_comment(&text) {
            let at = places.at(&text, at).filter(|_| file.is_none()).unwrap_or(self.at);
            self.faults.add(at, "a comment accepts nothing in a plan: write lint: {allow: [{rule: RULE, reason: WHY}]} beside sql");
        }
        if undo.is_none() && self.phase == Phase::Expand {
            self.fault("an sql step in expand needs its undo: write undo: with the SQL that takes it back, or undo: \"irreversible: why\"");
            return None;
        }
        let undo = undo.map(|undo| match undo.value.trim().strip_prefix("irreversible") {
            Some("") => UndoSpec::Irreversible("the plan says that it is irreversible".into()),
            Some(why) if why.starts_with(':') => UndoSpec::Irreversible(why[1..].trim().into()),
            _ => {
                let places = Places::of_scalar(self.text, place(&undo), &undo.value);
                UndoSpec::Sql(undo.value, places)
            }
        });
        Some(StepSpec::Sql(SqlSpec { text, file, places, undo, allow }))
    }

    fn allow(&mut self, lint: Option<Spanned<RawLint>>) -> Vec<Allow> {
        let mut allowed = Vec::new();
        for raw in lint.map(|lint| lint.value.allow).unwrap_or_default() {
            let at = place(&raw);
            let RawAllow { rule, reason } = raw.value;
            match lint::accepts(&rule, &reason) {
                Ok(()) => allowed.push(Allow { rule, reason, place: Some(at), statement: None }),
                Err(why) => self.faults.add(at, format!("lint: {why}")),
            }
        }
        allowed
    }

    fn file(
        &mut self,
        file: String,
        undo: Option<Spanned<String>>,
        lint: Option<Spanned<RawLint>>,
    ) -> Option<StepSpec> {
        match (self.sql_file)(&file) {
            Ok(text) => {
                let places = Places::of_lines(&text, 1);
                self.sql(text, Some(file), places, undo, lint)
            }
            Err(why) => {
                self.fault(format!("sql_file: {why}"));
                None
            }
        }
    }

    fn pairs(&mut self, pairs: Option<Pairs>) -> Option<Vec<(Ident, String)>> {
        let pairs = pairs.map(|pairs| pairs.0).unwrap_or_default();
        let named: Vec<_> =
            pairs.into_iter().map(|(name, expr)| Some((self.ident("column", &name)?, expr))).collect();
        named.into_iter().collect()
    }

    fn sync(&mut self, raw: RawSync) -> Option<StepSpec> {
        let table = self.table("table", &raw.table);
        let (set, back) = (self.pairs(raw.set), self.pairs(raw.back));
        let (set, back) = (set?, back?);
        if set.is_empty() && back.is_empty() {
            self.fault("sync needs set: {new: expression over old columns}, back: {old: expression over new columns}, or both");
        }
        Some(StepSpec::Sync(SyncSpec { table: table?, set, back }))
    }
}
