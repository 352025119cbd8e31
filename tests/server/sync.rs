//! Mixed writers: old and new versions of an application write the same rows,
//! in any order, before, during and after the backfill.

mod full_speed;
mod random;
mod sessions;

use crate::harness::{Db, Ended, SCHEMA, TestResult, check, same, tests, value};
use full_speed::{writers_at_full_speed_lose_nothing, writers_at_full_speed_lose_nothing_without_keep};
use random::random_interleavings_end_equal_and_lose_nothing;
use sessions::{
    a_session_of_its_own_changes_nothing, a_trigger_after_the_sync_is_found, many_syncs_fire_in_their_order,
};

tests![
    random_interleavings_end_equal_and_lose_nothing,
    writers_at_full_speed_lose_nothing,
    writers_at_full_speed_lose_nothing_without_keep,
    the_rule_holds_case_by_case,
    a_backfill_pays_nothing_and_never_writes_back,
    a_default_on_the_new_column_is_refused,
    split_columns_stay_together,
    a_sync_comes_back_from_a_dump,
    a_session_of_its_own_changes_nothing,
    a_trigger_after_the_sync_is_found,
    many_syncs_fire_in_their_order,
];

const RENAME: &str = "expand:
  - {sql: ALTER TABLE t ADD COLUMN new text, undo: ALTER TABLE t DROP COLUMN new}
  - sync: {table: t, set: {new: old}, back: {old: new}}
backfill:
  - {table: t, set: {new: old}, batch: {rows: 3, pause: 1ms}}
contract:
  - drop_column: {table: t, column: old}
keep: 1d
";

/// A trigger must be read again as PostgreSQL prints it, or a restored database has none.
async fn a_sync_comes_back_from_a_dump(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text); INSERT INTO t VALUES (1, 'a')").await?;
    db.file("plans/1_p.yaml", RENAME)?;
    db.phase(&["expand"]).await?.expect(0)?;
    let before = db.value(SCHEMA).await?;
    let of = |what: &str| {
        format!(
            "SELECT string_agg({what}, ';') FROM pg_trigger WHERE tgrelid = 't'::regclass AND NOT tgisinternal"
        )
    };
    let printed = db.value(&of("pg_get_triggerdef(oid)")).await?;
    check!(printed.contains("CREATE TRIGGER"), "{printed}");
    db.run(&db.value(&of("format('DROP TRIGGER %I ON t', tgname)")).await?).await?;
    db.run(&printed).await?;
    same!(db.value(SCHEMA).await?, before);
    db.run("UPDATE t SET old = 'b'").await?;
    same!(db.value("SELECT new FROM t").await?, "b");
    Ok(())
}

async fn the_rule_holds_case_by_case(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text, other int)").await?;
    db.file("plans/1_p.yaml", RENAME)?;
    db.phase(&["expand"]).await?.expect(0)?;
    let client = db.connect().await?;
    for (sql, wanted) in [
        ("INSERT INTO t (id, old) VALUES (1, 'a')", "a a"),
        ("INSERT INTO t (id, new) VALUES (1, 'b')", "b b"),
        ("INSERT INTO t (id, old, new) VALUES (1, 'a', 'b')", "b b"),
        ("INSERT INTO t (id) VALUES (1)", "- -"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET old = 'c'", "c c"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET new = 'c'", "c c"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET new = NULL", "- -"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET old = NULL", "- -"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET old = 'c', new = 'd'", "d d"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET other = 5", "a a"),
        (
            "INSERT INTO t (id, old) VALUES (1, 'a'), (2, 'b'); UPDATE t SET new = new || old; DELETE FROM t WHERE id = 2",
            "aa aa",
        ),
        ("COPY t (id, old) FROM PROGRAM 'echo \"1,z\"' CSV", "z z"),
    ] {
        client
            .batch_execute(&format!("TRUNCATE t; {sql}"))
            .await
            .map_err(|error| format!("{sql}: {error:?}"))?;
        same!(
            value(&client, "SELECT coalesce(old, '-') || ' ' || coalesce(new, '-') FROM t").await?,
            wanted,
            "{sql}"
        );
    }
    // An image, not `=`, decides: a change of scale is a change.
    db.run("CREATE TABLE n (id int PRIMARY KEY, old numeric, j json)").await?;
    db.file("plans/2_n.yaml", "expand:\n  - {sql: 'ALTER TABLE n ADD COLUMN new numeric, ADD COLUMN k json', undo: ALTER TABLE n DROP COLUMN new}\n  - sync: {table: n, set: {new: old, k: j}, back: {old: new, j: k}}\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.run(
        "INSERT INTO n (id, old, j) VALUES (1, 1.0, '{}'); UPDATE n SET new = 1.00; UPDATE n SET k = '[ ]'",
    )
    .await?;
    same!(db.value("SELECT old || ' ' || new || ' ' || j || ' ' || k FROM n").await?, "1.00 1.00 [ ] [ ]");
    Ok(())
}

