//! `RunTask`: tasks without a service.

use std::sync::Arc;

use serde_json::{Value, json};

use super::body::Body;
use super::definitions::find;
use super::services::LAUNCH_TYPES;
use super::tasks::one;
use super::update::provider_strategy;
use super::{ApiError, Caller, Reply, cluster, put};
use crate::sim::world::{Estate, Launch, NetworkMode, NewTask, TaskDefinition, tags};

/// A `clientToken` is at most so long.
const LONGEST_TOKEN: usize = 64;

pub(super) fn run(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let token = body.text("clientToken")?.map(str::to_owned);
    if token.as_ref().is_some_and(|token| token.len() > LONGEST_TOKEN) {
        return Err(ApiError::parameter(format!("clientToken can have up to {LONGEST_TOKEN} characters.")));
    }
    if let Some((asked, started)) = token.as_ref().and_then(|token| estate.tokens.get(token)) {
        if asked != body.0 {
            // The documentation of ConflictException, which has no words of its own for it.
            return Err(ApiError::client(
                "ConflictException",
                "The provided clientToken is already in use with a different RunTask request.",
            ));
        }
        let tasks: Vec<Value> = started.iter().filter_map(|id| estate.tasks.get(id)).map(|t| one(estate, t, true)).collect();
        return Ok(json!({"tasks": tasks, "failures": []}));
    }
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
    if let Some(token) = token {
        estate.tokens.insert(token, (body.0.clone(), started));
    }
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

/// A network interface needs a subnet, and nothing else may name one.
pub(super) fn network(mode: NetworkMode, body: Body<'_>) -> Result<(), ApiError> {
    let given = body.part("networkConfiguration")?.map(|n| n.part("awsvpcConfiguration")).transpose()?.flatten();
    match (mode, given) {
        (NetworkMode::Awsvpc, None) => {
            Err(ApiError::parameter("Network Configuration must be provided when networkMode 'awsvpc' is specified."))
        }
        (NetworkMode::Awsvpc, Some(vpc)) if vpc.texts("subnets")?.is_empty() => Err(ApiError::parameter("subnets can not be empty.")),
        (NetworkMode::Awsvpc, Some(vpc)) if vpc.texts("subnets")?.len() > 16 => {
            Err(ApiError::parameter("subnets can have at most 16 items."))
        }
        (mode, Some(_)) if mode != NetworkMode::Awsvpc => {
            Err(ApiError::parameter("Network Configuration is not valid for the given networkMode of this task definition."))
        }
        _ => Ok(()),
    }
}

/// What is overridden must be there.
fn overrides(definition: &TaskDefinition, body: Body<'_>) -> Result<(), ApiError> {
    let Some(given) = body.part("overrides")? else { return Ok(()) };
    for container in given.list("containerOverrides")?.map_or(&[][..], Vec::as_slice) {
        let name = Body(container).text("name")?.unwrap_or_default();
        if !definition.containers.iter().any(|c| c.name == name) {
            return Err(ApiError::parameter(format!("Override for container named {name} is not a container in the TaskDefinition.")));
        }
    }
    Ok(())
}

fn request(estate: &Estate, body: Body<'_>) -> Result<NewTask, ApiError> {
    let cluster = cluster(estate, body)?;
    let given = body.needed("taskDefinition", "TaskDefinition cannot be empty.")?;
    let definition = find(estate, given)?.ok_or_else(|| ApiError::general("TaskDefinition not found."))?;
    if !definition.active {
        // Of UpdateService this is a ClientException; clients of RunTask report this one.
        return Err(ApiError::parameter("TaskDefinition is inactive"));
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
    network(definition.network, body)?;
    overrides(&definition, body)?;
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
