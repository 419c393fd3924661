//! `StartLiveTail`: an event stream that says each second what was ingested since the last second.
//!
//! The seconds are real ones, whatever the speed of the world; the three hours after which AWS ends a session are virtual.

use super::lines::{self, LATEST};
use super::pattern::{self, Pattern};
use super::{group_name, invalid, missing, named, text, texts};
use crate::sim::ecs::ApiError;
use crate::sim::eventstream;
use crate::sim::rng;
use crate::sim::wire::{Shared, refuse, uuid};
use crate::sim::world::{Estate, Ms};
use hyper::body::Bytes;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::MissedTickBehavior;

/// Sessions that may be open at once in an account and region.
const MOST_SESSIONS: usize = 15;
const MOST_GROUPS: usize = 10;
const MOST_STREAMS: usize = 100;
/// Events in one update; more are sampled down to this.
const MOST_EVENTS: usize = 500;
/// Updates that wait for a slow reader; then the oldest is dropped.
const MOST_WAITING: usize = 10;
/// A world that was stepped by hours tells its last minute, as a sample would.
const FURTHEST_BACK: Ms = 60_000;
/// AWS ends a session after three hours.
const SESSION: Ms = 3 * 3_600_000;

/// An event and where it stands in time.
type Placed = ((Ms, u128), Value);

/// A session that may begin.
#[derive(Debug)]
pub(in crate::sim) struct Request {
    account: String,
    region: String,
    seed: u64,
    since: Ms,
    groups: Vec<String>,
    streams: Vec<String>,
    prefixes: Vec<String>,
    filter: String,
    pattern: Pattern,
}

/// Checks a request; `open` sessions are there already.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(in crate::sim) fn request(estate: &Estate, seed: u64, now: Ms, open: usize, body: &Value) -> Result<Request, ApiError> {
    let identifiers = texts(body, "logGroupIdentifiers");
    let (streams, prefixes) = (texts(body, "logStreamNames"), texts(body, "logStreamNamePrefixes"));
    if identifiers.is_empty() || identifiers.len() > MOST_GROUPS {
        return Err(invalid(
            "1 validation error detected: Value at 'logGroupIdentifiers' failed to satisfy constraint: \
             Member must have length between 1 and 10",
        ));
    }
    if let Some(wrong) = identifiers.iter().find(|arn| !arn.starts_with("arn:aws:logs:") || arn.ends_with(":*")) {
        return Err(invalid(format!("The log group identifier '{wrong}' is not a valid ARN of a log group. It must not end with ':*'.")));
    }
    if !streams.is_empty() && !prefixes.is_empty() {
        return Err(invalid("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters."));
    }
    if (!streams.is_empty() || !prefixes.is_empty()) && identifiers.len() > 1 {
        return Err(invalid("logStreamNames and logStreamNamePrefixes can only be specified with a single log group identifier."));
    }
    if streams.len() > MOST_STREAMS || prefixes.len() > MOST_STREAMS {
        return Err(invalid("1 validation error detected: Member must have length less than or equal to 100"));
    }
    for arn in &identifiers {
        if *arn != estate.log_group_arn(group_name(arn)) {
            return Err(missing("The specified log group does not exist."));
        }
        named(estate, group_name(arn))?;
    }
    let filter = text(body, "logEventFilterPattern").unwrap_or_default();
    let pattern = pattern::parse(filter).ok_or_else(|| invalid(format!("Invalid filter pattern: {filter}")))?;
    if open >= MOST_SESSIONS {
        return Err(refuse(400, "LimitExceededException", "Live Tail session limit exceeded: at most 15 concurrent sessions are allowed."));
    }
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    Ok(Request {
        account: estate.account.clone(),
        region: estate.region.clone(),
        seed,
        since: now,
        groups: identifiers.iter().map(|arn| group_name(arn).to_owned()).collect(),
        streams: owned(streams),
        prefixes: owned(prefixes),
        filter: filter.to_owned(),
        pattern,
    })
}

/// Begins a session: its frames come out of the receiver until it ends or the receiver is dropped.
pub(in crate::sim) fn open(shared: Arc<Shared>, request: Request, request_id: String) -> Receiver<Bytes> {
    let (frames, received) = channel(1);
    *shared.state().tails.entry((request.account.clone(), request.region.clone())).or_default() += 1;
    let session = Session { shared, request };
    tokio::spawn(session.run(frames, request_id));
    received
}

struct Session {
    shared: Arc<Shared>,
    request: Request,
}

/// However the session ends, its place is free again.
impl Drop for Session {
    fn drop(&mut self) {
        let key = (self.request.account.clone(), self.request.region.clone());
        if let Some(open) = self.shared.state().tails.get_mut(&key) {
            *open = open.saturating_sub(1);
        }
    }
}

