//! Writes docs/recipes: a page for each recipe, from the words of its module, its fields, and the
//! example in plans/ with the steps and the locks that it comes to.
//!
//! What a module says before its first heading stands at the top of its page; `# Deploying` and
//! `# Going back` of it take the place of the sentences that are worked out here from the steps.

use std::fmt::Write;
use std::path::PathBuf;

use super::{capital, in_sync};
use crate::core::compile::{self, Server};
use crate::core::lint::partitioned::shown;
use crate::core::lint::{World, inspect, taken};
use crate::core::plan::model::{Plan, StepSpec};
use crate::core::recipe::form::{Field, Form, Kind};
use crate::core::recipe::written;
use crate::core::step::{Action, Phase, Step, Undo};
use crate::examples::{Example, examples};

/// The index, down to the head of its table.
const INDEX: &str = "\
# Recipes

Written from the recipes and their examples by `make docs`; a test keeps it so. Every example stands in
[plans/](../../plans) with its tables in [migrations/](../../migrations), and runs on PostgreSQL 13 to 18, to the end and
back from every state, while two versions of an application write: no statement fails, no write is lost, and the schema
at the end is the one that a plain ALTER gives.

A recipe is one line under `change:` of a plan. It becomes ordinary steps of expand, backfill, validate and contract,
from what the catalog says of its tables when the plan starts; `phase show PLAN` prints them for your server, with the
lock that each statement takes and its undo. What cannot be carried over is refused by name before anything runs.
Several may stand in one plan and build on each other, and explicit steps of the plan come after theirs.

```text
phase new members_display_name --change rename_column --set table=members --set from=name --set to=display_name
```

On a terminal `phase new NAME --change RECIPE` asks for what is missing; `--change` alone lists the recipes.

| recipe | what it gives | works in |
|---|---|---|
";

/// The most lines of an undo that stand open.
const FOLDED: usize = 8;

/// What a recipe's module says of it.
#[derive(Default)]
struct Words {
    about: String,
    deploying: Option<String>,
    back: Option<String>,
}

/// The file of a recipe's module.
fn module(recipe: &str) -> String {
    let file = format!("src/core/recipe/{recipe}.rs");
    let alone = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(&file).exists();
    if alone { file } else { format!("src/core/recipe/{recipe}/mod.rs") }
}

impl Words {
    fn of(recipe: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(module(recipe));
        let source =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let mut words = Self::default();
        let mut section = &mut words.about;
        for line in lines {
            match line {
                "# Deploying" => section = words.deploying.insert(String::new()),
                "# Going back" => section = words.back.insert(String::new()),
                line => *section += &format!("{line}\n"),
            }
        }
        words
    }
}

/// What an example comes to, of the changes by one recipe.
struct Shown {
    plan: Plan,
    steps: Vec<Step>,
    world: World,
}

impl Shown {
    fn of(example: &Example, recipe: &str) -> Self {
        let mut alone = example.plan.clone();
        alone.change.retain(|change| change.value.name() == recipe);
        let one = written(&alone, &example.known);
        // What builds on another change is only there with it.
        let plan =
            if one.refused.is_empty() { one.plan } else { written(&example.plan, &example.known).plan };
        let steps = compile::plan(&plan, Server::NEWEST).unwrap();
        Self { plan, steps, world: example.world() }
    }

    fn has(&self, phase: Phase) -> bool {
        self.steps.iter().any(|step| step.phase == phase)
    }

    fn phases(&self) -> String {
        let phases = Phase::ALL.into_iter().filter(|phase| self.has(*phase));
        phases.map(Phase::name).collect::<Vec<_>>().join(", ")
    }

    /// Whether a sync keeps both shapes in step, and whether the old one too.
    fn synced(&self) -> Option<bool> {
        let mut syncs = self.plan.expand.iter().filter_map(|spec| match &spec.value {
            StepSpec::Sync(sync) => Some(!sync.back.is_empty()),
            _ => None,
        });
        let first = syncs.next()?;
        Some(syncs.fold(first, |all, back| all && back))
    }

    fn steps(&self) -> String {
        let mut world = self.world.clone();
        let mut text = String::new();
        for phase in Phase::ALL.into_iter().filter(|phase| self.has(*phase)) {
            writeln!(text, "### {phase}\n").unwrap();
            for step in self.steps.iter().filter(|step| step.phase == phase) {
                text += &step_text(step, &mut world);
            }
        }
        text
    }

