//! Alike hosts as one block with `for_each`.
//!
//! In: names and addresses. Out: which belong together, and the expressions that yield their names
//! and addresses again. Knows no type; that all else is alike is for the caller to say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::{escape_template, string};

/// Fewer are written one by one.
const LEAST: usize = 3;
/// More runs of numbers than this are a list of keys.
const MOST_RUNS: usize = 4;
/// Which number of a name counts: the last, or one of so many before it.
const NUMBERS: usize = 3;

/// By number: its digits as written, and which it is.
type Group<'a> = BTreeMap<u32, (&'a str, usize)>;

/// What is told apart by name and address alone.
#[derive(Clone, Copy, Debug)]
pub struct Alike<'a> {
    pub name: &'a str,
    pub address: &'a str,
    /// Equal for those that have all else in common: parent, login, settings.
    pub rest: &'a str,
}

/// Some that one block can stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// What names begin with, before the key.
    pub prefix: String,
    /// What they end with, after it.
    pub suffix: String,
    /// Key of the instance, and which it is; in the order of the numbers.
    pub members: Vec<(String, usize)>,
    /// The value of `for_each`, as TOML.
    pub for_each: String,
    /// The value of the address, as TOML.
    pub address: String,
}

impl Fold {
    /// What people would call all of them.
    pub fn stem(&self) -> &str {
        self.prefix.trim_end_matches(['-', '_', '.', ' '])
    }

    /// The value of `name` as TOML; `None` where the instances of a block with this label have
    /// their names anyway.
    pub fn name(&self, label: &str) -> Option<String> {
        let usual = self.suffix.is_empty() && self.prefix.strip_suffix('-') == Some(label);
        (!usual).then(|| around_key(&self.prefix, &self.suffix))
    }
}

/// Finds those whose names differ by a number alone. What is in no fold stands for itself. Each is
/// in one fold at most; folds are ordered by what they begin with.
pub fn fold(hosts: &[Alike<'_>]) -> Vec<Fold> {
    let mut left: BTreeSet<usize> = (0..hosts.len()).collect();
    let mut found = Vec::new();
    for nth in 0..NUMBERS {
        let mut groups: BTreeMap<(&str, &str, &str), Group<'_>> = BTreeMap::new();
        for at in &left {
            let Some((prefix, digits, suffix)) = split(hosts[*at].name, nth) else { continue };
            let Ok(number) = digits.parse() else { continue };
            let group = groups.entry((hosts[*at].rest, prefix, suffix)).or_default();
            // A second one with this number stands for itself.
            group.entry(number).or_insert((digits, *at));
        }
        for ((_, prefix, suffix), group) in groups {
            let numbered = evenly_written(&group);
            if numbered.len() < LEAST {
                continue;
            }
            for (_, _, at) in &numbered {
                left.remove(at);
            }
            found.push(folded(hosts, (prefix, suffix), &numbered));
        }
    }
    found.sort_by(|a, b| {
        (&a.prefix, &a.suffix, &a.members).cmp(&(&b.prefix, &b.suffix, &b.members))
    });
    found
}

/// A name around its `nth` number from the end.
fn split(name: &str, nth: usize) -> Option<(&str, &str, &str)> {
    let mut end = name.len();
    for passed in 0..=nth {
        let stop = name[..end].rfind(|c: char| c.is_ascii_digit())? + 1;
        let start = name[..stop].rfind(|c: char| !c.is_ascii_digit());
        let start = start.map_or(0, |at| at + name[at..].chars().next().map_or(1, char::len_utf8));
        if passed == nth {
            // Longer ones are serial numbers, and no number that can be counted with.
            return (stop - start <= 9)
                .then(|| (&name[..start], &name[start..stop], &name[stop..]));
        }
        end = start;
    }
    None
}

/// Those that one width with leading zeros writes as they are.
fn evenly_written<'a>(group: &Group<'a>) -> Vec<(u32, &'a str, usize)> {
    let width = width(group.values().map(|(digits, _)| *digits));
    let even = group.iter().filter(|(n, (digits, _))| format!("{n:0width$}") == *digits);
    even.map(|(n, (digits, at))| (*n, *digits, *at)).collect()
}

