//! Port forwards against an agent made here: many connections, refused ports, readers that do not read.

use super::*;
use crate::exec::Ask;
use crate::exec::smux::{self, Heard, Reader};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// What the agent of a test does with a connection.
#[derive(Clone, Copy, PartialEq)]
enum Service {
    /// Sends back what comes.
    Echo,
    /// Cannot connect.
    Refuse,
    /// Floods the first connection with so many bytes, and echoes the others.
    Flood(usize),
}

/// Everything about a forward under test.
struct Bench {
    port: u16,
    status: watch::Receiver<Status>,
    said: mpsc::Sender<Said>,
    served: JoinHandle<End>,
    agent: JoinHandle<Vec<Ask>>,
}

/// Nobody waits for a test.
const QUICK: Times = Times { patience: Duration::from_millis(20), keepalive: Duration::from_millis(20) };

async fn bench(version: &str, service: Service) -> Bench {
    let (asks, asked) = mpsc::channel(64);
    let (say, said) = mpsc::channel(256);
    let (tell, status) = watch::channel(Status::default());
    let (listener, port) = listen(0).await.unwrap();
    let served = tokio::spawn(async move { serve_in(QUICK, &listener, None, &mut Session { asks, said }, &tell).await });
    say.send(Said::Ready { agent: Some(version.to_owned()), encrypted: false, message: None }).await.unwrap();
    let single = numbers(version) <= BASIC;
    let agent = tokio::spawn(agent(asked, say.clone(), service, single));
    Bench { port, status, said: say, served, agent }
}

/// An agent as far as a forward sees it; returns what was asked beside bytes.
async fn agent(mut asked: mpsc::Receiver<Ask>, say: mpsc::Sender<Said>, service: Service, single: bool) -> Vec<Ask> {
    let (mut reader, mut others, mut flood) = (Reader::default(), Vec::new(), None);
    // Frames of several connections must not be mixed.
    let wire = Arc::new(Mutex::new(()));
    let output = |bytes: Vec<u8>| {
        let (say, wire) = (say.clone(), Arc::clone(&wire));
        async move {
            let _alone = wire.lock().await;
            // The agent's messages carry 1024 bytes, wherever frames end.
            for piece in bytes.chunks(1024) {
                let _ = say.send(Said::Output(piece.to_vec())).await;
            }
        }
    };
    while let Some(ask) = asked.recv().await {
        let Ask::Input(bytes) = ask else {
            others.push(ask);
            continue;
        };
        if single {
            output(bytes).await;
            continue;
        }
        for heard in reader.read(&bytes).unwrap() {
            match heard {
                Heard::Opened(id) if service == Service::Refuse => {
                    let _ = say.send(Said::PortRefused).await;
                    output(smux::finish(id)).await;
                }
                Heard::Opened(id) => {
                    if let (Service::Flood(size), None) = (service, flood) {
                        flood = Some(id);
                        // Beside the others, as another connection of the agent's would.
                        let frames: Vec<_> = vec![7; size].chunks(16 * 1024).map(|body| output(smux::push(id, body))).collect();
                        tokio::spawn(async move {
                            for frame in frames {
                                frame.await;
                            }
                        });
                    }
                }
                Heard::Data(id, bytes) if flood != Some(id) => output(smux::push(id, &bytes)).await,
                Heard::Finished(id) => output(smux::finish(id)).await,
                Heard::Data(..) => {}
            }
        }
    }
    others
}

async fn connect(port: u16) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap()
}

/// Sends bytes and reads as many back.
async fn echoed(stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
    let (mut read, mut write) = stream.into_split();
    let mut back = vec![0; bytes.len()];
    let (sent, got) = tokio::join!(write.write_all(bytes), read.read_exact(&mut back));
    sent.unwrap();
    got.unwrap();
    back
}

fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Waits until the forward stands so; a minute is for ever.
async fn until(status: &mut watch::Receiver<Status>, holds: impl FnMut(&Status) -> bool) -> Status {
    let mut seen = status.clone();
    match tokio::time::timeout(Duration::from_mins(1), seen.wait_for(holds)).await {
        Ok(now) => now.unwrap().clone(),
        Err(late) => panic!("it stands for ever ({late}): {:?}", *status.borrow()),
    }
}

#[tokio::test]
async fn fifty_connections_at_once_get_their_own_bytes_back() {
    let mut bench = bench("3.3.40.0", Service::Echo).await;
    let port = bench.port;
    let one = |n: u64| async move {
        let sent = bytes(n, 200_000 + usize::try_from(n).unwrap() * 37);
        let back = echoed(connect(port).await, &sent).await;
        (Sha256::digest(sent), Sha256::digest(back))
    };
    let all: Vec<_> = (0..50).map(|n| tokio::spawn(one(n))).collect();
    for one in all {
        let (sent, back) = one.await.unwrap();
        assert_eq!(sent, back);
    }
    let status = until(&mut bench.status, |status| status.open == 0).await;
    let expected: u64 = (0..50).map(|n| 200_000 + n * 37).sum();
    assert_eq!((status.connections, status.sent, status.received), (50, expected, expected));
    assert_eq!(status.state, State::Open { single: false });
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_said_and_the_forward_goes_on() {
    let mut bench = bench("3.3.40.0", Service::Refuse).await;
    for n in 1..=2 {
        let mut stream = connect(bench.port).await;
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
        until(&mut bench.status, |status| status.refused == n && status.open == 0).await;
    }
}

#[tokio::test]
async fn the_end_of_what_a_client_sends_reaches_the_task_and_its_answer_the_client() {
    let bench = bench("3.3.40.0", Service::Echo).await;
    let mut stream = connect(bench.port).await;
    stream.write_all(b"what?").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"what?");
}

