//! Part 3: what an application feels beside each way to do it.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::NoTls;

use crate::lab::{Fresh, Lab, median};
use crate::load::{self, Felt};
use crate::ours::{FULL_PACE, Ours, written};
use crate::page::{Line, Part, Plot, Want, thousand};
use crate::plot;
use crate::{Outcome, Scale, rivals};

/// The share of the server's capacity that the application asks for.
const SHARE: f64 = 0.6;
/// Seconds until the load is even: after a checkpoint every page is logged whole once.
const WARM: u64 = 10;
/// Seconds in which the capacity is measured.
const CAPACITY: u64 = 8;
/// Seconds of the baseline, before and after.
const BASELINE: u64 = 20;
/// Seconds until what was going on when a way ended is over.
const SETTLE: u64 = 1;

/// A way to do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing at all: what the machine itself does to the figure.
    Nothing,
    /// Nothing tuned.
    Default,
    FullPace,
    Script,
    ScriptWithPause,
    OneUpdate,
}

impl Way {
    /// Whether the queue that it leaves behind outlasts it, and so spoils a baseline after it.
    const fn lingers(self) -> bool {
        matches!(self, Self::FullPace | Self::Script | Self::OneUpdate)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Default => "phase, nothing tuned",
            Self::FullPace => "phase, full pace",
            Self::Script => "the script",
            Self::ScriptWithPause => "the script, 100 ms pause",
            Self::OneUpdate => "one UPDATE",
        }
    }
}

/// What was seen of a way.
#[derive(Debug)]
struct Seen {
    way: Way,
    /// Transactions a second where nothing holds the application back.
    capacity: f64,
    /// The same application in the same minute, before it began and after it ended.
    alone: Felt,
    beside: Felt,
    rows_per_s: f64,
}

impl Seen {
    fn ratio(&self) -> f64 {
        self.beside.p99() / self.alone.p99()
    }

    fn print(&self, round: usize) {
        let Self { way, capacity, alone, beside, rows_per_s } = self;
        println!(
            "3, round {round}: {}: capacity {capacity:.0}, {rows_per_s:.0} rows/s, p99 {:.1} ms over {:.1} ms, p50 {:.2} over {:.2}, worst {:.0} over {:.0}, {} transactions",
            way.name(),
            beside.p99(),
            alone.p99(),
            beside.p50(),
            alone.p50(),
            beside.worst(),
            alone.worst(),
            beside.transactions(),
        );
    }
}

/// The rounds of a way together: each transaction counts once, so that a stall of the
/// machine weighs what it is, on whichever side it falls.
struct All {
    way: Way,
    alone: Felt,
    beside: Felt,
    rows_per_s: f64,
    /// The ratio of each round.
    rounds: Vec<f64>,
}

impl All {
    fn of(way: Way, seen: &[Seen]) -> Self {
        let of = || seen.iter().filter(|seen| seen.way == way);
        Self {
            way,
            alone: Felt::together(of().map(|seen| &seen.alone)),
            beside: Felt::together(of().map(|seen| &seen.beside)),
            rows_per_s: median(of().map(|seen| seen.rows_per_s).collect()),
            rounds: of().map(Seen::ratio).collect(),
        }
    }

    fn ratio(&self) -> f64 {
        self.beside.p99() / self.alone.p99()
    }

    fn cells(&self) -> Vec<String> {
        let rounds: Vec<String> = self.rounds.iter().map(|ratio| format!("{ratio:.1}")).collect();
        vec![
            self.way.name().to_owned(),
            thousand(self.rows_per_s),
            format!("{:.1}", self.alone.p99()),
            format!("{:.1}", self.beside.p99()),
            format!("{:.2}", self.ratio()),
            rounds.join(", "),
            format!("{:.1}", self.beside.p50()),
            format!("{:.0}", self.beside.worst()),
        ]
    }
}

