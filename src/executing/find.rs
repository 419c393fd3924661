//! Which task and container somebody means: an ARN, or the beginning of an id, in a named cluster or in any.

use crate::aws::Clients;
use crate::feed::{Feed, Outcome, Update, Wanted};
use crate::model::{Arn, Ctx, Task, TaskStatus};
use crate::store::Store;
use crate::watch::Watcher;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Updates that may queue up.
const QUEUE: usize = 64;

/// The context that is asked.
const CTX: Ctx = Ctx(0);

/// Finds a task by its ARN or the beginning of its id.
///
/// # Errors
/// One line about what the user must mend.
pub async fn task(clients: &Clients, named: &str, cluster: Option<&str>) -> Result<Arc<Task>, String> {
    let (tx, mut updates) = mpsc::channel::<Update>(QUEUE);
    let mut watcher = Watcher::new(clients.clone(), tx);
    let mut store = Store::default();
    let arn = Arn::from(named);
    let cluster = cluster.map(str::to_owned).or_else(|| arn.cluster_name().map(str::to_owned));
    loop {
        let wanted = wanted(&store, cluster.as_deref());
        watcher.reconcile(&wanted);
        if let Some(found) = look(&store, arn.name(), cluster.as_deref(), &wanted) {
            return found;
        }
        let Some(update) = updates.recv().await else { return Err("nothing answers".to_owned()) };
        if let Outcome::Failed(error) = &update.outcome {
            return Err(if error.hint.is_empty() { error.what.to_string() } else { format!("{}. {}", error.what, error.hint) });
        }
        store.apply(update);
    }
}

fn clusters(store: &Store, named: Option<&str>) -> Option<Vec<Arn>> {
    let known = store.clusters(CTX);
    match named {
        // The list tells its ARN.
        Some(named) => known.map(|known| {
            let same = |arn: &Arn| arn.as_str() == named || arn.name() == named;
            known.iter().map(|cluster| cluster.arn.clone()).filter(same).collect()
        }),
        None => known.map(|known| known.iter().map(|cluster| cluster.arn.clone()).collect()),
    }
}

fn wanted(store: &Store, cluster: Option<&str>) -> Vec<Wanted> {
    let poll = |feed| Wanted::Poll { feed, focus: true };
    match clusters(store, cluster) {
        None => vec![poll(Feed::Clusters(CTX))],
        Some(clusters) => clusters.into_iter().map(|cluster| poll(Feed::Tasks(CTX, cluster))).collect(),
    }
}

/// The answer, once everything is known.
fn look(store: &Store, id: &str, cluster: Option<&str>, wanted: &[Wanted]) -> Option<Result<Arc<Task>, String>> {
    let clusters = clusters(store, cluster)?;
    if clusters.is_empty() {
        return Some(Err(match cluster {
            Some(cluster) => format!("there is no cluster {cluster}"),
            None => "there is no cluster".to_owned(),
        }));
    }
    let unheard = |want: &Wanted| store.slot(want.feed()).is_none_or(|slot| slot.expected.is_some() || slot.value.is_none());
    if wanted.iter().any(unheard) {
        return None;
    }
    let tasks = clusters.iter().filter_map(|cluster| store.tasks(CTX, cluster)).flatten();
    let found: Vec<&Arc<Task>> = tasks.filter(|task| !id.is_empty() && task.arn.name().starts_with(id)).collect();
    let exact = found.iter().find(|task| task.arn.name() == id);
    Some(match (exact, found.as_slice()) {
        (Some(task), _) | (None, [task]) => Ok(Arc::clone(task)),
        (None, []) => Err(format!("no task that runs has an id that begins with {id}")),
        (None, several) => {
            let ids: Vec<&str> = several.iter().take(5).map(|task| task.arn.name()).collect();
            Err(format!(
                "{} tasks have ids that begin with {id}: {}{}",
                several.len(),
                ids.join(", "),
                if several.len() > 5 { ", …" } else { "" }
            ))
        }
    })
}

/// The container that is meant.
///
/// # Errors
/// One line about what the user must mend.
pub fn container(task: &Task, named: Option<&str>) -> Result<String, String> {
    let all: Vec<&str> = task.containers.iter().map(|container| &*container.name).collect();
    let id = task.arn.name();
    if task.status >= TaskStatus::Stopping && task.status <= TaskStatus::Stopped {
        return Err(format!("task {id} is {}", task.status.as_str()));
    }
    match (named, all.as_slice()) {
        (Some(wanted), all) if all.contains(&wanted) => Ok(wanted.to_owned()),
        (Some(wanted), all) => Err(format!("task {id} has no container {wanted}; it has {}", all.join(", "))),
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => Err(format!("task {id} has no container")),
        (None, all) => Err(format!("task {id} has the containers {}: choose one with --container", all.join(", "))),
    }
}
