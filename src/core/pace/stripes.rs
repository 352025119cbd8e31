//! Owns the choice of stripes: on while they make updates HOT, off where they
//! do not pay, tried again from time to time.
//!
//! A stripe costs another read of the window; it pays by updates that stay on
//! their page and leave the indexes alone. What the server counted as HOT in the
//! batches of a window decides, so a snapshot that stops pruning, an index on the
//! target column or a key whose remainders are all the same are seen within one
//! window, whatever the reason is.

use crate::core::backfill::{StripeBy, Stripes};

/// Stripes of a window that one worker has to itself. With k stripes 1/k of the rows
/// go to new pages: ten leave nine tenths in place; twenty hardly more, and read
/// everything twice as often.
const ALONE: i32 = 10;
/// Stripes of a window where other workers are about. A batch of theirs that began
/// before a stripe ended keeps what that left dead from being pruned, so its room is
/// there one stripe later. Measured with two workers: ten stripes leave 68% in place,
/// sixteen 75%, twenty 76%, and sixteen were the quickest.
const IN_COMPANY: i32 = 16;
/// Unstriped, this share of HOT updates needs no help: there is room on the pages.
const ROOM: f64 = 0.8;
/// Striped, less than this share does not pay for the reads.
const PAYS: f64 = 0.4;
/// Windows without stripes before they are tried again; twice as many after each trial
/// in vain, up to [`LONGEST_REST`]. A worker that is alone tries them on a window that is
/// no larger than one without, so one or two in fifty that do not pay, and cost about
/// a third more, cost about 1%. In company, stripes have to last as long as the batches of
/// the others, or none of them would see the room of the one before: there a trial is a
/// window of full size, which costs up to a tenth at first and a twentieth later.
const REST: u32 = 50;
/// The most windows without stripes.
const LONGEST_REST: u32 = 200;
/// Windows that wrote fewer rows say nothing until there are more of them.
const ENOUGH: i64 = 100;

/// The choice for the windows of one worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StripeChoice {
    /// Whether the key's remainders can deal rows out.
    remainders: bool,
    /// Whether stripes can help at all.
    allowed: bool,
    now: Stripes,
    /// Whether it is not known yet that the stripes pay, and little is enough to find out.
    trial: bool,
    /// Windows left without stripes.
    rest: u32,
    /// How many the next rest will have.
    next_rest: u32,
    written: i64,
    hot: i64,
    /// The share of HOT updates of the last window that said something.
    share: Option<f64>,
}

impl StripeChoice {
    /// A choice that knows nothing yet; the first window finds out whether there is room.
    #[must_use]
    pub const fn new(allowed: bool, remainders: bool) -> Self {
        Self {
            remainders,
            allowed,
            now: Stripes::OFF,
            trial: false,
            rest: 0,
            next_rest: REST,
            written: 0,
            hot: 0,
            share: None,
        }
    }

    /// How the next window is cut.
    #[must_use]
    pub const fn stripes(&self) -> Stripes {
        self.now
    }

    /// Rows of the next window, where a batch has so many: as many batches as stripes,
    /// but one batch in all where a worker that is alone has them on trial.
    #[must_use]
    pub fn window(&self, rows: i64) -> i64 {
        let stripes = i64::from(self.now.count.max(1));
        if self.trial { rows.max(stripes) } else { rows * stripes }
    }

    /// The share of HOT updates of the last window that said something.
    #[must_use]
    pub const fn hot_share(&self) -> Option<f64> {
        self.share
    }

    /// Adds what a batch reports.
    pub fn report(&mut self, written: i64, hot: i64) {
        self.written += written.max(0);
        self.hot += hot.clamp(0, written.max(0));
    }

