//! Labels for objects that have names.
//!
//! In: names and ids as a cloud has them. Out: for each a label that can stand in an address, alike
//! for the same objects in whatever order they come. Knows no type.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::is_identifier;

/// Characters of a label; a name may have 255.
const LONGEST: usize = 63;
/// Characters of an id that tell two objects of one name apart, mostly.
const TELLING: usize = 8;
/// Words that mean something else within expressions.
const WORDS: [&str; 9] = ["true", "false", "null", "for", "in", "if", "else", "endif", "endfor"];

/// A label for each `(name, id)`: the name itself where that can be one, otherwise what is left of
/// it; with the start of the id where several would have the same one or it is among `taken`. An
/// id is unique; a label of `taken` is never given out.
pub fn labels(objects: &[(&str, &str)], taken: &BTreeSet<String>) -> Vec<String> {
    let wanted: Vec<String> = objects.iter().map(|(name, _)| label(name)).collect();
    let mut holders: BTreeMap<&str, usize> = BTreeMap::new();
    for label in &wanted {
        *holders.entry(label).or_default() += 1;
    }
    let alone = |label: &str| holders.get(label) == Some(&1) && !taken.contains(label);
    let mut used: BTreeSet<String> = taken.clone();
    used.extend(wanted.iter().filter(|label| alone(label)).cloned());
    let mut out: Vec<String> = wanted.clone();
    // In the order of the ids, so that the order of the objects does not matter.
    let mut several: Vec<usize> = (0..objects.len()).filter(|at| !alone(&wanted[*at])).collect();
    several.sort_by_key(|at| objects[*at].1);
    for at in several {
        out[at] = told_apart(&wanted[at], objects[at].1, &used);
        used.insert(out[at].clone());
    }
    out
}

/// What is left of a name when all that a label cannot have is `_`.
fn label(name: &str) -> String {
    if is_identifier(name) && name.chars().count() <= LONGEST && !WORDS.contains(&name) {
        return name.to_owned();
    }
    let mut out = String::new();
    for c in name.chars() {
        match c.is_alphanumeric() || c == '-' || c == '_' {
            true => out.push(c),
            false if out.ends_with('_') => {}
            false => out.push('_'),
        }
    }
    let mut out: String = out.trim_matches(['_', '-']).chars().take(LONGEST).collect();
    if out.is_empty() {
        return "unnamed".to_owned();
    }
    if !is_identifier(&out) {
        out.insert(0, '_');
    }
    if WORDS.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

fn told_apart(label: &str, id: &str, used: &BTreeSet<String>) -> String {
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    let short = format!("{label}-{}", &id[..id.len().min(TELLING)]);
    let long = format!("{label}-{id}");
    let numbered = (2u64..).map(|n| format!("{long}-{n}"));
    // The numbers do not end before the labels in use do.
    [short, long.clone()].into_iter().chain(numbered).find(|l| !used.contains(l)).unwrap_or(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[(&str, &str)]) -> Vec<String> {
        labels(names, &BTreeSet::new())
    }

    #[test]
    fn a_name_is_its_own_label_where_it_can_be() {
        let long = "x".repeat(255);
        for (name, expected) in [
            ("east", "east"),
            ("东区", "东区"),
            ("rack-01_a", "rack-01_a"),
            ("10.0.0.1", "_10_0_0_1"),
            ("say \"hi\"", "say_hi"),
            ("a.b / c", "a_b_c"),
            ("🚀", "unnamed"),
            ("", "unnamed"),
            ("web 🚀", "web"),
            ("for", "for_"),
            ("null", "null_"),
            ("${var.x}", "var_x"),
            (long.as_str(), &long[..63]),
        ] {
            assert_eq!(of(&[(name, "id")]), [expected]);
        }
    }

    #[test]
    fn two_of_one_name_have_their_ids_in_it() {
        let objects =
            [("a b", "11111111aa"), ("c", "2"), ("a.b", "3333333333"), ("a b", "11111111bb")];
        assert_eq!(of(&objects), ["a_b-11111111", "c", "a_b-33333333", "a_b-11111111bb"]);
        let taken = BTreeSet::from(["c".to_owned(), "c-2".to_owned()]);
        assert_eq!(labels(&[("c", "2")], &taken), ["c-2-2"]);
    }

    proptest::proptest! {
        #[test]
        fn labels_are_unique_identifiers_and_stable(
            names in proptest::collection::vec("\\PC{0,6}|[ab]|a[-_. ]1|for", 1..20)
        ) {
            let ids: Vec<String> = (0..names.len()).map(|n| format!("{n:032x}")).collect();
            let mut objects: Vec<(&str, &str)> =
                names.iter().zip(&ids).map(|(n, i)| (n.as_str(), i.as_str())).collect();
            let first = of(&objects);
            let unique: BTreeSet<&String> = first.iter().collect();
            proptest::prop_assert_eq!(unique.len(), first.len());
            proptest::prop_assert!(first.iter().all(|l| is_identifier(l) && !WORDS.contains(&l.as_str())));
            objects.reverse();
            let mut again = of(&objects);
            again.reverse();
            proptest::prop_assert_eq!(again, first);
        }
    }
}
