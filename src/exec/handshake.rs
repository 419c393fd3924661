//! What agent and client agree on before the first byte: the kind of the session, and a key of KMS where the cluster has one.
//!
//! Texts in, texts out. It asks KMS for nothing; sessions of plain exec have no handshake at all.

use super::Carries;
use super::crypt::{Cipher, DataKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

/// The official client whose part is played: the service and the agents switch behaviour by it. The oldest that signs its upgrade.
pub const CLIENT_VERSION: &str = "1.2.764.0";

/// `ActionStatus`.
const SUCCESS: u8 = 1;
const FAILED: u8 = 2;
const UNSUPPORTED: u8 = 3;

/// What the agent asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The agent's version.
    pub agent: String,
    actions: Vec<Action>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    Kind { name: String, fits: bool },
    Key { id: String, challenge: Option<String> },
    Unknown(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    #[serde(default)]
    agent_version: String,
    #[serde(default)]
    requested_client_actions: Vec<AskedAction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AskedAction {
    action_type: String,
    #[serde(default)]
    action_parameters: Value,
}

/// Reads the agent's request.
///
/// # Errors
/// Why it is none.
pub fn request(payload: &[u8], carries: Carries) -> Result<Request, String> {
    let asked: Asked = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let action = |asked: AskedAction| match &*asked.action_type {
        "SessionType" => {
            let name = text(&asked.action_parameters["SessionType"]).unwrap_or_default();
            let kind = match &*name {
                "Port" => Some(Carries::Port),
                "InteractiveCommands" | "NonInteractiveCommands" | "Standard_Stream" => Some(Carries::Terminal),
                _ => None,
            };
            Action::Kind { fits: kind == Some(carries), name }
        }
        "KMSEncryption" => Action::Key {
            id: text(&asked.action_parameters["KMSKeyId"]).unwrap_or_default(),
            challenge: text(&asked.action_parameters["Challenge"]).filter(|challenge| !challenge.is_empty()),
        },
        _ => Action::Unknown(asked.action_type),
    };
    Ok(Request { agent: asked.agent_version, actions: asked.requested_client_actions.into_iter().map(action).collect() })
}

impl Request {
    /// The key that the session is to be encrypted with, and the context that both ends must name to KMS.
    #[must_use]
    pub fn key(&self, session: &str, target: &str) -> Option<(String, Vec<(String, String)>)> {
        self.actions.iter().find_map(|action| {
            let Action::Key { id, challenge } = action else { return None };
            let mut context =
                vec![("aws:ssm:SessionId".to_owned(), session.to_owned()), ("aws:ssm:TargetId".to_owned(), target.to_owned())];
            context.extend(challenge.iter().map(|challenge| ("aws:ssm:RandomChallenge".to_owned(), challenge.clone())));
            Some((id.clone(), context))
        })
    }

    /// What of it this program does not do; the agent ends the session over it.
    #[must_use]
    pub fn unsupported(&self) -> Option<String> {
        self.actions.iter().find_map(|action| match action {
            Action::Kind { fits: true, .. } | Action::Key { .. } => None,
            Action::Kind { name, .. } => Some(format!("a session of type {name}")),
            Action::Unknown(name) => Some(format!("the action {name}")),
        })
    }

    /// The answer: everything done, or why there is no key.
    #[must_use]
    pub fn response(&self, key: Result<Option<&DataKey>, &str>) -> Vec<u8> {
        let one = |action: &Action| {
            let (name, status, result, error) = match action {
                Action::Kind { fits: true, .. } => ("SessionType", SUCCESS, Value::Null, String::new()),
                Action::Kind { name, .. } => ("SessionType", UNSUPPORTED, Value::Null, format!("Unsupported session type {name}")),
                Action::Key { challenge, .. } => match key {
                    Ok(Some(key)) => {
                        let result = json!({
                            "KMSCipherTextKey": BASE64.encode(key.cipher_text()),
                            "KMSCipherTextHash": null,
                            "ChallengeAcknowledgement": challenge.is_some(),
                        });
                        ("KMSEncryption", SUCCESS, result, String::new())
                    }
                    Ok(None) => ("KMSEncryption", FAILED, Value::Null, "no data key".to_owned()),
                    Err(why) => ("KMSEncryption", FAILED, Value::Null, why.to_owned()),
                },
                Action::Unknown(name) => (&**name, UNSUPPORTED, Value::Null, "Unsupported action".to_owned()),
            };
            json!({ "ActionType": name, "ActionStatus": status, "ActionResult": result, "Error": error })
        };
        let actions: Vec<Value> = self.actions.iter().map(one).collect();
        json!({ "ClientVersion": CLIENT_VERSION, "ProcessedClientActions": actions, "Errors": null }).to_string().into_bytes()
    }
}

/// Proves the key: what the agent encrypted comes back encrypted with the client's half.
///
/// # Errors
/// Why it cannot be proved.
pub fn challenge(payload: &[u8], cipher: &mut Cipher) -> Result<Vec<u8>, String> {
    let asked: Value = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    let sealed = asked["Challenge"].as_str().and_then(|text| BASE64.decode(text).ok()).ok_or("the challenge cannot be read")?;
    let plain = cipher.open(&sealed).ok_or("the challenge is not encrypted with the session's key")?;
    let answer = BASE64.encode(cipher.seal(&plain));
    Ok(json!({ "Challenge": answer }).to_string().into_bytes())
}

/// What the administrator wants users to read, from the end of the handshake.
#[must_use]
pub fn message(payload: &[u8]) -> Option<String> {
    let told: Value = serde_json::from_slice(payload).ok()?;
    told["CustomerMessage"].as_str().filter(|message| !message.trim().is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCRYPTED: &str = r#"{"AgentVersion":"3.3.1.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"InteractiveCommands","Properties":null}},{"ActionType":"KMSEncryption","ActionParameters":{"KMSKeyId":"alias/exec","Challenge":"AAAA"}}]}"#;

    fn key() -> DataKey {
        DataKey::new(&[1; 64], b"sealed".to_vec()).unwrap()
    }

    #[test]
    fn an_encrypted_session_is_answered_with_the_key_and_the_challenge_acknowledged() {
        let asked = request(ENCRYPTED.as_bytes(), Carries::Terminal).unwrap();
        assert_eq!((&*asked.agent, asked.unsupported()), ("3.3.1.0", None));
        let (id, context) = asked.key("s-1", "ecs:c_t_r").unwrap();
        let context: Vec<(&str, &str)> = context.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(id, "alias/exec");
        assert_eq!(context, [("aws:ssm:SessionId", "s-1"), ("aws:ssm:TargetId", "ecs:c_t_r"), ("aws:ssm:RandomChallenge", "AAAA")]);
        assert_eq!(
            String::from_utf8(asked.response(Ok(Some(&key())))).unwrap(),
            r#"{"ClientVersion":"1.2.764.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""},{"ActionType":"KMSEncryption","ActionStatus":1,"ActionResult":{"KMSCipherTextKey":"c2VhbGVk","KMSCipherTextHash":null,"ChallengeAcknowledgement":true},"Error":""}],"Errors":null}"#
        );
    }

    #[test]
    fn an_agent_without_a_challenge_gets_no_word_of_one() {
        let old = ENCRYPTED.replace(r#","Challenge":"AAAA""#, "");
        let asked = request(old.as_bytes(), Carries::Terminal).unwrap();
        assert_eq!(asked.key("s", "t").unwrap().1.len(), 2);
        assert!(String::from_utf8(asked.response(Ok(Some(&key())))).unwrap().contains(r#""ChallengeAcknowledgement":false"#));
    }

    #[test]
    fn what_cannot_be_done_is_said_in_the_status() {
        let asked = request(ENCRYPTED.as_bytes(), Carries::Terminal).unwrap();
        let answer = String::from_utf8(asked.response(Err("AccessDenied for kms:GenerateDataKey"))).unwrap();
        assert!(answer.contains(r#""ActionStatus":2,"ActionResult":null,"Error":"AccessDenied for kms:GenerateDataKey""#), "{answer}");
        let strange = r#"{"AgentVersion":"9","RequestedClientActions":[{"ActionType":"Dance","ActionParameters":{}},{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port"}}]}"#;
        let asked = request(strange.as_bytes(), Carries::Terminal).unwrap();
        assert_eq!(asked.unsupported().unwrap(), "the action Dance");
        assert_eq!(String::from_utf8(asked.response(Ok(None))).unwrap().matches(r#""ActionStatus":3"#).count(), 2);
        assert_eq!(request(strange.replace("Dance", "KMSEncryption").as_bytes(), Carries::Port).unwrap().unsupported(), None);
        assert!(request(b"{", Carries::Port).is_err());
    }

    #[test]
    fn the_challenge_comes_back_with_the_other_half_of_the_key() {
        let half = |first: u8, second: u8| DataKey::new(&[[first; 32], [second; 32]].concat(), Vec::new()).unwrap();
        let (mut client, mut agent) = (Cipher::new(&half(1, 2), [0; 12]), Cipher::new(&half(2, 1), [9; 12]));
        let asked = json!({ "Challenge": BASE64.encode(agent.seal(&[5; 64])) }).to_string();
        let answer: Value = serde_json::from_slice(&challenge(asked.as_bytes(), &mut client).unwrap()).unwrap();
        assert_eq!(agent.open(&BASE64.decode(answer["Challenge"].as_str().unwrap()).unwrap()).unwrap(), [5; 64]);
        assert!(challenge(br#"{"Challenge":"AAAA"}"#, &mut client).is_err());
        assert!(challenge(b"{}", &mut client).is_err());
    }

    #[test]
    fn the_administrators_message_is_found() {
        assert_eq!(message(br#"{"HandshakeTimeToComplete":1,"CustomerMessage":"Encrypted."}"#).unwrap(), "Encrypted.");
        assert_eq!(message(br#"{"HandshakeTimeToComplete":1,"CustomerMessage":" "}"#), None);
        assert_eq!(message(b"no"), None);
    }
}
