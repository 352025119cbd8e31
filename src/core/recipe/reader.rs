//! Reads the fields of a recipe: names and expressions, each fault with its place.

use std::collections::BTreeMap;

use crate::core::ident::{Ident, MAX_IDENT_BYTES, QName};
use crate::core::plan::ReadFile;
use crate::core::plan::fault::Faults;
use crate::core::plan::model::Place;
use crate::core::plan::yaml::Pairs;
use crate::core::sql::{check_expression, closed, read_type};

/// Reads one recipe.
pub(super) struct Reader<'r, 'a> {
    /// Where it stands.
    pub at: Place,
    /// The file's text, for the places of statements.
    pub text: &'r str,
    /// Reads the files that it names.
    pub sql_file: ReadFile<'r>,
    /// Where faults go.
    pub faults: &'r mut Faults<'a>,
}

impl Reader<'_, '_> {
    pub(super) fn fault(&mut self, message: impl Into<String>) {
        self.faults.add(self.at, message);
    }

    pub(super) fn table(&mut self, what: &str, text: &str) -> Option<QName> {
        self.faults.take(self.at, what, QName::parse(text))
    }

    pub(super) fn ident(&mut self, what: &str, text: &str) -> Option<Ident> {
        self.faults.take(self.at, what, Ident::parse(text))
    }

    /// A table, and something of it with its name and another one.
    pub(super) fn renamed(&mut self, table: &str, from: &str, to: &str) -> Option<(QName, Ident, Ident)> {
        let table = self.table("table", table);
        let (from, to) = (self.ident("from", from), self.ident("to", to));
        let read = (table?, from?, to?);
        if read.1 == read.2 {
            self.fault("from and to are the same name");
            return None;
        }
        Some(read)
    }

    /// An expression that a bracket may follow.
    pub(super) fn expression(&mut self, what: &str, text: &str) -> Option<String> {
        let read = check_expression(text).map(|()| closed(text.trim()));
        self.faults.take(self.at, what, read)
    }

    /// As [`Reader::expression`], where one may be missing; the outer `None` is a fault.
    #[allow(clippy::option_option, reason = "a fault is not nothing")]
    pub(super) fn maybe(&mut self, what: &str, text: Option<&str>) -> Option<Option<String>> {
        match text {
            None => Some(None),
            Some(text) => self.expression(what, text).map(Some),
        }
    }

    /// A column with its table.
    pub(super) fn column(&mut self, what: &str, text: &str) -> Option<(QName, Ident)> {
        self.faults.take(self.at, what, QName::of_column(text))
    }

    /// A label of an enum.
    pub(super) fn label(&mut self, what: &str, text: String) -> Option<String> {
        if text.len() > MAX_IDENT_BYTES || text.contains('\0') {
            self.fault(format!("{what}: {text:?} is no label: it has at most {MAX_IDENT_BYTES} bytes"));
            return None;
        }
        Some(text)
    }

    /// Labels, each with the one in its place.
    pub(super) fn labels(&mut self, what: &str, pairs: Option<Pairs>) -> Option<BTreeMap<String, String>> {
        let pairs = pairs.map(|pairs| pairs.0).unwrap_or_default();
        let read: Vec<_> = pairs
            .into_iter()
            .map(|(label, to)| Some((self.label(what, label)?, self.label(what, to)?)))
            .collect();
        read.into_iter().collect()
    }

    /// A type, as SQL writes it.
    pub(super) fn type_name(&mut self, what: &str, text: &str) -> Option<String> {
        let read = read_type(text).map(|kind| kind.text);
        self.faults.take(self.at, what, read)
    }
}
