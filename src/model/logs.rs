//! Log lines and where they come from.

use super::{Arn, Ctx, Str, Time};
use std::sync::Arc;

/// Whose logs a tail shows: the identity of a tail, while its streams come and go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogScope {
    /// All containers of all tasks of a service; tasks that start later join.
    Service(Arn),
    /// All containers of a task.
    Task(Arn),
    /// One container of a task, by the task's ARN and the container's name.
    Container(Arn, Str),
}

/// The streams that a tail reads now. Changes while it runs; what was read already stays.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSources {
    /// Context whose credentials read them.
    pub ctx: Ctx,
    /// Streams, without repeats.
    pub streams: Vec<LogStream>,
    /// Oldest time to show; the backfill starts here.
    pub since: Time,
    /// Follow by `StartLiveTail` (billed by the minute, sampled above 500 lines a second) instead of polling.
    pub live: bool,
    /// A glance at the last lines: what AWS says of the group itself, as how long it keeps lines, is not asked.
    pub glance: bool,
}

/// One container's stream in CloudWatch Logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogStream {
    /// Log group's name.
    pub group: Str,
    /// Region of the group: the log driver's option, which may differ from the cluster's.
    pub region: Str,
    /// Stream's name, `prefix/container/task-id`.
    pub stream: Str,
    /// The task's ARN.
    pub task: Arn,
    /// The container's name.
    pub container: Str,
    /// Whether the container has stopped; a stopped stream is read to its end, then left alone.
    pub ended: bool,
}

/// One event of a log stream. An event may hold several lines of text.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// Time that the program's log driver gave it.
    pub at: Time,
    /// Time that CloudWatch took it in; 0 difference when not told.
    pub ingested: Time,
    /// Where it came from.
    pub source: Arc<LogStream>,
    /// Cleaned text; line breaks kept.
    pub text: Box<str>,
    /// What repeats are known by: a hash of the event id, or of stream, time and text.
    pub key: u64,
}
