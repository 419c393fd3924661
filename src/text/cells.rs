//! Texts in cells of the terminal: how wide one is, and how it is cut or filled to a width. Expects cleaned text.
//!
//! The cost of a cut depends on the width asked for, never on the length of the text.

use ratatui::buffer::CellWidth;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// Cells that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let all_alone: Option<usize> = text.chars().map(|c| alone(c).map(usize::from)).sum();
    all_alone.unwrap_or_else(|| text.graphemes(true).map(cells).sum())
}

/// Cells of a character that is a grapheme cluster by itself among its like: what nearly all text is made of, signs and arrows too.
/// Nothing for the others, which may join what stands before or behind them.
pub(crate) fn alone(c: char) -> Option<u16> {
    match c {
        ' '..='~' => Some(1),
        // Latin letters, punctuation, arrows, blocks, symbols; no marks, no joiners, nothing invisible.
        '\u{a0}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' | '\u{2010}'..='\u{2027}' | '\u{2190}'..='\u{27bf}' | '\u{4e00}'..='\u{9fff}' => {
            u16::try_from(c.width()?).ok()
        }
        _ => None,
    }
}

/// The text if it fits into so many cells, else its beginning and an ellipsis.
#[must_use]
pub fn fit(text: &str, room: usize) -> Cow<'_, str> {
    // ASCII is one cell a byte; nearly every name is.
    if text.len() <= room && text.is_ascii() {
        return Cow::Borrowed(text);
    }
    // Between two ASCII characters lies the end of a cluster (line breaks, the exception, are cleaned away).
    if room > 0 && text.as_bytes().get(..=room).is_some_and(<[u8]>::is_ascii) {
        return Cow::Owned(format!("{}…", &text[..room - 1]));
    }
    match end_at(text, room) {
        None => Cow::Borrowed(text),
        Some(_) if room == 0 => Cow::Borrowed(""),
        Some(_) => {
            let end = end_at(text, room - 1).unwrap_or(0);
            Cow::Owned(format!("{}…", &text[..end]))
        }
    }
}

/// As [`fit`], but the middle goes and the end stays: for names that differ in their last letters.
#[must_use]
pub fn fit_middle(text: &str, room: usize) -> Cow<'_, str> {
    if end_at(text, room).is_none() || room < 3 {
        return fit(text, room);
    }
    let (head, tail) = ((room - 1) / 2, room - 1 - (room - 1) / 2);
    let start = end_at(text, head).unwrap_or(0);
    let (mut left, mut end) = (tail, text.len());
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        let Some(rest) = left.checked_sub(cells(grapheme)) else { break };
        (left, end) = (rest, at);
    }
    Cow::Owned(format!("{}…{}", &text[..start], &text[end..]))
}

/// The text cut or filled with blanks on its right to exactly so many cells.
#[must_use]
pub fn pad(text: &str, room: usize) -> String {
    let text = fit(text, room);
    let blanks = room - width(&text);
    let mut out = text.into_owned();
    out.extend(std::iter::repeat_n(' ', blanks));
    out
}

/// The text cut or filled with blanks on its left to exactly so many cells: for numbers.
#[must_use]
pub fn pad_left(text: &str, room: usize) -> String {
    let text = fit(text, room);
    let mut out = " ".repeat(room - width(&text));
    out.push_str(&text);
    out
}

/// Where the text must end to keep within so many cells; nothing when all of it does.
pub(crate) fn end_at(text: &str, room: usize) -> Option<usize> {
    // No character takes more cells than bytes.
    if text.len() <= room {
        return None;
    }
    let mut left = room;
    for (at, grapheme) in text.grapheme_indices(true) {
        match left.checked_sub(cells(grapheme)) {
            Some(rest) => left = rest,
            None => return Some(at),
        }
    }
    None
}

fn cells(grapheme: &str) -> usize {
    // A lone control character never passes the gate; ratatui would refuse to measure it.
    if grapheme.len() == 1 { 1 } else { usize::from(grapheme.cell_width()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::clean;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_fitted_text_never_exceeds_its_room(text in any::<String>(), room in 0_usize..40) {
            let text = clean(&text);
            prop_assert!(width(&fit(&text, room)) <= room);
            prop_assert!(width(&fit_middle(&text, room)) <= room);
            prop_assert_eq!(width(&pad(&text, room)), room);
            prop_assert_eq!(width(&pad_left(&text, room)), room);
        }

        #[test]
        fn a_text_with_room_is_left_alone(text in any::<String>()) {
            let text = clean(&text);
            prop_assert_eq!(fit(&text, width(&text)), &*text);
            prop_assert_eq!(fit_middle(&text, width(&text)), &*text);
        }

        #[test]
        fn no_text_is_wider_than_its_bytes(text in any::<String>()) {
            let text = clean(&text);
            prop_assert!(width(&text) <= text.len());
        }

        #[test]
        fn ratatui_draws_what_was_measured(text in any::<String>()) {
            let text = clean(&text);
            let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 2000, 1));
            let (end, _) = buffer.set_stringn(0, 0, &text, 2000, ratatui::style::Style::new());
            prop_assert_eq!(usize::from(end), width(&text));
        }
    }

    #[test]
    fn a_cut_keeps_wide_characters_whole() {
        assert_eq!(fit("支払いサービス", 6), "支払…");
        assert_eq!(pad("支払いサービス", 6), "支払… ");
    }

    #[test]
    fn a_cut_in_the_middle_keeps_the_end() {
        assert_eq!(fit_middle("project-oky-ecs-api-task-service-1lehr9r5", 20), "project-o…e-1lehr9r5");
        assert_eq!(fit_middle("checkout", 3), "c…t");
    }
}
