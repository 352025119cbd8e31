//! Two changes of one table: what must wait, what is only said, and what never runs.

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    what_waits_for_one_that_waits_is_told_the_way_past_it,
    what_stands_there_since_contract_is_built_on,
    a_name_that_goes_away_is_used_by_nobody_new,
    a_rename_waits_for_what_uses_the_name,
    other_columns_of_a_table_go_side_by_side,
    a_sql_migration_waits_or_says_that_it_builds_on_it,
    check_knows_what_is_open,
    nobody_takes_a_name_from_under_an_open_plan,
    what_is_there_is_not_made_again,
    names_are_looked_up_where_the_role_has_them,
    what_holds_on_to_every_column_waits_until_one_is_gone,
    a_schema_takes_along_what_stands_in_it,
    names_in_string_constants_are_used,
    what_has_a_name_of_its_own_is_not_made_again,
    what_never_ran_and_has_no_file_holds_nobody,
];

const RENAME: &str = "expand:
  - {sql: ALTER TABLE users ADD COLUMN display_name text, undo: ALTER TABLE users DROP COLUMN display_name}
  - sync: {table: users, set: {display_name: name}, back: {name: display_name}}
backfill:
  - {table: users, set: {display_name: name}, where: display_name IS NULL}
contract:
  - drop_column: {table: users, column: name}
keep: 1d
";

const NICK: &str = "expand:
  - {sql: ALTER TABLE users ADD COLUMN nick text, undo: ALTER TABLE users DROP COLUMN nick}
  - sync: {table: users, set: {nick: lower(name)}}
backfill:
  - {table: users, set: {nick: lower(name)}, where: nick IS NULL}
";

async fn users(db: &Db) -> TestResult {
    db.run(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text);
         INSERT INTO users SELECT n, 'Name ' || n, n || '@example.org' FROM generate_series(1, 500) n",
    )
    .await?;
    Ok(())
}

/// The 45 minutes: one renames a column, the other adds what uses the old name.
async fn a_name_that_goes_away_is_used_by_nobody_new(db: Db) -> TestResult {
    users(&db).await?;
    db.file("plans/10_rename.yaml", RENAME)?;
    db.phase(&["advance", "10", "--to", "backfilled"]).await?.expect(0)?;
    for (file, text) in [
        ("plans/20_nick.yaml", NICK.to_owned()),
        ("plans/20_nick.yaml", format!("depends_on: [10]\n{NICK}")),
        ("migrations/20_names.sql", "CREATE VIEW names AS SELECT id, name FROM users;\n".into()),
        (
            "migrations/20_names.sql",
            "CREATE INDEX CONCURRENTLY users_name ON users (lower(name)) WHERE email IS NOT NULL;\n".into(),
        ),
    ] {
        db.file(file, &text)?;
        let ended = db.phase(&["check"]).await?.expect(2)?;
        check!(ended.stdout.contains("users.name, which 10_rename takes away"), "{ended:?}");
        check!(ended.stdout.contains("error: conflict: it uses"), "{ended:?}");
        for command in [&["expand"][..], &["advance", "20"]] {
            let ended = db.phase(command).await?.expect(2)?;
            check!(ended.stderr.contains("it uses users.name, which 10_rename takes away"), "{ended:?}");
            check!(ended.stderr.contains("nothing of this plan has been run"), "{ended:?}");
        }
        same!(
            db.value("SELECT to_regclass('names') IS NULL AND to_regclass('users_name') IS NULL").await?,
            "t"
        );
        std::fs::remove_file(db.project.path().join(file))?;
    }
    // Production never noticed, and the rename goes all the way.
    db.phase(&["advance", "10", "--to", "contracted"]).await?.expect(0)?;
    db.run("INSERT INTO users (id, display_name) VALUES (501, 'new code')").await?;
    same!(db.value("SELECT count(*) FROM users WHERE display_name IS NULL").await?, "0");
    Ok(())
}

