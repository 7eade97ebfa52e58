//! Maintenance: the state in which a host takes no calls (`ReconnectHost` is refused, reference
//! 3.3). In: a type and a live object. Out: whether it is there
//! or on its way. Decides nothing.

use crate::address::Address;
use crate::inventory::LiveObject;
use crate::plan::Note;
use crate::schema::{AttrIx, Attribute, Quirk, ResourceType, Row};

const MAINTENANCE: &str = "Maintenance";
const ON_THE_WAY: &str = "PreMaintenance";

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

/// Whether an object that shall be in Maintenance is on its way there: in PreMaintenance, where
/// the server refuses to be told so again (reference 3.3).
pub fn on_its_way(ty: &ResourceType, desired: &Row, live: &LiveObject) -> bool {
    maintained(ty).map(|ix| usize::from(ix.0)).is_some_and(|ix| {
        desired[ix].as_str() == Some(MAINTENANCE) && live.attrs[ix].as_str() == Some(ON_THE_WAY)
    })
}

/// Why nothing is sent to an object that is on its way into Maintenance.
pub fn still_moving(address: &Address) -> Note {
    Note {
        address: Some(address.clone()),
        text: "is on its way into Maintenance: its virtual machines still move".to_owned(),
        help: Some("plan again later to see that it has arrived".to_owned()),
    }
}
