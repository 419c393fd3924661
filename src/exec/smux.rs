//! smux version 1: many connections in the one byte stream of a port session.
//!
//! Sans-IO: bytes in, frames out, and the other way round; it knows no socket, no clock and no session. Source: the protocol of
//! `xtaci/smux`, which the SSM agent and the official plugin both speak.

/// Bytes of a frame's head: version, command, length (little-endian), stream (little-endian).
const HEAD: usize = 8;

/// Largest body that is sent. The agent takes up to 32,768 bytes; smaller frames let connections share the session more evenly.
const SENT: usize = 16 * 1024;

/// The only version that the agent speaks.
const VERSION: u8 = 1;

const SYN: u8 = 0;
const FIN: u8 = 1;
const PSH: u8 = 2;
const NOP: u8 = 3;

/// A frame that keeps an old agent from hanging up after 30 s of silence.
pub const KEEPALIVE: [u8; HEAD] = [VERSION, NOP, 0, 0, 0, 0, 0, 0];

/// Numbers the streams of one session.
#[derive(Debug)]
pub struct Numbers(u32);

impl Default for Numbers {
    fn default() -> Self {
        // A client's streams are odd, and the first that either end of xtaci/smux opens is 3.
        Numbers(3)
    }
}

impl Numbers {
    /// The next stream, or nothing when a session has had two thousand million.
    pub fn take(&mut self) -> Option<u32> {
        let stream = self.0;
        self.0 = stream.checked_add(2)?;
        Some(stream)
    }
}

/// The frame that opens a stream.
#[must_use]
pub fn open(stream: u32) -> Vec<u8> {
    head(SYN, 0, stream).to_vec()
}

/// The frame that says that no more bytes come on a stream.
#[must_use]
pub fn finish(stream: u32) -> Vec<u8> {
    head(FIN, 0, stream).to_vec()
}

/// The frames that carry bytes of a stream.
///
/// # Panics
/// Never: a body is cut to what its length can say.
#[must_use]
pub fn push(stream: u32, bytes: &[u8]) -> Vec<u8> {
    let mut frames = Vec::with_capacity(bytes.len() + (bytes.len() / SENT + 1) * HEAD);
    for body in bytes.chunks(SENT) {
        let length = u16::try_from(body.len()).expect("a body is at most SENT bytes, which fit into the field");
        frames.extend_from_slice(&head(PSH, length, stream));
        frames.extend_from_slice(body);
    }
    frames
}

fn head(command: u8, length: u16, stream: u32) -> [u8; HEAD] {
    let ([l0, l1], [s0, s1, s2, s3]) = (length.to_le_bytes(), stream.to_le_bytes());
    [VERSION, command, l0, l1, s0, s1, s2, s3]
}

/// What the other end said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Bytes of a stream. One frame may come in several of these.
    Data(u32, Vec<u8>),
    /// No more bytes come on a stream.
    Finished(u32),
    /// The other end opened a stream, which an agent never does.
    Opened(u32),
}

/// Bytes that are no smux: nothing after them can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the agent's port session is garbled: {0}")]
pub struct Garbled(String);

/// Takes the byte stream apart, in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct Reader {
    head: [u8; HEAD],
    have: usize,
    /// Stream and bytes that are left of the frame whose body is being read.
    body: Option<(u32, usize)>,
}

impl Reader {
    /// Reads a piece.
    ///
    /// # Errors
    /// When it is no smux of version 1; the session is of no use any more then.
    pub fn read(&mut self, mut bytes: &[u8]) -> Result<Vec<Heard>, Garbled> {
        let mut heard = Vec::new();
        while !bytes.is_empty() {
            if let Some((stream, left)) = self.body {
                let (now, rest) = bytes.split_at(left.min(bytes.len()));
                heard.push(Heard::Data(stream, now.to_vec()));
                self.body = (left > now.len()).then(|| (stream, left - now.len()));
                bytes = rest;
                continue;
            }
            let take = (HEAD - self.have).min(bytes.len());
            let (now, rest) = bytes.split_at(take);
            self.head[self.have..self.have + take].copy_from_slice(now);
            self.have += take;
            bytes = rest;
            if self.have == HEAD {
                self.have = 0;
                heard.extend(self.frame()?);
            }
        }
        Ok(heard)
    }

