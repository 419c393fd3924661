//! Application Auto Scaling for ECS services: what may be scaled, how far, by what, and what came of it.
//!
//! It renders and sets; that desired counts move is the world's clockwork.

use super::ecs::ApiError;
use super::wire::{refuse, time};
use super::world::{Activity, ActivityStatus, Estate, Policy, PolicyKind, ScalableTarget, Schedule};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const DIMENSION: &str = "ecs:service:DesiredCount";
/// Pages hold at most so many, which is also the default.
const LARGEST_PAGE: usize = 50;
/// Namespaces that exist; here only `ecs` holds anything.
const NAMESPACES: [&str; 16] = [
    "ecs",
    "elasticmapreduce",
    "ec2",
    "appstream",
    "dynamodb",
    "rds",
    "sagemaker",
    "custom-resource",
    "comprehend",
    "lambda",
    "cassandra",
    "kafka",
    "elasticache",
    "neptune",
    "workspaces",
    "elasticache-serverless",
];

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(estate: &mut Estate, operation: &str, body: &Value) -> Result<Value, ApiError> {
    let namespace = text(body, "ServiceNamespace").ok_or_else(|| missing("serviceNamespace"))?;
    if !NAMESPACES.contains(&namespace) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{namespace}' at 'serviceNamespace' failed to satisfy constraint: \
             Member must satisfy enum value set: [{}]",
            NAMESPACES.join(", ")
        )));
    }
    if let Some(other) = text(body, "ScalableDimension").filter(|d| namespace == "ecs" && *d != DIMENSION) {
        return Err(invalid(format!("Unsupported service namespace, resource type or scalable dimension: {other}")));
    }
    match operation {
        "RegisterScalableTarget" => register(estate, namespace, body),
        _ if namespace != "ecs" => Ok(json!({ key(operation): [] })),
        "DescribeScalableTargets" => targets(estate, body),
        "DescribeScalingPolicies" => policies(estate, body),
        "DescribeScalingActivities" => activities(estate, body),
        _ => schedules(estate, body),
    }
}

fn key(operation: &str) -> &'static str {
    match operation {
        "DescribeScalableTargets" => "ScalableTargets",
        "DescribeScalingPolicies" => "ScalingPolicies",
        "DescribeScalingActivities" => "ScalingActivities",
        _ => "ScheduledActions",
    }
}

fn targets(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let wanted = texts(body, "ResourceIds");
    at_most_fifty(&wanted, "resourceIds")?;
    let chosen = by_name(estate).into_iter().map(|target| (estate.resource_id(target.service), target));
    let shown = chosen.filter(|(id, _)| wanted.is_empty() || wanted.contains(&id.as_str())).map(|(id, target)| {
        json!({
            "ServiceNamespace": "ecs",
            "ResourceId": id,
            "ScalableDimension": DIMENSION,
            "MinCapacity": target.min,
            "MaxCapacity": target.max,
            "RoleARN": role(estate),
            "CreationTime": time(target.created_at),
            "SuspendedState": {
                "DynamicScalingInSuspended": target.no_in,
                "DynamicScalingOutSuspended": target.no_out,
                "ScheduledScalingSuspended": target.no_schedule,
            },
            "ScalableTargetARN": target_arn(estate, target),
        })
    });
    page(body, "ScalableTargets", shown.collect())
}

fn policies(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let (names, resource) = (texts(body, "PolicyNames"), text(body, "ResourceId"));
    at_most_fifty(&names, "policyNames")?;
    let mut shown = Vec::new();
    for target in by_name(estate) {
        let id = estate.resource_id(target.service);
        if resource.is_none_or(|wanted| wanted == id) {
            let own = target.policies.iter().filter(|policy| names.is_empty() || names.contains(&policy.name.as_str()));
            shown.extend(own.map(|policy| policy_value(estate, target, &id, policy)));
        }
    }
    page(body, "ScalingPolicies", shown)
}

