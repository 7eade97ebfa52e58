//! A world to plan in: state and live objects as they are after an apply of a configuration, and
//! ways to change them since. Ids are computed from addresses, so that texts are stable.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use crate::address::Address;
use crate::config::{self, Desired, DesiredLink, DesiredResource, End, Facts, SourceFile};
use crate::diag::Diagnostics;
use crate::inventory::{Inventory, LiveObject, Table, element_id};
use crate::plan::{self, AttrDiff, Inputs, Options, Plan, Reason, Shown};
use crate::schema::{self, LinkIx, Schemas, UniqueItem};
use crate::state::identity::client_id;
use crate::state::moved::{self, Previous};
use crate::state::{Entry, Pending, State};
use crate::value::Value;

const PROVIDER: &str = "zstack";

/// What exists and what we remember of it.
pub struct World {
    pub schemas: Schemas,
    pub state: State,
    pub live: Inventory,
    pub options: Options,
    pub rotated: BTreeMap<Address, Vec<Arc<str>>>,
}

impl World {
    /// Everything that the configuration declares exists, and we made it.
    pub fn of(text: &str) -> World {
        let schemas = schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
        World::applied(schemas, text)
    }

    /// The same with other schemas.
    pub fn applied(schemas: Schemas, text: &str) -> World {
        let desired = desired(&schemas, text);
        let mut world = World {
            schemas,
            state: State { lineage: "1".repeat(32), ..State::default() },
            live: Inventory::default(),
            options: Options::default(),
            rotated: BTreeMap::new(),
        };
        let types: Vec<_> = world.schemas.iter().map(|(ix, _)| ix).collect();
        for ty in types {
            world.live.tables.insert((PROVIDER.into(), ty), Table::default());
        }
        desired.resources.iter().for_each(|resource| world.make(resource));
        desired.links.iter().for_each(|link| world.provide(link));
        desired.links.iter().for_each(|link| world.link(link));
        world
    }

    fn make(&mut self, resource: &DesiredResource) {
        let ty = self.schemas.get(resource.ty).clone();
        let mut attrs = resource.attrs.clone();
        for ((_, attr), value) in ty.attrs().zip(attrs.iter_mut()) {
            if attr.sensitive || attr.write_only {
                *value = Value::Null;
            } else if let Value::Object(of) | Value::Id(of) = value {
                *value = Value::Str(id(of));
            }
        }
        // What the server chooses for an element stands there under the name of the attribute.
        for ((_, attr), value) in ty.attrs().zip(attrs.iter_mut()) {
            if ty.part_of.is_some() && attr.computed {
                *value = Value::str(&format!("{{{}.{}}}", resource.address, attr.name));
            }
        }
        let set = ty.attrs().zip(&attrs).filter(|(_, value)| !value.is_null());
        let entry = Entry {
            kind: ty.name.clone(),
            provider: PROVIDER.into(),
            id: id(&resource.address),
            attrs: set.map(|((_, attr), value)| (attr.name.clone(), value.clone())).collect(),
            dependencies: references(resource).into_iter().collect(),
            schema_version: ty.version,
            prevent_destroy: resource.lifecycle.prevent_destroy,
            ..Entry::default()
        };
        let owned = ty.links().filter(|(_, link)| matches!(link.side, schema::Side::Owner { .. }));
        let links = owned.map(|(ix, _)| (ix, Vec::new())).collect();
        let live = LiveObject { id: entry.id.clone(), attrs, links, elements: Vec::new() };
        self.state.entries.insert(resource.address.clone(), entry);
        self.table(resource.ty).insert(live);
    }

    /// A discovered object that nobody manages yet: there with what it is looked up by.
    pub fn discover(&mut self, resource: &DesiredResource) {
        let ty = self.schemas.get(resource.ty).clone();
        let mut attrs = ty.empty_row();
        for item in ty.unique.iter().flatten() {
            let UniqueItem::Attr(ix) = item else { continue };
            attrs[usize::from(ix.0)] = match &resource.attrs[usize::from(ix.0)] {
                Value::Object(of) | Value::Id(of) => Value::Str(id(of)),
                value => value.clone(),
            };
        }
        let owned = ty.links().filter(|(_, link)| matches!(link.side, schema::Side::Owner { .. }));
        let links = owned.map(|(ix, _)| (ix, Vec::new())).collect();
        let id = id(&resource.address);
        self.table(resource.ty).insert(LiveObject { id, attrs, links, elements: Vec::new() });
    }

    /// The foreign ends of an attachment: objects that somebody else manages.
    pub fn provide(&mut self, link: &DesiredLink) {
        for (ty, id) in plan::foreign::ends(&self.schemas, link) {
            let attrs = self.schemas.get(ty).empty_row();
            let live = LiveObject { id, attrs, links: Box::default(), elements: Vec::new() };
            self.table(ty).insert(live);
        }
    }

