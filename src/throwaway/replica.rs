//! A throwaway server with a streaming replica.

use std::fs;
use std::process::Command;

use super::cluster::{Cluster, Options, USER, run};
use super::{ServerBinaries, ThrowawayError};

impl Cluster {
    /// Makes a server and a streaming replica of it, with settings of its own.
    ///
    /// # Errors
    /// When one of them cannot be made or does not start.
    pub fn start_with_replica(
        binaries: &ServerBinaries,
        options: &Options,
        of_replica: &Options,
    ) -> Result<(Self, Self), ThrowawayError> {
        let (mut primary, mut replica) = (Self::prepare(binaries)?, Self::prepare(binaries)?);
        primary.init()?;
        // A folder that never ran is its own base backup.
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(primary.data()).arg(replica.data()).current_dir("/");
        run(primary.account, &mut copy, "cp")?;
        primary.configure(options)?;
        replica.configure(options)?;
        let from = format!("'host={} user={USER}'", primary.folder().display());
        let mut settings = vec![("primary_conninfo".to_owned(), from)];
        settings.extend(of_replica.settings.iter().cloned());
        replica.set(&settings)?;
        let signal = replica.data().join("standby.signal");
        fs::write(&signal, "").map_err(ThrowawayError::io(signal.display()))?;
        primary.launch()?;
        replica.launch()?;
        Ok((primary, replica))
    }
}
