//! Writes the last look at the triggers of a sync, under the lock that takes them away: whoever
//! disabled or dropped one while contract waited for that lock has had writes that it missed.

use super::{Sync, two_way};
use crate::core::ident::{Ident, QName, do_block, literal};

/// Statements that fail unless every trigger stands and fires, on the table and its partitions.
pub(super) fn statements(sync: &Sync) -> Vec<String> {
    let table = &sync.spec.table;
    let (insert, update) = sync.triggers("");
    let mut names = vec![insert];
    names.extend(two_way::condition(sync).map(|_| update));
    vec![format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), refuse_lost(table, &names, true)]
}

/// Fails unless triggers stand and fire on a table, and on its partitions where it is `whole`.
pub(super) fn refuse_lost(table: &QName, names: &[Ident], whole: bool) -> String {
    let own = literal(&table.to_string());
    let names: Vec<String> = names.iter().map(|name| literal(name.as_str())).collect();
    let below = if whole {
        format!("\n        UNION SELECT relid FROM pg_catalog.pg_partition_tree({own}::pg_catalog.regclass)")
    } else {
        String::new()
    };
    let body = format!(
        "DECLARE\n  lost text;\nBEGIN\n  \
         SELECT pg_catalog.string_agg(pg_catalog.format('%s of %s', wanted.name, tree.rel::pg_catalog.regclass), ', ') INTO lost\n  \
         FROM (SELECT {own}::pg_catalog.regclass::pg_catalog.oid AS rel{below}) tree\n  \
         CROSS JOIN pg_catalog.unnest(ARRAY[{}]) wanted (name)\n  \
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = tree.rel AND t.tgname = wanted.name\n    \
         AND t.tgenabled = 'A');\n  \
         IF lost IS NOT NULL THEN\n    \
         RAISE EXCEPTION 'a trigger of the sync is gone or disabled, and writes may have missed it: %', lost\n      \
         USING HINT = 'phase status says what helps; nothing has been taken away.';\n  END IF;\nEND",
        names.join(", ")
    );
    do_block(&body)
}
