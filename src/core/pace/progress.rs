//! Owns what progress looks like: a total that never falls below what is done,
//! a rate of now and one of the whole, and a range for the time that is left.

use std::time::Duration;

/// How quickly the present rate forgets: about the last ten seconds count.
const MEMORY_S: f64 = 10.0;

/// Rows a second, now and on average.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rate {
    began_at: Option<(f64, i64)>,
    last: Option<(f64, i64)>,
    now: Option<f64>,
}

impl Rate {
    /// Learns that `rows` were done `at` seconds on any steady clock.
    pub fn learn(&mut self, at: f64, rows: i64) {
        let Some((then, before)) = self.last else {
            self.began_at = Some((at, rows));
            self.last = Some((at, rows));
            return;
        };
        let span = at - then;
        if span < 0.05 {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = (rows - before).max(0) as f64 / span;
        let weight = 1.0 - (-span / MEMORY_S).exp();
        self.now = Some(self.now.map_or(rate, |now| now + (rate - now) * weight));
        self.last = Some((at, rows));
    }

    /// Rows a second over the last seconds.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.now.unwrap_or(0.0)
    }

    /// Rows a second since the first look.
    #[must_use]
    pub fn average(&self) -> f64 {
        match (self.began_at, self.last) {
            (Some((began, first)), Some((at, rows))) if at > began => {
                #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
                let rows = (rows - first).max(0) as f64;
                rows / (at - began)
            }
            _ => 0.0,
        }
    }
}

/// The time that is left, between the rate of now and that of the whole: the
/// sooner end first. `None` where neither says anything.
#[must_use]
pub fn eta(left: i64, now: f64, average: f64) -> Option<(Duration, Duration)> {
    /// Longer than anybody waits; keeps the arithmetic in range.
    const LONGEST_S: f64 = 1e9;
    #[allow(clippy::cast_precision_loss, reason = "an estimate for people")]
    let left = left.max(0) as f64;
    let at = |rate: f64| (rate >= 0.01).then(|| Duration::from_secs_f64((left / rate).min(LONGEST_S)));
    match (at(now), at(average)) {
        (Some(a), Some(b)) => Some((a.min(b), a.max(b))),
        (Some(only), None) | (None, Some(only)) => Some((only, only)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_present_rate_follows_and_the_average_remembers() {
        let mut rate = Rate::default();
        let mut rows = 0;
        for second in 0..=60 {
            rate.learn(f64::from(second), rows);
            rows += if second < 30 { 1_000 } else { 100 };
        }
        assert!((rate.now() - 100.0).abs() < 60.0, "{}", rate.now());
        assert!((rate.average() - 550.0).abs() < 20.0, "{}", rate.average());
        let (sooner, later) = eta(10_000, rate.now(), rate.average()).unwrap_or_default();
        assert!(sooner < later && later <= Duration::from_secs(101));
    }

    #[test]
    fn without_a_rate_there_is_no_guess() {
        assert_eq!(eta(10, 0.0, 0.0), None);
        assert_eq!(eta(0, 5.0, 0.0), Some((Duration::ZERO, Duration::ZERO)));
    }
}
