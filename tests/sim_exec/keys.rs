//! Sessions that are encrypted with a key of KMS.

use super::World;
use super::channel::{Channel, Message, OUTPUT, base64};
use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use base64::Engine as _;
use midwatch::sim::Shell;
use serde_json::{Value, json};
use std::time::Duration;

fn decoded(text: &Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap()).unwrap()
}

/// The client's half of an encrypted session.
struct Sealed {
    theirs: Aes256Gcm,
    ours: Aes256Gcm,
    count: u8,
}

impl Sealed {
    fn new(data_key: &[u8]) -> Self {
        let (theirs, ours) = data_key.split_at(32);
        Self { theirs: Aes256Gcm::new_from_slice(theirs).unwrap(), ours: Aes256Gcm::new_from_slice(ours).unwrap(), count: 0 }
    }

    fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        self.count += 1;
        let nonce = [self.count; 12];
        [&nonce[..], &self.ours.encrypt(&nonce.into(), plain).unwrap()].concat()
    }

    fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let (nonce, sealed) = sealed.split_first_chunk::<12>().unwrap();
        self.theirs.decrypt(&(*nonce).into(), sealed).expect("encrypted with the first half of the data key")
    }
}

fn of_kind(channel: &Channel, holds: u32) -> Option<Message> {
    channel.seen.iter().find(|message| message.kind == OUTPUT && message.holds == holds).cloned()
}

fn document(message: &Message) -> Value {
    serde_json::from_slice(&message.payload).unwrap()
}

struct Begun {
    world: World,
    channel: Channel,
    session: String,
    target: String,
    asked: Value,
}

/// A session up to the agent's first question.
fn begin(service: &str) -> Begun {
    let world = World::of_reasons("sealed", Shell::Real);
    let task = world.tasks(service).remove(0);
    let (status, granted) = world.execute(&task, "/bin/sh");
    assert_eq!(status, 200, "{granted}");
    let mut channel = world.channel(&granted["session"]);
    channel.until("a question", |channel| of_kind(channel, 5).is_some());
    let asked = document(&of_kind(&channel, 5).unwrap());
    let target = world.target(&task, "app");
    Begun { session: granted["session"]["sessionId"].as_str().unwrap().to_owned(), world, channel, target, asked }
}

impl Begun {
    fn data_key(&self, target: &str, extra: Option<(&str, &str)>) -> Value {
        let mut context = json!({"aws:ssm:SessionId": self.session, "aws:ssm:TargetId": target});
        if let Some((name, value)) = extra {
            context[name] = json!(value);
        }
        let key = &self.asked["RequestedClientActions"][1]["ActionParameters"]["KMSKeyId"];
        let body = json!({"KeyId": key, "NumberOfBytes": 64, "EncryptionContext": context});
        let (status, made) = self.world.call("kms", "TrentService.GenerateDataKey", &body);
        assert_eq!(status, 200, "{made}");
        made
    }

    fn answer(&mut self, blob: &Value, acknowledges: bool) {
        let result = json!({"KMSCipherTextKey": blob, "KMSCipherTextHash": null, "ChallengeAcknowledgement": acknowledges});
        let done = |kind: &str, result: Value| json!({"ActionType": kind, "ActionStatus": 1, "ActionResult": result, "Error": ""});
        let answer = json!({
            "ClientVersion": "1.2.764.0",
            "ProcessedClientActions": [done("SessionType", Value::Null), done("KMSEncryption", result)],
            "Errors": null,
        });
        self.channel.input(6, answer.to_string().as_bytes());
    }
}

