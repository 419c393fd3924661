//! The one reader: lines of text that scroll, with search and copy. Describe, JSON and messages are lines for it.

use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::text;
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::view::{Cx, Kind, Place, Prompt, Reaction, Subject, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use regex::Regex;
use std::borrow::Cow;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation as _;

/// A line of text, painted in parts.
pub type TextLine = Vec<(Cow<'static, str>, Role)>;

/// A pane of text, as data.
pub struct TextSpec {
    /// The pane's name.
    pub name: &'static str,
    /// Its step in the breadcrumb.
    pub crumb: fn(&Place, &Cx) -> String,
    /// What to watch.
    pub wanted: fn(&Place, &Cx, &mut Vec<Wanted>),
    /// The text, from what the store holds; nothing while it is not known.
    pub lines: fn(&Place, &Cx) -> Option<Vec<TextLine>>,
    /// Feeds that the text comes from, for loading, age and errors.
    pub sources: fn(&Place, &Cx) -> Vec<Feed>,
    /// Whether long lines are wrapped at first.
    pub wrap: bool,
    /// Actions for the line of hints.
    pub hints: fn(&Place) -> &'static [Action],
}

/// An open text.
pub struct TextView {
    spec: &'static TextSpec,
    place: Place,
    lines: Option<Vec<TextLine>>,
    top: usize,
    left: usize,
    height: usize,
    width: usize,
    wrap: bool,
    query: String,
    search: Option<Regex>,
    matches: Vec<usize>,
    current: usize,
}

impl TextView {
    /// Opens a text at a place.
    #[must_use]
    pub fn open(spec: &'static TextSpec, place: Place) -> Self {
        TextView {
            spec,
            place,
            lines: None,
            top: 0,
            left: 0,
            height: 20,
            width: 76,
            wrap: spec.wrap,
            query: String::new(),
            search: None,
            matches: Vec::new(),
            current: 0,
        }
    }

    fn len(&self) -> usize {
        self.lines.as_ref().map_or(0, Vec::len)
    }

    /// The highest line that may stand on top: from there the end is in view.
    fn last_top(&self) -> usize {
        if !self.wrap {
            return self.len().saturating_sub(self.height);
        }
        let lines = self.lines.iter().flatten().rev();
        let mut room = self.height;
        let fit =
            lines.map(|line| rows(line, self.width)).take_while(|rows| room.checked_sub(*rows).map(|left| room = left).is_some()).count();
        // A line that is taller than the screen is begun at its top.
        self.len().saturating_sub(fit.max(1))
    }

    fn find(&mut self, query: &str) -> Result<(), String> {
        self.search = match query.strip_prefix("re:") {
            _ if query.is_empty() => None,
            Some(pattern) => Some(Regex::new(pattern).map_err(|_| format!("not a regular expression: {pattern}"))?),
            // Capitals in the query ask for capitals; a query without any finds both.
            None => {
                let fold = if query.chars().any(char::is_uppercase) { "" } else { "(?i)" };
                Some(Regex::new(&format!("{fold}{}", regex::escape(query))).map_err(|e| e.to_string())?)
            }
        };
        query.clone_into(&mut self.query);
        self.match_lines();
        if let Some(first) = self.matches.iter().position(|line| *line >= self.top).or(if self.matches.is_empty() { None } else { Some(0) })
        {
            self.go_to_match(first);
        }
        Ok(())
    }

    fn match_lines(&mut self) {
        self.matches = match (&self.search, &self.lines) {
            (Some(search), Some(lines)) => {
                lines.iter().enumerate().filter(|(_, line)| search.is_match(&plain(line))).map(|(n, _)| n).collect()
            }
            _ => Vec::new(),
        };
        self.current = self.current.min(self.matches.len().saturating_sub(1));
    }

    fn go_to_match(&mut self, n: usize) {
        self.current = n;
        let line = self.matches[n];
        if line < self.top || line >= self.top + self.height {
            self.top = line.saturating_sub(self.height / 3).min(self.last_top());
        }
    }

    fn whole(&self) -> String {
        self.lines.iter().flatten().map(plain).collect::<Vec<_>>().join("\n")
    }

    fn scroll(&mut self, action: Action) -> bool {
        let last = self.last_top();
        self.top = match action {
            Action::Up => self.top.saturating_sub(1),
            Action::Down => self.top + 1,
            Action::Top => 0,
            Action::Bottom => last,
            Action::HalfPageUp => self.top.saturating_sub(self.height / 2),
            Action::HalfPageDown => self.top + self.height / 2,
            Action::PageUp => self.top.saturating_sub(self.height),
            Action::PageDown => self.top + self.height,
            _ => return false,
        }
        .min(last);
        true
    }

    fn remark(&self, cx: &Cx) -> (String, Role) {
        for feed in (self.spec.sources)(&self.place, cx) {
            if let Some(error) = cx.store.error(&feed) {
                return (error.what.to_string(), Role::Warn);
            }
        }
        match (&self.search, self.matches.len()) {
            (Some(_), 0) => (format!("no match for {}", self.query), Role::Warn),
            (Some(_), n) => (format!("match {}/{n}", self.current + 1), Role::Dim),
            _ => (String::new(), Role::Dim),
        }
    }
}

/// A line without its paint.
fn plain(line: &TextLine) -> String {
    line.iter().map(|(part, _)| &**part).collect()
}

impl View for TextView {
    fn name(&self) -> &'static str {
        self.spec.name
    }

    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn crumb(&self, cx: &Cx) -> String {
        (self.spec.crumb)(&self.place, cx)
    }

    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        (self.spec.wanted)(&self.place, cx, out);
    }

    fn sync(&mut self, cx: &Cx, _changed: &[Feed]) {
        // A text that was there does not vanish because a later answer is missing.
        let Some(lines) = (self.spec.lines)(&self.place, cx) else { return };
        self.lines = Some(lines);
        self.match_lines();
        self.top = self.top.min(self.last_top());
    }

    fn act(&mut self, action: Action, _cx: &Cx) -> Reaction {
        if self.scroll(action) {
            return Reaction::Redraw;
        }
        match action {
            Action::Left => self.left = self.left.saturating_sub(8),
            Action::Right => self.left += 8,
            Action::HalfLeft => self.left = self.left.saturating_sub(40),
            Action::HalfRight => self.left += 40,
            Action::Wrap => {
                self.wrap = !self.wrap;
                self.left = 0;
            }
            Action::Search => return Reaction::Ask(Prompt::Search, self.query.clone()),
            Action::SearchNext if !self.matches.is_empty() => self.go_to_match((self.current + 1) % self.matches.len()),
            Action::SearchPrevious if !self.matches.is_empty() => {
                self.go_to_match((self.current + self.matches.len() - 1) % self.matches.len());
            }
            Action::Copy => return Reaction::Copy(self.whole(), "the whole text".into()),
            Action::Save => return Reaction::Ask(Prompt::Save, format!("{}.txt", self.spec.name)),
            _ => return Reaction::Ignored,
        }
        Reaction::Redraw
    }

    fn input(&mut self, prompt: Prompt, text: &str, done: bool, _cx: &Cx) -> Reaction {
        match prompt {
            Prompt::Search => match self.find(text) {
                Ok(()) => Reaction::Redraw,
                Err(why) => Reaction::Refuse(why),
            },
            Prompt::Save if done => Reaction::Save(text.into(), self.whole()),
            _ => Reaction::Ignored,
        }
    }

    fn peel(&mut self, _cx: &Cx) -> bool {
        let on = self.search.take().is_some();
        self.matches.clear();
        self.query.clear();
        on
    }

    fn subject(&self, _cx: &Cx) -> Subject {
        Subject { place: self.place.clone(), ..Subject::default() }
    }

    fn ages(&self, _cx: &Cx) -> Option<u32> {
        None
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        self.height = usize::from(area.height.saturating_sub(2));
        self.width = usize::from(area.width.saturating_sub(4));
        self.top = self.top.min(self.last_top());
        let at = (self.spec.sources)(&self.place, cx).iter().filter_map(|feed| cx.store.slot(feed)?.at).min();
        let stamp = at.map_or(String::new(), |at| format!(" · as of {}", age::clock(at, cx)));
        let title = format!("{}{stamp}", (self.spec.crumb)(&self.place, cx));
        frame::draw(area, buf, cx.theme, &title, &self.remark(cx));
        let inner = Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(4), height: area.height.saturating_sub(2) };
        let Some(lines) = &self.lines else {
            let errors: Vec<String> = (self.spec.sources)(&self.place, cx)
                .iter()
                .filter_map(|f| cx.store.error(f))
                .flat_map(|e| [e.what.to_string(), e.hint.to_string()])
                .collect();
            let loading = vec!["loading …".to_owned()];
            frame::message(inner, buf, cx.theme, if errors.is_empty() { &loading } else { &errors });
            return;
        };
        let mut y = inner.y;
        for (n, line) in lines.iter().enumerate().skip(self.top) {
            if y >= inner.bottom() {
                break;
            }
            let current = self.matches.get(self.current) == Some(&n);
            y += self.draw_line(line, current, Rect { y, height: inner.bottom() - y, ..inner }, buf, cx);
        }
    }

    fn status(&self, _cx: &Cx) -> String {
        if self.lines.is_none() {
            return String::new();
        }
        let shown = self.lines.iter().flatten().skip(self.top).map(|line| if self.wrap { rows(line, self.width) } else { 1 });
        let full = shown.scan(0, |used, rows| Some(std::mem::replace(used, *used + rows))).take_while(|used| *used < self.height).count();
        let end = (self.top + full).min(self.len());
        let query = if self.query.is_empty() { String::new() } else { format!("/{}   ", self.query) };
        format!("{query}lines {}–{end} of {}", (self.top + 1).min(self.len()), self.len())
    }

    fn hints(&self) -> &'static [Action] {
        (self.spec.hints)(&self.place)
    }

    fn can(&self, action: Action, _cx: &Cx) -> Option<bool> {
        let known = self.lines.is_some();
        match action {
            Action::Back => Some(self.search.is_some()),
            Action::Search | Action::Wrap | Action::Copy | Action::Save => Some(known),
            Action::SearchNext | Action::SearchPrevious => Some(!self.matches.is_empty()),
            Action::Up
            | Action::Down
            | Action::Top
            | Action::Bottom
            | Action::HalfPageUp
            | Action::HalfPageDown
            | Action::PageUp
            | Action::PageDown => Some(true),
            Action::Left | Action::Right | Action::HalfLeft | Action::HalfRight => Some(!self.wrap),
            _ => None,
        }
    }
}

