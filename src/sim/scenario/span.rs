//! Durations as people write them: `"90s"`, `"12m"`, `"1h30m"`, `"41d"`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A duration in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(pub i64);

impl Span {
    /// So many seconds.
    #[must_use]
    pub const fn seconds(n: i64) -> Self {
        Self(n * 1000)
    }

    /// So many minutes.
    #[must_use]
    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n * 60)
    }

    /// Whole seconds, for the fields that AWS counts in seconds.
    #[must_use]
    pub fn as_seconds(self) -> u32 {
        u32::try_from(self.0 / 1000).unwrap_or(u32::MAX)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut total: i64 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let count: i64 = rest.get(..digits)?.parse().ok()?;
            let unit = rest.get(digits..)?;
            let length = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
            let factor = match unit.get(..length)? {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            };
            total = total.checked_add(count.checked_mul(factor)?)?;
            rest = unit.get(length..)?;
        }
        (!text.is_empty()).then_some(Self(total))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"90s\", \"12m\", \"1h30m\" or \"41d\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                Span::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(Span::parse("90s"), Some(Span(90_000)));
        assert_eq!(Span::parse("1h30m"), Some(Span(5_400_000)));
        assert_eq!(Span::parse("41d"), Some(Span(41 * 86_400_000)));
        assert_eq!(Span::parse("250ms"), Some(Span(250)));
    }

    #[test]
    fn a_number_without_a_unit_is_no_duration() {
        for text in ["", "90", "s", "9x", "-1s", "99999999999999999999s", "999999999999999d"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }
}
