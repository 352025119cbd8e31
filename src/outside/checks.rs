//! Asks what a gate asks outside of the database.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::address::{Request, get};
use super::program::{Ended, run};
use crate::core::gate::Asked;
use crate::core::plan::model::{CommandCheck, HttpCheck};
use crate::engine::outside::Outside;

/// The real ones.
#[derive(Debug, Clone, Copy)]
pub struct Checks;

impl Outside for Checks {
    fn http<'a>(&'a self, check: &'a HttpCheck) -> BoxFuture<'a, Asked> {
        async move {
            let headers = match check.headers.iter().map(filled).collect() {
                Ok(headers) => headers,
                Err(why) => return Asked::Failed(why),
            };
            let request = Request { address: check.url.clone(), headers, timeout: check.timeout };
            match get(request).await {
                Err(why) => Asked::Failed(why),
                Ok(answer) if answer.status != check.status => {
                    Asked::Other(format!("answers {}, not {}", answer.status, check.status))
                }
                Ok(answer) => match check.contains.as_deref().filter(|text| !answer.body.contains(text)) {
                    Some(text) => Asked::Other(format!("answers without {text:?}")),
                    None => Asked::Holds,
                },
            }
        }
        .boxed()
    }

    fn command<'a>(&'a self, check: &'a CommandCheck) -> BoxFuture<'a, Asked> {
        async move {
            match run(&check.run, check.timeout).await {
                Ended::Well => Asked::Holds,
                Ended::Badly(how) => Asked::Other(how),
                Ended::Unknown(why) => Asked::Failed(why),
            }
        }
        .boxed()
    }
}

/// A header with the variables of the environment that its value names as `$NAME`.
fn filled((name, value): &(String, String)) -> Result<(String, String), String> {
    let mut parts = value.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        let (variable, rest) = part.split_at(end);
        let of = std::env::var(variable).ok().filter(|_| !variable.is_empty());
        text += &of.ok_or_else(|| format!("the header {name} names ${variable}, which is not set"))?;
        text += rest;
    }
    Ok((name.clone(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_takes_its_secret_from_the_environment() {
        let of = |value: &str| filled(&("Authorization".into(), value.into()));
        let path = std::env::var("PATH").unwrap_or_default();
        assert_eq!(of("Bearer $PATH!").map(|header| header.1), Ok(format!("Bearer {path}!")));
        assert_eq!(of("plain").map(|header| header.1), Ok("plain".into()));
        assert_eq!(
            of("$NO_SUCH_VARIABLE_OF_PHASE"),
            Err("the header Authorization names $NO_SUCH_VARIABLE_OF_PHASE, which is not set".into())
        );
    }
}
