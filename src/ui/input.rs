//! A line of input: edits by grapheme, keeps what was typed before, and lets nothing in that a terminal would obey.
//!
//! Knows no prompt: Enter and Esc belong to whoever shows it.

use crate::keys::{Code, Key};
use crate::text;
use crate::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_segmentation::UnicodeSegmentation;

/// Bytes of a line; more was pasted by mistake.
const LONGEST: usize = 4096;

/// A line with a cursor.
#[derive(Clone, Debug, Default)]
pub struct Input {
    text: String,
    /// Byte before which the cursor stands; always between two graphemes.
    cursor: usize,
    history: Vec<String>,
    /// Place in the history, and what was being typed before going there.
    recalled: Option<(usize, String)>,
}

impl Input {
    /// A line that starts with a text, the cursor behind it.
    #[must_use]
    pub fn new(text: &str) -> Input {
        let mut input = Input::default();
        input.insert(text);
        input
    }

    /// The same line with earlier ones to recall, the oldest first.
    #[must_use]
    pub fn with_history(mut self, history: Vec<String>) -> Input {
        self.history = history;
        self
    }

    /// What stands there.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts another text there, the cursor behind it.
    pub fn set(&mut self, text: &str) {
        self.text.clear();
        self.cursor = 0;
        self.insert(text);
    }

    /// Inserts pasted text; line breaks become blanks.
    pub fn paste(&mut self, text: &str) {
        self.insert(text.trim_end_matches(['\r', '\n']));
    }

    /// Takes a key. Returns whether the text is different now.
    pub fn key(&mut self, key: Key) -> bool {
        let length = self.text.len();
        match (key.code, key.ctrl, key.alt) {
            (Code::Char(c), false, false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (Code::Backspace, false, false) => self.remove(self.before(), self.cursor),
            (Code::Delete, ..) | (Code::Char('d'), true, _) => self.remove(self.cursor, self.after()),
            (Code::Char('w'), true, _) | (Code::Backspace, ..) => self.remove(self.word_before(), self.cursor),
            (Code::Char('d'), false, true) => self.remove(self.cursor, self.word_after()),
            (Code::Char('u'), true, _) => self.remove(0, self.cursor),
            (Code::Char('k'), true, _) => self.remove(self.cursor, length),
            (Code::Left, false, false) | (Code::Char('b'), true, _) => self.cursor = self.before(),
            (Code::Right, false, false) | (Code::Char('f'), true, _) => self.cursor = self.after(),
            (Code::Left, ..) | (Code::Char('b'), false, true) => self.cursor = self.word_before(),
            (Code::Right, ..) | (Code::Char('f'), false, true) => self.cursor = self.word_after(),
            (Code::Home, ..) | (Code::Char('a'), true, _) => self.cursor = 0,
            (Code::End, ..) | (Code::Char('e'), true, _) => self.cursor = length,
            (Code::Up, ..) | (Code::Char('p'), true, _) => return self.recall_older(),
            (Code::Down, ..) | (Code::Char('n'), true, _) => return self.recall_newer(),
            _ => {}
        }
        self.text.len() != length
    }

    /// Draws the line into one row and returns where the cursor is. What does not fit moves out to the left, so that the cursor is always seen.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Position {
        let room = usize::from(area.width).max(1);
        let mut before = &self.text[..self.cursor];
        // One column is the cursor's own.
        while text::width(before) >= room {
            let first = before.graphemes(true).next().map_or(before.len(), str::len);
            before = &before[first..];
        }
        let shown = &self.text[self.cursor - before.len()..];
        if area.width > 0 && area.height > 0 {
            buf.set_stringn(area.x, area.y, shown, room, theme.style(Role::Text));
        }
        Position { x: area.x.saturating_add(u16::try_from(text::width(before)).unwrap_or(u16::MAX)), y: area.y }
    }

