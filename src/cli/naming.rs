//! How a plan or SQL migration is named on the command line.

use std::path::Path;

use crate::cli::files::ProjectError;
use crate::core::timeline::Item;
use crate::core::version::Version;

/// Finds the one item that a person means: by version, name, an unambiguous
/// prefix of either, or path.
///
/// # Errors
/// When none fits, or several do.
pub fn find<'a>(items: &'a [Item], wanted: &str) -> Result<&'a Item, ProjectError> {
    let stem = Path::new(wanted).file_stem().and_then(|stem| stem.to_str()).unwrap_or(wanted);
    match items.iter().find(|item| item.stem() == stem) {
        Some(item) => Ok(item),
        None => only(items, wanted, |item| Some((item.version.clone(), item.name.clone()))),
    }
}

/// Finds the one of `all` that a person means, where each has a version and a name:
/// by one of them, both, or an unambiguous beginning.
///
/// # Errors
/// When none fits, or several do.
pub fn only<'a, T>(
    all: &'a [T],
    wanted: &str,
    called: impl Fn(&T) -> Option<(Version, String)>,
) -> Result<&'a T, ProjectError> {
    let names: Vec<(&T, [String; 3])> = all
        .iter()
        .filter_map(|one| {
            let (version, name) = called(one)?;
            Some((one, [format!("{version}_{name}"), version.to_string(), name]))
        })
        .collect();
    let exact = names.iter().find(|(_, names)| names.iter().any(|name| name == wanted));
    if let Some((one, _)) = exact {
        return Ok(one);
    }
    let begins = |(_, names): &&(&'a T, [String; 3])| names.iter().any(|name| name.starts_with(wanted));
    let found: Vec<&(&T, [String; 3])> = names.iter().filter(begins).collect();
    match found.as_slice() {
        [(one, _)] => Ok(one),
        [] => Err(ProjectError::NoSuchPlan(format!(
            "no plan or SQL migration is called {wanted:?}: phase status lists them"
        ))),
        several => Err(ProjectError::NoSuchPlan(format!(
            "{wanted:?} may mean any of {}: write more of it",
            several.iter().map(|(_, [stem, ..])| stem.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// The version and the name of a file of the timeline.
#[must_use]
pub fn called(path: &Path) -> Option<(Version, &str)> {
    Version::split_stem(path.file_stem()?.to_str()?)
}
