//! `phase history`.

use clap::Args;
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::core::brief::brief;
use crate::core::gate::Verdict;
use crate::engine::stop::Stop;
use crate::pg::history::{HistoryEvent, ImpactEvent};

/// Show who ran what, when, how long, with which outcome.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase history\n  phase history users_display_name --sql\n  phase history --limit 500 --json"
)]
pub struct HistoryArgs {
    /// The plan: version, name, prefix of either, or path; without it, all of them.
    plan: Option<String>,
    /// The newest so many events.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    limit: i64,
    /// Show the SQL that was sent.
    #[arg(long)]
    sql: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    history: &'a [HistoryEvent],
    /// What the steps of these events did to others.
    impact: &'a [ImpactEvent],
}

/// Runs the command.
///
/// # Errors
/// When the record cannot be read.
pub async fn run(global: &Global, args: &HistoryArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "history", Access::Read, stop).await?;
    let items = desk.about(args.plan.as_slice()).await?.items;
    let version = args.plan.as_deref().map(|plan| find(&items, plan)).transpose()?.map(|item| &item.version);
    let events = if desk.recorded() { desk.store.history(version, args.limit).await? } else { Vec::new() };
    let since = events.first().map(|event| event.at);
    let impacts = match since {
        Some(since) => {
            let all = desk.store.impacts(version).await?;
            // A run that began before the first event that is shown may have ended after it.
            all.into_iter().filter(|run| run.ended_at.is_none_or(|ended| ended >= since)).collect()
        }
        None => Vec::new(),
    };
    let mut text = String::new();
    let mut runs = impacts.iter().peekable();
    for event in &events {
        while let Some(run) = runs.next_if(|run| run.ended_at.unwrap_or(run.began_at) < event.at) {
            text += &impact(run);
        }
        text += &line(event);
        if let Some(sql) = event.sql.as_ref().filter(|sql| args.sql && !sql.is_empty()) {
            text += &format!("      {}\n", sql.replace('\n', "\n      "));
        }
    }
    text.extend(runs.map(impact));
    if events.is_empty() {
        text = "nothing has happened yet".into();
    }
    Ok(Output::done(text, &Document { history: &events, impact: &impacts }))
}

fn impact(run: &ImpactEvent) -> String {
    let undo = if run.undo { "undo of " } else { "" };
    let head =
        format!("{:.0}  {}  impact of {undo}{}", run.ended_at.unwrap_or(run.began_at), run.version, run.step);
    match &run.impact {
        Some(impact) => format!("{head}  {}\n", impact.lines().join("\n      ")),
        None => format!("{head}  not known: it goes on, or its process ended before it could say\n"),
    }
}

fn line(event: &HistoryEvent) -> String {
    let mut parts = vec![format!("{:.0}", event.at)];
    parts.extend(event.version.clone());
    parts.push(event.event.clone());
    parts.extend(event.step.clone());
    if let Some(to) = &event.to_state {
        let from = event.from_state.as_deref().map_or(String::new(), |from| format!("{from} → "));
        parts.push(format!("{from}{to}"));
    }
    parts.push(event.outcome.clone());
    if let Some(ms) = event.duration_ms.and_then(|ms| u64::try_from(ms).ok()) {
        parts.push(brief(std::time::Duration::from_millis(ms)));
    }
    parts
        .push(format!("by {} ({}@{}, phase {})", event.actor, event.os_user, event.host, event.tool_version));
    let detail = event
        .detail
        .as_ref()
        .map_or(String::new(), |detail| format!("\n      {}", detail.replace('\n', "\n      ")));
    let gates: String = event.gates.iter().flat_map(verdict).collect();
    format!("{}{detail}\n{gates}", parts.join("  "))
}

/// How a condition of a gate was judged; in red where somebody passed it by.
fn verdict(verdict: &Verdict) -> Vec<String> {
    let Verdict { gate, forced, .. } = verdict;
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    match forced {
        Some(reason) => {
            let says: Vec<String> = verdict.sentences().collect();
            vec![format!("      {red}FORCED past {gate}: {reason} ({}){red:#}\n", says.join("; "))]
        }
        None => verdict.sentences().map(|says| format!("      gate {says}\n")).collect(),
    }
}
