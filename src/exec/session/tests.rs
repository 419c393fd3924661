//! Sessions against a peer of a few lines, which does what a test says. What an agent does by itself is the simulator's affair.

mod silence;

use super::*;
use crate::aws::{self, ContextSpec};
use crate::change::gate::Rules;
use crate::config::Config;
use crate::exec::Carries;
use crate::exec::frame::{FIN, Frame, Kind, SYN, payload};
use crate::model::{Context, Ctx, Fleet};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Long enough for anything that happens at all, even where the machine is busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// AWS as far as a session sees it.
struct Peer {
    address: String,
    /// Channels that were opened, with the headers of their upgrades.
    channels: mpsc::UnboundedReceiver<(Agent, String)>,
    /// Calls that came, by target and body.
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    /// The tokens that resuming gives; none is an error.
    tokens: Arc<Mutex<Vec<&'static str>>>,
    api: Api,
}

impl Peer {
    async fn start() -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (opened, channels) = mpsc::unbounded_channel();
        let (calls, tokens) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let (noted, given, url) = (Arc::clone(&calls), Arc::clone(&tokens), channel_url(&address));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut first = [0];
                if stream.peek(&mut first).await.unwrap_or(0) == 0 {
                    continue;
                }
                if first == *b"G" {
                    if let Some(agent) = Agent::accept(stream).await {
                        drop(opened.send(agent));
                    }
                } else {
                    tokio::spawn(answer(stream, Arc::clone(&noted), Arc::clone(&given), url.clone()));
                }
            }
        });
        let spec = ContextSpec {
            name: "test".into(),
            region: Some("eu-west-1".into()),
            endpoint_url: Some(format!("http://{address}")),
            keys: Some(("AKID".into(), "secret".into())),
            ..ContextSpec::default()
        };
        let clients = aws::connect(vec![spec]).await.unwrap();
        let fleet = Fleet(vec![Context { production: Some(false), profile: None, name: "test".into(), region: "eu-west-1".into() }]);
        clients.gate().set(Rules::new(&Config::default(), &fleet, &[false]));
        let api = clients.api(Ctx(0)).clone();
        Peer { address, channels, calls, tokens, api }
    }

    fn grant(&self, carries: Carries) -> Grant {
        Grant {
            session: "ecs-execute-command-1".into(),
            stream_url: channel_url(&self.address),
            token: "token-0".into(),
            target: "ecs:c_t_r".into(),
            carries,
        }
    }

    fn open(&self) -> Session {
        open(self.api.clone(), self.grant(Carries::Terminal), Options { size: (120, 40), trust: Trust::LoopbackToo })
    }

    async fn channel(&mut self) -> Agent {
        timeout(PATIENCE, self.channels.recv()).await.unwrap().unwrap().0
    }

    fn called(&self, target: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| call.0 == target).count()
    }
}

fn channel_url(address: &str) -> String {
    format!("ws://{address}/v1/data-channel/ecs-execute-command-1?role=publish_subscribe&cell-number=a+b/c=")
}

