//! Draws the visible part of a table, and nothing else.

use super::layout::{Placed, place};
use super::{COUNT, Column, Drawn, TableView};
use crate::text;
use crate::theme::Role;
use crate::ui::age;
use crate::ui::cells;
use crate::ui::frame;
use crate::view::Cx;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Cells to the left of the first column: cursor, mark, blank.
const GUTTER: u16 = 3;

/// Rows of the preview, borders included; one more where the screen is high.
const PREVIEW: u16 = 6;
/// Height from which it is.
const HIGH: u16 = 28;

/// Height below which the preview is left out.
const PREVIEW_FROM: u16 = 17;

impl<R: 'static> TableView<R> {
    pub(super) fn draw_all(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        self.drawn = None;
        let (table, below) = self.split(area);
        self.height = usize::from(table.height.saturating_sub(3));
        self.keep_cursor_visible();
        let shown = place(&self.on_show(), &self.rows.widths, table.width.saturating_sub(2 + GUTTER), self.columns_skipped);
        let (remark, corner) = self.footer(&shown, cx);
        frame::draw_with(table, buf, cx.theme, &self.title(cx), &remark, &corner);
        let inner = inside(table);
        if inner.height == 0 {
            return;
        }
        if self.rows.len() == 0 {
            frame::message(inner, buf, cx.theme, &self.nothing(cx));
            return;
        }
        self.headings(inner, buf, cx, &shown);
        for p in &shown {
            self.rows.tell_apart(self.spec, p.column, p.width, cx);
        }
        for n in 0..self.height.min(self.rows.len().saturating_sub(self.scroll)) {
            let line = Rect { y: inner.y + 1 + u16::try_from(n).unwrap_or(0), height: 1, ..inner };
            self.draw_row(self.scroll + n, line, buf, cx, &shown);
        }
        self.draw_preview(below, buf, cx);
        self.drawn = Some(Drawn { area, columns: shown, scroll: self.scroll, position: self.rows.position() });
    }

    /// Draws the row that the cursor has left, the one that it is on, and the box about that one: a step is answered by what it changed.
    pub(super) fn draw_step(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) -> Option<Vec<u16>> {
        let drawn = self.drawn.take().filter(|drawn| drawn.area == area && drawn.scroll == self.scroll)?;
        let (table, below) = self.split(area);
        let inner = inside(table);
        let mut touched = Vec::new();
        for n in [drawn.position, self.rows.position()] {
            let nth = n.checked_sub(self.scroll).filter(|nth| *nth < self.height)?;
            let line = Rect { y: inner.y + 1 + u16::try_from(nth).ok()?, height: 1, ..inner };
            cells::clear(buf, line, cx.theme.base());
            self.draw_row(n, line, buf, cx, &drawn.columns);
            touched.push(line.y);
        }
        if let Some(below) = below {
            cells::clear(buf, below, cx.theme.base());
            self.draw_preview(Some(below), buf, cx);
            touched.extend(below.top()..below.bottom());
        }
        self.drawn = Some(Drawn { position: self.rows.position(), ..drawn });
        Some(touched)
    }

    /// Where the rows are, and the box about the one under the cursor, if there is room for it.
    fn split(&self, area: Rect) -> (Rect, Option<Rect>) {
        if self.spec.preview.is_none() || area.height < PREVIEW_FROM || self.zoomed || self.rows.len() == 0 {
            return (area, None);
        }
        let height = area.height - PREVIEW - u16::from(area.height >= HIGH);
        (Rect { height, ..area }, Some(Rect { y: area.y + height, height: area.height - height, ..area }))
    }

    fn draw_preview(&self, below: Option<Rect>, buf: &mut Buffer, cx: &Cx) {
        if let (Some(below), Some(preview), Some(row)) = (below, &self.spec.preview, self.rows.cursor()) {
            let lines = (preview.lines)(&self.place, row, usize::from(below.width), cx);
            frame::preview(below, buf, cx.theme, &(preview.title)(row), lines);
        }
    }

    /// Noun, scope and counts: never a number that hides that something is missing.
    fn title(&self, cx: &Cx) -> String {
        let (beside, beside_all) = self.uncounted.map_or((0, 0), |of| self.rows.count(of));
        let (shown, total) = (self.rows.len() - beside, self.rows.total() - beside_all);
        let slots = (self.spec.sources)(&self.place, cx);
        let expected = slots.iter().filter_map(|feed| cx.store.slot(feed)?.expected).sum::<usize>();
        let loading = slots.iter().any(|feed| cx.store.slot(feed).is_none_or(|s| s.value.is_none() && s.error.is_none()));
        let unknown = slots.iter().any(|feed| cx.store.slot(feed).is_some_and(|s| s.value.is_none() && s.error.is_some()));
        let loading_too = if loading { " · loading" } else { "" };
        let count = if expected > total {
            format!("{total} of {expected} · loading")
        } else if loading && total == 0 {
            "loading".to_owned()
        } else if unknown && total == 0 {
            "not known".to_owned()
        } else if shown < total {
            format!("{shown} of {total}{loading_too}")
        } else {
            format!("{total}{loading_too}")
        };
        let part = |on: bool, text: String| if on { text } else { String::new() };
        let query = self.rows.query_text();
        let title = (self.spec.title)(&self.place, cx);
        [
            self.number.map_or_else(String::new, |number| format!("{number} ")),
            if title.contains(COUNT) {
                title.replacen(COUNT, &count, 1)
            } else {
                format!("{} · {count}", title.trim_end_matches('·').trim_end())
            },
            part(!query.is_empty(), format!(" · filter {query}")),
            part(self.rows.marked() > 0, format!(" · {} marked", self.rows.marked())),
            part(self.rows.held, " · order held".to_owned()),
        ]
        .concat()
    }

    /// What failed, or which columns are hidden, said on the lower border; in its corner the rows out of view, and the hidden columns
    /// where a failure took their place.
    fn footer(&self, shown: &[Placed], cx: &Cx) -> ((String, Role), String) {
        let hidden: Vec<&str> =
            self.on_show().iter().filter(|(n, _)| !shown.iter().any(|p| p.column == *n)).map(|(_, c)| c.title).collect();
        let rows = self.out_of_view();
        let Some(failure) = self.failure(cx) else {
            let columns = if hidden.is_empty() { String::new() } else { format!("more columns → {}", hidden.join(" ").to_lowercase()) };
            return ((columns, Role::Dim), rows);
        };
        let columns = if hidden.is_empty() { "" } else { "→ more" };
        let between = if columns.is_empty() || rows.is_empty() { "" } else { " · " };
        let corner = format!("{columns}{between}{rows}");
        ((failure, Role::Warn), corner)
    }

    /// Rows above and below the visible ones: a list that is cut says by how much.
    fn out_of_view(&self) -> String {
        let below = self.rows.len().saturating_sub(self.scroll + self.height);
        match (self.scroll, below) {
            (0, 0) => String::new(),
            (0, below) => format!("↓ {below} more"),
            (above, 0) => format!("↑ {above} more"),
            (above, below) => format!("↑ {above} ↓ {below} more"),
        }
    }

    /// The failure that the rows are oldest by.
    fn failure(&self, cx: &Cx) -> Option<String> {
        let failed = (self.spec.sources)(&self.place, cx).into_iter().filter_map(|feed| {
            let slot = cx.store.slot(&feed)?;
            Some((feed, slot.at, slot.error.as_ref()?))
        });
        // What was never answered has no age; its rows are missing, and it is told where nothing is old.
        let (feed, at, error) = failed.min_by_key(|(_, at, _)| (at.is_none(), *at))?;
        let age = at.map_or_else(String::new, |at| format!("rows are {} old · ", age::since(Some(at), cx.now)));
        let of_several = self.place.ctx.is_none() && cx.fleet.0.len() > 1;
        let context = if of_several { format!("{}: ", cx.fleet.context(feed.ctx()).name) } else { String::new() };
        let hint = if error.hint.is_empty() { String::new() } else { format!(" · {}", error.hint) };
        Some(format!("{context}{age}{}{hint}", error.what))
    }

    fn nothing(&self, cx: &Cx) -> Vec<String> {
        if self.rows.total() > 0 {
            return vec![format!("no row matches {}", self.rows.query_text()), "Esc clears the filter".to_owned()];
        }
        for feed in (self.spec.sources)(&self.place, cx) {
            if let Some(error) = cx.store.error(&feed) {
                return vec![error.what.to_string(), error.hint.to_string()];
            }
            if cx.store.slot(&feed).is_none_or(|slot| slot.value.is_none()) {
                return vec!["loading …".to_owned()];
            }
        }
        vec![(self.spec.empty)(&self.place, cx)]
    }

    fn headings(&self, inner: Rect, buf: &mut Buffer, cx: &Cx, shown: &[Placed]) {
        let (sorted, reversed) = self.rows.order();
        for p in shown {
            let column = &self.spec.columns[p.column];
            let mut title = column.title.to_owned();
            if p.column == sorted && title.len() < usize::from(p.width) {
                title.push(if reversed { '▲' } else { '▼' });
            }
            put(buf, inner.x + GUTTER + p.x, inner.y, &title, p.width, column.right, cx.theme.style(Role::Dim));
        }
    }

    fn draw_row(&self, n: usize, line: Rect, buf: &mut Buffer, cx: &Cx, shown: &[Placed]) {
        let Some(row) = self.rows.get(n) else { return };
        let under_cursor = self.focused && n == self.rows.position();
        let ghost = self.rows.is_ghost(n);
        let over = if under_cursor { cx.theme.style(Role::Selection) } else { Style::new() };
        if under_cursor {
            buf.set_style(line, over);
        }
        let sign = |on: bool, sign: &'static str| if on { sign } else { " " };
        cells::write(buf, line.x, line.y, sign(under_cursor, ">"), 1, cx.theme.style(Role::Accent).patch(over));
        cells::write(buf, line.x + 1, line.y, sign(self.rows.is_marked(n), "+"), 1, cx.theme.style(Role::Accent).patch(over));
        for p in shown {
            let column: &Column<R> = &self.spec.columns[p.column];
            let cell = (column.cell)(row, cx);
            let role = if ghost { Role::Dim } else { cell.role };
            let room = usize::from(p.width);
            let fitted = if cell.keeps_end {
                text::fit_apart(&cell.text, &self.rows.difference(p.column, n), room)
            } else {
                text::fit(&cell.text, room)
            };
            put(buf, line.x + GUTTER + p.x, line.y, &fitted, p.width, column.right, cx.theme.style(role));
        }
        if ghost {
            let word = " gone ";
            let x = line.right().saturating_sub(u16::try_from(word.len()).unwrap_or(0));
            cells::write(buf, x, line.y, word, word.len(), cx.theme.style(Role::Warn).patch(over));
        }
    }
}

/// What is within the lines around a table.
fn inside(table: Rect) -> Rect {
    Rect { x: table.x + 1, y: table.y + 1, width: table.width.saturating_sub(2), height: table.height.saturating_sub(2) }
}

fn put(buf: &mut Buffer, x: u16, y: u16, what: &str, width: u16, right: bool, style: Style) {
    let fitted = text::fit(what, usize::from(width));
    let used = u16::try_from(text::width(&fitted)).unwrap_or(width);
    let x = if right { x + width.saturating_sub(used) } else { x };
    cells::write(buf, x, y, &fitted, usize::from(width), style);
}
