//! Messages of the data channel: one binary frame of a WebSocket each, a header of 120 bytes and a payload.
//!
//! Layout, all big-endian: u32 length of the header less 4, 32 bytes of kind, u32 schema, u64 milliseconds, i64 sequence, u64 flags, a UUID
//! with its halves swapped, SHA-256 of the payload, u32 kind of the payload, u32 its length. It knows nothing of sessions.

use bytes::{BufMut as _, Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Bytes before the payload.
const HEADER: usize = 120;
/// What the first field says: where the payload's length stands.
const HEADER_LENGTH: u32 = 116;
/// A message holds so many bytes of a stream.
pub(super) const PIECE: usize = 1024;

pub(super) const INPUT: &str = "input_stream_data";
pub(super) const OUTPUT: &str = "output_stream_data";
pub(super) const ACKNOWLEDGE: &str = "acknowledge";
pub(super) const CLOSED: &str = "channel_closed";
pub(super) const START: &str = "start_publication";
pub(super) const PAUSE: &str = "pause_publication";

/// What a payload is.
pub(super) mod holds {
    pub(in crate::sim::exec) const NOTHING: u32 = 0;
    pub(in crate::sim::exec) const BYTES: u32 = 1;
    pub(in crate::sim::exec) const SIZE: u32 = 3;
    pub(in crate::sim::exec) const HANDSHAKE_REQUEST: u32 = 5;
    pub(in crate::sim::exec) const HANDSHAKE_RESPONSE: u32 = 6;
    pub(in crate::sim::exec) const HANDSHAKE_COMPLETE: u32 = 7;
    pub(in crate::sim::exec) const CHALLENGE_REQUEST: u32 = 8;
    pub(in crate::sim::exec) const CHALLENGE_RESPONSE: u32 = 9;
    pub(in crate::sim::exec) const FLAG: u32 = 10;
}

/// Begins a stream.
pub(super) const SYN: u64 = 1;
/// Begins and ends it, as acknowledgements say of themselves.
pub(super) const SYN_FIN: u64 = 3;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: String,
    pub(super) created_ms: u64,
    pub(super) sequence: i64,
    pub(super) flags: u64,
    pub(super) id: Uuid,
    pub(super) holds: u32,
    pub(super) payload: Bytes,
}

impl Message {
    /// The message as the service writes it; `pad` fills up its kind, a blank or a zero.
    pub(super) fn write(&self, pad: u8) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER + self.payload.len());
        out.put_u32(HEADER_LENGTH);
        let mut kind = [pad; 32];
        let name = &self.kind.as_bytes()[..self.kind.len().min(32)];
        kind[..name.len()].copy_from_slice(name);
        out.put_slice(&kind);
        out.put_u32(1);
        out.put_u64(self.created_ms);
        out.put_i64(self.sequence);
        out.put_u64(self.flags);
        let id = self.id.as_bytes();
        out.put_slice(&id[8..]);
        out.put_slice(&id[..8]);
        out.put_slice(&Sha256::digest(&self.payload));
        out.put_u32(self.holds);
        out.put_u32(u32::try_from(self.payload.len()).expect("payloads are a piece, or a short document"));
        out.put_slice(&self.payload);
        out.freeze()
    }

    /// Reads a message, as far as one may trust it.
    ///
    /// # Errors
    /// What is wrong with it; such a message is dropped and not acknowledged.
    pub(super) fn read(bytes: &Bytes) -> Result<Self, &'static str> {
        let u32_at = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let u64_at = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let short = "the message is too short";
        let length = u32_at(0).ok_or(short)? as usize;
        if !(HEADER_LENGTH as usize..=4096).contains(&length) || bytes.len() < length + 4 {
            return Err("the header has no sensible length");
        }
        let kind: Vec<u8> = bytes[4..36].iter().copied().filter(|byte| *byte != 0).collect();
        let kind = String::from_utf8(kind).map_err(|_| "the kind is no text")?.trim().to_owned();
        let size = u32_at(length).ok_or(short)? as usize;
        let payload = bytes.get(length + 4..).filter(|rest| rest.len() >= size).ok_or("the payload is cut off")?;
        let payload = bytes.slice_ref(&payload[..size]);
        let created_ms = u64_at(40).ok_or(short)?;
        if kind.is_empty() || created_ms == 0 {
            return Err("a field that must be set is not");
        }
        let digest = bytes.get(80..112).ok_or(short)?;
        if size > 0 && Sha256::digest(&payload)[..] != *digest {
            return Err("the digest is another");
        }
        let mut id = [0; 16];
        id[8..].copy_from_slice(bytes.get(64..72).ok_or(short)?);
        id[..8].copy_from_slice(bytes.get(72..80).ok_or(short)?);
        Ok(Self {
            kind,
            created_ms,
            sequence: u64_at(48).ok_or(short)?.cast_signed(),
            flags: u64_at(56).ok_or(short)?,
            id: Uuid::from_bytes(id),
            holds: u32_at(112).ok_or(short)?,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    const ID: &str = "dd01e56b-ff48-483e-a508-b5f073f31b16";

    fn vector(kind: &str, sequence: i64, holds: u32, payload: &'static [u8]) -> Message {
        Message {
            kind: kind.to_owned(),
            created_ms: 1_503_434_274_948,
            sequence,
            flags: 0,
            id: ID.parse().unwrap(),
            holds,
            payload: Bytes::from_static(payload),
        }
    }

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    #[test]
    fn keys_and_sizes_have_the_published_bytes() {
        let keys = vector(INPUT, 2, holds::BYTES, b"ls\r");
        let wanted = "00000074\
            696e7075745f73747265616d5f64617461202020202020202020202020202020\
            000000010000015e0baa788400000000000000020000000000000000\
            a508b5f073f31b16dd01e56bff48483e\
            1d887ce0f8672e4914d9000e801cd74ecd805dd9366c0bc42dc16adc0197dc2f\
            00000001000000036c730d";
        assert_eq!(hex(&keys.write(b' ')), wanted);
        let size = vector(INPUT, 0, holds::SIZE, br#"{"cols":120,"rows":40}"#);
        let written = size.write(b' ');
        assert_eq!(written.len(), 142);
        assert_eq!(hex(&written[80..120]), "edf7359c89077b608a6b3e8b19e63bbfc7aa724989a05ea371a9966a6e9db7cc0000000300000016");
    }

    #[test]
    fn what_was_written_is_read_with_blanks_and_with_zeros() {
        let message = vector(OUTPUT, 7, holds::BYTES, b"total 4\r\n");
        for pad in [b' ', 0] {
            assert_eq!(Message::read(&message.write(pad)).unwrap(), message);
        }
    }

    #[test]
    fn no_cut_and_no_changed_byte_is_taken_for_a_message_or_brings_it_down() {
        let whole = vector(OUTPUT, 7, holds::BYTES, b"total 4\r\n").write(b' ');
        for end in 0..whole.len() {
            assert!(Message::read(&whole.slice(..end)).is_err(), "cut at {end}");
        }
        let mut lying = whole.to_vec();
        lying[116..120].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(Message::read(&lying.into()).is_err());
        for at in 0..whole.len() {
            let mut changed = whole.to_vec();
            changed[at] ^= 0xff;
            // It may be read or refused, but must not bring anything down.
            let _ = Message::read(&changed.into());
        }
        let mut other = whole.to_vec();
        *other.last_mut().unwrap() ^= 1;
        assert_eq!(Message::read(&other.into()), Err("the digest is another"));
    }
}