    /// When new code may run, where the recipe does not say so itself.
    fn ships(&self) -> String {
        let builds = |step: &Step| matches!(step.action, Action::BuildIndex(_));
        let builds = self.steps.iter().any(|step| step.phase == Phase::Validate && builds(step));
        let state = match (self.has(Phase::Expand), self.has(Phase::Backfill)) {
            (true, _) | (_, true) if builds => "validated",
            (_, true) => "backfilled",
            (true, false) => "expanded",
            (false, false) if builds => {
                return "No code has to change for it; new code that needs the index ships once the plan is `validated`.\n".into();
            }
            (false, false) if self.has(Phase::Validate) => {
                return "Code that keeps to what validate proves ships before `phase validate`.\n".into();
            }
            (false, false) => {
                return "New code, which does without what contract takes away, ships before `phase contract`.\n".into();
            }
        };
        format!("New code ships once the plan is `{state}`.\n")
    }

    fn deploying(&self, words: &Words) -> String {
        let mut text =
            words.deploying.as_deref().map_or_else(|| self.ships(), |words| format!("{}\n", words.trim()));
        text += "\n";
        let mut lines = Vec::new();
        if self.has(Phase::Expand) {
            let then = match self.synced() {
                Some(true) => "from here on each version of the application sees what the other writes.",
                Some(false) => "from here on what old code writes reaches the new shape too.",
                None => "old code goes on as before.",
            };
            lines.push(format!("`phase expand`, by the hook that runs before new code ships: {then}"));
        }
        if self.has(Phase::Backfill) {
            lines.push("`phase backfill`, by hand or by a scheduler: the rows that were there before follow, batch by batch.".into());
        }
        if self.has(Phase::Validate) {
            lines.push(
                "`phase validate`: indexes are built and proofs are made while everybody reads and writes."
                    .into(),
            );
        }
        if self.has(Phase::Contract) {
            lines.push(
                "The last process of old code ends, and `phase deployed APP@VERSION` puts that down. With \
                 `gates: {contract: {deployed: APP@VERSION}}` in the plan contract waits for it; other gates ask \
                 for more ([plan-reference](../plan-reference.md))."
                    .into(),
            );
            lines.push("`phase contract`: what only old code needs goes.".into());
        }
        if self.has(Phase::Purge) {
            lines.push("`phase purge`, when `keep` is over: what contract kept is dropped.".into());
        }
        for (n, line) in lines.iter().enumerate() {
            writeln!(text, "{}. {}", n + 1, capital(line)).unwrap();
        }
        text
    }

    fn back(&self, words: &Words) -> String {
        let mut text =
            words.back.as_deref().map_or_else(String::new, |words| format!("{}\n\n", words.trim()));
        text += "`phase abort PLAN` runs the undo of each step, the last one first, from every state up to `validated`.";
        text += match (self.plan.keep, self.has(Phase::Contract)) {
            (Some(_), true) => {
                " With `keep` it does so after contract as well, for as long as that lasts; purge is the end."
            }
            (None, true) => {
                " This example has no `keep`, so that contract is the end; with `keep: 7d` abort leads back for 7 days more."
            }
            (_, false) => " Contract has nothing to do, and ends the plan.",
        };
        if self.has(Phase::Purge) && self.synced() == Some(true) {
            text += " Until then the old shape gets what new code writes.";
        }
        let mut lost: Vec<&str> = Vec::new();
        for step in self.steps.iter().filter(|step| step.phase != Phase::Purge) {
            if let Undo::Irreversible(why) = &step.undo
                && !lost.contains(&why.as_str())
            {
                lost.push(why);
            }
        }
        text += "\n";
        for why in lost {
            writeln!(text, "\n- What has no way back: {why}.").unwrap();
        }
        text
    }
}

fn block(sql: &[String]) -> String {
    let statements = sql.iter().map(|sql| format!("{};\n", sql.trim().trim_end_matches(';')));
    format!("```sql\n{}```\n", statements.collect::<String>())
}

/// A text of many lines out of sight until somebody asks for it.
fn folded(title: &str, text: &str) -> String {
    if text.lines().count() <= FOLDED {
        return format!("{title}:\n\n{text}\n");
    }
    format!("<details><summary>{title}</summary>\n\n{text}\n</details>\n\n")
}

