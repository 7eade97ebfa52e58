//! Ids that are computed, not drawn: of objects and of jobs.
//!
//! In: the lineage of the state, an address and its incarnation; or a run, step, call and attempt.
//! Out: the same text every time, so that a repeated create meets the object of the first one and
//! a repeated call is known to the server as the same job. Knows neither clock nor randomness.

use std::sync::Arc;

use crate::address::Address;

/// Separates the ids of objects from every other use of the hash. Changing it changes every id.
const CLIENT_ID: &str = "rackform 2026-11 client id";
/// The same for jobs.
const JOB_ID: &str = "rackform 2026-11 job id";

/// The id under which an object is created, where the API lets the client choose it: 32
/// lower-case hex digits in the shape of a version 4 UUID without dashes.
///
/// `ZStack` accepts nothing else: version 1–5 in digit 13, variant `8`, `9`, `a` or `b` in digit
/// 17, lower case (`ApiMediatorImpl.intercept`, `StringDSL.isZStackUuid`).
pub fn client_id(lineage: &str, address: &Address, incarnation: u32) -> Arc<str> {
    let parts = [lineage.as_bytes(), address.as_str().as_bytes(), &incarnation.to_le_bytes()];
    let mut id = first_half(&hash(CLIENT_ID, &parts));
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
    hex(&id).into()
}

/// Which call of a run: the parts of a job id beside the lineage and the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallId {
    /// Index of the step in the plan.
    pub step: u32,
    /// Number of the call within the step.
    pub call: u32,
    /// Rises only after a definite result, so that an answer that was lost is asked for again
    /// under the same job id.
    pub attempt: u32,
}

/// The value of `X-Job-UUID`: 32 hex digits (the server checks the length only).
pub fn job_id(lineage: &str, run: &str, of: CallId) -> String {
    let CallId { step, call, attempt } = of;
    let numbers = [step, call, attempt].map(u32::to_le_bytes);
    let parts = [lineage.as_bytes(), run.as_bytes(), &numbers[0], &numbers[1], &numbers[2]];
    hex(&first_half(&hash(JOB_ID, &parts)))
}

/// BLAKE3 of the parts under a domain. Every part is preceded by its length, so that no two lists
/// of parts give the same input.
pub(super) fn hash(domain: &str, parts: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_derive_key(domain);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}

fn first_half(hash: &blake3::Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 0x0f)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINEAGE: &str = "0123456789abcdef0123456789abcdef";

    /// These ids are stored in states and clouds: a change here loses objects.
    #[test]
    fn ids_never_change() {
        let host = Address::new("host", "kvm").instance("01");
        assert_eq!(&*client_id(LINEAGE, &host, 0), "85cfb3e11e674951835d925579633b7d");
        assert_eq!(&*client_id(LINEAGE, &host, 1), "9941c89f380c4a52bb15d229618a8f24");
        let call = CallId { step: 7, call: 0, attempt: 0 };
        assert_eq!(job_id(LINEAGE, "run", call), "0f46e7b2536ea09852289e06002fbf2a");
    }

    #[test]
    fn every_id_has_the_shape_that_the_server_accepts() {
        for n in 0..2_000 {
            let id = client_id(LINEAGE, &Address::new("zone", "z"), n);
            assert_eq!(id.len(), 32);
            assert!(id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
            assert_eq!(&id[12..13], "4", "{id}");
            assert!(matches!(&id[16..17], "8" | "9" | "a" | "b"), "{id}");
        }
    }

    #[test]
    fn every_input_counts() {
        let zone = Address::new("zone", "z");
        let base = client_id(LINEAGE, &zone, 0);
        assert_ne!(base, client_id("fedcba9876543210fedcba9876543210", &zone, 0));
        assert_ne!(base, client_id(LINEAGE, &Address::new("zone", "y"), 0));
        assert_ne!(base, client_id(LINEAGE, &zone, 1));
        let call = CallId { step: 1, call: 2, attempt: 3 };
        let job = job_id(LINEAGE, "r", call);
        assert_ne!(job, job_id(LINEAGE, "s", call));
        assert_ne!(job, job_id(LINEAGE, "r", CallId { step: 2, ..call }));
        assert_ne!(job, job_id(LINEAGE, "r", CallId { call: 3, ..call }));
        assert_ne!(job, job_id(LINEAGE, "r", CallId { attempt: 4, ..call }));
    }

    /// Without lengths these two would be one input.
    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hash("d", &[b"ab", b"c"]), hash("d", &[b"a", b"bc"]));
    }
}
