//! The client's end of a data channel as a state machine: messages, wishes and the time go in, what is to be done comes out.
//!
//! Order, acknowledgement, sending again, the handshake, and the rule that no keystroke is lost: what is typed before the remote is ready
//! is kept. It has no socket and reads no clock; times are measured from the beginning of the session.

mod outgoing;

use super::crypt::{Cipher, DataKey};
use super::frame::{FIN, Frame, Kind, SYN, flag, payload};
use super::handshake::{self, Request};
use super::{Ask, Carries, End, Said};
use crate::text;
use bytes::Bytes;
use outgoing::Outgoing;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use uuid::Uuid;

/// Messages that came too early and are kept, and their bytes.
const EARLY: usize = 10_000;
const EARLY_BYTES: usize = 16 << 20;

/// Silence of the other end, after which a terminal without a handshake takes input: a command that prints nothing says nothing.
const QUIET: Duration = Duration::from_millis(1500);

/// The same where the other end has said nothing at all.
const MUTE: Duration = Duration::from_secs(10);

/// Time between two sizes: whoever drags a window's edge sends many.
const SETTLE: Duration = Duration::from_millis(100);

/// Input that may wait here; its owner waits for the rest.
const WAITING: usize = 64 << 10;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Act {
    /// Send this message.
    Send(Bytes),
    /// Tell the owner.
    Say(Said),
    /// Get a data key of KMS, and bring it with [`Channel::key`].
    Key {
        /// Its id or ARN.
        id: String,
        /// What both ends name to KMS.
        context: Vec<(String, String)>,
    },
    /// It is over; nothing comes after this.
    End(End),
}

/// Whose end it is.
#[derive(Clone, Debug)]
pub struct Names {
    /// The session's id.
    pub session: String,
    /// What both ends of an encrypted session call the target.
    pub target: String,
    /// What the channel carries.
    pub carries: Carries,
}

