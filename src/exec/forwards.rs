//! The port forwards of this run as the screen knows them: where each leads, how it stands, and what went through it.
//!
//! Pure: whoever runs them tells of them by [`Heard`]. It knows no pane, no socket and no session.

use crate::model::{Arn, Ctx, Str, Time};

/// Where a forward leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Context.
    pub ctx: Ctx,
    /// Cluster.
    pub cluster: Arn,
    /// The service whose task it is, where it is one's.
    pub service: Option<Arn>,
    /// Task.
    pub task: Arn,
    /// Container.
    pub container: Str,
    /// How Session Manager names the container.
    pub id: String,
    /// From which port of this machine to where.
    pub ports: Ports,
}

/// From which port to which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Port of the container, or of the host.
    pub remote: u16,
    /// Port of this machine; 0 takes a free one.
    pub local: u16,
    /// A host that the task reaches.
    pub host: Option<String>,
}

impl Ports {
    /// Reads `PORT[:LOCAL] [HOST]`.
    ///
    /// # Errors
    /// One line with the form.
    pub fn parse(text: &str) -> Result<Ports, String> {
        let form = || "write PORT, PORT:LOCAL or PORT:LOCAL HOST, as in 5432:15432 db.internal".to_owned();
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(form);
        let mut words = text.split_whitespace();
        let (ports, host) = (words.next().ok_or_else(form)?, words.next());
        if words.next().is_some() || host.is_some_and(|host| host.contains(['/', ':']) && !host.contains("::")) {
            return Err(form());
        }
        let (remote, local) = match ports.split_once(':') {
            Some((remote, local)) => (port(remote)?, port(local)?),
            None => (port(ports)?, 0),
        };
        Ok(Ports { remote, local, host: host.map(str::to_owned) })
    }

    /// Where it leads, in a few words.
    #[must_use]
    pub fn to(&self) -> String {
        self.host.as_ref().map_or_else(|| format!("port {}", self.remote), |host| format!("{host}:{}", self.remote))
    }
}

/// A forward that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Names it in what is told of it.
    pub id: u64,
    /// Where to.
    pub target: Target,
}

/// What is told of a forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// This port of this machine is taken for it.
    Listening(u16),
    /// How it stands.
    Status(Status),
    /// It did not come about.
    Refused(String),
}

/// How a forward stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Where it is.
    pub state: State,
    /// Connections that are open.
    pub open: u32,
    /// Connections there ever were.
    pub connections: u64,
    /// Bytes that went to the task.
    pub sent: u64,
    /// Bytes that came from it.
    pub received: u64,
    /// Connections that the task's side refused.
    pub refused: u64,
    /// Connections that were closed because whoever had opened them did not read.
    pub stalled: u64,
}

/// Where a forward is in its life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// The session is being opened.
    #[default]
    Opening,
    /// Connections are carried.
    Open {
        /// The agent is too old to carry more than one at a time.
        single: bool,
    },
    /// The session's connection is lost and is tried again.
    Lost(String),
    /// The session ended by itself, and why; the next connection opens another one.
    Resting(String),
    /// Over; why, in words.
    Ended(String),
}

/// A forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Names it for as long as the program runs.
    pub id: u64,
    /// Where to.
    pub target: Target,
    /// Port of this machine, once it is known.
    pub local: Option<u16>,
    /// How it stands.
    pub status: Status,
    /// When it was asked for.
    pub since: Time,
}

impl Forward {
    /// Whether it is over.
    #[must_use]
    pub fn over(&self) -> bool {
        matches!(self.status.state, State::Ended(_))
    }

    /// What a client on this machine connects to.
    #[must_use]
    pub fn address(&self) -> String {
        match self.local.filter(|_| !self.over()) {
            Some(port) => format!("127.0.0.1:{port}"),
            None => "-".to_owned(),
        }
    }

    /// Where it leads, in words.
    #[must_use]
    pub fn leads(&self) -> String {
        let id = self.target.task.name();
        let id = id.get(..8).unwrap_or(id);
        match &self.target.ports.host {
            Some(host) => format!("{host}:{} through {id}/{}", self.target.ports.remote, self.target.container),
            None => format!("{id}/{} port {}", self.target.container, self.target.ports.remote),
        }
    }
}

/// All forwards, newest last.
#[derive(Debug, Default)]
pub struct Forwards {
    all: Vec<Forward>,
    opened: u64,
}

impl Forwards {
    /// Notes a forward that is to be opened.
    pub fn open(&mut self, target: Target, now: Time) -> Order {
        self.opened += 1;
        let order = Order { id: self.opened, target };
        self.all.push(Forward { id: order.id, target: order.target.clone(), local: None, status: Status::default(), since: now });
        order
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Forward] {
        &self.all
    }

