//! The terminal handed through to a remote one, for a command without a screen: every key as bytes, none of them a signal.

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is raw now; whoever sets it to false restores it.
static RAW: AtomicBool = AtomicBool::new(false);

/// Raw mode, as long as it lives.
#[derive(Debug)]
pub struct Raw(());

impl Raw {
    /// Takes the keyboard.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn enter() -> io::Result<Raw> {
        enable_raw_mode()?;
        RAW.store(true, Ordering::SeqCst);
        Ok(Raw(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if RAW.swap(false, Ordering::SeqCst) {
            // Nobody is left to hear of an error: the terminal may be gone.
            let _ = disable_raw_mode();
        }
    }
}

/// Columns and rows of the terminal, if there is one.
#[must_use]
pub fn size() -> Option<(u16, u16)> {
    crossterm::terminal::size().ok().filter(|(columns, rows)| *columns > 0 && *rows > 0)
}