#[derive(Debug)]
enum Stage {
    /// The remote has not shown yet what it wants.
    Waiting,
    /// The agent has asked for a key, which is not there yet.
    Key(Request),
    /// The agent has its answer.
    Answered {
        agent: String,
    },
    /// Bytes flow.
    Ready {
        /// Only silence says so: a handshake may still come.
        assumed: bool,
    },
    Over,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Acknowledgement {
    acknowledged_message_sequence_number: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Closing {
    #[serde(default)]
    output: String,
}

/// The state.
#[derive(Debug)]
pub struct Channel {
    names: Names,
    stage: Stage,
    acts: VecDeque<Act>,
    /// Milliseconds since 1970 when the session's time was zero.
    born: u64,
    now: Duration,
    /// When the channel was opened, the last time.
    opened: Option<Duration>,
    /// When the other end last said something over this connection.
    heard: Option<Duration>,
    /// The number that comes next.
    expected: i64,
    early: BTreeMap<i64, Frame>,
    early_bytes: usize,
    out: Outgoing,
    size: (u16, u16),
    size_sent: Option<((u16, u16), Duration)>,
    cipher: Option<Cipher>,
    says: Kind,
    hears: Kind,
}

impl Channel {
    /// A channel that is not open yet. `born` is the time in milliseconds since 1970.
    #[must_use]
    pub fn new(names: Names, size: (u16, u16), born: u64) -> Channel {
        Channel {
            names,
            stage: Stage::Waiting,
            acts: VecDeque::new(),
            born,
            now: Duration::ZERO,
            opened: None,
            heard: None,
            expected: 0,
            early: BTreeMap::new(),
            early_bytes: 0,
            out: Outgoing::default(),
            size,
            size_sent: None,
            cipher: None,
            says: Kind::Input,
            hears: Kind::Output,
        }
    }

    /// What is to be done, in order.
    pub fn act(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    /// Whether input is taken: without room it would only pile up.
    #[must_use]
    pub fn room(&self) -> bool {
        self.out.waiting() < WAITING
    }

    /// When to look at the time again.
    #[must_use]
    pub fn wake(&self) -> Option<Duration> {
        if self.opened.is_none() || matches!(self.stage, Stage::Over) {
            return None;
        }
        let settled = self.size_sent.filter(|(size, _)| *size != self.size).map(|(_, at)| at + SETTLE);
        [self.out.due(), self.ready_at(), settled].into_iter().flatten().min()
    }

    /// A connection stands, the first or another one: everything without an acknowledgement goes out again, for nobody knows what arrived.
    pub fn opened(&mut self, now: Duration) {
        self.now = now;
        (self.opened, self.heard) = (Some(now), None);
        let again = self.out.all_again(now);
        self.acts.extend(again.into_iter().map(Act::Send));
        if self.size_sent.is_none() {
            self.send_size();
        }
        self.pump();
    }

    /// The connection is lost: nothing goes out until the next one.
    pub fn lost(&mut self) {
        self.opened = None;
    }

    /// A message came.
    pub fn heard(&mut self, frame: Frame, now: Duration) {
        self.now = now;
        if matches!(self.stage, Stage::Over) {
            return;
        }
        self.heard = Some(now);
        if frame.kind == self.hears {
            self.out.resume();
            self.stream(frame);
        } else {
            match frame.kind {
                Kind::Acknowledge => {
                    self.out.resume();
                    // An acknowledgement that cannot be read acknowledges nothing: its message goes out again.
                    if let Ok(of) = serde_json::from_slice::<Acknowledgement>(&frame.payload) {
                        self.out.acknowledged(of.acknowledged_message_sequence_number, now);
                    }
                }
                Kind::StartPublication => self.out.resume(),
                Kind::PausePublication => self.out.pause(),
                Kind::ChannelClosed => self.closed(&frame.payload),
                // The stream of this end, and what is not known.
                _ => {}
            }
        }
        self.pump();
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
        if self.opened.is_none() || matches!(self.stage, Stage::Over) {
            return;
        }
        if self.ready_at().is_some_and(|at| at <= now) {
            self.stage = Stage::Ready { assumed: true };
            self.out.remember();
            self.say(Said::Ready { agent: None, encrypted: false, message: None });
        }
        let Ok(again) = self.out.again(now) else {
            return self.end(End::Lost("the remote has acknowledged nothing for five minutes".to_owned()));
        };
        self.acts.extend(again.map(Act::Send));
        if self.size_sent.is_some_and(|(size, at)| size != self.size && at + SETTLE <= now) {
            self.send_size();
        }
        self.pump();
    }

    /// The owner wants something. [`Ask::Leave`] is the session's affair.
    pub fn ask(&mut self, ask: Ask, now: Duration) {
        self.now = now;
        match ask {
            Ask::Input(bytes) => self.out.push(bytes.into()),
            Ask::Size { columns, rows } => {
                self.size = (columns, rows);
                if self.size_sent.is_none_or(|(size, at)| size != self.size && at + SETTLE <= now) {
                    self.send_size();
                }
            }
            Ask::Disconnect => self.out.push_flag(flag::DISCONNECT_TO_PORT),
            Ask::Leave => {}
        }
        self.pump();
    }

    /// Says to a port's agent that the session ends. A terminal's agent would not listen.
    pub fn leave(&mut self, now: Duration) {
        self.now = now;
        if self.names.carries == Carries::Port && self.opened.is_some() {
            self.send(payload::FLAG, &flag::TERMINATE_SESSION.to_be_bytes());
        }
        self.stage = Stage::Over;
    }

    /// KMS has answered.
    pub fn key(&mut self, key: Result<DataKey, String>, now: Duration) {
        self.now = now;
        let Stage::Key(request) = &self.stage else { return };
        let answer = request.response(key.as_ref().map(Some).map_err(|why| &**why));
        let agent = request.agent.clone();
        self.send(payload::HANDSHAKE_RESPONSE, &answer);
        match key {
            Ok(key) => {
                self.cipher = Some(Cipher::new(&key, nonce()));
                self.stage = Stage::Answered { agent };
                self.drain();
            }
            Err(why) => self.end(End::Refused(why)),
        }
        self.pump();
    }

    /// When silence says that the remote is ready.
    fn ready_at(&self) -> Option<Duration> {
        let waits = matches!(self.stage, Stage::Waiting) && self.names.carries == Carries::Terminal;
        let opened = self.opened.filter(|_| waits)?;
        Some(self.heard.map_or(opened + MUTE, |heard| heard + QUIET))
    }

    fn stream(&mut self, frame: Frame) {
        let sequence = frame.sequence;
        let waits = matches!(self.stage, Stage::Key(_));
        if sequence < self.expected {
            // Its acknowledgement was lost; the agent sends nothing else again until it has one.
            self.acknowledge(&frame);
        } else if sequence > self.expected || waits {
            let known = self.early.contains_key(&sequence);
            if known || self.early.len() < EARLY && self.early_bytes + frame.payload.len() <= EARLY_BYTES {
                self.acknowledge(&frame);
                if !known {
                    self.early_bytes += frame.payload.len();
                    self.early.insert(sequence, frame);
                }
            }
        } else {
            self.acknowledge(&frame);
            self.expected += 1;
            self.process(&frame);
            self.drain();
        }
    }

    /// Takes what came early and is in its turn now.
    fn drain(&mut self) {
        while !matches!(self.stage, Stage::Key(_) | Stage::Over) {
            let Some(frame) = self.early.remove(&self.expected) else { return };
            self.early_bytes -= frame.payload.len();
            self.expected += 1;
            self.process(&frame);
        }
    }

    fn process(&mut self, frame: &Frame) {
        match frame.payload_type {
            payload::OUTPUT | payload::STDERR => self.output(&frame.payload),
            payload::HANDSHAKE_REQUEST => self.shake_hands(&frame.payload),
            payload::CHALLENGE => {
                let answer = match &mut self.cipher {
                    Some(cipher) => handshake::challenge(&frame.payload, cipher),
                    None => Err("the agent wants a proof of a key that it did not ask for".to_owned()),
                };
                match answer {
                    Ok(answer) => self.send(payload::CHALLENGE_RESPONSE, &answer),
                    Err(why) => self.end(End::Refused(why)),
                }
            }
            payload::HANDSHAKE_COMPLETE => {
                let agent = match &self.stage {
                    Stage::Answered { agent } => Some(agent.clone()).filter(|agent| !agent.is_empty()),
                    _ => None,
                };
                let message = handshake::message(&frame.payload).map(|message| text::clean_multiline(&message).into());
                self.ready(agent.map(|agent| text::clean(&agent).to_string()), message);
            }
            payload::FLAG if *frame.payload == flag::CONNECT_TO_PORT_ERROR.to_be_bytes() => self.say(Said::PortRefused),
            // Acknowledged and passed over: what is not known must not stop what is.
            _ => {}
        }
    }

    fn output(&mut self, bytes: &Bytes) {
        if matches!(self.stage, Stage::Waiting) {
            self.ready(None, None);
        }
        if matches!(self.stage, Stage::Ready { assumed: true }) {
            self.stage = Stage::Ready { assumed: false };
            self.out.forget();
            self.send_size();
        }
        let bytes = match &self.cipher {
            None => bytes.to_vec(),
            Some(cipher) => match cipher.open(bytes) {
                Some(bytes) => bytes,
                None => return self.end(End::Lost("the remote sent what the session's key does not open".to_owned())),
            },
        };
        if !bytes.is_empty() {
            self.say(Said::Output(bytes));
        }
    }

    fn shake_hands(&mut self, asked: &[u8]) {
        let request = match handshake::request(asked, self.names.carries) {
            Ok(request) => request,
            Err(why) => return self.end(End::Refused(format!("the agent's handshake cannot be read: {why}"))),
        };
        // The agent has thrown away whatever came before this, so it goes out once more when the handshake is over.
        self.out.take_back();
        if let Some(what) = request.unsupported() {
            let answer = request.response(Ok(None));
            self.send(payload::HANDSHAKE_RESPONSE, &answer);
            return self.end(End::Refused(text::clean(&format!("the agent wants {what}, which is not supported")).to_string()));
        }
        if let Some((id, context)) = request.key(&self.names.session, &self.names.target) {
            self.stage = Stage::Key(request);
            self.acts.push_back(Act::Key { id, context });
            return;
        }
        let answer = request.response(Ok(None));
        self.stage = Stage::Answered { agent: request.agent };
        self.send(payload::HANDSHAKE_RESPONSE, &answer);
    }

    fn ready(&mut self, agent: Option<String>, message: Option<String>) {
        self.stage = Stage::Ready { assumed: false };
        self.out.forget();
        self.say(Said::Ready { agent, encrypted: self.cipher.is_some(), message });
        // The first one may have come before there was a terminal.
        self.send_size();
    }

    fn closed(&mut self, told: &[u8]) {
        let told = serde_json::from_slice::<Closing>(told).map(|closing| closing.output).unwrap_or_default();
        let told = text::clean_multiline(told.trim());
        self.end(End::Closed((!told.is_empty()).then(|| told.into())));
    }

    fn end(&mut self, end: End) {
        self.stage = Stage::Over;
        self.acts.push_back(Act::End(end));
    }

    fn say(&mut self, said: Said) {
        self.acts.push_back(Act::Say(said));
    }

    fn send_size(&mut self) {
        if self.names.carries == Carries::Terminal && self.opened.is_some() {
            let (columns, rows) = self.size;
            self.size_sent = Some((self.size, self.now));
            self.send(payload::SIZE, json!({ "cols": columns, "rows": rows }).to_string().as_bytes());
        }
    }

    /// Sends what waits and may go.
    fn pump(&mut self) {
        while self.opened.is_some() && matches!(self.stage, Stage::Ready { .. }) {
            match self.out.next() {
                Some(outgoing::Next::Bytes(bytes)) => match &mut self.cipher {
                    None => self.send(payload::OUTPUT, &bytes),
                    Some(cipher) => {
                        let sealed = cipher.seal(&bytes);
                        self.send(payload::OUTPUT, &sealed);
                    }
                },
                Some(outgoing::Next::Flag(flag)) => self.send(payload::FLAG, &flag.to_be_bytes()),
                None => return,
            }
        }
    }

    /// Sends a message of the stream, and keeps it until it is acknowledged.
    fn send(&mut self, payload_type: u32, bytes: &[u8]) {
        let frame = Frame {
            kind: self.says.clone(),
            created: self.date(),
            sequence: self.out.number(),
            flags: 0,
            id: Uuid::new_v4(),
            payload_type,
            payload: Bytes::copy_from_slice(bytes),
        };
        let bytes = frame.write();
        self.out.sent(bytes.clone(), self.now);
        if self.opened.is_some() && !self.out.paused() {
            self.acts.push_back(Act::Send(bytes));
        }
    }

    fn acknowledge(&mut self, frame: &Frame) {
        // Written by hand: it is most of what a client sends, and the order of its keys is fixed.
        let text = format!(
            r#"{{"AcknowledgedMessageType":"{}","AcknowledgedMessageId":"{}","AcknowledgedMessageSequenceNumber":{},"IsSequentialMessage":true}}"#,
            self.hears.name(),
            frame.id,
            frame.sequence,
        );
        let acknowledgement = Frame {
            kind: Kind::Acknowledge,
            created: self.date(),
            sequence: 0,
            flags: SYN | FIN,
            id: Uuid::new_v4(),
            payload_type: 0,
            payload: text.into(),
        };
        self.acts.push_back(Act::Send(acknowledgement.write()));
    }

    fn date(&self) -> u64 {
        self.born.saturating_add(u64::try_from(self.now.as_millis()).unwrap_or(u64::MAX)).max(1)
    }
}

/// Twelve random bytes: the first six of a random UUID are all random.
fn nonce() -> [u8; 12] {
    let (first, second) = (Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes());
    std::array::from_fn(|at| if at < 6 { first[at] } else { second[at - 6] })
}

#[cfg(test)]
mod tests;
