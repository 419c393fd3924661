//! Lines and streams for tests.

use crate::model::{Arn, LogLine, LogStream, Time};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The stream of a container of a task whose id starts with `task`.
pub fn stream(task: &str, container: &str) -> Arc<LogStream> {
    let id = format!("{task}{}", "0".repeat(32_usize.saturating_sub(task.len())));
    Arc::new(LogStream {
        group: "/ecs/checkout".into(),
        region: "eu-west-1".into(),
        stream: format!("ecs/{container}/{id}").into(),
        task: Arn::from(&*format!("arn:aws:ecs:eu-west-1:123456789012:task/payments-prod/{id}")),
        container: container.into(),
        ended: false,
    })
}

/// A line that a stream brought at a time in milliseconds, 0.9 s after it was written.
pub fn line(source: &Arc<LogStream>, at: i64, text: &str) -> LogLine {
    let mut key = DefaultHasher::new();
    (&source.stream, at, text).hash(&mut key);
    let time = |ms| Time::from_millisecond(ms).expect("a time of this era");
    LogLine { at: time(at), ingested: time(at + 900), source: source.clone(), text: text.into(), key: key.finish() }
}
