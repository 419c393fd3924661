//! The three streams of the process and its signals. Reading and writing block, so each has a thread; what waits between is bounded.

use std::io::{Read as _, Write as _};
use tokio::sync::mpsc;

/// Pieces of input and output that may wait.
const QUEUE: usize = 16;

/// What is read at once.
const PIECE: usize = 8 << 10;

/// What is typed or piped, up to its end.
pub fn input() -> mpsc::Receiver<Vec<u8>> {
    let (tx, rx) = mpsc::channel(QUEUE);
    std::thread::spawn(move || {
        let (mut stdin, mut buffer) = (std::io::stdin().lock(), vec![0; PIECE]);
        loop {
            match stdin.read(&mut buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Ok(count) if count > 0 => {
                    if tx.blocking_send(buffer[..count].to_vec()).is_err() {
                        return;
                    }
                }
                _ => return,
            }
        }
    });
    rx
}

/// No input at all.
pub fn nothing() -> mpsc::Receiver<Vec<u8>> {
    mpsc::channel(1).1
}

/// Where output goes, and what closes once all of it is written. Sending fails when nobody reads it any more.
pub fn output() -> (mpsc::Sender<Vec<u8>>, mpsc::Receiver<()>) {
    let (tx, mut rx) = mpsc::channel::<Vec<u8>>(QUEUE);
    let (writing, written) = mpsc::channel(1);
    std::thread::spawn(move || {
        let _writing = writing;
        let mut stdout = std::io::stdout().lock();
        while let Some(bytes) = rx.blocking_recv() {
            if stdout.write_all(&bytes).and_then(|()| stdout.flush()).is_err() {
                return;
            }
        }
    });
    (tx, written)
}

/// What the user or the system wants besides typing.
pub enum Signal {
    /// The terminal has another size.
    Resized,
    /// The program is to end.
    Stop,
}

/// Hears signals. On a raw terminal no key is one.
#[cfg(unix)]
pub fn signals() -> mpsc::Receiver<Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    let (tx, rx) = mpsc::channel(QUEUE);
    for kind in [SignalKind::window_change(), SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        // Without the means to hear it, it does what it does to every program.
        let Ok(mut heard) = signal(kind) else { continue };
        let tx = tx.clone();
        tokio::spawn(async move {
            while heard.recv().await.is_some() {
                let told = if kind == SignalKind::window_change() { Signal::Resized } else { Signal::Stop };
                if tx.send(told).await.is_err() {
                    return;
                }
            }
        });
    }
    rx
}

/// Hears signals. There is none for a new size: it is looked at twice a second.
#[cfg(not(unix))]
pub fn signals() -> mpsc::Receiver<Signal> {
    let (tx, rx) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        loop {
            let told = tokio::select! {
                _ = tokio::signal::ctrl_c() => Signal::Stop,
                () = tokio::time::sleep(std::time::Duration::from_millis(500)) => Signal::Resized,
            };
            if tx.send(told).await.is_err() {
                return;
            }
        }
    });
    rx
}

/// Says on the terminal what can be typed.
pub fn help() {
    // On a raw terminal a line ends with both.
    let _ = std::io::stderr().write_all(b"\r\nEnter ~ .  ends the session    Enter ~ ~  sends a tilde\r\n");
}

/// What the remote has switched on in the terminal: a session that breaks off must not leave it so.
#[derive(Debug, Default)]
pub struct Modes {
    alternate: bool,
    /// The end of what came, where a switch may have begun.
    tail: Vec<u8>,
}

const ON: &[u8] = b"\x1b[?1049h";
const OFF: &[u8] = b"\x1b[?1049l";

/// Mouse, pasted text and the keys of the cursor as they were, the cursor shown, plain text.
const PLAIN: &[u8] = b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[0m";

impl Modes {
    /// Looks at what is shown.
    pub fn follow(&mut self, bytes: &[u8]) {
        let whole = [&self.tail[..], bytes].concat();
        let last = |switch: &[u8]| memchr::memmem::rfind(&whole, switch);
        match (last(ON), last(OFF)) {
            (on, off) if on > off => self.alternate = true,
            (on, off) if off > on => self.alternate = false,
            _ => {}
        }
        self.tail = whole[whole.len().saturating_sub(ON.len() - 1)..].to_vec();
    }

    /// Puts the terminal back.
    pub fn put_back(&self) {
        let mut stdout = std::io::stdout();
        let off = if self.alternate { OFF } else { b"" };
        // The terminal may be gone.
        let _ = stdout.write_all(PLAIN).and_then(|()| stdout.write_all(off)).and_then(|()| stdout.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alternate_screen_is_followed_however_its_switches_are_cut() {
        let mut modes = Modes::default();
        modes.follow(b"vim \x1b[?10");
        modes.follow(b"49h~\r\n~");
        assert!(modes.alternate);
        modes.follow(b"\x1b[?1049");
        assert!(modes.alternate);
        modes.follow(b"l$ ");
        assert!(!modes.alternate);
        modes.follow(b"\x1b[?1049h\x1b[?1049l\x1b[?1049h");
        assert!(modes.alternate);
    }
}
