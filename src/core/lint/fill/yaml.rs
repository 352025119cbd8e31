//! Writes the YAML of a safe way: values in quotes where they need them, several ways as one.

/// The safe ways of the changes of one statement as one: the steps of a phase under one key.
pub(in crate::core::lint) fn merged(ways: &[String]) -> String {
    let header = |line: &str| line.ends_with(':') && !line.starts_with(' ');
    // Also a key with its value, such as `keep: 7d`.
    let top = |line: &str| !line.starts_with(' ');
    if !ways.iter().all(|way| way.lines().next().is_some_and(header)) {
        let mut distinct: Vec<&str> = Vec::new();
        ways.iter().filter(|way| !way.is_empty()).for_each(|way| {
            if !distinct.contains(&way.as_str()) {
                distinct.push(way);
            }
        });
        return distinct.join("; ");
    }
    let mut phases: Vec<(&str, String)> = Vec::new();
    for line in ways.iter().flat_map(|way| {
        way.lines().scan("", |phase, line| {
            if top(line) {
                *phase = line;
            }
            Some((*phase, line))
        })
    }) {
        let (phase, line) = line;
        let at = phases.iter().position(|(known, _)| *known == phase).unwrap_or_else(|| {
            phases.push((phase, String::new()));
            phases.len() - 1
        });
        // A gate is one, however many changes wait for it.
        let said = phase == "gates:" && phases[at].1.lines().any(|known| known == line);
        if line != phase && !said {
            phases[at].1 += &format!("{line}\n");
        }
    }
    let order = |phase: &str| {
        let keys = ["settings", "expand", "backfill", "validate", "contract", "gates"];
        let key = phase.split(':').next().unwrap_or_default();
        keys.iter().position(|known| *known == key).unwrap_or(keys.len())
    };
    phases.sort_by_key(|(phase, _)| order(phase));
    phases.into_iter().map(|(phase, steps)| format!("{phase}\n{steps}")).collect()
}

/// A value as YAML: as it is where that is sure to mean the same, else in quotes.
pub(in crate::core) fn scalar(value: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '…');
    let taken = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let starts = value.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    // Between brackets a comma or a bracket would end it; `: ` and ` #` end it anywhere.
    let sentence = |c: char| {
        word(c) || matches!(c, ' ' | '(' | ')' | '=' | '>' | '<' | '+' | '\'' | '/' | '*' | '-' | ';')
    };
    if value.contains(char::is_control) {
        // In double quotes YAML reads what JSON does.
        return serde_json::Value::from(value).to_string();
    }
    if starts && value.chars().all(sentence) && !taken.contains(&value.to_lowercase().as_str()) {
        value.to_owned()
    } else if value.contains('"') || value.contains('\\') {
        format!("'{}'", value.replace('\'', "''"))
    } else {
        format!("\"{value}\"")
    }
}
