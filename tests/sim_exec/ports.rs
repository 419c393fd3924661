//! Port forwards: the agent's handshake, its multiplexer, and what answers.

use super::World;
use super::channel::{Channel, Message, OUTPUT};
use midwatch::sim::Shell;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const SYN: u8 = 0;
const FIN: u8 = 1;
const PSH: u8 = 2;

fn frame(command: u8, stream: u32, data: &[u8]) -> Vec<u8> {
    let mut out = vec![1, command];
    out.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    out.extend(stream.to_le_bytes());
    out.extend(data);
    out
}

/// What came of each stream, and whether it has ended.
fn streams(mut bytes: &[u8]) -> BTreeMap<u32, (Vec<u8>, bool)> {
    let mut found: BTreeMap<u32, (Vec<u8>, bool)> = BTreeMap::new();
    while let Some(header) = bytes.first_chunk::<8>() {
        assert_eq!(header[0], 1, "the version of the multiplexer");
        let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
        let stream = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        let Some(data) = bytes.get(8..8 + length) else { break };
        let entry = found.entry(stream).or_default();
        match header[1] {
            PSH => entry.0.extend(data),
            FIN => entry.1 = true,
            3 => {}
            other => panic!("an agent does not send {other}"),
        }
        bytes = &bytes[8 + length..];
    }
    found
}

fn start(world: &World, service: &str, document: &str, parameters: &Value) -> (u16, Value) {
    let task = world.tasks(service).remove(0);
    let body = json!({"Target": world.target(&task, "app"), "DocumentName": document, "Parameters": parameters});
    world.call("ssm", "AmazonSSM.StartSession", &body)
}

const OWN: &str = "AWS-StartPortForwardingSession";
const REMOTE: &str = "AWS-StartPortForwardingSessionToRemoteHost";

