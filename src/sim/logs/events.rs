//! Reading the past: `FilterLogEvents` over the streams of a group and `GetLogEvents` over one stream.
//!
//! A page ends at its limit, at 1 MB, or when enough was looked at without finding anything, so that an empty page with a token
//! is as normal as it is with AWS. Tokens name the last line that was looked at, not a count, because streams come and go.

use super::lines::{self, Line, SLOT};
use super::pattern::{self, Pattern};
use super::{DAY, group, invalid, limit, missing, text, texts};
use crate::sim::ecs::ApiError;
use crate::sim::rng;
use crate::sim::world::{Estate, LogGroup, LogStream, Ms};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const LARGEST_PAGE: usize = 10_000;
const LARGEST_PAGE_BYTES: usize = 1 << 20;
/// What AWS counts for an event beside its message.
const EVENT_OVERHEAD: usize = 26;
/// Slots and lines that one page may cost.
const EFFORT: usize = 30_000;
/// `startFromHead: false` reaches back to 2024 only.
const NEWEST_FIRST_SINCE: Ms = 1_704_067_200_000;

type Place = (Ms, u128);
type Streams<'a> = Vec<(&'a str, &'a LogStream)>;

/// A window onto some streams.
struct View<'a> {
    seed: u64,
    now: Ms,
    streams: Streams<'a>,
    /// First and last timestamp that count.
    from: Ms,
    to: Ms,
    pattern: Pattern,
}

/// What one walk has found.
#[derive(Default)]
struct Found<'a> {
    lines: Vec<(&'a str, Line)>,
    bytes: usize,
    effort: usize,
    /// The last line that was looked at, if there may be more behind it.
    more: Option<Place>,
}

/// `FilterLogEvents`.
pub(super) fn filter(estate: &Estate, seed: u64, now: Ms, body: &Value) -> Result<Value, ApiError> {
    let (name, group) = group(estate, body)?;
    let size = limit(body, LARGEST_PAGE)?;
    let streams = chosen(group, body)?;
    let head = body.get("startFromHead").and_then(Value::as_bool).unwrap_or(true);
    let time = |key: &str| body.get(key).and_then(Value::as_i64);
    let asked = text(body, "filterPattern").unwrap_or_default();
    if asked.chars().count() > 1024 {
        return Err(invalid(
            "1 validation error detected: Value at 'filterPattern' failed to satisfy constraint: \
             Member must have length less than or equal to 1024",
        ));
    }
    let pattern = pattern::parse(asked).ok_or_else(|| invalid(format!("Invalid filter pattern: {asked}")))?;
    if !head && time("startTime").is_some_and(|start| start < NEWEST_FIRST_SINCE) {
        return Err(invalid("startTime must be on or after 2024-01-01 when startFromHead is false."));
    }
    let view = View {
        seed,
        now,
        streams,
        from: time("startTime").unwrap_or(0).max(kept_since(group, now)),
        to: time("endTime").unwrap_or(Ms::MAX).min(now),
        pattern,
    };
    // A token belongs to the question that it was given for.
    let question = rng::hash(&format!(
        "{name}{asked}{head}{:?}{:?}{:?}",
        time("startTime"),
        body.get("logStreamNames"),
        body.get("logStreamNamePrefix")
    ));
    let after = match text(body, "nextToken") {
        None => None,
        Some(token) => Some(place(token, question).ok_or_else(|| invalid("The specified nextToken is invalid."))?),
    };
    let mut found = Found::default();
    if after.is_none() && question % 16 == 5 {
        // AWS gives an empty page with a token now and then.
        found.more = Some(if head { (view.from - 1, u128::MAX) } else { (view.to + 1, 0) });
    } else {
        view.walk(head, after, size, &mut found);
    }
    let token = found.more.map(|(at, id)| STANDARD.encode(format!("{question:016x}/{at}/{id}")));
    let events: Vec<Value> = found
        .lines
        .into_iter()
        .map(|(stream, line)| {
            json!({
                "logStreamName": stream,
                "timestamp": line.timestamp,
                "eventId": line.event_id(),
                "ingestionTime": line.ingestion,
                "message": line.message,
            })
        })
        .collect();
    Ok(json!({"events": events, "searchedLogStreams": [], "nextToken": token}))
}