fn width<'a>(digits: impl Iterator<Item = &'a str>) -> usize {
    digits.map(str::len).min().unwrap_or(1)
}

fn folded(
    hosts: &[Alike<'_>],
    (prefix, suffix): (&str, &str),
    members: &[(u32, &str, usize)],
) -> Fold {
    let pattern = with_key(hosts, members).or_else(|| counted(hosts, members));
    let (for_each, address) = match pattern {
        Some(address) => (keys(members), address),
        None => (table(hosts, members), string("${each.value}")),
    };
    Fold {
        prefix: prefix.to_owned(),
        suffix: suffix.to_owned(),
        members: members.iter().map(|(_, key, at)| ((*key).to_owned(), *at)).collect(),
        for_each,
        address,
    }
}

/// A template with the key between two texts.
fn around_key(prefix: &str, suffix: &str) -> String {
    // A `$` right before an expression would make it text.
    let before = match prefix.ends_with(['$', '%']) {
        true => format!("${{{}}}", serde_json::Value::from(escape_template(prefix))),
        false => escape_template(prefix),
    };
    string(&format!("{before}${{each.key}}{}", escape_template(suffix)))
}

/// Addresses that hold the key of their own name.
fn with_key(hosts: &[Alike<'_>], members: &[(u32, &str, usize)]) -> Option<String> {
    let (_, key, at) = members.first()?;
    hosts[*at].address.match_indices(key).find_map(|(start, _)| {
        let address = hosts[*at].address;
        let (before, after) = (&address[..start], &address[start + key.len()..]);
        let fits = members.iter().all(|(_, key, at)| {
            let rest = hosts[*at].address.strip_prefix(before);
            rest.and_then(|rest| rest.strip_prefix(key)) == Some(after)
        });
        fits.then(|| around_key(before, after))
    })
}

/// Addresses that rise with the number.
fn counted(hosts: &[Alike<'_>], members: &[(u32, &str, usize)]) -> Option<String> {
    let mut addresses = Vec::with_capacity(members.len());
    for (number, _, at) in members {
        let address: Ipv4Addr = hosts[*at].address.parse().ok()?;
        addresses.push((u32::from(address), *number));
    }
    let (first, number) = *addresses.first()?;
    let (last, _) = *addresses.last()?;
    let base = i64::from(first) - i64::from(number);
    if addresses.iter().any(|(address, n)| i64::from(*address) - i64::from(*n) != base) {
        return None;
    }
    let bits = (8..=24).rev().find(|bits| first >> (32 - bits) == last >> (32 - bits))?;
    let network = first >> (32 - bits) << (32 - bits);
    let host = match base - i64::from(network) {
        0 => "each.value".to_owned(),
        n if n < 0 => format!("each.value - {}", -n),
        n => format!("{n} + each.value"),
    };
    Some(string(&format!("${{cidrhost(\"{}/{bits}\", {host})}}", Ipv4Addr::from(network))))
}

/// The keys: a range of numbers, or a list.
fn keys(members: &[(u32, &str, usize)]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (number, ..) in members {
        match runs.last_mut() {
            Some((_, end)) if *end == *number => *end += 1,
            _ => runs.push((*number, number + 1)),
        }
    }
    if runs.len() > MOST_RUNS {
        let keys: Vec<String> = members.iter().map(|(_, key, _)| string(key)).collect();
        return format!("[{}]", keys.join(", "));
    }
    let ranges: Vec<String> =
        runs.iter().map(|(from, to)| format!("range({from}, {to})")).collect();
    let numbers = match &ranges[..] {
        [one] => one.clone(),
        several => format!("concat({})", several.join(", ")),
    };
    let key = match width(members.iter().map(|(_, key, _)| *key)) {
        1 => "tostring(i)".to_owned(),
        width => format!("format(\"%0{width}d\", i)"),
    };
    string(&format!("${{[for i in {numbers} : {key}]}}"))
}

/// The keys with their addresses, one a line.
fn table(hosts: &[Alike<'_>], members: &[(u32, &str, usize)]) -> String {
    let line = |(_, key, at): &(u32, &str, usize)| {
        format!("  {key} = {},\n", string(&escape_template(hosts[*at].address)))
    };
    format!("{{\n{}}}", members.iter().map(line).collect::<String>())
}
