//! Service deployments and service revisions: the long memory of a service.

use serde_json::{Value, json};

use super::body::{Body, page};
use super::services::{Counts, counts, deployment_configuration, launch, load_balancers};
use super::{ApiError, Caller, Reply, cluster, missing, put, seconds, service};
use crate::sim::world::{BreakerStatus, Controller, DeploymentStatus, Estate, HookRun, Ms, Service, ServiceDeployment, ServiceRevision};

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
    let summary = |revision: usize, weight: f64, test: f64| {
        let listed = service.deployments.iter().find(|d| d.revision == revision);
        let n = listed.map_or_else(Counts::default, |d| counts(estate, index, Some(d.id)));
        json!({
            "arn": estate.revision_arn(service, service.revisions[revision].id),
            "requestedTaskCount": n.desired,
            "runningTaskCount": n.running,
            "pendingTaskCount": n.pending,
            "requestedTestTrafficWeight": test,
            "requestedProductionTrafficWeight": weight,
        })
    };
    let back = of.rollback.is_some();
    let (weight, test) = match &of.shift {
        Some(shift) => (shift.weight, shift.test_weight),
        None => (if back { 0.0 } else { 100.0 }, 0.0),
    };
    let listed =
        |r: &&usize| of.shift.is_none() || Some(**r) == of.sources.last().copied() || service.deployments.iter().any(|d| d.revision == **r);
    // Of several sources the last one serves.
    let serving = of.sources.last().copied();
    let share = |r: usize| if of.shift.is_none() || Some(r) == serving { 100.0 - weight } else { 0.0 };
    let tested = |r: usize| if of.shift.is_some() && Some(r) == serving { 100.0 - test } else { 0.0 };
    let sources: Vec<Value> = of.sources.iter().filter(listed).map(|&r| summary(r, share(r), tested(r))).collect();
    let mut out = json!({
        "serviceDeploymentArn": estate.service_deployment_arn(service, &of.id),
        "serviceArn": estate.service_arn(service),
        "clusterArn": estate.cluster_arn(estate.cluster_name(service.cluster)),
        "createdAt": seconds(of.created_at),
        "startedAt": seconds(of.started_at),
        "updatedAt": seconds(of.updated_at),
        "sourceServiceRevisions": sources,
        "targetServiceRevision": summary(of.target, weight, test),
        "status": status_word(of.status),
        "deploymentConfiguration": deployment_configuration(service),
        "deploymentCircuitBreaker": {
            "status": breaker_word(of.breaker),
            "failureCount": of.failures,
            "threshold": of.threshold,
        },
        "alarms": alarms(service, of),
    });
    let hooks = of.shift.as_ref().map(|shift| hook_details(service, &shift.hooks)).filter(|all| !all.is_empty());
    put(&mut out, "lifecycleHookDetails", hooks.map(|all| json!(all)));
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

fn alarms(service: &Service, of: &ServiceDeployment) -> Value {
    let status = match (service.plan.alarms.is_empty(), of.alarms_fired.is_empty(), of.finished_at) {
        (true, ..) => "DISABLED",
        (_, false, _) => "TRIGGERED",
        (_, _, None) => "MONITORING",
        _ => "MONITORING_COMPLETE",
    };
    json!({"status": status, "alarmNames": service.plan.alarms, "triggeredAlarmNames": of.alarms_fired})
}

fn hook_details(service: &Service, runs: &[HookRun]) -> Vec<Value> {
    let one = |run: &HookRun| {
        let hook = service.plan.hooks.get(run.hook)?;
        let mut out = json!({
            "hookId": run.id,
            "targetType": if hook.function.is_some() { "AWS_LAMBDA" } else { "PAUSE" },
            "status": run.status.word(),
            "expiresAt": seconds(run.expires_at),
            "timeoutAction": if hook.timeout_continues { "CONTINUE" } else { "ROLLBACK" },
        });
        put(&mut out, "targetArn", hook.function.as_ref().map(|arn| json!(arn)));
        Some(out)
    };
    runs.iter().filter_map(one).collect()
}

/// A rolling deployment scales up until its source is all that is left to clean.
fn stage(service: &Service, of: &ServiceDeployment) -> Option<&'static str> {
    let under_way =
        matches!(of.status, DeploymentStatus::InProgress | DeploymentStatus::RollbackRequested | DeploymentStatus::RollbackInProgress);
    if let Some(shift) = of.shift.as_ref().filter(|_| under_way) {
        return Some(shift.stage.word());
    }
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
        let arn = |lb: &crate::sim::world::LoadBalancing| {
            let mut out = json!({"targetGroupArn": estate.target_group_arn(lb.target_group)});
            put(&mut out, "productionListenerRule", lb.alternate.and_then(|_| estate.leading_rule(lb, false)).map(|arn| json!(arn)));
            out
        };
        out["resolvedConfiguration"] = json!({"loadBalancers": of.load_balancers.iter().map(arn).collect::<Vec<_>>()});
    }
    out
}

/// `ContinueServiceDeployment`: the answer to a hook that waits.
pub(super) fn go_on(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let arn = body.needed("serviceDeploymentArn", "Service deployment ARN cannot be empty.")?;
    let hook = body.needed("hookId", "Hook ID cannot be empty.")?;
    let action = body.one_of("action", &["CONTINUE", "ROLLBACK"])?.unwrap_or("CONTINUE");
    let Some((service, at)) = deployment_of(estate, arn) else {
        return Err(ApiError::client("ServiceDeploymentNotFoundException", "Service deployment not found."));
    };
    if !estate.answer_hook(service, at, hook, action == "CONTINUE") {
        return Err(ApiError::parameter(format!("The lifecycle hook {hook} is not awaiting an action.")));
    }
    Ok(json!({"serviceDeploymentArn": arn}))
}

/// `StopServiceDeployment`. The model's enum has ABORT; its documentation says "the valid values are ROLLBACK". The guide, "Stopping
/// Amazon ECS service deployments", lets a rollback that was asked for or is under way be stopped too, and it goes on; what has
/// ended is a conflict, whose words are ours.
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
        DeploymentStatus::RollbackRequested => "ROLLBACK_REQUESTED",
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
