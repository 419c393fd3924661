//! What `deploymentConfiguration` of `UpdateService` says of strategy, bake time, hooks, alarms and the circuit breaker's threshold.

use serde_json::Value;

use super::body::Body;
use super::{ApiError, is_arn};
use crate::sim::scenario::Strategy;
use crate::sim::scenario::schema::{Threshold, ThresholdKind};
use crate::sim::world::{Early, Estate, Hook, Plan};

/// Lifecycle stages that hooks may name.
const STAGES: [&str; 8] = [
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
];
/// A hook waits two weeks at most, and a day unless told otherwise.
const LONGEST_HOOK: i64 = 20_160;
const USUAL_HOOK: i64 = 1_440;
/// Bake times are a day at most.
const LONGEST_BAKE: i64 = 1_440;

/// The plan that a service has after the request; what the request leaves out stays.
pub(super) fn changed(estate: &Estate, index: usize, body: Body<'_>) -> Result<Plan, ApiError> {
    let of = &estate.services[index];
    let mut plan = of.plan.clone();
    let Some(config) = body.part("deploymentConfiguration")? else { return Ok(plan) };
    let words = ["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"];
    if let Some(word) = config.one_of("strategy", &words)? {
        plan.strategy = match word {
            "BLUE_GREEN" => Strategy::BlueGreen,
            "LINEAR" => Strategy::Linear,
            "CANARY" => Strategy::Canary,
            _ => Strategy::Rolling,
        };
        let pair = of.current_revision().is_some_and(|r| r.load_balancers.iter().any(|lb| lb.alternate.is_some()));
        let brings = body.list("loadBalancers")?.is_some_and(|all| all.iter().any(|lb| lb.get("advancedConfiguration").is_some()));
        if plan.strategy != Strategy::Rolling && !pair && !brings {
            return Err(ApiError::parameter(format!(
                "advancedConfiguration field is required for all loadBalancers when using a {word} deployment."
            )));
        }
        if plan.strategy == Strategy::BlueGreen && of.plan.strategy != Strategy::BlueGreen && config.get("bakeTimeInMinutes").is_none() {
            return Err(ApiError::parameter("bakeTimeInMinutes is required when using the BLUE_GREEN deployment strategy."));
        }
    }
    plan.bake = minutes(config, "bakeTimeInMinutes")?.unwrap_or(plan.bake);
    if let Some(linear) = config.part("linearConfiguration")? {
        plan.percent = percent(linear, "stepPercent", 3.0)?.unwrap_or(10.0);
        plan.step_bake = minutes(linear, "stepBakeTimeInMinutes")?.unwrap_or(6);
    }
    if let Some(canary) = config.part("canaryConfiguration")? {
        plan.percent = percent(canary, "canaryPercent", 0.1)?.unwrap_or(5.0);
        plan.step_bake = minutes(canary, "canaryBakeTimeInMinutes")?.unwrap_or(10);
    }
    if let Some(alarms) = config.part("alarms")? {
        let enabled = alarms.flag("enable")?.unwrap_or(false);
        plan.alarms = if enabled { alarms.texts("alarmNames")?.into_iter().map(str::to_owned).collect() } else { Vec::new() };
        plan.alarm_rollback = alarms.flag("rollback")?.unwrap_or(false);
    }
    if let Some(early) = config.part("earlySuccessCriteria")? {
        plan.early = self::early(early, plan.strategy)?;
    }
    if let Some(hooks) = config.list("lifecycleHooks")? {
        plan.hooks = hooks.iter().map(|value| hook(Body(value))).collect::<Result<_, _>>()?;
    }
    if let Some(breaker) = config.part("deploymentCircuitBreaker")? {
        plan.reset_on_healthy_task = breaker.flag("resetOnHealthyTask")?.unwrap_or(plan.reset_on_healthy_task);
        if let Some(threshold) = breaker.part("thresholdConfiguration")? {
            plan.threshold = self::threshold(threshold)?;
        }
    }
    Ok(plan)
}

