//! Lines on the screen: cursor, scrolling, following, search, marks. It holds places by the identity of lines, never by their number,
//! so that nothing slides when lines arrive or leave.
//!
//! It knows a buffer and a rectangle; where lines come from, and what keys are called, is not its business.

mod draw;
mod search;
mod stamps;

pub use draw::{Look, short};
pub use stamps::Stamps;

use super::fields::Json;
use super::layout::{Form, Item, lay_out};
use super::query::{Query, Term};
use super::{Buffer, Key, Lens, Level};
use jiff::tz::TimeZone;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// Lines whose layout is remembered: a few screens full.
const REMEMBERED: usize = 512;

/// The levels that the least level goes through.
const LEVELS: [Option<Level>; 4] = [None, Some(Level::Info), Some(Level::Warn), Some(Level::Error)];

/// A way through the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// One line up or down.
    Line(bool),
    /// Half a screen up or down.
    Half(bool),
    /// A screen up or down.
    Page(bool),
    /// The first line.
    Top,
    /// The last line, and those that come after it.
    Bottom,
    /// The next match of the search the way that it went, or the one before.
    Match(bool),
    /// The next or previous error.
    Error(bool),
}

/// The way that a search went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Down,
    Up,
}

/// The lines of one tail on the screen.
#[derive(Debug)]
pub struct Panel {
    lens: Lens,
    filter: String,
    /// The filter as it was before it is typed anew.
    settled: String,
    search: String,
    way: Way,
    cursor: Option<Key>,
    /// The first line on the screen, and how many of its rows are above it.
    top: Option<(Key, usize)>,
    /// Stay with the newest line.
    follow: bool,
    /// The newest line when following ended.
    paused_at: Option<Key>,
    opened: HashSet<u64>,
    /// Whether errors are shown in full though nobody opened them.
    errors: bool,
    marks: BTreeSet<Key>,
    /// Where a range of lines starts; it ends at the cursor.
    range: Option<Key>,
    wrap: bool,
    json: Json,
    stamps: Stamps,
    zone: TimeZone,
    /// Cells by which rows are moved to the left.
    shift: usize,
    /// Cells for text and rows for lines, as last drawn.
    size: (usize, usize),
    laid_out: HashMap<u64, (u32, Rc<Item>)>,
}

