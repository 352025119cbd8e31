//! Probes of a throttle: an address that answers, a command that succeeds.

use std::time::Duration;

use super::address::{Request, get};
use super::program::{Ended, run};
use crate::core::address::without_secrets;
use crate::core::pace::signal::Value;

/// How long a probe may take; one that takes longer is unknown.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks an address: 200 goes, 429 and 503 stop, anything else is unknown.
pub async fn http(address: &str) -> Value {
    let shown = without_secrets(address);
    let request = Request { address: address.to_owned(), headers: Vec::new(), timeout: PATIENCE };
    match get(request).await.map(|answer| answer.status) {
        Ok(200) => Value::Known(0.0),
        Ok(status @ (429 | 503)) => Value::Said(1.0, format!("{shown} answers {status}")),
        Ok(status) => Value::Unknown(format!("{shown} answers {status}")),
        Err(why) => Value::Unknown(format!("{shown} does not answer: {why}")),
    }
}

/// Runs a command with the shell: success goes, anything else stops.
pub async fn command(text: &str) -> Value {
    match run(text, PATIENCE).await {
        Ended::Well => Value::Known(0.0),
        Ended::Badly(how) => Value::Said(1.0, format!("the command {how}")),
        Ended::Unknown(why) => Value::Unknown(format!("the command: {why}")),
    }
}
