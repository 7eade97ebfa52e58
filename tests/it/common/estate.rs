//! Clouds with objects of every type as data. In: objects with attributes, attachments, parts and
//! tags. Out: the configuration that declares them, and lines that say what a cloud must hold then,
//! to be compared with what it holds. Knows nothing of ids.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::process::Rackform;
use super::shapes::{ENDS, SHAPES, Shape, others_of, shape};
use super::topology::{digest, ids_of_state};

/// Environment variables with a password each, which is [`password`] of the name.
pub const PASSWORDS: [&str; 2] = ["SSH_A", "SSH_B"];

/// Attributes whose value names an environment variable.
const SECRETS: [&str; 3] = ["password", "chap_user_password", "ssh_password"];

/// An object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thing {
    /// Numbers and texts; references are addresses.
    pub attrs: BTreeMap<&'static str, Value>,
    /// Labels of what it is attached to, for those that can be.
    pub to: BTreeSet<String>,
    /// Whether its attachments are declared on the other side.
    pub from_others: bool,
    /// Host names of Ceph monitors, and the variables with their passwords.
    pub mons: BTreeMap<String, &'static str>,
    pub disks: BTreeSet<String>,
    pub user_tags: BTreeSet<&'static str>,
    pub system_tags: BTreeSet<&'static str>,
}

impl Thing {
    pub fn new<const N: usize>(attrs: [(&'static str, Value); N]) -> Thing {
        Thing { attrs: attrs.into(), ..Thing::default() }
    }
}

/// A cloud; keys are addresses, whose labels are names too and differ all from each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estate {
    pub things: BTreeMap<String, Thing>,
}

/// The password in a variable.
pub fn password(variable: &str) -> String {
    format!("not-a-real-password-of-{variable}")
}

fn label(address: &str) -> &str {
    address.split_once('.').map_or(address, |(_, label)| label)
}

fn list(of: impl IntoIterator<Item = String>) -> String {
    format!("{:?}", of.into_iter().collect::<Vec<_>>())
}

impl Estate {
    /// Adds it; Enabled where it does not say.
    pub fn add(&mut self, address: impl Into<String>, mut thing: Thing) {
        let address = address.into();
        if shape(&address).attrs.iter().any(|(name, _)| *name == "state") {
            thing.attrs.entry("state").or_insert_with(|| json!("Enabled"));
        }
        self.things.insert(address, thing);
    }

    pub fn has(&self, address: &str) -> bool {
        self.things.contains_key(address)
    }

    /// Blocks of the configuration. Every list is written down, empty ones too.
    pub fn blocks(&self) -> String {
        self.things.iter().map(|(address, thing)| self.block(address, thing)).collect()
    }

    fn block(&self, address: &str, thing: &Thing) -> String {
        let shape = shape(address);
        let mut lines = vec![format!("[{address}]")];
        for (name, value) in &thing.attrs {
            lines.push(match SECRETS.contains(name) {
                true => format!("{name} = '${{env({value})}}'"),
                false => format!("{name} = {value}"),
            });
        }
        match shape.kind {
            "cluster" => lines.push("hypervisor_type = \"KVM\"".into()),
            "host" | "imagestore_backup_storage" | "sftp_backup_storage" => {
                lines.push("username = \"root\"".into());
            }
            _ => {}
        }
        if let Some(ends) = shape.ends {
            let own = thing.to.iter().filter(|_| !thing.from_others);
            let own = own.map(|to| format!("{}{to}", ends.prefix));
            lines.push(format!("{} = {}", ends.link, list(own)));
        }
        for other in others_of(shape.kind) {
            let here = self.things.iter().filter(|(from, thing)| {
                let ends = self::shape(from).ends;
                ends.is_some_and(|e| e.other == *other)
                    && thing.from_others
                    && thing.to.contains(label(address))
            });
            lines.push(format!("{other} = {}", list(here.map(|(from, _)| from.clone()))));
        }
        let mon = |(host, variable): (&String, &&str)| {
            format!(
                "{{ hostname = {host:?}, ssh_username = \"root\", ssh_password = '${{env({variable:?})}}' }}"
            )
        };
        if shape.mons.is_some() {
            let mons: Vec<String> = thing.mons.iter().map(mon).collect();
            lines.push(format!("mons = [{}]", mons.join(", ")));
        }
        if shape.class == "SharedBlock" {
            lines.push(format!("disks = {}", list(thing.disks.clone())));
        }
        lines.push(format!("user_tags = {}", list(thing.user_tags.iter().map(|t| t.to_string()))));
        let system = thing.system_tags.iter().map(|t| t.to_string());
        lines.push(format!("system_tags = {}", list(system)));
        lines.join("\n") + "\n"
    }

