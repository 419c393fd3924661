//! A key as the program knows it: what terminals deliver, reduced to what all of them deliver, with a name to write and a label to show.

use crate::nearest;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those on the keys")]
pub enum Code {
    /// What it types; an upper-case letter stands for itself with Shift.
    Char(char),
    Enter,
    Esc,
    Tab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// One to twelve.
    F(u8),
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
    /// With Shift; never for a character, which says so itself.
    pub shift: bool,
}

/// Name in the configuration, label on screen. The first name of a code is the one that is written.
const NAMES: &[(&str, Code, &str)] = &[
    ("space", Code::Char(' '), "Space"),
    ("minus", Code::Char('-'), "-"),
    ("enter", Code::Enter, "⏎"),
    ("return", Code::Enter, "⏎"),
    ("esc", Code::Esc, "Esc"),
    ("escape", Code::Esc, "Esc"),
    ("tab", Code::Tab, "Tab"),
    ("backspace", Code::Backspace, "Backspace"),
    ("delete", Code::Delete, "Del"),
    ("del", Code::Delete, "Del"),
    ("insert", Code::Insert, "Ins"),
    ("up", Code::Up, "↑"),
    ("down", Code::Down, "↓"),
    ("left", Code::Left, "←"),
    ("right", Code::Right, "→"),
    ("home", Code::Home, "Home"),
    ("end", Code::End, "End"),
    ("pgup", Code::PageUp, "PgUp"),
    ("pageup", Code::PageUp, "PgUp"),
    ("pgdn", Code::PageDown, "PgDn"),
    ("pagedown", Code::PageDown, "PgDn"),
    ("f1", Code::F(1), "F1"),
    ("f2", Code::F(2), "F2"),
    ("f3", Code::F(3), "F3"),
    ("f4", Code::F(4), "F4"),
    ("f5", Code::F(5), "F5"),
    ("f6", Code::F(6), "F6"),
    ("f7", Code::F(7), "F7"),
    ("f8", Code::F(8), "F8"),
    ("f9", Code::F(9), "F9"),
    ("f10", Code::F(10), "F10"),
    ("f11", Code::F(11), "F11"),
    ("f12", Code::F(12), "F12"),
];

/// With Ctrl these characters are other keys to every terminal.
const SAME: &[(char, &str)] = &[('i', "tab"), ('m', "enter"), ('[', "esc"), ('h', "backspace"), ('j', "enter")];

impl Key {
    /// A key without modifiers.
    #[must_use]
    pub const fn plain(code: Code) -> Key {
        Key { code, ctrl: false, alt: false, shift: false }
    }

    /// What the terminal said, or `None` for what is no press of a key we know.
    #[must_use]
    pub fn from_event(event: &KeyEvent) -> Option<Key> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let has = |modifier| event.modifiers.contains(modifier);
        let (ctrl, alt, mut shift) = (has(KeyModifiers::CONTROL), has(KeyModifiers::ALT), has(KeyModifiers::SHIFT));
        let code = match event.code {
            KeyCode::Char(c) => {
                shift = false;
                // Ctrl-D and Ctrl-d are one key in most terminals, so they are one key here.
                Code::Char(if ctrl { c.to_ascii_lowercase() } else { c })
            }
            KeyCode::BackTab => {
                shift = true;
                Code::Tab
            }
            KeyCode::Enter => Code::Enter,
            KeyCode::Esc => Code::Esc,
            KeyCode::Tab => Code::Tab,
            KeyCode::Backspace => Code::Backspace,
            KeyCode::Delete => Code::Delete,
            KeyCode::Insert => Code::Insert,
            KeyCode::Up => Code::Up,
            KeyCode::Down => Code::Down,
            KeyCode::Left => Code::Left,
            KeyCode::Right => Code::Right,
            KeyCode::Home => Code::Home,
            KeyCode::End => Code::End,
            KeyCode::PageUp => Code::PageUp,
            KeyCode::PageDown => Code::PageDown,
            KeyCode::F(n @ 1..=12) => Code::F(n),
            _ => return None,
        };
        Some(Key { code, ctrl, alt, shift })
    }

    /// The character that the key types, if it types one.
    #[must_use]
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// How hints and help show it.
    #[must_use]
    pub fn label(self) -> String {
        let mut out = String::new();
        for (held, name) in [(self.ctrl, "Ctrl-"), (self.alt, "Alt-"), (self.shift, "S-")] {
            if held {
                out.push_str(name);
            }
        }
        match (NAMES.iter().find(|(_, code, _)| *code == self.code), self.code) {
            (Some((_, _, label)), _) => out.push_str(label),
            (None, Code::Char(c)) => out.push(c),
            (None, _) => {}
        }
        out
    }
}

