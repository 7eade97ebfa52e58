//! How long to wait before asking or sending again.
//!
//! Pure: time already waited, and a key for the jitter, in; the next delay out. The jitter comes
//! from the key, so that a run can be repeated exactly, and so that jobs started together do not
//! ask together.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Delays of one kind of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub shortest: Duration,
    pub longest: Duration,
    /// The next delay is what has been waited so far, divided by this.
    pub share: u32,
}

impl Pace {
    /// For polls of a job. A tenth of the time waited so far: a job is seen to be finished at most
    /// 10 % late, and one of an hour is asked after a thousand times, not a hundred thousand.
    pub const POLL: Self =
        Self { shortest: Duration::from_millis(50), longest: Duration::from_secs(5), share: 10 };
    /// For sending again after a failure: doubles.
    pub const RETRY: Self =
        Self { shortest: Duration::from_millis(200), longest: Duration::from_secs(5), share: 1 };

    /// The delay after `waited`. The key shortens it by up to a quarter.
    pub fn next(self, waited: Duration, key: &str) -> Duration {
        let base = (waited / self.share).clamp(self.shortest, self.longest);
        let mut hasher = DefaultHasher::new();
        (key, waited.as_millis()).hash(&mut hasher);
        // 0..256 of 1024: a quarter at most.
        let less = u32::try_from(hasher.finish() & 0xff).unwrap_or(0);
        base - base * less / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_are_few_and_never_late_by_more_than_a_tenth() {
        let (mut waited, mut polls) = (Duration::ZERO, 0);
        while waited < Duration::from_secs(300) {
            let delay = Pace::POLL.next(waited, "job");
            assert!(delay <= (waited / 10).max(Duration::from_millis(50)));
            assert!(delay >= Duration::from_millis(37) && delay <= Duration::from_secs(5));
            waited += delay;
            polls += 1;
        }
        assert!(polls < 150, "{polls}");
    }

    #[test]
    fn jitter_differs_by_key_and_repeats_for_the_same() {
        let at = |key| Pace::POLL.next(Duration::from_secs(10), key);
        assert_eq!(at("a"), at("a"));
        assert!(["b", "c", "d", "e"].iter().any(|k| at(k) != at("a")));
    }
}
