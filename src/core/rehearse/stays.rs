//! Tells what a way back leaves behind by nature: labels of enums, which no statement takes away.

use crate::core::ident::said;
use crate::core::lint::statements;
use crate::core::shape::Difference;
use crate::core::sql::{Change, SqlError, deep};
use crate::core::step::Undo;
use crate::core::timeline::Item;

/// The labels that an item adds to enums in steps that nothing takes back.
///
/// # Errors
/// When its SQL cannot be read.
pub fn labels(item: &Item) -> Result<Vec<String>, SqlError> {
    deep(|| {
        let mut labels = Vec::new();
        for step in item.steps.iter().filter(|step| step.undo == Undo::Nothing) {
            for change in statements(step)?.into_iter().flat_map(|statement| statement.changes) {
                if let Change::AddEnumValue { value, .. } = change {
                    labels.push(value);
                }
            }
        }
        Ok(labels)
    })?
}

/// The differences of a way back without enums that only have such labels more; and those labels,
/// one sentence for each enum.
#[must_use]
pub fn without_labels(differences: Vec<Difference>, labels: &[String]) -> (Vec<Difference>, Vec<String>) {
    let mut stay = Vec::new();
    let mut left = differences;
    left.retain(|one| {
        let more = more(one, labels);
        if !more.is_empty() {
            stay.push(format!("{} keeps {}: nothing takes a label away", one.identity, more.join(", ")));
        }
        more.is_empty()
    });
    (left, stay)
}

/// The labels that an enum has more than before; nothing where it differs otherwise as well.
fn more(one: &Difference, labels: &[String]) -> Vec<String> {
    let (Some(before), Some(after)) = (&one.before, &one.after) else { return Vec::new() };
    let (mut rest, mut more) = (after.clone(), Vec::new());
    for label in labels {
        let label = said(label);
        // As the catalog's words have it, behind the owner or another label.
        if let Some(at) = rest.find(&format!(", {label}")).filter(|_| !before.contains(&label)) {
            rest.replace_range(at..at + label.len() + 2, "");
            more.push(label);
        }
    }
    if one.kind == "enum" && rest == *before { more } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enum_of(before: &str, after: &str) -> Vec<Difference> {
        let (before, after) = (Some(before.to_owned()), Some(after.to_owned()));
        vec![Difference { kind: "enum".into(), identity: "mood".into(), before, after }]
    }

    #[test]
    fn only_labels_of_the_plan_may_stay() {
        let labels = ["it's".to_owned(), "\\".to_owned()];
        let (before, after) = ("owner o, 'a', 'b'", "owner o, 'it''s', 'a', E'\\\\', 'b'");
        let (left, stay) = without_labels(enum_of(before, after), &labels);
        assert_eq!(left, []);
        assert_eq!(stay, ["mood keeps 'it''s', E'\\\\': nothing takes a label away"]);
        for after in ["owner x, 'it''s', 'a', 'b'", "owner o, 'a'", "owner o, 'a', 'b', 'c'"] {
            let differences = enum_of(before, after);
            assert_eq!(without_labels(differences.clone(), &labels), (differences, Vec::new()));
        }
    }
}
