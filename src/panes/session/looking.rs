//! Looking back in a terminal: keys of a pager, marks, search, and the mouse, over a copy of what was there when it began.

use super::{ExecView, Looking};
use crate::exec::term::Move;
use crate::keys::{Button, Code, Key, Pointing};
use crate::view::{Cx, Notice, Reaction, Tone};
use std::borrow::Cow;

/// Lines of a notch of the wheel.
const NOTCH: isize = 3;

impl Looking {
    pub(super) fn remark(&self) -> String {
        if let Some(text) = &self.search {
            return format!("find: {text}▏");
        }
        let marked = if self.snapshot.marked() { " · marking" } else { "" };
        format!("looking back: line {} of {}{marked} · the session goes on", self.snapshot.line(), self.snapshot.lines())
    }

    pub(super) fn keys(&self) -> Vec<(String, &'static str)> {
        let keys: &[(&str, &'static str)] = if self.search.is_some() {
            &[("⏎", "find"), ("Esc", "give up")]
        } else {
            &[("v", "mark"), ("V", "lines"), ("y", "copy"), ("/", "find"), ("n N", "next"), ("g G", "ends"), ("Esc", "back")]
        };
        keys.iter().map(|(key, word)| ((*key).to_owned(), *word)).collect()
    }

    fn find(&mut self, forward: bool) -> Reaction {
        if self.found.is_empty() || self.snapshot.find(&self.found, forward) {
            return Reaction::Redraw;
        }
        Reaction::Notice(Notice { tone: Tone::Info, text: format!("{} is nowhere in it", self.found) })
    }

    fn copy(&mut self) -> Reaction {
        let text = self.snapshot.text();
        let lines = text.lines().count().max(1);
        let label = if lines == 1 { Cow::Borrowed("the text") } else { Cow::Owned(format!("{lines} lines")) };
        Reaction::Copy(text, label)
    }

    /// The step of a key.
    fn step(key: Key) -> Option<Move> {
        Some(match (key.code, key.ctrl) {
            (Code::Char('j'), false) | (Code::Down, _) => Move::Lines(1),
            (Code::Char('k'), false) | (Code::Up, _) => Move::Lines(-1),
            (Code::Char('h'), false) | (Code::Left, _) => Move::Columns(-1),
            (Code::Char('l'), false) | (Code::Right, _) => Move::Columns(1),
            (Code::Char('d'), true) => Move::Halves(1),
            (Code::Char('u'), true) => Move::Halves(-1),
            (Code::Char('f'), true) | (Code::PageDown | Code::Char(' '), _) => Move::Halves(2),
            (Code::Char('b'), true) | (Code::PageUp, _) => Move::Halves(-2),
            (Code::Char('g'), false) => Move::Top,
            (Code::Char('G'), false) => Move::Bottom,
            (Code::Char('0' | '^'), false) | (Code::Home, _) => Move::Home,
            (Code::Char('$'), false) | (Code::End, _) => Move::End,
            _ => return None,
        })
    }
}

impl ExecView {
    /// Begins to look back.
    pub(super) fn look(&mut self, cx: &Cx, passing: bool) {
        if let Some(shell) = self.shell(cx)
            && self.looking.is_none()
        {
            let snapshot = shell.term.snapshot();
            self.looking = Some(Looking { snapshot, search: None, found: String::new(), passing, pressed: None });
        }
    }

    pub(super) fn look_key(&mut self, key: Key) -> Reaction {
        let Some(looking) = &mut self.looking else { return Reaction::Redraw };
        let leave = key.code == Code::Esc || (key.ctrl && key.code == Code::Char('c'));
        if let Some(search) = &mut looking.search {
            match (key.code, key.typed()) {
                _ if leave => looking.search = None,
                (Code::Enter, _) => {
                    looking.found = looking.search.take().unwrap_or_default();
                    return looking.find(false);
                }
                (Code::Backspace, _) => drop(search.pop()),
                (_, Some(c)) => search.push(c),
                _ => {}
            }
            return Reaction::Redraw;
        }
        if let Some(step) = Looking::step(key) {
            looking.snapshot.go(step);
            return Reaction::Redraw;
        }
        match key.typed() {
            _ if leave && looking.snapshot.unmark() => {}
            _ if leave => self.looking = None,
            Some('q') => self.looking = None,
            Some('v') => looking.snapshot.mark(false),
            Some('V') => looking.snapshot.mark(true),
            Some('y' | 'c') => {
                let copied = looking.copy();
                self.looking = None;
                return copied;
            }
            Some('/' | '?') => looking.search = Some(String::new()),
            Some('n') => return looking.find(false),
            Some('N') => return looking.find(true),
            _ if key.code == Code::Enter => {
                let copied = looking.copy();
                self.looking = None;
                return copied;
            }
            _ => {}
        }
        Reaction::Redraw
    }

    /// The mouse where the remote does not want it: the wheel looks back, dragging marks and copies.
    pub(super) fn look_pointed(&mut self, what: Pointing, (column, row): (u16, u16), inside: bool, cx: &Cx) -> Reaction {
        match what {
            Pointing::WheelUp if inside => {
                self.look(cx, true);
                if let Some(looking) = &mut self.looking {
                    looking.snapshot.scroll(-NOTCH);
                }
            }
            Pointing::WheelDown if inside => {
                if let Some(looking) = &mut self.looking {
                    looking.snapshot.scroll(NOTCH);
                    if looking.passing && looking.snapshot.below() == 0 && !looking.snapshot.marked() {
                        self.looking = None;
                    }
                }
            }
            Pointing::Press(Button::Left) if inside => {
                if let Some(looking) = &mut self.looking {
                    looking.snapshot.unmark();
                    looking.snapshot.point(column, row);
                    looking.pressed = Some((column, row));
                } else {
                    // Nothing is copied for a click alone.
                    self.look(cx, true);
                    if let Some(looking) = &mut self.looking {
                        looking.snapshot.point(column, row);
                        looking.pressed = Some((column, row));
                    }
                }
            }
            Pointing::Drag(Button::Left) => {
                if let Some(looking) = self.looking.as_mut().filter(|looking| looking.pressed.is_some()) {
                    if !looking.snapshot.marked() {
                        looking.snapshot.mark(false);
                    }
                    looking.snapshot.point(column, row);
                }
            }
            Pointing::Release(Button::Left) => {
                let Some(looking) = self.looking.as_mut().filter(|looking| looking.pressed.is_some()) else { return Reaction::Redraw };
                looking.pressed = None;
                let copied = if looking.snapshot.marked() { looking.copy() } else { Reaction::Redraw };
                if looking.passing && looking.snapshot.below() == 0 {
                    self.looking = None;
                }
                return copied;
            }
            _ => {}
        }
        Reaction::Redraw
    }
}