fn open(world: &World, service: &str, document: &str, parameters: &Value) -> Channel {
    let (status, granted) = start(world, service, document, parameters);
    assert_eq!(status, 200, "{granted}");
    let text = |key: &str| granted[key].as_str().unwrap();
    let mut channel = Channel::open(world.sim.addr(), &world.keys, text("StreamUrl"), text("TokenValue"));
    channel.until("a question", |channel| channel.seen.iter().any(|message| message.holds == 5));
    let asked: Value = serde_json::from_slice(&channel.seen.iter().find(|message| message.holds == 5).unwrap().payload).unwrap();
    assert_eq!(asked["RequestedClientActions"].as_array().unwrap().len(), 1, "forwards are never encrypted: {asked}");
    let wanted = &asked["RequestedClientActions"][0]["ActionParameters"];
    assert_eq!((&wanted["SessionType"], &wanted["Properties"]["type"]), (&json!("Port"), &json!("LocalPortForwarding")));
    assert_eq!(wanted["Properties"]["portNumber"], parameters["portNumber"][0]);
    let answer = json!({"ClientVersion": "1.2.764.0", "ProcessedClientActions": [
        {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": null, "Error": ""},
    ], "Errors": null});
    channel.input(6, answer.to_string().as_bytes());
    channel.until("the end of the handshake", |channel| channel.seen.iter().any(|message| message.holds == 7));
    channel
}

fn flags(channel: &Channel) -> Vec<Vec<u8>> {
    let flag = |message: &&Message| message.kind == OUTPUT && message.holds == 10;
    channel.seen.iter().filter(flag).map(|message| message.payload.clone()).collect()
}

#[test]
fn many_connections_go_through_one_session() {
    let world = World::of_reasons("main", Shell::Builtin);
    let mut channel = open(&world, "fine", OWN, &json!({"portNumber": ["8080"], "localPortNumber": ["18080"]}));
    for stream in [3, 5, 7] {
        channel.input(1, &frame(SYN, stream, b""));
    }
    let request = b"GET /bytes/3000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    // Frames may span messages.
    let asked = frame(PSH, 3, request);
    let (head, tail) = asked.split_at(11);
    channel.input(1, head);
    channel.input(1, tail);
    channel.input(1, &frame(PSH, 5, b"an echo"));
    channel.input(1, &[frame(PSH, 7, b"another"), frame(FIN, 7, b"")].concat());
    channel.until("all answers", |channel| {
        let found = streams(&channel.output);
        let has = |stream: u32, so: &dyn Fn(&(Vec<u8>, bool)) -> bool| found.get(&stream).is_some_and(so);
        has(3, &|(_, over)| *over) && has(5, &|(bytes, _)| bytes == b"an echo") && has(7, &|(bytes, over)| bytes == b"another" && *over)
    });
    let answer = String::from_utf8(streams(&channel.output)[&3].0.clone()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("Content-Length: 3000\r\n"));
    assert!(answer.ends_with(&"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\n".repeat(48)[..3000]));
    assert!(!streams(&channel.output)[&5].1, "the other side has not ended");
    channel.input(10, &2_u32.to_be_bytes());
    channel.until("the end", |channel| channel.closed.is_some());
}

#[test]
fn half_a_megabyte_goes_in_and_its_hash_comes_back() {
    let world = World::of_reasons("main", Shell::Builtin);
    let mut channel = open(&world, "fine", OWN, &json!({"portNumber": ["9000"]}));
    let body: Vec<u8> = (0..500_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let head = format!("PUT /file HTTP/1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let whole = [head.as_bytes(), &body].concat();
    let mut bytes = frame(SYN, 3, b"");
    for piece in whole.chunks(32_000) {
        bytes.extend(frame(PSH, 3, piece));
    }
    for message in bytes.chunks(1024) {
        channel.input(1, message);
        if channel.waiting() > 300 {
            channel.until("room", |channel| channel.waiting() < 100);
        }
    }
    channel.until("an answer", |channel| streams(&channel.output).get(&3).is_some_and(|(_, over)| *over));
    let answer = String::from_utf8(streams(&channel.output)[&3].0.clone()).unwrap();
    let hash: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(answer.contains(&format!("500000 bytes, sha256 {hash}")), "{answer}");
}

#[test]
fn a_port_that_nobody_listens_on_is_refused_by_a_flag() {
    let world = World::of_reasons("main", Shell::Builtin);
    let mut channel = open(&world, "fine", OWN, &json!({"portNumber": ["1"]}));
    channel.input(1, &frame(SYN, 3, b""));
    channel.until("a flag", |channel| !flags(channel).is_empty());
    assert_eq!(flags(&channel), [3_u32.to_be_bytes().to_vec()]);
    channel.until("the end of the stream", |channel| streams(&channel.output).get(&3).is_some_and(|(_, over)| *over));
    assert_eq!(channel.closed, None, "the session goes on");
}

#[test]
fn another_host_answers_and_the_metadata_of_the_machine_does_not() {
    let world = World::of_reasons("main", Shell::Builtin);
    let mut channel = open(&world, "fine", REMOTE, &json!({"portNumber": ["5432"], "host": ["db.internal"]}));
    channel.input(1, &[frame(SYN, 3, b""), frame(PSH, 3, b"GET / HTTP/1.0\r\nConnection: close\r\n\r\n")].concat());
    channel.until("an answer", |channel| streams(&channel.output).get(&3).is_some_and(|(_, over)| *over));
    assert!(String::from_utf8_lossy(&streams(&channel.output)[&3].0).ends_with("db.internal:5432\n"));
    let mut channel = open(&world, "fine", REMOTE, &json!({"portNumber": ["80"], "host": ["169.254.169.254"]}));
    channel.until("the end", |channel| channel.closed.is_some());
    assert!(channel.closed.unwrap().contains("Forwarding to IP address 169.254.169.254 is forbidden."));
}

#[test]
fn an_old_agent_forwards_one_connection_after_the_other() {
    let world = World::of_reasons("main", Shell::Builtin);
    let mut channel = open(&world, "old", OWN, &json!({"portNumber": ["8080"]}));
    channel.input(1, b"bytes as they are");
    channel.until("the echo", |channel| channel.output == b"bytes as they are");
    channel.input(10, &1_u32.to_be_bytes());
    channel.input(1, b"GET / HTTP/1.1\r\n\r\n");
    channel.until("the answer", |channel| channel.text().contains("app:8080\n"));
}

#[test]
fn who_is_not_there_is_not_connected_and_documents_have_their_parameters() {
    let world = World::of_reasons("main", Shell::Builtin);
    let target = |target: &str| json!({"Target": target, "DocumentName": OWN, "Parameters": {"portNumber": ["80"]}});
    let (status, told) = world.call("ssm", "AmazonSSM.StartSession", &target("ecs:main_0123_x"));
    assert_eq!((status, &told["__type"]), (400, &json!("TargetNotConnected")));
    assert_eq!(told["message"], "ecs:main_0123_x is not connected.");
    let of = |document: &str, parameters: Value| start(&world, "fine", document, &parameters).1["__type"].clone();
    assert_eq!(of(REMOTE, json!({"portNumber": ["80"]})), "InvalidParameters");
    assert_eq!(of(OWN, json!({"portNumber": ["no"]})), "InvalidParameters");
    assert_eq!(of("AWS-RunShellScript", json!({})), "InvalidDocument");
    assert_eq!(start(&world, "network", OWN, &json!({"portNumber": ["80"]})).1["__type"], "TargetNotConnected");
}
