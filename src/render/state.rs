//! What the state remembers → text for `state list` and `state show`.
//!
//! In: [`State`], [`Entry`]. Out: text. A state holds no secrets; that a sensitive attribute is
//! set shows as `(sensitive)`.

use std::fmt::Write;

use crate::address::Address;
use crate::state::{self, Entry, Pending};
use crate::value::Value;

use super::{Ink, Style, clean};

/// One address a line: what exists, or what an apply left open.
pub fn list<'a>(addresses: impl IntoIterator<Item = &'a Address>) -> String {
    let addresses = addresses.into_iter();
    addresses.map(|address| format!("{}\n", clean(address))).collect()
}

/// One object: its attributes aligned, then what rackform keeps beside them.
pub fn show(address: &Address, entry: &Entry, style: &Style) -> String {
    let title = format!("# {}", clean(address));
    let mut out = format!("{}\n", style.ink(Ink::Bold, title));
    let id = format!("{:?}", &*entry.id);
    let attrs = entry.attrs.iter().map(|(name, value)| (&**name, shown(value)));
    let secrets = entry.digests.keys().map(|name| (&**name, "(sensitive)".to_owned()));
    let mut rows: Vec<(&str, String)> = attrs.chain(secrets).collect();
    rows.sort();
    rows.insert(0, ("id", id));
    rows_text(&rows, &mut out);
    out.push('\n');
    rows_text(&kept(entry), &mut out);
    out
}

/// An object that an apply set out to create and whose outcome it did not record.
pub fn pending(address: &Address, pending: &Pending, style: &Style) -> String {
    let title = format!("# {} (pending)", clean(address));
    let mut out = format!("{}\n", style.ink(Ink::Bold, title));
    let mut rows = vec![
        ("type", format!("{:?}", &*pending.kind)),
        ("provider", format!("{:?}", &*pending.provider)),
        ("incarnation", pending.incarnation.to_string()),
        ("candidates", list_text(&pending.candidates)),
    ];
    if !pending.unique.is_empty() {
        let keys =
            pending.unique.iter().map(|(name, value)| format!("{} = {value:?}", clean(name)));
        rows.push(("unique", format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))));
    }
    if !pending.dependencies.is_empty() {
        rows.push(("depends_on", list_text(&pending.dependencies)));
    }
    rows_text(&rows, &mut out);
    out
}

/// What is not an attribute of the object.
fn kept(entry: &Entry) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("type", format!("{:?}", &*entry.kind)),
        ("provider", format!("{:?}", &*entry.provider)),
        ("schema_version", entry.schema_version.to_string()),
        ("incarnation", entry.incarnation.to_string()),
    ];
    if entry.prevent_destroy {
        rows.push(("prevent_destroy", "true".to_owned()));
    }
    if let Some(by) = &entry.declared_by {
        rows.push(("declared_by", clean(by).to_string()));
    }
    if !entry.dependencies.is_empty() {
        rows.push(("depends_on", list_text(&entry.dependencies)));
    }
    rows
}

fn list_text<T: std::fmt::Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| clean(item).to_string()).collect();
    format!("[{}]", items.join(", "))
}

fn rows_text(rows: &[(&str, String)], out: &mut String) {
    let pad = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in rows {
        // Writing into a String does not fail.
        let _ = writeln!(out, "{:pad$} = {value}", clean(name).to_string());
    }
}

/// An attribute for people; one that was computed from a secret is only named.
fn shown(value: &Value) -> String {
    if state::is_hidden(value) { "(sensitive)".to_owned() } else { clean(value).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::address;
    use crate::state::State;
    use crate::value::Value;

    fn entry() -> Entry {
        Entry {
            kind: "host".into(),
            provider: "zstack".into(),
            id: "6f1f04c2a3714c1f8d3c0a55b6e0c001".into(),
            attrs: vec![
                ("management_ip".into(), Value::str("10.0.1.11")),
                ("name".into(), Value::str("kvm\u{1b}[2J")),
                ("ssh_port".into(), Value::Int(22)),
            ],
            dependencies: vec![address("cluster.rack[\"a\"]")],
            schema_version: 1,
            digests: [("password".into(), "0f0f".to_owned())].into(),
            incarnation: 2,
            prevent_destroy: true,
            declared_by: None,
            owed: Vec::new(),
        }
    }

    fn open() -> Pending {
        Pending {
            kind: "zone".into(),
            provider: "zstack".into(),
            candidates: vec!["0a5c".into(), "1b6d".into()],
            incarnation: 1,
            unique: vec![("name".into(), "west".to_owned())],
            dependencies: Vec::new(),
            digests: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn an_object_is_shown_aligned_and_without_its_secrets() {
        let text = show(&address("host.kvm[\"01\"]"), &entry(), &Style::PLAIN);
        assert!(!text.contains("0f0f"));
        insta::assert_snapshot!(text, @r#"
        # host.kvm["01"]
        id            = "6f1f04c2a3714c1f8d3c0a55b6e0c001"
        management_ip = "10.0.1.11"
        name          = "kvm\u{1b}[2J"
        password      = (sensitive)
        ssh_port      = 22

        type            = "host"
        provider        = "zstack"
        schema_version  = 1
        incarnation     = 2
        prevent_destroy = true
        depends_on      = [cluster.rack["a"]]
        "#);
    }

    #[test]
    fn what_is_pending_is_listed_and_shown() {
        let mut state = State::default();
        state.entries.insert(address("zone.x"), entry());
        state.entries.insert(address("host.kvm[\"01\"]"), entry());
        state.pending.insert(address("zone.west"), open());
        assert_eq!(list(state.entries.keys()), "host.kvm[\"01\"]\nzone.x\n");
        assert_eq!(list(state.pending.keys()), "zone.west\n");
        insta::assert_snapshot!(pending(&address("zone.west"), &open(), &Style::PLAIN), @r#"
        # zone.west (pending)
        type        = "zone"
        provider    = "zstack"
        incarnation = 1
        candidates  = [0a5c, 1b6d]
        unique      = { name = "west" }
        "#);
    }
}
