//! `make bench`: what a backfill costs and what an application beside it feels,
//! each figure as a ratio to its rivals in the same run. It is a report, not a
//! test: it writes docs/benchmarks.md, and says what falls short.
//!
//! `BENCH_ROWS` (1000000), `BENCH_LARGE` (10000000), `BENCH_ROUNDS` (5) and
//! `BENCH_SECONDS` (40) size it; `BENCH_ONLY=1,3` runs some of its parts, which take
//! their places on the page.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    missing_docs
)]

mod beside;
mod hot;
mod lab;
mod load;
mod ours;
mod pace;
mod page;
mod plot;
mod replica;
mod rivals;
mod scale;
mod size;
mod stretches;

use std::process::ExitCode;

use page::Part;

/// Why a part could not be measured.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How large everything is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Rows of the table.
    pub(crate) rows: u64,
    /// Rows of the large table.
    pub(crate) large: u64,
    /// How often what is compared is run, in turn.
    pub(crate) rounds: usize,
    /// Seconds beside the application, each way.
    pub(crate) seconds: u64,
}

fn main() -> ExitCode {
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|text| text.replace('_', "").parse().ok()).unwrap_or(usual)
    };
    let scale = Scale {
        rows: number("BENCH_ROWS", 1_000_000),
        large: number("BENCH_LARGE", 10_000_000),
        rounds: usize::try_from(number("BENCH_ROUNDS", 5)).unwrap_or(5).max(1),
        seconds: number("BENCH_SECONDS", 40).max(5),
    };
    let only = std::env::var("BENCH_ONLY").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match runtime.block_on(run(scale, &only)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(scale: Scale, only: &str) -> Outcome<()> {
    let wanted = |number: &str| only.is_empty() || only.split(',').any(|part| part.trim() == number);
    let mut parts: Vec<Part> = Vec::new();
    let setting = lab::Lab::setting()?;
    println!("{setting}\n");
    if wanted("1") || wanted("4") {
        let lab = lab::Lab::start(scale.rows).await?;
        if wanted("1") {
            parts.push(pace::part(&lab, scale).await?);
        }
        if wanted("4") {
            parts.push(size::part(&lab, scale).await?);
        }
    }
    if wanted("2") {
        parts.push(scale::part(scale).await?);
    }
    if wanted("3") {
        parts.push(beside::part(&lab::Lab::start(scale.rows).await?, scale).await?);
    }
    if wanted("5") {
        parts.push(replica::part(scale).await?);
    }
    if wanted("6") {
        parts.push(hot::part(scale).await?);
    }
    parts.sort_by_key(|part| part.number);
    page::verdict(&parts);
    page::write(&setting, scale, &parts)
}
