//! One task and one of its containers, by what somebody types at a shell: an id, the beginning of one, or an ARN.
//!
//! For commands without a screen. What is asked is asked once, through the same feeds and budgets as everything else.

use crate::aws::{AwsError, Clients, ErrorKind};
use crate::feed::{Feed, Outcome, Update, Value, Wanted};
use crate::model::{Arn, Ctx, Str, Task, TaskStatus};
use crate::store::Store;
use crate::watch::Watcher;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The context that is asked.
pub const CTX: Ctx = Ctx(0);

/// Updates that may queue up.
const QUEUE: usize = 64;

/// Shortest beginning of an id that is taken for one.
const SHORTEST: usize = 4;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// A task's id, the beginning of one, or its ARN.
    pub task: String,
    /// A cluster's name or ARN; without it the ARN's, or all are searched.
    pub cluster: Option<String>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The cluster as feeds are to name it.
    pub cluster: Arn,
    /// The task.
    pub task: Arc<Task>,
}

impl Found {
    /// The same while there is something to open a session to.
    ///
    /// # Errors
    /// One line about a task that stops or has stopped.
    pub fn running(&self) -> Result<&Found, String> {
        let over = (TaskStatus::Stopping..=TaskStatus::Stopped).contains(&self.task.status);
        if over { Err(format!("task {} is {}", self.task.arn.name(), self.task.status.as_str())) } else { Ok(self) }
    }

    /// The container of that name; without one the only one.
    ///
    /// # Errors
    /// One line with the names that there are.
    pub fn container(&self, named: Option<&str>) -> Result<Str, String> {
        let names: Vec<&Str> = self.task.containers.iter().map(|container| &container.name).collect();
        let list = || names.iter().map(|name| &***name).collect::<Vec<_>>().join(", ");
        match (named, names.as_slice()) {
            (Some(named), _) => match names.iter().find(|name| ****name == *named) {
                Some(name) => Ok(Str::clone(name)),
                None => Err(format!("the task has no container {named}; it has {}", list())),
            },
            (None, [only]) => Ok(Str::clone(only)),
            (None, []) => Err("AWS tells of no container in this task".to_owned()),
            (None, _) => Err(format!("the task has several containers: choose one of {} with --container", list())),
        }
    }

    /// How Session Manager names the container.
    ///
    /// # Errors
    /// One line while the container has no runtime id: it does not run.
    pub fn target(&self, container: &str) -> Result<String, String> {
        let runtime = self.task.containers.iter().find(|one| *one.name == *container).and_then(|one| one.runtime_id.as_ref());
        let runtime = runtime.ok_or_else(|| format!("{container} does not run: it has no runtime id"))?;
        Ok(format!("ecs:{}_{}_{runtime}", self.task.cluster.name(), self.task.arn.name()))
    }
}

/// Asks until each feed has been answered or refused; `feeds` is asked again after every answer.
pub async fn ask(clients: &Clients, store: &mut Store, feeds: &(dyn Fn(&Store) -> Vec<Feed> + Sync)) {
    let (tx, mut updates) = mpsc::channel::<Update>(QUEUE);
    let mut watcher = Watcher::new(clients.clone(), tx);
    loop {
        let open =
            |feed: &Feed| store.slot(feed).is_none_or(|slot| slot.expected.is_some() || slot.value.is_none() && slot.error.is_none());
        let wanted: Vec<Wanted> = feeds(store).into_iter().filter(open).map(|feed| Wanted::Poll { feed, focus: true }).collect();
        if wanted.is_empty() {
            return;
        }
        watcher.reconcile(&wanted);
        let Some(update) = updates.recv().await else { return };
        store.apply(update);
    }
}

