//! Nothing in a schema is untried. In: the schemas of this build and the fixtures. Out: a panic
//! that lists everything that no fixture touches.

use std::collections::BTreeSet;

use rackform::schema::{
    self, Attribute, Call, IdRule, Part, Piece, ResourceType, Schemas, Side, Target,
};
use rackform::value::Value;

use super::fixture::{self, Fixture};

#[test]
fn every_type_has_a_fixture_and_every_fixture_a_type() {
    let schemas = load();
    let types: BTreeSet<String> = schemas.resources().map(|ty| ty.name.to_string()).collect();
    let fixtures: BTreeSet<String> = fixture::names().into_iter().collect();
    assert_eq!(fixtures, types, "fixtures and types");
}

#[test]
fn everything_in_a_schema_is_tried() {
    let schemas = load();
    let mut missing = Vec::new();
    for ty in schemas.resources() {
        let fixture = Fixture::read(&ty.name);
        let seen = Seen::of(ty, &fixture);
        missing.extend(untried(ty, &seen));
    }
    assert!(missing.is_empty(), "no fixture tries:\n{}", missing.join("\n"));
}

/// The test above would be worth nothing if it could not fail.
#[test]
fn what_is_left_out_of_a_fixture_is_missed() {
    let schemas = load();
    let ty = schemas.by_name("host").expect("hosts");
    let mut fixture = Fixture::read("host");
    for scenario in &mut fixture.scenario {
        for step in &mut scenario.step {
            step.sends.retain(|sent| !sent.contains("\"maintain\"") && !sent.contains("sshPort"));
            step.remembers.clear();
            step.config = step.config.take().map(|c| c.replace("\"Disabled\"", "\"Enabled\""));
        }
    }
    let missing = untried(ty, &Seen::of(ty, &fixture)).join("\n");
    for expected in [
        "host.ssh_port is never sent as sshPort",
        "host.state = Maintenance is never sent as maintain",
        "host.state = Disabled is never declared",
        "host.status is never remembered",
    ] {
        assert!(missing.contains(expected), "{expected:?} is not in:\n{missing}");
    }
    assert!(!missing.contains("host.name"), "{missing}");
}

fn load() -> Schemas {
    schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"))
}

/// What a fixture does with its type.
struct Seen {
    /// `attribute = value` as declared, values as TOML texts.
    declared: BTreeSet<(String, String)>,
    /// Attributes that steps look for in the state.
    remembered: BTreeSet<String>,
    /// Member names of rows that steps look for in the cloud.
    found: BTreeSet<String>,
    sends: Vec<String>,
}

impl Seen {
    fn of(ty: &ResourceType, fixture: &Fixture) -> Seen {
        let mut declared = BTreeSet::new();
        for config in fixture.steps().filter_map(|step| step.config.as_deref()) {
            declared.extend(declarations(&ty.name, config));
        }
        let mine = |address: &&String| address.split('.').next() == Some(&ty.name);
        let steps = || fixture.steps();
        let remembered = steps().flat_map(|step| step.remembers.iter());
        let remembered = remembered.filter(|(address, _)| mine(address));
        let found = steps().flat_map(|step| step.finds.values());
        Seen {
            declared,
            remembered: remembered.flat_map(|(_, attrs)| attrs.keys().cloned()).collect(),
            found: found.flat_map(|members| members.keys().cloned()).collect(),
            sends: steps().flat_map(|step| step.sends.iter().cloned()).collect(),
        }
    }

    fn declares(&self, name: &str, wanted: impl Fn(&str) -> bool) -> bool {
        self.declared.iter().any(|(attr, value)| attr == name && wanted(value))
    }

    /// Whether a body has this member, with this value if given.
    fn sends(&self, wire: &str, value: Option<&str>) -> bool {
        let member = match value {
            Some(value) => format!("\"{wire}\":\"{value}\""),
            None => format!("\"{wire}\":"),
        };
        self.sends.iter().any(|sent| sent.replace("\": ", "\":").contains(&member))
    }

    /// Whether a request of this call leaves: method, path with any placeholders, wrapper.
    fn calls(&self, call: &Call) -> bool {
        let wanted = pattern(&call.target);
        self.sends.iter().any(|sent| {
            let mut words = sent.splitn(3, ' ');
            let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let body = words.next().unwrap_or("");
            let wrapped = call.body.as_ref().is_none_or(|wrapper| {
                body.replace(' ', "").starts_with(&format!("{{\"{wrapper}\":"))
            });
            // What a DELETE sends stands in its query.
            let path = if call.body.is_none() && !call.send.is_empty() {
                path.split('?').next().unwrap_or(path)
            } else {
                path
            };
            method == call.target.method.as_str() && blank(path) == wanted && wrapped
        })
    }
}

/// The attributes of all blocks of a type in a configuration.
fn declarations(kind: &str, config: &str) -> Vec<(String, String)> {
    let table: toml::Table = toml::from_str(config).unwrap_or_else(|e| panic!("{e}\n{config}"));
    let blocks = table.get(kind).and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let attrs = blocks.into_iter().filter_map(|(_, block)| block.as_table().cloned()).flatten();
    attrs.map(|(name, value)| (name, value.to_string().trim_matches('"').to_owned())).collect()
}

