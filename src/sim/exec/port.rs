//! A port forward: connections out of one stream of bytes, and something that answers behind each port.
//!
//! Nothing is dialled. What answers is `responder`, in this process; which ports it answers on is what the container says it exposes, or any
//! of another host. Where the real agent refuses, this one does too, with its words.

mod responder;
mod smux;

use super::remote::{Given, Program, Remote, Said};
use super::{Order, holds_version};
use bytes::{Bytes, BytesMut};
use smux::{Command, Frame};
use std::collections::HashMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};

/// Flags of the protocol.
const DISCONNECT: u32 = 1;
const TERMINATE: u32 = 2;
const CONNECT_FAILED: u32 = 3;
/// Bytes of all connections that wait for whoever answers, as the multiplexer of the agent bounds them.
const WINDOW: usize = 4 << 20;
/// A frame of ours holds at most so much.
const FRAME: usize = 32 * 1024;
/// Without a word for so long, an agent that keeps its connections alive gives up.
const SILENCE: Duration = Duration::from_secs(30);
/// What an agent says each few seconds, if it keeps its connections alive.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Addresses that no forward may lead to: the metadata of the machine and of the task, and the resolver of the VPC.
const FORBIDDEN: [&str; 6] = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.169.253", "fd00:ec2::254", "fd00:ec2::253"];

/// Starts a forward.
///
/// # Errors
/// The agent's words for why not.
pub(super) fn start(order: &Order, number: u16, host: Option<&str>, client: &str) -> Result<Remote, String> {
    if let Some(host) = host.filter(|host| FORBIDDEN.contains(host)) {
        return Err(format!("Forwarding to IP address {host} is forbidden."));
    }
    let answers = host.is_some_and(|host| !matches!(host, "localhost" | "127.0.0.1" | "::1")) || order.ports.contains(&number);
    let about = format!("{}:{number}", host.unwrap_or(&order.place.container_name));
    let (input, given) = mpsc::channel(64);
    let (said, output) = mpsc::channel(4);
    let behind = Behind { answers, about };
    if holds_version(&order.agent, "3.0.196.0") && holds_version(client, "1.1.69.0") {
        let kept_alive = !holds_version(&order.agent, "3.1.1511.0");
        tokio::spawn(many(behind, given, said, kept_alive));
    } else {
        tokio::spawn(one(behind, given, said));
    }
    Ok(Remote { input, output, program: Program::Task })
}

/// What is behind the port.
#[derive(Debug, Clone)]
struct Behind {
    answers: bool,
    about: String,
}

impl Behind {
    fn connect(&self) -> Option<DuplexStream> {
        self.answers.then(|| {
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            tokio::spawn(responder::answer(theirs, self.about.clone()));
            ours
        })
    }
}

