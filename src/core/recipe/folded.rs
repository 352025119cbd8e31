//! Makes one change of two that stand beside each other and are about one column: another name and
//! another type.

use super::Change;
use super::change_type::ChangeType;
use super::rename_column::RenameColumn;
use crate::core::plan::model::Placed;

/// The changes, with those two as one where nothing about the table stands between them: a column
/// that changes its type anyway takes the name as well.
pub(super) fn folded(changes: &[Placed<Change>]) -> Vec<Placed<Change>> {
    let mut folded: Vec<Placed<Change>> = Vec::new();
    for change in changes {
        let about = |before: &Placed<Change>| {
            matches!(before.value, Change::Sql(_))
                || change.value.tables().iter().any(|table| before.value.tables().contains(table))
        };
        let before = folded.iter_mut().rfind(|before| about(before));
        let one = before.and_then(|before| Some((both(&before.value, &change.value)?, before)));
        match one {
            Some((one, before)) => before.value = Change::ChangeType(one),
            None => folded.push(change.clone()),
        }
    }
    folded
}

fn both(first: &Change, then: &Change) -> Option<ChangeType> {
    match (first, then) {
        (Change::RenameColumn(rename), Change::ChangeType(retype)) => renamed_first(rename, retype),
        (Change::ChangeType(retype), Change::RenameColumn(rename)) => {
            let (table, from, to) = rename.names();
            retype.is_of(table, from).then(|| retype.named(to)).flatten()
        }
        _ => None,
    }
}

fn renamed_first(rename: &RenameColumn, retype: &ChangeType) -> Option<ChangeType> {
    let (table, from, to) = rename.names();
    retype.is_of(table, to).then(|| retype.renamed_from(from)).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::column_tests::{known, plan, refused, steps};
    use super::super::testing::table;
    use super::super::{Known, written};

    const RENAME: &str = "rename_column: {table: t, from: a, to: b}";
    const OTHER: &str = "set_default: {table: u, column: x, default: \"'1'\"}";

    fn two() -> Known {
        let mut two = known("t", table(&["id", "a"]));
        two.tables.insert("u".into(), table(&["x"]));
        two
    }

    fn all(changes: &[&str]) -> Vec<String> {
        let steps = steps(&written(&plan(&changes.join("\n  - ")), &two()));
        // A name that was put in the place of another is quoted.
        steps.iter().map(|step| step.replace('"', "")).collect()
    }

    #[test]
    fn a_rename_and_another_type_are_one_change_in_either_order() {
        let one =
            all(&["change_type: {table: t, column: a, type: int, using: a::int + 1, back: b - 1, to: b}"]);
        let retype = "change_type: {table: t, column: b, type: int, using: b::int + 1, back: b - 1}";
        assert_eq!(all(&[RENAME, retype]), one);
        let retype = "change_type: {table: t, column: a, type: int, using: a::int + 1, back: a - 1}";
        assert_eq!(all(&[retype, RENAME]), one);
        assert!(one.iter().any(|step| step.contains("RENAME COLUMN a TO b")), "{one:#?}");
    }

    #[test]
    fn changes_of_other_tables_may_stand_between_them() {
        let retype = "change_type: {table: t, column: b, type: int}";
        let beside = all(&[RENAME, retype, OTHER]);
        assert_eq!(all(&[RENAME, OTHER, retype]), beside);
    }

    #[test]
    fn what_stands_between_them_is_refused_with_the_words_to_write() {
        let of = |changes: &[&str]| refused(&changes.join("\n  - "), &two());
        let check = "add_check: {table: t, name: c, check: b <> ''}";
        let retype = "change_type: {table: t, column: b, type: int}";
        let said = of(&[RENAME, check, retype]);
        assert!(said.contains("change_type: {table: t, column: a, to: b, …}"), "{said}");
        let said = of(&["change_type: {table: t, column: a, type: int}", check, RENAME]);
        assert!(said.contains("change_type: {table: t, column: a, to: b, …}"), "{said}");
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let said = refused("change_type: {table: t, column: a, type: int, to: id}", &two());
        assert_eq!(said, "table t has a column id already");
    }
}
