//! Judges `observed`: whether nobody older than a version has been connected for a while, by what looks at the
//! server's sessions have seen.

use std::cmp::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::facts::{Facts, Sighting};
use super::verdict::{Answer, Condition, Verdict};
use crate::core::plan::model::{Compare, Gate, Observed};

/// Into so many parts the span is divided: each must have been looked at, or nobody can tell who was there.
const PARTS: u32 = 4;

/// The shortest part: no scheduler looks more often.
const SHORTEST: Duration = Duration::from_secs(60);

/// The most sessions that are named one by one.
const NAMED: usize = 5;

pub(super) fn judge(gate: &Gate, facts: &Facts) -> Option<Verdict> {
    let each: Vec<Verdict> = gate.observed.iter().map(|wanted| one(wanted, gate.compare, facts)).collect();
    let answer = each.iter().map(|verdict| verdict.answer).reduce(|a, b| match (a, b) {
        (Answer::Closed, _) | (_, Answer::Closed) => Answer::Closed,
        (Answer::Unknown, _) | (_, Answer::Unknown) => Answer::Unknown,
        (Answer::Open, Answer::Open) => Answer::Open,
    })?;
    let says = each.iter().filter(|verdict| verdict.answer == answer || verdict.answer != Answer::Open);
    let says = says.flat_map(|verdict| verdict.says.clone()).collect();
    let facts = each.into_iter().map(|verdict| verdict.facts).collect();
    Some(Verdict { gate: Condition::Observed, answer, says, facts, forced: None })
}

fn one(wanted: &Observed, compare: Compare, facts: &Facts) -> Verdict {
    let Observed { app, min_version, span, .. } = wanted;
    let lasts = humantime::format_duration(*span);
    let since = SignedDuration::try_from(*span).ok().and_then(|span| facts.now.checked_sub(span).ok());
    let since = since.unwrap_or(Timestamp::MIN);
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for seen in facts.sightings.iter().filter(|seen| seen.last > since) {
        match standing(wanted, compare, seen) {
            Standing::Old(how) => old.push((seen, how)),
            Standing::New => new.push(seen),
            Standing::Another => {}
        }
    }
    let evidence =
        json!({"app": app, "since": since, "looks": facts.looks.len(), "older": old.len(), "sessions": new});
    if !old.is_empty() {
        let named = old.iter().take(NAMED).map(|(seen, how)| {
            let open = format!("opens when none of it has been seen for {lasts}");
            format!("observed: {} is {how}, last seen at {:.0}; {open}", seen.describe(), seen.last)
        });
        let more = (old.len() > NAMED).then(|| format!("observed: and {} more", old.len() - NAMED));
        return Verdict::closed(Condition::Observed, named.chain(more).collect()).by(evidence);
    }
    if let Some((from, to)) = gap(wanted, since, facts) {
        let why = format!(
            "observed: nobody looked who was connected between {from:.0} and {to:.0}: it takes a look at least every {} \
             for {lasts}; each run of phase contract or phase advance is one, --wait takes one every few seconds",
            humantime::format_duration(part(wanted))
        );
        return Verdict::unknown(Condition::Observed, vec![why]).by(evidence);
    }
    if new.is_empty() {
        let why = format!(
            "observed: no session of {app} {min_version} or later has been seen for {lasts}: its application_name says \
             {app}@{min_version}"
        );
        return Verdict::closed(Condition::Observed, vec![why]).by(evidence);
    }
    let says = format!(
        "observed: no {app} before {min_version} has been connected for {lasts}, {} looks",
        facts.looks.len()
    );
    Verdict::open(Condition::Observed, vec![says]).by(evidence)
}

/// Which application a session is of.
enum Standing {
    /// One that is too old, and how that is known.
    Old(String),
    /// One that is new enough.
    New,
    /// Another one.
    Another,
}

fn standing(wanted: &Observed, compare: Compare, seen: &Sighting) -> Standing {
    let Some((app, version)) = wanted.pattern.read(&seen.name) else {
        return if wanted.users.contains(&seen.user) {
            Standing::Old(format!("of a user of {} and says no version in its application_name", wanted.app))
        } else {
            Standing::Another
        };
    };
    if app != wanted.app {
        return Standing::Another;
    }
    match compare.order(version, &wanted.min_version) {
        Some(Ordering::Less) => Standing::Old(format!("older than {}", wanted.min_version)),
        Some(Ordering::Equal | Ordering::Greater) => Standing::New,
        None => Standing::Old(format!("of a version that cannot be compared with {}", wanted.min_version)),
    }
}

