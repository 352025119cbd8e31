//! Looks up what an item takes for granted, for the check as for the start.

use crate::cli::desk::Desk;
use crate::cli::exit::CommandError;
use crate::core::preflight::{Made, to_look_up};
use crate::core::timeline::Item;

/// What an item takes for granted and the database does not have, each with its place; `before`
/// is what will have been made by then.
///
/// # Errors
/// When the server cannot be asked.
pub(super) async fn missing(desk: &Desk, item: &Item, before: &Made) -> Result<Vec<String>, CommandError> {
    let mut missing = Vec::new();
    for requirement in &to_look_up(item, before)? {
        let fault = desk.target.missing(requirement).await?;
        missing.extend(fault.map(|fault| {
            format!("{}:{}:{}: {fault}", item.file, requirement.place.line, requirement.place.column)
        }));
    }
    if !before.alters(item) {
        missing.extend(item.refused.iter().cloned());
    }
    missing.dedup();
    Ok(missing)
}
