//! Names that say that their value is a secret.
//!
//! In: a name, or a line of TOML that could not be parsed. Out: whether, and where, a secret stands
//! there. Knows no schema: this is for what the schemas do not know, such as a misspelt `pasword`.

use crate::diag::nearest;

/// Words that make a name sensitive wherever they stand in it.
const WORDS: [&str; 6] = ["passw", "secret", "token", "private_key", "passphrase", "credential"];

/// Whether a name alone says that its value is a secret.
pub fn name_is_sensitive(name: &str) -> bool {
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word)) || nearest(&name, ["password"]).is_some()
}

/// Whether a line gives a literal to a sensitive name.
pub fn line_is_sensitive(line: &str) -> bool {
    secret_start(line, true).is_some()
}

/// Where the value of the first sensitive name of a line starts; perhaps also of a `default`.
pub fn secret_start(line: &str, defaults: bool) -> Option<usize> {
    line.match_indices('=').map(|(at, _)| at).find_map(|at| {
        let before = line[..at].trim_end().trim_end_matches(['"', '\'']);
        let name =
            before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next()?;
        (defaults && name == "default" || name_is_sensitive(name)).then_some(at + 1)
    })
}
