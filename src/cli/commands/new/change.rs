//! `phase new --change`: a plan of one recipe, from `--set` and, on a terminal, from questions.

use std::io::{self, BufRead, IsTerminal, Write};

use super::skeleton;
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::core::recipe::form::{Field, Form, Given, Kind};
use crate::core::version::Version;

/// The text of the plan.
pub(super) fn text(
    recipe: &str,
    set: &[String],
    version: &Version,
    name: &str,
) -> Result<String, CommandError> {
    let form = Form::of(recipe).ok_or_else(|| CommandError::Usage(choices(recipe)))?;
    let mut given = given(set)?;
    // Its sections are steps: nobody writes them as answers.
    if recipe == "sql" && given.is_empty() {
        return Ok(skeleton::text(&name.replace('_', " ")));
    }
    // What is misspelt is said before anybody is asked.
    form.accepts(&given).map_err(|error| CommandError::Usage(error.to_string()))?;
    let asked = !form.missing(&given).is_empty();
    if asked {
        // Nothing has been caught or written by now: Ctrl-C ends the process as it does any other.
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            ask(&form, &mut given, &mut io::stdin().lock(), &mut io::stderr())?;
        } else {
            return Err(CommandError::Usage(needed(&form, &given, name)));
        }
    }
    form.plan(version, name, &given).map_err(|error| {
        let again = if asked {
            format!("\nnothing was written; again: {}", command(&form, &given, name))
        } else {
            String::new()
        };
        CommandError::Usage(format!("{error}{again}"))
    })
}

/// Every recipe with its sentence, for a result on stdout.
pub(super) fn list() -> Output {
    let forms = Form::all();
    let rows = forms.iter().map(|form| (form.recipe, form.about.as_str()));
    let recipes: Vec<_> =
        rows.clone().map(|(name, about)| serde_json::json!({"recipe": name, "about": about})).collect();
    let text = listed("phase new NAME --change RECIPE", rows);
    Output::done(text, &serde_json::json!({ "recipes": recipes }))
}

/// Asks a terminal which recipe it is to be; `None`: nobody can be asked.
pub(super) fn which() -> Result<Option<String>, CommandError> {
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal();
    if terminal { ask_which(&mut io::stdin().lock(), &mut io::stderr()).map(Some) } else { Ok(None) }
}

fn ask_which(answers: &mut dyn BufRead, questions: &mut dyn Write) -> Result<String, CommandError> {
    let forms = Form::all();
    let head = "which recipe?";
    let rows = forms.iter().map(|form| (form.recipe, form.about.as_str()));
    writeln!(questions, "{}", listed(head, rows)).map_err(failed)?;
    loop {
        let Some(line) = answer("recipe", answers, questions)? else {
            return Err(CommandError::Usage("no recipe was named: nothing was written".into()));
        };
        match forms.iter().find(|form| form.recipe == line) {
            Some(form) => return Ok(form.recipe.into()),
            None if line.is_empty() => {}
            None => {
                let near = forms.iter().min_by_key(|form| strsim::osa_distance(form.recipe, &line));
                let near = near.map_or("", |form| form.recipe);
                writeln!(questions, "  there is no recipe {line:?}; did you mean {near}?").map_err(failed)?;
            }
        }
    }
}

/// One answer, or `None` at the end of all.
fn answer(
    name: &str,
    answers: &mut dyn BufRead,
    questions: &mut dyn Write,
) -> Result<Option<String>, CommandError> {
    write!(questions, "{name}: ").and_then(|()| questions.flush()).map_err(failed)?;
    let mut line = String::new();
    let read = answers.read_line(&mut line).map_err(failed)?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}

#[allow(clippy::needless_pass_by_value, reason = "map_err gives it by value")]
fn failed(error: io::Error) -> CommandError {
    CommandError::Io(format!("the terminal: {error}"))
}