#[test]
fn a_session_is_encrypted_both_ways_after_its_handshake() {
    for acknowledges in [false, true] {
        let mut begun = begin("vault");
        let actions = &begun.asked["RequestedClientActions"];
        assert_eq!(actions[0]["ActionParameters"]["SessionType"], "InteractiveCommands");
        assert_eq!(actions[1]["ActionType"], "KMSEncryption");
        let challenge = actions[1]["ActionParameters"]["Challenge"].as_str().unwrap().to_owned();
        let made = begun.data_key(&begun.target, acknowledges.then_some(("aws:ssm:RandomChallenge", &*challenge)));
        let mut keys = Sealed::new(&decoded(&made["Plaintext"]));
        begun.channel.keys("lost, for the handshake is not over\r");
        begun.answer(&made["CiphertextBlob"], acknowledges);
        let channel = &mut begun.channel;
        channel.until("a challenge", |channel| of_kind(channel, 8).is_some());
        let hidden = keys.open(&decoded(&document(&of_kind(channel, 8).unwrap())["Challenge"]));
        assert_eq!(hidden.len(), 64);
        let proof = json!({"Challenge": base64(&keys.seal(&hidden))});
        channel.input(9, proof.to_string().as_bytes());
        channel.until("the end of the handshake", |channel| of_kind(channel, 7).is_some());
        assert_eq!(document(&of_kind(channel, 7).unwrap())["CustomerMessage"], "This session is encrypted using AWS KMS.");
        channel.size(77, 20);
        channel.until("a prompt", |channel| of_kind(channel, 1).is_some());
        let typed = keys.seal(b"stty size; echo sea''led; exit\r");
        channel.input(1, &typed);
        channel.until("the end", |channel| channel.closed.is_some());
        let outputs = channel.seen.iter().filter(|message| message.kind == OUTPUT && message.holds == 1);
        let mut by_number: Vec<(i64, Vec<u8>)> = outputs.map(|message| (message.sequence, keys.open(&message.payload))).collect();
        by_number.sort();
        by_number.dedup();
        let said = String::from_utf8(by_number.into_iter().flat_map(|(_, bytes)| bytes).collect()).unwrap();
        assert!(said.contains("20 77\r\n") && said.contains("sealed\r\n") && !said.contains("lost"), "{said}");
    }
}

#[test]
fn another_context_opens_no_data_key() {
    let mut begun = begin("vault");
    let other = begun.target.replace("ecs:sealed", "ecs:main");
    let made = begun.data_key(&other, None);
    begun.answer(&made["CiphertextBlob"], false);
    begun.channel.until("the end", |channel| channel.closed.is_some());
    let closed = begun.channel.closed.unwrap();
    assert!(closed.contains("Fetching data key failed") && closed.contains("InvalidCiphertextException"), "{closed}");
}

#[test]
fn a_client_that_fails_or_never_answers_is_told_so() {
    let mut begun = begin("vault");
    let failed = json!({"ClientVersion": "1.2.764.0", "ProcessedClientActions": [
        {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": null, "Error": ""},
        {"ActionType": "KMSEncryption", "ActionStatus": 2, "ActionResult": null, "Error": "AccessDeniedException: no"},
    ], "Errors": null});
    begun.channel.input(6, failed.to_string().as_bytes());
    begun.channel.until("the end", |channel| channel.closed.is_some());
    let words = "\n----------ERROR-------\nEncountered error while initiating handshake. KMSEncryption failed on client with status 2 error: \
        AccessDeniedException: no";
    assert_eq!(begun.channel.closed.as_deref(), Some(words));

    let mut begun = begin("vault");
    begun.world.sim.step(Duration::from_secs(16));
    begun.channel.until("the end", |channel| channel.closed.is_some());
    assert!(begun.channel.closed.unwrap().contains("Handshake timed out. Please ensure that you have the latest version"));
}

#[test]
fn a_role_that_may_not_decrypt_ends_the_session_with_the_reason() {
    let mut begun = begin("vault-shut");
    let made = begun.data_key(&begun.target, None);
    begun.answer(&made["CiphertextBlob"], false);
    begun.channel.until("the end", |channel| channel.closed.is_some());
    let closed = begun.channel.closed.unwrap();
    assert!(closed.contains("Fetching data key failed") && closed.contains("not authorized to perform: kms:Decrypt"), "{closed}");
}

#[test]
fn what_was_encrypted_is_decrypted_for_its_context_alone() {
    let world = World::of_reasons("sealed", Shell::Builtin);
    let key = "11111111-2222-3333-4444-555555555555";
    let (_, made) =
        world.call("kms", "TrentService.GenerateDataKey", &json!({"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": {"a": "b"}}));
    assert_eq!(decoded(&made["Plaintext"]).len(), 32);
    let decrypt = |context: Value| {
        let body = json!({"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": context});
        world.call("kms", "TrentService.Decrypt", &body)
    };
    let (status, opened) = decrypt(json!({"a": "b"}));
    assert_eq!((status, &opened["Plaintext"], &opened["KeyId"]), (200, &made["Plaintext"], &made["KeyId"]));
    assert_eq!(decrypt(json!({"a": "c"})).1["__type"], "InvalidCiphertextException");
    let (_, unknown) = world.call("kms", "TrentService.GenerateDataKey", &json!({"KeyId": "nobody", "NumberOfBytes": 64}));
    assert_eq!(unknown["__type"], "NotFoundException");
}
