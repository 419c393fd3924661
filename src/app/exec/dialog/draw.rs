//! The dialog of a session on the screen.

use super::{Command, ExecDialog, Focus, PLAIN, Weight};
use crate::text;
use crate::theme::{Role, Theme};
use crate::ui::age;
use crate::ui::frame;
use crate::view::{Cx, Production};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

/// Widest dialog: a line of prose is read across no more.
const WIDEST: u16 = 100;

/// Cells of a label.
const LABEL: usize = 11;

/// A choice of a row: its words, and whether it is the one.
type Choice = (String, bool);

impl ExecDialog {
    /// Draws over the screen and returns where the cursor is while a line is filled in.
    pub fn draw(&mut self, screen: Rect, buf: &mut Buffer, cx: &Cx) -> Option<Position> {
        let width = screen.width.saturating_sub(2).min(WIDEST);
        let room = usize::from(width.saturating_sub(4));
        let (body, custom) = self.body(room, cx);
        let wish = u16::try_from(body.len()).unwrap_or(u16::MAX).saturating_add(4);
        let height = wish.min(screen.height.saturating_sub(2)).max(5);
        let area = Rect { x: (screen.width - width) / 2, y: screen.height.saturating_sub(height) / 2, width, height };
        Clear.render(area, buf);
        buf.set_style(area, cx.theme.base());
        let enable = if self.enables().is_some() { " · e enables exec" } else { "" };
        // What a narrow screen cuts off is what matters least.
        let help = format!("⇥ next row · ←→ choose{enable} · esc leaves it · c copies the line");
        let remark = if self.said.is_empty() { (help, Role::Dim) } else { (self.said.clone(), Role::Warn) };
        let rows = usize::from(height.saturating_sub(4));
        self.scroll = self.scroll.min(body.len().saturating_sub(rows));
        let below = body.len().saturating_sub(self.scroll + rows);
        let corner = if below > 0 { format!("{below} more lines: PgDn") } else { String::new() };
        frame::draw_with(area, buf, cx.theme, &self.title(), &remark, &corner);
        self.mark(area, buf, cx.theme);
        for (line, y) in body.iter().skip(self.scroll).take(rows).zip(area.y + 1..) {
            buf.set_line(area.x + 2, y, line, width.saturating_sub(4));
        }
        let last = Rect { x: area.x + 2, y: area.bottom() - 2, width: width.saturating_sub(4), height: 1 };
        self.last_line(last, buf, cx.theme);
        let (row, left) = custom.filter(|_| self.focus == Focus::Custom)?;
        let row = row.checked_sub(self.scroll).filter(|row| *row < rows)?;
        let (x, y) = (area.x + 2 + u16::try_from(left).unwrap_or(0), area.y + 1 + u16::try_from(row).unwrap_or(0));
        Some(self.custom.draw(Rect { x, y, width: (area.right() - 2).saturating_sub(x), height: 1 }, buf, cx.theme))
    }

    fn title(&self) -> String {
        let of = self.service().or_else(|| self.task.clone());
        let of = of.as_ref().map_or("?", |arn| arn.name());
        format!("Exec into {}/{of}", self.cluster.name())
    }

    fn mark(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let tag = match self.production {
            Production::No => return,
            Production::Yes => "▌PROD▐",
            Production::Unknown => "▌PROD?▐",
        };
        let x = area.right().saturating_sub(u16::try_from(text::width(tag)).unwrap_or(0) + 2).max(area.x + 1);
        buf.set_stringn(x, area.y, tag, usize::from(area.right().saturating_sub(x + 1)), theme.style(Role::Prod));
    }