/// What `--set` gives.
fn given(set: &[String]) -> Result<Given, CommandError> {
    let mut given = Given::new();
    for one in set {
        let Some((key, value)) = one.split_once('=') else {
            return Err(CommandError::Usage(format!("--set {one}: write KEY=VALUE, such as table=users")));
        };
        if given.insert(key.trim().into(), value.into()).is_some() {
            return Err(CommandError::Usage(format!("--set {} is given twice", key.trim())));
        }
    }
    Ok(given)
}

/// The recipes that there are.
fn choices(recipe: &str) -> String {
    let forms = Form::all();
    let near = forms.iter().min_by_key(|form| strsim::osa_distance(form.recipe, recipe));
    let near = near.map_or("", |form| form.recipe);
    let head = format!("there is no recipe {recipe:?}; did you mean {near}?");
    listed(&head, forms.iter().map(|form| (form.recipe, form.about.as_str())))
}

/// What a recipe needs, with a command that gives it.
fn needed(form: &Form, given: &Given, name: &str) -> String {
    let head = format!("{} needs more:", form.recipe);
    let missing = form.missing(given);
    let mut text = listed(&head, missing.iter().map(|field| (field.name.as_str(), field.about.as_str())));
    let rest = form.fields.iter().filter(|field| !field.required && !given.contains_key(&field.name));
    let rest: Vec<&str> = rest.map(|field| field.name.as_str()).collect();
    if !rest.is_empty() {
        text += &format!("\nand takes {}", rest.join(", "));
    }
    format!("{text}\nexample: {}", command(form, given, name))
}

fn listed<'a>(head: &str, rows: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> String {
    let width = rows.clone().map(|(name, _)| name.len()).max().unwrap_or_default();
    rows.fold(head.to_owned(), |text, (name, about)| format!("{text}\n  {name:width$}  {about}"))
}

/// The whole command; in the place of what is missing stands the field in capitals.
fn command(form: &Form, given: &Given, name: &str) -> String {
    let mut text = format!("phase new {name} --change {}", form.recipe);
    for field in &form.fields {
        let value = match given.get(&field.name) {
            Some(value) => value.clone(),
            None if field.required => field.name.to_uppercase(),
            None => continue,
        };
        text += &format!(" --set {}", shell(&format!("{}={value}", field.name)));
    }
    text
}

fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "=_./:@%+-,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Asks for every field that is missing, and for those that may be left out; a wrong answer is asked for again.
fn ask(
    form: &Form,
    given: &mut Given,
    answers: &mut dyn BufRead,
    questions: &mut dyn Write,
) -> Result<(), CommandError> {
    let (needed, free): (Vec<&Field>, Vec<&Field>) =
        form.fields.iter().filter(|field| !given.contains_key(&field.name)).partition(|field| field.required);
    writeln!(questions, "{}: {}\n  {}", form.recipe, form.about, form.usage).map_err(failed)?;
    for field in needed.into_iter().chain(free) {
        let leave = if field.required { "" } else { " Enter leaves it out." };
        writeln!(questions, "{}{}{leave}", field.about, hint(&field.kind)).map_err(failed)?;
        loop {
            let Some(line) = answer(&field.name, answers, questions)? else {
                return Err(CommandError::Usage(format!(
                    "no answer for {}: nothing was written",
                    field.name
                )));
            };
            let wrong = match &field.kind {
                _ if line.is_empty() && field.required => Some("it is needed".into()),
                _ if line.is_empty() => break,
                Kind::Word(words) if !words.contains(&line) => Some(format!("one of {}", words.join(", "))),
                _ => form.wrong(field, &line),
            };
            if let Some(wrong) = wrong {
                writeln!(questions, "  {wrong}").map_err(failed)?;
                continue;
            }
            given.insert(field.name.clone(), line);
            break;
        }
    }
    Ok(())
}

