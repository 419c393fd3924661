//! The virtual clock: real time multiplied by a speed, plus whatever was
//! stepped by hand. It knows nothing of the world that it drives.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Start of a clock that moves by steps only, 2026-11-21T03:11:00Z: whoever
/// steps time by hand wants the same timestamps tomorrow.
pub const FIXED_START: i64 = 1_795_230_660_000;

/// A clock that can be shared between threads.
#[derive(Debug)]
pub struct Clock {
    start: i64,
    origin: Instant,
    speed: f64,
    stepped: AtomicI64,
}

impl Clock {
    /// A clock that starts at the real time, or at [`FIXED_START`] with speed 0.
    #[must_use]
    pub fn new(speed: f64) -> Self {
        let start = if speed > 0.0 { real_now() } else { FIXED_START };
        Self { start, origin: Instant::now(), speed: speed.max(0.0), stepped: AtomicI64::new(0) }
    }

    /// Milliseconds since the epoch at which this clock started.
    #[must_use]
    pub fn start(&self) -> i64 {
        self.start
    }

    /// Virtual milliseconds since the epoch.
    #[must_use]
    pub fn now(&self) -> i64 {
        let run = self.origin.elapsed().mul_f64(self.speed);
        self.start.saturating_add(millis(run)).saturating_add(self.stepped.load(Ordering::SeqCst))
    }

    /// Moves the clock on by hand.
    pub fn step(&self, by: Duration) {
        self.stepped.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Virtual seconds per real second.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

fn real_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(FIXED_START, millis)
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_speed_zero_moves_by_steps_only() {
        let clock = Clock::new(0.0);
        assert_eq!(clock.now(), FIXED_START);
        clock.step(Duration::from_millis(1500));
        assert_eq!(clock.now(), FIXED_START + 1500);
    }

    #[test]
    fn a_running_clock_starts_now_and_keeps_its_steps() {
        let clock = Clock::new(1.0);
        let before = clock.now();
        clock.step(Duration::from_hours(1));
        assert!(clock.now() >= before + 3_600_000);
    }
}
