//! How long to wait before asking or sending again.
//!
//! Time already waited, and a key for the jitter, in; the next delay out. The jitter comes from the
//! key, so that a run can be repeated exactly, and so that jobs started together do not ask
//! together. [`Usual`] remembers how long jobs took; nothing here reads a clock.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
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
        shortened(base, waited, key)
    }

    /// The same where jobs of this kind usually take so long: few questions before that time, one
    /// at it, and several soon after it. A job that ends early all the same is seen a quarter of
    /// the usual time late.
    pub fn next_until(self, usual: Option<Duration>, waited: Duration, key: &str) -> Duration {
        let Some(usual) = usual else { return self.next(waited, key) };
        match usual.checked_sub(waited) {
            Some(left) if !left.is_zero() => {
                let step = (usual / 4).clamp(self.shortest, self.longest);
                if left <= step { left } else { shortened(step, waited, key).min(left) }
            }
            _ if waited < usual + usual / 4 => (usual / 32).clamp(SOON, self.longest),
            _ => self.next(waited, key),
        }
    }
}

/// Between two questions about a job that should have ended by now.
const SOON: Duration = Duration::from_millis(5);

/// How long jobs of each kind take, learnt from those that have ended.
#[derive(Debug, Default)]
pub struct Usual(Mutex<HashMap<String, Duration>>);

impl Usual {
    pub fn of(&self, kind: &str) -> Option<Duration> {
        self.lock().get(kind).copied()
    }

    /// A job ended between these times: still running at the first, over at the second. Longer
    /// times than before count less than shorter ones: asking too early costs a request, asking
    /// too late costs time.
    pub fn learn(&self, kind: &str, (running, over): (Duration, Duration)) {
        let took = (running + over) / 2;
        let mut known = self.lock();
        match known.get_mut(kind) {
            Some(usual) if took > *usual => *usual += (took - *usual) / 8,
            Some(usual) => *usual -= (*usual - took) / 2,
            None => _ = known.insert(kind.to_owned(), took),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Duration>> {
        // No code that holds it can panic; a poisoned table would still be whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shortened(base: Duration, waited: Duration, key: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    (key, waited.as_millis()).hash(&mut hasher);
    // 0..256 of 1024: a quarter at most.
    let less = u32::try_from(hasher.finish() & 0xff).unwrap_or(0);
    base - base * less / 1024
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

    /// When the job is asked for, from its start to the first question after its end.
    fn polls(usual: Option<Duration>, end: Duration) -> Vec<Duration> {
        let mut at = vec![Duration::ZERO];
        while at[at.len() - 1] < end {
            let last = at[at.len() - 1];
            at.push(last + Pace::POLL.next_until(usual, last, "job"));
        }
        at
    }

    #[test]
    fn a_job_that_takes_as_long_as_usual_is_seen_to_end_soon() {
        for usual in [60, 1_000, 120_000].map(Duration::from_millis) {
            let end = usual + usual / 20;
            let asked = polls(Some(usual), end);
            let late = *asked.last().unwrap() - end;
            assert!(late <= (usual / 32).max(SOON), "{usual:?}: {late:?}");
            assert!(asked.len() <= polls(None, end).len().max(5), "{usual:?}: {asked:?}");
        }
    }

    #[test]
    fn a_job_that_ends_early_is_seen_by_a_quarter_of_the_usual_time() {
        let usual = Duration::from_secs(16);
        let asked = polls(Some(usual), Duration::from_secs(1));
        assert!(*asked.last().unwrap() <= Duration::from_secs(5));
    }

    #[test]
    fn shorter_times_are_learnt_faster_than_longer_ones() {
        let usual = Usual::default();
        assert_eq!(usual.of("a"), None);
        let ms = Duration::from_millis;
        for (running, over, now) in [(150, 170, 160), (70, 90, 120), (190, 210, 130)] {
            usual.learn("a", (ms(running), ms(over)));
            assert_eq!(usual.of("a"), Some(ms(now)));
        }
        assert_eq!(usual.of("b"), None);
    }

    /// Each job is asked for as the ones before it taught.
    #[test]
    fn the_time_of_equal_jobs_is_found() {
        let (usual, took) = (Usual::default(), Duration::from_secs(1));
        for _ in 0..20 {
            let asked = polls(usual.of("a"), took);
            let [.., running, over] = asked.as_slice() else { panic!("{asked:?}") };
            usual.learn("a", (*running, *over));
        }
        let asked = polls(usual.of("a"), took);
        assert!(*asked.last().unwrap() - took < Duration::from_millis(32), "{asked:?}");
    }

    #[test]
    fn jitter_differs_by_key_and_repeats_for_the_same() {
        let at = |key| Pace::POLL.next(Duration::from_secs(10), key);
        assert_eq!(at("a"), at("a"));
        assert!(["b", "c", "d", "e"].iter().any(|k| at(k) != at("a")));
    }
}
