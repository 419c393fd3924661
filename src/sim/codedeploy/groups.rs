//! Applications, deployment groups and deployment configurations.

use super::views::{blue_green, id_of, last_deployment, load_balancer, revision, rollback_configuration};
use super::{page, text, texts};
use crate::sim::ecs::ApiError;
use crate::sim::wire::{refuse, time};
use crate::sim::world::code_deploy::{CONFIGS, config as built_in};
use crate::sim::world::{Estate, ReleaseGroup, ReleaseStatus, Traffic};
use serde_json::{Value, json};

pub(super) fn list_applications(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    page(body, "applications", names(estate))
}

fn names(estate: &Estate) -> Vec<String> {
    let mut names: Vec<String> = estate.code_deploy.groups.iter().map(|g| g.application.clone()).collect();
    names.sort();
    names.dedup();
    names
}

pub(super) fn application(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let name = application_name(estate, body)?;
    Ok(json!({"application": application_value(estate, name)}))
}

pub(super) fn applications(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let wanted = texts(body, "applicationNames");
    if wanted.is_empty() {
        return Err(refuse(400, "ApplicationNameRequiredException", "The application name was not specified."));
    }
    if wanted.len() > 100 {
        return Err(too_many("applicationNames", 100));
    }
    // Names that are not there are left out.
    let known = names(estate);
    let shown = wanted.iter().filter(|name| known.iter().any(|own| own == *name));
    Ok(json!({"applicationsInfo": shown.map(|name| application_value(estate, name)).collect::<Vec<_>>()}))
}

fn application_value(estate: &Estate, name: &str) -> Value {
    let made = estate.code_deploy.groups.iter().filter(|g| g.application == name).map(|g| g.created_at).min();
    json!({
        "applicationId": id_of(estate, name),
        "applicationName": name,
        "createTime": made.map(|at| time(at - 60_000)),
        "linkedToGitHub": false,
        "computePlatform": "ECS",
    })
}

/// The application that a request names.
pub(super) fn application_name<'a>(estate: &Estate, body: &'a Value) -> Result<&'a str, ApiError> {
    let name = text(body, "applicationName");
    let name = name.ok_or_else(|| refuse(400, "ApplicationNameRequiredException", "The application name was not specified."))?;
    let known = estate.code_deploy.groups.iter().any(|g| g.application == name);
    known.then_some(name).ok_or_else(|| refuse(400, "ApplicationDoesNotExistException", format!("No application found for name: {name}")))
}

/// The group that a request names; its index.
pub(super) fn group(estate: &Estate, body: &Value) -> Result<usize, ApiError> {
    let application = application_name(estate, body)?;
    let name = text(body, "deploymentGroupName");
    let name = name.ok_or_else(|| refuse(400, "DeploymentGroupNameRequiredException", "The deployment group name was not specified."))?;
    let found = estate.code_deploy.groups.iter().position(|g| g.application == application && g.name == name);
    found.ok_or_else(|| refuse(400, "DeploymentGroupDoesNotExistException", format!("No Deployment Group found for name: {name}")))
}

pub(super) fn list(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let application = application_name(estate, body)?;
    let of = estate.code_deploy.groups.iter().filter(|g| g.application == application);
    let mut names: Vec<String> = of.map(|g| g.name.clone()).collect();
    names.sort();
    let mut out = page(body, "deploymentGroups", names)?;
    out["applicationName"] = json!(application);
    Ok(out)
}

pub(super) fn one(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let index = group(estate, body)?;
    Ok(json!({"deploymentGroupInfo": value(estate, index)}))
}

