//! Changes of one plan that meet in one table: it runs to contracted, and abort brings everything back.

use crate::harness::{Db, SCHEMA, TestResult, check, same, tests};

tests![
    a_default_after_another_type_goes_back,
    a_constraint_of_a_renamed_column_comes_back,
    a_reference_to_the_primary_key_waits_for_what_changes_it,
    a_key_of_a_table_that_the_plan_makes_is_referred_to,
    a_default_without_an_assignment_is_cast,
    an_index_is_replaced_beside_a_rename,
    a_trigger_that_reads_what_goes_stops_contract,
];

/// Runs a plan to contracted, looks at what is there, and goes back.
async fn there_and_back(db: &Db, version: u32, changes: &[&str], then: &str, is: &str) -> TestResult {
    let before = db.value(SCHEMA).await?;
    let version = version.to_string();
    let text = format!("change:\n  - {}\nkeep: 1d\n", changes.join("\n  - "));
    db.file(&format!("plans/{version}_p.yaml"), &text)?;
    db.phase(&["advance", &version, "--to", "contracted"])
        .await?
        .expect(0)
        .map_err(|error| format!("{text}{error}"))?;
    same!(db.value(then).await?, is, "{text}");
    db.phase(&["abort", &version]).await?.expect(0).map_err(|error| format!("{text}{error}"))?;
    same!(db.value(SCHEMA).await?, before, "{text}");
    Ok(())
}

const DEFAULT: &str = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE a.attrelid = 't'::regclass AND a.attname = 'm'";

async fn a_default_after_another_type_goes_back(db: Db) -> TestResult {
    db.run("CREATE TYPE st AS ENUM ('a', 'b'); CREATE TABLE t (id int PRIMARY KEY, m st DEFAULT 'a', n int DEFAULT 3);
        INSERT INTO t (id) SELECT generate_series(1, 20)")
        .await?;
    let replace = "replace_enum: {table: t, column: m, type: st2, values: [a, c], map: {b: c}}";
    let set = "set_default: {table: t, column: m, default: \"'c'\", when: contract}";
    there_and_back(&db, 1, &[replace, set], DEFAULT, "'c'::st2").await?;
    let gone = format!("SELECT count(*) || '' FROM ({DEFAULT}) AS d");
    there_and_back(&db, 2, &[replace, "drop_default: {table: t, column: m}"], &gone, "0").await?;
    let numbers = DEFAULT.replace("'m'", "'n'");
    let retype = "change_type: {table: t, column: n, type: text, using: n::text, back: n::int}";
    let set = "set_default: {table: t, column: n, default: \"'x'\", when: contract}";
    there_and_back(&db, 3, &[retype, set], &numbers, "'x'::text").await
}

async fn a_constraint_of_a_renamed_column_comes_back(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, m int, n int, CONSTRAINT ck CHECK (m > 0), CONSTRAINT cn CHECK (n > 0));
        INSERT INTO t SELECT n, n, n FROM generate_series(1, 20) n")
        .await?;
    let rename = "rename_column: {table: t, from: m, to: mm}";
    let drop = "drop_constraint: {table: t, name: ck}";
    let none = "SELECT count(*) || '' FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c' AND convalidated";
    there_and_back(&db, 1, &[rename, drop], none, "1").await?;
    there_and_back(&db, 2, &[drop, rename], none, "1").await?;
    let retype = "change_type: {table: t, column: n, type: bigint, to: nn}";
    // The hidden column keeps its own until purge, for an abort.
    let all = "SELECT string_agg(conname || ' ' || pg_get_constraintdef(oid), ', ' ORDER BY conname) FROM pg_constraint
        WHERE conrelid = 't'::regclass AND contype = 'c' AND conname NOT LIKE '\\_phase\\_%'";
    there_and_back(&db, 3, &[retype, "drop_constraint: {table: t, name: cn}"], all, "ck CHECK ((m > 0))")
        .await
}

async fn a_reference_to_the_primary_key_waits_for_what_changes_it(db: Db) -> TestResult {
    db.run("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE d (id int PRIMARY KEY, x int); INSERT INTO p VALUES (1); INSERT INTO d VALUES (1, 1)")
        .await?;
    db.file("plans/1_wide.yaml", "change:\n  - widen_key: {table: p, column: id}\nkeep: 1d\n")?;
    db.phase(&["advance", "1", "--to", "expanded"]).await?.expect(0)?;
    db.file(
        "plans/2_key.yaml",
        "change:\n  - add_foreign_key: {table: d, columns: [x], references: {table: p}, index: true}\n",
    )?;
    let ended = db.phase(&["advance", "2"]).await?;
    check!(ended.code == Some(3) && ended.stdout.contains("p.id"), "{ended:?}");
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    Ok(())
}

async fn a_key_of_a_table_that_the_plan_makes_is_referred_to(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 20)").await?;
    let make = "create_table: {table: u, columns: [{name: id, type: int, primary_key: true}]}";
    let column = "add_column: {table: t, column: u_id, type: int}";
    let key = "add_foreign_key: {table: t, columns: [u_id], references: {table: u}, index: true}";
    let there = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'f'";
    there_and_back(&db, 1, &[make, column, key], there, "FOREIGN KEY (u_id) REFERENCES u(id)").await
}

