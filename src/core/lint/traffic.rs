//! Owns how busy a table is: what was read and written of it in some time, and from which
//! rate on a small table counts as one in use.

/// From this many scans and written rows a second on a table is busy: then an average lock of
/// 100 ms is met by one of them, however small the table is.
pub const BUSY_PER_SECOND: f64 = 10.0;
/// From this many seconds on an average says something: a shorter one may be that of a load.
const LONG: f64 = 3_600.0;

/// What was done with a table in some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    /// Scans, of the table or of an index.
    pub scans: u64,
    /// Rows inserted, changed and deleted.
    pub writes: u64,
    /// The time.
    pub seconds: f64,
}

/// A look at the counters of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Scans so far.
    pub scans: u64,
    /// Rows written so far.
    pub writes: u64,
    /// Seconds since the counters were set to zero, where that is on record.
    pub since_reset: Option<f64>,
    /// Seconds since the server started; the counters may be older.
    pub uptime: f64,
    /// When it was, in seconds of the server's clock.
    pub at: f64,
}

impl Traffic {
    /// Whether it is so much that a lock is felt, however short the work under it.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.seconds > 0.0 && self.all() / self.seconds >= BUSY_PER_SECOND
    }

    /// Whether it may have been busy for as long as counts, at any time: long quiet makes an
    /// average small, and the table may have come into use only lately.
    fn may_have_been(&self) -> bool {
        self.all() >= BUSY_PER_SECOND * LONG
    }

    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    const fn all(&self) -> f64 {
        self.scans.saturating_add(self.writes) as f64
    }

    /// What it was, for people.
    #[must_use]
    pub fn words(&self) -> String {
        let time = match self.seconds {
            s if s >= 2.0 * 86_400.0 => format!("{:.0} days", s / 86_400.0),
            s if s >= LONG => format!("{:.0} h", s / 3_600.0),
            s => format!("{s:.0} s"),
        };
        format!("{} scans and {} rows written in {time}", self.scans, self.writes)
    }
}

impl Look {
    /// The traffic since the counters began, where that is enough to tell; `None`: only a second
    /// look does, because nobody knows when they began, it was a moment ago, or all of it may be of
    /// the last hour.
    #[must_use]
    pub fn average(&self) -> Option<Traffic> {
        let seconds = self.since_reset.unwrap_or(self.uptime);
        let average = Traffic { scans: self.scans, writes: self.writes, seconds };
        let long = self.since_reset.is_some_and(|seconds| seconds >= LONG);
        // Counters that are older than the server's start only make it look busier.
        let sure = if average.busy() { long } else { !average.may_have_been() };
        sure.then_some(average)
    }

    /// The traffic between this look and a later one.
    #[must_use]
    pub fn until(&self, later: &Self) -> Traffic {
        Traffic {
            scans: later.scans.saturating_sub(self.scans),
            writes: later.writes.saturating_sub(self.writes),
            seconds: later.at - self.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(scans: u64, since_reset: Option<f64>, uptime: f64) -> Look {
        Look { scans, writes: 0, since_reset, uptime, at: uptime }
    }

    #[test]
    fn an_average_tells_only_where_it_is_one() {
        let busy = |look: Look| look.average().map(|traffic| traffic.busy());
        assert_eq!(busy(look(40_000, Some(3_600.0), 10.0)), Some(true));
        assert_eq!(busy(look(35_000, Some(3_600.0), 10.0)), Some(false));
        // Nobody knows since when, or since too little: busy by that is not busy for sure, quiet is quiet.
        assert_eq!(busy(look(40_000, None, 3_600.0)), None);
        assert_eq!(busy(look(40_000, Some(60.0), 3_600.0)), None);
        assert_eq!(busy(look(100, None, 3_600.0)), Some(false));
        // A month of quiet hides an hour of use; what is less than such an hour is quiet for sure.
        for since in [None, Some(2_592_000.0)] {
            assert_eq!(busy(look(36_000, since, 2_592_000.0)), None);
            assert_eq!(busy(look(35_999, since, 2_592_000.0)), Some(false));
        }
    }

    #[test]
    fn two_looks_tell_what_goes_on_now() {
        let first = look(1_000_000, None, 100.0);
        assert!(!first.until(&look(1_000_010, None, 102.0)).busy());
        let traffic = first.until(&look(1_000_020, None, 102.0));
        assert!(traffic.busy());
        assert_eq!(traffic.words(), "20 scans and 0 rows written in 2 s");
        // Counters that were set to zero in between are no traffic.
        assert!(!first.until(&look(5, Some(1.0), 102.0)).busy());
    }
}
