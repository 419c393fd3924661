//! The logs pane: from a service, task or container to its streams, from keys to the panel, from what is missing to words.
//!
//! It keeps the streams of tasks that stopped, takes in those of tasks that start, and never waits for either.

mod words;

use super::panel::{Look, Move, Panel, Stamps};
use super::source::MOST_STREAMS;
use super::{Buffer, Key, Paint, Whereabouts, in_scope, whereabouts};
use crate::action::Action;
use crate::config::Timestamps;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, LogScope, LogSources, LogStream, Task, Time};
use crate::view::{Cx, Kind, Notice, Place, Prompt, Reaction, Subject, Tone, View};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer as Screen;
use ratatui::layout::Rect;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// Spans of the keys 2 to 6, in minutes.
const RANGES: [i64; 5] = [1, 5, 15, 30, 60];

/// The logs of a scope.
pub struct LogView {
    ctx: Ctx,
    cluster: Arn,
    scope: LogScope,
    panel: Panel,
    zone: TimeZone,
    /// Every stream seen so far; those of tasks that are gone stay.
    streams: Vec<LogStream>,
    /// Tasks in the order of their hues.
    tasks: Vec<Arn>,
    /// Task definitions that the tasks name.
    definitions: BTreeSet<Arn>,
    /// Containers whose lines are elsewhere, in words.
    elsewhere: Vec<String>,
    /// Containers that have not started, in words.
    not_yet: Vec<String>,
    since: Option<Time>,
    /// What `since` was chosen as.
    range: String,
    live: bool,
    sources: Option<Arc<LogSources>>,
    /// The newest line when news came last, and whether the past had been read by then.
    newest: (Option<Key>, bool),
    lag: Option<i64>,
    area: Rect,
    banner: bool,
    empty: Buffer,
    /// Its number among the parts of a screen.
    number: Option<u8>,
}

impl LogView {
    /// Opens the logs of a scope.
    #[must_use]
    pub fn open(ctx: Ctx, cluster: Arn, scope: LogScope, zone: TimeZone) -> Box<dyn View> {
        Box::new(LogView::new(ctx, cluster, scope, zone))
    }

    /// Opens them as a part of a screen, with its number before the title.
    #[must_use]
    pub fn open_numbered(number: u8, ctx: Ctx, cluster: Arn, scope: LogScope, zone: TimeZone) -> Box<dyn View> {
        let mut view = LogView::new(ctx, cluster, scope, zone);
        view.number = Some(number);
        Box::new(view)
    }

    fn new(ctx: Ctx, cluster: Arn, scope: LogScope, zone: TimeZone) -> Self {
        LogView {
            ctx,
            cluster,
            scope,
            panel: Panel::new(zone.clone()),
            zone,
            streams: Vec::new(),
            tasks: Vec::new(),
            definitions: BTreeSet::new(),
            elsewhere: Vec::new(),
            not_yet: Vec::new(),
            since: None,
            range: String::new(),
            live: false,
            sources: None,
            newest: (None, false),
            lag: None,
            area: Rect::default(),
            banner: false,
            empty: Buffer::default(),
            number: None,
        }
    }

    fn feed(&self) -> Feed {
        Feed::Logs(self.ctx, self.scope.clone())
    }

