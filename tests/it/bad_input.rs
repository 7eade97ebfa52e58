//! Bad input, through the real binary: configurations, variables, flags and state files that
//! cannot be used. Nothing here reaches a cloud; every message says what is wrong, where, and what
//! to do next. All mistakes of configurations, without their texts, are in `config_errors`.

mod configuration;
mod depth;
mod language;
mod settings;
mod states;
mod usage;

use super::common::process::Rackform;

const PROVIDER: &str = "[provider.zstack]\nendpoint = \"emulator\"\n";

/// One zone in the built-in server.
fn zone() -> Rackform {
    Rackform::with(&format!("{PROVIDER}[zone.east]\n"))
}
