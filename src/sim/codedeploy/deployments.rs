//! Deployments and their targets: made, looked at, stopped, continued.

use super::groups::{application_name, config_named, group, too_many};
use super::views::{blue_green, load_balancer, revision, rollback_configuration, sha256, status};
use super::{page, text, texts};
use crate::sim::ecs::ApiError;
use crate::sim::wire::{refuse, time};
use crate::sim::world::code_deploy::Refused;
use crate::sim::world::{Estate, EventStatus, Release, ReleaseStatus, SetSeen};
use serde_json::{Value, json};

/// Every `deploymentStatus` that a client may ask for.
const STATUSES: [&str; 8] = ["Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready"];
/// Deployments or targets in one batch.
const BATCH: usize = 25;

pub(super) fn create(estate: &mut Estate, body: &Value) -> Result<Value, ApiError> {
    let index = group(estate, body)?;
    let traffic = text(body, "deploymentConfigName").map(|name| config_named(estate, name)).transpose()?;
    let given = body.get("revision").filter(|revision| !revision.is_null());
    let given = given.ok_or_else(|| refuse(400, "RevisionRequiredException", "The revision was not specified."))?;
    let invalid = |words: String| refuse(400, "InvalidRevisionException", words);
    let content = match text(given, "revisionType") {
        Some("AppSpecContent") => given.get("appSpecContent").and_then(|spec| text(spec, "content")),
        Some("String") => given.get("string").and_then(|spec| text(spec, "content")),
        Some("S3" | "GitHub") => {
            return Err(invalid("The revision cannot be read: the embedded AWS holds no buckets and no repositories.".to_owned()));
        }
        _ => return Err(invalid("The revision was specified in an invalid format.".to_owned())),
    };
    let content = content.ok_or_else(|| invalid("The AppSpec content was not specified.".to_owned()))?.to_owned();
    let sum = given.get("appSpecContent").and_then(|spec| text(spec, "sha256"));
    if sum.is_some_and(|sum| !sum.eq_ignore_ascii_case(&sha256(&content))) {
        return Err(invalid("The SHA256 hash value of the AppSpec content does not match the specified value.".to_owned()));
    }
    let rollback = body.get("autoRollbackConfiguration").filter(|given| !given.is_null()).map(|given| {
        let enabled = given.get("enabled").and_then(Value::as_bool).unwrap_or(false);
        if enabled { texts(given, "events").into_iter().map(str::to_owned).collect() } else { Vec::new() }
    });
    let name = estate.code_deploy.groups[index].name.clone();
    let made = estate.create_release(index, &content, traffic).map_err(|refused| match refused {
        Refused::Busy(id) => {
            let words = format!("The Deployment Group '{name}' already has an active Deployment '{id}'");
            refuse(400, "DeploymentLimitExceededException", words)
        }
        Refused::Spec(words) => refuse(400, "InvalidRevisionException", words),
    })?;
    let release = &mut estate.code_deploy.releases[made];
    text(body, "description").unwrap_or_default().clone_into(&mut release.description);
    if let Some(rollback) = rollback {
        release.rollback = rollback;
    }
    Ok(json!({"deploymentId": release.id}))
}

/// The deployment that a request names; its index.
fn find(estate: &Estate, body: &Value) -> Result<usize, ApiError> {
    let id = text(body, "deploymentId");
    let id = id.ok_or_else(|| refuse(400, "DeploymentIdRequiredException", "The deployment ID was not specified."))?;
    find_id(estate, id)
}

