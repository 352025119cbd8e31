//! Part 4: how large table and indexes are afterwards, without any VACUUM, and
//! what stripes cost where an old snapshot makes them useless.

use crate::lab::{Fresh, Lab, Sizes, connect, median};
use crate::ours::{FULL_PACE, Ours};
use crate::page::{Line, Part, Want, mebibytes};
use crate::{Outcome, Scale, rivals};

pub(crate) async fn part(lab: &Lab, scale: Scale) -> Outcome<Part> {
    let fresh = lab.fresh().await?;
    let before = fresh.sizes().await?;
    rivals::one_update(&fresh.client).await?;
    let by_update = fresh.sizes().await?;
    lab.over(fresh).await?;
    let fresh = lab.fresh().await?;
    let by_ours = after_ours(&fresh, "workers: 1").await?.0;
    lab.over(fresh).await?;
    let fresh = lab.fresh().await?;
    let by_two = after_ours(&fresh, "workers: 2").await?.0;
    lab.over(fresh).await?;

    let (mut with, mut without, mut old) = (Vec::new(), Vec::new(), by_ours);
    for round in 0..scale.rounds {
        for (settings, seconds) in [("stripes: true", &mut with), ("stripes: false", &mut without)] {
            let fresh = lab.fresh().await?;
            let reader = connect(&fresh.url).await?;
            reader
                .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
                .await?;
            let (sizes, took) = after_ours(&fresh, &format!("batch: {{{settings}}}")).await?;
            seconds.push(took);
            old = if settings == "stripes: true" { sizes } else { old };
            lab.over(fresh).await?;
        }
        println!(
            "4, round {}: old snapshot, stripes {:.2} s, none {:.2} s",
            round + 1,
            with[round],
            without[round]
        );
    }
    let cost = median(with.iter().zip(&without).map(|(with, without)| with / without).collect());
    let row = |name: &str, after: Sizes| {
        vec![
            name.to_owned(),
            mebibytes(after.table),
            mebibytes(after.indexes),
            format!("{:.2}", after.table / before.table),
            format!("{:.2}", after.indexes / before.indexes),
            format!("{:.2}", all(after) / all(before)),
        ]
    };
    Ok(Part {
        number: 4,
        title: "Size".into(),
        text: format!(
            "No VACUUM runs. Before: table {}, indexes {}. With an old snapshot open nothing can be pruned, so stripes cannot help.",
            mebibytes(before.table),
            mebibytes(before.indexes)
        ),
        head: ["after", "table", "indexes", "table over before", "indexes over before", "together"]
            .map(str::to_owned)
            .into(),
        table: vec![
            row("one UPDATE", by_update),
            row("phase, one worker", by_ours),
            row("phase, two workers", by_two),
            row("phase, an old snapshot open", old),
        ],
        lines: vec![
            Line::new("table over its size before", by_ours.table / before.table, Want::AtMost(1.3)),
            Line::new("indexes over their size before", by_ours.indexes / before.indexes, Want::AtMost(1.3)),
            Line::new("time with stripes over none, an old snapshot open", cost, Want::AtMost(1.1)),
        ],
        plots: Vec::new(),
    })
}

fn all(sizes: Sizes) -> f64 {
    sizes.table + sizes.indexes
}

async fn after_ours(fresh: &Fresh, settings: &str) -> Outcome<(Sizes, f64)> {
    let ours = Ours::new(&fresh.url, &format!("{settings}, {FULL_PACE}")).await?;
    let ran = ours.run(&fresh.client).await?;
    Ok((fresh.sizes().await?, ran.work))
}