async fn answer(mut stream: TcpStream, calls: Arc<Mutex<Vec<(String, Value)>>>, tokens: Arc<Mutex<Vec<&'static str>>>, url: String) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        let mut body = vec![0; value("content-length:").parse().unwrap_or(0)];
        stream.read_exact(&mut body).await.unwrap();
        let target = value("x-amz-target:");
        calls.lock().unwrap().push((target.clone(), serde_json::from_slice(&body).unwrap_or_default()));
        let (status, told) = match &*target {
            "amazonssm.resumesession" => match tokens.lock().unwrap().pop() {
                Some(token) => ("200 OK", json!({ "SessionId": "ecs-execute-command-1", "TokenValue": token, "StreamUrl": url })),
                None => ("400 Bad Request", json!({ "__type": "DoesNotExistException", "message": "no such session" })),
            },
            "amazonssm.terminatesession" => ("200 OK", json!({ "SessionId": "ecs-execute-command-1" })),
            "trentservice.generatedatakey" => {
                let key: Vec<u8> = (0..64).collect();
                ("200 OK", json!({ "CiphertextBlob": BASE64.encode("sealed"), "Plaintext": BASE64.encode(key), "KeyId": "k" }))
            }
            _ => ("400 Bad Request", json!({ "__type": "UnknownOperationException" })),
        };
        let told = told.to_string();
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{told}", told.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The other end of a channel.
struct Agent {
    socket: WebSocketStream<TcpStream>,
    opening: Value,
    next: i64,
}

impl Agent {
    async fn accept(stream: TcpStream) -> Option<(Agent, String)> {
        let mut headers = String::new();
        #[allow(clippy::result_large_err, reason = "tungstenite's type of a refusal")]
        let note = |request: &tokio_tungstenite::tungstenite::handshake::server::Request, answer| {
            headers = format!("{} {:?}", request.uri(), request.headers());
            Ok(answer)
        };
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, note).await.ok()?;
        let Some(Ok(Message::Text(opening))) = socket.next().await else { return None };
        let opening = serde_json::from_str(&opening).ok()?;
        Some((Agent { socket, opening, next: 0 }, headers))
    }

    async fn send(&mut self, kind: Kind, payload_type: u32, sequence: i64, bytes: &[u8]) {
        let frame = Frame {
            kind,
            created: 1,
            sequence,
            flags: SYN | FIN,
            id: Uuid::new_v4(),
            payload_type,
            payload: Bytes::copy_from_slice(bytes),
        };
        self.socket.send(Message::Binary(frame.write())).await.unwrap();
    }

    async fn print(&mut self, text: &str) {
        let sequence = self.next;
        self.next += 1;
        self.send(Kind::Output, payload::OUTPUT, sequence, text.as_bytes()).await;
    }

    async fn acknowledge(&mut self, sequence: i64) {
        let told = json!({ "AcknowledgedMessageSequenceNumber": sequence }).to_string();
        self.send(Kind::Acknowledge, 0, 0, told.as_bytes()).await;
    }

    async fn close_channel(&mut self, output: &str) {
        let told = json!({ "MessageType": "channel_closed", "Output": output }).to_string();
        self.send(Kind::ChannelClosed, 0, 0, told.as_bytes()).await;
    }

    /// The next message of that kind.
    async fn heard(&mut self, kind: &Kind) -> Frame {
        let look = async {
            loop {
                if let Message::Binary(bytes) = self.socket.next().await.unwrap().unwrap() {
                    let frame = Frame::read(&bytes).unwrap();
                    if frame.kind == *kind {
                        return frame;
                    }
                }
            }
        };
        timeout(PATIENCE, look).await.unwrap()
    }

    /// What is typed next, with its number; sizes are passed over.
    async fn typed(&mut self) -> (i64, Vec<u8>) {
        loop {
            let frame = self.heard(&Kind::Input).await;
            if frame.payload_type == payload::OUTPUT {
                return (frame.sequence, frame.payload.to_vec());
            }
        }
    }
}

async fn said(session: &mut Session) -> Option<Said> {
    timeout(PATIENCE, session.said.recv()).await.unwrap()
}

/// Everything up to the end: the output together, and the rest.
async fn to_the_end(session: &mut Session) -> (Vec<u8>, Vec<Said>) {
    let (mut shown, mut rest) = (Vec::new(), Vec::new());
    while let Some(said) = said(session).await {
        match said {
            Said::Output(bytes) => shown.extend(bytes),
            said => rest.push(said),
        }
    }
    (shown, rest)
}

fn ready() -> Said {
    Said::Ready { agent: None, encrypted: false, message: None }
}

async fn input(session: &Session, bytes: &[u8]) {
    session.asks.send(Ask::Input(bytes.to_vec())).await.unwrap();
}

