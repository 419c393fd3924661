//! Times beside log lines: on the local clock, in UTC, as an age, or not at all.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How times are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stamps {
    /// On the local clock.
    #[default]
    Local,
    /// In UTC.
    Utc,
    /// How long ago.
    Age,
    /// Not at all.
    Off,
}

impl Stamps {
    /// The next way.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Stamps::Local => Stamps::Utc,
            Stamps::Utc => Stamps::Age,
            Stamps::Age => Stamps::Off,
            Stamps::Off => Stamps::Local,
        }
    }

    /// The word for the foot of the frame; nothing for the usual way.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Stamps::Local | Stamps::Off => "",
            Stamps::Utc => "UTC",
            Stamps::Age => "age",
        }
    }

    /// Cells that a time takes; with `day` the date is shown, with `fine` milliseconds.
    #[must_use]
    pub fn width(self, day: bool, fine: bool) -> usize {
        match self {
            Stamps::Off => 0,
            Stamps::Age => 6,
            Stamps::Local | Stamps::Utc => 8 + if day { 6 } else { 0 } + if fine { 4 } else { 0 },
        }
    }

    /// A time in words of [`Stamps::width`].
    #[must_use]
    pub fn show(self, at: i64, now: Timestamp, zone: &TimeZone, day: bool, fine: bool) -> String {
        let zone = match self {
            Stamps::Off => return String::new(),
            Stamps::Age => return format!("{:>6}", age(now.as_millisecond() - at)),
            Stamps::Local => zone,
            Stamps::Utc => &TimeZone::UTC,
        };
        let Ok(at) = Timestamp::from_millisecond(at) else { return "?".to_owned() };
        let at = zone.to_datetime(at);
        let date = if day { format!("{:02}-{:02} ", at.month(), at.day()) } else { String::new() };
        let millis = if fine { format!(".{:03}", at.millisecond()) } else { String::new() };
        format!("{date}{:02}:{:02}:{:02}{millis}", at.hour(), at.minute(), at.second())
    }
}

/// A span of milliseconds in at most six letters.
pub fn age(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        3600..86400 => format!("{}h{:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d{:02}h", s / 86400, s / 3600 % 24),
    }
}
