//! The one table: what a pane gives as data (columns, rows, feeds) it turns into a view with cursor, filter, order, marks and scrolling.
//!
//! Rows are sorted and filtered once per change of data or query, never per frame or key; a frame costs what it shows.
//! The cursor and the marks hold identities. A row that vanished under the cursor stays as a ghost until the cursor leaves it.

mod around;
mod draw;
mod layout;
mod rows;
#[cfg(test)]
mod tests;

use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::filter;
use crate::model::{Str, Time};
use crate::theme::Role;
use crate::verdict::Health;
use crate::view::{Cx, Kind, Place, Prompt, Reaction, Subject, View};
pub(crate) use around::of_table;
use layout::Placed;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use rows::Rows;
use std::borrow::Cow;

/// What a table watches, given its place, the rows on screen and the one under the cursor.
pub type Watches<R> = fn(&Place, &Cx, &[&R], Option<&R>, &mut Vec<Wanted>);

/// The box below a table about the row under the cursor.
pub struct Preview<R: 'static> {
    /// What the row is, in words: a raw id tells nobody anything.
    pub title: fn(&R) -> String,
    /// Its lines, for a box of so many cells, the most telling first.
    pub lines: fn(&Place, &R, usize, &Cx) -> Vec<Line<'static>>,
}

/// Where a title wants the counts of its rows; one without it has them at its end.
pub const COUNT: &str = "{n}";

/// A pane of rows, as data.
pub struct TableSpec<R: 'static> {
    /// The pane's name.
    pub name: &'static str,
    /// Its step in the breadcrumb.
    pub crumb: fn(&Place, &Cx) -> String,
    /// The title's noun and scope, as in `Services payments-prod`; counts are added, at [`COUNT`] where it has one.
    pub title: fn(&Place, &Cx) -> String,
    /// Columns from left to right; the first stays when the others scroll.
    pub columns: &'static [Column<R>],
    /// Column that rows are ordered by at first.
    pub order: usize,
    /// What to watch, given the rows on screen and the one under the cursor.
    pub wanted: Watches<R>,
    /// The rows, from what the store holds.
    pub rows: fn(&Place, &Cx) -> Vec<R>,
    /// A row's identity.
    pub id: fn(&R) -> Str,
    /// A row's health, for `problems only`.
    pub health: Option<fn(&R) -> Health>,
    /// What a filter without a column looks at.
    pub haystack: fn(&R) -> String,
    /// What a row is the subject of.
    pub subject: fn(&Place, &R, &Cx) -> Subject,
    /// Pane that Enter opens.
    pub enter: &'static str,
    /// What stands in the box below the table.
    pub preview: Option<Preview<R>>,
    /// What to say when there are no rows: why, and what to do.
    pub empty: fn(&Place, &Cx) -> String,
    /// Feeds whose failure is said on the table's lower border.
    pub sources: fn(&Place, &Cx) -> Vec<Feed>,
    /// Actions for the line of hints.
    pub hints: &'static [Action],
}

/// A column of a table.
pub struct Column<R: 'static> {
    /// Letter of the order menu.
    pub key: char,
    /// Heading, in capitals.
    pub title: &'static str,
    /// How wide.
    pub width: Width,
    /// Numbers stand to the right.
    pub right: bool,
    /// Which columns go first when the screen is narrow: the highest.
    pub rank: u8,
    /// What stands in a row.
    pub cell: for<'a> fn(&'a R, &Cx<'a>) -> Cell<'a>,
    /// What rows are ordered by.
    pub sort: fn(&R, &Cx) -> Key,
}

/// Width of a column in cells.
#[derive(Clone, Copy, Debug)]
pub enum Width {
    /// Always so many.
    Fixed(u16),
    /// As wide as the widest row, within bounds.
    Fit(u16, u16),
    /// What is left over, at least so many.
    Fill(u16),
}

/// What stands in a cell.
pub struct Cell<'a> {
    /// Cleaned text.
    pub text: Cow<'a, str>,
    /// How it is painted.
    pub role: Role,
    /// Whether its end tells it apart, as that of a revision or a generated name does: where it must be cut, it is cut in the middle.
    pub keeps_end: bool,
}

