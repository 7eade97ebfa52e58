//! Where each of the 110 APIs of the manual's section 4 is used: a table for `schemas/README.md`,
//! and the test that none is left out. In: the schemas and the table of the API. Out: Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rackform::schema::{Call, ResourceType, Schemas, Side, Target};

use crate::schemas::{Api, find, load, table};

/// Uses by API name, each as people read it.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// The section of `schemas/README.md`.
pub fn section(schemas: &Schemas) -> String {
    let apis = table();
    let uses = uses(schemas, &apis);
    let mut out = String::from(
        "\n## APIs of the manual\n\nEvery API of section 4 of the ZStack hardware manual, and where \
         it is used.\n\n| manual | API | used as |\n|---|---|---|\n",
    );
    for api in manual(&apis) {
        let used = uses.get(&api.name).map(|u| u.iter().cloned().collect::<Vec<_>>().join(", "));
        let section = api.section.as_deref().unwrap_or_default();
        let used = used.unwrap_or_else(|| "not yet".to_owned());
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| {section} | {} | {used} |", api.name);
    }
    out
}

/// Those of section 4, in its order.
fn manual(apis: &[Api]) -> Vec<&Api> {
    let number = |api: &&Api| -> Vec<u32> {
        let section = api.section.as_deref().unwrap_or_default();
        section.split('.').filter_map(|n| n.parse().ok()).collect()
    };
    let in_4 = |api: &&Api| api.section.as_ref().is_some_and(|s| s.starts_with("4."));
    let mut all: Vec<&Api> = apis.iter().filter(in_4).collect();
    all.sort_by_key(number);
    all
}

fn uses(schemas: &Schemas, apis: &[Api]) -> Uses {
    let mut uses = Uses::new();
    let mut note = |target: &Target, body: Option<&str>, text: String| {
        if let Ok(api) = find(apis, target, body) {
            uses.entry(api.name.clone()).or_default().insert(text);
        }
    };
    for ty in schemas.lookups().filter(|ty| &*ty.provider == "zstack") {
        let name = &ty.name;
        note(&ty.read.target, None, format!("`data.{name}`"));
        if !ty.data_only() {
            note(&ty.read.target, None, format!("`{name}` read"));
        }
        for part in ty.parts.iter().filter(|part| part.listed()) {
            note(&part.element.read.target, None, format!("`{name}.{}` read", part.name));
        }
        for (what, call) in calls(ty) {
            note(&call.target, call.body.as_deref(), what);
        }
    }
    uses
}

/// The calls of a type, each with what it is for.
fn calls(ty: &ResourceType) -> Vec<(String, &Call)> {
    let name = &ty.name;
    let mut all: Vec<(String, &Call)> = Vec::new();
    all.extend(ty.create.iter().map(|call| (format!("`{name}` create"), call)));
    for call in &ty.updates {
        let state = ty.find_attr("state");
        let role = match &call.send[..] {
            [only] if state.is_some_and(|ix| call.sends(ix)) => {
                assert!(!only.wire.is_empty());
                "state"
            }
            _ => "update",
        };
        all.push((format!("`{name}` {role}"), call));
    }
    all.extend(ty.delete.iter().map(|call| (format!("`{name}` delete"), call)));
    for link in &ty.links {
        if let Side::Owner { attach, detach, .. } = &link.side {
            all.push((format!("`{name}.{}` attach", link.name), attach));
            all.push((format!("`{name}.{}` detach", link.name), detach));
        }
    }
    for part in &ty.parts {
        let (element, part) = (&part.element, &part.name);
        all.extend(element.create.iter().map(|c| (format!("`{name}.{part}` add"), c)));
        all.extend(element.updates.iter().map(|c| (format!("`{name}.{part}` change"), c)));
        all.extend(element.delete.iter().map(|c| (format!("`{name}.{part}` remove"), c)));
    }
    let actions = ty.actions.iter();
    all.extend(actions.map(|a| (format!("action `{}` of `{name}`", a.name), &a.call)));
    all
}

#[test]
fn no_api_of_the_manual_is_left_out() {
    let apis = table();
    let (manual, uses) = (manual(&apis), uses(&load(), &apis));
    assert_eq!(manual.len(), 110);
    let unused = manual.iter().map(|api| &*api.name).filter(|name| !uses.contains_key(*name));
    let unused: Vec<&str> = unused.collect();
    assert!(unused.is_empty(), "used nowhere:\n    {:?}", unused);
}

/// The test above can fail: without the types that only read, their APIs are missed.
#[test]
fn what_nothing_uses_is_noticed() {
    let apis = table();
    let mut schemas = load();
    schemas.types.retain(|ty| !ty.data_only());
    let uses = uses(&schemas, &apis);
    for name in ["GetHypervisorTypes", "QueryIscsiLun", "GetVmUsbRedirect"] {
        assert!(!uses.contains_key(name), "{name}");
    }
    assert!(uses["QueryZone"].contains("`zone` read"));
    assert!(uses["ChangeHostState"].contains("`host` state"));
    assert!(uses["ReconnectHost"].contains("action `reconnect` of `host`"));
}
