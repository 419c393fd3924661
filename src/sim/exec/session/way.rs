//! The way of a session's messages to the client: onto the wire, through the troubles that rules lay on it, and how a connection ends.

use super::{Ears, LAST_WORDS, Mouth, Session, created};
use crate::sim::exec::frame::{self, Message};
use crate::sim::exec::stream;
use crate::sim::exec::trouble::Kind;
use crate::sim::exec::ws;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

impl Session {
    /// Looks which rules for trouble are in force.
    pub(super) fn heed(&mut self) {
        let rules = Arc::clone(&self.shared.state().sessions.rules);
        self.troubles.set(&rules);
    }

    /// Puts a message on the wire, if there is one.
    pub(super) fn post(&mut self, message: &Message) {
        let pad = if self.troubles.strikes(Kind::NulPadding).is_some() { 0 } else { b' ' };
        self.wire(&message.write(pad));
    }

    pub(super) fn wire(&mut self, bytes: &[u8]) {
        if let Some(mouth) = self.mouth.as_mut().filter(|_| !self.silent) {
            ws::binary(&mut mouth.unsent, bytes);
        }
    }

    /// Sends a message of the output, through whatever trouble lies on its way.
    pub(super) fn emit(&mut self, message: &Message) {
        let pad = if self.troubles.strikes(Kind::NulPadding).is_some() { 0 } else { b' ' };
        let bytes = message.write(pad);
        let behind = self.late.take();
        if self.troubles.strikes(Kind::Drop).is_some() {
            // It comes again when nobody acknowledges it.
        } else if self.troubles.strikes(Kind::BadDigest).is_some() {
            let mut wrong = bytes.to_vec();
            wrong[80] ^= 0xff;
            self.wire(&wrong);
        } else if behind.is_none() && self.troubles.strikes(Kind::Reorder).is_some() {
            self.late = Some(bytes);
            return;
        } else {
            self.wire(&bytes);
            if self.troubles.strikes(Kind::Duplicate).is_some() {
                self.wire(&bytes);
            }
        }
        if let Some(behind) = behind {
            self.wire(&behind);
        }
        self.after_message();
    }

    /// What may befall a connection after any message.
    pub(super) fn after_message(&mut self) {
        if self.mouth.is_none() {
            return;
        }
        if self.troubles.strikes(Kind::Rubbish).is_some() {
            let mut odd = stream::plain("pleasantry", 0, "hello".into(), created());
            self.wire(&odd.write(b' '));
            odd.kind = frame::ACKNOWLEDGE.to_owned();
            self.wire(&odd.write(b' ')[..100]);
            self.wire(b"");
            if let Some(mouth) = self.mouth.as_mut().filter(|_| !self.silent) {
                ws::text(&mut mouth.unsent, b"start_publication?");
            }
        }
        if let Some(rule) = self.troubles.strikes(Kind::Pause) {
            self.post(&stream::plain(frame::PAUSE, 0, Bytes::new(), created()));
            self.paused = Some(Instant::now() + Duration::from_millis(rule.ms));
        }
        if let Some(rule) = self.troubles.strikes(Kind::Closed) {
            self.finish(rule.message);
        }
        if self.troubles.strikes(Kind::Silence).is_some() {
            self.silent = true;
        }
        if self.troubles.strikes(Kind::Bye).is_some() {
            self.say_goodbye();
        } else if self.troubles.strikes(Kind::Cut).is_some() {
            self.disconnect();
        }
    }

    /// The service closes each connection about hourly, and expects to see the client again.
    pub(super) fn say_goodbye(&mut self) {
        self.part("Bye");
    }

    /// Closes the connection once all that is left to say is written and the other side has closed as well: whoever goes first while
    /// something is unread takes back what was said last.
    pub(super) fn part(&mut self, why: &str) {
        let (Some(ears), Some(mouth)) = (self.ears.take(), self.mouth.take()) else { return };
        let (Ears { mut read, .. }, Mouth { mut write, mut unsent }) = (ears, mouth);
        if !self.silent {
            ws::close(&mut unsent, 1000, why);
        }
        let silent = self.silent;
        let last = async move {
            if silent || write.write_all(&unsent).await.is_err() || write.shutdown().await.is_err() {
                return;
            }
            let mut unread = [0; 4096];
            while matches!(read.read(&mut unread).await, Ok(1..)) {}
        };
        tokio::spawn(tokio::time::timeout(LAST_WORDS, last));
    }
}
