//! Elastic Load Balancing v2, the read calls: target groups, target health, load balancers, listeners, rules.
//!
//! It renders what the world holds and changes nothing; health checks and draining are the world's clockwork.

mod listeners;

use super::ecs::ApiError;
use super::wire::refuse;
use super::world::{Check, Estate, Target, TargetGroup, TargetState};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// `PageSize` reaches from 1 to 400, which is also its default.
const PAGE: usize = 400;

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(estate: &Estate, operation: &str, body: &Value) -> Result<Value, ApiError> {
    match operation {
        "DescribeTargetGroups" => target_groups(estate, body),
        "DescribeTargetHealth" => target_health(estate, body),
        "DescribeLoadBalancers" => listeners::load_balancers(estate, body),
        "DescribeListeners" => listeners::listeners(estate, body),
        "DescribeRules" => listeners::rules(estate, body),
        _ => Err(refuse(400, "InvalidAction", format!("Could not find operation {operation} for version 2015-12-01"))),
    }
}

fn target_groups(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let (arns, names, balancer) = (texts(body, "TargetGroupArns"), texts(body, "Names"), text(body, "LoadBalancerArn"));
    let given = [!arns.is_empty(), !names.is_empty(), balancer.is_some()].into_iter().filter(|given| *given).count();
    if given > 1 {
        return Err(invalid("Only one of target group ARNs, target group names or load balancer ARN may be specified"));
    }
    for arn in &arns {
        if !arn.contains(":targetgroup/") {
            return Err(invalid(format!("'{arn}' is not a valid target group ARN")));
        }
    }
    let all: Vec<(&TargetGroup, String)> =
        estate.target_groups.iter().enumerate().map(|(at, group)| (group, estate.target_group_arn(at))).collect();
    // One unknown name fails the whole call.
    let known = |found: bool| found.then_some(()).ok_or_else(|| missing("TargetGroupNotFound", "One or more target groups not found"));
    known(arns.iter().all(|arn| all.iter().any(|(_, own)| own == arn)))?;
    known(names.iter().all(|name| all.iter().any(|(group, _)| group.name == *name)))?;
    let balancer = balancer.map(|arn| listeners::balancer_index(estate, arn)).transpose()?;
    let chosen: Vec<Value> = all
        .iter()
        .filter(|(group, arn)| {
            (arns.is_empty() || arns.contains(&arn.as_str()))
                && (names.is_empty() || names.contains(&group.name.as_str()))
                && (balancer.is_none() || group.load_balancer == balancer)
        })
        .map(|(group, arn)| group_value(estate, group, arn))
        .collect();
    page(body, "TargetGroups", chosen)
}

fn group_value(estate: &Estate, group: &TargetGroup, arn: &str) -> Value {
    let Check { path, interval, timeout, healthy, unhealthy, matcher } = &group.check;
    let http = group.protocol.starts_with("HTTP");
    let balancers: Vec<String> =
        group.load_balancer.iter().filter(|_| in_use(estate, arn)).map(|at| estate.load_balancer_arn(*at)).collect();
    json!({
        "TargetGroupArn": arn,
        "TargetGroupName": group.name,
        "Protocol": group.protocol,
        "Port": group.port,
        "VpcId": estate.vpc(),
        "HealthCheckProtocol": group.protocol,
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": true,
        "HealthCheckIntervalSeconds": interval,
        "HealthCheckTimeoutSeconds": timeout,
        "HealthyThresholdCount": healthy,
        "UnhealthyThresholdCount": unhealthy,
        "HealthCheckPath": http.then_some(path),
        "Matcher": http.then(|| json!({"HttpCode": matcher})),
        "LoadBalancerArns": balancers,
        "TargetType": group.target_type,
        "ProtocolVersion": http.then_some("HTTP1"),
        "IpAddressType": "ipv4",
    })
}

