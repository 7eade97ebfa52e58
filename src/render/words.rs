//! Numbers, plurals and durations → the words people read.
//!
//! In: counts and durations. Out: text. Knows no plan, event or colour.

use std::fmt;
use std::time::Duration;

/// `1234567` → `1,234,567`.
pub fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 host`, `2,000 hosts`: the noun takes an `s`, `es` or `ies` as English has it.
pub fn many(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{} {}", count(number as u64), plural(noun))
    }
}

fn plural(noun: &str) -> String {
    let before_y = noun.strip_suffix('y').and_then(|stem| stem.chars().last().map(|c| (stem, c)));
    match before_y {
        Some((stem, c)) if !"aeiou".contains(c) => format!("{stem}ies"),
        _ if noun.ends_with(['s', 'x']) || noun.ends_with("ch") => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// `3 VMs stopped`, `1 VM stopped`: what goes down, by the label that a schema has for many.
pub fn lost(number: u64, label: &str) -> String {
    let label = super::clean(label).to_string();
    let label = if number == 1 { one_of(&label) } else { label };
    format!("{} {label}", count(number))
}

/// A label for one: `VMs and volumes destroyed` is `VM or volume destroyed`. The first plural, and
/// those that an `and` joins to it; what follows is not counted (`path, with all its backups`).
fn one_of(label: &str) -> String {
    let mut words: Vec<String> = label.split(' ').map(str::to_owned).collect();
    let Some(mut at) = words.iter().position(|word| singular(word).is_some()) else {
        return label.to_owned();
    };
    while let Some(one) = words.get(at).and_then(|word| singular(word)) {
        words[at] = one;
        if words.get(at + 1).is_none_or(|word| word != "and") {
            break;
        }
        if words.get(at + 2).and_then(|word| singular(word)).is_some() {
            words[at + 1] = "or".to_owned();
        }
        at += 2;
    }
    words.join(" ")
}

/// The singular of a plural noun, with the comma that follows it.
fn singular(word: &str) -> Option<String> {
    let (noun, comma) = word.strip_suffix(',').map_or((word, ""), |noun| (noun, ","));
    let stem = noun.strip_suffix('s').filter(|stem| stem.len() > 1 && !stem.ends_with(['s', 'i']));
    let one = match (stem?.strip_suffix("ie"), stem?.strip_suffix('e')) {
        (Some(stem), _) => format!("{stem}y"),
        (_, Some(stem))
            if stem.ends_with(['x']) || stem.ends_with("ss") || stem.ends_with("ch") =>
        {
            stem.to_owned()
        }
        _ => stem?.to_owned(),
    };
    Some(format!("{one}{comma}"))
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: fmt::Display>(items: &[T]) -> String {
    let mut text = String::new();
    for (at, item) in items.iter().enumerate() {
        let glue = match at {
            0 => "",
            _ if at + 1 == items.len() => " and ",
            _ => ", ",
        };
        text.push_str(glue);
        text.push_str(&item.to_string());
    }
    text
}

/// As exact as anyone cares: `0.2s`, `59.9s`, `2m 3s`, `1h 5m`.
pub fn duration(length: Duration) -> String {
    // Tenths first: 59.96 s is a minute, not `60.0s`.
    let tenths = length.as_millis().saturating_add(50) / 100;
    if tenths < 600 {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    let seconds = length.as_millis().saturating_add(500) / 1000;
    if seconds < 3600 {
        return format!("{}m {}s", seconds / 60, seconds % 60);
    }
    let minutes = seconds / 60;
    format!("{}h {}m", minutes / 60, minutes % 60)
}

/// Whole seconds for lines that repeat: `30s`, `2m 30s`, `1h 5m`.
pub fn seconds(length: Duration) -> String {
    if length.as_secs() < 60 { format!("{}s", length.as_secs()) } else { duration(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let shown: Vec<String> = [0, 999, 1000, 100_000, 1_234_567].map(|n: u64| count(n)).to_vec();
        assert_eq!(shown, ["0", "999", "1,000", "100,000", "1,234,567"]);
    }

    #[test]
    fn nouns_have_their_plural() {
        let shown = [
            many(1, "host"),
            many(0, "host"),
            many(2000, "entry"),
            many(2, "address"),
            many(2, "key"),
            many(2, "switch"),
        ];
        assert_eq!(
            shown,
            ["1 host", "0 hosts", "2,000 entries", "2 addresses", "2 keys", "2 switches"]
        );
    }

    #[test]
    fn one_casualty_is_not_many() {
        let shown = [
            "VMs stopped",
            "VMs migrated, or stopped where that fails",
            "primary storages deleted",
            "L2 networks deleted",
            "VMs and volumes on its local storage destroyed",
            "paths, with all their backups",
            "entries lost",
            "addresses released",
            "data lost",
        ]
        .map(|label| lost(1, label));
        assert_eq!(
            shown,
            [
                "1 VM stopped",
                "1 VM migrated, or stopped where that fails",
                "1 primary storage deleted",
                "1 L2 network deleted",
                "1 VM or volume on its local storage destroyed",
                "1 path, with all their backups",
                "1 entry lost",
                "1 address released",
                "1 data lost",
            ]
        );
        assert_eq!(lost(2000, "VMs stopped"), "2,000 VMs stopped");
    }

    #[test]
    fn durations_are_rounded_once() {
        let shown = [0, 149, 1249, 59_949, 59_950, 122_600, 3_599_600, 3_900_000]
            .map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(shown, ["0.0s", "0.1s", "1.2s", "59.9s", "1m 0s", "2m 3s", "1h 0m", "1h 5m"]);
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