/// The same two the other way round: what uses the name is there first.
async fn a_rename_waits_for_what_uses_the_name(db: Db) -> TestResult {
    users(&db).await?;
    db.file("plans/10_nick.yaml", NICK)?;
    db.phase(&["advance", "10"]).await?.expect(0)?;
    db.file("plans/20_rename.yaml", RENAME)?;
    let ended = db.phase(&["expand"]).await?.expect(3)?;
    check!(ended.stdout.contains("renames users.name, which 10_nick (expanded) uses"), "{ended:?}");
    check!(ended.stdout.contains("or say depends_on: [10]"), "{ended:?}");
    let status = db.phase(&["status", "20", "--json"]).await?.expect(0)?.json()?;
    check!(
        status["plans"][0]["next"]["waiting"][0].as_str().is_some_and(|why| why.contains("10_nick")),
        "{status}"
    );
    let columns = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0";
    same!(db.value(columns).await?, "id name email nick");
    // Once it is over, the name is free.
    db.phase(&["advance", "10", "--to", "completed"]).await?.expect(0)?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value(columns).await?, "id name email nick display_name");
    Ok(())
}

/// Two plans at once on one table: both syncs fire, both backfills end, both proofs hold.
async fn other_columns_of_a_table_go_side_by_side(db: Db) -> TestResult {
    users(&db).await?;
    let column = |new: &str, old: &str| {
        format!(
            "expand:\n  - {{sql: ALTER TABLE users ADD COLUMN {new} text, undo: ALTER TABLE users DROP COLUMN {new}}}\n  \
             - sync: {{table: users, set: {{{new}: upper({old})}}}}\n\
             backfill:\n  - {{table: users, set: {{{new}: upper({old})}}, batch: {{rows: 20}}}}\n\
             validate:\n  - not_null: {{table: users, column: {new}}}\n  - index: {{table: users, columns: [{new}], name: users_{new}}}\n"
        )
    };
    db.file("plans/1_name.yaml", &column("big_name", "name"))?;
    db.file("plans/2_email.yaml", &column("big_email", "email"))?;
    let ended = db.phase(&["expand"]).await?.expect(0)?;
    check!(ended.stderr.contains("it alters users, which 1_name (expanded) alters"), "{ended:?}");
    db.run("UPDATE users SET name = 'both', email = 'at once' WHERE id = 7").await?;
    same!(db.value("SELECT big_name || ' ' || big_email FROM users WHERE id = 7").await?, "BOTH AT ONCE");
    for to in ["backfilled", "validated"] {
        let (first, second) = (["advance", "1", "--to", to], ["advance", "2", "--to", to]);
        let (one, two) = tokio::join!(db.phase(&first), db.phase(&second));
        one?.expect(0)?;
        two?.expect(0)?;
    }
    let wrong = "SELECT count(*) FROM users WHERE big_name IS DISTINCT FROM upper(name) OR big_email IS DISTINCT FROM upper(email)";
    same!(db.value(wrong).await?, "0");
    same!(
        db.value("SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 'users'::regclass").await?,
        "t"
    );
    // Each goes its own way to the end.
    db.phase(&["abort", "1"]).await?.expect(0)?;
    db.phase(&["advance", "2", "--to", "completed"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM users WHERE big_email = upper(email)").await?, "500");
    Ok(())
}

async fn a_sql_migration_waits_or_says_that_it_builds_on_it(db: Db) -> TestResult {
    users(&db).await?;
    db.file("plans/1_nick.yaml", NICK)?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    let sql = "UPDATE users SET nick = 'x' WHERE id = 1;\n-- DOWN\nSELECT 1;\n";
    db.file("migrations/2_set.sql", &format!("-- UP\n{sql}"))?;
    let ended = db.phase(&["expand"]).await?.expect(3)?;
    check!(ended.stdout.contains("writes users.nick, which 1_nick (expanded) makes"), "{ended:?}");
    check!(ended.stdout.contains("or say -- depends_on: 1 where"), "{ended:?}");
    same!(db.value("SELECT count(*) FROM users WHERE nick = 'x'").await?, "0");
    db.file("migrations/2_set.sql", &format!("-- UP\n-- depends_on: soon\n{sql}"))?;
    let ended = db.phase(&["check"]).await?.expect(2)?;
    check!(
        ended.stderr.contains("migrations/2_set.sql:2:1: write it as -- depends_on: VERSION"),
        "{ended:?}"
    );
    db.file("migrations/2_set.sql", &format!("-- UP\n-- depends_on: 1_nick\n{sql}"))?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value("SELECT state FROM phase.item WHERE version = '2'").await?, "completed");
    // What it builds on stays while it stands.
    let ended = db.phase(&["abort", "1"]).await?.expect(1)?;
    check!(
        ended.stderr.contains("2_set depends on it and is completed: first run phase rollback 2"),
        "{ended:?}"
    );
    db.phase(&["rollback"]).await?.expect(0)?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    Ok(())
}

async fn check_knows_what_is_open(db: Db) -> TestResult {
    users(&db).await?;
    // What is over is no conflict, though a hundred have touched the column.
    let touch = "validate:\n  - not_null: {table: users, column: name}\n";
    for n in 1..=12 {
        db.file(&format!("plans/{n}_old.yaml"), touch)?;
    }
    let ended = db.phase(&["check"]).await?.expect(0)?;
    same!(ended.stdout.matches("warning: conflict").count(), 3, "{ended:?}");
    check!(ended.stdout.contains("alters users.name, which 11_old alters"), "{ended:?}");
    check!(ended.stderr.contains("8 more pairs of files touch the same columns"), "{ended:?}");
    same!(
        db.phase(&["check", "--json"]).await?.expect(0)?.json()?["conflicts"].as_array().map(Vec::len),
        Some(11)
    );
    db.phase(&["check", "--since", "12"]).await?.expect(0)?;
    let ended = db.phase(&["check", "--since", "10"]).await?.expect(2)?;
    check!(
        ended
            .stdout
            .contains("plans/12_old.yaml:2:5: error: conflict: it alters users.name, which 11_old alters"),
        "{ended:?}"
    );
    db.phase(&["baseline", "11"]).await?.expect(0)?;
    db.phase(&["check", "--online"]).await?.expect(0)?;
    db.phase(&["advance", "12"]).await?.expect(0)?;
    db.file("plans/13_new.yaml", touch)?;
    for format in ["text", "github", "json", "sarif"] {
        let ended = db.phase(&["check", "--online", "--format", format]).await?.expect(2)?;
        check!(ended.stdout.contains("which 12_old alters"), "{format}: {ended:?}");
    }
    Ok(())
}

/// Building on a plan does not keep its triggers alive when the name that they use goes.
async fn nobody_takes_a_name_from_under_an_open_plan(db: Db) -> TestResult {
    users(&db).await?;
    db.file("plans/10_nick.yaml", NICK)?;
    db.phase(&["advance", "10", "--to", "expanded"]).await?.expect(0)?;
    let accepted = "-- lint: allow expand-breaks-application: a test\n";
    for text in [
        format!("{accepted}ALTER TABLE users RENAME COLUMN name TO full_name;\n"),
        format!("-- depends_on: 10\n{accepted}ALTER TABLE users RENAME COLUMN name TO full_name;\n"),
    ] {
        db.file("migrations/20_rename.sql", &text)?;
        let ended = db.phase(&["expand"]).await?.expect(3)?;
        let told = format!("{}{}", ended.stdout, ended.stderr);
        check!(told.contains("renames users.name, which 10_nick (expanded) uses"), "{ended:?}");
        check!(!told.contains("say -- depends_on"), "{ended:?}");
    }
    db.run("INSERT INTO users VALUES (1000, 'New', NULL)").await?;
    same!(db.value("SELECT nick FROM users WHERE id = 1000").await?, "new");
    Ok(())
}

/// Building on the plan that makes a column is no reason to make it again.
async fn what_is_there_is_not_made_again(db: Db) -> TestResult {
    users(&db).await?;
    db.file("plans/10_nick.yaml", NICK)?;
    db.phase(&["advance", "10"]).await?.expect(0)?;
    let said = "it makes users.nick, which 10_nick makes as well: leave it to that one, or say IF NOT EXISTS";
    db.file("plans/20_again.yaml", &format!("depends_on: [10]\n{NICK}"))?;
    for command in [&["check"][..], &["check", "--online"]] {
        let ended = db.phase(command).await?.expect(2)?;
        check!(ended.stdout.contains(said), "{ended:?}");
    }
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains(said), "{ended:?}");
    check!(ended.stderr.contains("nothing of this plan has been run"), "{ended:?}");
    // What was taken back is not there.
    std::fs::remove_file(db.project.path().join("plans/20_again.yaml"))?;
    db.phase(&["abort", "10"]).await?.expect(0)?;
    db.file("plans/30_anew.yaml", NICK)?;
    db.phase(&["check"]).await?.expect(2)?;
    db.phase(&["check", "--since", "10"]).await?.expect(0)?;
    db.phase(&["check", "--online"]).await?.expect(0)?;
    db.phase(&["advance", "30", "--to", "completed"]).await?.expect(0)?;
    Ok(())
}

