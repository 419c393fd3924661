//! What the logs pane says: its title, why it is empty, and the times that an operator types.

use super::super::Buffer;
use super::super::panel::short;
use super::LogView;
use crate::feed::Feed;
use crate::model::{Arn, LogScope, Time};
use crate::view::Cx;
use jiff::civil::{DateTime, Time as Clock};
use jiff::tz::TimeZone;

/// Sentences about single containers that an empty pane shows.
const SENTENCES: usize = 6;

impl LogView {
    /// The title in parts, the most important first.
    pub(super) fn title(&self, cx: &Cx) -> Vec<String> {
        let head = match &self.scope {
            LogScope::Service(service) => format!("Logs {}", service.name()),
            LogScope::Task(task) => format!("Logs of task {}", short(task.name())),
            LogScope::Container(task, container) => format!("Logs of {container} in task {}", short(task.name())),
        };
        let mut parts = vec![self.number.map_or(head.clone(), |number| format!("{number} {head}"))];
        if matches!(self.scope, LogScope::Service(_)) && !self.tasks.is_empty() {
            parts.push(if self.tasks.len() == 1 { "1 task".to_owned() } else { format!("{} tasks merged by time", self.tasks.len()) });
        }
        if let Some(since) = self.since {
            let until = self.stopped_at(cx).map_or("now".to_owned(), |at| self.clock(at, cx.now));
            parts.push(format!("{} → {until} ({})", self.clock(since, cx.now), self.range));
        }
        let mut groups: Vec<&str> = self.streams.iter().map(|stream| &*stream.group).collect();
        groups.sort_unstable();
        groups.dedup();
        match groups.as_slice() {
            [] => {}
            [group] => parts.push((*group).to_owned()),
            [group, rest @ ..] => parts.push(format!("{group} +{}", rest.len())),
        }
        parts
    }

    /// When the one task stopped whose lines are read; none while more can come.
    fn stopped_at(&self, cx: &Cx) -> Option<Time> {
        let task = self.task_in_scope(cx).filter(|_| self.over())?;
        task.stopped_at.or(task.stopping_at).filter(|_| task.stopped())
    }

    /// That no more lines come, and since when.
    pub(super) fn ended(&self, cx: &Cx) -> Option<String> {
        let at = self.stopped_at(cx).map_or(String::new(), |at| format!(" {}", self.clock(at, cx.now)));
        self.over().then(|| format!("STOPPED{at}"))
    }

    /// Why there is no line, in the order in which an operator would ask.
    pub(super) fn why_empty(&self, cx: &Cx, buffer: &Buffer) -> Vec<String> {
        if !buffer.is_empty() && !self.panel.lens().query().keeps_all() {
            let query = self.panel.lens().query();
            let filter = if self.panel.filter().is_empty() { String::new() } else { format!(" with & {}", self.panel.filter()) };
            let level = query.level.map_or(String::new(), |level| format!(" at {level} or above"));
            return vec![format!("none of {} lines is shown{filter}{level}", buffer.heads().len()), "esc takes the filter away".to_owned()];
        }
        let tasks = self.tasks_in_scope(cx);
        if self.streams.is_empty() && tasks.is_empty() {
            return self.without_tasks(cx);
        }
        let mut words: Vec<String> = Vec::new();
        let unknown: Vec<&Arn> = self.definitions.iter().filter(|arn| cx.store.definition(self.ctx, arn).is_none()).collect();
        if let Some(definition) = unknown.first() {
            words.push(format!("reading task definition {} …", definition.name()));
        }
        if !self.streams.is_empty() {
            words.push(self.quiet(cx, buffer));
        }
        words.extend(self.not_yet.iter().take(SENTENCES).cloned());
        words.extend(self.elsewhere.iter().take(SENTENCES).cloned());
        if words.is_empty() {
            words.push(format!("no task ran in this time ({})", self.range));
        }
        words
    }

    fn without_tasks(&self, cx: &Cx) -> Vec<String> {
        let feed = Feed::Tasks(self.ctx, self.cluster.clone());
        if cx.store.tasks(self.ctx, &self.cluster).is_none() {
            let what = if cx.store.error(&feed).is_some() { "the tasks are not known" } else { "reading the tasks" };
            return vec![format!("{what} of {} …", self.cluster.name())];
        }
        match &self.scope {
            LogScope::Service(service) => vec![
                format!("service {} has no tasks", service.name()),
                "tasks that stopped more than an hour ago are no longer listed by ECS".to_owned(),
            ],
            LogScope::Task(task) | LogScope::Container(task, _) => vec![
                format!("ECS no longer lists task {}", task.name()),
                "its log streams cannot be told without it; the service's logs may still show them".to_owned(),
            ],
        }
    }

