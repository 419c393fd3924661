//! What the program said, on its way to the client: in messages of a kilobyte, as far as they may be on their way.

use super::{Session, created};
use crate::sim::exec::What;
use crate::sim::exec::frame::{self, holds};
use bytes::{Bytes, BytesMut};
use std::time::Instant;

impl Session {
    /// The next message of the output.
    pub(super) fn say(&mut self, holds: u32, payload: Bytes) {
        let message = self.streams.send(holds, payload, Instant::now(), created());
        self.emit(&message);
    }

    /// Sends what the program said, as far as it may be on its way.
    pub(super) fn stream(&mut self) {
        while self.streams_output() && self.streams.room() > 0 && self.mouth.is_some() {
            let piece = match self.order.what {
                What::Command(_) => cut(&mut self.unsaid),
                What::Port { .. } => {
                    let most = self.unsaid.len().min(frame::PIECE);
                    (most > 0).then(|| self.unsaid.split_to(most).freeze())
                }
            };
            let Some(piece) = piece else { return };
            self.active_ms = self.shared.now();
            let piece = match &mut self.keys {
                Some(keys) => keys.encrypt(&piece),
                None => piece,
            };
            self.say(holds::BYTES, piece);
        }
    }
}

/// The next piece of output: at most a message's worth, and not within a character.
fn cut(unsaid: &mut BytesMut) -> Option<Bytes> {
    let most = unsaid.len().min(frame::PIECE);
    let whole = most - unfinished(&unsaid[..most]);
    (whole > 0).then(|| unsaid.split_to(whole).freeze())
}

/// How many bytes at the end are the beginning of a character; none if it is no UTF-8.
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        let needs = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if needs > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_cut_between_characters() {
        let mut unsaid = BytesMut::from("é".repeat(600).as_bytes());
        unsaid.extend_from_slice(&"€".as_bytes()[..2]);
        let lengths: Vec<usize> = std::iter::from_fn(|| cut(&mut unsaid)).map(|piece| piece.len()).collect();
        assert_eq!(lengths, [1024, 176]);
        assert_eq!(&unsaid[..], &"€".as_bytes()[..2], "half a character waits for the rest");
        let mut odd = BytesMut::from(&[b"x".repeat(1023).as_slice(), "€".as_bytes()].concat()[..]);
        assert_eq!(cut(&mut odd).map(|piece| piece.len()), Some(1023));
        let mut noise = BytesMut::from(&[0xff; 2000][..]);
        assert_eq!(cut(&mut noise).map(|piece| piece.len()), Some(1024));
    }
}