/// `users` and `app.users` are one table where the path leads to it, and two where it does not.
async fn names_are_looked_up_where_the_role_has_them(db: Db) -> TestResult {
    users(&db).await?;
    db.run("CREATE SCHEMA app; CREATE TABLE app.users (id bigint PRIMARY KEY, name text)").await?;
    let taken = "contract:\n  - drop_column: {table: users, column: name}\n";
    db.file("plans/10_taken.yaml", taken)?;
    db.phase(&["advance", "10", "--to", "validated"]).await?.expect(0)?;
    db.file("migrations/20_names.sql", "CREATE VIEW app.names AS SELECT id, name FROM app.users;\n")?;
    // Without a server it is in doubt, which stops nobody.
    let ended = db.phase(&["check"]).await?.expect(0)?;
    check!(ended.stdout.contains("uses app.users.name, which may be what 10_taken"), "{ended:?}");
    let ended = db.phase(&["check", "--online"]).await?.expect(0)?;
    check!(!ended.stdout.contains("conflict"), "{ended:?}");
    // With another path it is the very column.
    let database = db.value("SELECT quote_ident(current_database())").await?;
    let path = |path: &str| format!("ALTER DATABASE {database} SET search_path = {path}");
    db.run(&path("app, public")).await?;
    let ended = db.phase(&["check", "--online"]).await?.expect(2)?;
    check!(ended.stdout.contains("uses app.users.name, which 10_taken takes away"), "{ended:?}");
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("uses app.users.name, which 10_taken takes away"), "{ended:?}");
    db.run(&path("public")).await?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value("SELECT to_regclass('app.names') IS NOT NULL").await?, "t");
    Ok(())
}

