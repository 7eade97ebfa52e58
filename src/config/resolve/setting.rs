//! `[rackform]`: limits, and which versions may read this configuration.

use super::Work;
use crate::config::Settings;
use crate::config::syntax::{Block, Entry, Literal};
use crate::diag::Diagnostic;

const KEYS: [&str; 3] = ["required_version", "max_delete", "max_unavailable"];
/// The version of this program.
const OURS: &str = env!("CARGO_PKG_VERSION");

impl Work<'_> {
    pub(super) fn settings(&mut self, block: Option<&Block>) -> Settings {
        let mut settings = Settings::default();
        for entry in block.into_iter().flat_map(|b| &b.entries) {
            match &*entry.key.text {
                "required_version" => self.version(entry),
                "max_delete" => {
                    if let Some(n) = self.whole(entry, 0, 100) {
                        settings.max_delete = u8::try_from(n).unwrap_or(100);
                    }
                }
                "max_unavailable" => {
                    if let Some(n) = self.whole(entry, 1, i64::from(u32::MAX)) {
                        settings.max_unavailable = u32::try_from(n).unwrap_or(u32::MAX);
                    }
                }
                _ => self.unknown_attribute("`rackform`", &entry.key, KEYS),
            }
        }
        settings
    }

    fn whole(&mut self, entry: &Entry, least: i64, most: i64) -> Option<i64> {
        if let Literal::Int(n) = entry.value.value
            && (least..=most).contains(&n)
        {
            return Some(n);
        }
        let problem = format!("`{}` must be an integer from {least} to {most}", entry.key.text);
        self.findings.push(Diagnostic::error("wrong_kind", problem).at(entry.value.span, "here"));
        None
    }

    fn version(&mut self, entry: &Entry) {
        let at = entry.value.span;
        let text = match &entry.value.value {
            Literal::Str(text) => &*text.text,
            _ => "",
        };
        let finding = match satisfied(OURS, text) {
            Some(true) => return,
            Some(false) => {
                let problem = format!("this configuration needs rackform {text}, this is {OURS}");
                Diagnostic::error("wrong_version", problem).at(at, "required here")
            }
            None => Diagnostic::error("bad_version", "this is not a condition on versions")
                .at(at, "here")
                .help(
                    "conditions are >=, >, <, <=, =, != and ~> with a version: \">= 0.1, < 0.3\"",
                ),
        };
        self.findings.push(finding);
    }
}

/// Whether a version fulfils all conditions of a list; `None` when the list cannot be read.
/// `~> 1.2` lets the last part given rise: at least 1.2, below 2.0.
fn satisfied(ours: &str, conditions: &str) -> Option<bool> {
    let ours = parts(ours)?;
    let mut all = true;
    for condition in conditions.split(',') {
        let condition = condition.trim();
        let digits = condition.find(|c: char| c.is_ascii_digit())?;
        let (operator, version) = (condition[..digits].trim(), &condition[digits..]);
        let given = version.split('.').count();
        let wanted = parts(version)?;
        all &= match operator {
            ">=" => ours >= wanted,
            ">" => ours > wanted,
            "<=" => ours <= wanted,
            "<" => ours < wanted,
            "!=" => ours != wanted,
            "=" | "" => ours == wanted,
            "~>" => {
                let kept = given.saturating_sub(1);
                ours >= wanted && ours[..kept] == wanted[..kept]
            }
            _ => return None,
        };
    }
    Some(all)
}

fn parts(version: &str) -> Option<[u64; 3]> {
    let mut parts = [0; 3];
    let mut given = version.trim().split('.');
    for part in &mut parts {
        match given.next() {
            Some(text) => *part = text.parse().ok()?,
            None => return Some(parts),
        }
    }
    given.next().is_none().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::satisfied;

    #[test]
    fn conditions_on_versions() {
        for (condition, expected) in [
            (">= 0.1", Some(true)),
            (">= 0.1.1", Some(false)),
            ("= 0.1.0", Some(true)),
            ("0.1.0", Some(true)),
            ("~> 0.1", Some(true)),
            ("~> 0.1.0", Some(true)),
            ("~> 1.0", Some(false)),
            (">= 0.0.9, < 0.2", Some(true)),
            ("> 0.1.0", Some(false)),
            ("!= 0.1.0", Some(false)),
            ("", None),
            ("newest", None),
            (">> 1", None),
            (">= 1.2.3.4", None),
        ] {
            assert_eq!(satisfied("0.1.0", condition), expected, "{condition}");
        }
    }
}
