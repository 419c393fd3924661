//! A session inside a container: its terminal, and the container's logs that go on beside or below it.
//!
//! All keys go to the remote but the leader, which the frame names. The sessions themselves are elsewhere: this view shows one of them, and
//! leaving it ends none.

mod commands;
mod frame;
mod looking;

use super::Pane;
use crate::action::Action;
use crate::exec::keys;
use crate::exec::shells::Shell;
use crate::exec::term::{Mouse, Snapshot};
use crate::feed::{Feed, Wanted};
use crate::keys::{Button, Code, Key, Pointed, Pointing};
use crate::logs::LogView;
use crate::model::LogScope;
use crate::view::{Cx, Kind, Notice, Place, Prompt, Raw, Reaction, Subject, Tone, View};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::time::Duration;

/// The pane.
pub const PANE: Pane = Pane {
    name: "session",
    help: "The terminal of the newest session",
    action: None,
    open: |place, cx| match newest(place, cx) {
        Some(id) => Ok(attach(id)),
        None => Err("no session is open · exec on a task, a container or a service opens one".to_owned()),
    },
};

/// Rows from which logs are shown below the terminal, and columns from which they are beside it.
const ROOM_BELOW: u16 = 26;
const ROOM_BESIDE: u16 = 180;

/// Time before the end of an idle session from which it is counted down.
const WARNED: Duration = Duration::from_mins(5);

/// Opens the terminal of a session.
#[must_use]
pub fn attach(id: u64) -> Box<dyn View> {
    Box::new(ExecView {
        id,
        leader: false,
        zoomed: false,
        whole: false,
        logs_off: false,
        reading: false,
        logs: None,
        looking: None,
        areas: Areas::default(),
        corner: (0, 0),
        cursor: None,
    })
}

/// The newest session to a place: of the container, of the task, of anything.
fn newest(place: &Place, cx: &Cx) -> Option<u64> {
    let fits = |shell: &&Shell| {
        place.task.as_ref().is_none_or(|task| *task == shell.target.task)
            && place.container.as_ref().is_none_or(|name| *name == shell.target.container)
    };
    let mut all = cx.shells.all().iter().rev();
    let found = all.clone().find(|shell| fits(shell) && !shell.over()).or_else(|| all.clone().find(fits));
    // From where nothing fits, the newest of all is meant.
    found.or_else(|| all.find(|shell| !shell.over())).or(cx.shells.all().last()).map(|shell| shell.id)
}

/// Where things were drawn last, from the corner of the screen.
#[derive(Clone, Copy, Default)]
struct Areas {
    terminal: Rect,
    logs: Rect,
}

/// Looking back in the terminal while the session goes on.
struct Looking {
    snapshot: Snapshot,
    /// A text that is being typed to be found.
    search: Option<String>,
    found: String,
    /// Begun by the wheel or the mouse: it ends by itself.
    passing: bool,
    /// Where a button went down.
    pressed: Option<(u16, u16)>,
}

/// An open terminal.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct ExecView {
    id: u64,
    /// The leader was pressed: the next key is for us.
    leader: bool,
    zoomed: bool,
    whole: bool,
    logs_off: bool,
    /// The keys are the logs' now.
    reading: bool,
    /// Of which session they are, and the logs.
    logs: Option<(u64, Box<dyn View>)>,
    looking: Option<Looking>,
    areas: Areas,
    /// Of the view, from which clicks are told.
    corner: (u16, u16),
    cursor: Option<Position>,
}

