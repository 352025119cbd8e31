//! `phase quarantine` and `phase retry-bad`: the rows that a backfill could not change.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::{Code, CommandError};
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::core::step::Action;
use crate::engine::Target;
use crate::engine::backfill::ports::{BadRow, Ledger};
use crate::engine::stop::Stop;
use crate::pg::target::Retried;

/// List the rows that a plan's backfills could not change: key, error, code, when.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase quarantine orders_currency\n  phase quarantine orders_currency --json"
)]
pub struct QuarantineArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
}

/// Try the rows in quarantine once more, after the data was mended.
///
/// Works at any time, also beside a backfill that runs. Exit code 1 when some of
/// them fail again.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  phase retry-bad orders_currency")]
pub struct RetryBadArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
}

/// Runs `phase quarantine`.
///
/// # Errors
/// When the plan is not there or the record cannot be read.
pub async fn list(global: &Global, args: &QuarantineArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "quarantine", Access::Read, stop).await?;
    let items = desk.about(std::slice::from_ref(&args.plan)).await?.items;
    let item = find(&items, &args.plan)?;
    let bad = if desk.recorded() { desk.store.quarantined(&item.version, None).await? } else { Vec::new() };
    let mut text: String = bad.iter().map(describe).collect();
    text += &match bad.len() {
        0 => format!("{}: no row is in quarantine", item.stem()),
        1 => format!("1 row; when its cause is gone: phase retry-bad {}", item.version),
        n => format!("{n} rows; when their cause is gone: phase retry-bad {}", item.version),
    };
    Ok(Output::done(text, &serde_json::json!({"quarantine": bad})))
}

fn describe(row: &BadRow) -> String {
    let why = row.error.lines().next().unwrap_or_default();
    let times = if row.attempts == 1 { "time" } else { "times" };
    format!(
        "{} {} ({}): {why}; tried {} {times}, last {:.0}\n",
        row.step,
        row.leaf,
        row.key.join(", "),
        row.attempts,
        row.last_at
    )
}

/// Runs `phase retry-bad`.
///
/// # Errors
/// When the plan is not there or the server cannot be reached.
pub async fn retry(global: &Global, args: &RetryBadArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "retry-bad", Access::Write, stop).await?;
    let items = desk.about(std::slice::from_ref(&args.plan)).await?.items;
    let item = find(&items, &args.plan)?;
    let bad = desk.store.quarantined(&item.version, None).await?;
    let (mut mended, mut right, mut gone, mut again) = (0_u64, 0_u64, 0_u64, Vec::new());
    for step in &item.steps {
        let Action::Backfill(backfill) = &step.action else { continue };
        let rows: Vec<&BadRow> = bad.iter().filter(|row| row.step == step.id).collect();
        if rows.is_empty() {
            continue;
        }
        let table = desk.target.table(backfill).await?;
        for row in rows {
            if desk.stop.reason().is_some() {
                break;
            }
            let Some(leaf) = table.leaf(&row.leaf) else {
                desk.store.bad_gone(&item.version, row).await?;
                gone += 1;
                continue;
            };
            match desk.target.retry(&item.version, backfill, leaf, row, &item.limits).await {
                Ok(Some(Retried::Gone)) => gone += 1,
                Ok(Some(Retried::Right)) => right += 1,
                Ok(Some(Retried::Mended)) => mended += 1,
                Ok(None) => {}
                Err(failure) => {
                    desk.store.bad_again(&item.version, row, &failure).await?;
                    let why = failure.message.lines().next().unwrap_or_default();
                    again.push(format!("{} ({}): {why}", row.leaf, row.key.join(", ")));
                }
            }
        }
    }
    if !bad.is_empty() {
        let detail = format!(
            "{} rows tried: {mended} mended, {right} right already, {gone} gone or moved, {} failed again",
            bad.len(),
            again.len()
        );
        desk.store.note(&item.version, "retry-bad", &detail).await?;
    }
    let mut text = format!(
        "{}: {mended} {} mended, {right} right already, {gone} gone or moved, {} failed again\n",
        item.stem(),
        if mended == 1 { "row" } else { "rows" },
        again.len()
    );
    if right + gone > 0 {
        text += &format!(
            "  its key may stand for another row by now, or the row may have moved: only a look at all rows tells, \
             which is asked for before validate: phase validate {} --prove\n",
            item.version
        );
    }
    for why in &again {
        text += &format!("  {why}\n");
    }
    let code = if again.is_empty() { Code::Done } else { Code::Failed };
    let json = serde_json::json!({"mended": mended, "right": right, "gone": gone, "failed": again});
    Ok(Output::done(text, &json).with_code(code))
}
