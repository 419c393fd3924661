//! Elastic Load Balancing v2, the read calls: target groups, target health, load balancers, listeners, rules.
//!
//! It renders what the world holds and changes nothing; health checks and draining are the world's clockwork.

use super::ecs::ApiError;
use super::rng;
use super::wire::{iso, refuse};
use super::world::{Check, Estate, Listener, LoadBalancer, Rule, Target, TargetGroup, TargetState};
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
        "DescribeLoadBalancers" => load_balancers(estate, body),
        "DescribeListeners" => listeners(estate, body),
        "DescribeRules" => rules(estate, body),
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
    let all: Vec<(&TargetGroup, String)> = estate.target_groups.iter().map(|group| (group, group_arn(estate, group))).collect();
    // One unknown name fails the whole call.
    let known = |found: bool| found.then_some(()).ok_or_else(|| missing("TargetGroupNotFound", "One or more target groups not found"));
    known(arns.iter().all(|arn| all.iter().any(|(_, own)| own == arn)))?;
    known(names.iter().all(|name| all.iter().any(|(group, _)| group.name == *name)))?;
    let balancer = balancer.map(|arn| balancer_index(estate, arn)).transpose()?;
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
        group.load_balancer.iter().filter_map(|at| estate.load_balancers.get(*at)).map(|lb| balancer_arn(estate, lb)).collect();
    json!({
        "TargetGroupArn": arn,
        "TargetGroupName": group.name,
        "Protocol": group.protocol,
        "Port": group.port,
        "VpcId": vpc(estate),
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
        .find(|group| group_arn(estate, group) == wanted)
        .ok_or_else(|| missing("TargetGroupNotFound", format!("Target groups '{wanted}' not found")))?;
    let include = texts(body, "Include");
    if let Some(unknown) = include.iter().find(|part| !["AnomalyDetection", "All"].contains(part)) {
        return Err(invalid(format!(
            "1 validation error detected: Value '[{unknown}]' at 'include' failed to satisfy constraint: \
             Member must satisfy enum value set: [AnomalyDetection, All]"
        )));
    }
    let in_use = group.load_balancer.is_some();
    let asked: Vec<&Value> = body.get("Targets").and_then(Value::as_array).into_iter().flatten().collect();
    let described: Vec<Value> = if asked.is_empty() {
        group.targets.iter().map(|target| health_value(target, in_use, &include)).collect()
    } else {
        asked.iter().flat_map(|asked| asked_health(group, asked, in_use, &include)).collect()
    };
    Ok(json!({"TargetHealthDescriptions": described}))
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

fn load_balancers(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let (arns, names) = (texts(body, "LoadBalancerArns"), texts(body, "Names"));
    if !arns.is_empty() && !names.is_empty() {
        return Err(invalid("Load balancer ARNs and names cannot be specified at the same time"));
    }
    for arn in &arns {
        balancer_index(estate, arn)?;
    }
    if let Some(name) = names.iter().find(|name| !estate.load_balancers.iter().any(|lb| lb.name == **name)) {
        return Err(missing("LoadBalancerNotFound", format!("Load balancers '[{name}]' not found")));
    }
    let chosen = estate
        .load_balancers
        .iter()
        .filter(|lb| {
            (arns.is_empty() || arns.contains(&balancer_arn(estate, lb).as_str()))
                && (names.is_empty() || names.contains(&lb.name.as_str()))
        })
        .map(|lb| balancer_value(estate, lb))
        .collect();
    page(body, "LoadBalancers", chosen)
}

fn balancer_value(estate: &Estate, lb: &LoadBalancer) -> Value {
    let prefix = if lb.scheme == "internal" { "internal-" } else { "" };
    let zones: Vec<Value> = ["a", "b", "c"]
        .iter()
        .map(|zone| json!({"ZoneName": format!("{}{zone}", estate.region), "SubnetId": made(estate, "subnet", zone)}))
        .collect();
    json!({
        "LoadBalancerArn": balancer_arn(estate, lb),
        "DNSName": format!("{prefix}{}-{}.{}.elb.amazonaws.com", lb.name, rng::hash(&lb.id) % 1_000_000_000, estate.region),
        "CanonicalHostedZoneId": "Z32O12XQLNTSW2",
        "CreatedTime": iso(lb.created_at),
        "LoadBalancerName": lb.name,
        "Scheme": lb.scheme,
        "VpcId": vpc(estate),
        "State": {"Code": "active"},
        "Type": lb.kind,
        "AvailabilityZones": zones,
        "SecurityGroups": (lb.kind == "application").then(|| json!([made(estate, "sg", &lb.name)])),
        "IpAddressType": "ipv4",
    })
}

fn listeners(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let arns = texts(body, "ListenerArns");
    let balancer = text(body, "LoadBalancerArn");
    if arns.is_empty() == balancer.is_none() {
        return Err(invalid("You must specify either listener ARNs or a load balancer ARN"));
    }
    let balancer = balancer.map(|arn| balancer_index(estate, arn)).transpose()?;
    let all: Vec<(usize, &LoadBalancer, &Listener, String)> = every_listener(estate).collect();
    if let Some(arn) = arns.iter().find(|arn| !all.iter().any(|(.., own)| own == **arn)) {
        return Err(missing("ListenerNotFound", format!("Listeners '{arn}' not found")));
    }
    let chosen = all
        .iter()
        .filter(|(at, _, _, arn)| balancer == Some(*at) || arns.contains(&arn.as_str()))
        .map(|(_, lb, listener, arn)| {
            let secure = matches!(listener.protocol, "HTTPS" | "TLS");
            json!({
                "ListenerArn": arn,
                "LoadBalancerArn": balancer_arn(estate, lb),
                "Port": listener.port,
                "Protocol": listener.protocol,
                "SslPolicy": secure.then_some("ELBSecurityPolicy-TLS13-1-2-2021-06"),
                "Certificates": secure.then(|| json!([{"CertificateArn": certificate(estate, lb)}])),
                "DefaultActions": default_actions(estate, listener),
            })
        })
        .collect();
    page(body, "Listeners", chosen)
}

fn rules(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let (arns, listener) = (texts(body, "RuleArns"), text(body, "ListenerArn"));
    if arns.is_empty() == listener.is_none() {
        return Err(invalid("You must specify either listener ARN or rule ARNs"));
    }
    let mut chosen = Vec::new();
    let mut found = 0;
    for (_, lb, each, arn) in every_listener(estate) {
        let whole = listener == Some(arn.as_str());
        found += usize::from(whole);
        let own = each.rules.iter().map(|rule| (rule_arn(estate, lb, each, &rule.id), rule_value(estate, rule)));
        let default_id = format!("{:016x}", rng::hash(&each.id));
        let default = json!({
            "Priority": "default", "Conditions": [], "IsDefault": true, "Actions": default_actions(estate, each),
        });
        for (rule_arn, mut value) in own.chain([(rule_arn(estate, lb, each, &default_id), default)]) {
            let named = arns.contains(&rule_arn.as_str());
            if whole || named {
                found += usize::from(named);
                value["RuleArn"] = json!(rule_arn);
                chosen.push(value);
            }
        }
    }
    match listener {
        Some(arn) if found == 0 => Err(missing("ListenerNotFound", format!("Listeners '{arn}' not found"))),
        None if found < arns.len() => Err(missing("RuleNotFound", "One or more rules not found")),
        _ => page(body, "Rules", chosen),
    }
}

fn rule_value(estate: &Estate, rule: &Rule) -> Value {
    let mut conditions = Vec::new();
    if !rule.host.is_empty() {
        conditions.push(json!({"Field": "host-header", "Values": [rule.host], "HostHeaderConfig": {"Values": [rule.host]}}));
    }
    if !rule.path.is_empty() {
        conditions.push(json!({"Field": "path-pattern", "Values": [rule.path], "PathPatternConfig": {"Values": [rule.path]}}));
    }
    json!({
        "Priority": rule.priority.to_string(),
        "Conditions": conditions,
        "IsDefault": false,
        "Actions": [forward(estate, &rule.forward)],
    })
}

fn default_actions(estate: &Estate, listener: &Listener) -> Value {
    match listener.default {
        Some(group) => json!([forward(estate, &[(group, 1)])]),
        None => json!([{
            "Type": "fixed-response",
            "Order": 1,
            "FixedResponseConfig": {"MessageBody": "Not found", "StatusCode": "404", "ContentType": "text/plain"},
        }]),
    }
}

/// With one group its ARN stands on the action as well, as AWS prints it.
fn forward(estate: &Estate, groups: &[(usize, u32)]) -> Value {
    let named: Vec<(String, u32)> =
        groups.iter().filter_map(|(at, weight)| Some((group_arn(estate, estate.target_groups.get(*at)?), *weight))).collect();
    let listed: Vec<Value> = named.iter().map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight})).collect();
    json!({
        "Type": "forward",
        "TargetGroupArn": (named.len() == 1).then(|| named[0].0.clone()),
        "Order": 1,
        "ForwardConfig": {"TargetGroups": listed, "TargetGroupStickinessConfig": {"Enabled": false}},
    })
}