impl ExecView {
    fn shell<'a>(&self, cx: &Cx<'a>) -> Option<&'a Shell> {
        cx.shells.get(self.id)
    }

    /// The terminal's frame and the logs, in the view's area; the first row is for tabs where there are several.
    fn split(&self, area: Rect, cx: &Cx) -> (Rect, Rect) {
        let tabs = u16::from(cx.shells.all().len() > 1);
        let area = Rect { y: area.y + tabs, height: area.height.saturating_sub(tabs), ..area };
        if self.zoomed || self.logs_off {
            return (area, Rect::default());
        }
        if area.width >= ROOM_BESIDE {
            let width = area.width * 2 / 5;
            return (Rect { width: area.width - width, ..area }, Rect { x: area.x + area.width - width, width, ..area });
        }
        if area.height >= ROOM_BELOW {
            let height = area.height * 3 / 10;
            return (Rect { height: area.height - height, ..area }, Rect { y: area.y + area.height - height, height, ..area });
        }
        // One or the other.
        if self.reading { (Rect::default(), area) } else { (area, Rect::default()) }
    }

    fn send(&self, bytes: Vec<u8>, cx: &Cx) -> Reaction {
        match self.shell(cx) {
            Some(shell) if !shell.over() && !bytes.is_empty() => Reaction::Send(self.id, bytes),
            _ => Reaction::Redraw,
        }
    }

    /// Keys of a session that is over: they can go nowhere.
    fn after_the_end(&self, key: Key) -> Reaction {
        match (key.code, key.typed()) {
            (Code::Enter | Code::Esc, _) | (_, Some('q')) => Reaction::EndSession(self.id),
            (_, Some('r')) => Reaction::SessionAgain(self.id),
            _ => Reaction::Redraw,
        }
    }

    fn key(&mut self, key: Key, cx: &Cx) -> Reaction {
        if std::mem::take(&mut self.leader) {
            return self.command(key, cx);
        }
        if keys::same(key, cx.config.exec.leader) {
            self.leader = true;
            return Reaction::Redraw;
        }
        if self.looking.is_some() {
            return self.look_key(key);
        }
        match self.shell(cx) {
            Some(shell) if shell.over() => self.after_the_end(key),
            Some(shell) => self.send(keys::key(key, shell.term.modes()), cx),
            None => Reaction::Leave,
        }
    }

    fn pointed(&mut self, pointed: Pointed, cx: &Cx) -> Reaction {
        let at = Position { x: pointed.column, y: pointed.row };
        if self.areas.logs.contains(at) && self.looking.as_ref().is_none_or(|looking| looking.pressed.is_none()) {
            return self.pointed_at_logs(pointed, cx);
        }
        let inside = self.areas.terminal.contains(at);
        let (column, row) = self.cell(at);
        let Some(shell) = self.shell(cx) else { return Reaction::Redraw };
        let modes = shell.term.modes();
        // Shift means the terminal's own marking, as everywhere.
        if self.looking.is_none() && inside && !pointed.shift && !shell.over() {
            if modes.mouse != Mouse::Off {
                let bytes = keys::mouse(Pointed { column, row, ..pointed }, modes).unwrap_or_default();
                return self.send(bytes, cx);
            }
            if modes.alternate && matches!(pointed.what, Pointing::WheelUp | Pointing::WheelDown) {
                return self.send(keys::wheel_as_keys(pointed.what == Pointing::WheelUp, modes), cx);
            }
        }
        self.reading &= !(inside && matches!(pointed.what, Pointing::Press(_)));
        self.look_pointed(pointed.what, (column, row), inside, cx)
    }

    /// The cell of the terminal at a place on the screen, or the nearest one.
    fn cell(&self, at: Position) -> (u16, u16) {
        let area = self.areas.terminal;
        let column = at.x.clamp(area.x, area.right().saturating_sub(1).max(area.x)) - area.x;
        let row = at.y.clamp(area.y, area.bottom().saturating_sub(1).max(area.y)) - area.y;
        (column, row)
    }

    fn pointed_at_logs(&mut self, pointed: Pointed, cx: &Cx) -> Reaction {
        let area = self.areas.logs;
        let Some((_, logs)) = &mut self.logs else { return Reaction::Redraw };
        match pointed.what {
            Pointing::WheelUp | Pointing::WheelDown => {
                let action = if pointed.what == Pointing::WheelUp { Action::Up } else { Action::Down };
                for _ in 0..3 {
                    logs.act(action, cx);
                }
            }
            Pointing::Press(Button::Left) => {
                logs.click(pointed.column - area.x, pointed.row - area.y, cx);
                self.reading = true;
            }
            _ => {}
        }
        Reaction::Redraw
    }

    /// The logs of the container, made when they are first seen.
    fn logs(&mut self, cx: &Cx) -> Option<&mut Box<dyn View>> {
        let shell = cx.shells.get(self.id)?;
        if self.logs.as_ref().is_none_or(|(of, _)| *of != self.id) {
            let target = &shell.target;
            let scope = LogScope::Container(target.task.clone(), target.container.clone());
            let mut view = LogView::open(target.ctx, target.cluster.clone(), scope, cx.zone.clone());
            view.sync(cx, &[]);
            self.logs = Some((self.id, view));
        }
        self.logs.as_mut().map(|(_, logs)| logs)
    }

    fn reader(&self) -> Option<&dyn View> {
        self.logs.as_ref().filter(|_| self.reading).map(|(_, logs)| &**logs)
    }
}

fn notice(text: &str) -> Reaction {
    Reaction::Notice(Notice { tone: Tone::Info, text: text.to_owned() })
}

