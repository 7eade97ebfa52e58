//! Mistakes in files that can be read while others cannot: people mend all of them at once.
//!
//! In: what could be read. Out: findings that nothing in an unread file can be the reason of. What
//! is missing, unknown by name or ambiguous may stand there, so that nothing is said about it.

use super::resolve::judge;
use super::syntax::Config;
use super::{Facts, Need, Outside};
use crate::diag::{Diagnostics, Sources};
use crate::schema::Schemas;

/// Codes of findings about a block for itself.
const LOCAL: [&str; 12] = [
    "bad_bytes",
    "bad_host",
    "bad_nfs_url",
    "bad_path",
    "bad_storage_path",
    "bad_value",
    "computed_attribute",
    "missing_attribute",
    "out_of_range",
    "unknown_attribute",
    "unknown_type",
    "wrong_kind",
];

/// Judges what could be read, as far as that goes.
pub fn mistakes(config: &Config, schemas: &Schemas, sources: &Sources) -> Diagnostics {
    let mut facts = Facts::default();
    let mut found = Diagnostics::default();
    loop {
        let known = facts.env.len() + facts.files.len();
        match judge(config, schemas, &facts, sources) {
            Ok((judged, _)) => {
                // What the environment and files hold is of no account here.
                for need in judged.needs {
                    match need {
                        Need::Env(name) => drop(facts.env.insert(name, None)),
                        file => drop(facts.files.insert(file, Outside::Failed("".into()))),
                    }
                }
                if facts.env.len() + facts.files.len() == known {
                    return found;
                }
            }
            Err(all) => {
                all.into_iter().filter(|f| LOCAL.contains(&f.code)).for_each(|f| found.push(f));
                return found;
            }
        }
    }
}