fn policy_value(estate: &Estate, target: &ScalableTarget, id: &str, policy: &Policy) -> Value {
    let alarm = |index: &usize| {
        let name = &estate.watch.alarms[*index].name;
        json!({"AlarmName": name, "AlarmARN": estate.arn("cloudwatch", &format!("alarm:{name}"))})
    };
    let mut out = json!({
        "PolicyARN": estate.policy_arn(&policy.id, target.service, &policy.name),
        "PolicyName": policy.name,
        "ServiceNamespace": "ecs",
        "ResourceId": id,
        "ScalableDimension": DIMENSION,
        "Alarms": policy.alarms.iter().map(alarm).collect::<Vec<_>>(),
        "CreationTime": time(policy.created_at),
    });
    match &policy.kind {
        PolicyKind::Tracking { target, predefined, label, disable_in } => {
            let dimensions: Vec<Value> =
                policy.metric.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
            // A percentile has no place in a statistic; AWS takes such a metric as a query.
            let custom = if policy.stat.starts_with('p') {
                json!({"Metrics": [{
                    "Id": "m1", "ReturnData": true, "MetricStat": {"Stat": policy.stat, "Metric": {
                        "Namespace": policy.metric.namespace, "MetricName": policy.metric.name, "Dimensions": dimensions,
                    }},
                }]})
            } else {
                json!({
                    "MetricName": policy.metric.name, "Namespace": policy.metric.namespace,
                    "Dimensions": dimensions, "Statistic": policy.stat,
                })
            };
            out["PolicyType"] = json!("TargetTrackingScaling");
            out["TargetTrackingScalingPolicyConfiguration"] = json!({
                "TargetValue": target,
                "PredefinedMetricSpecification": predefined.map(|kind| json!({"PredefinedMetricType": kind, "ResourceLabel": label})),
                "CustomizedMetricSpecification": predefined.is_none().then_some(custom),
                "ScaleOutCooldown": policy.cooldown_out / 1000,
                "ScaleInCooldown": policy.cooldown_in / 1000,
                "DisableScaleIn": disable_in,
            });
        }
        PolicyKind::Step(steps) => {
            let upper = |at: usize| steps.get(at + 1).map(|(above, _)| *above);
            let step = |(at, (above, add)): (usize, &(f64, u32))| json!({"MetricIntervalLowerBound": above, "MetricIntervalUpperBound": upper(at), "ScalingAdjustment": add});
            out["PolicyType"] = json!("StepScaling");
            out["StepScalingPolicyConfiguration"] = json!({
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": steps.iter().enumerate().map(step).collect::<Vec<_>>(),
                "Cooldown": policy.cooldown_out / 1000,
                "MetricAggregationType": "Average",
            });
        }
    }
    out
}

fn activities(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let resource = text(body, "ResourceId");
    let all = body.get("IncludeNotScaledActivities").and_then(Value::as_bool).unwrap_or(false);
    let shown = estate.watch.activities.iter().rev().map(|activity| (estate.resource_id(activity.service), activity));
    let wanted = |(id, activity): &(String, &Activity)| {
        resource.is_none_or(|wanted| wanted == id) && (all || activity.status != ActivityStatus::NotScaled)
    };
    page(body, "ScalingActivities", shown.filter(wanted).map(|(id, activity)| activity_value(&id, activity)).collect())
}

fn activity_value(id: &str, activity: &Activity) -> Value {
    let reason = activity.not_scaled.map(|(code, max, min, current)| {
        json!([{
            "Code": code,
            "MaxCapacity": (code == "AlreadyAtMaxCapacity").then_some(max),
            "MinCapacity": (code == "AlreadyAtMinCapacity").then_some(min),
            "CurrentCapacity": current,
        }])
    });
    json!({
        "ActivityId": activity.id,
        "ServiceNamespace": "ecs",
        "ResourceId": id,
        "ScalableDimension": DIMENSION,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": time(activity.started_at),
        "EndTime": activity.ended_at.map(time),
        "StatusCode": match activity.status {
            ActivityStatus::InProgress => "InProgress",
            ActivityStatus::Successful => "Successful",
            ActivityStatus::Overridden => "Overridden",
            ActivityStatus::NotScaled => "Unfulfilled",
        },
        "StatusMessage": activity.message,
        "NotScaledReasons": reason,
    })
}

fn schedules(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let (names, resource) = (texts(body, "ScheduledActionNames"), text(body, "ResourceId"));
    at_most_fifty(&names, "scheduledActionNames")?;
    let mut shown = Vec::new();
    for target in by_name(estate) {
        let id = estate.resource_id(target.service);
        if resource.is_none_or(|wanted| wanted == id) {
            let own = target.schedules.iter().filter(|schedule| names.is_empty() || names.contains(&schedule.name.as_str()));
            shown.extend(own.map(|schedule| schedule_value(estate, &id, schedule)));
        }
    }
    page(body, "ScheduledActions", shown)
}

fn schedule_value(estate: &Estate, id: &str, schedule: &Schedule) -> Value {
    let Schedule { name, id: uuid, at, timezone, min, max, created_at } = schedule;
    json!({
        "ScheduledActionName": name,
        "ScheduledActionARN": estate.arn("autoscaling", &format!("scheduledAction:{uuid}:resource/ecs/{id}:scheduledActionName/{name}")),
        "ServiceNamespace": "ecs",
        "Schedule": at,
        "Timezone": timezone,
        "ResourceId": id,
        "ScalableDimension": DIMENSION,
        "ScalableTargetAction": {"MinCapacity": min, "MaxCapacity": max},
        "CreationTime": time(*created_at),
    })
}

