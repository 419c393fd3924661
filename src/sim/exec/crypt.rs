//! The agent's half of an encrypted session: what it asks of the client, what it must get, and the keys that follow from it.
//!
//! AES-256 in Galois mode; on the wire stand nonce, text and tag. The first half of a data key encrypts what the agent says, the second
//! what the client says.

use crate::sim::kms::{Context, Kms, random};
use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

/// Keys of both directions.
pub(super) struct Keys {
    ours: Aes256Gcm,
    theirs: Aes256Gcm,
    nonce: u128,
}

impl Keys {
    fn new(data_key: &[u8]) -> Option<Self> {
        let (ours, theirs) = data_key.split_at_checked(32)?;
        let mut start = [0; 16];
        start[..12].copy_from_slice(&random::<12>());
        Some(Self {
            ours: Aes256Gcm::new_from_slice(ours).ok()?,
            theirs: Aes256Gcm::new_from_slice(theirs).ok()?,
            nonce: u128::from_le_bytes(start),
        })
    }

    pub(super) fn encrypt(&mut self, plain: &[u8]) -> Bytes {
        let nonce: [u8; 12] = self.nonce.to_le_bytes()[..12].try_into().expect("twelve of sixteen bytes");
        self.nonce = self.nonce.wrapping_add(1);
        let sealed = self.ours.encrypt(&nonce.into(), plain).expect("a message is not too long to encrypt");
        [&nonce[..], &sealed].concat().into()
    }

    pub(super) fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<12>()?;
        self.theirs.decrypt(&(*nonce).into(), sealed).ok()
    }
}

/// What the agent asks of the client, in the payload of a handshake.
pub(super) fn request(version: &str, kind: &str, properties: &Value, key: Option<&str>, challenge: &str) -> Bytes {
    let mut actions = vec![json!({
        "ActionType": "SessionType",
        "ActionParameters": {"SessionType": kind, "Properties": properties},
    })];
    actions.extend(key.map(|key| json!({"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": key, "Challenge": challenge}})));
    json!({"AgentVersion": version, "RequestedClientActions": actions}).to_string().into()
}

/// The client's answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    pub(super) client_version: String,
    processed_client_actions: Vec<Processed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Processed {
    action_type: String,
    action_status: i64,
    #[serde(default)]
    action_result: Value,
    #[serde(default)]
    error: String,
}

impl Response {
    pub(super) fn read(payload: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(payload).map_err(|why| format!("Encountered error while initiating handshake. {why}"))
    }

    /// Whether the client has done all that was asked, in the agent's words if not.
    pub(super) fn check(&self, asked: &[&str]) -> Result<(), String> {
        for action in asked {
            let done = self.processed_client_actions.iter().find(|done| done.action_type == *action);
            let done = done.ok_or_else(|| format!("Encountered error while initiating handshake. {action} was not processed on client"))?;
            if done.action_status != 1 {
                return Err(format!(
                    "Encountered error while initiating handshake. {action} failed on client with status {} error: {}",
                    done.action_status, done.error
                ));
            }
        }
        Ok(())
    }

    /// The keys of the data key that the client has sent.
    pub(super) fn keys(&self, kms: &Kms, session: &str, target: &str, challenge: &str) -> Result<Keys, String> {
        let done = self.processed_client_actions.iter().find(|done| done.action_type == "KMSEncryption");
        let result = done.map_or(&Value::Null, |done| &done.action_result);
        let blob = result["KMSCipherTextKey"].as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        let mut context =
            Context::from([("aws:ssm:SessionId".to_owned(), session.to_owned()), ("aws:ssm:TargetId".to_owned(), target.to_owned())]);
        if result["ChallengeAcknowledgement"] == true {
            context.insert("aws:ssm:RandomChallenge".to_owned(), challenge.to_owned());
        }
        let opened = kms.open(&blob, &context).filter(|(_, plain)| plain.len() == 64);
        let keys = opened.and_then(|(_, plain)| Keys::new(&plain));
        let failed = "Fetching data key failed: Unable to retrieve data key, Error when decrypting data key InvalidCiphertextException: ";
        keys.ok_or_else(|| failed.to_owned())
    }
}

/// A challenge and what it hides.
pub(super) fn challenge(keys: &mut Keys) -> (Bytes, [u8; 64]) {
    let hidden = random::<64>();
    (json!({"Challenge": STANDARD.encode(keys.encrypt(&hidden))}).to_string().into(), hidden)
}

/// Whether the client could read the challenge.
pub(super) fn is_met(keys: &Keys, payload: &[u8], hidden: &[u8; 64]) -> bool {
    let said: Value = serde_json::from_slice(payload).unwrap_or_default();
    let sealed = said["Challenge"].as_str().and_then(|text| STANDARD.decode(text).ok());
    sealed.and_then(|sealed| keys.decrypt(&sealed)).as_deref() == Some(&hidden[..])
}

/// Sixteen bytes that the client may bind its data key to.
pub(super) fn fresh_challenge() -> String {
    STANDARD.encode(random::<16>())
}
