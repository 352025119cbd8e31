//! Asks an address, and never says what is secret in it.

use std::time::Duration;

/// The most of an answer's body that is read, in bytes.
const MOST: u64 = 256 * 1024;

/// A request: the address, its headers, and how long it may take.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The address.
    pub address: String,
    /// Headers, as they are sent.
    pub headers: Vec<(String, String)>,
    /// From the first look at the name to the end of the body.
    pub timeout: Duration,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    /// Its status.
    pub status: u16,
    /// Its body; bytes that are no text are replaced.
    pub body: String,
}

/// Sends a GET request; redirects are not followed. An error is said without the address.
pub(super) async fn get(request: Request) -> Result<Response, String> {
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(request.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        let mut call = agent.get(&request.address);
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        let mut answer = call.call().map_err(|error| kind(&error))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(MOST).lossy_utf8(true).read_to_string();
        // Where the body is too long or broken off, its status still says something.
        Ok(Response { status, body: body.unwrap_or_default() })
    });
    asked.await.unwrap_or_else(|_| Err("it could not be asked".into()))
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
