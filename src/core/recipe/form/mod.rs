//! Owns the form of a recipe: what may be asked for it, and the plan that a filled one makes.

mod field;
mod filled;

use std::collections::BTreeMap;

use super::{NAMES, RawChange};
use crate::core::plan::model::Place;
use crate::core::plan::{Source, parse};
use crate::core::version::Version;
use filled::{FIELDS_BELOW, Wants, tried};

pub use field::{Field, Kind};

/// What may be asked for a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The recipe's name.
    pub recipe: &'static str,
    /// One sentence on it.
    pub about: String,
    /// How a plan writes it, in short.
    pub usage: String,
    /// Its fields, those that it must have first.
    pub fields: Vec<Field>,
}

/// Values by the names of their fields.
pub type Given = BTreeMap<String, String>;

/// Why no plan can be made of what is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// There is no such field.
    #[error("{recipe} has no field {field:?}: it has {}", .known.join(", "))]
    Unknown {
        /// The recipe.
        recipe: &'static str,
        /// What was given.
        field: String,
        /// The fields that there are.
        known: Vec<String>,
    },
    /// A value that is more than one line of YAML.
    #[error("{field}: write it in one line, as YAML does between brackets")]
    Lines {
        /// The field.
        field: String,
    },
    /// The plan would not be valid.
    #[error("{0}")]
    Wrong(String),
}

impl Form {
    /// The forms of all recipes, in the order of their names.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let schema = schemars::schema_for!(RawChange).to_value();
        NAMES.iter().map(|name| field::form(&schema, name)).collect()
    }

    /// The form of one recipe.
    #[must_use]
    pub fn of(recipe: &str) -> Option<Self> {
        Self::all().into_iter().find(|form| form.recipe == recipe)
    }

    /// The fields that it must have and that nothing is given for.
    #[must_use]
    pub fn missing(&self, given: &Given) -> Vec<&Field> {
        let missing = |field: &&Field| field.required && !given.contains_key(&field.name);
        self.fields.iter().filter(missing).collect()
    }

    /// Whether it has all the fields that are given.
    ///
    /// # Errors
    /// The first that it has not.
    pub fn accepts(&self, given: &Given) -> Result<(), FormError> {
        match given.keys().find(|key| self.fields.iter().all(|field| field.name != **key)) {
            None => Ok(()),
            Some(field) => Err(FormError::Unknown {
                recipe: self.recipe,
                field: field.clone(),
                known: self.fields.iter().map(|field| field.name.clone()).collect(),
            }),
        }
    }

    /// The text of a valid plan.
    ///
    /// # Errors
    /// When what is given makes none.
    pub fn plan(&self, version: &Version, name: &str, given: &Given) -> Result<String, FormError> {
        self.accepts(given)?;
        let contract = tried(version, name, &self.text(name, given, Wants::default())?)?.contract;
        let open = self.text(name, given, Wants { contract, validate: false })?;
        let gated = self.text(name, given, Wants { contract, validate: true })?;
        let (of_open, of_gated) = (tried(version, name, &open)?, tried(version, name, &gated)?);
        // A gate of validate is for recipes that have less to say with it.
        let (text, tried) =
            if of_gated.said() < of_open.said() { (gated, of_gated) } else { (open, of_open) };
        if tried.refused.is_empty() { Ok(text) } else { Err(FormError::Wrong(tried.refused.join("\n"))) }
    }

    /// What is wrong with the value of one field, whatever the others are; `None`: nothing that shows by itself.
    #[must_use]
    pub fn wrong(&self, field: &Field, value: &str) -> Option<String> {
        let given = Given::from([(field.name.clone(), value.to_owned())]);
        let text = match self.text("x", &given, Wants::default()) {
            Ok(text) => text,
            Err(error) => return Some(error.to_string()),
        };
        let version = Version::parse("1")?;
        let source = Source { file: "x", version: &version, name: "x", text: &text };
        let error = parse(&source, &|_| Err("a recipe reads no files".into())).err()?;
        // The fields begin below the title and the recipe's name; that others are missing is no fault of this one.
        let of_it = |(place, message): &&(Place, String)| {
            place.line > FIELDS_BELOW && !message.starts_with("missing field")
        };
        error.faults().iter().find(of_it).map(|(_, message)| message.clone())
    }
}

#[cfg(test)]
mod tests;