    /// Those that are not over.
    pub fn live(&self) -> impl Iterator<Item = &Forward> {
        self.all.iter().filter(|forward| !forward.over())
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Forward> {
        self.all.iter().find(|forward| forward.id == id)
    }

    /// Takes in what was told; a sentence when it is worth one, and whether that is bad news.
    pub fn heard(&mut self, id: u64, heard: Heard) -> Option<(bool, String)> {
        let forward = self.all.iter_mut().find(|forward| forward.id == id)?;
        let before = forward.status.clone();
        match heard {
            Heard::Listening(port) => forward.local = Some(port),
            Heard::Status(status) => forward.status = status,
            Heard::Refused(why) => forward.status.state = State::Ended(why),
        }
        let (leads, now) = (forward.leads(), &forward.status);
        match (&before.state, &now.state) {
            (State::Ended(_), _) | (State::Resting(_), State::Resting(_)) => None,
            (_, State::Ended(why)) => Some((true, format!("forward to {leads}: {why}"))),
            (_, State::Resting(why)) => Some((true, format!("forward to {leads} is closed: {why} · the next connection opens it again"))),
            (State::Opening, State::Open { .. }) => Some((false, format!("{} leads to {leads}", forward.address()))),
            _ if now.refused > before.refused => {
                Some((true, format!("forward to {leads}: the agent could not connect · does anything listen there?")))
            }
            _ if now.stalled > before.stalled => {
                Some((true, format!("forward to {leads}: a connection that nobody read was closed, for others waited")))
            }
            _ => None,
        }
    }

    /// Forgets one that is over.
    pub fn forget(&mut self, id: u64) {
        self.all.retain(|forward| forward.id != id || !forward.over());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(ports: &str) -> Target {
        Target {
            ctx: Ctx(0),
            cluster: Arn::from("arn:aws:ecs:eu-west-1:123456789012:cluster/main"),
            service: None,
            task: Arn::from("arn:aws:ecs:eu-west-1:123456789012:task/main/0123456789abcdef"),
            container: "app".into(),
            id: "ecs:main_0123456789abcdef_0123-45".to_owned(),
            ports: Ports::parse(ports).unwrap(),
        }
    }

    #[test]
    fn ports_and_a_host_are_read_and_anything_else_is_refused_with_the_form() {
        let ports = |remote, local, host: Option<&str>| Ports { remote, local, host: host.map(str::to_owned) };
        assert_eq!(Ports::parse("80"), Ok(ports(80, 0, None)));
        assert_eq!(Ports::parse(" 5432:15432  db.internal "), Ok(ports(5432, 15432, Some("db.internal"))));
        assert_eq!(Ports::parse("5432 fd00::1"), Ok(ports(5432, 0, Some("fd00::1"))));
        for wrong in ["", "0", "db", "80:", "80 http://db", "80 db x", "80 db:1"] {
            assert!(Ports::parse(wrong).unwrap_err().contains("5432:15432"), "{wrong}");
        }
    }

    #[test]
    fn a_forward_tells_once_that_it_is_open_and_once_that_it_is_over() {
        let mut forwards = Forwards::default();
        let id = forwards.open(target("80"), Time::UNIX_EPOCH).id;
        assert_eq!(forwards.heard(id, Heard::Listening(41000)), None);
        let open = Status { state: State::Open { single: false }, ..Status::default() };
        let told = forwards.heard(id, Heard::Status(open.clone()));
        assert_eq!(told, Some((false, "127.0.0.1:41000 leads to 01234567/app port 80".to_owned())));
        assert_eq!(forwards.heard(id, Heard::Status(Status { sent: 9, ..open.clone() })), None);
        assert!(forwards.heard(id, Heard::Status(Status { refused: 1, ..open.clone() })).is_some_and(|(bad, _)| bad));
        forwards.forget(id);
        assert_eq!(forwards.live().count(), 1, "one that is open is not forgotten");
        let resting = Status { state: State::Resting("timed out".to_owned()), ..open.clone() };
        let told = forwards.heard(id, Heard::Status(resting.clone())).unwrap();
        assert!(told.1.ends_with("is closed: timed out · the next connection opens it again"), "{}", told.1);
        assert_eq!(forwards.heard(id, Heard::Status(resting)), None);
        assert_eq!((forwards.live().count(), &*forwards.get(id).unwrap().address()), (1, "127.0.0.1:41000"), "its port is still taken");
        assert_eq!(forwards.heard(id, Heard::Status(open.clone())), None, "that it does what was asked for is no news");
        let over = Status { state: State::Ended("timed out".to_owned()), ..open };
        assert!(forwards.heard(id, Heard::Status(over.clone())).is_some_and(|(_, text)| text.ends_with("timed out")));
        assert_eq!(forwards.heard(id, Heard::Status(over)), None);
        assert_eq!(forwards.get(id).map(Forward::address).as_deref(), Some("-"));
        forwards.forget(id);
        assert!(forwards.all().is_empty());
    }

    #[test]
    fn a_host_behind_the_task_is_named() {
        let mut forwards = Forwards::default();
        let id = forwards.open(target("5432 db.internal"), Time::UNIX_EPOCH).id;
        assert_eq!(forwards.get(id).unwrap().leads(), "db.internal:5432 through 01234567/app");
    }
}
