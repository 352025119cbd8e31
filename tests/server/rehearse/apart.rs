//! What a rehearsal must not touch: the target, its primary, whatever is out of the database.

use super::{as_predicted, list};
use crate::harness::{Db, TestResult, check, same, tests, value};

tests![
    the_target_itself_is_refused,
    a_clone_is_left_as_it_was,
    what_reaches_out_of_the_database_is_refused,
    the_target_that_nobody_names_is_refused_as_well,
    the_primary_of_the_target_is_refused,
];

async fn the_target_itself_is_refused(db: Db) -> TestResult {
    db.examples()?;
    // Another spelling of the same database.
    let other = format!("{}&application_name=other", db.url.replace("postgresql://", "postgres://"));
    let ended = db.phase(&["rehearse", "users_display_name", "--on", &other]).await?.expect(2)?;
    check!(ended.stderr.contains("names the target itself"), "{}", ended.stderr);
    same!(db.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'phase'").await?, "0");
    Ok(())
}

async fn a_clone_is_left_as_it_was(db: Db) -> TestResult {
    db.examples()?;
    db.phase(&["expand", "--to", "20261103090000"]).await?.expect(0)?;
    let clone = format!("{}_clone", db.name);
    let admin = db.connect().await?;
    admin
        .batch_execute("INSERT INTO users (name, email) SELECT i, i FROM generate_series(1, 3000) i")
        .await?;
    drop(admin);
    let postgres = crate::harness::connect(&db.url.replace(&format!("/{}?", db.name), "/postgres?")).await?;
    // The sessions of the commands before may still be on their way out.
    let end =
        format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'", db.name);
    if db.major >= 14 {
        postgres.simple_query(&end).await?;
    } else {
        postgres.simple_query(&end.replace(", 5000", "")).await?;
        while value(
            &postgres,
            &format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", db.name),
        )
        .await?
            != "0"
        {}
    }
    postgres.batch_execute(&format!("CREATE DATABASE \"{clone}\" TEMPLATE \"{}\"", db.name)).await?;
    let url = db.url.replace(&format!("/{}?", db.name), &format!("/{clone}?"));
    let client = crate::harness::connect(&url).await?;
    let before = value(&client, crate::harness::SCHEMA).await?;
    let args = ["rehearse", "users_display_name", "--on", &url, "--json", "--undo", "last"];
    let report = db.phase(&args).await?.expect(0)?.json()?;
    as_predicted(&report)?;
    same!(report["stage"]["rows"][0]["rows"], 3000);
    same!(list(&report, "round_trips").len(), 2);
    check!(report["uncovered"][0].to_string().contains("purge.1"), "{}", report["uncovered"]);
    check!(report["left"][0].to_string().contains("the record in schema phase"), "{}", report["left"]);
    let step =
        |id: &str| list(&report, "steps").into_iter().find(|step| step["id"] == id && step["undo"] == false);
    let locks = step("backfill.1").map(|step| step["locks"][0].clone()).unwrap_or_default();
    same!(locks["seen"], "row_exclusive", "{:#}", report["steps"]);
    same!(value(&client, crate::harness::SCHEMA).await?, before);
    same!(value(&client, "SELECT count(*) FROM users").await?, "3000");
    let detail = db.value("SELECT detail FROM phase.history WHERE event = 'rehearse'").await?;
    let outcome = phase::core::rehearse::Outcome::read(&detail).ok_or("no outcome")?;
    same!((outcome.passed, outcome.clone, outcome.rows), (true, true, 3000));
    // A clone without a record is left without one.
    client.batch_execute("DROP SCHEMA phase CASCADE; DROP TABLE orders, users").await?;
    let args = ["rehearse", "users_display_name", "--on", &url, "--no-note", "--quiet", "--to-the-end"];
    let ended = db.phase(&args).await?.expect(0)?;
    check!(ended.stdout.contains("purge.1"), "{}", ended.stdout);
    same!(value(&client, "SELECT count(*) FROM pg_namespace WHERE nspname = 'phase'").await?, "0");
    drop(client);
    postgres.batch_execute(&format!("DROP DATABASE \"{clone}\" WITH (FORCE)")).await?;
    Ok(())
}

async fn what_reaches_out_of_the_database_is_refused(db: Db) -> TestResult {
    // Where the server's own account may write.
    let file = std::env::temp_dir().join(format!("phase-{}-{}", std::process::id(), db.name));
    let file = file.display().to_string();
    let plan = format!("expand:\n  - sql: COPY (SELECT 1) TO '{file}'\n    undo: SELECT 1\n");
    let migration = "-- UP\nCREATE TABLE t (id int);\n-- DOWN\nDROP TABLE t;\n";
    db.file("migrations/1_t.sql", migration)?;
    db.file("plans/2_p.yaml", &plan)?;
    let run = async |args: &[&str]| {
        let mut command = db.command(&[&["rehearse", "2", "--from-files", "--quiet"], args].concat());
        let output = command.env("PHASE_PG_BIN", db.binaries.folder()).output().await;
        output.map(|output| crate::harness::Ended::of(&output))
    };
    let refused = run(&[]).await?.expect(2)?.stderr;
    check!(refused.contains("plans/2_p.yaml:2:10: expand.1: COPY (SELECT"), "{refused}");
    check!(refused.contains("it writes a file of the server") && refused.contains("--outside"), "{refused}");
    check!(!std::path::Path::new(&file).exists(), "the file was written");
    // An older one that would be brought forward.
    db.file(
        "plans/2_p.yaml",
        "expand:\n  - {sql: ALTER TABLE t ADD COLUMN a int, undo: ALTER TABLE t DROP COLUMN a}\n",
    )?;
    db.file(
        "migrations/1_t.sql",
        &migration.replace("-- DOWN", &format!("COPY t TO PROGRAM 'cat > {file}';\n-- DOWN")),
    )?;
    let refused = run(&[]).await?.expect(2)?.stderr;
    check!(refused.contains("migrations/1_t.sql:3:1: ") && refused.contains("runs a program"), "{refused}");
    check!(!std::path::Path::new(&file).exists(), "the program ran");
    run(&["--outside"]).await?.expect(0)?;
    check!(std::path::Path::new(&file).exists(), "the program did not run");
    std::fs::remove_file(&file)?;
    Ok(())
}

async fn the_target_that_nobody_names_is_refused_as_well(db: Db) -> TestResult {
    db.file("plans/1_p.yaml", "expand:\n  - {sql: CREATE TABLE fresh (), undo: DROP TABLE fresh}\n")?;
    // The server of the machine, where nothing but a port is set.
    let folders = ["/var/run/postgresql", "/tmp"];
    let folder = folders.into_iter().find(|folder| std::path::Path::new(folder).exists());
    let (Some(folder), Some(real)) = (folder, socket_of(&db)) else { return Ok(()) };
    let port = 20_000 + std::process::id() % 20_000;
    let link = std::path::Path::new(folder).join(format!(".s.PGSQL.{port}"));
    if std::os::unix::fs::symlink(&real, &link).is_err() {
        return Ok(());
    }
    let mut command = db.command(&["rehearse", "1", "--on", &db.url]);
    command.env_remove("DATABASE_URL").env("PGPORT", port.to_string()).env("PGUSER", "postgres");
    // Without a database's name it is the user's.
    let apart = crate::harness::Ended::of(&command.output().await?).expect(0);
    let same = {
        let url = db.url.replace(&format!("/{}?", db.name), "/postgres?");
        let mut command = db.command(&["rehearse", "1", "--on", &url]);
        command.env_remove("DATABASE_URL").env("PGPORT", port.to_string()).env("PGUSER", "postgres");
        crate::harness::Ended::of(&command.output().await?)
    };
    std::fs::remove_file(&link)?;
    check!(same.expect(2)?.stderr.contains("names the target itself (postgres)"), "it was not refused");
    apart?;
    // Where nobody answers there is no target.
    let mut command = db.command(&["rehearse", "1", "--on", &db.url, "--quiet"]);
    command.env_remove("DATABASE_URL").env("PGPORT", "1").env("PGUSER", "postgres");
    crate::harness::Ended::of(&command.output().await?).expect(0)?;
    Ok(())
}

/// The socket of the test's server.
fn socket_of(db: &Db) -> Option<std::path::PathBuf> {
    let found = std::fs::read_dir(&db.socket).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let name = |path: &std::path::Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let is_socket = |name: String| name.starts_with(".s.PGSQL.") && !name.ends_with(".lock");
    found.into_iter().find(|path| name(path).is_some_and(is_socket))
}

async fn the_primary_of_the_target_is_refused(db: Db) -> TestResult {
    let none = phase::throwaway::Options::default();
    let (primary, replica) = phase::throwaway::Cluster::start_with_replica(&db.binaries, &none, &none)?;
    db.examples()?;
    let target = Db { url: replica.url("postgres"), ..db };
    let on = primary.url("postgres");
    let ended = target.phase(&["rehearse", "users_display_name", "--on", &on]).await?.expect(2)?;
    check!(ended.stderr.contains("is a standby, and --on may name its primary"), "{}", ended.stderr);
    // Another database of that cluster is another one.
    let admin = crate::harness::connect(&on).await?;
    admin.batch_execute("CREATE DATABASE clone").await?;
    let clone = primary.url("clone");
    target.phase(&["rehearse", "users_display_name", "--on", &clone, "--quiet"]).await?.expect(0)?;
    Ok(())
}
