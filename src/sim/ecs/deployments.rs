//! Service deployments and service revisions: the long memory of a service.

use serde_json::{Value, json};

use super::body::{Body, page};
use super::services::{Counts, counts, deployment_configuration, launch, load_balancers};
use super::{ApiError, Caller, Reply, cluster, missing, put, seconds, service};
use crate::sim::world::{BreakerStatus, Controller, DeploymentStatus, Estate, Ms, Service, ServiceDeployment, ServiceRevision};

const STATUSES: [&str; 9] = [
    "PENDING",
    "SUCCESSFUL",
    "STOPPED",
    "STOP_REQUESTED",
    "IN_PROGRESS",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
];

pub(super) fn list(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let given = body.needed("service", "Service name cannot be empty.")?;
    // A service ARN names its cluster as well.
    let cluster = match (body.get("cluster"), given.strip_prefix("arn:").and_then(|a| a.rsplit('/').nth(1))) {
        (None, Some(name)) => estate.clusters.iter().position(|c| c.name == name),
        _ => Some(cluster(estate, body)?),
    };
    let index = cluster.and_then(|c| service(estate, c, given));
    let index = index.ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))?;
    let statuses = body.texts("status")?;
    if let Some(odd) = statuses.iter().find(|s| !STATUSES.contains(s)) {
        return Err(ApiError::parameter(format!("Invalid value for status: {odd}. Valid values: {}", STATUSES.join(", "))));
    }
    let (after, before) = match body.part("createdAt")? {
        None => (None, None),
        Some(range) => (range.get("after").and_then(Value::as_f64), range.get("before").and_then(Value::as_f64)),
    };
    let of = &estate.services[index];
    if of.controller != Controller::Ecs {
        return Ok(json!({"serviceDeployments": []}));
    }
    let within = |h: &&ServiceDeployment| {
        let at = seconds(h.created_at).as_f64().unwrap_or_default();
        (statuses.is_empty() || statuses.contains(&status_word(h.status)))
            && after.is_none_or(|a| at >= a)
            && before.is_none_or(|b| at <= b)
    };
    let shown: Vec<&ServiceDeployment> = of.history.iter().rev().filter(within).collect();
    let arns: Vec<String> = shown.iter().map(|h| h.id.clone()).collect();
    let mut reply = page(body, "serviceDeployments", (20, 100), &arns)?;
    for entry in reply["serviceDeployments"].as_array_mut().into_iter().flatten() {
        if let Some(h) = shown.iter().find(|h| entry.as_str() == Some(&h.id)) {
            *entry = brief(estate, of, h);
        }
    }
    Ok(reply)
}

fn brief(estate: &Estate, service: &Service, of: &ServiceDeployment) -> Value {
    let mut out = json!({
        "serviceDeploymentArn": estate.service_deployment_arn(service, &of.id),
        "serviceArn": estate.service_arn(service),
        "clusterArn": estate.cluster_arn(estate.cluster_name(service.cluster)),
        "startedAt": seconds(of.started_at),
        "createdAt": seconds(of.created_at),
        "targetServiceRevisionArn": estate.revision_arn(service, service.revisions[of.target].id),
        "status": status_word(of.status),
    });
    put(&mut out, "finishedAt", of.finished_at.map(seconds));
    put(&mut out, "statusReason", reason(of));
    out
}

fn reason(of: &ServiceDeployment) -> Option<Value> {
    (!of.reason.is_empty()).then(|| json!(of.reason))
}

pub(super) fn describe(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let arns = body.texts("serviceDeploymentArns")?;
    limited(&arns, "Service deployment ARNs")?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns {
        match deployment_of(estate, arn) {
            Some((service, at)) => found.push(one(estate, service, at)),
            None => failures.push(missing(arn)),
        }
    }
    Ok(json!({"serviceDeployments": found, "failures": failures}))
}

