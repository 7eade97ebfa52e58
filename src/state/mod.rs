//! What rackform did last: ids, attributes as last seen, dependencies, digests of secrets.
//!
//! `identity`: ids that are computed. `format`: [`State`] ↔ JSON text. `journal`: records appended
//! during an apply ↔ text. `fold`: journal + state → state. `edit`: changes by hand.
//! `moved`: what a configuration renames. `secret`: digests and the seal. Text
//! and values only: reading and writing files is `store`.

pub mod identity;
pub mod format;
pub mod journal;
pub mod edit;
pub mod fold;
pub mod moved;
pub mod secret;
#[cfg(test)]
mod testing;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::value::Value;

/// Version of the state document that this build writes.
pub const VERSION: u32 = 1;

/// Everything we remember. `Default` is the state of a fresh directory: no lineage yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Drawn by the first apply (32 hex digits); empty before.
    pub lineage: String,
    /// Rises by one with every write.
    pub serial: u64,
    /// The last apply whose journal this state contains; empty before the first. A journal of that
    /// run is a leftover (see `fold`).
    pub run: String,
    /// The clouds this state belongs to, by provider name.
    pub clouds: BTreeMap<Arc<str>, Cloud>,
    /// Salt and seal of the secrets.
    pub secrets: Secrets,
    /// Objects that exist, by address: resources, attachments and parts.
    pub entries: BTreeMap<Address, Entry>,
    /// Objects that an apply set out to create and whose outcome it did not record.
    pub pending: BTreeMap<Address, Pending>,
    /// Incarnations of addresses that denote nothing now but once did, or whose create failed.
    pub incarnations: BTreeMap<Address, u32>,
    /// Outputs of the root module as they were last concluded.
    pub outputs: BTreeMap<Arc<str>, Output>,
}

/// An output as it was last concluded. Of a secret one only that there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
    /// `None` for a secret one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "format::present"
    )]
    pub value: Option<Value>,
}

/// Which cloud and account a provider talked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// Dialect: `zstack`.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    pub endpoint: String,
    pub account: String,
    /// The account's id as the server gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

impl Cloud {
    /// `account "admin" (36c2…) at https://mn.example.com:8080`, for people.
    pub fn sentence(&self) -> String {
        let id = self.account_id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
        format!("account {:?}{id} at {}", self.account, self.endpoint)
    }
}

/// How changes of secrets are noticed without keeping them (design section 4, Secrets).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Random, hex, drawn with the lineage.
    pub salt: String,
    /// Argon2id over the sorted list of address, path and value of all secrets; hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
}

/// One object that exists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Resource type; for an attachment that of its owner, for an element of a part `TYPE.PART`.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    /// Provider configuration.
    pub provider: Arc<str>,
    /// The object's id; for an attachment the id of the other end, for an element of a part its
    /// owner's id and its key.
    pub id: Arc<str>,
    /// Attributes as last seen; never secrets, of which there is only [`hidden`]. References are ids.
    #[serde(rename = "attributes", with = "format::attributes")]
    pub attrs: Vec<(Arc<str>, Value)>,
    /// What it was created after, for the order of deletes once the configuration is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Address>,
    pub schema_version: u32,
    /// Digest by attribute of every sensitive attribute (see `secret`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digests: BTreeMap<Arc<str>, String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub incarnation: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    pub prevent_destroy: bool,
    /// For an attachment: the `RESOURCE.attribute` that declares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_by: Option<String>,
    /// Actions that an apply set out to run after an update and whose end it did not record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<Arc<str>>,
}

/// What stands in the state for an attribute that was computed from a secret.
pub fn hidden() -> Value {
    Value::map(BTreeMap::from([("sensitive".into(), Value::Bool(true))]))
}

/// Whether an attribute of an entry was computed from a secret.
pub fn is_hidden(value: &Value) -> bool {
    matches!(value, Value::Map(items)
        if items.len() == 1 && items.get("sensitive") == Some(&Value::Bool(true)))
}

/// An object that a create, or an attachment that an attach was about to be sent for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    pub provider: Arc<str>,
    /// Ids it may have been created under, oldest first; empty when the server assigns it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Arc<str>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub incarnation: u32,
    /// Its unique key (attribute, value) for types whose id the server assigns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<(Arc<str>, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Address>,
    /// Digests of the secrets that the create sends.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digests: BTreeMap<Arc<str>, String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands out references
fn is_zero(number: &u32) -> bool {
    *number == 0
}
#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands out references
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Whether an address in the state is that of an attachment: an element of a part is a member of
/// its owner too, but of a type of its own (`TYPE.PART`).
pub fn is_attachment(address: &Address, kind: &str) -> bool {
    address.member_of().is_some() && !kind.contains('.')
}

impl Entry {
    pub fn attr(&self, name: &str) -> Option<&Value> {
        self.attrs.iter().find(|(n, _)| &**n == name).map(|(_, v)| v)
    }
    /// Notes an action that is still to be run.
    pub fn owe(&mut self, action: &str) {
        if !self.owed.iter().any(|owed| &**owed == action) {
            self.owed.push(action.into());
        }
    }
}

impl State {
    /// The incarnation to use for the next create at an address: 0 the first time.
    pub fn next_incarnation(&self, address: &Address) -> u32 {
        self.incarnations.get(address).copied().unwrap_or(0)
    }
}
