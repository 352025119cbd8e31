//! `phase import`: the histories that other tools wrote, in tests/fixtures/import.

use std::path::{Path, PathBuf};

use crate::harness::{Db, Ended, TestResult, check, same, tests};

tests![
    node_pg_migrate,
    knex,
    sequelize,
    prisma,
    flyway,
    dbmate,
    golang_migrate,
    sqitch,
    pgroll,
    reshape,
    a_history_that_is_not_at_rest_is_refused,
    what_was_edited_since_is_named,
    several_histories_are_told_apart,
    nothing_to_import_says_what_there_could_be,
    a_dry_run_touches_nothing,
    a_crash_leads_to_the_same_end,
    what_is_in_the_way_is_named,
    the_folder_of_phase_is_not_read_as_another_tools,
    another_environment_takes_the_same_files,
    a_table_of_another_name_or_schema_is_found,
    what_cannot_be_run_says_so,
];

/// What a tool's import must lead to.
struct Case {
    tool: &'static str,
    /// The history's table.
    table: &'static str,
    /// Recorded as done, by version and name.
    done: &'static [&'static str],
    /// Left to `phase expand`.
    pending: &'static [&'static str],
    /// What the pending one makes: true once it has run.
    made: &'static str,
}

/// Whether there is an e-mail column, which every pending migration of the fixtures adds.
const EMAIL: &str = "SELECT count(*) > 0 FROM pg_attribute WHERE attname = 'email' AND NOT attisdropped";

fn fixture(tool: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(tool)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Makes the database that a tool left, with its files in `theirs/`.
async fn left_by(db: &Db, tool: &str) -> TestResult {
    let history = std::fs::read_to_string(fixture(tool).join("history.sql"))?;
    // As pg_dump has it: functions come before the tables that they read.
    db.run(&format!("SET check_function_bodies = off;\n{history}")).await?;
    copy(&fixture(tool).join("files"), &db.project.path().join("theirs"))?;
    Ok(())
}

/// Every row of a table, as text.
async fn rows(db: &Db, table: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    db.value(&format!("SELECT coalesce(string_agg(h::text, E'\\n' ORDER BY h::text), '') FROM {table} h"))
        .await
}

async fn import(db: &Db) -> std::io::Result<Ended> {
    db.phase(&["import", "--files", "theirs"]).await
}

/// Imports, and looks: status, expand, a second import, the other tool's table.
async fn works(db: &Db, case: &Case) -> TestResult {
    left_by(db, case.tool).await?;
    let before = rows(db, case.table).await?;
    let ended = import(db).await?.expect(0)?;
    let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
    let plans = status["plans"].as_array().ok_or("no plans")?;
    let of = |state: &str| -> Vec<String> {
        let stem = |plan: &serde_json::Value| {
            format!("{}_{}", plan["version"].as_str().unwrap_or("?"), plan["name"].as_str().unwrap_or("?"))
        };
        plans.iter().filter(|plan| plan["state"] == state).map(stem).collect()
    };
    same!(of("completed"), case.done, "{ended:?}");
    same!(of("planned"), case.pending, "{ended:?}");
    same!(status["drift"].as_array().map(Vec::len), Some(0), "{status}");
    db.phase(&["check", "--online"]).await?.expect(0)?;
    let newest = case.done.last().and_then(|stem| stem.split('_').next()).ok_or("nothing is done")?;
    db.phase(&["check", "--since", newest]).await?.expect(0)?;
    if !case.pending.is_empty() {
        same!(db.value(EMAIL).await?, "f");
    }
    // Nothing of what is done runs again: its tables are there, and it would fail.
    let ran = db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value(case.made).await?, "t", "{ran:?}");
    same!(db.value("SELECT count(*) FROM phase.step").await?, case.pending.len().to_string(), "{ran:?}");
    same!(rows(db, case.table).await?, before);
    db.phase(&["status", "--exit-code"]).await?.expect(0)?;
    // A second import has nothing to do, though the other tool still has the last one as pending.
    let again =
        db.phase(&["import", "--from", case.tool, "--files", "theirs", "--json"]).await?.expect(0)?.json()?;
    let migrations = again["migrations"].as_array().ok_or("no migrations")?;
    same!(migrations.len(), case.done.len() + case.pending.len());
    for one in migrations {
        same!((one["record"].as_str(), one["file_is"].as_str()), (Some("on_record"), Some("there")), "{one}");
    }
    same!(rows(db, case.table).await?, before);
    let history =
        "SELECT count(*) FROM phase.history WHERE event = 'baseline' AND detail LIKE 'imported from %'";
    same!(db.value(history).await?, case.done.len().to_string());
    Ok(())
}

