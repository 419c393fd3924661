//! The two streams of a data channel, as the agent keeps them: numbers, acknowledgements, order, and resending what is lost.
//!
//! It does not wait and sends nothing itself: what is to go out is handed to whoever asks. Unlike the real agent it may leave a message
//! in order unacknowledged until there is room for it, so that a program that does not read holds the sender back.

use super::frame::{ACKNOWLEDGE, Message, OUTPUT, SYN, SYN_FIN, holds};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Messages out of order that are kept; more are dropped without a word, so that they come again.
const KEPT: usize = 10_000;
/// Messages on their way; a program that writes faster waits. A quarter of a megabyte, so that what is typed is soon answered.
const ON_THEIR_WAY: usize = 256;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How long the way there and back takes.
#[derive(Debug)]
struct RoundTrip {
    mean: Duration,
    varies: Duration,
    wait: Duration,
}

impl RoundTrip {
    fn learn(&mut self, took: Duration) {
        self.varies = (self.varies * 3 + self.mean.abs_diff(took)) / 4;
        self.mean = (self.mean * 7 + took) / 8;
        self.wait = (self.mean + (self.varies * 4).max(Duration::from_millis(10))).min(LONGEST_WAIT);
    }
}

#[derive(Debug)]
struct Sent {
    sequence: i64,
    message: Message,
    at: Instant,
    again: bool,
}

/// Where a message of the client's stream stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It is the next one.
    Next,
    /// It is kept until those before it are there.
    Early,
    /// It was there before.
    Again,
    /// There is no room for it.
    Dropped,
}

/// Both streams.
#[derive(Debug)]
pub(super) struct Streams {
    expected: i64,
    early: BTreeMap<i64, Message>,
    next: i64,
    sent: VecDeque<Sent>,
    trip: RoundTrip,
}

impl Default for Streams {
    fn default() -> Self {
        let trip = RoundTrip { mean: Duration::from_millis(100), varies: Duration::ZERO, wait: FIRST_WAIT };
        Self { expected: 0, early: BTreeMap::new(), next: 0, sent: VecDeque::new(), trip }
    }
}

impl Streams {
    /// How many messages may still be sent.
    pub(super) fn room(&self) -> usize {
        ON_THEIR_WAY.saturating_sub(self.sent.len())
    }

    /// Whether everything that was sent has been acknowledged.
    pub(super) fn is_quiet(&self) -> bool {
        self.sent.is_empty()
    }

    /// The next message of the output, to be sent now and again until it is acknowledged.
    pub(super) fn send(&mut self, holds: u32, payload: Bytes, now: Instant, created_ms: u64) -> Message {
        let sequence = self.next;
        self.next += 1;
        let flags = if sequence == 0 { SYN } else { 0 };
        let message = Message { kind: OUTPUT.to_owned(), created_ms, sequence, flags, id: Uuid::new_v4(), holds, payload };
        self.sent.push_back(Sent { sequence, message: message.clone(), at: now, again: false });
        message
    }

    /// What has to be sent again: the oldest message, if it waits for too long.
    pub(super) fn overdue(&mut self, now: Instant) -> Option<Message> {
        let oldest = self.sent.front_mut()?;
        if now.saturating_duration_since(oldest.at) <= self.trip.wait {
            return None;
        }
        (oldest.at, oldest.again) = (now, true);
        Some(oldest.message.clone())
    }

    /// A message of ours has arrived there.
    pub(super) fn acknowledged(&mut self, payload: &[u8], now: Instant) {
        let Ok(said) = serde_json::from_slice::<Value>(payload) else { return };
        if said.get("AcknowledgedMessageType").and_then(Value::as_str) != Some(OUTPUT) {
            return;
        }
        let number = said.get("AcknowledgedMessageSequenceNumber").and_then(Value::as_i64);
        let Some(at) = self.sent.iter().position(|sent| Some(sent.sequence) == number) else { return };
        if let Some(sent) = self.sent.remove(at).filter(|sent| !sent.again) {
            self.trip.learn(now.saturating_duration_since(sent.at));
        }
    }

    /// Judges a message of the client's stream. The next one counts as taken only after [`Streams::took`].
    pub(super) fn came(&mut self, message: &Message) -> Came {
        match message.sequence.cmp(&self.expected) {
            std::cmp::Ordering::Less => Came::Again,
            std::cmp::Ordering::Equal => Came::Next,
            std::cmp::Ordering::Greater if self.early.len() >= KEPT && !self.early.contains_key(&message.sequence) => Came::Dropped,
            std::cmp::Ordering::Greater => {
                self.early.insert(message.sequence, message.clone());
                Came::Early
            }
        }
    }

    /// Keeps the next message until there is room for it; it is not acknowledged meanwhile.
    pub(super) fn hold(&mut self, message: Message) {
        self.early.insert(message.sequence, message);
    }

