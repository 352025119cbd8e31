//! Reads `.pgpass` files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Whom a password is looked up for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// Looks a password up in a file; as with libpq, a file that others may read is
/// ignored with a warning, and one that is not there is no fault.
pub(super) fn look_up(path: &Path, wanted: Wanted<'_>) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!("{} is ignored: others may read it; chmod 600 it", path.display());
        return None;
    }
    find(&std::fs::read_to_string(path).ok()?, wanted)
}

fn find(text: &str, wanted: Wanted<'_>) -> Option<String> {
    let port = wanted.port.to_string();
    let keys = [wanted.host, &port, wanted.database, wanted.user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [.., password] = fields.as_slice() else { return None };
        let fits =
            fields.len() == 5 && fields.iter().zip(keys).all(|(field, key)| field == "*" || field == key);
        fits.then(|| password.clone())
    })
}

/// Splits at colons; `\:` and `\\` stand for themselves.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let last = fields.len() - 1;
        match c {
            '\\' => fields[last].extend(chars.next()),
            ':' if fields.len() < 5 => fields.push(String::new()),
            c => fields[last].push(c),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted<'_> = Wanted { host: "db", port: 5432, database: "shop", user: "ada" };

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# comment\nother:*:*:*:no\ndb:5433:*:*:no\n*:*:shop:ada:a\\:b\\\\c\n*:*:*:*:later\n";
        assert_eq!(find(text, WANTED).as_deref(), Some("a:b\\c"));
        assert_eq!(find("db:5432:shop:ada:with:colon", WANTED).as_deref(), Some("with:colon"));
        assert_eq!(find("db:5432:shop:bob:x\nshort:line\n\n", WANTED), None);
    }
}
