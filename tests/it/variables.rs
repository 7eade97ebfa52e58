//! Variables through the real binary: where their values come from, which one wins, what is said
//! of values that do not fit, and that no secret among them is shown.

mod files;
mod terminal;
mod types;
mod validation;

use super::common::process::Rackform;

const PROVIDER: &str = "[provider.zstack]\nendpoint = \"emulator\"\n";

/// A zone whose description is an expression, and these variables.
fn zone(variables: &str, description: &str) -> Rackform {
    Rackform::with(&format!(
        "{PROVIDER}{variables}\n[zone.east]\ndescription = '${{{description}}}'\n"
    ))
}

/// The description that a plan with these flags shows.
#[track_caller]
fn planned(rackform: &Rackform, flags: &[&str]) -> String {
    let outcome = rackform.run(&[&["plan"], flags].concat()).expect(0);
    let line = outcome.stdout.lines().find_map(|line| line.trim().strip_prefix("+ description"));
    let line = line.unwrap_or_else(|| panic!("{}", outcome.stdout));
    line.trim_start_matches([' ', '=']).trim_matches('"').to_owned()
}
