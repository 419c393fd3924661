//! Application Auto Scaling's targets, policies, activities and schedules.

use super::{clean, count, maybe, text, time};
use crate::model::{ScalableTarget, ScalingActivity, ScalingPolicy, ScheduledAction, Str, Suspended};
use aws_sdk_applicationautoscaling::types as scaling;

/// A target of `DescribeScalableTargets`.
pub fn scalable_target(from: &scaling::ScalableTarget) -> ScalableTarget {
    let suspended = from.suspended_state();
    let off = |read: fn(&scaling::SuspendedState) -> Option<bool>| suspended.and_then(read).unwrap_or(false);
    ScalableTarget {
        resource: clean(from.resource_id()),
        min: count(from.min_capacity()),
        max: count(from.max_capacity()),
        suspended: Suspended {
            scale_in: off(scaling::SuspendedState::dynamic_scaling_in_suspended),
            scale_out: off(scaling::SuspendedState::dynamic_scaling_out_suspended),
            scheduled: off(scaling::SuspendedState::scheduled_scaling_suspended),
        },
    }
}

/// A policy of `DescribeScalingPolicies`.
pub fn scaling_policy(from: &scaling::ScalingPolicy) -> ScalingPolicy {
    let tracking = from.target_tracking_scaling_policy_configuration();
    let step = from.step_scaling_policy_configuration();
    let cooldown = |seconds: Option<i32>| seconds.map(count);
    ScalingPolicy {
        arn: clean(from.policy_arn()),
        name: clean(from.policy_name()),
        resource: clean(from.resource_id()),
        kind: clean(from.policy_type().as_str()),
        metric: tracking.and_then(metric),
        target: tracking.map(scaling::TargetTrackingScalingPolicyConfiguration::target_value),
        never_in: tracking.and_then(scaling::TargetTrackingScalingPolicyConfiguration::disable_scale_in).unwrap_or(false),
        cooldowns: (
            cooldown(
                tracking
                    .and_then(scaling::TargetTrackingScalingPolicyConfiguration::scale_out_cooldown)
                    .or(step.and_then(scaling::StepScalingPolicyConfiguration::cooldown)),
            ),
            cooldown(
                tracking
                    .and_then(scaling::TargetTrackingScalingPolicyConfiguration::scale_in_cooldown)
                    .or(step.and_then(scaling::StepScalingPolicyConfiguration::cooldown)),
            ),
        ),
        steps: step.map(|step| step.step_adjustments().iter().map(|part| one_step(step, part)).collect()).unwrap_or_default(),
        alarms: from.alarms().iter().map(|alarm| clean(alarm.alarm_name())).collect(),
    }
}

/// By how much, and from which distance of the alarm's threshold on.
fn one_step(policy: &scaling::StepScalingPolicyConfiguration, step: &scaling::StepAdjustment) -> Str {
    let by = step.scaling_adjustment();
    let change = match policy.adjustment_type() {
        Some(scaling::AdjustmentType::ExactCapacity) => format!("to {by}"),
        Some(scaling::AdjustmentType::PercentChangeInCapacity) => format!("{by:+}%"),
        _ => format!("{by:+}"),
    };
    let bounds = [step.metric_interval_lower_bound(), step.metric_interval_upper_bound()];
    match bounds {
        [Some(lower), _] if lower > 0.0 => format!("{change} from +{lower}"),
        [_, Some(upper)] if upper < 0.0 => format!("{change} from {upper}"),
        _ => change,
    }
    .into()
}

/// The metric that target tracking keeps; of a metric maths, the first one that it reads.
fn metric(tracking: &scaling::TargetTrackingScalingPolicyConfiguration) -> Option<Str> {
    if let Some(predefined) = tracking.predefined_metric_specification() {
        return Some(clean(predefined.predefined_metric_type().as_str()));
    }
    let customized = tracking.customized_metric_specification()?;
    let of_maths = || customized.metrics().iter().find_map(|query| query.metric_stat()?.metric()?.metric_name());
    maybe(customized.metric_name().or_else(of_maths))
}

