//! The terminal inside a session: bytes of the remote become cells, modes and replies.
//!
//! Pure: it knows no session, no key and no pane. The emulator is vt100 behind [`scan`]; tui-term draws it. Whatever the remote sends, it
//! must not panic, grow without bound, or put anything but text into a cell.

mod scan;
mod snapshot;

pub use snapshot::{Move, Snapshot};

use crate::model::Str;
use crate::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use scan::{Emulator, Scan};
use tui_term::widget::{Cursor, PseudoTerminal};

/// Lines that are kept above the screen: 8 MiB of cells at 120 columns.
pub const SCROLLBACK: usize = 2000;

/// Bytes of text that may wait to be put into cells until somebody looks.
const WAITING: usize = 256 << 10;

/// Smallest size: vt100 has none for a wide character in one column, nor for one row.
const SMALLEST: (u16, u16) = (4, 2);

/// Most bytes of replies that wait: what the remote asks more than that is left unanswered.
const REPLIES: usize = 1024;

/// What the remote wants to hear of the mouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mouse {
    /// Nothing.
    #[default]
    Off,
    /// Presses.
    Press,
    /// Presses and releases.
    Clicks,
    /// And movement while a button is down.
    Drags,
    /// And all movement.
    Moves,
}

/// How the remote wants to hear of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MouseForm {
    /// A byte for each coordinate.
    #[default]
    Bytes,
    /// A character of UTF-8 for each coordinate.
    Utf8,
    /// Numbers.
    Sgr,
}

/// What the remote has switched on, as far as it changes what is sent to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a mode of its own")]
pub struct Modes {
    /// Arrow keys in their application form.
    pub application_cursor: bool,
    /// Pasted text is marked as such.
    pub bracketed_paste: bool,
    /// It wants to know of the focus.
    pub focus: bool,
    /// Mouse.
    pub mouse: Mouse,
    /// And in which form.
    pub mouse_form: MouseForm,
    /// A program has the whole screen.
    pub alternate: bool,
}

/// A terminal.
pub struct Term {
    scan: Scan,
    inner: Inner,
}

struct Inner {
    parser: vt100::Parser<Bells>,
    /// Text and its colours that nobody has looked at yet. Of a flood only what stays in sight is ever put into cells.
    waiting: Vec<u8>,
    replies: Vec<u8>,
    title: Option<Str>,
    focus: bool,
}

#[derive(Default)]
struct Bells(bool);

impl vt100::Callbacks for Bells {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0 = true;
    }
}

impl Emulator for Inner {
    fn pass(&mut self, bytes: &[u8]) {
        self.settle();
        self.parser.process(bytes);
    }

    fn text(&mut self, bytes: &[u8], whole: bool) {
        // Whoever rings wants to be heard, and what scrolls a part of the screen leaves the rest in sight.
        if !whole || memchr::memchr(0x07, bytes).is_some() {
            return self.pass(bytes);
        }
        self.put_off(bytes);
    }

    fn colour(&mut self, bytes: &[u8]) {
        // It moves nothing, and so may wait with the text that it colours.
        self.put_off(bytes);
    }

    fn at(&mut self) -> (u16, u16, u16, u16) {
        self.settle();
        let ((row, column), (rows, columns)) = (self.parser.screen().cursor_position(), self.parser.screen().size());
        (row, column, rows, columns)
    }

    fn reply(&mut self, text: &str) {
        if self.replies.len() + text.len() <= REPLIES {
            self.replies.extend_from_slice(text.as_bytes());
        }
    }

    fn title(&mut self, text: &str) {
        self.title = (!text.is_empty()).then(|| text::clean(text));
    }

    fn focus(&mut self, wanted: bool) {
        self.focus = wanted;
    }
}

impl Inner {
    fn put_off(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() > WAITING {
            self.forget_unseen();
            if self.waiting.len() > WAITING / 4 * 3 {
                self.settle();
            }
        }
    }

    fn settle(&mut self) {
        if !self.waiting.is_empty() {
            // Whoever looks now waits for no line that is gone already.
            self.forget_unseen();
            let waiting = std::mem::take(&mut self.waiting);
            self.parser.process(&waiting);
            // The room stays for what comes next.
            self.waiting = waiting;
            self.waiting.clear();
        }
    }

    /// Drops the lines that the later ones push out of sight and out of what is kept: they make no difference to any cell. It begins with
    /// a line's end, so that the column is what it would have been; the colours of what is dropped stay on.
    fn forget_unseen(&mut self) {
        let kept = SCROLLBACK + 2 * usize::from(self.parser.screen().size().0) + 1;
        let mut ends = memchr::memrchr_iter(b'\n', &self.waiting).skip(kept);
        let cut = ends.find(|at| *at > 0 && self.waiting[at - 1] == b'\r').map(|at| at - 1);
        let Some(cut) = cut else { return };
        let gone = &self.waiting[..cut];
        // Most programs end what they coloured: what comes before the last end of all colours makes no difference.
        let from = [&b"\x1b[m"[..], b"\x1b[0m"].into_iter().filter_map(|end| memchr::memmem::rfind(gone, end)).max();
        let coloured = &gone[from.unwrap_or(0)..];
        for at in memchr::memchr_iter(0x1b, coloured) {
            let length = memchr::memchr(b'm', &coloured[at..]).map_or(0, |end| end + 1);
            self.parser.process(&coloured[at..at + length]);
        }
        self.waiting.drain(..cut);
    }
}