fn limited(arns: &[&str], what: &str) -> Result<(), ApiError> {
    if arns.is_empty() {
        return Err(ApiError::parameter(format!("{what} cannot be empty.")));
    }
    if arns.len() > 20 {
        return Err(ApiError::parameter(format!("{what} cannot have more than 20 elements.")));
    }
    match arns.iter().find(|arn| !arn.starts_with("arn:")) {
        Some(odd) => Err(ApiError::parameter(format!("Invalid ARN: {odd}"))),
        None => Ok(()),
    }
}

/// The service that an ARN `…/CLUSTER/SERVICE/ID` of a kind means, and the id.
fn owner<'a>(estate: &Estate, arn: &'a str, kind: &str) -> Option<(usize, &'a str)> {
    let rest = arn.strip_prefix(&estate.arn("ecs", kind))?.strip_prefix('/')?;
    let mut parts = rest.split('/');
    let (cluster, service, id) = (parts.next()?, parts.next()?, parts.next()?);
    let cluster = estate.clusters.iter().find(|c| c.name == cluster)?;
    Some((*cluster.services.get(service)?, id))
}

fn deployment_of(estate: &Estate, arn: &str) -> Option<(usize, usize)> {
    let (service, id) = owner(estate, arn, "service-deployment")?;
    let at = estate.services[service].history.iter().position(|h| h.id == id)?;
    Some((service, at))
}

fn one(estate: &Estate, index: usize, at: usize) -> Value {
    let service = &estate.services[index];
    let of = &service.history[at];
    let summary = |revision: usize, weight: f64| {
        let listed = service.deployments.iter().find(|d| d.revision == revision);
        let n = listed.map_or_else(Counts::default, |d| counts(estate, index, Some(d.id)));
        json!({
            "arn": estate.revision_arn(service, service.revisions[revision].id),
            "requestedTaskCount": n.desired,
            "runningTaskCount": n.running,
            "pendingTaskCount": n.pending,
            "requestedTestTrafficWeight": 0.0,
            "requestedProductionTrafficWeight": weight,
        })
    };
    let back = of.rollback.is_some();
    let sources: Vec<Value> = of.sources.iter().map(|&r| summary(r, if back { 100.0 } else { 0.0 })).collect();
    let mut out = json!({
        "serviceDeploymentArn": estate.service_deployment_arn(service, &of.id),
        "serviceArn": estate.service_arn(service),
        "clusterArn": estate.cluster_arn(estate.cluster_name(service.cluster)),
        "createdAt": seconds(of.created_at),
        "startedAt": seconds(of.started_at),
        "updatedAt": seconds(of.updated_at),
        "sourceServiceRevisions": sources,
        "targetServiceRevision": summary(of.target, if back { 0.0 } else { 100.0 }),
        "status": status_word(of.status),
        "deploymentConfiguration": deployment_configuration(service),
        "deploymentCircuitBreaker": {
            "status": breaker_word(of.breaker),
            "failureCount": of.failures,
            "threshold": of.threshold,
        },
        "alarms": {"status": "DISABLED", "alarmNames": [], "triggeredAlarmNames": []},
    });
    put(&mut out, "finishedAt", of.finished_at.map(seconds));
    put(&mut out, "stoppedAt", of.stopped_at.map(seconds));
    put(&mut out, "statusReason", reason(of));
    put(&mut out, "lifecycleStage", stage(service, of).map(|s| json!(s)));
    put(
        &mut out,
        "rollback",
        of.rollback.as_ref().map(|r| {
            json!({
                "reason": r.reason,
                "startedAt": seconds(r.started_at),
                "serviceRevisionArn": estate.revision_arn(service, service.revisions[r.revision].id),
            })
        }),
    );
    out
}

/// A rolling deployment scales up until its source is all that is left to clean.
fn stage(service: &Service, of: &ServiceDeployment) -> Option<&'static str> {
    let under_way = matches!(of.status, DeploymentStatus::InProgress | DeploymentStatus::RollbackInProgress);
    under_way.then_some(if service.deployments.len() > 1 { "SCALE_UP" } else { "CLEAN_UP" })
}

