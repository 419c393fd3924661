//! The log service: the past by `FilterLogEvents`, the present by `StartLiveTail`. What to ask for when is the tail's affair.

use super::api::{Api, Call};
use super::connect::Sdk;
use super::convert::clean;
use super::failure::{Doing, failure};
use super::{AwsError, ErrorKind};
use crate::budget::{Priority, Throttle};
use crate::model::Str;
use aws_sdk_cloudwatchlogs::types::{LiveTailSessionMetadata, StartLiveTailResponseStream as Frame};
use std::sync::Arc;

/// One page of log events, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The events; an empty page is no end.
    pub events: Vec<RawEvent>,
    /// Token of the next page; the end when there is none.
    pub next: Option<String>,
}

/// A log event as it came; its text is not cleaned yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// Milliseconds since 1970 that the program's log driver gave it.
    pub at_ms: i64,
    /// Milliseconds since 1970 at which AWS took it in.
    pub ingested_ms: i64,
    /// Log stream.
    pub stream: Str,
    /// AWS's id; empty for events of Live Tail, which has none.
    pub id: Str,
    /// The message.
    pub text: String,
}

/// A log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// ARN without the trailing `:*`, as `StartLiveTail` wants it.
    pub arn: Str,
    /// Days that events are kept; for ever when there is none.
    pub retention_days: Option<u32>,
}

/// What a Live Tail said within a second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveBatch {
    /// The events; none in a quiet second.
    pub events: Vec<RawEvent>,
    /// Whether AWS left events out (more than 500 in a second).
    pub sampled: bool,
}

/// An open Live Tail session. Dropping it ends it. AWS speaks every second: more than ten of silence mean that it is dead.
pub struct LiveTail {
    stream: aws_sdk_cloudwatchlogs::primitives::event_stream::EventReceiver<
        Frame,
        aws_sdk_cloudwatchlogs::types::error::StartLiveTailResponseStreamError,
    >,
    what: String,
}

impl Api {
    /// Reads a page of events of at most 100 streams, or of the whole group when none is named.
    ///
    /// # Errors
    /// In words; a group or stream that does not exist (yet) is [`ErrorKind::NotFound`].
    pub async fn filter_log_events(
        &self,
        region: &str,
        group: &str,
        streams: &[Str],
        start_ms: i64,
        end_ms: Option<i64>,
        token: Option<String>,
    ) -> Result<LogPage, AwsError> {
        let what = format!("read the log group {group}");
        let call = Call { throttle: Throttle::LogEvents, priority: Priority::Focus, action: "logs:FilterLogEvents", what: &what };
        let names = (!streams.is_empty()).then(|| streams.iter().map(ToString::to_string).collect::<Vec<String>>());
        let send = |sdk: Arc<Sdk>| {
            let ask = sdk.logs(region).filter_log_events().log_group_name(group).set_log_stream_names(names.clone());
            ask.start_time(start_ms).set_end_time(end_ms).set_next_token(token.clone()).send()
        };
        let answer = self.call(call, send).await?;
        let event = |event: aws_sdk_cloudwatchlogs::types::FilteredLogEvent| RawEvent {
            at_ms: event.timestamp.unwrap_or_default(),
            ingested_ms: event.ingestion_time.or(event.timestamp).unwrap_or_default(),
            stream: clean(event.log_stream_name.as_deref().unwrap_or_default()),
            id: event.event_id.as_deref().unwrap_or_default().into(),
            text: event.message.unwrap_or_default(),
        };
        let next = answer.next_token.filter(|next| !next.is_empty() && Some(next) != token.as_ref());
        Ok(LogPage { events: answer.events.unwrap_or_default().into_iter().map(event).collect(), next })
    }

