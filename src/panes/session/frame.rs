//! What is drawn around a terminal: whose it is, how it stands, what the keys are, and its neighbours.

use super::{Areas, ExecView, WARNED};
use crate::exec::shells::{Shell, State};
use crate::text;
use crate::theme::Role;
use crate::ui::frame;
use crate::view::{Cx, Production, View};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

/// Glyph and role of a session in a row of tabs.
fn sign(shell: &Shell) -> (&'static str, Role) {
    match &shell.state {
        State::Opening | State::Joining => ("◌", Role::Busy),
        State::Ready if shell.stopping.is_some() => ("▲", Role::Warn),
        State::Ready => ("●", Role::Ok),
        State::Lost { .. } => ("▲", Role::Warn),
        State::Ended(_) => ("○", Role::Dim),
    }
}

/// How a session stands, where that is worth a remark.
fn standing(shell: &Shell, cx: &Cx) -> (String, Role) {
    let left = shell.idle_left(cx.now);
    match &shell.state {
        State::Opening => ("◌ asking ECS for the session".to_owned(), Role::Busy),
        State::Joining => ("◌ connecting · what you type is kept".to_owned(), Role::Busy),
        State::Lost { attempt, why } => (format!("▲ connection lost, try {attempt}: {why}"), Role::Warn),
        State::Ended(_) => ("○ it is over · ⏎ closes · r opens it again".to_owned(), Role::Warn),
        State::Ready => match &shell.stopping {
            Some(stopping) => (format!("▲ {stopping}"), Role::Warn),
            None if left <= WARNED => {
                let seconds = left.as_secs();
                (format!("▲ idle: ECS ends it in {}:{:02} unless you type", seconds / 60, seconds % 60), Role::Warn)
            }
            None if shell.encrypted => ("● encrypted with a key of KMS".to_owned(), Role::Dim),
            None => (String::new(), Role::Dim),
        },
    }
}

impl ExecView {
    pub(super) fn paint(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        self.cursor = None;
        let Some(shell) = self.shell(cx) else {
            self.areas = Areas::default();
            return frame::message(area, buf, cx.theme, &["this session is over and forgotten".to_owned()]);
        };
        if self.whole_screen() {
            self.areas = Areas { terminal: area, logs: Rect::default() };
            self.paint_terminal(shell, area, buf, cx);
            self.paint_last_line(shell, area, buf, cx);
            return;
        }
        let (outer, logs) = self.split(area, cx);
        if cx.shells.all().len() > 1 {
            self.paint_tabs(Rect { height: 1, ..area }, buf, cx);
        }
        if outer.height > 0 {
            let remark = self.remark(shell, cx);
            let corner = if self.reading { "⇥ back to the terminal".to_owned() } else { self.corner(cx) };
            frame::draw_with(outer, buf, cx.theme, &title(shell, cx), &remark, &corner);
            mark(shell, outer, buf, cx);
            let inner =
                Rect { x: outer.x + 1, y: outer.y + 1, width: outer.width.saturating_sub(2), height: outer.height.saturating_sub(2) };
            self.paint_terminal(shell, inner, buf, cx);
            self.areas.terminal = inner;
        }
        self.areas.logs = logs;
        if logs.height > 0
            && let Some(view) = self.logs(cx)
        {
            view.draw(logs, buf, cx);
        }
    }

    fn paint_terminal(&mut self, shell: &Shell, area: Rect, buf: &mut Buffer, cx: &Cx) {
        Clear.render(area, buf);
        let cursor = if let Some(looking) = &mut self.looking {
            looking.snapshot.draw(area, buf);
            Some(looking.snapshot.cursor())
        } else {
            shell.term.draw(area, buf);
            shell.term.cursor().filter(|_| !self.reading && !shell.over())
        };
        self.cursor = cursor.map(|(column, row)| Position { x: area.x + column, y: area.y + row });
        if let State::Ended(why) = &shell.state
            && self.looking.is_none()
        {
            let low = shell.term.cursor().is_some_and(|(_, row)| row >= area.height / 2);
            paint_end(why, low, area, buf, cx);
        }
        self.cursor = self.cursor.filter(|at| area.contains(*at));
    }

    /// What must be said on a screen that has no frame: while a command is awaited, and when something is wrong.
    fn paint_last_line(&self, shell: &Shell, area: Rect, buf: &mut Buffer, cx: &Cx) {
        let (remark, role) = self.remark(shell, cx);
        let quiet = matches!(shell.state, State::Ready) && role == Role::Dim && !self.leader && self.looking.is_none();
        if remark.is_empty() || quiet {
            return;
        }
        let y = area.bottom().saturating_sub(1);
        let room = usize::from(area.width);
        buf.set_stringn(area.x, y, text::pad(&format!(" {remark}"), room), room, cx.theme.style(role));
    }