/// A view of `*` would keep the column of an older plan where it is.
async fn what_holds_on_to_every_column_waits_until_one_is_gone(db: Db) -> TestResult {
    users(&db).await?;
    db.file("plans/10_drop.yaml", "contract:\n  - drop_column: {table: users, column: name}\n")?;
    db.phase(&["advance", "10", "--to", "validated"]).await?.expect(0)?;
    // What is refused is what the server would not bear.
    db.run("CREATE VIEW held AS SELECT * FROM users").await?;
    let ended = db.phase(&["advance", "10", "--to", "contracted"]).await?.expect(2)?;
    check!(ended.stderr.contains("drop-column-dependents"), "{ended:?}");
    check!(ended.stderr.contains("view held depends on it"), "{ended:?}");
    db.run("DROP VIEW held").await?;
    // Rows as values hold nothing.
    db.run(
        "CREATE VIEW rows AS SELECT row_to_json(u) FROM users u;
         CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER g BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION g()",
    )
    .await?;
    db.file("migrations/20_view.sql", "CREATE VIEW everybody AS SELECT * FROM users;\n")?;
    let said = "uses users.name among all columns, which 10_drop takes away: let that one complete first";
    let ended = db.phase(&["check"]).await?.expect(2)?;
    check!(ended.stdout.contains(said), "{ended:?}");
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains(said), "{ended:?}");
    db.phase(&["advance", "10", "--to", "completed"]).await?.expect(0)?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM everybody").await?, "500");
    db.phase(&["check", "--online"]).await?.expect(0)?;
    Ok(())
}

