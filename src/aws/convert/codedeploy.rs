//! CodeDeploy's deployments and what their targets tell of traffic.

use super::{maybe, text, time};
use crate::model::{CodeDeployment, LifecycleEvent, Shift, TrafficShare};
use aws_sdk_codedeploy::types as deploy;

fn minutes(minutes: i32) -> u32 {
    u32::try_from(minutes).unwrap_or(0)
}

/// A deployment of `GetDeployment`, without its target.
pub fn code_deployment(from: &deploy::DeploymentInfo) -> CodeDeployment {
    let plan = from.blue_green_deployment_configuration();
    let error = from
        .error_information()
        .map(|error| format!("{}: {}", error.code().map_or("", deploy::ErrorCode::as_str), error.message().unwrap_or_default()));
    CodeDeployment {
        id: text(from.deployment_id()),
        application: text(from.application_name()),
        group: text(from.deployment_group_name()),
        config: text(from.deployment_config_name()),
        shift: Shift::of_name(from.deployment_config_name().unwrap_or_default()),
        status: text(from.status().map(deploy::DeploymentStatus::as_str)),
        error: maybe(error.as_deref()),
        rollback: maybe(from.rollback_info().and_then(deploy::RollbackInfo::rollback_message)),
        messages: from.deployment_status_messages().iter().map(|message| text(Some(message))).collect(),
        created_at: time(from.create_time()),
        started_at: time(from.start_time()),
        completed_at: time(from.complete_time()),
        waits: (
            plan.and_then(|plan| plan.terminate_blue_instances_on_deployment_success())
                .map(|end| minutes(end.termination_wait_time_in_minutes())),
            plan.and_then(|plan| plan.deployment_ready_option()).map(|ready| minutes(ready.wait_time_in_minutes())),
        ),
        ..CodeDeployment::default()
    }
}

/// How a deployment config moves traffic; nothing when it moves all at once.
pub fn shift(from: &deploy::DeploymentConfigInfo) -> Option<Shift> {
    let routing = from.traffic_routing_config()?;
    let canary = routing.time_based_canary().map(|canary| (canary.canary_percentage(), canary.canary_interval(), false));
    let linear = routing.time_based_linear().map(|linear| (linear.linear_percentage(), linear.linear_interval(), true));
    // The one that does not apply may be there, empty.
    let (percent, interval, linear) = [canary, linear].into_iter().flatten().find(|(percent, ..)| *percent > 0)?;
    Some(Shift { percent: minutes(percent), minutes: minutes(interval), linear })
}

/// Lifecycle events and traffic of `GetDeploymentTarget`.
pub fn target_of(from: &deploy::EcsTarget) -> (Vec<LifecycleEvent>, Vec<TrafficShare>) {
    let count = |count: i64| u32::try_from(count).unwrap_or(0);
    let event = |event: &deploy::LifecycleEvent| LifecycleEvent {
        name: text(event.lifecycle_event_name()),
        status: text(event.status().map(deploy::LifecycleEventStatus::as_str)),
        message: maybe(event.diagnostics().and_then(deploy::Diagnostics::message)),
        started_at: time(event.start_time()),
        ended_at: time(event.end_time()),
    };
    let share = |set: &deploy::EcsTaskSet| TrafficShare {
        // AWS's spelling.
        task_set: text(set.identifer()),
        label: maybe(set.task_set_label().map(deploy::TargetLabel::as_str)),
        status: text(set.status()),
        weight: set.traffic_weight(),
        target_group: maybe(set.target_group().and_then(deploy::TargetGroupInfo::name)),
        counts: (count(set.desired_count()), count(set.running_count()), count(set.pending_count())),
    };
    (from.lifecycle_events().iter().map(event).collect(), from.task_sets_info().iter().map(share).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_of_ones_own_tells_its_figures() {
        let canary = deploy::TimeBasedCanary::builder().canary_percentage(10).canary_interval(10).build();
        let routing = deploy::TrafficRoutingConfig::builder().time_based_canary(canary).build();
        let config = deploy::DeploymentConfigInfo::builder().traffic_routing_config(routing).build();
        assert_eq!(shift(&config), Some(Shift { percent: 10, minutes: 10, linear: false }));
        assert_eq!(shift(&deploy::DeploymentConfigInfo::builder().build()), None);
    }

    #[test]
    fn a_status_of_tomorrow_is_kept() {
        let read = code_deployment(&deploy::DeploymentInfo::builder().status("Pondering".into()).build());
        assert_eq!((&*read.status, read.over()), ("Pondering", false));
    }
}
