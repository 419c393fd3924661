//! The data channel between two ends: what is lost, doubled or out of order on the way arrives once and in order.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::Value;

const BORN: u64 = 1_763_712_000_000;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn names(carries: Carries) -> Names {
    Names { session: "ecs-execute-command-1".into(), target: "ecs:c_t_r".into(), carries }
}

/// A terminal's channel that is open since the session's beginning.
fn terminal() -> Channel {
    let mut channel = Channel::new(names(Carries::Terminal), (120, 40), BORN);
    channel.opened(Duration::ZERO);
    channel
}

/// One on which the remote has shown its prompt.
fn ready() -> Channel {
    let mut channel = terminal();
    channel.heard(output(0, "$ "), ms(10));
    drop(acts(&mut channel));
    channel
}

/// The agent's end, for what both ends do alike.
fn agent() -> Channel {
    let mut channel = Channel::new(names(Carries::Port), (0, 0), BORN);
    (channel.says, channel.hears) = (Kind::Output, Kind::Input);
    channel.stage = Stage::Ready { assumed: false };
    channel.opened(Duration::ZERO);
    channel
}

fn port() -> Channel {
    let mut channel = Channel::new(names(Carries::Port), (0, 0), BORN);
    channel.opened(Duration::ZERO);
    channel
}

fn message(kind: Kind, payload_type: u32, sequence: i64, payload: &[u8]) -> Frame {
    Frame { kind, created: BORN, sequence, flags: 0, id: Uuid::new_v4(), payload_type, payload: Bytes::copy_from_slice(payload) }
}

fn output(sequence: i64, text: &str) -> Frame {
    message(Kind::Output, payload::OUTPUT, sequence, text.as_bytes())
}

fn bare(kind: Kind) -> Frame {
    message(kind, 0, 0, b"")
}

fn acknowledging(sequence: i64) -> Frame {
    let text = format!(
        r#"{{"AcknowledgedMessageType":"input_stream_data","AcknowledgedMessageId":"x","AcknowledgedMessageSequenceNumber":{sequence},"IsSequentialMessage":true}}"#
    );
    message(Kind::Acknowledge, 0, 0, text.as_bytes())
}

fn acts(channel: &mut Channel) -> Vec<Act> {
    std::iter::from_fn(|| channel.act()).collect()
}

fn sent(acts: &[Act]) -> Vec<Frame> {
    let frame = |act: &Act| if let Act::Send(bytes) = act { Some(Frame::read(bytes).unwrap()) } else { None };
    acts.iter().filter_map(frame).collect()
}

/// The messages of the stream that were sent: number, payload type, payload.
fn stream(acts: &[Act]) -> Vec<(i64, u32, String)> {
    let input = sent(acts).into_iter().filter(|frame| frame.kind == Kind::Input);
    input.map(|frame| (frame.sequence, frame.payload_type, String::from_utf8_lossy(&frame.payload).into_owned())).collect()
}

/// The numbers that were acknowledged.
fn acknowledged(acts: &[Act]) -> Vec<i64> {
    let messages = sent(acts).into_iter().filter(|frame| frame.kind == Kind::Acknowledge);
    let number = |frame: Frame| {
        let told: Value = serde_json::from_slice(&frame.payload).unwrap();
        told["AcknowledgedMessageSequenceNumber"].as_i64().unwrap()
    };
    messages.map(number).collect()
}

fn said(acts: &[Act]) -> Vec<&Said> {
    acts.iter().filter_map(|act| if let Act::Say(said) = act { Some(said) } else { None }).collect()
}

fn shown(acts: &[Act]) -> Vec<u8> {
    let bytes = |said: &&Said| if let Said::Output(bytes) = said { Some(bytes.clone()) } else { None };
    said(acts).iter().filter_map(bytes).flatten().collect()
}

fn type_in(channel: &mut Channel, text: &str, now: Duration) -> Vec<Act> {
    channel.ask(Ask::Input(text.into()), now);
    acts(channel)
}

