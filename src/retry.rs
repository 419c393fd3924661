//! When to ask again after a failure. Pure: the caller brings the chance and does the waiting.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Seconds to wait after the first, second, … failure in a row; the last one stays.
const STEPS: [u64; 5] = [1, 2, 4, 8, 15];

/// How long to wait after `failures` failures in a row (1 or more). `chance` is between 0 and 1 and spreads the answers
/// over plus or minus a fifth, so that pollers that failed together do not return together.
#[must_use]
pub fn back_off(failures: u32, chance: f64) -> Duration {
    let step = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX).min(STEPS.len() - 1);
    jitter(Duration::from_secs(STEPS[step]), chance)
}

/// Spreads a time over plus or minus a fifth.
#[must_use]
pub fn jitter(time: Duration, chance: f64) -> Duration {
    time.mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))
}

/// A number between 0 and 1 that nobody can foretell, nor needs to: the standard library's hash keys are random.
#[must_use]
pub fn chance() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_to_a_quarter_of_a_minute_and_stays() {
        let seconds: Vec<u64> = (1..8).map(|failures| back_off(failures, 0.5).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 15, 15, 15]);
    }

    #[test]
    fn jitter_keeps_within_a_fifth() {
        assert_eq!(jitter(Duration::from_secs(10), 0.0), Duration::from_secs(8));
        assert_eq!(jitter(Duration::from_secs(10), 1.0), Duration::from_secs(12));
        let drawn = chance();
        assert!((0.0..=1.0).contains(&drawn));
    }
}