async fn a_default_without_an_assignment_is_cast(db: Db) -> TestResult {
    db.run("CREATE TYPE st AS ENUM ('a', 'b');
        CREATE TABLE t (id int PRIMARY KEY, m text DEFAULT '3', b boolean DEFAULT true, e text DEFAULT 'a', g boolean DEFAULT true);
        INSERT INTO t (id) SELECT generate_series(1, 20)")
        .await?;
    let given = "INSERT INTO t (id) VALUES (21)";
    let retype = "change_type: {table: t, column: m, type: int}";
    there_and_back(&db, 1, &[retype], &format!("WITH i AS ({given} RETURNING m) SELECT m::text FROM i"), "3")
        .await?;
    let given = given.replace("21", "22");
    let retype = "change_type: {table: t, column: b, type: int}";
    there_and_back(&db, 2, &[retype], &format!("WITH i AS ({given} RETURNING b) SELECT b::text FROM i"), "1")
        .await?;
    let given = given.replace("22", "23");
    let retype = "change_type: {table: t, column: e, type: st}";
    there_and_back(&db, 3, &[retype], &format!("WITH i AS ({given} RETURNING e) SELECT e::text FROM i"), "a")
        .await?;
    let retype = "change:\n  - change_type: {table: t, column: g, type: bigint, using: g::int, back: g > 0}\nkeep: 1d\n";
    db.file("plans/4_p.yaml", retype)?;
    let ended = db.phase(&["advance", "4"]).await?;
    check!(ended.code == Some(2) && ended.stderr.contains("default: EXPRESSION"), "{ended:?}");
    Ok(())
}

async fn an_index_is_replaced_beside_a_rename(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, m int, x int, y int); CREATE INDEX t_m ON t (m); CREATE INDEX t_xy ON t (x, y);
        INSERT INTO t SELECT n, n, n, n FROM generate_series(1, 20) n")
        .await?;
    let replace = "replace_index: {table: t, name: t_m, columns: [m, x]}";
    let rename = "rename_column: {table: t, from: m, to: mm}";
    let index = |name: &str| format!("SELECT pg_get_indexdef('{name}'::regclass)");
    there_and_back(
        &db,
        1,
        &[replace, rename],
        &index("t_m"),
        "CREATE INDEX t_m ON public.t USING btree (mm, x)",
    )
    .await?;
    let both = ["rename_column: {table: t, from: x, to: xx}", "rename_column: {table: t, from: y, to: yy}"];
    there_and_back(&db, 2, &both, &index("t_xy"), "CREATE INDEX t_xy ON public.t USING btree (xx, yy)").await
}

/// A trigger of the application's own reads a column by its name.
async fn a_trigger_that_reads_what_goes_stops_contract(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a text, \"Mixed\" text, n int);
        INSERT INTO t SELECT n, n, n, n FROM generate_series(1, 20) n;
        CREATE FUNCTION low() RETURNS trigger LANGUAGE plpgsql AS 'begin new.a := lower(new . A); return new; end';
        CREATE FUNCTION wide() RETURNS trigger LANGUAGE plpgsql AS $$begin NEW.\"Mixed\" := lower(NEW.\"Mixed\"); return new; end$$;
        CREATE TRIGGER t_low BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION low();
        CREATE TRIGGER t_wide BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION wide()")
        .await?;
    let changes = [
        ("rename_column: {table: t, from: a, to: b}", "t_low runs low(), which names column a"),
        ("drop_column: {table: t, column: a}", "t_low runs low(), which names column a"),
        (
            "change_type: {table: t, column: a, type: varchar(90), to: c}",
            "t_low runs low(), which names column a",
        ),
        (
            "transform_column: {table: t, column: '\"Mixed\"', to: m, type: text, using: '\"Mixed\"', back: m}",
            "t_wide runs wide()",
        ),
    ];
    for (n, (change, said)) in changes.into_iter().enumerate() {
        let version = (n + 1).to_string();
        db.file(&format!("plans/{version}_p.yaml"), &format!("change:\n  - {change}\nkeep: 1d\n"))?;
        db.phase(&["advance", &version, "--to", "validated"]).await?.expect(0)?;
        let ended = db.phase(&["contract", &version]).await?.expect(1)?;
        check!(ended.stdout.contains(said) && ended.stdout.contains("to_jsonb(NEW)"), "{change}: {ended:?}");
        db.run(&format!("INSERT INTO t (id) VALUES ({})", 100 + n)).await?;
        db.phase(&["abort", &version]).await?.expect(0)?;
    }
    // With a body that does without the name it goes on, and so do the writers.
    db.file("plans/9_p.yaml", "change:\n  - rename_column: {table: t, from: a, to: b}\nkeep: 1d\n")?;
    db.phase(&["advance", "9", "--to", "validated"]).await?.expect(0)?;
    db.phase(&["contract", "9"]).await?.expect(1)?;
    db.run("CREATE OR REPLACE FUNCTION low() RETURNS trigger LANGUAGE plpgsql AS $$begin
        return jsonb_populate_record(new, case when to_jsonb(new) ? 'b' then jsonb_build_object('b', lower(to_jsonb(new) ->> 'b'))
            else jsonb_build_object('a', lower(to_jsonb(new) ->> 'a')) end); end$$")
        .await?;
    db.phase(&["contract", "9"]).await?.expect(0)?;
    db.run("INSERT INTO t (id, b) VALUES (200, 'LOUD')").await?;
    same!(db.value("SELECT b FROM t WHERE id = 200").await?, "loud");
    // The type of a column is no name.
    db.file(
        "plans/91_p.yaml",
        "change:\n  - change_type: {table: t, column: '\"Mixed\"', type: varchar(90)}\nkeep: 1d\n",
    )?;
    db.phase(&["advance", "91", "--to", "contracted"]).await?.expect(0)?;
    db.run("INSERT INTO t (id, \"Mixed\") VALUES (201, 'LOUD')").await?;
    Ok(())
}