#[test]
fn messages_are_shown_in_order_each_once_and_all_are_acknowledged() {
    let mut channel = ready();
    for frame in [output(3, "c"), output(2, "b"), output(3, "c"), output(1, "a"), output(1, "a"), output(0, "$ ")] {
        channel.heard(frame, ms(20));
    }
    let acts = acts(&mut channel);
    assert_eq!(String::from_utf8(shown(&acts)).unwrap(), "abc");
    assert_eq!(acknowledged(&acts), [3, 2, 3, 1, 1, 0], "what is old is acknowledged again: its acknowledgement was lost");
}

#[test]
fn an_acknowledgement_names_its_message_as_the_protocol_wants() {
    let mut channel = terminal();
    drop(acts(&mut channel));
    let frame = output(0, "x");
    let id = frame.id;
    channel.heard(frame, ms(1));
    let ack = sent(&acts(&mut channel)).into_iter().find(|frame| frame.kind == Kind::Acknowledge).unwrap();
    assert_eq!((ack.sequence, ack.flags, ack.payload_type, ack.created), (0, SYN | FIN, 0, BORN + 1));
    assert_eq!(
        String::from_utf8_lossy(&ack.payload),
        format!(
            r#"{{"AcknowledgedMessageType":"output_stream_data","AcknowledgedMessageId":"{id}","AcknowledgedMessageSequenceNumber":0,"IsSequentialMessage":true}}"#
        )
    );
}

#[test]
fn what_comes_too_early_is_kept_only_up_to_a_limit() {
    let mut channel = ready();
    for sequence in 2..=10_100 {
        channel.heard(output(sequence, "x"), ms(20));
    }
    let told = acknowledged(&acts(&mut channel));
    assert_eq!(told.len(), 10_000, "the rest is not acknowledged, and so comes again");
    channel.heard(output(1, "x"), ms(20));
    let acts = acts(&mut channel);
    assert_eq!(shown(&acts).len(), 10_001);
    let mut channel = ready();
    let large = "x".repeat(1 << 20);
    for sequence in 2..40 {
        channel.heard(output(sequence, &large), ms(20));
    }
    assert_eq!(acknowledged(&self::acts(&mut channel)).len(), 16);
}

