//! Owns the account that a server runs under: PostgreSQL refuses root.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Gid, Uid, User, chown};

use super::ThrowawayError;

/// Accounts to run as when we are root, in order.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The account of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// Our own.
    Own,
    /// Another, because we are root.
    Other(Uid, Gid),
}

impl Account {
    /// Our own account, or an unprivileged one when we are root.
    pub(super) fn choose() -> Result<Self, ThrowawayError> {
        if !Uid::effective().is_root() {
            return Ok(Self::Own);
        }
        let found = CANDIDATES.iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = found.ok_or_else(|| {
            ThrowawayError::Unusable(
                "PostgreSQL does not run as root, and there is no account postgres or nobody to run it as"
                    .into(),
            )
        })?;
        Ok(Self::Other(user.uid, user.gid))
    }

    /// Makes a program run under this account.
    pub(super) fn apply(self, command: &mut Command) {
        if let Self::Other(uid, gid) = self {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
    }

    /// Gives a folder to this account.
    pub(super) fn own(self, folder: &Path) -> Result<(), ThrowawayError> {
        if let Self::Other(uid, gid) = self {
            chown(folder, Some(uid), Some(gid))
                .map_err(|error| ThrowawayError::Io(format!("{}: {error}", folder.display())))?;
        }
        Ok(())
    }

    /// Refuses binaries that this account cannot reach.
    pub(super) fn can_reach(self, folder: &Path) -> Result<(), ThrowawayError> {
        if self == Self::Own {
            return Ok(());
        }
        let open = |path: &&Path| {
            std::fs::metadata(path).is_ok_and(|metadata| {
                metadata.permissions().mode() & 0o005 != 0o005 && metadata.permissions().mode() & 0o001 == 0
            })
        };
        match folder.ancestors().find(open) {
            None => Ok(()),
            Some(shut) => Err(ThrowawayError::Unusable(format!(
                "{}: the server cannot run as root, and no other account may enter {}",
                folder.display(),
                shut.display()
            ))),
        }
    }
}
