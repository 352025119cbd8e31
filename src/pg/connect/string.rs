//! Reads connection strings: URLs and key=value pairs.

use tokio_postgres::Config;

use super::ConnectError;
use super::settings::wrong;
use super::tls::Files;

/// What is in a connection string and not in the library's.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) sslmode: Option<String>,
    pub(super) files: Files,
    pub(super) passfile: Option<String>,
}

/// Reads a connection string; the settings that the library does not know are
/// taken out first.
pub(super) fn parse(text: &str) -> Result<(Config, Extra), ConnectError> {
    let mut extra = Extra::default();
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    if is_url && unescaped(text) {
        return Err(wrong(
            "the database URL",
            "has more than one @ or a / in the user or password: write @ as %40 and / as %2F there",
        ));
    }
    let rest = if is_url { url_extras(text, &mut extra)? } else { pair_extras(text, &mut extra)? };
    // The library's errors name settings, but a URL that it cannot split may
    // show a part of itself, and that part may be a password.
    let config = rest.parse::<Config>().map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let known = cause.filter(|cause| {
            cause.starts_with("unknown option") || cause.starts_with("invalid value for option")
        });
        ConnectError::Settings(format!(
            "the database URL is not right: {}",
            known.unwrap_or_else(
                || "it does not have the form postgres://user:password@host:port/database".into()
            )
        ))
    })?;
    Ok((config, extra))
}

/// Whether a URL's user or password holds a character that ends it: what comes
/// after would be taken for the host, and shown.
fn unescaped(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let whole = rest.split('?').next().unwrap_or_default();
    let authority = whole.split('/').next().unwrap_or_default();
    whole.matches('@').count() > 1 || (whole.contains('@') && !authority.contains('@'))
}

impl Extra {
    /// Takes a setting that is ours; whether it was.
    fn take(&mut self, key: &str, value: &str) -> bool {
        let slot = match key {
            "sslmode" => &mut self.sslmode,
            "sslrootcert" => &mut self.files.root,
            "sslcert" => &mut self.files.certificate,
            "sslkey" => &mut self.files.key,
            "passfile" => &mut self.passfile,
            _ => return false,
        };
        *slot = Some(value.to_owned());
        true
    }
}

fn url_extras(text: &str, extra: &mut Extra) -> Result<String, ConnectError> {
    let Some((base, query)) = text.split_once('?') else { return Ok(text.to_owned()) };
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value).ok_or_else(|| wrong(key, "has a broken percent escape"))?;
        // Ours is always `phase`, whatever the application calls itself.
        if !extra.take(key, &value) && key != "application_name" {
            rest.push(pair);
        }
    }
    Ok(if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) })
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// `key = value` pairs; values may stand in single quotes, with `\'` and `\\`.
fn pair_extras(text: &str, extra: &mut Extra) -> Result<String, ConnectError> {
    let mut rest = String::new();
    let mut chars = text.trim().chars().peekable();
    while chars.peek().is_some() {
        let key: String = std::iter::from_fn(|| chars.next_if(|c| *c != '=' && !c.is_whitespace())).collect();
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.next() != Some('=') {
            return Err(ConnectError::Settings(
                "the database URL is not right: write postgres://… or key=value pairs".into(),
            ));
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let quoted = chars.next_if(|c| *c == '\'').is_some();
        let mut value = String::new();
        loop {
            match chars.next() {
                Some('\\') => value.extend(chars.next()),
                Some('\'') if quoted => break,
                Some(c) if !quoted && c.is_whitespace() => break,
                Some(c) => value.push(c),
                None if quoted => return Err(wrong(&key, "has a quote that never ends")),
                None => break,
            }
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if !extra.take(&key, &value) && key != "application_name" {
            let escaped = value.replace('\\', "\\\\").replace('\'', "\\'");
            rest += &format!("{key}='{escaped}' ");
        }
    }
    Ok(rest)
}
