//! Sessions inside containers, from the key to the end: which container, what is told of a session, its task that stops, and the terminal
//! that follows the screen's size.
//!
//! What is to be done goes out as [`Effect::Session`] and [`Effect::Tell`]; nothing here speaks to a remote.

mod dialog;

pub use dialog::{Answer, ExecDialog};

use super::dialog::Form;
use super::{App, Effect, Overlay};
use crate::change::gate::Asked;
use crate::change::{Target as ChangeTarget, Wish};
use crate::exec::Ask;
use crate::exec::shells::{Heard, Shell, Target};
use crate::exec::term::Mouse;
use crate::feed::{Feed, Wanted};
use crate::keys::Key;
use crate::model::{Task, TaskStatus};
use crate::panes;
use crate::theme::Role;
use crate::view::{Raw, Reaction, Tone};

/// IAM's word for what opens a session.
pub const ACTION: &str = "ecs:ExecuteCommand";

impl App {
    /// Opens the dialog of a session to what the cursor is on.
    pub(super) fn exec(&mut self) {
        let subject = self.subject();
        if subject.ghost {
            return self.tell(Tone::Warn, "exec: this row is gone from AWS's answer");
        }
        match ExecDialog::open(&subject.place, &self.shared.cx()) {
            Ok(dialog) => self.open_exec(dialog),
            Err(why) => self.tell(Tone::Warn, format!("exec: {why}")),
        }
    }

    fn open_exec(&mut self, mut dialog: ExecDialog) {
        dialog.look(&self.shared.cx(), &self.rules);
        self.notice = None;
        self.overlay = Some(Overlay::Exec(Box::new(dialog)));
        self.dirty = true;
    }

    /// Feeds of the open dialog and of all open sessions: a task that stops must be noticed wherever the operator is.
    pub(super) fn want_sessions(&mut self) {
        let mut wanted: Vec<Wanted> = Vec::new();
        if let Some(Overlay::Exec(dialog)) = &self.overlay {
            dialog.wanted(&self.shared.cx(), &mut wanted);
        }
        for shell in self.shared.shells.live() {
            wanted.push(Wanted::Poll { feed: Feed::Tasks(shell.target.ctx, shell.target.cluster.clone()), focus: false });
        }
        for one in wanted {
            if !self.wanted.iter().any(|known| known.feed() == one.feed()) {
                self.wanted.push(one);
            }
        }
    }

    /// The dialog looks again at what was heard.
    pub(super) fn see_sessions(&mut self) {
        if let Some(Overlay::Exec(dialog)) = &mut self.overlay {
            dialog.look(&self.shared.cx(), &self.rules);
            self.dirty = true;
        }
    }

    /// Tells sessions what becomes of their tasks.
    fn see_tasks(&mut self) {
        let mut said = Vec::new();
        let store = &self.shared.store;
        for shell in self.shared.shells.all_mut() {
            let (ctx, cluster, task) = (shell.target.ctx, &shell.target.cluster, &shell.target.task);
            let known = store.task(ctx, cluster, task).or_else(|| store.kept(cluster).find(|kept| kept.arn == *task));
            let stopping = known.and_then(|task| stopping(task));
            if stopping.is_some() && stopping != shell.stopping {
                if shell.stopping.is_none() && !shell.over() {
                    said.push(format!("{}: {}", shell.name(), stopping.as_deref().unwrap_or_default()));
                }
                shell.stopping = stopping;
            }
        }
        for text in said {
            self.tell(Tone::Warn, text);
        }
    }

    /// Sessions whose tasks are over: nothing comes over their channels any more, whether they say so or not.
    pub(super) fn end_stopped(&mut self) -> Vec<Effect> {
        self.see_tasks();
        let store = &self.shared.store;
        let gone = |shell: &&Shell| {
            let target = &shell.target;
            store.task(target.ctx, &target.cluster, &target.task).is_some_and(|task| task.stopped())
        };
        let over: Vec<u64> = self.shared.shells.live().filter(gone).map(|shell| shell.id).collect();
        let mut effects = Vec::new();
        for id in over {
            let end = crate::exec::Said::Ended(crate::exec::End::Closed(None));
            effects.extend(self.heard_session(id, Heard::Said(end)));
            effects.push(Effect::Tell(id, Ask::Leave));
        }
        effects
    }

