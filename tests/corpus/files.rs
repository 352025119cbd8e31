//! Lists the files, and takes out of a script what is for psql alone.

use std::path::{Path, PathBuf};

/// The SQL files of a folder, sorted.
pub(crate) fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

/// The script without psql's commands; why it cannot be had, where they change what is sent.
pub(crate) fn without_commands(script: &str) -> Result<String, &'static str> {
    let mut plain = String::new();
    let mut data = false;
    for line in script.lines() {
        if data {
            data = line != "\\.";
            continue;
        }
        let start = line.trim_start();
        if ["\\if", "\\elif", "\\else", "\\i ", "\\ir", "\\copy", "\\watch", "\\gexec", "\\bind"]
            .iter()
            .any(|command| start.starts_with(command) || line.contains(&format!(" {command}")))
        {
            return Err("conditions, includes and the like");
        }
        if start.starts_with('\\') {
            // \g and its kin end the statement before them; \; belongs to it.
            plain += if start.starts_with("\\g") || start.starts_with("\\crosstab") { ";\n" } else { "\n" };
            continue;
        }
        if line.contains("\\;") {
            return Err("statements sent together");
        }
        let lower = line.to_ascii_lowercase();
        data = lower.starts_with("copy ") && lower.contains("from stdin") && lower.trim_end().ends_with(';');
        match line.find(" \\g").or_else(|| line.find("\\gset")).or_else(|| line.find(" \\crosstab")) {
            Some(at) => plain += &format!("{};\n", &line[..at]),
            None => plain += &format!("{line}\n"),
        }
    }
    Ok(plain)
}