    fn insert(&mut self, text: &str) {
        let text: String = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
        let clean = text::clean(&text);
        let room = LONGEST.saturating_sub(self.text.len());
        let end = clean.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len()).take_while(|end| *end <= room).last().unwrap_or(0);
        self.text.insert_str(self.cursor, &clean[..end]);
        self.cursor = self.boundary(self.cursor + end);
        self.recalled = None;
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = self.boundary(from);
        self.recalled = None;
    }

    /// The first place between two graphemes that is not before `at`: what is typed or removed may join its neighbours.
    fn boundary(&self, at: usize) -> usize {
        self.text.grapheme_indices(true).map(|(start, _)| start).find(|start| *start >= at).unwrap_or(self.text.len())
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.cursor + self.text[self.cursor..].graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        let before = &self.text[..self.cursor];
        before.unicode_word_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn word_after(&self) -> usize {
        let after = &self.text[self.cursor..];
        after.unicode_word_indices().next().map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }

    fn recall_older(&mut self) -> bool {
        let place = self.recalled.as_ref().map_or(self.history.len(), |(place, _)| *place);
        let Some(older) = place.checked_sub(1) else { return false };
        let typed = self.recalled.take().map_or_else(|| self.text.clone(), |(_, typed)| typed);
        let text = self.history[older].clone();
        self.set(&text);
        self.recalled = Some((older, typed));
        true
    }

    fn recall_newer(&mut self) -> bool {
        let Some((place, typed)) = self.recalled.take() else { return false };
        match self.history.get(place + 1).cloned() {
            Some(text) => {
                self.set(&text);
                self.recalled = Some((place + 1, typed));
            }
            None => self.set(&typed),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn press(input: &mut Input, keys: &[&str]) {
        for key in keys {
            input.key(key.parse().unwrap_or_else(|what| panic!("{what}")));
        }
    }

    fn after(start: &str, keys: &[&str]) -> String {
        let mut input = Input::new(start);
        press(&mut input, keys);
        let (before, behind) = input.text.split_at(input.cursor);
        format!("{before}|{behind}")
    }

    #[test]
    fn the_keys_of_a_shell_edit_the_line() {
        for (start, keys, wanted) in [
            ("", ["a", "B", "space"].as_slice(), "aB |"),
            ("abc", &["left", "left", "x"], "ax|bc"),
            ("abc", &["home", "delete"], "|bc"),
            ("abc", &["ctrl-a", "ctrl-d", "end", "backspace"], "b|"),
            ("one two", &["ctrl-w"], "one |"),
            ("one two ", &["ctrl-w"], "one |"),
            ("one two", &["alt-b", "ctrl-u"], "|two"),
            ("one two", &["ctrl-left", "left", "ctrl-k"], "one|"),
            ("one two", &["ctrl-a", "alt-f"], "one| two"),
            ("", &["backspace", "delete", "left", "right", "ctrl-w", "up", "down"], "|"),
            ("日本", &["backspace"], "日|"),
            ("e\u{301}x", &["left", "backspace"], "|x"),
        ] {
            assert_eq!(after(start, keys), wanted, "{start} {keys:?}");
        }
    }

    #[test]
    fn only_what_changes_the_text_says_so() {
        let mut input = Input::new("ab");
        for (key, changed) in
            [("left", false), ("x", true), ("enter", false), ("esc", false), ("home", false), ("backspace", false), ("delete", true)]
        {
            assert_eq!(input.key(key.parse().expect("a key")), changed, "{key}");
        }
    }

    #[test]
    fn earlier_lines_come_back_and_so_does_what_was_typed() {
        let mut input = Input::new("now").with_history(vec!["first".to_owned(), "second".to_owned()]);
        press(&mut input, &["up"]);
        assert_eq!(input.text(), "second");
        press(&mut input, &["up", "up"]);
        assert_eq!(input.text(), "first");
        press(&mut input, &["down", "down"]);
        assert_eq!(input.text(), "now");
        press(&mut input, &["down"]);
        assert_eq!(input.text(), "now");
    }

    #[test]
    fn pasted_text_is_one_clean_line() {
        let mut input = Input::new("");
        input.paste("one\ntwo\u{1b}[31m\r\n");
        assert!(input.text().starts_with("one two") && !input.text().contains(['\n', '\u{1b}']), "{:?}", input.text());
        input.paste(&"x".repeat(1_000_000));
        assert!(input.text().len() <= LONGEST);
    }

    #[test]
    fn the_cursor_is_always_seen() {
        let theme = Theme::built_in("mono");
        let mut input = Input::new("a long line of words");
        let area = Rect::new(2, 0, 8, 1);
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        assert_eq!(input.draw(area, &mut buf, &theme), Position { x: 9, y: 0 });
        assert_eq!(buf, Buffer::with_lines(["  f words   "]));
        press(&mut input, &["home"]);
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        assert_eq!(input.draw(area, &mut buf, &theme), Position { x: 2, y: 0 });
        assert_eq!(buf, Buffer::with_lines(["  a long l  "]));
    }

    proptest! {
        #[test]
        fn no_keys_break_the_line(start in "\\PC{0,20}", keys in prop::collection::vec((0..16u8, "\\PC"), 0..60), width in 0..20u16) {
            let mut input = Input::new(&start).with_history(vec!["日本".to_owned()]);
            let theme = Theme::built_in("mono");
            for (choice, typed) in keys {
                let name = ["left", "right", "home", "end", "backspace", "delete", "ctrl-w", "ctrl-u", "ctrl-k", "up", "down", "alt-b", "alt-f", "alt-d"].get(usize::from(choice));
                let typed = typed.chars().next().unwrap_or('x');
                input.key(name.map_or(Key::plain(Code::Char(typed)), |name| name.parse().expect("a key")));
                prop_assert!(input.text.is_char_boundary(input.cursor));
                let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
                input.draw(Rect::new(0, 0, width, 1), &mut buf, &theme);
            }
        }
    }
}