fn step_text(step: &Step, world: &mut World) -> String {
    let sent = shown(&step.action, world).unwrap();
    let locks = taken(&inspect(step, world).unwrap());
    let mut text = format!("**{}** {} ({})\n\n", step.id, step.title.replace('<', "\\<"), sent.mode);
    if !sent.sql.is_empty() {
        text += &format!("{}\n", block(&sent.sql));
    }
    for lock in &locks {
        writeln!(text, "- lock: {}", lock.line()).unwrap();
    }
    if !locks.is_empty() {
        text += "\n";
    }
    match &step.undo {
        Undo::Nothing => {}
        Undo::Run(action) => text += &folded("Undo", &block(&shown(action, world).unwrap().sql)),
        Undo::Recorded => {
            text += "Undo: builds it again as it was; its definition is kept when it is dropped.\n\n";
        }
        Undo::Irreversible(why) => writeln!(text, "No undo: {why}.\n").unwrap(),
    }
    text
}

fn field_row(field: &Field) -> String {
    let must = if field.required { "yes" } else { "" };
    let words = match &field.kind {
        Kind::Word(words) => format!(
            " One of {}.",
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        ),
        Kind::Text | Kind::Flag | Kind::List | Kind::Yaml => String::new(),
    };
    format!("| `{}` | {must} | {}{words} |\n", field.name, field.about.replace('|', "\\|"))
}

fn page(form: &Form, example: &Example, shown: &Shown, words: &Words) -> String {
    let mut page = format!(
        "# {}\n\nWritten from `{}` and its example by `make docs`; a test keeps it so.\n\n{}\n\n",
        form.recipe,
        module(form.recipe),
        form.about
    );
    // Where the module says the same sentence, it stands there once.
    let same = format!("`{}`: {}", form.recipe, form.about).to_lowercase();
    let (first, rest) = words.about.trim().split_once("\n\n").unwrap_or((words.about.trim(), ""));
    for part in [first, rest].into_iter().filter(|part| !part.is_empty() && part.to_lowercase() != same) {
        writeln!(page, "{part}\n").unwrap();
    }
    page += "## Fields\n\n| field | needed | |\n|---|---|---|\n";
    page.extend(form.fields.iter().map(field_row));
    writeln!(page, "\n## Example\n\n[plans/{0}.yaml](../../plans/{0}.yaml)", example.stem).unwrap();
    if let Some(tables) = example.before.last() {
        let tables = format!("migrations/{}_{}.sql", tables.version, tables.name);
        writeln!(page, "on the tables of [{tables}](../../{tables})").unwrap();
    }
    writeln!(page, "\n```yaml\n{}```\n", example.text).unwrap();
    let others = example.recipes().any(|recipe| recipe != form.recipe);
    let of = if others { format!(", of its {} alone", form.recipe) } else { String::new() };
    writeln!(
        page,
        "## What runs{of}\n\nAs PostgreSQL 18 gets it; `phase show PLAN` prints it for your server.\n"
    )
    .unwrap();
    page += &shown.steps();
    write!(
        page,
        "## Deploying around it\n\n{}\n## Going back\n\n{}",
        shown.deploying(words),
        shown.back(words)
    )
    .unwrap();
    page
}

#[test]
fn every_recipe_has_its_page() {
    let examples = examples();
    let mut index = INDEX.to_owned();
    for form in Form::all() {
        let named = |example: &&Example| example.stem.ends_with(&format!("_{}", form.recipe));
        let shows = |example: &&Example| example.recipes().any(|recipe| recipe == form.recipe);
        let example = examples.iter().filter(shows).find(named).or_else(|| examples.iter().find(shows));
        let example = example.unwrap_or_else(|| panic!("no plan in plans/ shows {}", form.recipe));
        let shown = Shown::of(example, form.recipe);
        let page = page(&form, example, &shown, &Words::of(form.recipe));
        writeln!(index, "| [{0}]({0}.md) | {1} | {2} |", form.recipe, form.about, shown.phases()).unwrap();
        in_sync(&format!("docs/recipes/{}.md", form.recipe), &page);
    }
    in_sync("docs/recipes/README.md", &index);
}
