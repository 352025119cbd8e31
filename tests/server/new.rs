//! `phase new --change`: what it writes is a plan that runs, and what it cannot write it says.

use std::path::Path;

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    a_new_plan_of_a_recipe_runs,
    the_recipes_are_listed,
    a_terminal_is_asked,
    a_new_plan_of_explicit_steps_has_every_section,
    what_is_missing_is_said_where_nobody_can_be_asked,
    the_plans_of_this_repository_pass_their_check,
];

async fn a_new_plan_of_a_recipe_runs(db: Db) -> TestResult {
    db.run("CREATE TABLE members (id int PRIMARY KEY, name text); INSERT INTO members VALUES (1, 'a')")
        .await?;
    let set = ["--set", "table=members", "--set", "from=name", "--set", "to=display_name"];
    let new = ["new", "display_name", "--version", "1", "--change", "rename_column", "--json"];
    let made = db.phase(&[&new[..], &set[..]].concat()).await?.expect(0)?.json()?;
    same!(made["file"].as_str(), Some("plans/1_display_name.yaml"));
    let shown = db.phase(&["show", "1", "--offline"]).await?.expect(0)?;
    check!(shown.stderr.contains("nothing is known of the tables"), "{shown:?}");
    let shown = db.phase(&["show", "1"]).await?.expect(0)?;
    check!(!shown.stderr.contains("nothing is known"), "{shown:?}");
    // It waits for a name that only a person can give, and says so before anything has run.
    let checked = db.phase(&["check"]).await?.expect(2)?;
    check!(checked.stdout.contains("APP@VERSION"), "{checked:?}");
    let file = "plans/1_display_name.yaml";
    let text = std::fs::read_to_string(db.project.path().join(file))?;
    db.file(file, &text.replace("APP@VERSION", "web@2.0"))?;
    db.phase(&["check"]).await?.expect(0)?;
    // Nobody has said yet which version does without the old name.
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(3)?;
    same!(db.value("SELECT state FROM phase.item").await?, "validated");
    same!(db.value("SELECT display_name FROM members").await?, "a");
    Ok(())
}

async fn the_recipes_are_listed(db: Db) -> TestResult {
    let ended = db.phase(&["new", "x", "--change"]).await?.expect(0)?;
    check!(ended.stdout.contains("  rename_column ") && ended.stderr.is_empty(), "{ended:?}");
    check!(ended.stdout.contains("  Another name for a column"), "{ended:?}");
    let json = db.phase(&["new", "x", "--change", "--json"]).await?.expect(0)?.json()?;
    same!(json["recipes"][0]["recipe"].as_str(), Some("add_check"));
    same!(std::fs::read_dir(db.project.path().join("plans"))?.count(), 0);
    Ok(())
}

async fn a_new_plan_of_explicit_steps_has_every_section(db: Db) -> TestResult {
    db.run("CREATE TABLE my_table (id int PRIMARY KEY, my_old text)").await?;
    let new = ["new", "x", "--version", "1", "--change", "sql"];
    db.phase(&new).await?.expect(0)?;
    // Only the name of the application is missing.
    let checked = db.phase(&["check", "--json"]).await?.expect(2)?.json()?;
    same!(checked["gates"].as_array().map(Vec::len), Some(1));
    same!(
        checked["findings"].as_array().map(|all| all.iter().filter(|one| one["level"] == "error").count()),
        Some(0)
    );
    let text = std::fs::read_to_string(db.project.path().join("plans/1_x.yaml"))?;
    db.file("plans/1_x.yaml", &text.replace("APP@VERSION", "web@2.0"))?;
    db.phase(&["deployed", "web@2.0"]).await?.expect(0)?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    Ok(())
}

/// On a terminal: `script` makes one.
async fn a_terminal_is_asked(db: Db) -> TestResult {
    use tokio::io::AsyncWriteExt;
    let phase = env!("CARGO_BIN_EXE_phase");
    let mut script = tokio::process::Command::new("script")
        .args(["-qec", &format!("{phase} new by_name --version 1 --change"), "/dev/null"])
        .current_dir(db.project.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let Some(mut terminal) = script.stdin.take() else { return Err("no stdin".into()) };
    // The recipe, its table, a list that is no YAML, the same as people write it, and nothing else.
    terminal.write_all(b"add_index\nmembers\n[lower(name)\nlower(name), id\n").await?;
    terminal.write_all("\n".repeat(10).as_bytes()).await?;
    terminal.flush().await?;
    let ended = script.wait_with_output().await?;
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    check!(ended.status.success() && said.contains("which recipe?"), "{said}");
    let text = std::fs::read_to_string(db.project.path().join("plans/1_by_name.yaml"))?;
    check!(text.contains("columns: [lower(name), id]\n"), "{text}");
    drop(terminal);
    Ok(())
}

async fn what_is_missing_is_said_where_nobody_can_be_asked(db: Db) -> TestResult {
    for (args, said) in [
        (&["--change", "rename_colum"][..], "did you mean rename_column?"),
        (
            &["--change", "rename_column", "--set", "table=t"],
            "example: phase new x --change rename_column --set table=t --set from=FROM --set to=TO",
        ),
        (&["--change", "rename_column", "--set", "tabel=t"], "has no field \"tabel\""),
        (&["--change", "rename_column", "--set", "table"], "KEY=VALUE"),
        (&["--change", "rename_column", "--sql"], "cannot be used with"),
        (&["--set", "table=t"], "--change"),
        (
            &["--change", "rename_column", "--set", "table=t", "--set", "from=a", "--set", "to=a"],
            "from and to are the same name",
        ),
    ] {
        let ended = db.phase(&[&["new", "x"], args].concat()).await?.expect(2)?;
        check!(ended.stderr.contains(said), "{args:?}: {ended:?}");
    }
    for folder in ["plans", "migrations"] {
        let written = std::fs::read_dir(db.project.path().join(folder))?.count();
        check!(written == 0, "{written} files in {folder}");
    }
    Ok(())
}

async fn the_plans_of_this_repository_pass_their_check(db: Db) -> TestResult {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ended = db.command(&["check"]).current_dir(here).output().await?;
    let ended = crate::harness::Ended::of(&ended).expect(0)?;
    check!(ended.stdout.contains("checked"), "{ended:?}");
    Ok(())
}
