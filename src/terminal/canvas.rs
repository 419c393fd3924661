//! What is drawn on: a buffer of cells becomes the fewest bytes that turn the screen into it, and a frame becomes one write.
//!
//! It remembers what the terminal shows and how its pen and cursor are, so an unchanged frame costs no byte at all.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// SGR numbers of the modifiers.
const MODIFIERS: &[(Modifier, u8)] = &[
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

#[derive(Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// What a frame says of itself: where the cursor is, if it is to be seen, and the rows that it touched, if not all of them.
pub(super) type Drawn = (Option<Position>, Option<Vec<u16>>);

/// A screen of cells on `out`.
pub(super) struct Canvas<W> {
    out: W,
    frame: Vec<u8>,
    written: u64,
    /// What the terminal shows, and whether that is certain.
    shown: Buffer,
    known: bool,
    /// What is drawn on; between two frames the same as what is shown.
    next: Buffer,
    /// `None` when the terminal's own is not known.
    pen: Option<Pen>,
    at: Option<(u16, u16)>,
    /// Where it is seen.
    cursor: Option<Position>,
}

impl<W: Write> Canvas<W> {
    pub(super) fn new(out: W) -> Canvas<W> {
        Canvas {
            out,
            frame: Vec::with_capacity(16 * 1024),
            written: 0,
            shown: Buffer::default(),
            known: false,
            next: Buffer::default(),
            pen: None,
            at: None,
            cursor: None,
        }
    }

    /// Draws a frame of that size and writes what is different. `draw` gets cells, and whether they are those of the last frame; if not,
    /// they are empty ones. It may touch no other rows than it says.
    pub(super) fn draw(&mut self, columns: u16, rows: u16, draw: impl FnOnce(&mut Buffer, bool) -> Drawn) -> io::Result<()> {
        let area = Rect::new(0, 0, columns, rows);
        let kept = self.known && self.shown.area == area && self.next.area == area;
        if !kept {
            self.wipe(area);
            self.next.resize(area);
            self.next.reset();
        }
        let (cursor, touched) = draw(&mut self.next, kept);
        let next = std::mem::take(&mut self.next);
        match touched.filter(|_| kept) {
            Some(touched) => touched.into_iter().filter(|y| *y < rows).for_each(|y| self.draw_row(&next, y)),
            None => (0..rows).for_each(|y| self.draw_row(&next, y)),
        }
        self.next = next;
        self.place_cursor(cursor.filter(|at| area.contains(*at)));
        self.flush()
    }

    /// Adds bytes to the next write.
    pub(super) fn queue(&mut self, bytes: &str) {
        self.frame.extend_from_slice(bytes.as_bytes());
    }

    /// Bytes written so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Stops believing anything about the terminal: the next frame draws everything.
    pub(super) fn forget(&mut self) {
        self.known = false;
        self.pen = None;
        self.at = None;
        self.cursor = None;
    }

    /// Writes what is queued, in one piece.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        self.frame.splice(..0, BEGIN.iter().copied());
        self.frame.extend_from_slice(END);
        // Should anything else write to the terminal, the next frame still starts in the right place.
        self.at = None;
        self.write_frame()
    }

    fn wipe(&mut self, area: Rect) {
        // The cursor may be anywhere and visible after a stay outside.
        self.queue("\x1b[?25l\x1b[0m\x1b[2J");
        self.pen = Some(PLAIN);
        self.at = None;
        self.cursor = None;
        self.shown.resize(area);
        self.shown.reset();
        self.known = true;
    }

    /// Writes what is different in a row, which is shown then.
    fn draw_row(&mut self, next: &Buffer, y: u16) {
        let columns = next.area.width;
        let row = usize::from(y) * usize::from(columns)..(usize::from(y) + 1) * usize::from(columns);
        let (old, new) = (&self.shown.content[row.clone()], &next.content[row.clone()]);
        if old == new {
            return;
        }
        // Half a wide character that was written over is blanked by the terminal in a style of its choice, so such a row is drawn whole.
        let whole = old.iter().chain(new).any(|cell| !plain(cell));
        let changed: Vec<bool> = old.iter().zip(new).map(|(old, new)| whole || old != new).collect();
        let mut x = 0;
        while x < columns {
            let cell = &new[usize::from(x)];
            if changed[usize::from(x)] {
                self.draw_cell(x, y, cell, columns);
            }
            x += width(cell);
        }
        self.shown.content[row].clone_from_slice(new);
    }

    fn draw_cell(&mut self, x: u16, y: u16, cell: &Cell, columns: u16) {
        self.move_to(x, y);
        self.dip(Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier });
        // What would hang over the edge is left out, as a terminal would wrap it.
        let symbol = if x + width(cell) > columns { " " } else { cell.symbol() };
        self.frame.extend_from_slice(symbol.as_bytes());
        // Terminals disagree on the width of what is not plain, and on where the cursor is after the last column.
        self.at = (plain(cell) && x + 1 < columns).then_some((x + 1, y));
    }

    fn place_cursor(&mut self, cursor: Option<Position>) {
        if let Some(Position { x, y }) = cursor
            && (cursor != self.cursor || !self.frame.is_empty())
        {
            self.move_to(x, y);
        }
        if cursor.is_some() != self.cursor.is_some() {
            self.queue(if cursor.is_some() { "\x1b[?25h" } else { "\x1b[?25l" });
        }
        self.cursor = cursor;
    }

    fn move_to(&mut self, x: u16, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => return,
            Some((_, row)) if row == y => push(&mut self.frame, format_args!("\x1b[{}G", x + 1)),
            Some((_, row)) if row + 1 == y && x == 0 => self.queue("\r\n"),
            _ => push(&mut self.frame, format_args!("\x1b[{};{}H", y + 1, x + 1)),
        }
        self.at = Some((x, y));
    }

    fn dip(&mut self, pen: Pen) {
        let Some(old) = self.pen else {
            self.queue("\x1b[0m");
            self.pen = Some(PLAIN);
            return self.dip(pen);
        };
        if old == pen {
            return;
        }
        self.queue("\x1b[");
        // Attributes are only ever added; to take one away everything is reset, which is the shortest way there.
        let from = if old.modifier.difference(pen.modifier).is_empty() {
            old
        } else {
            self.queue("0;");
            PLAIN
        };
        for (modifier, number) in MODIFIERS {
            if pen.modifier.contains(*modifier) && !from.modifier.contains(*modifier) {
                push(&mut self.frame, format_args!("{number};"));
            }
        }
        if pen.fg != from.fg {
            colour(&mut self.frame, pen.fg, 30);
        }
        if pen.bg != from.bg {
            colour(&mut self.frame, pen.bg, 40);
        }
        // The last separator becomes the end of the sequence.
        self.frame.pop();
        self.frame.push(b'm');
        self.pen = Some(pen);
    }

    fn write_frame(&mut self) -> io::Result<()> {
        let mut rest: &[u8] = &self.frame;
        while !rest.is_empty() {
            match self.out.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => rest = &rest[n..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Another program that shares the terminal may have made it non-blocking; the frame must still be whole.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(std::time::Duration::from_millis(1)),
                Err(error) => return Err(error),
            }
        }
        self.written += self.frame.len() as u64;
        self.frame.clear();
        self.out.flush()
    }
}

