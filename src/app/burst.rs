//! Text that was meant for another window and came as keys, from a terminal that does not mark what is pasted: the dialog that one of its
//! letters opened is shut again, and one line says so.
//!
//! [`crate::keys::Burst`] drops the rest of a long one by the clock; this knows no clock, only what came before the program had time to draw.

use super::{App, Overlay};
use crate::keys::Key;
use crate::view::Tone;

/// Letters that came together, from which on they are no typing: nobody answers a dialog that he has not seen with so many.
const LETTERS: usize = 4;

/// What came since the last rest outside a line of input.
#[derive(Default)]
pub struct Burst {
    /// Letters, a key that is held counted once.
    letters: usize,
    last: Option<Key>,
    /// One of the keys opened a dialog.
    opened: bool,
}

impl App {
    /// Takes a key, and counts it where it could be text for another window.
    pub(super) fn count_key(&mut self, key: Key, take: impl FnOnce(&mut App, Key) -> Vec<super::Effect>) -> Vec<super::Effect> {
        if !self.typing() && self.burst.last != Some(key) && key.typed().is_some_and(char::is_alphabetic) {
            self.burst.letters += 1;
        }
        self.burst.last = Some(key);
        let before = self.asks();
        let effects = take(self, key);
        self.burst.opened |= !before && self.asks();
        effects
    }

    /// Whether something is open that could change something.
    fn asks(&self) -> bool {
        matches!(self.overlay, Some(Overlay::Dialog(_) | Overlay::Exec(_) | Overlay::Menu(_)))
    }

    /// Text came as keys, and the rest of it is dropped.
    pub(super) fn dropped(&mut self) {
        let cx = self.shared.cx();
        if let Some(Overlay::Dialog(dialog)) = &mut self.overlay {
            dialog.burst(&cx);
            self.dirty = true;
            return;
        }
        self.tell(Tone::Warn, "many keys at once look like text for another window: dropped");
    }

    /// No more keys wait: what many of them opened at once is shut, for nobody has looked at it.
    pub(super) fn shut_after_burst(&mut self) {
        let burst = std::mem::take(&mut self.burst);
        if burst.opened && burst.letters >= LETTERS {
            if self.asks() {
                self.overlay = None;
            }
            self.tell(Tone::Warn, "many letters at once look like text for another window: nothing is opened");
        }
    }
}
