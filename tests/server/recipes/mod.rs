//! Every recipe under two versions of an application: the example in plans/ runs from end to end,
//! and back from every state, while old and new code write; nothing fails, nothing is lost, and the
//! schema at the end is that of a plain ALTER.

mod add_check;
mod add_column;
mod add_enum_value;
mod add_exclusion;
mod add_foreign_key;
mod add_index;
mod add_unique;
mod change_type;
mod change_type_and_name;
mod change_type_of_much;
mod clients;
mod create_table;
mod drop_column;
mod drop_constraint;
mod drop_index;
mod drop_table;
pub(crate) mod known;
mod merge_columns;
mod move_columns;
mod partition_table;
mod remove_enum_value;
mod rename_column;
mod rename_column_of_much;
mod rename_table;
mod replace_enum;
mod replace_index;
mod set_not_null;
mod split_column;
mod sql;
mod transform_column;
mod widen_key;

use phase::core::ident::Ident;
use phase::core::shape::{Difference, Shape};
use phase::pg::shape::shape;

use crate::harness::{Db, Ended, TestResult, check, same, tests};
use clients::{Clients, Version};

/// For each recipe two tests: its example to the end, and back from every state.
macro_rules! examples {
    (
        [$($other:ident),*] $($recipe:ident: $to_the_end:ident, $back:ident;)*
        ; slow $($much:ident: $much_to_the_end:ident, $much_back:ident;)*
    ) => {
        tests![$($to_the_end,)* $($other),*];

        /// Back from every state, and the slow ones to the end; `make test-recipes` runs them.
        pub(crate) fn back_tests() -> Vec<crate::harness::Test> {
            let mut tests = examples!(back $($recipe: $back;)* $($much: $much_back;)*);
            tests.extend([$(crate::harness::Test {
                name: stringify!($much_to_the_end),
                run: |db| Box::pin($much_to_the_end(db)),
            }),*]);
            tests
        }

        $(
            async fn $to_the_end(db: Db) -> TestResult {
                to_the_end(&db, &$recipe::EXAMPLE).await
            }

            async fn $back(db: Db) -> TestResult {
                back(&db, &$recipe::EXAMPLE).await
            }
        )*

        $(
            async fn $much_to_the_end(db: Db) -> TestResult {
                to_the_end(&db, &$much::EXAMPLE).await
            }

            async fn $much_back(db: Db) -> TestResult {
                back(&db, &$much::EXAMPLE).await
            }
        )*
    };
    (back $($recipe:ident: $back:ident;)*) => {
        vec![$(
            crate::harness::Test { name: stringify!($back), run: |db| Box::pin($back(db)) },
            crate::harness::Test {
                name: concat!(stringify!($recipe), "_passes_its_rehearsal"),
                run: |db| Box::pin(rehearsed(db, &$recipe::EXAMPLE)),
            },
        )*]
    };
}

examples! {
    [add_exclusion_is_refused_without_a_reason_for_the_outage, add_unique_names_duplicates, change_type_cuts_nothing, change_type_loses_nothing, partition_table_loses_nothing, change_type_stops_where_a_view_does_not_fit, create_table_leads_to_the_end, create_table_leads_back_from_every_state, create_table_keeps_rows, drop_column_keeps_what_is_given, drop_not_null_goes_back_when_every_row_has_a_value, move_columns_keeps_in_step, move_columns_misses_nothing, partition_table_mirrors, partition_table_misses_nothing, partition_table_deletes_what_was_copied, partition_table_stops_at_rows_without_a_partition, partition_table_refuses, rename_table_goes_first, rename_table_keeps_rights, rename_table_refuses]
    add_check: add_check_leads_to_the_end, add_check_leads_back;
    add_column: add_column_leads_to_the_end, add_column_leads_back;
    add_enum_value: add_enum_value_leads_to_the_end, add_enum_value_leads_back;
    add_exclusion: add_exclusion_leads_to_the_end, add_exclusion_leads_back;
    add_foreign_key: add_foreign_key_leads_to_the_end, add_foreign_key_leads_back;
    add_index: add_index_leads_to_the_end, add_index_leads_back;
    add_unique: add_unique_leads_to_the_end, add_unique_leads_back;
    change_type: change_type_leads_to_the_end, change_type_leads_back;
    drop_column: drop_column_leads_to_the_end, drop_column_leads_back;
    drop_constraint: drop_constraint_leads_to_the_end, drop_constraint_leads_back;
    drop_index: drop_index_leads_to_the_end, drop_index_leads_back;
    drop_table: drop_table_leads_to_the_end, drop_table_leads_back;
    merge_columns: merge_columns_leads_to_the_end, merge_columns_leads_back;
    move_columns: move_columns_leads_to_the_end, move_columns_leads_back;
    partition_table: partition_table_leads_to_the_end, partition_table_leads_back;
    remove_enum_value: remove_enum_value_leads_to_the_end, remove_enum_value_leads_back;
    rename_column: rename_column_leads_to_the_end, rename_column_leads_back;
    rename_table: rename_table_leads_to_the_end, rename_table_leads_back;
    replace_enum: replace_enum_leads_to_the_end, replace_enum_leads_back;
    replace_index: replace_index_leads_to_the_end, replace_index_leads_back;
    set_not_null: set_not_null_leads_to_the_end, set_not_null_leads_back;
    split_column: split_column_leads_to_the_end, split_column_leads_back;
    sql: sql_leads_to_the_end, sql_leads_back;
    transform_column: transform_column_leads_to_the_end, transform_column_leads_back;
    widen_key: widen_key_leads_to_the_end, widen_key_leads_back;
    ; slow
    change_type_and_name: change_type_and_name_leads_to_the_end, change_type_and_name_leads_back;
    change_type_of_much: change_type_of_much_leads_to_the_end, change_type_of_much_leads_back;
    rename_column_of_much: rename_column_of_much_leads_to_the_end, rename_column_of_much_leads_back;
}