#[test]
fn keys_typed_before_the_remote_is_ready_go_out_with_its_first_word() {
    let mut channel = terminal();
    assert_eq!(stream(&acts(&mut channel)), [(0, payload::SIZE, r#"{"cols":120,"rows":40}"#.to_owned())]);
    assert_eq!(stream(&type_in(&mut channel, "l", ms(5))), []);
    assert_eq!(stream(&type_in(&mut channel, "s\r", ms(6))), []);
    channel.heard(output(0, "$ "), ms(1200));
    let acts = acts(&mut channel);
    assert_eq!(said(&acts)[0], &Said::Ready { agent: None, encrypted: false, message: None });
    assert_eq!(
        stream(&acts),
        [(1, payload::SIZE, r#"{"cols":120,"rows":40}"#.to_owned()), (2, payload::OUTPUT, "ls\r".to_owned())],
        "the size once more, for there was no terminal before"
    );
}

#[test]
fn a_command_that_prints_nothing_gets_input_after_a_silence() {
    let mut channel = terminal();
    drop(acts(&mut channel));
    type_in(&mut channel, "x", ms(5));
    channel.heard(bare(Kind::StartPublication), ms(1000));
    channel.heard(acknowledging(0), ms(1100));
    assert_eq!(channel.wake(), Some(ms(2600)));
    channel.tick(ms(2599));
    assert_eq!(stream(&acts(&mut channel)), []);
    channel.tick(ms(2600));
    let told = acts(&mut channel);
    assert!(matches!(said(&told)[..], [Said::Ready { .. }]));
    assert_eq!(stream(&told), [(1, payload::OUTPUT, "x".to_owned())]);
    // And then it says something after all.
    channel.heard(output(0, "done"), ms(9000));
    assert_eq!(stream(&acts(&mut channel)), [(2, payload::SIZE, r#"{"cols":120,"rows":40}"#.to_owned())]);
}

#[test]
fn a_remote_that_says_nothing_at_all_gets_input_after_ten_seconds() {
    let mut channel = terminal();
    type_in(&mut channel, "x", ms(5));
    channel.tick(ms(9_999));
    assert!(stream(&acts(&mut channel)).iter().all(|message| message.1 == payload::SIZE));
    channel.tick(ms(10_000));
    assert!(stream(&acts(&mut channel)).contains(&(1, payload::OUTPUT, "x".to_owned())));
}

/// The agent's side of a data key.
fn keys() -> (DataKey, Cipher) {
    let (theirs, ours) = ([1_u8; 32], [2_u8; 32]);
    let key = DataKey::new(&[theirs, ours].concat(), b"sealed".to_vec()).unwrap();
    let swapped = DataKey::new(&[ours, theirs].concat(), Vec::new()).unwrap();
    (key, Cipher::new(&swapped, [3; 12]))
}

const REQUEST: &str = r#"{"AgentVersion":"3.3.1.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"InteractiveCommands"}},{"ActionType":"KMSEncryption","ActionParameters":{"KMSKeyId":"alias/exec","Challenge":"AAAA"}}]}"#;

#[test]
fn an_encrypted_session_shakes_hands_and_then_speaks_in_cipher_both_ways() {
    let (key, mut agent) = keys();
    let mut channel = terminal();
    drop(acts(&mut channel));
    type_in(&mut channel, "whoami\r", ms(1));
    channel.heard(message(Kind::Output, payload::HANDSHAKE_REQUEST, 0, REQUEST.as_bytes()), ms(100));
    let told = acts(&mut channel);
    let Some(Act::Key { id, context }) = told.last() else { panic!("{told:?}") };
    assert_eq!((&**id, context.len(), &*context[1].1), ("alias/exec", 3, "ecs:c_t_r"));
    // While KMS is asked nothing is answered, and nothing is lost.
    channel.heard(message(Kind::Output, payload::HANDSHAKE_COMPLETE, 2, br#"{"CustomerMessage":"This session is encrypted."}"#), ms(120));
    assert_eq!(acknowledged(&acts(&mut channel)), [2]);
    channel.key(Ok(key), ms(150));
    let told = stream(&acts(&mut channel));
    assert_eq!((told.len(), told[0].0, told[0].1), (1, 1, payload::HANDSHAKE_RESPONSE));
    let challenge = format!(r#"{{"Challenge":"{}"}}"#, BASE64.encode(agent.seal(&[9; 64])));
    channel.heard(message(Kind::Output, payload::CHALLENGE, 1, challenge.as_bytes()), ms(200));
    let told = acts(&mut channel);
    let messages = sent(&told);
    let proof = messages.iter().find(|frame| frame.payload_type == payload::CHALLENGE_RESPONSE).unwrap();
    let proof: Value = serde_json::from_slice(&proof.payload).unwrap();
    assert_eq!(agent.open(&BASE64.decode(proof["Challenge"].as_str().unwrap()).unwrap()).unwrap(), [9; 64]);
    let ready = Said::Ready { agent: Some("3.3.1.0".into()), encrypted: true, message: Some("This session is encrypted.".into()) };
    assert_eq!(said(&told), [&ready]);
    let size = messages.iter().find(|frame| frame.payload_type == payload::SIZE).unwrap();
    assert_eq!(&size.payload[..], br#"{"cols":120,"rows":40}"#, "sizes stay plain");
    let typed = messages.iter().find(|frame| frame.payload_type == payload::OUTPUT).unwrap();
    assert_eq!(agent.open(&typed.payload).unwrap(), b"whoami\r");
    channel.heard(message(Kind::Output, payload::OUTPUT, 3, &agent.seal(b"root\r\n")), ms(300));
    assert_eq!(shown(&acts(&mut channel)), b"root\r\n");
    channel.heard(output(4, "not encrypted"), ms(310));
    assert!(matches!(acts(&mut channel).last(), Some(Act::End(End::Lost(why))) if why.contains("key")));
}

#[test]
fn input_that_a_late_handshake_threw_away_is_sent_again() {
    let (key, mut agent) = keys();
    let mut channel = terminal();
    channel.heard(bare(Kind::StartPublication), ms(10));
    type_in(&mut channel, "ls\r", ms(20));
    channel.tick(ms(2000));
    type_in(&mut channel, "pwd\r", ms(2100));
    for sequence in 0..3 {
        channel.heard(acknowledging(sequence), ms(2200));
    }
    drop(acts(&mut channel));
    channel.heard(message(Kind::Output, payload::HANDSHAKE_REQUEST, 0, REQUEST.as_bytes()), ms(3000));
    channel.key(Ok(key), ms(3001));
    type_in(&mut channel, "id\r", ms(3002));
    channel.heard(message(Kind::Output, payload::HANDSHAKE_COMPLETE, 1, b"{}"), ms(3100));
    let messages = sent(&acts(&mut channel));
    let typed: Vec<u8> = messages
        .iter()
        .filter(|frame| frame.payload_type == payload::OUTPUT)
        .flat_map(|frame| agent.open(&frame.payload).unwrap())
        .collect();
    assert_eq!(String::from_utf8(typed).unwrap(), "ls\rpwd\rid\r");
    let _ = agent.seal(b"");
}

#[test]
fn without_a_key_the_agent_is_told_so_and_the_session_ends_with_the_reason() {
    let mut channel = terminal();
    channel.heard(message(Kind::Output, payload::HANDSHAKE_REQUEST, 0, REQUEST.as_bytes()), ms(100));
    drop(acts(&mut channel));
    channel.key(Err("Cannot encrypt the session: AccessDenied for kms:GenerateDataKey".into()), ms(200));
    let acts = acts(&mut channel);
    assert!(stream(&acts)[0].2.contains(r#""ActionStatus":2"#));
    assert!(matches!(acts.last(), Some(Act::End(End::Refused(why))) if why.contains("kms:GenerateDataKey")));
}

#[test]
fn only_the_oldest_message_is_sent_again_and_with_the_same_bytes() {
    let mut channel = ready();
    for sequence in 0..2 {
        channel.heard(acknowledging(sequence), ms(10));
    }
    let first = sent(&type_in(&mut channel, "a", ms(20)));
    let second = sent(&type_in(&mut channel, "b", ms(21)));
    let due = channel.wake().unwrap();
    channel.tick(due);
    assert_eq!(sent(&acts(&mut channel)), first);
    let again = channel.wake().unwrap();
    assert!(again >= due + ms(100), "not more often than the agent's timer");
    channel.tick(again);
    assert_eq!(sent(&acts(&mut channel)), first);
    channel.heard(acknowledging(2), again);
    channel.tick(again);
    assert_eq!(sent(&acts(&mut channel)), second, "its own time has long come");
    channel.heard(acknowledging(3), again);
    assert_eq!(channel.wake(), None);
}

#[test]
fn acknowledgements_of_what_was_never_sent_change_nothing() {
    let mut channel = ready();
    for sequence in [i64::MIN, -1, 2, 3, i64::MAX] {
        channel.heard(acknowledging(sequence), ms(20));
    }
    channel.heard(message(Kind::Acknowledge, 0, 0, b"{}"), ms(20));
    channel.heard(message(Kind::Acknowledge, 0, 0, b"\xff"), ms(20));
    assert_eq!(channel.wake(), Some(ms(200)), "the size of the beginning is still on its way");
}

#[test]
fn a_remote_that_acknowledges_nothing_for_five_minutes_is_given_up() {
    let mut channel = ready();
    let mut now = ms(0);
    let ended = std::iter::from_fn(|| {
        now = channel.wake()?.max(now);
        channel.tick(now);
        Some(acts(&mut channel))
    });
    let end = ended.take(4000).flatten().find(|act| matches!(act, Act::End(_)));
    assert_eq!(end, Some(Act::End(End::Lost("the remote has acknowledged nothing for five minutes".into()))));
    assert!(now >= Duration::from_mins(5), "{now:?}");
}

#[test]
fn a_pause_holds_input_back_and_acknowledgements_not() {
    for wakes in [bare(Kind::StartPublication), acknowledging(0), output(2, "x")] {
        let mut channel = ready();
        channel.heard(bare(Kind::PausePublication), ms(20));
        assert_eq!(stream(&type_in(&mut channel, "a", ms(21))), []);
        channel.tick(ms(5000));
        assert_eq!(acts(&mut channel), []);
        assert_eq!(channel.wake(), None);
        channel.heard(output(1, "x"), ms(5001));
        assert_eq!(acknowledged(&acts(&mut channel)), [1]);
        channel.heard(bare(Kind::PausePublication), ms(5002));
        drop(acts(&mut channel));
        channel.heard(wakes, ms(5003));
        channel.tick(ms(5003));
        assert!(channel.wake().is_some());
        type_in(&mut channel, "b", ms(5004));
    }
}

#[test]
fn a_paste_goes_out_in_pieces_and_waits_for_its_acknowledgements() {
    let mut channel = ready();
    let paste: Vec<u8> = (0..1_200_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    channel.ask(Ask::Input(paste.clone()), ms(20));
    assert!(!channel.room(), "its owner waits");
    let (mut arrived, mut next) = (Vec::new(), 0);
    loop {
        let messages: Vec<Frame> = sent(&acts(&mut channel)).into_iter().filter(|frame| frame.kind == Kind::Input).collect();
        if messages.is_empty() && arrived.len() == paste.len() {
            break;
        }
        assert!(messages.len() <= 1000 && messages.iter().all(|frame| frame.payload.len() <= 1024));
        next = messages.last().map_or(next + 1, |last| last.sequence);
        arrived.extend(messages.iter().filter(|frame| frame.payload_type == payload::OUTPUT).flat_map(|frame| frame.payload.to_vec()));
        for sequence in 0..=next {
            channel.heard(acknowledging(sequence), ms(30));
        }
    }
    assert!(arrived == paste && channel.room());
}

#[test]
fn after_a_new_connection_all_that_was_not_acknowledged_comes_again() {
    let mut channel = ready();
    channel.heard(acknowledging(0), ms(20));
    let mut before = type_in(&mut channel, "a", ms(20));
    before.extend(type_in(&mut channel, "b", ms(20)));
    channel.heard(acknowledging(3), ms(25));
    channel.lost();
    assert_eq!(type_in(&mut channel, "c", ms(30)), []);
    assert_eq!(channel.wake(), None);
    channel.tick(ms(60_000));
    assert_eq!(acts(&mut channel), []);
    channel.opened(ms(70_000));
    let numbers: Vec<(i64, String)> = stream(&acts(&mut channel)).into_iter().map(|(number, _, text)| (number, text)).collect();
    assert_eq!(numbers[0].0, 1);
    assert_eq!(numbers[1..], [(2, "a".to_owned()), (4, "c".to_owned())]);
    channel.heard(output(1, "more"), ms(70_001));
    assert_eq!(shown(&acts(&mut channel)), b"more", "the numbers go on where they were");
}

#[test]
fn sizes_are_told_when_they_change_and_have_settled() {
    let mut channel = ready();
    let resize = |channel: &mut Channel, columns: u16, now: Duration| {
        channel.ask(Ask::Size { columns, rows: 40 }, now);
        stream(&acts(channel)).into_iter().map(|message| message.2).collect::<Vec<_>>()
    };
    assert_eq!(resize(&mut channel, 120, ms(5000)), [""; 0]);
    assert_eq!(resize(&mut channel, 121, ms(5000)), [r#"{"cols":121,"rows":40}"#]);
    assert_eq!(resize(&mut channel, 122, ms(5010)), [""; 0]);
    assert_eq!(resize(&mut channel, 130, ms(5020)), [""; 0]);
    channel.heard(acknowledging(0), ms(5030));
    channel.heard(acknowledging(1), ms(5030));
    channel.heard(acknowledging(2), ms(5030));
    assert_eq!(channel.wake(), Some(ms(5100)));
    channel.tick(ms(5100));
    assert_eq!(stream(&acts(&mut channel))[0].2, r#"{"cols":130,"rows":40}"#);
}

#[test]
fn a_closed_channel_ends_with_awss_words_cleaned() {
    let close = |output: &str| {
        let mut channel = ready();
        let told = serde_json::json!({ "MessageType": "channel_closed", "SessionId": "s", "SchemaVersion": 1, "Output": output });
        channel.heard(message(Kind::ChannelClosed, 0, 0, told.to_string().as_bytes()), ms(20));
        let told = acts(&mut channel);
        channel.heard(output_after(), ms(21));
        assert_eq!(acts(&mut channel), [], "nothing comes after the end");
        told
    };
    assert_eq!(close(""), [Act::End(End::Closed(None))]);
    let told = close("\n----------ERROR-------\nUnable to start command: \u{1b}[31mno bash");
    assert!(matches!(&told[..], [Act::End(End::Closed(Some(why)))] if why.contains("Unable to start") && !why.contains('\u{1b}')));
    let mut channel = ready();
    channel.heard(message(Kind::ChannelClosed, 0, 0, b"\xff"), ms(20));
    assert_eq!(acts(&mut channel), [Act::End(End::Closed(None))]);
}

fn output_after() -> Frame {
    output(1, "late")
}

#[test]
fn a_port_waits_for_its_handshake_and_knows_flags() {
    let mut channel = port();
    assert_eq!(acts(&mut channel), [], "a port has no size");
    channel.ask(Ask::Input(b"GET /".to_vec()), ms(1));
    channel.heard(bare(Kind::StartPublication), ms(2));
    channel.tick(ms(60_000));
    assert_eq!(acts(&mut channel), []);
    let request = r#"{"AgentVersion":"3.3.1.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port","Properties":{"portNumber":"80"}}}]}"#;
    channel.heard(message(Kind::Output, payload::HANDSHAKE_REQUEST, 0, request.as_bytes()), ms(60_010));
    assert_eq!(stream(&acts(&mut channel))[0].1, payload::HANDSHAKE_RESPONSE);
    channel.ask(Ask::Disconnect, ms(60_011));
    channel.heard(message(Kind::Output, payload::HANDSHAKE_COMPLETE, 1, br#"{"HandshakeTimeToComplete":1}"#), ms(60_020));
    let told = acts(&mut channel);
    assert_eq!(said(&told), [&Said::Ready { agent: Some("3.3.1.0".into()), encrypted: false, message: None }]);
    let told = stream(&told);
    assert_eq!((told[0].1, &*told[0].2, told[1].1, &*told[1].2), (payload::OUTPUT, "GET /", payload::FLAG, "\0\0\0\u{1}"));
    channel.heard(message(Kind::Output, payload::FLAG, 2, &[0, 0, 0, 3]), ms(60_030));
    assert_eq!(said(&acts(&mut channel)), [&Said::PortRefused]);
    channel.leave(ms(60_040));
    assert_eq!(stream(&acts(&mut channel)), [(3, payload::FLAG, "\0\0\0\u{2}".to_owned())]);
}

#[test]
fn a_terminals_agent_is_not_told_of_leaving_for_it_would_not_listen() {
    let mut channel = ready();
    channel.leave(ms(20));
    assert_eq!(acts(&mut channel), []);
}

/// A link that loses, doubles and reorders.
struct Link {
    /// When each message arrives.
    under_way: Vec<(Duration, Bytes)>,
    rng: u64,
}

impl Link {
    fn draw(&mut self, below: u64) -> u64 {
        // xorshift64
        self.rng ^= self.rng << 13;
        self.rng ^= self.rng >> 7;
        self.rng ^= self.rng << 17;
        self.rng % below
    }

    fn carry(&mut self, bytes: &Bytes, now: Duration, loss: u64) {
        let copies = if self.draw(100) < loss { 0 } else { 1 + u64::from(self.draw(100) < 5) };
        for _ in 0..copies {
            let late = ms(self.draw(40));
            self.under_way.push((now + late, bytes.clone()));
        }
    }

    fn arrived(&mut self, now: Duration) -> Vec<Bytes> {
        let (here, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.under_way).into_iter().partition(|(at, _)| *at <= now);
        self.under_way = rest;
        here.into_iter().map(|(_, bytes)| bytes).collect()
    }
}

/// Moves what one end wants sent onto the link, and what it shows into `got`.
fn move_on(end: &mut Channel, link: &mut Link, got: &mut Vec<u8>, now: Duration, loss: u64) {
    for act in acts(end) {
        match act {
            Act::Send(bytes) => link.carry(&bytes, now, loss),
            Act::Say(Said::Output(bytes)) => got.extend(bytes),
            Act::Say(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_bad_link_loses_and_repeats_no_byte(seed in 1_u64.., loss in 0_u64..30, there in 0_usize..60_000, back in 0_usize..60_000, breaks: bool) {
        let bytes = |length: usize, step: usize| (0..length).map(|n| u8::try_from(n * step % 253).unwrap()).collect::<Vec<u8>>();
        let (typed, printed) = (bytes(there, 7), bytes(back, 11));
        let (mut client, mut agent) = (ready_port(), self::agent());
        let (mut up, mut down) = (Link { under_way: Vec::new(), rng: seed }, Link { under_way: Vec::new(), rng: seed ^ 0x9e37_79b9 });
        let (mut at_agent, mut at_client) = (Vec::new(), Vec::new());
        client.ask(Ask::Input(typed.clone()), ms(0));
        agent.ask(Ask::Input(printed.clone()), ms(0));
        let mut now = ms(0);
        while at_agent.len() < typed.len() || at_client.len() < printed.len() {
            now += ms(5);
            prop_assert!(now < Duration::from_hours(1), "{} of {}, {} of {}", at_agent.len(), there, at_client.len(), back);
            if breaks && now.as_millis() % 1000 == 500 {
                up.under_way.clear();
                down.under_way.clear();
                client.lost();
                client.opened(now);
                agent.lost();
                agent.opened(now);
            }
            client.tick(now);
            agent.tick(now);
            move_on(&mut client, &mut up, &mut at_client, now, loss);
            move_on(&mut agent, &mut down, &mut at_agent, now, loss);
            for bytes in up.arrived(now) {
                agent.heard(Frame::read(&bytes).unwrap(), now);
            }
            for bytes in down.arrived(now) {
                client.heard(Frame::read(&bytes).unwrap(), now);
            }
            move_on(&mut client, &mut up, &mut at_client, now, loss);
            move_on(&mut agent, &mut down, &mut at_agent, now, loss);
        }
        prop_assert!(at_agent == typed && at_client == printed);
    }

    #[test]
    fn no_message_whatever_makes_it_panic(
        frames in proptest::collection::vec(
            (0_usize..8, any::<i64>(), 0_u32..14, proptest::collection::vec(any::<u8>(), 0..60), 0_i64..6, any::<bool>()),
            0..40,
        ),
        encrypted: bool,
    ) {
        let mut channel = terminal();
        if encrypted {
            channel.heard(message(Kind::Output, payload::HANDSHAKE_REQUEST, 0, REQUEST.as_bytes()), ms(1));
            channel.key(Ok(keys().0), ms(1));
        }
        for (n, (kind, sequence, payload_type, bytes, near, close)) in frames.into_iter().enumerate() {
            let kind = [
                Kind::Output, Kind::Output, Kind::Acknowledge, Kind::PausePublication, Kind::StartPublication, Kind::ChannelClosed, Kind::Input,
                Kind::Other("agent_session_state".into()),
            ][kind].clone();
            let frame = message(kind, payload_type, if close { near } else { sequence }, &bytes);
            channel.heard(frame, ms(n as u64 * 300));
            channel.ask(Ask::Input(bytes), ms(n as u64 * 300));
            channel.tick(ms(n as u64 * 300 + 100));
            drop(acts(&mut channel));
        }
    }
}

fn ready_port() -> Channel {
    let mut channel = port();
    channel.stage = Stage::Ready { assumed: false };
    channel
}
