//! `change_type`.

use super::Example;
use super::clients::Version;

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
