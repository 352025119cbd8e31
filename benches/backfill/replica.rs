//! Part 5: a replica that falls behind, and a backfill that does not push it further.

use std::ops::Range;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use phase::throwaway::{Cluster, Options, ServerBinaries};
use tokio_postgres::Client;

use crate::lab::{connect, fill, number, options};
use crate::ours::{Ours, written};
use crate::page::{Line, Part, Plot, Want, thousand};
use crate::plot;
use crate::{Outcome, Scale};

/// What the replica waits before it applies anything, while it does.
const DELAY: &str = "3s";
/// The plan's limit.
const LIMIT: &str = "2s";
/// How often the lag is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// When it applies late, in seconds.
const LATE: Range<f64> = 3.0..15.0;
/// When it replays slowly.
const SLOW: Range<f64> = 22.0..34.0;
/// The share of time in which it replays then.
const SLOW_SHARE: f64 = 0.15;

pub(crate) async fn part(scale: Scale) -> Outcome<Part> {
    let binaries = ServerBinaries::find()?;
    let of_replica = Options { settings: vec![("hot_standby_feedback".into(), "off".into())] };
    let (primary, replica) = Cluster::start_with_replica(&binaries, &options(), &of_replica)?;
    let (url, there) = (primary.url("postgres"), connect(&replica.url("postgres")).await?);
    let client = connect(&url).await?;
    client
        .batch_execute(
            "CREATE TABLE heartbeat (at timestamptz); INSERT INTO heartbeat VALUES (clock_timestamp())",
        )
        .await?;
    let all = scale.rows * 4;
    fill(&client, all).await?;
    let ours = Ours::new(&url, &format!("throttle: {{congestion: false, replica_lag: {LIMIT}}}")).await?;
    let replay =
        number(&there, "SELECT pid::float8 FROM pg_stat_activity WHERE backend_type = 'startup'").await?;
    #[allow(clippy::cast_possible_truncation, reason = "a process id")]
    let replay = Pid::from_raw(replay as i32);
    client.batch_execute("UPDATE heartbeat SET at = clock_timestamp()").await?;
    caught_up(&client, &there).await?;

    let began = Instant::now();
    let mut child = ours.start()?;
    let (mut lags, mut rows, mut late) = (Vec::new(), Vec::new(), false);
    let heart = connect(&url).await?;
    while child.try_wait()?.is_none() && began.elapsed() < Duration::from_secs(180) {
        let at = began.elapsed().as_secs_f64();
        heart.batch_execute("UPDATE heartbeat SET at = clock_timestamp()").await?;
        if late != LATE.contains(&at) {
            late = !late;
            let delay = if late { DELAY } else { "0" };
            there.batch_execute(&format!("ALTER SYSTEM SET recovery_min_apply_delay = '{delay}'")).await?;
            there.batch_execute("SELECT pg_reload_conf()").await?;
        }
        let slow = SLOW.contains(&at);
        if slow {
            kill(replay, Signal::SIGSTOP)?;
            tokio::time::sleep(LOOK.mul_f64(1.0 - SLOW_SHARE)).await;
            kill(replay, Signal::SIGCONT)?;
        }
        tokio::time::sleep(if slow { LOOK.mul_f64(SLOW_SHARE) } else { LOOK }).await;
        lags.push((
            at,
            number(&there, "SELECT extract(epoch FROM clock_timestamp() - at)::float8 FROM heartbeat")
                .await?,
        ));
        rows.push((at, written(&client).await?));
    }
    ours.stop(child).await?;
    let worst = lags.iter().map(|(_, lag)| *lag).fold(0.0, f64::max);
    let at = |second: f64| rows.iter().rev().find(|(at, _)| *at <= second).map_or(0.0, |(_, rows)| *rows);
    let total = rows.last().map_or(0.0, |(_, rows)| *rows);
    let end = rows.last().map_or(0.0, |(at, _)| *at);
    let longest = |span: &Range<f64>| {
        lags.iter().filter(|(at, _)| span.contains(at)).map(|(_, lag)| *lag).fold(0.0, f64::max)
    };
    let spans = [0.0..LATE.start, LATE, LATE.end..SLOW.start, SLOW, SLOW.end..end.max(SLOW.end + 0.1)];
    let names = ["as it should", "late", "as it should", "slowly", "as it should"];
    let table = spans
        .iter()
        .zip(names)
        .map(|(span, name)| {
            vec![
                name.to_owned(),
                format!("{:.0} to {:.0}", span.start, span.end),
                thousand((at(span.end) - at(span.start)) / (span.end - span.start)),
                format!("{:.2}", longest(span)),
            ]
        })
        .collect();
    println!("5: lag at most {worst:.2} s, {total:.0} rows in {end:.1} s");
    Ok(Part {
        number: 5,
        title: "A replica that is late".into(),
        text: format!(
            "A streaming replica that applies everything {DELAY} late (`recovery_min_apply_delay`) from second {:.0} to {:.0}, and whose replay is stopped {:.0}% of the time from second {:.0} to {:.0}; `replica_lag: {LIMIT}`, everything else at full pace. The lag is the age of a heartbeat row on the replica, every 100 ms.",
            LATE.start,
            LATE.end,
            (1.0 - SLOW_SHARE) * 100.0,
            SLOW.start,
            SLOW.end
        ),
        head: ["the replica applies", "seconds", "rows/s", "longest lag, s"].map(str::to_owned).into(),
        table,
        lines: vec![
            Line::new("the longest lag, seconds", worst, Want::AtMost(4.0)),
            Line::new(
                "share of the rows that are written in the end",
                total / all as f64,
                Want::AtLeast(1.0),
            ),
        ],
        plots: vec![Plot {
            file: "replica.svg",
            about: "The lag of a replica beside a backfill, over time",
            svg: plot::over_time(
                "The lag of the replica",
                "seconds",
                &lags,
                &[(2.0, "the plan's limit"), (4.0, "twice the limit")],
            )?,
        }],
    })
}

/// Waits until the replica has replayed what was written before.
async fn caught_up(client: &Client, there: &Client) -> Outcome<()> {
    let position: String =
        client.query_one("SELECT pg_current_wal_insert_lsn()::text", &[]).await?.try_get(0)?;
    let sql = format!("SELECT (pg_last_wal_replay_lsn() >= '{position}')::int::float8");
    while number(there, &sql).await? < 1.0 {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
