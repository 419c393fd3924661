//! Task sets by hand: what EXTERNAL services are deployed with. Those of `CODE_DEPLOY` can be read, but not touched.

use serde_json::{Value, json};

use super::body::Body;
use super::definitions::find;
use super::run::network;
use super::services::task_set;
use super::update::{balancing, provider_strategy};
use super::{ApiError, Caller, Reply, cluster, missing, service, short};
use crate::sim::world::{Controller, Estate, Launch};

/// Seen in people's logs, of `DescribeTaskSets`.
const NOT_EXTERNAL: &str = "Amazon ECS only supports task set management on services configured to use external deployment controllers.";

pub(super) fn describe(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let index = owner(estate, body)?;
    if estate.services[index].controller == Controller::Ecs {
        return Err(ApiError::parameter(NOT_EXTERNAL));
    }
    let names = body.texts("taskSets")?;
    let sets = |estate: &Estate| -> Vec<Value> {
        let all = &estate.services[index].deployments;
        all.iter().enumerate().filter_map(|(at, of)| task_set(estate, index, at, of)).collect()
    };
    let all = sets(estate);
    if names.is_empty() {
        return Ok(json!({"taskSets": all, "failures": []}));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let id = format!("ecs-svc/{}", short_id(name));
        match all.iter().find(|set| set["id"] == json!(id)) {
            Some(set) => found.push(set.clone()),
            None => failures.push(missing(name)),
        }
    }
    Ok(json!({"taskSets": found, "failures": failures}))
}

pub(super) fn create(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let index = managed(estate, body)?;
    if estate.services[index].deployments.len() >= 5 {
        return Err(ApiError::client("LimitExceededException", "The maximum number of task sets for the service is 5."));
    }
    let given = body.needed("taskDefinition", "TaskDefinition cannot be empty.")?;
    let definition = find(estate, given)?.ok_or_else(|| ApiError::general("TaskDefinition not found."))?;
    if !definition.active {
        return Err(ApiError::general("TaskDefinition is inactive"));
    }
    network(definition.network, body)?;
    let Some(mut template) = estate.services[index].current_revision().cloned() else {
        return Err(ApiError::client("ServiceNotActiveException", "Service was not ACTIVE."));
    };
    let service_of = estate.services[index].cluster;
    if let Some(all) = body.list("capacityProviderStrategy")?.filter(|all| !all.is_empty()) {
        template.launch = provider_strategy(estate, service_of, all)?;
    } else if let Some(kind) = body.one_of("launchType", &super::services::LAUNCH_TYPES)? {
        template.launch = if kind == "FARGATE" { Launch::Fargate } else { Launch::Ec2 };
    }
    template.definition = definition.clone();
    let places = match body.list("loadBalancers")? {
        Some(all) => balancing(estate, &template, all)?,
        None => Vec::new(),
    };
    let percent = scale(body)?.unwrap_or(100.0);
    let external = body.text("externalId")?.unwrap_or_default();
    let id = estate.create_task_set(index, definition, places, external, "");
    let id = id.ok_or_else(|| ApiError::client("ServiceNotActiveException", "Service was not ACTIVE."))?;
    if let Some(revision) = estate.services[index].revisions.last_mut().filter(|r| r.id == id) {
        revision.launch = template.launch;
        if let Some(network) = body.get("networkConfiguration") {
            revision.network = Some(network.clone());
        }
    }
    estate.set_task_set_scale(index, id, percent);
    shown(estate, index, id)
}

pub(super) fn update(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let index = managed(estate, body)?;
    let id = named(estate, index, body, "taskSet")?;
    let percent = scale(body)?.ok_or_else(|| ApiError::parameter("Scale cannot be empty."))?;
    estate.set_task_set_scale(index, id, percent);
    shown(estate, index, id)
}

pub(super) fn set_primary(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let index = managed(estate, body)?;
    let id = named(estate, index, body, "primaryTaskSet")?;
    estate.set_primary_task_set(index, id);
    shown(estate, index, id)
}

pub(super) fn delete(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let index = managed(estate, body)?;
    let id = named(estate, index, body, "taskSet")?;
    let force = body.flag("force")?.unwrap_or(false);
    let scaled = estate.services[index].deployments.iter().find(|d| d.id == id).and_then(|d| d.set.as_ref()).is_some_and(|s| s.scale > 0.0);
    if scaled && !force {
        return Err(ApiError::parameter("The task set cannot be deleted while it is scaled above 0. Use force to delete it anyway."));
    }
    if estate.services[index].deployments.first().is_some_and(|d| d.id == id) {
        return Err(ApiError::parameter("The primary task set cannot be deleted."));
    }
    estate.delete_task_set(index, id);
    shown(estate, index, id)
}

/// The service that a request names; here a cluster must be named as well.
fn owner(estate: &Estate, body: Body<'_>) -> Result<usize, ApiError> {
    body.needed("cluster", "Cluster cannot be empty.")?;
    let cluster = cluster(estate, body)?;
    let given = body.needed("service", "Service name cannot be empty.")?;
    service(estate, cluster, given).ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))
}

fn managed(estate: &Estate, body: Body<'_>) -> Result<usize, ApiError> {
    let index = owner(estate, body)?;
    match estate.services[index].controller {
        Controller::External => Ok(index),
        Controller::CodeDeploy | Controller::Ecs => Err(ApiError::parameter(NOT_EXTERNAL)),
    }
}

/// The number at the end of an id `ecs-svc/N` or of an ARN.
fn short_id(name: &str) -> &str {
    if name.starts_with("arn:") { short(name) } else { name.strip_prefix("ecs-svc/").unwrap_or(name) }
}

fn named(estate: &Estate, index: usize, body: Body<'_>, key: &str) -> Result<u64, ApiError> {
    let given = body.needed(key, "Task set cannot be empty.")?;
    let id = short_id(given).parse::<u64>().ok();
    let known = id.filter(|id| estate.services[index].deployments.iter().any(|d| d.id == *id));
    known.ok_or_else(|| ApiError::client("TaskSetNotFoundException", "The specified task set does not exist."))
}

fn scale(body: Body<'_>) -> Result<Option<f64>, ApiError> {
    let Some(scale) = body.part("scale")? else { return Ok(None) };
    scale.one_of("unit", &["PERCENT"])?;
    let value = scale.get("value").and_then(Value::as_f64).unwrap_or(0.0);
    if !(0.0..=100.0).contains(&value) {
        return Err(ApiError::parameter("The scale value must be between 0 and 100."));
    }
    Ok(Some(value))
}

fn shown(estate: &Estate, index: usize, id: u64) -> Reply {
    let all = &estate.services[index].deployments;
    let at = all.iter().position(|d| d.id == id);
    let set = at.and_then(|at| task_set(estate, index, at, &all[at]));
    Ok(json!({"taskSet": set.ok_or_else(|| ApiError::client("TaskSetNotFoundException", "The specified task set does not exist."))?}))
}
