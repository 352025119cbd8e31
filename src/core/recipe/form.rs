//! Owns the form of a recipe: its fields, as the schema tells them, and the plan that a filled one makes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Known, NAMES, RawChange, written};
use crate::core::compile::{self, Server};
use crate::core::lint::scalar;
use crate::core::plan::model::Place;
use crate::core::plan::{Source, parse};
use crate::core::step::Phase;
use crate::core::version::Version;

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

/// A field of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its key in a plan.
    pub name: String,
    /// One sentence on it.
    pub about: String,
    /// Whether the recipe must have it.
    pub required: bool,
    /// How its value is written.
    pub kind: Kind,
}

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Word(Vec<String>),
    /// true or false.
    Flag,
    /// Texts, with commas between them, or as a list of YAML.
    List,
    /// As YAML: a list, a mapping, a number.
    Yaml,
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

/// The lines of a plan's text above the fields of its recipe.
const FIELDS_BELOW: usize = 3;

/// Which parts the recipe wants beside its change.
#[derive(Debug, Clone, Copy, Default)]
struct Wants {
    validate: bool,
    contract: bool,
}

impl Form {
    /// The forms of all recipes, in the order of their names.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let schema = schemars::schema_for!(RawChange).to_value();
        NAMES.iter().map(|name| form(&schema, name)).collect()
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