    /// The task of a scope that is about one, remembered where AWS has forgotten it.
    fn task_in_scope<'a>(&self, cx: &Cx<'a>) -> Option<&'a Arc<Task>> {
        let (LogScope::Task(arn) | LogScope::Container(arn, _)) = &self.scope else { return None };
        cx.store.task(self.ctx, &self.cluster, arn).or_else(|| cx.store.kept(&self.cluster).find(|task| task.arn == *arn))
    }

    /// Whether no more lines can come: all that is read belongs to containers that stopped.
    fn over(&self) -> bool {
        !matches!(self.scope, LogScope::Service(_)) && !self.streams.is_empty() && self.streams.iter().all(|stream| stream.ended)
    }

    fn tasks_in_scope<'a>(&self, cx: &Cx<'a>) -> Vec<&'a Arc<Task>> {
        match &self.scope {
            LogScope::Service(service) => {
                cx.store.tasks_of(self.ctx, &self.cluster, service.name()).iter().filter(|task| in_scope(task, &self.scope)).collect()
            }
            LogScope::Task(_) | LogScope::Container(..) => self.task_in_scope(cx).into_iter().collect(),
        }
    }

    /// Takes over the configuration, once.
    fn begin(&mut self, cx: &Cx) {
        if self.since.is_some() {
            return;
        }
        let settings = &cx.config.logs;
        self.panel.set_stamps(match settings.timestamps {
            Timestamps::Local => Stamps::Local,
            Timestamps::Utc => Stamps::Utc,
            Timestamps::Relative => Stamps::Age,
            Timestamps::Off => Stamps::Off,
        });
        if settings.wrap {
            self.panel.toggle_wrap();
        }
        let span = i64::try_from(settings.range.as_millis()).unwrap_or(i64::MAX);
        self.since = Some(earlier(cx.now, span));
        self.range = words::span(span);
    }

    /// Follows the tasks: streams that are new join, those that ended are marked, none is forgotten.
    fn find_streams(&mut self, cx: &Cx) {
        let since = self.since.unwrap_or(cx.now);
        (self.elsewhere, self.not_yet) = (Vec::new(), Vec::new());
        let mut tasks = self.tasks_in_scope(cx);
        tasks.sort_by_key(|task| task.created_at);
        for task in &tasks {
            let single = !matches!(self.scope, LogScope::Service(_));
            if !single && task.stopped_at.is_some_and(|at| at < since) {
                continue;
            }
            self.definitions.insert(task.task_definition.clone());
            let Some(definition) = cx.store.definition(self.ctx, &task.task_definition) else { continue };
            for place in whereabouts(task, definition, &self.scope) {
                match place {
                    Whereabouts::Stream(stream) => self.join(stream),
                    Whereabouts::NotYet(words) => self.not_yet.push(format!("{} {words}", super::panel::short(task.arn.name()))),
                    Whereabouts::Elsewhere(words) if !self.elsewhere.contains(&words) => self.elsewhere.push(words),
                    Whereabouts::Elsewhere(_) => {}
                }
            }
        }
        // A task that AWS no longer lists is over.
        if cx.store.tasks(self.ctx, &self.cluster).is_some() {
            for stream in &mut self.streams {
                stream.ended |= !tasks.iter().any(|task| task.arn == stream.task);
            }
        }
        self.reach_back(&tasks);
        self.panel.unfold_errors(self.over());
        self.renew();
    }

    /// A single task that stopped before the range begins is what the operator came for: the range begins with it.
    fn reach_back(&mut self, tasks: &[&Arc<Task>]) {
        let (Some(since), [task]) = (self.since, tasks) else { return };
        if matches!(self.scope, LogScope::Service(_)) || self.sources.is_some() {
            return;
        }
        if let (Some(created), Some(stopped)) = (task.created_at, task.stopped_at)
            && stopped < earlier(since, -60_000)
            && created < since
        {
            self.since = Some(created);
            "the task's whole life".clone_into(&mut self.range);
        }
    }

    fn join(&mut self, stream: LogStream) {
        if !self.tasks.contains(&stream.task) {
            self.tasks.push(stream.task.clone());
        }
        match self
            .streams
            .iter_mut()
            .find(|known| (&known.region, &known.group, &known.stream) == (&stream.region, &stream.group, &stream.stream))
        {
            Some(known) => *known = stream,
            None => self.streams.push(stream),
        }
    }

    /// Names what is to be read, when it is something else than before.
    fn renew(&mut self) {
        let Some(since) = self.since.filter(|_| !self.streams.is_empty()) else { return };
        // The newest tasks come last; of too many, those are read that live.
        let mut streams: Vec<LogStream> = self.streams.clone();
        if streams.len() > MOST_STREAMS {
            streams.sort_by_key(|stream| stream.ended);
            streams.truncate(MOST_STREAMS);
        }
        let sources = LogSources { ctx: self.ctx, streams, since, live: self.live, glance: false };
        if self.sources.as_deref() != Some(&sources) {
            self.sources = Some(Arc::new(sources));
        }
    }

    fn set_since(&mut self, since: Time, range: &str, buffer: &Buffer) {
        self.since = Some(since);
        range.clone_into(&mut self.range);
        self.panel.set_since(since.as_millisecond(), buffer);
        self.renew();
    }

    /// The keys 0 to 6.
    fn choose_range(&mut self, number: u8, cx: &Cx, buffer: &Buffer) {
        match number {
            0 => self.set_since(cx.now, "from now on", buffer),
            1 => {
                let first = self.tasks_in_scope(cx).iter().filter_map(|task| task.created_at).min();
                self.set_since(first.unwrap_or_else(|| earlier(cx.now, 86_400_000)), "from the beginning", buffer);
                self.panel.go(Move::Top, buffer);
                return;
            }
            _ => {
                let span = RANGES[usize::from(number - 2).min(RANGES.len() - 1)] * 60_000;
                self.set_since(earlier(cx.now, span), &words::span(span), buffer);
            }
        }
        self.panel.set_follow(true, buffer);
    }

    fn go_to_time(&mut self, text: &str, cx: &Cx, buffer: &Buffer) -> Reaction {
        let zone = if self.panel.stamps() == Stamps::Utc { TimeZone::UTC } else { self.zone.clone() };
        let Some(at) = words::time(text, cx.now, &zone) else {
            return Reaction::Refuse(format!("\"{text}\" is no time: 13:10, 2d1h (ago), 2026-11-21 13:10"));
        };
        if self.since.is_none_or(|since| at < since) {
            self.set_since(at, "chosen", buffer);
        }
        self.panel.go_to(at.as_millisecond(), buffer);
        Reaction::Redraw
    }

    fn move_for(action: Action) -> Option<Move> {
        Some(match action {
            Action::Up => Move::Line(false),
            Action::Down => Move::Line(true),
            Action::HalfPageUp => Move::Half(false),
            Action::HalfPageDown => Move::Half(true),
            Action::PageUp => Move::Page(false),
            Action::PageDown => Move::Page(true),
            Action::Top => Move::Top,
            Action::Bottom => Move::Bottom,
            Action::SearchNext => Move::Match(true),
            Action::SearchPrevious => Move::Match(false),
            Action::NextError => Move::Error(true),
            Action::PreviousError => Move::Error(false),
            _ => return None,
        })
    }

    fn copy(&self, buffer: &Buffer) -> Reaction {
        let keys = self.panel.chosen();
        let text: Vec<&str> = keys.iter().flat_map(|key| buffer.group(key.id)).map(|line| &*line.log.text).collect();
        if text.is_empty() {
            return notice(Tone::Info, "There is no line to copy".to_owned());
        }
        let label = if keys.len() == 1 { "the line".to_owned() } else { format!("{} lines", keys.len()) };
        Reaction::Copy(text.join("\n"), Cow::Owned(label))
    }

    /// The lines that are marked, else all that are shown, with their times and sources.
    fn page(&self, buffer: &Buffer) -> String {
        let keys = if self.panel.marked() > 0 { self.panel.chosen() } else { self.panel.lens().iter().collect() };
        let mut text = String::new();
        for line in keys.iter().flat_map(|key| buffer.group(key.id)) {
            let source = &line.log.source;
            writeln!(text, "{} {}/{} {}", line.log.at, source.task.name(), source.container, line.log.text)
                .expect("a String takes every write");
        }
        text
    }

    fn paint(cx: &Cx) -> Paint {
        Paint::of(cx.theme)
    }

    /// Cells of the longest container name, when there is more than one container.
    fn container_width(&self) -> usize {
        let several = self.streams.windows(2).any(|pair| pair[0].container != pair[1].container);
        if several { self.streams.iter().map(|stream| crate::text::width(&stream.container)).max().unwrap_or(0) } else { 0 }
    }

    /// A failure or a remark above the lines.
    fn remark(&self, cx: &Cx) -> Option<(bool, String)> {
        let tasks = Feed::Tasks(self.ctx, self.cluster.clone());
        let definitions = self
            .definitions
            .iter()
            .filter(|arn| cx.store.definition(self.ctx, arn).is_none())
            .map(|arn| Feed::TaskDefinition(self.ctx, arn.clone()));
        let failed = [self.feed(), tasks].into_iter().chain(definitions).find_map(|feed| cx.store.error(&feed));
        if let Some(error) = failed {
            let hint = if error.hint.is_empty() { String::new() } else { format!(" · {}", error.hint) };
            return Some((true, format!("{}{hint}", error.what)));
        }
        let note = cx.store.tail(&self.feed()).and_then(|buffer| buffer.state().note.clone());
        let many = (self.streams.len() > MOST_STREAMS)
            .then(|| format!("reading {MOST_STREAMS} of {} streams, those of running tasks first", self.streams.len()));
        let elsewhere = self.elsewhere.first().filter(|_| !self.streams.is_empty()).cloned();
        note.map(|note| note.to_string()).or(many).or(elsewhere).map(|note| (false, note))
    }
}

