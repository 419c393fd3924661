//! `midwatch cp`: a file into a container, or out of one.
//!
//! What goes over the session is [`crate::exec::copy`]'s; here are the two places, the task and the session.

use crate::aws::Clients;
use crate::exec::Ask;
use crate::exec::checks::explain_failure;
use crate::exec::copy::{self, Copied, Place};
use crate::exec::forward;
use crate::exec::link::Trust;
use crate::exec::session::{self, Options, Session};
use crate::finding::{self, CTX, Sought};
use crate::store::Store;

/// Wide, so that no terminal in between breaks lines.
const SIZE: (u16, u16) = (500, 50);

/// What is to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// From here, as it was typed.
    pub from: String,
    /// To here, as it was typed.
    pub to: String,
    /// The task's cluster, by name or ARN.
    pub cluster: Option<String>,
    /// Its container, where it has several.
    pub container: Option<String>,
    /// Though it counts as production.
    pub production: bool,
}

/// Copies. `progress` hears bytes and how many there will be.
///
/// # Errors
/// One line about what the user must mend, or how the session ended. Nothing is left under the file's name then.
pub async fn copy(clients: &Clients, asked: &Asked, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Copied, String> {
    let (from, to) = (Place::parse(&asked.from), Place::parse(&asked.to));
    // Sixteen hexadecimal digits that nothing in a file can be taken for.
    let nonce = uuid::Uuid::new_v4().simple().to_string()[..16].to_owned();
    match (from, to) {
        (Place::There(task, path), Place::Here(to)) => {
            let name = path.rsplit('/').next().filter(|name| !matches!(*name, "" | "." | "..")).map(str::to_owned);
            let name = name.ok_or_else(|| format!("{} names no file", asked.from))?;
            let mut session = open(clients, asked, task, &copy::get(&nonce, &path)).await?;
            let copied = copy::download(&mut session, &nonce, &to, &name, progress).await;
            end(session).await;
            copied
        }
        (Place::Here(from), Place::There(task, path)) => {
            let (bytes, mode) = copy::measure(&from)?;
            let name = from.file_name().ok_or_else(|| format!("{} names no file", asked.from))?.to_string_lossy().into_owned();
            let path = if path.is_empty() { "." } else { &path };
            let mut session = open(clients, asked, task, &copy::put(&nonce, path, mode, bytes, &name)).await?;
            let copied = copy::upload(&mut session, &nonce, &from, progress).await;
            end(session).await;
            copied
        }
        (Place::Here(_), Place::Here(_)) => Err("neither side is in a container: write one as TASK:PATH".to_owned()),
        (Place::There(..), Place::There(..)) => Err("both sides are in containers: copy to this machine first".to_owned()),
    }
}

async fn open(clients: &Clients, asked: &Asked, task: String, command: &str) -> Result<Session, String> {
    let mut store = Store::default();
    let found = finding::find(clients, &mut store, &Sought { task, cluster: asked.cluster.clone() }).await?;
    let container = found.container(asked.container.as_deref())?;
    finding::permit(clients, &found.task.cluster, asked.production)?;
    let api = clients.api(CTX);
    let granted = api.execute_command(&found.task.cluster, &found.task.arn, &container, command).await;
    let grant = granted.map_err(|error| {
        let known = explain_failure(&format!("{} {}", error.code.as_deref().unwrap_or_default(), error.what));
        format!("{}{}", error.what, known.map_or(String::new(), |known| format!(" · {}: {}", known.cause, known.fix)))
    })?;
    Ok(session::open(api.clone(), grant, Options { size: SIZE, trust: Trust::of(api) }))
}

/// Ends the session, here and at AWS.
async fn end(mut session: Session) {
    // One that is over takes no asking, and one that is too busy ends when it is dropped.
    let _ = session.asks.try_send(Ask::Leave);
    forward::farewell(&mut session).await;
}