/// Whether every terminal gives the cell one column.
fn plain(cell: &Cell) -> bool {
    let symbol = cell.symbol();
    symbol.len() == 1 || (symbol.width() == 1 && symbol.chars().count() == 1)
}

fn width(cell: &Cell) -> u16 {
    if cell.symbol().len() == 1 { 1 } else { u16::try_from(cell.symbol().width()).unwrap_or(1).max(1) }
}

fn push(frame: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    frame.write_fmt(text).expect("a vector takes every byte");
}

/// Adds a colour and a separator; `base` is 30 for the foreground and 40 for the background.
fn colour(frame: &mut Vec<u8>, colour: Color, base: u8) {
    let index = match colour {
        Color::Reset => return push(frame, format_args!("{};", base + 9)),
        Color::Rgb(r, g, b) => return push(frame, format_args!("{};2;{r};{g};{b};", base + 8)),
        Color::Indexed(index) => return push(frame, format_args!("{};5;{index};", base + 8)),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
    };
    push(frame, format_args!("{};", base + index));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::Style;

    const RED: Style = Style::new().fg(Color::Rgb(200, 0, 0));

    fn drawn(canvas: &mut Canvas<Vec<u8>>, lines: &[(u16, u16, &str, Style)]) -> String {
        canvas.out.clear();
        let draw = |buffer: &mut Buffer, _| {
            buffer.reset();
            for (x, y, text, style) in lines {
                buffer.set_string(*x, *y, text, *style);
            }
            (None, None)
        };
        canvas.draw(30, 6, draw).expect("a vector takes every byte");
        String::from_utf8(canvas.out.clone()).expect("text")
    }

    #[test]
    fn an_unchanged_frame_costs_no_byte() {
        let mut canvas = Canvas::new(Vec::new());
        let lines = [(0, 0, "checkout 日本", RED), (3, 1, "5/6", Style::new())];
        assert!(!drawn(&mut canvas, &lines).is_empty());
        assert_eq!(drawn(&mut canvas, &lines), "");
    }

    #[test]
    fn three_changed_cells_are_a_few_bytes_in_one_synchronized_write() {
        let mut canvas = Canvas::new(Vec::new());
        drawn(&mut canvas, &[(0, 0, "5/6 ok", RED)]);
        assert_eq!(drawn(&mut canvas, &[(0, 0, "4/6 no", RED)]), "\x1b[?2026h\x1b[1;1H4\x1b[5Gno\x1b[?2026l");
    }

    #[test]
    fn rows_that_were_touched_are_written_and_no_others_are_looked_at() {
        let mut canvas = Canvas::new(Vec::new());
        drawn(&mut canvas, &[(0, 0, "one", RED), (0, 1, "two", RED)]);
        canvas.out.clear();
        let step = |buffer: &mut Buffer, kept: bool| {
            assert!(kept, "the cells are those of the last frame");
            assert_eq!(buffer[(0, 0)].symbol(), "o");
            buffer.set_string(0, 1, "six", RED);
            (None, Some(vec![1, 99]))
        };
        canvas.draw(30, 6, step).expect("a vector takes every byte");
        assert_eq!(String::from_utf8_lossy(&canvas.out), "\x1b[?2026h\x1b[2;1Hsix\x1b[?2026l");
        assert_eq!(drawn(&mut canvas, &[(0, 0, "one", RED), (0, 1, "six", RED)]), "", "what is shown is remembered");
        canvas.forget();
        canvas
            .draw(30, 6, |_, kept| {
                assert!(!kept, "nothing is known of the terminal");
                (None, None)
            })
            .expect("a vector takes every byte");
    }

    #[test]
    fn what_is_forgotten_is_drawn_again() {
        let mut canvas = Canvas::new(Vec::new());
        let first = drawn(&mut canvas, &[(0, 0, "ok", RED)]);
        canvas.forget();
        assert_eq!(drawn(&mut canvas, &[(0, 0, "ok", RED)]), first);
    }

    #[test]
    fn the_cursor_is_shown_once_and_hidden_once() {
        let mut canvas = Canvas::new(Vec::new());
        let mut with = |cursor: Option<(u16, u16)>| {
            canvas.out.clear();
            canvas.draw(30, 6, |_, _| (cursor.map(Position::from), None)).expect("a vector takes every byte");
            String::from_utf8(canvas.out.clone()).expect("text")
        };
        with(None);
        assert!(with(Some((2, 1))).contains("\x1b[?25h"));
        assert_eq!(with(Some((2, 1))), "");
        assert!(with(None).contains("\x1b[?25l"));
        assert_eq!(with(None), "");
        assert_eq!(with(Some((99, 99))), "");
    }

    #[test]
    fn a_new_size_starts_from_an_empty_screen() {
        let mut canvas = Canvas::new(Vec::new());
        drawn(&mut canvas, &[(0, 0, "ok", RED)]);
        canvas.out.clear();
        canvas.draw(40, 3, |_, _| (None, None)).expect("a vector takes every byte");
        assert!(String::from_utf8_lossy(&canvas.out).contains("\x1b[2J"));
        canvas.draw(0, 0, |_, _| (None, None)).expect("a vector takes every byte");
    }

    fn style() -> impl Strategy<Value = Style> {
        let colour = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::LightBlue),
            (0..=255u8).prop_map(Color::Indexed),
            (0..9u8).prop_map(|n| Color::Rgb(n, 9, n))
        ];
        let modifier = prop_oneof![
            Just(Modifier::empty()),
            Just(Modifier::BOLD),
            Just(Modifier::REVERSED),
            Just(Modifier::BOLD | Modifier::UNDERLINED)
        ];
        (colour.clone(), colour, modifier).prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
    }

    fn shown(colour: Color) -> vt100::Color {
        match colour {
            Color::Red => vt100::Color::Idx(1),
            Color::LightBlue => vt100::Color::Idx(12),
            Color::Indexed(n) => vt100::Color::Idx(n),
            Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
            _ => vt100::Color::Default,
        }
    }

    proptest! {
        /// Whatever is drawn, frame after frame, a terminal that gets the bytes shows the very same cells.
        #[test]
        fn the_terminal_shows_what_was_drawn(frames in prop::collection::vec(prop::collection::vec((0..30u16, 0..6u16, "[a-z ●✖日本é]{0,12}", style()), 0..6), 1..6)) {
            let mut canvas = Canvas::new(Vec::new());
            let mut screen = vt100::Parser::new(6, 30, 0);
            for lines in &frames {
                let lines: Vec<_> = lines.iter().map(|(x, y, text, style)| (*x, *y, text.as_str(), *style)).collect();
                let bytes = drawn(&mut canvas, &lines);
                screen.process(bytes.as_bytes());
                let mut wanted = Buffer::empty(Rect::new(0, 0, 30, 6));
                for (x, y, text, style) in &lines {
                    wanted.set_string(*x, *y, text, *style);
                }
                for y in 0..6 {
                    let mut x = 0;
                    while x < 30 {
                        let cell = &wanted[(x, y)];
                        let seen = screen.screen().cell(y, x).expect("inside the screen");
                        let text = if seen.has_contents() { seen.contents().to_owned() } else { " ".to_owned() };
                        prop_assert_eq!(&text, cell.symbol(), "text at {},{}", x, y);
                        prop_assert_eq!(seen.bgcolor(), shown(cell.bg), "ground at {},{}", x, y);
                        prop_assert_eq!(seen.inverse(), cell.modifier.contains(Modifier::REVERSED), "reverse at {},{}", x, y);
                        // On a blank these two cannot be seen.
                        if cell.symbol() != " " {
                            prop_assert_eq!(seen.fgcolor(), shown(cell.fg), "colour at {},{}", x, y);
                            prop_assert_eq!(seen.bold(), cell.modifier.contains(Modifier::BOLD), "bold at {},{}", x, y);
                        }
                        x += u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
                    }
                }
            }
        }
    }
}