    /// The lines, and in which row and column the command is typed.
    fn body(&self, room: usize, cx: &Cx) -> (Vec<Line<'static>>, Option<(usize, usize)>) {
        let theme = cx.theme;
        let mut lines: Vec<Line> = Vec::new();
        let context = cx.fleet.context(self.ctx);
        let account = Some(self.cluster.account()).filter(|account| !account.is_empty()).unwrap_or("not known");
        let place = format!("{} · account {account} · {} · cluster {}", context.name, context.region, self.cluster.name());
        labelled(&mut lines, "in", &place, Role::Dim, room, theme);
        lines.push(Line::default());
        row(&mut lines, "task", &self.task_choices(cx), self.focus == Focus::Task, room, theme);
        row(&mut lines, "container", &self.container_choices(), self.focus == Focus::Container, room, theme);
        let on_command = matches!(self.focus, Focus::Command | Focus::Custom);
        row(&mut lines, "command", &self.command_choices(), on_command, room, theme);
        let mut custom = None;
        if self.command == Command::Custom {
            custom = Some((lines.len(), LABEL + 2));
            let role = if self.focus == Focus::Custom { Role::Accent } else { Role::Text };
            let shown = text::fit(self.custom.text(), room.saturating_sub(LABEL + 2)).into_owned();
            lines.push(Line::from(vec![Span::raw(" ".repeat(LABEL)), Span::styled(format!("› {shown}"), theme.style(role))]));
        }
        lines.push(Line::default());
        self.check_lines(&mut lines, room, theme);
        labelled(&mut lines, "audit", &self.audit, Role::Dim, room, theme);
        labelled(&mut lines, "will run", &self.cli(cx), Role::Text, room, theme);
        (lines, custom)
    }

    fn task_choices(&self, cx: &Cx) -> Vec<Choice> {
        let word = |task: &std::sync::Arc<crate::model::Task>| {
            let id = task.arn.name();
            let revision = task.task_definition.name().rsplit(':').next().unwrap_or("?").to_owned();
            let health = match &*task.health {
                "UNHEALTHY" => " ✖ unhealthy",
                "HEALTHY" => " ● healthy",
                _ => "",
            };
            let status =
                if task.status == crate::model::TaskStatus::Running { String::new() } else { format!(" {}", task.status.as_str()) };
            let age = age::since(task.started_at.or(task.created_at), cx.now);
            (format!("{} r{revision}{status}{health} {age}", id.get(..8).unwrap_or(id)), Some(&task.arn) == self.task.as_ref())
        };
        self.tasks.iter().map(word).collect()
    }

    fn container_choices(&self) -> Vec<Choice> {
        let containers = self.task().map(|task| task.containers.as_slice()).unwrap_or_default();
        let word = |container: &crate::model::Container| {
            let status = if &*container.status == "RUNNING" { String::new() } else { format!(" {}", container.status) };
            (format!("{}{status}", container.name), Some(&container.name) == self.container.as_ref())
        };
        containers.iter().map(word).collect()
    }

    fn command_choices(&self) -> Vec<Choice> {
        let standard = self.configured == crate::config::ExecSettings::default().command;
        let configured = if standard { "bash, else sh" } else { "as configured" };
        [(configured, Command::Configured), (PLAIN, Command::Plain), ("another", Command::Custom)]
            .map(|(word, command)| (word.to_owned(), command == self.command))
            .into()
    }

    fn check_lines(&self, lines: &mut Vec<Line<'static>>, room: usize, theme: &Theme) {
        let of = |weight| self.checks.iter().filter(move |check| check.weight == weight).map(|check| &*check.what);
        let mut label = "checks";
        let mut put = |text: &str, role| labelled(lines, std::mem::take(&mut label), text, role, room, theme);
        // What is wrong comes first: a small screen shows no more.
        for check in &self.checks {
            let (glyph, role) = match check.weight {
                Weight::Blocker => ("✖", Role::Fail),
                Weight::Warning => ("▲", Role::Warn),
                Weight::Unknown => ("?", Role::Dim),
                Weight::Fine | Weight::Elsewhere | Weight::Reading => continue,
            };
            let fix = if check.fix.is_empty() { String::new() } else { format!(" · {}", check.fix) };
            put(&format!("{glyph} {}{fix}", check.what), role);
        }
        let elsewhere: Vec<&str> = of(Weight::Elsewhere).collect();
        if !elsewhere.is_empty() {
            put(&format!("? cannot be told from here: {} · midwatch doctor says how to look", elsewhere.join(", ")), Role::Dim);
        }
        let reading: Vec<&str> = of(Weight::Reading).collect();
        if !reading.is_empty() {
            put(&format!("◌ reading: {}", reading.join(", ")), Role::Dim);
        }
        for part in packed(of(Weight::Fine).map(|what| format!("● {what}")), room.saturating_sub(LABEL)) {
            put(&part, Role::Dim);
        }
    }

