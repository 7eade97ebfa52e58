//! Job ids: the idempotency keys of calls that change something.
//!
//! In: what identifies a call in a run. Out: 32 hex digits, the same for the same call, so that
//! after a crash the next apply can ask what became of it (design section 4, Calls). Pure.

/// The id of a call's first attempt.
pub fn job_id(lineage: &str, run: &str, step: u32, call: u32) -> String {
    digest("rackform job", &[lineage, run, &step.to_string(), &call.to_string()])
}

/// The id of a later attempt, made after the earlier one has definitely failed without effect
/// (its session had expired). Attempt 0 is the id itself.
pub fn attempt_id(job: &str, attempt: u32) -> String {
    if attempt == 0 {
        return job.to_owned();
    }
    digest("rackform job attempt", &[job, &attempt.to_string()])
}

fn digest(context: &str, parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        // The length keeps ("a", "bc") and ("ab", "c") apart.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_distinct_and_32_digits() {
        let first = job_id("lineage", "run", 1, 2);
        assert_eq!(first, job_id("lineage", "run", 1, 2));
        assert_eq!(first.len(), 32);
        assert_eq!(attempt_id(&first, 0), first);
        let others = [
            job_id("lineager", "un", 1, 2),
            job_id("lineage", "run", 12, 2),
            attempt_id(&first, 1),
        ];
        assert!(others.iter().all(|o| *o != first && o.len() == 32));
        assert_ne!(attempt_id(&first, 1), attempt_id(&first, 2));
    }
}
