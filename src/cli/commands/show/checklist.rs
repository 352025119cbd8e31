//! `phase show --checklist`: what is known of an item, for the questions before production.

use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::core::checklist::{Known, Line, Recorded, checklist};
use crate::core::ident::QName;
use crate::core::lint::{World, judge, mentions};
use crate::core::record::Record;
use crate::core::rehearse::{EVENT, Outcome};
use crate::core::state::State;
use crate::core::timeline::Item;

#[derive(Serialize)]
struct Document<'a> {
    version: &'a str,
    name: &'a str,
    checklist: &'a [Line],
}

/// Answers from the catalog and the record.
pub(super) async fn run(desk: &Desk, item: &Item, record: Option<&Record>) -> Result<Output, CommandError> {
    let mut mentioned = mentions(item.steps_both_ways())?;
    // Those that only a backfill names as well.
    mentioned.relations.extend(item.tables.iter().filter_map(|table| QName::parse(table).ok()));
    let world = desk.target.world_in_use(&mentioned, desk.config.small_table).await?;
    let (markers, rehearsal) = if desk.recorded() {
        let noted = desk.store.last_event(&item.version, EVENT).await?;
        (desk.store.markers().await?, noted.as_deref().and_then(Outcome::read))
    } else {
        (Vec::new(), None)
    };
    let state = record.map_or(State::Planned, |record| record.state);
    let record = Recorded { state, markers: &markers, rehearsal: rehearsal.as_ref() };
    answers(item, &world, desk.config.small_table, Some(record))
}

/// Answers from what is known.
pub(super) fn answers(
    item: &Item,
    world: &World,
    small: f64,
    record: Option<Recorded<'_>>,
) -> Result<Output, CommandError> {
    let findings = judge(item, world.clone(), small)?;
    let lines = checklist(&Known { item, findings: &findings, world, record })?;
    let mut text = format!("{}: {}\n", item.stem(), item.title);
    text.extend(lines.iter().map(|line| format!("{}\n", line.text())));
    let document = Document { version: item.version.as_str(), name: &item.name, checklist: &lines };
    Ok(Output::done(text, &document))
}
