//! Noticing that a secret has changed without keeping it.
//!
//! In: secrets, with where they stand, and the salt of the state. Out: one seal over all of them
//! and one digest each. A guess at a secret costs an Argon2id computation per salt; equal secrets
//! at different places have different digests. The salt is an argument; drawing it is the
//! caller's business. Nothing here prints or returns a value.

use std::collections::HashMap;

use argon2::{Algorithm, Argon2, Params, Version};

use super::identity::{hash, hex};
use crate::address::Address;
use crate::value::Value;

/// One secret and where it stands.
#[derive(Clone, Copy)]
pub struct Secret<'a> {
    pub address: &'a Address,
    /// Attribute, and the way inside it: `password`, `mons["a"].password`.
    pub path: &'a str,
    pub value: &'a Value,
}

/// Why nothing can be said about secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("the salt in the state is too short ({0} characters)")]
    Salt(usize),
    #[error("Argon2id failed: {0}")]
    Argon2(String),
}

impl SecretError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Salt(_) => "the state was edited by hand: restore it from the .backup beside it",
            Self::Argon2(_) => "an Argon2id computation takes 32 MiB: free some memory, run again",
        }
    }
}

/// What a stored digest says about a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Same,
    Changed,
    /// There is no digest yet: a new attribute, or an imported object ([`UNVERIFIED`]).
    Unrecorded,
}

/// Stands in the place of a digest for a secret of an imported object that nobody has told us.
pub const UNVERIFIED: &str = "unverified";

/// 32 MiB and two passes: about 40 ms on one core of 2026, above the minimum that OWASP gives for
/// Argon2id (19 MiB and two passes).
const MEMORY_KIB: u32 = 32 * 1024;
const PASSES: u32 = 2;
/// Argon2 demands 8 bytes; 16 random bytes in hex are 32 characters.
const SALT_MIN: usize = 16;

