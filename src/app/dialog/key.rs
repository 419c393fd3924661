//! What the keys of a dialog do, and when one of them confirms: never one that came with others, too soon, or before its plan was seen.

use super::{Answer, CHANGED_MS, COUNT, Demand, Dialog, Focus, Form, HOLD_MS, Phase, form};
use crate::change::plans::RollBack;
use crate::change::{Plan, Wish, ask};
use crate::keys::{Code, Key};
use crate::view::Cx;

/// Keys that came before the program had time to draw, from which on they are no typing.
const PASTE_KEYS: usize = 5;

/// Milliseconds for which what follows a text that came all at once is taken as more of it.
const PASTE_MS: i64 = 150;

const PASTED: &str = "pasted text does not confirm: type it";

impl Dialog {
    /// Takes a key.
    pub fn key(&mut self, key: Key, cx: &Cx) -> Answer {
        self.keys += 1;
        self.sure = false;
        self.said.clear();
        let leave = key.code == Code::Esc || (key.ctrl && key.code == Code::Char('c'));
        match &self.phase {
            _ if leave => return Answer::Close,
            Phase::Sending(_) => return Answer::Stay,
            Phase::Ended(_) => return if key.code == Code::Enter { Answer::Close } else { self.look(key, cx) },
            Phase::Asking => {}
        }
        match key.code {
            Code::Tab => self.turn(!key.shift),
            Code::Enter => return self.enter(cx),
            _ if self.focus == Focus::Confirm => {
                // What follows a text that came all at once belongs to it.
                let rest = self.pasted_at.is_some_and(|at| cx.now.as_millisecond() - at.as_millisecond() < PASTE_MS);
                if !self.held(cx) && !rest {
                    self.confirm.key(key);
                    self.last_typed_at = Some(cx.now);
                }
            }
            _ => return self.other(key, cx),
        }
        Answer::Stay
    }

    fn turn(&mut self, forward: bool) {
        let mut stops: Vec<Focus> = (0..self.lines().len()).map(Focus::Line).collect();
        if !self.lines().is_empty() && !self.form.choices().is_empty() {
            stops.push(Focus::Choice);
        }
        if self.typed() && self.hindered().is_none() {
            stops.push(Focus::Confirm);
        }
        stops.push(Focus::Cancel);
        let at = stops.iter().position(|stop| *stop == self.focus).unwrap_or(stops.len() - 1);
        let by = if forward { 1 } else { stops.len() - 1 };
        self.focus = stops[(at + by) % stops.len()];
    }

    /// The lines to fill in; none once it was confirmed and rests on a reading of its own.
    pub(super) fn lines(&self) -> Vec<&form::Line> {
        if self.moved.is_empty() { self.form.lines() } else { Vec::new() }
    }

    fn enter(&mut self, cx: &Cx) -> Answer {
        match self.focus {
            Focus::Cancel => Answer::Close,
            Focus::Line(_) | Focus::Choice => {
                self.turn(true);
                Answer::Stay
            }
            Focus::Confirm => match self.demand() {
                Demand::Typed(text) if self.confirm.text().trim_end() == text => self.confirmed(cx),
                Demand::Typed(text) => self.reply(format!("type  {text}  to the letter, then ⏎")),
                Demand::Key(key) => self.reply(format!("{key} does it")),
            },
        }
    }

    fn other(&mut self, key: Key, cx: &Cx) -> Answer {
        if let Focus::Line(n) = self.focus
            && let Some(line) = self.form.line_mut(n)
            && line.key(key)
        {
            self.plan(cx);
            return Answer::Stay;
        }
        let Some(letter) = key.typed() else { return self.look(key, cx) };
        let editable = self.moved.is_empty();
        if editable && (letter.is_ascii_digit() || matches!(letter, '+' | '-')) {
            if let Some(line) = self.form.line_mut(0).filter(|line| line.digits) {
                line.key(key);
                self.focus = Focus::Line(0);
                self.plan(cx);
            }
            return Answer::Stay;
        }
        if self.demand() == Demand::Key(letter) {
            return self.confirmed(cx);
        }
        if editable && self.form.letter(letter) {
            self.plan(cx);
            return Answer::Stay;
        }
        match letter {
            'p' if editable && !self.pins.is_empty() => {
                if let Form::Fixed(Wish::RollBack(RollBack::Revision(revision))) = &self.form {
                    self.form = Form::Fixed(Wish::RollBack(RollBack::Pinned(revision.clone(), self.pins.clone())));
                    self.confirm.set("");
                    self.plan(cx);
                }
                Answer::Stay
            }
            'c' => Answer::Copy(self.cli().join("\n")),
            'j' => self.look(Key::plain(Code::Down), cx),
            'k' => self.look(Key::plain(Code::Up), cx),
            _ => {
                let how = match (self.hindered(), self.demand()) {
                    (Some(_), _) if self.locked.is_none() && self.untouched() => COUNT.to_owned(),
                    (Some(why), _) => format!("cannot be done: {why}"),
                    (None, Demand::Typed(text)) => format!("⇥ goes to the line where  {text}  is typed"),
                    (None, Demand::Key(key)) => format!("{key} does it, esc leaves it"),
                };
                self.reply(how)
            }
        }
    }

