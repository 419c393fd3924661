//! Sessions inside containers: the SSM data channel, and what is built on it, with no other program installed.
//!
//! A session is a task of its own that speaks to AWS over a WebSocket; its owner hears [`Said`] and gives [`Ask`]. Shells, port forwards and
//! copies are the same session to it: bytes in, bytes out. It knows no pane, no key and no SDK; `aws` opens and signs for it.

mod channel;
pub mod checks;
pub mod copy;
pub mod crypt;
pub mod forward;
pub mod forwards;
pub mod frame;
mod handshake;
pub mod link;
pub mod notes;
mod rtt;
pub mod session;
pub mod smux;

use std::sync::Arc;
use std::time::Duration;

/// What AWS gave to open a data channel with. The token is a secret of this one session.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// AWS's id of the session.
    pub session: String,
    /// Where the data channel is, verbatim.
    pub stream_url: String,
    /// Opens the channel; never logged, never shown.
    pub token: String,
    /// `ecs:<cluster>_<task>_<runtime id>`, which both ends of an encrypted session must agree on.
    pub target: String,
    /// What the channel carries.
    pub carries: Carries,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("session", &self.session).field("target", &self.target).finish_non_exhaustive()
    }
}

/// What a session's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// A terminal.
    Terminal,
    /// The connections of a port forward.
    Port,
}

/// What the owner of a session wants of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Bytes for the remote, in order; kept until it is ready.
    Input(Vec<u8>),
    /// The terminal has this size now.
    Size {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// The local side of an unmultiplexed port forward is closed.
    Disconnect,
    /// End the session: `TerminateSession` as a best effort, then close.
    Leave,
}

/// What a session tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The remote takes input from now on.
    Ready {
        /// The agent's version, where it says so in a handshake.
        agent: Option<String>,
        /// Whether the bytes are encrypted with a key of KMS.
        encrypted: bool,
        /// What the administrator of the account wants users to read.
        message: Option<String>,
    },
    /// Bytes of the remote, in order, each once.
    Output(Vec<u8>),
    /// The connection is lost, and is tried again.
    Lost {
        /// Which try this is.
        attempt: u32,
        /// Why, in words.
        why: String,
    },
    /// The connection stands again; no byte was lost.
    Resumed,
    /// The remote could not connect to the port.
    PortRefused,
    /// Nothing comes after this.
    Ended(End),
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The remote closed the channel; AWS's words where it gave a reason.
    Closed(Option<Arc<str>>),
    /// The owner left.
    Left,
    /// The connection was lost and could not be resumed.
    Lost(String),
    /// It never began.
    Refused(String),
}

/// Time without a byte of the user's after which ECS ends a session of exec.
pub const IDLE: Duration = Duration::from_mins(20);
