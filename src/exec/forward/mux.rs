//! Any number of connections in one session, by smux.
//!
//! One task owns the session; each connection has one of its own, and all of them share bounded queues. Version 1 of smux has no flow
//! control of its own: who does not read holds its own buffer full first, then the whole session, and is let go when others wait for it.

use super::Times;
use crate::exec::forwards::{State, Status};
use crate::exec::smux::{self, Heard, Numbers, Reader};
use crate::exec::{Ask, End, Said};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// Bytes from the task that wait for one local reader before the session has to wait for it: the receive window of smux.
const BUFFER: usize = 4 << 20;

/// Largest piece of those.
const PIECE: usize = 64 * 1024;

/// Bytes that are read from a connection at once.
const READ: usize = 16 * 1024;

/// Frames that wait for the session before no more is read from connections.
const OUT: usize = 8;

/// How long a connection whose other end is done may go on talking: closing it at once would take back what it has not read yet.
const LINGER: Duration = Duration::from_secs(10);

/// What a connection's task says.
enum Local {
    Bytes(Vec<u8>),
    /// No more will be written to it here.
    Eof,
    /// It is gone, both ways.
    Gone,
}

/// Bytes on their way to a local reader, with their share of its buffer.
type Piece = (Vec<u8>, OwnedSemaphorePermit);

/// A connection, as the owner of the session sees it.
struct Connection {
    to: mpsc::UnboundedSender<Piece>,
    room: Arc<Semaphore>,
    finished: bool,
    task: AbortHandle,
}

struct Forward<'a> {
    status: &'a watch::Sender<Status>,
    numbers: Numbers,
    connections: HashMap<u32, Connection>,
    tasks: JoinSet<()>,
    from: mpsc::Sender<(u32, Local)>,
    out: VecDeque<Vec<u8>>,
    /// Read from the session, and not yet given to connections.
    heard: VecDeque<Heard>,
}

pub(super) async fn carry(
    (listener, first): (&TcpListener, Option<TcpStream>),
    asks: &mpsc::Sender<Ask>,
    said: &mut mpsc::Receiver<Said>,
    status: &watch::Sender<Status>,
    (times, forgetful): (Times, bool),
) -> End {
    let (from, mut locals) = mpsc::channel(64);
    let mut forward = Forward {
        status,
        numbers: Numbers::default(),
        connections: HashMap::new(),
        tasks: JoinSet::new(),
        from,
        out: VecDeque::new(),
        heard: VecDeque::new(),
    };
    if let Some(first) = first {
        // The session's first: there is a number for it.
        forward.accept(first);
    }
    let mut reader = Reader::default();
    let mut keepalive = tokio::time::interval(times.keepalive);
    let mut full_since: Option<Instant> = None;
    loop {
        let full = forward.deliver();
        full_since = full.as_ref().and(full_since.or_else(|| Some(Instant::now())));
        let room = forward.out.len() < OUT;
        tokio::select! {
            place = asks.reserve(), if !forward.out.is_empty() => {
                let Ok(place) = place else { return End::Left };
                if let Some(frames) = forward.out.pop_front() {
                    place.send(Ask::Input(frames));
                }
            }
            heard = said.recv(), if full.is_none() => match heard {
                None => return End::Left,
                Some(Said::Ended(end)) => return forward.over(end).await,
                Some(Said::Output(bytes)) => match reader.read(&bytes) {
                    Ok(heard) => forward.heard.extend(heard),
                    Err(garbled) => return forward.over(End::Lost(garbled.to_string())).await,
                },
                Some(Said::PortRefused) => status.send_modify(|status| status.refused += 1),
                Some(Said::Lost { why, .. }) => status.send_modify(|status| status.state = State::Lost(why)),
                Some(Said::Resumed) => status.send_modify(|status| status.state = State::Open { single: false }),
                Some(Said::Ready { .. }) => {}
            },
            () = room_of(full.as_ref()), if full.is_some() => {}
            () = patience(full_since, times), if full.is_some() && forward.connections.len() > 1 => {
                forward.let_go(full.map(|(id, ..)| id));
                full_since = None;
            }
            local = locals.recv(), if room => if let Some((id, local)) = local { forward.local(id, local) },
            accepted = listener.accept(), if room => match accepted {
                Ok((connection, _)) => if !forward.accept(connection) {
                    return forward.over(End::Lost("the session has no numbers left".to_owned())).await;
                },
                // Too many open files, say: those that are open go on.
                Err(error) => tracing::warn!("a forward cannot take a connection: {error}"),
            },
            _ = keepalive.tick(), if forgetful => forward.out.push_back(smux::KEEPALIVE.to_vec()),
            _ = forward.tasks.join_next(), if !forward.tasks.is_empty() => {}
        }
    }
}

/// A connection whose buffer is full, and what it needs.
type Full = (u32, Arc<Semaphore>, u32);

async fn room_of(full: Option<&Full>) {
    if let Some((_, room, needs)) = full {
        // Taken and given back at once: the next delivery takes it for good. Only a closed semaphore fails, and then delivery finds out.
        let _ = room.acquire_many(*needs).await;
    }
}