async fn a_schema_takes_along_what_stands_in_it(db: Db) -> TestResult {
    db.run("CREATE SCHEMA app; CREATE TABLE app.t (id bigint PRIMARY KEY, a text, b text)").await?;
    let fill = "backfill:\n  - {table: app.t, set: {b: a}, where: b IS NULL}\n";
    db.file("plans/10_fill.yaml", fill)?;
    db.phase(&["advance", "10"]).await?.expect(0)?;
    for sql in
        ["ALTER SCHEMA app RENAME TO old", "ALTER TABLE app.t SET SCHEMA public", "DROP SCHEMA app CASCADE"]
    {
        let sql = format!(
            "-- lint: allow expand-breaks-application: a test\n-- lint: allow drop-cascade: a test\n{sql};\n"
        );
        for depends in ["", "-- depends_on: 10\n"] {
            db.file("migrations/20_gone.sql", &format!("{depends}{sql}"))?;
            let ended = db.phase(&["expand"]).await?.expect(3)?;
            let told = format!("{}{}", ended.stdout, ended.stderr);
            check!(told.contains("which 10_fill (expanded)"), "{sql}: {ended:?}");
            check!(told.contains("let that one complete first") || !depends.is_empty(), "{sql}: {ended:?}");
        }
    }
    same!(db.value("SELECT to_regclass('app.t') IS NOT NULL").await?, "t");
    Ok(())
}

/// The server reads `nextval('q')` as a name, and so does a conflict.
async fn names_in_string_constants_are_used(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id bigint PRIMARY KEY, c bigint); CREATE SEQUENCE q; CREATE SEQUENCE t_id_seq")
        .await?;
    let taken = "contract:\n  - {sql: DROP SEQUENCE q, undo: CREATE SEQUENCE q}\n  - drop_column: {table: t, column: c}\n";
    db.file("plans/10_taken.yaml", taken)?;
    db.phase(&["advance", "10", "--to", "validated"]).await?.expect(0)?;
    let later = [
        ("ALTER TABLE t ALTER id SET DEFAULT nextval('q')", "uses q"),
        ("SELECT setval('public.q', 10)", "writes public.q"),
        ("SELECT 'q'::regclass", "uses q"),
        ("SELECT pg_get_serial_sequence('t', 'c')", "uses t.c"),
    ];
    for (sql, said) in later {
        db.file("migrations/20_later.sql", &format!("{sql};\n"))?;
        let ended = db.phase(&["expand"]).await?.expect(2)?;
        check!(ended.stderr.contains(&format!("it {said}, which 10_taken takes away")), "{sql}: {ended:?}");
    }
    std::fs::remove_file(db.project.path().join("migrations/20_later.sql"))?;
    db.phase(&["advance", "10", "--to", "completed"]).await?.expect(0)?;
    // What was refused is what the server refuses once the name is gone.
    for (sql, _) in later {
        check!(db.run(sql).await.is_err(), "{sql}");
    }
    // The sequence of an identity is there under the name of the one that was dropped.
    db.file(
        "migrations/30_identity.sql",
        "-- lint: allow expand-breaks-application: a test\nDROP SEQUENCE t_id_seq;\nALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY;\n",
    )?;
    db.file("migrations/40_start.sql", "SELECT setval('t_id_seq', 100);\n")?;
    db.phase(&["check"]).await?.expect(0)?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value("SELECT nextval('t_id_seq')").await?, "101");
    Ok(())
}

/// A trigger, a policy and the like: what is refused is what the server would not bear.
async fn what_has_a_name_of_its_own_is_not_made_again(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
    )
    .await?;
    for (sql, said) in [
        ("CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()", "trigger g on t"),
        ("CREATE POLICY p ON t", "policy p on t"),
        ("CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING", "rule r on t"),
        ("CREATE PUBLICATION p", "publication p"),
        ("CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION e()", "event trigger e"),
        ("CREATE STATISTICS z ON a, b FROM t", "statistics z"),
    ] {
        let plan = format!(
            "expand:\n  - {{sql: \"{sql}\", undo: SELECT 1}}\ncontract:\n  - {{sql: SELECT 1, undo: SELECT 1}}\n"
        );
        let (first, second) = ("plans/10_first.yaml", "plans/20_second.yaml");
        db.file(first, &plan)?;
        db.file(second, &plan)?;
        let said = format!("it makes {said}, which 10_first makes as well");
        let ended = db.phase(&["check"]).await?.expect(2)?;
        check!(ended.stdout.contains(&said), "{sql}: {ended:?}");
        db.run(sql).await?;
        check!(db.run(sql).await.is_err(), "{sql}");
    }
    Ok(())
}

