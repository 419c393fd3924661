//! A forward from the order to its end, beside whoever shows it: the port of this machine, the session, and what becomes of both.

use super::{farewell, listen, serve};
use crate::aws::Api;
use crate::change::journal::Record;
use crate::exec::Ask;
use crate::exec::checks::explain_failure;
use crate::exec::forwards::{Heard, Order, Status};
use crate::exec::link::Trust;
use crate::exec::notes::{Notes, To};
use crate::exec::session::{self, Options};
use crate::text;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Shortest time between two figures of one forward.
const FIGURES: Duration = Duration::from_millis(500);

/// Opens a forward and attends to it until it is over or `leave` comes, which it also does when its sender is dropped. What the journal has
/// of it goes to `noted` too.
pub async fn attend(
    api: Api,
    order: Order,
    mut leave: oneshot::Receiver<()>,
    tell: mpsc::Sender<(u64, Heard)>,
    notes: Notes,
    noted: impl Fn(Record) + Send,
) {
    let Order { id, target } = order;
    // Nobody who has left needs to be told.
    let say = async |heard: Heard| drop(tell.send((id, heard)).await);
    // The port first: what is wrong with it is known without asking AWS.
    let (listener, port) = match listen(target.ports.local).await {
        Ok(taken) => taken,
        Err(why) => return say(Heard::Refused(why)).await,
    };
    let grant = match api.start_port_session(&target.id, target.ports.remote, target.ports.host.as_deref()).await {
        Ok(grant) => grant,
        Err(error) => {
            let known = explain_failure(&error.what).map_or(String::new(), |known| format!(" · {}: {}", known.cause, known.fix));
            return say(Heard::Refused(format!("{}{known}", error.what))).await;
        }
    };
    let what = format!("forward to {} through {} of {}", target.ports.to(), target.container, target.task.name());
    let to = To {
        cluster: target.cluster.clone(),
        task: target.task.clone(),
        what: text::clean(&what),
        cli: text::clean(&super::cli_line(&target.id, &target.ports)),
    };
    let record = notes.opened(&api, &grant, &to).await.unwrap_or_else(unwritten);
    noted(record.clone());
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
    noted(notes.ended(&record, api.now(), &end).await.unwrap_or_else(unwritten));
    farewell(&mut session).await;
}

/// A journal that cannot be written is in the log; it is shown all the same.
fn unwritten((record, why): (Record, String)) -> Record {
    tracing::warn!("{why}");
    record
}
