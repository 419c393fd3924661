//! A small seeded generator (`SplitMix64`). The same seed gives the same world
//! on every machine; nothing here reads the clock or the operating system.

/// A stream of pseudo-random numbers.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A stream of its own for each pair of seed and label.
    #[must_use]
    pub fn new(seed: u64, label: &str) -> Self {
        Self(mix(seed ^ hash(label)))
    }

    /// 64 random bits.
    #[expect(clippy::should_implement_trait, reason = "an endless stream never answers None")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// 128 random bits, for ids.
    pub fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    /// A number from `0` to `bound - 1`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low).saturating_add(1);
        low.min(high).saturating_add_unsigned(self.below(span))
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// `digits` lower-case hex digits, at most 32.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = format!("{:032x}", self.wide());
        text.truncate(digits);
        text
    }
}

/// FNV-1a, finished by a mixer: a stable hash of a name.
#[must_use]
pub fn hash(text: &str) -> u64 {
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    mix(fnv)
}

/// The finaliser of `SplitMix64`.
#[must_use]
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_label_give_the_same_stream() {
        let draw = |seed, label| Rng::new(seed, label).wide();
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
    }

    #[test]
    fn bounds_are_kept() {
        let mut rng = Rng::new(7, "bounds");
        for _ in 0..1000 {
            assert!((3..=5).contains(&rng.between(3, 5)));
            assert!(rng.below(4) < 4);
        }
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.hex(17).len(), 17);
    }
}
