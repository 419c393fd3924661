//! `RunTask`: tasks without a service.

use std::sync::Arc;

use serde_json::{Value, json};

use super::body::Body;
use super::definitions::find;
use super::services::LAUNCH_TYPES;
use super::tasks::one;
use super::update::provider_strategy;
use super::{ApiError, Caller, Reply, cluster, put};
use crate::sim::world::{Estate, Launch, NetworkMode, NewTask, tags};

pub(super) fn run(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let new = request(estate, body)?;
    let count = body.whole("count")?.unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(ApiError::parameter("Invalid task count. Count must be between 1 and 10."));
    }
    let (mut started, mut failures) = (Vec::new(), Vec::new());
    for _ in 0..count {
        // A task without room is a failure in a reply of status 200.
        match estate.start_task(new.clone()) {
            Ok(id) => started.push(id),
            Err(words) => failures.push(failure(estate, &words)),
        }
    }
    let tasks: Vec<Value> = started.iter().filter_map(|id| estate.tasks.get(id)).map(|t| one(estate, t, true)).collect();
    Ok(json!({"tasks": tasks, "failures": failures}))
}

fn failure(estate: &Estate, words: &str) -> Value {
    let reason = match words {
        w if w.contains("memory") => "RESOURCE:MEMORY",
        w if w.contains("CPU") => "RESOURCE:CPU",
        w if w.contains("port") => "RESOURCE:PORTS",
        w if w.contains("AGENT") => "AGENT",
        w if w.contains("ACTIVE state") => "INACTIVE",
        w if w.contains("attribute") => "ATTRIBUTE",
        _ => "No Container Instances were found in your cluster.",
    };
    let named = estate.instances.iter().find(|i| words.contains(&format!("{:032x}", i.id)));
    let mut out = json!({"reason": reason});
    put(&mut out, "arn", named.map(|i| json!(estate.instance_arn(i))));
    out
}

fn request(estate: &Estate, body: Body<'_>) -> Result<NewTask, ApiError> {
    let cluster = cluster(estate, body)?;
    let given = body.needed("taskDefinition", "TaskDefinition cannot be empty.")?;
    let definition = find(estate, given)?.ok_or_else(|| ApiError::general("TaskDefinition not found."))?;
    if !definition.active {
        return Err(ApiError::general("TaskDefinition is inactive"));
    }
    let launch_type = body.one_of("launchType", &LAUNCH_TYPES)?;
    let strategy = body.list("capacityProviderStrategy")?.filter(|s| !s.is_empty());
    let launch = match (launch_type, strategy) {
        (Some(_), Some(_)) => {
            return Err(ApiError::parameter(
                "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
            ));
        }
        (None, Some(all)) => provider_strategy(estate, cluster, all)?,
        (Some("FARGATE"), None) => Launch::Fargate,
        (Some("EC2") | None, None) => Launch::Ec2,
        (Some(other), None) => return Err(ApiError::client("UnsupportedFeatureException", format!("{other} tasks are not supported."))),
    };
    let on_fargate = launch == Launch::Fargate;
    let fits = definition.network == NetworkMode::Awsvpc && definition.task_size;
    if on_fargate && !fits {
        return Err(ApiError::parameter("Task definition does not support launch_type FARGATE."));
    }
    if definition.network == NetworkMode::Awsvpc && body.part("networkConfiguration")?.is_none() {
        return Err(ApiError::parameter("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
    }
    if launch == Launch::Ec2 && !estate.instances.iter().any(|i| i.cluster == cluster) {
        return Err(ApiError::parameter("No Container Instances were found in your cluster."));
    }
    let started_by = body.text("startedBy")?.map(str::to_owned);
    if started_by.as_ref().is_some_and(|by| by.chars().count() > 128) {
        return Err(ApiError::parameter("startedBy can have up to 128 characters."));
    }
    let group = body.text("group")?.map_or_else(|| format!("family:{}", definition.family), str::to_owned);
    Ok(NewTask {
        cluster,
        service: None,
        deployment: 0,
        started_by,
        group,
        behaviour: Arc::clone(&definition.behaviour),
        definition,
        launch,
        platform_version: crate::sim::world::PLATFORM.to_owned(),
        exec: body.flag("enableExecuteCommand")?.unwrap_or(false),
        tags: tags(body.0),
        overrides: body.part("overrides")?.map(|o| o.0.clone()),
        on: None,
    })
}
