//! The messages of a data channel on the wire, byte for byte. Knows no order, no acknowledgement and no socket.
//!
//! A header of 120 bytes, all numbers big-endian, then the payload. Whatever comes in is checked field by field: a peer that sends rubbish
//! gets a [`Rubbish`], never a panic.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Offset of the payload's length: what the header's length field always says. The header ends four bytes later.
const LENGTH_AT: usize = 116;

/// Bytes of a header.
pub const HEADER: usize = LENGTH_AT + 4;

/// Bytes of the message type's field.
const KIND: usize = 32;

/// Begins a stream of messages.
pub const SYN: u64 = 1;

/// Ends one.
pub const FIN: u64 = 2;

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message of the stream to the agent.
    Input,
    /// A message of the stream from the agent.
    Output,
    /// A message of the other stream has arrived.
    Acknowledge,
    /// The session is over.
    ChannelClosed,
    /// The other end listens.
    StartPublication,
    /// The other end does not listen for now.
    PausePublication,
    /// A type that this program does not know.
    Other(String),
}

impl Kind {
    /// The name on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Kind::Input => "input_stream_data",
            Kind::Output => "output_stream_data",
            Kind::Acknowledge => "acknowledge",
            Kind::ChannelClosed => "channel_closed",
            Kind::StartPublication => "start_publication",
            Kind::PausePublication => "pause_publication",
            Kind::Other(name) => name,
        }
    }

    fn of(name: &str) -> Kind {
        match name {
            "input_stream_data" => Kind::Input,
            "output_stream_data" => Kind::Output,
            "acknowledge" => Kind::Acknowledge,
            "channel_closed" => Kind::ChannelClosed,
            "start_publication" => Kind::StartPublication,
            "pause_publication" => Kind::PausePublication,
            other => Kind::Other(other.to_owned()),
        }
    }

    /// Whether its dates and digests say nothing: these two come without.
    fn bare(&self) -> bool {
        matches!(self, Kind::StartPublication | Kind::PausePublication)
    }
}

/// What the payload of a stream message is.
pub mod payload {
    /// Keystrokes, and what the terminal shows.
    pub const OUTPUT: u32 = 1;
    /// An error of the agent's.
    pub const ERROR: u32 = 2;
    /// The size of the terminal.
    pub const SIZE: u32 = 3;
    /// What the agent asks for before it begins.
    pub const HANDSHAKE_REQUEST: u32 = 5;
    /// The answer to that.
    pub const HANDSHAKE_RESPONSE: u32 = 6;
    /// The handshake is over.
    pub const HANDSHAKE_COMPLETE: u32 = 7;
    /// The agent wants a proof of the key.
    pub const CHALLENGE: u32 = 8;
    /// The proof.
    pub const CHALLENGE_RESPONSE: u32 = 9;
    /// A [`super::flag`].
    pub const FLAG: u32 = 10;
    /// Standard error of a command, where it is kept apart.
    pub const STDERR: u32 = 11;
    /// A command's exit code in words.
    pub const EXIT_CODE: u32 = 12;
}

