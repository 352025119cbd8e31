//! Judges `deployed`: whether the markers of each application have reached its version, in every environment.

use std::cmp::Ordering;

use serde_json::json;

use super::facts::{Facts, Marker};
use super::verdict::{Condition, Verdict};
use crate::core::plan::model::{AppVersion, Compare, Gate};

pub(super) fn judge(gate: &Gate, facts: &Facts) -> Option<Verdict> {
    if gate.deployed.is_empty() {
        return None;
    }
    let reasons: Vec<String> =
        gate.deployed.iter().flat_map(|wanted| missing(wanted, gate.compare, facts)).collect();
    let markers: Vec<&Marker> = gate.deployed.iter().flat_map(|wanted| of(wanted, facts)).collect();
    let evidence = markers.iter().map(|marker| format!("deployed: {}", describe(marker))).collect();
    Some(Verdict::of(Condition::Deployed, reasons, evidence).by(json!({"markers": markers})))
}

/// The markers of an application, one an environment.
pub(super) fn of<'a>(wanted: &AppVersion, facts: &'a Facts) -> impl Iterator<Item = &'a Marker> {
    facts.markers.iter().filter(move |marker| marker.app == wanted.app)
}

/// Every reason why a version of an application is not live everywhere yet.
fn missing(wanted: &AppVersion, compare: Compare, facts: &Facts) -> Vec<String> {
    let AppVersion { app, version } = wanted;
    let markers: Vec<&Marker> = of(wanted, facts).collect();
    if markers.is_empty() {
        return vec![format!(
            "deployed: no marker for {app} yet; when it is live everywhere: phase deployed {app}@{version}"
        )];
    }
    let named = markers.iter().any(|marker| marker.environment.is_some());
    let short = markers.into_iter().filter_map(|marker| {
        let hint = match &marker.environment {
            Some(environment) => format!(
                "when it is live everywhere there: phase deployed {app}@{version} --environment {environment}; where that \
                 environment is gone: phase deployed {app} --environment {environment} --gone"
            ),
            None if named => format!(
                "when it is live everywhere: phase deployed {app}@{version}; this marker names no environment, others do: \
                 where it does not count any more: phase deployed {app} --gone"
            ),
            None => format!("when it is live everywhere: phase deployed {app}@{version}"),
        };
        match compare.order(&marker.version, version) {
            Some(Ordering::Less) => {
                Some(format!("deployed: {app} is at {}, not yet {version}; {hint}", place(marker)))
            }
            Some(Ordering::Equal | Ordering::Greater) => None,
            None => Some(format!(
                "deployed: {app} is at {}, and it cannot be told whether {version} comes before that: they are no semantic \
                 versions, and not equal; compare: lexical in the gate orders them as texts; {hint}",
                place(marker)
            )),
        }
    });
    short.collect()
}

fn place(marker: &Marker) -> String {
    match &marker.environment {
        Some(environment) => format!("{} in {environment}", marker.version),
        None => marker.version.clone(),
    }
}

fn describe(marker: &Marker) -> String {
    let revision =
        marker.revision.as_ref().map_or(String::new(), |revision| format!(" (revision {revision})"));
    format!("{}@{}{revision} is live since {:.0}, says {}", marker.app, place(marker), marker.at, marker.by)
}

impl Compare {
    /// How two versions stand to each other; `None`: nobody can tell.
    #[must_use]
    pub fn order(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            Self::Lexical => Some(a.cmp(b)),
            Self::Semantic => match (semantic(a), semantic(b)) {
                (Some(a), Some(b)) => Some(a.cmp_precedence(&b)),
                _ => (a == b).then_some(Ordering::Equal),
            },
        }
    }
}

/// Reads a semantic version, with `v` before it or not; what is left out at its end counts as 0.
fn semantic(text: &str) -> Option<semver::Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let at = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(at);
    let dots = numbers.matches('.').count();
    semver::Version::parse(&format!("{numbers}{}{rest}", ".0".repeat(2_usize.saturating_sub(dots)))).ok()
}

#[cfg(test)]
mod tests {
    use super::super::facts::testing::{facts, marker};
    use super::*;
    use crate::core::gate::{Answer, reasons, verdicts};

    fn web(version: &str) -> Gate {
        Gate { deployed: vec![AppVersion { app: "web".into(), version: version.into() }], ..Gate::default() }
    }

    #[test]
    fn versions_compare_by_their_numbers() {
        let of = |version: &str| reasons(&verdicts(&web(version), &facts(0)));
        for open in ["2.9.0", "v2.10.0", "2.10", "2"] {
            assert_eq!(of(open), [""; 0], "{open}");
        }
        assert_eq!(
            of("2.11.0"),
            [
                "deployed: web is at 2.10.0, not yet 2.11.0; when it is live everywhere: phase deployed web@2.11.0"
            ]
        );
        assert!(of("blue")[0].contains("compare: lexical"));
        let before = Compare::Semantic.order("2.4.0-rc.1", "2.4.0");
        assert_eq!(before, Some(Ordering::Less));
        // What was built says nothing of what comes first.
        assert_eq!(Compare::Semantic.order("2.4.0+a", "2.4.0+b"), Some(Ordering::Equal));
    }

    #[test]
    fn texts_have_an_order_where_the_gate_says_so() {
        let gate = Gate { compare: Compare::Lexical, ..web("2026-11-20.1") };
        let of = |version| {
            let facts = Facts { markers: vec![marker("web", version, None)], ..facts(0) };
            reasons(&verdicts(&gate, &facts)).len()
        };
        assert_eq!((of("2026-11-21.1"), of("2026-11-19.1")), (0, 1));
    }

    #[test]
    fn every_environment_must_have_it() {
        let markers = vec![marker("web", "3.0.0", Some("eu")), marker("web", "2.0.0", Some("us"))];
        let facts = Facts { markers, ..facts(0) };
        let got = verdicts(&web("3.0.0"), &facts);
        assert_eq!(got[0].answer, Answer::Closed);
        assert!(got[0].says[0].starts_with("deployed: web is at 2.0.0 in us, not yet 3.0.0"), "{got:?}");
        assert!(got[0].says[0].ends_with("phase deployed web --environment us --gone"), "{got:?}");
        // One from before anybody named an environment is taken away by itself.
        let markers = vec![marker("web", "3.0.0", Some("eu")), marker("web", "2.0.0", None)];
        let got = verdicts(&web("3.0.0"), &Facts { markers, ..facts });
        assert!(got[0].says[0].ends_with("phase deployed web --gone"), "{got:?}");
    }
}
