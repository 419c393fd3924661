//! A port forward: a listener on this machine, and every connection to it carried through one port session to a task at a time.
//!
//! What carries connections speaks to a session by [`crate::exec::Ask`] and [`Said`] and to nobody else; [`Way`] opens them.
//! Nothing ever listens beyond loopback.

mod attend;
mod basic;
mod keep;
mod mux;

pub use attend::attend;
pub use keep::{Way, told};

use crate::exec::forwards::{Ports, State, Status};
use crate::exec::session::Session;
use crate::exec::{End, Said};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// Newest agent that knows no smux.
const BASIC: [u32; 4] = [3, 0, 196, 0];

/// Newest agent that hangs up after 30 s without a frame.
const FORGETFUL: [u32; 4] = [3, 1, 1511, 0];

/// Takes a port of this machine; 0 takes a free one.
///
/// # Errors
/// One line: the port is taken, or may not be taken by this user.
pub async fn listen(port: u16) -> Result<(TcpListener, u16), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let port = listener.local_addr().map_err(|error| format!("cannot listen on {address}: {error}"))?.port();
    Ok((listener, port))
}

/// How long things take that are waited for.
#[derive(Clone, Copy)]
struct Times {
    /// How long the session waits for a reader whose buffer is full while others have connections too.
    patience: Duration,
    /// Between two frames that keep an old agent.
    keepalive: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Times { patience: Duration::from_secs(10), keepalive: Duration::from_secs(10) }
    }
}

/// Carries connections until the session is over; dropping the future closes all of them. `first` has been taken already.
async fn serve_in(
    times: Times,
    listener: &TcpListener,
    first: Option<TcpStream>,
    session: &mut Session,
    status: &watch::Sender<Status>,
) -> End {
    let Session { asks, said } = session;
    let end = match ready(said, status).await {
        Ok(agent) => {
            let old = |than: [u32; 4]| agent.as_deref().is_some_and(|version| numbers(version) <= than);
            status.send_modify(|status| status.state = State::Open { single: old(BASIC) });
            if old(BASIC) {
                basic::carry((listener, first), asks, said, status).await
            } else {
                mux::carry((listener, first), asks, said, status, (times, old(FORGETFUL))).await
            }
        }
        Err(end) => end,
    };
    status.send_modify(|status| status.open = 0);
    end
}

/// Waits until the agent has said who it is: its version decides how connections are carried.
async fn ready(said: &mut mpsc::Receiver<Said>, status: &watch::Sender<Status>) -> Result<Option<String>, End> {
    loop {
        match said.recv().await {
            Some(Said::Ready { agent, .. }) => return Ok(agent),
            Some(Said::Ended(end)) => return Err(end),
            Some(Said::Lost { why, .. }) => status.send_modify(|status| status.state = State::Lost(why)),
            Some(Said::Resumed) => status.send_modify(|status| status.state = State::Opening),
            Some(Said::Output(_) | Said::PortRefused) => {}
            None => return Err(End::Left),
        }
    }
}

/// The same forward with the AWS CLI, for the journal.
#[must_use]
pub fn cli_line(target: &str, ports: &Ports) -> String {
    let (document, host) = match &ports.host {
        Some(host) => ("AWS-StartPortForwardingSessionToRemoteHost", format!(",host={host}")),
        None => ("AWS-StartPortForwardingSession", String::new()),
    };
    let (port, local) = (ports.remote, if ports.local == 0 { ports.remote } else { ports.local });
    format!(
        "aws ssm start-session --target {target} --document-name {document} --parameters portNumber={port},localPortNumber={local}{host}"
    )
}

/// How long ending a session at AWS too is waited for.
const FAREWELL: Duration = Duration::from_secs(3);

/// Waits until a session that is over is ended at AWS too, for a moment: it would keep its place there.
pub async fn farewell(session: &mut Session) {
    let closed = async { while session.said.recv().await.is_some() {} };
    // What is not ended now ends by its idle timeout.
    let _ = tokio::time::timeout(FAREWELL, closed).await;
}

/// How a forward's session ended, for people.
#[must_use]
pub fn words(end: &End) -> String {
    match end {
        End::Closed(Some(why)) => why.trim().to_owned(),
        End::Closed(None) => "the task's side ended the session".to_owned(),
        End::Left => "ended here".to_owned(),
        End::Lost(why) => format!("connection lost: {why}"),
        End::Refused(why) => why.clone(),
    }
}

/// `3.3.40.0` as numbers that compare; what is none counts as nought.
fn numbers(version: &str) -> [u32; 4] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests;
