//! Learns what a rehearsal is measured by: how large the plan's tables are here and at the
//! target, and what the linter has against the plan.

use super::start::Target;
use crate::cli::desk::Desk;
use crate::cli::exit::CommandError;
use crate::core::ident::QName;
use crate::core::lint::{Finding, Mentions, World, judge, mentions};
use crate::core::rehearse::Rows;
use crate::core::timeline::Item;
use crate::engine::Target as _;
use crate::pg::connect::Session;
use crate::pg::copy;

/// The database of the rehearsal and the target, as their catalogs tell.
pub(super) struct Known {
    here: World,
    target: Option<World>,
    /// Whether the place is a clone, whose sizes count where no target tells others.
    clone: bool,
}

impl Known {
    /// Asks both catalogs, at the moment when the plan's own steps begin.
    ///
    /// # Errors
    /// When one of them cannot be asked.
    pub(super) async fn ask(
        desk: &Desk,
        target: &Target,
        item: &Item,
        clone: bool,
    ) -> Result<Self, CommandError> {
        let mut mentioned: Mentions = mentions(item.steps_both_ways())?;
        mentioned.relations.extend(item.tables.iter().filter_map(|table| QName::parse(table).ok()));
        let target = match target {
            Target::There(target) => Some(target.target.world(&mentioned).await?),
            Target::None(_) => None,
        };
        Ok(Self { here: desk.target.world(&mentioned).await?, target, clone })
    }

    /// What the linter has against the item, in the schema that it meets here: an empty table
    /// is no small one, so the sizes are those of the target.
    ///
    /// # Errors
    /// When SQL does not parse; such an item is refused before it is one.
    pub(super) fn findings(&self, item: &Item, small: f64) -> Result<Vec<Finding>, CommandError> {
        let world = self.here.clone();
        let world = match &self.target {
            None if self.clone => world,
            target => world.with_sizes_of(target.as_ref()),
        };
        Ok(judge(item, world, small)?)
    }

    /// How large the tables of the item are, as far as they are there; their rows are counted.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(super) async fn rows(&self, session: &Session, item: &Item) -> Result<Vec<Rows>, CommandError> {
        let mut found = Vec::new();
        for table in &item.tables {
            let Ok(name) = QName::parse(table) else { continue };
            let Some(sum) = copy::sum(session, &name).await? else { continue };
            let there = self.target.as_ref().and_then(|target| target.table(&name));
            found.push(Rows {
                table: table.clone(),
                rows: sum.rows,
                bytes: self.here.table(&name).and_then(|here| here.bytes),
                target_rows: there.and_then(|there| there.rows),
                target_bytes: there.and_then(|there| there.bytes),
            });
        }
        Ok(found)
    }
}
