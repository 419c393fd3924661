//! What can go wrong in a channel, one rule at a time and all at once.

use super::World;
use super::channel::{Channel, OUTPUT};
use midwatch::sim::Shell;
use std::time::Duration;

fn with(rules: &str, command: &str) -> (World, Channel, String) {
    let world = World::small(Shell::Real);
    world.sim.set_faults(rules).unwrap();
    let (granted, channel) = world.open(command);
    let session = granted["session"]["sessionId"].as_str().unwrap().to_owned();
    (world, channel, session)
}

fn rule(kind: &str, rest: &str) -> String {
    format!("[[channel]]\nkind = '{kind}'\n{rest}\n")
}

const COUNT: &str = "sh -c 'i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); done'";

fn counted() -> String {
    (0..4000).map(|i| format!("line {i}\r\n")).collect()
}

#[test]
fn lost_doubled_swapped_and_broken_messages_arrive_once_and_in_order() {
    for kind in ["drop", "duplicate", "reorder", "bad_digest", "nul_padding"] {
        let (_world, mut channel, _) = with(&rule(kind, "every = 5"), COUNT);
        channel.until("the end", |channel| channel.closed.is_some());
        assert_eq!(channel.text(), counted(), "{kind}");
        let outputs: Vec<_> = channel.seen.iter().filter(|message| message.kind == OUTPUT).collect();
        let numbers: Vec<i64> = outputs.iter().map(|message| message.sequence).collect();
        let seen = match kind {
            "drop" => numbers.windows(2).any(|pair| pair[1] < pair[0]),
            "duplicate" => numbers.windows(2).any(|pair| pair[1] == pair[0]),
            "reorder" => numbers.windows(2).any(|pair| pair[1] + 1 == pair[0]),
            "bad_digest" => outputs.iter().any(|message| !message.digest_is_right),
            _ => channel.seen.iter().any(|message| message.pad == 0),
        };
        assert!(seen, "{kind} was not seen in {numbers:?}");
    }
}

#[test]
fn input_that_is_lost_is_taken_when_it_comes_again() {
    let (_world, mut channel, _) = with(&(rule("drop_input", "every = 3") + &rule("drop_ack", "every = 4")), "/bin/sh");
    channel.until("a prompt", |channel| !channel.output.is_empty());
    channel.keys("stty -echo\r");
    for n in 0..20 {
        channel.keys(&format!("echo '<{n}>'\r"));
    }
    channel.keys("exit\r");
    channel.until("the end", |channel| channel.closed.is_some());
    let said = channel.text();
    let found: Vec<usize> = (0..20).map(|n| said.matches(&format!("\n<{n}>\r\n")).count()).collect();
    assert!(found.iter().all(|count| *count <= 1), "repeated: {said}");
    let order: Vec<usize> = (0..20).filter_map(|n| said.find(&format!("<{n}>\r\n"))).collect();
    assert_eq!(order.len(), 20, "lost: {said}");
    assert!(order.is_sorted(), "{said}");
}

#[test]
fn a_connection_that_is_closed_or_cut_is_resumed_where_it_stood() {
    for (kind, ended) in [("bye", (1000, "Bye")), ("cut", (0, ""))] {
        let (world, mut channel, session) = with(&rule(kind, "every = 20\ntimes = 1"), COUNT);
        channel.until("the end of the connection", |channel| channel.ended.is_some());
        assert_eq!(channel.ended, Some((ended.0, ended.1.to_owned())), "{kind}");
        let (_, resumed) = world.ssm("ResumeSession", &session);
        let text = |key: &str| resumed[key].as_str().unwrap();
        channel.reopen(world.sim.addr(), &world.keys, text("StreamUrl"), text("TokenValue"));
        channel.until("the end", |channel| channel.closed.is_some());
        assert_eq!(channel.text(), counted(), "{kind}");
    }
}

#[test]
fn a_session_that_cannot_be_resumed_has_an_empty_token() {
    let (world, mut channel, session) = with(&(rule("bye", "times = 1") + &rule("empty_token", "")), "/bin/sh");
    channel.until("the goodbye", |channel| channel.ended.is_some());
    let (status, resumed) = world.ssm("ResumeSession", &session);
    assert_eq!((status, resumed["TokenValue"].as_str()), (200, Some("")));
}

