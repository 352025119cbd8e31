#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use serde_json::Value;

use super::filled::list;
use super::*;
use crate::core::compile::{self, Server};
use crate::core::plan::model::{Placed, Plan};
use crate::core::plan::yaml;
use crate::core::recipe::{Change, Known, written};
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