async fn a_backfill_pays_nothing_and_never_writes_back(db: Db) -> TestResult {
    // upper and lower are no inverses: a write back would show.
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text); INSERT INTO t SELECT i, 'MiXed' || i FROM generate_series(1, 500) i").await?;
    db.file(
        "plans/1_p.yaml",
        &RENAME.replace("{new: old}", "{new: upper(old)}").replace("{old: new}", "{old: lower(new)}"),
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.run(&format!("ALTER DATABASE \"{}\" SET track_functions = 'all'", db.name)).await?;
    db.phase(&["backfill"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM t WHERE new = upper(old) AND old LIKE 'MiXed%'").await?, "500");
    let flush =
        if db.major >= 15 { "SELECT pg_stat_force_next_flush()" } else { "SELECT pg_stat_clear_snapshot()" };
    db.run(flush).await?;
    let calls =
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname LIKE 'phase_sync%'";
    same!(db.value(calls).await?, "0");
    // The same function does run for a writer, so that zero above means something.
    db.run("UPDATE t SET new = 'NEW' WHERE id = 1; SELECT pg_sleep(0)").await?;
    same!(db.value("SELECT old FROM t WHERE id = 1").await?, "new");
    while db.value(calls).await? == "0" {
        db.run("UPDATE t SET new = new || 'X' WHERE id = 1").await?;
    }
    Ok(())
}

async fn a_default_on_the_new_column_is_refused(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text)").await?;
    db.file("plans/1_p.yaml", &RENAME.replace("new text,", "new text DEFAULT 'x',"))?;
    let ended: Ended = db.phase(&["expand"]).await?.expect(1)?;
    check!(ended.stderr.contains("column new has a default"), "{ended:?}");
    db.phase(&["abort", "1"]).await?.expect(0)?;
    Ok(())
}

async fn split_columns_stay_together(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, \"full\" text); INSERT INTO t VALUES (1, 'Ada Lovelace')")
        .await?;
    db.file(
        "plans/1_p.yaml",
        "expand:\n  - {sql: 'ALTER TABLE t ADD COLUMN first text, ADD COLUMN last text', undo: 'ALTER TABLE t DROP COLUMN first, DROP COLUMN last'}\n  \
         - sync: {table: t, set: {first: \"split_part(\\\"full\\\", ' ', 1)\", last: \"split_part(\\\"full\\\", ' ', 2)\"}, back: {'\"full\"': \"concat_ws(' ', first, last)\"}}\n\
         backfill:\n  - {table: t, set: {first: \"split_part(\\\"full\\\", ' ', 1)\", last: \"split_part(\\\"full\\\", ' ', 2)\"}}\n",
    )?;
    // New code that comes before the backfill and knows what it writes alone.
    db.run("INSERT INTO t VALUES (4, 'Anna Smith'), (5, 'Bob Ray'), (6, 'Cy Orr')").await?;
    db.phase(&["advance", "1", "--to", "expanded"]).await?.expect(0)?;
    db.run(
        "UPDATE t SET first = 'Anne' WHERE id = 4;
         INSERT INTO t (id, first, last) VALUES (5, 'Bob', 'Rae') ON CONFLICT (id) DO UPDATE SET last = excluded.last;
         UPDATE t SET \"full\" = 'Cy Ore', first = 'Di' WHERE id = 6",
    )
    .await?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    db.run("INSERT INTO t (id, first, last) VALUES (2, 'Grace', 'Hopper'); INSERT INTO t (id, \"full\") VALUES (3, 'Alan Turing'); UPDATE t SET last = 'Byron' WHERE id = 1").await?;
    let all = "SELECT string_agg(\"full\" || '=' || first || '+' || last, ', ' ORDER BY id) FROM t";
    same!(
        db.value(all).await?,
        "Ada Byron=Ada+Byron, Grace Hopper=Grace+Hopper, Alan Turing=Alan+Turing, \
         Anne Smith=Anne+Smith, Bob Rae=Bob+Rae, Di Ore=Di+Ore"
    );
    Ok(())
}
