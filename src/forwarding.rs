//! `midwatch forward`: a port of this machine that leads to a container, or through it to another host, until it is interrupted.
//!
//! How connections are carried is [`crate::exec::forward`]'s; here are the task, the session and the lines.

use crate::aws::Clients;
use crate::exec::checks::explain_failure;
use crate::exec::forward;
use crate::exec::forwards::{State, Status};
use crate::exec::link::Trust;
use crate::exec::session::{self, Options};
use crate::exec::{Ask, End};
use crate::finding::{self, CTX, Sought};
use crate::store::Store;
use tokio::sync::watch;

/// A terminal's size, which a port session has no use for.
const SIZE: (u16, u16) = (80, 24);

/// What is to be forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The task.
    pub sought: Sought,
    /// Its container, where it has several.
    pub container: Option<String>,
    /// Port of the container, or of the host.
    pub port: u16,
    /// Port of this machine; 0 takes a free one.
    pub local: u16,
    /// A host that the task reaches.
    pub host: Option<String>,
    /// Though it counts as production.
    pub production: bool,
}

/// Forwards until `over` is done or the session ends. What happens goes to `say`, line by line.
///
/// # Errors
/// One line about what the user must mend, or why the session ended by itself.
pub async fn forward(clients: &Clients, asked: &Asked, say: &mut dyn FnMut(&str), over: impl Future<Output = ()>) -> Result<(), String> {
    let mut store = Store::default();
    let found = finding::find(clients, &mut store, &asked.sought).await?;
    let container = found.container(asked.container.as_deref())?;
    let target = found.target(&container)?;
    finding::permit(clients, &found.task.cluster, asked.production)?;
    // The port of this machine first: what is wrong with it is known without asking AWS.
    let (listener, local) = forward::listen(asked.local).await?;
    let api = clients.api(CTX);
    let granted = api.start_port_session(&target, asked.port, asked.host.as_deref()).await;
    let grant = granted.map_err(|error| refused(&error.what))?;
    let to = asked.host.as_ref().map_or_else(|| format!("port {}", asked.port), |host| format!("{host}:{}", asked.port));
    let mut session = session::open(api.clone(), grant, Options { size: SIZE, trust: Trust::of(api) });
    let (tell, mut status) = watch::channel(Status::default());
    let asks = session.asks.clone();
    let through = format!(
        "127.0.0.1:{local} → {to} {} {container} in task {}",
        if asked.host.is_some() { "through" } else { "of" },
        found.task.arn.name()
    );
    let mut lines = Lines { through, before: Status::default(), opened: false };
    let end = {
        let serving = forward::serve(listener, &mut session, tell);
        tokio::pin!(serving, over);
        let mut leaving = false;
        loop {
            tokio::select! {
                end = &mut serving => break end,
                () = &mut over, if !leaving => {
                    leaving = true;
                    let asks = asks.clone();
                    // Beside it, for it is read only while connections are served. A session that has ended is what is wanted.
                    tokio::spawn(async move { asks.send(Ask::Leave).await });
                }
                changed = status.changed(), if !leaving => if changed.is_ok() {
                    let now = status.borrow_and_update().clone();
                    lines.of(&now).iter().for_each(|line| say(line));
                },
            }
        }
    };
    let last = status.borrow().clone();
    say(&lines.totals(&last));
    forward::farewell(&mut session).await;
    match end {
        End::Left => Ok(()),
        end => Err(format!("the session ended: {}", explained(&forward::words(&end)))),
    }
}

fn refused(what: &str) -> String {
    format!("{what}{}", explain_failure(what).map_or(String::new(), |known| format!(" · {}: {}", known.cause, known.fix)))
}

fn explained(what: &str) -> String {
    refused(crate::text::clean(what).trim())
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
        assert!(lines.of(&Status { refused: 2, ..open.clone() })[0].contains("2 so far"));
    }

    #[test]
    fn a_refusal_is_told_with_what_it_means() {
        let told = refused("Cannot forward: TargetNotConnected: ecs:main_1_2 is not connected.");
        assert!(told.contains("not in contact with Session Manager"), "{told}");
    }
}