impl Panel {
    /// A panel that follows; local times are in this zone.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Panel {
            lens: Lens::default(),
            filter: String::new(),
            settled: String::new(),
            search: String::new(),
            way: Way::Down,
            cursor: None,
            top: None,
            follow: true,
            paused_at: None,
            opened: HashSet::new(),
            errors: false,
            marks: BTreeSet::new(),
            range: None,
            wrap: false,
            json: Json::default(),
            stamps: Stamps::default(),
            zone,
            shift: 0,
            size: (80, 20),
            laid_out: HashMap::new(),
        }
    }

    /// Takes in what is new in the buffer.
    pub fn sync(&mut self, buffer: &Buffer) {
        if self.lens.follow(buffer) {
            // Another buffer: every place of the old one is gone.
            (self.cursor, self.top, self.paused_at, self.range) = (None, None, None, None);
            self.opened.clear();
            self.marks.clear();
            self.laid_out.clear();
        }
        if self.cursor.is_none() || self.follow {
            self.cursor = self.lens.last(buffer);
        } else if let Some(cursor) = self.cursor {
            self.cursor = self.lens.nearest(buffer, cursor);
        }
        if self.opened.len() + self.marks.len() > 0 {
            self.opened.retain(|id| buffer.get(*id).is_some());
            self.marks.retain(|key| buffer.get(key.id).is_some());
        }
    }

    /// Which lines are shown.
    #[must_use]
    pub fn lens(&self) -> &Lens {
        &self.lens
    }

    /// The line that the cursor is on.
    #[must_use]
    pub fn cursor(&self) -> Option<Key> {
        self.cursor
    }

    /// Whether the newest line stays in view.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.follow
    }

    /// Lines that came since following ended.
    #[must_use]
    pub fn unseen(&self) -> usize {
        self.paused_at.map_or(0, |key| self.lens.after(key))
    }

    /// The filter as it was typed.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// How times are shown.
    #[must_use]
    pub fn stamps(&self) -> Stamps {
        self.stamps
    }

    /// Stays with the newest line from now on, or with the cursor's.
    pub fn set_follow(&mut self, follow: bool, buffer: &Buffer) {
        if follow {
            self.paused_at = None;
            self.cursor = self.lens.last(buffer);
        } else if self.follow {
            self.paused_at = self.lens.last(buffer);
        }
        self.follow = follow;
    }

    /// Keeps what matches; while it is being typed, among the newest lines only. A filter that does not parse changes nothing.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn set_filter(&mut self, text: &str, typing: bool, buffer: &Buffer) -> Result<(), String> {
        let back = text == self.settled;
        if text == self.filter && (typing || !self.lens.previews()) && !(back && self.lens.previews()) {
            return Ok(());
        }
        let terms = Term::parse_all(text)?;
        text.clone_into(&mut self.filter);
        let query = Query { terms, ..self.lens.query().clone() };
        if typing && !back {
            self.lens.preview(query, buffer);
            self.sync(buffer);
        } else {
            text.clone_into(&mut self.settled);
            self.ask(query, buffer);
        }
        Ok(())
    }

    /// Raises the least level; after the highest, all lines are shown.
    pub fn cycle_level(&mut self, buffer: &Buffer) {
        let at = LEVELS.iter().position(|level| *level == self.lens.query().level).unwrap_or(0);
        let level = LEVELS[(at + 1) % LEVELS.len()];
        self.ask(Query { level, ..self.lens.query().clone() }, buffer);
    }

    /// Shows lines around those that the filter keeps, or not.
    pub fn toggle_context(&mut self, buffer: &Buffer) {
        self.lens.set_context(!self.lens.context());
        self.sync(buffer);
    }

    /// Hides what is older than a time in milliseconds since the epoch.
    pub fn set_since(&mut self, since: i64, buffer: &Buffer) {
        self.lens.set_since(since);
        self.sync(buffer);
    }

    /// Goes to the first line at or after a time in milliseconds since the epoch.
    pub fn go_to(&mut self, at: i64, buffer: &Buffer) {
        self.set_follow(false, buffer);
        self.cursor = self.lens.nearest(buffer, Key { at, id: 0 });
        self.top = self.cursor.map(|key| (key, 0));
    }

    /// Breaks long rows, or cuts them.
    pub fn toggle_wrap(&mut self) {
        self.wrap = !self.wrap;
        self.shift = 0;
        self.laid_out.clear();
    }

    /// Shows JSON another way.
    pub fn cycle_json(&mut self, buffer: &Buffer) {
        self.json = match self.json {
            Json::Columns => Json::Pretty,
            Json::Pretty => Json::Raw,
            Json::Raw => Json::Columns,
        };
        self.laid_out.clear();
        // What is found is what is seen.
        self.ask(Query { json: self.json, ..self.lens.query().clone() }, buffer);
    }

    /// Shows times in this way.
    pub fn set_stamps(&mut self, stamps: Stamps) {
        self.stamps = stamps;
    }

    /// Shows times another way.
    pub fn cycle_stamps(&mut self) {
        self.stamps = self.stamps.next();
    }

    /// Opens the line under the cursor in full, or closes it.
    pub fn toggle_open(&mut self, buffer: &Buffer) {
        let Some(cursor) = self.cursor else { return };
        self.set_follow(false, buffer);
        if !self.opened.remove(&cursor.id) {
            self.opened.insert(cursor.id);
        }
        self.laid_out.remove(&cursor.id);
    }

    /// Shows errors in full, or folds them.
    pub fn unfold_errors(&mut self, unfolded: bool) {
        if std::mem::replace(&mut self.errors, unfolded) != unfolded {
            self.laid_out.clear();
        }
    }

    /// Moves long rows to the left or right by so many cells.
    pub fn shift_by(&mut self, cells: isize) {
        if !self.wrap {
            self.shift = self.shift.saturating_add_signed(cells).min(1 << 16);
        }
    }

    /// Half of the cells that a row has.
    #[must_use]
    pub fn half_width(&self) -> isize {
        isize::try_from(self.size.0 / 2).unwrap_or(40)
    }

    /// Marks the line under the cursor, or takes its mark away.
    pub fn toggle_mark(&mut self) {
        let Some(cursor) = self.cursor else { return };
        if !self.marks.remove(&cursor) {
            self.marks.insert(cursor);
        }
    }

    /// Starts a range of lines at the cursor, or makes marks of it.
    pub fn toggle_range(&mut self, buffer: &Buffer) {
        match self.range.take() {
            None => {
                self.set_follow(false, buffer);
                self.range = self.cursor;
            }
            Some(start) => {
                let keys: Vec<Key> = self.between(start).collect();
                self.marks.extend(keys);
            }
        }
    }

    /// Takes all marks away. Returns whether there were any.
    pub fn unmark(&mut self) -> bool {
        let any = self.range.is_some() || !self.marks.is_empty();
        self.range = None;
        self.marks.clear();
        any
    }

    /// Whether Esc has a layer to take away.
    #[must_use]
    pub fn peels(&self) -> bool {
        self.marked() > 0 || !self.opened.is_empty() || !self.search.is_empty() || !self.lens.query().keeps_all()
    }

    /// Takes away one layer: marks, opened lines, search, filter and level. Returns false when there was none.
    pub fn peel(&mut self, buffer: &Buffer) -> bool {
        if self.unmark() {
            return true;
        }
        if !self.opened.is_empty() {
            self.opened.clear();
            self.laid_out.clear();
            return true;
        }
        if !self.search.is_empty() {
            self.clear_search(buffer);
            return true;
        }
        if !self.lens.query().keeps_all() {
            self.filter.clear();
            self.settled.clear();
            self.lens.set_context(false);
            self.ask(Query { terms: Vec::new(), level: None, ..self.lens.query().clone() }, buffer);
            return true;
        }
        false
    }

    /// What copying means now: the range, else the marks, else the line under the cursor; with the word for it.
    #[must_use]
    pub fn chosen(&self) -> Vec<Key> {
        match self.range {
            Some(start) => self.between(start).collect(),
            None if !self.marks.is_empty() => self.marks.iter().copied().collect(),
            None => self.cursor.into_iter().collect(),
        }
    }

    /// Lines that are marked, a range included.
    #[must_use]
    pub fn marked(&self) -> usize {
        self.range.map_or(0, |start| self.between(start).len()) + self.marks.len()
    }

    /// Goes somewhere. Moving up ends following.
    pub fn go(&mut self, to: Move, buffer: &Buffer) {
        // Where nothing is found there is nothing to leave the newest line for.
        if matches!(to, Move::Match(_)) && self.lens.hit(None, true).is_none() {
            return;
        }
        if self.follow {
            self.top = self.bottom_up(buffer, self.cursor);
        }
        match to {
            Move::Bottom => return self.set_follow(true, buffer),
            Move::Line(true) | Move::Half(true) | Move::Page(true) if self.follow => return,
            _ => self.set_follow(false, buffer),
        }
        match to {
            Move::Line(down) => self.step(down, buffer),
            Move::Half(down) => self.leap(down, self.size.1.div_ceil(2), buffer),
            Move::Page(down) => self.leap(down, self.size.1.saturating_sub(1).max(1), buffer),
            Move::Top => self.cursor = self.lens.first(buffer),
            Move::Match(on) => self.cursor = self.lens.hit(self.cursor, on == (self.way == Way::Down)).or(self.cursor),
            Move::Error(forward) => self.cursor = self.error(forward, buffer).or(self.cursor),
            Move::Bottom => {}
        }
        self.reveal(buffer);
        if matches!(to, Move::Match(_)) {
            self.uncover(buffer);
        }
    }

    /// Puts the cursor on the line that a row of the screen shows. Returns whether there is one.
    pub fn click(&mut self, row: usize, buffer: &Buffer) -> bool {
        let Some(key) = self.visible(buffer).into_iter().find(|(_, start, end)| (*start..*end).contains(&row)).map(|(key, ..)| key) else {
            return false;
        };
        self.set_follow(false, buffer);
        self.cursor = Some(key);
        true
    }

    fn ask(&mut self, query: Query, buffer: &Buffer) {
        self.lens.set(query);
        self.sync(buffer);
    }

    /// Lines between a place and the cursor.
    fn between(&self, start: Key) -> impl ExactSizeIterator<Item = Key> + '_ {
        let end = self.cursor.unwrap_or(start);
        self.lens.between(start.min(end), start.max(end))
    }

    fn error(&self, forward: bool, buffer: &Buffer) -> Option<Key> {
        let wrong = |key: Key| buffer.get(key.id).and_then(|line| line.level) >= Some(Level::Error);
        self.lens.find(self.cursor?, forward, wrong)
    }

    /// One line on; within a line that is higher than the screen, one row.
    fn step(&mut self, down: bool, buffer: &Buffer) {
        let Some(cursor) = self.cursor else { return };
        let place = self.visible(buffer).into_iter().find(|(key, ..)| *key == cursor);
        if down {
            if place.is_some_and(|(.., end)| end > self.size.1) {
                self.scroll(1, buffer);
            } else if let Some((next, _)) = self.lens.next(buffer, cursor) {
                self.cursor = Some(next);
            }
        } else if let Some((key, rows)) = self.top.filter(|(key, rows)| *key == cursor && *rows > 0) {
            self.top = Some((key, rows - 1));
        } else if let Some((previous, _)) = self.lens.previous(buffer, cursor) {
            self.cursor = Some(previous);
        }
    }

    /// Moves the lines by rows under a cursor that stays where it is on the screen.
    fn leap(&mut self, down: bool, rows: usize, buffer: &Buffer) {
        let row = self.visible(buffer).into_iter().find(|(key, ..)| Some(*key) == self.cursor).map_or(0, |(_, start, _)| start);
        let amount = isize::try_from(rows).unwrap_or(isize::MAX);
        let moved = self.scroll(if down { amount } else { -amount }, buffer);
        let there = self.visible(buffer).into_iter().rfind(|(_, start, _)| *start <= row).map(|(key, ..)| key);
        self.cursor = match (moved, down) {
            (true, _) => there.or(self.cursor),
            (false, true) => self.lens.last(buffer),
            (false, false) => self.lens.first(buffer),
        };
    }

    /// Moves the lines by rows, up when negative. Returns whether they moved all the way.
    fn scroll(&mut self, rows: isize, buffer: &Buffer) -> bool {
        let Some((mut key, offset)) = self.top else { return false };
        let mut row = isize::try_from(offset).unwrap_or(0) + rows;
        while row < 0 {
            let Some((previous, _)) = self.lens.previous(buffer, key) else {
                self.top = Some((key, 0));
                return false;
            };
            key = previous;
            row += self.height(buffer, key);
        }
        loop {
            let height = self.height(buffer, key);
            match self.lens.next(buffer, key) {
                Some((next, _)) if row >= height => (key, row) = (next, row - height),
                _ => {
                    row = row.min(height - 1);
                    break;
                }
            }
        }
        let wanted = Some((key, row.unsigned_abs()));
        // The last line stays at the bottom of the screen.
        let end = self.bottom_up(buffer, self.lens.last(buffer));
        self.top = wanted.min(end);
        wanted <= end
    }

    /// Moves the lines as little as it takes to show the cursor's.
    fn reveal(&mut self, buffer: &Buffer) {
        let Some(cursor) = self.cursor else { return };
        let height = self.size.1;
        match self.top {
            Some((top, _)) if cursor == top => {}
            Some((top, _)) if cursor > top => {
                let place = self.visible(buffer).into_iter().find(|(key, ..)| *key == cursor);
                match place {
                    Some((_, start, end)) if end <= height || start == 0 => {}
                    _ => self.top = self.bottom_up(buffer, Some(cursor)).min(Some((cursor, 0))),
                }
            }
            _ => {
                let rows = usize::try_from(self.height(buffer, cursor)).unwrap_or(1);
                self.top = Some((cursor, rows.saturating_sub(height)));
            }
        }
    }

    /// Where the screen starts when it ends with this line.
    fn bottom_up(&mut self, buffer: &Buffer, last: Option<Key>) -> Option<(Key, usize)> {
        let mut key = last?;
        let room = isize::try_from(self.size.1).unwrap_or(isize::MAX);
        let mut rows = self.height(buffer, key);
        while rows < room {
            let Some((previous, _)) = self.lens.previous(buffer, key) else { return Some((key, 0)) };
            key = previous;
            rows += self.height(buffer, key);
        }
        Some((key, (rows - room).unsigned_abs()))
    }

    /// The lines on the screen with the rows that they start and end at; the first may start above it, the last end below.
    fn visible(&mut self, buffer: &Buffer) -> Vec<(Key, usize, usize)> {
        let Some((top, offset)) = self.top else { return Vec::new() };
        let mut lines = Vec::new();
        let (mut key, mut row) = (Some(top), 0);
        while let Some(at) = key.filter(|_| row < self.size.1) {
            let height = self.height(buffer, at).unsigned_abs() - if row == 0 { offset } else { 0 };
            lines.push((at, row, row + height));
            row += height;
            key = self.lens.next(buffer, at).map(|(key, _)| key);
        }
        lines
    }

    /// Rows of a line, with the one that says that lines are left out before it.
    fn height(&mut self, buffer: &Buffer, key: Key) -> isize {
        isize::try_from(self.item(buffer, key).rows.len()).unwrap_or(1) + isize::from(self.gap(buffer, key))
    }

    fn gap(&self, buffer: &Buffer, key: Key) -> bool {
        self.lens.context() && self.lens.previous(buffer, key).is_some_and(|(_, gap)| gap)
    }

    fn item(&mut self, buffer: &Buffer, key: Key) -> Rc<Item> {
        let followers = buffer.get(key.id).map_or(0, |line| line.followers);
        if let Some((_, item)) = self.laid_out.get(&key.id).filter(|(known, _)| *known == followers) {
            return item.clone();
        }
        if self.laid_out.len() >= REMEMBERED {
            self.laid_out.clear();
        }
        // The line before an error stays in view.
        let errors = if self.errors { self.size.1.saturating_sub(1) } else { 0 };
        let form = Form { width: self.size.0, wrap: self.wrap, json: self.json, open: self.opened.contains(&key.id), errors };
        let item = Rc::new(lay_out(buffer, key.id, form));
        self.laid_out.insert(key.id, (followers, item.clone()));
        item
    }

    /// Takes over the size of the screen. Places stay.
    fn resize(&mut self, width: usize, height: usize) {
        if self.size.0 != width || (self.errors && self.size.1 != height) {
            self.laid_out.clear();
        }
        self.size = (width, height.max(1));
    }

    /// Sees to it that the screen is full and shows the cursor, whatever happened since it was drawn.
    fn settle(&mut self, buffer: &Buffer) {
        let end = self.bottom_up(buffer, self.lens.last(buffer));
        if self.follow {
            self.top = end;
            return;
        }
        let top = self.top.and_then(|(key, rows)| {
            let near = self.lens.nearest(buffer, key)?;
            let rows = if near == key { rows.min(self.height(buffer, key).unsigned_abs().saturating_sub(1)) } else { 0 };
            Some((near, rows))
        });
        self.top = top.or(end).min(end);
        self.reveal(buffer);
    }
}

#[cfg(test)]
mod tests;