impl Cell<'_> {
    /// Keeps both ends where it must be cut.
    #[must_use]
    pub fn with_its_end(self) -> Self {
        Cell { keeps_end: true, ..self }
    }
}

/// A cell of ordinary text.
pub fn plain<'a>(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
    Cell { text: text.into(), role: Role::Text, keeps_end: false }
}

/// A cell of less important text.
pub fn dim<'a>(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
    Cell { text: text.into(), role: Role::Dim, keeps_end: false }
}

/// A cell painted by role.
pub fn painted<'a>(text: impl Into<Cow<'a, str>>, role: Role) -> Cell<'a> {
    Cell { text: text.into(), role, keeps_end: false }
}

/// The sign and word of a health.
#[must_use]
pub fn health(health: Health) -> Cell<'static> {
    Cell { text: format!("{} {}", health.glyph(), health.word()).into(), role: health.role(), keeps_end: false }
}

/// The same where there may be nothing to judge: then the cell says nothing.
#[must_use]
pub fn health_if_any(judged: Option<Health>) -> Cell<'static> {
    judged.map_or_else(|| dim("-"), health)
}

/// What a row is ordered by in one column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// By number.
    Number(i64),
    /// By text.
    Text(Str),
    /// By number, then by text.
    Both(i64, Str),
}

/// Seconds after the last key during which rows keep their places.
const HOLD_SECONDS: i64 = 3;

/// An open table.
pub struct TableView<R: 'static> {
    spec: &'static TableSpec<R>,
    place: Place,
    rows: Rows<R>,
    scroll: usize,
    height: usize,
    columns_skipped: usize,
    zoomed: bool,
    last_key: Option<Time>,
    hidden: Vec<&'static str>,
    focused: bool,
    number: Option<u8>,
    uncounted: Option<fn(&R) -> bool>,
    knowing: Option<Knowing<R>>,
    drawn: Option<Drawn>,
}

/// How rows that did not change are known, so that their cells are not measured again.
struct Knowing<R> {
    same: fn(&R, &R) -> bool,
    by: fn(&Feed) -> bool,
}

/// What the last frame showed, as far as a step of the cursor leaves it as it is.
struct Drawn {
    area: Rect,
    columns: Vec<Placed>,
    scroll: usize,
    position: usize,
}

