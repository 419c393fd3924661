//! What comes from the client: messages in order, each once, acknowledged as the agent does it, and what they want done.

use super::{LAST_WORDS, Session, Stage, created};
use crate::sim::exec::frame::{self, Message, holds};
use crate::sim::exec::remote::Given;
use crate::sim::exec::stream::{self, Came};
use crate::sim::exec::trouble::Kind;
use crate::sim::exec::ws::{self, Heard};
use bytes::Bytes;
use serde::Deserialize;
use std::time::Instant;

#[derive(Deserialize)]
struct Size {
    cols: u32,
    rows: u32,
}

impl Session {
    /// Takes in what has come of the connection.
    pub(super) fn heard(&mut self) {
        loop {
            let Some(ears) = &mut self.ears else { return };
            match ears.frames.next() {
                Ok(Some(Heard::Binary(bytes) | Heard::Text(bytes))) => match Message::read(&bytes) {
                    Ok(message) => self.message(message),
                    Err(why) => tracing::debug!(session = self.id, why, "a message was dropped"),
                },
                Ok(Some(Heard::Ping(data))) => {
                    if let Some(mouth) = &mut self.mouth {
                        ws::pong(&mut mouth.unsent, &data);
                    }
                }
                Ok(None) => return,
                Ok(Some(Heard::Close)) | Err(_) => return self.disconnect(),
            }
        }
    }

    fn message(&mut self, message: Message) {
        let from_client = message.kind == frame::INPUT;
        let speaks = from_client || message.kind == frame::ACKNOWLEDGE;
        match message.kind.as_str() {
            frame::INPUT if self.troubles.strikes(Kind::DropInput).is_some() => {}
            frame::ACKNOWLEDGE => {
                self.streams.acknowledged(&message.payload, Instant::now());
                if let Stage::Ending(until, _) = &mut self.stage {
                    *until = Instant::now() + LAST_WORDS;
                }
            }
            frame::INPUT => match self.streams.came(&message) {
                Came::Again | Came::Early => self.acknowledge(&message),
                Came::Dropped => {}
                Came::Next => {
                    if self.take(&message) {
                        self.acknowledge(&message);
                        self.streams.took();
                        self.take_held();
                    } else {
                        self.streams.hold(message);
                    }
                }
            },
            _ => {}
        }
        if self.paused.is_some() && speaks {
            // The agent goes on as soon as it hears anything.
            self.resume_publication();
        }
        if from_client {
            self.after_message();
        }
    }

    pub(super) fn resume_publication(&mut self) {
        self.paused = None;
        self.post(&stream::plain(frame::START, 0, Bytes::new(), created()));
    }

    fn acknowledge(&mut self, message: &Message) {
        if self.troubles.strikes(Kind::DropAck).is_some() {
            return;
        }
        self.post(&stream::acknowledgement(message, created()));
    }

    /// Takes what had come before its turn, as far as there is room.
    pub(super) fn take_held(&mut self) {
        while let Some(message) = self.streams.take_next() {
            if !self.take(&message) {
                return self.streams.hold(message);
            }
            self.acknowledge(&message);
            self.streams.took();
        }
    }

    /// Does what a message of the client wants; false if there is no room for it yet.
    fn take(&mut self, message: &Message) -> bool {
        match (&self.stage, message.holds) {
            (Stage::Asking(_), holds::HANDSHAKE_RESPONSE) => {
                if self.troubles.strikes(Kind::DeafHandshake).is_none() {
                    self.answered(&message.payload);
                }
                return true;
            }
            (Stage::Challenging(..), holds::CHALLENGE_RESPONSE) => {
                self.proved(&message.payload);
                return true;
            }
            (Stage::Skipping(_) | Stage::Asking(_) | Stage::Challenging(..), _) => return true,
            _ => {}
        }
        match message.holds {
            holds::BYTES => {
                self.active_ms = self.shared.now();
                let Some(input) = &self.input else { return true };
                // A program that is gone takes everything.
                let Ok(place) = input.try_reserve() else { return input.is_closed() };
                let bytes = match &self.keys {
                    None => Some(message.payload.clone()),
                    Some(keys) => keys.decrypt(&message.payload).map(Bytes::from),
                };
                if let Some(bytes) = bytes {
                    place.send(Given::Bytes(bytes));
                } else {
                    tracing::debug!(session = self.id, "a message cannot be decrypted");
                }
                true
            }
            holds::FLAG => {
                let Some(input) = &self.input else { return true };
                let Ok(place) = input.try_reserve() else { return input.is_closed() };
                if let Some(flag) = message.payload.first_chunk::<4>() {
                    place.send(Given::Flag(u32::from_be_bytes(*flag)));
                }
                true
            }
            holds::SIZE => {
                if let Ok(Size { cols, rows }) = serde_json::from_slice(&message.payload) {
                    let short = |n: u32| u16::try_from(n).unwrap_or(u16::MAX).max(1);
                    self.size = (short(cols), short(rows));
                    if let Some(program) = &self.remote {
                        program.resize(self.size.0, self.size.1);
                    }
                }
                true
            }
            // The shell's end of the agent minds no other.
            _ => true,
        }
    }
}
