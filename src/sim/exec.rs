//! Sessions inside containers: the service's end of the data channel, and the agent's, with something to talk to behind it.
//!
//! `ecs` and `ssm` decide whether a session may begin; here it lives. A session is a task of its own that outlasts its connections. What it
//! talks to is a small shell of this program's own, or, where the owner of the simulator wants that, a real one in a pseudo-terminal. Such a
//! shell is a door into the machine, so nothing starts before a connection has shown a fresh signature and the session's token.

mod builtin;
mod crypt;
pub(super) mod door;
mod frame;
mod port;
#[cfg(unix)]
mod pty;
mod remote;
mod session;
mod stream;
pub mod trouble;
mod words;
mod ws;

use super::ecs::ApiError;
use super::kms::Kms;
use super::wire::{Shared, refuse};
use super::world::{Estate, Ms, TaskId};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc::{self, UnboundedSender};
use trouble::Troubles;
use uuid::Uuid;

/// Sessions that may be open at once in a container, as the agent of ECS has it.
pub(super) const AT_ONCE: usize = 2;
/// For so long it is known that a session is over.
const REMEMBERED: Ms = 24 * 3_600_000;

/// What sessions talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shell {
    /// A small one of this program's own, which touches nothing.
    #[default]
    Builtin,
    /// A real one of this machine, with all the rights of whoever runs the simulator.
    Real,
}

/// Removes what simulators that were killed have left behind.
pub(super) fn sweep() {
    #[cfg(unix)]
    pty::sweep();
}

/// Where a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) cluster: String,
    pub(super) task: TaskId,
    /// Index of the container.
    pub(super) container: usize,
    pub(super) container_name: String,
    /// `ecs:CLUSTER_TASK_RUNTIME-ID`.
    pub(super) target: String,
}

impl Place {
    /// Whether the container runs.
    fn is_alive(&self, estate: &Estate) -> bool {
        estate.tasks.get(&self.task).is_some_and(|task| {
            let container = task.containers.get(self.container);
            task.execution_stopped_at.is_none() && container.is_some_and(|c| c.status == super::world::ContainerStatus::Running)
        })
    }
}

/// A session that may begin.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) place: Place,
    pub(super) what: What,
    /// What the program sees of its surroundings.
    pub(super) environment: Vec<(String, String)>,
    /// How the answer says what opens the channel.
    pub(super) reply: Reply,
    /// ARN of the key that the session is encrypted with.
    pub(super) key: Option<String>,
    /// Whether the task's role may decrypt with it; the caller's words of the refusal if not.
    pub(super) may_not_decrypt: Option<String>,
    /// The agent's words when the task's role may not write where sessions are recorded.
    pub(super) may_not_record: Option<&'static str>,
    /// Ports of the container.
    pub(super) ports: Vec<u16>,
    /// The agent's version.
    pub(super) agent: String,
}

/// Whether a version, `3.1.1511.0`, is above another.
fn holds_version(version: &str, above: &str) -> bool {
    let parts = |text: &str| text.split('.').map(|part| part.parse::<u64>().unwrap_or_default()).collect::<Vec<_>>();
    parts(version) > parts(above)
}

/// The shape of an answer.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// The `session` of an answer of ECS, which has more to say.
    Ecs(Value),
    /// The whole answer of Systems Manager.
    Ssm,
}

/// What is wanted of it.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// A command with a terminal.
    Command(String),
    /// Connections to a port, of the container or of another host.
    Port {
        /// The port.
        number: u16,
        /// The other host.
        host: Option<String>,
        /// The client's own port, which the agent only repeats.
        local: String,
    },
}

/// What a session is told from outside.
#[derive(Debug)]
pub(super) enum Told {
    /// Here is a connection whose token was right; it takes the place of the one before.
    Connected(Box<session::Link>),
    /// `TerminateSession`.
    Ended,
}

#[derive(Debug)]
struct Entry {
    place: Place,
    /// SHA-256 of what opens it; none once it was used.
    token: Option<[u8; 32]>,
    /// What follows the `?` in the address, which must come back as it was given.
    query: String,
    tell: UnboundedSender<Told>,
    over: Option<Ms>,
    /// For what goes wrong when it is resumed.
    troubles: Troubles,
}

/// Every session that is known.
#[derive(Debug)]
pub(super) struct Sessions {
    all: HashMap<String, Entry>,
    /// Where channels are opened.
    pub(super) address: SocketAddr,
    /// What sessions talk to.
    pub(super) shell: Shell,
    /// What encrypts data keys.
    pub(super) kms: Kms,
    /// What goes wrong in channels.
    pub(super) rules: Arc<[trouble::Rule]>,
}

impl Sessions {
    /// None yet.
    pub(super) fn new(address: SocketAddr, shell: Shell, rules: Vec<trouble::Rule>) -> Self {
        Self { all: HashMap::new(), address, shell, kms: Kms::default(), rules: rules.into() }
    }