async fn node_pg_migrate(db: Db) -> TestResult {
    works(
        &db,
        &Case {
            tool: "node-pg-migrate",
            table: "pgmigrations",
            done: &["1672531200000_create_users", "1672617600000_create_orders"],
            pending: &["1672704000000_add_email"],
            made: EMAIL,
        },
    )
    .await?;
    // The way back came along; that of a program did not.
    db.phase(&["rollback"]).await?.expect(0)?;
    same!(db.value(EMAIL).await?, "f");
    let program =
        std::fs::read_to_string(db.project.path().join("migrations/1672617600000_create_orders.sql"))?;
    check!(
        program.contains("RAISE EXCEPTION") && program.contains("a program for node-pg-migrate"),
        "{program}"
    );
    Ok(())
}

async fn knex(db: Db) -> TestResult {
    works(
        &db,
        &Case {
            tool: "knex",
            table: "knex_migrations",
            done: &["20230101000000_create_users", "20230102000000_create_orders"],
            pending: &[],
            made: "SELECT true",
        },
    )
    .await?;
    let again = import(&db).await?.expect(0)?;
    let only = "from 20230101000000_create_users.js, for the record only: phase cannot run it";
    check!(again.stdout.contains(only) && !again.stdout.contains("note: "), "{again:?}");
    // A program that is pending is refused, until there is SQL for it or Knex has run it.
    std::fs::write(db.project.path().join("theirs/20230103000000_add_email.js"), "exports.up = () => {};")?;
    let ended = import(&db).await?.expect(2)?;
    check!(
        ended.stderr.contains("20230103000000_add_email.js is pending, and phase cannot run it"),
        "{ended:?}"
    );
    check!(ended.stderr.contains("npx knex migrate:latest"), "{ended:?}");
    db.run("INSERT INTO knex_migrations VALUES (3, '20230103000000_add_email.js', 2, now())").await?;
    let ended = import(&db).await?.expect(0)?;
    check!(ended.stdout.contains("1 recorded as done, 2 on record already, 0 pending"), "{ended:?}");
    Ok(())
}

async fn sequelize(db: Db) -> TestResult {
    works(
        &db,
        &Case {
            tool: "sequelize",
            table: "\"SequelizeMeta\"",
            done: &["20230101000000_create_users", "20230102000000_create_orders"],
            pending: &[],
            made: "SELECT true",
        },
    )
    .await
}

async fn prisma(db: Db) -> TestResult {
    // The second failed once and was rolled back: pending again.
    works(
        &db,
        &Case {
            tool: "prisma",
            table: "_prisma_migrations",
            done: &["20230101000000_create_users"],
            pending: &["20230102000000_add_email"],
            made: EMAIL,
        },
    )
    .await
}

async fn flyway(db: Db) -> TestResult {
    works(
        &db,
        &Case {
            tool: "flyway",
            table: "flyway_schema_history",
            done: &["1000000000_create_users", "1001000000_create_orders"],
            pending: &["1010000000_add_email"],
            made: EMAIL,
        },
    )
    .await?;
    let again = import(&db).await?.expect(0)?;
    check!(again.stdout.contains("R__user_names.sql is not imported; what it made stands"), "{again:?}");
    check!(!again.stdout.contains("not what Flyway ran"), "{again:?}");
    // U1.10 is its way back.
    db.phase(&["rollback"]).await?.expect(0)?;
    same!(db.value(EMAIL).await?, "f");
    Ok(())
}

