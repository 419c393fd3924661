//! A forward as long as somebody wants it: its sessions one after the other, for AWS ends each that nothing went through for twenty minutes.
//!
//! The port of this machine stays. What ends by itself is opened again by the next connection and not before: a session nobody uses would
//! only hold its place in the container.

use super::{Times, farewell, serve_in, words};
use crate::aws::{Api, AwsError, ErrorKind};
use crate::change::journal::Record;
use crate::exec::checks::explain_failure;
use crate::exec::forwards::{Ports, State, Status};
use crate::exec::link::Trust;
use crate::exec::notes::{Notes, To};
use crate::exec::session::{self, Options, Session};
use crate::exec::{Ask, End};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A terminal's size, which a port session has no use for.
const SIZE: (u16, u16) = (80, 24);

/// After a failure to take or to carry a connection.
const PAUSE: Duration = Duration::from_millis(500);

/// What a forward's sessions are opened with.
pub struct Way<'a> {
    /// The context.
    pub api: &'a Api,
    /// How Session Manager names the container.
    pub target: &'a str,
    /// To which port.
    pub ports: &'a Ports,
    /// The journal.
    pub notes: &'a Notes,
    /// What it says.
    pub to: To,
    /// Hears of each record, and why it could not be written.
    pub noted: &'a (dyn Fn(Record, Option<String>) + Send + Sync),
}

/// A session, and what the journal has of it.
pub struct Open {
    session: Session,
    record: Record,
}

impl Way<'_> {
    /// Opens a session.
    ///
    /// # Errors
    /// AWS's refusal, or the gate's.
    pub async fn open(&self) -> Result<Open, AwsError> {
        let grant = self.api.start_port_session(self.target, self.ports.remote, self.ports.host.as_deref()).await?;
        let record = self.note(self.notes.opened(self.api, &grant, &self.to).await);
        Ok(Open { session: session::open(self.api.clone(), grant, Options { size: SIZE, trust: Trust::of(self.api) }), record })
    }

    /// Carries connections until `leave` is done or the forward cannot go on; returns how its last session ended.
    pub async fn keep(
        &self,
        listener: TcpListener,
        mut open: Open,
        leave: impl Future<Output = ()>,
        status: &watch::Sender<Status>,
    ) -> End {
        tokio::pin!(leave);
        let (mut first, mut stood) = (None, false);
        loop {
            let (end, left) = serve(&listener, first.take(), &mut open, leave.as_mut(), status).await;
            stood |= matches!(status.borrow().state, State::Open { .. } | State::Lost(_));
            if left || !stood || !passes(&end) {
                // The port is free, and the screen knows, before the goodbyes, for which nobody waits.
                drop(listener);
                over(status, words(&end));
                self.end(open, &end).await;
                return end;
            }
            status.send_modify(|status| status.state = State::Resting(words(&end)));
            self.end(open, &end).await;
            (first, open) = loop {
                let again = async {
                    let connection = taken(&listener).await;
                    status.send_modify(|status| status.state = State::Opening);
                    (connection, self.open().await)
                };
                let (connection, opened) = tokio::select! {
                    again = again => again,
                    () = &mut leave => {
                        over(status, words(&End::Left));
                        return End::Left;
                    }
                };
                match opened {
                    Ok(again) => break (Some(connection), again),
                    Err(error) if lasts(&error) => {
                        over(status, told(&error.what));
                        return End::Refused(error.what.to_string());
                    }
                    Err(error) => {
                        // Its client sees a closed connection; the next one tries once more.
                        drop(connection);
                        status.send_modify(|status| status.state = State::Resting(told(&error.what)));
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            };
        }
    }

    async fn end(&self, mut open: Open, end: &End) {
        self.note(self.notes.ended(&open.record, self.api.now(), end).await);
        farewell(&mut open.session).await;
    }

    /// A journal that cannot be written does not keep a forward from being open.
    fn note(&self, noted: Result<Record, (Record, String)>) -> Record {
        let (record, why) = noted.map_or_else(|(record, why)| (record, Some(why)), |record| (record, None));
        (self.noted)(record.clone(), why);
        record
    }
}

/// One session until it ends; also says whether that was wanted here.
async fn serve(
    listener: &TcpListener,
    first: Option<TcpStream>,
    open: &mut Open,
    mut leave: std::pin::Pin<&mut impl Future<Output = ()>>,
    status: &watch::Sender<Status>,
) -> (End, bool) {
    let asks = open.session.asks.clone();
    let serving = serve_in(Times::default(), listener, first, &mut open.session, status);
    tokio::pin!(serving);
    let mut left = false;
    loop {
        tokio::select! {
            end = &mut serving => return (end, left),
            () = &mut leave, if !left => {
                left = true;
                let asks = asks.clone();
                // Beside it, for it is read only while connections are served. A session that has ended is what is wanted.
                tokio::spawn(async move { asks.send(Ask::Leave).await });
            }
        }
    }
}

/// The next connection; what cannot be taken, for too many open files, say, is waited out.
async fn taken(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => return connection,
            Err(error) => {
                tracing::warn!("a forward cannot take a connection: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn over(status: &watch::Sender<Status>, why: String) {
    status.send_modify(|status| status.state = State::Ended(why));
}

/// Whether another session could go on where this one ended: not where the task's side or the operator ended it.
fn passes(end: &End) -> bool {
    match end {
        End::Closed(Some(why)) => why.to_ascii_lowercase().contains("timed out"),
        End::Lost(_) => true,
        End::Closed(None) | End::Left | End::Refused(_) => false,
    }
}

/// Whether a refusal would be the same next time: the task is gone, or the role may not.
fn lasts(error: &AwsError) -> bool {
    matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Invalid)
        || error.code.as_deref() == Some("TargetNotConnected")
}

/// A refusal with what it means, where that is known.
#[must_use]
pub fn told(what: &str) -> String {
    format!("{what}{}", explain_failure(what).map_or(String::new(), |known| format!(" · {}: {}", known.cause, known.fix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ended_by_itself_and_can_be_again_is_opened_again() {
        let closed = |why: &str| End::Closed(Some(why.into()));
        assert!(passes(&closed("Your session timed out due to inactivity and has been terminated.")));
        assert!(passes(&End::Lost("nothing was heard for 75 s".to_owned())));
        for end in
            [closed("Forwarding to IP address 169.254.169.254 is forbidden."), End::Closed(None), End::Left, End::Refused("x".to_owned())]
        {
            assert!(!passes(&end), "{end:?}");
        }
    }

    #[test]
    fn a_refusal_is_told_with_what_it_means() {
        let told = told("Cannot forward: TargetNotConnected: ecs:main_1_2 is not connected.");
        assert!(told.contains("not in contact with Session Manager"), "{told}");
    }
}
