//! Owns the reaper: a small process that ends a server and removes its files
//! when the owner ends without doing so, even by SIGKILL.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::ThrowawayError;

/// Waits for the end of its input, which comes when the owner's side of the
/// pipe closes; then stops whatever server runs in `$1/data` and removes `$1`.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
read -r _ || true
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
case "$pid" in
  ''|*[!0-9]*) ;;
  *)
    kill -INT "$pid" 2>/dev/null
    n=0
    while kill -0 "$pid" 2>/dev/null && [ "$n" -lt 100 ]; do
      n=$((n + 1))
      [ "$n" -eq 50 ] && kill -QUIT "$pid" 2>/dev/null
      sleep 0.1
    done
    ;;
esac
rm -rf "$1"
"#;

/// Starts a reaper for a server's folder. Its own process group keeps a
/// terminal's Ctrl-C away from it.
pub(super) fn start(folder: &Path) -> Result<Child, ThrowawayError> {
    Command::new("sh")
        .args(["-c", SCRIPT, "reaper"])
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(ThrowawayError::io("sh"))
}