fn find_id(estate: &Estate, id: &str) -> Result<usize, ApiError> {
    let letters =
        id.strip_prefix("d-").filter(|rest| rest.len() == 9 && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    if letters.is_none() {
        return Err(refuse(400, "InvalidDeploymentIdException", format!("Specified DeploymentId is not in the valid format: {id}")));
    }
    let found = estate.code_deploy.releases.iter().position(|r| r.id == id);
    found.ok_or_else(|| refuse(400, "DeploymentDoesNotExistException", format!("The deployment {id} could not be found")))
}

pub(super) fn one(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let index = find(estate, body)?;
    Ok(json!({"deploymentInfo": value(estate, &estate.code_deploy.releases[index])}))
}

pub(super) fn batch(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let ids = texts(body, "deploymentIds");
    if ids.is_empty() {
        return Err(refuse(400, "DeploymentIdRequiredException", "The deployment ID was not specified."));
    }
    if ids.len() > BATCH {
        return Err(too_many("deploymentIds", BATCH));
    }
    let known = ids.iter().filter_map(|id| estate.code_deploy.releases.iter().find(|r| r.id == *id));
    Ok(json!({"deploymentsInfo": known.map(|release| value(estate, release)).collect::<Vec<_>>()}))
}

fn value(estate: &Estate, release: &Release) -> Value {
    let group = &estate.code_deploy.groups[release.group];
    let count = |is: bool| i32::from(is);
    let running = !release.ended() && release.status != ReleaseStatus::Ready && release.status != ReleaseStatus::Created;
    let rollback_info = match (&release.rolled_back_by, &release.rolls_back) {
        (Some((id, message)), _) => json!({"rollbackDeploymentId": id, "rollbackMessage": message}),
        (None, Some(id)) => json!({"rollbackTriggeringDeploymentId": id}),
        (None, None) => Value::Null,
    };
    json!({
        "applicationName": group.application,
        "deploymentGroupName": group.name,
        "deploymentConfigName": release.traffic.name,
        "deploymentId": release.id,
        "previousRevision": release.previous.as_deref().map(revision),
        "revision": revision(&release.spec),
        "status": status(release),
        "errorInformation": release.error.as_ref().map(|(code, message)| json!({"code": code, "message": message})),
        "createTime": time(release.created_at),
        "startTime": release.started_at.map(time),
        "completeTime": release.completed_at.map(time),
        "deploymentOverview": {
            "Pending": count(release.status == ReleaseStatus::Created),
            "InProgress": count(running),
            "Succeeded": count(release.status == ReleaseStatus::Succeeded),
            "Failed": count(release.status == ReleaseStatus::Failed),
            "Skipped": count(release.status == ReleaseStatus::Stopped),
            "Ready": count(release.status == ReleaseStatus::Ready),
        },
        "description": (!release.description.is_empty()).then_some(&release.description),
        "creator": release.creator,
        "ignoreApplicationStopFailures": false,
        "autoRollbackConfiguration": rollback_configuration(&release.rollback),
        "updateOutdatedInstancesOnly": false,
        "rollbackInfo": rollback_info,
        "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        "instanceTerminationWaitTimeStarted": release.terminating,
        "blueGreenDeploymentConfiguration": blue_green(group),
        "loadBalancerInfo": load_balancer(estate, group),
        "fileExistsBehavior": "DISALLOW",
        "deploymentStatusMessages": [],
        "computePlatform": "ECS",
    })
}

pub(super) fn list(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let application = text(body, "applicationName").map(|_| application_name(estate, body)).transpose()?;
    let of_group = match (application, text(body, "deploymentGroupName")) {
        (Some(_), Some(_)) => Some(group(estate, body)?),
        (None, Some(_)) => return Err(refuse(400, "ApplicationNameRequiredException", "The application name was not specified.")),
        _ => None,
    };
    let statuses = texts(body, "includeOnlyStatuses");
    if let Some(other) = statuses.iter().find(|status| !STATUSES.contains(status)) {
        return Err(refuse(400, "InvalidDeploymentStatusException", format!("The specified deployment status is not valid: {other}")));
    }
    let bound = |key: &str| body.get("createTimeRange").and_then(|range| range.get(key)).and_then(Value::as_f64);
    let (start, end) = (bound("start"), bound("end"));
    // Exact: milliseconds of this century have 41 bits.
    #[allow(clippy::cast_precision_loss)]
    let seconds = |release: &Release| release.created_at as f64 / 1000.0;
    let wanted = |release: &&Release| {
        let group = &estate.code_deploy.groups[release.group];
        application.is_none_or(|name| group.application == name)
            && of_group.is_none_or(|index| release.group == index)
            && (statuses.is_empty() || statuses.contains(&status(release)))
            && start.is_none_or(|start| seconds(release) >= start)
            && end.is_none_or(|end| seconds(release) <= end)
    };
    let mut chosen: Vec<&Release> = estate.code_deploy.releases.iter().filter(wanted).collect();
    chosen.sort_by_key(|release| std::cmp::Reverse(release.created_at));
    page(body, "deployments", chosen.into_iter().map(|release| release.id.clone()).collect())
}

/// A deployment whose targets can be seen.
fn started(estate: &Estate, body: &Value) -> Result<usize, ApiError> {
    let index = find(estate, body)?;
    if estate.code_deploy.releases[index].started_at.is_none() {
        let id = &estate.code_deploy.releases[index].id;
        return Err(refuse(400, "DeploymentNotStartedException", format!("The specified deployment has not started: {id}")));
    }
    Ok(index)
}

fn target_id(estate: &Estate, release: &Release) -> String {
    let service = &estate.services[estate.code_deploy.groups[release.group].service];
    format!("{}:{}", estate.cluster_name(service.cluster), service.name)
}

pub(super) fn list_targets(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let index = started(estate, body)?;
    page(body, "targetIds", vec![target_id(estate, &estate.code_deploy.releases[index])])
}

pub(super) fn target(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let index = started(estate, body)?;
    let id = text(body, "targetId");
    let id = id.ok_or_else(|| refuse(400, "DeploymentTargetIdRequiredException", "The deployment target ID was not specified."))?;
    Ok(json!({"deploymentTarget": target_value(estate, index, id)?}))
}

pub(super) fn targets(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let index = started(estate, body)?;
    let ids = texts(body, "targetIds");
    if ids.is_empty() {
        return Err(refuse(400, "DeploymentTargetIdRequiredException", "The deployment target ID was not specified."));
    }
    if ids.len() > BATCH {
        let words = format!("The number of target IDs in the request exceeds the limit of {BATCH}.");
        return Err(refuse(400, "DeploymentTargetListSizeExceededException", words));
    }
    let found: Result<Vec<Value>, ApiError> = ids.into_iter().map(|id| target_value(estate, index, id)).collect();
    Ok(json!({"deploymentTargets": found?}))
}

fn target_value(estate: &Estate, index: usize, id: &str) -> Result<Value, ApiError> {
    let release = &estate.code_deploy.releases[index];
    if id != target_id(estate, release) {
        let words = format!("The deployment target {id} could not be found for deployment {}", release.id);
        return Err(refuse(400, "DeploymentTargetDoesNotExistException", words));
    }
    let event = |event: &crate::sim::world::Lifecycle| {
        json!({
            "lifecycleEventName": event.name,
            "status": match event.status {
                EventStatus::Pending => "Pending",
                EventStatus::InProgress => "InProgress",
                EventStatus::Succeeded => "Succeeded",
                EventStatus::Failed => "Failed",
                EventStatus::Skipped => "Skipped",
            },
            "startTime": event.started_at.map(time),
            "endTime": event.ended_at.map(time),
            // What a function that fails leaves here nobody has published; the members are the model's.
            "diagnostics": (event.status == EventStatus::Failed && event.function.is_some()).then(|| {
                json!({"errorCode": "ScriptFailed", "scriptName": event.function, "message": "", "logTail": ""})
            }),
        })
    };
    let set = |seen: &SetSeen, label: &str| {
        let (desired, pending, running) = seen.counts;
        (seen.id != 0).then(|| {
            json!({
                "identifer": format!("ecs-svc/{}", seen.id),
                "desiredCount": desired,
                "pendingCount": pending,
                "runningCount": running,
                "status": if seen.status.is_empty() { "DRAINING" } else { seen.status },
                "trafficWeight": f64::from(seen.weight),
                "targetGroup": {"name": estate.target_groups[seen.target_group].name},
                "taskSetLabel": label,
            })
        })
    };
    let sets: Vec<Value> = [set(&release.blue, "Blue"), set(&release.green, "Green")].into_iter().flatten().collect();
    let moved = release.events.iter().flat_map(|event| [event.started_at, event.ended_at]).flatten().max();
    let status = match release.status {
        ReleaseStatus::Created => "Pending",
        ReleaseStatus::InProgress => "InProgress",
        ReleaseStatus::Ready => "Ready",
        ReleaseStatus::Succeeded => "Succeeded",
        ReleaseStatus::Failed => "Failed",
        ReleaseStatus::Stopped => "Skipped",
    };
    let group = &estate.code_deploy.groups[release.group];
    Ok(json!({
        "deploymentTargetType": "ECSTarget",
        "ecsTarget": {
            "deploymentId": release.id,
            "targetId": id,
            "targetArn": estate.service_arn(&estate.services[group.service]),
            "lastUpdatedAt": time(release.completed_at.or(moved).unwrap_or(release.created_at)),
            "lifecycleEvents": release.events.iter().map(event).collect::<Vec<_>>(),
            "status": status,
            "taskSetsInfo": sets,
        },
    }))
}

fn running(estate: &Estate, body: &Value) -> Result<usize, ApiError> {
    let index = find(estate, body)?;
    let release = &estate.code_deploy.releases[index];
    if release.ended() {
        let words = format!("The deployment {} has already completed", release.id);
        return Err(refuse(400, "DeploymentAlreadyCompletedException", words));
    }
    Ok(index)
}

pub(super) fn stop(estate: &mut Estate, body: &Value) -> Result<Value, ApiError> {
    let index = running(estate, body)?;
    let back = body.get("autoRollbackEnabled").and_then(Value::as_bool);
    if estate.stop_by_user(index, back) {
        return Ok(json!({"status": "Pending", "statusMessage": "Deployment is stopping; a rollback deployment will be created."}));
    }
    Ok(json!({"status": "Succeeded", "statusMessage": "No more commands will be scheduled for execution in the deployment instances"}))
}

pub(super) fn go_on(estate: &mut Estate, body: &Value) -> Result<Value, ApiError> {
    let index = running(estate, body)?;
    let release = &estate.code_deploy.releases[index];
    let wait = text(body, "deploymentWaitType").unwrap_or("READY_WAIT");
    let waits = match wait {
        "READY_WAIT" => release.status == ReleaseStatus::Ready,
        "TERMINATION_WAIT" => release.terminating,
        other => {
            let words = format!("The wait type is invalid: {other}");
            return Err(refuse(400, "InvalidDeploymentWaitTypeException", words));
        }
    };
    if !waits {
        let words =
            if wait == "READY_WAIT" { "is not in a Ready state" } else { "is not waiting for the termination of its original task set" };
        return Err(refuse(400, "DeploymentIsNotInReadyStateException", format!("The deployment {} {words}.", release.id)));
    }
    estate.continue_release(index);
    Ok(json!({}))
}
