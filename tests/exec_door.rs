//! A shell on loopback is a door for every other user of the machine: what is tried at it here is what they could try.
//!
//! Each attempt is the right one with a single thing wrong, so that it is that thing which shuts the door.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "support/channel.rs"]
mod channel;

use channel::{Channel, Signed, call, handshake, send, send_text, sign, stamp};
use midwatch::sim::{self, ContextInfo, Options, Shell, Sim};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const CLUSTER: &str = "payments-prod";
const EXECUTE: &str = "AmazonEC2ContainerServiceV20141113.ExecuteCommand";

/// The demo as it runs: real shells, and keys that nobody else knows.
fn demo() -> (Sim, ContextInfo) {
    let options = Options { speed: 0.0, shell: Shell::Real, fresh_keys: true, ..Options::default() };
    let sim = Sim::start(options).unwrap();
    let keys = sim.contexts().iter().find(|context| context.name == "acme-prod").unwrap().clone();
    (sim, keys)
}

/// The keys that the scenario's text says, which anybody can read.
fn published() -> ContextInfo {
    let contexts = sim::contexts(&Options::default()).unwrap();
    contexts.into_iter().find(|context| context.name == "acme-prod").unwrap()
}

fn body(sim: &Sim, keys: &ContextInfo) -> Value {
    let list = json!({"cluster": CLUSTER, "serviceName": "checkout"});
    let (_, listed) = send(sim.addr(), &call(sim.addr(), keys, "ecs", "AmazonEC2ContainerServiceV20141113.ListTasks", &list));
    json!({"cluster": CLUSTER, "task": listed["taskArns"][0], "container": "app", "command": "/bin/sh", "interactive": true})
}

