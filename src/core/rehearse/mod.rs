//! The rehearsal as values: the way it takes, what was seen of each step, how that
//! stands to what was predicted, and the report.

mod compare;
mod hold;
mod look;
mod markdown;
mod outcome;
mod outside;
mod predict;
mod report;
mod route;
mod size;
mod stays;
mod text;

pub use compare::{Compared, LockLine, Verdict, compare};
pub use look::{Look, Name, Relation, Sighting, sighting};
pub use markdown::{markdown, not_rehearsed};
pub use outcome::{EVENT, Outcome};
pub use outside::reaches_out;
pub use predict::{Piece, back, forward, mentions, predict};
pub use report::{Report, RoundTrip, Stage, StepReport};
pub use route::{
    Leg, OneWay, Passed, Route, UndoFrom, end_of, forward_steps, passed, rehearsed, route, spared,
    steps_until, stops, wanted_before,
};
pub use size::{Rows, SHARE, there};
pub use stays::{labels, without_labels};