pub(super) fn batch(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let application = application_name(estate, body)?;
    let wanted = texts(body, "deploymentGroupNames");
    if wanted.is_empty() {
        return Err(refuse(400, "DeploymentGroupNameRequiredException", "The deployment group name was not specified."));
    }
    if wanted.len() > 100 {
        return Err(too_many("deploymentGroupNames", 100));
    }
    let index = |name: &&str| estate.code_deploy.groups.iter().position(|g| g.application == application && g.name == *name);
    let missing: Vec<&str> = wanted.iter().filter(|name| index(name).is_none()).copied().collect();
    let words = (!missing.is_empty()).then(|| format!("No Deployment Group found for name: {}", missing.join(", ")));
    let shown: Vec<Value> = wanted.iter().filter_map(index).map(|index| value(estate, index)).collect();
    Ok(json!({"deploymentGroupsInfo": shown, "errorMessage": words}))
}

fn value(estate: &Estate, index: usize) -> Value {
    let of: &ReleaseGroup = &estate.code_deploy.groups[index];
    let service = &estate.services[of.service];
    let releases = || estate.code_deploy.releases.iter().rev().filter(|r| r.group == index);
    let last_good = releases().find(|r| r.status == ReleaseStatus::Succeeded);
    let alarms: Vec<Value> = of.alarms.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "applicationName": of.application,
        "deploymentGroupId": id_of(estate, &format!("{}/{}", of.application, of.name)),
        "deploymentGroupName": of.name,
        "deploymentConfigName": of.traffic.name,
        "ec2TagFilters": [],
        "onPremisesInstanceTagFilters": [],
        "autoScalingGroups": [],
        "serviceRoleArn": estate.role_arn("ecsCodeDeployRole"),
        "targetRevision": last_good.map(|r| revision(&r.spec)),
        "triggerConfigurations": [],
        "alarmConfiguration": {"enabled": !alarms.is_empty(), "ignorePollAlarmFailure": false, "alarms": alarms},
        "autoRollbackConfiguration": rollback_configuration(&of.rollback),
        "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        "outdatedInstancesStrategy": "UPDATE",
        "blueGreenDeploymentConfiguration": blue_green(of),
        "loadBalancerInfo": load_balancer(estate, of),
        "lastSuccessfulDeployment": last_good.map(last_deployment),
        "lastAttemptedDeployment": releases().next().map(last_deployment),
        "computePlatform": "ECS",
        "ecsServices": [{"serviceName": service.name, "clusterName": estate.cluster_name(service.cluster)}],
        "terminationHookEnabled": false,
    })
}

pub(super) fn list_configs(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let own = estate.code_deploy.groups.iter().map(|g| g.traffic.name.clone());
    let mut names: Vec<String> = CONFIGS.iter().map(|(name, ..)| (*name).to_owned()).chain(own).collect();
    names.sort();
    names.dedup();
    page(body, "deploymentConfigsList", names)
}

/// A configuration by its name, be it AWS's or a group's own.
pub(super) fn config_named(estate: &Estate, name: &str) -> Result<Traffic, ApiError> {
    let own = || estate.code_deploy.groups.iter().find(|g| g.traffic.name == name).map(|g| g.traffic.clone());
    built_in(name)
        .or_else(own)
        .ok_or_else(|| refuse(400, "DeploymentConfigDoesNotExistException", format!("No deployment configuration found for name: {name}")))
}

pub(super) fn config(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let name = text(body, "deploymentConfigName");
    let words = "The deployment configuration name was not specified.";
    let name = name.ok_or_else(|| refuse(400, "DeploymentConfigNameRequiredException", words))?;
    let Traffic { name, percent, minutes, linear } = config_named(estate, name)?;
    let routing = if percent == 100 {
        json!({"type": "AllAtOnce"})
    } else if linear {
        json!({"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": percent, "linearInterval": minutes}})
    } else {
        json!({"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": percent, "canaryInterval": minutes}})
    };
    Ok(json!({"deploymentConfigInfo": {
        "deploymentConfigId": id_of(estate, &name),
        "deploymentConfigName": name,
        // 3 September 2019, when these came.
        "createTime": time(1_567_468_800_000),
        "computePlatform": "ECS",
        "trafficRoutingConfig": routing,
    }}))
}

pub(super) fn too_many(what: &str, most: usize) -> ApiError {
    refuse(400, "BatchLimitExceededException", format!("The number of {what} in the request exceeds the limit of {most}."))
}
