//! Maintenance: the state in which a host takes no calls (`ReconnectHost` is refused, reference
//! 3.3). In: a type and a live object. Out: whether it is there. Decides nothing.

use crate::inventory::LiveObject;
use crate::schema::{AttrIx, Attribute, Quirk, ResourceType};

const MAINTENANCE: &str = "Maintenance";

/// The attribute that a type enters and leaves Maintenance by.
pub fn maintained(ty: &ResourceType) -> Option<AttrIx> {
    let quirk = |a: &Attribute| a.quirk == Some(Quirk::LeaveMaintenanceFirst);
    ty.attrs().find(|(_, a)| quirk(a)).map(|(ix, _)| ix)
}

/// Whether an object is where the server refuses actions on it.
pub fn in_maintenance(ty: &ResourceType, live: &LiveObject) -> bool {
    let now = maintained(ty).and_then(|ix| live.attrs[usize::from(ix.0)].as_str());
    now.is_some_and(|state| state.ends_with(MAINTENANCE))
}