async fn dbmate(db: Db) -> TestResult {
    works(
        &db,
        &Case {
            tool: "dbmate",
            table: "schema_migrations",
            done: &["20230101000000_create_users", "20230102000000_index_users"],
            pending: &["20230103000000_add_email"],
            made: EMAIL,
        },
    )
    .await?;
    // What is over is not judged again; what came after it is.
    db.file("migrations/20230104000000_index.sql", "CREATE INDEX users_email ON users (email);\n")?;
    db.phase(&["check", "--since", "20230103000000"]).await?.expect(2)?;
    db.phase(&["check", "--since", "20230104000000"]).await?.expect(0)?;
    Ok(())
}

async fn golang_migrate(db: Db) -> TestResult {
    works(
        &db,
        &Case {
            tool: "golang-migrate",
            table: "schema_migrations",
            done: &["000001_create_users", "000002_create_orders"],
            pending: &["000003_add_email"],
            made: EMAIL,
        },
    )
    .await?;
    db.phase(&["rollback"]).await?.expect(0)?;
    same!(db.value(EMAIL).await?, "f");
    Ok(())
}

async fn sqitch(db: Db) -> TestResult {
    // Its versions are the times at which the changes were planned.
    left_by(&db, "sqitch").await?;
    let before = rows(&db, "sqitch.changes").await?;
    let ended = import(&db).await?.expect(0)?;
    check!(ended.stdout.contains("3 recorded as done, 0 on record already, 1 pending"), "{ended:?}");
    let names = "SELECT string_agg(name, ' ' ORDER BY number) FROM phase.item WHERE state = 'completed'";
    same!(db.value(names).await?, "users counts_v1 counts");
    same!(db.value(EMAIL).await?, "f");
    let ran = db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value(EMAIL).await?, "t", "{ran:?}");
    same!(rows(&db, "sqitch.changes").await?, before);
    let again = import(&db).await?.expect(0)?;
    check!(again.stdout.contains("0 recorded as done, 4 on record already, 0 pending"), "{again:?}");
    // Both reworkings came along, each with its own text.
    let sources = "SELECT string_agg((source LIKE '%STABLE%')::text, ' ' ORDER BY number) FROM phase.item WHERE name LIKE 'counts%'";
    same!(db.value(sources).await?, "false true");
    db.phase(&["rollback"]).await?.expect(0)?;
    same!(db.value(EMAIL).await?, "f");
    Ok(())
}

async fn pgroll(db: Db) -> TestResult {
    works(
        &db,
        &Case {
            tool: "pgroll",
            table: "pgroll.migrations",
            done: &["01_create_users", "02_add_email"],
            pending: &[],
            made: "SELECT true",
        },
    )
    .await
}

async fn reshape(db: Db) -> TestResult {
    works(
        &db,
        &Case {
            tool: "reshape",
            table: "reshape.migrations",
            done: &["1_create_users", "2_add_email"],
            pending: &[],
            made: "SELECT true",
        },
    )
    .await
}