impl Session {
    async fn run(self, frames: Sender<Bytes>, request_id: String) {
        // botocore wants an initial response before the first event; the Rust SDK takes it or leaves it.
        let mut waiting: VecDeque<Bytes> = VecDeque::from([
            eventstream::event("initial-response", b"{}").into(),
            eventstream::event("sessionStart", self.start(&request_id).to_string().as_bytes()).into(),
        ]);
        let mut seconds = tokio::time::interval_at(tokio::time::Instant::now() + Duration::from_secs(1), Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut since = self.request.since;
        let mut over = false;
        loop {
            tokio::select! {
                () = frames.closed() => return,
                slot = frames.reserve(), if !waiting.is_empty() => match (slot, waiting.pop_front()) {
                    (Ok(slot), Some(frame)) => slot.send(frame),
                    _ => return,
                },
                _ = seconds.tick(), if !over => {
                    let (frame, now) = self.update(since);
                    since = now;
                    if waiting.len() >= MOST_WAITING {
                        waiting.pop_front();
                    }
                    waiting.push_back(frame);
                    if now - self.request.since >= SESSION {
                        over = true;
                        let message = json!({"message": "The session timed out after 3 hours."}).to_string();
                        waiting.push_back(eventstream::exception("SessionTimeoutException", message.as_bytes()).into());
                    }
                }
            }
            if over && waiting.is_empty() {
                return;
            }
        }
    }

    fn start(&self, request_id: &str) -> Value {
        let Request { account, region, groups, streams, prefixes, filter, seed, .. } = &self.request;
        let arns: Vec<String> = groups.iter().map(|name| format!("arn:aws:logs:{region}:{account}:log-group:{name}")).collect();
        json!({
            "requestId": request_id,
            "sessionId": uuid(*seed, rng::hash(request_id)),
            "logGroupIdentifiers": arns,
            "logStreamNames": streams,
            "logStreamNamePrefixes": prefixes,
            "logEventFilterPattern": filter,
        })
    }

    /// What was ingested after `since`, as a frame, and the time up to which that holds.
    fn update(&self, since: Ms) -> (Bytes, Ms) {
        let (events, now) = self.ingested(since);
        let (kept, sampled) = sample(events.into_iter().map(|(_, event)| event).collect());
        let body = json!({"sessionMetadata": {"sampled": sampled}, "sessionResults": kept});
        (eventstream::event("sessionUpdate", body.to_string().as_bytes()).into(), now)
    }

    fn ingested(&self, since: Ms) -> (Vec<Placed>, Ms) {
        let Request { account, region, seed, groups, .. } = &self.request;
        let mut state = self.shared.state();
        let now = state.world.now();
        let since = since.max(now - FURTHEST_BACK);
        let estate = state.world.estate_mut(account, region);
        let mut events = Vec::new();
        for name in groups {
            let Some(group) = estate.log_groups.get(name) else {
                continue;
            };
            let identifier = format!("{account}:{name}");
            for (stream_name, stream) in group.streams.iter().filter(|(stream, _)| self.wants(stream)) {
                if stream.started_at > now || stream.ended_at.is_some_and(|end| end + LATEST < since) {
                    continue;
                }
                for slot in lines::slot(since - LATEST)..=lines::slot(now) {
                    for line in lines::in_slot(*seed, stream_name, stream, slot) {
                        if line.ingestion > since && line.ingestion <= now && self.request.pattern.matches(&line.message) {
                            let place = line.place();
                            let event = json!({
                                "logStreamName": stream_name,
                                "logGroupIdentifier": identifier,
                                "message": line.message,
                                "timestamp": line.timestamp,
                                "ingestionTime": line.ingestion,
                            });
                            events.push((place, event));
                        }
                    }
                }
            }
        }
        drop(state);
        events.sort_by_key(|(place, _)| *place);
        (events, now)
    }

    fn wants(&self, stream: &str) -> bool {
        let Request { streams, prefixes, .. } = &self.request;
        (streams.is_empty() || streams.iter().any(|name| name == stream))
            && (prefixes.is_empty() || prefixes.iter().any(|prefix| stream.starts_with(prefix)))
    }
}

/// At most as many as an update may hold, spread evenly over the second; true if some were left out.
fn sample<T>(events: Vec<T>) -> (Vec<T>, bool) {
    let total = events.len();
    if total <= MOST_EVENTS {
        return (events, false);
    }
    let chosen = |at: usize| at * MOST_EVENTS / total != (at + 1) * MOST_EVENTS / total;
    (events.into_iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, event)| event).collect(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_500_events_a_second_are_sampled_down_to_500() {
        assert_eq!(sample(vec![7; 500]), (vec![7; 500], false));
        for total in [501, 999, 1000, 12_345] {
            let (kept, sampled) = sample((0..total).collect::<Vec<usize>>());
            assert!(sampled);
            assert_eq!(kept.len(), 500, "of {total}");
            assert!(kept.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] <= total / 500 + 1));
        }
    }
}