    /// The types, attachments and parts that it declares, from whichever side, as `TYPE` and
    /// `TYPE.NAME`; `TYPE.state=VALUE` too.
    pub fn uses(&self) -> BTreeSet<String> {
        let mut uses = BTreeSet::new();
        for (address, thing) in &self.things {
            let shape = shape(address);
            let Shape { kind, ends, .. } = shape;
            uses.insert((*kind).to_owned());
            uses.extend(thing.attrs.get("state").map(|v| format!("{kind}.state={}", plain(v))));
            let parts = [
                ("mons", !thing.mons.is_empty()),
                ("disks", !thing.disks.is_empty()),
                ("user_tags", !thing.user_tags.is_empty()),
                ("system_tags", !thing.system_tags.is_empty()),
            ];
            let parts = parts.into_iter().filter(|(_, some)| *some);
            uses.extend(parts.map(|(part, _)| format!("{kind}.{part}")));
            uses.extend(ends.filter(|_| !thing.to.is_empty()).map(|e| match thing.from_others {
                false => format!("{kind}.{}", e.link),
                true => format!("{}{}", e.prefix, e.other),
            }));
        }
        uses
    }

    /// Without these attributes of these types.
    pub fn without(mut self, attributes: &[(&str, &str)]) -> Estate {
        for (address, thing) in &mut self.things {
            let kind = shape(address).kind;
            thing.attrs.retain(|name, _| !attributes.contains(&(kind, name)));
        }
        self
    }

    /// Writes the configuration for a cloud.
    pub fn declare(&self, rackform: &Rackform, cloud: &Cloud) {
        rackform.write("main.rack.toml", &format!("{}{}", cloud.provider(), self.blocks()));
    }

    /// One line per object, attachment, element and tag that a cloud holds after an apply.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (address, thing) in &self.things {
            let shape = shape(address);
            let me = &name_of(shape, address, thing);
            let mut line = format!("{} {me}", shape.kind);
            for (name, _) in shape.attrs {
                let text = plain(thing.attrs.get(name).unwrap_or(&Value::Null));
                let known = match () {
                    () if text.is_empty() || is_unset(name, &text) => String::new(),
                    () if SECRETS.contains(name) => digest(&password(&text)),
                    () if self.has(&text) => label(&text).to_owned(),
                    () => text,
                };
                line += &format!(" {name}={known}");
            }
            lines.push(line);
            lines.extend(thing.to.iter().map(|to| format!("{me} attached to {to}")));
            let mons = thing.mons.iter();
            lines.extend(mons.map(|(h, v)| format!("{me} mon {h} {}", digest(&password(v)))));
            lines.extend(thing.disks.iter().map(|disk| format!("{me} disk {disk}")));
            lines.extend(thing.user_tags.iter().map(|tag| format!("{me} tag {tag}")));
            lines.extend(thing.system_tags.iter().map(|tag| format!("{me} tag {tag}")));
        }
        lines.sort();
        lines
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What an object is called in lines: its label, or the host and the place of what is discovered.
fn name_of(shape: &Shape, address: &str, thing: &Thing) -> String {
    let text = |name: &&str| plain(thing.attrs.get(name).unwrap_or(&Value::Null));
    match shape.place.is_empty() {
        true => label(address).to_owned(),
        false => place(label(&text(&"host")), shape.place.iter().map(text)),
    }
}

fn place(host: &str, place: impl Iterator<Item = String>) -> String {
    format!("{host}/{}", place.collect::<Vec<_>>().join("-"))
}

/// Whether a server that was never told has the same.
fn is_unset(attr: &str, text: &str) -> bool {
    attr == "iommu_state" && text == "Disabled"
}

/// All objects of a cloud and the ids under which it has them.
pub struct Live {
    /// As [`Estate::lines`]: what is there twice is here twice. Without what was discovered.
    pub lines: Vec<String>,
    pub ids: BTreeSet<String>,
    /// What was discovered and may be nobody's: line and id. Its tags and attachments stand in
    /// `lines`, because those are always somebody's.
    pub found: Vec<(String, String)>,
}

impl Live {
    /// Reads a cloud past its API.
    pub fn of(cloud: &Cloud) -> Live {
        let rows = |family: &str| -> Vec<Value> {
            let all = cloud.control(Method::GET, &format!("rows/{family}"), None);
            all.as_array().expect("rows").clone()
        };
        let objects: Vec<(&Shape, Value)> =
            SHAPES.iter().flat_map(|shape| objects(shape, rows(shape.family))).collect();
        let (mut names, mut ids) = (BTreeMap::new(), BTreeSet::new());
        for (shape, row) in &objects {
            let uuid = plain(&row["uuid"]);
            if shape.place.is_empty() {
                ids.insert(uuid.clone());
            }
            let name = name_in(shape, row, &names);
            names.insert(uuid, name);
        }
        let name = |value: &Value| names.get(&plain(value)).cloned().unwrap_or(plain(value));
        let (mut lines, mut found) = (Vec::new(), Vec::new());
        for (shape, row) in &objects {
            let mut line = format!("{} {}", shape.kind, name(&row["uuid"]));
            for (attr, member) in shape.attrs {
                let mut known = name(&row[*member]);
                if SECRETS.contains(attr) {
                    known.truncate(12);
                }
                if is_unset(attr, &known) {
                    known.clear();
                }
                line += &format!(" {attr}={known}");
            }
            match shape.place.is_empty() {
                true => lines.push(line),
                false => found.push((line, plain(&row["uuid"]))),
            }
        }
        for ends in ENDS {
            for row in rows(ends.family).iter().filter(|row| !plain(&row[ends.to]).is_empty()) {
                lines.push(format!(
                    "{} attached to {}",
                    name(&row[ends.owner]),
                    name(&row[ends.to])
                ));
            }
        }
        for (family, owner) in SHAPES.iter().filter_map(|shape| shape.mons) {
            for row in rows(family) {
                let digest = plain(&row["sshPasswordDigest"])[..12].to_owned();
                lines.push(format!(
                    "{} mon {} {digest}",
                    name(&row[owner]),
                    plain(&row["hostname"])
                ));
            }
        }
        for row in rows("sharedBlock") {
            let group = name(&row["sharedBlockGroupUuid"]);
            lines.push(format!("{group} disk {}", plain(&row["diskUuid"])));
        }
        for row in ["userTag", "systemTag"].into_iter().flat_map(rows) {
            lines.push(format!("{} tag {}", name(&row["resourceUuid"]), plain(&row["tag"])));
        }
        lines.sort();
        Live { lines, ids, found }
    }