/// An activity of `DescribeScalingActivities`.
pub fn scaling_activity(from: &scaling::ScalingActivity) -> ScalingActivity {
    ScalingActivity {
        id: clean(from.activity_id()),
        resource: clean(from.resource_id()),
        description: clean(from.description()),
        cause: clean(from.cause()),
        status: clean(from.status_code().as_str()),
        message: maybe(from.status_message()),
        not_scaled: from.not_scaled_reasons().iter().map(not_scaled).collect(),
        started_at: time(Some(from.start_time())),
        ended_at: time(from.end_time()),
    }
}

fn not_scaled(from: &scaling::NotScaledReason) -> Str {
    let counts = [("at", from.current_capacity()), ("min", from.min_capacity()), ("max", from.max_capacity())];
    let told: String = counts.iter().filter_map(|(word, n)| n.map(|n| format!(" {word} {n}"))).collect();
    clean(&format!("{}{told}", from.code()))
}

/// A schedule of `DescribeScheduledActions`.
pub fn scheduled_action(from: &scaling::ScheduledAction) -> ScheduledAction {
    let action = from.scalable_target_action();
    ScheduledAction {
        arn: clean(from.scheduled_action_arn()),
        name: clean(from.scheduled_action_name()),
        resource: clean(from.resource_id()),
        schedule: text(Some(from.schedule())),
        zone: maybe(from.timezone()),
        min: action.and_then(scaling::ScalableTargetAction::min_capacity).map(count),
        max: action.and_then(scaling::ScalableTargetAction::max_capacity).map(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(tracking: scaling::TargetTrackingScalingPolicyConfiguration) -> ScalingPolicy {
        let built = scaling::ScalingPolicy::builder()
            .policy_arn("arn")
            .policy_name("keep")
            .service_namespace(scaling::ServiceNamespace::Ecs)
            .resource_id("service/main/api")
            .scalable_dimension(scaling::ScalableDimension::EcsServiceDesiredCount)
            .policy_type(scaling::PolicyType::TargetTrackingScaling)
            .target_tracking_scaling_policy_configuration(tracking)
            .creation_time(aws_smithy_types::DateTime::from_secs(0))
            .build()
            .unwrap();
        scaling_policy(&built)
    }

    #[test]
    fn a_metric_of_tomorrow_is_kept_as_it_came() {
        let metric =
            scaling::PredefinedMetricSpecification::builder().predefined_metric_type("ECSServiceAverageMood".into()).build().unwrap();
        let tracking =
            scaling::TargetTrackingScalingPolicyConfiguration::builder().target_value(60.0).predefined_metric_specification(metric);
        let read = policy(tracking.build().unwrap());
        assert_eq!((read.driver(), &*read.kind), ("ECSServiceAverageMood 60".to_owned(), "TargetTrackingScaling"));
    }

    #[test]
    fn the_steps_of_a_step_policy_are_read_with_their_bounds() {
        let part = |lower: Option<f64>, upper: Option<f64>, by| {
            let step = scaling::StepAdjustment::builder().scaling_adjustment(by);
            step.set_metric_interval_lower_bound(lower).set_metric_interval_upper_bound(upper).build().unwrap()
        };
        let policy = |kind, steps: Vec<scaling::StepAdjustment>| {
            let step = scaling::StepScalingPolicyConfiguration::builder().adjustment_type(kind).set_step_adjustments(Some(steps)).build();
            let steps: Vec<Str> = step.step_adjustments().iter().map(|part| one_step(&step, part)).collect();
            steps.join(", ")
        };
        let up = vec![part(Some(0.0), Some(20.0), 2), part(Some(20.0), None, 4)];
        assert_eq!(policy(scaling::AdjustmentType::ChangeInCapacity, up), "+2, +4 from +20");
        let down = vec![part(None, Some(-15.0), -50), part(Some(-15.0), Some(0.0), -10)];
        assert_eq!(policy(scaling::AdjustmentType::PercentChangeInCapacity, down), "-50% from -15, -10%");
        assert_eq!(policy(scaling::AdjustmentType::ExactCapacity, vec![part(Some(0.0), None, 6)]), "to 6");
    }

    #[test]
    fn a_customized_metric_is_named() {
        let metric = scaling::CustomizedMetricSpecification::builder().metric_name("QueueDepth").namespace("Shop").build();
        let tracking =
            scaling::TargetTrackingScalingPolicyConfiguration::builder().target_value(500.0).customized_metric_specification(metric);
        assert_eq!(policy(tracking.build().unwrap()).driver(), "QueueDepth 500");
    }
}
