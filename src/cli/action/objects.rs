//! Objects by name → ids, and what fills the holes of the request.
//!
//! In: names, the state, the configuration's providers. Out: ids and a provider, or which name
//! denotes nothing and what may be meant. Asks no cloud.

use std::collections::HashMap;
use std::sync::Arc;

use super::order::Order;
use crate::address::Address;
use crate::cli::args::{Action, ObjectName};
use crate::cli::session::Session;
use crate::config::End;
use crate::diag::{Diagnostic, nearest};
use crate::schema::ResourceType;
use crate::state::State;
use crate::value::Value;
use crate::wire::Fill;

/// An object that an action is for.
pub struct Object {
    /// As the command line names it.
    pub name: String,
    pub end: End,
    pub id: Arc<str>,
}

/// The objects of an action, each once, and the provider that they belong to.
pub fn resolve(
    session: &Session,
    state: &State,
    (order, args): (&Order<'_>, &Action),
) -> Result<(Vec<Object>, Arc<str>), Diagnostic> {
    let mut objects: Vec<Object> = Vec::new();
    let mut provider: Option<Arc<str>> = None;
    for name in &args.objects {
        let (end, id, own) = match name {
            ObjectName::Address(address) => {
                let entry = entry(session, state, address)?;
                (End::Ours(address.clone()), entry.0, entry.1)
            }
            ObjectName::Id { id, .. } => {
                let id: Arc<str> = id.as_str().into();
                let own = foreign(session, state, &id, (order.ty, args.provider.as_deref()))?;
                (End::Foreign(id.clone()), id, own)
            }
        };
        if provider.get_or_insert_with(|| own.clone()) != &own {
            let text = format!("{} and {name} are in different clouds", args.objects[0]);
            return Err(Diagnostic::error("two_clouds", text).help("run the action for each cloud"));
        }
        if objects.iter().all(|known| known.id != id) {
            objects.push(Object { name: name.to_string(), end, id });
        }
    }
    let provider = provider
        .ok_or_else(|| Diagnostic::error("no_objects", "the action is for no object at all"))?;
    Ok((objects, provider))
}

/// Id and provider of an object of ours.
fn entry(
    session: &Session,
    state: &State,
    address: &Address,
) -> Result<(Arc<str>, Arc<str>), Diagnostic> {
    if let Some(entry) = state.entries.get(address) {
        return Ok((entry.id.clone(), entry.provider.clone()));
    }
    let own = state.entries.keys().filter(|a| a.member_of().is_none());
    let near = nearest(address.as_str(), own.map(Address::as_str));
    let finding = Diagnostic::error("unknown_address", format!("`{address}` is not in the state"))
        .on(address);
    let declared = session.desired.get(address).is_some();
    Err(finding.help(match near {
        _ if declared => "it does not exist yet: run `rackform apply` first".to_owned(),
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "`rackform state list` shows what there is; an object that rackform does not manage is written {}.id:UUID",
            address.kind()
        ),
    }))
}

/// The provider of an object that is named by its id.
fn foreign(
    session: &Session,
    state: &State,
    id: &Arc<str>,
    (ty, wanted): (&ResourceType, Option<&str>),
) -> Result<Arc<str>, Diagnostic> {
    let own = state.entries.iter().find(|(a, e)| a.member_of().is_none() && e.id == *id);
    if let (Some((_, entry)), None) = (own, wanted) {
        return Ok(entry.provider.clone());
    }
    let providers = session.desired.providers.iter().filter(|p| p.kind == ty.provider);
    let names: Vec<&Arc<str>> = providers.map(|p| &p.name).collect();
    match (wanted, &names[..]) {
        (Some(wanted), names) => {
            let found = names.iter().find(|name| &****name == wanted);
            found.map(|name| (*name).clone()).ok_or_else(|| {
                let text = format!("there is no provider.{wanted} for objects of {}", ty.provider);
                let finding = Diagnostic::error("no_provider", text);
                match nearest(wanted, names.iter().map(|name| &***name)) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding.help("--provider takes the NAME of a [provider.NAME]"),
                }
            })
        }
        (None, [only]) => Ok((*only).clone()),
        (None, []) => {
            let text = format!("no provider of type {} is configured", ty.provider);
            Err(Diagnostic::error("no_provider", text)
                .help(format!("add a [provider.{}] block", ty.provider)))
        }
        (None, names) => {
            let names: Vec<&str> = names.iter().map(|name| &***name).collect();
            let text = format!("{} is in one of several clouds", id);
            Err(Diagnostic::error("which_provider", text)
                .help(format!("say which: --provider {}", names.join(" or "))))
        }
    }
}

/// Ids of our objects and the secrets of parameters.
pub struct Holes<'a> {
    ids: HashMap<Address, Arc<str>>,
    order: &'a Order<'a>,
}

impl<'a> Holes<'a> {
    /// Looks up what parameters refer to.
    pub fn find(
        session: &Session,
        state: &State,
        (order, objects): (&'a Order<'a>, &[Object]),
    ) -> Result<Self, Diagnostic> {
        let mut ids = HashMap::new();
        for object in objects {
            if let End::Ours(address) = &object.end {
                ids.insert(address.clone(), object.id.clone());
            }
        }
        for address in order.references() {
            ids.insert(address.clone(), entry(session, state, address)?.0);
        }
        Ok(Self { ids, order })
    }

    /// The texts of sensitive parameters: nothing that is shown may hold one.
    pub fn secrets(&self) -> Vec<String> {
        let secret = self.order.params.iter().filter(|value| value.is_sensitive());
        secret.filter_map(|value| value.reveal().as_str().map(str::to_owned)).collect()
    }
}

impl Fill for Holes<'_> {
    fn id(&self, address: &Address) -> Option<Arc<str>> {
        self.ids.get(address).cloned()
    }
    fn secret(&self, _: &Address, attr: &str) -> Option<Arc<str>> {
        let at = self.order.action.params.iter().position(|param| &*param.name == attr)?;
        match self.order.params.get(at)?.reveal() {
            Value::Str(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string().into()),
        }
    }
}
