//! `lifecycle` and `timeouts` of a resource.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Work;
use crate::config::Lifecycle;
use crate::config::syntax::{Block, Entry, Literal};
use crate::diag::{Diagnostic, nearest};
use crate::schema::ResourceType;

/// Attributes that every resource has and no schema names.
pub(super) const META: [&str; 7] =
    ["for_each", "for_each_key", "count", "depends_on", "provider", "timeouts", "lifecycle"];
const OPERATIONS: [&str; 3] = ["create", "update", "delete"];
/// Stands for all attributes in `ignore_changes`.
const ALL: &str = "all";
const LIFECYCLE: [&str; 5] =
    ["prevent_destroy", "ignore_changes", "replace_triggered_by", "precondition", "postcondition"];

impl Work<'_> {
    pub(super) fn lifecycle(&mut self, block: &Block, ty: &ResourceType) -> Lifecycle {
        let mut lifecycle = Lifecycle::default();
        if let Some(entry) = block.get("lifecycle") {
            for entry in self.table(entry) {
                match &*entry.key.text {
                    "prevent_destroy" => match entry.value.value {
                        Literal::Bool(on) => lifecycle.prevent_destroy = on,
                        _ => self.meta_kind(entry, "true or false"),
                    },
                    // They may depend on the instance: see `trigger`, `precondition`, `conclude`.
                    "replace_triggered_by" | "precondition" | "postcondition" => {}
                    "ignore_changes" => self.ignored(entry, ty, &mut lifecycle),
                    _ => self.unknown_attribute("`lifecycle`", &entry.key, LIFECYCLE),
                }
            }
        }
        if let Some(entry) = block.get("timeouts") {
            lifecycle.timeouts = self.timeouts(entry);
        }
        lifecycle
    }

    fn table<'e>(&mut self, entry: &'e Entry) -> &'e [Entry] {
        match &entry.value.value {
            Literal::Table(entries) => entries,
            _ => {
                self.meta_kind(entry, "a table");
                &[]
            }
        }
    }

    pub(super) fn meta_kind(&mut self, entry: &Entry, expected: &str) {
        let problem = format!("`{}` must be {expected}", entry.key.text);
        self.findings.push(Diagnostic::error("wrong_kind", problem).at(entry.value.span, "here"));
    }

    fn ignored(&mut self, entry: &Entry, ty: &ResourceType, lifecycle: &mut Lifecycle) {
        let items = match &entry.value.value {
            Literal::List(items) => items.as_slice(),
            Literal::Str(text) if &*text.text == ALL => std::slice::from_ref(&entry.value),
            _ => return self.meta_kind(entry, "a list of attribute names, or \"all\""),
        };
        for item in items {
            let name = match &item.value {
                Literal::Str(text) => &*text.text,
                _ => "",
            };
            if name == ALL {
                lifecycle.ignore_changes.extend(ty.attrs().map(|(ix, _)| ix));
                continue;
            }
            if let Some(ix) = ty.find_attr(name) {
                lifecycle.ignore_changes.push(ix);
                continue;
            }
            let problem = format!("`{}` has no attribute `{name}` to ignore", ty.name);
            let finding = Diagnostic::error("unknown_attribute", problem).at(item.span, "unknown");
            self.findings.push(match nearest(name, ty.attrs.iter().map(|a| &*a.name)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            });
        }
        lifecycle.ignore_changes.sort_unstable();
        lifecycle.ignore_changes.dedup();
    }

    fn timeouts(&mut self, entry: &Entry) -> BTreeMap<Arc<str>, u64> {
        let mut timeouts = BTreeMap::new();
        for entry in self.table(entry) {
            if !OPERATIONS.contains(&&*entry.key.text) {
                self.unknown_attribute("`timeouts`", &entry.key, OPERATIONS);
                continue;
            }
            let seconds = match &entry.value.value {
                Literal::Str(text) => seconds(&text.text),
                _ => None,
            };
            match seconds {
                Some(seconds) => drop(timeouts.insert(entry.key.text.clone(), seconds)),
                None => self.meta_kind(entry, "a duration such as \"90s\", \"10m\" or \"1h30m\""),
            }
        }
        timeouts
    }
}

/// `1h30m` in seconds; more than zero.
fn seconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let amount: u64 = rest[..digits].parse().ok()?;
        let factor = match rest.as_bytes().get(digits)? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            _ => return None,
        };
        total = total.checked_add(amount.checked_mul(factor)?)?;
        rest = &rest[digits + 1..];
    }
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("1h30m", Some(5400)),
            ("", None),
            ("0s", None),
            ("10", None),
            ("m", None),
            ("5ms", None),
            ("10é", None),
            ("99999999999999999999s", None),
            ("9999999999999999999h", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
