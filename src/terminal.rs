//! The terminal: taken when the screen opens, given back however the program ends, and the only place that reads keys or writes to it.
//!
//! A frame is one write, in a synchronized update, and nothing at all when nothing changed. Knows nothing of what is drawn.

mod canvas;
mod clipboard;
mod input;
mod panic;
pub mod raw;

pub use clipboard::Copied;
pub use input::{Input, TerminalEvent};
pub use panic::{background_panic, install_panic_hook};

use canvas::Canvas;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Alternate screen, title kept aside, pasted text told from typed, focus reported, cursor hidden.
const ENTER: &str = "\x1b[22;0t\x1b[?1049h\x1b[?2004h\x1b[?1004h\x1b[?25l\x1b[0m\x1b[2J";
/// What the terminal is to tell of the mouse. Every reported movement wakes the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracking {
    /// Clicks and the wheel.
    #[default]
    Clicks,
    /// And movement while a button is down.
    Drags,
    /// And all movement.
    Moves,
}

impl Tracking {
    /// The last one that is switched on counts; numbers, for screens wider than 223 columns.
    fn sequence(self) -> &'static str {
        match self {
            Tracking::Clicks => "\x1b[?1003l\x1b[?1002l\x1b[?1000h\x1b[?1006h",
            Tracking::Drags => "\x1b[?1003l\x1b[?1002h\x1b[?1006h",
            Tracking::Moves => "\x1b[?1003h\x1b[?1006h",
        }
    }
}
/// Everything back, in the reverse order; also ends a frame that was cut short. Leaving the alternate screen brings back the colours that
/// were on when it was entered, which after a suspension may be ours: so plain text comes last once more.
const LEAVE: &str =
    "\x1b[?2026l\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l\x1b[0m\x1b[23;0t";

/// Whether the terminal is ours now; whoever sets it to false restores it.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Refuses to start where there is no terminal.
///
/// # Errors
/// One line that says which end is not one, and what to do.
pub fn require() -> Result<(), String> {
    let end = if !io::stdout().is_terminal() {
        "standard output"
    } else if !io::stdin().is_terminal() {
        "standard input"
    } else {
        return Ok(());
    };
    Err(format!("{end} is not a terminal: run midwatch without a pipe or a redirection (midwatch sim needs no terminal)"))
}

/// Gives the terminal back, from wherever; does nothing when it is not ours.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        // Nobody is left to hear of an error: the terminal may be gone.
        let _ = out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush());
        let _ = disable_raw_mode();
    }
}

/// The screen, as long as it lives; dropping it gives the terminal back.
pub struct Screen {
    canvas: Canvas<File>,
    /// Nothing where the mouse is left to the terminal.
    mouse: Option<Tracking>,
    title: String,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When there is none, or it cannot be set up.
    pub fn enter(mouse: bool) -> io::Result<Screen> {
        require().map_err(io::Error::other)?;
        let mut screen = Screen { canvas: Canvas::new(unbuffered_stdout()?), mouse: mouse.then(Tracking::default), title: String::new() };
        screen.take()?;
        Ok(screen)
    }

    /// Draws a frame: one write, or none when nothing changed. `draw` gets cells, and whether they are those of the last frame; it
    /// returns where the cursor is, if it is to be seen, and the rows that it touched, if not all of them.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer, bool) -> (Option<Position>, Option<Vec<u16>>)) -> io::Result<()> {
        let (columns, rows) = self.size();
        self.canvas.draw(columns, rows, draw)
    }

    /// Makes the next frame draw everything: after Ctrl-l, or after something else wrote to the terminal.
    pub fn redraw(&mut self) {
        self.canvas.forget();
    }

    /// Goes back to the shell as Ctrl-z asks, and returns when the shell says so. Nothing may read keys meanwhile: drop the [`Input`] before.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.aside(|| {
            // The whole group, as the terminal itself would do it: a parent such as `cargo run` must stop too, or the shell never wakes.
            #[cfg(unix)]
            let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        })
    }

    /// Takes the terminal anew after somebody else stopped the program and let it go on (SIGCONT).
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn resume(&mut self) -> io::Result<()> {
        self.take()
    }

    /// Lends the terminal: to a pager, or to `aws sso login`. Drop the [`Input`] before.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn aside<T>(&mut self, borrow: impl FnOnce() -> T) -> io::Result<T> {
        restore();
        let lent = borrow();
        self.take()?;
        Ok(lent)
    }

    /// Names the terminal's window; does nothing when it has that name already.
    pub fn title(&mut self, title: &str) {
        // A title is a string inside an escape sequence: nothing in it may end that.
        let title: String = title.chars().filter(|c| !c.is_control()).take(120).collect();
        if title != self.title {
            self.canvas.queue(&format!("\x1b]2;{title}\x07"));
            self.title = title;
        }
    }

    /// Hears more or less of the mouse, unless it is left to the terminal.
    pub fn track(&mut self, tracking: Tracking) {
        if self.mouse.is_some_and(|now| now != tracking) {
            self.canvas.queue(tracking.sequence());
            self.mouse = Some(tracking);
        }
    }

    /// Rings the bell with the next frame.
    pub fn bell(&mut self) {
        self.canvas.queue("\x07");
    }

    /// Has the terminal tell the desktop (OSC 9), with the next frame; a terminal that does not know how stays silent.
    pub fn notify(&mut self, text: &str) {
        let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
        // A text that begins with a number and a semicolon would be a command to some terminals.
        self.canvas.queue(&format!("\x1b]9;midwatch: {text}\x07"));
    }

    /// Puts text on the clipboard, as far as the terminal lets us.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<Copied> {
        let (sequence, copied) = clipboard::sequence(text, &clipboard::Path::from_env());
        if let Some(sequence) = sequence {
            self.canvas.queue(&sequence);
            self.canvas.flush()?;
        }
        Ok(copied)
    }

    /// Bytes written to the terminal so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.canvas.written()
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        #[cfg(unix)]
        let size = rustix::termios::tcgetwinsize(io::stdout()).map(|size| (size.ws_col, size.ws_row)).ok();
        #[cfg(not(unix))]
        let size = crossterm::terminal::size().ok();
        // A pseudo-terminal that was never told its size says 0 by 0.
        size.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((80, 24))
    }

    fn take(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        self.canvas.forget();
        self.canvas.queue(ENTER);
        if let Some(tracking) = self.mouse {
            self.canvas.queue(tracking.sequence());
        }
        self.title.clear();
        // The first byte at once: it tells the operator that the program is here before AWS has answered anything.
        self.canvas.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Standard output without the standard library's line buffer, which would cut a frame at its last newline.
fn unbuffered_stdout() -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::AsHandle;
        Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
    }
}

#[cfg(all(test, unix))]
mod tests;
