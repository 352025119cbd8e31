//! The JSON of the commands is that of docs/json.md: the same keys, at every level.

use serde_json::Value;

use crate::harness::{Db, TestResult, check, tests};

tests![every_document_is_as_on_its_page];

const PAGE: &str = include_str!("../../docs/json.md");

/// Two plans with something to say about: the first keeps writers out, the second renames
/// what the first uses, and has a type that squawk would not have.
const INDEX: &str = "expand:\n  - sql: CREATE INDEX users_name ON users (name)\n    undo: DROP INDEX CONCURRENTLY users_name\n";
const RENAME: &str = "expand:\n  - sql: |\n      ALTER TABLE users RENAME COLUMN name TO full_name;\n      ALTER TABLE users ADD COLUMN nick varchar(20)\n    undo: |\n      ALTER TABLE users DROP COLUMN nick;\n      ALTER TABLE users RENAME COLUMN full_name TO name\n";

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// The document of a name on the page.
fn documented(name: &str) -> Result<Value, Fault> {
    let (_, after) = PAGE.split_once(&format!("```json {name}\n")).ok_or_else(|| format!("no {name}"))?;
    let (text, _) = after.split_once("```").ok_or("the block does not end")?;
    Ok(serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?)
}

/// Where two documents have other keys, as paths; what is null or empty on one side may be anything.
fn differences(at: &str, page: &Value, real: &Value) -> Vec<String> {
    match (page, real) {
        (Value::Object(page), Value::Object(real)) => {
            let only =
                |a: &serde_json::Map<String, Value>, b: &serde_json::Map<String, Value>, side: &str| {
                    a.keys()
                        .filter(|key| !b.contains_key(*key))
                        .map(|key| format!("{at}.{key} only {side}"))
                        .collect()
                };
            let mut found: Vec<String> = only(page, real, "on the page");
            found.extend::<Vec<String>>(only(real, page, "in reality"));
            let both = page.iter().filter_map(|(key, value)| real.get(key).map(|real| (key, value, real)));
            found.extend(both.flat_map(|(key, page, real)| differences(&format!("{at}.{key}"), page, real)));
            found
        }
        (Value::Array(page), Value::Array(real)) => match page.first() {
            Some(page) => real.iter().flat_map(|real| differences(&format!("{at}[]"), page, real)).collect(),
            None => Vec::new(),
        },
        (Value::Null, _) | (_, Value::Null) => Vec::new(),
        (page, real) if std::mem::discriminant(page) == std::mem::discriminant(real) => Vec::new(),
        (page, real) => vec![format!("{at}: {page} on the page, {real} in reality")],
    }
}

fn same_keys(name: &str, real: &Value) -> TestResult {
    let found = differences(name, &documented(name)?, real);
    check!(found.is_empty(), "{}\n{real:#}", found.join("\n"));
    Ok(())
}

async fn every_document_is_as_on_its_page(db: Db) -> TestResult {
    db.examples()?;
    db.phase(&["expand", "--to", "20261103090000"]).await?.expect(0)?;
    db.run("INSERT INTO users (name, email) VALUES ('a', 'a@b')").await?;
    let rehearsed =
        db.phase(&["rehearse", "users_display_name", "--from-files", "--json"]).await?.expect(0)?;
    same_keys("rehearse", &rehearsed.json()?)?;
    let moved =
        db.phase(&["advance", "users_display_name", "--to", "backfilled", "--json"]).await?.expect(0)?;
    same_keys("moved", &moved.json()?)?;
    for (name, args) in [
        ("status", vec!["status", "users_display_name"]),
        ("show", vec!["show", "users_display_name"]),
        ("checklist", vec!["show", "users_display_name", "--checklist"]),
        ("history", vec!["history"]),
    ] {
        let args: Vec<&str> = args.into_iter().chain(["--json"]).collect();
        same_keys(name, &db.phase(&args).await?.expect(0)?.json()?)?;
    }
    for (name, args) in [
        ("gate", ["gate", "users_display_name"]),
        ("deployed", ["deployed", "web@2.4.0"]),
        ("approve", ["approve", "users_display_name"]),
    ] {
        let args: Vec<&str> = args.into_iter().chain(["--json"]).collect();
        same_keys(name, &db.phase(&args).await?.expect(0)?.json()?)?;
    }
    let closed = ["gate", "users_display_name", "--needs", "completed", "--json"];
    same_keys("gate", &db.phase(&closed).await?.expect(3)?.json()?)?;
    let withdrawn = ["approve", "users_display_name", "--withdraw", "--json"];
    same_keys("approve", &db.phase(&withdrawn).await?.expect(0)?.json()?)?;
    db.run("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)").await?;
    std::fs::create_dir_all(db.project.path().join("db/migrations"))?;
    db.file("db/migrations/20260101000000_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n")?;
    same_keys("import", &db.phase(&["import", "--dry-run", "--json"]).await?.expect(0)?.json()?)?;
    db.file("plans/20261201000000_index.yaml", INDEX)?;
    db.file("plans/20261202000000_rename.yaml", RENAME)?;
    let checked = db.phase(&["check", "--json", "--second-opinion", "all"]).await?.expect(2)?.json()?;
    same_keys("check", &checked)?;
    for part in ["findings", "conflicts", "second_opinion"] {
        check!(checked[part].as_array().is_some_and(|list| !list.is_empty()), "no {part}: {checked:#}");
    }
    Ok(())
}
