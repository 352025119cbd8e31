//! Asks the second linter about the items that are checked.

use clap::ValueEnum;

use crate::cli::exit::CommandError;
use crate::cli::files::ProjectError;
use crate::core::compile::Server;
use crate::core::lint::Finding;
use crate::core::lint::second::{Opinion, Wanted, opinions};
use crate::core::sql::deep_each;
use crate::core::timeline::Item;

/// Which opinions are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Which {
    /// What the rules of phase do not judge.
    New,
    /// Also what they judge by other means.
    All,
    /// None: the second linter is not asked.
    None,
}

/// The opinions on all items.
///
/// # Errors
/// When the two parsers do not agree where a statement begins.
pub(super) fn of<'a>(
    items: impl Iterator<Item = &'a Item>,
    server: Server,
    findings: &[Finding],
    which: Which,
) -> Result<Vec<Opinion>, CommandError> {
    let wanted = match which {
        Which::New => Wanted::New,
        Which::All => Wanted::All,
        Which::None => return Ok(Vec::new()),
    };
    let items: Vec<&Item> = items.collect();
    let found = deep_each(&items, |item| opinions(item, server, findings, wanted))
        .map_err(|error| ProjectError::Invalid(error.to_string()))?;
    Ok(found.into_iter().flatten().collect())
}
