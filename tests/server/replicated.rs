//! A plan on a database that logical replication fills: what it applies is kept in step as what
//! everybody else writes.

use phase::throwaway::{Cluster, Options};

use crate::harness::{Db, TestResult, same, tests, until, value};

tests![what_replication_applies_is_kept_in_step];

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, old text)";

const PLAN: &str = "
change:
  - rename_column: {table: t, from: old, to: new}
  - split_column: {table: u, column: a, back: \"b || c\", into: [{column: b, type: text, using: \"left(a, 1)\"}, {column: c, type: text, using: \"substr(a, 2)\"}]}
keep: 1d
";

async fn what_replication_applies_is_kept_in_step(db: Db) -> TestResult {
    let settings = vec![("wal_level".to_owned(), "logical".to_owned())];
    let cluster = Cluster::start(&db.binaries, &Options { settings })?;
    let publisher = Db { url: cluster.url("postgres"), name: "postgres".into(), ..db };
    let there = publisher.beside("there").await?;
    let other = "CREATE TABLE u (id int PRIMARY KEY, a text)";
    publisher.run(&format!("{TABLE}; {other}; INSERT INTO t SELECT g, 'x' FROM generate_series(1, 3) g; CREATE PUBLICATION p FOR TABLE t, u")).await?;
    publisher.run("SELECT pg_create_logical_replication_slot('s', 'pgoutput')").await?;
    there.run(&format!("{TABLE}; {other}")).await?;
    there
        .run(&format!(
            "CREATE SUBSCRIPTION s CONNECTION '{}' PUBLICATION p WITH (create_slot = false, slot_name = 's')",
            cluster.url("postgres")
        ))
        .await?;
    let client = there.connect().await?;
    until(&client, "SELECT count(*) = 3 FROM t").await?;
    there.file("plans/1_p.yaml", PLAN)?;
    there.phase(&["advance", "1", "--to", "expanded"]).await?.expect(0)?;
    // The publisher knows the old columns alone.
    publisher
        .run("UPDATE t SET old = 'y' WHERE id = 1; INSERT INTO t VALUES (4, 'z'); INSERT INTO u VALUES (1, 'abc'); UPDATE u SET a = 'def'")
        .await?;
    until(&client, "SELECT count(*) = 4 FROM t").await?;
    until(&client, "SELECT count(*) = 1 FROM u WHERE a = 'def'").await?;
    same!(
        value(&client, "SELECT string_agg(id || coalesce(new, '?'), ',' ORDER BY id) FROM t").await?,
        "1y,2?,3?,4z"
    );
    same!(value(&client, "SELECT b || '.' || c FROM u").await?, "d.ef");
    there.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    same!(value(&client, "SELECT count(*) FROM t WHERE new IS DISTINCT FROM old").await?, "0");
    // And then the new ones: those who write there, too.
    there.run("UPDATE t SET new = 'n' WHERE id = 2").await?;
    same!(value(&client, "SELECT old FROM t WHERE id = 2").await?, "n");
    there.run("ALTER SUBSCRIPTION s DISABLE").await?;
    until(&client, "SELECT count(*) = 0 FROM pg_stat_subscription WHERE pid IS NOT NULL").await?;
    there.run("ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s").await?;
    Ok(())
}
