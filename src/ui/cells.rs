//! Writes text into cells. Nearly all text is of characters that stand alone: that is most of a frame, so it is done without the search for
//! grapheme clusters that [`Buffer::set_stringn`] makes for every letter. The outcome is the same.

use crate::text::{self, alone};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

/// Writes a text of at most `room` cells, and returns the column behind it.
pub fn write(buf: &mut Buffer, x: u16, y: u16, text: &str, room: usize, style: Style) -> u16 {
    let end = x.saturating_add(u16::try_from(room).unwrap_or(u16::MAX)).min(buf.area.right());
    if x < buf.area.left() || x >= end || !(buf.area.top()..buf.area.bottom()).contains(&y) {
        return x;
    }
    let first = buf.index_of(x, y);
    let mut at = x;
    let mut rest = text.chars();
    while at < end {
        let before = rest.as_str();
        let Some(c) = rest.next() else { break };
        let next = rest.clone().next().is_none_or(|next| alone(next).is_some());
        let Some(width) = alone(c).filter(|_| next) else {
            let joined = joined(before);
            let (to, _) = buf.set_stringn(at, y, &before[..joined], usize::from(end - at), style);
            // Where a wide one had no room, nothing may follow.
            if usize::from(to - at) < text::width(&before[..joined]) {
                return to;
            }
            (at, rest) = (to, before[joined..].chars());
            continue;
        };
        if width > end - at {
            break;
        }
        let cell = first + usize::from(at - x);
        buf.content[cell].set_char(c).set_style(style);
        if width == 2 {
            buf.content[cell + 1].reset();
        }
        at += width;
    }
    at
}

/// Bytes from the start up to two characters in a row that stand alone.
fn joined(text: &str) -> usize {
    let mut before = None;
    for (at, c) in text.char_indices() {
        let lone = alone(c).is_some();
        if lone && before == Some(true) {
            return at;
        }
        // The first one is what is joined to, whatever it is.
        before = before.map_or(Some(false), |_| Some(lone));
    }
    text.len()
}

/// Makes cells blank and gives them a style.
pub fn clear(buf: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        let first = buf.index_of(area.x, y);
        for cell in &mut buf.content[first..first + usize::from(area.width)] {
            cell.reset();
            cell.set_style(style);
        }
    }
}

/// Writes a line of several styles, and returns the column behind it.
pub fn write_line(buf: &mut Buffer, x: u16, y: u16, line: &Line, room: u16) -> u16 {
    let end = x.saturating_add(room);
    line.spans.iter().fold(x, |x, span| write(buf, x, y, &span.content, usize::from(end.saturating_sub(x)), line.style.patch(span.style)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::Color;

    fn wild() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            3 => prop::char::range(' ', '~'),
            1 => any::<char>(),
            1 => prop::char::range('\u{300}', '\u{36f}'),
            1 => prop::sample::select(vec!['漢', 'é', '✖', '·', '…', '🚢', '\u{200d}', '\u{d4e}', '\u{ff9e}', '\u{1f1e9}']),
        ];
        prop::collection::vec(character, 0..30).prop_map(|text| text::clean(&String::from_iter(text)).to_string())
    }

    proptest! {
        #[test]
        fn it_writes_what_ratatui_writes(text in wild(), x in 0..24_u16, room in 0..24_usize) {
            let area = Rect::new(0, 0, 20, 2);
            let style = Style::new().fg(Color::Red);
            let (mut ours, mut theirs) = (Buffer::empty(area), Buffer::empty(area));
            let end = write(&mut ours, x, 1, &text, room, style);
            let (same, _) = if x < 20 { theirs.set_stringn(x, 1, &text, room, style) } else { (x, 1) };
            prop_assert_eq!(&ours, &theirs);
            prop_assert_eq!(end, same);
        }
    }

    #[test]
    fn nothing_is_written_outside() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        for (x, y) in [(4, 0), (0, 1), (9, 9)] {
            assert_eq!(write(&mut buf, x, y, "text", 4, Style::new()), x);
        }
        assert_eq!(write(&mut buf, 2, 0, "text", 9, Style::new()), 4);
        assert_eq!(buf, Buffer::with_lines(["  te"]));
    }
}
