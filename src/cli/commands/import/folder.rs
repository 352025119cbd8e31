//! Reads the folder of another tool, and writes files whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::exit::CommandError;
use crate::cli::files::{ProjectError, read_bytes};
use crate::core::import::{File, IMPORTED, Tool};
use crate::core::migration::MAX_MIGRATION_BYTES;

/// How deep a tool's folder is looked through.
const MAX_DEPTH: usize = 8;
/// The most files that are taken for a tool's; more means another folder than the one that is meant.
const MAX_FILES: usize = 20_000;
/// What Sqitch has in its folder, which is often that of the whole project.
const SQITCH: &[&str] = &["deploy", "revert"];

/// The folder that is meant, or the first that is there of those where the tool has its files by itself.
pub(super) fn of(tool: Tool, named: Option<&Path>, project: &Path) -> Result<PathBuf, CommandError> {
    let usual = || tool.folders().iter().map(|folder| project.join(folder));
    match named {
        Some(folder) => {
            // As every path on the command line it is relative to where the command works.
            let folder = project.join(folder);
            if folder.is_dir() {
                return Ok(folder);
            }
            Err(CommandError::Usage(format!("{}: there is no such folder", folder.display())))
        }
        None => usual().find(|folder| folder.is_dir()).ok_or_else(|| {
            CommandError::Usage(format!(
                "the files of {} are not in {}: name their folder with --files DIR",
                tool.title(),
                tool.folders().join(" or ")
            ))
        }),
    }
}

/// The files of a folder that are the tool's by their names.
pub(super) fn read(tool: Tool, folder: &Path) -> Result<Vec<File>, CommandError> {
    let mut files = Vec::new();
    walk(tool, folder, "", 0, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(
    tool: Tool,
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<File>,
) -> Result<(), CommandError> {
    let wrong =
        |error: io::Error| ProjectError::Read { path: folder.display().to_string(), why: error.to_string() };
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            let within = tool != Tool::Sqitch || depth > 0 || SQITCH.contains(&name);
            if within && depth < MAX_DEPTH {
                walk(tool, &path, &format!("{prefix}{name}/"), depth + 1, files)?;
            }
            continue;
        }
        let Some((_, extension)) = name.rsplit_once('.').filter(|(_, end)| tool.extensions().contains(end))
        else {
            continue;
        };
        if files.len() == MAX_FILES {
            let why = format!(
                "{} has more than {MAX_FILES} files: name the folder of migrations with --files",
                folder.display()
            );
            return Err(CommandError::Usage(why));
        }
        let bytes = if tool.reads(extension) { read_bytes(&path, MAX_MIGRATION_BYTES)? } else { Vec::new() };
        files.push(File { path: format!("{prefix}{name}"), bytes });
    }
    Ok(())
}

/// The files without those that an import before wrote into the same folder. Others there that phase would
/// read as its own as well are refused.
pub(super) fn apart(
    tool: Tool,
    folder: &Path,
    own: &Path,
    mut files: Vec<File>,
) -> Result<Vec<File>, CommandError> {
    let same = fs::canonicalize(folder).ok().zip(fs::canonicalize(own).ok()).is_some_and(|(a, b)| a == b);
    if !same {
        return Ok(files);
    }
    let sql = |file: &File| !file.path.contains('/') && file.path.ends_with(".sql");
    files.retain(|file| !(sql(file) && file.bytes.starts_with(IMPORTED.as_bytes())));
    if !files.iter().any(sql) {
        return Ok(files);
    }
    let (own, name) = (own.display(), tool.name());
    Err(CommandError::Usage(format!(
        "{own} holds the files of {} and is where phase has its own: move them first, git mv {own} {own}-{name} && \
         phase import --from {name} --files {own}-{name}; or name another folder of phase in phase.yaml (migrations: DIR)",
        tool.title()
    )))
}

/// Writes a file under another name first, so that none is ever half there.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // A hidden name, which nobody takes for a migration; one that a crash left is written over.
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let draft = folder.join(format!(".{name}.import"));
    let mut file = fs::File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}
