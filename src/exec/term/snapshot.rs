//! A terminal as it was at one moment, to look around in, to mark and to copy from, while the session goes on below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// A step of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Lines; negative is up.
    Lines(isize),
    /// Columns; negative is left.
    Columns(i32),
    /// By so many halves of the screen.
    Halves(isize),
    /// To the first line of all.
    Top,
    /// To the last line.
    Bottom,
    /// To the first column.
    Home,
    /// To the last column that has text.
    End,
}

/// A line from the oldest one, and a column.
type Spot = (usize, u16);

/// A terminal as it was.
pub struct Snapshot {
    screen: vt100::Screen,
    /// Lines above the screen.
    above: usize,
    rows: usize,
    columns: u16,
    /// The first line that is shown.
    top: usize,
    cursor: Spot,
    mark: Option<Spot>,
    /// Whether whole lines are marked.
    lines: bool,
}

impl Snapshot {
    pub(super) fn of(mut screen: vt100::Screen) -> Snapshot {
        let (rows, columns) = screen.size();
        let (row, column) = screen.cursor_position();
        screen.set_scrollback(usize::MAX);
        let above = screen.scrollback();
        screen.set_scrollback(0);
        let cursor = (above + usize::from(row), column.min(columns - 1));
        Snapshot { screen, above, rows: usize::from(rows), columns, top: above, cursor, mark: None, lines: false }
    }

    /// Lines below what is shown.
    #[must_use]
    pub fn below(&self) -> usize {
        self.above - self.top
    }

    /// All lines.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.above + self.rows
    }

    /// The line of the cursor, from one.
    #[must_use]
    pub fn line(&self) -> usize {
        self.cursor.0 + 1
    }

    /// Whether something is marked.
    #[must_use]
    pub fn marked(&self) -> bool {
        self.mark.is_some()
    }

    /// Moves the cursor, and what is shown with it.
    pub fn go(&mut self, step: Move) {
        let last = self.lines() - 1;
        let (line, column) = self.cursor;
        self.cursor = match step {
            Move::Lines(by) => (line.saturating_add_signed(by).min(last), column),
            Move::Halves(by) => (line.saturating_add_signed(by.saturating_mul(self.rows.div_ceil(2).cast_signed())).min(last), column),
            Move::Columns(by) => (line, u16::try_from((i32::from(column) + by).clamp(0, i32::from(self.columns) - 1)).unwrap_or(0)),
            Move::Top => (0, 0),
            Move::Bottom => (last, column),
            Move::Home => (line, 0),
            Move::End => (line, self.end_of(line)),
        };
        self.top = self.top.min(self.cursor.0).max((self.cursor.0 + 1).saturating_sub(self.rows)).min(self.above);
    }

    /// Moves what is shown, and the cursor only as far as it must.
    pub fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by).min(self.above);
        self.cursor.0 = self.cursor.0.clamp(self.top, self.top + self.rows - 1);
    }

    /// Begins to mark at the cursor, or stops; `lines` for whole lines.
    pub fn mark(&mut self, lines: bool) {
        let same = self.mark.is_some() && self.lines == lines;
        self.mark = if same { None } else { self.mark.or(Some(self.cursor)) };
        self.lines = lines;
    }

    /// Clears the mark. Returns whether there was one.
    pub fn unmark(&mut self) -> bool {
        self.mark.take().is_some()
    }

    /// Puts the cursor at a cell of what is shown.
    pub fn point(&mut self, column: u16, row: u16) {
        self.cursor = (self.top + usize::from(row).min(self.rows - 1), column.min(self.columns - 1));
    }

    /// Where the cursor is in what is shown: column and row.
    #[must_use]
    pub fn cursor(&self) -> (u16, u16) {
        (self.cursor.1, u16::try_from(self.cursor.0 - self.top).unwrap_or(0))
    }

    /// What is marked, or the line of the cursor: rows that the terminal broke are one line again.
    pub fn text(&mut self) -> String {
        let (from, to) = match self.mark {
            Some(mark) => (mark.min(self.cursor), mark.max(self.cursor)),
            None => ((self.cursor.0, 0), (self.cursor.0, self.columns - 1)),
        };
        let whole = self.lines || self.mark.is_none();
        let mut out = String::new();
        for line in from.0..=to.0 {
            let left = if line == from.0 && !whole { from.1 } else { 0 };
            let right = if line == to.0 && !whole { to.1 } else { self.columns - 1 };
            let row = self.show(line);
            let text: String = self.screen.rows(left, right - left + 1).nth(usize::from(row)).unwrap_or_default();
            let broken = self.screen.row_wrapped(row) && right + 1 == self.columns;
            out.extend(if broken { text.as_str() } else { text.trim_end() }.chars().filter(|c| !crate::text::unseen(*c)));
            if line != to.0 && !broken {
                out.push('\n');
            }
        }
        self.screen.set_scrollback(self.above - self.top);
        out
    }

    /// Finds the next line with a text, ignoring case, and goes there. Returns whether there is one.
    pub fn find(&mut self, needle: &str, forward: bool) -> bool {
        let needle = needle.to_lowercase();
        let count = self.lines();
        for step in 1..=count {
            let line = if forward { (self.cursor.0 + step) % count } else { (self.cursor.0 + count - step) % count };
            let row = self.show(line);
            let text = self.screen.rows(0, self.columns).nth(usize::from(row)).unwrap_or_default();
            if let Some(at) = text.to_lowercase().find(&needle) {
                let column = crate::text::width(text.get(..at).unwrap_or_default());
                self.go(Move::Top);
                self.go(Move::Lines(line.cast_signed()));
                self.cursor.1 = u16::try_from(column).unwrap_or(0).min(self.columns - 1);
                self.screen.set_scrollback(self.above - self.top);
                return true;
            }
        }
        self.screen.set_scrollback(self.above - self.top);
        false
    }

    /// Draws what is shown, the mark reversed.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer) {
        self.screen.set_scrollback(self.above - self.top);
        super::draw(&self.screen, area, buf);
        let Some(mark) = self.mark else { return };
        let (from, to) = (mark.min(self.cursor), mark.max(self.cursor));
        for (row, y) in (area.y..area.bottom()).enumerate() {
            let line = self.top + row;
            for (column, x) in (0..self.columns).zip(area.x..area.right()) {
                let inside = if self.lines { (from.0..=to.0).contains(&line) } else { (from..=to).contains(&(line, column)) };
                if inside {
                    buf[(x, y)].modifier.toggle(Modifier::REVERSED);
                }
            }
        }
    }

    /// Brings a line into what the emulator shows, and says in which of its rows.
    fn show(&mut self, line: usize) -> u16 {
        let back = self.above.saturating_sub(line);
        self.screen.set_scrollback(back);
        u16::try_from(line + back - self.above).unwrap_or(0)
    }

    fn end_of(&mut self, line: usize) -> u16 {
        let row = self.show(line);
        let text = self.screen.rows(0, self.columns).nth(usize::from(row)).unwrap_or_default();
        u16::try_from(crate::text::width(text.trim_end()).saturating_sub(1)).unwrap_or(0).min(self.columns - 1)
    }
}