    /// Takes in what was heard of a session.
    pub(super) fn heard_session(&mut self, id: u64, heard: Heard) -> Vec<Effect> {
        let was_over = self.shared.shells.get(id).is_none_or(Shell::over);
        if was_over {
            // What comes after the end is of no use: the end may be known from elsewhere.
            return Vec::new();
        }
        let news = !matches!(heard, Heard::Said(crate::exec::Said::Output(_)));
        let after = self.shared.shells.heard(id, heard);
        if news {
            self.dirty = true;
            self.sync_sessions();
        }
        let shown = self.shown_session() == Some(id);
        self.dirty |= shown;
        let mut effects = Vec::new();
        if let Some(shell) = self.shared.shells.get_mut(id) {
            // A line of tabs and the status line tell of what is new, once.
            let unseen = shell.unseen && !shown;
            shell.unseen = unseen;
            self.dirty |= unseen;
            if after.ready {
                let (columns, rows) = shell.term.size();
                effects.push(Effect::Tell(id, Ask::Size { columns, rows }));
            }
        }
        if !after.reply.is_empty() {
            effects.push(Effect::Tell(id, Ask::Input(after.reply)));
        }
        if after.bell && shown {
            effects.push(Effect::Ring { bell: true, notify: None });
        }
        if let Some((bad, text)) = after.said {
            self.tell(if bad { Tone::Warn } else { Tone::Info }, text);
        }
        effects
    }

    /// The list of sessions has no feed that would tell it of news.
    fn sync_sessions(&mut self) {
        let cx = self.shared.cx();
        if let Some(view) = self.views.last_mut().filter(|view| view.name() == "sessions") {
            view.sync(&cx, &[]);
        }
    }

    /// The session whose terminal is on screen.
    pub(super) fn shown_session(&self) -> Option<u64> {
        let cx = self.shared.cx();
        self.views.last()?.terminal(self.view_area(), &cx).map(|(id, _)| id)
    }

    /// Gives what a terminal takes to the view.
    pub(super) fn hear_raw(&mut self, raw: Raw) -> Vec<Effect> {
        self.shared.shells.settle();
        let cx = self.shared.cx();
        let reaction = self.views.last_mut().map_or(Reaction::Ignored, |view| view.hear(raw, &cx));
        if let Reaction::Send(id, bytes) = reaction {
            // The screen is as it was: what this does comes back from the remote.
            return self.type_into(id, bytes);
        }
        self.dirty = true;
        let effects = self.react(reaction);
        self.settle_wanted();
        effects
    }

    /// Bytes that the operator typed.
    pub(super) fn type_into(&mut self, id: u64, bytes: Vec<u8>) -> Vec<Effect> {
        let now = self.shared.now;
        let Some(shell) = self.shared.shells.get_mut(id) else { return Vec::new() };
        // Its end may have been counted down.
        self.dirty |= shell.idle_left(now) < crate::exec::IDLE / 2;
        shell.typed(now);
        vec![Effect::Tell(id, Ask::Input(bytes))]
    }

    /// Ends a session, or forgets one that is over; its view shows another one, or is left.
    pub(super) fn end_session(&mut self, id: u64) -> Vec<Effect> {
        let Some(shell) = self.shared.shells.get(id) else { return Vec::new() };
        let (name, over) = (shell.name(), shell.over());
        self.shared.shells.forget(id);
        if self.shared.shells.all().is_empty() {
            // A view of what is gone is no place to come back to.
            self.forward.retain(|view| view.name() != "session");
            if self.views.iter().any(|view| view.name() != "session") {
                self.views.retain(|view| view.name() != "session");
            }
        }
        self.show();
        if over {
            Vec::new()
        } else {
            self.tell(Tone::Info, format!("{name}: the session is being ended"));
            vec![Effect::Tell(id, Ask::Leave)]
        }
    }

    /// Opens the dialog once more for where a session was.
    pub(super) fn session_again(&mut self, id: u64) {
        let Some(target) = self.shared.shells.get(id).map(|shell| shell.target.clone()) else { return };
        match ExecDialog::again(&target, &self.shared.cx()) {
            Ok(dialog) => self.open_exec(dialog),
            Err(why) => self.tell(Tone::Warn, format!("exec: {why}")),
        }
    }

    pub(super) fn exec_key(&mut self, mut dialog: Box<ExecDialog>, key: Key) -> Vec<Effect> {
        match dialog.key(key, &self.shared.cx()) {
            Answer::Stay => {
                dialog.look(&self.shared.cx(), &self.rules);
                self.overlay = Some(Overlay::Exec(dialog));
            }
            Answer::Close => {}
            Answer::Copy(text) => {
                self.overlay = Some(Overlay::Exec(dialog));
                return self.copy(text, "AWS CLI line");
            }
            Answer::Enable(service) => {
                let target = ChangeTarget { ctx: dialog.ctx(), cluster: dialog.cluster().clone(), arn: service };
                self.open_dialog(vec![target], Vec::new(), Form::Fixed(Wish::EnableExec), key.typed());
            }
        }
        Vec::new()
    }

    /// No more keys wait: a session that was asked for by a key that came alone is opened.
    pub(super) fn rest_exec(&mut self) -> Vec<Effect> {
        let Some(Overlay::Exec(dialog)) = &mut self.overlay else { return Vec::new() };
        let Some(target) = dialog.rest() else { return Vec::new() };
        self.overlay = None;
        self.open_session(target)
    }