    fn frame(&mut self) -> Result<Option<Heard>, Garbled> {
        let [version, command, l0, l1, s0, s1, s2, s3] = self.head;
        let (length, stream) = (usize::from(u16::from_le_bytes([l0, l1])), u32::from_le_bytes([s0, s1, s2, s3]));
        if version != VERSION {
            return Err(Garbled(format!("version {version}")));
        }
        match (command, length) {
            (PSH | NOP, 0) => Ok(None),
            (PSH, length) => {
                self.body = Some((stream, length));
                Ok(None)
            }
            (SYN, 0) => Ok(Some(Heard::Opened(stream))),
            (FIN, 0) => Ok(Some(Heard::Finished(stream))),
            (SYN | FIN | NOP, _) => Err(Garbled(format!("a command {command} with a body"))),
            _ => Err(Garbled(format!("command {command}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_are_as_the_protocol_has_them() {
        assert_eq!(open(3), [1, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(finish(0x0102_0305), [1, 1, 0, 0, 5, 3, 2, 1]);
        assert_eq!(push(5, b"hi"), [1, 2, 2, 0, 5, 0, 0, 0, b'h', b'i']);
        assert_eq!(KEEPALIVE, [1, 3, 0, 0, 0, 0, 0, 0]);
        assert!(push(5, b"").is_empty());
        let long = push(3, &vec![7; SENT + 1]);
        assert_eq!((long.len(), &long[2..4], &long[HEAD + SENT + 2..HEAD + SENT + 4]), (SENT + 1 + 2 * HEAD, &[0, 0x40][..], &[1, 0][..]));
    }

    #[test]
    fn streams_of_a_client_are_odd_from_three_and_end_when_numbers_do() {
        let mut numbers = Numbers::default();
        assert_eq!([numbers.take(), numbers.take(), numbers.take()], [Some(3), Some(5), Some(7)]);
        assert_eq!(Numbers(u32::MAX).take(), None);
    }

    #[test]
    fn another_version_or_command_is_refused() {
        for bytes in [[2, 0, 0, 0, 3, 0, 0, 0], [1, 4, 0, 0, 3, 0, 0, 0], [1, 0, 1, 0, 3, 0, 0, 0]] {
            assert!(Reader::default().read(&bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(Reader::default().read(&KEEPALIVE), Ok(Vec::new()));
    }

    /// What a peer would have said: streams with their bytes, and whether each was finished.
    fn told(heard: Vec<Heard>) -> Vec<(u32, Vec<u8>, bool)> {
        let mut streams: Vec<(u32, Vec<u8>, bool)> = Vec::new();
        for heard in heard {
            let (id, bytes, finished) = match heard {
                Heard::Data(id, bytes) => (id, bytes, false),
                Heard::Finished(id) => (id, Vec::new(), true),
                Heard::Opened(id) => (id, Vec::new(), false),
            };
            match streams.iter_mut().find(|(other, ..)| *other == id) {
                Some(stream) => {
                    stream.1.extend(bytes);
                    stream.2 |= finished;
                }
                None => streams.push((id, bytes, finished)),
            }
        }
        streams
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read_however_it_is_cut(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40_000), 1..4),
            cuts in proptest::collection::vec(1usize..2000, 1..50),
        ) {
            let mut numbers = Numbers::default();
            let mut wire = Vec::new();
            let mut sent = Vec::new();
            for body in &bodies {
                let id = numbers.take().unwrap();
                wire.extend([open(id), KEEPALIVE.to_vec(), push(id, body), finish(id)].concat());
                sent.push((id, body.clone(), true));
            }
            let (mut reader, mut heard, mut rest, mut cuts) = (Reader::default(), Vec::new(), &*wire, cuts.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                heard.extend(reader.read(now).unwrap());
                rest = later;
            }
            prop_assert_eq!(told(heard), sent);
        }

        #[test]
        fn no_bytes_make_it_panic_or_tell_of_bytes_that_did_not_come(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            if let Ok(heard) = Reader::default().read(&bytes) {
                let told: usize = heard.iter().map(|heard| if let Heard::Data(_, bytes) = heard { bytes.len() } else { 0 }).sum();
                prop_assert!(told <= bytes.len());
            }
        }
    }
}
