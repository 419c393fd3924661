//! The help: every key that works here, made from the live keymap, found by typing.
//!
//! The keys of the view at hand come first. Knows no pane.

use super::input::Input;
use crate::action::{ACTIONS, Action, ActionRow, Kind, Scope};
use crate::filter::{self, Query};
use crate::keys::{Code, Key, Keymap};
use crate::text;
use crate::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Keys of the prompts, which are those of a shell and cannot be changed.
const PROMPT: &[(&str, &str)] = &[
    ("⏎ Esc", "Take the line, or leave it"),
    ("↑ ↓", "Earlier lines"),
    ("Ctrl-a Ctrl-e", "Go to the start, to the end"),
    ("Ctrl-w Ctrl-u", "Delete the word, all before"),
];

/// What words mean in a filter.
const FILTER: &[(&str, &str)] = &[
    ("chk out", "Both; a capital makes case count"),
    ("\"two words\"", "This very text"),
    ("re:^pay", "A regular expression"),
    ("!cart", "Not this"),
];

/// Columns of amounts and times, with what a filter may ask of each.
const AMOUNTS: &[(&str, &str)] =
    &[("AGE", "age<10m"), ("SINCE", "since<10m"), ("CPU%", "cpu>80"), ("MEM%", "mem>80"), ("WEIGHT", "weight>50")];

/// Columns that a list of keys needs to be read; two lists stand side by side where there is room for both.
const COLUMN: u16 = 56;
/// Cells for the keys themselves.
const KEYS: usize = 16;

/// The open help.
#[derive(Clone, Debug)]
pub struct Help {
    kind: Kind,
    /// Actions that do nothing where it was opened.
    idle: Vec<Action>,
    /// What a filter may ask of the columns that there are.
    columns: Vec<(String, String)>,
    search: Input,
    top: usize,
    /// Lines that the last drawing had room for, and how many there were.
    page: usize,
    lines: usize,
}