fn target_health(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let wanted = text(body, "TargetGroupArn").ok_or_else(|| required("targetGroupArn"))?;
    if !wanted.contains(":targetgroup/") {
        return Err(invalid(format!("'{wanted}' is not a valid target group ARN")));
    }
    let group = estate
        .target_groups
        .iter()
        .enumerate()
        .find(|(at, _)| estate.target_group_arn(*at) == wanted)
        .map(|(_, group)| group)
        .ok_or_else(|| missing("TargetGroupNotFound", format!("Target groups '{wanted}' not found")))?;
    let include = texts(body, "Include");
    if let Some(unknown) = include.iter().find(|part| !["AnomalyDetection", "All"].contains(part)) {
        return Err(invalid(format!(
            "1 validation error detected: Value '[{unknown}]' at 'include' failed to satisfy constraint: \
             Member must satisfy enum value set: [AnomalyDetection, All]"
        )));
    }
    let in_use = in_use(estate, wanted);
    let asked: Vec<&Value> = body.get("Targets").and_then(Value::as_array).into_iter().flatten().collect();
    let described: Vec<Value> = if asked.is_empty() {
        group.targets.iter().map(|target| health_value(target, in_use, &include)).collect()
    } else {
        asked.iter().flat_map(|asked| asked_health(group, asked, in_use, &include)).collect()
    };
    Ok(json!({"TargetHealthDescriptions": described}))
}

/// Whether a listener or a rule forwards to a target group: of a blue/green pair, one side may wait for its turn.
fn in_use(estate: &Estate, arn: &str) -> bool {
    (0..estate.target_groups.len()).find(|at| estate.target_group_arn(*at) == arn).is_some_and(|at| estate.is_in_use(at))
}

/// Somebody who names a target hears of it even if it is not registered.
fn asked_health(group: &TargetGroup, asked: &Value, in_use: bool, include: &[&str]) -> Vec<Value> {
    let id = text(asked, "Id").unwrap_or_default();
    let port: Option<u16> = text(asked, "Port").and_then(|port| port.parse().ok());
    let found: Vec<Value> = group
        .targets
        .iter()
        .filter(|target| target.id == id && port.is_none_or(|port| port == target.port))
        .map(|target| health_value(target, in_use, include))
        .collect();
    if !found.is_empty() {
        return found;
    }
    let port = port.unwrap_or(group.port);
    vec![json!({
        "Target": {"Id": id, "Port": port},
        "HealthCheckPort": port.to_string(),
        "TargetHealth": {
            "State": "unused",
            "Reason": "Target.NotRegistered",
            "Description": "Target is not registered to the target group",
        },
    })]
}

fn health_value(target: &Target, in_use: bool, include: &[&str]) -> Value {
    let state = match target.state {
        TargetState::Initial => "initial",
        TargetState::Healthy => "healthy",
        TargetState::Unhealthy => "unhealthy",
        TargetState::Draining => "draining",
    };
    let health = if in_use {
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        json!({"State": state, "Reason": told(&target.reason), "Description": told(&target.description)})
    } else {
        json!({
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        })
    };
    let every = !include.is_empty();
    let all = include.contains(&"All");
    json!({
        "Target": {"Id": target.id, "Port": target.port, "AvailabilityZone": target.zone},
        "HealthCheckPort": target.port.to_string(),
        "TargetHealth": health,
        "AnomalyDetection": every.then(|| json!({"Result": "normal", "MitigationInEffect": "no"})),
        "AdministrativeOverride": all.then(|| json!({
            "State": "no_override",
            "Reason": "AdministrativeOverride.NoOverride",
            "Description": "No override is currently active on target",
        })),
    })
}

fn page(body: &Value, key: &str, all: Vec<Value>) -> Result<Value, ApiError> {
    let size = match text(body, "PageSize").map(str::parse::<usize>) {
        None => PAGE,
        Some(Ok(size)) if (1..=PAGE).contains(&size) => size,
        Some(_) => return Err(invalid("PageSize must be between 1 and 400")),
    };
    let from = match text(body, "Marker").filter(|marker| !marker.is_empty()) {
        None => 0,
        Some(marker) => offset(key, marker).filter(|at| *at < all.len()).ok_or_else(|| invalid("Invalid marker"))?,
    };
    let total = all.len();
    let shown: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    let next = from + shown.len();
    let marker = (next < total).then(|| STANDARD.encode(format!("{key}:{next}")));
    Ok(json!({key: shown, "NextMarker": marker}))
}

fn offset(key: &str, marker: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(marker).ok()?).ok()?;
    text.strip_prefix(key)?.strip_prefix(':')?.parse().ok()
}

fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

fn texts<'a>(body: &'a Value, key: &str) -> Vec<&'a str> {
    body.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn invalid(message: impl Into<String>) -> ApiError {
    refuse(400, "ValidationError", message)
}

fn required(member: &str) -> ApiError {
    invalid(format!("1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"))
}

fn missing(code: &'static str, message: impl Into<String>) -> ApiError {
    refuse(400, code, message)
}
