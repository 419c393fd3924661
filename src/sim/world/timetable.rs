//! When a scheduled action is due: `cron(…)`, `rate(…)` and `at(…)` in AWS's spelling, minute by minute.

use super::metrics::MINUTE;
use super::state::Ms;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Whether a schedule is due in the minute that begins at `minute`. One that cannot be read never is.
pub(super) fn is_due(schedule: &str, timezone: Option<&str>, made: Ms, minute: Ms) -> bool {
    due(schedule, timezone, made, minute).unwrap_or(false)
}

fn due(schedule: &str, timezone: Option<&str>, made: Ms, minute: Ms) -> Option<bool> {
    let inside = |word: &str| schedule.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')');
    // A machine without time zones takes them all for UTC.
    let zone = timezone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let local: Zoned = Timestamp::from_millisecond(minute).ok()?.to_zoned(zone);
    if let Some(at) = inside("at") {
        let at: DateTime = at.parse().ok()?;
        return Some(at.with().second(0).subsec_nanosecond(0).build().ok()? == local.datetime());
    }
    if let Some(rate) = inside("rate") {
        let (count, unit) = rate.split_once(' ')?;
        let minutes = match unit.trim_end_matches('s') {
            "minute" => 1,
            "hour" => 60,
            "day" => 1440,
            _ => return None,
        };
        let every = count.parse::<Ms>().ok().filter(|n| *n > 0)? * minutes;
        return Some((minute - made).div_euclid(MINUTE) % every == 0);
    }
    let fields: Vec<&str> = inside("cron")?.split_whitespace().collect();
    let [minutes, hours, days, months, weekdays, years] = fields[..] else { return None };
    let fits = |field: &str, value: i16, names: &[&str], first: i16| field.split(',').any(|part| matches(part, value, names, first));
    let weekday = i16::from(local.weekday().to_sunday_one_offset());
    Some(
        fits(minutes, i16::from(local.minute()), &[], 0)
            && fits(hours, i16::from(local.hour()), &[], 0)
            && fits(days, i16::from(local.day()), &[], 1)
            && fits(months, i16::from(local.month()), &MONTHS, 1)
            && fits(weekdays, weekday, &DAYS, 1)
            && fits(years, local.year(), &[], 1970),
    )
}

/// One part of a field: `*`, `?`, `7`, `MON`, `1-5`, `0/15`.
fn matches(part: &str, value: i16, names: &[&str], first: i16) -> bool {
    let number = |text: &str| {
        let spelled = names.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|at| i16::try_from(at).ok());
        spelled.map(|at| at + first).or_else(|| text.parse::<i16>().ok())
    };
    if matches!(part, "*" | "?") {
        return true;
    }
    if let Some((from, step)) = part.split_once('/') {
        let from = if from == "*" { Some(first) } else { number(from) };
        let step = step.parse::<i16>().ok().filter(|step| *step > 0);
        return from.zip(step).is_some_and(|(from, step)| value >= from && (value - from) % step == 0);
    }
    match part.split_once('-') {
        Some((low, high)) => number(low).zip(number(high)).is_some_and(|(low, high)| (low..=high).contains(&value)),
        None => number(part) == Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, 21 November 2026, 03:11 UTC.
    const AT: Ms = 1_795_230_660_000;

    #[test]
    fn a_cron_is_due_in_its_minute() {
        assert!(is_due("cron(11 3 * * ? *)", None, 0, AT));
        assert!(is_due("cron(0/11 3-5 21 NOV SAT 2026)", None, 0, AT));
        assert!(is_due("cron(11 3 ? * SUN,SAT *)", None, 0, AT));
        assert!(!is_due("cron(11 3 ? * MON-FRI *)", None, 0, AT));
        assert!(!is_due("cron(12 3 * * ? *)", None, 0, AT));
    }

    #[test]
    fn a_rate_counts_from_its_making_and_at_comes_once() {
        assert!(is_due("rate(5 minutes)", None, AT - 10 * MINUTE, AT));
        assert!(!is_due("rate(1 hour)", None, AT - 10 * MINUTE, AT));
        assert!(is_due("at(2026-11-21T03:11:00)", None, 0, AT));
        assert!(!is_due("at(2026-11-22T03:11:00)", None, 0, AT));
        assert!(!is_due("every now and then", None, 0, AT));
    }
}
