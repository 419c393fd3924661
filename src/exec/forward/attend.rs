//! A forward from the order to its end, beside whoever shows it: the port of this machine, its sessions, and what becomes of both.

use super::{Way, listen, told};
use crate::aws::Api;
use crate::change::journal::Record;
use crate::exec::forwards::{Heard, Order, Status};
use crate::exec::notes::{Notes, To};
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
    leave: oneshot::Receiver<()>,
    tell: mpsc::Sender<(u64, Heard)>,
    notes: Notes,
    noted: impl Fn(Record) + Send + Sync,
) {
    let Order { id, target } = order;
    // Nobody who has left needs to be told.
    let say = async |heard: Heard| drop(tell.send((id, heard)).await);
    // The port first: what is wrong with it is known without asking AWS.
    let (listener, port) = match listen(target.ports.local).await {
        Ok(taken) => taken,
        Err(why) => return say(Heard::Refused(why)).await,
    };
    let what = format!("forward to {} through {} of {}", target.ports.to(), target.container, target.task.name());
    let to = To {
        cluster: target.cluster.clone(),
        task: target.task.clone(),
        what: text::clean(&what),
        cli: text::clean(&super::cli_line(&target.id, &target.ports)),
    };
    let noted = move |record, why: Option<String>| {
        if let Some(why) = why {
            // A journal that cannot be written is in the log; it is shown all the same.
            tracing::warn!("{why}");
        }
        noted(record);
    };
    let way = Way { api: &api, target: &target.id, ports: &target.ports, notes: &notes, to, noted: &noted };
    let open = match way.open().await {
        Ok(open) => open,
        Err(error) => return say(Heard::Refused(told(&error.what))).await,
    };
    say(Heard::Listening(port)).await;
    let (standing, mut status) = watch::channel(Status::default());
    {
        let left = async {
            // Dropping the sender is asking too.
            let _ = leave.await;
        };
        let keeping = way.keep(listener, open, left, &standing);
        tokio::pin!(keeping);
        let mut figures = tokio::time::interval(FIGURES);
        loop {
            tokio::select! {
                _ = &mut keeping => break,
                _ = figures.tick() => if status.has_changed().unwrap_or(false) {
                    let now = status.borrow_and_update().clone();
                    // A loop that has no room now gets the next figures.
                    let _ = tell.try_send((id, Heard::Status(now)));
                },
            }
        }
    }
    let last = status.borrow().clone();
    say(Heard::Status(last)).await;
}
