//! Owns how an address is shown: without what may be a secret in it.

/// An address without user, password, query and fragment.
#[must_use]
pub fn without_secrets(address: &str) -> String {
    let base = address.split(['?', '#']).next().unwrap_or_default();
    match (base.split_once("://"), base.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => base.to_owned(),
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
