//! `ListServices` and `DescribeServices`: what a service looks like.

use serde_json::{Value, json};

use super::body::{Body, page};
use super::{ApiError, Caller, Reply, cluster, is_arn, missing, put, seconds, service, tags, uuid};
use crate::sim::scenario::Strategy;
use crate::sim::scenario::schema::ThresholdKind;
use crate::sim::world::{
    Controller, Deployment, Estate, Hook, Launch, LoadBalancing, Rollout, Scheduling, Service, ServiceRevision, TaskStatus,
};

pub(super) const LAUNCH_TYPES: [&str; 4] = ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"];

pub(super) fn list(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let launch = body.one_of("launchType", &LAUNCH_TYPES)?;
    let scheduling = body.one_of("schedulingStrategy", &["REPLICA", "DAEMON"])?;
    let managed = body.one_of("resourceManagementType", &["CUSTOMER", "ECS"])?;
    let services = estate.clusters[cluster].services.values().map(|&index| &estate.services[index]).filter(|s| !s.deleted);
    let wanted = services.filter(|s| {
        let type_of = s.current_revision().and_then(|r| launch_type(&r.launch));
        launch.is_none_or(|l| type_of == Some(l))
            && scheduling.is_none_or(|w| w == scheduling_word(s.scheduling))
            && managed.is_none_or(|m| (m == "ECS") == s.express)
    });
    // AWS's order is its own; by name is as good and stays put.
    let arns: Vec<String> = wanted.map(|s| estate.service_arn(s)).collect();
    page(body, "serviceArns", (10, 100), &arns)
}

pub(super) fn describe(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let names = body.texts("services")?;
    if names.is_empty() {
        return Err(ApiError::parameter("Services cannot be empty."));
    }
    if names.len() > 10 {
        return Err(ApiError::parameter("Services cannot have more than 10 elements."));
    }
    let with_tags = body.includes("TAGS")?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match service(estate, cluster, name) {
            Some(index) => {
                let mut out = one(estate, index);
                put(&mut out, "tags", with_tags.then(|| tags(&estate.services[index].tags)));
                found.push(out);
            }
            None if is_arn(name) => failures.push(missing(name)),
            None => {
                let path = format!("service/{}/{name}", estate.cluster_name(cluster));
                failures.push(missing(&estate.arn("ecs", &path)));
            }
        }
    }
    Ok(json!({"services": found, "failures": failures}))
}

/// Tasks of a deployment: wanted, RUNNING and on their way there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub desired: usize,
    pub running: usize,
    pub pending: usize,
}

/// The tasks of one deployment, or of all with `None`.
pub(super) fn counts(estate: &Estate, index: usize, deployment: Option<u64>) -> Counts {
    let service = &estate.services[index];
    let mut counts = Counts::default();
    let tasks = service.tasks.iter().filter_map(|id| estate.tasks.get(id));
    for task in tasks.filter(|t| deployment.is_none_or(|d| t.deployment == d)) {
        counts.desired += usize::from(!task.stopping());
        match task.status {
            TaskStatus::Running => counts.running += 1,
            TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => counts.pending += 1,
            _ => {}
        }
    }
    let primary = service.deployments.first();
    if deployment.is_none_or(|d| primary.is_some_and(|p| p.id == d)) {
        counts.desired = estate.wanted(index);
    }
    if deployment.is_some_and(|d| service.deployments.iter().any(|x| x.id == d && x.rollout == Rollout::Failed)) {
        counts.desired = 0;
    }
    counts
}

