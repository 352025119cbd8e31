//! What breaks or binds the application that runs while expand does.

use super::*;

#[test]
fn a_small_table_does_not_make_a_loss_harmless() {
    let setup = "CREATE VIEW v AS SELECT a FROM t; CREATE TYPE mood AS ENUM ('a'); CREATE SCHEMA s; \
                 CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE sq; \
                 CREATE DOMAIN d AS integer";
    for sql in [
        "ALTER TABLE t DROP COLUMN c",
        "DROP TABLE t",
        "DROP VIEW v",
        "DROP TYPE mood",
        "DROP TYPE mood CASCADE",
        "DROP DOMAIN d",
        "DROP FUNCTION f()",
        "DROP FUNCTION f() CASCADE",
        "DROP SEQUENCE sq",
        "DROP SCHEMA s CASCADE",
        "DROP EXTENSION hstore",
        "ALTER SCHEMA s RENAME TO s2",
        "ALTER TYPE mood RENAME TO moods",
        "ALTER TYPE mood RENAME VALUE 'a' TO 'b'",
        "ALTER TYPE mood SET SCHEMA s",
        "ALTER FUNCTION f() RENAME TO g",
        "ALTER SEQUENCE sq RENAME TO sq2",
        "ALTER TABLE t RENAME TO t2",
        "ALTER TABLE t RENAME COLUMN c TO c2",
        "ALTER TABLE t SET SCHEMA s",
        "TRUNCATE t",
        "DELETE FROM t",
        "DELETE FROM t WHERE 1 = 1",
        "ALTER TABLE t ALTER COLUMN c SET NOT NULL",
        "ALTER TABLE t ADD CONSTRAINT k NOT NULL c",
        "ALTER TABLE t ADD CONSTRAINT k NOT NULL c NOT VALID",
        "ALTER TABLE t ADD COLUMN z integer NOT NULL",
        "ALTER TABLE t ALTER COLUMN b TYPE varchar(10)",
        "ALTER TABLE t ALTER COLUMN a TYPE text",
        "ALTER TABLE t ALTER COLUMN c TYPE varchar(10)",
        "ALTER TABLE p DETACH PARTITION p1",
        "ALTER DOMAIN d SET NOT NULL",
    ] {
        let text = format!("expand:\n  - sql: {sql}\n    undo: \"irreversible: an example\"\n");
        let rules = rules(&text, small(setup));
        assert!(rules.contains(&"expand-breaks-application"), "{sql}: {rules:?}");
    }
    for sql in [
        "CREATE TABLE v2 (a int); ALTER TABLE v2 DROP COLUMN a; TRUNCATE v2; DROP TABLE v2",
        "ALTER TABLE t ADD COLUMN z int; ALTER TABLE t ALTER COLUMN z SET NOT NULL; ALTER TABLE t DROP COLUMN z",
        "CREATE TYPE m2 AS ENUM ('a'); ALTER TYPE m2 RENAME TO m3",
        "CREATE SCHEMA s2; ALTER SCHEMA s2 RENAME TO s3",
        "ALTER TABLE t ALTER COLUMN b TYPE varchar(40)",
        "ALTER TABLE t ALTER COLUMN a TYPE bigint",
        "DELETE FROM t WHERE id = 1",
        "DROP INDEX CONCURRENTLY i",
    ] {
        let text = format!("expand:\n  - sql: {sql}\n    undo: \"irreversible: an example\"\n");
        let rules = rules(&text, small(setup));
        assert!(!rules.contains(&"expand-breaks-application"), "{sql}: {rules:?}");
    }
}

#[test]
fn a_constraint_in_expand_binds_the_code_that_runs() {
    let warned = |sql: &str| {
        let text = format!("expand:\n  - sql: {sql}\n    undo: \"irreversible: an example\"\n");
        let setup = "CREATE DOMAIN d AS integer; ALTER TABLE t ALTER COLUMN a SET NOT NULL";
        rules(&text, small(setup)).contains(&"expand-narrows")
    };
    for sql in [
        "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)",
        "ALTER TABLE t ADD CONSTRAINT k EXCLUDE (a WITH =)",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
        "ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0) NOT VALID",
        "ALTER TABLE t ALTER COLUMN a DROP DEFAULT",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t DROP CONSTRAINT j; ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
    ] {
        assert!(warned(sql), "{sql}");
    }
    for sql in [
        "ALTER TABLE t ADD COLUMN z int; ALTER TABLE t ADD CONSTRAINT k CHECK (z > 0) NOT VALID",
        "ALTER TABLE t ADD COLUMN z int REFERENCES r",
        "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
        "CREATE TABLE u (a int); ALTER TABLE u ADD CONSTRAINT k UNIQUE (a)",
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
    ] {
        assert!(!warned(sql), "{sql}");
    }
}