#[tokio::test]
async fn a_session_opens_signed_shows_types_and_ends_with_the_channel() {
    let mut peer = Peer::start().await;
    let mut session = peer.open();
    input(&session, b"ls\r").await;
    let (mut agent, headers) = timeout(PATIENCE, peer.channels.recv()).await.unwrap().unwrap();
    assert!(headers.contains("/ssmmessages/aws4_request") && headers.contains("x-amz-date"), "{headers}");
    assert!(headers.contains("cell-number=a+b/c=") && !headers.contains("token-0"), "{headers}");
    assert_eq!((&agent.opening["TokenValue"], &agent.opening["MessageSchemaVersion"]), (&json!("token-0"), &json!("1.0")));
    assert_eq!(agent.opening["ClientVersion"], "1.2.764.0");
    agent.print("$ ").await;
    assert_eq!(agent.typed().await.1, b"ls\r");
    agent.print("file\r\n").await;
    agent.close_channel("").await;
    let (shown, rest) = to_the_end(&mut session).await;
    assert_eq!(String::from_utf8(shown).unwrap(), "$ file\r\n");
    assert_eq!(rest, [ready(), Said::Ended(End::Closed(None))]);
    assert_eq!(peer.called("amazonssm.terminatesession"), 0, "what has ended is not ended again");
}

