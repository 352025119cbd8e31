//! Owns versions: the digits that a file name starts with and that sort the
//! timeline.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The most digits that a version may have; they fit a `u64` and PostgreSQL's
/// `numeric` alike.
pub const MAX_DIGITS: usize = 18;

/// A version: 1 to 18 digits. It sorts and compares by its number, so `0001`
/// and `1` are one version; it prints as it was written.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
    number: u64,
}

impl Version {
    /// Reads a version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.len() <= MAX_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
        let number = if digits { text.parse().ok()? } else { return None };
        Some(Self { text: text.into(), number })
    }

    /// The digits as they were written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value that sorts.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Splits `<version>_<name>` off a file's stem.
    #[must_use]
    pub fn split_stem(stem: &str) -> Option<(Self, &str)> {
        let (version, name) = stem.split_once('_')?;
        Some((Self::parse(version)?, name)).filter(|(_, name)| !name.is_empty())
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_splits_and_sorts_by_number() {
        let (nine, name) = Version::split_stem("9_a_b").expect("a stem");
        let (ten, _) = Version::split_stem("010_x").expect("a stem");
        assert_eq!((name, nine < ten, ten.as_str()), ("a_b", true, "010"));
        for bad in ["", "x_y", "1", "1_", "1234567890123456789_x", "+1_x"] {
            assert!(Version::split_stem(bad).is_none(), "{bad}");
        }
    }
}
