//! Owns time windows: `mon-fri 22:00-05:00 Europe/Berlin`, and whether one is open.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// When something may run.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    spans: Vec<Span>,
    zone: TimeZone,
    text: String,
}

/// A span of each of some days; it may end on the day after.
#[derive(Debug, Clone, PartialEq)]
struct Span {
    days: Vec<Weekday>,
    from: Time,
    /// Seconds that it lasts.
    lasts: i64,
}

/// Whether a window is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It is, until then.
    Open(Timestamp),
    /// It is not, until then.
    Closed(Timestamp),
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Seconds of a day.
const DAY: i64 = 24 * 3_600;

impl Window {
    /// Reads a window: one or more `[days] HH:MM-HH:MM`, separated by commas, and
    /// the time zone at the end; UTC where none is named.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!(
                "{text:?}: {what}: write it like 22:00-05:00 Europe/Berlin, or mon-fri 22:00-05:00, sat-sun 00:00-24:00 UTC"
            )
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (zone, rest) = match words.split_last() {
            Some((last, rest)) if !last.contains(':') && !rest.is_empty() => {
                (TimeZone::get(last).map_err(|_| wrong(&format!("{last} is no time zone")))?, rest.join(" "))
            }
            _ => (TimeZone::UTC, words.join(" ")),
        };
        let mut spans = Vec::new();
        for part in rest.split(',').map(str::trim) {
            let (days, hours) = part.rsplit_once(' ').unwrap_or(("", part));
            let (from, to) = hours.split_once('-').ok_or_else(|| wrong("a span has two times"))?;
            let seconds = |text| clock(text).ok_or_else(|| wrong(&format!("{text:?} is no time of day")));
            let (from, to) = (seconds(from)?, seconds(to)?);
            // An end at or before the start is on the next day.
            let lasts = if to > from { to - from } else { to + DAY - from };
            let hour = |n: i64| i8::try_from(n).unwrap_or(0);
            let start = Time::new(hour(from / 3_600 % 24), hour(from / 60 % 60), hour(from % 60), 0)
                .map_err(|_| wrong("a time of day is wrong"))?;
            let days = of_week(days).ok_or_else(|| wrong(&format!("{days:?} are no days")))?;
            spans.push(Span { days, from: start, lasts });
        }
        Ok(Self { spans, zone, text: text.into() })
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name of its time zone.
    #[must_use]
    pub fn zone(&self) -> String {
        self.zone.iana_name().unwrap_or("UTC").into()
    }

    /// Why nothing may run at a moment; nothing while it is open.
    #[must_use]
    pub fn closed(&self, now: Timestamp) -> Option<String> {
        match self.at(now) {
            Opening::Open(_) => None,
            Opening::Closed(until) => {
                Some(format!("it is out of its window ({}), which opens at {until:.0}", self.text))
            }
        }
    }

    /// Whether it is open at a moment. Hours are those of the clock on the wall
    /// there; a span that starts in an hour that a day does not have starts with the next.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Opening {
        let here = now.to_zoned(self.zone.clone());
        let mut opens = None::<Timestamp>;
        let mut until = None::<Timestamp>;
        for offset in -1_i64..=8 {
            let Ok(day) = here.date().checked_add(offset.days()) else { continue };
            for span in self.spans.iter().filter(|span| span.days.contains(&day.weekday())) {
                let Ok(start) = day.to_datetime(span.from).to_zoned(self.zone.clone()) else { continue };
                let Some(end) = wall(&start, span.lasts) else { continue };
                let (start, end) = (start.timestamp(), end.timestamp());
                if start <= now && now < end {
                    until = Some(until.map_or(end, |known| known.max(end)));
                } else if start > now {
                    opens = Some(opens.map_or(start, |known| known.min(start)));
                }
            }
        }
        match (until, opens) {
            (Some(until), _) => Opening::Open(until),
            (None, Some(opens)) => Opening::Closed(opens),
            // Every window opens within a week.
            (None, None) => Opening::Closed(Timestamp::MAX),
        }
    }
}

/// A time on the wall that many seconds later.
fn wall(start: &Zoned, lasts: i64) -> Option<Zoned> {
    start.datetime().checked_add(lasts.seconds()).ok()?.to_zoned(start.time_zone().clone()).ok()
}

/// Reads `HH:MM` or `HH:MM:SS`, up to 24:00, in seconds.
fn clock(text: &str) -> Option<i64> {
    let parts: Vec<i64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes] => (*hours, *minutes, 0),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let all = hours * 3_600 + minutes * 60 + seconds;
    ((0..24).contains(&hours) || all == DAY).then_some(())?;
    ((0..60).contains(&minutes) && (0..60).contains(&seconds)).then_some(all)
}

/// Reads `mon-fri`, `sat`, or nothing for every day.
fn of_week(text: &str) -> Option<Vec<Weekday>> {
    if text.is_empty() {
        return Some(DAYS.iter().map(|(_, day)| *day).collect());
    }
    let number = |name: &str| DAYS.iter().position(|(short, _)| short.eq_ignore_ascii_case(name.trim()));
    let mut found = Vec::new();
    for part in text.split_whitespace() {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (number(from)?, number(to)?);
        let count = (to + 7 - from) % 7;
        found.extend((0..=count).map(|n| DAYS[(from + n) % 7].1));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(window: &str, now: &str) -> Opening {
        Window::parse(window).unwrap().at(now.parse().unwrap())
    }

    fn open(until: &str) -> Opening {
        Opening::Open(until.parse().unwrap())
    }

    fn closed(until: &str) -> Opening {
        Opening::Closed(until.parse().unwrap())
    }

    #[test]
    fn a_window_over_midnight_is_one() {
        let window = "22:00-05:00 Europe/Berlin";
        assert_eq!(at(window, "2026-11-21T21:30:00Z"), open("2026-11-22T04:00:00Z"));
        assert_eq!(at(window, "2026-11-22T03:59:59Z"), open("2026-11-22T04:00:00Z"));
        assert_eq!(at(window, "2026-11-22T04:00:00Z"), closed("2026-11-22T21:00:00Z"));
    }

    #[test]
    fn days_are_those_on_which_a_span_starts() {
        let window = "mon-fri 22:00-05:00, sat-sun 00:00-24:00 UTC";
        assert_eq!(at(window, "2026-11-20T23:00:00Z"), open("2026-11-21T05:00:00Z"));
        assert_eq!(at(window, "2026-11-21T12:00:00Z"), open("2026-11-22T00:00:00Z"));
        assert_eq!(at(window, "2026-11-23T01:00:00Z"), closed("2026-11-23T22:00:00Z"));
        assert_eq!(at("fri-mon 01:00-02:00", "2026-11-24T00:00:00Z"), closed("2026-11-27T01:00:00Z"));
    }

    #[test]
    fn the_clock_on_the_wall_counts_when_it_changes() {
        // On 2026-03-29 the clock in Berlin goes from 02:00 to 03:00.
        let window = "01:00-04:00 Europe/Berlin";
        assert_eq!(at(window, "2026-03-29T00:30:00Z"), open("2026-03-29T02:00:00Z"));
    }

    #[test]
    fn what_is_no_window_says_so() {
        for text in [
            "",
            "soon",
            "22:00",
            "25:00-26:00",
            "22:00-05:00 Mars/Base",
            "xxx 22:00-05:00",
            "22:61-23:00 UTC",
            "-",
            ":-:",
        ] {
            assert!(Window::parse(text).is_err(), "{text:?}");
        }
    }
}
