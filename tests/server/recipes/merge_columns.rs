//! `merge_columns`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261202030100_merge_columns",
    tables: "20261202030000_places",
    rows: "INSERT INTO places SELECT g, 'way ' || g, 'town ' || g FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO places (id, street, city) VALUES ($1, split_part($2, ' ', 1), split_part($2, ' ', 2))",
        update: &[
            "UPDATE places SET street = split_part($2, ' ', 1), city = split_part($2, ' ', 2) WHERE id = $1",
        ],
        read: "SELECT street || ' ' || city FROM places WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO places (id, address) VALUES ($1, replace($2, ' ', ', '))",
        update: &["UPDATE places SET address = replace($2, ' ', ', ') WHERE id = $1"],
        read: "SELECT replace(address, ', ', ' ') FROM places WHERE id = $1",
    },
    offline: "ALTER TABLE places ADD COLUMN address text NOT NULL DEFAULT ''; ALTER TABLE places ALTER address DROP DEFAULT, DROP COLUMN street, DROP COLUMN city",
    wrong: "SELECT count(*) FROM places WHERE id <= 3000 AND address <> 'way ' || id || ', town ' || id",
};