    fn quiet(&self, cx: &Cx, buffer: &Buffer) -> String {
        let state = buffer.state();
        let since = self.since.map_or(String::new(), |since| self.clock(since, cx.now));
        if !state.caught_up {
            return format!("reading since {since} …");
        }
        let kept = state
            .retention_days
            .map_or(String::new(), |days| if days == 1 { " · kept 1 day".to_owned() } else { format!(" · kept {days} days") });
        let waiting = match state.waiting {
            0 => String::new(),
            1 => " · 1 stream not there yet".to_owned(),
            many => format!(" · {many} streams not there yet"),
        };
        format!("no log lines since {since} ({}){kept}{waiting}", self.range)
    }

    fn clock(&self, at: Time, now: Time) -> String {
        let (at, now) = (self.zone.to_datetime(at), self.zone.to_datetime(now));
        let date = if at.date() == now.date() { String::new() } else { format!("{:02}-{:02} ", at.month(), at.day()) };
        format!("{date}{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    }
}

/// The pane's step in the breadcrumb.
pub fn crumb(cluster: &Arn, scope: &LogScope) -> String {
    match scope {
        LogScope::Service(service) => format!("{} › {} › logs", cluster.name(), service.name()),
        LogScope::Task(task) => format!("{} › {} › logs", cluster.name(), short(task.name())),
        LogScope::Container(task, container) => format!("{} › {} › {container} › logs", cluster.name(), short(task.name())),
    }
}

/// A span of milliseconds in words: `15m`, `1h`, `2d`.
pub fn span(ms: i64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => format!("{}s", ms / 1000),
        _ if minutes % 1440 == 0 => format!("{}d", minutes / 1440),
        _ if minutes % 60 == 0 => format!("{}h", minutes / 60),
        _ => format!("{minutes}m"),
    }
}

/// A time as it is typed: on the clock of the zone (`13:10`, the last one), ago (`2d1h`), with a date, or with a zone of its own.
pub fn time(text: &str, now: Time, zone: &TimeZone) -> Option<Time> {
    let text = text.trim();
    if let Some(ago) = crate::duration::parse(text.trim_end_matches("ago").trim_end()) {
        return now.checked_sub(jiff::SignedDuration::try_from(ago).ok()?).ok();
    }
    if let Ok(time) = text.parse::<Time>() {
        return Some(time);
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return zone.to_timestamp(at).ok();
    }
    let clock: Clock = text.parse().ok()?;
    let today = zone.to_datetime(now).date();
    let at = zone.to_timestamp(today.to_datetime(clock)).ok()?;
    if at <= now { Some(at) } else { zone.to_timestamp(today.yesterday().ok()?.to_datetime(clock)).ok() }
}

/// A name for the file that lines are saved to.
pub fn file_name(scope: &LogScope, now: Time, zone: &TimeZone) -> String {
    let what = match scope {
        LogScope::Service(service) => service.name().to_owned(),
        LogScope::Task(task) => short(task.name()).to_owned(),
        LogScope::Container(task, container) => format!("{container}-{}", short(task.name())),
    };
    let safe: String = what.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
    let at = zone.to_datetime(now);
    format!("{safe}-{:04}{:02}{:02}-{:02}{:02}{:02}.log", at.year(), at.month(), at.day(), at.hour(), at.minute(), at.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_type_them() {
        let now: Time = "2026-11-21T12:00:00Z".parse().expect("a time");
        for (typed, meant) in [
            ("11:30", "2026-11-21T11:30:00Z"),
            ("13:10", "2026-11-20T13:10:00Z"),
            ("11:30:15", "2026-11-21T11:30:15Z"),
            ("2d1h", "2026-11-19T11:00:00Z"),
            ("90s ago", "2026-11-21T11:58:30Z"),
            ("2026-11-01 10:00", "2026-11-01T10:00:00Z"),
            ("2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00Z"),
        ] {
            assert_eq!(time(typed, now, &TimeZone::UTC).map(|at| at.to_string()).as_deref(), Some(meant), "{typed}");
        }
        assert_eq!(time("noonish", now, &TimeZone::UTC), None);
    }

    #[test]
    fn spans_are_short_words() {
        assert_eq!([60_000, 900_000, 3_600_000, 5_400_000, 172_800_000, 30_000].map(span), ["1m", "15m", "1h", "90m", "2d", "30s"]);
    }

    #[test]
    fn a_file_name_is_safe_whatever_the_service_is_called() {
        let scope = LogScope::Service(Arn::from("arn:aws:ecs:eu-west-1:1:service/c/che$ck"));
        assert_eq!(file_name(&scope, Time::UNIX_EPOCH, &TimeZone::UTC), "che-ck-19700101-000000.log");
    }
}
