//! `phase tune`.

use std::time::Duration;

use clap::Args;

use crate::cli::args::{Global, duration};
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::core::backfill::Tuning;
use crate::core::backfill::tuning::{MAX_WORKERS, TARGETS, Tune};
use crate::core::pace::signal::Signal;
use crate::core::pace::throttle::limit;
use crate::core::record::Kind;
use crate::core::step::Action;
use crate::engine::stop::Stop;

/// Change how a plan's backfills go about it, from any machine, while they run.
///
/// Every worker takes it up within a second. What is not named stays as it is;
/// without options it only shows what holds.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase tune orders_currency --workers 4\n  phase tune orders_currency --rate 5000 --target 50ms\n  phase tune orders_currency --reset"
)]
pub struct TuneArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
    /// A fixed number of rows a batch; 0 gives the choice back to the servo.
    #[arg(long, allow_negative_numbers = true, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    rows: Option<u32>,
    /// The time at the server that a batch aims for, such as 50ms.
    #[arg(long, allow_negative_numbers = true, value_name = "DURATION", value_parser = target)]
    target: Option<Duration>,
    /// Workers of each process; 0 lets them rest.
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_WORKERS)))]
    workers: Option<u32>,
    /// The most rows a second of each process; 0 lifts the limit.
    #[arg(long, allow_negative_numbers = true, value_name = "ROWS")]
    rate: Option<u32>,
    /// The share of time to sleep, from 0 to 0.99.
    #[arg(long, allow_negative_numbers = true, value_name = "SHARE", value_parser = share)]
    nice: Option<f64>,
    /// The rows in quarantine that stop it; what stopped it goes on with phase resume.
    #[arg(long, allow_negative_numbers = true, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(0..))]
    max_quarantine: Option<u32>,
    /// The limit of a signal, such as replica_lag=10s, active_sessions=off or congestion=off; may be repeated.
    #[arg(long, allow_negative_numbers = true, value_name = "SIGNAL=LIMIT", value_parser = one_limit)]
    limit: Vec<(String, String)>,
    /// Back to what the plan says; options beside it hold on top of that.
    #[arg(long)]
    reset: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if (0.0..=0.99).contains(&share) { Ok(share) } else { Err("a share from 0 to 0.99".into()) }
}

/// Reads the time of a batch.
fn target(text: &str) -> Result<Duration, String> {
    let target = duration(text)?;
    if TARGETS.contains(&target) { Ok(target) } else { Err("from 1ms to 1m".into()) }
}

/// Reads `replica_lag=10s`.
fn one_limit(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it like replica_lag=10s")?;
    match (Signal::from_key(key), value) {
        (Some(signal), value) => limit(signal, value).map(|_| ())?,
        (None, "on" | "off") if key == "congestion" => {}
        (None, _) => {
            if key == "congestion" {
                return Err("congestion is on or off".into());
            }
            let known: Vec<&str> = Signal::ALL.iter().map(|signal| signal.key()).collect();
            return Err(format!("{key:?} is no signal: one of {}, congestion", known.join(", ")));
        }
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// Runs the command.
///
/// # Errors
/// When the plan has no backfill, or the record cannot be written.
pub async fn run(global: &Global, args: &TuneArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "tune", Access::Write, stop).await?;
    let items = desk.about(std::slice::from_ref(&args.plan)).await?.items;
    let item = find(&items, &args.plan)?;
    desk.refuse_over(item).await?;
    let plans: Vec<(&str, &Tuning)> = item
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Backfill(backfill) => Some((step.id.as_str(), &backfill.tuning)),
            _ => None,
        })
        .collect();
    if item.kind == Kind::Sql || plans.is_empty() {
        return Err(CommandError::Usage(format!("{} has no backfill to tune", item.stem())));
    }
    let asked = Tune {
        rows: args.rows,
        target_ms: args.target.map(|target| u64::try_from(target.as_millis()).unwrap_or(u64::MAX)),
        workers: args.workers,
        rate: args.rate,
        nice: args.nice,
        max_quarantine: args.max_quarantine,
        limits: args.limit.iter().cloned().collect(),
    };
    let before = if args.reset { Tune::default() } else { desk.store.tuned(&item.version).await? };
    let tune = asked.clone().over(&before);
    if args.reset || asked != Tune::default() {
        desk.store.register(item).await?;
        let kept = (tune != Tune::default()).then_some(&tune);
        desk.store.tune(&item.version, kept, &desk.actor).await?;
    }
    let mut text = String::new();
    for (step, tuning) in &plans {
        let lines = tuning.with(&tune).describe();
        text += &format!("{} {step}\n", item.stem());
        text.extend(lines.iter().map(|line| format!("  {line}\n")));
    }
    Ok(Output::done(text, &serde_json::json!({"tuned": item.stem(), "settings": tune})))
}