    /// Takes in what was discovered and is wanted; the rest is nobody's.
    fn with_wanted(mut self, wanted: &[String]) -> Live {
        let start = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ") + " ";
        for (line, id) in std::mem::take(&mut self.found) {
            let start = start(&line);
            if wanted.iter().any(|other| other.starts_with(&start)) {
                self.lines.push(line);
                self.ids.insert(id);
            }
        }
        self
    }
}

/// The rows of a family that are objects of this type.
fn objects(shape: &'static Shape, rows: Vec<Value>) -> Vec<(&'static Shape, Value)> {
    let mine = |row: &Value| {
        // Pools that the server makes with a storage.
        let made = plain(&row["poolName"]).starts_with("pri-");
        (shape.class.is_empty() || row["type"] == shape.class) && !made
    };
    rows.into_iter().filter(mine).map(|row| (shape, row)).collect()
}

/// As [`name_of`]; hosts come before what is discovered on them.
fn name_in(shape: &Shape, row: &Value, names: &BTreeMap<String, String>) -> String {
    if shape.place.is_empty() {
        return plain(if row["name"].is_null() { &row["poolName"] } else { &row["name"] });
    }
    let members = shape.attrs.iter().filter(|(attr, _)| shape.place.contains(attr));
    let host = names.get(&plain(&row["hostUuid"])).map_or("", String::as_str);
    place(host, members.map(|(_, member)| plain(&row[*member])))
}

/// Asserts that cloud, state and configuration say the same: nothing twice, nothing lost, nothing
/// left over, and nothing to do.
#[track_caller]
pub fn assert_converged(rackform: &Rackform, cloud: &Cloud, wanted: &[String]) {
    let live = Live::of(cloud).with_wanted(wanted);
    assert_same_lines(&live.lines, wanted);
    assert_eq!(ids_of_state(rackform), live.ids, "the state knows what is there, and no more");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    cloud.assert_no_violations();
}

#[track_caller]
fn assert_same_lines(live: &[String], wanted: &[String]) {
    let more = |a: &[String], b: &[String]| -> Vec<String> {
        let mut rest = b.to_vec();
        let mut keeps = |line: &&String| match rest.iter().position(|other| other == *line) {
            Some(at) => {
                rest.remove(at);
                false
            }
            None => true,
        };
        a.iter().filter(|line| keeps(line)).cloned().collect()
    };
    let (extra, missing) = (more(live, wanted), more(wanted, live));
    assert!(
        extra.is_empty() && missing.is_empty(),
        "the cloud holds what the configuration says, once each; too much: {extra:#?}, missing: {missing:#?}"
    );
}

/// What iSCSI servers of a cloud offer: `(address, disk)`.
pub fn offer(cloud: &Cloud, luns: &[(&str, &str)]) {
    for (server, wwid) in luns {
        describe(cloud, ("lun", server, wwid), json!({ "wwid": wwid, "size": 1u64 << 40 }));
    }
}

/// What a cloud will discover: kind, owner, place; members.
pub fn describe(cloud: &Cloud, (kind, owner, place): (&str, &str, &str), members: Value) {
    cloud.drift(json!({
        "family": "description", "op": "put", "uuid": format!("{kind}/{owner}/{place}"),
        "row": { "kind": kind, "owner": owner, "members": members },
    }));
}