async fn patience(since: Option<Instant>, times: Times) {
    match since {
        Some(since) => tokio::time::sleep_until(since + times.patience).await,
        None => std::future::pending().await,
    }
}

impl Forward<'_> {
    fn accept(&mut self, connection: TcpStream) -> bool {
        let Some(id) = self.numbers.take() else { return false };
        let (to, pieces) = mpsc::unbounded_channel();
        // Small answers of an interactive protocol should not wait for more.
        let _ = connection.set_nodelay(true);
        let task = self.tasks.spawn(converse(id, connection, self.from.clone(), pieces));
        self.connections.insert(id, Connection { to, room: Arc::new(Semaphore::new(BUFFER)), finished: false, task });
        self.out.push_back(smux::open(id));
        self.status.send_modify(|status| {
            status.open += 1;
            status.connections += 1;
        });
        true
    }

    /// Gives connections what was heard, until one is full.
    fn deliver(&mut self) -> Option<Full> {
        while let Some(heard) = self.heard.front_mut() {
            match heard {
                Heard::Data(id, bytes) => {
                    let id = *id;
                    if let Some(connection) = self.connections.get(&id) {
                        let piece = bytes.len().min(PIECE);
                        let needs = u32::try_from(piece).expect("a piece is far smaller than the field");
                        let Ok(permit) = Arc::clone(&connection.room).try_acquire_many_owned(needs) else {
                            return Some((id, Arc::clone(&connection.room), needs));
                        };
                        let now = if piece == bytes.len() { std::mem::take(bytes) } else { bytes.drain(..piece).collect() };
                        self.status.send_modify(|status| status.received += piece as u64);
                        // A connection whose task has ended says so by itself.
                        let _ = connection.to.send((now, permit));
                        if !bytes.is_empty() {
                            continue;
                        }
                    }
                }
                Heard::Finished(id) => {
                    let id = *id;
                    self.close(id);
                }
                // An agent opens none; what it would say on one has no reader.
                Heard::Opened(id) => self.out.push_back(smux::finish(*id)),
            }
            self.heard.pop_front();
        }
        None
    }

    fn local(&mut self, id: u32, local: Local) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match local {
            Local::Bytes(bytes) if !connection.finished => {
                self.status.send_modify(|status| status.sent += bytes.len() as u64);
                self.out.push_back(smux::push(id, &bytes));
            }
            Local::Eof if !connection.finished => {
                connection.finished = true;
                self.out.push_back(smux::finish(id));
            }
            Local::Bytes(_) | Local::Eof => {}
            Local::Gone => self.close(id),
        }
    }

    /// Forgets a connection: its task writes out what it has and ends.
    fn close(&mut self, id: u32) {
        let Some(connection) = self.connections.remove(&id) else { return };
        if !connection.finished {
            self.out.push_back(smux::finish(id));
        }
        self.status.send_modify(|status| status.open = status.open.saturating_sub(1));
    }

    /// Ends the connection that keeps all others waiting.
    fn let_go(&mut self, id: Option<u32>) {
        let Some(id) = id else { return };
        if let Some(connection) = self.connections.get(&id) {
            // What it has not been given is lost, and so it must not end as if it were whole.
            connection.task.abort();
        }
        self.heard.retain(|heard| !matches!(heard, Heard::Data(other, _) if *other == id));
        self.close(id);
        self.status.send_modify(|status| status.stalled += 1);
    }

    /// Lets every connection have what has come for it, for a moment.
    async fn over(mut self, end: End) -> End {
        self.deliver();
        self.connections.clear();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Who does not read now loses it: the session is over.
        let _ = tokio::time::timeout(Duration::from_millis(500), all).await;
        end
    }
}

/// One connection, both ways.
async fn converse(id: u32, connection: TcpStream, from: mpsc::Sender<(u32, Local)>, mut pieces: mpsc::UnboundedReceiver<Piece>) {
    let (mut read, mut write) = connection.into_split();
    let reading = async {
        let mut buffer = vec![0; READ];
        loop {
            let told = match read.read(&mut buffer).await {
                Ok(0) => Local::Eof,
                Ok(n) => Local::Bytes(buffer[..n].to_vec()),
                Err(_) => Local::Gone,
            };
            let last = !matches!(told, Local::Bytes(_));
            if from.send((id, told)).await.is_err() || last {
                return;
            }
        }
    };
    let writing = async {
        while let Some((bytes, room)) = pieces.recv().await {
            if write.write_all(&bytes).await.is_err() {
                // An owner that is gone needs no telling.
                let _ = from.send((id, Local::Gone)).await;
                return;
            }
            drop(room);
        }
        // A reader that is gone already needs no end.
        let _ = write.shutdown().await;
    };
    tokio::pin!(reading, writing);
    tokio::select! {
        () = &mut reading => writing.await,
        () = &mut writing => drop(tokio::time::timeout(LINGER, reading).await),
    }
}
