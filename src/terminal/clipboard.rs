//! Copying through the terminal with OSC 52, which works over SSH, and an honest word on what became of it.
//!
//! The terminal never answers, so "sent" is the most that can be said.

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;
use std::fmt;

/// Encoded bytes that every terminal with OSC 52 takes; xterm and others cut or drop longer ones.
const LIMIT: usize = 100_000;
/// GNU screen drops device control strings that are longer than this.
const SCREEN_CHUNK: usize = 700;

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// Sent to the terminal, which may still refuse it.
    Sent {
        /// Of text.
        bytes: usize,
        /// What stands between us and the terminal.
        through: Through,
    },
    /// Not sent: terminals would drop or cut it.
    TooLong {
        /// Of text.
        bytes: usize,
    },
    /// Not sent: this terminal has no clipboard.
    Unsupported,
}

/// What stands between us and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// Nothing.
    Terminal,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

/// What `copied` means, for the status line.
impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Copied::Sent { bytes, through: Through::Terminal } => write!(f, "sent to the terminal's clipboard, {bytes} bytes"),
            Copied::Sent { bytes, through: Through::Tmux } => write!(f, "sent to tmux, {bytes} bytes; it needs `set -g set-clipboard on`"),
            Copied::Sent { bytes, through: Through::Screen } => write!(f, "sent through screen, {bytes} bytes"),
            Copied::TooLong { bytes } => write!(f, "not copied: {bytes} bytes are more than terminals take; save it to a file with >"),
            Copied::Unsupported => f.write_str("not copied: this terminal has no clipboard"),
        }
    }
}

/// The way to the clipboard.
pub(super) struct Path {
    through: Option<Through>,
}

impl Path {
    pub(super) fn from_env() -> Path {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let term = std::env::var("TERM").unwrap_or_default();
        Path::new(&term, set("TMUX"), set("STY"))
    }

    fn new(term: &str, tmux: bool, screen: bool) -> Path {
        let through = match term {
            "" | "dumb" | "linux" => None,
            _ if tmux => Some(Through::Tmux),
            _ if screen => Some(Through::Screen),
            _ => Some(Through::Terminal),
        };
        Path { through }
    }
}

/// The bytes to send, if any, and what may be said of them.
pub(super) fn sequence(text: &str, path: &Path) -> (Option<String>, Copied) {
    let bytes = text.len();
    let Some(through) = path.through else { return (None, Copied::Unsupported) };
    if bytes.div_ceil(3) * 4 > LIMIT {
        return (None, Copied::TooLong { bytes });
    }
    let mut plain = String::new();
    CopyToClipboard::to_clipboard_from(text).write_ansi(&mut plain).expect("a string takes every byte");
    let sequence = match through {
        Through::Terminal => plain,
        // tmux understands the plain sequence if it is told to set the clipboard; the wrapped one passes where that is allowed instead.
        Through::Tmux => format!("{plain}\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")),
        Through::Screen => screen(&plain),
    };
    (Some(sequence), Copied::Sent { bytes, through })
}

/// Wraps for GNU screen, in pieces that it takes. Its strings end at the first ESC `\`, so that end is split between two of them.
fn screen(plain: &str) -> String {
    let plain = plain.replace("\x1b\\", "\x07");
    let mut out = String::with_capacity(plain.len() + plain.len() / 100);
    let mut rest = plain.as_str();
    while !rest.is_empty() {
        // All ASCII: an escape sequence around base64.
        let (piece, tail) = rest.split_at(rest.len().min(SCREEN_CHUNK));
        out.push_str("\x1bP");
        out.push_str(piece);
        out.push_str("\x1b\\");
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str, path: &Path) -> String {
        sequence(text, path).0.unwrap_or_default()
    }

    #[test]
    fn a_plain_terminal_gets_osc_52() {
        let (bytes, copied) = sequence("hello", &Path::new("xterm-256color", false, false));
        assert_eq!(bytes.as_deref(), Some("\x1b]52;c;aGVsbG8=\x1b\\"));
        assert_eq!(copied, Copied::Sent { bytes: 5, through: Through::Terminal });
    }

    #[test]
    fn tmux_gets_it_plain_and_wrapped() {
        let bytes = sent("hello", &Path::new("tmux-256color", true, false));
        assert_eq!(bytes, "\x1b]52;c;aGVsbG8=\x1b\\\x1bPtmux;\x1b\x1b]52;c;aGVsbG8=\x1b\x1b\\\x1b\\");
    }

    #[test]
    fn screen_gets_it_in_pieces_that_join_to_the_whole() {
        let bytes = sent(&"x".repeat(3_000), &Path::new("screen", false, true));
        let pieces: Vec<&str> = bytes.split("\x1b\\").filter(|piece| !piece.is_empty()).collect();
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() <= SCREEN_CHUNK + 2));
        let joined: String = pieces.iter().filter_map(|piece| piece.strip_prefix("\x1bP")).collect();
        assert!(joined.starts_with("\x1b]52;c;eHh4") && joined.ends_with('\x07'));
    }

    #[test]
    fn what_cannot_be_copied_is_said_and_not_sent() {
        let terminal = Path::new("xterm", false, false);
        assert_eq!(sequence(&"x".repeat(200_000), &terminal), (None, Copied::TooLong { bytes: 200_000 }));
        assert_eq!(sequence("x", &Path::new("linux", false, false)), (None, Copied::Unsupported));
        assert!(Copied::Unsupported.to_string().starts_with("not copied"));
    }

    #[test]
    fn nothing_in_the_text_reaches_the_terminal_as_it_is() {
        let bytes = sent("\x1b[2J\x07evil", &Path::new("xterm", false, false));
        assert_eq!(bytes.matches('\x1b').count(), 2);
        assert!(!bytes.contains("evil"));
    }
}
