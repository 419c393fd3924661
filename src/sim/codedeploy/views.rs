//! Parts that replies of several operations share.

use crate::sim::rng::{hash, mix};
use crate::sim::wire::time;
use crate::sim::world::{Estate, Release, ReleaseGroup, ReleaseStatus};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A UUID that a name has in this account for ever.
pub(super) fn id_of(estate: &Estate, name: &str) -> String {
    let high = hash(&format!("{}/{}/codedeploy/{name}", estate.account, estate.region));
    let text = format!("{high:016x}{:016x}", mix(high));
    format!("{}-{}-4{}-a{}-{}", &text[..8], &text[8..12], &text[13..16], &text[17..20], &text[20..])
}

/// A revision that is an `AppSpec`.
pub(super) fn revision(spec: &str) -> Value {
    json!({"revisionType": "AppSpecContent", "appSpecContent": {"content": spec, "sha256": sha256(spec)}})
}

/// In hex.
pub(super) fn sha256(text: &str) -> String {
    let mut sum = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing into a String cannot fail.
        let _ = write!(sum, "{byte:02x}");
    }
    sum
}

pub(super) fn rollback_configuration(events: &[String]) -> Value {
    json!({"enabled": !events.is_empty(), "events": events})
}

pub(super) fn blue_green(of: &ReleaseGroup) -> Value {
    let ready = of.ready_wait.map_or_else(
        || json!({"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0}),
        |wait| json!({"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": wait / 60_000}),
    );
    json!({
        "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": of.termination_wait / 60_000},
        "deploymentReadyOption": ready,
    })
}

pub(super) fn load_balancer(estate: &Estate, of: &ReleaseGroup) -> Value {
    let (balancer, listener) = of.listener;
    let groups: Vec<Value> = of.target_groups.iter().map(|&g| json!({"name": estate.target_groups[g].name})).collect();
    let test = of.test_listener.map(|at| json!({"listenerArns": [estate.listener_arn(balancer, at)]}));
    json!({"targetGroupPairInfoList": [{
        "targetGroups": groups,
        "prodTrafficRoute": {"listenerArns": [estate.listener_arn(balancer, listener)]},
        "testTrafficRoute": test,
    }]})
}

pub(super) fn last_deployment(release: &Release) -> Value {
    json!({
        "deploymentId": release.id,
        "status": status(release),
        "endTime": release.completed_at.map(time),
        "createTime": time(release.created_at),
    })
}

pub(super) fn status(release: &Release) -> &'static str {
    match release.status {
        ReleaseStatus::Created => "Created",
        ReleaseStatus::InProgress => "InProgress",
        ReleaseStatus::Ready => "Ready",
        ReleaseStatus::Succeeded => "Succeeded",
        ReleaseStatus::Failed => "Failed",
        ReleaseStatus::Stopped => "Stopped",
    }
}