/// `GetLogEvents`.
pub(super) fn get(estate: &Estate, seed: u64, now: Ms, body: &Value) -> Result<Value, ApiError> {
    let (_, group) = group(estate, body)?;
    let size = limit(body, LARGEST_PAGE)?;
    let wanted = text(body, "logStreamName").ok_or_else(|| {
        invalid("1 validation error detected: Value null at 'logStreamName' failed to satisfy constraint: Member must not be null")
    })?;
    let (name, stream) = group
        .streams
        .get_key_value(wanted)
        .filter(|(_, stream)| stream.started_at <= now)
        .ok_or_else(|| missing("The specified log stream does not exist."))?;
    let time = |key: &str| body.get(key).and_then(Value::as_i64);
    let from = time("startTime").unwrap_or(0).max(kept_since(group, now));
    // Up to the first line that is not ingested yet: what comes late must not fall behind a token that was given out.
    let cut = (lines::slot(now - lines::LATEST)..=lines::slot(now))
        .flat_map(|slot| lines::in_slot(seed, name, stream, slot))
        .find(|line| line.ingestion > now)
        .map_or(now, |line| line.timestamp - 1);
    let to = time("endTime").map_or(Ms::MAX, |end| end - 1).min(cut);
    let view = View { seed, now, streams: vec![(name.as_str(), stream)], from, to, pattern: Pattern::Everything };
    let (forward, after) = match text(body, "nextToken") {
        None => (body.get("startFromHead").and_then(Value::as_bool).unwrap_or_default(), None),
        Some(token) => {
            let position = stream_place(token).ok_or_else(|| invalid("The specified nextToken is invalid."))?;
            (token.starts_with('f'), Some(position))
        }
    };
    let mut found = Found::default();
    view.walk(forward, after, size, &mut found);
    if !forward {
        found.lines.reverse();
    }
    let ends = (found.lines.first().map(|(_, line)| line.place()), found.lines.last().map(|(_, line)| line.place()));
    // An empty page keeps the position, or moves it over what was looked at in vain.
    let stay = after.unwrap_or((from - 1, 0));
    let newest = ends.1.or(found.more.filter(|_| forward)).unwrap_or(stay);
    let oldest = ends.0.or(found.more.filter(|_| !forward)).unwrap_or(stay);
    let events: Vec<Value> = found
        .lines
        .into_iter()
        .map(|(_, line)| json!({"timestamp": line.timestamp, "message": line.message, "ingestionTime": line.ingestion}))
        .collect();
    let token = |way: char, (at, id): Place| format!("{way}/{at:014}{id:040}/s");
    Ok(json!({"events": events, "nextForwardToken": token('f', newest), "nextBackwardToken": token('b', oldest)}))
}

impl<'a> View<'a> {
    /// Collects lines in order of time, or against it, beginning behind `after`.
    fn walk(&self, forward: bool, after: Option<Place>, size: usize, found: &mut Found<'a>) {
        let first = self.streams.iter().map(|(_, stream)| stream.started_at).min().unwrap_or(Ms::MAX).max(self.from);
        let ended = |stream: &LogStream| stream.ended_at.unwrap_or(Ms::MAX);
        let last = self.streams.iter().map(|(_, stream)| ended(stream)).max().unwrap_or(Ms::MIN).min(self.to);
        let (mut low, mut high) = (lines::slot(first), lines::slot(last));
        if let Some((at, _)) = after {
            if forward {
                low = low.max(lines::slot(at));
            } else {
                high = high.min(lines::slot(at));
            }
        }
        while low <= high {
            let slot = if forward { low } else { high };
            let (begin, end) = (slot * SLOT, (slot + 1) * SLOT);
            let mut said: Vec<(&str, Line)> = Vec::new();
            for (name, stream) in self.streams.iter().filter(|(_, stream)| stream.started_at < end && ended(stream) > begin) {
                said.extend(lines::in_slot(self.seed, name, stream, slot).into_iter().map(|line| (*name, line)));
                found.effort += 1;
            }
            found.effort += 1 + said.len();
            said.sort_by_key(|(_, line)| line.place());
            if !forward {
                said.reverse();
            }
            for (name, line) in said {
                if self.take(name, line, forward, after, size, found) {
                    return;
                }
            }
            if forward {
                low = self.skip(slot);
            } else {
                high = slot - 1;
            }
            if found.effort >= EFFORT && low <= high {
                found.more = Some(if forward { (low * SLOT - 1, u128::MAX) } else { ((high + 1) * SLOT, 0) });
                return;
            }
        }
    }