async fn a_history_that_is_not_at_rest_is_refused(db: Db) -> TestResult {
    let cases = [
        (
            "flyway",
            "UPDATE flyway_schema_history SET success = false WHERE installed_rank = 2",
            "V1.1__create_orders.sql failed in Flyway",
            "flyway repair",
        ),
        (
            "prisma",
            "UPDATE _prisma_migrations SET rolled_back_at = NULL",
            "20230102000000_add_email failed in Prisma",
            "npx prisma migrate resolve",
        ),
        (
            "golang-migrate",
            "UPDATE schema_migrations SET dirty = true",
            "dirty at version 2",
            "force VERSION",
        ),
        (
            "knex",
            "UPDATE knex_migrations_lock SET is_locked = 1",
            "public.knex_migrations_lock is locked",
            "npx knex migrate:unlock",
        ),
        (
            "pgroll",
            "UPDATE pgroll.migrations SET done = false WHERE name = '02_add_email'",
            "02_add_email is under way in pgroll",
            "pgroll complete --schema public",
        ),
        (
            "reshape",
            "UPDATE reshape.data SET value = '{\"state\": \"in_progress\", \"migrations\": [{\"name\": \"2_add_email\"}]}' WHERE key = 'state'",
            "2_add_email is under way in Reshape",
            "reshape migration complete",
        ),
    ];
    for (tool, unrest, names, helps) in cases {
        let db = db.beside(&tool.replace('-', "_")).await?;
        left_by(&db, tool).await?;
        db.run(unrest).await?;
        let ended = import(&db).await?.expect(2)?;
        check!(ended.stderr.contains(names) && ended.stderr.contains(helps), "{ended:?}");
        same!(std::fs::read_dir(db.project.path().join("migrations"))?.count(), 0);
        same!(db.value("SELECT count(*) FROM phase.item").await?, "0");
    }
    Ok(())
}

async fn what_was_edited_since_is_named(db: Db) -> TestResult {
    for (tool, file, says) in [
        ("flyway", "V1__create_users.sql", "V1__create_users.sql is not what Flyway ran: checksum"),
        (
            "prisma",
            "20230101000000_create_users/migration.sql",
            "20230101000000_create_users/migration.sql is not what Prisma ran: SHA-256",
        ),
        ("sqitch", "deploy/users.sql", "deploy/users.sql is not what Sqitch deployed: SHA-1"),
    ] {
        let db = db.beside(tool).await?;
        left_by(&db, tool).await?;
        let ended = db.phase(&["import", "--files", "theirs", "--dry-run"]).await?.expect(0)?;
        check!(!ended.stdout.contains(says), "{ended:?}");
        let path = db.project.path().join("theirs").join(file);
        std::fs::write(&path, std::fs::read_to_string(&path)? + "SELECT 1;\n")?;
        let ended = import(&db).await?.expect(0)?;
        check!(ended.stdout.contains(says), "{ended:?}");
    }
    Ok(())
}

