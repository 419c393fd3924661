//! A forward from the order to its end, beside whoever shows it: the port of this machine, the session, and what becomes of both.

use super::{farewell, listen, serve, words};
use crate::aws::Api;
use crate::exec::Ask;
use crate::exec::checks::explain_failure;
use crate::exec::forwards::{Heard, Order, Status};
use crate::exec::link::Trust;
use crate::exec::session::{self, Options};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Shortest time between two figures of one forward.
const FIGURES: Duration = Duration::from_millis(500);

/// What the journal is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// AWS is about to be asked for a session.
    Opening,
    /// It opened it, with this id.
    Opened(String),
    /// It did not; why.
    Failed(String),
    /// The session of this id is over; why.
    Closed(String, String),
}

/// Opens a forward and attends to it until it is over or `leave` comes, which it also does when its sender is dropped. Nothing is opened
/// that cannot be noted.
pub async fn attend(
    api: Api,
    order: Order,
    mut leave: oneshot::Receiver<()>,
    tell: mpsc::Sender<(u64, Heard)>,
    note: impl AsyncFn(Note) -> Result<(), String>,
) {
    let Order { id, target } = order;
    // Nobody who has left needs to be told.
    let say = async |heard: Heard| drop(tell.send((id, heard)).await);
    // The port first: what is wrong with it is known without asking AWS.
    let (listener, port) = match listen(target.ports.local).await {
        Ok(taken) => taken,
        Err(why) => return say(Heard::Refused(why)).await,
    };
    if let Err(why) = note(Note::Opening).await {
        return say(Heard::Refused(format!("{why} · no session was opened"))).await;
    }
    let grant = match api.start_port_session(&target.id, target.ports.remote, target.ports.host.as_deref()).await {
        Ok(grant) => grant,
        Err(error) => {
            // The journal could be written a moment ago; that it now cannot is in the log.
            let _ = note(Note::Failed(error.what.to_string())).await;
            let known = explain_failure(&error.what).map_or(String::new(), |known| format!(" · {}: {}", known.cause, known.fix));
            return say(Heard::Refused(format!("{}{known}", error.what))).await;
        }
    };
    let name = grant.session.clone();
    let _ = note(Note::Opened(name.clone())).await;
    say(Heard::Listening(port)).await;
    let mut session = session::open(api.clone(), grant, Options { size: (80, 24), trust: Trust::of(&api) });
    let asks = session.asks.clone();
    let (standing, mut status) = watch::channel(Status::default());
    let end = {
        let serving = serve(listener, &mut session, standing);
        tokio::pin!(serving);
        let (mut figures, mut left) = (tokio::time::interval(FIGURES), false);
        loop {
            tokio::select! {
                end = &mut serving => break end,
                _ = &mut leave, if !left => {
                    left = true;
                    let asks = asks.clone();
                    // Beside it, for it is read only while connections are served. A session that has ended is what is wanted.
                    tokio::spawn(async move { asks.send(Ask::Leave).await });
                }
                _ = figures.tick() => if status.has_changed().unwrap_or(false) {
                    let now = status.borrow_and_update().clone();
                    // A loop that has no room now gets the next figures.
                    let _ = tell.try_send((id, Heard::Status(now)));
                },
            }
        }
    };
    let last = status.borrow().clone();
    say(Heard::Status(last)).await;
    let _ = note(Note::Closed(name, words(&end))).await;
    farewell(&mut session).await;
}