/// What a payload of [`payload::FLAG`] says.
pub mod flag {
    /// The local side of an unmultiplexed forward is closed.
    pub const DISCONNECT_TO_PORT: u32 = 1;
    /// The session is to end; only port sessions know it.
    pub const TERMINATE_SESSION: u32 = 2;
    /// The agent could not connect to the port.
    pub const CONNECT_TO_PORT_ERROR: u32 = 3;
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// Milliseconds since 1970; never zero but in bare messages.
    pub created: u64,
    /// Number in its stream, from zero.
    pub sequence: i64,
    /// [`SYN`] and [`FIN`]; nobody acts on them.
    pub flags: u64,
    /// Names this message in its acknowledgement.
    pub id: Uuid,
    /// One of [`payload`].
    pub payload_type: u32,
    /// The payload.
    pub payload: Bytes,
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rubbish {
    /// Fewer bytes than the header or its lengths say.
    #[error("a message of {0} bytes is cut off")]
    Short(usize),
    /// A header length that leaves no room for the header.
    #[error("a header of {0} bytes")]
    Header(u32),
    /// No text, or none at all.
    #[error("a message without a type")]
    Kind,
    /// No date.
    #[error("a message without a date")]
    Undated,
    /// The payload is not what was sent.
    #[error("a message whose digest does not fit")]
    Digest,
}

impl Frame {
    /// Reads a message. Bytes after its payload are passed over.
    ///
    /// # Errors
    /// What is wrong with it first.
    pub fn read(bytes: &Bytes) -> Result<Frame, Rubbish> {
        let short = || Rubbish::Short(bytes.len());
        let number = |at: usize| bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).map(u32::from_be_bytes).ok_or_else(short);
        let long = |at: usize| bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map(u64::from_be_bytes).ok_or_else(short);
        let header = number(0)?;
        // A header of tomorrow may be longer, never shorter; the payload's length stands at its end.
        let at = usize::try_from(header).map_err(|_| Rubbish::Header(header))?;
        if at < LENGTH_AT {
            return Err(Rubbish::Header(header));
        }
        let end = at.checked_add(4).filter(|end| *end <= bytes.len()).ok_or_else(short)?;
        let length = usize::try_from(number(at)?).map_err(|_| short())?;
        let stop = end.checked_add(length).filter(|stop| *stop <= bytes.len()).ok_or_else(short)?;
        let name = std::str::from_utf8(&bytes[4..4 + KIND]).map_err(|_| Rubbish::Kind)?;
        // Agents pad with blanks, the service with zeros.
        let name = name.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        if name.is_empty() || name.contains('\0') {
            return Err(Rubbish::Kind);
        }
        let kind = Kind::of(name);
        let (created, payload) = (long(40)?, bytes.slice(end..stop));
        if !kind.bare() {
            if created == 0 {
                return Err(Rubbish::Undated);
            }
            if !payload.is_empty() && Sha256::digest(&payload)[..] != bytes[80..112] {
                return Err(Rubbish::Digest);
            }
        }
        let mut id = [0; 16];
        id[..8].copy_from_slice(&bytes[72..80]);
        id[8..].copy_from_slice(&bytes[64..72]);
        Ok(Frame {
            kind,
            created,
            sequence: long(48)?.cast_signed(),
            flags: long(56)?,
            id: Uuid::from_bytes(id),
            payload_type: number(112)?,
            payload,
        })
    }

    /// The message on the wire. A type's name beyond its field's 32 bytes is cut.
    ///
    /// # Panics
    /// With a payload of more than 4 GiB.
    #[must_use]
    pub fn write(&self) -> Bytes {
        let mut out = Vec::with_capacity(HEADER + self.payload.len());
        let header = u32::try_from(LENGTH_AT).expect("116 is a small number");
        out.extend_from_slice(&header.to_be_bytes());
        let name = self.kind.name().as_bytes();
        out.extend_from_slice(&name[..name.len().min(KIND)]);
        out.resize(4 + KIND, b' ');
        out.extend_from_slice(&1_u32.to_be_bytes());
        out.extend_from_slice(&self.created.to_be_bytes());
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.flags.to_be_bytes());
        // The halves change places: Java's least significant long comes first.
        let (first, second) = self.id.as_bytes().split_at(8);
        out.extend_from_slice(second);
        out.extend_from_slice(first);
        out.extend_from_slice(&Sha256::digest(&self.payload));
        out.extend_from_slice(&self.payload_type.to_be_bytes());
        out.extend_from_slice(&u32::try_from(self.payload.len()).expect("payloads are some kilobytes").to_be_bytes());
        out.extend_from_slice(&self.payload);
        out.into()
    }
}

#[cfg(test)]
mod tests;
