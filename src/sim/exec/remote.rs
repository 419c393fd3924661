//! What a session talks to, whatever it is: bytes in, bytes out, a size, and an end.

use super::{Order, Shell, What, builtin, words};
use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender};

/// A program that runs. Dropping it ends the program and removes what was made for it.
pub(super) struct Remote {
    /// Bytes for the program; a few messages deep, for the program reads when it likes.
    pub(super) input: Sender<Bytes>,
    /// Bytes of the program; closed when it has ended.
    pub(super) output: Receiver<Bytes>,
    /// The program itself.
    pub(super) program: Program,
}

/// How a program is reached beside its bytes.
pub(super) enum Program {
    /// The shell of this program's own.
    Builtin,
    /// A process in a pseudo-terminal.
    #[cfg(unix)]
    Process(super::pty::Process),
}

impl Program {
    pub(super) fn resize(&self, columns: u16, rows: u16) {
        match self {
            Self::Builtin => {}
            #[cfg(unix)]
            Self::Process(process) => process.resize(columns, rows),
        }
    }

    /// Whether it has ended though somebody may still hold its terminal.
    pub(super) fn is_gone(&mut self) -> bool {
        match self {
            Self::Builtin => false,
            #[cfg(unix)]
            Self::Process(process) => process.is_gone(),
        }
    }
}

/// Starts what an order wants.
///
/// # Errors
/// Why not, in the agent's words.
pub(super) fn start(order: &Order, shell: Shell, size: (u16, u16)) -> Result<Remote, String> {
    let What::Command(command) = &order.what;
    let words = words::split(command).map_err(|why| format!("Unable to start command: {why}"))?;
    if words.is_empty() {
        return Err("Unable to start command: Failed to start pty: exec: no command".to_owned());
    }
    let started = match shell {
        #[cfg(unix)]
        Shell::Real => super::pty::start(&words, &order.environment, size),
        _ => builtin::start(&words, order, size),
    };
    started.map_err(|why| format!("Unable to start command: Failed to start pty: {why}"))
}
