//! `create_table`.

use super::clients::Version;
use super::{Example, advance, begin, described, shape_of};
use crate::harness::{Db, TestResult, check, same};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201230100_create_table",
    tables: "20261201230000_jobs",
    rows: "INSERT INTO jobs (id, label) SELECT g, 'job ' || g FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO jobs (id, label) VALUES ($1, $2)",
        update: &["UPDATE jobs SET label = $2 WHERE id = $1"],
        read: "SELECT label FROM jobs WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO jobs (id, label) VALUES ($1, $2)",
        update: &[
            "WITH run AS (INSERT INTO job_runs (job_id, \"Said\", cost) VALUES ($1, $2, 1.5)) UPDATE jobs SET label = $2 WHERE id = $1",
        ],
        read: "SELECT label FROM jobs LEFT JOIN LATERAL (SELECT \"Said\" FROM job_runs WHERE job_id = $1 ORDER BY run DESC LIMIT 1) AS last ON true WHERE id = $1",
    },
    offline: "CREATE TABLE job_runs (run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job_id bigint NOT NULL REFERENCES jobs ON DELETE CASCADE,
            \"Said\" text DEFAULT 'nothing', cost numeric(10,2) NOT NULL DEFAULT 0 CHECK (cost >= 0), UNIQUE (job_id, run),
            CONSTRAINT says_something CHECK (\"Said\" <> ''));
        COMMENT ON TABLE job_runs IS 'Every run of a job.'; COMMENT ON COLUMN job_runs.\"Said\" IS 'What came of it.';
        CREATE INDEX ON job_runs (cost) WHERE cost > 0",
    wrong: "SELECT count(*) FROM jobs WHERE label <> (SELECT \"Said\" FROM job_runs WHERE job_id = id ORDER BY run DESC LIMIT 1)
        AND EXISTS (SELECT FROM job_runs WHERE job_id = id AND \"Said\" = label)",
};

/// New code that leaves nothing in the table.
pub(super) const EMPTY: Example = Example {
    new: Version {
        update: &[
            "UPDATE jobs SET label = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM job_runs WHERE job_id = $1)",
        ],
        ..EXAMPLE.new
    },
    ..EXAMPLE
};

/// Rows of the new table have no other place: abort leaves them to a person.
pub(super) async fn keeps_rows(db: &Db) -> TestResult {
    begin(db, &EXAMPLE).await?;
    let before = shape_of(db).await?;
    advance(db, EXAMPLE.plan, "validated").await?;
    db.run("INSERT INTO job_runs (job_id) VALUES (1)").await?;
    let ended = db.phase(&["abort", EXAMPLE.plan]).await?;
    same!(ended.code, Some(1));
    check!(ended.stderr.contains("table job_runs has rows, which would be lost"), "{}", ended.stderr);
    check!(ended.stderr.contains("TRUNCATE"), "{}", ended.stderr);
    same!(db.value("SELECT count(*) FROM job_runs").await?, "1");
    db.run("TRUNCATE job_runs").await?;
    db.phase(&["abort", EXAMPLE.plan]).await?.expect(0)?;
    let differences = before.diff(&shape_of(db).await?);
    check!(differences.is_empty(), "{}", described(&differences));
    Ok(())
}