    fn link(&mut self, link: &DesiredLink) {
        let ends = [&link.owner, &link.to].into_iter().filter_map(|end| match end {
            End::Ours(address) => Some(address.clone()),
            End::Foreign(_) => None,
        });
        let entry = Entry {
            kind: self.schemas.get(link.owner_ty).name.clone(),
            provider: PROVIDER.into(),
            id: end_id(&link.to),
            dependencies: ends.collect(),
            schema_version: 1,
            declared_by: Some(format!("{}.{}", link.declared_by.0, link.declared_by.1)),
            ..Entry::default()
        };
        self.state.entries.insert(link.address.clone(), entry);
        let (owner, to) = (end_id(&link.owner), end_id(&link.to));
        self.attach_ids(link.owner_ty, &owner, link.link, to);
    }

    fn attach_ids(&mut self, ty: schema::TypeIx, owner: &str, link: LinkIx, to: Arc<str>) {
        let mut live = self.table(ty).get(owner).expect("the owner").clone();
        let list = live.links.iter_mut().find(|(ix, _)| *ix == link).expect("its link");
        list.1.push(to);
        self.table(ty).insert(live);
    }

    fn table(&mut self, ty: schema::TypeIx) -> &mut Table {
        self.live.tables.get_mut(&(PROVIDER.into(), ty)).expect("a table per type")
    }

    /// Attached by somebody else.
    pub fn attach(&mut self, owner: &str, link: &str, to: &str) {
        let owner = address(owner);
        let ty = self.schemas.find(owner.kind()).expect("a type");
        let link = self.schemas.get(ty).find_link(link).expect("a link");
        self.attach_ids(ty, &id(&owner), link, id(&address(to)));
    }

    /// All attachments of an owner are gone.
    pub fn detach(&mut self, owner: &str) {
        self.change(owner, |live| live.links.iter_mut().for_each(|(_, ids)| ids.clear()));
    }

    /// Changed outside.
    pub fn set(&mut self, of: &str, attr: &str, value: &str) {
        let ty = self.schemas.find(address(of).kind()).expect("a type");
        let ix = self.schemas.get(ty).find_attr(attr).expect("an attribute");
        self.change(of, |live| live.attrs[usize::from(ix.0)] = Value::str(value));
    }

    fn change(&mut self, of: &str, edit: impl FnOnce(&mut LiveObject)) {
        let of = address(of);
        let ty = self.schemas.find(of.kind()).expect("a type");
        let mut live = self.table(ty).get(&id(&of)).expect("a live object").clone();
        edit(&mut live);
        self.table(ty).insert(live);
    }

    /// Deleted outside.
    pub fn vanish(&mut self, of: &str) {
        let of = address(of);
        let ty = self.schemas.find(of.kind()).expect("a type");
        let mut left = std::mem::take(self.table(ty)).objects;
        left.retain(|live| live.id != id(&of));
        *self.table(ty) = Table::new(left);
    }

    /// Not ours: it stays live, the state forgets it.
    pub fn disown(&mut self, of: &str) {
        self.state.entries.remove(&address(of));
    }

    /// The state is older than the object and there is no journal: only the id, which nobody but us
    /// would have chosen, says that it is ours.
    pub fn unrecorded(&mut self, of: &str, incarnation: u32) {
        let of = address(of);
        self.state.entries.remove(&of);
        let ty = self.schemas.find(of.kind()).expect("a type");
        let ours = client_id(&self.state.lineage, &of, incarnation);
        let mut rows = std::mem::take(self.table(ty)).objects;
        let row = rows.iter_mut().find(|live| live.id == id(&of)).expect("a live object");
        row.id = ours.clone();
        *self.table(ty) = Table::new(rows);
        // What refers to it means the same object.
        for table in self.live.tables.values_mut() {
            let mut rows = std::mem::take(table).objects;
            for value in rows.iter_mut().flat_map(|live| live.attrs.iter_mut()) {
                if value.as_str() == Some(&*id(&of)) {
                    *value = Value::Str(ours.clone());
                }
            }
            *table = Table::new(rows);
        }
    }

    /// An apply was cut off after sending the create: the state only knows that it was to be made.
    pub fn unfinished(&mut self, of: &str) {
        let of = address(of);
        let entry = self.state.entries.remove(&of).expect("an entry");
        let pending = Pending {
            kind: entry.kind,
            provider: entry.provider,
            candidates: vec![entry.id],
            incarnation: 0,
            unique: Vec::new(),
            dependencies: entry.dependencies,
            digests: BTreeMap::new(),
        };
        self.state.pending.insert(of, pending);
    }

    pub fn plan(&self, text: &str) -> Result<Plan, Diagnostics> {
        let desired = desired(&self.schemas, text);
        self.plan_of(&desired)
    }

    pub fn plan_of(&self, desired: &Desired) -> Result<Plan, Diagnostics> {
        let mut state = self.state.clone();
        let moved = match self.options.destroy {
            true => Previous::new(),
            false => moved::apply(desired, &mut state)?,
        };
        plan::plan(&Inputs {
            desired,
            state: &state,
            moved: &moved,
            live: Some(&self.live),
            schemas: &self.schemas,
            rotated: &self.rotated,
            options: &self.options,
        })
    }

    /// The plan as text; findings if there is none.
    pub fn show(&self, text: &str) -> String {
        match self.plan(text) {
            Ok(plan) => show(&plan),
            Err(findings) => findings_text(&findings),
        }
    }

