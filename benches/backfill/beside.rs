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
use crate::turns::{All, Seen, Way, together};
use crate::{Outcome, Scale, rivals};

/// The share of the server's capacity that the application asks for.
const SHARE: f64 = 0.6;
/// Seconds until the load is even: after a checkpoint every page is logged whole once.
const WARM: u64 = 10;
/// Seconds in which the capacity is measured.
const CAPACITY: u64 = 8;
/// Turns that a way has in a round, each between two of the application alone: a machine
/// that drifts or stalls then does so on either side.
const TURNS: u64 = 3;
/// Seconds until what was going on when a turn ended is over.
const SETTLE: u64 = 1;

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
    Ok(Part {
        number: 3,
        title: "Beside an application".into(),
        text: format!(
            "pgbench, select and update by key, 8 clients, open loop at 60% of the transactions a second that they reach alone, measured before each round ({:.0} in the middle). In a round, phase and then the script with its pause have {TURNS} turns of {turn} s each, between turns of the application alone in the same run of pgbench; there are {} rounds. The others have one turn of {} s after one alone, because the queue that they leave behind outlasts them. The machine stalls for tens of milliseconds now and then: the p99 of all turns together counts that, the turn in the middle does not, and the first line of the table shows what both say of nothing at all.",
            median(seen.iter().map(|seen| seen.capacity).collect()),
            scale.rounds,
            scale.seconds,
            turn = turn(scale),
        ),
        head: [
            "",
            "rows/s",
            "p99 alone, ms",
            "p99 beside it, ms",
            "ratio",
            "p99 of the middle turn alone, ms",
            "beside it, ms",
            "ratio",
            "p50 beside it, ms",
            "worst, ms",
        ]
        .map(str::to_owned)
        .into(),
        table: std::iter::once(&nothing).chain(&all).map(All::cells).collect(),
        lines: vec![
            Line::new("p99 over its baseline, nothing tuned, all turns", ours.ratio(), Want::AtMost(1.5)),
            Line::new(
                "p99 over its baseline, nothing tuned, the middle turn",
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

/// Seconds of a turn.
fn turn(scale: Scale) -> u64 {
    (scale.seconds / TURNS).max(2)
}

/// What the application reaches now: a machine that is slower for a while is asked for less.
async fn capacity(lab: &Lab) -> Outcome<f64> {
    let fresh = lab.fresh().await?;
    load::capacity(lab, &fresh, WARM).await?;
    let capacity = load::capacity(lab, &fresh, CAPACITY).await?;
    lab.over(fresh).await?;
    Ok(capacity)
}

async fn measure(lab: &Lab, way: Way, capacity: f64, scale: Scale) -> Outcome<Seen> {
    let fresh = lab.fresh().await?;
    let ours = match way {
        Way::Default => Some(Ours::new(&fresh.url, "").await?),
        Way::FullPace => Some(Ours::new(&fresh.url, FULL_PACE).await?),
        _ => None,
    };
    let (turns, turn) = if way.lingers() { (1, scale.seconds) } else { (TURNS, turn(scale)) };
    // A way that ends late leaves enough of what comes after it.
    let all = WARM + (turns + 1) * (SETTLE + turn) + turns * (turn + 1);
    let load = load::start(lab, &fresh, capacity * SHARE, all)?;
    sleep(Duration::from_secs(WARM)).await;
    let (mut alone, mut beside, mut rows) = (vec![rest(turn).await], Vec::new(), 0.0);
    for _ in 0..turns {
        let begin = load::now();
        rows += work(lab, &fresh, way, ours.as_ref(), Duration::from_secs(turn)).await?;
        beside.push(begin..load::now());
        if !way.lingers() {
            sleep(Duration::from_secs(SETTLE)).await;
            alone.push(rest(turn).await);
        }
    }
    let log = load.end().await?;
    lab.over(fresh).await?;
    let felt =
        |spans: &[Range<f64>]| spans.iter().map(|span| log.within(std::slice::from_ref(span))).collect();
    let seconds: f64 = beside.iter().map(|span| span.end - span.start).sum();
    Ok(Seen { way, capacity, alone: felt(&alone), beside: felt(&beside), rows_per_s: rows / seconds })
}

/// A turn of the application alone.
async fn rest(seconds: u64) -> Range<f64> {
    let begin = load::now();
    sleep(Duration::from_secs(seconds)).await;
    begin..load::now()
}

/// Works until it is done or its time is up; the rows that are written then.
async fn work(lab: &Lab, fresh: &Fresh, way: Way, ours: Option<&Ours>, limit: Duration) -> Outcome<f64> {
    if let Some(ours) = ours {
        let before = written(&fresh.client).await?;
        let mut child = ours.start()?;
        let ended = tokio::time::timeout(limit, child.wait()).await;
        let rows = written(&fresh.client).await? - before;
        if ended.is_err() {
            ours.stop(child).await?;
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