/// Recipes after which the column is the last of its table; their pages say so.
const LAST: &[&str] = &[
    "change_type",
    "change_type_and_name",
    "change_type_of_much",
    "remove_enum_value",
    "replace_enum",
    "widen_key",
];

/// Labels of enums that an abort leaves behind, of the plan that adds them: the type, as it is then.
const LEFT: &[(&str, &str, &str)] = &[(
    "20261203010100",
    "public.\"Ticket State\"",
    "'new', 'it''s open', E'waiting \\\\', 'closed', 'won''t do'",
)];

/// An example of a recipe.
pub(crate) struct Example {
    /// The plan's file in plans/, without its ending.
    plan: &'static str,
    /// The migration's file that makes its tables, without its ending.
    tables: &'static str,
    /// The table that clients write, for the rows that are there before.
    rows: &'static str,
    /// The old version's statements.
    old: Version,
    /// The new version's.
    new: Version,
    /// What a plain ALTER would do.
    offline: &'static str,
    /// Counts rows that are not as they should be in the end.
    wrong: &'static str,
}

const STATES: [&str; 4] = ["expanded", "backfilled", "validated", "contracted"];

async fn drop_not_null_goes_back_when_every_row_has_a_value(db: Db) -> TestResult {
    set_not_null::stopped_by_null(&db).await
}

async fn create_table_leads_to_the_end(db: Db) -> TestResult {
    to_the_end(&db, &create_table::EXAMPLE).await
}

async fn create_table_leads_back_from_every_state(db: Db) -> TestResult {
    back(&db, &create_table::EMPTY).await
}

async fn create_table_keeps_rows(db: Db) -> TestResult {
    create_table::keeps_rows(&db).await
}

async fn move_columns_keeps_in_step(db: Db) -> TestResult {
    move_columns::keeps_in_step(&db).await
}

async fn move_columns_misses_nothing(db: Db) -> TestResult {
    move_columns::misses_nothing(&db).await
}

async fn partition_table_mirrors(db: Db) -> TestResult {
    partition_table::mirrors(&db).await
}

async fn partition_table_misses_nothing(db: Db) -> TestResult {
    partition_table::misses_nothing(&db).await
}

async fn partition_table_deletes_what_was_copied(db: Db) -> TestResult {
    partition_table::deletes_what_was_copied(&db).await
}

async fn partition_table_stops_at_rows_without_a_partition(db: Db) -> TestResult {
    partition_table::stops_at_rows_without_a_partition(&db).await
}

async fn partition_table_refuses(db: Db) -> TestResult {
    partition_table::refuses(&db).await
}

async fn rename_table_goes_first(db: Db) -> TestResult {
    rename_table::goes_first(&db).await
}

async fn rename_table_keeps_rights(db: Db) -> TestResult {
    rename_table::keeps_rights(&db).await
}

async fn rename_table_refuses(db: Db) -> TestResult {
    rename_table::refuses(&db).await
}

async fn change_type_stops_where_a_view_does_not_fit(db: Db) -> TestResult {
    change_type_of_much::stops(&db).await
}

async fn change_type_loses_nothing(db: Db) -> TestResult {
    change_type::loses_nothing(&db).await
}

async fn partition_table_loses_nothing(db: Db) -> TestResult {
    partition_table::loses_nothing(&db).await
}

async fn change_type_cuts_nothing(db: Db) -> TestResult {
    change_type::cuts_nothing(&db).await
}

async fn drop_column_keeps_what_is_given(db: Db) -> TestResult {
    drop_column::keeps_what_is_given(&db).await
}

async fn add_unique_names_duplicates(db: Db) -> TestResult {
    add_unique::duplicates(&db).await
}

async fn add_exclusion_is_refused_without_a_reason_for_the_outage(db: Db) -> TestResult {
    add_exclusion::refused(&db).await
}

async fn shape_of(db: &Db) -> Result<Shape, Box<dyn std::error::Error + Send + Sync>> {
    Ok(shape(&db.connect().await?, &Ident::parse("phase")?).await?)
}

/// Tables and rows as they are before the plan.
async fn begin(db: &Db, example: &Example) -> TestResult {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (folder, stem, ending) in [("migrations", example.tables, "sql"), ("plans", example.plan, "yaml")] {
        let name = format!("{folder}/{stem}.{ending}");
        std::fs::copy(root.join(&name), db.project.path().join(&name))?;
    }
    let version = example.tables.split('_').next().unwrap_or_default();
    db.phase(&["expand", "--to", version]).await?.expect(0)?;
    db.run(example.rows).await?;
    Ok(())
}

