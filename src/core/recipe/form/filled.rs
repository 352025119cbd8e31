//! Writes the plan of a filled form, and tries what it comes to.

use super::{Form, FormError, Given, Kind};
use crate::core::compile::{self, Server};
use crate::core::lint::scalar;
use crate::core::plan::{Source, parse};
use crate::core::recipe::{Known, written};
use crate::core::step::Phase;
use crate::core::version::Version;

/// The lines of a plan's text above the fields of its recipe.
pub(super) const FIELDS_BELOW: usize = 3;

/// Which parts the recipe wants beside its change.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wants {
    pub(super) validate: bool,
    pub(super) contract: bool,
}

impl Form {
    /// The text of a plan, valid or not.
    pub(super) fn text(&self, name: &str, given: &Given, wants: Wants) -> Result<String, FormError> {
        let mut text = format!("title: {}\nchange:\n  - {}:\n", scalar(&name.replace('_', " ")), self.recipe);
        for field in &self.fields {
            let Some(value) = given.get(&field.name) else { continue };
            let value = match field.kind {
                Kind::Text | Kind::Word(_) => scalar(value),
                Kind::List | Kind::Flag | Kind::Yaml if value.contains(['\n', '\r']) => {
                    return Err(FormError::Lines { field: field.name.clone() });
                }
                Kind::List => list(value),
                Kind::Flag | Kind::Yaml => value.trim().to_owned(),
            };
            text += &format!("      {}: {value}\n", field.name);
        }
        if wants.validate || wants.contract {
            text += "gates:\n";
        }
        if wants.validate {
            text += "  validate: {deployed: APP@VERSION}   # the first version that keeps to what validate proves\n";
        }
        if wants.contract {
            text += "  contract: {deployed: APP@VERSION}   # the first version that does without what contract takes away\n\
                     keep: 7d                              # undo window: abort still leads back after contract\n";
        }
        Ok(text)
    }
}

/// What a plan comes to where nothing is known of its tables.
pub(super) struct Tried {
    /// Whether it has something to do in contract.
    pub(super) contract: bool,
    /// Why it may never start.
    pub(super) refused: Vec<String>,
    /// What to look at twice.
    cautions: usize,
}

impl Tried {
    pub(super) const fn said(&self) -> usize {
        self.refused.len() + self.cautions
    }
}

/// A list as YAML: as it is where it is one, else its parts; a comma between brackets or quotes ends none.
pub(super) fn list(value: &str) -> String {
    let value = value.trim();
    if value.starts_with('[') {
        return value.to_owned();
    }
    let (mut parts, mut depth, mut quote) = (vec![String::new()], 0_usize, None);
    for c in value.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.iter_mut().next_back().into_iter().for_each(|part| part.push(c));
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).map(scalar);
    format!("[{}]", parts.collect::<Vec<_>>().join(", "))
}

pub(super) fn tried(version: &Version, name: &str, text: &str) -> Result<Tried, FormError> {
    let file = format!("{version}_{name}.yaml");
    let source = Source { file: &file, version, name, text };
    let plan = parse(&source, &|_| Err("a recipe reads no files".into()))
        .map_err(|error| FormError::Wrong(error.to_string()))?;
    let written = written(&plan, &Known::default());
    let steps =
        compile::plan(&written.plan, Server::NEWEST).map_err(|error| FormError::Wrong(error.to_string()))?;
    Ok(Tried {
        contract: steps.iter().any(|step| step.phase == Phase::Contract),
        refused: written.refused.into_iter().map(|(_, why)| why).collect(),
        cautions: written.cautions.len(),
    })
}
