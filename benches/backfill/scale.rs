//! Part 2: what a row costs, and what memory is held, at ten times the rows.

use crate::lab::{Lab, median};
use crate::ours::{FULL_PACE, Ours, Ran};
use crate::page::{Line, Part, Want, mebibytes, thousand};
use crate::{Outcome, Scale};

/// The most memory that the program may hold, in mebibytes.
const RESIDENT: f64 = 30.0;

pub(crate) async fn part(scale: Scale) -> Outcome<Part> {
    // Small, large, small: a machine that drifts does so around the large one.
    let mut small = runs(scale.rows, 2).await?;
    let large = runs(scale.large, 1).await?;
    small.extend(runs(scale.rows, 2).await?);
    let cost = |ran: &[Ran], rows: u64| median(ran.iter().map(|ran| ran.work * 1e6 / rows as f64).collect());
    let memory = |ran: &[Ran]| median(ran.iter().map(|ran| ran.resident).collect());
    let (cost_small, cost_large) = (cost(&small, scale.rows), cost(&large, scale.large));
    let (memory_small, memory_large) = (memory(&small), memory(&large));
    let most = memory_small.max(memory_large);
    let row = |rows: u64, cost: f64, memory: f64| {
        vec![thousand(rows as f64), format!("{cost:.2}"), mebibytes(memory)]
    };
    Ok(Part {
        number: 2,
        title: "Ten times the rows".into(),
        text: "Full pace, two workers. The small table is run twice before and twice after the large one."
            .into(),
        head: ["rows", "microseconds a row", "resident memory at its peak"].map(str::to_owned).into(),
        table: vec![row(scale.rows, cost_small, memory_small), row(scale.large, cost_large, memory_large)],
        lines: vec![
            Line::new("cost of a row, large over small", cost_large / cost_small, Want::AtMost(1.1)),
            Line::new("most resident memory, MiB", most / 1_048_576.0, Want::AtMost(RESIDENT)),
            Line::new(
                "resident memory, larger over smaller",
                most / memory_small.min(memory_large),
                Want::AtMost(1.1),
            ),
        ],
        plots: Vec::new(),
    })
}

async fn runs(rows: u64, count: usize) -> Outcome<Vec<Ran>> {
    let lab = Lab::start(rows).await?;
    let mut runs = Vec::new();
    for _ in 0..count {
        let fresh = lab.fresh().await?;
        let ours = Ours::new(&fresh.url, &format!("workers: 2, {FULL_PACE}")).await?;
        let ran = ours.run(&fresh.client).await?;
        println!(
            "2: {rows} rows: {:.2} us a row, {} resident",
            ran.work * 1e6 / rows as f64,
            mebibytes(ran.resident)
        );
        runs.push(ran);
        lab.over(fresh).await?;
    }
    Ok(runs)
}
