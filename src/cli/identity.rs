//! Who runs this, for locks and journals.

use crate::cli::output::now;
use crate::state::State;
use crate::store::{Claim, StoreError, random_hex};

/// `user@host`.
fn who() -> String {
    let user =
        ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let user = user.filter(|u| !u.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    format!("{user}@{}", gethostname::gethostname().to_string_lossy())
}

/// A claim to the lock for an operation.
pub fn claim(operation: &str) -> Claim {
    Claim { operation: operation.to_owned(), who: who(), created: now() }
}

/// Gives a fresh state its lineage and its salt.
pub fn draw(state: &mut State) -> Result<(), StoreError> {
    for text in [&mut state.lineage, &mut state.secrets.salt] {
        if text.is_empty() {
            *text = random_hex(16)?;
        }
    }
    Ok(())
}