fn hint(kind: &Kind) -> String {
    match kind {
        Kind::Text => String::new(),
        Kind::Word(words) => format!(" One of {}.", words.join(", ")),
        Kind::Flag => " true or false.".into(),
        Kind::List => " One, or several with commas between them.".into(),
        Kind::Yaml => " As YAML in one line, such as [a, b] or {a: b}.".into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn form() -> Form {
        Form::of("rename_column").unwrap()
    }

    fn set(pairs: &[&str]) -> Vec<String> {
        pairs.iter().map(|pair| (*pair).to_owned()).collect()
    }

    fn said(result: Result<impl std::fmt::Debug, CommandError>) -> String {
        match result {
            Err(CommandError::Usage(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_terminal_is_asked_for_what_is_missing_and_for_nothing_else() {
        let mut given = given(&set(&["table=members"])).unwrap();
        let mut questions = Vec::new();
        ask(&form(), &mut given, &mut &b"name\n\n  display_name \n"[..], &mut questions).unwrap();
        insta::assert_snapshot!(String::from_utf8(questions).unwrap(), @r"
        rename_column: Another name for a column; both names work until contract.
          rename_column: {table, from, to}
        The column's name now.
        from: Its name at the end.
        to:   it is needed
        to:
        ");
        assert_eq!(given, super::given(&set(&["table=members", "from=name", "to=display_name"])).unwrap());
    }

    #[test]
    fn a_wrong_answer_is_asked_for_again_and_what_may_be_left_out_can_be() {
        let form = Form::of("add_unique").unwrap();
        let mut given = given(&set(&["table=t"])).unwrap();
        let (mut questions, rest) = (Vec::new(), "\n".repeat(form.fields.len()));
        let answers = format!("[id\nlower, id\n{rest}");
        ask(&form, &mut given, &mut answers.as_bytes(), &mut questions).unwrap();
        assert_eq!(given, super::given(&set(&["table=t", "columns=lower, id"])).unwrap());
        let asked = String::from_utf8(questions).unwrap();
        assert_eq!(asked.matches("columns: ").count(), 2, "{asked}");
        assert!(asked.contains("Enter leaves it out.\nnulls_not_distinct: "), "{asked}");
    }

    #[test]
    fn answers_that_end_too_soon_write_nothing() {
        let mut given = Given::new();
        let ended = ask(&form(), &mut given, &mut &b"members\n"[..], &mut Vec::new());
        assert_eq!(said(ended), "no answer for from: nothing was written");
    }

    #[test]
    fn without_a_terminal_the_command_is_said() {
        let given = given(&set(&[r#"table="Odd ""name""""#, "to=it's"])).unwrap();
        insta::assert_snapshot!(needed(&form(), &given, "x"), @r#"
        rename_column needs more:
          from  The column's name now.
        example: phase new x --change rename_column --set 'table="Odd ""name"""' --set from=FROM --set 'to=it'\''s'
        "#);
    }

    #[test]
    fn what_is_set_is_read_to_the_first_equals_sign_and_once() {
        let read = given(&set(&["where=a = b"])).unwrap();
        assert_eq!(read.get("where").map(String::as_str), Some("a = b"));
        assert_eq!(said(given(&set(&["a=1", "a=2"]))), "--set a is given twice");
        assert!(said(given(&set(&["a"]))).contains("KEY=VALUE"));
    }

    #[test]
    fn an_unknown_recipe_names_them_all() {
        let text = choices("rename_col");
        assert!(text.starts_with("there is no recipe \"rename_col\"; did you mean rename_column?"), "{text}");
        for form in Form::all() {
            assert!(text.contains(&form.about) && list().text.contains(&form.about), "{text}");
        }
    }

    #[test]
    fn a_terminal_is_asked_which_recipe_until_there_is_one() {
        let mut questions = Vec::new();
        let which = ask_which(&mut &b"\nrename_colum\nrename_column\n"[..], &mut questions).unwrap();
        assert_eq!(which, "rename_column");
        let asked = String::from_utf8(questions).unwrap();
        assert!(asked.contains("\"rename_colum\"; did you mean rename_column?"), "{asked}");
        let ended = ask_which(&mut &b"x\n"[..], &mut Vec::new());
        assert_eq!(said(ended), "no recipe was named: nothing was written");
    }
}