impl Term {
    /// An empty terminal.
    #[must_use]
    pub fn new(columns: u16, rows: u16) -> Term {
        let (columns, rows) = (columns.max(SMALLEST.0), rows.max(SMALLEST.1));
        let parser = vt100::Parser::new_with_callbacks(rows, columns, SCROLLBACK, Bells::default());
        Term { scan: Scan::default(), inner: Inner { parser, waiting: Vec::new(), replies: Vec::new(), title: None, focus: false } }
    }

    /// Takes in bytes of the remote.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.scan.feed(bytes, &mut self.inner);
    }

    /// Puts into cells what has come. Until then cells, cursor and snapshots are those of the last time.
    pub fn settle(&mut self) {
        self.inner.settle();
    }

    /// What the remote asked for since the last call, to be sent to it.
    pub fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.inner.replies)
    }

    /// Whether the bell rang since the last call.
    pub fn rang(&mut self) -> bool {
        std::mem::take(&mut self.inner.parser.callbacks_mut().0)
    }

    /// What the remote calls its window.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.inner.title.as_deref()
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        let (rows, columns) = self.screen().size();
        (columns, rows)
    }

    /// Takes another size. Returns whether it is another one.
    pub fn resize(&mut self, columns: u16, rows: u16) -> bool {
        let (columns, rows) = (columns.max(SMALLEST.0), rows.max(SMALLEST.1));
        let before = self.size();
        if before == (columns, rows) {
            return false;
        }
        self.settle();
        if columns < before.0 {
            self.split_wide(columns);
        }
        self.inner.parser.screen_mut().set_size(rows, columns);
        true
    }

    /// A wide character whose second half would be cut off makes vt100 panic later: it becomes a blank on both screens.
    fn split_wide(&mut self, columns: u16) {
        let alternate = self.screen().alternate_screen();
        self.blank_edge(columns);
        self.inner.pass(if alternate { b"\x1b[?47l" } else { b"\x1b[?47h" });
        self.blank_edge(columns);
        self.inner.pass(if alternate { b"\x1b[?47h" } else { b"\x1b[?47l" });
    }

    fn blank_edge(&mut self, columns: u16) {
        // Cells are told from what is shown, which is the screen itself only when nothing is scrolled back.
        self.inner.parser.screen_mut().set_scrollback(0);
        let edge = columns - 1;
        let rows = self.screen().size().0;
        let wide: Vec<u16> = (0..rows).filter(|row| self.screen().cell(*row, edge).is_some_and(vt100::Cell::is_wide)).collect();
        if wide.is_empty() {
            return;
        }
        // A saved cursor of the remote is lost with this; so are its margins with any new size.
        self.inner.pass(b"\x1b7\x1b[?6l\x1b[r");
        for row in wide {
            self.inner.pass(format!("\x1b[{};{}H  ", row + 1, edge + 1).as_bytes());
        }
        self.inner.pass(b"\x1b8");
    }

    /// What the remote has switched on.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let screen = self.screen();
        Modes {
            application_cursor: screen.application_cursor(),
            bracketed_paste: screen.bracketed_paste(),
            focus: self.inner.focus,
            mouse: match screen.mouse_protocol_mode() {
                vt100::MouseProtocolMode::None => Mouse::Off,
                vt100::MouseProtocolMode::Press => Mouse::Press,
                vt100::MouseProtocolMode::PressRelease => Mouse::Clicks,
                vt100::MouseProtocolMode::ButtonMotion => Mouse::Drags,
                vt100::MouseProtocolMode::AnyMotion => Mouse::Moves,
            },
            mouse_form: match screen.mouse_protocol_encoding() {
                vt100::MouseProtocolEncoding::Default => MouseForm::Bytes,
                vt100::MouseProtocolEncoding::Utf8 => MouseForm::Utf8,
                vt100::MouseProtocolEncoding::Sgr => MouseForm::Sgr,
            },
            alternate: screen.alternate_screen(),
        }
    }

    /// Column and row of the cursor, unless the remote hides it.
    #[must_use]
    pub fn cursor(&self) -> Option<(u16, u16)> {
        let (row, column) = self.screen().cursor_position();
        // After the last column it waits there for the next character.
        (!self.screen().hide_cursor()).then(|| (column.min(self.size().0 - 1), row))
    }

    /// All of it as it is now, to look around in.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(self.screen().clone())
    }

    /// Draws the upper left part that fits.
    pub fn draw(&self, area: Rect, buf: &mut Buffer) {
        draw(self.screen(), area, buf);
    }

    /// The text on the screen, for tests and for what is remembered of a session that ended.
    #[must_use]
    pub fn text(&self) -> String {
        self.screen().contents()
    }

    fn screen(&self) -> &vt100::Screen {
        self.inner.parser.screen()
    }
}

fn draw(screen: &vt100::Screen, area: Rect, buf: &mut Buffer) {
    use ratatui::widgets::Widget;
    let area = area.intersection(buf.area);
    let mut cursor = Cursor::default();
    cursor.hide();
    PseudoTerminal::new(screen).cursor(cursor).render(area, buf);
    for position in area.positions() {
        let cell = &mut buf[position];
        if !cell.symbol().is_ascii()
            && let Some(seen) = seen(cell.symbol())
        {
            cell.set_symbol(&seen);
        }
    }
}

/// A cell's text without what a reader cannot see, where there is any of it.
fn seen(symbol: &str) -> Option<String> {
    symbol.contains(text::unseen).then(|| {
        let seen: String = symbol.chars().filter(|c| !text::unseen(*c)).collect();
        if seen.is_empty() { " ".to_owned() } else { seen }
    })
}

#[cfg(test)]
mod tests;