fn session(sim: &Sim, keys: &ContextInfo) -> Value {
    let (status, granted) = send(sim.addr(), &call(sim.addr(), keys, "ecs", EXECUTE, &body(sim, keys)));
    assert_eq!(status, 200, "{granted}");
    granted["session"].clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// How a request for a channel is answered.
fn knocked(addr: SocketAddr, request: &Signed) -> u16 {
    match Channel::dial(addr, request) {
        Ok(_) => 101,
        Err((status, _)) => status,
    }
}

#[test]
fn the_demos_keys_are_others_in_each_run_and_not_those_of_the_scenario() {
    let ((one, first), (_two, second)) = (demo(), demo());
    for (a, b) in [(&first, &second), (&first, &published())] {
        assert_ne!(a.access_key, b.access_key);
        assert_ne!(a.secret_key, b.secret_key);
    }
    assert_eq!((first.access_key.len(), &first.access_key[..4], first.secret_key.len()), (20, "AKIA", 40));
    assert!(one.contexts().iter().all(|context| context.secret_key != first.secret_key || context.name == first.name));
}

#[test]
fn a_session_begins_for_the_right_signature_and_for_no_other() {
    let (sim, keys) = demo();
    let addr = sim.addr();
    let body = body(&sim, &keys);
    let right = call(addr, &keys, "ecs", EXECUTE, &body);
    let resigned = |keys: &ContextInfo, amz_date: &str| sign(right.clone(), addr, keys, "ecs", amz_date);
    let with = |change: &dyn Fn(&mut Signed)| {
        let mut request = right.clone();
        change(&mut request);
        request
    };
    let guessed = ContextInfo { secret_key: "0".repeat(40), ..keys.clone() };
    let wrong = [
        ("no signature", with(&|request| request.without("Authorization"))),
        ("a guessed secret", resigned(&guessed, &stamp(0))),
        ("the keys of the scenario's text", resigned(&published(), &stamp(0))),
        ("an old signature", resigned(&keys, &stamp(-400))),
        ("a signature of the future", resigned(&keys, &stamp(400))),
        ("a signature of neither clock", resigned(&keys, "20240101T031100Z")),
        (
            "another command",
            with(&|request| {
                request.body = request.body.replace("/bin/sh", "/bin/id");
            }),
        ),
        ("another host", with(&|request| request.header("Host", "rebound.example"))),
        ("a page in a browser", with(&|request| request.header("Origin", &format!("http://{addr}")))),
        ("another service's signature", sign(right.clone(), addr, &keys, "logs", &stamp(0))),
    ];
    for (what, request) in wrong {
        let (status, told) = send(addr, &request);
        assert!((400..500).contains(&status) && told.get("session").is_none(), "{what}: {status} {told}");
    }
    // A signature over another host is right and of no use.
    let elsewhere = sign(right.clone(), "127.0.0.1:1".parse().unwrap(), &keys, "ecs", &stamp(0));
    assert_eq!(send(addr, &elsewhere).0, 403);
    assert_eq!(send(addr, &right).0, 200);
    // SDKs set their clock by the answers' dates, which are the world's. The keys are of this run alone, and so is the signature.
    assert_eq!(send(addr, &resigned(&keys, "20261121T031100Z")).0, 200);
}

#[test]
fn a_channel_opens_for_the_right_signature_and_for_no_other() {
    let (sim, keys) = demo();
    let addr = sim.addr();
    let granted = session(&sim, &keys);
    let url = text(&granted, "streamUrl");
    let right = handshake(addr, &keys, url, &stamp(0));
    let with = |change: &dyn Fn(&mut Signed)| {
        let mut request = right.clone();
        change(&mut request);
        request
    };
    let guessed = ContextInfo { secret_key: "0".repeat(40), ..keys.clone() };
    let other = sim.contexts().iter().find(|context| context.account != keys.account || context.region != keys.region).unwrap();
    let changed = format!("{url}&x=1");
    let unknown = url.replace("ecs-execute-command-", "ecs-execute-command-0");
    let wrong = [
        ("no signature", with(&|request| request.without("Authorization"))),
        ("no date", with(&|request| request.without("X-Amz-Date"))),
        ("a guessed secret", handshake(addr, &guessed, url, &stamp(0))),
        ("the keys of the scenario's text", handshake(addr, &published(), url, &stamp(0))),
        ("another account's keys", handshake(addr, other, url, &stamp(0))),
        ("an old signature", handshake(addr, &keys, url, &stamp(-400))),
        ("a signature of the future", handshake(addr, &keys, url, &stamp(400))),
        ("another address", handshake(addr, &keys, &changed, &stamp(0))),
        ("an unknown session", handshake(addr, &keys, &unknown, &stamp(0))),
        ("another host", with(&|request| request.header("Host", "rebound.example"))),
        ("a page in a browser", with(&|request| request.header("Origin", "http://127.0.0.1"))),
        ("no handshake", with(&|request| request.without("Upgrade"))),
        ("another service's signature", sign(right.clone(), addr, &keys, "ecs", &stamp(0))),
    ];
    for (what, request) in wrong {
        let status = knocked(addr, &request);
        assert!((400..500).contains(&status), "{what}: {status}");
    }
    assert_eq!(knocked(addr, &right), 101);
}

#[test]
fn a_token_opens_its_own_session_once() {
    let (sim, keys) = demo();
    let addr = sim.addr();
    let (one, two) = (session(&sim, &keys), session(&sim, &keys));
    let (url, token) = (text(&one, "streamUrl"), text(&one, "tokenValue"));
    let mut guess = token.to_owned();
    guess.replace_range(..1, if token.starts_with('0') { "1" } else { "0" });
    for (what, token) in [("none", ""), ("a guess", &*guess), ("another session's", text(&two, "tokenValue")), ("a part", &token[..20])] {
        let mut channel = Channel::open(addr, &keys, url, token);
        channel.until(what, |channel| channel.ended.is_some());
        assert_eq!(channel.ended, Some((1008, "Invalid token".to_owned())), "{what}");
        assert_eq!((channel.seen.len(), channel.closed), (0, None), "{what}: not a word of the session");
    }
    for (what, first) in [("a message", &[0_u8; 200][..]), ("nonsense", b"{}"), ("nothing", b"")] {
        let mut channel = Channel::dial(addr, &handshake(addr, &keys, url, &stamp(0))).unwrap();
        channel.frame(if what == "a message" { 2 } else { 1 }, first);
        channel.until(what, |channel| channel.ended.is_some());
        assert_eq!(channel.seen.len(), 0, "{what}");
    }
    let mut channel = Channel::open(addr, &keys, url, token);
    channel.until("a prompt", |channel| !channel.output.is_empty());
    let mut again = Channel::open(addr, &keys, url, token);
    again.until("a refusal", |channel| channel.ended.is_some());
    assert_eq!(again.ended, Some((1008, "Invalid token".to_owned())), "a token that was used is no token");
    channel.keys("echo still-$((40+2))\r");
    channel.says("still-42");
}

#[test]
fn no_program_starts_before_a_token_was_shown() {
    let (sim, keys) = demo();
    let addr = sim.addr();
    let mark = std::env::temp_dir().join(format!("midwatch-door-{}", uuid::Uuid::new_v4().simple()));
    let mut asked = body(&sim, &keys);
    asked["command"] = json!(format!("/bin/sh -c 'echo > {}'", mark.display()));
    let (_, granted) = send(addr, &call(addr, &keys, "ecs", EXECUTE, &asked));
    let granted = &granted["session"];
    let mut shut = Channel::open(addr, &keys, text(granted, "streamUrl"), "a guess");
    shut.until("a refusal", |channel| channel.ended.is_some());
    // Long after a shell would have run: the second session's has.
    let mut other = Channel::open(addr, &keys, text(&session(&sim, &keys), "streamUrl"), "a guess");
    other.until("a refusal", |channel| channel.ended.is_some());
    assert!(!mark.exists(), "the command ran without a token");
    let mut open = Channel::open(addr, &keys, text(granted, "streamUrl"), text(granted, "tokenValue"));
    open.until("the end", |channel| channel.closed.is_some());
    assert!(mark.exists(), "and runs with it");
    std::fs::remove_file(mark).unwrap();
}

#[test]
fn who_cannot_open_cannot_resume_or_terminate_either() {
    let (sim, keys) = demo();
    let addr = sim.addr();
    let granted = session(&sim, &keys);
    let body = json!({"SessionId": granted["sessionId"]});
    let other = sim.contexts().iter().find(|context| context.account != keys.account || context.region != keys.region).unwrap();
    for operation in ["ResumeSession", "TerminateSession"] {
        let target = format!("AmazonSSM.{operation}");
        let right = call(addr, &keys, "ssm", &target, &body);
        let old = sign(right.clone(), addr, &keys, "ssm", &stamp(-400));
        let foreign = call(addr, other, "ssm", &target, &body);
        for request in [old, foreign, call(addr, &published(), "ssm", &target, &body)] {
            let (status, told) = send(addr, &request);
            assert!((400..500).contains(&status), "{operation}: {status} {told}");
        }
    }
    let mut channel = Channel::open(addr, &keys, text(&granted, "streamUrl"), text(&granted, "tokenValue"));
    channel.until("a prompt", |channel| !channel.output.is_empty());
    assert_eq!(channel.closed, None);
}

#[test]
fn a_roles_keys_cannot_be_told_from_the_seed() {
    let given = || {
        let (sim, keys) = demo();
        let form = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=x&RoleArn=arn:aws:iam::".to_owned();
        let body = format!("{form}{}:role/OnCallOps", keys.account);
        let mut request = Signed { method: "POST", path: "/".to_owned(), query: String::new(), headers: Vec::new(), body: body.clone() };
        request.header("Content-Type", "application/x-www-form-urlencoded");
        request.header("Content-Length", &body.len().to_string());
        request.header("Connection", "close");
        let (status, told) = send_text(sim.addr(), &sign(request, sim.addr(), &keys, "sts", &stamp(0)));
        assert_eq!(status, 200, "{told}");
        told.split("<SecretAccessKey>").nth(1).unwrap().split('<').next().unwrap().to_owned()
    };
    assert_ne!(given(), given());
}

#[test]
fn nothing_listens_beyond_loopback_while_sessions_are_open() {
    let (sim, keys) = demo();
    let granted = session(&sim, &keys);
    let mut channel = Channel::open(sim.addr(), &keys, text(&granted, "streamUrl"), text(&granted, "tokenValue"));
    channel.until("a prompt", |channel| !channel.output.is_empty());
    assert!(sim.addr().ip().is_loopback());
    // The address of this machine on a network, if it has one: of a socket that sends nothing.
    let outward = std::net::UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.connect("192.0.2.1:9").map(|()| socket));
    let own = outward.and_then(|socket| socket.local_addr()).map(|addr| addr.ip());
    for ip in own.into_iter().filter(|ip| !ip.is_loopback() && !ip.is_unspecified()) {
        let reached = TcpStream::connect_timeout(&SocketAddr::new(ip, sim.addr().port()), Duration::from_secs(2));
        assert!(reached.is_err(), "reached by {ip}");
    }
    assert!(matches!(Sim::start(Options { listen: "0.0.0.0:0".parse().unwrap(), ..Options::default() }), Err(sim::Error::NotLoopback(_))));
}

#[test]
fn the_simulator_of_the_command_line_gives_no_real_shell_by_itself() {
    let sim = Sim::start(Options { speed: 0.0, ..Options::default() }).unwrap();
    let keys = published();
    let granted = session(&sim, &keys);
    let mut channel = Channel::open(sim.addr(), &keys, text(&granted, "streamUrl"), text(&granted, "tokenValue"));
    channel.says("no program of this machine runs");
    channel.keys("cat /proc/self/status\r");
    channel.says("can't open '/proc/self/status'");
}