impl TextView {
    /// Draws one line, wrapped or scrolled to the left, with what the search found; returns the rows that it took.
    fn draw_line(&self, line: &TextLine, current: bool, area: Rect, buf: &mut Buffer, cx: &Cx) -> u16 {
        let room = usize::from(area.width);
        let found: Vec<Range<usize>> =
            self.search.iter().flat_map(|search| search.find_iter(&plain(line)).take(50).map(|m| m.range()).collect::<Vec<_>>()).collect();
        let mark = cx.theme.style(if current { Role::Selection } else { Role::Match });
        let (hang, breaks) = (hang(line, room), if self.wrap { breaks(line, room) } else { Vec::new() });
        let mut breaks = breaks.into_iter().peekable();
        let (mut column, mut row, mut at) = (0usize, 0u16, 0usize);
        for (part, role) in line {
            for grapheme in part.graphemes(true) {
                let base = cx.theme.style(*role);
                let style = if found.iter().any(|range| range.contains(&at)) { base.patch(mark) } else { base };
                let width = text::width(grapheme);
                if breaks.next_if_eq(&at).is_some() {
                    (column, row) = (hang, row + 1);
                }
                if row >= area.height {
                    return row;
                }
                let shown = if self.wrap { Some(column) } else { column.checked_sub(self.left) };
                if let Some(x) = shown.filter(|x| x + width <= room) {
                    buf.set_string(area.x + u16::try_from(x).unwrap_or(0), area.y + row, grapheme, style);
                }
                column += width;
                at += grapheme.len();
                if !self.wrap && column > self.left + room {
                    buf.set_string(area.right() - 1, area.y + row, "…", cx.theme.style(Role::Dim));
                    return row + 1;
                }
            }
        }
        row + 1
    }
}

