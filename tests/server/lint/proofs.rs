//! What the linter takes for proven is so on the server.

use phase::core::ident::QName;
use phase::core::lint::{Effect, Mentions, World, effects};
use phase::core::sql::split;
use phase::pg::world::world;

use crate::harness::{Db, TestResult, check, tests, value};

tests![what_counts_as_proof_is_one_for_the_server, steady_functions_are_steady_on_the_server,];

/// A key's type, what binds the new partition, its CHECK, and that of a default partition.
const PROOFS: &[(&str, &str, &str, &str)] = &[
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 100 AND k < 200", "NOT (k >= 100 AND k < 200)"),
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 120 AND k <= 199", "k < 100 OR k >= 200"),
    ("RANGE bigint", "FROM (100) TO (200)", "k > 100 AND k < 150", "k >= 200"),
    ("RANGE bigint", "FROM (100) TO (200)", "k BETWEEN 100 AND 199", "k < 50"),
    ("RANGE integer", "FROM (100) TO (200)", "k = 150", "NOT (k >= 50 AND k <= 300)"),
    ("RANGE integer", "FROM (100) TO (200)", "k IN (100, 150)", "k > 200"),
    ("RANGE integer", "FROM (100) TO (200)", "k = 100 OR k = 110", "k <= 99"),
    ("RANGE integer", "FROM (100) TO (200)", "(k >= 100 OR k = 150) AND k < 170", "k = 7"),
    ("RANGE smallint", "FROM (-5) TO ('7')", "k >= -5 AND k < 7", "NOT (k >= -5 AND k < 7)"),
    ("RANGE numeric", "FROM (100) TO (200)", "k >= 100 AND k < 200", "NOT (k >= 100 AND k < 200)"),
    (
        "RANGE date",
        "FROM ('2026-01-01') TO ('2026-02-01')",
        "k >= '2026-01-01' AND k < '2026-02-01'",
        "NOT (k >= '2026-01-01' AND k < '2026-02-01')",
    ),
    (
        "RANGE timestamp",
        "FROM ('2026-01-01') TO ('2026-02-01')",
        "k >= '2026-01-01' AND k < '2026-01-31 12:30:00'",
        "k >= '2026-02-01' OR k < '2026-01-01'",
    ),
    (
        "RANGE timestamptz",
        "FROM ('2026-01-01') TO ('2026-02-01')",
        "k >= '2026-01-01' AND k < '2026-02-01'",
        "NOT (k >= '2026-01-01' AND k < '2026-02-01')",
    ),
    ("LIST text", "IN ('a', 'b')", "k = 'a'", "k <> 'a' AND k <> 'b'"),
    ("LIST text", "IN ('a', 'b')", "k IN ('a', 'b')", "k NOT IN ('a', 'b')"),
    ("LIST text", "IN ('a')", "k = 'a'", "k <> 'a'"),
    ("LIST varchar(9)", "IN ('a', 'b')", "k = 'a' OR k = 'b'", "NOT (k = 'a' OR k = 'b')"),
    ("LIST integer", "IN (1, 2, 3)", "k IN (1, 3)", "NOT (k IN (1, 2, 3))"),
    ("LIST integer", "IN (1)", "k = ANY (ARRAY[1])", "NOT (k = 1)"),
    // No proof, whatever it looks like.
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 99 AND k < 200", "k < 101"),
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 100 AND k <= 200", "k >= 199"),
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 100 OR k < 200", "NOT (k >= 101 AND k < 200)"),
    ("RANGE bigint", "FROM (100) TO (200)", "other >= 100 AND other < 200", "other < 100"),
    ("RANGE bigint", "FROM (100) TO (200)", "k + 0 >= 100 AND k < 200", "k + 0 < 100"),
    (
        "RANGE timestamptz",
        "FROM ('2026-01-01') TO ('2026-02-01')",
        "k >= '2026-01-01'::timestamp AND k < '2026-02-01'::timestamp",
        "k >= '2026-02-01'::timestamp",
    ),
    ("LIST text", "IN ('a', 'b')", "k IN ('a', 'c')", "k <> 'a'"),
    ("LIST integer", "IN (1, 2)", "k >= 1 AND k <= 2", "k > 2 AND k < 9"),
];

