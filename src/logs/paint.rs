//! The colours of log lines: what the theme says, gathered once per frame.

use super::Level;
use ratatui::style::Style;

/// Styles by what they mean here.
#[derive(Clone, Debug, Default)]
pub struct Paint {
    /// Ordinary text.
    pub text: Style,
    /// What steps back.
    pub dim: Style,
    /// Cursor and marks.
    pub accent: Style,
    /// The frame.
    pub border: Style,
    /// Under the line that the cursor is on.
    pub selection: Style,
    /// What a search found.
    pub found: Style,
    /// Warnings.
    pub warn: Style,
    /// Errors.
    pub fail: Style,
    /// Following, loading.
    pub busy: Style,
    /// Hues that tell tasks apart; they repeat.
    pub tasks: Vec<Style>,
}

impl Paint {
    /// The hue of a level.
    #[must_use]
    pub fn level(&self, level: Option<Level>) -> Style {
        match level {
            Some(Level::Error | Level::Fatal) => self.fail,
            Some(Level::Warn) => self.warn,
            Some(Level::Info) => self.text,
            _ => self.dim,
        }
    }

    /// The hue of the `index`-th task.
    #[must_use]
    pub fn task(&self, index: usize) -> Style {
        if self.tasks.is_empty() { self.dim } else { self.tasks[index % self.tasks.len()] }
    }
}
