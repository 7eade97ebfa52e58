//! LUNs that are not taken away from under a storage.
//!
//! A server of LUNs is not let go by a cluster while storage that stands on its LUNs is attached to
//! that cluster (reference 4: "SharedBlock PS before its iSCSI server/LUN"), and to delete or
//! replace the server is to detach it first. In: a plan, and what [`questions`] asks for. Out: a
//! finding for each detachment that would be refused. Which attributes name LUNs is said by
//! [`Quirk::LunName`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::address::Address;
use crate::config::Desired;
use crate::diag::{Diagnostic, Diagnostics};
use crate::inventory::{Inventory, LiveObject, split_element_id};
use crate::plan::known::Known;
use crate::plan::{Action, Change, Inputs, Op, Plan};
use crate::schema::{Attribute, Kind, Quirk, ResourceType, Schemas, TypeIx};
use crate::value::Value;

/// Objects to read before the plan can be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub provider: Arc<str>,
    pub ty: TypeIx,
    /// `None`: all objects of the type, whoever manages them.
    pub ids: Option<BTreeSet<Arc<str>>>,
}

/// What to read: nothing, unless the plan detaches a server of LUNs.
pub fn questions(plan: &Plan, schemas: &Schemas) -> Vec<Question> {
    let mut servers: BTreeMap<(&Arc<str>, TypeIx), BTreeSet<Arc<str>>> = BTreeMap::new();
    for (change, ends) in detached(plan) {
        if offers(schemas.get(change.ty)) {
            servers.entry((&change.provider, change.ty)).or_default().insert(ends.owner.clone());
        }
    }
    let providers: BTreeSet<&Arc<str>> = servers.keys().map(|(provider, _)| *provider).collect();
    let storages = providers.into_iter().flat_map(|provider| {
        let provider = provider.clone();
        users(schemas).map(move |(_, ty)| Question { provider: provider.clone(), ty, ids: None })
    });
    let storages: Vec<Question> = storages.collect();
    let servers = servers.into_iter().map(|((provider, ty), ids)| Question {
        provider: provider.clone(),
        ty,
        ids: Some(ids),
    });
    servers.chain(storages).collect()
}

/// Finds the detachments that the server would refuse. `live`: the answers to [`questions`].
pub fn check(inputs: &Inputs<'_>, plan: &Plan, live: &Inventory, findings: &mut Diagnostics) {
    let let_go: HashSet<Ends<'_>> = detached(plan).map(|(_, ends)| ends).collect();
    let standing = Standing::of(inputs.schemas, live);
    let known = Known::new(inputs.state);
    for (change, ends) in detached(plan) {
        let Some(server) = live.get(&change.provider, change.ty, ends.owner) else { continue };
        let offered = offered(inputs.schemas.get(change.ty), server);
        let attached = standing.by_cluster.get(&(&change.provider, ends.to));
        let stays = |storage: &&Arc<str>| {
            !let_go.contains(&Ends { owner: storage, to: ends.to })
                && standing.disks.get(*storage).is_some_and(|disks| !disks.is_disjoint(&offered))
        };
        if let Some(storage) = attached.into_iter().flatten().copied().find(stays) {
            findings.push(refused(inputs.desired, change, (storage, ends.to), &known));
        }
    }
}

/// The ids of the two ends of an attachment.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Ends<'a> {
    owner: &'a Arc<str>,
    to: &'a Arc<str>,
}

/// The attachments that a plan takes away.
fn detached(plan: &Plan) -> impl Iterator<Item = (&Change, Ends<'_>)> {
    let steps = plan.steps.iter().filter(|step| step.op == Op::Detach);
    steps.filter_map(|step| {
        let change = &plan.changes[step.change as usize];
        let ends = Ends { owner: change.owner_id.as_ref()?, to: change.id.as_ref()? };
        Some((change, ends))
    })
}

/// Whether objects of a type offer LUNs.
fn offers(ty: &ResourceType) -> bool {
    ty.part_of.is_none() && ty.attrs.iter().any(names_luns)
}

fn names_luns(attr: &Attribute) -> bool {
    attr.quirk == Some(Quirk::LunName) || members(&attr.kind).iter().any(names_luns)
}

