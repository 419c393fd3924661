//! A panic must not leave a broken terminal, nor be drawn over by the next frame.
//!
//! On the thread that owns the screen it ends the program; elsewhere it is noted for the status line, because the rest can go on.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};
use std::thread;

static BACKGROUND: Mutex<Option<String>> = Mutex::new(None);

/// From now on a panic on this thread restores the terminal and says what happened; one on another thread is kept for [`background_panic`].
pub fn install_panic_hook() {
    let owner = thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        let line = line(info);
        tracing::error!("panic: {line}");
        if thread::current().id() != owner {
            *BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
            return;
        }
        super::restore();
        let backtrace = Backtrace::capture();
        let mut out = std::io::stderr().lock();
        // If standard error is gone, there is nobody to tell.
        let _ = writeln!(out, "midwatch stopped because of a bug in it: {line}\nNothing was changed at AWS. Please report this line.");
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = writeln!(out, "{backtrace}");
        }
    }));
}

/// What went wrong on another thread since the last call, in one line.
#[must_use]
pub fn background_panic() -> Option<String> {
    BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn line(info: &PanicHookInfo<'_>) -> String {
    let what = info.payload_as_str().unwrap_or("no words for it");
    let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    format!("{}{place}", what.split_whitespace().collect::<Vec<_>>().join(" "))
}
