//! Owns how many rows a page is taken to hold, where a walk goes by pages.
//!
//! Statistics know the average of a table; the rows of one stretch may be ten times
//! as many, and a batch that was cut for the average would then take ten times what
//! it should. So the densest of late counts where it is above the average, and is
//! forgotten by halves.

/// Rows of a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Density {
    average: f64,
    lately: f64,
}

impl Density {
    /// A table of so many rows on so many pages, as statistics have it.
    #[must_use]
    pub fn new(rows: i64, pages: i64) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "an average")]
        let average = rows.max(1) as f64 / pages.max(1) as f64;
        Self { average, lately: 0.0 }
    }

    /// The pages of a window for so many rows, one at the least.
    #[must_use]
    pub fn pages(&self, rows: i64) -> i64 {
        #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
        let pages = rows as f64 / self.average.max(self.lately);
        #[allow(clippy::cast_possible_truncation, reason = "saturates")]
        let pages = pages as i64;
        pages.max(1)
    }

    /// Learns that a window of so many pages held at least so many rows.
    pub fn learn(&mut self, pages: i64, rows: i64) {
        #[allow(clippy::cast_precision_loss, reason = "an average")]
        let seen = rows.max(0) as f64 / pages.max(1) as f64;
        self.lately = if seen >= self.lately { seen } else { f64::midpoint(self.lately, seen) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dense_stretch_is_cut_smaller_at_once_and_forgotten_after_it() {
        let mut density = Density::new(10_000, 1_000);
        assert_eq!(density.pages(1_000), 100);
        density.learn(100, 10_000);
        assert_eq!(density.pages(1_000), 10);
        density.learn(10, 1_000);
        assert_eq!(density.pages(1_000), 10);
        for _ in 0..4 {
            density.learn(10, 100);
        }
        assert!(density.pages(1_000) > 60, "{density:?}");
    }

    #[test]
    fn rows_that_were_right_already_say_nothing() {
        let mut density = Density::new(10_000, 1_000);
        density.learn(100, 0);
        assert_eq!(density.pages(1_000), 100);
    }

    #[test]
    fn statistics_that_are_missing_or_absurd_give_a_window_all_the_same() {
        assert_eq!(Density::new(0, 0).pages(100), 100);
        assert_eq!(Density::new(-1, 1_000_000).pages(1), 1_000_000);
        assert_eq!(Density::new(i64::MAX, 1).pages(1), 1);
        assert!(Density::new(1, i64::MAX).pages(i64::MAX) > 0);
    }
}