impl<R: 'static> TableView<R> {
    /// Opens a table at a place.
    #[must_use]
    pub fn open(spec: &'static TableSpec<R>, place: Place) -> Self {
        TableView {
            spec,
            place,
            rows: Rows::new(spec.order),
            scroll: 0,
            height: 20,
            columns_skipped: 0,
            zoomed: false,
            last_key: None,
            hidden: Vec::new(),
            focused: true,
            number: None,
            uncounted: None,
            knowing: None,
            drawn: None,
        }
    }

    /// Opens a table over a cluster, or over one service of it: then the column that would say the same in every row is left out.
    ///
    /// # Errors
    /// What it needs, where the place has no cluster.
    pub fn of_cluster(spec: &'static TableSpec<R>, place: &Place, what: &str) -> Result<Box<dyn View>, String> {
        if place.ctx.is_none() || place.cluster.is_none() {
            return Err(format!("{what} a service or a cluster: put the cursor on one"));
        }
        let place = Place { task: None, container: None, target_group: None, instance: None, ..place.clone() };
        let one = place.service.is_some();
        let table = TableView::open(spec, place);
        Ok(Box::new(if one { table.without("SERVICE") } else { table }))
    }

    /// Rows that pass the filter.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.rows.len()
    }

    /// The row under the cursor.
    #[must_use]
    pub fn row(&self) -> Option<&R> {
        self.rows.cursor()
    }

    /// Where the cursor is among the rows shown.
    #[must_use]
    pub fn position(&self) -> usize {
        self.rows.position()
    }

    /// Leaves a column out at first: one that says the same in every row here.
    #[must_use]
    pub fn without(mut self, title: &'static str) -> Self {
        self.hidden.push(title);
        self
    }

    /// Puts the part's number before the title, on a screen of several parts.
    #[must_use]
    pub fn numbered(mut self, number: u8) -> Self {
        self.number = Some(number);
        self
    }

    /// Rows that offer something to do are none of the things that the title counts.
    #[must_use]
    pub fn without_counting(mut self, uncounted: fn(&R) -> bool) -> Self {
        self.uncounted = Some(uncounted);
        self
    }

    /// Measures no row again that is the `same` as before, as long as only such feeds were heard `by` which make another row of each that
    /// they tell of. A list of a thousand rows is on screen for hours, and a few of them change a second.
    #[must_use]
    pub fn knowing(mut self, same: fn(&R, &R) -> bool, by: fn(&Feed) -> bool) -> Self {
        self.knowing = Some(Knowing { same, by });
        self
    }

    /// Starts in the order of a column other than the pane's own.
    #[must_use]
    pub fn ordered(mut self, title: &'static str) -> Self {
        if let Some(column) = self.spec.columns.iter().position(|column| column.title == title) {
            self.rows = Rows::new(column);
        }
        self
    }

    /// Shows a column, or leaves it out.
    pub fn show(&mut self, title: &'static str, shown: bool) {
        self.hidden.retain(|hidden| *hidden != title);
        if !shown {
            self.hidden.push(title);
        }
    }

    /// Whether the cursor is here; the other halves of a screen show no cursor.
    pub fn focus(&mut self, focused: bool) {
        self.focused = focused;
    }

    /// Puts the cursor on a row of that identity, now or when it appears.
    pub fn select(&mut self, id: Str) {
        self.rows.select(id);
    }

    /// Whether the operator was at work a moment ago: rows that moved now would move under the hand.
    fn holds(&self, cx: &Cx) -> bool {
        self.last_key.is_some_and(|at| cx.now.as_second() - at.as_second() < HOLD_SECONDS)
    }

    /// The rows on screen.
    #[must_use]
    pub fn visible(&self) -> Vec<&R> {
        (self.scroll..self.rows.len().min(self.scroll + self.height)).filter_map(|n| self.rows.get(n)).collect()
    }

    fn keep_cursor_visible(&mut self) {
        let position = self.rows.position();
        let height = self.height.max(1);
        if position < self.scroll {
            self.scroll = position;
        } else if position >= self.scroll + height {
            self.scroll = position + 1 - height;
        }
        self.scroll = self.scroll.min(self.rows.len().saturating_sub(height));
    }

    fn step(&mut self, action: Action) -> bool {
        let last = self.rows.len().saturating_sub(1);
        let at = self.rows.position();
        let to = match action {
            Action::Up => at.saturating_sub(1),
            Action::Down => (at + 1).min(last),
            Action::Top => 0,
            Action::Bottom => last,
            Action::HalfPageUp => at.saturating_sub(self.height / 2),
            Action::HalfPageDown => (at + self.height / 2).min(last),
            Action::PageUp => at.saturating_sub(self.height),
            Action::PageDown => (at + self.height).min(last),
            _ => return false,
        };
        self.rows.go(to);
        self.keep_cursor_visible();
        true
    }

    fn order_by(&mut self, column: usize, cx: &Cx) -> Reaction {
        self.rows.order_by(self.spec, column, cx);
        self.keep_cursor_visible();
        Reaction::Redraw
    }

    fn on_show(&self) -> Vec<(usize, &'static Column<R>)> {
        self.spec.columns.iter().enumerate().filter(|(_, c)| !self.hidden.contains(&c.title)).collect()
    }

    fn column_menu(&self, title: &'static str, mark_hidden: bool) -> Reaction {
        let word = |column: &Column<R>| {
            if mark_hidden {
                format!("[{}] {}", if self.hidden.contains(&column.title) { ' ' } else { 'x' }, column.title)
            } else {
                column.title.to_owned()
            }
        };
        let mut entries: Vec<(char, String)> = self.spec.columns.iter().map(|column| (column.key, word(column))).collect();
        if !mark_hidden {
            entries.push(('o', "the other way round".to_owned()));
        }
        Reaction::Choose(title, entries)
    }
}

