//! What a session talks to, whatever it is: bytes in, bytes out, a size, and an end.

use super::{Order, Shell, What, builtin, port, words};
use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender};

/// What the other side of a program is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Bytes(Bytes),
    /// A flag of the client's; only port forwards mind it.
    Flag(u32),
}

/// What comes out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Bytes(Bytes),
    /// A flag for the client.
    Flag(u32),
}

/// A program that runs. Dropping it ends the program and removes what was made for it.
pub(super) struct Remote {
    /// For the program; a few messages deep, for it reads when it likes.
    pub(super) input: Sender<Given>,
    /// Of the program; closed when it has ended.
    pub(super) output: Receiver<Said>,
    /// The program itself.
    pub(super) program: Program,
}

/// How a program is reached beside its bytes.
pub(super) enum Program {
    /// A task of the simulator's own: the small shell, or a port forward.
    Task,
    /// A process in a pseudo-terminal.
    #[cfg(unix)]
    Process(super::pty::Process),
}

impl Program {
    pub(super) fn resize(&self, columns: u16, rows: u16) {
        #[cfg(unix)]
        if let Self::Process(process) = self {
            process.resize(columns, rows);
        }
        #[cfg(not(unix))]
        let _ = (columns, rows);
    }

    /// Whether it has ended though somebody may still hold its terminal.
    pub(super) fn is_gone(&mut self) -> bool {
        match self {
            Self::Task => false,
            #[cfg(unix)]
            Self::Process(process) => process.is_gone(),
        }
    }
}

/// Starts what an order wants; `client` is the version that the client gives itself, if there was a handshake.
///
/// # Errors
/// Why not, in the agent's words.
pub(super) fn start(order: &Order, shell: Shell, size: (u16, u16), client: &str) -> Result<Remote, String> {
    let command = match &order.what {
        What::Command(command) => command,
        What::Port { number, host } => return port::start(order, *number, host.as_deref(), client),
    };
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
