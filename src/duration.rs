//! Durations and amounts as people write them and as cells show them: `5s`, `2d1h`, `9m02s`, `64%`, `5/6`, `512 MiB`.
//!
//! One grammar for the configuration, the prompts and the filter, so that what is read on screen can be typed.

use std::time::Duration;

/// Seconds in each unit of time.
const UNITS: &[(&str, f64)] = &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0), ("w", 604_800.0)];

/// Factors of amounts; upper case, which tells `M` from the minutes of `m`.
const AMOUNTS: &[(&str, f64)] = &[
    ("%", 1.0),
    ("k", 1e3),
    ("K", 1e3),
    ("KB", 1e3),
    ("kB", 1e3),
    ("M", 1e6),
    ("MB", 1e6),
    ("G", 1e9),
    ("GB", 1e9),
    ("Ki", 1_024.0),
    ("KiB", 1_024.0),
    ("Mi", 1_048_576.0),
    ("MiB", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("GiB", 1_073_741_824.0),
    ("B", 1.0),
];

/// A duration such as `5s`, `1m30s` or `2d1h`; every number needs its unit.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, tail) = number(rest)?;
        let (unit, tail) = word(tail);
        total += number * UNITS.iter().find(|(name, _)| *name == unit)?.1;
        rest = tail;
    }
    Duration::try_from_secs_f64(total).ok()
}

/// What a cell or a comparison amounts to: seconds for durations, bytes for sizes, the first number of a fraction or of a word.
#[must_use]
pub fn amount(text: &str) -> Option<f64> {
    let text = text.trim();
    let (first, tail) = number(text)?;
    let (unit, after) = word(tail.trim_start());
    if let Some((_, factor)) = AMOUNTS.iter().find(|(name, _)| *name == unit) {
        return Some(first * factor);
    }
    if UNITS.iter().any(|(name, _)| *name == unit) {
        let end = text.len() - after.len();
        // The last unit may be left out where it is shown smaller: `9m02`.
        return Some(parse(text.split_whitespace().next()?).or_else(|| parse(&text[..end]))?.as_secs_f64());
    }
    Some(first)
}

/// A duration in one or two units, as short as it stays exact to a hundredth: `5s`, `2m05s`, `3d04h`.
#[must_use]
pub fn short(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => format!("{}m{:02}s", s / 60, s % 60),
        3_600..86_400 => format!("{}h{:02}m", s / 3_600, s / 60 % 60),
        86_400..864_000 => format!("{}d{:02}h", s / 86_400, s / 3_600 % 24),
        _ => format!("{}d", s / 86_400),
    }
}

fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
    let (digits, tail) = text.split_at(end);
    Some((digits.replace(',', "").parse().ok()?, tail))
}

fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphabetic() && c != '%').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let seconds = |text| parse(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("5s"), Some(5.0));
        assert_eq!(seconds("1m30s"), Some(90.0));
        assert_eq!(seconds("2d1h"), Some(176_400.0));
        assert_eq!(seconds("500ms"), Some(0.5));
        for wrong in ["", "5", "s", "5x", "5s3", "-5s", "1e400d", "99999999999999999999999w"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn cells_amount_to_what_they_show() {
        for (cell, wanted) in [
            ("9m02s", 542.0),
            ("3d04h", 273_600.0),
            ("64%", 64.0),
            ("5/6", 5.0),
            ("512 MiB", 536_870_912.0),
            ("1,234", 1234.0),
            ("4m 10", 240.0),
        ] {
            assert_eq!(amount(cell), Some(wanted), "{cell}");
        }
        assert_eq!(amount("-"), None);
        assert_eq!(amount("checkout"), None);
    }

    #[test]
    fn short_durations_read_back() {
        for (seconds, shown) in [(0, "0s"), (59, "59s"), (125, "2m05s"), (7_380, "2h03m"), (273_600, "3d04h"), (864_000, "10d"), (-3, "0s")]
        {
            assert_eq!(short(seconds), shown);
        }
    }
}
