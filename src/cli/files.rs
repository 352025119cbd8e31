//! Reads files and folders of a project, within bounds.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Why the files of a project cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A file or folder cannot be read.
    #[error("{path}: {why}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// Files are not right; every place.
    #[error("{0}")]
    Invalid(String),
    /// No file fits what was asked for, or several do.
    #[error("{0}")]
    NoSuchPlan(String),
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// When it is larger, cannot be read or is not UTF-8.
pub fn read(path: &Path, limit: usize) -> Result<String, ProjectError> {
    let wrong = |why: String| ProjectError::Read { path: path.display().to_string(), why };
    let text = String::from_utf8(read_bytes(path, limit)?).map_err(|error| {
        wrong(format!("it is not UTF-8: byte {} is not valid", error.utf8_error().valid_up_to() + 1))
    })?;
    // A byte order mark is no part of the text.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// When it is larger or cannot be read.
pub fn read_bytes(path: &Path, limit: usize) -> Result<Vec<u8>, ProjectError> {
    let wrong = |why: String| ProjectError::Read { path: path.display().to_string(), why };
    let file = fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut bytes = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(bound).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() > limit {
        return Err(wrong(format!("it is larger than the {} KiB that such a file may have", limit / 1024)));
    }
    Ok(bytes)
}

/// The files of a folder with one of these extensions, sorted; none when the folder is not there.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, ProjectError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(ProjectError::Read { path: folder.display().to_string(), why: error.to_string() });
        }
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| ProjectError::Read {
                path: folder.display().to_string(),
                why: error.to_string(),
            })?
            .path();
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        let wanted = path
            .extension()
            .and_then(|found| found.to_str())
            .is_some_and(|found| extensions.contains(&found));
        if !hidden && wanted && path.to_str().is_none() {
            return Err(ProjectError::Invalid(format!("{}: the name is not UTF-8", path.display())));
        }
        // A link that leads nowhere is a file that cannot be read, and says so.
        if !hidden && wanted && !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
