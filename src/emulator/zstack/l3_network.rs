//! L3 networks (`network/l3`), as far as they are victims of zones and L2 networks: they come from
//! seeds and are only queried here.

use super::Module;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Tx};

static L3_NETWORK: Family = Family {
    name: "l3Network",
    vo: "L3NetworkVO",
    indexes: &["zoneUuid", "l2NetworkUuid"],
    soft_delete: true,
    relations: &[
        ("zone", Relation::One { member: "zoneUuid", family: "zone" }),
        ("l2Network", Relation::One { member: "l2NetworkUuid", family: "l2Network" }),
    ],
};

static NETWORKS: View = View::plain(
    "QueryL3Network",
    &L3_NETWORK,
    "org.zstack.header.network.l3.L3NetworkInventory",
    &[
        "uuid",
        "name",
        "description",
        "type",
        "zoneUuid",
        "l2NetworkUuid",
        "state",
        "dnsDomain",
        "system",
        "category",
        "createDate",
        "lastOpDate",
    ],
);

pub static MODULE: Module =
    Module { families: &[&L3_NETWORK], views: &[&NETWORKS], operations: &[] };

/// A network goes with its L2 network (reference 3.0, cascade edges).
pub fn forget_l2(tx: &mut Tx<'_>, l2_network: &str) {
    for network in tx.uuids("l3Network", "l2NetworkUuid", l2_network) {
        tx.delete("l3Network", &network);
    }
}
