//! `move_columns`.

use super::clients::Version;
use super::{Example, advance, begin};
use crate::harness::{Db, TestResult, check, same};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261204050100_move_columns",
    tables: "20261204050000_boats",
    rows: "INSERT INTO \"Boat \"\"log\"\"\" (\"Id '\", label, \"Nick \"\"n\"\"\") SELECT g, nullif('boat ' || g, 'boat 7'), 'nick ' || g FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO \"Boat \"\"log\"\"\" (\"Id '\", label) VALUES ($1, $2)",
        update: &[
            "UPDATE \"Boat \"\"log\"\"\" SET label = $2, berth = berth + 1 WHERE \"Id '\" = $1",
            "INSERT INTO \"Boat \"\"log\"\"\" (\"Id '\", label) VALUES ($1, $2) ON CONFLICT (\"Id '\") DO UPDATE SET label = excluded.label, docs = NULL",
            // Away and there again, in one statement.
            "WITH gone AS (DELETE FROM \"Boat \"\"log\"\"\" WHERE \"Id '\" = $1 RETURNING \"Id '\") INSERT INTO \"Boat \"\"log\"\"\" (\"Id '\", label) SELECT \"Id '\", $2 FROM gone",
        ],
        read: "SELECT label FROM \"Boat \"\"log\"\"\" WHERE \"Id '\" = $1 AND \"Nick \"\"n\"\"\" <> ''",
    },
    new: Version {
        // Both rows in one statement: the trigger finds the second one.
        insert: "WITH boat AS (INSERT INTO \"Boat \"\"log\"\"\" (\"Id '\") VALUES ($1) RETURNING \"Id '\") INSERT INTO boat_names (boat, \"Label '\") SELECT \"Id '\", $2 FROM boat",
        update: &[
            "UPDATE boat_names SET \"Label '\" = $2 WHERE boat = $1",
            "INSERT INTO boat_names (boat, \"Label '\") VALUES ($1, $2) ON CONFLICT (boat) DO UPDATE SET \"Label '\" = excluded.\"Label '\", remark = 'again'",
            "UPDATE boat_names SET \"Label '\" = $2, docs = '{}' WHERE boat = $1",
        ],
        read: "SELECT \"Label '\" FROM boat_names WHERE boat = $1 AND coalesce(nick, '-') <> ''",
    },
    offline: "CREATE TABLE boat_names (boat bigint PRIMARY KEY, remark text, FOREIGN KEY (boat) REFERENCES \"Boat \"\"log\"\"\" ON DELETE CASCADE ON UPDATE CASCADE);
        ALTER TABLE boat_names ADD COLUMN \"Label '\" varchar(80) COLLATE \"C\", ADD COLUMN nick text DEFAULT 'it''s \"none\"', ADD COLUMN docs json DEFAULT '{\"a\":  1}'; GRANT SELECT ON boat_names TO PUBLIC;
        UPDATE boat_names SET nick = ''; ALTER TABLE boat_names ALTER COLUMN nick SET NOT NULL, ALTER COLUMN \"Label '\" SET STATISTICS 250,
        ALTER COLUMN \"Label '\" SET (n_distinct = -0.5), ALTER COLUMN \"Label '\" SET STORAGE EXTERNAL;
        COMMENT ON COLUMN boat_names.\"Label '\" IS 'What''s on it.';
        GRANT UPDATE (\"Label '\") ON boat_names TO PUBLIC;
        CREATE INDEX ON boat_names (lower(\"Label '\"));
        ALTER TABLE \"Boat \"\"log\"\"\" DROP COLUMN label, DROP COLUMN \"Nick \"\"n\"\"\", DROP COLUMN docs",
    wrong: "SELECT count(*) FROM generate_series(1, 3000) g LEFT JOIN boat_names ON boat = g
        WHERE \"Label '\" IS DISTINCT FROM nullif('boat ' || g, 'boat 7') OR nick <> 'nick ' || g OR docs::text <> '{\"a\":  1}'",
};

/// What is different in the two tables, under the names that the columns have.
const DIFFERENT: &str =
    "SELECT count(*) FROM \"Boat \"\"log\"\"\" a LEFT JOIN boat_names b ON b.boat = a.\"Id '\"
    WHERE record_image_ne(ROW(a.label, a.\"Nick \"\"n\"\"\", a.docs), ROW(b.\"Label '\", b.nick, b.docs))";

/// Whatever is written in one table is there in the other.
pub(super) async fn keeps_in_step(db: &Db) -> TestResult {
    begin(db, &EXAMPLE).await?;
    advance(db, EXAMPLE.plan, "expanded").await?;
    // Rows that no copy has made yet.
    db.run("INSERT INTO boat_names (boat, remark) VALUES (10, 'early')").await?;
    same!(db.value("SELECT \"Label '\" || nick FROM boat_names WHERE boat = 10").await?, "boat 10nick 10");
    db.run("INSERT INTO boat_names (boat, \"Label '\") VALUES (11, 'given')").await?;
    same!(
        db.value("SELECT label || \"Nick \"\"n\"\"\" FROM \"Boat \"\"log\"\"\" WHERE \"Id '\" = 11").await?,
        "givennick 11"
    );
    db.run("INSERT INTO boat_names (boat) VALUES (12) ON CONFLICT DO NOTHING; INSERT INTO boat_names (boat, nick) VALUES (12, 'not this') ON CONFLICT DO NOTHING").await?;
    same!(
        db.value("SELECT \"Nick \"\"n\"\"\" FROM \"Boat \"\"log\"\"\" WHERE \"Id '\" = 12").await?,
        "nick 12"
    );
    advance(db, EXAMPLE.plan, "validated").await?;
    let same = || async {
        same!(db.value(DIFFERENT).await?, "0");
        TestResult::Ok(())
    };
    for sql in [
        "INSERT INTO \"Boat \"\"log\"\"\" (\"Id '\", label) SELECT g, 'more ' || g FROM generate_series(6001, 6020) g",
        "UPDATE \"Boat \"\"log\"\"\" SET label = NULL, docs = '{\"a\": 1}' WHERE \"Id '\" < 20",
        "UPDATE boat_names SET nick = nick || '!', docs = '{\"a\":   1}' WHERE boat < 40",
        "UPDATE \"Boat \"\"log\"\"\" SET \"Id '\" = -\"Id '\", label = 'turned' WHERE \"Id '\" BETWEEN 30 AND 35",
        // Through both at once: each column by another.
        "WITH a AS (UPDATE \"Boat \"\"log\"\"\" SET label = 'by old' WHERE \"Id '\" = 50 RETURNING 1) UPDATE boat_names SET remark = 'r' WHERE boat = 50",
        // A nested statement writes the row again: what it leaves is what counts.
        "CREATE FUNCTION boat_again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE \"Boat \"\"log\"\"\" SET label = 'nested' WHERE \"Id '\" = NEW.\"Id '\" AND label <> 'nested'; RETURN NULL; END $$;
         CREATE TRIGGER again AFTER UPDATE ON \"Boat \"\"log\"\"\" FOR EACH ROW EXECUTE FUNCTION boat_again();
         UPDATE \"Boat \"\"log\"\"\" SET label = 'first' WHERE \"Id '\" = 60; UPDATE boat_names SET \"Label '\" = 'first' WHERE boat = 61;
         DROP TRIGGER again ON \"Boat \"\"log\"\"\"; DROP FUNCTION boat_again()",
        "SET session_replication_role = replica; UPDATE boat_names SET nick = 'by a replica' WHERE boat = 70; RESET session_replication_role",
        // Temporary tables of the same names stand in for nothing.
        "CREATE TEMP TABLE boat_names (boat int); UPDATE \"Boat \"\"log\"\"\" SET label = 'temp' WHERE \"Id '\" = 80; DROP TABLE pg_temp.boat_names",
        "DELETE FROM \"Boat \"\"log\"\"\" WHERE \"Id '\" BETWEEN 90 AND 99",
    ] {
        db.run(sql).await.map_err(|error| format!("{sql}: {error:?}"))?;
        same().await?;
    }
    same!(
        db.value("SELECT string_agg(\"Label '\", ',') FROM boat_names WHERE boat IN (60, 61)").await?,
        "nested,nested"
    );
    same!(
        db.value("SELECT \"Nick \"\"n\"\"\" FROM \"Boat \"\"log\"\"\" WHERE \"Id '\" = 70").await?,
        "by a replica"
    );
    same!(db.value("SELECT count(*) FROM boat_names WHERE boat BETWEEN 90 AND 99").await?, "0");
    // With rights on one table alone.
    db.run(&format!(
        "CREATE ROLE \"m {0}\"; SET ROLE \"m {0}\"; UPDATE \"Boat \"\"log\"\"\" SET label = 'by a stranger' WHERE \"Id '\" = 100; RESET ROLE; DROP ROLE \"m {0}\"",
        db.name
    ))
    .await?;
    same().await
}

/// A trigger that is off stops the plan, and so does what it has missed.
pub(super) async fn misses_nothing(db: &Db) -> TestResult {
    begin(db, &EXAMPLE).await?;
    advance(db, EXAMPLE.plan, "validated").await?;
    for (table, trigger) in [("\"Boat \"\"log\"\"\"", "old_update"), ("boat_names", "new_insert")] {
        let turn =
            |how: &str| format!("ALTER TABLE {table} {how} TRIGGER zz_phase_20261204050100_1_{trigger}");
        db.run(&turn("DISABLE")).await?;
        if trigger == "old_update" {
            db.run("UPDATE \"Boat \"\"log\"\"\" SET label = 'missed' WHERE \"Id '\" = 5").await?;
        }
        let ended = db.phase(&["advance", EXAMPLE.plan, "--to", "contracted"]).await?;
        check!(ended.code == Some(6) && ended.stderr.contains("is disabled"), "{ended:?}");
        db.run(&turn("ENABLE ALWAYS")).await?;
    }
    db.phase(&["validate", EXAMPLE.plan, "--prove"]).await?.expect(0)?;
    let ended = db.phase(&["advance", EXAMPLE.plan, "--to", "contracted"]).await?;
    check!(ended.code != Some(0) && ended.stderr.contains("has the values of"), "{ended:?}");
    db.run("UPDATE boat_names SET \"Label '\" = 'missed' WHERE boat = 5").await?;
    advance(db, EXAMPLE.plan, "contracted").await
}