    /// Keys that only move what is seen, or the choice.
    fn look(&mut self, key: Key, cx: &Cx) -> Answer {
        let by = match key.code {
            Code::Up => -1,
            Code::Down => 1,
            Code::PageUp => -8,
            Code::PageDown => 8,
            _ => return Answer::Stay,
        };
        if self.focus == Focus::Choice && self.moved.is_empty() && self.form.choose(by) {
            // What is marked is what is sent.
            self.plan(cx);
        } else {
            self.scroll = self.scroll.saturating_add_signed(by);
        }
        Answer::Stay
    }

    fn reply(&mut self, text: String) -> Answer {
        self.said = text;
        Answer::Stay
    }

    /// Whether the gravest changes still take no key.
    pub(super) fn held(&self, cx: &Cx) -> bool {
        self.grave_since.is_some_and(|at| cx.now.as_millisecond() - at.as_millisecond() < HOLD_MS)
    }

    fn confirmed(&mut self, cx: &Cx) -> Answer {
        if let Some(why) = self.hindered() {
            let why = if self.locked.is_none() && self.untouched() { COUNT.to_owned() } else { why };
            return self.reply(why);
        }
        if self.held(cx) {
            return self.reply("the first two seconds take no key: look at it".to_owned());
        }
        let changed = self.changed_at.is_some_and(|at| cx.now.as_millisecond() - at.as_millisecond() < CHANGED_MS);
        if !self.seen || changed {
            return self.reply("the plan has just become another one: look again".to_owned());
        }
        self.sure = true;
        Answer::Sure
    }

    /// Takes a pasted text: it fills in a line of words, and confirms nothing.
    pub fn paste(&mut self, text: &str, cx: &Cx) {
        if !matches!(self.phase, Phase::Asking) {
            return;
        }
        if let Focus::Line(n) = self.focus
            && let Some(line) = self.form.line_mut(n).filter(|line| !line.digits)
        {
            line.input.paste(text);
            return self.plan(cx);
        }
        self.refuse_paste();
    }

    /// A text came as keys, and the rest of it was dropped on its way.
    pub fn burst(&mut self, cx: &Cx) {
        self.pasted_at = Some(cx.now);
        self.refuse_paste();
    }

    fn refuse_paste(&mut self) {
        self.confirm.set("");
        PASTED.clone_into(&mut self.said);
    }

    /// No more keys wait: hands over what was confirmed by a key that came alone.
    pub fn rest(&mut self) -> Option<Vec<Plan>> {
        let keys = std::mem::take(&mut self.keys);
        let alone = keys == 1;
        if self.focus == Focus::Confirm && keys >= PASTE_KEYS {
            self.sure = false;
            self.pasted_at = self.last_typed_at;
            self.refuse_paste();
            return None;
        }
        if !std::mem::take(&mut self.sure) {
            return None;
        }
        if !alone {
            "keys that come all at once confirm nothing: press it once more".clone_into(&mut self.said);
            return None;
        }
        let plans = self.ready().cloned();
        Some(plans.flat_map(ask::apart).collect())
    }

    /// The same was sent a moment ago: asks once more. Returns whether that was already asked.
    pub fn ask_again(&mut self, seconds: i64) -> bool {
        if std::mem::replace(&mut self.again, true) {
            return true;
        }
        self.confirm.set("");
        self.said = format!("the same was sent {seconds} s ago: confirm once more if it is meant twice");
        false
    }
}
