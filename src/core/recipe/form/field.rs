//! Reads the fields of recipes out of the schema of a change.

use serde_json::Value;

use super::Form;

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

pub(super) fn form(schema: &Value, recipe: &'static str) -> Form {
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