fn untried(ty: &ResourceType, seen: &Seen) -> Vec<String> {
    let mut missing = Vec::new();
    for (_, attr) in ty.attrs() {
        missing
            .extend(untried_attr(ty, attr, seen).into_iter().map(|m| format!("{}.{m}", ty.name)));
    }
    for (_, link) in ty.links() {
        if !seen.declares(&link.name, |_| true) {
            missing.push(format!("{}.{} is never declared", ty.name, link.name));
        }
        if let Side::Owner { attach, detach, wire, .. } = &link.side {
            let member = wire.split('/').next().unwrap_or(wire);
            if !seen.found.contains(member) {
                missing.push(format!("{}.{} is never found as {wire}", ty.name, link.name));
            }
            missing.extend(uncalled(ty, seen, [&**attach, &**detach]));
        }
    }
    // A part with a list of its own is the same for all types: one fixture of it is enough.
    for part in ty.parts.iter().filter(|part| !part.listed()) {
        missing.extend(untried_part(ty, part, seen));
    }
    let used = ty.updates.iter().flat_map(|call| &call.then);
    missing.extend(uncalled(ty, seen, used.map(|ix| &ty.action(*ix).call)));
    let own = ty.create.iter().chain(&ty.updates).chain(&ty.delete);
    missing.extend(uncalled(ty, seen, own));
    missing
}

fn untried_part(ty: &ResourceType, part: &Part, seen: &Seen) -> Vec<String> {
    let element = &part.element;
    let mut missing = Vec::new();
    let written = part.attrs().iter().filter(|a| a.writable());
    for attr in written {
        let names =
            |value: &str| part.plain().is_some() || value.contains(&format!("{} =", attr.name));
        if !seen.declares(&part.name, names) {
            missing.push(format!("{}.{} is never declared with {}", ty.name, part.name, attr.name));
        }
    }
    if !seen.found.contains(&*part.wire_read) {
        missing.push(format!("{}.{} is never found as {}", ty.name, part.name, part.wire_read));
    }
    let calls = element.create.iter().chain(&element.updates).chain(&element.delete);
    missing.extend(uncalled(ty, seen, calls));
    missing
}

fn untried_attr(ty: &ResourceType, attr: &Attribute, seen: &Seen) -> Vec<String> {
    let (name, sent) = (&attr.name, &attr.wire_sent);
    if attr.computed {
        let remembered = seen.remembered.contains(&**name);
        return if remembered { vec![] } else { vec![format!("{name} is never remembered")] };
    }
    let mut missing = Vec::new();
    let default = attr.default.as_ref().map(Value::to_string);
    if !seen.declares(name, |value| default.as_deref() != Some(value)) {
        missing.push(format!("{name} is never declared with other than its default"));
    }
    // What stands in the path of the create is sent by it (see `uncalled`); what a discovered
    // object is looked up by is never sent.
    let in_path = ty.create.iter().flat_map(|call| &call.target.path);
    let in_path = in_path.into_iter().any(|p| matches!(p, Piece::Field(field) if field == name));
    let looked_up =
        ty.id == IdRule::Found && ty.find_attr(name).is_some_and(|ix| !ty.updatable(ix));
    if !in_path && !looked_up && !seen.sends(sent, None) {
        missing.push(format!("{name} is never sent as {sent}"));
    }
    let readable = !attr.sensitive && !attr.write_only;
    // One inside another member is seen where the state has it.
    let inner = attr.wire_read.contains('/') && seen.remembered.contains(&**name);
    if readable && !inner && !seen.found.contains(&*attr.wire_read) {
        missing.push(format!("{name} is never found as {}", attr.wire_read));
    }
    for (read, spelling) in &attr.values {
        if !seen.declares(name, |value| value == &**read) {
            missing.push(format!("{name} = {read} is never declared"));
        }
        if !seen.sends(sent, Some(spelling)) {
            missing.push(format!("{name} = {read} is never sent as {spelling}"));
        }
    }
    // An attribute that can be updated is sent by each update that can send it.
    if let Some(ix) = ty.find_attr(name) {
        for call in ty.updates.iter().filter(|call| call.sends(ix)) {
            let wrapper = call.body.as_deref().unwrap_or_default();
            let together = seen.sends.iter().any(|request| {
                request.contains(&format!("\"{wrapper}\""))
                    && request.contains(&format!("\"{sent}\":"))
            });
            if !together {
                missing.push(format!("{name} is never sent by {wrapper}"));
            }
        }
    }
    missing
}

fn uncalled<'a>(
    ty: &ResourceType,
    seen: &Seen,
    calls: impl IntoIterator<Item = &'a Call>,
) -> Vec<String> {
    let calls = calls.into_iter().filter(|call| !seen.calls(call));
    let name = |call: &Call| {
        let wrapper = call.body.as_deref().unwrap_or_default();
        let method = call.target.method.as_str();
        format!("{}: {method} {} {wrapper} is never sent", ty.name, pattern(&call.target))
    };
    calls.map(name).collect()
}

/// A call's path and query with `{}` for every placeholder.
fn pattern(target: &Target) -> String {
    let text = |pieces: &[Piece]| -> String {
        pieces.iter().map(|p| if let Piece::Lit(text) = p { &**text } else { "{}" }).collect()
    };
    let query: Vec<String> =
        target.query.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    match query.is_empty() {
        true => text(&target.path),
        false => format!("{}?{}", text(&target.path), query.join("&")),
    }
}

/// A literal's path with `{}` for every placeholder.
fn blank(path: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in path.chars() {
        match c {
            '{' => inside = true,
            '}' => {
                inside = false;
                out.push_str("{}");
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}
