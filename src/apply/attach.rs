//! Attaching and detaching: steps whose effect shows in the owner's row.
//!
//! Steps of a [`Worker`] like those in `step`. In: a step. Out: the id of the other end.

use std::sync::Arc;

use super::failures::failure;
use super::step::{Worker, link_entry};
use super::waits::Waits;
use crate::address::Address;
use crate::event::Failure;
use crate::plan::Op;
use crate::state::journal::Record;
use crate::wire::Fill;

impl Worker<'_> {
    pub(super) async fn link(&self) -> Result<Option<Arc<str>>, Failure> {
        let attach = self.step.op == Op::Attach;
        let (owner, to) = self.ends()?;
        self.send(0).await?;
        let mut wait = Waits::new(self.deadline);
        while self.attached(&owner, &to).await? != attach {
            if wait.settled() {
                let text = "the server accepted the call, but the attachment reads as before";
                return Err(self.without_effect(text).await);
            }
            wait.pause().await;
        }
        let address = self.step.address.clone();
        let record = if attach {
            Record::Entry { address, entry: Box::new(link_entry(self.change, &to)) }
        } else {
            Record::Removed { address, incarnation: 0 }
        };
        self.note(record).await?;
        Ok(Some(to))
    }

    async fn attached(&self, owner: &Arc<str>, to: &Arc<str>) -> Result<bool, Failure> {
        let member = self.step.address.member_of();
        let link = member.and_then(|m| self.ty.find_link(&m.name));
        let Some(link) = link else { return Err(failure("no such link", self.step)) };
        let live = self.read(owner).await?;
        Ok(live.is_some_and(|live| live.linked(link).contains(to)))
    }

    /// Ids of the owner and of the other end.
    fn ends(&self) -> Result<(Arc<str>, Arc<str>), Failure> {
        let known = |address: &Address| self.context.ids.id(address);
        let owner = known(&self.step.address.owner()).or_else(|| self.change.owner_id.clone());
        let other = self.step.address.member_of().and_then(|m| Address::parse(&m.key).ok());
        let to = other.and_then(|a| known(&a)).or_else(|| self.change.id.clone());
        owner.zip(to).ok_or_else(|| failure("an end of the attachment does not exist", self.step))
    }

    pub(super) async fn link_is_as_wanted(&self) -> bool {
        let Ok((owner, to)) = self.ends() else { return false };
        let wanted = self.step.op == Op::Attach;
        self.attached(&owner, &to).await.is_ok_and(|attached| attached == wanted)
    }
}