    pub fn replace(mut self, of: &str) -> World {
        self.options.replace.insert(address(of));
        self
    }

    pub fn destroy(mut self) -> World {
        self.options.destroy = true;
        self
    }
}

/// The configuration of a text, beside a provider.
pub fn desired(schemas: &Schemas, text: &str) -> Desired {
    let text = format!(
        "[provider.zstack]\nendpoint = \"https://mn.example.com:8080\"\naccount = \"admin\"\npassword = \"x\"\n{text}"
    );
    let file = SourceFile { name: "main.rack.toml".into(), bytes: text.into_bytes() };
    let loaded = config::load(vec![file], schemas);
    let config = loaded.config.unwrap_or_else(|found| panic!("{}", findings_text(&found)));
    let expanded = config::expand(&config, schemas, &Facts::default(), &loaded.sources);
    expanded.unwrap_or_else(|found| panic!("{}", findings_text(&found))).0
}

/// The id that an object has in these tests: 32 hex digits.
pub fn id(address: &Address) -> Arc<str> {
    if let Some(member) = address.member_of() {
        return element_id(&id(&address.owner()), &member.key);
    }
    let hash = blake3::hash(address.as_str().as_bytes()).to_hex();
    hash.as_str().get(..32).unwrap_or_default().into()
}

fn end_id(end: &End) -> Arc<str> {
    match end {
        End::Ours(address) => id(address),
        End::Foreign(id) => id.clone(),
    }
}

fn references(resource: &DesiredResource) -> BTreeSet<Address> {
    let values = resource.attrs.iter().filter_map(|value| match value {
        Value::Object(of) | Value::Id(of) => Some(of.clone()),
        _ => None,
    });
    values.chain(resource.depends_on.iter().map(|(of, _)| of.clone())).collect()
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Changes, steps with what they wait for, gates, drift and notes, one line each.
pub fn show(plan: &Plan) -> String {
    let mut out = String::new();
    for change in &plan.changes {
        line(&mut out, format!("{:?} {}: {:?}", change.action, change.address, change.reason));
        if let Some(previous) = &change.previous {
            line(&mut out, format!("  was {previous}"));
        }
        if let Some(on) = change.protection.filter(|_| change.reason != Reason::Protection) {
            line(&mut out, format!("  prevent_destroy {on}"));
        }
        change.diffs.iter().for_each(|diff| line(&mut out, format!("  {}", diff_text(diff))));
    }
    for (ix, step) in plan.steps.iter().enumerate() {
        let mut text = format!("#{ix} {} {}", plan::lint::verb(&step.op), step.address);
        let after: Vec<String> = step.after.iter().map(|before| format!("#{}", before.0)).collect();
        let gates: Vec<String> = step
            .gates
            .iter()
            .map(|gate| format!("({})", plan.gates[gate.0 as usize].scope))
            .collect();
        if !after.is_empty() || !gates.is_empty() {
            let _ = write!(text, " after {}", [after, gates].concat().join(" "));
        }
        line(&mut out, text);
    }
    for gate in plan.gates.iter().filter(|gate| !gate.after.is_empty()) {
        let after: Vec<String> = gate.after.iter().map(|before| format!("#{}", before.0)).collect();
        line(&mut out, format!("({}) after {}", gate.scope, after.join(" ")));
    }
    for drift in &plan.drift {
        let what = match &drift.attrs {
            None => "is gone".to_owned(),
            Some(attrs) => attrs.iter().map(diff_text).collect::<Vec<_>>().join(", "),
        };
        line(&mut out, format!("drift {}: {what}", drift.address));
    }
    for note in &plan.notes {
        let about = note.address.as_ref().map(Address::to_string).unwrap_or_default();
        line(&mut out, format!("note {about} {}", note.text));
        if note.address.is_none() {
            note.help
                .iter()
                .flat_map(|h| h.lines())
                .for_each(|text| line(&mut out, format!("  {text}")));
        }
    }
    if out.is_empty() { "nothing".to_owned() } else { out }
}

fn line(out: &mut String, text: impl AsRef<str>) {
    out.push_str(text.as_ref());
    out.push('\n');
}

fn diff_text(diff: &AttrDiff) -> String {
    let shown = |shown: &Shown| match shown {
        Shown::Value(value) => value.to_string(),
        Shown::AfterApply(of) => format!("<id of {of}>"),
        Shown::Sensitive => "<secret>".to_owned(),
        Shown::Absent => "none".to_owned(),
    };
    let force = if diff.forces_replace { " !" } else { "" };
    format!("{} {} -> {}{force}", diff.name, shown(&diff.before), shown(&diff.after))
}

/// Findings without their places.
pub fn findings_text(findings: &Diagnostics) -> String {
    let mut out = String::new();
    for finding in findings.iter() {
        line(&mut out, format!("{}: {}", finding.code, finding.summary));
        for more in [&finding.detail, &finding.help].into_iter().flatten() {
            more.lines().for_each(|text| line(&mut out, format!("  {text}")));
        }
    }
    out
}
