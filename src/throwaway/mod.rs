//! Starts and stops throwaway PostgreSQL servers from the binaries at hand, for rehearsals,
//! the demo and the tests. Nothing of one is left when its owner ends, however
//! it ends.

mod account;
mod binaries;
mod cluster;
mod reaper;
mod replica;

pub use binaries::ServerBinaries;
pub use cluster::{Cluster, Options};

/// Why there is no throwaway server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThrowawayError {
    /// No server binaries were found.
    #[error(
        "no PostgreSQL server binaries were found (initdb, postgres) in PATH, by pg_config or in the usual folders"
    )]
    NoBinaries {
        /// The command that installs them.
        install: String,
    },
    /// A folder has no usable binaries.
    #[error("{0}")]
    Unusable(String),
    /// The server did not start.
    #[error("{what} failed: {output}")]
    Failed {
        /// The program.
        what: String,
        /// The end of what it said.
        output: String,
    },
    /// A file or process could not be handled.
    #[error("{0}")]
    Io(String),
}

impl ThrowawayError {
    fn io(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Io(format!("{what}: {error}"))
    }
}