/// The schema that a plain ALTER gives.
async fn offline(db: &Db, example: &Example) -> Result<Shape, Box<dyn std::error::Error + Send + Sync>> {
    let plain = db.beside("plain").await?;
    begin(&plain, example).await?;
    plain.run(example.offline).await?;
    let found = shape_of(&plain).await?;
    db.run(&format!("DROP DATABASE \"{}\" WITH (FORCE)", plain.name)).await?;
    Ok(found)
}

fn described(differences: &[Difference]) -> String {
    differences.iter().map(Difference::describe).collect::<Vec<_>>().join("\n")
}

async fn advance(db: &Db, plan: &str, to: &str) -> TestResult {
    let ended = db.phase(&["advance", plan, "--to", to, "--quiet"]).await?;
    check!(ended.code == Some(0), "{to}: {ended:?}");
    Ok(())
}

/// All the way, with old code until contract and new code from expand on.
async fn to_the_end(db: &Db, example: &Example) -> TestResult {
    let wanted = offline(db, example).await?;
    begin(db, example).await?;
    let mut clients = Clients::new(db, example);
    clients.start_old().await?;
    for state in &STATES[..3] {
        advance(db, example.plan, state).await?;
        clients.start_new().await?;
        clients.go_on().await?;
    }
    clients.stop_old().await?;
    advance(db, example.plan, "contracted").await?;
    clients.go_on().await?;
    let ended = db.phase(&["purge", example.plan, "--now"]).await?;
    check!(matches!(ended.code, Some(0)), "purge: {ended:?}");
    clients.go_on().await?;
    let did = clients.end().await?;
    check!(did > 100, "the application did only {did} statements");
    same!(db.value("SELECT state FROM phase.item WHERE kind = 'plan'").await?, "completed");
    same!(db.value(example.wrong).await?, "0");
    let found = shape_of(db).await?;
    let mut differences = wanted.diff(&found);
    if LAST.iter().any(|recipe| example.plan.ends_with(recipe)) {
        differences.retain(|one| one.kind != "column order");
    }
    check!(differences.is_empty(), "not as a plain ALTER would have it:\n{}", described(&differences));
    Ok(())
}

/// Whether a difference is no more than the labels that an abort leaves behind.
fn is_left(example: &Example, one: &Difference) -> bool {
    LEFT.iter().any(|(version, kind, labels)| {
        example.plan.starts_with(version)
            && (one.kind.as_str(), one.identity.as_str()) == ("enum", *kind)
            && one.after.as_ref().is_some_and(|after| after.ends_with(&format!(", {labels}")))
    })
}

/// On a copy of its database; where there is no pg_dump for the server, that is refused.
async fn rehearsed(db: Db, example: &Example) -> TestResult {
    begin(&db, example).await?;
    let mut command = db.command(&["rehearse", example.plan, "--quiet"]);
    let ended = Ended::of(&command.env("PHASE_PG_BIN", db.binaries.folder()).output().await?);
    let no_dump = ended.code == Some(2) && ended.stderr.contains("must not be older than the server");
    check!(no_dump || ended.code == Some(0), "{ended:#?}");
    Ok(())
}

/// There and back from every state.
async fn back(db: &Db, example: &Example) -> TestResult {
    begin(db, example).await?;
    let before = shape_of(db).await?;
    let mut plan = example.plan.to_owned();
    let text = std::fs::read_to_string(db.project.path().join(format!("plans/{plan}.yaml")))?;
    // Without an undo window contract is the end.
    let states = if text.contains("\nkeep:") { &STATES[..] } else { &STATES[..3] };
    for (n, state) in states.iter().copied().enumerate() {
        // What was aborted is written anew.
        let stem = format!("{}{n}_again", example.plan.split('_').next().unwrap_or_default());
        let file = |stem: &str| db.project.path().join(format!("plans/{stem}.yaml"));
        std::fs::rename(file(&plan), file(&stem))?;
        plan.clone_from(&stem);
        let mut clients = Clients::new(db, example);
        clients.start_old().await?;
        advance(db, &plan, "expanded").await?;
        clients.start_new().await?;
        if state != "expanded" {
            advance(db, &plan, if state == "contracted" { "validated" } else { state }).await?;
        }
        clients.go_on().await?;
        if state == "contracted" {
            clients.stop_old().await?;
            advance(db, &plan, "contracted").await?;
            clients.go_on().await?;
        }
        clients.stop_new().await?;
        let ended = db.phase(&["abort", &plan, "--quiet"]).await?;
        check!(ended.code == Some(0), "abort from {state}: {ended:?}");
        clients.as_old().await?;
        clients.end().await?;
        let mut differences = before.diff(&shape_of(db).await?);
        differences.retain(|one| !is_left(example, one));
        check!(differences.is_empty(), "after abort from {state}:\n{}", described(&differences));
    }
    Ok(())
}