fn part(wanted: &Observed) -> Duration {
    (wanted.span / PARTS).max(SHORTEST)
}

/// The first span without a look that is too long for anybody to tell who was connected.
fn gap(wanted: &Observed, since: Timestamp, facts: &Facts) -> Option<(Timestamp, Timestamp)> {
    let longest = SignedDuration::try_from(part(wanted)).unwrap_or(SignedDuration::MAX);
    let inside = facts.looks.iter().copied().filter(|at| *at > since);
    let mut before = since;
    for at in inside.chain([facts.now]) {
        if at.duration_since(before) > longest {
            return Some((before, at));
        }
        before = at;
    }
    None
}

impl Sighting {
    /// Who it is, for people.
    fn describe(&self) -> String {
        let Self { name, user, address, sessions, .. } = self;
        let name = if name.is_empty() { "a session without application_name" } else { name };
        let from = address.as_ref().map_or(String::new(), |address| format!(" from {address}"));
        let many = if *sessions > 1 { format!(", {sessions} sessions") } else { String::new() };
        format!("{name} (user {user}{from}{many})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::facts::testing::facts;
    use super::*;
    use crate::core::plan::model::Pattern;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_second(n).unwrap()
    }

    fn seen(name: &str, last: i64) -> Sighting {
        Sighting {
            name: name.into(),
            user: "app".into(),
            address: Some("10.0.0.7".into()),
            sessions: 2,
            first: second(1),
            last: second(last),
        }
    }

    /// With 40 minutes, and a look every 10 of them up to second 10,000.
    fn of(users: &[&str], looks: &[i64], sightings: Vec<Sighting>) -> Verdict {
        let wanted = Observed {
            app: "web".into(),
            min_version: "2.4.0".into(),
            span: Duration::from_secs(2_400),
            pattern: Pattern::default(),
            users: users.iter().map(|user| (*user).to_owned()).collect(),
        };
        let gate = Gate { observed: vec![wanted], ..Gate::default() };
        let looks = looks.iter().copied().map(second).collect();
        judge(&gate, &Facts { looks, sightings, ..facts(10_000) }).unwrap()
    }

    const ALWAYS: [i64; 5] = [7_600, 8_200, 8_800, 9_400, 10_000];

    #[test]
    fn a_forgotten_session_keeps_it_closed_and_is_named() {
        let got = of(&[], &ALWAYS, vec![seen("web@2.4.0", 9_990), seen("web/v2.3.9 pod-7", 7_601)]);
        assert_eq!(
            got.says,
            [
                "observed: web/v2.3.9 pod-7 (user app from 10.0.0.7, 2 sessions) is older than 2.4.0, last seen at \
                 1970-01-01T02:06:41Z; opens when none of it has been seen for 40m"
            ]
        );
        assert_eq!(got.answer, Answer::Closed);
        let gone = of(&[], &ALWAYS, vec![seen("web@2.4.0", 9_990), seen("web@2.3.9", 7_600)]);
        assert_eq!(gone.answer, Answer::Open, "{gone:?}");
        let other = of(
            &[],
            &ALWAYS,
            vec![seen("web@2.4.0", 9_990), seen("worker@1.0.0", 9_990), seen("psql", 9_990)],
        );
        assert_eq!(other.answer, Answer::Open, "{other:?}");
        let odd = of(&[], &ALWAYS, vec![seen("web@2.4.0", 9_990), seen("web@blue", 9_990)]);
        assert_eq!(odd.answer, Answer::Closed, "{odd:?}");
    }

    #[test]
    fn a_session_that_says_nothing_counts_where_its_user_is_of_the_application() {
        let both = || vec![seen("web@2.4.0", 9_990), seen("", 9_990)];
        assert_eq!(of(&[], &ALWAYS, both()).answer, Answer::Open);
        let got = of(&["app"], &ALWAYS, both());
        assert!(got.says[0].starts_with("observed: a session without application_name (user app"), "{got:?}");
    }

    #[test]
    fn where_nobody_looked_nobody_can_tell() {
        let new = || vec![seen("web@2.4.0", 9_990)];
        for looks in [&[][..], &[10_000], &[7_600, 8_200, 9_400, 10_000], &[7_600, 8_200, 8_800, 9_300]] {
            assert_eq!(of(&[], looks, new()).answer, Answer::Unknown, "{looks:?}");
        }
        assert_eq!(of(&[], &ALWAYS, new()).answer, Answer::Open);
        // Nor does silence open it.
        assert_eq!(of(&[], &ALWAYS, Vec::new()).answer, Answer::Closed);
    }
}
