//! `change_type`.

use super::clients::Version;
use super::{Example, advance};
use crate::harness::{Db, TestResult, check, same};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261202040100_change_type",
    tables: "20261202040000_vouchers",
    rows: "INSERT INTO vouchers (id, code, amount) SELECT g, 'code ' || g, nullif(g % 5, 0) FROM generate_series(1, 3000) g",
    old: VERSION,
    // New code is glad of what the new type can hold; its statements are the same.
    new: VERSION,
    offline: "DROP TRIGGER vouchers_seen ON vouchers;
        ALTER TABLE vouchers ALTER code TYPE varchar(60), ALTER amount TYPE bigint;
        CREATE TRIGGER vouchers_seen BEFORE UPDATE OF code ON vouchers
        FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION count_voucher()",
    wrong: "SELECT count(*) FROM vouchers WHERE id <= 3000 AND (seen <> 0 OR (code, amount) IS DISTINCT FROM ('code ' || id, nullif(id % 5, 0)))
        OR id > 3000 AND amount <> 1",
};

const VERSION: Version = Version {
    insert: "INSERT INTO vouchers (id, code) VALUES ($1, $2)",
    update: &[
        "UPDATE vouchers SET code = $2 WHERE id = $1",
        "UPDATE vouchers SET code = $2, amount = 1 WHERE id = $1",
    ],
    read: "SELECT code::text FROM vouchers WHERE id = $1",
};

/// What does not fit the new type fails, as ALTER COLUMN TYPE does, and is never cut.
pub(super) async fn cuts_nothing(db: &Db) -> TestResult {
    db.run("CREATE TABLE m (id int PRIMARY KEY, a text, b bit(8), l text[]); INSERT INTO m VALUES (1, 'abc', NULL, '{ab}'), (2, 'abcdef', NULL, NULL), (3, NULL, B'10101010', NULL), (4, NULL, NULL, '{abc}')").await?;
    let text = "title: x\nchange:\n  - change_type: {table: m, column: a, type: varchar(3)}\n  - change_type: {table: m, column: b, type: bit(4)}\n  - change_type: {table: m, column: l, type: 'varchar(2)[]'}\nkeep: 7d\n";
    std::fs::write(db.project.path().join("plans/20261202049900_cut.yaml"), text)?;
    advance(db, "20261202049900", "expanded").await?;
    for (set, error) in [
        ("a = 'abcd'", "value too long"),
        ("b = B'10000000'", "bit string length 8"),
        ("l = '{abc}'", "value too long"),
    ] {
        let failed = db.run(&format!("UPDATE m SET {set} WHERE id = 1")).await;
        check!(format!("{failed:?}").contains(error), "{set}: {failed:?}");
    }
    let ended = db.phase(&["advance", "20261202049900", "--to", "contracted", "--quiet"]).await?;
    check!(ended.code != Some(0), "{ended:?}");
    same!(db.value("SELECT count(*) FROM phase.quarantine").await?, "3");
    db.run("UPDATE m SET a = 'abc', b = NULL, l = NULL WHERE id > 1").await?;
    db.phase(&["retry-bad", "20261202049900"]).await?.expect(0)?;
    db.phase(&["resume", "20261202049900"]).await?;
    db.phase(&["validate", "20261202049900", "--prove"]).await?.expect(0)?;
    advance(db, "20261202049900", "contracted").await?;
    same!(db.value("SELECT string_agg(a, ',' ORDER BY id) FROM m").await?, "abc,abc,abc,abc");
    Ok(())
}

/// What came over the column by hand would go with it: contract stops by its name.
pub(super) async fn loses_nothing(db: &Db) -> TestResult {
    db.run("CREATE TABLE m (id int PRIMARY KEY, a text, b text); CREATE INDEX m_b ON m (b); INSERT INTO m VALUES (1, '1', 'b')").await?;
    let text = "title: x\nchange:\n  - change_type: {table: m, column: a, type: bigint}\nkeep: 7d\n";
    std::fs::write(db.project.path().join("plans/20261202049800_late.yaml"), text)?;
    advance(db, "20261202049800", "validated").await?;
    db.run(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE INDEX late_index ON m (lower(a)); ALTER TABLE m ADD CONSTRAINT late CHECK (a <> ''), ALTER a SET NOT NULL, ALTER a SET DEFAULT '5';
        COMMENT ON COLUMN m.a IS 'Late.'; GRANT SELECT (a) ON m TO PUBLIC; CREATE TRIGGER late_of BEFORE UPDATE OF a ON m FOR EACH ROW EXECUTE FUNCTION late();
        CREATE TRIGGER late_when BEFORE UPDATE ON m FOR EACH ROW WHEN (new.a = '7') EXECUTE FUNCTION late(); CREATE INDEX other ON m (b, id); COMMENT ON COLUMN m.b IS 'Other.'",
    )
    .await?;
    let ended = db.phase(&["contract", "20261202049800", "--quiet"]).await?;
    check!(ended.code == Some(1), "{ended:?}");
    for what in [
        "index late_index",
        "constraint late",
        "NOT NULL",
        "default of a",
        "comment on a",
        "privilege SELECT (a) of PUBLIC",
        "trigger late_of",
        "trigger late_when",
    ] {
        check!(format!("{ended:?}").contains(what), "{what}: {ended:?}");
    }
    check!(!ended.stderr.contains("other") && !ended.stderr.contains("comment on b"), "{}", ended.stderr);
    db.run(
        "DROP INDEX late_index; ALTER TABLE m DROP CONSTRAINT late, ALTER a DROP NOT NULL, ALTER a DROP DEFAULT; COMMENT ON COLUMN m.a IS NULL;
        REVOKE SELECT (a) ON m FROM PUBLIC; DROP TRIGGER late_of ON m; DROP TRIGGER late_when ON m;",
    )
    .await?;
    advance(db, "20261202049800", "contracted").await?;
    same!(db.value("SELECT a + 1 FROM m").await?, "2");
    Ok(())
}
