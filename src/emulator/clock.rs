//! The emulator's clock. In: tokio's time plus an offset that a control request may advance. Out:
//! milliseconds since 1970 and the two date formats of the API. Must not know what is dated.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Follows tokio's clock, so that tests with paused time see sessions and jobs expire.
pub struct Clock {
    base: i64,
    started: Instant,
    offset: AtomicI64,
}

impl Clock {
    /// Starts at the time of day of the machine.
    pub fn start() -> Self {
        let base = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        Clock { base, started: Instant::now(), offset: AtomicI64::new(0) }
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.base + self.started.elapsed().as_millis() as i64 + self.offset.load(Ordering::Relaxed)
    }

    /// Jumps forward by `seconds`.
    pub fn advance(&self, seconds: i64) {
        self.offset.fetch_add(seconds.saturating_mul(1000), Ordering::Relaxed);
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// As the server prints dates (Gson's default, US, without a zone; the emulator's node lives in
/// UTC): `Jun 7, 2017 9:20:28 PM`.
pub fn wire_date(millis: i64) -> String {
    let ((year, month, day), (hour, minute, second)) = parts(millis);
    let (half, clock) =
        (if hour < 12 { "AM" } else { "PM" }, if hour % 12 == 0 { 12 } else { hour % 12 });
    let name = MONTHS[month as usize - 1];
    format!("{name} {day}, {year} {clock}:{minute:02}:{second:02} {half}")
}

/// As the database compares dates in a query condition: `2017-06-07 21:20:28`.
pub fn sql_date(millis: i64) -> String {
    let ((year, month, day), (hour, minute, second)) = parts(millis);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Civil date of the proleptic Gregorian calendar (days-to-civil after H. Hinnant) and time of day.
fn parts(millis: i64) -> ((i64, i64, i64), (i64, i64, i64)) {
    let seconds = millis.div_euclid(1000);
    let (days, rest) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    ((year, month, day), (rest / 3600, rest / 60 % 60, rest % 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_look_as_the_manual_prints_them() {
        assert_eq!(wire_date(1_496_870_428_000), "Jun 7, 2017 9:20:28 PM");
        assert_eq!(wire_date(0), "Jan 1, 1970 12:00:00 AM");
        assert_eq!(sql_date(951_825_600_000), "2000-02-29 12:00:00");
    }
}
