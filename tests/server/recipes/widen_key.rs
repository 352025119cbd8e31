//! `widen_key`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261206010100_widen_key",
    tables: "20261206010000_accounts",
    rows: "INSERT INTO accounts (parent, name) SELECT nullif(g / 2, 0), 'name ' || g FROM generate_series(1, 3000) g;
        INSERT INTO cards SELECT g, 'card ' || g FROM generate_series(1, 3000, 2) g;
        INSERT INTO deposits (card_id) SELECT g FROM generate_series(1, 3000, 2) g;
        INSERT INTO friends SELECT g, g + 1 FROM generate_series(1, 2999) g;
        REFRESH MATERIALIZED VIEW card_sums",
    old: VERSION,
    // New code is ready for greater numbers; its statements are the same.
    new: VERSION,
    offline: include_str!("widen_key.sql"),
    wrong: "SELECT count(*) FROM accounts WHERE id <= 3000 AND (parent IS DISTINCT FROM nullif(id / 2, 0) OR name <> 'name ' || id)",
};

/// The clients' ids, as numbers that the old type can hold.
macro_rules! key {
    () => {
        "($1::bigint % 2000000000 + 100000)"
    };
}

const VERSION: Version = Version {
    insert: concat!(
        "WITH account AS (INSERT INTO accounts (id, parent, name) VALUES (",
        key!(),
        ", 1 + $1 % 1000, $2) RETURNING id),
        card AS (INSERT INTO cards SELECT id, $2 FROM account RETURNING account_id),
        friend AS (INSERT INTO friends SELECT account_id, 7 FROM card)
        INSERT INTO deposits (card_id) SELECT account_id FROM card"
    ),
    update: &[
        concat!("UPDATE account_names SET name = $2 WHERE id = ", key!()),
        concat!(
            "WITH paid AS (INSERT INTO deposits (card_id) VALUES (",
            key!(),
            ")) INSERT INTO accounts (id, name) VALUES (",
            key!(),
            ", $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name"
        ),
        concat!(
            "WITH other AS (UPDATE friends SET other = CASE other WHEN 7 THEN 8 ELSE 7 END WHERE one = ",
            key!(),
            ") UPDATE accounts SET name = $2, parent = CASE WHEN parent = 1 THEN 2 ELSE 1 END WHERE id = ",
            key!()
        ),
    ],
    read: concat!(
        "SELECT a.name FROM accounts a JOIN cards c ON c.account_id = a.id JOIN friends f ON f.one = a.id
        JOIN accounts p ON p.id = a.parent JOIN account_cards v ON v.card = a.id AND v.name = a.name
        JOIN \"Accounts' friends\" s ON s.id = a.id AND s.many = 1 AND s.sevens <= 1
        WHERE a.id = ",
        key!(),
        " AND EXISTS (SELECT FROM deposits WHERE card_id = a.id)"
    ),
};
