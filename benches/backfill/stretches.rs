//! The ways to do it and what an application felt beside each, stretch by stretch and
//! all together.

use crate::lab::median;
use crate::load::Felt;
use crate::page::thousand;

/// A way to do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nothing tuned.
    Default,
    FullPace,
    Script,
    ScriptWithPause,
    OneUpdate,
}

impl Way {
    /// Whether the queue that it leaves behind outlasts it, and so spoils what comes after it.
    pub(crate) const fn lingers(self) -> bool {
        matches!(self, Self::FullPace | Self::Script | Self::OneUpdate)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Default => "phase, nothing tuned",
            Self::FullPace => "phase, full pace",
            Self::Script => "the script",
            Self::ScriptWithPause => "the script, 100 ms pause",
            Self::OneUpdate => "one UPDATE",
        }
    }
}

/// A way of one round, stretch by stretch.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) way: Way,
    /// Transactions a second where nothing holds the application back.
    pub(crate) capacity: f64,
    /// The same application in the same minutes: before it began, between its turns, after it ended.
    pub(crate) alone: Vec<Felt>,
    pub(crate) beside: Vec<Felt>,
    pub(crate) rows_per_s: f64,
}

impl Seen {
    pub(crate) fn print(&self, round: usize) {
        let Self { way, capacity, alone, beside, rows_per_s } = self;
        let each =
            |felt: &[Felt]| felt.iter().map(|one| format!("{:.1}", one.p99())).collect::<Vec<_>>().join(" ");
        println!(
            "3, round {round}: {}: capacity {capacity:.0}, {rows_per_s:.0} rows/s, p99 of each stretch {} ms, alone {} ms",
            way.name(),
            each(beside),
            each(alone)
        );
    }
}

/// The rounds of a way together.
pub(crate) struct All {
    pub(crate) name: &'static str,
    pub(crate) alone: Vec<Felt>,
    pub(crate) beside: Vec<Felt>,
    pub(crate) rows_per_s: f64,
}

impl All {
    pub(crate) fn of(way: Way, seen: &[Seen]) -> Self {
        let of = || seen.iter().filter(|seen| seen.way == way);
        Self {
            name: way.name(),
            alone: of().flat_map(|seen| seen.alone.clone()).collect(),
            beside: of().flat_map(|seen| seen.beside.clone()).collect(),
            rows_per_s: median(of().map(|seen| seen.rows_per_s).collect()),
        }
    }

    /// The stretches without anything against each other, every second one against the rest.
    pub(crate) fn nothing(seen: &[Seen]) -> Self {
        let all = || seen.iter().filter(|seen| !seen.way.lingers()).flat_map(|seen| &seen.alone).cloned();
        let (alone, beside) = (all().step_by(2).collect(), all().skip(1).step_by(2).collect());
        Self { name: "nothing: every second stretch", alone, beside, rows_per_s: 0.0 }
    }

    /// With each transaction counted once.
    pub(crate) fn ratio(&self) -> f64 {
        together(&self.beside) / together(&self.alone)
    }

    /// Of the stretch in the middle, which a stall of the machine in a few of them does not move.
    pub(crate) fn middle(&self) -> f64 {
        middle(&self.beside) / middle(&self.alone)
    }

    pub(crate) fn cells(&self) -> Vec<String> {
        let beside = Felt::together(self.beside.iter());
        vec![
            self.name.to_owned(),
            thousand(self.rows_per_s),
            format!("{:.1}", together(&self.alone)),
            format!("{:.1}", beside.p99()),
            format!("{:.2}", self.ratio()),
            format!("{:.1}", middle(&self.alone)),
            format!("{:.1}", middle(&self.beside)),
            format!("{:.2}", self.middle()),
            format!("{:.1}", beside.p50()),
            format!("{:.0}", beside.worst()),
        ]
    }
}

/// The p99 of all transactions of some stretches.
pub(crate) fn together<'a>(stretches: impl IntoIterator<Item = &'a Felt>) -> f64 {
    Felt::together(stretches.into_iter()).p99()
}

/// The p99 of the stretch in the middle.
fn middle(stretches: &[Felt]) -> f64 {
    median(stretches.iter().map(Felt::p99).collect())
}
