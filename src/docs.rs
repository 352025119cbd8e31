//! Writes the generated pages of docs/ and fails when one is behind;
//! `UPDATE_DOCS=1` writes them again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recipes;

use std::fmt::Write;
use std::path::PathBuf;

use clap::CommandFactory;

use crate::cli::args::Cli;
use crate::core::lint::table::{Who, rows};
use crate::core::lint::{Lesson, Level, lessons};
use crate::core::plan::{Source, parse};
use crate::core::state::State;
use crate::core::transition::{TRANSITIONS, Work};
use crate::core::version::Version;

fn in_sync(file: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{file} is behind: run make docs");
}

#[test]
fn the_page_of_the_machine_is_the_table() {
    let mut page = String::from(
        "# The state machine\n\n\
         Written from `TRANSITIONS` in `src/core/transition.rs` by `make docs`; a test keeps it so.\n\n\
         A state is a guarantee that holds now. Work under way is `state` and `goal` being\n\
         different: after a crash the same transition is entered again, and steps on record\n\
         are skipped.\n\n```mermaid\nstateDiagram-v2\n    [*] --> planned\n",
    );
    for row in TRANSITIONS {
        writeln!(page, "    {} --> {}: {}", row.from, row.to, row.command()).unwrap();
    }
    page +=
        "    completed --> [*]\n    aborted --> [*]\n```\n\n## States\n\n| state | what holds |\n|---|---|\n";
    for state in State::ALL {
        writeln!(page, "| `{state}` | {} |", state.guarantee()).unwrap();
    }
    page += "\n## Transitions\n\n| from | to | command | of | what happens |\n|---|---|---|---|---|\n";
    for row in TRANSITIONS {
        let of = if matches!(row.work, Work::Apply | Work::RollBack) { "SQL migrations" } else { "plans" };
        writeln!(
            page,
            "| `{}` | `{}` | `phase {}` | {of} | {} |",
            row.from,
            row.to,
            row.command(),
            row.sentence
        )
        .unwrap();
    }
    in_sync("docs/state-machine.md", &page);
}

#[test]
fn the_page_of_the_commands_is_their_help() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut page = String::from(
        "# The command line\n\nWritten from the commands' own help by `make docs`; a test keeps it so.\n\n\
         ## Exit codes\n\n| code | meaning |\n|---|---|\n\
         | 0 | done, or nothing to do |\n\
         | 1 | failed; the state did not change, or is recorded as interrupted and can be resumed |\n\
         | 2 | usage, configuration or plan error; the database was not touched |\n\
         | 3 | waiting on a gate |\n| 4 | another runner has the plan |\n\
         | 5 | work is left: paused, interrupted, or out of `--max-duration` |\n\
         | 6 | drift: a file, checksum, order or a trigger of a sync is not what the record says |\n\n\
         Every command takes `--json` and then prints one document on stdout: [json.md](json.md).\n\n\
         A file of the project that cannot be read stops every command over all plans with exit code 2. A command about a named\n\
         plan goes on where that plan's file can be read, and says the faults of the others as warnings; `status` shows what it\n\
         can, names the broken files, and ends with exit code 2.\n",
    );
    writeln!(page, "\n## phase\n\n```text\n{}\n```", trimmed(&command.render_long_help().to_string()))
        .unwrap();
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let name = sub.get_name().to_owned();
        // The options that all share stand above, once.
        let globals = ["database_url", "directory", "config", "json", "lock_wait", "verbose", "quiet"];
        let sub = globals.iter().fold(sub.clone(), |sub, id| sub.mut_arg(id, |arg| arg.hide(true)));
        let help = sub.clone().term_width(100).render_long_help().to_string();
        writeln!(page, "\n## phase {name}\n\n```text\n{}\n```", trimmed(&help)).unwrap();
    }
    in_sync("docs/cli.md", &page);
}

