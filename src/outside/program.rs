//! Runs a program by the shell, ends it when its time is over, and says how it ended.

use std::process::Stdio;
use std::time::Duration;

/// The most of a program's output that is shown, in characters.
const SHOWN: usize = 200;

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// With exit code 0.
    Well,
    /// With another one, or by a signal; how, and what it said.
    Badly(String),
    /// It did not end in time, or could not be run; which.
    Unknown(String),
}

/// Runs a command line with `sh -c`, in a process group of its own that ends with the time.
pub(super) async fn run(text: &str, timeout: Duration) -> Ended {
    let child = tokio::process::Command::new("sh")
        .args(["-c", text])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let child = match child {
        Ok(child) => child,
        Err(error) => return Ended::Unknown(format!("it could not be run: {error}")),
    };
    let group = child.id();
    match tokio::time::timeout(timeout, child.wait_with_output()).await {
        Err(_) => {
            end_group(group);
            Ended::Unknown(format!("it did not end within {}", humantime::format_duration(timeout)))
        }
        Ok(Err(error)) => Ended::Unknown(format!("it could not be run: {error}")),
        Ok(Ok(output)) if output.status.success() => Ended::Well,
        Ok(Ok(output)) => {
            let said = [output.stdout, output.stderr].concat();
            let said: String =
                String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ");
            let said: String = said.chars().take(SHOWN).collect();
            let ended = output.status.code().map_or_else(|| "a signal".into(), |code| format!("code {code}"));
            Ended::Badly(format!("ended with {ended}: {said}").trim_end_matches([':', ' ']).to_owned())
        }
    }
}

/// What the shell has started ends with it.
fn end_group(group: Option<u32>) {
    let group = group.and_then(|group| i32::try_from(group).ok()).map(nix::unistd::Pid::from_raw);
    if let Some(group) = group {
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ends(text: &str) -> Ended {
        run(text, Duration::from_secs(20)).await
    }

    #[tokio::test]
    async fn a_program_says_how_it_ended() {
        assert_eq!(ends("exit 0").await, Ended::Well);
        assert_eq!(
            ends("echo no; echo way >&2; exit 3").await,
            Ended::Badly("ended with code 3: no way".into())
        );
        assert_eq!(ends("kill -9 $$").await, Ended::Badly("ended with a signal".into()));
        // What it started in the background keeps its output open, and ends with it.
        let late = run("sleep 600 & sleep 600", Duration::from_millis(100)).await;
        assert_eq!(late, Ended::Unknown("it did not end within 100ms".into()));
    }
}
