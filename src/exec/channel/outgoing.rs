//! What goes to the agent: what waits, what is on its way and without an acknowledgement, and when it is sent again.

use crate::exec::rtt::Rtt;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes of input in a message.
const CHUNK: usize = 1024;

/// Messages on their way. The agent would keep 100,000; this many fill a link of 20 MB/s and 50 ms.
const WINDOW: usize = 1000;

/// Times that a message is sent again, and the shortest time between two of them: five minutes at least, then the remote is given up.
const TRIES: u32 = 3000;
const AGAIN: Duration = Duration::from_millis(100);

/// What waits to be sent.
#[derive(Debug)]
enum Waiting {
    Bytes(Bytes),
    Flag(u32),
}

/// What may go now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Bytes(Bytes),
    Flag(u32),
}

/// A message on its way.
#[derive(Debug)]
struct Sent {
    bytes: Bytes,
    at: Duration,
    again: u32,
    acknowledged: bool,
}

/// The oldest message was sent so often that nobody listens.
#[derive(Debug)]
pub(super) struct GivenUp;

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// In order, numbers without a gap; the last one's is `next - 1`.
    sent: VecDeque<Sent>,
    next: i64,
    rtt: Rtt,
    paused: bool,
    /// Input that went out before the remote showed what it wants: it may have to go out again.
    kept: Option<Vec<u8>>,
}

impl Outgoing {
    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting_bytes
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.waiting_bytes += bytes.len();
            self.waiting.push_back(Waiting::Bytes(bytes));
        }
    }

    pub(super) fn push_flag(&mut self, flag: u32) {
        self.waiting.push_back(Waiting::Flag(flag));
    }

    /// What may go now, input in pieces of a message's size.
    pub(super) fn next(&mut self) -> Option<Next> {
        if self.paused || self.sent.len() >= WINDOW {
            return None;
        }
        match self.waiting.front_mut()? {
            Waiting::Flag(flag) => {
                let flag = *flag;
                self.waiting.pop_front();
                return Some(Next::Flag(flag));
            }
            Waiting::Bytes(bytes) if bytes.len() > CHUNK => {
                let piece = bytes.split_to(CHUNK);
                return Some(self.taken(piece));
            }
            Waiting::Bytes(_) => {}
        }
        let mut piece = BytesMut::new();
        while let Some(Waiting::Bytes(bytes)) = self.waiting.front_mut() {
            let room = CHUNK - piece.len();
            if bytes.len() > room {
                piece.extend_from_slice(&bytes.split_to(room));
                break;
            }
            piece.extend_from_slice(bytes);
            self.waiting.pop_front();
        }
        Some(self.taken(piece.freeze()))
    }

    fn taken(&mut self, piece: Bytes) -> Next {
        self.waiting_bytes -= piece.len();
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&piece);
        }
        Next::Bytes(piece)
    }

    /// From now on input is remembered.
    pub(super) fn remember(&mut self) {
        self.kept.get_or_insert_default();
    }

    pub(super) fn forget(&mut self) {
        self.kept = None;
    }

    /// What is remembered waits again, before everything else.
    pub(super) fn take_back(&mut self) {
        let kept = self.kept.take().filter(|kept| !kept.is_empty());
        if let Some(kept) = kept {
            self.waiting_bytes += kept.len();
            self.waiting.push_front(Waiting::Bytes(kept.into()));
        }
    }

    /// The number of the next message.
    pub(super) fn number(&self) -> i64 {
        self.next
    }

    pub(super) fn sent(&mut self, bytes: Bytes, now: Duration) {
        self.next += 1;
        self.sent.push_back(Sent { bytes, at: now, again: 0, acknowledged: false });
    }

    pub(super) fn acknowledged(&mut self, sequence: i64, now: Duration) {
        let first = self.next - i64::try_from(self.sent.len()).unwrap_or(i64::MAX);
        // What is not on its way any more, or never was, changes nothing.
        let at = sequence.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        let Some(sent) = at.and_then(|at| self.sent.get_mut(at)) else { return };
        if !sent.acknowledged {
            sent.acknowledged = true;
            if sent.again == 0 {
                self.rtt.sample(now.saturating_sub(sent.at));
            }
        }
        while self.sent.front().is_some_and(|sent| sent.acknowledged) {
            self.sent.pop_front();
        }
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    pub(super) fn resume(&mut self) {
        self.paused = false;
    }

    pub(super) fn paused(&self) -> bool {
        self.paused
    }

    /// When the oldest message goes out again.
    pub(super) fn due(&self) -> Option<Duration> {
        let oldest = self.sent.front().filter(|_| !self.paused)?;
        let timeout = self.rtt.timeout();
        Some(oldest.at + if oldest.again == 0 { timeout } else { timeout.max(AGAIN) })
    }

    /// The oldest message once more, if its time has come. The others wait for it: its acknowledgement lets the next one be the oldest.
    pub(super) fn again(&mut self, now: Duration) -> Result<Option<Bytes>, GivenUp> {
        if self.due().is_none_or(|due| due > now) {
            return Ok(None);
        }
        let Some(oldest) = self.sent.front_mut() else { return Ok(None) };
        if oldest.again >= TRIES {
            return Err(GivenUp);
        }
        (oldest.at, oldest.again) = (now, oldest.again + 1);
        Ok(Some(oldest.bytes.clone()))
    }

    /// Everything without an acknowledgement once more, in order, over a new connection.
    pub(super) fn all_again(&mut self, now: Duration) -> Vec<Bytes> {
        self.paused = false;
        let unheard = self.sent.iter_mut().filter(|sent| !sent.acknowledged);
        let again = unheard.map(|sent| {
            (sent.at, sent.again) = (now, sent.again.max(1));
            sent.bytes.clone()
        });
        again.collect()
    }
}