    fn open_session(&mut self, target: Target) -> Vec<Effect> {
        let now = self.shared.now;
        let asked = Asked { ctx: target.ctx, cluster: Some(&target.cluster), action: ACTION, target: target.task.as_str() };
        if let Err(why) = self.rules.check(asked, now) {
            self.tell(Tone::Warn, format!("exec: {why}"));
            return Vec::new();
        }
        let size = self.size;
        // Its view says what size the terminal has; until then the screen's will do.
        let order = self.shared.shells.open(target, size, now);
        let id = order.id;
        if self.views.last().is_some_and(|view| view.name() == "session") {
            self.views.pop();
        }
        self.push(panes::session::attach(id));
        let size = self.views.last().and_then(|view| view.terminal(self.view_area(), &self.shared.cx())).map_or(size, |(_, size)| size);
        if let Some(shell) = self.shared.shells.get_mut(id) {
            shell.term.resize(size.0, size.1);
        }
        vec![Effect::Session(Box::new(crate::exec::shells::Order { size, ..order }))]
    }

    /// Makes the terminal on screen as large as its place, and hears as much of the mouse as it needs.
    pub(super) fn fit_session(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let area = self.view_area();
        let cx = self.shared.cx();
        let (takes, shown) = self.views.last().map_or((false, None), |view| (view.takes_all(), view.terminal(area, &cx)));
        let mut mouse = if takes { Mouse::Drags } else { Mouse::Clicks };
        let mut title = None;
        if let Some((id, (columns, rows))) = shown
            && let Some(shell) = self.shared.shells.get_mut(id)
        {
            shell.unseen = false;
            if shell.term.resize(columns, rows) {
                self.dirty = true;
                effects.push(Effect::Tell(id, Ask::Size { columns, rows }));
            }
            if takes && shell.term.modes().mouse == Mouse::Moves {
                mouse = Mouse::Moves;
            }
            title = Some((shell.target.ctx, shell.target.cluster.clone(), shell.name()));
        }
        if mouse != self.mouse {
            self.mouse = mouse;
            effects.push(Effect::Mouse(mouse));
        }
        effects.extend(self.name_window(title));
        effects
    }

    /// A shell in production is called so where even another window's list shows it.
    fn name_window(&mut self, shell: Option<(crate::model::Ctx, crate::model::Arn, String)>) -> Option<Effect> {
        use crate::view::Production;
        let wanted = shell.map(|(ctx, cluster, name)| {
            let production = self.shared.cx().production(ctx, Some(&cluster)) != Production::No;
            format!("{}{name} · {}", if production { "PROD " } else { "" }, cluster.name())
        });
        if wanted == self.session_title {
            return None;
        }
        self.session_title.clone_from(&wanted);
        Some(Effect::Title(wanted.unwrap_or_else(|| self.title.clone())))
    }

    /// The sessions that are open though they are not on screen, for the status line.
    pub(super) fn sessions_line(&self) -> Vec<(String, Role)> {
        let shown = self.shown_session();
        let hidden = self.shared.shells.all().iter().filter(|shell| Some(shell.id) != shown);
        // On their own screen they are tabs.
        if self.views.last().is_some_and(|view| view.name() == "session") {
            return Vec::new();
        }
        let span = |shell: &Shell| {
            let (glyph, role) = if shell.over() {
                ("○", Role::Dim)
            } else if shell.stopping.is_some() {
                ("▲", Role::Warn)
            } else {
                ("●", Role::Ok)
            };
            let new = if shell.unseen { "*" } else { "" };
            (format!("{glyph} {}{new}  ", shell.name()), role)
        };
        let spans: Vec<(String, Role)> = hidden.map(span).collect();
        if spans.is_empty() { spans } else { std::iter::once((" exec ".to_owned(), Role::Dim)).chain(spans).collect() }
    }

    /// What quitting would end, sessions and forwards, to be said before it does.
    pub(super) fn what_is_open(&self) -> Option<String> {
        let some = |count: usize, one: &str| match count {
            0 => None,
            1 => Some(format!("a {one}")),
            n => Some(format!("{n} {one}s")),
        };
        let (sessions, forwards) = (self.shared.shells.live().count(), self.shared.store.forwards().live().count());
        let all: Vec<String> = [some(sessions, "session"), some(forwards, "forward")].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(" and "))
    }
}

/// What is known of the end of a task, once that has begun.
fn stopping(task: &Task) -> Option<crate::model::Str> {
    let word = match task.status {
        TaskStatus::Stopped => "the task has stopped",
        TaskStatus::Deactivating | TaskStatus::Stopping | TaskStatus::Deprovisioning => "the task is stopping",
        _ if &*task.desired == "STOPPED" => "the task is being stopped",
        _ => return None,
    };
    let reason = task.stopped_reason.as_deref().or(task.stop_code.as_deref());
    let codes: Vec<String> =
        task.containers.iter().filter_map(|container| Some(format!("{} exit {}", container.name, container.exit_code?))).collect();
    let codes = if codes.is_empty() || !task.stopped() { String::new() } else { format!(" · {}", codes.join(", ")) };
    Some(reason.map_or_else(|| word.into(), |reason| format!("{word}: {reason}{codes}").into()))
}
