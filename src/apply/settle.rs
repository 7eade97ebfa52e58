//! The end of a run: waits for objects that come up only when others are there.
//!
//! In: the plan's end conditions. Out: events, fresh entries in the journal, and how many objects
//! did not come up. Sends nothing but queries.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::apply::step::Context;
use crate::apply::verify::unmet;
use crate::apply::waits::Waits;
use crate::event::Event;
use crate::inventory::LiveObject;
use crate::plan::record;
use crate::plan::settle::Settle;
use crate::state::journal::Record;
use crate::store::StoreError;

/// Waits for all end conditions. Returns how many are not met.
pub async fn settle(context: &Context<'_>) -> Result<usize, StoreError> {
    let started = Instant::now();
    let mut open: Vec<&Settle> = context.run.plan.settles.iter().collect();
    let mut waiting: HashMap<&str, String> = HashMap::new();
    let patience = open.iter().map(|settle| settle.patience).max().unwrap_or(0);
    let mut pauses = Waits::new(started + Duration::from_secs(patience));
    let mut told = false;
    while !open.is_empty() {
        let mut still = Vec::new();
        for settle in open {
            let live = read(context, settle).await;
            let ty = context.run.schemas.get(settle.ty);
            let unmet = live
                .as_ref()
                .map_or_else(|| Some("an answer".to_owned()), |live| unmet(ty, &settle.wait, live));
            match (unmet, live) {
                (None, Some(live)) => enter(context, settle, &live).await?,
                (unmet, _) => {
                    waiting.insert(settle.address.as_str(), unmet.unwrap_or_default());
                    still.push(settle);
                }
            }
        }
        open = still;
        if open.is_empty() || pauses.over() {
            break;
        }
        if !told {
            told = true;
            tell(context, Event::Settling { objects: open.len() }).await;
        }
        pauses.pause().await;
    }
    for settle in &open {
        let waiting_for = waiting.remove(settle.address.as_str()).unwrap_or_default();
        let (address, elapsed) = (settle.address.clone(), started.elapsed());
        tell(context, Event::Unsettled { address, waiting_for, elapsed }).await;
    }
    Ok(open.len())
}

async fn read(context: &Context<'_>, settle: &Settle) -> Option<LiveObject> {
    use crate::wire::Fill;
    let id = context.ids.id(&settle.address)?;
    let desired = context.run.desired.get(&settle.address)?;
    let own = context.run.schemas.get(settle.ty).own_reads(&desired.attrs);
    context.lookups.get(&settle.provider)?.read_with(settle.ty, &id, &own).await.ok().flatten()
}

/// Writes down how it reads now.
async fn enter(
    context: &Context<'_>,
    settle: &Settle,
    live: &LiveObject,
) -> Result<(), StoreError> {
    let ty = context.run.schemas.get(settle.ty);
    let desired = context.run.desired.get(&settle.address).map(|d| &d.attrs);
    let attrs = record::seen(ty, desired, &live.attrs);
    context.run.ledger.note(Record::Seen { address: settle.address.clone(), attrs }).await
}

async fn tell(context: &Context<'_>, event: Event) {
    // A renderer that is gone stops no apply.
    let _ = context.run.events.send(event).await;
}
