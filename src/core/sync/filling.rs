//! Writes the trigger function and the WHEN clause of a sync that fills old columns alone, from
//! columns that old and new code know: what a writer gives wins.

use std::collections::BTreeSet;

use super::{Sync, any, changed};
use crate::core::ident::Ident;

/// Whether a sync is of this kind.
pub(super) fn is_of(sync: &Sync) -> bool {
    sync.forward.is_empty()
}

/// When an UPDATE needs the function: an input of an old column changed.
pub(super) fn condition(sync: &Sync) -> Option<String> {
    let inputs: BTreeSet<&Ident> = sync.back.iter().flat_map(|computed| &computed.inputs).collect();
    let conditions: Vec<String> = inputs.into_iter().map(changed).collect();
    (!conditions.is_empty()).then(|| conditions.join("\n  OR "))
}

/// The body: an old column is computed where the writer left it out.
pub(super) fn body(sync: &Sync) -> String {
    let (mut on_insert, mut on_update) = (String::new(), String::new());
    for computed in &sync.back {
        let name = &computed.column;
        let fill = format!("      NEW.{name} := {};\n    END IF;\n", computed.over_new);
        on_insert += &format!("    IF NEW.{name} IS NULL THEN\n{fill}");
        let inputs: Vec<String> = computed.inputs.iter().map(changed).collect();
        on_update += &format!("    IF ({}) AND NOT {} THEN\n{fill}", any(&inputs), changed(name));
    }
    format!("BEGIN\n  IF TG_OP = 'INSERT' THEN\n{on_insert}  ELSE\n{on_update}  END IF;\n  RETURN NEW;\nEND")
}
