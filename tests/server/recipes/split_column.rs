//! `split_column`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261202020100_split_column",
    tables: "20261202020000_people",
    rows: "INSERT INTO people SELECT g, CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN 'one' || g ELSE 'one ' || g || ' two' END FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO people (id, full_name) VALUES ($1, $2)",
        update: &["UPDATE people SET full_name = $2 WHERE id = $1"],
        read: "SELECT full_name FROM people WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO people (id, first_name, last_name) VALUES ($1, split_part($2, ' ', 1), split_part($2, ' ', 2))",
        update: &["UPDATE people SET first_name = split_part($2, ' ', 1), last_name = split_part($2, ' ', 2) WHERE id = $1"],
        read: "SELECT first_name || ' ' || last_name FROM people WHERE id = $1",
    },
    offline: "ALTER TABLE people ADD COLUMN first_name text, ADD COLUMN last_name text, DROP COLUMN full_name;
        COMMENT ON COLUMN people.last_name IS 'The rest of it.'",
    wrong: "SELECT count(*) FROM people WHERE id <= 3000 AND ((first_name, last_name) IS DISTINCT FROM (
        CASE id % 3 WHEN 0 THEN NULL WHEN 1 THEN 'one' || id ELSE 'one' END, CASE id % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE id || ' two' END))",
};
