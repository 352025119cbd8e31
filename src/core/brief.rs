//! Owns how durations, counts and sizes are written for people.

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

/// The same of an upper bound: rounded up, so that it stays one.
#[must_use]
pub fn brief_at_most(span: Duration) -> String {
    let unit = match span {
        span if span < Duration::from_secs(1) => Duration::from_millis(1),
        span if span < Duration::from_secs(60) => Duration::from_millis(100),
        _ => Duration::from_secs(1),
    };
    let over = span.as_nanos() % unit.as_nanos();
    let up = if over == 0 { Duration::ZERO } else { unit };
    brief(span + up)
}

/// A number with its thousands apart.
#[must_use]
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// Bytes in PostgreSQL's units, powers of 1024.
#[must_use]
pub fn bytes(value: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (value, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    if value >= 100.0 || unit == 0 {
        format!("{value:.0}{}", units[unit])
    } else {
        format!("{value:.1}{}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_nobody_reads_are_left_out() {
        for (micros, text) in [(1_234, "1ms"), (1_234_567, "1s 200ms"), (61_999_999, "1m 1s"), (0, "0s")] {
            assert_eq!(brief(Duration::from_micros(micros)), text);
        }
        for (ms, text) in
            [(0, "0s"), (412, "412ms"), (1_021, "1s 100ms"), (1_100, "1s 100ms"), (60_001, "1m 1s")]
        {
            assert_eq!(brief_at_most(Duration::from_millis(ms)), text);
        }
    }
}