    /// Whether the next message has come already.
    pub(super) fn has_next(&self) -> bool {
        self.early.contains_key(&self.expected)
    }

    /// The next message, if it has come already.
    pub(super) fn take_next(&mut self) -> Option<Message> {
        self.early.remove(&self.expected)
    }

    /// The next message was taken.
    pub(super) fn took(&mut self) {
        self.early.remove(&self.expected);
        self.expected += 1;
    }
}

/// The acknowledgement of a message.
pub(super) fn acknowledgement(of: &Message, created_ms: u64) -> Message {
    let payload = json!({
        "AcknowledgedMessageType": of.kind,
        "AcknowledgedMessageId": of.id.hyphenated().to_string(),
        "AcknowledgedMessageSequenceNumber": of.sequence,
        "IsSequentialMessage": true,
    });
    plain(ACKNOWLEDGE, SYN_FIN, payload.to_string().into(), created_ms)
}

/// A message of no stream.
pub(super) fn plain(kind: &str, flags: u64, payload: Bytes, created_ms: u64) -> Message {
    Message { kind: kind.to_owned(), created_ms, sequence: 0, flags, id: Uuid::new_v4(), holds: holds::NOTHING, payload }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;
    use crate::sim::exec::frame::INPUT;

    fn input(sequence: i64) -> Message {
        Message { kind: INPUT.to_owned(), sequence, holds: holds::BYTES, ..plain(INPUT, 0, "x".into(), 1) }
    }

    fn acknowledge(streams: &mut Streams, message: &Message, now: Instant) {
        streams.acknowledged(&acknowledgement(message, 1).payload, now);
    }

    #[test]
    fn an_acknowledgement_has_the_keys_of_the_protocol() {
        let message = input(4);
        let told = acknowledgement(&message, 1);
        let wanted = format!(
            "{{\"AcknowledgedMessageType\":\"input_stream_data\",\"AcknowledgedMessageId\":\"{}\",\
             \"AcknowledgedMessageSequenceNumber\":4,\"IsSequentialMessage\":true}}",
            message.id
        );
        assert_eq!((told.kind.as_str(), told.flags, told.holds, told.sequence), (ACKNOWLEDGE, 3, 0, 0));
        assert_eq!(told.payload, wanted);
    }

    #[test]
    fn only_the_oldest_message_is_sent_again_and_with_the_same_bytes() {
        let (mut streams, start) = (Streams::default(), Instant::now());
        let first = streams.send(holds::BYTES, "a".into(), start, 1);
        let second = streams.send(holds::BYTES, "b".into(), start, 1);
        assert_eq!((first.flags, second.flags, second.sequence), (1, 0, 1));
        assert_eq!(streams.overdue(start + FIRST_WAIT), None);
        let late = start + FIRST_WAIT + Duration::from_millis(1);
        assert_eq!(streams.overdue(late), Some(first.clone()));
        assert_eq!(streams.overdue(late + Duration::from_millis(100)), None, "once for each wait");
        acknowledge(&mut streams, &second, late);
        assert!(!streams.is_quiet());
        acknowledge(&mut streams, &first, late);
        assert!(streams.is_quiet());
    }

    #[test]
    fn a_message_that_was_sent_twice_teaches_nothing_about_the_way() {
        let (mut streams, start) = (Streams::default(), Instant::now());
        let first = streams.send(holds::BYTES, "a".into(), start, 1);
        let late = start + Duration::from_secs(9);
        assert!(streams.overdue(late).is_some());
        acknowledge(&mut streams, &first, late + Duration::from_millis(1));
        assert_eq!(streams.trip.wait, FIRST_WAIT);
        let second = streams.send(holds::BYTES, "b".into(), late, 1);
        acknowledge(&mut streams, &second, late + Duration::from_millis(20));
        assert_eq!(streams.trip.mean, Duration::from_millis(90));
        assert_eq!(streams.trip.varies, Duration::from_millis(20));
        assert_eq!(streams.trip.wait, Duration::from_millis(170));
    }

    #[test]
    fn messages_come_out_in_order_and_once() {
        let mut streams = Streams::default();
        assert_eq!(streams.came(&input(1)), Came::Early);
        assert_eq!(streams.came(&input(0)), Came::Next);
        assert!(!streams.has_next());
        streams.took();
        assert_eq!(streams.take_next().map(|m| m.sequence), Some(1));
        streams.took();
        assert_eq!(streams.came(&input(1)), Came::Again);
        assert_eq!(streams.came(&input(2)), Came::Next);
    }

    #[test]
    fn a_program_that_writes_much_waits_for_acknowledgements() {
        let (mut streams, now) = (Streams::default(), Instant::now());
        let sent: Vec<Message> = (0..ON_THEIR_WAY).map(|_| streams.send(holds::BYTES, "x".into(), now, 1)).collect();
        assert_eq!(streams.room(), 0);
        acknowledge(&mut streams, &sent[17], now);
        assert_eq!(streams.room(), 1);
    }
}
