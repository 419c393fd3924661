//! `midwatch cp`: a file or a directory into a container, or out of one.
//!
//! What goes over the session is [`crate::exec::copy`]'s; here are the two places, the task and the session.

use crate::aws::Clients;
use crate::change::journal::Record;
use crate::exec::checks::explain_failure;
use crate::exec::copy::{self, Copied, Place};
use crate::exec::link::Trust;
use crate::exec::notes::{Notes, To};
use crate::exec::session::{self, Options, Session};
use crate::exec::{Ask, End, forward};
use crate::finding::{self, CTX, Sought};
use crate::store::Store;
use crate::text::clean;

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
}

/// Copies. `progress` hears bytes and how many there will be.
///
/// # Errors
/// One line about what the user must mend, or how the session ended. Nothing is left under the file's name then.
pub async fn copy(clients: &Clients, asked: &Asked, notes: &Notes, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Copied, String> {
    let (from, to) = (Place::parse(&asked.from), Place::parse(&asked.to));
    // Sixteen hexadecimal digits that nothing in a file can be taken for.
    let nonce = uuid::Uuid::new_v4().simple().to_string()[..16].to_owned();
    match (from, to) {
        (Place::There(task, path), Place::Here(to)) => {
            let name = path.trim_end_matches('/').rsplit('/').next().filter(|name| !matches!(*name, "" | "." | "..")).map(str::to_owned);
            let name = name.ok_or_else(|| format!("{} names no file and no directory", asked.from))?;
            let what = format!("copy {path} out of");
            let mut open = Open::begin(clients, asked, notes, task, &copy::get(&nonce, &path), &what).await?;
            let copied = copy::download(&mut open.session, &nonce, &to, &name, progress).await;
            open.end(clients, notes).await;
            copied
        }
        (Place::Here(from), Place::There(task, path)) => {
            // Of a large directory this takes a while, and no session waits for it.
            let source = copy::measure(&from)?;
            let name =
                from.file_name().ok_or_else(|| format!("{} names no file and no directory", asked.from))?.to_string_lossy().into_owned();
            let path = match path.trim_end_matches('/') {
                "" if path.is_empty() => ".",
                "" => "/",
                path => path,
            };
            let what = format!("copy {name} to {path} in");
            let mut open = Open::begin(clients, asked, notes, task, &copy::put(&nonce, path, &source, &name), &what).await?;
            let copied = copy::upload(&mut open.session, &nonce, source, progress).await;
            open.end(clients, notes).await;
            copied
        }
        (Place::Here(_), Place::Here(_)) => Err("neither side is in a container: write one as TASK:PATH".to_owned()),
        (Place::There(..), Place::There(..)) => Err("both sides are in containers: copy to this machine first".to_owned()),
    }
}

/// A session with what the journal has of it.
struct Open {
    session: Session,
    record: Record,
}

impl Open {
    async fn begin(clients: &Clients, asked: &Asked, notes: &Notes, task: String, command: &str, what: &str) -> Result<Open, String> {
        let mut store = Store::default();
        let found = finding::find(clients, &mut store, &Sought { task, cluster: asked.cluster.clone() }).await?;
        let container = found.container(asked.container.as_deref())?;
        let api = clients.api(CTX);
        let (cluster, task) = (&found.task.cluster, &found.task.arn);
        let granted = api.execute_command(cluster, task, &container, command).await;
        let grant = granted.map_err(|error| {
            let known = explain_failure(&format!("{} {}", error.code.as_deref().unwrap_or_default(), error.what));
            format!("{}{}", error.what, known.map_or(String::new(), |known| format!(" · {}: {}", known.cause, known.fix)))
        })?;
        let what = format!("{what} {container} of {}", task.name());
        let cli = format!("midwatch cp {} {}", asked.from, asked.to);
        let to = To { cluster: cluster.clone(), task: task.clone(), what: clean(&what), cli: clean(&cli) };
        // A journal that cannot be written is in the log; the file is copied all the same.
        let record = notes.opened(api, &grant, &to).await.unwrap_or_else(|(record, why)| {
            tracing::warn!("{why}");
            record
        });
        Ok(Open { session: session::open(api.clone(), grant, Options { size: SIZE, trust: Trust::of(api) }), record })
    }

    /// Ends the session, here and at AWS.
    async fn end(mut self, clients: &Clients, notes: &Notes) {
        // One that is over takes no asking, and one that is too busy ends when it is dropped.
        let _ = self.session.asks.try_send(Ask::Leave);
        forward::farewell(&mut self.session).await;
        if let Err((_, why)) = notes.ended(&self.record, clients.api(CTX).now(), &End::Left).await {
            tracing::warn!("{why}");
        }
    }
}
