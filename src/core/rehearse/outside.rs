//! Names the statements of an item that reach out of the database, so that a rehearsal does
//! not do in earnest what only production should.

use crate::core::plan::located;
use crate::core::plan::model::Place;
use crate::core::sql::{SqlError, first_words, outside};
use crate::core::step::{Action, Step, Undo};
use crate::core::timeline::Item;

/// Every statement of an item, forward and back, that reaches files or programs of the server or
/// other servers, with its place, one message each. On a `clone`, which may share its server
/// with others, so does what is the whole server's.
///
/// # Errors
/// When SQL does not parse; such an item is refused before it is one.
pub fn reaches_out(item: &Item, clone: bool) -> Result<Vec<String>, SqlError> {
    let mut found = Vec::new();
    for step in item.steps_both_ways() {
        let file = step.file_of(item);
        found.extend(of_action(item, step, &step.action, &file, &step.statements, clone)?);
        if let Undo::Run(action) = &step.undo {
            found.extend(of_action(item, step, action, &item.file, &step.undo_statements, clone)?);
        }
    }
    Ok(found)
}

fn of_action(
    item: &Item,
    step: &Step,
    action: &Action,
    file: &str,
    places: &[Place],
    clone: bool,
) -> Result<Vec<String>, SqlError> {
    let sql = match action {
        Action::Transaction(_) | Action::Autocommit { .. } => action.sql(),
        // What the program writes, or only reads.
        _ => return Ok(Vec::new()),
    };
    let mut found = Vec::new();
    for (n, statement) in sql.iter().enumerate() {
        let reached = outside(statement, clone)?.into_iter().flatten().next();
        found.extend(reached.map(|what| {
            let place = places.get(n).or(places.last()).copied().or(step.place);
            let text = if file == item.file { item.source.as_str() } else { "" };
            located(file, text, place, &format!("{}: {}: {what}", step.id, first_words(statement)))
        }));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::testing;

    #[test]
    fn both_ways_are_looked_at_and_places_are_told() {
        let item = testing::item(
            "1_x",
            "expand:\n  - sql: |\n      CREATE TABLE a ();\n      COPY a TO PROGRAM 'x'\n    undo: |\n      DROP TABLE a;\n      COPY b TO '/tmp/b'\n  - sql: CREATE TABLE c ()\n    undo: DROP TABLE c\n",
        );
        let found = reaches_out(&item, false).unwrap();
        let first: Vec<&str> = found.iter().map(|one| one.lines().next().unwrap()).collect();
        assert_eq!(first.len(), 2, "{first:?}");
        assert!(
            first[0].ends_with(":4:7: expand.1: COPY a TO PROGRAM 'x': it runs a program on the server"),
            "{first:?}"
        );
        assert!(first[1].contains(":7:7: expand.1: COPY b TO"), "{first:?}");
    }
}
