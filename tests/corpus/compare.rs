//! Compares what psql sent with what `sql::split` finds.

use std::collections::BTreeMap;
use std::fmt;

use phase::core::sql::{blank_comments, split};

use crate::files::without_commands;
use crate::sent::Sent;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    files: usize,
    /// Texts that psql sent.
    pub(crate) statements: usize,
    /// Of these: refused by the parser.
    refused: usize,
    /// Of these: taken by the server of the corpus' version.
    valid: Vec<String>,
    /// Of these: several statements in one text (`\;`).
    together: usize,
    /// Files that could be split whole, and gave what psql sent.
    whole: usize,
    /// Files that could not be compared whole, by the reason.
    apart: BTreeMap<String, usize>,
    /// What was lost or cut in the wrong place.
    pub(crate) lost: Vec<String>,
}

/// Compares one file.
pub(crate) fn compare(file: &str, script: &[u8], sent: &[Sent]) -> Report {
    let mut report = Report { files: 1, statements: sent.len(), ..Report::default() };
    let together = String::from_utf8_lossy(script).contains("\\;");
    let mut single: Vec<(&str, String)> = Vec::new();
    for Sent { text, parsed } in sent {
        let Ok(found) = split(text) else {
            report.refused += 1;
            if *parsed {
                report.valid.push(format!("{file}: {text:?}"));
            }
            continue;
        };
        let mut at = 0;
        for statement in &found {
            let end = statement.offset + statement.text.len();
            // Between two statements there is nothing but blanks, comments and semicolons.
            if !nothing(text.get(at..statement.offset))
                || text.get(statement.offset..end) != Some(&statement.text)
            {
                report.lost.push(format!("{file}: around {:?} in {text:?}", statement.text));
            }
            at = end;
        }
        if !nothing(text.get(at..)) {
            report.lost.push(format!("{file}: the end of {text:?}"));
        }
        match found.as_slice() {
            [only] => single.push((text, only.text.clone())),
            [] => {}
            _ if together => report.together += 1,
            several => report.lost.push(format!("{file}: {} statements in {text:?}", several.len())),
        }
    }
    // Joined, they must come apart again as they were.
    let joined: String = single.iter().map(|(text, _)| format!("{text}\n;\n")).collect();
    match split(&joined) {
        Ok(found) => {
            let (found, sent): (Vec<_>, Vec<_>) = (
                found.iter().map(|of| of.text.trim()).collect(),
                single.iter().map(|(_, text)| text.trim()).collect(),
            );
            if found != sent {
                report.lost.push(format!("{file}: {} statements joined give {}", sent.len(), found.len()));
            }
        }
        Err(error) => report.lost.push(format!("{file}: joined: {error}")),
    }
    match whole(script, sent) {
        Ok(()) => report.whole = 1,
        Err(why) => _ = report.apart.insert(why, 1),
    }
    report
}

/// Compares the file as a whole with what psql sent; why it cannot be, where it cannot.
fn whole(script: &[u8], sent: &[Sent]) -> Result<(), String> {
    let script = std::str::from_utf8(script).map_err(|_| "no UTF-8")?;
    let plain = without_commands(script)?;
    let found = split(&plain).map_err(|_| "statements that are wrong on purpose")?;
    let found: Vec<String> = found.iter().map(|statement| bare(&statement.text)).collect();
    let mut left = found.as_slice();
    for text in sent.iter().map(|sent| bare(&sent.text)).filter(|text| !text.is_empty()) {
        match left {
            [next, rest @ ..] if *next == text => left = rest,
            // What psql asks of the catalog for its own commands.
            _ if text.contains("pg_catalog.") => {}
            [next, ..] if next.contains(':') => return Err("variables of psql".into()),
            [next, ..] => return Err(format!("other: {:?} for {:?}", cut(next), cut(&text))),
            [] => return Err(format!("other: {:?} was sent besides", cut(&text))),
        }
    }
    if left.is_empty() { Ok(()) } else { Err(format!("other: {} were not sent", left.len())) }
}

fn cut(text: &str) -> String {
    text.chars().take(70).collect()
}

/// A statement without comments, with single blanks, and without its semicolon.
fn bare(text: &str) -> String {
    let blank = blank_comments(text).unwrap_or_else(|_| text.to_owned());
    blank.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches([';', ' ']).to_owned()
}

fn nothing(text: Option<&str>) -> bool {
    text.and_then(|text| blank_comments(text).ok())
        .is_some_and(|blank| blank.chars().all(|c| c.is_whitespace() || c == ';'))
}

impl Report {
    pub(crate) fn add(&mut self, other: Self) {
        self.files += other.files;
        self.statements += other.statements;
        self.refused += other.refused;
        self.together += other.together;
        self.whole += other.whole;
        for (why, count) in other.apart {
            *self.apart.entry(why).or_default() += count;
        }
        self.valid.extend(other.valid);
        self.lost.extend(other.lost);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} files, {} texts sent by psql", self.files, self.statements)?;
        writeln!(
            f,
            "{} of them refused by the parser, {} of several statements (\\;)",
            self.refused, self.together
        )?;
        writeln!(f, "{} of those refused are taken by the server", self.valid.len())?;
        for valid in &self.valid {
            writeln!(f, "  {}", valid.chars().take(200).collect::<String>())?;
        }
        writeln!(f, "{} files split whole are what psql sent; the others have", self.whole)?;
        for (why, count) in &self.apart {
            writeln!(f, "  {count:3}  {why}")?;
        }
        for lost in &self.lost {
            writeln!(f, "LOST {}", lost.chars().take(400).collect::<String>())?;
        }
        write!(f, "{} lost", self.lost.len())
    }
}
