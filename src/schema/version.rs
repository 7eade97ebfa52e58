//! Versions of servers, as `since` names them and as servers answer.
//!
//! In: a text (`5.0`, `5.2.1`, `4.1.3-c76`). Out: numbers that compare; absent ones count as 0.
//! Must not know which server or API it is about.

use std::cmp::Ordering;

/// The leading numbers of a version.
#[derive(Clone, Debug)]
pub struct Version(Vec<u64>);

impl Version {
    /// Reads `3`, `5.2` or `5.2.1`; what follows the numbers (`-c76`, ` build 9`) does not count.
    /// `None` for a text that does not start with a number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
        let numbers = text[..end].trim_end_matches('.').split('.');
        let numbers: Option<Vec<u64>> = numbers.map(|n| n.parse().ok()).collect();
        numbers.map(Self)
    }

    fn number(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.0.len().max(other.0.len());
        let pairs = (0..length).map(|at| self.number(at).cmp(&other.number(at)));
        pairs.fold(Ordering::Equal, Ordering::then)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text} is a version"))
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(version("3.10.0") > version("3.9"));
        assert!(version("5.2.1") >= version("5.2"));
        assert!(version("3.0.0") < version("5.0"));
        assert_eq!(version("5"), version("5.0.0"));
        assert_eq!(version("4.1.3-c76"), version(" 4.1.3 "));
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "unknown", "v5.2", ".5", "5..2", "99999999999999999999999"] {
            assert!(Version::parse(text).is_none(), "{text}");
        }
    }
}
