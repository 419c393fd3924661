//! Borders with a title above and a remark below, and messages in the middle of nothing.

use crate::text;
use crate::theme::{Role, Theme};
use crate::ui::cells;
use crate::verdict::Verdict;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// A border with its title, and a remark on the lower edge when there is one.
pub fn draw(area: Rect, buf: &mut Buffer, theme: &Theme, title: &str, remark: &(String, Role)) {
    draw_with(area, buf, theme, title, remark, "");
}

/// The same with a word in the lower right corner, which the remark may shorten itself for but never hides.
pub fn draw_with(area: Rect, buf: &mut Buffer, theme: &Theme, title: &str, (remark, role): &(String, Role), corner: &str) {
    let area = area.intersection(buf.area);
    if area.width < 2 || area.height < 2 {
        return;
    }
    let room = usize::from(area.width.saturating_sub(4));
    border(area, buf, theme.style(Role::Border));
    let (left, right, bottom) = (area.x + 1, area.right() - 1, area.bottom() - 1);
    let inside = usize::from(right - left);
    cells::write(buf, left, area.y, &format!(" {} ", text::fit(title, room)), inside, theme.style(Role::Accent));
    let taken = if corner.is_empty() { 0 } else { text::width(corner) + 3 };
    if !remark.is_empty() && room > taken {
        cells::write(buf, left, bottom, &format!(" {} ", text::fit(remark, room - taken)), inside, theme.style(*role));
    }
    if taken > 0 {
        let corner = format!(" {} ", text::fit(corner, room));
        let at = right.saturating_sub(u16::try_from(text::width(&corner)).unwrap_or(0)).max(left);
        cells::write(buf, at, bottom, &corner, usize::from(right - at), theme.style(Role::Dim));
    }
}

/// The lines around an area of at least two by two cells. What is inside is left as it is, where ratatui's own block goes over every cell.
fn border(area: Rect, buf: &mut Buffer, style: Style) {
    let (first, last) = (area.x, area.right() - 1);
    for (y, [left, middle, right]) in [(area.y, ["┌", "─", "┐"]), (area.bottom() - 1, ["└", "─", "┘"])] {
        let row = buf.index_of(first, y);
        let cells = &mut buf.content[row..row + usize::from(area.width)];
        for cell in &mut *cells {
            cell.set_symbol(middle).set_style(style);
        }
        cells[0].set_symbol(left);
        cells[usize::from(last - first)].set_symbol(right);
    }
    for y in area.y + 1..area.bottom() - 1 {
        for x in [first, last] {
            buf[(x, y)].set_symbol("│").set_style(style);
        }
    }
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
            cells::write(buf, area.x + 2, y, &part, room, style);
            y += 1;
        }
    }
}

/// A framed box of lines about the row under the cursor. What it has no room for, to the right or below, ends in `…`.
pub fn preview(area: Rect, buf: &mut Buffer, theme: &Theme, title: &str, lines: Vec<Line<'static>>) {
    draw(area, buf, theme, title, &(String::new(), Role::Dim));
    let (room, rows) = (area.width.saturating_sub(4), usize::from(area.height.saturating_sub(2)));
    let more = lines.len() > rows;
    for (n, line) in lines.into_iter().take(rows).enumerate() {
        let y = area.y + 1 + u16::try_from(n).unwrap_or(0);
        let width = line.width();
        cells::write_line(buf, area.x + 2, y, &line, room);
        if width > usize::from(room) || (more && n + 1 == rows) {
            let end = u16::try_from(width).unwrap_or(room).min(room.saturating_sub(1));
            cells::write(buf, area.x + 2 + end, y, "…", 1, theme.style(Role::Dim));
        }
    }
}

/// The label of a line in a box about a row.
#[must_use]
pub fn label(word: &str, theme: &Theme) -> Span<'static> {
    Span::styled(format!("{word:<8}"), theme.style(Role::Dim))
}

/// A value behind its label, in one line.
#[must_use]
pub fn field(word: &str, value: &str, width: usize, role: Role, theme: &Theme) -> Line<'static> {
    let value = text::fit(value, width.saturating_sub(13).max(20)).into_owned();
    Line::from(vec![label(word, theme), Span::styled(value, theme.style(role))])
}

/// A sentence under its label, in so many rows as it takes.
#[must_use]
pub fn labelled(label: Span<'static>, sentence: &str, width: usize, role: Role, theme: &Theme) -> Vec<Line<'static>> {
    let indent = " ".repeat(label.width());
    let room = width.saturating_sub(label.width() + 4).max(20);
    let mut labels = std::iter::once(label).chain(std::iter::repeat(Span::raw(indent)));
    let line = |part| Line::from(vec![labels.next().unwrap_or_default(), Span::styled(part, theme.style(role))]);
    wrapped(sentence, room).into_iter().map(line).collect()
}

/// The reason of a verdict under its label.
#[must_use]
pub fn why(label: Span<'static>, verdict: &Verdict, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let indent = " ".repeat(label.width() + 2);
    // Two cells of frame and one blank on either side, two for the sign.
    let room = width.saturating_sub(label.width() + 6).max(20);
    let text = theme.style(Role::Text);
    let sign = Span::styled(format!("{} ", verdict.health.glyph()), theme.style(verdict.health.role()));
    let mut parts = wrapped(&verdict.why, room).into_iter();
    let mut lines = vec![Line::from(vec![label, sign, Span::styled(parts.next().unwrap_or_default(), text)])];
    lines.extend(parts.map(|part| Line::from(vec![Span::raw(indent.clone()), Span::styled(part, text)])));
    lines
}

/// A sentence in at most so many rows; the last one says that there was more.
#[must_use]
pub fn cut(sentence: &str, room: usize, most: usize) -> Vec<String> {
    let mut parts = wrapped(sentence, room);
    if parts.len() > most.max(1) {
        let rest = parts.split_off(most.max(1) - 1).join(" ");
        parts.push(text::fit(&rest, room).into_owned());
    }
    parts
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

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: u16, height: u16, draw: impl Fn(Rect, &mut Buffer, &Theme)) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        draw(area, &mut buf, &Theme::built_in("mono"));
        (0..height).map(|y| (0..width).map(|x| buf[(x, y)].symbol()).collect()).collect()
    }

    #[test]
    fn a_box_says_where_it_was_cut() {
        let lines = |n: usize| vec![Line::from("some words that go on"); n];
        let shown = |n, width| drawn(width, 4, |area, buf, theme| preview(area, buf, theme, "task 1", lines(n)));
        assert_eq!(shown(2, 30)[2], "│ some words that go on      │");
        assert_eq!(shown(3, 30)[2], "│ some words that go on…     │");
        assert_eq!(shown(1, 20)[1], "│ some words that… │");
    }

    #[test]
    fn a_remark_leaves_the_corner_its_words() {
        let remark = ("AccessDenied for everything there is".to_owned(), Role::Warn);
        let shown = drawn(40, 3, |area, buf, theme| draw_with(area, buf, theme, "Clusters", &remark, "2 columns →"));
        assert!(shown[2].contains("AccessDenied") && shown[2].ends_with(" 2 columns → ┘"), "{}", shown[2]);
    }
}
