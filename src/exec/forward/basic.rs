//! Agents that know no smux: one connection at a time, its bytes as they are.

use crate::exec::forwards::{State, Status};
use crate::exec::{Ask, End, Said};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// Bytes that are read from a connection at once.
const READ: usize = 16 * 1024;

pub(super) async fn carry(
    (listener, mut first): (&TcpListener, Option<TcpStream>),
    asks: &mpsc::Sender<Ask>,
    said: &mut mpsc::Receiver<Said>,
    status: &watch::Sender<Status>,
) -> End {
    loop {
        let next = async {
            match first.take() {
                Some(first) => Ok(first),
                None => listener.accept().await.map(|(connection, _)| connection),
            }
        };
        let connection = tokio::select! {
            biased;
            accepted = next => accepted,
            heard = said.recv() => match heard {
                Some(Said::Ended(end)) => return end,
                None => return End::Left,
                Some(other) => {
                    // Bytes that come now belong to a connection that is closed.
                    note(&other, status);
                    continue;
                }
            },
        };
        let Ok(connection) = connection else { continue };
        status.send_modify(|status| {
            status.open = 1;
            status.connections += 1;
        });
        let end = one(connection, asks, said, status).await;
        status.send_modify(|status| status.open = 0);
        if let Some(end) = end {
            return end;
        }
        if asks.send(Ask::Disconnect).await.is_err() {
            return End::Left;
        }
    }
}

/// Carries one connection; the session's end, when that is what ended it.
async fn one(
    mut local: TcpStream,
    asks: &mpsc::Sender<Ask>,
    said: &mut mpsc::Receiver<Said>,
    status: &watch::Sender<Status>,
) -> Option<End> {
    let (mut from, mut to) = local.split();
    let mut buffer = vec![0; READ];
    loop {
        tokio::select! {
            // A place in the session's queue comes first: what is read must have somewhere to go.
            place = asks.reserve() => {
                let Ok(place) = place else { return Some(End::Left) };
                tokio::select! {
                    read = from.read(&mut buffer) => {
                        let n = read.unwrap_or(0);
                        if n == 0 {
                            return None;
                        }
                        place.send(Ask::Input(buffer[..n].to_vec()));
                        status.send_modify(|status| status.sent += n as u64);
                    }
                    heard = said.recv() => if let Some(over) = take(heard, &mut to, status).await { return over },
                }
            }
            heard = said.recv() => if let Some(over) = take(heard, &mut to, status).await { return over },
        }
    }
}

/// Takes in what the session said. The inner value, when there is one, ends the whole forward; the outer one this connection.
async fn take(heard: Option<Said>, to: &mut tokio::net::tcp::WriteHalf<'_>, status: &watch::Sender<Status>) -> Option<Option<End>> {
    match heard {
        None => Some(Some(End::Left)),
        Some(Said::Ended(end)) => {
            // Whoever reads gets an end instead of a reset; it may be gone already.
            let _ = to.shutdown().await;
            Some(Some(end))
        }
        Some(Said::Output(bytes)) => {
            status.send_modify(|status| status.received += bytes.len() as u64);
            if to.write_all(&bytes).await.is_err() { Some(None) } else { None }
        }
        Some(Said::PortRefused) => {
            status.send_modify(|status| status.refused += 1);
            Some(None)
        }
        Some(other) => {
            note(&other, status);
            None
        }
    }
}

fn note(said: &Said, status: &watch::Sender<Status>) {
    match said {
        Said::Lost { why, .. } => status.send_modify(|status| status.state = State::Lost(why.clone())),
        Said::Resumed => status.send_modify(|status| status.state = State::Open { single: true }),
        Said::PortRefused => status.send_modify(|status| status.refused += 1),
        Said::Ready { .. } | Said::Output(_) | Said::Ended(_) => {}
    }
}