fn every_listener(estate: &Estate) -> impl Iterator<Item = (usize, &LoadBalancer, &Listener, String)> {
    estate.load_balancers.iter().enumerate().flat_map(move |(at, lb)| {
        lb.listeners.iter().map(move |listener| (at, lb, listener, listener_arn(estate, lb, listener)))
    })
}

fn balancer_index(estate: &Estate, arn: &str) -> Result<usize, ApiError> {
    estate
        .load_balancers
        .iter()
        .position(|lb| balancer_arn(estate, lb) == arn)
        .ok_or_else(|| missing("LoadBalancerNotFound", format!("Load balancer '{arn}' not found")))
}

fn arn(estate: &Estate, rest: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{}:{}:{rest}", estate.region, estate.account)
}

fn group_arn(estate: &Estate, group: &TargetGroup) -> String {
    arn(estate, &format!("targetgroup/{}/{}", group.name, group.id))
}

/// `app/NAME/ID`, or `net/…` for a network load balancer.
fn balancer_path(lb: &LoadBalancer) -> String {
    let kind = if lb.kind == "network" { "net" } else { "app" };
    format!("{kind}/{}/{}", lb.name, lb.id)
}

fn balancer_arn(estate: &Estate, lb: &LoadBalancer) -> String {
    arn(estate, &format!("loadbalancer/{}", balancer_path(lb)))
}

fn listener_arn(estate: &Estate, lb: &LoadBalancer, listener: &Listener) -> String {
    arn(estate, &format!("listener/{}/{}", balancer_path(lb), listener.id))
}

fn rule_arn(estate: &Estate, lb: &LoadBalancer, listener: &Listener, id: &str) -> String {
    arn(estate, &format!("listener-rule/{}/{}/{id}", balancer_path(lb), listener.id))
}

fn certificate(estate: &Estate, lb: &LoadBalancer) -> String {
    let id = format!("{:016x}{:016x}", rng::hash(&lb.name), rng::hash(&lb.id));
    let uuid = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]);
    format!("arn:aws:acm:{}:{}:certificate/{uuid}", estate.region, estate.account)
}

fn vpc(estate: &Estate) -> String {
    made(estate, "vpc", "")
}

/// An id of something that the world does not hold, always the same in one estate.
fn made(estate: &Estate, kind: &str, name: &str) -> String {
    format!("{kind}-0{:016x}", rng::hash(&format!("{}/{}/{kind}/{name}", estate.account, estate.region)))
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
    invalid(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

fn missing(code: &'static str, message: impl Into<String>) -> ApiError {
    refuse(400, code, message)
}
