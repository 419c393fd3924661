//! What to ask `CloudWatch` Logs for, and when: a pure machine that is told the time and the answers.
//!
//! Streams are read together, a hundred to a call. `FilterLogEvents` refuses the whole call when one stream does not exist, so a batch that
//! is refused is halved until the missing one waits alone. Times of events are AWS's; the clock given here only measures waiting.

use crate::aws::{AwsError, ErrorKind, LogGroup, LogPage, RawEvent};
use crate::feed::TailState;
use crate::model::{LogLine, LogSources, LogStream, Str, Time};
use crate::text::clean_multiline;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Streams that one call may name.
const STREAMS: usize = 100;

/// Milliseconds that every poll reads again, because lines of several hosts do not arrive in order.
const OVERLAP: i64 = 10_000;

/// The most that is read again, when lines arrive later than that.
const LONGEST_OVERLAP: i64 = 60_000;

/// Milliseconds between two polls while lines come.
const POLL: u64 = 2_000;

/// Milliseconds between two polls when it has been quiet for long.
const QUIET: u64 = 10_000;

/// Milliseconds until a denied call is tried again.
const DENIED: u64 = 300_000;

/// Polls that a stream is still read after its container stopped: its last lines arrive late.
const LAST_POLLS: u8 = 4;

/// A log group in its region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Region.
    pub region: Str,
    /// Name.
    pub name: Str,
}

/// A page to ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Whom the answer goes to.
    pub batch: u64,
    /// Log group.
    pub group: Group,
    /// Streams, at most a hundred.
    pub streams: Vec<Str>,
    /// From here on, milliseconds since the epoch.
    pub start: i64,
    /// Up to here; open when there is none.
    pub end: Option<i64>,
    /// Token of the page.
    pub token: Option<String>,
}

/// Streams that are asked for together.
#[derive(Debug)]
struct Batch {
    id: u64,
    group: Group,
    streams: Vec<Str>,
    /// Where the chain of pages under way started, or the next one will.
    start: i64,
    end: Option<i64>,
    token: Option<String>,
    /// Newest event read.
    newest: Option<i64>,
    standing: Standing,
    asked: bool,
    due: u64,
    /// Chains in a row that brought nothing, or calls in a row that failed.
    idle: u32,
    /// Lines of this chain so far.
    fresh: usize,
    ordinals: Ordinals,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The past is being read.
    Reading,
    /// Read up to now.
    Following,
    /// The stream or its group does not exist yet.
    Waiting,
}

/// A stream with how many polls it has outlived its container.
#[derive(Debug)]
struct Member {
    stream: Arc<LogStream>,
    polls_after_end: u8,
}

/// What is known of a log group.
#[derive(Debug, Default)]
struct About {
    members: HashMap<Str, Member>,
    asked: bool,
    arn: Option<Str>,
    retention_days: Option<u32>,
    missing: bool,
    /// Followed by Live Tail: not polled once the gap is read.
    held: bool,
    /// Counts of equal lines of Live Tail.
    ordinals: Ordinals,
}

/// Counts equal lines of one stream and millisecond, so that each keeps an identity of its own. Polls and Live Tail come to the same result,
/// which event ids cannot give: Live Tail has none.
#[derive(Debug, Default)]
struct Ordinals(HashMap<u64, (u32, i64)>);

/// The plan of one tail.
#[derive(Debug, Default)]
pub struct Plan {
    batches: Vec<Batch>,
    groups: HashMap<Group, About>,
    /// Lines sent within the time that polls read again, by key.
    sent: HashMap<u64, i64>,
    since: Option<i64>,
    live: bool,
    glance: bool,
    last: u64,
    overlap: i64,
    newest: i64,
}

impl Plan {
    /// Takes over what is to be read now. New streams are read from `since`; an earlier `since` makes all of them read the time before.
    pub fn take(&mut self, sources: &LogSources, now: u64) {
        let since = sources.since.as_millisecond();
        self.live = sources.live;
        self.glance = sources.glance;
        self.overlap = self.overlap.max(OVERLAP);
        let before = self.since.replace(since);
        self.drop_streams(sources);
        let mut new: HashMap<Group, Vec<Str>> = HashMap::new();
        for stream in &sources.streams {
            let group = Group { region: stream.region.clone(), name: stream.group.clone() };
            let about = self.groups.entry(group.clone()).or_default();
            match about.members.get_mut(&stream.stream) {
                Some(member) if *member.stream == *stream => {}
                Some(member) => member.stream = Arc::new(stream.clone()),
                None => {
                    about.members.insert(stream.stream.clone(), Member { stream: Arc::new(stream.clone()), polls_after_end: 0 });
                    new.entry(group).or_default().push(stream.stream.clone());
                }
            }
        }
        if let Some(before) = before.filter(|before| since < *before) {
            let past = self.groups.iter().map(|(group, about)| {
                (
                    group.clone(),
                    about.members.keys().filter(|name| !new.get(group).is_some_and(|new| new.contains(name))).cloned().collect(),
                )
            });
            let past: Vec<(Group, Vec<Str>)> = past.collect();
            for (group, streams) in past {
                self.add(&group, &streams, since, Some(before), now);
            }
        }
        let mut new: Vec<_> = new.into_iter().collect();
        new.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        for (group, streams) in new {
            self.add(&group, &streams, since, None, now);
        }
    }

