//! The views behind and ahead, and the way out of the program.

use super::{App, HISTORY, NOTICE_MS, TWICE_MS};
use crate::action::Action;
use crate::view::{Tone, View};

impl App {
    pub(super) fn push(&mut self, view: Box<dyn View>) {
        // What was said of the last screen is not true of this one.
        self.notice = None;
        self.views.push(view);
        self.forward.clear();
        if self.views.len() > HISTORY {
            self.views.remove(1);
        }
        self.show();
    }

    pub(super) fn step_back(&mut self) -> bool {
        if self.views.len() < 2 {
            return false;
        }
        self.forward.extend(self.views.pop());
        self.show();
        true
    }

    pub(super) fn step_forward(&mut self) -> bool {
        let Some(view) = self.forward.pop() else { return false };
        self.views.push(view);
        self.show();
        true
    }

    pub(super) fn back(&mut self) {
        let cx = self.shared.cx();
        let peeled = self.views.last_mut().is_some_and(|view| view.peel(&cx));
        if !peeled && !self.step_back() {
            let key = self.shared.keys.key_of(Action::Quit, self.kind()).unwrap_or_default();
            self.tell(Tone::Info, format!("this is the first screen · {key} quits"));
        }
    }

    pub(super) fn leave(&mut self) {
        if !self.step_back() {
            self.ask_to_quit("q");
        }
    }

    pub(super) fn ask_to_quit(&mut self, key: &str) {
        let now = self.shared.now;
        let limit = if key == "q" { NOTICE_MS } else { TWICE_MS };
        if self.asked_to_quit.is_some_and(|at| now.as_millisecond() - at.as_millisecond() < limit) {
            self.quitting = true;
            return;
        }
        self.asked_to_quit = Some(now);
        match self.what_is_open() {
            Some(open) => self.tell(Tone::Warn, format!("{key} again quits and ends {open}")),
            None => self.tell(Tone::Info, format!("{key} again quits")),
        }
    }
}
