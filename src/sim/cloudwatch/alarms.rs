//! `DescribeAlarms` and `SetAlarmState`.

use super::{invalid, required, text, texts};
use crate::sim::ecs::ApiError;
use crate::sim::wire::{refuse, time};
use crate::sim::world::{Alarm, AlarmState, Comparison, Estate, Watched};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const STATES: [AlarmState; 3] = [AlarmState::Ok, AlarmState::Alarm, AlarmState::Insufficient];

pub(super) fn describe(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let (names, prefix) = (texts(body, "AlarmNames"), text(body, "AlarmNamePrefix"));
    if names.len() > 100 {
        return Err(invalid("The collection AlarmNames must not have a size greater than 100."));
    }
    if !names.is_empty() && prefix.is_some() {
        return Err(refuse(
            400,
            "InvalidParameterCombinationException",
            "AlarmNames and AlarmNamePrefix cannot be specified in the same call.",
        ));
    }
    let types = texts(body, "AlarmTypes");
    if let Some(other) = types.iter().find(|kind| !["MetricAlarm", "CompositeAlarm", "LogAlarm"].contains(kind)) {
        return Err(invalid(format!("The value {other} is not valid for parameter AlarmTypes.")));
    }
    let state = text(body, "StateValue").map(state_of).transpose()?;
    let action = text(body, "ActionPrefix");
    let wanted = |alarm: &&Alarm| {
        let kind = if matches!(alarm.watched, Watched::Rule(_)) { "CompositeAlarm" } else { "MetricAlarm" };
        // Without types only metric alarms come, even if a name is that of another kind.
        let by_type = if types.is_empty() { kind == "MetricAlarm" } else { types.contains(&kind) };
        by_type
            && (names.is_empty() || names.contains(&alarm.name.as_str()))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state == state)
            && action.is_none_or(|prefix| alarm.actions.iter().any(|arn| arn.starts_with(prefix)))
    };
    let mut chosen: Vec<&Alarm> = estate.watch.alarms.iter().filter(wanted).collect();
    chosen.sort_by_key(|alarm| &alarm.name);
    let size = match body.get("MaxRecords").filter(|value| !value.is_null()).map(Value::as_u64) {
        None => 50,
        Some(Some(size)) if (1..=100).contains(&size) => usize::try_from(size).expect("it is at most a hundred"),
        Some(_) => return Err(invalid("The value for parameter MaxRecords must be between 1 and 100.")),
    };
    let from = match text(body, "NextToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => {
            let at = offset(token).filter(|at| *at < chosen.len());
            at.ok_or_else(|| refuse(400, "InvalidNextToken", "The next token specified is invalid."))?
        }
    };
    let page = &chosen[from..chosen.len().min(from + size)];
    let next = (from + page.len() < chosen.len()).then(|| STANDARD.encode(format!("alarms:{}", from + page.len())));
    let (mut metric, mut composite) = (Vec::new(), Vec::new());
    for alarm in page {
        match &alarm.watched {
            Watched::Rule(rule) => composite.push(composite_value(estate, alarm, rule)),
            Watched::Metric { .. } => metric.push(metric_value(estate, alarm)),
        }
    }
    Ok(json!({"MetricAlarms": metric, "CompositeAlarms": composite, "NextToken": next}))
}

fn common(estate: &Estate, alarm: &Alarm) -> Value {
    json!({
        "AlarmName": alarm.name,
        "AlarmArn": estate.arn("cloudwatch", &format!("alarm:{}", alarm.name)),
        "AlarmDescription": (!alarm.about.is_empty()).then_some(&alarm.about),
        "AlarmConfigurationUpdatedTimestamp": time(alarm.updated_at),
        "ActionsEnabled": alarm.actions_enabled,
        "OKActions": [],
        "AlarmActions": alarm.actions,
        "InsufficientDataActions": [],
        "StateValue": alarm.state.word(),
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": time(alarm.state_at),
        "StateTransitionedTimestamp": time(alarm.transitioned_at),
    })
}

fn metric_value(estate: &Estate, alarm: &Alarm) -> Value {
    let mut out = common(estate, alarm);
    let Watched::Metric { id, stat, threshold, comparison, periods, datapoints, missing } = &alarm.watched else { return out };
    let dimensions: Vec<Value> = id.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
    out["MetricName"] = json!(id.name);
    out["Namespace"] = json!(id.namespace);
    out[if stat.starts_with('p') { "ExtendedStatistic" } else { "Statistic" }] = json!(stat);
    out["Dimensions"] = json!(dimensions);
    out["Period"] = json!(60);
    out["EvaluationPeriods"] = json!(periods);
    out["DatapointsToAlarm"] = json!(datapoints);
    out["Threshold"] = json!(threshold);
    out["ComparisonOperator"] = json!(match comparison {
        Comparison::Greater => "GreaterThanThreshold",
        Comparison::Less => "LessThanThreshold",
    });
    out["TreatMissingData"] = json!(missing);
    out
}

fn composite_value(estate: &Estate, alarm: &Alarm, rule: &str) -> Value {
    let mut out = common(estate, alarm);
    out["AlarmRule"] = json!(rule);
    out
}

pub(super) fn set_state(estate: &mut Estate, body: &Value) -> Result<Value, ApiError> {
    let name = text(body, "AlarmName").ok_or_else(|| required("AlarmName"))?;
    let state = state_of(text(body, "StateValue").ok_or_else(|| required("StateValue"))?)?;
    let reason = text(body, "StateReason").ok_or_else(|| required("StateReason"))?;
    let now = estate.now;
    let alarm = estate.watch.alarms.iter_mut().find(|alarm| alarm.name == name);
    let alarm = alarm.ok_or_else(|| refuse(404, "ResourceNotFound", format!("Alarm {name} does not exist")))?;
    alarm.set(state, reason.to_owned(), now);
    reason.clone_into(&mut alarm.reason);
    alarm.state_at = now;
    Ok(json!({}))
}

fn state_of(word: &str) -> Result<AlarmState, ApiError> {
    let found = STATES.into_iter().find(|state| state.word() == word);
    found.ok_or_else(|| invalid(format!("The value {word} is not valid for parameter StateValue.")))
}

fn offset(token: &str) -> Option<usize> {
    String::from_utf8(STANDARD.decode(token).ok()?).ok()?.strip_prefix("alarms:")?.parse().ok()
}