/// The limits are those of the model's documentation; the words of the refusals are ours.
fn early(body: Body<'_>, strategy: Strategy) -> Result<Option<Early>, ApiError> {
    if !body.flag("enable")?.unwrap_or(false) {
        return Ok(None);
    }
    if strategy != Strategy::Rolling {
        return Err(ApiError::parameter("earlySuccessCriteria can only be used with the ROLLING deployment strategy."));
    }
    let cleanup = body.one_of("sourceServiceRevisionCleanup", &["BLOCKING", "DEFERRED"])?;
    let percent = body.whole("healthyPercent")?.and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= 100);
    match (percent, cleanup) {
        (Some(percent), Some(cleanup)) => Ok(Some(Early { percent, deferred: cleanup == "DEFERRED" })),
        _ => Err(ApiError::parameter(
            "earlySuccessCriteria needs healthyPercent between 0 and 100 and sourceServiceRevisionCleanup when it is enabled.",
        )),
    }
}

fn threshold(body: Body<'_>) -> Result<Threshold, ApiError> {
    let kind = match body.one_of("type", &["COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT"])? {
        Some("COUNT") => ThresholdKind::Count,
        Some("UNBOUNDED_PERCENT") => ThresholdKind::UnboundedPercent,
        _ => ThresholdKind::BoundedPercent,
    };
    let value = body.whole("value")?.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    let value = value.ok_or_else(|| ApiError::parameter("The threshold value must be at least 1."))?;
    Ok(Threshold { kind, value })
}

fn minutes(body: Body<'_>, key: &str) -> Result<Option<i64>, ApiError> {
    match body.whole(key)? {
        Some(n) if !(0..=LONGEST_BAKE).contains(&n) => Err(ApiError::parameter(format!("{key} must be between 0 and {LONGEST_BAKE}."))),
        other => Ok(other),
    }
}

fn percent(body: Body<'_>, key: &str, least: f64) -> Result<Option<f64>, ApiError> {
    let given = body.get(key).and_then(Value::as_f64);
    match given {
        Some(n) if !(least..=100.0).contains(&n) => Err(ApiError::parameter(format!("{key} must be between {least:.1} and 100.0."))),
        other => Ok(other),
    }
}

fn hook(body: Body<'_>) -> Result<Hook, ApiError> {
    let pause = body.one_of("targetType", &["AWS_LAMBDA", "PAUSE"])? == Some("PAUSE");
    let stages: Vec<String> = body.texts("lifecycleStages")?.into_iter().map(str::to_owned).collect();
    if stages.is_empty() || stages.iter().any(|s| !STAGES.contains(&s.as_str())) {
        return Err(ApiError::parameter(format!("Invalid value for lifecycleStages. Valid values: {}", STAGES.join(", "))));
    }
    if pause && stages.iter().any(|s| s == "TEST_TRAFFIC_SHIFT" || s == "PRODUCTION_TRAFFIC_SHIFT") {
        return Err(ApiError::parameter("PAUSE hooks are not supported at TEST_TRAFFIC_SHIFT and PRODUCTION_TRAFFIC_SHIFT."));
    }
    let function = body.text("hookTargetArn")?.filter(|arn| is_arn(arn));
    if !pause && function.is_none() {
        return Err(ApiError::parameter("hookTargetArn must be the ARN of a Lambda function."));
    }
    let limit = body.part("timeoutConfiguration")?;
    let timeout = limit.map(|l| l.whole("timeoutInMinutes")).transpose()?.flatten().unwrap_or(USUAL_HOOK);
    if !(1..=LONGEST_HOOK).contains(&timeout) {
        return Err(ApiError::parameter(format!("timeoutInMinutes must be between 1 and {LONGEST_HOOK}.")));
    }
    let action = limit.map(|l| l.one_of("action", &["ROLLBACK", "CONTINUE"])).transpose()?.flatten();
    Ok(Hook {
        function: function.filter(|_| !pause).map(str::to_owned),
        role: body.text("roleArn")?.map(str::to_owned),
        stages,
        takes: 20_000,
        fails: false,
        timeout,
        timeout_continues: action == Some("CONTINUE"),
    })
}
