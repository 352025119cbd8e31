//! `rename_table`.

use super::clients::Version;
use super::{Example, advance, begin};
use crate::harness::{Db, TestResult, check, same};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201260100_rename_table",
    tables: "20261201260000_offers",
    rows: "INSERT INTO offer_groups VALUES (1); INSERT INTO \"Offers \"\"old\"\"\" (id, label) SELECT g, 'offer ' || g FROM generate_series(1, 3000) g;
        INSERT INTO offer_lines SELECT g, 1 FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO \"Offers \"\"old\"\"\" (id, label, grp) VALUES ($1, $2, DEFAULT)",
        update: &[
            "UPDATE \"Offers \"\"old\"\"\" SET label = $2 WHERE id = $1",
            "INSERT INTO \"Offers \"\"old\"\"\" (id, label) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET label = excluded.label RETURNING id",
            "WITH line AS (INSERT INTO offer_lines VALUES ($1, 1) ON CONFLICT DO NOTHING) UPDATE \"Offers \"\"old\"\"\" SET label = $2 WHERE id = $1",
        ],
        read: "SELECT label FROM \"Offers \"\"old\"\"\" WHERE id = $1 AND loud = upper(label) AND \"No.\" > 0 AND turn > 0 FOR UPDATE",
    },
    new: Version {
        insert: "INSERT INTO offers (id, label) VALUES ($1, $2)",
        update: &[
            "UPDATE offers SET label = $2 WHERE id = $1",
            "INSERT INTO offers (id, label) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET label = excluded.label",
        ],
        read: "SELECT label FROM offers WHERE id = $1 AND loud = upper(label)",
    },
    offline: "ALTER TABLE \"Offers \"\"old\"\"\" RENAME TO offers; ALTER TABLE offers ADD COLUMN note text",
    wrong: "SELECT count(*) FROM offers WHERE id > 3000 AND changes = 0 OR id <= 3000 AND (changes <> 0 OR label <> 'offer ' || id)",
};

/// Who may do what by the old name is who may do it by the new one.
pub(super) async fn keeps_rights(db: &Db) -> TestResult {
    const RIGHTS: &str = "SELECT string_agg(format('%s %s %s', a.attname, p, has_column_privilege('pg_read_all_stats', c.oid, a.attnum, p)), ', ' ORDER BY a.attnum, p) \
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.attname <> 'note', unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) p \
        WHERE c.oid = ";
    begin(db, &EXAMPLE).await?;
    db.run("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC").await?;
    advance(db, EXAMPLE.plan, "expanded").await?;
    let view = db.value(&format!("{RIGHTS}'\"Offers \"\"old\"\"\"'::regclass")).await?;
    let table = db.value(&format!("{RIGHTS}'offers'::regclass")).await?;
    check!(view.contains("label UPDATE t") && view.contains("label INSERT f"), "{view}");
    same!(view, table);
    Ok(())
}

/// What a view cannot do is said before anything is done.
pub(super) async fn refuses(db: &Db) -> TestResult {
    begin(db, &EXAMPLE).await?;
    db.run("CREATE PUBLICATION every_offer FOR TABLE \"Offers \"\"old\"\"\"; ALTER TABLE \"Offers \"\"old\"\"\" ENABLE ROW LEVEL SECURITY;
        CREATE FUNCTION loud(\"Offers \"\"old\"\"\") RETURNS text LANGUAGE sql AS 'SELECT upper($1.label)'").await?;
    let ended = db.phase(&["advance", EXAMPLE.plan, "--to", "expanded"]).await?;
    check!(ended.code != Some(0), "{ended:?}");
    check!(ended.stderr.contains("is in publication every_offer"), "{}", ended.stderr);
    check!(ended.stderr.contains("function loud("), "{}", ended.stderr);
    check!(ended.stderr.contains("has row security") == (db.major < 15), "{}", ended.stderr);
    same!(db.value("SELECT count(*) FROM pg_views WHERE viewname LIKE 'Offers%'").await?, "0");
    Ok(())
}

/// Other changes of the table, under its new name, find all that hangs on it.
pub(super) async fn goes_first(db: &Db) -> TestResult {
    db.run(
        "CREATE TABLE r (id int PRIMARY KEY, up int REFERENCES r); CREATE TABLE o (id int PRIMARY KEY, state text, code varchar(20), up int REFERENCES r, seen int DEFAULT 0);
        CREATE INDEX o_state ON o (state) WHERE state <> ''; CREATE INDEX o_code ON o (lower(code)); CREATE INDEX o_up ON o (up);
        CREATE FUNCTION o_seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen := NEW.seen + 1; RETURN NEW; END';
        CREATE TRIGGER o_seen BEFORE UPDATE OF state ON o FOR EACH ROW EXECUTE FUNCTION o_seen();
        CREATE TRIGGER o_code BEFORE UPDATE OF code ON o FOR EACH ROW EXECUTE FUNCTION o_seen();
        INSERT INTO r VALUES (1, 1); INSERT INTO o SELECT g, 'new', 'c' || g, 1 FROM generate_series(1, 100) g",
    )
    .await?;
    let text = "title: x\nchange:\n  - rename_table: {table: r, to: ranks}\n  - rename_table: {table: o, to: purchases}\n  - rename_column: {table: purchases, from: state, to: status}\n  \
        - change_type: {table: purchases, column: code, type: text}\n  - change_type: {table: purchases, column: up, type: bigint}\nkeep: 7d\n";
    let plan = |version: &str| db.project.path().join(format!("plans/{version}_x.yaml"));
    let before = super::shape_of(db).await?;
    std::fs::write(plan("20261201269700"), text)?;
    advance(db, "20261201269700", "contracted").await?;
    db.run("UPDATE purchases SET status = 'old', code = 'd' WHERE id = 1").await?;
    same!(db.value("SELECT seen FROM purchases WHERE id = 1").await?, "2");
    db.phase(&["abort", "20261201269700", "--quiet"]).await?.expect(0)?;
    let differences = before.diff(&super::shape_of(db).await?);
    check!(differences.is_empty(), "{}", super::described(&differences));
    std::fs::remove_file(plan("20261201269700"))?;
    std::fs::write(plan("20261201269800"), text)?;
    advance(db, "20261201269800", "contracted").await?;
    db.phase(&["purge", "20261201269800", "--now"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM pg_indexes WHERE tablename = 'purchases'").await?, "4");
    same!(db.value("SELECT status || code || up || seen FROM purchases WHERE id = 1").await?, "oldd12");
    Ok(())
}
