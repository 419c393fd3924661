//! A session from the order to its end, beside whoever shows it: `ExecuteCommand`, the channel, and what the journal says of both.
//!
//! It keeps what is typed until somebody can take it, and makes the remote wait while nobody listens.

use super::link::Trust;
use super::notes::{Notes, To};
use super::session::{self, Options, Session};
use super::shells::{Heard, Order, Target};
use super::{Ask, End, Said};
use crate::aws::Api;
use crate::change::cli_lines::quoted;
use crate::change::journal::Record;
use crate::text;
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Opens a session and attends to it until it is over. What is heard of it goes to `tell`; records of the journal to `record`, or why there
/// is none.
pub async fn attend(
    api: Api,
    notes: Notes,
    order: Order,
    mut asks: mpsc::UnboundedReceiver<Ask>,
    tell: mpsc::Sender<(u64, Heard)>,
    record: impl Fn(Result<Record, String>) + Send + Sync,
) {
    let (id, target) = (order.id, &order.target);
    // Nobody who has left needs to be told.
    let say = async |heard: Heard| drop(tell.send((id, heard)).await);
    // The SDK's future is 25 KiB.
    let asked = Box::pin(api.execute_command(&target.cluster, &target.task, &target.container, &target.command));
    let grant = match asked.await {
        Ok(grant) => grant,
        Err(error) => {
            let hint = if error.hint.is_empty() { String::new() } else { format!(" · {}", error.hint) };
            return say(Heard::Refused(format!("{}{hint}", error.what))).await;
        }
    };
    let opened = match notes.opened(&api, &grant, &to(target, api.region())).await {
        Ok(opened) => opened,
        // It is open at AWS by now: whoever asked for it has it, and is told that it stands nowhere.
        Err((opened, why)) => {
            record(Err(why));
            opened
        }
    };
    record(Ok(opened.clone()));
    say(Heard::Granted(text::clean(&grant.session))).await;
    let options = Options { size: order.size, trust: Trust::of(&api) };
    let end = carry(session::open(api.clone(), grant, options), &mut asks, &tell, id).await;
    match notes.ended(&opened, api.now(), &end).await {
        Ok(ended) => record(Ok(ended)),
        Err((ended, why)) => {
            record(Err(why));
            record(Ok(ended));
        }
    }
}

/// What the journal says that was opened. A command may have been typed, and what is typed is not kept.
fn to(target: &Target, region: &str) -> To {
    let line = format!(
        "aws ecs execute-command --region {region} --cluster {} --task {} --container {} --interactive --command …",
        quoted(target.cluster.name()),
        quoted(target.task.name()),
        quoted(&target.container)
    );
    let what = format!("open a session in {} of {}", target.container, target.task.name());
    To { cluster: target.cluster.clone(), task: target.task.clone(), what: what.into(), cli: line.into() }
}

/// Carries bytes both ways until the session is over and tidied up; returns how it ended.
async fn carry(
    Session { asks: to, mut said }: Session,
    asks: &mut mpsc::UnboundedReceiver<Ask>,
    tell: &mpsc::Sender<(u64, Heard)>,
    id: u64,
) -> End {
    let mut queue: VecDeque<Ask> = VecDeque::new();
    let mut untold: Option<Said> = None;
    let (mut asking, mut last) = (true, End::Left);
    loop {
        tokio::select! {
            // What is typed waits for nothing that comes.
            biased;
            permit = to.reserve(), if !queue.is_empty() => match permit {
                Ok(permit) => {
                    if let Some(ask) = queue.pop_front() {
                        permit.send(ask);
                    }
                }
                // Nobody takes it any more: the end is on its way.
                Err(_) => queue.clear(),
            },
            ask = asks.recv(), if asking => match ask {
                // Whoever leaves does not wait for what was typed before.
                Some(Ask::Leave) | None => {
                    asking = false;
                    queue.clear();
                    queue.push_back(Ask::Leave);
                }
                Some(Ask::Input(more)) => match queue.back_mut() {
                    Some(Ask::Input(bytes)) => bytes.extend_from_slice(&more),
                    _ => queue.push_back(Ask::Input(more)),
                },
                Some(ask) => queue.push_back(ask),
            },
            permit = tell.reserve(), if untold.is_some() => match permit {
                Ok(permit) => {
                    if let Some(said) = untold.take() {
                        permit.send((id, Heard::Said(said)));
                    }
                }
                Err(_) => untold = None,
            },
            heard = said.recv(), if untold.is_none() => match heard {
                Some(said) => {
                    if let Said::Ended(end) = &said {
                        last = end.clone();
                    }
                    untold = Some(said);
                }
                None => return last,
            },
        }
    }
}
