//! Part 3: what an application feels beside each way to do it.

use std::ops::Range;
use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::NoTls;

use crate::lab::{Fresh, Lab, median};
use crate::load;
use crate::ours::{FULL_PACE, Ours, written};
use crate::page::{Line, Part, Plot, Want};
use crate::plot;
use crate::stretches::{All, Seen, Way, together};
use crate::{Outcome, Scale, rivals};

/// The share of the server's capacity that the application asks for.
const SHARE: f64 = 0.6;
/// Seconds until the load is even: after a checkpoint every page is logged whole once.
const WARM: u64 = 10;
/// Seconds in which the capacity is measured.
const CAPACITY: u64 = 8;
/// Seconds until what was going on when a way ended is over.
const SETTLE: u64 = 1;
/// Seconds of a stretch, which has a p99 of its own.
const STRETCH: f64 = 10.0;

pub(crate) async fn part(lab: &Lab, scale: Scale) -> Outcome<Part> {
    let mut seen: Vec<Seen> = Vec::new();
    for round in 0..scale.rounds {
        let mut ways = vec![Way::Default, Way::ScriptWithPause];
        let capacity = capacity(lab).await?;
        if round == 0 {
            ways.extend([Way::FullPace, Way::Script, Way::OneUpdate]);
        }
        for way in ways {
            let one = measure(lab, way, capacity, scale).await?;
            one.print(round + 1);
            seen.push(one);
        }
    }
    let all = [Way::Default, Way::ScriptWithPause, Way::Script, Way::OneUpdate, Way::FullPace]
        .map(|way| All::of(way, &seen));
    let [ours, script, ..] = &all;
    let points: Vec<plot::Point> = all
        .iter()
        .map(|all| plot::Point {
            name: all.name,
            x: all.rows_per_s,
            y: together(&all.beside),
            ours: all.name.starts_with("phase"),
        })
        .collect();
    let nothing = All::nothing(&seen);
    let baseline = together(nothing.alone.iter().chain(&nothing.beside));
    let rows_per_s = ours.rows_per_s / script.rows_per_s;
    let turns = Turns::of(Way::Default, scale);
    Ok(Part {
        number: 3,
        title: "Beside an application".into(),
        text: format!(
            "pgbench, select and update by key, 8 clients, open loop at 60% of the transactions a second that they reach alone, measured before each round ({:.0} in the middle). Each way has {} s. Phase and the script with its pause have {} rounds in turn, and in each round {} turns of {} s, started anew each time, with as long without them before, between and after, all in one run of pgbench; the others, which leave a queue behind, have one round and one turn, after {half} s alone. The machine stalls for tens of milliseconds now and then: the p99 of all transactions of all rounds counts that, the p99 of {STRETCH:.0} s in the middle (the median of all stretches of {STRETCH:.0} s) does not, and the first line of the table shows what both say of nothing at all.",
            median(seen.iter().map(|seen| seen.capacity).collect()),
            scale.seconds,
            scale.rounds,
            turns.count,
            turns.beside,
            half = half(scale),
        ),
        head: [
            "",
            "rows/s",
            "p99 alone, ms",
            "p99 beside it, ms",
            "ratio",
            "p99 of 10 s alone, ms",
            "beside it, ms",
            "ratio",
            "p50 beside it, ms",
            "worst, ms",
        ]
        .map(str::to_owned)
        .into(),
        table: std::iter::once(&nothing).chain(&all).map(All::cells).collect(),
        lines: vec![
            Line::new("p99 over its baseline, nothing tuned", ours.ratio(), Want::AtMost(1.5)),
            Line::new(
                "p99 over its baseline, nothing tuned, 10 s in the middle",
                ours.middle(),
                Want::AtMost(1.5),
            ),
            Line::new(
                "rows/s over the script with its pause, beside the application",
                rows_per_s,
                Want::AtLeast(1.0),
            ),
        ],
        plots: vec![Plot {
            file: "beside.svg",
            about: "What an application feels beside each way, and how fast that is",
            svg: plot::scatter(&points, baseline)?,
        }],
    })
}

/// Seconds alone before a way that leaves a queue behind.
const fn half(scale: Scale) -> u64 {
    scale.seconds / 2
}

/// What the application reaches now: a machine that is slower for a while is asked for less.
async fn capacity(lab: &Lab) -> Outcome<f64> {
    let fresh = lab.fresh().await?;
    load::capacity(lab, &fresh, WARM).await?;
    let capacity = load::capacity(lab, &fresh, CAPACITY).await?;
    lab.over(fresh).await?;
    Ok(capacity)
}

