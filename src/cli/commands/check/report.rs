//! Owns how findings and faults are printed: for people, for GitHub, for code scanning.

use std::collections::BTreeMap;

use serde_json::json;

use super::remark::Remark;
use crate::core::lint::{self, Finding};
use crate::core::plan::located;
use crate::core::plan::model::Place;

/// Every finding with its line of the file, its locks and the safe way.
pub(super) fn text(findings: &[Finding], sources: &BTreeMap<String, String>) -> String {
    let shown = |finding: &Finding| {
        let level = if finding.refuses() { "error" } else { "warning" };
        let source = sources.get(&finding.file).map_or("", String::as_str);
        let headline = format!("{level}: {}", finding.headline());
        format!(
            "{}\n{}\n",
            located(&finding.file, source, Some(finding.place()), &headline),
            finding.details()
        )
    };
    findings.iter().map(shown).collect()
}

/// SARIF 2.1.0, for code scanning.
pub(super) fn sarif(findings: &[Finding], remarks: &[Remark]) -> String {
    let mut rules: Vec<_> = lint::names().into_iter().map(|rule| json!({ "id": rule })).collect();
    let mut said: Vec<&Remark> = remarks.iter().collect();
    said.sort_by_key(|remark| &remark.rule);
    said.dedup_by_key(|remark| &remark.rule);
    rules.extend(said.iter().map(|remark| json!({ "id": remark.rule, "helpUri": remark.link })));
    let results: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "ruleId": finding.rule,
                "level": if finding.refuses() { "error" } else { "warning" },
                "message": { "text": format!("{}\n{}", finding.headline(), finding.details()) },
                "suppressions": finding.allowed.iter()
                    .map(|reason| json!({ "kind": "inSource", "justification": reason })).collect::<Vec<_>>(),
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": finding.file },
                    "region": { "startLine": finding.line, "startColumn": finding.column },
                } }],
            })
        })
        .collect();
    let results: Vec<_> = results.into_iter().chain(remarks.iter().map(Remark::sarif)).collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "phase", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

/// One finding as a workflow command.
pub(super) fn annotate_finding(finding: &Finding) {
    let level = if finding.refuses() { "error" } else { "warning" };
    let text = format!("{}\n{}", finding.headline(), finding.details());
    command(level, &finding.file, finding.place(), finding.rule, &text);
}

/// Writes a workflow command about a place.
pub(super) fn command(level: &str, file: &str, place: Place, title: &str, text: &str) {
    use std::io::Write;
    let _ = writeln!(
        anstream::stdout(),
        "::{level} file={file},line={},col={},title={title}::{}",
        place.line,
        place.column,
        text.trim_end().replace('%', "%25").replace('\n', "%0A")
    );
}

/// Writes faults as workflow commands; the first line of each is `file:line:column: message`.
pub(super) fn annotate(level: &str, faults: &str) {
    use std::io::Write;
    for fault in faults.split("\n\n") {
        let mut parts = fault.lines().next().unwrap_or_default().splitn(4, ':');
        let (file, line, column, message) = (parts.next(), parts.next(), parts.next(), parts.next());
        let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<u32>().ok());
        let annotation = match (file, number(line), number(column), message) {
            (Some(file), Some(line), Some(column), Some(message)) => {
                format!("::{level} file={file},line={line},col={column}::{}", message.trim())
            }
            _ => format!("::{level}::{}", fault.replace('\n', "%0A")),
        };
        let _ = writeln!(anstream::stdout(), "{annotation}");
    }
}
