//! Finds server binaries.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ThrowawayError;

/// Folders whose children (or they themselves) may hold server binaries; `*`
/// stands for a version.
const USUAL: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/lib64/pgsql/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/usr/local/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// Package managers and the commands that install a server.
const INSTALL: &[(&str, &str)] = &[
    ("apt-get", "sudo apt-get install -y postgresql"),
    ("dnf", "sudo dnf install -y postgresql-server"),
    ("yum", "sudo yum install -y postgresql-server"),
    ("apk", "apk add postgresql"),
    ("pacman", "sudo pacman -S --noconfirm postgresql"),
    ("zypper", "sudo zypper install -y postgresql-server"),
    ("brew", "brew install postgresql@17"),
];

/// A folder with `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBinaries {
    folder: PathBuf,
    major: u32,
}

impl ServerBinaries {
    /// The binaries of `PHASE_PG_BIN`, else of `PATH`, `pg_config` or the usual
    /// folders of distributions, newest version first.
    ///
    /// # Errors
    /// When there are none.
    pub fn find() -> Result<Self, ThrowawayError> {
        if let Some(folder) = std::env::var_os("PHASE_PG_BIN").filter(|folder| !folder.is_empty()) {
            return Self::at(Path::new(&folder));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let in_path = std::env::split_paths(&path).collect::<Vec<_>>();
        let by_pg_config = pg_config();
        let mut usual: Vec<Self> =
            USUAL.iter().flat_map(|pattern| expand(pattern)).filter_map(|f| Self::at(&f).ok()).collect();
        usual.sort_by_key(|found| std::cmp::Reverse(found.major));
        let first = in_path.iter().chain(by_pg_config.iter()).find_map(|folder| Self::at(folder).ok());
        first
            .or_else(|| usual.into_iter().next())
            .ok_or_else(|| ThrowawayError::NoBinaries { install: install() })
    }

    /// The binaries of one major version where they are at hand, else those of [`find`](Self::find).
    ///
    /// # Errors
    /// When there are none at all.
    pub fn like(major: u32) -> Result<Self, ThrowawayError> {
        let found = Self::find()?;
        if found.major == major {
            return Ok(found);
        }
        let others =
            USUAL.iter().flat_map(|pattern| expand(pattern)).filter_map(|folder| Self::at(&folder).ok());
        Ok(others.into_iter().find(|other| other.major == major).unwrap_or(found))
    }

    /// The binaries of one folder.
    ///
    /// # Errors
    /// When they are not there or do not run.
    pub fn at(folder: &Path) -> Result<Self, ThrowawayError> {
        let unusable = |why: String| ThrowawayError::Unusable(format!("{}: {why}", folder.display()));
        for name in ["initdb", "postgres"] {
            if !folder.join(name).is_file() {
                return Err(unusable(format!("there is no {name}")));
            }
        }
        let output = Command::new(folder.join("postgres")).arg("--version").stdin(Stdio::null()).output();
        let output = output.map_err(|error| unusable(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
        let major = text.split_whitespace().nth(2).and_then(|version| {
            version.split(|c: char| !c.is_ascii_digit()).next().and_then(|major| major.parse().ok())
        });
        let major = major.ok_or_else(|| unusable(format!("postgres --version says {text:?}")))?;
        Ok(Self { folder: folder.to_path_buf(), major })
    }

    /// The path of one of them.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The server's major version.
    #[must_use]
    pub const fn major(&self) -> u32 {
        self.major
    }
}

fn pg_config() -> Option<PathBuf> {
    let output =
        Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim())).filter(|folder| folder.is_dir())
}

/// The folders that a pattern with one `*` stands for.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let fits = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok().filter(|name| name.starts_with(prefix))?;
        Some(PathBuf::from(format!("{parent}/{name}{after}")))
    };
    entries.flatten().filter_map(fits).collect()
}

fn install() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let known = INSTALL.iter().find(|(program, _)| has(program));
    known.map_or_else(
        || "install the PostgreSQL server, or name its folder in PHASE_PG_BIN".into(),
        |(_, command)| (*command).into(),
    )
}