/// A time so many milliseconds earlier.
fn earlier(time: Time, ms: i64) -> Time {
    Time::from_millisecond(time.as_millisecond().saturating_sub(ms)).unwrap_or(time)
}

fn notice(tone: Tone, text: String) -> Reaction {
    Reaction::Notice(Notice { tone, text })
}

impl View for LogView {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn crumb(&self, _cx: &Cx) -> String {
        words::crumb(&self.cluster, &self.scope)
    }

    fn wanted(&self, _cx: &Cx, out: &mut Vec<Wanted>) {
        out.push(Wanted::Poll { feed: Feed::Tasks(self.ctx, self.cluster.clone()), focus: false });
        out.extend(self.definitions.iter().map(|arn| Wanted::Poll { feed: Feed::TaskDefinition(self.ctx, arn.clone()), focus: true }));
        if let Some(sources) = &self.sources {
            out.push(Wanted::Logs { feed: self.feed(), sources: sources.clone() });
        }
    }

    fn sync(&mut self, cx: &Cx, changed: &[Feed]) {
        self.begin(cx);
        let concerns = |feed: &Feed| match feed {
            Feed::Tasks(ctx, cluster) => *ctx == self.ctx && *cluster == self.cluster,
            Feed::TaskDefinition(ctx, arn) => *ctx == self.ctx && self.definitions.contains(arn),
            _ => false,
        };
        if changed.is_empty() || changed.iter().any(concerns) {
            self.find_streams(cx);
        }
        let Some(buffer) = cx.store.tail(&self.feed()) else { return };
        if let Some(since) = self.since {
            self.panel.set_since(since.as_millisecond(), buffer);
        }
        let newest = buffer.heads().back().copied();
        if let (Some(key), (before, true)) = (newest, self.newest)
            && before != newest
        {
            self.lag = Some((cx.now.as_millisecond() - key.at).max(0));
        }
        self.newest = (newest, buffer.state().caught_up);
    }

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        let empty = std::mem::take(&mut self.empty);
        let reaction = self.answer(action, cx, cx.store.tail(&self.feed()).unwrap_or(&empty));
        self.empty = empty;
        reaction
    }

    fn filter_words(&self) -> String {
        "text & text · re:regex · !not · task:id · container:name".to_owned()
    }

    fn input(&mut self, prompt: Prompt, text: &str, done: bool, cx: &Cx) -> Reaction {
        let empty = Buffer::new(0);
        let buffer = cx.store.tail(&self.feed()).unwrap_or(&empty);
        let result = match prompt {
            Prompt::Filter => self.panel.set_filter(text, !done, buffer),
            Prompt::Search => self.panel.set_search(text, !done, buffer).map(|()| {
                if done && !text.is_empty() {
                    self.panel.go_to_match(buffer);
                }
            }),
            Prompt::Time if done && !text.trim().is_empty() => return self.go_to_time(text, cx, buffer),
            Prompt::Save if done && !text.trim().is_empty() => return Reaction::Save(PathBuf::from(text.trim()), self.page(buffer)),
            Prompt::Time | Prompt::Save | Prompt::Image | Prompt::Family | Prompt::Forward => return Reaction::Ignored,
        };
        match result {
            Err(error) if done => Reaction::Refuse(error),
            Ok(()) if done && prompt == Prompt::Search && !text.is_empty() && self.panel.lens().hit(None, true).is_none() => {
                notice(Tone::Info, format!("\"{text}\" is in none of these lines"))
            }
            // Half an expression is not a mistake yet.
            _ => Reaction::Redraw,
        }
    }

    fn peel(&mut self, cx: &Cx) -> bool {
        let empty = Buffer::new(0);
        self.panel.peel(cx.store.tail(&self.feed()).unwrap_or(&empty))
    }

    fn subject(&self, cx: &Cx) -> Subject {
        let buffer = cx.store.tail(&self.feed());
        let line = self.panel.cursor().and_then(|key| buffer?.get(key.id)).map(|line| line.log.source.clone());
        let (service, task, container) = match &self.scope {
            LogScope::Service(service) => (Some(service.clone()), None, None),
            LogScope::Task(task) => (None, Some(task.clone()), None),
            LogScope::Container(task, container) => (None, Some(task.clone()), Some(container.clone())),
        };
        let task = task.or_else(|| line.as_ref().map(|line| line.task.clone()));
        let container = container.or_else(|| line.as_ref().map(|line| line.container.clone()));
        let place = Place { ctx: Some(self.ctx), cluster: Some(self.cluster.clone()), service, task, container, ..Place::default() };
        Subject { place, copies: Vec::new(), ghost: false }
    }

    fn ages(&self, _cx: &Cx) -> Option<u32> {
        self.panel.ages().then_some(1)
    }

    fn draw(&mut self, area: Rect, buf: &mut Screen, cx: &Cx) {
        self.area = area;
        let empty = std::mem::take(&mut self.empty);
        let buffer = cx.store.tail(&self.feed()).unwrap_or(&empty);
        let paint = LogView::paint(cx);
        let remark = self.remark(cx);
        self.banner = remark.is_some();
        let keys = [(Action::Open, "⏎"), (Action::Follow, "F"), (Action::SearchNext, "n"), (Action::SearchPrevious, "N")]
            .map(|(action, usual)| cx.keys.key_of(action, Kind::Text).unwrap_or_else(|| usual.to_owned()));
        let ended = self.ended(cx);
        let look = Look {
            paint: &paint,
            now: cx.now,
            title: &self.title(cx),
            banner: remark.as_ref().map(|(failure, text)| (*failure, text.as_str())),
            reading: self.sources.is_some() && !remark.as_ref().is_some_and(|(failure, _)| *failure),
            ended: ended.as_deref(),
            empty: &self.why_empty(cx, buffer),
            tasks: &self.tasks,
            container: self.container_width(),
            lag: self.lag,
            keys: [&keys[0], &keys[1], &keys[2], &keys[3]],
        };
        self.panel.draw(area, buf, buffer, &look);
        self.empty = empty;
    }

    fn click(&mut self, _column: u16, row: u16, cx: &Cx) -> bool {
        let Some(buffer) = cx.store.tail(&self.feed()) else { return false };
        self.panel.row_at(row, self.area, self.banner).is_some_and(|row| self.panel.click(row, buffer))
    }

    fn status(&self, _cx: &Cx) -> String {
        let mut parts = Vec::new();
        if !self.panel.search().is_empty() {
            parts.push(format!("/{}", self.panel.search()));
        }
        if !self.panel.filter().is_empty() {
            parts.push(format!("&{}", self.panel.filter()));
        }
        if self.panel.lens().context() {
            parts.push("±5".to_owned());
        }
        parts.join("   ")
    }

    fn hints(&self) -> &'static [Action] {
        use Action::{Context, Copy, FilterLines, Follow, JsonMode, Level, MarkLine, Open, Range, Save, Search, Time, Wrap};
        &[Search, FilterLines, Follow, Level, Range(2), Time, Open, JsonMode, Wrap, MarkLine, Copy, Save, Context]
    }

    fn can(&self, action: Action, cx: &Cx) -> Option<bool> {
        let some = cx.store.tail(&self.feed()).is_some_and(|buffer| !buffer.is_empty());
        let keeps_all = self.panel.lens().query().keeps_all();
        match action {
            Action::Back => Some(self.panel.peels()),
            Action::Open | Action::MarkLine | Action::MarkRange | Action::Copy | Action::Save | Action::Search => Some(some),
            Action::FilterLines | Action::Level => Some(some || !keeps_all),
            Action::Context => Some(!keeps_all),
            Action::Unmark => Some(self.panel.marked() > 0),
            Action::Follow | Action::LiveTail => Some(!self.over()),
            Action::Filter | Action::Refresh | Action::Time | Action::Wrap | Action::JsonMode | Action::Timestamps | Action::Range(_) => {
                Some(true)
            }
            action => LogView::move_for(action).map(|_| true).or(match action {
                Action::Left | Action::Right | Action::HalfLeft | Action::HalfRight => Some(true),
                _ => None,
            }),
        }
    }
}

