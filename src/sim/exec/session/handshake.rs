//! The agent's half of a handshake, which encrypted sessions and port forwards begin with.

use super::Session;
use super::Stage;
use crate::sim::exec::What;
use crate::sim::exec::crypt::{self, Response};
use crate::sim::exec::frame::holds;
use serde_json::{Value, json};

impl Session {
    /// The agent's part of a handshake.
    pub(super) fn ask(&mut self) {
        let (kind, properties) = match &self.order.what {
            What::Command(_) => ("InteractiveCommands", Value::Null),
            What::Port { number, host } => {
                let mut properties = json!({"portNumber": number.to_string(), "localPortNumber": "0", "type": "LocalPortForwarding"});
                if let Some(host) = host {
                    properties["host"] = json!(host);
                }
                ("Port", properties)
            }
        };
        let request = crypt::request(&self.order.agent, kind, &properties, self.order.key.as_deref(), &self.challenge);
        self.stage = Stage::Asking(self.shared.now());
        self.say(holds::HANDSHAKE_REQUEST, request);
    }

    pub(super) fn answered(&mut self, payload: &[u8]) {
        let encrypted = self.order.key.is_some();
        let asked: &[&str] = if encrypted { &["SessionType", "KMSEncryption"] } else { &["SessionType"] };
        let response = Response::read(payload).and_then(|response| response.check(asked).map(|()| response));
        let response = match response {
            Ok(response) => response,
            Err(why) => return self.fail(&why),
        };
        if !encrypted {
            self.client = response.client_version;
            return self.shaken("");
        }
        if let Some(refused) = &self.order.may_not_decrypt {
            let why = format!("Fetching data key failed: Unable to retrieve data key, Error when decrypting data key {refused}");
            return self.fail(&why);
        }
        let keys = response.keys(&self.shared.state().sessions.kms, &self.id, &self.order.place.target, &self.challenge);
        match keys {
            Ok(mut keys) => {
                self.client = response.client_version;
                let (challenge, hidden) = crypt::challenge(&mut keys);
                self.keys = Some(keys);
                self.stage = Stage::Challenging(self.shared.now(), Box::new(hidden));
                self.say(holds::CHALLENGE_REQUEST, challenge);
            }
            Err(why) => self.fail(&why),
        }
    }

    pub(super) fn proved(&mut self, payload: &[u8]) {
        let Stage::Challenging(_, hidden) = &self.stage else { return };
        if self.keys.as_ref().is_some_and(|keys| crypt::is_met(keys, payload, hidden)) {
            self.shaken("This session is encrypted using AWS KMS.");
        } else {
            self.fail("Encryption challenge does not match.");
        }
    }

    /// The handshake is complete, and the program may begin.
    pub(super) fn shaken(&mut self, message: &str) {
        let told = json!({"HandshakeTimeToComplete": 250_000_000, "CustomerMessage": message});
        self.say(holds::HANDSHAKE_COMPLETE, told.to_string().into());
        self.start();
    }
}