    fn url(&self, id: &str, query: &str) -> String {
        format!("ws://{}{}{id}?{query}", self.address, door::PATH)
    }

    /// How many are open in a container.
    pub(super) fn open_in(&self, task: TaskId, container: usize) -> usize {
        let here = |entry: &&Entry| entry.over.is_none() && entry.place.task == task && entry.place.container == container;
        self.all.values().filter(here).count()
    }

    /// How many are open in a task.
    pub(super) fn open_in_task(&self, task: TaskId) -> usize {
        self.all.values().filter(|entry| entry.over.is_none() && entry.place.task == task).count()
    }

    fn of(&self, account: &str, region: &str, id: &str) -> Option<&Entry> {
        self.all.get(id).filter(|entry| entry.place.account == account && entry.place.region == region)
    }

    /// Whether somebody may connect to a session with this address.
    pub(super) fn has(&self, account: &str, region: &str, id: &str, query: &str) -> bool {
        self.of(account, region, id).is_some_and(|entry| entry.over.is_none() && entry.query == query)
    }

    /// Uses a token up; hands out the way to the session if it was the right one.
    fn redeem(&mut self, id: &str, token: &str) -> Option<UnboundedSender<Told>> {
        let entry = self.all.get_mut(id).filter(|entry| entry.over.is_none())?;
        let given: [u8; 32] = Sha256::digest(token).into();
        // Of digests, and all of them: how long it takes tells nothing about the token.
        let differs = entry.token?.iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b));
        if differs != 0 {
            return None;
        }
        entry.token = None;
        Some(entry.tell.clone())
    }

    fn end(&mut self, id: &str, now: Ms) {
        if let Some(entry) = self.all.get_mut(id) {
            entry.over.get_or_insert(now);
        }
        self.all.retain(|_, entry| entry.over.is_none_or(|at| at + REMEMBERED > now));
    }
}

/// Begins a session; answers with what opens its channel.
pub(super) fn begin(shared: &Arc<Shared>, sessions: &mut Sessions, order: Order) -> Value {
    let prefix = match order.reply {
        Reply::Ecs(_) => "ecs-execute-command-",
        Reply::Ssm => "oncall-",
    };
    let id = format!("{prefix}{}", &Uuid::new_v4().simple().to_string()[..17]);
    let (tell, told) = mpsc::unbounded_channel();
    let token = secret();
    // As AWS's, it has what a careless client would decode on the way.
    let query = format!("role=publish_subscribe&cell-number=AAEAAR+{}/{}==", &secret()[..10], &secret()[..12]);
    let url = sessions.url(&id, &query);
    let entry = Entry {
        place: order.place.clone(),
        token: Some(Sha256::digest(&token).into()),
        query,
        tell,
        over: None,
        troubles: Troubles::default(),
    };
    sessions.all.insert(id.clone(), entry);
    let answer = match &order.reply {
        Reply::Ecs(answer) => {
            let mut answer = answer.clone();
            answer["session"] = json!({"sessionId": id, "streamUrl": url, "tokenValue": token});
            answer
        }
        Reply::Ssm => json!({"SessionId": id, "StreamUrl": url, "TokenValue": token}),
    };
    tokio::spawn(session::run(Arc::clone(shared), id, order, told));
    answer
}

/// `ResumeSession`: a new token, or none at all if the session is over.
///
/// # Errors
/// If there was no such session.
pub(super) fn resume(sessions: &mut Sessions, account: &str, region: &str, id: &str) -> Result<Value, ApiError> {
    let known = sessions.of(account, region, id).ok_or_else(|| unknown(id))?;
    let (over, query) = (known.over.is_some(), known.query.clone());
    let rules = Arc::clone(&sessions.rules);
    let lost = sessions.all.get_mut(id).is_some_and(|entry| {
        entry.troubles.set(&rules);
        entry.troubles.strikes(trouble::Kind::EmptyToken).is_some()
    });
    if over || lost {
        return Ok(json!({"SessionId": id, "TokenValue": "", "StreamUrl": ""}));
    }
    let (token, url) = (secret(), sessions.url(id, &query));
    if let Some(entry) = sessions.all.get_mut(id) {
        entry.token = Some(Sha256::digest(&token).into());
    }
    Ok(json!({"SessionId": id, "TokenValue": token, "StreamUrl": url}))
}

/// `TerminateSession`.
///
/// # Errors
/// If there was no such session.
pub(super) fn terminate(sessions: &Sessions, account: &str, region: &str, id: &str) -> Result<Value, ApiError> {
    let known = sessions.of(account, region, id).ok_or_else(|| unknown(id))?;
    // It may be over already.
    let _ = known.tell.send(Told::Ended);
    Ok(json!({"SessionId": id}))
}

fn unknown(id: &str) -> ApiError {
    refuse(400, "DoesNotExistException", format!("Session {id} does not exist."))
}

/// 256 bits that nobody can guess, as letters and digits.
pub(super) fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
