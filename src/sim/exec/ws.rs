//! Frames of a WebSocket, the server's side of RFC 6455: what clients send is masked, what goes back is not.
//!
//! Written out here because the simulator wants to do what no library lets one do: fall silent, answer no ping, break off anywhere.

use bytes::{Buf as _, Bytes, BytesMut};

/// Frames of real clients hold a message of some 1200 bytes; more than this is an attack on memory.
const LARGEST: usize = 1 << 20;

const CONTINUES: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Text(Bytes),
    Binary(Bytes),
    Ping(Bytes),
    Close,
}

/// Takes frames out of bytes as they come.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// What has come and is not taken yet.
    pub(super) bytes: BytesMut,
    /// The beginning of a message in several frames.
    begun: Option<(u8, BytesMut)>,
}

impl Frames {
    /// The next message that is there in full.
    ///
    /// # Errors
    /// What breaks the protocol; the connection cannot go on.
    pub(super) fn next(&mut self) -> Result<Option<Heard>, &'static str> {
        while let Some((last, code, payload)) = self.frame()? {
            let whole = match code {
                PING => return Ok(Some(Heard::Ping(payload))),
                CLOSE => return Ok(Some(Heard::Close)),
                PONG => continue,
                CONTINUES => {
                    let (_, begun) = self.begun.as_mut().ok_or("nothing was begun that could go on")?;
                    if begun.len() + payload.len() > LARGEST {
                        return Err("the message is too large");
                    }
                    begun.extend_from_slice(&payload);
                    if !last {
                        continue;
                    }
                    self.begun.take().map(|(code, all)| (code, all.freeze()))
                }
                TEXT | BINARY if self.begun.is_some() => return Err("a message begins within another"),
                TEXT | BINARY if !last => {
                    self.begun = Some((code, BytesMut::from(&payload[..])));
                    continue;
                }
                TEXT | BINARY => Some((code, payload)),
                _ => return Err("an unknown kind of frame"),
            };
            return Ok(whole.map(|(code, all)| if code == TEXT { Heard::Text(all) } else { Heard::Binary(all) }));
        }
        Ok(None)
    }

    fn frame(&mut self) -> Result<Option<(bool, u8, Bytes)>, &'static str> {
        let [first, second, rest @ ..] = &self.bytes[..] else { return Ok(None) };
        let (last, code) = (first & 0x80 != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err("extensions were not agreed on");
        }
        if second & 0x80 == 0 {
            return Err("a client's frames must be masked");
        }
        let (length, header) = match second & 0x7f {
            126 => match rest {
                [a, b, ..] => (usize::from(u16::from_be_bytes([*a, *b])), 4),
                _ => return Ok(None),
            },
            127 => match rest.first_chunk::<8>() {
                Some(long) => (usize::try_from(u64::from_be_bytes(*long)).unwrap_or(usize::MAX), 10),
                None => return Ok(None),
            },
            short => (usize::from(short), 2),
        };
        if length > LARGEST {
            return Err("the message is too large");
        }
        if self.bytes.len() < header + 4 + length {
            return Ok(None);
        }
        self.bytes.advance(header);
        let mask: [u8; 4] = self.bytes.split_to(4)[..].try_into().expect("four bytes were taken");
        let mut payload = self.bytes.split_to(length);
        for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
        Ok(Some((last, code, payload.freeze())))
    }
}

pub(super) fn binary(out: &mut BytesMut, payload: &[u8]) {
    frame(out, BINARY, payload);
}

pub(super) fn text(out: &mut BytesMut, payload: &[u8]) {
    frame(out, TEXT, payload);
}

pub(super) fn pong(out: &mut BytesMut, payload: &[u8]) {
    frame(out, PONG, payload);
}

/// A close with its code and reason.
pub(super) fn close(out: &mut BytesMut, code: u16, reason: &str) {
    let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
    frame(out, CLOSE, &payload);
}

fn frame(out: &mut BytesMut, code: u8, payload: &[u8]) {
    let length = payload.len();
    let mut header = vec![0x80 | code];
    match u8::try_from(length).ok().filter(|short| *short < 126) {
        Some(short) => header.push(short),
        None => match u16::try_from(length) {
            Ok(medium) => {
                header.push(126);
                header.extend_from_slice(&medium.to_be_bytes());
            }
            Err(_) => {
                header.push(127);
                header.extend_from_slice(&(length as u64).to_be_bytes());
            }
        },
    }
    out.extend_from_slice(&header);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut out = vec![first];
        match payload.len() {
            short @ 0..126 => out.push(0x80 | u8::try_from(short).unwrap()),
            medium @ 126..65_536 => {
                out.push(0x80 | 126);
                out.extend_from_slice(&u16::try_from(medium).unwrap().to_be_bytes());
            }
            long => {
                out.push(0x80 | 127);
                out.extend_from_slice(&(long as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(&mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        out
    }

    #[test]
    fn frames_are_read_however_they_are_cut() {
        let long = vec![7; 70_000];
        let stream = [masked(0x81, b"open"), masked(0x89, b"keepalive"), masked(0x82, &long), masked(0x88, b"")].concat();
        for step in [1, 7, 1024, stream.len()] {
            let (mut frames, mut heard) = (Frames::default(), Vec::new());
            for piece in stream.chunks(step) {
                frames.bytes.extend_from_slice(piece);
                while let Some(one) = frames.next().unwrap() {
                    heard.push(one);
                }
            }
            let wanted = [Heard::Text("open".into()), Heard::Ping("keepalive".into()), Heard::Binary(long.clone().into()), Heard::Close];
            assert_eq!(heard, wanted, "in steps of {step}");
        }
    }

    #[test]
    fn a_message_in_several_frames_is_put_together_around_a_ping() {
        let mut frames = Frames::default();
        frames.bytes.extend_from_slice(&[masked(0x02, b"ab"), masked(0x89, b"x"), masked(0x80, b"cd")].concat());
        assert_eq!(frames.next().unwrap(), Some(Heard::Ping("x".into())));
        assert_eq!(frames.next().unwrap(), Some(Heard::Binary("abcd".into())));
    }

    #[test]
    fn what_no_client_may_send_ends_the_connection() {
        for (bytes, why) in [
            (vec![0x82, 3, 1, 2, 3], "masked"),
            (masked(0x80, b"x"), "begun"),
            (masked(0x83, b"x"), "unknown"),
            (masked(0xc2, b"x"), "extensions"),
            (vec![0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "too large"),
        ] {
            let mut frames = Frames::default();
            frames.bytes.extend_from_slice(&bytes);
            assert!(frames.next().unwrap_err().contains(why), "{why}");
        }
    }

    #[test]
    fn what_goes_back_has_the_length_in_the_shortest_form() {
        for (length, header) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let mut out = BytesMut::new();
            binary(&mut out, &vec![0; length]);
            assert_eq!(out.len(), header + length);
            assert_eq!(out[0], 0x82);
        }
    }
}
