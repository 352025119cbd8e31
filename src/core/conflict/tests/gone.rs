//! What one change takes away or holds, and another one uses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

#[test]
fn what_an_older_one_takes_away_is_an_error_whatever_is_known() {
    for standing in [Standing::Unknown, Standing::Open] {
        let text = fill("name");
        one(
            &[("1_r", RENAME), ("2_n", &text)],
            standing,
            Grade::Error,
            "it uses users.name, which 1_r takes away",
        );
        // It says that it builds on it, and all the same uses what goes.
        let text = format!("depends_on: [1_r]\n{text}");
        one(&[("1_r", RENAME), ("2_n", &text)], standing, Grade::Error, "use what takes its place");
        let sql = "CREATE VIEW names AS SELECT name FROM users";
        one(
            &[("1_r", RENAME), ("2_n", sql)],
            standing,
            Grade::Error,
            "migrations/2_n.sql:1:1: it uses users.name",
        );
        let sql = "ALTER TABLE public.users RENAME TO people";
        one(
            &[("1_s", sql), ("2_n", &add("x"))],
            standing,
            Grade::Error,
            "it uses users, which 1_s takes away",
        );
    }
    // What comes back on the way is there again; what a SQL migration says it builds on is meant.
    let back = "ALTER TABLE users ADD COLUMN name text";
    assert!(
        !found(&[("1_r", RENAME), ("2_b", back), ("3_n", "UPDATE users SET name = ''")], Standing::Unknown)
            .iter()
            .any(|(level, text)| *level == Grade::Error && text.contains("3_n"))
    );
    let meant = "-- depends_on: 1\nCREATE INDEX i ON users (lower(name))";
    assert_eq!(found(&[("1_r", RENAME), ("2_n", meant)], Standing::Open), []);
    let swap = "ALTER TABLE t RENAME TO t_old; CREATE TABLE t (a int)";
    assert_eq!(found(&[("1_s", swap), ("2_n", "INSERT INTO t (a) VALUES (1)")], Standing::Open), []);
}

#[test]
fn the_same_column_is_an_error_where_both_are_open() {
    let (old, new) = (fill("name"), RENAME);
    one(&[("1_n", &old), ("2_r", new)], Standing::Open, Grade::Error, "renames users.name, which 1_n uses");
    one(&[("1_n", &old), ("2_r", new)], Standing::Unknown, Grade::Warning, "must not be open at once");
    one(
        &[("1_a", &add("x")), ("2_b", &add("x"))],
        Standing::Open,
        Grade::Error,
        "makes users.x, which 1_a makes",
    );
    let text = format!("depends_on: [1_n]\n{new}");
    assert_eq!(found(&[("1_n", &old), ("2_r", &text)], Standing::Open), []);
    // By way of another.
    let (middle, last) = (
        "depends_on: [1]\nvalidate:\n  - assert: {name: x, sql: SELECT 1, expect: \"1\"}\n",
        format!("depends_on: [2]\n{new}"),
    );
    assert_eq!(found(&[("1_n", &old), ("2_m", middle), ("3_r", &last)], Standing::Open), []);
}

#[test]
fn the_same_table_is_a_warning_and_reading_is_nothing() {
    one(
        &[("1_a", &fill("x")), ("2_b", &add("y"))],
        Standing::Open,
        Grade::Warning,
        "which 1_a alters: each waits",
    );
    assert_eq!(found(&[("1_a", &fill("x")), ("2_b", &add("y"))], Standing::Unknown), []);
    // One that only expands has let go of its locks by the time.
    assert_eq!(found(&[("1_a", &add("x")), ("2_b", &add("y"))], Standing::Open), []);
    let index = |column: &str| {
        format!("expand:\n  - index: {{table: users, columns: [{column}], name: i_{column}}}\n")
    };
    assert_eq!(found(&[("1_a", &index("a")), ("2_b", &index("b"))], Standing::Open), []);
    // A SQL migration is over before anything newer begins.
    assert_eq!(
        found(&[("1_s", "ALTER TABLE users ADD COLUMN x int"), ("2_b", &fill("x"))], Standing::Open),
        []
    );
}

#[test]
fn bodies_that_say_the_word_are_a_warning() {
    let body = "DO $$ BEGIN UPDATE users SET name = trim(name); END $$";
    one(&[("1_r", RENAME), ("2_d", body)], Standing::Open, Grade::Warning, "uses users.name");
}

