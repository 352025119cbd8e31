//! Owns how a fault in a file is told: its place, its line, what to do.

use std::fmt;

use super::model::Place;

/// The place of what concerns a file as a whole.
pub const TOP: Place = Place { line: 1, column: 1 };

/// The most characters of a line that a message shows.
const LINE_CHARS: usize = 160;

/// Every fault of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    faults: Vec<(Place, String)>,
    shown: Vec<String>,
}

impl PlanError {
    /// One fault.
    #[must_use]
    pub fn one(file: &str, text: &str, place: Place, message: &str) -> Self {
        Self { faults: vec![(place, message.into())], shown: vec![located(file, text, Some(place), message)] }
    }

    /// The places and messages.
    #[must_use]
    pub fn faults(&self) -> &[(Place, String)] {
        &self.faults
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown.join("\n\n"))
    }
}

impl std::error::Error for PlanError {}

/// Writes `file:line:column: message` with the line and a caret under its place.
#[must_use]
pub fn located(file: &str, text: &str, place: Option<Place>, message: &str) -> String {
    let Some(Place { line, column }) = place else { return format!("{file}: {message}") };
    let mut shown = format!("{file}:{line}:{column}: {message}");
    if let Some(source) = text.lines().nth(line - 1) {
        let number = line.to_string();
        let blank = " ".repeat(number.len());
        // A tab is as wide as the caret takes it: one column.
        let source: String =
            source.chars().take(LINE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let caret = " ".repeat(column.saturating_sub(1).min(LINE_CHARS));
        shown += &format!("\n{blank} |\n{number} | {source}\n{blank} | {caret}^");
    }
    shown
}

/// Collects the faults of one file.
pub struct Faults<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<(Place, String)>,
}

impl<'a> Faults<'a> {
    pub(super) const fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    /// Notes a fault.
    pub fn add(&mut self, place: Place, message: impl Into<String>) {
        self.found.push((place, message.into()));
    }

    /// Takes a result's value, or notes its error.
    pub fn take<T, E: fmt::Display>(&mut self, place: Place, what: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(place, format!("{what}: {error}"))).ok()
    }

    pub(super) fn finish<T>(mut self, value: T) -> Result<T, PlanError> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort();
        self.found.dedup();
        let shown =
            self.found.iter().map(|(place, message)| located(self.file, self.text, Some(*place), message));
        Err(PlanError { shown: shown.collect(), faults: self.found })
    }
}
