//! `GetTaskProtection` and `UpdateTaskProtection`.

use serde_json::{Value, json};

use super::body::Body;
use super::tasks::task_of;
use super::{ApiError, Caller, Reply, cluster, missing, put, seconds};
use crate::sim::world::{Estate, TaskId};

/// expiresInMinutes unless the caller says otherwise, and the most that it may be: two days.
const DEFAULT_MINUTES: i64 = 120;
const MOST_MINUTES: i64 = 2880;

pub(super) fn get(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = named_cluster(estate, body)?;
    let mut names: Vec<String> = body.texts("tasks")?.into_iter().map(str::to_owned).collect();
    if names.len() > 100 {
        return Err(ApiError::parameter("Tasks cannot have more than 100 elements."));
    }
    if names.is_empty() {
        let here = estate.clusters[cluster].tasks.iter().filter(|id| estate.tasks.get(id).is_some_and(|t| !t.stopping()));
        names = here.map(ToString::to_string).collect();
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in &names {
        match task_of(estate, cluster, name)?.map(|t| t.id) {
            Some(id) => found.push(one(estate, id)),
            None => failures.push(missing(name)),
        }
    }
    Ok(json!({"protectedTasks": found, "failures": failures}))
}

pub(super) fn update(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = named_cluster(estate, body)?;
    let names = body.texts("tasks")?;
    if names.is_empty() {
        return Err(ApiError::parameter("Tasks cannot be empty."));
    }
    if names.len() > 10 {
        return Err(ApiError::parameter("Tasks cannot have more than 10 elements."));
    }
    let enabled = body.flag("protectionEnabled")?.ok_or_else(|| ApiError::parameter("protectionEnabled cannot be empty."))?;
    let minutes = body.whole("expiresInMinutes")?.unwrap_or(DEFAULT_MINUTES);
    if !(1..=MOST_MINUTES).contains(&minutes) {
        return Err(ApiError::parameter(format!("expiresInMinutes must be between 1 and {MOST_MINUTES}.")));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let known = task_of(estate, cluster, name)?.map(|t| (t.id, t.service.is_some(), t.stopping()));
        match known {
            Some((id, true, false)) => {
                let until = enabled.then_some(estate.now + minutes * 60_000);
                estate.protect(id, until);
                found.push(one(estate, id));
            }
            Some((id, service, _)) => {
                let arn = estate.tasks.get(&id).map(|t| estate.task_arn(t)).unwrap_or_default();
                let detail = if service { "The task is stopping." } else { "Only tasks of a service can be protected." };
                failures.push(json!({"arn": arn, "reason": "TASK_NOT_VALID", "detail": detail}));
            }
            None => failures.push(missing(name)),
        }
    }
    Ok(json!({"protectedTasks": found, "failures": failures}))
}

/// Both calls demand a cluster; there is no default.
fn named_cluster(estate: &Estate, body: Body<'_>) -> Result<usize, ApiError> {
    body.needed("cluster", "Cluster cannot be empty.")?;
    cluster(estate, body)
}

fn one(estate: &Estate, id: TaskId) -> Value {
    let until = estate.protection(id);
    let arn = estate.tasks.get(&id).map(|t| estate.task_arn(t)).unwrap_or_default();
    let mut out = json!({"taskArn": arn, "protectionEnabled": until.is_some()});
    put(&mut out, "expirationDate", until.map(seconds));
    out
}
