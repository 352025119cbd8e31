//! Owns which broken files stop a command: every one stops a command over all plans; a command
//! about named plans is stopped by those that it names, and warns of the others.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::files::ProjectError;
use crate::cli::naming::{called, only};
use crate::core::drift::Drift;
use crate::core::record::Record;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::version::Version;

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Its path.
    #[serde(rename = "file")]
    pub path: PathBuf,
    /// Why, with its place.
    #[serde(rename = "error")]
    pub why: String,
}

impl Broken {
    /// The version in its name.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        Some(called(&self.path)?.0)
    }
}

/// What can be read of a project's files, and what cannot.
pub struct Readable {
    /// Those that can be used, compiled, in timeline order.
    pub items: Vec<Item>,
    /// The others.
    pub broken: Vec<Broken>,
}

impl Readable {
    /// Every item, for a command over all of them.
    ///
    /// # Errors
    /// When a file is broken.
    pub fn all(self) -> Result<Vec<Item>, ProjectError> {
        refuse(&self.broken)?;
        Ok(self.items)
    }

    /// The same for a command about these plans; without any it is about all.
    ///
    /// # Errors
    /// When one of them is not there, or cannot be told from others, or its file is broken.
    pub fn about(self, wanted: &[String]) -> Result<Self, ProjectError> {
        if wanted.is_empty() {
            refuse(&self.broken)?;
        }
        for text in wanted {
            if let Some(broken) = self.broken_of(text)? {
                refuse(std::slice::from_ref(broken))?;
            }
        }
        Ok(self)
    }

    /// The broken file that is meant, if one is.
    fn broken_of(&self, wanted: &str) -> Result<Option<&Broken>, ProjectError> {
        let stem = Path::new(wanted).file_stem();
        let exact = |path: &Path| path.file_stem() == stem;
        if self.items.iter().any(|item| exact(Path::new(&item.file))) {
            return Ok(None);
        }
        if let Some(broken) = self.broken.iter().find(|broken| exact(&broken.path)) {
            return Ok(Some(broken));
        }
        let whole = self.items.iter().map(|item| (item.version.clone(), item.name.clone(), None));
        let broken = self.broken.iter().filter_map(|broken| {
            let (version, name) = called(&broken.path)?;
            Some((version, name.to_owned(), Some(broken)))
        });
        let files: Vec<_> = whole.chain(broken).collect();
        let found = only(&files, wanted, |(version, name, _)| Some((version.clone(), name.clone())))?;
        Ok(found.2)
    }

    /// Says on stderr what is wrong with the files that the command is not about.
    pub fn warn(&self) {
        for why in faults(&self.broken) {
            tracing::warn!("{why}\nthe command goes on without this file");
        }
    }

    /// Whether a difference is only that a file is broken: that one is not missing.
    #[must_use]
    pub fn explains(&self, drift: &Drift) -> bool {
        match drift {
            Drift::Missing { item, .. } => {
                Version::split_stem(item).is_some_and(|(version, _)| self.has_broken(&version))
            }
            Drift::Edited { .. } | Drift::OutOfOrder { .. } => false,
        }
    }

    /// Whether a broken file has this version.
    #[must_use]
    pub fn has_broken(&self, version: &Version) -> bool {
        self.broken.iter().any(|broken| broken.version().as_ref() == Some(version))
    }

    /// The broken files that are older than an item and still pending, by name.
    #[must_use]
    pub fn broken_before(&self, item: &Item, records: &[Record]) -> Vec<String> {
        let pending = |broken: &&Broken| {
            let Some(version) = broken.version() else { return false };
            let record = records.iter().find(|record| record.version == version);
            version < item.version && record.is_none_or(|record| record.state == State::Planned)
        };
        let stem = |broken: &Broken| Some(broken.path.file_stem()?.to_str()?.to_owned());
        self.broken.iter().filter(pending).filter_map(stem).collect()
    }
}

/// Refuses to go on over broken files.
///
/// # Errors
/// When there is one: the faults of all of them.
pub fn refuse(broken: &[Broken]) -> Result<(), ProjectError> {
    if broken.is_empty() { Ok(()) } else { Err(ProjectError::Invalid(faults(broken).join("\n\n"))) }
}

/// Each fault once: two files may share one.
#[must_use]
pub fn faults(broken: &[Broken]) -> Vec<&str> {
    let mut faults: Vec<&str> = Vec::new();
    for one in broken {
        if !faults.contains(&one.why.as_str()) {
            faults.push(&one.why);
        }
    }
    faults
}
