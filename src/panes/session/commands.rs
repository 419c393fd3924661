//! What follows the leader: the commands of a session's view, and which of them do anything now.

use super::{ExecView, notice};
use crate::exec::keys;
use crate::keys::{Code, Key};
use crate::view::{Cx, Reaction};

/// Letter and word.
const COMMANDS: &[(char, &str)] =
    &[('e', "end"), ('d', "detach"), ('n', "next"), ('l', "logs"), ('z', "zoom"), ('c', "look back"), ('p', "whole screen")];

impl ExecView {
    /// The commands that do something now.
    pub(super) fn offered(&self, cx: &Cx) -> impl Iterator<Item = (char, &'static str)> {
        let (several, zooms) = (cx.shells.all().len() > 1, self.zooms());
        COMMANDS.iter().copied().filter(move |(key, _)| match key {
            'n' => several,
            'z' => zooms,
            _ => true,
        })
    }

    /// Whether the terminal shares its place with the logs, or has theirs.
    fn zooms(&self) -> bool {
        self.areas.logs.height > 0 || self.zoomed && !self.logs_off
    }

    pub(super) fn switch(&mut self, id: u64) -> Reaction {
        self.id = id;
        self.looking = None;
        self.reading = false;
        Reaction::Redraw
    }

    pub(super) fn command(&mut self, key: Key, cx: &Cx) -> Reaction {
        if keys::same(key, cx.config.exec.leader) {
            return self.send(keys::key(key, self.shell(cx).map(|shell| shell.term.modes()).unwrap_or_default()), cx);
        }
        match key.code {
            Code::Tab => return self.read(cx),
            Code::PageUp => {
                self.look(cx, false);
                if let Some(looking) = &mut self.looking {
                    // One line stays in view, as in a pager.
                    looking.snapshot.scroll(1 - isize::try_from(self.areas.terminal.height.max(2)).unwrap_or(2));
                }
                return Reaction::Redraw;
            }
            Code::Esc => return Reaction::Redraw,
            _ => {}
        }
        match key.typed() {
            Some('e') => Reaction::EndSession(self.id),
            Some('d') => Reaction::Leave,
            Some('z') if !self.zooms() => notice("no logs are shown: the terminal has all the room there is"),
            Some('z') => {
                self.zoomed = !self.zoomed;
                Reaction::Redraw
            }
            Some('p') => {
                self.whole = !self.whole;
                Reaction::Redraw
            }
            Some('l') => {
                let hidden = self.areas.logs.height == 0;
                if hidden && !self.logs_off && !self.zoomed {
                    // There is room for one of the two.
                    return self.read(cx);
                }
                self.zoomed = false;
                self.logs_off = !hidden;
                Reaction::Redraw
            }
            Some('c' | '[') => {
                self.look(cx, false);
                Reaction::Redraw
            }
            Some(side @ ('n' | 'b')) => match cx.shells.beside(self.id, side == 'n') {
                Some(id) => self.switch(id),
                None => notice("there is one session"),
            },
            Some(digit) if digit.is_ascii_digit() => {
                let at = digit.to_digit(10).and_then(|n| usize::try_from(n).ok()).and_then(|n| n.checked_sub(1));
                match at.and_then(|at| cx.shells.all().get(at)) {
                    Some(shell) => self.switch(shell.id),
                    None => notice(&format!("there is no session {digit}")),
                }
            }
            _ => notice(&format!("{} is no command here", key.label())),
        }
    }

    /// Gives the keys to the logs.
    fn read(&mut self, cx: &Cx) -> Reaction {
        self.whole = false;
        self.zoomed = false;
        self.logs_off = false;
        self.reading = true;
        self.logs(cx);
        Reaction::Redraw
    }
}