async fn several_histories_are_told_apart(db: Db) -> TestResult {
    left_by(&db, "dbmate").await?;
    db.run("CREATE TABLE \"SequelizeMeta\" (name varchar(255) PRIMARY KEY)").await?;
    let ended = import(&db).await?.expect(2)?;
    check!(
        ended.stderr.contains("Sequelize (public.SequelizeMeta), dbmate (public.schema_migrations)")
            && ended.stderr.contains("phase import --from sequelize"),
        "{ended:?}"
    );
    db.phase(&["import", "--from", "dbmate", "--files", "theirs"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM phase.item").await?, "2");
    Ok(())
}

async fn nothing_to_import_says_what_there_could_be(db: Db) -> TestResult {
    let ended = import(&db).await?.expect(2)?;
    check!(ended.stderr.contains("node-pg-migrate, knex, sequelize"), "{ended:?}");
    db.run("CREATE TABLE schema_migrations (version varchar PRIMARY KEY); CREATE TABLE ar_internal_metadata (key varchar)")
        .await?;
    let ended = import(&db).await?.expect(2)?;
    check!(ended.stderr.contains("the table of Rails"), "{ended:?}");
    let ended = db.phase(&["import", "--from", "liquibase"]).await?.expect(2)?;
    check!(ended.stderr.contains("golang-migrate"), "{ended:?}");
    // A table without a folder.
    db.run("CREATE TABLE knex_migrations (id int, name text, batch int, migration_time timestamptz)").await?;
    let ended = db.phase(&["import", "--files", "nowhere"]).await?.expect(2)?;
    check!(ended.stderr.contains("nowhere: there is no such folder"), "{ended:?}");
    std::fs::remove_dir(db.project.path().join("migrations"))?;
    let ended = db.phase(&["import"]).await?.expect(2)?;
    check!(
        ended.stderr.contains("the files of Knex are not in migrations: name their folder with --files DIR"),
        "{ended:?}"
    );
    Ok(())
}

async fn a_dry_run_touches_nothing(db: Db) -> TestResult {
    left_by(&db, "dbmate").await?;
    let ended = db.phase(&["import", "--files", "theirs", "--dry-run"]).await?.expect(0)?;
    check!(
        ended.stdout.contains("to be recorded as done: migrations/20230101000000_create_users.sql")
            && ended.stdout.contains("pending: migrations/20230103000000_add_email.sql"),
        "{ended:?}"
    );
    same!(std::fs::read_dir(db.project.path().join("migrations"))?.count(), 0);
    same!(db.value("SELECT to_regnamespace('phase') IS NULL").await?, "t");
    Ok(())
}

async fn a_crash_leads_to_the_same_end(db: Db) -> TestResult {
    left_by(&db, "dbmate").await?;
    let states = "SELECT coalesce(string_agg(version || ' ' || state || ' ' || checksum, ', ' ORDER BY number), '') FROM phase.item";
    let mut ends = Vec::new();
    for at in ["", "1", "2", "3", "import recorded"] {
        db.run("DROP SCHEMA IF EXISTS phase CASCADE").await?;
        for entry in std::fs::read_dir(db.project.path().join("migrations"))? {
            std::fs::remove_file(entry?.path())?;
        }
        if !at.is_empty() {
            let output =
                db.command(&["import", "--files", "theirs"]).env("PHASE_CRASH_AT", at).output().await?;
            check!(output.status.code().is_none(), "it was not killed at {at}");
            // All of the record, or none of it.
            let recorded = db.value("SELECT count(*) FROM phase.item").await?;
            same!(recorded, if at == "import recorded" { "2" } else { "0" }, "{at}");
        }
        db.phase(&["import", "--files", "theirs", "--lock-wait", "30s"]).await?.expect(0)?;
        ends.push(db.value(states).await?);
        same!(std::fs::read_dir(db.project.path().join("migrations"))?.count(), 3);
    }
    check!(ends.iter().all(|end| *end == ends[0] && end.contains("20230102000000 completed")), "{ends:?}");
    Ok(())
}

async fn what_is_in_the_way_is_named(db: Db) -> TestResult {
    left_by(&db, "dbmate").await?;
    db.file("migrations/20230101000000_other.sql", "SELECT 1;\n")?;
    db.file("migrations/20230102000000_index_users.sql", "SELECT 1;\n")?;
    let ended = import(&db).await?.expect(2)?;
    for said in [
        "migrations/20230101000000_other.sql has its version",
        "migrations/20230102000000_index_users.sql is there already, and is not what 20230102000000_index_users.sql becomes",
    ] {
        check!(ended.stderr.contains(said), "{ended:?}");
    }
    same!(db.value("SELECT count(*) FROM phase.item").await?, "0");
    same!(std::fs::read_dir(db.project.path().join("migrations"))?.count(), 2);
    Ok(())
}

async fn the_folder_of_phase_is_not_read_as_another_tools(db: Db) -> TestResult {
    left_by(&db, "golang-migrate").await?;
    copy(&fixture("golang-migrate").join("files"), &db.project.path().join("migrations"))?;
    let ended = db.phase(&["import", "--from", "golang-migrate"]).await?.expect(2)?;
    check!(
        ended
            .stderr
            .contains("git mv migrations migrations-golang-migrate && phase import --from golang-migrate"),
        "{ended:?}"
    );
    // Programs may stay there, beside what they become.
    let programs = db.beside("programs").await?;
    left_by(&programs, "node-pg-migrate").await?;
    programs.run("DELETE FROM pgmigrations WHERE id = 1").await?;
    let (from, to) = (programs.project.path().join("theirs"), programs.project.path().join("migrations"));
    let program = "1672617600000_create-orders.js";
    std::fs::copy(from.join(program), to.join(program))?;
    programs.phase(&["import"]).await?.expect(0)?;
    let again = programs.phase(&["import"]).await?.expect(0)?;
    check!(again.stdout.contains("0 recorded as done, 1 on record already, 0 pending"), "{again:?}");
    std::fs::rename(
        db.project.path().join("migrations"),
        db.project.path().join("migrations-golang-migrate"),
    )?;
    db.phase(&["import", "--from", "golang-migrate", "--files", "migrations-golang-migrate"])
        .await?
        .expect(0)?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value(EMAIL).await?, "t");
    Ok(())
}

async fn another_environment_takes_the_same_files(db: Db) -> TestResult {
    // Staging is further than production: the files are the same for both.
    left_by(&db, "golang-migrate").await?;
    db.run("UPDATE schema_migrations SET version = 3; ALTER TABLE users ADD COLUMN email text").await?;
    import(&db).await?.expect(0)?;
    let production = db.beside("production").await?;
    left_by(&production, "golang-migrate").await?;
    copy(&db.project.path().join("migrations"), &production.project.path().join("migrations"))?;
    let ended = import(&production).await?.expect(0)?;
    check!(ended.stdout.contains("2 recorded as done, 0 on record already, 1 pending"), "{ended:?}");
    production.phase(&["expand"]).await?.expect(0)?;
    same!(production.value(EMAIL).await?, "t");
    let sums = "SELECT string_agg(checksum, ' ' ORDER BY number) FROM phase.item";
    same!(db.value(sums).await?, production.value(sums).await?);
    Ok(())
}

async fn a_table_of_another_name_or_schema_is_found(db: Db) -> TestResult {
    left_by(&db, "dbmate").await?;
    db.run("CREATE SCHEMA \"My Ops\"; ALTER TABLE schema_migrations SET SCHEMA \"My Ops\"").await?;
    let ended = import(&db).await?.expect(0)?;
    check!(ended.stdout.starts_with("dbmate, My Ops.schema_migrations\n"), "{ended:?}");
    db.run("DROP SCHEMA phase CASCADE; ALTER TABLE \"My Ops\".schema_migrations RENAME TO done").await?;
    let ended = import(&db).await?.expect(2)?;
    check!(ended.stderr.contains("--from TOOL --table NAME"), "{ended:?}");
    let named = ["import", "--files", "theirs", "--from", "dbmate", "--table", "\"My Ops\".done"];
    db.phase(&named).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM phase.item").await?, "2");
    let other = ["import", "--files", "theirs", "--from", "knex", "--table", "done"];
    let ended = db.phase(&other).await?.expect(2)?;
    check!(
        ended.stderr.contains("is no table of Knex, which has the columns id, name, batch, migration_time"),
        "{ended:?}"
    );
    Ok(())
}

async fn what_cannot_be_run_says_so(db: Db) -> TestResult {
    left_by(&db, "dbmate").await?;
    let path = db.project.path().join("theirs/20230101000000_create_users.sql");
    std::fs::write(&path, "-- migrate:up\n\\connect other\n-- migrate:down\n")?;
    let pending = db.project.path().join("theirs/20230104000000_two.sql");
    std::fs::write(&pending, "-- migrate:up\nBEGIN; SELECT 1; ROLLBACK;\n-- migrate:down\n")?;
    let ended = import(&db).await?.expect(2)?;
    check!(ended.stderr.contains("20230104000000_two.sql is pending, and phase cannot run it"), "{ended:?}");
    std::fs::remove_file(&pending)?;
    let ended = import(&db).await?.expect(0)?;
    check!(
        ended.stdout.contains("20230101000000_create_users.sql is recorded with a file that only says so"),
        "{ended:?}"
    );
    db.phase(&["expand"]).await?.expect(0)?;
    // On a database without that history it stops, and says what to do.
    let fresh = db.beside("fresh").await?;
    copy(&db.project.path().join("migrations"), &fresh.project.path().join("migrations"))?;
    let ended = fresh.phase(&["expand"]).await?.expect(1)?;
    check!(
        ended
            .stderr
            .contains("20230101000000_create_users.sql was a migration of dbmate that phase cannot run"),
        "{ended:?}"
    );
    Ok(())
}
