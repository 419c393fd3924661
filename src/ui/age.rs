//! Durations as short as they can be read.

use crate::model::Time;
use crate::view::Cx;

/// Seconds as `42s`, `9m`, `3h12m` or `40d`; two units only where the first alone would mislead.
#[must_use]
pub fn short(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        ..0 => "0s".to_owned(),
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m"),
        3600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d"),
    }
}

/// How long ago, or nothing for a time that is not known.
#[must_use]
pub fn since(at: Option<Time>, now: Time) -> String {
    at.map_or_else(String::new, |at| short(now.as_second() - at.as_second()))
}

/// Time of day in the operator's zone, `03:11:42`; with the day in front when it is not today's.
#[must_use]
pub fn clock(at: Time, cx: &Cx) -> String {
    let (at, now) = (at.to_zoned(cx.zone.clone()), cx.now.to_zoned(cx.zone.clone()));
    let format = if at.date() == now.date() { "%H:%M:%S" } else { "%d %b %H:%M" };
    at.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn ages_are_short() {
        for (seconds, text) in
            [(-3, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h00m"), (86_399, "23h59m"), (86_400 * 40, "40d")]
        {
            assert_eq!(short(seconds), text);
        }
    }
}
