//! A small menu: letters with their words; one key chooses.

use crate::theme::{Role, Theme};
use crate::ui::frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// What a letter will do.
pub enum Purpose {
    /// The view knows.
    View,
    /// Copy one of these: letter, label, text.
    Copy(Vec<(char, &'static str, String)>),
    /// Set a bookmark of that letter.
    Bookmark,
    /// Go to the bookmark of that letter.
    Bookmarks,
}

/// An open menu.
pub struct Menu {
    pub title: &'static str,
    pub entries: Vec<(char, String)>,
    pub purpose: Purpose,
}

impl Menu {
    pub fn view(title: &'static str, entries: Vec<(char, String)>) -> Self {
        Menu { title, entries, purpose: Purpose::View }
    }

    pub fn copy(texts: Vec<(char, &'static str, String)>) -> Self {
        let entries = texts.iter().map(|(key, label, text)| (*key, format!("{label:<18}{text}"))).collect();
        Menu { title: "copy", entries, purpose: Purpose::Copy(texts) }
    }

    pub fn bookmark() -> Self {
        Menu { title: "bookmark", entries: vec![('…', "any letter".to_owned())], purpose: Purpose::Bookmark }
    }

    pub fn bookmarks(entries: Vec<(char, String)>) -> Self {
        Menu { title: "bookmarks", entries, purpose: Purpose::Bookmarks }
    }

    /// Draws above the lower edge of the screen.
    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let height = u16::try_from(self.entries.len()).unwrap_or(u16::MAX).saturating_add(2).min(screen.height);
        let widest = self.entries.iter().map(|(_, word)| crate::text::width(word)).max().unwrap_or(0).max(22) + 8;
        let width = u16::try_from(widest).unwrap_or(u16::MAX).min(screen.width);
        let area =
            Rect { x: screen.x + (screen.width - width) / 2, y: screen.bottom().saturating_sub(height + 2).max(screen.y), width, height };
        Clear.render(area, buf);
        buf.set_style(area, theme.base());
        frame::draw(area, buf, theme, self.title, &("esc closes".to_owned(), Role::Dim));
        for (n, (letter, word)) in self.entries.iter().take(usize::from(height.saturating_sub(2))).enumerate() {
            let y = area.y + 1 + u16::try_from(n).unwrap_or(0);
            buf.set_string(area.x + 2, y, letter.to_string(), theme.style(Role::Accent));
            buf.set_stringn(
                area.x + 5,
                y,
                crate::text::fit(word, usize::from(width.saturating_sub(7))),
                usize::from(width.saturating_sub(7)),
                theme.style(Role::Text),
            );
        }
    }
}