impl View for ExecView {
    fn name(&self) -> &'static str {
        "session"
    }

    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn crumb(&self, cx: &Cx) -> String {
        self.shell(cx).map_or("exec".to_owned(), |shell| {
            let service = shell.target.service.as_ref().map_or(String::new(), |arn| format!("{} › ", arn.name()));
            format!("{} › {service}{} › exec", shell.target.cluster.name(), shell.name())
        })
    }

    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        if let Some(shell) = self.shell(cx) {
            out.push(Wanted::Poll { feed: Feed::Tasks(shell.target.ctx, shell.target.cluster.clone()), focus: true });
        }
        if let Some((_, logs)) = &self.logs {
            logs.wanted(cx, out);
        }
    }

    fn sync(&mut self, cx: &Cx, changed: &[Feed]) {
        // A session that was forgotten meanwhile leaves its place to another.
        if self.shell(cx).is_none()
            && let Some(other) = cx.shells.all().last()
        {
            self.switch(other.id);
        }
        if let Some(logs) = self.logs(cx) {
            logs.sync(cx, changed);
        }
    }

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        if action == Action::NextPane {
            self.reading = false;
            return Reaction::Redraw;
        }
        match &mut self.logs {
            Some((_, logs)) if self.reading => logs.act(action, cx),
            _ => Reaction::Ignored,
        }
    }

    fn filter_words(&self) -> String {
        self.logs.as_ref().map_or_else(String::new, |(_, logs)| logs.filter_words())
    }

    fn input(&mut self, prompt: Prompt, text: &str, done: bool, cx: &Cx) -> Reaction {
        self.logs.as_mut().map_or(Reaction::Ignored, |(_, logs)| logs.input(prompt, text, done, cx))
    }

    fn choose(&mut self, title: &'static str, letter: char, cx: &Cx) -> Reaction {
        self.logs.as_mut().map_or(Reaction::Ignored, |(_, logs)| logs.choose(title, letter, cx))
    }

    fn peel(&mut self, cx: &Cx) -> bool {
        let peeled = self.logs.as_mut().is_some_and(|(_, logs)| logs.peel(cx));
        peeled || std::mem::take(&mut self.reading)
    }

    fn subject(&self, cx: &Cx) -> Subject {
        let Some(shell) = self.shell(cx) else { return Subject::default() };
        let target = &shell.target;
        Subject {
            place: Place {
                ctx: Some(target.ctx),
                cluster: Some(target.cluster.clone()),
                service: target.service.clone(),
                task: Some(target.task.clone()),
                container: Some(target.container.clone()),
                ..Place::default()
            },
            copies: Vec::new(),
            ghost: false,
        }
    }

    fn ages(&self, cx: &Cx) -> Option<u32> {
        let counts = self.shell(cx).is_some_and(|shell| !shell.over() && shell.idle_left(cx.now) <= WARNED + Duration::from_secs(1));
        let logs = self.logs.as_ref().and_then(|(_, logs)| logs.ages(cx));
        counts.then_some(1).or(logs)
    }

    fn tick(&mut self, cx: &Cx) -> bool {
        self.logs.as_mut().is_some_and(|(_, logs)| logs.tick(cx))
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        self.corner = (area.x, area.y);
        self.paint(area, buf, cx);
    }

    fn click(&mut self, column: u16, row: u16, cx: &Cx) -> bool {
        let at = Position { x: self.corner.0 + column, y: self.corner.1 + row };
        if self.areas.logs.contains(at) {
            let area = self.areas.logs;
            return self.logs.as_mut().is_some_and(|(_, logs)| logs.click(at.x - area.x, at.y - area.y, cx));
        }
        std::mem::replace(&mut self.reading, false)
    }

    fn takes_all(&self) -> bool {
        !self.reading
    }

    fn hear(&mut self, raw: Raw, cx: &Cx) -> Reaction {
        match raw {
            Raw::Key(key) => self.key(key, cx),
            Raw::Paste(text) => match self.shell(cx) {
                Some(shell) if self.looking.is_none() && !self.leader => self.send(keys::paste(&text, shell.term.modes()), cx),
                _ => Reaction::Redraw,
            },
            Raw::Pointed(pointed) => self.pointed(pointed, cx),
            Raw::Focus(focused) => match self.shell(cx) {
                Some(shell) if shell.term.modes().focus => self.send(if focused { b"\x1b[I" } else { b"\x1b[O" }.to_vec(), cx),
                _ => Reaction::Ignored,
            },
        }
    }

    fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    fn whole_screen(&self) -> bool {
        self.whole && !self.reading
    }

    fn terminal(&self, area: Rect, cx: &Cx) -> Option<(u64, (u16, u16))> {
        if self.whole_screen() {
            return Some((self.id, (area.width, area.height)));
        }
        let (frame, _) = self.split(area, cx);
        let inner = (frame.width.saturating_sub(2), frame.height.saturating_sub(2));
        // Behind the logs it keeps its size.
        (inner.0 > 0 && inner.1 > 0).then_some((self.id, inner))
    }

    fn keys_line(&self, cx: &Cx) -> Option<Vec<(String, &'static str)>> {
        self.takes_all().then(|| self.keys(cx))
    }

    fn status(&self, cx: &Cx) -> String {
        self.reader().map_or(String::new(), |logs| logs.status(cx))
    }

    fn hints(&self) -> &'static [Action] {
        self.reader().map_or(&[], |logs| logs.hints())
    }

    fn can(&self, action: Action, cx: &Cx) -> Option<bool> {
        match action {
            Action::NextPane | Action::Back => Some(true),
            Action::Exec => None,
            action => self.reader().and_then(|logs| logs.can(action, cx)),
        }
    }
}
