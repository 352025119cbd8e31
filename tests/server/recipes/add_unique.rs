//! `add_unique`.

use super::clients::Version;
use super::{Example, advance, begin};
use crate::harness::{Db, TestResult, check};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201050100_add_unique",
    tables: "20261201050000_coupons",
    rows: "INSERT INTO coupons (id, code) SELECT g, CASE WHEN g % 3 > 0 THEN 'coupon ' || g END FROM generate_series(1, 3000) g; \
        INSERT INTO imprints SELECT g, g % 40, g FROM generate_series(1, 3000) g",
    old: Version {
        insert: "WITH s AS (INSERT INTO imprints VALUES ($1, ($1::bigint % 40)::int, $2)) INSERT INTO coupons (id, code) VALUES ($1, $2)",
        update: &[
            "UPDATE coupons SET code = $2 WHERE id = $1",
            "INSERT INTO coupons (id, code) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET code = excluded.code",
        ],
        read: "SELECT code FROM coupons WHERE id = $1",
    },
    new: Version {
        insert: "WITH s AS (INSERT INTO imprints VALUES ($1, ($1::bigint % 40)::int, $2)) INSERT INTO coupons VALUES ($1, $2, 'us', 1)",
        update: &["UPDATE coupons SET code = $2, uses = uses + 1 WHERE id = $1"],
        read: "SELECT code FROM coupon_codes WHERE code = (SELECT code FROM coupons WHERE id = $1)",
    },
    offline: "ALTER TABLE coupons ADD UNIQUE (region, code); \
        ALTER TABLE coupons ADD CONSTRAINT coupons_code_once UNIQUE (code) INCLUDE (uses) DEFERRABLE INITIALLY DEFERRED; \
        ALTER TABLE imprints ADD UNIQUE (code, day)",
    wrong: "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
};

/// Duplicates are named, nothing is left of the index, and validate goes on when they are gone.
pub(super) async fn duplicates(db: &Db) -> TestResult {
    begin(db, &EXAMPLE).await?;
    db.run("INSERT INTO coupons VALUES (4000, 'coupon 1', 'eu')").await?;
    advance(db, EXAMPLE.plan, "backfilled").await?;
    let stopped = db.phase(&["validate", EXAMPLE.plan]).await?;
    check!(stopped.code == Some(1) && format!("{stopped:?}").contains("coupon 1"), "{stopped:?}");
    check!(db.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid").await? == "0", "an index is left");
    db.run("DELETE FROM coupons WHERE id = 4000").await?;
    advance(db, EXAMPLE.plan, "validated").await
}