fn argon2id(salt: &str, input: &[u8]) -> Result<[u8; 32], SecretError> {
    if salt.len() < SALT_MIN {
        return Err(SecretError::Salt(salt.len()));
    }
    let failed = |e: argon2::Error| SecretError::Argon2(e.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(failed)?;
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(input, salt.as_bytes(), &mut out)
        .map_err(failed)?;
    Ok(out)
}

/// One text for all secrets: as long as it is the same, none has changed. Their order does not
/// matter.
///
/// # Errors
/// [`SecretError`] for a damaged salt or when memory is short.
pub fn seal(salt: &str, secrets: &[Secret]) -> Result<String, SecretError> {
    let mut sorted: Vec<&Secret> = secrets.iter().collect();
    sorted.sort_by(|a, b| (a.address, a.path).cmp(&(b.address, b.path)));
    let mut input = Vec::new();
    for Secret { address, path, value } in sorted {
        push(&mut input, b'a', address.as_str().as_bytes());
        push(&mut input, b'p', path.as_bytes());
        canonical(value, &mut input);
    }
    Ok(hex(&argon2id(salt, &input)?))
}

/// Makes and checks digests of one run.
pub struct Digester {
    salt: String,
    /// Argon2id by hash of the value: 10,000 hosts with one password cost one computation.
    done: HashMap<[u8; 32], [u8; 32]>,
}

impl Digester {
    pub fn new(salt: &str) -> Self {
        Self { salt: salt.to_owned(), done: HashMap::new() }
    }

    /// The digest to store for a secret: 64 hex digits.
    ///
    /// # Errors
    /// [`SecretError`] for a damaged salt or when memory is short.
    pub fn digest(&mut self, secret: Secret) -> Result<String, SecretError> {
        let Secret { address, path, value } = secret;
        let mut input = Vec::new();
        canonical(value, &mut input);
        let slow = self.slow(&input)?;
        let place = [address.as_str().as_bytes(), path.as_bytes()];
        let key = hash("rackform 2026-11 digest key", &place);
        Ok(hex(blake3::keyed_hash(key.as_bytes(), &slow).as_bytes()))
    }

    /// Compares a secret with what the state has for it.
    ///
    /// # Errors
    /// As for [`Digester::digest`].
    pub fn verdict(
        &mut self,
        secret: Secret,
        stored: Option<&str>,
    ) -> Result<Verdict, SecretError> {
        let Some(stored) = stored.filter(|s| *s != UNVERIFIED) else {
            return Ok(Verdict::Unrecorded);
        };
        let (digest, origin) = match stored.split_once('@') {
            Some((digest, origin)) => (digest, Address::parse(origin).ok()),
            None => (stored, None),
        };
        let address = origin.as_ref().unwrap_or(secret.address);
        let same = self.digest(Secret { address, ..secret })? == digest;
        Ok(if same { Verdict::Same } else { Verdict::Changed })
    }

    fn slow(&mut self, input: &[u8]) -> Result<[u8; 32], SecretError> {
        let short = *blake3::hash(input).as_bytes();
        if let Some(done) = self.done.get(&short) {
            return Ok(*done);
        }
        let slow = argon2id(&self.salt, input)?;
        self.done.insert(short, slow);
        Ok(slow)
    }
}

/// A stored digest for an object that moves from one address to another: digests are keyed by
/// address, so it keeps the name of the one that it was made for.
pub fn moved(digest: &str, from: &Address) -> String {
    if digest == UNVERIFIED || is_moved(digest) {
        return digest.to_owned();
    }
    format!("{digest}@{from}")
}

/// Whether a stored digest was made for another address.
pub fn is_moved(digest: &str) -> bool {
    digest.contains('@')
}

/// A value as bytes, the same whether marked as sensitive or not, different for different values.
fn canonical(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Null => push(to, b'n', &[]),
        Value::Bool(b) => push(to, b'b', &[u8::from(*b)]),
        Value::Int(n) => push(to, b'i', &n.to_le_bytes()),
        Value::Float(n) => push(to, b'f', &n.to_bits().to_le_bytes()),
        Value::Str(text) => push(to, b's', text.as_bytes()),
        Value::Object(address) => push(to, b'o', address.as_str().as_bytes()),
        Value::Id(address) => push(to, b'd', address.as_str().as_bytes()),
        Value::List(items) => {
            push(to, b'l', &(items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| canonical(item, to));
        }
        Value::Map(items) => {
            push(to, b'm', &(items.len() as u64).to_le_bytes());
            for (key, item) in items.iter() {
                push(to, b'k', key.as_bytes());
                canonical(item, to);
            }
        }
        Value::Found(found) => push(to, b's', found.id.as_bytes()),
        Value::Sensitive(inner) => canonical(inner, to),
    }
}

fn push(to: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    to.push(tag);
    to.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    to.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "00112233445566778899aabbccddeeff";

    fn secret<'a>(address: &'a Address, value: &'a Value) -> Secret<'a> {
        Secret { address, path: "password", value }
    }

    #[test]
    fn digests_never_change() {
        let host = Address::new("host", "a");
        let value = Value::str("correct horse").sensitive();
        let mut digester = Digester::new(SALT);
        assert_eq!(
            digester.digest(secret(&host, &value)).as_deref(),
            Ok("3a2d9da24e73199df1cc84b113c3968e6a635990d10f1f82547008302ebee582")
        );
        assert_eq!(
            seal(SALT, &[secret(&host, &value)]).as_deref(),
            Ok("bf897aef9ceab3231a9c939a0706a66b49850c315e8bc276cfd76e0ac035bd42")
        );
    }

    #[test]
    fn a_rotated_secret_is_noticed_and_an_equal_one_elsewhere_is_not_recognised() {
        let (a, b) = (Address::new("host", "a"), Address::new("host", "b"));
        let (old, new) = (Value::str("old").sensitive(), Value::str("new").sensitive());
        let mut digester = Digester::new(SALT);
        let stored = digester.digest(secret(&a, &old)).expect("digest");
        let mut verdict = |s, d: Option<&str>| digester.verdict(s, d).expect("verdict");
        assert_eq!(verdict(secret(&a, &old), Some(&stored)), Verdict::Same);
        assert_eq!(verdict(secret(&a, &new), Some(&stored)), Verdict::Changed);
        assert_eq!(verdict(secret(&b, &old), Some(&stored)), Verdict::Changed);
        assert_eq!(verdict(secret(&a, &old), None), Verdict::Unrecorded);
        assert_eq!(verdict(secret(&a, &old), Some(UNVERIFIED)), Verdict::Unrecorded);
        let carried = moved(&moved(&stored, &a), &b);
        assert_eq!(verdict(secret(&b, &old), Some(&carried)), Verdict::Same);
        assert_eq!(verdict(secret(&b, &new), Some(&carried)), Verdict::Changed);
        assert_eq!(digester.done.len(), 2, "one Argon2id for each distinct value");
    }

    #[test]
    fn the_seal_covers_place_and_value_and_no_order() {
        let (a, b) = (Address::new("host", "a"), Address::new("host", "b"));
        let (one, two) = (Value::str("1"), Value::str("2"));
        let of = |list: &[Secret]| seal(SALT, list).expect("seal");
        let base = of(&[secret(&a, &one), secret(&b, &two)]);
        assert_eq!(base, of(&[secret(&b, &two), secret(&a, &one)]));
        assert_ne!(base, of(&[secret(&a, &two), secret(&b, &one)]));
        assert_ne!(base, of(&[secret(&a, &one)]));
        let other_salt = seal("ffeeddccbbaa99887766554433221100", &[secret(&a, &one)]);
        assert_ne!(of(&[secret(&a, &one)]), other_salt.expect("seal"));
    }

    #[test]
    fn different_values_have_different_bytes() {
        let bytes = |value: &Value| {
            let mut to = Vec::new();
            canonical(value, &mut to);
            to
        };
        let list = |items: &[&str]| Value::list(items.iter().map(|s| Value::str(s)).collect());
        assert_ne!(bytes(&list(&["ab", "c"])), bytes(&list(&["a", "bc"])));
        assert_ne!(bytes(&Value::str("1")), bytes(&Value::Int(1)));
        assert_ne!(bytes(&Value::Null), bytes(&Value::str("")));
        assert_eq!(bytes(&Value::str("x")), bytes(&Value::str("x").sensitive()));
    }

    #[test]
    fn a_salt_that_is_none_is_refused() {
        assert_eq!(seal("", &[]), Err(SecretError::Salt(0)));
    }
}
