//! `add_enum_value`: another label of an enum type, from expand on.
//!
//! The label is there when the step has ended; no table is locked, read or written. It may be used by whatever comes
//! after it in the same plan.
//!
//! # Deploying
//!
//! New code may write the label once the plan is `expanded`. Old code reads the rows that have it: it must be able to
//! live with a label that it does not know, or new code waits with writing it until old code is gone.
//!
//! # Going back
//!
//! PostgreSQL has no statement that takes a label away, and rows may hold it already: abort leaves the label in the
//! type, where it does no harm to code that does not know it. The same change in a plan that is written anew finds it
//! there and adds nothing. `remove_enum_value` takes a label out of a type, with another for the rows that have it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::known::Enum;
use super::reader::Reader;
use super::relabel::labels_said;
use crate::core::ident::{QName, literal, said};

/// `add_enum_value: {type, value, before | after}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The enum type.
    #[serde(rename = "type")]
    kind: String,
    /// The new label.
    value: String,
    /// The label that it stands before.
    before: Option<String>,
    /// The label that it stands behind; behind all of them where nothing is said.
    after: Option<String>,
}

/// Another label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddEnumValue {
    kind: QName,
    value: String,
    at: At,
}

/// Where a label stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    /// Behind all the others.
    Last,
    /// Before another.
    Before(String),
    /// Behind another.
    After(String),
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<AddEnumValue> {
    let kind = reader.table("type", &raw.kind);
    let value = reader.label("value", raw.value);
    let at = match (raw.before, raw.after) {
        (None, None) => Some(At::Last),
        (Some(before), None) => Some(At::Before(before)),
        (None, Some(after)) => Some(At::After(after)),
        (Some(_), Some(_)) => {
            reader.fault("before and after: one of the two says where the label stands");
            None
        }
    };
    Some(AddEnumValue { kind: kind?, value: value?, at: at? })
}

impl AddEnumValue {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.kind]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { kind, value, at } = self;
        if let Some(known) = draft.required_enum(kind) {
            self.compare(draft, &known);
        }
        let place = match at {
            At::Last => String::new(),
            At::Before(before) => format!(" BEFORE {}", literal(before)),
            At::After(after) => format!(" AFTER {}", literal(after)),
        };
        draft.expand_sql(Sql::that_stays(format!(
            "ALTER TYPE {kind} ADD VALUE IF NOT EXISTS {}{place}",
            literal(value)
        )));
        draft.caution(format!(
            "nothing takes the label {} of type {} away again: abort leaves it there, and rows may hold it",
            said(value),
            kind.plain()
        ));
        draft.now_enum(kind, |known| {
            if known.place(value).is_none() {
                let place = self.place(known).unwrap_or(known.labels.len());
                known.labels.insert(place, value.clone());
            }
        });
    }

    /// Where it is to stand among the labels that are there.
    fn place(&self, known: &Enum) -> Option<usize> {
        match &self.at {
            At::Last => Some(known.labels.len()),
            At::Before(before) => known.place(before),
            At::After(after) => known.place(after).map(|place| place + 1),
        }
    }

    /// Refuses what the labels that are there do not allow.
    fn compare(&self, draft: &mut Draft<'_>, known: &Enum) {
        let (kind, label) = (self.kind.plain(), said(&self.value));
        let mut others = known.clone();
        others.labels.retain(|label| *label != self.value);
        let Some(wanted) = self.place(&others) else {
            if let At::Before(other) | At::After(other) = &self.at {
                draft.refuse(format!(
                    "type {kind} has no other label {}: it has {}",
                    said(other),
                    labels_said(&known.labels)
                ));
            }
            return;
        };
        match known.place(&self.value) {
            None => {}
            Some(there) if there == wanted => draft.caution(format!(
                "type {kind} has the label {label} already, at this very place: nothing is added"
            )),
            Some(_) => draft.refuse(format!(
                "type {kind} has the label {label} already, at another place: {}",
                labels_said(&known.labels)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cautions, changes, labels, refused, shown};
    use super::super::{Enum, Known};

    const TEXT: &str = "change:\n  - add_enum_value: {type: s.mood, value: 'it''s \\ new', after: a}\n";

    fn mood(of: &[&str]) -> Known {
        labels("s.mood", of)
    }

    #[test]
    fn it_is_there_once_and_stays() {
        for known in [Known::default(), mood(&["a", "b"])] {
            insta::allow_duplicates! {
                insta::assert_snapshot!(shown(TEXT, &known), @r#"expand.1: ALTER TYPE "s"."mood" ADD VALUE IF NOT EXISTS  E'it''s \\ new' AFTER 'a'"#);
            }
            assert_eq!(cautions(TEXT, &known).len(), 1);
        }
        let twice = format!("{TEXT}  - add_enum_value: {{type: s.mood, value: c, before: 'it''s \\ new'}}\n");
        assert_eq!(refused(&twice, &mood(&["a", "b"])), Vec::<String>::new());
    }

    #[test]
    fn what_the_type_does_not_allow_is_refused_by_name() {
        assert_eq!(refused(TEXT, &mood(&["b"])), ["type s.mood has no other label 'a': it has 'b'"]);
        let mut none = mood(&["a"]);
        none.enums.clear();
        assert_eq!(refused(TEXT, &none), ["there is no type s.mood"]);
        none.enums.insert("s.mood".into(), Enum { kind: "d".into(), ..Enum::default() });
        assert_eq!(refused(TEXT, &none), ["type s.mood is no enum"]);
        let elsewhere = refused(TEXT, &mood(&["it's \\ new", "a"]));
        assert!(elsewhere[0].contains("already, at another place"), "{elsewhere:?}");
    }

    #[test]
    fn what_an_abort_has_left_behind_is_no_fault() {
        let left = mood(&["a", "it's \\ new", "b"]);
        assert_eq!(refused(TEXT, &left), Vec::<String>::new());
        assert!(cautions(TEXT, &left)[0].ends_with("nothing is added"));
    }

    #[test]
    fn a_label_fits_and_has_one_place() {
        let nothing = Known::default();
        let wrong = |fields: &str| {
            changes(&format!("change:\n  - add_enum_value: {{type: m, {fields}}}\n"), &nothing)
        };
        assert!(wrong("value: a, before: b, after: c").is_err_and(|why| why.contains("one of the two")));
        assert!(wrong(&format!("value: {}", "x".repeat(64))).is_err_and(|why| why.contains("63 bytes")));
    }
}
