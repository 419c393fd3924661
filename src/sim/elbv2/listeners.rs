//! What stands in front of target groups: load balancers, their listeners, and the rules that forward.

use super::{invalid, missing, page, text, texts};
use crate::sim::ecs::ApiError;
use crate::sim::rng;
use crate::sim::wire::iso;
use crate::sim::world::{Estate, Listener, LoadBalancer, Rule};
use serde_json::{Value, json};

pub(super) fn load_balancers(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
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
        .enumerate()
        .map(|(at, lb)| (lb, estate.load_balancer_arn(at)))
        .filter(|(lb, arn)| (arns.is_empty() || arns.contains(&arn.as_str())) && (names.is_empty() || names.contains(&lb.name.as_str())))
        .map(|(lb, arn)| balancer_value(estate, lb, &arn))
        .collect();
    page(body, "LoadBalancers", chosen)
}

fn balancer_value(estate: &Estate, lb: &LoadBalancer, arn: &str) -> Value {
    let prefix = if lb.scheme == "internal" { "internal-" } else { "" };
    let zone = |(zone, subnet)| json!({"ZoneName": zone, "SubnetId": subnet});
    let zones: Vec<Value> = estate.zones().into_iter().zip(estate.subnets()).map(zone).collect();
    json!({
        "LoadBalancerArn": arn,
        "DNSName": format!("{prefix}{}-{}.{}.elb.amazonaws.com", lb.name, rng::hash(&lb.id) % 1_000_000_000, estate.region),
        "CanonicalHostedZoneId": "Z32O12XQLNTSW2",
        "CreatedTime": iso(lb.created_at),
        "LoadBalancerName": lb.name,
        "Scheme": lb.scheme,
        "VpcId": estate.vpc(),
        "State": {"Code": "active"},
        "Type": lb.kind,
        "AvailabilityZones": zones,
        "SecurityGroups": (lb.kind == "application").then(|| json!([estate.security_group(&lb.name)])),
        "IpAddressType": "ipv4",
    })
}

pub(super) fn listeners(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let arns = texts(body, "ListenerArns");
    let balancer = text(body, "LoadBalancerArn");
    if arns.is_empty() == balancer.is_none() {
        return Err(invalid("You must specify either listener ARNs or a load balancer ARN"));
    }
    let balancer = balancer.map(|arn| balancer_index(estate, arn)).transpose()?;
    let all: Vec<(usize, usize, &Listener, String)> = every_listener(estate).collect();
    if let Some(arn) = arns.iter().find(|arn| !all.iter().any(|(.., own)| own == **arn)) {
        return Err(missing("ListenerNotFound", format!("Listeners '{arn}' not found")));
    }
    let chosen = all
        .iter()
        .filter(|(at, _, _, arn)| balancer == Some(*at) || arns.contains(&arn.as_str()))
        .map(|(lb, _, listener, arn)| {
            let secure = matches!(listener.protocol, "HTTPS" | "TLS");
            json!({
                "ListenerArn": arn,
                "LoadBalancerArn": estate.load_balancer_arn(*lb),
                "Port": listener.port,
                "Protocol": listener.protocol,
                "SslPolicy": secure.then_some("ELBSecurityPolicy-TLS13-1-2-2021-06"),
                "Certificates": secure.then(|| json!([{"CertificateArn": certificate(estate, &estate.load_balancers[*lb])}])),
                "DefaultActions": default_actions(estate, listener),
            })
        })
        .collect();
    page(body, "Listeners", chosen)
}

pub(super) fn rules(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let (arns, listener) = (texts(body, "RuleArns"), text(body, "ListenerArn"));
    if arns.is_empty() == listener.is_none() {
        return Err(invalid("You must specify either listener ARN or rule ARNs"));
    }
    let mut chosen = Vec::new();
    let mut found = 0;
    for (lb, at, each, arn) in every_listener(estate) {
        let whole = listener == Some(arn.as_str());
        found += usize::from(whole);
        let own = each.rules.iter().enumerate().map(|(rule, value)| (estate.rule_arn(lb, at, rule), rule_value(estate, value)));
        let default_arn = estate.default_rule_arn(lb, at);
        let default = json!({
            "Priority": "default", "Conditions": [], "IsDefault": true, "Actions": default_actions(estate, each),
        });
        for (rule_arn, mut value) in own.chain([(default_arn, default)]) {
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
    if !rule.hosts.is_empty() {
        conditions.push(json!({"Field": "host-header", "Values": rule.hosts, "HostHeaderConfig": {"Values": rule.hosts}}));
    }
    if !rule.paths.is_empty() {
        conditions.push(json!({"Field": "path-pattern", "Values": rule.paths, "PathPatternConfig": {"Values": rule.paths}}));
    }
    json!({
        "Priority": rule.priority.to_string(),
        "Conditions": conditions,
        "IsDefault": false,
        "Actions": [forward(estate, &rule.forward)],
    })
}

fn default_actions(estate: &Estate, listener: &Listener) -> Value {
    if !listener.default.is_empty() {
        return json!([forward(estate, &listener.default)]);
    }
    json!([{
        "Type": "fixed-response",
        "Order": 1,
        "FixedResponseConfig": {"MessageBody": "Not found", "StatusCode": "404", "ContentType": "text/plain"},
    }])
}

/// With one group its ARN stands on the action as well, as AWS prints it.
fn forward(estate: &Estate, groups: &[(usize, u32)]) -> Value {
    let named: Vec<(String, u32)> = groups.iter().map(|(at, weight)| (estate.target_group_arn(*at), *weight)).collect();
    let listed: Vec<Value> = named.iter().map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight})).collect();
    json!({
        "Type": "forward",
        "TargetGroupArn": (named.len() == 1).then(|| named[0].0.clone()),
        "Order": 1,
        "ForwardConfig": {"TargetGroups": listed, "TargetGroupStickinessConfig": {"Enabled": false}},
    })
}

/// Each listener with the index of its load balancer, its own, and its ARN.
fn every_listener(estate: &Estate) -> impl Iterator<Item = (usize, usize, &Listener, String)> {
    estate.load_balancers.iter().enumerate().flat_map(move |(lb, balancer)| {
        balancer.listeners.iter().enumerate().map(move |(at, listener)| (lb, at, listener, estate.listener_arn(lb, at)))
    })
}

pub(super) fn balancer_index(estate: &Estate, arn: &str) -> Result<usize, ApiError> {
    (0..estate.load_balancers.len())
        .find(|at| estate.load_balancer_arn(*at) == arn)
        .ok_or_else(|| missing("LoadBalancerNotFound", format!("Load balancer '{arn}' not found")))
}

fn certificate(estate: &Estate, lb: &LoadBalancer) -> String {
    let id = format!("{:016x}{:016x}", rng::hash(&lb.name), rng::hash(&lb.id));
    let uuid = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]);
    format!("arn:aws:acm:{}:{}:certificate/{uuid}", estate.region, estate.account)
}
