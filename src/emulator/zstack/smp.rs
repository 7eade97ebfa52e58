//! SharedMountPoint primary storage (`plugin/sharedMountPointPrimaryStorage`): a directory that is
//! already mounted on every host.

use super::local::forbidden;
use super::primary_storage::add;
use super::storage_kind::Kind;
use super::{Module, Operation, Run, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::store::Store;

pub static KIND: Kind = Kind {
    needs_host: true,
    capacity: |_, _, hosts| if hosts == 0 { 0 } else { 10 << 40 },
    ..Kind::plain("SharedMountPoint")
};

pub static MODULE: Module = Module {
    families: &[],
    views: &[],
    operations: &[Operation {
        api: "AddSharedMountPointPrimaryStorage",
        check: check_add,
        run: Run::Phases(|core, call| add(core, call, &KIND, check_add)),
    }],
};

/// No absolute path is demanded here.
fn check_add(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "zoneUuid", "zone")?;
    forbidden(call.text("url"))
}
