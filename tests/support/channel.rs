//! A client of the data channel written by hand: signatures, WebSocket and messages, so that no code of the program judges itself.
//!
//! It blocks, waits on what must come with a deadline, and can say anything wrong that a test wants said.

#![allow(dead_code, reason = "each test binary uses its own part")]

use base64::Engine as _;
use hmac::{Hmac, Mac};
use midwatch::sim::ContextInfo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long is waited for what must come; only a failure waits this long.
pub const PATIENCE: Duration = Duration::from_mins(5);

pub const INPUT: &str = "input_stream_data";
pub const OUTPUT: &str = "output_stream_data";

/// A request with its signature, and whatever a test changes of it.
#[derive(Clone, Debug)]
pub struct Signed {
    pub method: &'static str,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Signed {
    pub fn header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub fn without(&mut self, name: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    fn text(&self) -> String {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let mut text = format!("{} {}{query} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        write!(text, "\r\n{}", self.body).unwrap();
        text
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The time of a signature, so many seconds from now.
pub fn stamp(offset: i64) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(offset);
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Signs by the book.
pub fn sign(mut request: Signed, addr: SocketAddr, keys: &ContextInfo, service: &str, amz_date: &str) -> Signed {
    request.header("Host", &addr.to_string());
    request.header("X-Amz-Date", amz_date);
    let mut names = vec!["host", "x-amz-date"];
    if let Some(token) = &keys.session_token {
        request.header("X-Amz-Security-Token", token);
        names.push("x-amz-security-token");
    }
    let value = |name: &str| request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value);
    let lines = names.iter().fold(String::new(), |text, name| text + name + ":" + value(name) + "\n");
    let mut query: Vec<&str> = request.query.split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    let digest = hex(&Sha256::digest(&request.body));
    let canonical = format!("{}\n{}\n{}\n{lines}\n{}\n{digest}", request.method, request.path, query.join("&"), names.join(";"));
    let day = &amz_date[..8];
    let scope = format!("{day}/{}/{service}/aws4_request", keys.region);
    let to_sign = format!("AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let key = [day, &keys.region, service, "aws4_request"]
        .iter()
        .fold(format!("AWS4{}", keys.secret_key).into_bytes(), |key, part| mac(&key, part));
    let told = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={}",
        keys.access_key,
        names.join(";"),
        hex(&mac(&key, &to_sign))
    );
    request.header("Authorization", &told);
    request
}

/// A signed call of a JSON service.
pub fn call(addr: SocketAddr, keys: &ContextInfo, service: &str, target: &str, body: &Value) -> Signed {
    let mut request = Signed { method: "POST", path: "/".to_owned(), query: String::new(), headers: Vec::new(), body: body.to_string() };
    request.header("Content-Type", "application/x-amz-json-1.1");
    request.header("X-Amz-Target", target);
    request.header("Content-Length", &request.body.len().to_string());
    request.header("Connection", "close");
    sign(request, addr, keys, service, &stamp(0))
}

/// A signed handshake for the address that a session was given.
pub fn handshake(addr: SocketAddr, keys: &ContextInfo, url: &str, amz_date: &str) -> Signed {
    let rest = url.strip_prefix(&format!("ws://{addr}")).expect("the channel is where the simulator is");
    let (path, query) = rest.split_once('?').unwrap();
    let mut request = Signed { method: "GET", path: path.to_owned(), query: query.to_owned(), headers: Vec::new(), body: String::new() };
    request.header("Connection", "Upgrade");
    request.header("Upgrade", "websocket");
    request.header("Sec-WebSocket-Version", "13");
    request.header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    sign(request, addr, keys, "ssmmessages", amz_date)
}

/// Sends a request; status, the rest of the answer as far as it has come, and the connection.
fn exchange(addr: SocketAddr, request: &Signed) -> (u16, Vec<u8>, Vec<u8>, TcpStream) {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(request.text().as_bytes()).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the answer ends within its head");
        bytes.extend_from_slice(&buffer[..read]);
    };
    let rest = bytes.split_off(end);
    let status = std::str::from_utf8(&bytes[9..12]).unwrap().parse().unwrap();
    (status, bytes, rest, stream)
}

/// Sends a call and reads all of its answer.
pub fn send(addr: SocketAddr, request: &Signed) -> (u16, Value) {
    let (status, _, mut body, mut stream) = exchange(addr, request);
    // What is cut off is seen by its reader.
    let _ = stream.read_to_end(&mut body);
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// The same for an answer that is not JSON.
pub fn send_text(addr: SocketAddr, request: &Signed) -> (u16, String) {
    let (status, _, mut body, mut stream) = exchange(addr, request);
    // What is cut off is seen by its reader.
    let _ = stream.read_to_end(&mut body);
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// What `ExecuteCommand` answers.
pub fn execute(addr: SocketAddr, keys: &ContextInfo, cluster: &str, task: &str, container: &str, command: &str) -> (u16, Value) {
    let body = json!({"cluster": cluster, "task": task, "container": container, "command": command, "interactive": true});
    send(addr, &call(addr, keys, "ecs", "AmazonEC2ContainerServiceV20141113.ExecuteCommand", &body))
}

/// A message of the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub kind: String,
    /// The byte that fills up the kind.
    pub pad: u8,
    pub sequence: i64,
    pub flags: u64,
    pub id: Uuid,
    pub holds: u32,
    pub payload: Vec<u8>,
    pub digest_is_right: bool,
}

pub fn write(kind: &str, sequence: i64, flags: u64, id: Uuid, holds: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = 116_u32.to_be_bytes().to_vec();
    out.extend(format!("{kind:<32}").as_bytes());
    out.extend(1_u32.to_be_bytes());
    out.extend(1_503_434_274_948_u64.to_be_bytes());
    out.extend(sequence.to_be_bytes());
    out.extend(flags.to_be_bytes());
    out.extend(&id.as_bytes()[8..]);
    out.extend(&id.as_bytes()[..8]);
    out.extend(Sha256::digest(payload));
    out.extend(holds.to_be_bytes());
    out.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    out.extend(payload);
    out
}

fn read(bytes: &[u8]) -> Message {
    assert_eq!(bytes[..4], 116_u32.to_be_bytes(), "the header's length");
    let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
    let short = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let kind = std::str::from_utf8(&bytes[4..36]).unwrap();
    let payload = bytes[120..].to_vec();
    assert_eq!(short(116) as usize, payload.len(), "the payload's length");
    assert_eq!(short(36), 1, "the schema");
    let mut id = [0; 16];
    id[8..].copy_from_slice(&bytes[64..72]);
    id[..8].copy_from_slice(&bytes[72..80]);
    Message {
        kind: kind.trim_end_matches(['\0', ' ']).to_owned(),
        pad: bytes[35],
        sequence: number(48).cast_signed(),
        flags: number(56),
        id: Uuid::from_bytes(id),
        holds: short(112),
        digest_is_right: Sha256::digest(&payload)[..] == bytes[80..112],
        payload,
    }
}

/// An open connection, with what a client has to remember.
pub struct Channel {
    stream: TcpStream,
    bytes: Vec<u8>,
    expected: i64,
    early: BTreeMap<i64, Message>,
    next: i64,
    unacknowledged: BTreeMap<i64, Vec<u8>>,
    resent_at: Instant,
    /// Bytes of the remote, in order and each once.
    pub output: Vec<u8>,
    /// Every message that came, acknowledgements too.
    pub seen: Vec<Message>,
    /// The sequence numbers that were acknowledged.
    pub acknowledged: Vec<i64>,
    /// Output of `channel_closed`.
    pub closed: Option<String>,
    /// Code and reason of the close of the socket; code 0 if it just ended.
    pub ended: Option<(u16, String)>,
    /// Whether what comes is acknowledged.
    pub acknowledges: bool,
    /// How often a ping was answered.
    pub pongs: usize,
    /// Frames that go out together, so that the other side hears them in one breath.
    held: Option<Vec<u8>>,
}

impl Channel {
    /// Shakes hands.
    ///
    /// # Errors
    /// Status and body of a refusal.
    pub fn dial(addr: SocketAddr, request: &Signed) -> Result<Self, (u16, Value)> {
        let (status, head, bytes, mut stream) = exchange(addr, request);
        if status != 101 {
            let mut body = bytes;
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let mut rest = Vec::new();
            // Connections that are refused are kept alive; what has come is enough.
            let _ = stream.read_to_end(&mut rest);
            body.extend(rest);
            return Err((status, serde_json::from_slice(&body).unwrap_or(Value::Null)));
        }
        assert!(String::from_utf8_lossy(&head).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the answer to the example of RFC 6455");
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Ok(Self {
            stream,
            bytes,
            expected: 0,
            early: BTreeMap::new(),
            next: 0,
            unacknowledged: BTreeMap::new(),
            resent_at: Instant::now(),
            output: Vec::new(),
            seen: Vec::new(),
            acknowledged: Vec::new(),
            closed: None,
            ended: None,
            acknowledges: true,
            pongs: 0,
            held: None,
        })
    }

    /// Dials and shows a token.
    pub fn open(addr: SocketAddr, keys: &ContextInfo, url: &str, token: &str) -> Self {
        let mut channel = Self::dial(addr, &handshake(addr, keys, url, &stamp(0))).expect("the handshake is right");
        channel.show(token);
        channel
    }

    /// Dials, shows a token and types in one breath: before the other side can have done anything.
    pub fn open_saying(addr: SocketAddr, keys: &ContextInfo, url: &str, token: &str, text: &str) -> Self {
        let mut channel = Self::dial(addr, &handshake(addr, keys, url, &stamp(0))).expect("the handshake is right");
        channel.held = Some(Vec::new());
        channel.show(token);
        channel.keys(text);
        let all = channel.held.take().unwrap();
        channel.stream.write_all(&all).unwrap();
        channel
    }

    /// Goes on in another connection.
    pub fn reopen(&mut self, addr: SocketAddr, keys: &ContextInfo, url: &str, token: &str) {
        let fresh = Self::open(addr, keys, url, token);
        (self.stream, self.bytes, self.ended) = (fresh.stream, fresh.bytes, None);
    }

    /// Sends the opening text.
    pub fn show(&mut self, token: &str) {
        let id = Uuid::new_v4().to_string();
        let opening = json!({
            "MessageSchemaVersion": "1.0", "RequestId": id, "TokenValue": token, "ClientId": id, "ClientVersion": "1.2.764.0",
        });
        self.frame(1, opening.to_string().as_bytes());
    }

    /// One frame, masked as a client's must be.
    pub fn frame(&mut self, code: u8, payload: &[u8]) {
        let mask = [9, 8, 7, 6];
        let mut out = vec![0x80 | code];
        match payload.len() {
            short @ 0..126 => out.push(0x80 | u8::try_from(short).unwrap()),
            medium @ 126..65_536 => {
                out.push(0xfe);
                out.extend(u16::try_from(medium).unwrap().to_be_bytes());
            }
            long => {
                out.push(0xff);
                out.extend((long as u64).to_be_bytes());
            }
        }
        out.extend(mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        if let Some(held) = &mut self.held {
            return held.extend(out);
        }
        // Whoever has closed is found out about by reading.
        let _ = self.stream.write_all(&out);
    }

    /// Sends the next message of the input.
    pub fn input(&mut self, holds: u32, payload: &[u8]) -> i64 {
        let sequence = self.next;
        self.next += 1;
        let message = write(INPUT, sequence, 0, Uuid::new_v4(), holds, payload);
        self.frame(2, &message);
        self.unacknowledged.insert(sequence, message);
        sequence
    }

    /// Types.
    pub fn keys(&mut self, text: &str) {
        for piece in text.as_bytes().chunks(1024) {
            self.input(1, piece);
        }
    }

    pub fn size(&mut self, columns: u32, rows: u32) {
        self.input(3, json!({"cols": columns, "rows": rows}).to_string().as_bytes());
    }

    /// What the remote has said, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// Messages of input that are not acknowledged yet.
    pub fn waiting(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Goes on until something is so.
    #[track_caller]
    pub fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so(self) {
            assert!(
                Instant::now() < end,
                "waited in vain for {what}; closed: {:?}, ended: {:?}, said: {:?}",
                self.closed,
                self.ended,
                self.text()
            );
            assert!(
                self.step() || so(self),
                "over before {what}; closed: {:?}, ended: {:?}, said: {:?}",
                self.closed,
                self.ended,
                self.text()
            );
        }
    }

    /// Goes on until the remote has said something.
    #[track_caller]
    pub fn says(&mut self, text: &str) {
        self.until(&format!("{text:?}"), |channel| channel.text().contains(text));
    }

    /// Hears what has come, and resends what was lost; false if the connection is over.
    pub fn step(&mut self) -> bool {
        if self.resent_at.elapsed() > Duration::from_millis(250) {
            self.resent_at = Instant::now();
            if let Some(message) = self.unacknowledged.values().next().cloned() {
                self.frame(2, &message);
            }
        }
        while let Some((code, payload)) = self.take() {
            match code {
                // What is no message is nobody's.
                2 if payload.len() >= 120 => self.message(read(&payload)),
                8 => {
                    let code = payload.first_chunk::<2>().map_or(0, |two| u16::from_be_bytes(*two));
                    self.ended = Some((code, String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned()));
                }
                10 => self.pongs += 1,
                _ => {}
            }
        }
        if self.ended.is_some() {
            return false;
        }
        let mut buffer = [0; 16_384];
        match self.stream.read(&mut buffer) {
            Ok(read @ 1..) => self.bytes.extend_from_slice(&buffer[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Ok(_) | Err(_) => self.ended = Some((0, String::new())),
        }
        true
    }

    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let [first, second, rest @ ..] = &self.bytes[..] else { return None };
        assert_eq!(second & 0x80, 0, "a server masks nothing");
        let (length, header) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
            127 => (usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).unwrap(), 10),
            short => (usize::from(short), 2),
        };
        let code = first & 0x0f;
        let payload = self.bytes.get(header..header + length)?.to_vec();
        self.bytes.drain(..header + length);
        Some((code, payload))
    }

    fn message(&mut self, message: Message) {
        self.seen.push(message.clone());
        match message.kind.as_str() {
            "acknowledge" => {
                let said: Value = serde_json::from_slice(&message.payload).unwrap();
                assert_eq!(said["AcknowledgedMessageType"], INPUT);
                let sequence = said["AcknowledgedMessageSequenceNumber"].as_i64().unwrap();
                self.unacknowledged.remove(&sequence);
                self.acknowledged.push(sequence);
            }
            OUTPUT if message.digest_is_right && self.acknowledges => {
                let told = json!({
                    "AcknowledgedMessageType": OUTPUT,
                    "AcknowledgedMessageId": message.id.to_string(),
                    "AcknowledgedMessageSequenceNumber": message.sequence,
                    "IsSequentialMessage": true,
                });
                self.frame(2, &write("acknowledge", 0, 3, Uuid::new_v4(), 0, told.to_string().as_bytes()));
                self.early.entry(message.sequence).or_insert(message);
                while let Some(next) = self.early.remove(&self.expected) {
                    self.expected += 1;
                    if next.holds == 1 {
                        self.output.extend(next.payload);
                    }
                }
                self.early.retain(|sequence, _| *sequence > self.expected);
            }
            "channel_closed" => {
                let said: Value = serde_json::from_slice(&message.payload).unwrap();
                self.closed = Some(said["Output"].as_str().unwrap().to_owned());
            }
            _ => {}
        }
    }
}

/// Base64, as the documents of a handshake have it.
pub fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
