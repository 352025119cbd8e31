//! Writes how far a concurrent command is, for people.

use crate::core::brief::count;
use crate::engine::Watch;

/// What it does, and whom it waits for.
pub(super) fn doing(watch: &Watch) -> String {
    let waits = watch.waiting_for.iter().map(|blocker| format!("waits for {blocker}"));
    let phase = Some(watch.phase.clone()).filter(|phase| !phase.is_empty());
    phase.into_iter().chain(waits).collect::<Vec<_>>().join(", ")
}

/// How much of that is done; `None` where the server does not say.
pub(super) fn done(watch: &Watch) -> Option<String> {
    let share = watch.done.clamp(0, watch.total).checked_mul(100)?.checked_div(watch.total)?;
    (watch.total > 0).then(|| {
        format!("{}: {} of {} {} ({share}%)", watch.phase, count(watch.done), count(watch.total), watch.unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_says_how_far_it_is_in_the_units_of_its_phase() {
        let watch = |done, total| Watch {
            phase: "building index: scanning table".into(),
            done,
            total,
            unit: "blocks",
            waiting_for: Vec::new(),
        };
        let scan = done(&watch(1_234, 5_000));
        assert_eq!(scan.as_deref(), Some("building index: scanning table: 1,234 of 5,000 blocks (24%)"));
        assert_eq!(done(&watch(0, 0)), None);
    }
}