pub(super) fn revisions(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let arns = body.texts("serviceRevisionArns")?;
    limited(&arns, "Service revision ARNs")?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns {
        let known = owner(estate, arn, "service-revision").and_then(|(index, id)| {
            let service = &estate.services[index];
            let id: u64 = id.parse().ok()?;
            Some((service, service.revisions.iter().find(|r| r.id == id)?))
        });
        match known.filter(|(_, r)| r.created_at >= REVISIONS_SINCE) {
            Some((service, revision)) => found.push(revision_view(estate, service, revision)),
            None => failures.push(missing(arn)),
        }
    }
    Ok(json!({"serviceRevisions": found, "failures": failures}))
}

/// AWS has no revisions of before 25 October 2024.
const REVISIONS_SINCE: Ms = 1_729_814_400_000;

fn revision_view(estate: &Estate, service: &Service, of: &ServiceRevision) -> Value {
    let image = |(at, c): (usize, &crate::sim::world::ContainerDefinition)| {
        let mut out = json!({"containerName": c.name, "image": c.image});
        let digest = of.digests.get(at).filter(|digest| !digest.is_empty());
        put(&mut out, "imageDigest", digest.map(|digest| json!(digest)));
        out
    };
    let mut out = json!({
        "serviceRevisionArn": estate.revision_arn(service, of.id),
        "serviceArn": estate.service_arn(service),
        "clusterArn": estate.cluster_arn(estate.cluster_name(service.cluster)),
        "taskDefinition": estate.definition_arn(&of.definition),
        "loadBalancers": load_balancers(estate, &of.load_balancers),
        "containerImages": of.definition.containers.iter().enumerate().map(image).collect::<Vec<_>>(),
        "guardDutyEnabled": false,
        "createdAt": seconds(of.created_at),
    });
    launch(&mut out, of);
    if !of.load_balancers.is_empty() {
        let arn = |lb: &crate::sim::world::LoadBalancing| json!({"targetGroupArn": estate.target_group_arn(lb.target_group)});
        out["resolvedConfiguration"] = json!({"loadBalancers": of.load_balancers.iter().map(arn).collect::<Vec<_>>()});
    }
    out
}

pub(super) fn stop(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let arn = body.needed("serviceDeploymentArn", "Service deployment ARN cannot be empty.")?;
    let kind = body.one_of("stopType", &["ABORT", "ROLLBACK"])?.unwrap_or("ROLLBACK");
    if kind != "ROLLBACK" {
        return Err(ApiError::parameter("The stop type ABORT is not supported. Valid values: ROLLBACK"));
    }
    let Some((service, at)) = deployment_of(estate, arn) else {
        return Err(ApiError::client("ServiceDeploymentNotFoundException", "Service deployment not found."));
    };
    let current = estate.services[service].deployments.first().is_some_and(|d| d.history == at);
    if !current || !estate.request_rollback(service) {
        let state = status_word(estate.services[service].history[at].status);
        let message = format!("Cannot stop a service deployment in the {state} state.");
        return Err(ApiError::client("ConflictException", message));
    }
    Ok(json!({"serviceDeploymentArn": arn}))
}

fn status_word(status: DeploymentStatus) -> &'static str {
    match status {
        DeploymentStatus::InProgress => "IN_PROGRESS",
        DeploymentStatus::Successful => "SUCCESSFUL",
        DeploymentStatus::Stopped => "STOPPED",
        DeploymentStatus::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
        DeploymentStatus::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
        DeploymentStatus::RollbackFailed => "ROLLBACK_FAILED",
    }
}

fn breaker_word(status: BreakerStatus) -> &'static str {
    match status {
        BreakerStatus::Triggered => "TRIGGERED",
        BreakerStatus::Monitoring => "MONITORING",
        BreakerStatus::MonitoringComplete => "MONITORING_COMPLETE",
        BreakerStatus::Disabled => "DISABLED",
    }
}
