//! Probes outside the database: an address that answers, a command that succeeds.

use std::process::Stdio;
use std::time::Duration;

use crate::core::pace::signal::Value;

/// How long a probe may take; one that takes longer is unknown.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most of a command's output that is shown.
const SHOWN: usize = 200;

/// Asks an address: 200 goes, 429 and 503 stop, anything else is unknown.
pub async fn http(address: &str) -> Value {
    let address = address.to_owned();
    let shown = without_secrets(&address);
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        agent.get(&address).call().map(|answer| answer.status().as_u16())
    });
    match asked.await {
        Ok(Ok(200)) => Value::Known(0.0),
        Ok(Ok(status @ (429 | 503))) => Value::Said(1.0, format!("{shown} answers {status}")),
        Ok(Ok(status)) => Value::Unknown(format!("{shown} answers {status}")),
        Ok(Err(error)) => Value::Unknown(format!("{shown} does not answer: {}", kind(&error))),
        Err(_) => Value::Unknown(format!("{shown} could not be asked")),
    }
}

/// An address without user, password and query, which may be secrets.
fn without_secrets(address: &str) -> String {
    let base = address.split(['?', '#']).next().unwrap_or_default();
    match (base.split_once("://"), base.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => base.to_owned(),
    }
}

/// What failed, in words that show nothing of the address.
fn kind(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "no answer in time".into(),
        ureq::Error::Io(error) => error.kind().to_string(),
        ureq::Error::HostNotFound => "there is no such host".into(),
        ureq::Error::ConnectionFailed => "no connection".into(),
        _ => "the answer cannot be read".into(),
    }
}

/// Runs a command with the shell: success goes, anything else stops.
pub async fn command(text: &str) -> Value {
    let child = tokio::process::Command::new("sh")
        .args(["-c", text])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(PATIENCE, child).await {
        Err(_) => Value::Unknown("the command did not end in time".into()),
        Ok(Err(error)) => Value::Unknown(format!("the command could not be run: {error}")),
        Ok(Ok(output)) if output.status.success() => Value::Known(0.0),
        Ok(Ok(output)) => {
            let said = [output.stdout, output.stderr].concat();
            let said: String =
                String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ");
            let said: String = said.chars().take(SHOWN).collect();
            let ended = output.status.code().map_or_else(|| "a signal".into(), |code| format!("code {code}"));
            Value::Said(
                1.0,
                format!("the command ended with {ended}: {said}").trim_end_matches([':', ' ']).to_owned(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        for (address, shown) in [
            ("http://u:p@host:1/x?token=1", "http://host:1/x"),
            ("https://host/health#a", "https://host/health"),
        ] {
            assert_eq!(without_secrets(address), shown);
        }
    }
}
