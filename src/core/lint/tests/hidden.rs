//! What hides is found, and what is safe is let through, also without a server.

use super::*;

#[test]
fn what_hides_is_found() {
    for (sql, rule) in [
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID, VALIDATE CONSTRAINT k", "work-under-lock"),
        ("CREATE SCHEMA s CREATE TABLE t (a int); CREATE INDEX i ON t (a)", "create-index"),
        ("SET LOCAL search_path = s; CREATE INDEX i ON nowhere (a)", "create-index"),
        ("WITH d AS (DELETE FROM t RETURNING *) INSERT INTO r SELECT id FROM d", "opaque"),
        ("UPDATE t SET a = 1 WHERE true", "update-all"),
        ("SET lock_timeout = '+0'", "no-timeout"),
        ("RESET ALL", "no-timeout"),
        ("SELECT set_config('lock_timeout', '0', false)", "no-timeout"),
        ("SELECT set_config('lock_' || 'timeout', '0', false)", "opaque"),
        ("SET lock_timeout = '7d'", "no-timeout"),
        ("SET statement_timeout = '2d'", "no-timeout"),
        ("SELECT make_everything_anew()", "opaque-function"),
        ("SELECT pg_advisory_lock(60)", "opaque-function"),
        ("ALTER TABLE t ADD COLUMN z int; SELECT pg_sleep(60)", "work-under-lock"),
        ("INSERT INTO r SELECT id, do_ddl() FROM t", "opaque-function"),
        ("CREATE TABLE u AS SELECT do_ddl()", "opaque-function"),
        ("ALTER TABLE t ADD COLUMN z int; SELECT count(*) FROM t", "work-under-lock"),
        ("ALTER TABLE t ADD COLUMN z int; INSERT INTO p SELECT id, a FROM t", "work-under-lock"),
        ("ALTER TABLE t ADD COLUMN z int; CREATE TABLE u AS SELECT * FROM t", "work-under-lock"),
        ("UPDATE t SET a = 1 WHERE 1 = 1", "update-all"),
        ("UPDATE t SET a = 1 WHERE now() > '2020-01-01' OR id = 7", "update-all"),
        ("UPDATE t SET a = 1 WHERE id = id", "update-all"),
        ("UPDATE t SET a = 1 FROM r", "update-all"),
        ("DELETE FROM t USING r", "delete-all"),
        ("MERGE INTO t USING r ON true WHEN MATCHED THEN DELETE", "merge-all"),
        ("MERGE INTO t USING r ON t.id = r.id WHEN NOT MATCHED BY SOURCE THEN DELETE", "merge-all"),
        ("DROP TYPE mood CASCADE", "drop-cascade"),
        ("DROP SCHEMA s CASCADE", "drop-cascade"),
        ("CREATE TEMP TABLE t AS SELECT 1; ALTER TABLE t ALTER COLUMN a SET NOT NULL", "set-not-null"),
    ] {
        let text = format!("validate:\n  - sql: |\n      {sql}\n");
        let rules: Vec<_> = found(&text, "", 180_000).iter().map(|finding| finding.rule).collect();
        assert!(rules.contains(&rule), "{sql}: {rules:?}");
    }
}

#[test]
fn a_domain_is_known_by_what_it_is_made_of() {
    let met = |sql: &str| {
        let text = format!("expand:\n  - sql: |\n      {sql}\n    undo: \"irreversible: an example\"\n");
        rules(&text, World::offline(180_000))
    };
    let volatile = "CREATE DOMAIN d AS uuid DEFAULT gen_random_uuid(); ALTER TABLE t ADD COLUMN z d";
    assert!(met(volatile).contains(&"add-column-volatile-default"));
    let steady = "CREATE DOMAIN d AS timestamptz DEFAULT now(); ALTER TABLE t ADD COLUMN z d";
    assert_eq!(met(steady), Vec::<&str>::new());
    let own = "CREATE DOMAIN d AS uuid DEFAULT gen_random_uuid(); ALTER TABLE t ADD COLUMN z d DEFAULT 'x'";
    assert_eq!(met(own), Vec::<&str>::new());
    let over = "CREATE DOMAIN c AS int CHECK (VALUE > 0); CREATE DOMAIN d AS c; ALTER TABLE t ADD COLUMN z d";
    assert!(met(over).contains(&"add-column-domain"));
    assert_eq!(met("ALTER TABLE t ADD COLUMN z some_type"), ["unknown-type"]);
    assert_eq!(met("CREATE TYPE m AS ENUM ('a'); ALTER TABLE t ADD COLUMN z m"), Vec::<&str>::new());
    for kind in ["uuid", "jsonb", "tsvector", "text[]", "numeric(10,2)", "int8range"] {
        assert_eq!(met(&format!("ALTER TABLE t ADD COLUMN z {kind}")), Vec::<&str>::new(), "{kind}");
    }
}

#[test]
fn what_is_safe_without_a_server_is_let_through() {
    for sql in [
        "CREATE INDEX i ON ONLY somewhere (a)",
        "ALTER TABLE t ADD COLUMN z text DEFAULT left(right(replace('abc', 'a', 'b'), 2), 1)",
        "ALTER TABLE t ADD COLUMN z jsonb DEFAULT jsonb_set('{}', '{a}', '1')",
        "ALTER TABLE t ADD COLUMN z tsvector DEFAULT to_tsvector('simple', 'x')",
        "LOCK TABLE t IN ACCESS SHARE MODE",
        "LOCK TABLE t IN ROW EXCLUSIVE MODE",
        "REINDEX SCHEMA CONCURRENTLY public",
        "REINDEX (CONCURRENTLY) DATABASE postgres",
        "SELECT count(*), max(length(c)) FROM t",
        "SELECT setval('sq', 7)",
        "SELECT pg_sleep(1)",
        "SET lock_timeout = '5s'",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
    ] {
        let text = format!("expand:\n  - sql: \"{sql}\"\n    undo: \"irreversible: an example\"\n");
        assert_eq!(rules(&text, World::offline(180_000)), Vec::<&str>::new(), "{sql}");
    }
}
