//! Owns the effect boundaries: the places between any two effects, where a test
//! may kill the process. Without the feature `crash-points` they are nothing.

/// Marks a boundary between two effects.
///
/// With the feature `crash-points`, `PHASE_CRASH_AT` kills the process with
/// SIGKILL at the n-th boundary or at the one of that name, and `PHASE_CRASH_LOG=file` gets the name of
/// each boundary that was passed, one a line.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub fn point(_name: &str) {}

/// Marks a boundary between two effects.
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    use std::io::Write;
    use std::sync::atomic::{AtomicU64, Ordering};
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if let Ok(path) = std::env::var("PHASE_CRASH_LOG") {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(path);
        let _ = log.and_then(|mut log| writeln!(log, "{name}"));
    }
    let at = std::env::var("PHASE_CRASH_AT").unwrap_or_default();
    if at == number.to_string() || at == name {
        let _ = nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::Signal::SIGKILL);
    }
}