/// Whatever the linter takes for a proof must be one for the server; the other way round it may
/// be careful.
async fn what_counts_as_proof_is_one_for_the_server(db: Db) -> TestResult {
    let (client, notices) = crate::lock_table::traced(&db).await?;
    client.batch_execute("SET TimeZone = 'UTC'").await?;
    let version: u32 = value(&client, "SHOW server_version_num").await?.parse()?;
    let (mut proven, mut faults) = (0, Vec::new());
    for (n, (key, bound, check, outside)) in PROOFS.iter().enumerate() {
        let (how, kind) = key.split_once(' ').ok_or("a key without a type")?;
        let sql = format!(
            "CREATE TABLE a{n} (k {kind} NOT NULL, other bigint) PARTITION BY {how} (k);
             CREATE TABLE d{n} PARTITION OF a{n} DEFAULT;
             ALTER TABLE d{n} ADD CHECK ({outside});
             CREATE TABLE u{n} (k {kind} NOT NULL, other bigint, CHECK ({check}))"
        );
        client.batch_execute(&sql).await.map_err(|error| format!("{sql}: {error:?}"))?;
        let attach = format!("ALTER TABLE a{n} ATTACH PARTITION u{n} FOR VALUES {bound}");
        let statement = split(&attach)?.pop().ok_or("no statement")?;
        let claimed = {
            let known = world(&client, version, &Mentions::of(&statement.changes)).await?;
            let mut alone: World = known.clone();
            if let Some(parent) = alone.tables.get_mut(&QName::parse(&format!("a{n}"))?) {
                parent.default_partition = None;
            }
            let of = |effects: &[Effect]| effects.first().and_then(|effect| effect.row).map(|row| row.id);
            let inside = of(&effects(&statement, &alone)) == Some("attach-partition-proven");
            (inside, of(&effects(&statement, &known)) == Some("attach-partition-default-proven"))
        };
        notices.lock().unwrap().clear();
        client.batch_execute("SET client_min_messages = debug1").await?;
        client.batch_execute(&attach).await.map_err(|error| format!("{attach}: {error:?}"))?;
        client.batch_execute("RESET client_min_messages").await?;
        let said = notices.lock().unwrap().join("\n");
        let implied = |table: String| {
            said.lines().any(|line| line.contains(&format!("\"{table}\"")) && line.contains("implied"))
        };
        let found = (implied(format!("u{n}")), implied(format!("d{n}")));
        proven += usize::from(claimed.0) + usize::from(claimed.1);
        if claimed.0 && !found.0 || claimed.1 && !(found.0 && found.1) {
            faults.push(format!("{key} {bound}: CHECK ({check}), default CHECK ({outside}): claimed {claimed:?}, found {found:?}"));
        }
        if n < 19 && claimed != (true, true) {
            faults.push(format!("{key} {bound}: CHECK ({check}), default CHECK ({outside}): only {claimed:?} is seen, {found:?} is so"));
        }
    }
    check!(faults.is_empty(), "{}", faults.join("\n"));
    check!(proven >= 38, "only {proven} proofs");
    Ok(())
}

async fn steady_functions_are_steady_on_the_server(db: Db) -> TestResult {
    let client = db.connect().await?;
    // Its form for timetz is volatile up to 15.
    let names: Vec<&str> = phase::core::sql::steady_names().filter(|name| *name != "timezone").collect();
    let sql = "SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace \
               AND p.proname = ANY ($1) AND p.provolatile = 'v'";
    let volatile: Vec<String> = client.query(sql, &[&names]).await?.iter().map(|row| row.get(0)).collect();
    check!(names.len() > 1_500 && volatile.is_empty(), "{volatile:?} are volatile");
    Ok(())
}