    fn text(&self, name: &str, given: &Given, wants: Wants) -> Result<String, FormError> {
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
struct Tried {
    /// Whether it has something to do in contract.
    contract: bool,
    /// Why it may never start.
    refused: Vec<String>,
    /// What to look at twice.
    cautions: usize,
}

impl Tried {
    const fn said(&self) -> usize {
        self.refused.len() + self.cautions
    }
}

/// A list as YAML: as it is where it is one, else its parts; a comma between brackets or quotes ends none.
fn list(value: &str) -> String {
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

fn tried(version: &Version, name: &str, text: &str) -> Result<Tried, FormError> {
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

fn form(schema: &Value, recipe: &'static str) -> Form {
    let change = &schema["properties"][recipe];
    let raw = resolved(schema, change);
    let text = |value: &Value| value["description"].as_str().unwrap_or_default().replace('\n', " ");
    let required: Vec<&str> =
        raw["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields: Vec<Field> = raw["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, field)| Field {
            name: name.clone(),
            about: text(field),
            required: required.contains(&name.as_str()),
            kind: kind(schema, field),
        })
        .collect();
    // Those that must be there stand in the order of the type.
    fields
        .sort_by_key(|field| required.iter().position(|name| *name == field.name).unwrap_or(required.len()));
    let said = text(raw).trim_end_matches('.').trim_matches('`').to_owned();
    let names = || fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
    // The fields of a step that a recipe shares with it are told there.
    let usage = if said.starts_with(recipe) { said } else { format!("{recipe}: {{{}}}", names()) };
    Form { recipe, about: text(change), usage, fields }
}

/// What a part of a schema refers to, without the null of what may be left out.
fn resolved<'a>(schema: &'a Value, part: &'a Value) -> &'a Value {
    let only = part["anyOf"].as_array().and_then(|any| any.iter().find(|one| one["type"] != "null"));
    let part = only.unwrap_or(part);
    let name = part["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.map_or(part, |name| &schema["$defs"][name])
}

fn kind(schema: &Value, field: &Value) -> Kind {
    let part = resolved(schema, field);
    let words = |value: &Value| {
        let one_of = value["oneOf"].as_array().into_iter().flatten().map(|one| &one["const"]);
        let of_enum = value["enum"].as_array().into_iter().flatten();
        one_of.chain(of_enum).filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let words = words(part);
    let is_text = part["type"] == "string"
        || part["type"].as_array().is_some_and(|types| types.iter().any(|kind| kind == "string"));
    let of_texts = part["type"] == "array" && part["items"]["type"] == "string";
    match (words.is_empty(), is_text) {
        (false, _) => Kind::Word(words),
        (true, true) => Kind::Text,
        (true, false) if of_texts => Kind::List,
        (true, false) if part["type"] == "boolean" => Kind::Flag,
        (true, false) => Kind::Yaml,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::core::plan::model::{Placed, Plan};
    use crate::core::plan::yaml;
    use crate::core::recipe::Change;
    use crate::core::step::{Action, Undo};
    use crate::examples::examples;

    fn version() -> Version {
        Version::parse("20261201000000").unwrap()
    }

    fn read(text: &str) -> Plan {
        let version = version();
        let source = Source { file: "x", version: &version, name: "x", text };
        parse(&source, &|_| Err("no files here".into())).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn given(pairs: &[(&str, &str)]) -> Given {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn plan(recipe: &str, pairs: &[(&str, &str)]) -> Result<String, FormError> {
        Form::of(recipe).unwrap().plan(&version(), "members_display_name", &given(pairs))
    }

    #[test]
    fn a_filled_form_is_a_plan_with_a_gate_that_is_still_closed() {
        let text =
            plan("rename_column", &[("table", "members"), ("from", "name"), ("to", "display_name")]).unwrap();
        insta::assert_snapshot!(text, @r"
        title: members display name
        change:
          - rename_column:
              table: members
              from: name
              to: display_name
        gates:
          contract: {deployed: APP@VERSION}   # the first version that does without what contract takes away
        keep: 7d                              # undo window: abort still leads back after contract
        ");
        let gates = read(&text).gates;
        assert!(gates.contract.deployed.iter().all(|app| app.is_placeholder()));
        assert!(gates.validate.deployed.is_empty());
    }

    #[test]
    fn a_list_is_taken_as_people_write_it() {
        for (written, yaml) in [
            ("id", "[id]"),
            ("lower(name), id", "[lower(name), id]"),
            ("coalesce(a, b), c desc", "[\"coalesce(a, b)\", c desc]"),
            ("\"a, b\"", "['\"a, b\"']"),
            ("[a, b]", "[a, b]"),
        ] {
            assert_eq!(list(written), yaml);
            let text = plan("add_index", &[("table", "t"), ("columns", written), ("name", "i")]).unwrap();
            assert!(text.contains(&format!("columns: {yaml}\n")), "{text}");
        }
    }

    #[test]
    fn a_wrong_answer_is_told_without_the_others() {
        let form = Form::of("add_index").unwrap();
        let field = |name: &str| form.fields.iter().find(|field| field.name == name).unwrap();
        for (name, value) in [("table", "t"), ("columns", "lower(name), id"), ("unique", "true")] {
            assert_eq!(form.wrong(field(name), value), None, "{name}");
        }
        for (name, value) in [("columns", "[a, b"), ("unique", "maybe"), ("with", "id")] {
            assert!(form.wrong(field(name), value).is_some(), "{name}");
        }
    }

    #[test]
    fn what_has_no_contract_asks_for_no_gate() {
        let text = plan(
            "add_column",
            &[("table", "t"), ("column", "a"), ("type", "int"), ("comment", "it's: a # \"b\"\nc")],
        );
        insta::assert_snapshot!(text.unwrap(), @r#"
        title: members display name
        change:
          - add_column:
              table: t
              column: a
              type: int
              comment: "it's: a # \"b\"\nc"
        "#);
    }

    /// What a change of a plan does, and how it is taken back.
    fn alone(plan: &Plan, change: &Placed<Change>) -> Vec<(Action, Undo)> {
        let plan = Plan { change: vec![change.clone()], keep: None, ..plan.clone() };
        let steps = compile::plan(&written(&plan, &Known::default()).plan, Server::NEWEST).unwrap();
        steps.into_iter().map(|step| (step.action, step.undo)).collect()
    }

    #[test]
    fn every_change_of_an_example_can_be_written_by_its_form() {
        for example in examples() {
            let raw: Value = yaml::read("x", &example.text).unwrap();
            let changes = raw["change"].as_array().unwrap();
            // JSON is YAML; its keys are sorted, which matters where a field is a mapping.
            let plan = read(&serde_json::json!({ "change": changes }).to_string());
            for (raw, change) in changes.iter().zip(&plan.change) {
                let form = Form::of(change.value.name()).unwrap();
                let fields = raw[form.recipe].as_object().unwrap();
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let given: Given = fields.iter().map(|(key, value)| (key.clone(), text(value))).collect();
                assert!(form.missing(&given).is_empty(), "{}: {given:?}", form.recipe);
                let text = form.plan(&version(), "x", &given).unwrap_or_else(|error| panic!("{error}"));
                let again = read(&text);
                if form.recipe == "sql" {
                    // What its steps know of their places is another in another text.
                    assert_eq!(alone(&again, &again.change[0]), alone(&plan, change), "{text}");
                    continue;
                }
                assert_eq!(again.change[0].value, change.value, "{text}");
            }
        }
    }

    #[test]
    fn every_field_says_what_it_is() {
        for form in Form::all() {
            assert!(form.about.ends_with('.') && form.usage.starts_with(form.recipe), "{form:?}");
            assert!(form.fields.iter().all(|field| !field.about.is_empty()), "{form:?}");
            // Of its phases each may be left out.
            assert!(form.recipe == "sql" || form.fields.iter().any(|field| field.required), "{form:?}");
        }
    }

    #[test]
    fn what_makes_no_plan_is_refused_with_its_reason() {
        let table = [("table", "t"), ("column", "a"), ("type", "int")];
        let with =
            |more: &[(&str, &str)]| plan("add_column", &[&table[..], more].concat()).unwrap_err().to_string();
        assert!(
            with(&[("kind", "int")]).contains("add_column has no field \"kind\": it has table, column, type")
        );
        assert!(with(&[("not_null", "true")]).contains("the rows that are there"));
        assert!(with(&[("not_null", "true\nexpand: []")]).contains("in one line"));
        assert!(with(&[("not_null", "maybe")]).contains("not_null"), "{}", with(&[("not_null", "maybe")]));
        assert!(with(&[("default", "now(")]).contains("default"));
        let number = [("table", "t"), ("column", "a"), ("type", "text"), ("identity", "always")];
        let refused = plan("add_column", &number).unwrap_err().to_string();
        assert!(refused.contains("identity columns are"), "{refused}");
    }
}
