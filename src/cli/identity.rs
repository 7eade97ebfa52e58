//! Who runs this, for locks and journals.

use crate::cli::output::now;
use crate::store::Claim;

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