/// How a way and its baseline take turns.
#[derive(Debug, Clone, Copy)]
struct Turns {
    count: u64,
    /// Seconds of each.
    beside: u64,
    /// Seconds without it before each, and after the last.
    alone: u64,
}

impl Turns {
    /// As short as a stretch, so that a machine that is slow for a while is slow in both; one
    /// turn where a queue is left behind.
    fn of(way: Way, scale: Scale) -> Self {
        if way.lingers() {
            return Self { count: 1, beside: scale.seconds, alone: half(scale) };
        }
        let count = (scale.seconds / STRETCH as u64).max(1);
        let each = scale.seconds / count;
        Self { count, beside: each, alone: each }
    }

    /// Seconds of all of them; a way that ends late leaves enough of what comes after it.
    const fn seconds(self) -> u64 {
        self.count * (self.alone + self.beside + SETTLE + 1) + self.alone + 1
    }
}

async fn measure(lab: &Lab, way: Way, capacity: f64, scale: Scale) -> Outcome<Seen> {
    let fresh = lab.fresh().await?;
    let ours = match way {
        Way::Default => Some(Ours::new(&fresh.url, "").await?),
        Way::FullPace => Some(Ours::new(&fresh.url, FULL_PACE).await?),
        _ => None,
    };
    let turns = Turns::of(way, scale);
    let load = load::start(lab, &fresh, capacity * SHARE, WARM + turns.seconds())?;
    sleep(Duration::from_secs(WARM)).await;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let (mut rows, mut worked) = (0.0, 0.0);
    for _ in 0..turns.count {
        let quiet = load::now();
        sleep(Duration::from_secs(turns.alone)).await;
        let begin = load::now();
        rows += work(lab, &fresh, way, ours.as_ref(), Duration::from_secs(turns.beside)).await?;
        let end = load::now();
        alone.push(quiet..begin);
        beside.push(begin..end);
        worked += end - begin;
        sleep(Duration::from_secs(SETTLE)).await;
        if end - begin < turns.beside as f64 {
            // Nothing is left for another turn.
            break;
        }
    }
    if !way.lingers() {
        let quiet = load::now();
        alone.push(quiet..quiet + turns.alone as f64);
    }
    let log = load.end().await?;
    lab.over(fresh).await?;
    let felt = |spans: Vec<Range<f64>>| {
        spans.into_iter().flat_map(stretches).map(|one| log.within(&[one])).collect::<Vec<_>>()
    };
    Ok(Seen { way, capacity, alone: felt(alone), beside: felt(beside), rows_per_s: rows / worked })
}

/// Cuts a span of time into stretches; what is left over at its end joins the last one.
fn stretches(span: Range<f64>) -> impl Iterator<Item = Range<f64>> {
    let (from, to) = (span.start, span.end);
    let count = ((to - from) / STRETCH).floor().max(1.0);
    (0..count as u32).map(move |n| {
        let at = from + f64::from(n) * STRETCH;
        at..if f64::from(n) + 1.0 < count { at + STRETCH } else { to }
    })
}

/// Works until it is done or its time is up; the rows that are written then.
async fn work(lab: &Lab, fresh: &Fresh, way: Way, ours: Option<&Ours>, limit: Duration) -> Outcome<f64> {
    if let Some(ours) = ours {
        let before = written(&fresh.client).await?;
        let mut child = ours.start()?;
        let ended = tokio::time::timeout(limit, child.wait()).await;
        let rows = written(&fresh.client).await? - before;
        match ended {
            Err(_) => ours.stop(child).await?,
            Ok(ended) => {
                let ended = ended?;
                if !ended.success() {
                    return Err(format!("phase backfill: {ended}").into());
                }
            }
        }
        return Ok(rows);
    }
    match way {
        Way::Script => Ok(rivals::script(&fresh.client, Duration::ZERO, limit).await?.0),
        Way::ScriptWithPause => Ok(rivals::script(&fresh.client, rivals::PAUSE, limit).await?.0),
        _ => match tokio::time::timeout(limit, rivals::one_update(&fresh.client)).await {
            Ok(done) => done.map(|_| lab.rows as f64),
            Err(_) => {
                fresh.client.cancel_token().cancel_query(NoTls).await?;
                Ok(0.0)
            }
        },
    }
}