    fn last_line(&self, line: Rect, buf: &mut Buffer, theme: &Theme) {
        let on = self.focus == Focus::Cancel;
        let cancel = if on { "[ Cancel ]" } else { "  Cancel  " };
        let wide = u16::try_from(text::width(cancel)).unwrap_or(0);
        buf.set_string(line.right().saturating_sub(wide), line.y, cancel, theme.style(if on { Role::Selection } else { Role::Dim }));
        let room = usize::from(line.width.saturating_sub(wide + 1));
        let (words, role) = match self.hindered() {
            Some(check) => (format!("cannot be opened: {}", check.what), Role::Fail),
            None => ("x opens it here · ⏎ does not".to_owned(), Role::Accent),
        };
        buf.set_stringn(line.x, line.y, text::fit(&words, room), room, theme.style(role));
    }
}

fn labelled(lines: &mut Vec<Line<'static>>, label: &str, words: &str, role: Role, room: usize, theme: &Theme) {
    for (n, part) in frame::wrapped(words, room.saturating_sub(LABEL).max(8)).into_iter().enumerate() {
        let label = if n == 0 { label } else { "" };
        lines.push(Line::from(vec![
            Span::styled(format!("{label:<LABEL$}"), theme.style(Role::Dim)),
            Span::styled(part, theme.style(role)),
        ]));
    }
}

/// Words side by side in as few lines as they take, none of them broken.
fn packed(words: impl Iterator<Item = String>, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if text::width(line) + text::width(&word) + 2 <= room => {
                line.push_str("  ");
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// A row of choices in as many lines as it takes; of very many only those around the chosen one, with the count.
fn row(lines: &mut Vec<Line<'static>>, label: &str, choices: &[Choice], focused: bool, room: usize, theme: &Theme) {
    const MOST: usize = 6;
    if choices.is_empty() {
        return labelled(lines, label, "none", Role::Dim, room, theme);
    }
    let at = choices.iter().position(|(_, chosen)| *chosen).unwrap_or(0);
    let first = at.saturating_sub(MOST / 2).min(choices.len().saturating_sub(MOST));
    let mut spans = vec![Span::styled(format!("{label:<LABEL$}"), theme.style(Role::Dim))];
    let mut used = LABEL;
    for (word, chosen) in choices.iter().skip(first).take(MOST) {
        let text = format!("{} {word}   ", if *chosen { ">" } else { " " });
        let wide = text::width(&text);
        if used > LABEL && used + wide > room {
            lines.push(Line::from(std::mem::replace(&mut spans, vec![Span::raw(" ".repeat(LABEL))])));
            used = LABEL;
        }
        let role = match (chosen, focused) {
            (true, true) => Role::Selection,
            (true, false) => Role::Accent,
            _ => Role::Text,
        };
        spans.push(Span::styled(text.trim_end().to_owned(), theme.style(role)));
        spans.push(Span::raw("   "));
        used += wide;
    }
    if choices.len() > MOST {
        spans.push(Span::styled(format!("{} of {}", at + 1, choices.len()), theme.style(Role::Dim)));
    }
    lines.push(Line::from(spans));
}
