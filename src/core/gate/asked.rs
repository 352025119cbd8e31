//! Judges `query`, `http` and `command`: what the user's own checks gave.

use serde_json::json;

use super::facts::{Asked, Facts};
use super::verdict::{Answer, Condition, Verdict};
use crate::core::address::without_secrets;
use crate::core::plan::model::Gate;

pub(super) fn judge(gate: &Gate, facts: &Facts) -> Vec<Verdict> {
    let queries: Vec<String> = gate.query.iter().map(|sql| format!("`{}`", sql.trim())).collect();
    let addresses: Vec<String> = gate.http.iter().map(|check| without_secrets(&check.url)).collect();
    let commands: Vec<String> = gate.command.iter().map(|check| format!("`{}`", check.run.trim())).collect();
    let all = [
        (Condition::Query, queries, &facts.queries),
        (Condition::Http, addresses, &facts.addresses),
        (Condition::Command, commands, &facts.commands),
    ];
    all.into_iter().filter_map(|(condition, named, asked)| each(condition, &named, asked)).collect()
}

/// The verdict over the checks of one kind; one that could not be asked leaves it unknown, unless another says no.
fn each(condition: Condition, named: &[String], asked: &[Asked]) -> Option<Verdict> {
    if named.is_empty() {
        return None;
    }
    let (mut no, mut failed, mut evidence) = (Vec::new(), Vec::new(), Vec::new());
    for (n, name) in named.iter().enumerate() {
        match asked.get(n) {
            Some(Asked::Holds) => evidence.push(format!("{condition} {name} holds")),
            Some(Asked::Other(what)) => no.push(format!("{condition} {name} {what}")),
            Some(Asked::Failed(why)) => failed.push(format!("{condition} {name} failed: {why}")),
            None => failed.push(format!("{condition} {name} was not asked")),
        }
    }
    let answer = match (no.is_empty(), failed.is_empty()) {
        (true, true) => Answer::Open,
        (false, _) => Answer::Closed,
        (true, false) => Answer::Unknown,
    };
    let says = if answer == Answer::Open { evidence } else { no.into_iter().chain(failed).collect() };
    let facts = json!(
        named
            .iter()
            .zip(asked)
            .map(|(name, asked)| json!({"check": name, "answer": asked}))
            .collect::<Vec<_>>()
    );
    Some(Verdict { gate: condition, answer, says, facts, forced: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_failed_leaves_it_unknown() {
        let of = |asked: &[Asked]| each(Condition::Query, &["a".into(), "b".into()], asked);
        let answer = |asked: &[Asked]| of(asked).map(|verdict| verdict.answer);
        let (other, failed) = (Asked::Other("gives f, not true".into()), Asked::Failed("gone".into()));
        assert_eq!(answer(&[Asked::Holds, Asked::Holds]), Some(Answer::Open));
        assert_eq!(answer(&[Asked::Holds, failed.clone()]), Some(Answer::Unknown));
        assert_eq!(answer(&[Asked::Holds]), Some(Answer::Unknown));
        let both = of(&[other, failed]).map(|verdict| (verdict.answer, verdict.says));
        let says = vec!["query a gives f, not true".to_owned(), "query b failed: gone".into()];
        assert_eq!(both, Some((Answer::Closed, says)));
    }
}
