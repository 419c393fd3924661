//! The whole program as a pure function: an event comes in, the state changes, effects go out. No clock, no I/O, no runtime.

mod burst;
mod changes;
mod dialog;
mod draw;
mod event;
mod exec;
mod forwards;
mod history;
mod menu;
mod palette;
mod prompt;
mod shared;
mod undo;
mod verbs;
mod watching;

use crate::action::{ACTIONS, Action, ActionRow, Scope};
use crate::aws::ErrorKind;
use crate::budget::Meter;
use crate::change::apply::Progress;
use crate::change::gate::Rules;
use crate::exec::term::Mouse;
use crate::feed::{Feed, Update, Wanted};
use crate::keys::Key;
use crate::model::{Arn, Ctx, Fleet, Task, Time};
use crate::panes::{self, Pane};
use crate::ui::help::Help;
use crate::verdict;
use crate::view::{Notice, Place, Raw, Reaction, Subject, Tone, View};
use changes::{Changes, Here};
use dialog::{Dialog, Form};
pub use event::{Effect, Event};
use exec::ExecDialog;
use menu::Menu;
use palette::Palette;
use prompt::PromptLine;
pub use shared::Shared;
use std::borrow::Cow;
use std::sync::Arc;

/// What lies over the view and takes the keys.
enum Overlay {
    Dialog(Box<Dialog>),
    Exec(Box<ExecDialog>),
    Help(Help),
    Menu(Menu),
    Palette(Palette),
}

/// What has changed since the view was last brought up to it.
#[derive(Default)]
struct News {
    feeds: Vec<Feed>,
    /// Whether the view wanted any of them when they came: a key may make it want others before it is told.
    wanted: bool,
    /// The cursor has moved since it was found out what the view wants.
    stepped: bool,
}

