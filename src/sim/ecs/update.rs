//! `UpdateService`: what it changes, what of that starts a deployment, and what
//! the deployment controllers refuse.

use serde_json::{Value, json};

use super::body::Body;
use super::definitions::find;
use super::plan;
use super::{ApiError, Caller, Reply, cluster, service};
use crate::sim::world::{Controller, Estate, Launch, LoadBalancing, NetworkMode, Scheduling, ServiceRevision};

/// Members that `CODE_DEPLOY` and EXTERNAL services accept beside cluster and service.
const CODE_DEPLOY_TAKES: [&str; 7] = [
    "desiredCount",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
];

/// Members that are kept and shown, but move nothing.
const ECHOED: [&str; 8] = [
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "availabilityZoneRebalancing",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "monitoring",
];

pub(super) fn update(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let given = body.needed("service", "Service name cannot be empty.")?;
    let index = service(estate, cluster, given);
    let index = index.ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))?;
    if estate.services[index].deleted {
        return Err(ApiError::client("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    let forced = body.flag("forceNewDeployment")?.unwrap_or(false);
    controller_allows(estate, index, body, forced)?;
    exec_is_possible(estate, index, body)?;
    // Everything is checked before anything is changed.
    let desired = desired(estate, index, body)?;
    let revision = revised(estate, index, body)?;
    let percents = percents(estate, index, body)?;
    let grace = grace(estate, index, body)?;
    let exec = body.flag("enableExecuteCommand")?;
    let plan = plan::changed(estate, index, body)?;
    if plan.early.is_some_and(|early| early.percent < percents.0) {
        return Err(ApiError::parameter("healthyPercent must be greater than or equal to minimumHealthyPercent."));
    }

    let of = &mut estate.services[index];
    of.plan = plan;
    (of.minimum, of.maximum) = percents;
    of.grace = grace;
    of.exec = exec.unwrap_or(of.exec);
    if let Some(breaker) = body.part("deploymentConfiguration")?.map(|c| c.part("deploymentCircuitBreaker")).transpose()?.flatten() {
        of.breaker.enable = breaker.flag("enable")?.unwrap_or(of.breaker.enable);
        of.breaker.rollback = breaker.flag("rollback")?.unwrap_or(of.breaker.rollback);
    }
    for key in ECHOED {
        if let Some(value) = body.get(key) {
            of.echo.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(desired) = desired {
        estate.scale(index, desired);
    }
    match revision {
        Some((revision, true)) => {
            estate.deploy(index, revision);
        }
        Some((revision, false)) if forced => {
            estate.deploy(index, revision);
        }
        Some((revision, false)) => {
            // A capacity provider strategy holds from the next deployment on.
            if let Some(primary) = estate.services[index].deployments.first().map(|d| d.revision) {
                estate.services[index].revisions[primary].launch = revision.launch;
            }
        }
        None => {}
    }
    Ok(json!({"service": super::services::one(estate, index)}))
}

/// What the deployment controller does not take. "Unable to update task definition", "Unable to update network parameters" and
/// "Cannot force a new deployment" stand so in people's logs, in this order when a request asks for several; the others are formed
/// after them, as those of EXTERNAL are.
fn controller_allows(estate: &Estate, index: usize, body: Body<'_>, forced: bool) -> Result<(), ApiError> {
    let controller = estate.services[index].controller;
    let (word, instead) = match controller {
        Controller::Ecs => return Ok(()),
        Controller::CodeDeploy => ("CODE_DEPLOY", "Use AWS CodeDeploy to trigger a new deployment."),
        Controller::External => ("EXTERNAL", "Use CreateTaskSet to trigger a new deployment."),
    };
    let members = body.0.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let refused = |key: &&String| {
        let harmless = matches!(key.as_str(), "cluster" | "service" | "forceNewDeployment");
        let external = controller == Controller::External && key.as_str() == "deploymentConfiguration";
        !harmless && (external || !CODE_DEPLOY_TAKES.contains(&key.as_str()))
    };
    let mut keys: Vec<&String> = members.map(|(key, _)| key).filter(refused).collect();
    keys.sort_by_key(|key| (*key != "taskDefinition", *key != "networkConfiguration"));
    if let Some(key) = keys.first() {
        let what = if *key == "networkConfiguration" { "network parameters".to_owned() } else { spaced(key) };
        return Err(ApiError::parameter(format!("Unable to update {what} on services with a {word} deployment controller. {instead}")));
    }
    if forced {
        return Err(ApiError::parameter(format!(
            "Cannot force a new deployment on services with a {word} deployment controller. {instead}"
        )));
    }
    // People meet this as a refusal, but nobody has published its words. Auto scaling is not held up, says AWS's guide to blue/green
    // deployments with CodeDeploy.
    if controller == Controller::CodeDeploy && body.get("desiredCount").is_some() && estate.is_releasing(index) {
        return Err(ApiError::parameter(
            "Unable to update desired count on services with a CODE_DEPLOY deployment controller while a deployment is in progress.",
        ));
    }
    Ok(())
}

/// ECS Exec works through the task role, so a service cannot have it without one.
fn exec_is_possible(estate: &Estate, index: usize, body: Body<'_>) -> Result<(), ApiError> {
    if body.flag("enableExecuteCommand")? != Some(true) {
        return Ok(());
    }
    let wanted = body.text("taskDefinition")?.map(|name| find(estate, name)).transpose()?.flatten();
    let definition = wanted.or_else(|| estate.services[index].current_revision().map(|r| std::sync::Arc::clone(&r.definition)));
    if definition.is_some_and(|d| d.document.contains("\"taskRoleArn\":\"arn:")) {
        return Ok(());
    }
    Err(ApiError::parameter(
        "The service couldn't be updated because a valid taskRoleArn is not being used. Specify a valid task role in your task \
         definition and try again.",
    ))
}

/// `taskDefinition` as AWS spells it in errors: `task definition`.
fn spaced(key: &str) -> String {
    let mut out = String::new();
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn desired(estate: &Estate, index: usize, body: Body<'_>) -> Result<Option<u32>, ApiError> {
    let Some(count) = body.whole("desiredCount")? else { return Ok(None) };
    if estate.services[index].scheduling == Scheduling::Daemon {
        return Err(ApiError::parameter(
            "The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again.",
        ));
    }
    // The quota of tasks per service.
    let count = u32::try_from(count).ok().filter(|n| *n <= 5000);
    count.map(Some).ok_or_else(|| ApiError::parameter("desiredCount must be between 0 and 5000."))
}

fn grace(estate: &Estate, index: usize, body: Body<'_>) -> Result<u32, ApiError> {
    let of = &estate.services[index];
    match body.whole("healthCheckGracePeriodSeconds")? {
        None => Ok(of.grace),
        Some(_) if !of.balanced() => {
            Err(ApiError::parameter("Health check grace period is only valid for services configured to use load balancers"))
        }
        Some(n) => u32::try_from(n)
            .ok()
            .filter(|n| *n <= 2_147_483_647)
            .ok_or_else(|| ApiError::parameter("healthCheckGracePeriodSeconds must be between 0 and 2147483647.")),
    }
}

fn percents(estate: &Estate, index: usize, body: Body<'_>) -> Result<(u32, u32), ApiError> {
    let of = &estate.services[index];
    let Some(config) = body.part("deploymentConfiguration")? else { return Ok((of.minimum, of.maximum)) };
    let read = |key, before: u32| match config.whole(key)? {
        None => Ok(before),
        Some(n) => u32::try_from(n).map_err(|_| ApiError::parameter(format!("{key} must not be negative."))),
    };
    let (minimum, maximum) = (read("minimumHealthyPercent", of.minimum)?, read("maximumPercent", of.maximum)?);
    if of.scheduling == Scheduling::Replica && (maximum < 100 || minimum > maximum || minimum == 100 && maximum == 100) {
        return Err(ApiError::parameter("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."));
    }
    Ok((minimum, maximum))
}

/// The revision that the request asks for, and whether it starts a deployment.
fn revised(estate: &Estate, index: usize, body: Body<'_>) -> Result<Option<(ServiceRevision, bool)>, ApiError> {
    let of = &estate.services[index];
    let Some(current) = of.current_revision() else { return Ok(None) };
    let mut revision = current.clone();
    let mut starts = body.flag("forceNewDeployment")?.unwrap_or(false);
    if let Some(given) = body.text("taskDefinition")? {
        let definition = find(estate, given)?.ok_or_else(|| ApiError::general("TaskDefinition not found."))?;
        if !definition.active {
            return Err(ApiError::general("TaskDefinition is inactive"));
        }
        if revision.launch == Launch::Fargate && definition.network != NetworkMode::Awsvpc {
            return Err(ApiError::parameter("Task definition does not support launch_type FARGATE."));
        }
        // The task definition that is there already starts nothing.
        starts |= definition.family != current.definition.family || definition.revision != current.definition.revision;
        revision.definition = definition;
    }
    if let Some(network) = body.part("networkConfiguration")? {
        revision.network = Some(network.0.clone());
        starts = true;
    }
    if let Some(version) = body.text("platformVersion")? {
        let version = if version == "LATEST" { crate::sim::world::PLATFORM } else { version };
        if !["1.3.0", "1.4.0"].contains(&version) {
            return Err(ApiError::client("PlatformUnknownException", "The specified platform does not exist."));
        }
        version.clone_into(&mut revision.platform_version);
        starts = true;
    }
    if let Some(all) = body.list("loadBalancers")? {
        revision.load_balancers = balancing(estate, &revision, all)?;
        starts = true;
    }
    for key in ["serviceRegistries", "serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"] {
        starts |= body.get(key).is_some();
    }
    if let Some(all) = body.list("capacityProviderStrategy")? {
        revision.launch = provider_strategy(estate, of.cluster, all)?;
    } else if !starts {
        return Ok(None);
    }
    Ok(Some((revision, starts)))
}

pub(super) fn balancing(estate: &Estate, revision: &ServiceRevision, all: &[Value]) -> Result<Vec<LoadBalancing>, ApiError> {
    let one = |value: &Value| {
        let lb = Body(value);
        let arn = lb.needed("targetGroupArn", "targetGroupArn cannot be empty.")?;
        let container = lb.needed("containerName", "containerName cannot be empty.")?;
        let port = lb.whole("containerPort")?.and_then(|n| u16::try_from(n).ok()).unwrap_or(0);
        let group = (0..estate.target_groups.len()).find(|&g| estate.target_group_arn(g) == arn);
        let advanced = lb.part("advancedConfiguration")?;
        let other = advanced.map(|a| a.needed("alternateTargetGroupArn", "alternateTargetGroupArn cannot be empty.")).transpose()?;
        let alternate = other.and_then(|arn| (0..estate.target_groups.len()).find(|&g| estate.target_group_arn(g) == arn));
        if other.is_some() && alternate.is_none() {
            return Err(ApiError::parameter("The specified alternateTargetGroupArn does not exist."));
        }
        let before = revision
            .load_balancers
            .iter()
            .find(|lb| lb.alternate.is_some() && lb.alternate == alternate || Some(lb.target_group) == alternate);
        let test_port = before.and_then(|lb| lb.test_port);
        let target_group =
            group.ok_or_else(|| ApiError::parameter(format!("Unable to assume role and validate the specified targetGroupArn: {arn}")))?;
        let known = revision.definition.containers.iter().find(|c| c.name == container);
        let known =
            known.ok_or_else(|| ApiError::parameter(format!("The container {container} does not exist in the task definition.")))?;
        if !known.ports.iter().any(|(inside, ..)| *inside == port) {
            return Err(ApiError::parameter(format!("The container {container} did not have a container port {port} defined.")));
        }
        Ok(LoadBalancing { target_group, container: container.to_owned(), port, alternate, test_port })
    };
    all.iter().map(one).collect()
}

/// A capacity provider strategy whose providers the cluster has.
pub(super) fn provider_strategy(estate: &Estate, cluster: usize, all: &[Value]) -> Result<Launch, ApiError> {
    let mut strategy = Vec::new();
    for value in all {
        let entry = Body(value);
        let name = entry.needed("capacityProvider", "capacityProvider cannot be empty.")?;
        if !estate.clusters[cluster].capacity_providers.iter().any(|known| known == name) {
            return Err(ApiError::parameter("The specified capacity provider was not found. Specify a valid name or ARN and try again."));
        }
        let number = |key, default| Ok::<u32, ApiError>(entry.whole(key)?.and_then(|n| u32::try_from(n).ok()).unwrap_or(default));
        strategy.push((name.to_owned(), number("weight", 0)?, number("base", 0)?));
    }
    if strategy.is_empty() {
        return Ok(Launch::Ec2);
    }
    Ok(Launch::Providers(strategy))
}
