//! How long an acknowledgement takes, and so after what time a message is sent again. The arithmetic of the protocol, no clock.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const FIRST_TIMEOUT: Duration = Duration::from_millis(200);
/// What a timeout adds to the mean at least: clocks are coarse.
const GRAIN: Duration = Duration::from_millis(10);
/// The longest timeout.
const LONGEST: Duration = Duration::from_secs(1);

/// The estimate.
#[derive(Clone, Copy, Debug)]
pub struct Rtt {
    mean: Duration,
    deviation: Duration,
    timeout: Duration,
}

impl Default for Rtt {
    fn default() -> Self {
        Rtt { mean: FIRST, deviation: Duration::ZERO, timeout: FIRST_TIMEOUT }
    }
}

impl Rtt {
    /// An acknowledgement took that long. Of a message that was sent again nobody knows which sending it acknowledges: such are no samples.
    pub fn sample(&mut self, took: Duration) {
        self.deviation = self.deviation * 3 / 4 + self.mean.abs_diff(took) / 4;
        self.mean = self.mean * 7 / 8 + took / 8;
        self.timeout = (self.mean + GRAIN.max(self.deviation * 4)).min(LONGEST);
    }

    /// Time after which a message without an acknowledgement is sent again.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_timeout_follows_the_samples_by_the_protocols_arithmetic() {
        let mut rtt = Rtt::default();
        assert_eq!(rtt.timeout(), ms(200));
        // deviation 0 + |100 - 20| / 4 = 20; mean 87.5 + 2.5 = 90; timeout 90 + 80.
        rtt.sample(ms(20));
        assert_eq!(rtt.timeout(), ms(170));
        // deviation 15 + |90 - 90| / 4 = 15; mean 90; timeout 90 + 60.
        rtt.sample(ms(90));
        assert_eq!(rtt.timeout(), ms(150));
    }

    #[test]
    fn the_timeout_keeps_between_ten_milliseconds_more_than_the_mean_and_a_second() {
        let mut rtt = Rtt::default();
        for _ in 0..200 {
            rtt.sample(ms(1));
        }
        assert!((ms(11)..ms(12)).contains(&rtt.timeout()), "{:?}", rtt.timeout());
        for _ in 0..10 {
            rtt.sample(ms(60_000));
        }
        assert_eq!(rtt.timeout(), ms(1000));
    }
}