/// A service as `DescribeServices` and `UpdateService` show it, without tags.
pub(super) fn one(estate: &Estate, index: usize) -> Value {
    let service = &estate.services[index];
    let total = counts(estate, index, None);
    let Some(revision) = service.current_revision() else { return Value::Null };
    let mut out = json!({
        "serviceArn": estate.service_arn(service),
        "serviceName": service.name,
        "clusterArn": estate.cluster_arn(estate.cluster_name(service.cluster)),
        "loadBalancers": load_balancers(estate, &revision.load_balancers),
        "serviceRegistries": [],
        "status": status_word(service, total.running + total.pending),
        "desiredCount": total.desired,
        "runningCount": total.running,
        "pendingCount": total.pending,
        "taskDefinition": estate.definition_arn(&revision.definition),
        "deploymentConfiguration": deployment_configuration(service),
        "deployments": [],
        "roleArn": estate.role_arn("aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
        "events": events(service),
        "createdAt": seconds(service.created_at),
        "placementConstraints": [],
        "placementStrategy": [],
        "healthCheckGracePeriodSeconds": service.grace,
        "schedulingStrategy": scheduling_word(service.scheduling),
        "deploymentController": {"type": controller_word(service.controller)},
        "createdBy": service.created_by,
        "enableECSManagedTags": true,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": service.exec,
        "availabilityZoneRebalancing": "DISABLED",
        "resourceManagementType": if service.express { "ECS" } else { "CUSTOMER" },
    });
    launch(&mut out, revision);
    match service.controller {
        Controller::Ecs => {
            out["deployments"] = service.deployments.iter().enumerate().map(|(at, d)| deployment(estate, index, at, d)).collect();
            out["currentServiceRevisions"] = service
                .deployments
                .iter()
                .filter_map(|d| Some(revision_counts(estate, index, d.id, service.revisions.get(d.revision)?)))
                .collect();
            let under_way = service.under_way().map(|h| json!(estate.service_deployment_arn(service, &h.id)));
            put(&mut out, "currentServiceDeployment", under_way);
        }
        Controller::CodeDeploy | Controller::External => out["taskSets"] = task_sets(estate, index),
    }
    for (key, value) in &service.echo {
        out[key] = value.clone();
    }
    out
}

fn revision_counts(estate: &Estate, index: usize, deployment: u64, revision: &ServiceRevision) -> Value {
    let n = counts(estate, index, Some(deployment));
    json!({
        "arn": estate.revision_arn(&estate.services[index], revision.id),
        "requestedTaskCount": n.desired, "runningTaskCount": n.running, "pendingTaskCount": n.pending,
    })
}

/// launchType or capacityProviderStrategy, platform and network of a revision.
pub(super) fn launch(out: &mut Value, revision: &ServiceRevision) {
    match &revision.launch {
        Launch::Providers(all) => {
            let one = |(name, weight, base): &(String, u32, u32)| json!({"capacityProvider": name, "weight": weight, "base": base});
            out["capacityProviderStrategy"] = all.iter().map(one).collect();
        }
        other => out["launchType"] = json!(launch_type(other)),
    }
    if !revision.platform_version.is_empty() {
        out["platformVersion"] = json!(revision.platform_version);
        out["platformFamily"] = json!("Linux");
    }
    put(out, "networkConfiguration", revision.network.clone());
}

fn deployment(estate: &Estate, index: usize, at: usize, of: &Deployment) -> Value {
    let service = &estate.services[index];
    let revision = &service.revisions[of.revision];
    let n = counts(estate, index, Some(of.id));
    let mut out = json!({
        "id": format!("ecs-svc/{}", of.id),
        "status": if at == 0 { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": estate.definition_arn(&revision.definition),
        "desiredCount": n.desired,
        "pendingCount": n.pending,
        "runningCount": n.running,
        "failedTasks": of.failed_tasks,
        "createdAt": seconds(of.created_at),
        "updatedAt": seconds(of.updated_at),
        "rolloutState": match of.rollout {
            Rollout::InProgress => "IN_PROGRESS",
            Rollout::Completed => "COMPLETED",
            Rollout::Failed => "FAILED",
        },
        "rolloutStateReason": of.reason,
    });
    launch(&mut out, revision);
    out
}

/// The task sets of a service that `CodeDeploy` or somebody else deploys.
fn task_sets(estate: &Estate, index: usize) -> Value {
    let service = &estate.services[index];
    service.deployments.iter().enumerate().filter_map(|(at, of)| task_set(estate, index, at, of)).collect()
}

pub(super) fn task_set(estate: &Estate, index: usize, at: usize, of: &Deployment) -> Option<Value> {
    let service = &estate.services[index];
    let (revision, set) = (service.revisions.get(of.revision)?, of.set.as_ref()?);
    let (pending, running) = estate.counts_of_set(index, of.id);
    let wanted = estate.wanted_of_set(index, set);
    let id = format!("ecs-svc/{}", of.id);
    let arn = format!("task-set/{}/{}/{id}", estate.cluster_name(service.cluster), service.name);
    let steady = running == wanted && pending == 0 && estate.well_of_set(index, of.id) == wanted;
    let mut out = json!({
        "id": id,
        "taskSetArn": estate.arn("ecs", &arn),
        "serviceArn": estate.service_arn(service),
        "clusterArn": estate.cluster_arn(estate.cluster_name(service.cluster)),
        "status": if set.leaving { "DRAINING" } else if at == 0 { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": estate.definition_arn(&revision.definition),
        "computedDesiredCount": wanted,
        "pendingCount": pending,
        "runningCount": running,
        "createdAt": seconds(of.created_at),
        "updatedAt": seconds(of.updated_at),
        "loadBalancers": load_balancers(estate, &revision.load_balancers),
        "serviceRegistries": [],
        "scale": {"value": set.scale, "unit": "PERCENT"},
        "stabilityStatus": if steady { "STEADY_STATE" } else { "STABILIZING" },
        "stabilityStatusAt": seconds(of.updated_at),
        "tags": [],
    });
    put(&mut out, "startedBy", (!set.started_by.is_empty()).then(|| json!(set.started_by)));
    put(&mut out, "externalId", (!set.external_id.is_empty()).then(|| json!(set.external_id)));
    launch(&mut out, revision);
    Some(out)
}

pub(super) fn load_balancers(estate: &Estate, all: &[LoadBalancing]) -> Value {
    let one = |lb: &LoadBalancing| {
        // Of a pair the service names the first one, whichever serves.
        let group = lb.alternate.map_or(lb.target_group, |other| other.min(lb.target_group));
        let mut out = json!({
            "targetGroupArn": estate.target_group_arn(group),
            "containerName": lb.container,
            "containerPort": lb.port,
        });
        if let Some(other) = lb.alternate {
            let mut more = json!({
                "alternateTargetGroupArn": estate.target_group_arn(other.max(lb.target_group)),
                "roleArn": estate.role_arn("ecs-load-balancing"),
            });
            put(&mut more, "productionListenerRule", estate.leading_rule(lb, false).map(|arn| json!(arn)));
            let test = lb.test_port.and_then(|_| estate.leading_rule(lb, true));
            put(&mut more, "testListenerRule", test.map(|arn| json!(arn)));
            out["advancedConfiguration"] = more;
        }
        out
    };
    all.iter().map(one).collect()
}

pub(super) fn deployment_configuration(service: &Service) -> Value {
    let mut out = json!({"maximumPercent": service.maximum, "minimumHealthyPercent": service.minimum});
    if service.controller != Controller::Ecs {
        return out;
    }
    let plan = &service.plan;
    out["deploymentCircuitBreaker"] = json!({
        "enable": service.breaker.enable,
        "rollback": service.breaker.rollback,
        "resetOnHealthyTask": plan.reset_on_healthy_task,
        "thresholdConfiguration": {"type": threshold_word(plan.threshold.kind), "value": plan.threshold.value},
    });
    out["strategy"] = json!(plan.strategy.word());
    if plan.strategy != Strategy::Rolling {
        out["bakeTimeInMinutes"] = json!(plan.bake);
    }
    match plan.strategy {
        Strategy::Linear => out["linearConfiguration"] = json!({"stepPercent": plan.percent, "stepBakeTimeInMinutes": plan.step_bake}),
        Strategy::Canary => out["canaryConfiguration"] = json!({"canaryPercent": plan.percent, "canaryBakeTimeInMinutes": plan.step_bake}),
        _ => {}
    }
    if let Some(early) = plan.early {
        out["earlySuccessCriteria"] = json!({
            "enable": true,
            "healthyPercent": early.percent,
            "sourceServiceRevisionCleanup": if early.deferred { "DEFERRED" } else { "BLOCKING" },
        });
    }
    if !plan.alarms.is_empty() {
        out["alarms"] = json!({"alarmNames": plan.alarms, "enable": true, "rollback": plan.alarm_rollback});
    }
    if !plan.hooks.is_empty() {
        out["lifecycleHooks"] = plan.hooks.iter().map(hook).collect();
    }
    out
}

fn hook(of: &Hook) -> Value {
    let mut out = json!({
        "targetType": if of.function.is_some() { "AWS_LAMBDA" } else { "PAUSE" },
        "lifecycleStages": of.stages,
        "timeoutConfiguration": {"timeoutInMinutes": of.timeout, "action": if of.timeout_continues { "CONTINUE" } else { "ROLLBACK" }},
    });
    put(&mut out, "hookTargetArn", of.function.as_ref().map(|arn| json!(arn)));
    put(&mut out, "roleArn", of.role.as_ref().map(|arn| json!(arn)));
    out
}

fn threshold_word(kind: ThresholdKind) -> &'static str {
    match kind {
        ThresholdKind::Count => "COUNT",
        ThresholdKind::BoundedPercent => "BOUNDED_PERCENT",
        ThresholdKind::UnboundedPercent => "UNBOUNDED_PERCENT",
    }
}

fn events(service: &Service) -> Value {
    let one = |e: &crate::sim::world::ServiceEvent| json!({"id": uuid(e.id), "createdAt": seconds(e.at), "message": e.message});
    service.events.iter().map(one).collect()
}

pub(super) fn launch_type(launch: &Launch) -> Option<&'static str> {
    match launch {
        Launch::Fargate => Some("FARGATE"),
        Launch::Ec2 => Some("EC2"),
        Launch::Providers(_) => None,
    }
}

/// A deleted service drains until its last task has gone.
fn status_word(service: &Service, tasks: usize) -> &'static str {
    match (service.deleted, tasks) {
        (false, _) => "ACTIVE",
        (true, 0) => "INACTIVE",
        (true, _) => "DRAINING",
    }
}

/// `DeleteService`.
pub(super) fn delete(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let given = body.needed("service", "Service name cannot be empty.")?;
    let index = service(estate, cluster, given);
    let index = index.ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))?;
    let force = body.flag("force")?.unwrap_or(false);
    let of = &estate.services[index];
    if !force && of.scheduling == Scheduling::Replica && of.desired > 0 {
        return Err(ApiError::parameter("The service cannot be stopped while it is scaled above 0."));
    }
    estate.delete_service(index);
    Ok(json!({"service": one(estate, index)}))
}

fn scheduling_word(scheduling: Scheduling) -> &'static str {
    match scheduling {
        Scheduling::Replica => "REPLICA",
        Scheduling::Daemon => "DAEMON",
    }
}

fn controller_word(controller: Controller) -> &'static str {
    match controller {
        Controller::Ecs => "ECS",
        Controller::CodeDeploy => "CODE_DEPLOY",
        Controller::External => "EXTERNAL",
    }
}
