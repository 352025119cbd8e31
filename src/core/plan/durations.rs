//! Reads durations.

use std::time::Duration;

use super::fault::Faults;
use super::raw::RawKill;
use super::yaml::{Spanned, place};
use crate::core::kill::KillBlockers;

/// The longest duration that makes sense: what is longer is a slip.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The longest time limit that the server takes: milliseconds in 31 bits.
const LONGEST_LIMIT: Duration = Duration::from_secs(24 * 24 * 3600);

/// Whether a span may limit statements: whole milliseconds, because 0 would
/// lift the limit, up to what the server takes.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_limit(span: Duration) -> Result<(), &'static str> {
    if span < Duration::from_millis(1) {
        Err("a limit is at least 1ms: 0 would lift it, and the application would wait without end")
    } else if span > LONGEST_LIMIT {
        Err("a limit is at most 24d")
    } else {
        Ok(())
    }
}

/// Reads a time limit of statements.
pub(super) fn limit(raw: Option<&Spanned<String>>, faults: &mut Faults<'_>) -> Option<Duration> {
    let span = read(raw, faults)?;
    match (check_limit(span), raw) {
        (Err(why), Some(raw)) => {
            faults.add(place(raw), format!("{:?}: {why}", raw.value));
            None
        }
        _ => Some(span),
    }
}

/// Reads whose sessions may be ended.
pub(super) fn kill(raw: Option<&Spanned<RawKill>>, faults: &mut Faults<'_>) -> Option<KillBlockers> {
    let raw = raw?;
    if raw.value.only.is_empty() {
        faults.add(place(raw), NOBODY);
    }
    let after = read(Some(&raw.value.after), faults)?;
    Some(KillBlockers { after, only: raw.value.only.clone() })
}

/// What is wrong with `kill_blockers` without users.
pub const NOBODY: &str = "kill_blockers: only: name at least one database user whose sessions may be ended";

pub(super) fn read(raw: Option<&Spanned<String>>, faults: &mut Faults<'_>) -> Option<Duration> {
    let raw = raw?;
    match humantime::parse_duration(&raw.value) {
        Ok(span) if span <= LONGEST => Some(span),
        Ok(_) => {
            faults.add(place(raw), format!("{:?} is longer than ten years", raw.value));
            None
        }
        Err(error) => {
            faults.add(
                place(raw),
                format!("{:?} is no duration ({error}): write it like 500ms, 30s, 5m, 24h or 7d", raw.value),
            );
            None
        }
    }
}