/// The column in which the rows of a wrapped line go on: under its value, where that leaves room.
fn hang(line: &TextLine, room: usize) -> usize {
    let before: usize = line.iter().rev().skip(1).map(|(part, _)| text::width(part)).sum();
    if before * 2 <= room { before } else { 0 }
}

/// Where the rows of a wrapped line begin, the first one left out: between words, and inside those that are longer than a row.
fn breaks(line: &TextLine, room: usize) -> Vec<usize> {
    let (whole, hang) = (plain(line), hang(line, room));
    let (mut column, mut at, mut breaks) = (0, 0, Vec::new());
    for word in whole.split_inclusive(' ') {
        let width = text::width(word.trim_end());
        if column + width > room && column > hang && width + hang <= room {
            breaks.push(at);
            column = hang;
        }
        for grapheme in word.graphemes(true) {
            let width = text::width(grapheme);
            // A blank at the end of a row takes no room.
            if column + width > room && grapheme != " " {
                breaks.push(at);
                column = hang;
            }
            column += width;
            at += grapheme.len();
        }
    }
    breaks
}

/// Rows that a line takes when it is wrapped.
fn rows(line: &TextLine, room: usize) -> usize {
    1 + breaks(line, room.max(1)).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of a wrapped line, as they are drawn but for the indent.
    fn wrapped(label: &'static str, value: &'static str, room: usize) -> Vec<String> {
        let line: TextLine = vec![(label.into(), Role::Dim), (value.into(), Role::Text)];
        let whole = plain(&line);
        let mut ends = breaks(&line, room);
        assert_eq!(rows(&line, room), ends.len() + 1);
        ends.push(whole.len());
        let mut from = 0;
        ends.into_iter().map(|to| whole[std::mem::replace(&mut from, to)..to].trim_end().to_owned()).collect()
    }

    #[test]
    fn a_line_breaks_between_words_under_its_value() {
        assert_eq!(wrapped("  why  ", "one two three", 14), ["  why  one two", "three"]);
        assert_eq!(wrapped("  why  ", "short", 14), ["  why  short"]);
        assert_eq!(wrapped("a label that is long ", "one two", 24), ["a label that is long one", "two"]);
    }

    #[test]
    fn a_word_that_is_longer_than_a_row_breaks_inside() {
        assert_eq!(wrapped("id ", "0123456789abcdef", 10), ["id 0123456", "789abcd", "ef"]);
        assert_eq!(wrapped("", "日本語日本語", 5), ["日本", "語日", "本語"]);
    }

    #[test]
    fn no_width_is_too_small() {
        for room in 0..8 {
            assert!(rows(&vec![("  why  ".into(), Role::Dim), ("one two".into(), Role::Text)], room) >= 1);
        }
    }
}
