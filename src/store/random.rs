//! Randomness for lineages, run ids, lock ids and salts, from the operating system.

use super::StoreError;

/// Random bytes as lower-case hex: `random_hex(16)` is 32 digits.
///
/// # Errors
/// [`StoreError::Random`] when the system has none to give.
pub fn random_hex(bytes: usize) -> Result<String, StoreError> {
    use std::fmt::Write;
    let mut drawn = vec![0; bytes];
    getrandom::fill(&mut drawn).map_err(|e| StoreError::Random(e.to_string()))?;
    let mut text = String::with_capacity(2 * bytes);
    for byte in drawn {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_has_the_length_asked_for_and_does_not_repeat() {
        let [a, b] = [(); 2].map(|()| super::random_hex(16).expect("random"));
        assert_eq!(a.len(), 32);
        assert_ne!(a, b);
    }
}