#[tokio::test]
async fn who_does_not_read_is_let_go_once_others_wait() {
    let mut bench = bench("3.3.40.0", Service::Flood(64 << 20)).await;
    let idle = connect(bench.port).await;
    until(&mut bench.status, |status| status.open == 1).await;
    let other = connect(bench.port).await;
    let status = until(&mut bench.status, |status| status.stalled == 1).await;
    let heard = tokio::time::timeout(Duration::from_mins(1), echoed(other, b"still here")).await;
    assert_eq!(heard.as_deref(), Ok(&b"still here"[..]), "{:?}", *bench.status.borrow());
    assert!(status.received >= BUFFERED, "{status:?}");
    drop(idle);
}

/// What must at least be taken for a reader before it counts as one that does not read.
const BUFFERED: u64 = 4 << 20;

#[tokio::test]
async fn the_end_of_the_session_ends_every_connection_and_says_why() {
    let mut bench = bench("3.3.40.0", Service::Echo).await;
    let mut stream = connect(bench.port).await;
    until(&mut bench.status, |status| status.open == 1).await;
    bench.said.send(Said::Output(smux::push(3, b"last words"))).await.unwrap();
    bench.said.send(Said::Ended(End::Closed(Some("\nYour session timed out\n".into())))).await.unwrap();
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"last words");
    assert!(matches!(bench.served.await.unwrap(), End::Closed(Some(_))));
    let status = bench.status.borrow().clone();
    assert_eq!(status.open, 0);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, bench.port)).await.is_err(), "the port is still taken");
}

#[tokio::test]
async fn rubbish_from_the_agent_ends_the_forward_in_words() {
    let bench = bench("3.3.40.0", Service::Echo).await;
    bench.said.send(Said::Output(b"HTTP/1.1 200 OK".to_vec())).await.unwrap();
    let End::Lost(why) = bench.served.await.unwrap() else { panic!("not lost") };
    assert!(why.contains("garbled"), "{why}");
}

#[tokio::test]
async fn an_agent_without_smux_carries_one_connection_after_the_other() {
    let mut bench = bench("3.0.196.0", Service::Echo).await;
    for n in 1..=3 {
        let sent = bytes(n, 100_000);
        assert_eq!(echoed(connect(bench.port).await, &sent).await, sent);
        until(&mut bench.status, |status| status.connections == n && status.open == 0).await;
    }
    assert_eq!(bench.status.borrow().state, State::Open { single: true });
    bench.served.abort();
    assert!(bench.agent.await.unwrap().iter().filter(|ask| **ask == Ask::Disconnect).count() >= 2);
}

#[tokio::test]
async fn an_old_agent_is_kept_and_a_new_one_is_left_in_peace() {
    for (version, kept) in [("3.1.1511.0", true), ("3.1.1512.0", false)] {
        let (asks, mut asked) = mpsc::channel(64);
        let (say, said) = mpsc::channel(256);
        let (tell, _status) = watch::channel(Status::default());
        let (listener, port) = listen(0).await.unwrap();
        let served = tokio::spawn(async move { serve_in(QUICK, &listener, None, &mut Session { asks, said }, &tell).await });
        say.send(Said::Ready { agent: Some(version.to_owned()), encrypted: false, message: None }).await.unwrap();
        let frame = || Some(Ask::Input(smux::KEEPALIVE.to_vec()));
        if kept {
            assert_eq!((asked.recv().await, asked.recv().await), (frame(), frame()));
        } else {
            let _connection = connect(port).await;
            assert_eq!(asked.recv().await, Some(Ask::Input(smux::open(3))));
        }
        served.abort();
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_is_the_forward_s_end() {
    let (asks, _asked) = mpsc::channel(64);
    let (say, said) = mpsc::channel(256);
    let (tell, status) = watch::channel(Status::default());
    let (listener, port) = listen(0).await.unwrap();
    assert!(listener.local_addr().unwrap().ip().is_loopback());
    say.send(Said::Ended(End::Refused("TargetNotConnected".to_owned()))).await.unwrap();
    let end = serve_in(QUICK, &listener, None, &mut Session { asks, said }, &tell).await;
    assert_eq!(end, End::Refused("TargetNotConnected".to_owned()));
    assert_eq!(status.borrow().state, State::Opening, "it never was open");
    drop(listener);
    // A port that is taken is said as such.
    let (taken, _) = listen(port).await.unwrap();
    assert!(listen(taken.local_addr().unwrap().port()).await.unwrap_err().contains("cannot listen on 127.0.0.1"));
}

#[tokio::test]
async fn a_connection_that_was_taken_before_the_session_stood_is_carried() {
    for version in ["3.3.40.0", "3.0.196.0"] {
        let (asks, asked) = mpsc::channel(64);
        let (say, said) = mpsc::channel(256);
        let (tell, _status) = watch::channel(Status::default());
        let (listener, port) = listen(0).await.unwrap();
        let early = connect(port).await;
        let (first, _) = listener.accept().await.unwrap();
        let served = tokio::spawn(async move { serve_in(QUICK, &listener, Some(first), &mut Session { asks, said }, &tell).await });
        say.send(Said::Ready { agent: Some(version.to_owned()), encrypted: false, message: None }).await.unwrap();
        let _agent = tokio::spawn(agent(asked, say.clone(), Service::Echo, numbers(version) <= BASIC));
        let sent = bytes(1, 5_000);
        assert_eq!(echoed(early, &sent).await, sent);
        served.abort();
    }
}
