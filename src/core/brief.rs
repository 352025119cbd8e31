//! Owns how durations are written for people.

use std::time::Duration;

/// A duration with no more digits than a person reads.
#[must_use]
pub fn brief(span: Duration) -> String {
    let rounded = match span {
        span if span < Duration::from_secs(1) => {
            Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(0))
        }
        span if span < Duration::from_secs(60) => {
            Duration::from_millis(span.as_secs() * 1_000 + u64::from(span.subsec_millis()) / 100 * 100)
        }
        span => Duration::from_secs(span.as_secs()),
    };
    humantime::format_duration(rounded).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_nobody_reads_are_left_out() {
        for (micros, text) in [(1_234, "1ms"), (1_234_567, "1s 200ms"), (61_999_999, "1m 1s"), (0, "0s")] {
            assert_eq!(brief(Duration::from_micros(micros)), text);
        }
    }
}
