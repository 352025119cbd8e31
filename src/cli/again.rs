//! Owns what happens when the connection is lost in the middle of a backfill:
//! connect again, look at the record, go on.

use std::time::{Duration, Instant};

use crate::cli::exit::CommandError;
use crate::core::failure::Failure;
use crate::core::retry;
use crate::engine::error::RunError;
use crate::engine::stop::Stop;

/// How long a server may be away: a failover or a restart is over by then.
const PATIENCE: Duration = Duration::from_secs(600);
/// A run that lasted this long had a good connection: patience begins anew.
const GOOD: Duration = Duration::from_secs(30);

/// Runs `attempt` until it ends by anything but a connection that is gone in the
/// middle of a backfill. What is on record is not done again. `backfilling` tells
/// whether all that the attempt does beside its steps is of backfills as well.
///
/// # Errors
/// As `attempt`; also when the server stays away too long.
pub async fn reconnecting<R>(
    stop: &Stop,
    backfilling: impl Fn() -> bool,
    mut attempt: impl AsyncFnMut() -> Result<R, CommandError>,
) -> Result<R, CommandError> {
    let (mut lost, mut tries) = (None::<Instant>, 0_u32);
    loop {
        let began = Instant::now();
        let error = match attempt().await {
            Ok(result) => return Ok(result),
            Err(error) => error,
        };
        let again = in_a_backfill(&error)
            || (lost.is_some() && is_away(&error))
            || (backfilling() && is_cut_off(&error));
        if !again || stop.reason().is_some() {
            return Err(error);
        }
        if began.elapsed() >= GOOD {
            (lost, tries) = (None, 0);
        }
        tries += 1;
        let since = *lost.get_or_insert_with(Instant::now);
        let Some(pause) = retry::pause(tries, since.elapsed(), PATIENCE, rand::random()) else {
            return Err(error);
        };
        let why = error.to_string();
        let first = why.lines().next().unwrap_or_default();
        tracing::warn!("{first}; connecting again in {}", humantime::format_duration(whole_ms(pause)));
        stop.sleep(pause).await;
    }
}

fn whole_ms(span: Duration) -> Duration {
    Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// Whether the connection was lost while batches ran.
#[must_use]
pub fn in_a_backfill(error: &CommandError) -> bool {
    match error {
        CommandError::Run { error, .. } => error.lost_in_backfill(),
        _ => false,
    }
}

/// Whether the server is not there, or not yet what it was.
fn is_away(error: &CommandError) -> bool {
    match error {
        CommandError::Connect(error) => !error.is_settings(),
        // Our own lost session may hold the lock for a moment.
        CommandError::Locked(_) => true,
        error => is_cut_off(error),
    }
}

/// Whether a session that was there is gone, between steps: none of them was under way.
fn is_cut_off(error: &CommandError) -> bool {
    let lost = |failure: &Failure| failure.kind.reconnects();
    match error {
        CommandError::Server(failure) => lost(failure),
        CommandError::Run { error, .. } => matches!(&**error, RunError::Store(failure) if lost(failure)),
        _ => false,
    }
}