fn trimmed(help: &str) -> String {
    help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[test]
fn every_command_teaches_by_an_example() {
    for sub in Cli::command().get_subcommands().filter(|sub| sub.get_name() != "help") {
        let after = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
        let own = format!("  phase {}", sub.get_name());
        assert!(
            after.contains("Example") && after.contains(&own) || after.contains("phase "),
            "{}",
            sub.get_name()
        );
        assert!(sub.get_about().is_some(), "{}", sub.get_name());
    }
}

#[test]
fn the_schema_is_that_of_the_types() {
    let schema = serde_json::to_string_pretty(&crate::core::plan::schema()).unwrap();
    in_sync("docs/plan.schema.json", &format!("{schema}\n"));
}

#[test]
fn the_page_of_the_locks_is_the_lock_table() {
    let mut page = String::from(
        "# The lock table\n\nWritten from `src/core/lint/table/` by `make docs`; a test keeps it so. Another test runs the example of\n\
         every row on PostgreSQL 13 to 18 and compares what the server took and did with what the row says.\n\n\
         `phase show PLAN` prints the rows that a plan meets, with its own tables; `phase check` objects to those that\n\
         stop an application ([lint/](lint/README.md)). What only changes the catalog takes a moment once it has its\n\
         lock; until then everybody queues behind it, which is why `lock_timeout` is always set.\n\n\
         | statement | locks, until the transaction ends | meanwhile the server | from |\n|---|---|---|---|\n",
    );
    for row in rows() {
        let who = |who: Who| match who {
            Who::This | Who::Only => "it",
            Who::Below => "its partitions",
            Who::BelowFrom18 => "its partitions from 18 on",
            Who::Referenced => "the referenced table",
            Who::Tied => "every table tied to it by a foreign key",
            Who::IndexTable => "the index's table",
            Who::IndexTree => "the index's table and its partitions",
            Who::Adopted => "what the foreign keys that both have refer to",
            Who::Cloned => "what the foreign keys that it gets refer to",
            Who::Bound => "every table tied to it by a foreign key over the column",
            Who::Standing => "the view that is there",
            Who::Parent => "the parent",
            Who::Partition => "the partition",
            Who::DefaultPartition => "the default partition",
            Who::Users => "every table with a column of it",
            Who::Reads => "what it reads",
            Who::Other => "the other table",
        };
        let mut locks: Vec<String> =
            row.locks.iter().map(|(on, lock)| format!("{} on {}", lock.name(), who(*on))).collect();
        if locks.is_empty() {
            let blind = row.hazard.is_some() && !row.work.grows();
            locks.push(if blind { "nobody can tell" } else { "none on a table that was there" }.into());
        }
        let what = match row.hazard {
            Some(_) => format!("[{}](lint/{}.md)", row.what.replace('|', "\\|"), row.id),
            None => row.what.to_owned(),
        };
        let alone = if row.alone { "; outside of transactions only" } else { "" };
        let since = match (row.since, row.until) {
            (13, 99) => String::new(),
            (since, 99) => since.to_string(),
            (_, until) => format!("up to {until}"),
        };
        writeln!(page, "| {what} | {}{alone} | {} | {since} |", locks.join(", "), row.work.words()).unwrap();
    }
    in_sync("docs/locks.md", &page);
}

#[test]
fn every_rule_has_its_page() {
    let mut index = String::from(
        "# What phase check objects to\n\nWritten from the rules by `make docs`; a test keeps it so. Every example is run by tests. An error ends\n\
         `phase check` and `phase advance` with exit code 2. A table that the plan itself makes, or that is known to be\n\
         small (`lint: {small_table: 10MB}` in phase.yaml), is let through as far as locks go; what breaks the running\n\
         application does so however small its table is. With a connection (`phase check --online`, `phase advance`,\n\
         `phase show --checklist`) a small table that is busy counts as a big one: from 10 scans and written rows a second\n\
         on, partitions included. That is the average of `pg_stat_all_tables` since its counters were set to zero, where\n\
         that is on record and an hour ago; where it is not, and the average since the server's start would be busy, or\n\
         where it is quiet and what was counted would do for a busy hour (36,000), because that may be the last, two looks\n\
         two seconds apart tell. The finding says the numbers. Without a connection only the size of the rule stays, and\n\
         every table counts as big. The undo of a step and the DOWN of a SQL migration are judged by\n\
         their locks as well. To accept a finding of one step, or of its undo:\n\n\
         ```text\n    lint: {allow: [{rule: RULE, reason: WHY}]}\n```\n\n\
         In a SQL migration it is a line of its own: `-- lint: allow RULE: WHY`. Before the first statement it is for the\n\
         whole file, behind it for the next statement. What accepts nothing any more is reported. There is no switch for all.\n\n\
         A plan that a finding prints takes nothing away by itself: before its contract, before a backfill that deletes every\n\
         row, and before NOT NULL stands a gate that is closed as it is printed, `deployed: APP@VERSION` for the application\n\
         that does without the old shape or never leaves the column null, or an approval. `phase deployed` does not take\n\
         APP or VERSION, `phase check` refuses a plan that still has them, and no such plan starts. Where a column's type\n\
         changes, an assert in validate stops the plan if a value was cut or rounded. With a connection a column that takes another's place gets\n\
         its type, NOT NULL and default from the catalog, and the like of each index and constraint over the other one;\n\
         what nobody can write for you (EXCLUDE, views, keys of other tables) is named in a comment. DROP COLUMN comes with\n\
         the DROP NOT NULL that it needs, and an index that is there is not made again.\n\n\
         Against a statement of a SQL migration the answer is SQL where SQL is enough: the migration again, or two where one\n\
         transaction must not hold both, each with its DOWN. Where it is not, a comment above the plan says which file it\n\
         becomes. An undo and a DOWN get a statement that can stand there, or are told that there is none.\n\n\
         | rule | about | level |\n|---|---|---|\n",
    );
    for lesson in lessons() {
        let level = if lesson.level == Level::Error { "error" } else { "warning" };
        writeln!(index, "| [{0}]({0}.md) | {1} | {level} |", lesson.rule, lesson.title.replace('|', "\\|"))
            .unwrap();
        in_sync(&format!("docs/lint/{}.md", lesson.rule), &lesson_page(&lesson));
    }
    in_sync("docs/lint/README.md", &index);
}

fn lesson_page(lesson: &Lesson) -> String {
    let mut page = format!("# {}: {}\n\n", lesson.rule, lesson.title);
    writeln!(page, "{}.\n", capital(lesson.why)).unwrap();
    if let Some(row) = lesson.row {
        for (_, lock) in row.locks {
            writeln!(page, "- It takes {}: {}.", lock.name(), lock.leaves()).unwrap();
        }
        writeln!(page, "- The server {}.", row.work.words()).unwrap();
        if row.alone {
            page += "- It cannot run in a transaction.\n";
        }
        if row.since > 13 {
            writeln!(page, "- From PostgreSQL {} on.", row.since).unwrap();
        }
        page += "\n";
    }
    let setup = lesson.setup.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    if !setup.is_empty() {
        writeln!(page, "## Given\n\n```sql\n{setup};\n```\n").unwrap();
    }
    writeln!(page, "## Not so\n\n```yaml\n{}```\n", lesson.bad).unwrap();
    match (&lesson.good, lesson.advice) {
        (Some(good), _) => writeln!(page, "## But so\n\n```yaml\n{good}```").unwrap(),
        (None, Some(advice)) => writeln!(page, "## But so\n\n{}.", capital(advice)).unwrap(),
        (None, None) => writeln!(page, "## But so\n\nBring the server up to date first.").unwrap(),
    }
    page
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Every plan in a page reads, compiles and is what `phase check` accepts.
fn plans_read(page: &str, least: usize) {
    let version = Version::parse("20261121093000").unwrap();
    let mut found = 0;
    for block in page.split("```yaml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        if text.contains("phase.yaml") {
            continue;
        }
        found += 1;
        let source = Source { file: "example", version: &version, name: "example", text };
        let plan =
            parse(&source, &|_| Ok("SELECT 1".into())).unwrap_or_else(|error| panic!("{error}\n{text}"));
        crate::core::compile::plan(&plan, crate::core::compile::Server::NEWEST)
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    assert!(found >= least, "only {found} examples");
}

#[test]
fn the_examples_in_the_docs_read() {
    plans_read(include_str!("../docs/plan-reference.md"), 5);
    plans_read(include_str!("../README.md"), 1);
}