    /// Takes a line if it is wanted; true if the page is full.
    fn take(&self, name: &'a str, line: Line, forward: bool, after: Option<Place>, size: usize, found: &mut Found<'a>) -> bool {
        let place = line.place();
        let seen = after.is_some_and(|after| if forward { place <= after } else { place >= after });
        let inside = (self.from..=self.to).contains(&line.timestamp) && line.ingestion <= self.now;
        if seen || !inside || !self.pattern.matches(&line.message) {
            return false;
        }
        let bytes = line.message.len() + EVENT_OVERHEAD;
        if found.lines.len() == size || found.bytes + bytes > LARGEST_PAGE_BYTES {
            found.more = found.lines.last().map(|(_, line)| line.place());
            return true;
        }
        found.bytes += bytes;
        found.lines.push((name, line));
        false
    }

    /// The next slot in which somebody speaks.
    fn skip(&self, slot: Ms) -> Ms {
        let next = slot + 1;
        let speaks = |stream: &LogStream| stream.ended_at.is_none_or(|end| end > next * SLOT) && stream.started_at < (next + 1) * SLOT;
        if self.streams.iter().any(|(_, stream)| speaks(stream)) {
            return next;
        }
        let start = self.streams.iter().map(|(_, stream)| stream.started_at).filter(|at| *at >= next * SLOT).min();
        start.map_or(Ms::MAX / SLOT, lines::slot)
    }
}

fn chosen<'a>(group: &'a LogGroup, body: &Value) -> Result<Streams<'a>, ApiError> {
    let (names, prefix) = (texts(body, "logStreamNames"), text(body, "logStreamNamePrefix"));
    if !names.is_empty() && prefix.is_some() {
        return Err(invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters."));
    }
    if names.len() > 100 {
        return Err(invalid(
            "1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint: \
             Member must have length less than or equal to 100",
        ));
    }
    if names.is_empty() {
        let wanted = |name: &str| prefix.is_none_or(|prefix| name.starts_with(prefix));
        return Ok(group.streams.iter().filter(|(name, _)| wanted(name)).map(|(name, stream)| (name.as_str(), stream)).collect());
    }
    let one = |name: &&str| group.streams.get_key_value(*name).map(|(name, stream)| (name.as_str(), stream));
    names.iter().map(one).collect::<Option<Vec<_>>>().ok_or_else(|| missing("The specified log stream does not exist."))
}

/// Nothing is older than the retention, nor than the group.
fn kept_since(group: &LogGroup, now: Ms) -> Ms {
    group.retention_days.map_or(group.created_at, |days| group.created_at.max(now - Ms::from(days) * DAY))
}

fn place(token: &str, question: u64) -> Option<Place> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let mut parts = text.strip_prefix(&format!("{question:016x}/"))?.split('/');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn stream_place(token: &str) -> Option<Place> {
    let digits = token.strip_prefix("f/").or_else(|| token.strip_prefix("b/"))?.strip_suffix("/s")?;
    let (at, id) = digits.split_at_checked(14)?;
    Some((at.parse().ok()?, id.parse().ok()?))
}
