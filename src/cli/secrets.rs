//! Which secrets changed, without knowing what they were (design section 4, Secrets); the same for
//! every other value that never reads back.
//!
//! In: the configuration's sensitive and write-only values and the state's seal and digests. Out: attributes
//! whose value is new, and the digests and seal that an apply stores.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Address;
use crate::config::Desired;
use crate::diag::Diagnostic;
use crate::schema::Schemas;
use crate::state::State;
use crate::state::secret::{self, Digester, Secret, SecretError, UNVERIFIED, Verdict};
use crate::value::Value;

/// Digests by address and attribute.
pub type Digests = BTreeMap<Address, BTreeMap<Arc<str>, String>>;

/// One secret of the configuration.
struct Place<'a> {
    address: &'a Address,
    attr: &'a Arc<str>,
    value: &'a Value,
}

impl Place<'_> {
    fn secret(&self) -> Secret<'_> {
        Secret { address: self.address, path: self.attr, value: self.value }
    }
}

fn places<'a>(desired: &'a Desired, schemas: &'a Schemas) -> Vec<Place<'a>> {
    let mut places = Vec::new();
    for resource in &desired.resources {
        let ty = schemas.get(resource.ty);
        for ((_, attr), value) in ty.attrs().zip(&resource.attrs) {
            if attr.unread() && !value.is_null() {
                let (address, value) = (&resource.address, value.reveal());
                places.push(Place { address, attr: &attr.name, value });
            }
        }
    }
    places
}

/// Attributes whose secret is not the one that the state has a digest of.
pub fn rotated(
    desired: &Desired,
    schemas: &Schemas,
    state: &State,
) -> Result<BTreeMap<Address, Vec<Arc<str>>>, Diagnostic> {
    let places = places(desired, schemas);
    let mut rotated: BTreeMap<Address, Vec<Arc<str>>> = BTreeMap::new();
    if places.is_empty() || state.secrets.salt.is_empty() {
        return Ok(rotated);
    }
    let all: Vec<Secret<'_>> = places.iter().map(Place::secret).collect();
    let seal = secret::seal(&state.secrets.salt, &all).map_err(|e| unusable(&e))?;
    if state.secrets.seal.as_ref() == Some(&seal) {
        return Ok(rotated);
    }
    let mut digester = Digester::new(&state.secrets.salt);
    for place in &places {
        let Some(stored) = stored(state, place) else { continue };
        let verdict = digester.verdict(place.secret(), stored).map_err(|e| unusable(&e))?;
        let unverified = stored == Some(UNVERIFIED);
        if verdict == Verdict::Changed || (verdict == Verdict::Unrecorded && !unverified) {
            rotated.entry(place.address.clone()).or_default().push(place.attr.clone());
        }
    }
    Ok(rotated)
}

/// What the state has for a secret; `None` when it does not know the object.
fn stored<'a>(state: &'a State, place: &Place<'_>) -> Option<Option<&'a str>> {
    let entry = state.entries.get(place.address).map(|e| &e.digests);
    let digests = entry.or_else(|| state.pending.get(place.address).map(|p| &p.digests))?;
    Some(digests.get(place.attr).map(String::as_str))
}

/// The digests of all secrets of the configuration under the state's salt, and their seal.
pub fn digests(
    desired: &Desired,
    schemas: &Schemas,
    salt: &str,
) -> Result<(Digests, Option<String>), Diagnostic> {
    let places = places(desired, schemas);
    let mut digests = Digests::new();
    if places.is_empty() {
        return Ok((digests, None));
    }
    let mut digester = Digester::new(salt);
    for place in &places {
        let digest = digester.digest(place.secret()).map_err(|e| unusable(&e))?;
        digests.entry(place.address.clone()).or_default().insert(place.attr.clone(), digest);
    }
    let all: Vec<Secret<'_>> = places.iter().map(Place::secret).collect();
    let seal = secret::seal(salt, &all).map_err(|e| unusable(&e))?;
    Ok((digests, Some(seal)))
}

/// Digests of objects that have moved are made for their old addresses. Those that are of the same
/// secret as `digests` are exchanged for these: with them the seal holds again, so that the next
/// plan need not look at each.
pub fn settle_moved(
    (desired, schemas): (&Desired, &Schemas),
    digests: &Digests,
    state: &mut State,
) -> Result<(), Diagnostic> {
    let mut digester = Digester::new(&state.secrets.salt);
    for place in places(desired, schemas) {
        let entry = state.entries.get_mut(place.address);
        let stored = entry.and_then(|entry| entry.digests.get_mut(place.attr));
        let Some(stored) = stored.filter(|stored| secret::is_moved(stored)) else { continue };
        let own = digests.get(place.address).and_then(|own| own.get(place.attr));
        let verdict = digester.verdict(place.secret(), Some(stored)).map_err(|e| unusable(&e))?;
        if let (Verdict::Same, Some(own)) = (verdict, own) {
            stored.clone_from(own);
        }
    }
    Ok(())
}

fn unusable(error: &SecretError) -> Diagnostic {
    Diagnostic::error("secrets_unusable", error.to_string()).help(error.help())
}