    /// Asks everything again at once, as far as nothing is under way.
    pub fn poke(&mut self, now: u64) {
        for batch in &mut self.batches {
            if !self.groups.get(&batch.group).is_some_and(|about| about.held) {
                batch.due = batch.due.min(now);
            }
        }
    }

    /// The requests that are due. Each batch has at most one under way.
    pub fn due(&mut self, now: u64) -> Vec<Request> {
        let due = self.batches.iter_mut().filter(|batch| !batch.asked && batch.due <= now);
        due.map(|batch| {
            batch.asked = true;
            Request {
                batch: batch.id,
                group: batch.group.clone(),
                streams: batch.streams.clone(),
                start: batch.start,
                end: batch.end,
                token: batch.token.clone(),
            }
        })
        .collect()
    }

    /// When the next request is due, unless all are under way.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        self.batches.iter().filter(|batch| !batch.asked && batch.due != u64::MAX).map(|batch| batch.due).min()
    }

    /// Takes a page. Returns its lines that were not sent before.
    pub fn page(&mut self, id: u64, page: LogPage, now: u64) -> Vec<LogLine> {
        let Some(at) = self.batches.iter().position(|batch| batch.id == id) else { return Vec::new() };
        let mut batch = self.batches.swap_remove(at);
        let Some(about) = self.groups.get_mut(&batch.group) else { return Vec::new() };
        about.missing = false;
        batch.newest = batch.newest.max(page.events.iter().map(|event| event.at_ms).max());
        let lines = lines(&about.members, &mut batch.ordinals, page.events);
        let lines = self.fresh(lines);
        batch.fresh += lines.len();
        batch.asked = false;
        batch.token = page.next;
        if batch.token.is_some() {
            // An empty page with a token is no end.
            batch.due = now;
            self.batches.push(batch);
        } else if batch.end.is_none() {
            self.chain_done(batch, now);
        }
        lines
    }

    /// Takes a failure. Returns whether the operator should hear of it: a stream that does not exist yet is none.
    pub fn failed(&mut self, id: u64, error: &AwsError, now: u64) -> bool {
        let Some(at) = self.batches.iter().position(|batch| batch.id == id) else { return false };
        let batch = &mut self.batches[at];
        batch.asked = false;
        batch.idle += 1;
        let wait = [2_000, 4_000, 8_000, 15_000][(batch.idle as usize - 1).min(3)];
        batch.due = now + if error.kind == ErrorKind::Denied { DENIED } else { wait };
        if error.kind != ErrorKind::NotFound {
            return true;
        }
        batch.due = now + wait.min(QUIET);
        batch.standing = Standing::Waiting;
        // A page of an old chain may not be had again.
        batch.token = None;
        batch.ordinals = Ordinals::default();
        if error.what.contains("log stream") && batch.streams.len() > 1 {
            batch.due = now;
            batch.idle = 0;
            let (start, end, group) = (batch.start, batch.end, batch.group.clone());
            let half = batch.streams.split_off(batch.streams.len() / 2);
            self.batches[at].standing = Standing::Reading;
            self.add(&group, &half, start, end, now);
        } else if let Some(about) = self.groups.get_mut(&batch.group) {
            about.missing = !error.what.contains("log stream");
        }
        false
    }

    /// Takes lines of Live Tail. Returns those that were not sent before.
    pub fn events(&mut self, group: &Group, events: Vec<RawEvent>) -> Vec<LogLine> {
        let Some(about) = self.groups.get_mut(group) else { return Vec::new() };
        let newest = events.iter().map(|event| event.at_ms).max();
        let lines = lines(&about.members, &mut about.ordinals, events);
        about.ordinals.forget(newest.unwrap_or(i64::MIN) - LONGEST_OVERLAP);
        for batch in self.batches.iter_mut().filter(|batch| batch.group == *group && batch.end.is_none()) {
            batch.newest = batch.newest.max(newest);
            batch.start = batch.newest.map_or(batch.start, |newest| batch.start.max(newest - self.overlap));
        }
        self.fresh(lines)
    }

    /// Log groups that nobody has asked about; each is named once.
    pub fn undescribed(&mut self) -> Vec<Group> {
        if self.glance {
            return Vec::new();
        }
        let new = self.groups.iter_mut().filter(|(_, about)| !about.asked);
        new.map(|(group, about)| {
            about.asked = true;
            group.clone()
        })
        .collect()
    }

    /// Takes what AWS says of a log group, or that it says nothing.
    pub fn described(&mut self, group: &Group, described: Option<LogGroup>) {
        if let (Some(about), Some(described)) = (self.groups.get_mut(group), described) {
            about.arn = Some(described.arn);
            about.retention_days = described.retention_days;
        }
    }

    /// Whether Live Tail is asked for.
    #[must_use]
    pub fn live(&self) -> bool {
        self.live
    }

    /// Groups of which every stream that exists is read up to now.
    #[must_use]
    pub fn caught_up(&self) -> Vec<Group> {
        let reading: HashSet<&Group> =
            self.batches.iter().filter(|batch| batch.standing == Standing::Reading).map(|batch| &batch.group).collect();
        let mut groups: Vec<Group> = self
            .batches
            .iter()
            .filter(|batch| batch.standing == Standing::Following)
            .map(|batch| &batch.group)
            .filter(|group| !reading.contains(group))
            .cloned()
            .collect();
        groups.sort_by(|a, b| (&a.name, &a.region).cmp(&(&b.name, &b.region)));
        groups.dedup();
        groups
    }

    /// The streams of a group that exist and whose containers run.
    #[must_use]
    pub fn names(&self, group: &Group) -> Vec<Str> {
        let mut names: Vec<Str> = self
            .batches
            .iter()
            .filter(|batch| batch.group == *group && batch.standing == Standing::Following)
            .flat_map(|batch| batch.streams.iter().cloned())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The ARN of a group; put together from a task's when AWS did not tell.
    #[must_use]
    pub fn arn(&self, group: &Group) -> Str {
        let about = self.groups.get(group);
        about.and_then(|about| about.arn.clone()).unwrap_or_else(|| {
            let task = about.and_then(|about| about.members.values().next()).map(|member| member.stream.task.clone());
            let (partition, account) =
                task.as_ref().map_or(("aws", ""), |task| (task.as_str().split(':').nth(1).unwrap_or("aws"), task.account()));
            format!("arn:{partition}:logs:{}:{account}:log-group:{}", group.region, group.name).into()
        })
    }

    /// A group is followed by Live Tail: what was missed while it opened is read once, then it is not polled any more.
    pub fn hold(&mut self, group: &Group, now: u64) {
        if let Some(about) = self.groups.get_mut(group) {
            about.held = true;
        }
        self.batches.iter_mut().filter(|batch| batch.group == *group).for_each(|batch| batch.due = now);
    }

    /// A group is polled again, at once.
    pub fn release(&mut self, group: &Group, now: u64) {
        if let Some(about) = self.groups.get_mut(group) {
            about.held = false;
        }
        self.batches.iter_mut().filter(|batch| batch.group == *group).for_each(|batch| batch.due = now);
    }

    /// How the tail stands, Live Tail aside.
    #[must_use]
    pub fn state(&self) -> TailState {
        let waiting = self.batches.iter().filter(|batch| batch.standing == Standing::Waiting).map(|batch| batch.streams.len()).sum();
        let mut missing: Vec<&Str> = self.groups.iter().filter(|(_, about)| about.missing).map(|(group, _)| &group.name).collect();
        missing.sort_unstable();
        let note =
            missing.first().map(|name| format!("log group {name} does not exist (yet); awslogs-create-group would create it").into());
        TailState {
            caught_up: self.batches.iter().all(|batch| batch.standing != Standing::Reading),
            waiting,
            note,
            retention_days: self.groups.values().filter_map(|about| about.retention_days).min(),
            ..TailState::default()
        }
    }

    fn add(&mut self, group: &Group, streams: &[Str], start: i64, end: Option<i64>, now: u64) {
        for streams in streams.chunks(STREAMS) {
            self.last += 1;
            self.batches.push(Batch {
                id: self.last,
                group: group.clone(),
                streams: streams.to_vec(),
                start,
                end,
                token: None,
                newest: None,
                standing: Standing::Reading,
                asked: false,
                due: now,
                idle: 0,
                fresh: 0,
                ordinals: Ordinals::default(),
            });
        }
    }

    /// Forgets streams that are no longer among the sources. A page under way for them finds nobody.
    fn drop_streams(&mut self, sources: &LogSources) {
        let wanted: HashSet<(&Str, &Str, &Str)> =
            sources.streams.iter().map(|stream| (&stream.region, &stream.group, &stream.stream)).collect();
        for (group, about) in &mut self.groups {
            about.members.retain(|name, _| wanted.contains(&(&group.region, &group.name, name)));
        }
        self.groups.retain(|_, about| !about.members.is_empty());
        for batch in &mut self.batches {
            let members = self.groups.get(&batch.group).map(|about| &about.members);
            batch.streams.retain(|name| members.is_some_and(|members| members.contains_key(name)));
        }
        self.batches.retain(|batch| !batch.streams.is_empty());
    }

    /// A batch is read up to now: it joins the others of its group, and waits for the next poll.
    fn chain_done(&mut self, mut batch: Batch, now: u64) {
        let Some(about) = self.groups.get_mut(&batch.group) else { return };
        let moved = batch.standing == Standing::Following && batch.fresh == 0;
        batch.idle = if moved { batch.idle + 1 } else { 0 };
        batch.standing = Standing::Following;
        batch.fresh = 0;
        batch.ordinals = Ordinals::default();
        batch.start = batch.newest.map_or(batch.start, |newest| batch.start.max(newest - self.overlap));
        batch.due = if about.held { u64::MAX } else { now + (POLL + u64::from(batch.idle) * POLL / 2).min(QUIET) };
        for name in &batch.streams {
            if let Some(member) = about.members.get_mut(name).filter(|member| member.stream.ended) {
                member.polls_after_end = member.polls_after_end.saturating_add(1);
            }
        }
        batch.streams.retain(|name| about.members.get(name).is_some_and(|member| member.polls_after_end < LAST_POLLS));
        if batch.streams.is_empty() {
            return;
        }
        let fits = |other: &&mut Batch| {
            other.group == batch.group
                && other.standing == Standing::Following
                && !other.asked
                && other.token.is_none()
                && other.streams.len() + batch.streams.len() <= STREAMS
        };
        match self.batches.iter_mut().find(fits) {
            None => self.batches.push(batch),
            Some(other) => {
                other.streams.append(&mut batch.streams);
                other.newest = other.newest.max(batch.newest);
                other.start = other.start.max(batch.start);
                other.due = other.due.min(batch.due);
                other.idle = other.idle.min(batch.idle);
            }
        }
    }

    /// Leaves out what was sent before, and remembers the rest for as long as it may come again.
    fn fresh(&mut self, mut lines: Vec<LogLine>) -> Vec<LogLine> {
        lines.retain(|line| self.sent.insert(line.key, line.at.as_millisecond()).is_none());
        for line in &lines {
            self.newest = self.newest.max(line.at.as_millisecond());
            let late = line.ingested.as_millisecond() - line.at.as_millisecond();
            if late > self.overlap {
                self.overlap = late.min(LONGEST_OVERLAP);
            }
        }
        if self.sent.len() > 50_000 {
            // What polls may read again reaches back to their start.
            let oldest = self.batches.iter().map(|batch| batch.start).min().unwrap_or(i64::MAX).min(self.newest - LONGEST_OVERLAP);
            self.sent.retain(|_, at| *at >= oldest);
        }
        lines
    }
}

impl Ordinals {
    /// The identity of a line: stream, time, text, and its number among equals.
    fn key(&mut self, event: &RawEvent) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&event.stream, event.at_ms, &event.text).hash(&mut hasher);
        let (count, _) = self.0.entry(hasher.finish()).and_modify(|(count, _)| *count += 1).or_insert((0, event.at_ms));
        count.hash(&mut hasher);
        hasher.finish()
    }

    fn forget(&mut self, before: i64) {
        if self.0.len() > 10_000 {
            self.0.retain(|_, (_, at)| *at >= before);
        }
    }
}

fn lines(members: &HashMap<Str, Member>, ordinals: &mut Ordinals, events: Vec<RawEvent>) -> Vec<LogLine> {
    let line = |event: RawEvent| {
        let source = members.get(&event.stream)?.stream.clone();
        let (key, at) = (ordinals.key(&event), Time::from_millisecond(event.at_ms).ok()?);
        let ingested = Time::from_millisecond(event.ingested_ms).unwrap_or(at);
        Some(LogLine { at, ingested, source, text: clean_multiline(&event.text), key })
    };
    events.into_iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests;
