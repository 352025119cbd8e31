//! Compiles `not_null`: proven first under a lock that lets reads and writes
//! through, then set without a scan.

use super::{At, Server, transaction};
use crate::core::ident::{Ident, QName, plain};
use crate::core::step::{Action, Statements, Step, Undo};

pub(super) fn steps(at: &At, table: &QName, column: &Ident, server: Server) -> Vec<Step> {
    let alter = format!("ALTER TABLE {table}");
    let what = format!("{}.{}", table.plain(), plain(column));
    let native = server.major() >= 18;
    let tag = format!("{}_{}", table.name.as_str(), column.as_str());
    // On 18 the constraint stays, under the name that SET NOT NULL would give it.
    let name = if native {
        Ident::shortened("", &format!("{tag}_not_null"))
    } else {
        Ident::shortened("phase_nn_", &tag)
    };
    let add = if native {
        format!("{alter} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID")
    } else {
        format!("{alter} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID")
    };
    let drop = format!("{alter} DROP CONSTRAINT IF EXISTS {name}");
    let mut steps = vec![
        at.part(1).step(
            format!("let no new null into {what}"),
            transaction(vec![add]),
            Undo::Run(transaction(vec![drop.clone()])),
        ),
        at.part(2).step(
            format!("prove that {what} has no null"),
            Action::Transaction(Statements {
                sql: vec![format!("{alter} VALIDATE CONSTRAINT {name}")],
                unhurried: true,
            }),
            Undo::Nothing,
        ),
    ];
    if !native {
        let set = format!("{alter} ALTER COLUMN {column} SET NOT NULL");
        steps.push(at.part(3).step(
            format!("set {what} NOT NULL; the proof saves the scan"),
            transaction(vec![set, drop]),
            Undo::Run(transaction(vec![format!("{alter} ALTER COLUMN {column} DROP NOT NULL")])),
        ));
    }
    steps
}