impl<R: 'static> View for TableView<R> {
    fn name(&self) -> &'static str {
        self.spec.name
    }

    fn kind(&self) -> Kind {
        Kind::Table
    }

    fn crumb(&self, cx: &Cx) -> String {
        (self.spec.crumb)(&self.place, cx)
    }

    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        (self.spec.wanted)(&self.place, cx, &self.visible(), self.rows.cursor(), out);
    }

    fn sync(&mut self, cx: &Cx, changed: &[Feed]) {
        // Whoever names nothing does not know what was heard, as while another view was in front.
        let known = self.knowing.as_ref().filter(|known| !changed.is_empty() && changed.iter().all(known.by)).map(|known| known.same);
        self.rows.replace(self.spec, (self.spec.rows)(&self.place, cx), known, self.holds(cx), cx);
        self.keep_cursor_visible();
    }

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        self.last_key = Some(cx.now);
        let before = (self.scroll, self.rows.len(), self.rows.marked());
        if self.step(action) {
            return if before == (self.scroll, self.rows.len(), self.rows.marked()) { Reaction::Moved } else { Reaction::Redraw };
        }
        match action {
            Action::Open => match self.rows.cursor() {
                Some(_) => Reaction::Go(self.spec.enter),
                None => Reaction::Ignored,
            },
            Action::Mark => {
                self.rows.toggle_mark();
                let next = (self.rows.position() + 1).min(self.rows.len().saturating_sub(1));
                self.rows.go(next);
                self.keep_cursor_visible();
                Reaction::Redraw
            }
            Action::MarkRange => {
                self.rows.toggle_range();
                Reaction::Redraw
            }
            Action::Unmark => {
                self.rows.clear_marks();
                Reaction::Redraw
            }
            Action::SortNext => self.order_by((self.rows.order().0 + 1) % self.spec.columns.len(), cx),
            Action::SortPrevious => self.order_by((self.rows.order().0 + self.spec.columns.len() - 1) % self.spec.columns.len(), cx),
            Action::Reverse => {
                self.rows.reverse(self.spec, cx);
                self.keep_cursor_visible();
                Reaction::Redraw
            }
            Action::Order => self.column_menu("order by", false),
            Action::Columns => self.column_menu("columns", true),
            Action::Left | Action::HalfLeft => {
                self.columns_skipped = self.columns_skipped.saturating_sub(1);
                Reaction::Redraw
            }
            Action::Right | Action::HalfRight => {
                self.columns_skipped = (self.columns_skipped + 1).min(self.on_show().len().saturating_sub(2));
                Reaction::Redraw
            }
            Action::ProblemsOnly if self.spec.health.is_some() => {
                self.rows.toggle_problems(self.spec, cx);
                self.keep_cursor_visible();
                Reaction::Redraw
            }
            Action::Filter => Reaction::Ask(Prompt::Filter, self.rows.query_text().to_owned()),
            Action::Zoom => {
                self.zoomed = !self.zoomed;
                Reaction::Redraw
            }
            _ => Reaction::Ignored,
        }
    }

    fn choose(&mut self, title: &'static str, letter: char, cx: &Cx) -> Reaction {
        let Some(column) = self.spec.columns.iter().position(|column| column.key == letter) else {
            return if letter == 'o' { self.act(Action::Reverse, cx) } else { Reaction::Ignored };
        };
        if title == "order by" {
            return self.order_by(column, cx);
        }
        let name = self.spec.columns[column].title;
        if let Some(at) = self.hidden.iter().position(|hidden| *hidden == name) {
            self.hidden.remove(at);
        } else if column > 1 {
            self.hidden.push(name);
        }
        self.column_menu("columns", true)
    }

    fn input(&mut self, prompt: Prompt, text: &str, _done: bool, cx: &Cx) -> Reaction {
        if prompt != Prompt::Filter {
            return Reaction::Ignored;
        }
        let said = self.rows.filter(self.spec, text, &View::columns(self), cx);
        self.keep_cursor_visible();
        said.map_or_else(Reaction::Refuse, |()| Reaction::Redraw)
    }

    fn filter_words(&self) -> String {
        let columns: Vec<String> = View::columns(self).into_iter().map(|title| format!("{}:", filter::typed(title))).collect();
        format!("words · re:regex · !not · {}", columns.join(" "))
    }

    fn columns(&self) -> Vec<&'static str> {
        self.on_show().into_iter().map(|(_, column)| column.title).collect()
    }

    fn peel(&mut self, cx: &Cx) -> bool {
        if self.rows.peel(self.spec, cx) {
            self.keep_cursor_visible();
            return true;
        }
        std::mem::take(&mut self.zoomed)
    }

    fn subject(&self, cx: &Cx) -> Subject {
        let Some(row) = self.rows.cursor() else { return Subject { place: self.place.clone(), ..Subject::default() } };
        let mut subject = (self.spec.subject)(&self.place, row, cx);
        subject.ghost = self.rows.on_ghost();
        subject
    }

    fn marked(&self, cx: &Cx) -> (Vec<Subject>, Vec<Str>) {
        let (rows, gone) = self.rows.of_marks();
        (rows.into_iter().map(|row| (self.spec.subject)(&self.place, row, cx)).collect(), gone)
    }

    fn ages(&self, _cx: &Cx) -> Option<u32> {
        Some(1)
    }

    fn tick(&mut self, cx: &Cx) -> bool {
        let due = self.rows.held && !self.holds(cx);
        if due {
            self.sync(cx, &[]);
        }
        due
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        self.draw_all(area, buf, cx);
    }

    fn redraw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) -> Option<Vec<u16>> {
        self.draw_step(area, buf, cx)
    }

    fn click(&mut self, _column: u16, row: u16, _cx: &Cx) -> bool {
        // One line of border and one of headings lie above the first row.
        let Some(line) = usize::from(row).checked_sub(2).filter(|line| *line < self.height) else { return false };
        if self.scroll + line >= self.rows.len() {
            return false;
        }
        self.rows.go(self.scroll + line);
        true
    }

    fn status(&self, _cx: &Cx) -> String {
        let (column, reversed) = self.rows.order();
        let order = format!("order: {} {}", self.spec.columns[column].title.to_lowercase(), if reversed { "▲" } else { "▼" });
        let problems = if self.rows.problems_only() { "! problems only   " } else { "" };
        match self.rows.query_text() {
            "" => format!("{problems}{order}"),
            query => format!("{problems}/{query}   {order}"),
        }
    }

    fn hints(&self) -> &'static [Action] {
        self.spec.hints
    }

    fn can(&self, action: Action, _cx: &Cx) -> Option<bool> {
        let peels = self.rows.peels() || self.zoomed;
        match action {
            Action::Back => Some(peels),
            // Logs outlive what they are of.
            Action::Open => Some(self.rows.cursor().is_some() && (!self.rows.on_ghost() || self.spec.enter == "logs")),
            Action::Mark | Action::MarkRange => Some(self.rows.cursor().is_some() && !self.rows.on_ghost()),
            Action::Unmark => Some(self.rows.marked() > 0),
            Action::ProblemsOnly => Some(self.spec.health.is_some() && (self.rows.total() > 0 || self.rows.problems_only())),
            Action::SortNext | Action::SortPrevious | Action::Order | Action::Reverse => Some(self.rows.total() > 0),
            Action::Filter => Some(self.rows.total() > 0 || !self.rows.query_text().is_empty()),
            Action::Up
            | Action::Down
            | Action::Top
            | Action::Bottom
            | Action::HalfPageUp
            | Action::HalfPageDown
            | Action::PageUp
            | Action::PageDown
            | Action::Left
            | Action::Right
            | Action::HalfLeft
            | Action::HalfRight
            | Action::Columns
            | Action::Zoom => Some(true),
            _ => None,
        }
    }
}
