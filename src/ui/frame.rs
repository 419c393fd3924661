//! Borders with a title above and a remark below, and messages in the middle of nothing.

use crate::text;
use crate::theme::{Role, Theme};
use crate::verdict::Verdict;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};

/// A border with its title, and a remark on the lower edge when there is one.
pub fn draw(area: Rect, buf: &mut Buffer, theme: &Theme, title: &str, (remark, role): &(String, Role)) {
    let room = usize::from(area.width.saturating_sub(4));
    let border = theme.style(Role::Border);
    let mut block =
        Block::bordered().border_style(border).title(Line::styled(format!(" {} ", text::fit(title, room)), theme.style(Role::Accent)));
    if !remark.is_empty() {
        block = block.title_bottom(Line::styled(format!(" {} ", text::fit(remark, room)), theme.style(*role)));
    }
    block.render(area, buf);
}

/// Lines in the upper third of an empty area, each wrapped where it must be.
pub fn message(area: Rect, buf: &mut Buffer, theme: &Theme, lines: &[String]) {
    let room = usize::from(area.width.saturating_sub(4)).max(1);
    let mut y = area.y + area.height / 4;
    for (n, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let style = theme.style(if n == 0 { Role::Text } else { Role::Dim });
        for part in wrapped(line, room) {
            if y >= area.bottom() {
                return;
            }
            buf.set_stringn(area.x + 2, y, &part, room, style);
            y += 1;
        }
    }
}

/// A framed box of lines about the row under the cursor.
pub fn preview(area: Rect, buf: &mut Buffer, theme: &Theme, title: &str, lines: Vec<Line<'static>>) {
    let name = title.rsplit('/').next().unwrap_or(title);
    draw(area, buf, theme, name, &(String::new(), Role::Dim));
    for (n, line) in lines.into_iter().take(usize::from(area.height.saturating_sub(2))).enumerate() {
        let y = area.y + 1 + u16::try_from(n).unwrap_or(0);
        buf.set_line(area.x + 2, y, &line, area.width.saturating_sub(4));
    }
}

/// The reason of a verdict under its label, two lines at most.
#[must_use]
pub fn why(label: Span<'static>, verdict: &Verdict, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let indent = " ".repeat(label.width() + 2);
    // Two cells of frame and one blank on either side, two for the sign.
    let room = width.saturating_sub(label.width() + 6).max(20);
    let mut parts = wrapped(&verdict.why, room);
    if parts.len() > 2 {
        let rest = parts.split_off(1).join(" ");
        parts.push(text::fit(&rest, room).into_owned());
    }
    let text = theme.style(Role::Text);
    let sign = Span::styled(format!("{} ", verdict.health.glyph()), theme.style(verdict.health.role()));
    let mut parts = parts.into_iter();
    let mut lines = vec![Line::from(vec![label, sign, Span::styled(parts.next().unwrap_or_default(), text)])];
    lines.extend(parts.map(|part| Line::from(vec![Span::raw(indent.clone()), Span::styled(part, text)])));
    lines
}

/// Breaks a sentence at blanks into lines of at most `room` cells; a longer word is cut.
#[must_use]
pub fn wrapped(sentence: &str, room: usize) -> Vec<String> {
    let (mut lines, mut last) = (Vec::new(), String::new());
    for word in sentence.split(' ') {
        if !last.is_empty() && text::width(&last) + 1 + text::width(word) > room {
            lines.push(std::mem::take(&mut last));
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(&text::fit(word, room));
    }
    lines.push(last);
    lines
}
