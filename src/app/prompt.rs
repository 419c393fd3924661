//! The line of input below a view: filter, search, time, file. The view hears every change.

use super::{App, Effect};
use crate::keys::{Code, Key};
use crate::ui::input::Input;
use crate::view::{Prompt, Reaction};

/// An open prompt.
pub struct PromptLine {
    pub prompt: Prompt,
    pub input: Input,
    before: String,
    /// Why the text cannot be taken as it stands.
    pub fault: Option<String>,
}

impl PromptLine {
    pub fn new(prompt: Prompt, text: &str) -> Self {
        PromptLine { prompt, input: Input::new(text), before: text.to_owned(), fault: None }
    }

    pub fn paste(&mut self, text: &str) {
        self.input.paste(text);
    }

    /// What stands before the text.
    pub fn label(&self) -> &'static str {
        match self.prompt {
            Prompt::Filter => "filter: ",
            Prompt::Search => "search: ",
            Prompt::Time => "go to time: ",
            Prompt::Save => "save to: ",
            Prompt::Image => "image: ",
            Prompt::Family => "task definition: ",
            Prompt::Forward => "forward: ",
        }
    }

    /// What stands behind the text while it is short.
    pub fn hint(&self) -> &'static str {
        match self.prompt {
            // What else it understands depends on the view.
            Prompt::Filter => "⏎ keeps · esc undoes",
            Prompt::Search => "text or re:regex · ⏎ keeps · esc undoes",
            Prompt::Time => "13:10 · 2d1h ago · 2026-11-21 13:10",
            Prompt::Save => "⏎ writes the file · esc gives up",
            Prompt::Image => "a tag, sha256:…, or a whole reference · ⏎ opens the dialog · esc gives up",
            Prompt::Forward => "PORT of the container · PORT:LOCAL · PORT:LOCAL HOST behind it · ⏎ opens the session · esc gives up",
            Prompt::Family => "family or family:revision · ⏎ takes it · esc gives up",
        }
    }
}

impl App {
    pub(super) fn prompt_key(&mut self, key: Key) -> Vec<Effect> {
        let Some(mut line) = self.prompt.take() else { return Vec::new() };
        let cancelled = key.code == Code::Esc || (key.ctrl && key.code == Code::Char('c'));
        if cancelled {
            let (prompt, before) = (line.prompt, line.before);
            return if matches!(prompt, Prompt::Filter | Prompt::Search) { self.hear(prompt, &before, false) } else { Vec::new() };
        }
        if key.code == Code::Enter {
            let (prompt, text) = (line.prompt, line.input.text().to_owned());
            let reaction = self.answer(prompt, &text, true);
            let Reaction::Refuse(fault) = reaction else { return self.answered(reaction) };
            // What was applied before holds again, and what was typed is not lost.
            let filters = matches!(prompt, Prompt::Filter | Prompt::Search);
            let reaction = if filters { self.answer(prompt, &line.before, false) } else { Reaction::Redraw };
            self.prompt = Some(PromptLine { fault: Some(fault), ..line });
            return self.answered(reaction);
        }
        let changed = line.input.key(key);
        line.fault = line.fault.filter(|_| !changed);
        self.prompt = Some(line);
        if changed { self.prompt_changed(false) } else { Vec::new() }
    }

    pub(super) fn prompt_changed(&mut self, done: bool) -> Vec<Effect> {
        let Some(line) = &self.prompt else { return Vec::new() };
        let (prompt, text) = (line.prompt, line.input.text().to_owned());
        self.hear(prompt, &text, done)
    }

    fn hear(&mut self, prompt: Prompt, text: &str, done: bool) -> Vec<Effect> {
        let reaction = self.answer(prompt, text, done);
        self.answered(reaction)
    }

    fn answer(&mut self, prompt: Prompt, text: &str, done: bool) -> Reaction {
        let cx = self.shared.cx();
        self.views.last_mut().map_or(Reaction::Ignored, |view| view.input(prompt, text, done, &cx))
    }

    fn answered(&mut self, reaction: Reaction) -> Vec<Effect> {
        let effects = self.react(reaction);
        self.settle_wanted();
        effects
    }
}
