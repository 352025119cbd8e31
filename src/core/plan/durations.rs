//! Reads durations.

use std::time::Duration;

use super::fault::Faults;
use super::yaml::{Spanned, place};

/// The longest duration that makes sense: what is longer is a slip.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

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