fn register(estate: &mut Estate, namespace: &str, body: &Value) -> Result<Value, ApiError> {
    let resource = text(body, "ResourceId").ok_or_else(|| missing("resourceId"))?;
    text(body, "ScalableDimension").ok_or_else(|| missing("scalableDimension"))?;
    if namespace != "ecs" {
        return Err(invalid(format!("{namespace} is not served here: only service namespace ecs holds resources")));
    }
    let service = service_of(estate, resource)?;
    let number = |key: &str| match body.get(key).filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
            number.map(Some).ok_or_else(|| invalid(format!("{key} must be a whole number from 0 on")))
        }
    };
    let (min, max) = (number("MinCapacity")?, number("MaxCapacity")?);
    let known = estate.watch.scaling.iter().find(|target| target.service == service);
    if known.is_none() && (min.is_none() || max.is_none()) {
        return Err(invalid("You must specify both the minimum and the maximum capacity when you register a new scalable target"));
    }
    let (least, most) = (min.or(known.map(|t| t.min)), max.or(known.map(|t| t.max)));
    if least > most {
        return Err(invalid("Maximum capacity cannot be less than minimum capacity"));
    }
    let suspended = |key: &str| body.get("SuspendedState").and_then(|state| state.get(key)).and_then(Value::as_bool);
    let suspend = [suspended("DynamicScalingInSuspended"), suspended("DynamicScalingOutSuspended"), suspended("ScheduledScalingSuspended")];
    let index = estate.register_range(service, min, max, suspend);
    Ok(json!({"ScalableTargetARN": target_arn(estate, &estate.watch.scaling[index])}))
}

fn service_of(estate: &Estate, resource: &str) -> Result<usize, ApiError> {
    let mut parts = resource.splitn(3, '/');
    let (Some("service"), Some(cluster), Some(service)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(invalid(format!("Unsupported service namespace, resource type or scalable dimension: {resource}")));
    };
    let found = estate.clusters.iter().find(|c| c.name == cluster).and_then(|c| c.services.get(service));
    found.copied().ok_or_else(|| invalid(format!("ECS service doesn't exist: {resource}")))
}

/// In the order of the resources' names, so that pages stay where they are.
fn by_name(estate: &Estate) -> Vec<&ScalableTarget> {
    let mut all: Vec<&ScalableTarget> = estate.watch.scaling.iter().collect();
    all.sort_by_key(|target| estate.resource_id(target.service));
    all
}

fn target_arn(estate: &Estate, target: &ScalableTarget) -> String {
    let id = super::rng::hash(&estate.resource_id(target.service));
    estate.arn("application-autoscaling", &format!("scalable-target/0ec5{id:016x}"))
}

fn role(estate: &Estate) -> String {
    estate.role_arn("aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService")
}

fn page(body: &Value, key: &str, all: Vec<Value>) -> Result<Value, ApiError> {
    let size = match body.get("MaxResults").filter(|value| !value.is_null()).map(Value::as_u64) {
        None => LARGEST_PAGE,
        Some(Some(size)) if (1..=50).contains(&size) => usize::try_from(size).expect("it is at most fifty"),
        Some(_) => return Err(invalid("MaxResults must be between 1 and 50")),
    };
    let from = match text(body, "NextToken") {
        None => 0,
        Some(token) => {
            let at = offset(key, token).filter(|at| *at < all.len());
            at.ok_or_else(|| refuse(400, "InvalidNextTokenException", "The next token supplied was invalid."))?
        }
    };
    let total = all.len();
    let shown: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    let next = from + shown.len();
    Ok(json!({key: shown, "NextToken": (next < total).then(|| STANDARD.encode(format!("{key}:{next}")))}))
}

fn offset(key: &str, token: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    text.strip_prefix(key)?.strip_prefix(':')?.parse().ok()
}

fn at_most_fifty(names: &[&str], member: &str) -> Result<(), ApiError> {
    if names.len() <= 50 {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to 50"
    )))
}

fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

fn texts<'a>(body: &'a Value, key: &str) -> Vec<&'a str> {
    body.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn invalid(message: impl Into<String>) -> ApiError {
    refuse(400, "ValidationException", message)
}

fn missing(member: &str) -> ApiError {
    invalid(format!("1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"))
}
