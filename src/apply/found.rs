//! Creating what no call creates by an id: elements of parts, and objects that the server
//! discovers.
//!
//! Steps of a [`Worker`] like those in `step`. In: a step. Out: the id of the object once it is
//! there and written down.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::failures::{failure, from_fault};
use super::step::{Sent, Worker};
use super::waits::Waits;
use crate::event::Failure;
use crate::inventory::{LiveObject, element_id};
use crate::observe::lookup::Reader;
use crate::plan::key::set_attrs;
use crate::schema::{AttrIx, Kind};
use crate::value::Value;
use crate::wire::Fill;

/// How long a server gets to list what belongs to a host that is connected: the agent reports its
/// devices with the first facts (reference 3.6 names no time).
const DISCOVERY: Duration = Duration::from_secs(60);

impl Worker<'_> {
    /// Adds an element to its owner, or looks whether it came with it.
    pub(super) async fn create_element(&self) -> Result<Option<Arc<str>>, Failure> {
        let address = &self.step.address;
        let owner = self.context.ids.id(&address.owner());
        let key = address.member_of().map(|member| member.key.clone());
        let Some((owner, key)) = owner.zip(key) else {
            return Err(failure("its owner does not exist", self.step));
        };
        let id = element_id(&owner, &key);
        self.context.ids.set(address, id.clone());
        if let Sent::Refused(fault) = self.send(0).await? {
            // "Already there" and the like: reading back decides, as for an attachment.
            if self.read(&id).await?.is_none() {
                return Err(self.definite(fault).await);
            }
        }
        self.read_back(&id, 0, true).await?;
        Ok(Some(id))
    }

    /// Waits until the server has discovered the object, which it does when what it belongs to
    /// connects.
    pub(super) async fn discover(&self) -> Result<Option<Arc<str>>, Failure> {
        let mut wait = Waits::new(self.deadline.min(Instant::now() + DISCOVERY));
        loop {
            if let Some(live) = self.look().await? {
                self.context.ids.set(&self.step.address, live.id.clone());
                self.read_back(&live.id, self.change.record.incarnation, true).await?;
                return Ok(Some(live.id));
            }
            if wait.over() {
                let text = format!("the server has discovered no such {}", self.ty.name);
                let help = "devices are found when their host connects; `rackform plan` lists those that are there";
                return Err(Failure { help: Some(help.to_owned()), ..failure(text, self.step) });
            }
            wait.pause().await;
        }
    }

    /// Reads what the server has found at the same place, and picks the one with our key.
    async fn look(&self) -> Result<Option<LiveObject>, Failure> {
        let Some((ix, place)) = self.place() else {
            return Err(failure("what it belongs to does not exist", self.step));
        };
        let reader = Reader::new(self.connection()?, self.ty);
        let rows = reader.referring(ix, &BTreeSet::from([place])).await;
        let rows =
            rows.map_err(|fault| Failure { unknown: true, ..from_fault(fault, self.step) })?;
        Ok(rows.into_iter().find(|live| self.has_key(live)))
    }

    /// The reference of its unique key, and the id that this has.
    fn place(&self) -> Option<(AttrIx, Arc<str>)> {
        let desired = self.context.run.desired.get(&self.step.address)?;
        set_attrs(self.ty, 0).find_map(|ix| {
            if !matches!(self.ty.attr(ix).kind, Kind::Ref(_)) {
                return None;
            }
            match &desired.attrs[usize::from(ix.0)] {
                Value::Object(address) | Value::Id(address) => {
                    Some((ix, self.context.ids.id(address)?))
                }
                Value::Str(id) => Some((ix, id.clone())),
                _ => None,
            }
        })
    }

    fn has_key(&self, live: &LiveObject) -> bool {
        let Some(desired) = self.context.run.desired.get(&self.step.address) else { return false };
        set_attrs(self.ty, 0).filter(|ix| !matches!(self.ty.attr(*ix).kind, Kind::Ref(_))).all(
            |ix| {
                let at = usize::from(ix.0);
                desired.attrs[at].reveal() == live.attrs[at].reveal()
            },
        )
    }
}