#[test]
fn what_is_in_flight_holds_up_what_wants_to_start() {
    let (old, new) = (item("1_n", &fill("name")), item("2_r", RENAME));
    let files = [old.clone(), new.clone()];
    let at = |state| reasons(&new, State::Expanded, &[record(&old, state)], &files);
    assert!(
        at(State::Expanded)[0].contains("renames users.name, which 1_n (expanded) uses: let it complete")
    );
    assert!(at(State::Expanded)[0].ends_with("or say depends_on: [1] where the two belong together"));
    for over in [State::Planned, State::Completed, State::Aborted] {
        assert_eq!(at(over), Vec::<String>::new(), "{over}");
    }
    // Without its file nobody knows which columns.
    let blind = reasons(&new, State::Expanded, &[record(&old, State::Expanded)], &[]);
    assert!(blind[0].contains("touches table users, which 1_n (expanded) is changing"), "{blind:?}");
    // What failed before any of its steps had run, and nobody can try again, holds nobody.
    let tried = |touched: &[&str], error: Option<&str>| Record {
        goal: State::Expanded,
        touched: touched.iter().map(ToString::to_string).collect(),
        error: error.map(str::to_owned),
        ..record(&old, State::Planned)
    };
    let held = |record: &Record, files: &[Item]| {
        !reasons(&new, State::Expanded, std::slice::from_ref(record), files).is_empty()
    };
    assert!(!held(&tried(&[], Some("no such table")), &[]));
    // With its file it may be tried again, without an error it may be at work, and a step is a step.
    assert!(held(&tried(&[], Some("no such table")), &files));
    assert!(held(&tried(&[], None), &[]));
    assert!(held(&tried(&["expand.1"], Some("no such table")), &[]));
    // Nor does it hold what it builds on from being taken back.
    let on_it = |error| Record { depends_on: vec![new.version.clone()], ..tried(&[], error) };
    assert_eq!(dependents(&new, &[on_it(Some("no such table"))]), Vec::<String>::new());
    assert_eq!(dependents(&new, &[on_it(None)]).len(), 1);
    // A SQL migration as well, and it may say that it builds on it.
    let sql = item("3_s", "UPDATE users SET nick = NULL");
    let held = reasons(&sql, State::Completed, &[record(&old, State::Backfilled)], &files);
    assert!(held[0].contains("-- depends_on: 1"), "{held:?}");
    let sql = item("3_s", "-- depends_on: 1\nUPDATE users SET nick = NULL");
    assert_eq!(
        reasons(&sql, State::Completed, &[record(&old, State::Backfilled)], &files),
        Vec::<String>::new()
    );
    // Nor does a row as a value hold a column from whoever builds on it.
    let (rows, gone) = (
        item(
            "1_n",
            "expand:\n  - {sql: CREATE VIEW v AS SELECT row_to_json(u) FROM users u, undo: DROP VIEW v}\n",
        ),
        item("3_s", "-- depends_on: 1\nALTER TABLE users DROP COLUMN name"),
    );
    let both = [rows.clone(), gone.clone()];
    assert_eq!(
        reasons(&gone, State::Completed, &[record(&rows, State::Expanded)], &both),
        Vec::<String>::new()
    );
    // Other columns of the table: to know, not to wait for.
    let other = item("3_o", &add("z"));
    assert_eq!(
        reasons(&other, State::Expanded, &[record(&old, State::Expanded)], &files),
        Vec::<String>::new()
    );
    let said = cautions(&other, &[record(&old, State::Expanded)], &files);
    assert!(said[0].contains("it alters users, which 1_n (expanded) alters"), "{said:?}");
    // Where it has no step left, there is no lock to wait for; where it is on its way, there is.
    let only = item("1_n", &add("nick"));
    let files = [only.clone(), new.clone()];
    assert_eq!(cautions(&other, &[record(&only, State::Expanded)], &files), Vec::<String>::new());
    let begun = Record { state: State::Planned, ..record(&only, State::Expanded) };
    assert_eq!(cautions(&other, &[begun], &files).len(), 1);
    assert_eq!(
        cautions(&other, &[record(&old, State::Backfilled)], std::slice::from_ref(&old)),
        Vec::<String>::new()
    );
}

#[test]
fn what_builds_on_a_sync_waits_until_it_is_over() {
    let old = item("1_r", RENAME);
    let text = |changes: &str| format!("depends_on: [1]\nchange:\n{changes}keep: 1d\n");
    let held = |changes: &str, state| {
        let new = item("2_n", &text(changes));
        reasons(&new, State::Expanded, &[record(&old, state)], &[old.clone(), new.clone()]).join("; ")
    };
    let again = "  - rename_column: {table: users, from: display_name, to: shown}\n";
    let default = "  - set_default: {table: users, column: display_name, default: \"'x'\"}\n";
    let other = "  - add_column: {table: users, column: age, type: int}\n";
    let (both, given) = (held(again, State::Validated), held(default, State::Validated));
    assert!(both.contains("keeps users.display_name in step, and so would this"), "{both}");
    assert!(given.contains("would take a default for a value that somebody wrote"), "{given}");
    assert_eq!(held(other, State::Validated), "");
    for changes in [again, default] {
        assert_eq!(held(changes, State::Completed), "");
    }
}