#[test]
fn a_dead_peer_answers_no_ping() {
    let (_world, mut channel, _) = with(&rule("silence", "every = 3"), "/bin/sh");
    channel.frame(9, b"keepalive");
    channel.until("a pong", |channel| channel.pongs == 1);
    for _ in 0..6 {
        channel.keys("\r");
    }
    let end = std::time::Instant::now() + Duration::from_secs(3);
    let mut last = channel.seen.len();
    while std::time::Instant::now() < end {
        channel.step();
        if channel.pongs == 1 && channel.seen.len() > last {
            last = channel.seen.len();
        }
        channel.frame(9, b"keepalive");
    }
    let (seen, pongs) = (channel.seen.len(), channel.pongs);
    channel.frame(9, b"keepalive");
    channel.step();
    assert_eq!((channel.seen.len(), channel.pongs, channel.ended.clone()), (seen, pongs, None), "it says nothing and stays open");
}

#[test]
fn publication_stops_and_starts_again() {
    let (_world, mut channel, _) = with(&rule("pause", "every = 10\ntimes = 3\nms = 300"), COUNT);
    channel.until("the end", |channel| channel.closed.is_some());
    assert_eq!(channel.text(), counted());
    let count = |kind: &str| channel.seen.iter().filter(|message| message.kind == kind).count();
    assert_eq!((count("pause_publication"), count("start_publication")), (3, 4));
}

#[test]
fn the_service_can_end_a_session_with_words_and_nonsense_can_come_between() {
    let rules = rule("closed", "every = 9\nmessage = 'We could not start the session because encryption is not set up'")
        + &rule("rubbish", "every = 2");
    let (_world, mut channel, _) = with(&rules, COUNT);
    // This client takes what is no message for an error; the others are read.
    let end = std::time::Instant::now() + super::channel::PATIENCE;
    while channel.closed.is_none() {
        assert!(std::time::Instant::now() < end);
        assert!(channel.step() || channel.closed.is_some());
    }
    assert!(channel.closed.unwrap().starts_with("We could not start the session"));
}

#[test]
fn early_input_can_be_thrown_away_for_longer_and_a_handshake_can_go_unheard() {
    let (_world, mut channel, _) = with(&rule("discard_input", "ms = 1500"), "cat");
    channel.keys("lost\r");
    let begun = std::time::Instant::now();
    channel.until("the acknowledgement", |channel| !channel.acknowledged.is_empty());
    while begun.elapsed() < Duration::from_millis(800) {
        channel.step();
    }
    channel.keys("lost as well\r");
    channel.until("the acknowledgement", |channel| channel.acknowledged.len() >= 2);
    while !channel.text().contains("kept") {
        channel.keys("kept\r");
        let sent = channel.acknowledged.len() + channel.waiting();
        channel.until("an acknowledgement", |channel| channel.acknowledged.len() >= sent);
    }
    assert!(!channel.text().contains("lost"), "{}", channel.text());
}

#[test]
fn through_everything_at_once_nothing_is_lost_and_nothing_comes_twice() {
    let rules = [
        rule("drop", "every = 11"),
        rule("duplicate", "every = 7"),
        rule("reorder", "every = 5"),
        rule("nul_padding", "every = 3"),
        rule("bad_digest", "every = 17"),
        rule("drop_ack", "every = 4"),
        rule("drop_input", "every = 6"),
        rule("pause", "every = 30\ntimes = 2\nms = 100"),
        rule("bye", "every = 40\ntimes = 2"),
        rule("cut", "every = 55\ntimes = 1"),
    ];
    let (world, mut channel, session) = with(&rules.concat(), COUNT);
    loop {
        channel.until("the end of something", |channel| channel.closed.is_some() || channel.ended.is_some());
        if channel.closed.is_some() {
            break;
        }
        let (_, resumed) = world.ssm("ResumeSession", &session);
        let text = |key: &str| resumed[key].as_str().unwrap();
        channel.reopen(world.sim.addr(), &world.keys, text("StreamUrl"), text("TokenValue"));
    }
    assert_eq!(channel.text(), counted());
}
