//! `midwatch forward`: a port of this machine that leads to a container, or through it to another host, until it is interrupted.
//!
//! How connections are carried is [`crate::exec::forward`]'s; here are the task, the session and the lines.

use crate::aws::Clients;
use crate::exec::End;
use crate::exec::forward::{self, Way, told};
use crate::exec::forwards::{Ports, State, Status};
use crate::exec::notes::{Notes, To};
use crate::finding::{self, CTX, Sought};
use crate::store::Store;
use crate::text::clean;
use tokio::sync::{mpsc, watch};

/// What is to be forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The task.
    pub sought: Sought,
    /// Its container, where it has several.
    pub container: Option<String>,
    /// From which port of this machine to where.
    pub ports: Ports,
}

/// Forwards until `over` is done or it cannot go on. What happens goes to `say`, line by line.
///
/// # Errors
/// One line about what the user must mend, or why the session ended by itself.
pub async fn forward(
    clients: &Clients,
    asked: &Asked,
    notes: &Notes,
    say: &mut (dyn FnMut(&str) + Send),
    over: impl Future<Output = ()>,
) -> Result<(), String> {
    let mut store = Store::default();
    let found = finding::find(clients, &mut store, &asked.sought).await?;
    let container = found.container(asked.container.as_deref())?;
    let target = found.target(&container)?;
    // The port of this machine first: what is wrong with it is known without asking AWS.
    let (listener, local) = forward::listen(asked.ports.local).await?;
    let api = clients.api(CTX);
    let to = asked.ports.to();
    let what = format!("forward to {to} through {container} of {}", found.task.arn.name());
    let place = To {
        cluster: found.task.cluster.clone(),
        task: found.task.arn.clone(),
        what: clean(&what),
        cli: clean(&forward::cli_line(&target, &asked.ports)),
    };
    let (unwritten, mut missing) = mpsc::unbounded_channel();
    let noted = move |_, why: Option<String>| {
        if let Some(why) = why {
            // It is read for as long as the forward stands.
            let _ = unwritten.send(why);
        }
    };
    let way = Way { api, target: &target, ports: &asked.ports, notes, to: place, noted: &noted };
    let open = way.open().await.map_err(|error| told(&error.what))?;
    let (tell, mut status) = watch::channel(Status::default());
    let through = format!(
        "127.0.0.1:{local} → {to} {} {container} in task {}",
        if asked.ports.host.is_some() { "through" } else { "of" },
        found.task.arn.name()
    );
    let mut lines = Lines { through, before: Status::default(), opened: false };
    let end = {
        let keeping = way.keep(listener, open, over, &tell);
        tokio::pin!(keeping);
        loop {
            tokio::select! {
                biased;
                changed = status.changed() => if changed.is_ok() {
                    let now = status.borrow_and_update().clone();
                    lines.of(&now).iter().for_each(|line| say(line));
                },
                Some(why) = missing.recv() => say(&why),
                end = &mut keeping => break end,
            }
        }
    };
    while let Ok(why) = missing.try_recv() {
        say(&why);
    }
    let last = status.borrow().clone();
    say(&lines.totals(&last));
    match end {
        End::Left => Ok(()),
        end => Err(format!("the session ended: {}", told(clean(&forward::words(&end)).trim()))),
    }
}

/// Turns what changed into lines.
struct Lines {
    through: String,
    before: Status,
    opened: bool,
}

impl Lines {
    fn of(&mut self, now: &Status) -> Vec<String> {
        let mut lines = Vec::new();
        if now.state != self.before.state {
            match &now.state {
                State::Open { single } if !self.opened => {
                    self.opened = true;
                    lines.push(format!("forwarding {}", self.through));
                    if *single {
                        lines.push("the agent in the task is old: one connection at a time".to_owned());
                    }
                }
                State::Open { .. } => lines.push("the session is connected again".to_owned()),
                State::Lost(why) => lines.push(format!("the session's connection is lost and tried again: {why}")),
                State::Resting(why) => lines.push(format!("the session is closed: {why} · the next connection opens another one")),
                State::Opening | State::Ended(_) => {}
            }
        }
        if now.refused > self.before.refused {
            lines.push(format!("the agent could not connect: does anything listen there? ({} so far)", now.refused));
        }
        if now.stalled > self.before.stalled {
            lines.push("a connection was closed: whoever had opened it did not read, and others waited".to_owned());
        }
        self.before = now.clone();
        lines
    }

    fn totals(&self, now: &Status) -> String {
        format!("ended {}: {} connections, {} bytes sent, {} received", self.through, now.connections, now.sent, now.received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_one_line_and_nothing_is_said_twice() {
        let mut lines =
            Lines { through: "127.0.0.1:1 → port 80 of app in task 0123".to_owned(), before: Status::default(), opened: false };
        let open = Status { state: State::Open { single: false }, ..Status::default() };
        assert_eq!(lines.of(&open), ["forwarding 127.0.0.1:1 → port 80 of app in task 0123"]);
        assert_eq!(lines.of(&Status { sent: 7, ..open.clone() }), Vec::<String>::new());
        let lost = Status { state: State::Lost("reset".to_owned()), ..open.clone() };
        assert!(lines.of(&lost)[0].contains("lost and tried again: reset"));
        assert_eq!(lines.of(&open), ["the session is connected again"]);
        let resting = Status { state: State::Resting("timed out".to_owned()), ..open.clone() };
        assert_eq!(lines.of(&resting), ["the session is closed: timed out · the next connection opens another one"]);
        assert_eq!(lines.of(&Status { state: State::Opening, ..open.clone() }), Vec::<String>::new());
        assert_eq!(lines.of(&open), ["the session is connected again"]);
        assert!(lines.of(&Status { refused: 2, ..open.clone() })[0].contains("2 so far"));
    }
}