impl LogView {
    fn answer(&mut self, action: Action, cx: &Cx, buffer: &Buffer) -> Reaction {
        if let Some(to) = LogView::move_for(action) {
            if matches!(to, Move::Match(_)) && self.panel.search().is_empty() {
                return Reaction::Ask(Prompt::Search, String::new());
            }
            self.panel.go(to, buffer);
            return Reaction::Redraw;
        }
        match action {
            Action::Left => self.panel.shift_by(-8),
            Action::Right => self.panel.shift_by(8),
            Action::HalfLeft => self.panel.shift_by(-self.panel.half_width()),
            Action::HalfRight => self.panel.shift_by(self.panel.half_width()),
            Action::Open => self.panel.toggle_open(buffer),
            Action::Follow => self.panel.set_follow(!self.panel.follows(), buffer),
            Action::Level => self.panel.cycle_level(buffer),
            Action::Context if self.panel.lens().query().keeps_all() => {
                return notice(Tone::Info, "Context shows the lines around those that a filter keeps; there is no filter".to_owned());
            }
            Action::Context => self.panel.toggle_context(buffer),
            Action::Wrap => self.panel.toggle_wrap(),
            Action::JsonMode => self.panel.cycle_json(buffer),
            Action::Timestamps => self.panel.cycle_stamps(),
            Action::MarkLine => self.panel.toggle_mark(),
            Action::MarkRange => self.panel.toggle_range(buffer),
            Action::Unmark => drop(self.panel.unmark()),
            Action::Range(number) => self.choose_range(number, cx, buffer),
            Action::LiveTail => {
                self.live = !self.live;
                self.renew();
                let text = if self.live {
                    "Following by Live Tail: billed by the minute, and AWS leaves lines out above 500 a second"
                } else {
                    "Following by polling"
                };
                return notice(Tone::Info, text.to_owned());
            }
            Action::Search => return Reaction::Ask(Prompt::Search, self.panel.search().to_owned()),
            Action::FilterLines | Action::Filter => return Reaction::Ask(Prompt::Filter, self.panel.filter().to_owned()),
            Action::Time => return Reaction::Ask(Prompt::Time, String::new()),
            Action::Save => return Reaction::Ask(Prompt::Save, words::file_name(&self.scope, cx.now, &self.zone)),
            Action::Copy => return self.copy(buffer),
            Action::Refresh => return Reaction::Refresh,
            _ => return Reaction::Ignored,
        }
        Reaction::Redraw
    }
}

#[cfg(test)]
mod tests;
