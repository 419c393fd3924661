//! A small menu: letters with their words; one key chooses.

use super::{App, Bookmark, Effect, Overlay};
use crate::action::Action;
use crate::keys::{Code, Key};
use crate::panes;
use crate::theme::{Role, Theme};
use crate::ui::frame;
use crate::view::{Reaction, Tone};
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
    /// Open the dialog of the change of that letter.
    Change,
}

/// An open menu.
pub struct Menu {
    pub title: &'static str,
    pub entries: Vec<(char, String)>,
    /// Letters of entries that come to nothing now: each says why.
    pub faint: Vec<char>,
    pub purpose: Purpose,
}

impl Menu {
    pub fn view(title: &'static str, entries: Vec<(char, String)>) -> Self {
        Menu { title, entries, faint: Vec::new(), purpose: Purpose::View }
    }

    pub fn copy(texts: Vec<(char, &'static str, String)>) -> Self {
        let entries = texts.iter().map(|(key, label, text)| (*key, format!("{label:<18}{text}"))).collect();
        Menu { title: "copy", entries, faint: Vec::new(), purpose: Purpose::Copy(texts) }
    }

    pub fn bookmark() -> Self {
        Menu { title: "bookmark", entries: vec![('…', "any letter".to_owned())], faint: Vec::new(), purpose: Purpose::Bookmark }
    }

    pub fn bookmarks(entries: Vec<(char, String)>) -> Self {
        Menu { title: "bookmarks", entries, faint: Vec::new(), purpose: Purpose::Bookmarks }
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
            let (key, text) = if self.faint.contains(letter) { (Role::Dim, Role::Dim) } else { (Role::Accent, Role::Text) };
            buf.set_string(area.x + 2, y, letter.to_string(), theme.style(key));
            buf.set_stringn(
                area.x + 5,
                y,
                crate::text::fit(word, usize::from(width.saturating_sub(7))),
                usize::from(width.saturating_sub(7)),
                theme.style(text),
            );
        }
    }
}

impl App {
    pub(super) fn copy_menu(&mut self) {
        let subject = self.subject();
        if subject.copies.is_empty() {
            return self.tell(Tone::Info, "nothing to copy here");
        }
        self.overlay = Some(Overlay::Menu(Menu::copy(subject.copies)));
    }

    pub(super) fn bookmarks_menu(&mut self) {
        if self.bookmarks.is_empty() {
            let key = self.shared.keys.key_of(Action::Bookmark, self.kind()).unwrap_or_default();
            return self.tell(Tone::Info, format!("no bookmarks yet · {key} and a letter makes one"));
        }
        let word = |(letter, pane, place): &Bookmark| (*letter, format!("{pane} {}", panes::describe::crumb(place, "")));
        self.overlay = Some(Overlay::Menu(Menu::bookmarks(self.bookmarks.iter().map(word).collect())));
    }

    pub(super) fn overlay_key(&mut self, key: Key) -> Vec<Effect> {
        // A dialog closes by itself: it may have something under way.
        let own = matches!(self.overlay, Some(Overlay::Dialog(_) | Overlay::Exec(_)));
        let close = !own && (key.code == Code::Esc || (key.ctrl && key.code == Code::Char('c')));
        let Some(overlay) = self.overlay.take().filter(|_| !close) else { return Vec::new() };
        let effects = match overlay {
            Overlay::Dialog(dialog) => self.dialog_key(dialog, key),
            Overlay::Exec(dialog) => self.exec_key(dialog, key),
            Overlay::Help(mut help) => {
                if help.key(key, &self.shared.keys) {
                    self.overlay = Some(Overlay::Help(help));
                }
                Vec::new()
            }
            Overlay::Menu(menu) => self.menu_key(menu, key),
            Overlay::Palette(palette) => self.palette_key(palette, key),
        };
        self.settle_wanted();
        effects
    }

    pub(super) fn menu_key(&mut self, menu: Menu, key: Key) -> Vec<Effect> {
        let Some(letter) = key.typed() else {
            self.overlay = Some(Overlay::Menu(menu));
            return Vec::new();
        };
        match menu.purpose {
            Purpose::View => {
                let reaction = {
                    let cx = self.shared.cx();
                    self.views.last_mut().map_or(Reaction::Ignored, |view| view.choose(menu.title, letter, &cx))
                };
                if matches!(reaction, Reaction::Ignored) {
                    self.tell(Tone::Info, format!("{letter} is not in the menu"));
                }
                self.react(reaction)
            }
            Purpose::Copy(texts) => {
                if let Some((_, label, text)) = texts.into_iter().find(|(key, ..)| *key == letter) {
                    return self.copy(text, label);
                }
                self.tell(Tone::Info, format!("{letter} is not in the menu"));
                Vec::new()
            }
            Purpose::Change => {
                self.action_chosen(letter);
                Vec::new()
            }
            Purpose::Bookmark => {
                let subject = self.subject();
                if let Some(view) = self.views.last() {
                    self.bookmarks.retain(|(known, ..)| *known != letter);
                    let name = if view.name() == "fleet" && subject.place.service.is_some() { "tasks" } else { view.name() };
                    self.bookmarks.push((letter, name, subject.place));
                    self.tell(Tone::Info, format!("bookmark {letter} set"));
                }
                Vec::new()
            }
            Purpose::Bookmarks => {
                match self.bookmarks.iter().find(|(known, ..)| *known == letter).cloned() {
                    Some((_, name, place)) => match panes::named(name) {
                        Some(pane) => self.go(pane, Some(place)),
                        None => self.tell(Tone::Warn, format!("there is no pane {name}")),
                    },
                    None => self.tell(Tone::Info, format!("no bookmark {letter}")),
                }
                Vec::new()
            }
        }
    }
}