/// The attributes inside one.
fn members(kind: &Kind) -> &[Attribute] {
    match kind {
        Kind::Object(attrs) => attrs,
        Kind::Set(item) | Kind::List(item) => members(item),
        _ => &[],
    }
}

/// The parts whose elements are LUNs, with the types that stand on them.
fn users(schemas: &Schemas) -> impl Iterator<Item = (TypeIx, TypeIx)> + '_ {
    schemas.embedded().filter(|(part, _)| schemas.get(*part).attrs.iter().any(names_luns))
}

/// The names of all LUNs of a row.
fn offered<'l>(ty: &ResourceType, row: &'l LiveObject) -> HashSet<&'l str> {
    let mut names = HashSet::new();
    for (attr, value) in ty.attrs.iter().zip(&row.attrs) {
        collect(attr, value, &mut names);
    }
    names
}

fn collect<'l>(attr: &Attribute, value: &'l Value, names: &mut HashSet<&'l str>) {
    match value {
        Value::Str(name) if attr.quirk == Some(Quirk::LunName) => _ = names.insert(name),
        Value::List(items) => items.iter().for_each(|item| collect(attr, item, names)),
        Value::Map(values) => {
            for inner in members(&attr.kind) {
                values.get(&inner.name).into_iter().for_each(|v| collect(inner, v, names));
            }
        }
        _ => {}
    }
}

/// A provider, and the id of what is attached to.
type Cluster<'l> = (&'l Arc<str>, &'l Arc<str>);

/// The storage that stands on LUNs.
struct Standing<'l> {
    /// The names of its disks.
    disks: HashMap<Arc<str>, HashSet<&'l str>>,
    by_cluster: HashMap<Cluster<'l>, Vec<&'l Arc<str>>>,
}

impl<'l> Standing<'l> {
    fn of(schemas: &Schemas, live: &'l Inventory) -> Self {
        let mut all = Self { disks: HashMap::new(), by_cluster: HashMap::new() };
        let users: Vec<(TypeIx, TypeIx)> = users(schemas).collect();
        for ((provider, ty), table) in &live.tables {
            for element in table.objects.iter().filter(|_| users.iter().any(|(p, _)| p == ty)) {
                if let Some((owner, _)) = split_element_id(&element.id) {
                    let names = offered(schemas.get(*ty), element);
                    all.disks.entry(owner.into()).or_default().extend(names);
                }
            }
            for storage in table.objects.iter().filter(|_| users.iter().any(|(_, o)| o == ty)) {
                for (_, ends) in &storage.links {
                    for to in ends {
                        all.by_cluster.entry((provider, to)).or_default().push(&storage.id);
                    }
                }
            }
        }
        all
    }
}

fn refused(
    desired: &Desired,
    change: &Change,
    (storage, cluster): (&Arc<str>, &Arc<str>),
    known: &Known,
) -> Diagnostic {
    let name = |id: &Arc<str>| match known.address_of(id) {
        Some(address) => format!("`{address}`"),
        None => format!("the object {id}"),
    };
    let (server, cluster, user) = (change.address.owner(), name(cluster), name(storage));
    let problem = format!("`{server}` cannot be detached from {cluster}");
    let finding = Diagnostic::error("luns_in_use", problem)
        .on(&change.address)
        .detail(format!(
            "{user} stands on LUNs of it and stays attached to {cluster}: the server would refuse{}.",
            match change.action {
                Action::Replace => ", and to replace one end is to detach it first",
                _ => "",
            }
        ))
        .help(match known.address_of(storage) {
            Some(address) => way_out(address, &cluster),
            None => format!(
                "detach it from {cluster} where it is managed, or keep `{server}` attached"
            ),
        });
    match change.origin.or_else(|| desired.get(&server).map(|server| server.declared)) {
        Some(place) => finding.at(place, "declared here"),
        None => finding,
    }
}

/// What to do about storage of ours. In one plan its detachment goes first.
fn way_out(storage: &Address, cluster: &str) -> String {
    format!(
        "detach `{storage}` from {cluster} or destroy it: in the same plan, where it goes first, or \
         in one before"
    )
}