/// Finds the task, and puts it into the store.
///
/// # Errors
/// One line about what the user must mend.
pub async fn find(clients: &Clients, store: &mut Store, sought: &Sought) -> Result<Found, String> {
    let arn = Arn::from(&*sought.task);
    let id = sought.task.rsplit('/').next().unwrap_or_default();
    if id.len() < SHORTEST || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(format!("{} is no task: give its id, the beginning of it, or its ARN", sought.task));
    }
    let cluster = sought.cluster.as_deref().or(arn.cluster_name()).map(Arn::from);
    let whole = arn.as_str().starts_with("arn:") || id.len() >= 32;
    match cluster {
        Some(cluster) if whole => one(clients, store, &cluster, &arn).await,
        Some(cluster) => among(clients, store, &[cluster], id).await,
        None => {
            ask(clients, store, &|_| vec![Feed::Clusters(CTX)]).await;
            if let Some(error) = store.error(&Feed::Clusters(CTX)) {
                return Err(format!("{} (or name the cluster with --cluster)", told(error)));
            }
            let clusters: Vec<Arn> = store.clusters(CTX).unwrap_or_default().iter().map(|cluster| cluster.arn.clone()).collect();
            among(clients, store, &clusters, id).await
        }
    }
}

/// What AWS said of a cluster, and what mends it.
fn refused(cluster: &Arn, error: &AwsError) -> String {
    if error.code.as_deref() == Some("ClusterNotFoundException") { format!("there is no cluster {}", cluster.name()) } else { told(error) }
}

fn told(error: &AwsError) -> String {
    if error.hint.is_empty() { error.what.to_string() } else { format!("{}. {}", error.what, error.hint) }
}

/// A task whose name is whole: that is one call, and needs no right to list.
async fn one(clients: &Clients, store: &mut Store, cluster: &Arn, task: &Arn) -> Result<Found, String> {
    let api = clients.api(CTX);
    let read = api.task(cluster, task).await;
    let task =
        Arc::new(read.map_err(|error| refused(cluster, &error))?.ok_or_else(|| format!("{} has no task {}", cluster.name(), task.name()))?);
    let (feed, value) = (Feed::Tasks(CTX, cluster.clone()), Value::Tasks(vec![Arc::clone(&task)]));
    store.apply(Update { feed, epoch: 0, at: api.now(), outcome: Outcome::Whole(value) });
    Ok(Found { cluster: cluster.clone(), task })
}

/// A task by the beginning of its id, in any of these clusters.
async fn among(clients: &Clients, store: &mut Store, clusters: &[Arn], id: &str) -> Result<Found, String> {
    ask(clients, store, &|_| clusters.iter().map(|cluster| Feed::Tasks(CTX, cluster.clone())).collect()).await;
    let tasks = |cluster: &Arn| store.tasks(CTX, cluster).unwrap_or_default().to_vec();
    let all = clusters.iter().flat_map(|cluster| tasks(cluster).into_iter().map(move |task| Found { cluster: cluster.clone(), task }));
    let mut found: Vec<Found> = all.filter(|found| found.task.arn.name().starts_with(id)).collect();
    // One that runs is meant before one that has stopped.
    if found.iter().any(|found| !found.task.stopped()) {
        found.retain(|found| !found.task.stopped());
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => {
            let unread: Vec<&Arn> =
                clusters.iter().filter(|cluster| store.error(&Feed::Tasks(CTX, (*cluster).clone())).is_some()).collect();
            let why = unread.first().and_then(|cluster| store.error(&Feed::Tasks(CTX, (*cluster).clone())));
            match why {
                Some(error) if unread.len() == clusters.len() || error.kind == ErrorKind::NoCredentials => Err(refused(unread[0], error)),
                Some(error) => Err(format!(
                    "no task {id} in {} clusters; {} more could not be read: {}",
                    clusters.len() - unread.len(),
                    unread.len(),
                    told(error)
                )),
                None if clusters.len() == 1 => Err(format!("{} has no task {id}", clusters[0].name())),
                None => Err(format!("none of {} clusters has a task {id}", clusters.len())),
            }
        }
        several => {
            let ids: Vec<&str> = found.iter().take(4).map(|found| found.task.arn.name()).collect();
            Err(format!("{several} tasks begin with {id}: {}{}", ids.join(", "), if several > 4 { " …" } else { "" }))
        }
    }
}