    fn paint_tabs(&self, line: Rect, buf: &mut Buffer, cx: &Cx) {
        let mut x = line.x + 1;
        for (n, shell) in cx.shells.all().iter().enumerate() {
            let here = shell.id == self.id;
            let (glyph, role) = sign(shell);
            let new = if shell.unseen && !here { "*" } else { "" };
            let name = format!("{} {glyph} {}{new}", n + 1, shell.name());
            let text = if here { format!("[{name}] ") } else { format!(" {name}  ") };
            let role = if here { Role::Accent } else { role };
            let (after, _) = buf.set_stringn(x, line.y, text, usize::from(line.right().saturating_sub(x)), cx.theme.style(role));
            x = after;
        }
    }

    fn remark(&self, shell: &Shell, cx: &Cx) -> (String, Role) {
        if let Some(looking) = &self.looking {
            return (looking.remark(), Role::Accent);
        }
        if self.leader {
            let commands: Vec<String> = self.offered(cx).map(|(key, word)| format!("{key} {word}")).collect();
            let leader = cx.config.exec.leader.label();
            return (format!("{leader} sends itself · {} · ⇥ read the logs", commands.join(" · ")), Role::Accent);
        }
        standing(shell, cx)
    }

    /// The one key that does not go to the remote.
    fn corner(&self, cx: &Cx) -> String {
        if self.leader || self.looking.is_some() { String::new() } else { format!("{} for commands", cx.config.exec.leader.label()) }
    }

    /// The line of keys below.
    pub(super) fn keys(&self, cx: &Cx) -> Vec<(String, &'static str)> {
        let over = self.shell(cx).is_some_and(Shell::over);
        if let Some(looking) = &self.looking {
            return looking.keys();
        }
        if over && !self.leader {
            return vec![("⏎".to_owned(), "close"), ("r".to_owned(), "again"), (format!("{} d", cx.config.exec.leader.label()), "detach")];
        }
        let lead = |key: &str| if self.leader { key.to_owned() } else { format!("{} {key}", cx.config.exec.leader.label()) };
        self.offered(cx).map(|(key, word)| (lead(&key.to_string()), word)).collect()
    }
}

/// Why a session is over, in the rows of its last screen that are farther from what came last.
fn paint_end(why: &str, above: bool, area: Rect, buf: &mut Buffer, cx: &Cx) {
    let room = usize::from(area.width.saturating_sub(4)).max(1);
    let lines = frame::cut(why, room, usize::from(area.height / 2).max(1));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(1).min(area.height);
    let panel = Rect { y: if above { area.y } else { area.bottom() - height }, height, ..area };
    Clear.render(panel, buf);
    buf.set_style(panel, cx.theme.base());
    let rule = "─".repeat(usize::from(panel.width));
    let (ruled, first) = if above { (panel.bottom() - 1, panel.y) } else { (panel.y, panel.y + 1) };
    buf.set_stringn(panel.x, ruled, rule, usize::from(panel.width), cx.theme.style(Role::Border));
    for (line, y) in lines.iter().zip(first..panel.bottom()) {
        buf.set_stringn(panel.x + 1, y, line, room, cx.theme.style(Role::Warn));
    }
}

/// Whose terminal it is.
fn title(shell: &Shell, cx: &Cx) -> String {
    let target = &shell.target;
    let context = cx.fleet.context(target.ctx);
    let service = target.service.as_ref().map_or(String::new(), |arn| format!("{} ", arn.name()));
    let account = cx.account(target.ctx).unwrap_or(target.cluster.account());
    let account = account.get(account.len().saturating_sub(4)..).unwrap_or(account);
    let named = shell.term.title().map_or(String::new(), |title| format!(" · {title}"));
    format!("exec {service}{} · {} · acct …{account} · {} · {}{named}", shell.name(), target.cluster.name(), context.region, context.name)
}

/// The tag of production in the title's line, where it cannot be overlooked.
fn mark(shell: &Shell, area: Rect, buf: &mut Buffer, cx: &Cx) {
    let tag = match cx.production(shell.target.ctx, Some(&shell.target.cluster)) {
        Production::No => return,
        Production::Yes => "▌PROD▐",
        Production::Unknown => "▌PROD?▐",
    };
    let x = area.right().saturating_sub(u16::try_from(text::width(tag)).unwrap_or(0) + 2).max(area.x + 1);
    buf.set_stringn(x, area.y, tag, usize::from(area.right().saturating_sub(x + 1)), cx.theme.style(Role::Prod));
}