/// The name in the configuration.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                f.write_str(name)?;
            }
        }
        match (self.code, NAMES.iter().find(|(_, code, _)| *code == self.code)) {
            (Code::Char('-'), _) => f.write_str("-"),
            (_, Some((name, _, _))) => f.write_str(name),
            (Code::Char(c), None) => write!(f, "{c}"),
            (_, None) => Ok(()),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Key, String> {
        let mut key = Key::plain(Code::Esc);
        let mut rest = text;
        while let Some((held, tail)) = modifier(rest) {
            match held {
                "ctrl" => key.ctrl = true,
                "alt" => key.alt = true,
                _ => key.shift = true,
            }
            rest = tail;
        }
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() && !c.is_whitespace() => Code::Char(c),
            _ => named(text, rest)?,
        };
        if let (Code::Char(c), true) = (key.code, key.shift) {
            let upper = c.to_uppercase().next().unwrap_or(c);
            return Err(format!("write \"{upper}\" instead of \"{text}\""));
        }
        if let (Code::Char(c), true) = (key.code, key.ctrl) {
            key.code = Code::Char(c.to_ascii_lowercase());
            if let Some((_, same)) = SAME.iter().find(|(letter, _)| *letter == c.to_ascii_lowercase()) {
                return Err(format!("terminals send {same} for \"{text}\": use another key"));
            }
        }
        Ok(key)
    }
}

fn modifier(text: &str) -> Option<(&'static str, &str)> {
    let (head, tail) = text.split_once('-')?;
    let name = ["ctrl", "alt", "shift"].into_iter().find(|name| head.eq_ignore_ascii_case(name))?;
    (!tail.is_empty()).then_some((name, tail))
}

fn named(text: &str, rest: &str) -> Result<Code, String> {
    let lower = rest.to_ascii_lowercase();
    if let Some((_, code, _)) = NAMES.iter().find(|(name, _, _)| *name == lower) {
        return Ok(*code);
    }
    let shown: String = text.chars().take(30).flat_map(char::escape_debug).collect();
    let hint = nearest::nearest(rest, NAMES.iter().map(|(name, _, _)| *name));
    let hint = hint.map_or_else(
        || "write it like \"g\", \"G\", \"ctrl-d\", \"enter\" or \"f5\"".to_owned(),
        |name| format!("did you mean \"{name}\"?"),
    );
    Err(format!("unknown key \"{shown}\": {hint}"))
}

/// Tells text that was meant for another window from keys that were meant for us: more than eight different letters within 20 ms are no typing.
///
/// A key that repeats while it is held does not count, however fast it comes.
#[derive(Debug, Default)]
pub struct Burst {
    since: Duration,
    last: Duration,
    previous: Option<Key>,
    count: u32,
    dropping: bool,
}

/// What becomes of a key outside an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A key press.
    Typed,
    /// The first of a burst: say that it is dropped, and drop it.
    BurstBegins,
    /// More of the burst: drop it.
    Burst,
}

impl Burst {
    const WINDOW: Duration = Duration::from_millis(20);
    const QUIET: Duration = Duration::from_millis(100);
    const LIMIT: u32 = 8;

    /// Judges a key that came at `at`, by any clock that does not go back.
    pub fn judge(&mut self, key: Key, at: Duration) -> Verdict {
        let pause = at.saturating_sub(self.last);
        self.last = at;
        if self.dropping && pause < Self::QUIET {
            return Verdict::Burst;
        }
        if self.dropping || at.saturating_sub(self.since) > Self::WINDOW {
            *self = Burst { since: at, last: at, ..Burst::default() };
        }
        if key.typed().is_some() && self.previous != Some(key) {
            self.count += 1;
        }
        self.previous = Some(key);
        self.dropping = self.count > Self::LIMIT;
        if self.dropping { Verdict::BurstBegins } else { Verdict::Typed }
    }
}
