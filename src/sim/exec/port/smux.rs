//! Frames of the multiplexer, smux version 1: version, command, length and stream in little-endian, then data.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

const VERSION: u8 = 1;
const HEADER: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Syn,
    Fin,
    Psh,
    Nop,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) command: Command,
    pub(super) stream: u32,
    pub(super) data: Bytes,
}

impl Frame {
    pub(super) fn write(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER + self.data.len());
        out.put_u8(VERSION);
        out.put_u8(match self.command {
            Command::Syn => 0,
            Command::Fin => 1,
            Command::Psh => 2,
            Command::Nop => 3,
        });
        out.put_u16_le(u16::try_from(self.data.len()).expect("a frame holds at most 32 KiB"));
        out.put_u32_le(self.stream);
        out.put_slice(&self.data);
        out.freeze()
    }
}

/// Takes the next frame out of what has come, if all of it has.
///
/// # Errors
/// If it is no frame of this version.
pub(super) fn take(bytes: &mut BytesMut) -> Result<Option<Frame>, ()> {
    let Some(header) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
    let command = match (header[0], header[1]) {
        (VERSION, 0) => Command::Syn,
        (VERSION, 1) => Command::Fin,
        (VERSION, 2) => Command::Psh,
        (VERSION, 3) => Command::Nop,
        _ => return Err(()),
    };
    let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
    let stream = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    if bytes.len() < HEADER + length {
        return Ok(None);
    }
    bytes.advance(HEADER);
    Ok(Some(Frame { command, stream, data: bytes.split_to(length).freeze() }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    #[test]
    fn frames_have_the_layout_of_the_protocol_and_are_read_however_they_are_cut() {
        let frame = Frame { command: Command::Psh, stream: 3, data: "hello".into() };
        assert_eq!(&frame.write()[..], b"\x01\x02\x05\x00\x03\x00\x00\x00hello");
        let all = [frame.write(), Frame { command: Command::Fin, stream: 3, data: Bytes::new() }.write()].concat();
        let (mut bytes, mut taken) = (BytesMut::new(), Vec::new());
        for byte in all {
            bytes.extend_from_slice(&[byte]);
            taken.extend(take(&mut bytes).unwrap());
        }
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0], frame);
        assert_eq!(take(&mut BytesMut::from(&[2, 0, 0, 0, 0, 0, 0, 0][..])), Err(()));
    }
}