/// A plan that failed before anything of it had run, and whose file was deleted.
async fn what_never_ran_and_has_no_file_holds_nobody(db: Db) -> TestResult {
    users(&db).await?;
    db.file(
        "plans/10_wrong.yaml",
        "expand:\n  - {sql: ALTER TABLE users ADD COLUMN nick no_such_type, undo: ALTER TABLE users DROP COLUMN nick}\ncontract:\n  - drop_column: {table: users, column: email}\n",
    )?;
    db.phase(&["advance", "10"]).await?.expect(1)?;
    same!(
        db.value("SELECT state || ' ' || goal FROM phase.item WHERE version = '10'").await?,
        "planned expanded"
    );
    // While its file is there it is on its way.
    db.file("plans/20_other.yaml", &NICK.replace("lower(name)", "lower(email)"))?;
    db.phase(&["advance", "20"]).await?.expect(2)?;
    std::fs::remove_file(db.project.path().join("plans/10_wrong.yaml"))?;
    let ended = db.phase(&["status", "--exit-code"]).await?;
    check!(
        ended.stdout.contains("its file is gone, and nothing of it has run: it holds nothing back"),
        "{ended:?}"
    );
    db.phase(&["advance", "20", "--to", "completed"]).await?.expect(0)?;
    same!(db.value("SELECT count(nick) FROM users").await?, "500");
    db.phase(&["status", "--exit-code"]).await?.expect(0)?;
    Ok(())
}

/// In the undo window of a rename the new name is the column's.
async fn what_stands_there_since_contract_is_built_on(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id bigint PRIMARY KEY, a text)").await?;
    db.file("plans/1_p.yaml", "change:\n  - rename_column: {table: t, from: a, to: b}\nkeep: 1h\n")?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    let index = "change:\n  - add_index: {table: t, columns: [b]}\n";
    db.file("plans/2_q.yaml", index)?;
    let ended = db.phase(&["advance", "2"]).await?;
    let told = ended.stdout.clone() + &ended.stderr;
    check!(ended.code != Some(0) && told.contains("say depends_on: [1]"), "{ended:?}");
    check!(told.contains("phase purge 1 --now"), "{ended:?}");
    db.file("plans/2_q.yaml", &format!("depends_on: [1]\n{index}"))?;
    db.phase(&["advance", "2", "--to", "validated"]).await?.expect(0)?;
    Ok(())
}

/// The cause of a wait is named, not the one next to it, and the way past it works.
async fn what_waits_for_one_that_waits_is_told_the_way_past_it(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id bigint PRIMARY KEY, a text); CREATE TABLE other (id bigint PRIMARY KEY)")
        .await?;
    db.file("plans/1_p.yaml", "change:\n  - rename_column: {table: t, from: a, to: b}\nkeep: 1h\n")?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    db.file("plans/2_p.yaml", "change:\n  - rename_column: {table: t, from: b, to: bb}\nkeep: 1h\n")?;
    db.file("plans/3_p.yaml", "change:\n  - add_column: {table: other, column: n, type: int}\n")?;
    db.phase(&["expand"]).await?.expect(3)?;
    let ended = db.phase(&["advance", "3"]).await?.expect(3)?;
    for said in
        ["2_p comes first", "1_p (contracted)", "phase purge 1 --now", "phase advance 3 --out-of-order"]
    {
        check!(ended.stdout.contains(said), "{said}: {ended:?}");
    }
    check!(!ended.stdout.contains("run phase expand"), "{ended:?}");
    db.phase(&["advance", "3", "--out-of-order", "--to", "expanded"]).await?.expect(0)?;
    db.phase(&["purge", "1", "--now"]).await?.expect(0)?;
    db.phase(&["advance", "2", "--out-of-order", "--to", "expanded"]).await?.expect(0)?;
    Ok(())
}
