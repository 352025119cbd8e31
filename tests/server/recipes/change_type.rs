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
    let ended = db.phase(&["advance", "20261202049900", "--to", "validated", "--quiet"]).await?;
    check!(ended.code != Some(0), "{ended:?}");
    same!(db.value("SELECT count(*) FROM phase.quarantine").await?, "3");
    db.run("UPDATE m SET a = 'abc', b = NULL, l = NULL WHERE id > 1").await?;
    db.phase(&["retry-bad", "20261202049900"]).await?.expect(0)?;
    db.phase(&["resume", "20261202049900"]).await?;
    advance(db, "20261202049900", "contracted").await?;
    same!(db.value("SELECT string_agg(a, ',' ORDER BY id) FROM m").await?, "abc,abc,abc,abc");
    Ok(())
}