    /// Ends a window that was cut as `cut`, and chooses for the next one, which other
    /// workers may be about.
    pub fn window_ended(&mut self, cut: Stripes, company: bool) {
        if !self.allowed || self.written < ENOUGH {
            return;
        }
        let (written, hot) = (std::mem::take(&mut self.written), std::mem::take(&mut self.hot));
        #[allow(clippy::cast_precision_loss, reason = "a share")]
        let share = hot as f64 / written as f64;
        self.share = Some(share);
        let count = if company { IN_COMPANY } else { ALONE };
        self.trial = share < PAYS && !company;
        self.now = match cut.by {
            StripeBy::Nothing if share >= ROOM => Stripes::OFF,
            StripeBy::Nothing if self.rest > 0 => {
                self.rest -= 1;
                Stripes::OFF
            }
            StripeBy::Nothing if self.remainders => Stripes { by: StripeBy::Remainder, count },
            StripeBy::Nothing => Stripes { by: StripeBy::Hash, count },
            by if share >= PAYS => {
                self.next_rest = REST;
                Stripes { by, count }
            }
            StripeBy::Remainder => Stripes { by: StripeBy::Hash, count },
            StripeBy::Hash => {
                self.rest = self.next_rest;
                self.next_rest = (self.next_rest * 2).min(LONGEST_REST);
                Stripes::OFF
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(choice: &mut StripeChoice, hot: impl Fn(Stripes) -> f64, count: usize) -> Vec<StripeBy> {
        let mut seen = Vec::new();
        for _ in 0..count {
            let cut = choice.stripes();
            seen.push(cut.by);
            choice.report(1_000, (hot(cut) * 1_000.0) as i64);
            choice.window_ended(cut, false);
        }
        seen
    }

    #[test]
    fn a_packed_table_gets_stripes_after_one_window() {
        let mut choice = StripeChoice::new(true, true);
        let seen = windows(&mut choice, |cut| if cut.count > 1 { 0.9 } else { 0.0 }, 20);
        assert_eq!(seen[0], StripeBy::Nothing);
        assert!(seen[1..].iter().all(|by| *by == StripeBy::Remainder));
    }

    #[test]
    fn pages_with_room_are_left_alone() {
        let mut choice = StripeChoice::new(true, true);
        assert!(windows(&mut choice, |_| 0.95, 20).iter().all(|by| *by == StripeBy::Nothing));
    }

    #[test]
    fn remainders_that_are_all_the_same_give_way_to_a_hash() {
        let mut choice = StripeChoice::new(true, true);
        let seen = windows(&mut choice, |cut| if cut.by == StripeBy::Hash { 0.8 } else { 0.0 }, 10);
        assert_eq!(seen[2..], [StripeBy::Hash; 8]);
    }

    #[test]
    fn where_nothing_prunes_stripes_are_rare_and_come_back() {
        let mut choice = StripeChoice::new(true, false);
        let seen = windows(&mut choice, |_| 0.0, 500);
        let striped = seen.iter().filter(|by| **by != StripeBy::Nothing).count();
        assert!((3..=6).contains(&striped), "{striped}");
        let seen = windows(&mut choice, |cut| if cut.count > 1 { 0.8 } else { 0.0 }, 300);
        assert!(seen[210..].iter().all(|by| *by == StripeBy::Hash));
    }

    #[test]
    fn stripes_on_trial_take_no_more_rows_than_a_batch() {
        let mut choice = StripeChoice::new(true, false);
        let (mut striped, mut all) = (0, 0);
        for _ in 0..500 {
            let (cut, rows) = (choice.stripes(), choice.window(1_000));
            all += rows;
            striped += if cut.by == StripeBy::Nothing { 0 } else { rows };
            choice.report(rows, 0);
            choice.window_ended(cut, false);
        }
        assert!(striped * 40 < all, "{striped} of {all}");
        windows(&mut choice, |cut| if cut.count > 1 { 0.8 } else { 0.0 }, 250);
        assert_eq!((choice.stripes().by, choice.window(1_000)), (StripeBy::Hash, 10_000));
    }

    #[test]
    fn in_company_stripes_are_tried_on_a_window_of_full_size() {
        let mut choice = StripeChoice::new(true, true);
        choice.report(1_000, 0);
        choice.window_ended(choice.stripes(), true);
        assert_eq!((choice.stripes().count, choice.window(1_000)), (16, 16_000));
    }

    #[test]
    fn small_windows_say_something_together() {
        let mut choice = StripeChoice::new(true, true);
        for _ in 0..3 {
            choice.report(40, 0);
            choice.window_ended(choice.stripes(), false);
        }
        assert_eq!(choice.stripes().by, StripeBy::Remainder);
    }

    #[test]
    fn company_gets_more_stripes_and_loses_them_when_it_goes() {
        let mut choice = StripeChoice::new(true, true);
        let mut counts = Vec::new();
        for company in [false, true, true, false] {
            let cut = choice.stripes();
            choice.report(1_000, if cut.count > 1 { 900 } else { 0 });
            choice.window_ended(cut, company);
            counts.push(choice.stripes().count);
        }
        assert_eq!(counts, [10, 16, 16, 10]);
    }

    #[test]
    fn where_stripes_cannot_help_there_are_none() {
        let mut choice = StripeChoice::new(false, true);
        assert!(windows(&mut choice, |_| 0.0, 10).iter().all(|by| *by == StripeBy::Nothing));
    }
}