pub(crate) async fn part(lab: &Lab, scale: Scale) -> Outcome<Part> {
    let mut seen: Vec<Seen> = Vec::new();
    for round in 0..scale.rounds {
        let mut ways = vec![Way::Nothing, Way::Default, Way::ScriptWithPause];
        let capacity = capacity(lab).await?;
        if round == 0 {
            ways.extend([Way::FullPace, Way::Script, Way::OneUpdate]);
        }
        for way in ways {
            let one = measure(lab, way, capacity, scale.seconds).await?;
            one.print(round + 1);
            seen.push(one);
        }
    }
    let all = [Way::Nothing, Way::Default, Way::ScriptWithPause, Way::Script, Way::OneUpdate, Way::FullPace]
        .map(|way| All::of(way, &seen));
    let [_, ours, script, ..] = &all;
    let points: Vec<plot::Point> = all
        .iter()
        .filter(|all| all.way != Way::Nothing)
        .map(|all| plot::Point {
            name: all.way.name(),
            x: all.rows_per_s,
            y: all.beside.p99(),
            ours: matches!(all.way, Way::Default | Way::FullPace),
        })
        .collect();
    let baseline = Felt::together(seen.iter().map(|seen| &seen.alone)).p99();
    Ok(Part {
        number: 3,
        title: "Beside an application".into(),
        text: format!(
            "pgbench, select and update by key, 8 clients, open loop at 60% of the transactions a second that they reach alone, measured before each round ({:.0} in the middle). Each way has {} s of its own, between two halves of its baseline in the same run of pgbench: {BASELINE} s before and, but where a queue is left behind, {BASELINE} s after. \"Nothing\" is a run without any of them, measured the same way: what it is away from 1 is the machine's, which stalls for tens of milliseconds now and then. Nothing, phase and the script with its pause run {} times in turn, the others once. The p99 is that of all transactions of all rounds, the ratios of the single rounds stand beside it; rows/s is the median.",
            median(seen.iter().map(|seen| seen.capacity).collect()),
            scale.seconds,
            scale.rounds
        ),
        head: [
            "",
            "rows/s",
            "p99 alone, ms",
            "p99 beside it, ms",
            "ratio",
            "of each round",
            "p50 beside it, ms",
            "worst, ms",
        ]
        .map(str::to_owned)
        .into(),
        table: all.iter().map(All::cells).collect(),
        lines: vec![
            Line::new("p99 over its baseline, nothing tuned", ours.ratio(), Want::AtMost(1.5)),
            Line::new(
                "rows/s over the script with its pause, beside the application",
                ours.rows_per_s / script.rows_per_s,
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

/// What the application reaches now: a machine that is slower for a while is asked for less.
async fn capacity(lab: &Lab) -> Outcome<f64> {
    let fresh = lab.fresh().await?;
    load::capacity(lab, &fresh, WARM).await?;
    let capacity = load::capacity(lab, &fresh, CAPACITY).await?;
    lab.over(fresh).await?;
    Ok(capacity)
}

async fn measure(lab: &Lab, way: Way, capacity: f64, seconds: u64) -> Outcome<Seen> {
    let fresh = lab.fresh().await?;
    let ours = match way {
        Way::Default => Some(Ours::new(&fresh.url, "").await?),
        Way::FullPace => Some(Ours::new(&fresh.url, FULL_PACE).await?),
        _ => None,
    };
    // A way that is over sooner leaves more of its baseline; one that ends late, enough of it.
    let all = WARM + BASELINE + seconds + SETTLE + BASELINE + 2;
    let load = load::start(lab, &fresh, capacity * SHARE, all)?;
    sleep(Duration::from_secs(WARM)).await;
    let zero = load::now();
    sleep(Duration::from_secs(BASELINE)).await;
    let begin = load::now();
    let rows = work(lab, &fresh, way, ours.as_ref(), Duration::from_secs(seconds)).await?;
    let end = load::now();
    let log = load.end().await?;
    lab.over(fresh).await?;
    let settled = end + SETTLE as f64;
    let after = if way.lingers() { end..end } else { settled..settled + BASELINE as f64 };
    Ok(Seen {
        way,
        capacity,
        alone: log.within(&[zero..begin, after]),
        beside: log.within(std::slice::from_ref(&(begin..end))),
        rows_per_s: rows / (end - begin),
    })
}

/// Works until it is done or its time is up; the rows that are written then.
async fn work(lab: &Lab, fresh: &Fresh, way: Way, ours: Option<&Ours>, limit: Duration) -> Outcome<f64> {
    if let Some(ours) = ours {
        let mut child = ours.start()?;
        let ended = tokio::time::timeout(limit, child.wait()).await;
        let rows = written(&fresh.client).await?;
        if ended.is_err() {
            ours.stop(child).await?;
        }
        return Ok(rows);
    }
    match way {
        Way::Nothing => {
            sleep(limit).await;
            Ok(0.0)
        }
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
