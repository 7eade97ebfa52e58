//! Pauses between two looks at an object. Knows nothing of what is looked for.

use std::time::Duration;

use tokio::time::Instant;

/// Readings that a sent value gets to show up after its job is done.
const SETTLE: u32 = 5;
const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Growing pauses until a deadline.
pub struct Waits {
    deadline: Instant,
    delay: Duration,
    tries: u32,
}

impl Waits {
    pub fn new(deadline: Instant) -> Self {
        Self { deadline, delay: FIRST_DELAY, tries: 0 }
    }
    /// Whether the object has had its time to show what its job did.
    pub fn settled(&self) -> bool {
        self.tries >= SETTLE || self.over()
    }
    pub fn over(&self) -> bool {
        Instant::now() >= self.deadline
    }
    pub async fn pause(&mut self) {
        tokio::time::sleep_until((Instant::now() + self.delay).min(self.deadline)).await;
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
        self.tries += 1;
    }
}