/// An agent without a multiplexer: one connection at a time, its bytes as they are.
async fn one(behind: Behind, mut given: Receiver<Given>, said: Sender<Said>) {
    let mut connection: Option<DuplexStream> = None;
    let mut buffer = vec![0; FRAME];
    loop {
        let read = async {
            match &mut connection {
                Some(connection) => connection.read(&mut buffer).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            word = given.recv() => match word {
                None | Some(Given::Flag(TERMINATE)) => return,
                Some(Given::Flag(DISCONNECT)) => connection = None,
                Some(Given::Flag(_)) => {}
                Some(Given::Bytes(bytes)) => {
                    if connection.is_none() {
                        connection = behind.connect();
                    }
                    let written = match &mut connection {
                        Some(connection) => connection.write_all(&bytes).await.is_ok(),
                        None => false,
                    };
                    if !written && said.send(Said::Flag(CONNECT_FAILED)).await.is_err() {
                        return;
                    }
                }
            },
            read = read => match read {
                Ok(read @ 1..) => {
                    if said.send(Said::Bytes(Bytes::copy_from_slice(&buffer[..read]))).await.is_err() {
                        return;
                    }
                }
                _ => connection = None,
            },
        }
    }
}

/// A connection within the stream.
struct Stream {
    /// What the client sent and has not been taken yet; dropped when the client has said its last.
    to: Option<UnboundedSender<Bytes>>,
}

/// What connections tell the multiplexer.
enum Event {
    Frame(Frame),
    /// So many bytes were taken.
    Taken(usize),
}

/// An agent with a multiplexer: any number of connections.
async fn many(behind: Behind, mut given: Receiver<Given>, said: Sender<Said>, kept_alive: bool) {
    let mut streams: HashMap<u32, Stream> = HashMap::new();
    let (tell, mut told) = mpsc::channel(8);
    let (mut bytes, mut waiting) = (BytesMut::new(), 0_usize);
    let mut heard = tokio::time::Instant::now();
    let mut beats = tokio::time::interval(KEEPALIVE);
    loop {
        tokio::select! {
            word = given.recv(), if waiting < WINDOW => match word {
                None | Some(Given::Flag(TERMINATE)) => return,
                Some(Given::Flag(_)) => {}
                Some(Given::Bytes(more)) => {
                    heard = tokio::time::Instant::now();
                    bytes.extend_from_slice(&more);
                    loop {
                        match smux::take(&mut bytes) {
                            Ok(Some(frame)) => {
                                let sent = opened(&behind, &mut streams, frame, &tell, &mut waiting);
                                if let Some(word) = sent && !answer(&said, word).await {
                                    return;
                                }
                            }
                            Ok(None) => break,
                            // The agent's multiplexer gives up on what it cannot read.
                            Err(()) => return,
                        }
                    }
                }
            },
            event = told.recv() => match event {
                None => return,
                Some(Event::Taken(taken)) => waiting -= taken,
                Some(Event::Frame(frame)) => {
                    if frame.command == Command::Fin && streams.get(&frame.stream).is_some_and(|stream| stream.to.is_none()) {
                        streams.remove(&frame.stream);
                    }
                    if said.send(Said::Bytes(frame.write())).await.is_err() {
                        return;
                    }
                }
            },
            _ = beats.tick(), if kept_alive => {
                let beat = Frame { command: Command::Nop, stream: 0, data: Bytes::new() };
                if heard.elapsed() > SILENCE || said.send(Said::Bytes(beat.write())).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn answer(said: &Sender<Said>, (stream, flag): (u32, u32)) -> bool {
    let fin = Frame { command: Command::Fin, stream, data: Bytes::new() };
    said.send(Said::Flag(flag)).await.is_ok() && said.send(Said::Bytes(fin.write())).await.is_ok()
}

/// Does what a frame of the client's wants; a connection that fails is answered by a flag and the end of its stream.
fn opened(
    behind: &Behind,
    streams: &mut HashMap<u32, Stream>,
    frame: Frame,
    tell: &Sender<Event>,
    waiting: &mut usize,
) -> Option<(u32, u32)> {
    match frame.command {
        Command::Syn => match behind.connect() {
            Some(connection) => {
                let (to, from) = mpsc::unbounded_channel();
                streams.insert(frame.stream, Stream { to: Some(to) });
                tokio::spawn(carry(frame.stream, connection, from, tell.clone()));
                None
            }
            None => Some((frame.stream, CONNECT_FAILED)),
        },
        Command::Psh => {
            let to = streams.get(&frame.stream).and_then(|stream| stream.to.as_ref());
            let length = frame.data.len();
            // Bytes for a connection that is gone are nobody's.
            if to.is_some_and(|to| to.send(frame.data).is_ok()) {
                *waiting += length;
            }
            None
        }
        Command::Fin => {
            if let Some(stream) = streams.get_mut(&frame.stream) {
                stream.to = None;
            }
            None
        }
        Command::Nop => None,
    }
}

/// Carries the bytes of one connection both ways until both have ended.
async fn carry(stream: u32, connection: DuplexStream, mut from: UnboundedReceiver<Bytes>, tell: Sender<Event>) {
    let (mut read, mut write) = tokio::io::split(connection);
    let there = async {
        while let Some(bytes) = from.recv().await {
            let written = write.write_all(&bytes).await.is_ok();
            if tell.send(Event::Taken(bytes.len())).await.is_err() {
                return;
            }
            if !written {
                from.close();
            }
        }
        // The other side may be gone already.
        let _ = write.shutdown().await;
    };
    let back = async {
        let mut buffer = vec![0; FRAME];
        while let Ok(length @ 1..) = read.read(&mut buffer).await {
            let data = Bytes::copy_from_slice(&buffer[..length]);
            if tell.send(Event::Frame(Frame { command: Command::Psh, stream, data })).await.is_err() {
                return;
            }
        }
        // Nobody to tell is no trouble at the end.
        let _ = tell.send(Event::Frame(Frame { command: Command::Fin, stream, data: Bytes::new() })).await;
    };
    tokio::join!(there, back);
}
