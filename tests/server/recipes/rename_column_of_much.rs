//! `rename_column` of a column on which everything hangs.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261205010100_rename_column_of_much",
    tables: "20261205010000_shelves",
    rows: "INSERT INTO shelves (id, code) SELECT g, 'code ' || g FROM generate_series(1, 3000) g;
        INSERT INTO shelf_books SELECT g, 'code ' || g FROM generate_series(1, 100) g",
    old: Version {
        insert: "INSERT INTO shelves (id, code) VALUES ($1, $2)",
        update: &[
            "UPDATE shelves SET code = $2 WHERE id = $1",
            "UPDATE shelf_codes SET code = $2, note = 'by a view' WHERE id = $1",
            "INSERT INTO shelves (id, code) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET code = excluded.code",
        ],
        read: "SELECT code::text FROM shelf_codes JOIN \"Shelf notes\" USING (id) WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO shelves (id, label) VALUES ($1, $2)",
        update: &[
            "UPDATE shelves SET label = $2 WHERE id = $1",
            "INSERT INTO shelves (id, label) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET label = excluded.label",
        ],
        read: "SELECT label::text FROM shelves WHERE id = $1",
    },
    offline: "ALTER TABLE shelves RENAME COLUMN code TO label",
    wrong: "SELECT count(*) FROM shelves WHERE id <= 3000 AND (renewed <> 0 OR label <> 'code ' || id) OR short <> upper(left(label, 3))",
};
