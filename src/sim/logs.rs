//! `CloudWatch` Logs: groups, streams, events and live tails.
//!
//! No line is stored. A stream is a container's life in the world; `lines` makes what it said in any window from the seed, in
//! the voice of its program, and everything else selects, orders and pages.

mod events;
mod lines;
mod pattern;
pub(super) mod tail;
mod voice;

use super::ecs::ApiError;
use super::wire::refuse;
use super::world::{Estate, LogGroup, LogStream, Ms};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const DAY: Ms = 86_400_000;

/// Answers one call, all but `StartLiveTail`.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(estate: &Estate, seed: u64, now: Ms, operation: &str, body: &Value) -> Result<Value, ApiError> {
    match operation {
        "DescribeLogGroups" => groups(estate, body),
        "DescribeLogStreams" => streams(estate, seed, now, body),
        "FilterLogEvents" => events::filter(estate, seed, now, body),
        "GetLogEvents" => events::get(estate, seed, now, body),
        _ => Err(refuse(400, "UnknownOperationException", "")),
    }
}

fn groups(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let (prefix, part) = (text(body, "logGroupNamePrefix"), text(body, "logGroupNamePattern"));
    if prefix.is_some() && part.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    let wanted: Vec<&str> = texts(body, "logGroupIdentifiers").into_iter().map(group_name).collect();
    let part = part.map(str::to_lowercase);
    let shown = estate
        .log_groups
        .iter()
        .filter(|(name, _)| {
            prefix.is_none_or(|prefix| name.starts_with(prefix))
                && part.as_ref().is_none_or(|part| name.to_lowercase().contains(part))
                && (wanted.is_empty() || wanted.contains(&name.as_str()))
        })
        .map(|(name, group)| {
            let arn = estate.log_group_arn(name);
            json!({
                "logGroupName": name,
                "creationTime": group.created_at,
                "retentionInDays": group.retention_days,
                "metricFilterCount": 0,
                "arn": format!("{arn}:*"),
                // Bytes are counted for bills, days later; nobody should rely on them.
                "storedBytes": 0,
                "logGroupClass": "STANDARD",
                "logGroupArn": arn,
            })
        })
        .collect();
    page(body, "logGroups", shown)
}

fn streams(estate: &Estate, seed: u64, now: Ms, body: &Value) -> Result<Value, ApiError> {
    let (group_name, group) = group(estate, body)?;
    let prefix = text(body, "logStreamNamePrefix");
    let by_time = match text(body, "orderBy") {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") => true,
        Some(other) => {
            return Err(invalid(format!(
                "1 validation error detected: Value '{other}' at 'orderBy' failed to satisfy constraint: \
                 Member must satisfy enum value set: [LogStreamName, LastEventTime]"
            )));
        }
    };
    if by_time && prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let oldest = group.retention_days.map_or(Ms::MIN, |days| now - Ms::from(days) * DAY);
    let mut shown: Vec<(&String, &LogStream)> = group
        .streams
        .iter()
        .filter(|(name, stream)| {
            stream.started_at <= now
                && stream.ended_at.is_none_or(|end| end > oldest)
                && prefix.is_none_or(|prefix| name.starts_with(prefix))
        })
        .collect();
    if by_time {
        shown.sort_by_cached_key(|(name, stream)| lines::last(seed, name, stream, now).map_or(Ms::MIN, |line| line.timestamp));
    }
    if body.get("descending").and_then(Value::as_bool).unwrap_or_default() {
        shown.reverse();
    }
    let described = |(name, stream): (&String, &LogStream)| {
        let last = lines::last(seed, name, stream, now);
        json!({
            "logStreamName": name,
            "creationTime": stream.started_at,
            "firstEventTimestamp": last.as_ref().map(|_| stream.started_at),
            "lastEventTimestamp": last.as_ref().map(|line| line.timestamp),
            "lastIngestionTime": last.as_ref().map(|line| line.ingestion),
            "arn": format!("{}:log-stream:{name}", estate.log_group_arn(group_name)),
            "storedBytes": 0,
        })
    };
    let (from, size) = bounds(body, "logStreams", shown.len())?;
    let total = shown.len();
    let page: Vec<Value> = shown.into_iter().skip(from).take(size).map(described).collect();
    Ok(json!({"nextToken": token("logStreams", from + page.len(), total), "logStreams": page}))
}

/// The group that a request names by `logGroupName`, or by `logGroupIdentifier`, which is a name or an ARN.
fn group<'a>(estate: &'a Estate, body: &'a Value) -> Result<(&'a str, &'a LogGroup), ApiError> {
    let name = match (text(body, "logGroupName"), text(body, "logGroupIdentifier")) {
        (Some(name), None) => name,
        (None, Some(identifier)) => group_name(identifier),
        (None, None) => {
            return Err(invalid("At least one of logGroupName or logGroupIdentifier must be specified."));
        }
        (Some(_), Some(_)) => {
            return Err(invalid("Only one of logGroupName or logGroupIdentifier can be specified."));
        }
    };
    named(estate, name)
}

fn named<'a>(estate: &'a Estate, name: &'a str) -> Result<(&'a str, &'a LogGroup), ApiError> {
    let found = estate.log_groups.get(name);
    found.map(|group| (name, group)).ok_or_else(|| missing("The specified log group does not exist."))
}

/// The name in an ARN, with or without `:*` behind it; a bare name is itself.
fn group_name(identifier: &str) -> &str {
    let name = identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name);
    name.strip_suffix(":*").unwrap_or(name)
}

fn page(body: &Value, key: &str, all: Vec<Value>) -> Result<Value, ApiError> {
    let total = all.len();
    let (from, size) = bounds(body, key, total)?;
    let shown: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    Ok(json!({"nextToken": token(key, from + shown.len(), total), key: shown}))
}

/// Where the page begins and how much it may hold; `limit` reaches to 50, its default.
fn bounds(body: &Value, key: &str, total: usize) -> Result<(usize, usize), ApiError> {
    let size = limit(body, 50)?;
    let Some(token) = text(body, "nextToken") else {
        return Ok((0, size));
    };
    let from = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| {
        let at: usize = text.strip_prefix(key)?.strip_prefix(':')?.parse().ok()?;
        (at <= total).then_some(at)
    });
    from.map(|from| (from, size)).ok_or_else(|| invalid("The specified nextToken is invalid."))
}

fn token(key: &str, next: usize, total: usize) -> Option<String> {
    (next < total).then(|| STANDARD.encode(format!("{key}:{next}")))
}

fn limit(body: &Value, largest: usize) -> Result<usize, ApiError> {
    match body.get("limit").filter(|limit| !limit.is_null()) {
        None => Ok(largest),
        Some(limit) => {
            limit.as_u64().and_then(|limit| usize::try_from(limit).ok()).filter(|limit| (1..=largest).contains(limit)).ok_or_else(|| {
                let bound = if limit.as_i64().is_some_and(|limit| limit < 1) {
                    "greater than or equal to 1".to_owned()
                } else {
                    format!("less than or equal to {largest}")
                };
                invalid(format!(
                    "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value {bound}"
                ))
            })
        }
    }
}

fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

fn texts<'a>(body: &'a Value, key: &str) -> Vec<&'a str> {
    body.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn invalid(message: impl Into<String>) -> ApiError {
    refuse(400, "InvalidParameterException", message)
}

fn missing(message: &str) -> ApiError {
    refuse(400, "ResourceNotFoundException", message)
}