#[tokio::test]
async fn the_hourly_goodbye_is_no_news_and_loses_nothing() {
    let mut peer = Peer::start().await;
    *peer.tokens.lock().unwrap() = vec!["token-1"];
    let mut session = peer.open();
    let mut agent = peer.channel().await;
    agent.print("a").await;
    input(&session, b"x").await;
    let (number, _) = agent.typed().await;
    let client = agent.opening["ClientId"].clone();
    // Never acknowledged: it comes again over the next connection.
    let bye = CloseFrame { code: CloseCode::Normal, reason: "Bye".to_owned().into() };
    agent.socket.close(Some(bye)).await.unwrap();
    let mut again = peer.channel().await;
    assert_eq!((&again.opening["TokenValue"], &again.opening["ClientId"]), (&json!("token-1"), &client));
    assert_eq!(again.typed().await, (number, b"x".to_vec()));
    again.acknowledge(number).await;
    again.next = agent.next;
    again.print("b").await;
    again.close_channel("").await;
    let (shown, rest) = to_the_end(&mut session).await;
    assert_eq!((&*shown, rest), (&b"ab"[..], vec![ready(), Said::Ended(End::Closed(None))]));
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_told_and_comes_back() {
    let mut peer = Peer::start().await;
    *peer.tokens.lock().unwrap() = vec!["token-1"];
    let mut session = peer.open();
    let mut agent = peer.channel().await;
    agent.print("a").await;
    assert_eq!(said(&mut session).await, Some(ready()));
    assert_eq!(said(&mut session).await, Some(Said::Output(b"a".to_vec())));
    drop(agent);
    assert!(matches!(said(&mut session).await, Some(Said::Lost { attempt: 1, .. })));
    input(&session, b"kept").await;
    let mut again = peer.channel().await;
    assert_eq!(said(&mut session).await, Some(Said::Resumed));
    assert_eq!(again.typed().await.1, b"kept");
    again.next = 1;
    again.print("b").await;
    assert_eq!(said(&mut session).await, Some(Said::Output(b"b".to_vec())));
}

#[tokio::test]
async fn a_session_that_timed_out_meanwhile_ends_and_one_that_is_unknown_is_lost() {
    for (tokens, timed_out) in [(vec![""], true), (vec![], false)] {
        let mut peer = Peer::start().await;
        *peer.tokens.lock().unwrap() = tokens;
        let mut session = peer.open();
        let mut agent = peer.channel().await;
        agent.print("a").await;
        assert_eq!(said(&mut session).await, Some(ready()));
        drop(agent);
        let (_, rest) = to_the_end(&mut session).await;
        match rest.last() {
            Some(Said::Ended(End::Closed(Some(why)))) if timed_out => assert!(why.contains("timed out")),
            Some(Said::Ended(End::Lost(why))) if !timed_out => assert!(why.contains("resume"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn leaving_says_so_at_once_and_ends_the_session_at_aws() {
    let mut peer = Peer::start().await;
    let mut session = peer.open();
    let mut agent = peer.channel().await;
    agent.print("a").await;
    assert_eq!(said(&mut session).await, Some(ready()));
    session.asks.send(Ask::Leave).await.unwrap();
    let (_, rest) = to_the_end(&mut session).await;
    assert_eq!(rest, [Said::Ended(End::Left)]);
    assert_eq!(peer.called("amazonssm.terminatesession"), 1, "and only then is nothing more said");
}

#[tokio::test]
async fn dropping_a_session_ends_it_whatever_it_is_doing() {
    let mut peer = Peer::start().await;
    let session = peer.open();
    let mut agent = peer.channel().await;
    agent.print("a").await;
    // Nobody acknowledges, so that no more input is taken, and nobody reads.
    for _ in 0..40 {
        let _ = session.asks.try_send(Ask::Input(vec![b'x'; 1 << 16]));
    }
    drop(session);
    let gone = async {
        while let Some(Ok(message)) = agent.socket.next().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
    let ended = async {
        while peer.called("amazonssm.terminatesession") == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ended).await.unwrap();
}

#[tokio::test]
async fn a_silent_connection_is_dead_and_the_session_dials_again() {
    assert_eq!((PACE.ping.as_secs(), PACE.dead.as_secs()), (30, 75));
    let mut peer = Peer::start().await;
    *peer.tokens.lock().unwrap() = vec!["token-1"];
    // The same with other times: nobody can wait that long here.
    let pace = Pace { ping: Duration::from_millis(400), dead: Duration::from_secs(1) };
    let options = Options { size: (120, 40), trust: Trust::LoopbackToo };
    let mut session = begin(peer.api.clone(), peer.grant(Carries::Terminal), options, (pace, Clock::default()));
    let mut agent = peer.channel().await;
    agent.print("a").await;
    assert_eq!(said(&mut session).await, Some(ready()));
    assert_eq!(said(&mut session).await, Some(Said::Output(b"a".to_vec())));
    // From here on the agent neither reads nor writes: nobody answers the pings, and the socket stays open.
    let lost = said(&mut session).await;
    assert!(matches!(&lost, Some(Said::Lost { attempt: 1, why }) if why.contains("nothing was heard for 1 s")), "{lost:?}");
    let mut again = peer.channel().await;
    assert_eq!(said(&mut session).await, Some(Said::Resumed));
    again.close_channel("the task has stopped").await;
    let ended = to_the_end(&mut session).await.1.pop();
    assert_eq!(ended, Some(Said::Ended(End::Closed(Some("the task has stopped".into())))));
    drop(agent);
}

#[tokio::test]
async fn an_answered_ping_keeps_a_silent_session_alive() {
    let mut peer = Peer::start().await;
    let pace = Pace { ping: Duration::from_millis(100), dead: Duration::from_secs(3) };
    let options = Options { size: (120, 40), trust: Trust::LoopbackToo };
    let mut session = begin(peer.api.clone(), peer.grant(Carries::Terminal), options, (pace, Clock::default()));
    let mut agent = peer.channel().await;
    agent.print("a").await;
    // Reading answers pings.
    let mut pings = 0;
    while pings < 40 {
        if let Message::Ping(data) = timeout(PATIENCE, agent.socket.next()).await.unwrap().unwrap().unwrap() {
            assert_eq!(&data[..], b"keepalive");
            pings += 1;
        }
    }
    agent.close_channel("").await;
    let (_, rest) = to_the_end(&mut session).await;
    assert_eq!(rest, [ready(), Said::Ended(End::Closed(None))], "never lost");
}

#[tokio::test]
async fn a_refused_upgrade_ends_the_session_before_it_begins() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = channel_url(&listener.local_addr().unwrap().to_string());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\n\r\nno rights").await;
        }
    });
    let peer = Peer::start().await;
    let grant = Grant { stream_url: url, ..peer.grant(Carries::Terminal) };
    let mut session = open(peer.api.clone(), grant, Options { size: (80, 24), trust: Trust::LoopbackToo });
    let (_, rest) = to_the_end(&mut session).await;
    let [Said::Ended(End::Refused(why))] = &rest[..] else { panic!("{rest:?}") };
    assert!(why.contains("403 Forbidden"), "{why}");
    assert_eq!(peer.called("amazonssm.terminatesession"), 1, "it keeps no place");
}

#[tokio::test]
async fn a_host_that_is_not_trusted_is_not_dialled() {
    let mut peer = Peer::start().await;
    let mut session = open(peer.api.clone(), peer.grant(Carries::Terminal), Options { size: (80, 24), trust: Trust::Aws });
    let (_, rest) = to_the_end(&mut session).await;
    assert!(matches!(&rest[..], [Said::Ended(End::Refused(why))] if why.contains("not dialled")), "{rest:?}");
    assert!(peer.channels.try_recv().is_err());
}

#[tokio::test]
async fn an_encrypted_session_gets_its_key_from_kms_with_the_agents_context() {
    let mut peer = Peer::start().await;
    let mut session = peer.open();
    let mut agent = peer.channel().await;
    let request = json!({ "AgentVersion": "3.3.1.0", "RequestedClientActions": [
        { "ActionType": "SessionType", "ActionParameters": { "SessionType": "InteractiveCommands" } },
        { "ActionType": "KMSEncryption", "ActionParameters": { "KMSKeyId": "alias/exec", "Challenge": "c2FsdA==" } },
    ] });
    agent.send(Kind::Output, payload::HANDSHAKE_REQUEST, 0, request.to_string().as_bytes()).await;
    let answer = loop {
        let frame = agent.heard(&Kind::Input).await;
        if frame.payload_type == payload::HANDSHAKE_RESPONSE {
            break serde_json::from_slice::<Value>(&frame.payload).unwrap();
        }
    };
    assert_eq!(answer["ProcessedClientActions"][1]["ActionResult"]["KMSCipherTextKey"], BASE64.encode("sealed"));
    let calls = peer.calls.lock().unwrap().clone();
    let asked = &calls.iter().find(|call| call.0 == "trentservice.generatedatakey").unwrap().1;
    assert_eq!((&asked["KeyId"], &asked["NumberOfBytes"]), (&json!("alias/exec"), &json!(64)));
    let context = json!({
        "aws:ssm:SessionId": "ecs-execute-command-1", "aws:ssm:TargetId": "ecs:c_t_r", "aws:ssm:RandomChallenge": "c2FsdA==",
    });
    assert_eq!(asked["EncryptionContext"], context);
    agent.send(Kind::Output, payload::HANDSHAKE_COMPLETE, 1, br#"{"CustomerMessage":"Encrypted."}"#).await;
    let told = Said::Ready { agent: Some("3.3.1.0".into()), encrypted: true, message: Some("Encrypted.".into()) };
    assert_eq!(said(&mut session).await, Some(told));
}

#[tokio::test]
async fn an_interrupt_gets_through_though_nobody_reads_the_flood() {
    let mut peer = Peer::start().await;
    let mut session = peer.open();
    let mut agent = peer.channel().await;
    agent.print("$ ").await;
    assert_eq!(said(&mut session).await, Some(ready()));
    let (mut write, mut read) = agent.socket.split();
    let line = "y\r\n".repeat(300);
    let flood = tokio::spawn(async move {
        for sequence in 1.. {
            let frame = Frame {
                kind: Kind::Output,
                created: 1,
                sequence,
                flags: 0,
                id: Uuid::nil(),
                payload_type: payload::OUTPUT,
                payload: Bytes::copy_from_slice(line.as_bytes()),
            };
            if write.send(Message::Binary(frame.write())).await.is_err() {
                return;
            }
        }
    });
    // The owner shows nothing until the flood stands still.
    let heard = async {
        loop {
            if session.said.len() >= UNHEARD {
                let _ = session.asks.try_send(Ask::Input(vec![0x03]));
                let look = async {
                    while let Some(Ok(message)) = read.next().await {
                        if let Message::Binary(bytes) = message
                            && let Ok(frame) = Frame::read(&bytes)
                            && frame.kind == Kind::Input
                            && frame.payload[..] == [0x03]
                        {
                            return;
                        }
                    }
                };
                return look.await;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, heard).await.unwrap();
    assert!(session.said.len() < SAID, "what waits for the owner is bounded");
    flood.abort();
}
