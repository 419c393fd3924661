//! The panel's search: what is looked for, the way it goes, and that what is found is seen.

use super::{Move, Panel, Way};
use crate::logs::layout::{Item, MORE};
use crate::logs::query::{Pattern, Query};
use crate::logs::seen::shows;
use crate::logs::{Buffer, Key};
use crate::text::width;

impl Panel {
    /// The search as it was typed.
    #[must_use]
    pub fn search(&self) -> &str {
        &self.search
    }

    /// Looks for something; while it is being typed, it is only shown where it is seen. A search that does not parse changes nothing.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn set_search(&mut self, text: &str, typing: bool, buffer: &Buffer) -> Result<(), String> {
        let search = Pattern::parse(text)?;
        text.clone_into(&mut self.search);
        if typing {
            self.lens.highlight(search);
        } else {
            self.ask(Query { search, ..self.lens.query().clone() }, buffer);
        }
        Ok(())
    }

    /// Goes to the nearest match from where one stands: up from the newest line while that is followed, else on, and back where there is
    /// none ahead. The next match is then the next one that way.
    pub fn go_to_match(&mut self, buffer: &Buffer) {
        let ahead = |cursor: Key| self.lens.hit(Some(cursor), true).is_some_and(|hit| hit > cursor);
        let here = self.cursor.is_some_and(|cursor| self.lens.hit_number(Some(cursor)).0.is_some());
        let up = self.follow || self.cursor.is_some_and(|cursor| !here && !ahead(cursor));
        self.way = if up { Way::Up } else { Way::Down };
        if here {
            self.set_follow(false, buffer);
            self.settle(buffer);
            self.uncover(buffer);
        } else {
            self.go(Move::Match(true), buffer);
        }
    }

    /// Moves long rows to the left or right as far as it takes to show what the search found in the cursor's.
    pub(super) fn uncover(&mut self, buffer: &Buffer) {
        let (Some(cursor), Some(search)) = (self.cursor.filter(|_| !self.wrap), self.lens.query().search.clone()) else { return };
        let (item, room) = (self.item(buffer, cursor), self.size.0);
        let found = item.rows.iter().find_map(|row| Some((row, search.ranges(&row.text).into_iter().next()?)));
        let Some((row, range)) = found else { return };
        let (start, end) = (width(&row.text[..range.start]), width(&row.text[..range.end]));
        // The end of a row may be a mark that it goes on, or the count of the lines that are folded.
        let edge = room.saturating_sub(if item.more > 0 { MORE } else { 1 });
        if start < self.shift || end > self.shift + edge {
            self.shift = if end <= edge { 0 } else { start.saturating_sub(room / 3) };
        }
    }

    /// Whether the search found something in a line that none of its rows shows: it is folded, or has a column of its own.
    pub(super) fn found_aside(&self, key: Key, item: &Item, buffer: &Buffer) -> bool {
        let Some(search) = &self.lens.query().search else { return false };
        !item.rows.iter().any(|row| search.matches(&row.text)) && buffer.group(key.id).any(|line| shows(line, search, self.json))
    }

    /// Looks for nothing any more.
    pub(super) fn clear_search(&mut self, buffer: &Buffer) {
        self.search.clear();
        self.way = Way::Down;
        self.ask(Query { search: None, ..self.lens.query().clone() }, buffer);
    }
}