/// A bookmark: a letter, the pane and its place.
type Bookmark = (char, &'static str, Place);

/// Views kept to go back to.
const HISTORY: usize = 40;

/// Milliseconds that a notice stays on the line.
const NOTICE_MS: i64 = 8000;

/// Seconds after which everything is judged again though nothing was heard. A verdict that was just judged stands for some more: no more than
/// ten in all.
const JUDGE_SECONDS: i64 = 7;

/// Milliseconds within which a second Ctrl-c or q at the first view quits.
const TWICE_MS: i64 = 1000;

/// The program.
pub struct App {
    shared: Shared,
    views: Vec<Box<dyn View>>,
    forward: Vec<Box<dyn View>>,
    overlay: Option<Overlay>,
    prompt: Option<PromptLine>,
    notice: Option<(Notice, Time)>,
    meter: Meter,
    size: (u16, u16),
    dirty: bool,
    /// The second that the last frame was of, if all that has happened since is that the cursor moved.
    moved: Option<i64>,
    quitting: bool,
    asked_to_quit: Option<Time>,
    wanted: Vec<Wanted>,
    heard: News,
    board_stale: bool,
    judged_at: Time,
    bookmarks: Vec<Bookmark>,
    changes: Changes,
    burst: burst::Burst,
    rules: Rules,
    themes: Vec<String>,
    drills: Vec<(String, String)>,
    /// The window's name as it was last asked for, and what a session has put in its place.
    title: String,
    session_title: Option<String>,
    /// What the terminal tells of the mouse.
    mouse: Mouse,
    /// A service to open as soon as its cluster's list names it.
    sought: Option<(Ctx, String)>,
}

impl App {
    /// Opens on a pane. `themes` are the names that the palette offers.
    ///
    /// # Errors
    /// A sentence, when the pane cannot open at the place.
    pub fn open(shared: Shared, pane: &Pane, place: &Place, themes: Vec<String>) -> Result<App, String> {
        let first = (pane.open)(place, &shared.cx())?;
        let mut app = App {
            shared,
            views: vec![first],
            forward: Vec::new(),
            overlay: None,
            prompt: None,
            notice: None,
            meter: Meter::default(),
            size: (80, 24),
            dirty: true,
            moved: None,
            quitting: false,
            asked_to_quit: None,
            wanted: Vec::new(),
            heard: News::default(),
            board_stale: true,
            judged_at: Time::UNIX_EPOCH,
            bookmarks: Vec::new(),
            changes: Changes::default(),
            burst: burst::Burst::default(),
            rules: Rules::default(),
            themes,
            drills: Vec::new(),
            title: "midwatch".to_owned(),
            session_title: None,
            mouse: Mouse::Clicks,
            sought: None,
        };
        app.show();
        Ok(app)
    }

    /// Takes in an event at a time.
    pub fn update(&mut self, event: Event, now: Time) -> Vec<Effect> {
        self.shared.now = now;
        let tells = App::tells_of_landings(&event);
        // A key that moves the cursor says so itself; whatever else makes the screen another is no mere step.
        let (before, step) = (std::mem::take(&mut self.dirty), matches!(event, Event::Key(_)));
        let moved = self.moved.take();
        let mut effects = self.take(event, now);
        if tells {
            effects.extend(self.see_landings());
            effects.extend(self.end_stopped());
        }
        effects.extend(self.fit_session());
        self.moved = moved.filter(|_| if step { self.moved.is_some() } else { !self.dirty });
        self.dirty |= before;
        effects
    }

    fn take(&mut self, event: Event, now: Time) -> Vec<Effect> {
        match event {
            Event::Key(key) => self.count_key(key, App::key),
            Event::Paste(text) => self.paste(&text),
            Event::Burst => {
                self.dropped();
                Vec::new()
            }
            Event::Resize(columns, rows) => {
                self.size = (columns, rows);
                self.dirty = true;
                Vec::new()
            }
            Event::Focus(focused) => {
                let mut effects = vec![Effect::Focused(focused)];
                if self.takes_all() {
                    effects.extend(self.hear_raw(Raw::Focus(focused)));
                }
                effects
            }
            Event::Pointed(pointed) => self.hear_raw(Raw::Pointed(pointed)),
            Event::Session(id, heard) => self.heard_session(id, heard),
            Event::Click(column, row) => self.click(column, row),
            Event::Scroll(lines) => self.scroll(lines),
            Event::Update(update) => {
                self.heard(*update);
                let stopped = self.shared.store.take_stopped();
                let evidence: Vec<Arc<Task>> = stopped.into_iter().filter(|task| !verdict::stopped_normally(task)).collect();
                if evidence.is_empty() { Vec::new() } else { vec![Effect::Keep(evidence)] }
            }
            Event::Recalled(tasks) => {
                self.shared.store.recall(tasks, now);
                self.show();
                Vec::new()
            }
            Event::Rest => {
                self.shut_after_burst();
                let mut effects = self.rest();
                effects.extend(self.rest_exec());
                effects
            }
            Event::Tick => {
                self.tick();
                Vec::new()
            }
            Event::Meter(meter) => {
                self.dirty |= self.meter != meter;
                self.meter = meter;
                Vec::new()
            }
            Event::Said(notice) => {
                self.say(notice);
                Vec::new()
            }
            Event::Theme(theme) => {
                self.shared.theme = *theme;
                self.dirty = true;
                Vec::new()
            }
            Event::Progress(id, progress) => {
                self.progress(id, progress);
                Vec::new()
            }
            Event::Gate(rules) => {
                self.dirty |= self.rules != *rules;
                self.rules = *rules;
                Vec::new()
            }
            Event::Journal(records) => {
                self.shared.store.record(records);
                self.show();
                Vec::new()
            }
            Event::Forward(id, told) => {
                self.heard_forward(id, told);
                Vec::new()
            }
            Event::Terminate => {
                self.quitting = true;
                Vec::new()
            }
        }
    }

    /// Brings the verdicts and the visible view up to what was heard since the last call: once per turn of the loop, not per update.
    pub fn settle(&mut self) {
        if !self.unsettled() {
            return;
        }
        self.moved = None;
        let News { feeds: heard, wanted, .. } = std::mem::take(&mut self.heard);
        let judged = std::mem::take(&mut self.board_stale) && self.judge();
        if !heard.is_empty() {
            self.replan();
            self.see_sessions();
        }
        if judged || wanted || self.wants_any(&heard) {
            let cx = self.shared.cx();
            if let Some(view) = self.views.last_mut() {
                view.sync(&cx, &heard);
            }
            self.dirty = true;
        }
        self.settle_wanted();
        self.open_sought();
    }

    /// Opens the tasks of a service, by its name or ARN, as soon as the list of its cluster is there; says so when it is not in it.
    pub fn find_service(&mut self, ctx: Ctx, name: &str) {
        self.sought = Some((ctx, name.to_owned()));
    }

    /// Offers troubles to start, each with a word about it. Only an embedded AWS has any.
    pub fn offer_drills(&mut self, drills: Vec<(String, String)>) {
        self.drills = drills;
    }

    fn open_sought(&mut self) {
        let Some((ctx, name)) = &self.sought else { return };
        let place = self.subject().place;
        let Some(cluster) = place.cluster else { return };
        let fits = |service: &crate::model::Service| *service.name == **name || service.arn.as_str() == name;
        let found = self.shared.board.of(*ctx, &cluster).iter().find(|row| fits(&row.service)).map(|row| row.service.arn.clone());
        let slot = self.shared.store.slot(&Feed::Services(*ctx, cluster.clone()));
        let complete = slot.is_some_and(|slot| slot.value.is_some() && slot.expected.is_none());
        // A role that may not list may still be allowed to act on what it knows by name.
        let denied =
            slot.is_some_and(|slot| slot.value.is_none() && slot.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Denied));
        let found = found.or_else(|| if denied { self.service_arn(*ctx, &cluster, name) } else { None });
        if found.is_none() && !complete {
            return;
        }
        let (ctx, name) = (*ctx, name.clone());
        self.sought = None;
        match (found, panes::named("tasks")) {
            (Some(service), Some(pane)) => {
                self.go(pane, Some(Place { ctx: Some(ctx), cluster: Some(cluster), service: Some(service), ..Place::default() }));
            }
            _ => self.tell(Tone::Warn, format!("{} has no service {name}: these are the ones it has", cluster.name())),
        }
    }

    /// The ARN that a service of that name has, as soon as the account is known.
    fn service_arn(&self, ctx: Ctx, cluster: &Arn, name: &str) -> Option<Arn> {
        if name.starts_with("arn:") {
            return Some(Arn::from(name));
        }
        let (identity, region) = (self.shared.store.identity(ctx)?, &self.shared.fleet.context(ctx).region);
        let partition = identity.arn.split(':').nth(1)?;
        let arn = format!("arn:{partition}:ecs:{region}:{}:service/{}/{name}", identity.account, cluster.name());
        Some(Arn::from(&*arn))
    }

    fn wants_any(&self, feeds: &[Feed]) -> bool {
        feeds.iter().any(|feed| self.wanted.iter().any(|wanted| wanted.feed() == feed))
    }

    fn judge(&mut self) -> bool {
        self.judged_at = self.shared.now;
        self.shared.board.refresh(&self.shared.store, &self.shared.fleet, self.shared.now)
    }

    /// Brings a view that has just come to the top up to everything that is known.
    fn show(&mut self) {
        self.judge();
        self.board_stale = false;
        self.heard = News::default();
        self.follow_shown();
        let cx = self.shared.cx();
        if let Some(view) = self.views.last_mut() {
            view.sync(&cx, &[]);
        }
        self.dirty = true;
        self.settle_wanted();
    }

    /// What the visible view wants watched, as of the last [`App::settle`] and [`App::follow`].
    #[must_use]
    pub fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Whether the screen no longer shows the state.
    #[must_use]
    pub fn dirty(&self) -> bool {
        self.dirty || !self.heard.feeds.is_empty()
    }

    /// Whether something was heard that neither the verdicts nor the view know yet; see [`App::settle`].
    #[must_use]
    pub fn unsettled(&self) -> bool {
        !self.heard.feeds.is_empty() || self.board_stale
    }

    /// Whether the program is to end.
    #[must_use]
    pub fn quitting(&self) -> bool {
        self.quitting
    }

    /// Seconds until the screen looks different by time alone.
    #[must_use]
    pub fn ages(&self) -> Option<u32> {
        let counts = matches!(&self.overlay, Some(Overlay::Dialog(dialog)) if dialog.counts()) || self.counts_down();
        let notice = (self.notice.is_some() || counts).then_some(1);
        let view = self.views.last().and_then(|view| view.ages(&self.shared.cx()));
        // A release that is followed gets stuck by time alone.
        let followed = self.shared.landings.all().any(crate::landing::Track::runs).then_some(1);
        notice.or(view).or(followed)
    }

    /// Whether keys are text now, not commands.
    #[must_use]
    pub fn typing(&self) -> bool {
        self.prompt.is_some() || self.takes_all() || matches!(self.overlay, Some(Overlay::Palette(_) | Overlay::Help(_)))
    }

    /// Whether a terminal has all keys and all of the mouse.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        self.overlay.is_none() && self.prompt.is_none() && self.views.last().is_some_and(|view| view.takes_all())
    }

    /// The contexts.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        &self.shared.fleet
    }

    fn heard(&mut self, update: Update) {
        let failed = match &update.outcome {
            crate::feed::Outcome::Failed(error) => Some(error.clone()),
            _ => None,
        };
        let asked = matches!(update.outcome, crate::feed::Outcome::Busy);
        let changed = self.shared.store.apply(update);
        // What its list has told already looks no different while one service is asked for once more.
        if changed.is_empty() || (asked && matches!(changed.as_slice(), [Feed::Service(..)])) {
            return;
        }
        if let Some(error) = failed {
            let text = if error.hint.is_empty() { error.what.to_string() } else { format!("{} · {}", error.what, error.hint) };
            let now = self.shared.now;
            self.shared.store.say(now, Notice { tone: Tone::Fail, text });
        }
        let judged_from = |feed: &Feed| {
            let tasks = matches!(feed, Feed::Tasks(..) | Feed::Stopped(..));
            tasks
                || matches!(
                    feed,
                    Feed::Clusters(_) | Feed::Services(..) | Feed::Service(..) | Feed::Targets(..) | Feed::ServiceDeployments(..)
                )
        };
        // A question is no evidence.
        self.board_stale |= !asked && changed.iter().any(judged_from);
        self.heard.wanted |= self.wants_any(&changed);
        self.heard.feeds.extend(changed);
    }

    /// Says what came of an order that nothing on screen follows.
    fn progressed(&mut self, progress: &Progress) {
        match progress {
            Progress::Failed { error, .. } => self.tell(Tone::Fail, error.what.to_string()),
            Progress::Unanswered { found, .. } => self.tell(Tone::Warn, format!("no answer: {found}")),
            Progress::Refused(why) => self.tell(Tone::Warn, why.clone()),
            Progress::Rehearsed(what) => self.tell(Tone::Info, what.clone()),
            _ => {}
        }
    }

    fn tick(&mut self) {
        let now = self.shared.now;
        if self.notice.as_ref().is_some_and(|(_, at)| now.as_millisecond() - at.as_millisecond() > NOTICE_MS) {
            self.notice = None;
            self.dirty = true;
        }
        // Some verdicts change by time alone: a grace ends, a bad event grows old.
        self.board_stale |= now.as_second() - self.judged_at.as_second() >= JUDGE_SECONDS;
        let cx = self.shared.cx();
        self.dirty |= self.views.last_mut().is_some_and(|view| view.tick(&cx));
        // Ages move; only the cells that differ are sent.
        self.dirty |= self.ages().is_some();
    }

    fn say(&mut self, notice: Notice) {
        let now = self.shared.now;
        self.shared.store.say(now, notice.clone());
        self.notice = Some((notice, now));
        self.dirty = true;
    }

    fn tell(&mut self, tone: Tone, text: impl Into<String>) {
        self.say(Notice { tone, text: text.into() });
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        if self.takes_all() {
            return self.hear_raw(Raw::Key(key));
        }
        self.dirty = true;
        if self.overlay.is_some() {
            return self.overlay_key(key);
        }
        if self.prompt.is_some() {
            return self.prompt_key(key);
        }
        if self.changes.still_held(key, self.shared.now) {
            return Vec::new();
        }
        let Some(view) = self.views.last() else { return Vec::new() };
        match self.shared.keys.action(view.kind(), key) {
            Some(action) if changes::verb(action).is_some() => {
                self.change(action, Some(key));
                self.settle_wanted();
                Vec::new()
            }
            Some(action) => self.act(action),
            None => Vec::new(),
        }
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        self.dirty = true;
        if self.takes_all() {
            return self.hear_raw(Raw::Paste(text.to_owned()));
        }
        match (&mut self.overlay, &mut self.prompt) {
            (Some(Overlay::Palette(palette)), _) => palette.paste(text),
            (Some(Overlay::Exec(dialog)), _) => dialog.paste(text),
            (Some(Overlay::Dialog(dialog)), _) => dialog.paste(text, &self.shared.cx()),
            (Some(_), _) => {}
            (None, Some(prompt)) => {
                prompt.paste(text);
                return self.prompt_changed(false);
            }
            (None, None) => self.tell(Tone::Info, "pasted text is not taken as keys · : goes to a pasted ARN or name"),
        }
        Vec::new()
    }

    fn click(&mut self, column: u16, row: u16) -> Vec<Effect> {
        if self.overlay.is_some() || self.prompt.is_some() {
            return Vec::new();
        }
        let body = self.body();
        let (Some(column), Some(row)) = (column.checked_sub(body.x), row.checked_sub(body.y)) else { return Vec::new() };
        let cx = self.shared.cx();
        if let Some(view) = self.views.last_mut().filter(|_| row < body.height) {
            self.dirty |= view.click(column, row, &cx);
        }
        self.settle_wanted();
        Vec::new()
    }

    fn scroll(&mut self, lines: i32) -> Vec<Effect> {
        if self.overlay.is_some() || self.prompt.is_some() {
            return Vec::new();
        }
        let action = if lines < 0 { Action::Up } else { Action::Down };
        (0..lines.unsigned_abs().min(20)).flat_map(|_| self.act(action)).collect()
    }

    /// Does what an action means: the view first, then the program.
    fn act(&mut self, action: Action) -> Vec<Effect> {
        self.dirty = true;
        let reaction = {
            let cx = self.shared.cx();
            match self.views.last_mut() {
                // Esc and q belong to the program, or a view could keep the operator in.
                Some(view) if !matches!(action, Action::Back | Action::Quit | Action::Cancel | Action::Suspend) => view.act(action, &cx),
                _ => Reaction::Ignored,
            }
        };
        // What a step makes wanted can wait for its frame.
        let step = matches!(reaction, Reaction::Moved);
        let effects = match reaction {
            Reaction::Ignored => self.own(action),
            reaction => self.react(reaction),
        };
        self.heard.stepped |= step;
        if !step {
            self.settle_wanted();
        }
        effects
    }

    /// Finds out what a step of the cursor has made wanted, once its frame is drawn. Returns whether that makes the screen another.
    pub fn follow(&mut self) -> bool {
        if !self.heard.stepped {
            return false;
        }
        let (before, dirty) = (self.freshness(), std::mem::take(&mut self.dirty));
        self.settle_wanted();
        let differs = self.dirty || self.freshness() != before;
        self.dirty |= dirty || differs;
        differs
    }

    fn settle_wanted(&mut self) {
        self.heard.stepped = false;
        self.wanted.clear();
        let cx = self.shared.cx();
        if let Some(view) = self.views.last() {
            view.wanted(&cx, &mut self.wanted);
        }
        self.dialog_wants();
        self.want_sessions();
        self.want_landings();
        // What never changes is asked for once in a session, not once in a visit.
        let store = &self.shared.store;
        self.wanted.retain(|wanted| !wanted.feed().lasts() || store.slot(wanted.feed()).is_none_or(|slot| slot.value.is_none()));
        let unheard = |feed: &Feed| store.slot(feed).is_none_or(|slot| slot.value.is_none() && slot.error.is_none());
        let tasks = self.wanted.iter().filter_map(|wanted| match wanted.feed() {
            Feed::Tasks(ctx, cluster) | Feed::Stopped(ctx, cluster) if unheard(&Feed::Tasks(*ctx, cluster.clone())) => {
                Some(((*ctx, cluster.clone()), !unheard(&Feed::Stopped(*ctx, cluster.clone()))))
            }
            _ => None,
        });
        if self.shared.board.wait_for_tasks(tasks.collect()) {
            let cx = self.shared.cx();
            if let Some(view) = self.views.last_mut() {
                view.sync(&cx, &[]);
            }
            (self.dirty, self.moved) = (true, None);
        }
    }

    /// Actions that no view took.
    fn own(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Back => self.back(),
            Action::Quit => self.leave(),
            Action::Cancel => self.ask_to_quit("ctrl-c"),
            Action::Palette => self.overlay = Some(Overlay::Palette(self.palette())),
            Action::Help => self.overlay = Some(Overlay::Help(self.help())),
            Action::HistoryBack => drop(self.step_back()),
            Action::HistoryForward => drop(self.step_forward()),
            Action::LastView => {
                if !self.step_forward() {
                    self.step_back();
                }
            }
            Action::Refresh => return self.refresh(),
            Action::Redraw => return vec![Effect::Repaint],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Copy => self.copy_menu(),
            Action::Bookmark => self.overlay = Some(Overlay::Menu(Menu::bookmark())),
            Action::Bookmarks => self.bookmarks_menu(),
            Action::ActionMenu => self.action_menu(),
            Action::Undo => self.undo(),
            Action::Redo => self.redo(),
            Action::Exec => self.exec(),
            action if changes::verb(action).is_some() => self.change(action, None),
            action => match panes::opened_by(action) {
                Some(pane) => self.go(pane, None),
                None => self.unavailable(action),
            },
        }
        Vec::new()
    }

    /// Whether an action would do something here now: the keys that are offered are those.
    fn works(&self, action: Action, here: &Here) -> bool {
        let Some(view) = self.views.last() else { return false };
        let (cx, behind, subject) = (self.shared.cx(), self.views.len() > 1, &here.subject);
        let own = view.can(action, &cx);
        match action {
            Action::Back => behind || own == Some(true),
            Action::HistoryBack => behind,
            Action::HistoryForward => !self.forward.is_empty(),
            Action::LastView => behind || !self.forward.is_empty(),
            Action::Bookmarks => !self.bookmarks.is_empty(),
            Action::Palette | Action::Help | Action::Quit | Action::Cancel => true,
            Action::Copy => own.unwrap_or(!subject.copies.is_empty()),
            Action::Refresh | Action::Redraw | Action::Suspend | Action::Bookmark => own.unwrap_or(true),
            Action::Undo | Action::Redo => !self.changes.past.is_empty(action == Action::Redo),
            Action::StopTasks if self.tasks_to_choose(here).is_some() => true,
            Action::ActionMenu => changes::any_target(subject),
            Action::Exec => own.unwrap_or_else(|| !subject.ghost && ExecDialog::opens(&subject.place)),
            action if changes::verb(action).is_some() => changes::verb(action).is_some_and(|verb| self.targets(verb, here).is_ok()),
            action => own.unwrap_or_else(|| {
                let opens = |pane: &Pane| (!subject.ghost || pane.name == "logs") && (pane.open)(&subject.place, &cx).is_ok();
                panes::opened_by(action).is_some_and(opens)
            }),
        }
    }

    /// Actions that no key is to be listed for: what is never at work on this screen, and what has nothing to work on now.
    fn idle_actions(&self) -> Vec<Action> {
        let pane = |action| matches!(action, Action::NextPane | Action::PreviousPane | Action::Pane(_) | Action::Zoom);
        let own = |row: &&ActionRow| row.scope != Scope::Global || pane(row.action);
        let here = self.here();
        ACTIONS.iter().filter(own).map(|row| row.action).filter(|action| !self.works(*action, &here)).collect()
    }

    /// Says why a key did nothing: a silent key is a broken key.
    fn unavailable(&mut self, action: Action) {
        let pane = matches!(action, Action::NextPane | Action::PreviousPane | Action::Pane(_) | Action::Zoom);
        let why = if pane { "this screen has one pane" } else { "does nothing on this screen" };
        let key = self.shared.keys.key_of(action, self.kind()).unwrap_or_default();
        self.tell(Tone::Info, format!("{key} {}: {why} · ? shows what works here", action.row().name));
    }

    fn kind(&self) -> crate::action::Kind {
        self.views.last().map_or(crate::action::Kind::Table, |view| view.kind())
    }

    fn react(&mut self, reaction: Reaction) -> Vec<Effect> {
        match reaction {
            Reaction::Ignored | Reaction::Redraw => {}
            Reaction::Moved => self.moved = Some(self.shared.now.as_second()),
            Reaction::Open(view) => self.push(view),
            Reaction::Go(name) => match panes::named(name) {
                Some(pane) => self.go(pane, None),
                None => self.tell(Tone::Fail, format!("there is no pane {name}")),
            },
            Reaction::Choose(title, entries) => self.overlay = Some(Overlay::Menu(Menu::view(title, entries))),
            Reaction::Leave => drop(self.step_back()),
            Reaction::Notice(notice) => self.say(notice),
            Reaction::Copy(text, label) => return self.copy(text, &label),
            Reaction::Ask(prompt, text) => self.prompt = Some(PromptLine::new(prompt, &text)),
            Reaction::Save(path, text) => return vec![Effect::Save(path, text)],
            Reaction::Refuse(why) => match &mut self.prompt {
                Some(line) => line.fault = Some(why),
                None => self.tell(Tone::Warn, why),
            },
            Reaction::Refresh => return self.refresh(),
            Reaction::Forward(target) => return self.forward_to(*target),
            Reaction::EndForward(id) => return self.end_forward(id),
            Reaction::Change(targets, wish) => self.open_dialog(targets, Vec::new(), Form::Fixed(*wish), None),
            Reaction::Send(id, bytes) => return self.type_into(id, bytes),
            Reaction::EndSession(id) => return self.end_session(id),
            Reaction::SessionAgain(id) => self.session_again(id),
        }
        Vec::new()
    }

    /// The keys that do something here, and what a filter may name here.
    fn help(&self) -> Help {
        let columns = self.views.last().map(|view| view.columns()).unwrap_or_default();
        Help::new(self.kind()).without(self.idle_actions()).filtering(&columns)
    }

    fn subject(&self) -> Subject {
        self.views.last().map(|view| view.subject(&self.shared.cx())).unwrap_or_default()
    }

    /// Opens a pane at a place, or at what the cursor is on.
    fn go(&mut self, pane: &'static Pane, place: Option<Place>) {
        let subject = self.subject();
        if place.is_none() && subject.ghost && pane.name != "logs" {
            return self.tell(Tone::Warn, "this row is gone from AWS's answer · its logs may still be there: l");
        }
        let place = place.unwrap_or(subject.place);
        match (pane.open)(&place, &self.shared.cx()) {
            Ok(view) => self.push(view),
            Err(why) => self.tell(Tone::Warn, why),
        }
    }

    fn refresh(&mut self) -> Vec<Effect> {
        let feeds: Vec<Feed> = self.wanted.iter().map(|wanted| wanted.feed().clone()).collect();
        self.tell(Tone::Info, "asking AWS again");
        vec![Effect::Poke(feeds)]
    }

    /// Copies, unless the user wants the terminal's clipboard left alone; then the text is only shown.
    fn copy(&mut self, text: String, label: &str) -> Vec<Effect> {
        if self.shared.config.clipboard {
            return vec![Effect::Copy(text, label.to_owned())];
        }
        self.tell(Tone::Info, format!("{label}: {text}"));
        Vec::new()
    }

    /// The contexts whose credentials do not work now, with what to do about it.
    fn locked_out(&self) -> Vec<(Ctx, Cow<'_, str>)> {
        let of = |ctx: Ctx| {
            let error = self.shared.store.locked_out(ctx)?;
            // What to do comes first: it must not be what a narrow screen cuts off.
            Some((
                ctx,
                if error.hint.is_empty() { error.what.to_string().into() } else { format!("{} · {}", error.hint, error.came()).into() },
            ))
        };
        self.shared.fleet.all().filter_map(of).collect()
    }
}
