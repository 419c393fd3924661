//! The colours of log lines: what the theme says, gathered once per frame.

use super::Level;
use crate::theme::{Role, Theme};
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
    /// The words at the top of the frame.
    pub title: Style,
    /// Under the line that the cursor is on.
    pub selection: Style,
    /// What a search found.
    pub found: Style,
    /// Warnings.
    pub warn: Style,
    /// Errors.
    pub fail: Style,
    /// Hues that tell tasks apart; they repeat.
    pub tasks: Vec<Style>,
}

impl Paint {
    /// What a theme says.
    #[must_use]
    pub fn of(theme: &Theme) -> Self {
        Paint {
            text: theme.style(Role::Text),
            dim: theme.style(Role::Dim),
            accent: theme.style(Role::Accent),
            border: theme.style(Role::Border),
            title: theme.style(Role::Header),
            selection: theme.style(Role::Selection),
            found: theme.style(Role::Match),
            warn: theme.style(Role::Warn),
            fail: theme.style(Role::Fail),
            tasks: (0..theme.hues()).map(|hue| theme.series(hue)).collect(),
        }
    }

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
