//! Owns the retry schedule of steps that wait for locks: exponential backoff
//! with jitter, up to a limit.

use std::time::Duration;

/// The first pause; long enough for the queue behind us to drain.
const FIRST: Duration = Duration::from_millis(250);
/// The longest pause: a free moment on a busy table is not missed for long.
const LONGEST: Duration = Duration::from_secs(10);

/// The pause before attempt `attempt + 1` (attempts count from 1), or `None`
/// when `waited` has reached `limit`.
///
/// `jitter` is a number from 0 to 1 of the caller's: half of each pause is
/// fixed and half random ("equal jitter"), so that runners that failed together
/// do not come back together, and none comes back at once.
#[must_use]
pub fn pause(attempt: u32, waited: Duration, limit: Duration, jitter: f64) -> Option<Duration> {
    if waited >= limit {
        return None;
    }
    let doubled = FIRST.saturating_mul(1_u32 << (attempt.saturating_sub(1)).min(16)).min(LONGEST);
    let half = doubled / 2;
    Some((half + half.mul_f64(jitter.clamp(0.0, 1.0))).min(limit - waited))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pauses_grow_and_stay_within_their_bounds(attempt in 1_u32..1_000, jitter in 0.0..=1.0_f64) {
            let limit = Duration::from_secs(600);
            let pause = pause(attempt, Duration::ZERO, limit, jitter).expect("nothing waited yet");
            prop_assert!(pause >= FIRST / 2 && pause <= LONGEST);
        }

        #[test]
        fn the_limit_is_kept(waited_ms in 0_u64..20_000, attempt in 1_u32..40) {
            let (waited, limit) = (Duration::from_millis(waited_ms), Duration::from_secs(10));
            match pause(attempt, waited, limit, 1.0) {
                Some(pause) => prop_assert!(waited + pause <= limit),
                None => prop_assert!(waited >= limit),
            }
        }
    }
}
