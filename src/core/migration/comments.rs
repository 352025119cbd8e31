//! Reads the comments of a SQL migration that say something: accepted findings, and what it builds on.

use crate::core::lint;
use crate::core::plan::model::Place;
use crate::core::sql::Scan;
use crate::core::step::Allow;
use crate::core::version::Version;

/// What a comment begins with that accepts a finding.
const LINT: &str = "lint:";
/// What one begins with that names items which this one builds on.
const DEPENDS_ON: &str = "depends_on:";
/// What every comment begins with that is read.
pub(super) const READ: [&str; 2] = [LINT, DEPENDS_ON];

/// A comment that says something and stands alone on its line.
struct Comment<'a> {
    /// The line, from 1.
    line: usize,
    /// The byte at which it begins.
    at: usize,
    /// What it says after its key.
    said: &'a str,
    /// Whether a statement stands before it.
    begun: bool,
}

/// The comments that begin with a key.
fn comments<'a>(text: &'a str, key: &str) -> Vec<Comment<'a>> {
    let mut state = Scan::default();
    let (mut found, mut begun, mut start) = (Vec::new(), false, 0);
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let comment = line.trim().strip_prefix("--").map(str::trim);
        if let Some(said) = comment.and_then(|text| text.strip_prefix(key)).filter(|_| state.outside()) {
            let at = start + line.len() - line.trim_start().len();
            found.push(Comment { line: n + 1, at, said: said.trim(), begun });
        }
        begun |= state.line(line.trim_end_matches(['\n', '\r']));
        start += line.len();
    }
    found
}

/// Where SQL has a comment that accepts a finding in a migration.
#[must_use]
pub fn lint_comment(sql: &str) -> Option<usize> {
    comments(sql, LINT).first().map(|comment| comment.at)
}

/// The findings that comments accept, for the whole file and for the next statement alone;
/// or the line of a comment that is not right.
pub(super) fn allowed(text: &str) -> Result<(Vec<Allow>, Vec<Allow>), (usize, String)> {
    let (mut all, mut next) = (Vec::new(), Vec::new());
    for Comment { line, said, begun, .. } in comments(text, LINT) {
        let said = said.strip_prefix("allow ").and_then(|allow| allow.split_once(':'));
        let Some((rule, reason)) = said else {
            return Err((line, "write it as -- lint: allow RULE: why it is right all the same".into()));
        };
        let (rule, reason) = (rule.trim().to_owned(), reason.trim().to_owned());
        lint::accepts(&rule, &reason).map_err(|why| (line, why))?;
        let place = Some(Place { line, column: 1 });
        let of = if begun { &mut next } else { &mut all };
        of.push(Allow { rule, reason, place, statement: None });
    }
    Ok((all, next))
}

/// The items that comments say it builds on, or the line of one that is not right.
pub(super) fn depends_on(text: &str) -> Result<Vec<Version>, (usize, String)> {
    let mut found = Vec::new();
    for Comment { line, said, .. } in comments(text, DEPENDS_ON) {
        for word in said.split(',').map(str::trim) {
            let version =
                Version::parse(word).or_else(|| Version::split_stem(word).map(|(version, _)| version));
            found.push(
                version.ok_or_else(|| (line, "write it as -- depends_on: VERSION, VERSION".to_owned()))?,
            );
        }
    }
    Ok(found)
}