enum Line {
    Title(&'static str),
    Row { keys: String, help: String, name: &'static str },
    Blank,
}

impl Help {
    /// Opens it for a kind of view.
    #[must_use]
    pub fn new(kind: Kind) -> Help {
        Help { kind, idle: Vec::new(), columns: Vec::new(), search: Input::default(), top: 0, page: 1, lines: 0 }
    }

    /// Leaves out the keys of actions that do nothing where it is opened.
    #[must_use]
    pub fn without(self, idle: Vec<Action>) -> Help {
        Help { idle, ..self }
    }

    /// Says how a filter asks for these columns.
    #[must_use]
    pub fn filtering(self, columns: &[&str]) -> Help {
        // The first one is mostly a sign.
        let word = columns.get(1).or(columns.first()).map(|title| filter::typed(title));
        let word = word.map(|word| (format!("{word}:text"), "In one column; = for exactly this".to_owned()));
        let amounts: Vec<&str> = AMOUNTS.iter().filter(|(title, _)| columns.contains(title)).map(|(_, example)| *example).collect();
        let amounts = (!amounts.is_empty()).then(|| (amounts.join(" "), "Amounts and times in a column".to_owned()));
        let all: Vec<String> = columns.iter().map(|title| filter::typed(title)).collect();
        let all = (!all.is_empty()).then(|| ("columns".to_owned(), all.join(" ")));
        Help { columns: [word, amounts, all].into_iter().flatten().collect(), ..self }
    }

    /// Takes a key. Returns whether the help stays open; Esc is for whoever shows it.
    pub fn key(&mut self, key: Key, keys: &Keymap) -> bool {
        match key.code {
            Code::Enter => return false,
            Code::Down => self.top += 1,
            Code::Up => self.top = self.top.saturating_sub(1),
            Code::PageDown => self.top += self.page,
            Code::PageUp => self.top = self.top.saturating_sub(self.page),
            _ => {
                let closing = matches!(keys.action(self.kind, key), Some(Action::Help | Action::Quit));
                if closing && self.search.text().is_empty() {
                    return false;
                }
                if self.search.key(key) {
                    self.top = 0;
                }
            }
        }
        self.top = self.top.min(self.lines.saturating_sub(self.page));
        true
    }

    /// Adds pasted text to the search.
    pub fn paste(&mut self, text: &str) {
        self.search.paste(text);
        self.top = 0;
    }

    /// Draws it over the whole area and returns where the cursor is.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, theme: &Theme, keys: &Keymap, kind: Kind) -> Option<Position> {
        self.kind = kind;
        if area.width < 12 || area.height < 3 {
            return None;
        }
        let title = format!(" Keys {} · ", if kind == Kind::Table { "in tables" } else { "in text" });
        let rest = "type to search · Esc closes";
        let x = area.x + buf_width(&title);
        let found = if self.search.text().is_empty() { rest.to_owned() } else { "search: ".to_owned() };
        buf.set_stringn(area.x, area.y, &title, usize::from(area.width), theme.style(Role::Accent));
        buf.set_stringn(x, area.y, &found, usize::from(area.right().saturating_sub(x)), theme.style(Role::Dim));
        let lines = self.listed(keys);
        let cursor = (!self.search.text().is_empty()).then(|| {
            let x = (x + buf_width(&found)).min(area.right() - 1);
            self.search.draw(Rect { x, y: area.y, width: area.right() - x, height: 1 }, buf, theme)
        });
        let body = Rect { y: area.y + 2, height: area.height - 2, ..area };
        let columns = (area.width / COLUMN).max(1);
        self.lines = lines.len();
        self.page = usize::from(body.height) * usize::from(columns);
        self.top = self.top.min(self.lines.saturating_sub(self.page));
        let width = area.width / columns;
        for (n, line) in lines.iter().skip(self.top).take(self.page).enumerate() {
            let (column, row) = (n / usize::from(body.height), n % usize::from(body.height));
            let at = |n: usize| u16::try_from(n).unwrap_or(0);
            line.draw(
                Rect { x: body.x + at(column) * width + 1, y: body.y + at(row), width: width.saturating_sub(2), height: 1 },
                buf,
                theme,
            );
        }
        if lines.is_empty() {
            buf.set_stringn(body.x + 1, body.y, "nothing here has that name", usize::from(body.width - 1), theme.style(Role::Dim));
        }
        cursor
    }

    fn listed(&self, keys: &Keymap) -> Vec<Line> {
        let here = if self.kind == Kind::Table { "In this table" } else { "In this text" };
        let own = ACTIONS.iter().filter(|row| row.scope != Scope::Global && row.scope.covers(self.kind));
        let global = ACTIONS.iter().filter(|row| row.scope == Scope::Global);
        let fixed = |rows: &[(&str, &str)]| rows.iter().map(|(keys, help)| row((*keys).to_owned(), (*help).to_owned(), "")).collect();
        let mut parts: Vec<(&'static str, Vec<Line>)> = vec![
            (here, own.filter_map(|row| self.bound(row, keys)).collect()),
            ("Everywhere", global.filter_map(|row| self.bound(row, keys)).collect()),
        ];
        if self.kind == Kind::Table {
            let mut rows: Vec<Line> = fixed(FILTER);
            rows.extend(self.columns.iter().map(|(keys, help)| row(keys.clone(), help.clone(), "")));
            parts.push(("In a filter", rows));
        }
        parts.push(("In a prompt", fixed(PROMPT)));
        let query = Query::parse(self.search.text(), &[]).unwrap_or_default();
        let mut lines = Vec::new();
        for (title, mut rows) in parts {
            rows.retain(|row| row.is_found(&query));
            if !rows.is_empty() {
                if !lines.is_empty() {
                    lines.push(Line::Blank);
                }
                lines.push(Line::Title(title));
                lines.append(&mut rows);
            }
        }
        lines
    }

    /// The line of an action; the panes by number share one.
    fn bound(&self, action: &'static ActionRow, keys: &Keymap) -> Option<Line> {
        if self.idle.contains(&action.action) {
            return None;
        }
        let labels = match action.action {
            Action::Pane(1) => {
                let there = (1..=9).filter(|n| !self.idle.contains(&Action::Pane(*n)));
                there.filter_map(|n| keys.key_of(Action::Pane(n), self.kind)).collect::<Vec<_>>().join(" ")
            }
            Action::Pane(_) => return None,
            other => keys.keys_of(other, self.kind).join(" "),
        };
        let help = if action.action == Action::Pane(1) { "Go to a pane by its number" } else { action.help };
        Some(row(if labels.is_empty() { "no key".to_owned() } else { labels }, help.to_owned(), action.name))
    }
}

fn row(keys: String, help: String, name: &'static str) -> Line {
    Line::Row { keys, help, name }
}

impl Line {
    fn is_found(&self, query: &Query) -> bool {
        match self {
            Line::Row { keys, help, name } => query.matches(&format!("{name} {keys} {help}"), &|_| None),
            Line::Title(_) | Line::Blank => true,
        }
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let room = usize::from(area.width);
        match self {
            Line::Blank => {}
            Line::Title(title) => {
                buf.set_stringn(area.x, area.y, title, room, theme.style(Role::Accent));
            }
            Line::Row { keys, help, .. } => {
                buf.set_stringn(area.x, area.y, text::fit(keys, KEYS - 1), room, theme.style(Role::Link));
                let rest = room.saturating_sub(KEYS);
                let x = area.x + u16::try_from(room.min(KEYS)).unwrap_or(0);
                buf.set_stringn(x, area.y, text::fit(help, rest), rest, theme.style(Role::Text));
            }
        }
    }
}

fn buf_width(text: &str) -> u16 {
    u16::try_from(text::width(text)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;

    fn drawn(help: &mut Help, keys: &Keymap, kind: Kind, width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        help.draw(area, &mut buf, &Theme::built_in("mono"), keys, kind);
        let line = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
        (0..height).map(line).collect::<Vec<_>>().join("\n")
    }

    fn type_in(help: &mut Help, text: &str) {
        for c in text.chars() {
            assert!(help.key(Key::plain(Code::Char(c)), &Keymap::default()), "{text} closed the help");
        }
    }

    #[test]
    fn every_action_is_listed_where_it_works() {
        for kind in [Kind::Table, Kind::Text] {
            let shown = drawn(&mut Help::new(kind), &Keymap::default(), kind, 200, 60);
            for row in ACTIONS.iter().filter(|row| !matches!(row.action, Action::Pane(_))) {
                let start: String = row.help.chars().take(30).collect();
                assert_eq!(shown.contains(start.as_str()), row.scope.covers(kind), "{} in {kind:?}\n{shown}", row.name);
            }
        }
    }

    #[test]
    fn the_help_follows_the_users_keys() {
        let patch = "[table]\nlogs = [\"L\", \"f6\"]\nevents = []\n";
        let keys = settings::read("k", patch, |top| Keymap::default().patched(&top)).expect("a sound patch");
        let shown = drawn(&mut Help::new(Kind::Table), &keys, Kind::Table, 120, 60);
        assert!(shown.contains("L F6            Open the logs"), "{shown}");
        assert!(shown.contains("no key          Open the service's events"), "{shown}");
    }

    #[test]
    fn typing_finds() {
        let mut help = Help::new(Kind::Table);
        type_in(&mut help, "half");
        let shown = drawn(&mut help, &Keymap::default(), Kind::Table, 80, 24);
        assert!(shown.contains("search: half") && shown.contains("Move up by half a page") && !shown.contains("Open the logs"), "{shown}");
        type_in(&mut help, "qqq");
        let shown = drawn(&mut help, &Keymap::default(), Kind::Table, 80, 24);
        assert!(shown.contains("nothing here has that name"), "{shown}");
    }

    #[test]
    fn its_own_key_and_quit_close_it_unless_they_are_searched_for() {
        let keys = Keymap::default();
        for name in ["?", "q", "enter"] {
            assert!(!Help::new(Kind::Table).key(name.parse().expect("a key"), &keys), "{name}");
        }
        let mut help = Help::new(Kind::Table);
        type_in(&mut help, "a");
        assert!(help.key("q".parse().expect("a key"), &keys));
    }

    #[test]
    fn what_does_not_fit_scrolls_and_stops_at_the_end() {
        let keys = Keymap::default();
        let mut help = Help::new(Kind::Table);
        let first = drawn(&mut help, &keys, Kind::Table, 60, 12);
        for _ in 0..100 {
            help.key("pgdn".parse().expect("a key"), &keys);
        }
        let last = drawn(&mut help, &keys, Kind::Table, 60, 12);
        assert!(first.contains("Move up") && last.trim_end().ends_with("all before"), "{last}");
        for size in [(60, 15), (40, 8), (12, 3), (5, 1), (0, 0)] {
            drawn(&mut help, &keys, Kind::Table, size.0, size.1);
        }
    }
}