    /// Describes a log group by its name.
    ///
    /// # Errors
    /// In words; [`ErrorKind::NotFound`] when no group has that very name.
    pub async fn log_group(&self, region: &str, group: &str) -> Result<LogGroup, AwsError> {
        let what = format!("describe the log group {group}");
        let action = "logs:DescribeLogGroups";
        let call = Call { throttle: Throttle::LogGroups, priority: Priority::Focus, action, what: &what };
        let mut token: Option<String> = None;
        loop {
            let send =
                |sdk: Arc<Sdk>| sdk.logs(region).describe_log_groups().log_group_name_prefix(group).set_next_token(token.clone()).send();
            let page = self.call(call, send).await?;
            if let Some(found) = page.log_groups().iter().find(|found| found.log_group_name() == Some(group)) {
                let arn = found.log_group_arn().or_else(|| found.arn()).unwrap_or_default();
                let retention_days = found.retention_in_days().and_then(|days| u32::try_from(days).ok());
                return Ok(LogGroup { arn: clean(arn.strip_suffix(":*").unwrap_or(arn)), retention_days });
            }
            // AWS sorts by name, and the name itself comes before those that go on.
            match page.next_token.filter(|next| !next.is_empty() && Some(next) != token.as_ref()) {
                Some(next) => token = Some(next),
                None => return Err(failure(ErrorKind::NotFound, Doing { action, what: &what, profile: None }, "it does not exist", "")),
            }
        }
    }

    /// Opens a Live Tail on at most 100 streams of a group, or on the whole group when none is named. Billed by the minute.
    ///
    /// # Errors
    /// In words, also when the first frame does not come within ten seconds.
    pub async fn live_tail(&self, region: &str, group_arn: &str, streams: &[Str]) -> Result<LiveTail, AwsError> {
        let what = format!("tail the log group {}", group_arn.rsplit(':').next().unwrap_or(group_arn));
        let call = Call { throttle: Throttle::LiveTail, priority: Priority::Focus, action: "logs:StartLiveTail", what: &what };
        let names = (!streams.is_empty()).then(|| streams.iter().map(ToString::to_string).collect::<Vec<String>>());
        let send =
            |sdk: Arc<Sdk>| sdk.logs(region).start_live_tail().log_group_identifiers(group_arn).set_log_stream_names(names.clone()).send();
        let answer = self.call(call, send).await?;
        Ok(LiveTail { stream: answer.response_stream, what: what.clone() })
    }
}

impl LiveTail {
    /// The next second's events; `None` when AWS ended the session. After an error it is over.
    pub async fn next(&mut self) -> Option<Result<LiveBatch, AwsError>> {
        loop {
            match self.stream.recv().await {
                Ok(Some(Frame::SessionUpdate(update))) => {
                    let sampled = update.session_metadata().is_some_and(LiveTailSessionMetadata::sampled);
                    let events = update.session_results.unwrap_or_default().into_iter().map(live_event).collect();
                    return Some(Ok(LiveBatch { events, sampled }));
                }
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => {
                    let doing = Doing { action: "logs:StartLiveTail", what: &self.what, profile: None };
                    let ended = error.as_service_error().map(|error| {
                        let came = if error.is_session_timeout_exception() {
                            "AWS ended the session after three hours"
                        } else {
                            "AWS broke the session off"
                        };
                        failure(ErrorKind::Network, doing, came, "Opening a new one")
                    });
                    return Some(Err(
                        ended.unwrap_or_else(|| failure(ErrorKind::Network, doing, "the connection broke off", "Opening a new one"))
                    ));
                }
            }
        }
    }
}

impl std::fmt::Debug for LiveTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveTail").field("what", &self.what).finish_non_exhaustive()
    }
}

fn live_event(event: aws_sdk_cloudwatchlogs::types::LiveTailSessionLogEvent) -> RawEvent {
    RawEvent {
        at_ms: event.timestamp.unwrap_or_default(),
        ingested_ms: event.ingestion_time.or(event.timestamp).unwrap_or_default(),
        stream: clean(event.log_stream_name.as_deref().unwrap_or_default()),
        id: "".into(),
        text: event.message.unwrap_or_default(),
    }
}
