//! Part 1: full pace against one UPDATE and the usual script.

use std::time::Duration;

use crate::lab::{Lab, median};
use crate::ours::{FULL_PACE, Ours};
use crate::page::{Line, Part, Want, thousand};
use crate::{Outcome, Scale, rivals};

/// The script gets slower with every batch; what it did by then is its speed.
const SCRIPT: Duration = Duration::from_secs(60);

/// Rows a second, and bytes of the log a row.
#[derive(Debug, Clone, Copy)]
struct Speed {
    rows: f64,
    log: f64,
    /// Rows a second of the whole command with its proof.
    whole: f64,
}

pub(crate) async fn part(lab: &Lab, scale: Scale) -> Outcome<Part> {
    let rows = lab.rows as f64;
    let (mut update, mut one, mut two) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..scale.rounds {
        let fresh = lab.fresh().await?;
        let before = fresh.log().await?;
        let took = rivals::one_update(&fresh.client).await?;
        let log = (fresh.log().await? - before) / rows;
        update.push(Speed { rows: rows / took, log, whole: rows / took });
        lab.over(fresh).await?;
        for (workers, speeds) in [(1, &mut one), (2, &mut two)] {
            let fresh = lab.fresh().await?;
            let ours = Ours::new(&fresh.url, &format!("workers: {workers}, {FULL_PACE}")).await?;
            let before = fresh.log().await?;
            let ran = ours.run(&fresh.client).await?;
            let log = (fresh.log().await? - before) / rows;
            speeds.push(Speed { rows: rows / ran.work, log, whole: rows / ran.whole });
            lab.over(fresh).await?;
        }
        println!(
            "1, round {}: one UPDATE {:.0} rows/s, one worker {:.0}, two workers {:.0}",
            round + 1,
            update[round].rows,
            one[round].rows,
            two[round].rows
        );
    }
    let mut scripts = Vec::new();
    for pause in [Duration::ZERO, rivals::PAUSE] {
        let fresh = lab.fresh().await?;
        let (done, took) = rivals::script(&fresh.client, pause, SCRIPT).await?;
        println!("1: the script, {pause:?} pause: {:.0} rows/s", done / took);
        scripts.push(done / took);
        lab.over(fresh).await?;
    }
    // Round by round, so that a machine that drifts does so for both.
    let ratio = |ours: &[Speed], of: fn(&Speed) -> f64| {
        median(ours.iter().zip(&update).map(|(ours, update)| of(ours) / of(update)).collect())
    };
    let middle = |speeds: &[Speed], of: fn(&Speed) -> f64| median(speeds.iter().map(of).collect());
    let by_rows: fn(&Speed) -> f64 = |speed| speed.rows;
    let by_log: fn(&Speed) -> f64 = |speed| speed.log;
    let by_whole: fn(&Speed) -> f64 = |speed| speed.whole;
    let best = middle(&two, by_rows);
    let table = [("one UPDATE", &update), ("phase, one worker", &one), ("phase, two workers", &two)].map(
        |(name, speeds)| {
            vec![
                name.to_owned(),
                thousand(middle(speeds, by_rows)),
                thousand(middle(speeds, by_whole)),
                format!("{:.0}", middle(speeds, by_log)),
            ]
        },
    );
    let mut table: Vec<Vec<String>> = table.into();
    for (name, speed) in [("the script", scripts[0]), ("the script, 100 ms pause", scripts[1])] {
        table.push(vec![name.into(), thousand(speed), thousand(speed), String::new()]);
    }
    Ok(Part {
        number: 1,
        title: "Full pace".into(),
        text: format!(
            "`{FULL_PACE}` on {} rows; medians of {} rounds in turn. The script is `UPDATE … WHERE id IN (SELECT id … WHERE cents IS NULL LIMIT 1000)` in a loop, for a minute at most.",
            thousand(rows),
            scale.rounds
        ),
        head: ["", "rows/s", "rows/s with the proof", "WAL bytes a row"].map(str::to_owned).into(),
        table,
        lines: vec![
            Line::new("rows/s over one UPDATE, two workers", ratio(&two, by_rows), Want::AtLeast(1.4)),
            Line::new("rows/s over one UPDATE, one worker", ratio(&one, by_rows), Want::AtLeast(1.15)),
            Line::new("WAL over one UPDATE's, one worker", ratio(&one, by_log), Want::AtMost(0.7)),
            Line::new("WAL over one UPDATE's, two workers", ratio(&two, by_log), Want::AtMost(0.7)),
            Line::new("rows/s over the script", best / scripts[0], Want::AtLeast(2.0)),
            Line::new("rows/s over the script with its pause", best / scripts[1], Want::AtLeast(8.0)),
        ],
        plots: Vec::new(),
    })
}
