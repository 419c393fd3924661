//! Services and their deployments.

use super::{arn, clean, count, maybe, maybe_arn, own, port, tags, text, texts, time, word};
use crate::model::{
    CircuitBreaker, Deployment, LifecycleHook, LoadBalancer, RevisionShare, Rollback, Service, ServiceDeployment, ServiceEvent,
    ServiceRevision, TaskSet,
};
use aws_sdk_ecs::types as ecs;

/// A service of `DescribeServices`. `known` is what was known of it before: its events are shared rather than built again,
/// for a hundred of them come with every reply.
pub fn service(from: &ecs::Service, known: Option<&Service>) -> Service {
    let configuration = from.deployment_configuration();
    let network = from.network_configuration().and_then(|network| network.awsvpc_configuration());
    let alarms = configuration.and_then(|c| c.alarms()).filter(|alarms| alarms.enable());
    Service {
        arn: arn(from.service_arn()),
        name: text(from.service_name()),
        cluster: arn(from.cluster_arn()),
        status: text(from.status()),
        desired: count(from.desired_count()),
        running: count(from.running_count()),
        pending: count(from.pending_count()),
        launch_type: maybe(from.launch_type().map(ecs::LaunchType::as_str)),
        capacity_providers: from
            .capacity_provider_strategy()
            .iter()
            .map(|item| (word(item.capacity_provider()), count(item.base()), count(item.weight())))
            .collect(),
        platform_version: maybe(from.platform_version()),
        scheduling: word(from.scheduling_strategy().map_or("REPLICA", ecs::SchedulingStrategy::as_str)),
        controller: word(from.deployment_controller().map_or("ECS", |controller| controller.r#type().as_str())),
        strategy: maybe(configuration.and_then(|c| c.strategy()).map(ecs::DeploymentStrategy::as_str)),
        task_definition: arn(from.task_definition()),
        deployments: from.deployments().iter().map(deployment).collect(),
        task_sets: from.task_sets().iter().map(task_set).collect(),
        current_deployment: maybe_arn(from.current_service_deployment()),
        events: events(from.events(), known.map_or(&[], |known| &known.events)),
        load_balancers: from.load_balancers().iter().map(load_balancer).collect(),
        min_percent: configuration.and_then(ecs::DeploymentConfiguration::minimum_healthy_percent).map(count),
        max_percent: configuration.and_then(ecs::DeploymentConfiguration::maximum_percent).map(count),
        circuit_breaker: configuration
            .and_then(|c| c.deployment_circuit_breaker())
            .map(|breaker| CircuitBreaker { enabled: breaker.enable(), rollback: breaker.rollback() }),
        alarms: alarms.map_or_else(Vec::new, |alarms| alarms.alarm_names().iter().map(|name| clean(name)).collect()),
        bake_minutes: configuration.and_then(ecs::DeploymentConfiguration::bake_time_in_minutes).map(count),
        management: maybe(from.resource_management_type().map(ecs::ResourceManagementType::as_str)),
        revisions: from.current_service_revisions().iter().map(current_revision).collect(),
        grace_seconds: from.health_check_grace_period_seconds().map_or(0, count),
        exec_enabled: from.enable_execute_command(),
        created_at: time(from.created_at()),
        created_by: maybe(from.created_by()),
        subnets: network.map_or_else(Vec::new, |network| texts(Some(&network.subnets))),
        security_groups: network.map_or_else(Vec::new, |network| texts(network.security_groups.as_ref())),
        public_ip: maybe(network.and_then(|network| network.assign_public_ip()).map(ecs::AssignPublicIp::as_str)),
        tags: tags(from.tags.as_ref()),
    }
}

/// Both lists are newest first, so what is known of the new list is a run of it.
fn events(from: &[ecs::ServiceEvent], known: &[ServiceEvent]) -> Vec<ServiceEvent> {
    let fresh = known.first().and_then(|first| from.iter().position(|event| event.id() == Some(&*first.id))).unwrap_or(from.len());
    let new = |event: &ecs::ServiceEvent| ServiceEvent {
        id: own(event.id()).unwrap_or_default(),
        at: time(event.created_at()),
        message: own(event.message()).unwrap_or_default(),
    };
    let shared =
        |(event, known): (&ecs::ServiceEvent, &ServiceEvent)| if event.id() == Some(&*known.id) { known.clone() } else { new(event) };
    let run = from[fresh..].iter().zip(known).map(shared);
    let rest = from[fresh..].iter().skip(known.len()).map(new);
    from[..fresh].iter().map(new).chain(run).chain(rest).collect()
}

fn deployment(from: &ecs::Deployment) -> Deployment {
    Deployment {
        id: text(from.id()),
        status: text(from.status()),
        rollout_state: maybe(from.rollout_state().map(ecs::DeploymentRolloutState::as_str)),
        rollout_reason: maybe(from.rollout_state_reason()),
        task_definition: arn(from.task_definition()),
        desired: count(from.desired_count()),
        running: count(from.running_count()),
        pending: count(from.pending_count()),
        failed: count(from.failed_tasks()),
        created_at: time(from.created_at()),
        updated_at: time(from.updated_at()),
    }
}

fn task_set(from: &ecs::TaskSet) -> TaskSet {
    TaskSet {
        id: text(from.id()),
        status: text(from.status()),
        external_id: maybe(from.external_id()),
        task_definition: arn(from.task_definition()),
        desired: count(from.computed_desired_count()),
        running: count(from.running_count()),
        pending: count(from.pending_count()),
        stability: maybe(from.stability_status().map(ecs::StabilityStatus::as_str)),
        scale: from.scale().map(ecs::Scale::value),
        created_at: time(from.created_at()),
        updated_at: time(from.updated_at()),
        stability_at: time(from.stability_status_at()),
        load_balancers: from.load_balancers().iter().map(load_balancer).collect(),
    }
}

fn current_revision(from: &ecs::ServiceCurrentRevisionSummary) -> RevisionShare {
    RevisionShare {
        arn: arn(from.arn()),
        requested: count(from.requested_task_count()),
        running: count(from.running_task_count()),
        pending: count(from.pending_task_count()),
        ..RevisionShare::default()
    }
}

fn load_balancer(from: &ecs::LoadBalancer) -> LoadBalancer {
    LoadBalancer {
        target_group: maybe_arn(from.target_group_arn()),
        alternate_target_group: maybe_arn(from.advanced_configuration().and_then(|advanced| advanced.alternate_target_group_arn())),
        container: text(from.container_name()),
        port: port(from.container_port()),
    }
}

/// A deployment of `DescribeServiceDeployments`.
pub fn service_deployment(from: &ecs::ServiceDeployment) -> ServiceDeployment {
    let breaker = from.deployment_circuit_breaker();
    let (alarms, configuration) = (from.alarms(), from.deployment_configuration());
    ServiceDeployment {
        arn: arn(from.service_deployment_arn()),
        status: text(from.status().map(ecs::ServiceDeploymentStatus::as_str)),
        reason: maybe(from.status_reason()),
        target_revision: maybe_arn(from.target_service_revision().and_then(|revision| revision.arn())),
        started_at: time(from.started_at()),
        finished_at: time(from.finished_at()),
        created_at: time(from.created_at()),
        failures: breaker
            .filter(|breaker| breaker.status().is_none_or(|status| status.as_str() != "DISABLED"))
            .map(|breaker| (count(breaker.failure_count()), count(breaker.threshold()))),
        breaker: maybe(breaker.and_then(|breaker| breaker.status()).map(ecs::ServiceDeploymentRollbackMonitorsStatus::as_str)),
        lifecycle_stage: maybe(from.lifecycle_stage().map(ecs::ServiceDeploymentLifecycleStage::as_str)),
        updated_at: time(from.updated_at()),
        stopped_at: time(from.stopped_at()),
        target: from.target_service_revision().map(share),
        sources: from.source_service_revisions().iter().map(share).collect(),
        rollback: from.rollback().map(|rollback| Rollback {
            reason: maybe(rollback.reason()),
            started_at: time(rollback.started_at()),
            revision: maybe_arn(rollback.service_revision_arn()),
        }),
        alarms: (
            texts(alarms.and_then(|alarms| alarms.alarm_names.as_ref())),
            texts(alarms.and_then(|alarms| alarms.triggered_alarm_names.as_ref())),
        ),
        hooks: from.lifecycle_hook_details().iter().map(hook).collect(),
        strategy: maybe(configuration.and_then(|c| c.strategy()).map(ecs::DeploymentStrategy::as_str)),
        bake_minutes: configuration.and_then(ecs::DeploymentConfiguration::bake_time_in_minutes).map(count),
    }
}

fn share(from: &ecs::ServiceRevisionSummary) -> RevisionShare {
    RevisionShare {
        arn: arn(from.arn()),
        requested: count(from.requested_task_count()),
        running: count(from.running_task_count()),
        pending: count(from.pending_task_count()),
        production_weight: from.requested_production_traffic_weight(),
        test_weight: from.requested_test_traffic_weight(),
    }
}

fn hook(from: &ecs::DeploymentLifecycleHookDetail) -> LifecycleHook {
    LifecycleHook {
        id: text(from.hook_id()),
        kind: text(from.target_type().map(ecs::DeploymentLifecycleHookTargetType::as_str)),
        target: maybe(from.target_arn()),
        status: text(from.status().map(ecs::DeploymentLifecycleHookStatus::as_str)),
        expires_at: time(from.expires_at()),
        on_timeout: maybe(from.timeout_action().map(ecs::DeploymentLifecycleHookAction::as_str)),
    }
}

/// A revision of `DescribeServiceRevisions`.
pub fn service_revision(from: &ecs::ServiceRevision) -> ServiceRevision {
    let resolved = from.resolved_configuration().map_or(&[][..], |resolved| resolved.load_balancers());
    ServiceRevision {
        arn: arn(from.service_revision_arn()),
        task_definition: arn(from.task_definition()),
        created_at: time(from.created_at()),
        images: from
            .container_images()
            .iter()
            .map(|image| (text(image.container_name()), text(image.image()), maybe(image.image_digest())))
            .collect(),
        load_balancers: resolved.iter().map(|lb| (arn(lb.target_group_arn()), maybe_arn(lb.production_listener_rule()))).collect(),
        platform_version: maybe(from.platform_version()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(ids: &[&str]) -> ecs::Service {
        let events = ids.iter().map(|id| ecs::ServiceEvent::builder().id(*id).message(format!("message {id}")).build()).collect();
        ecs::Service::builder().service_name("web").set_events(Some(events)).build()
    }

    #[test]
    fn events_that_are_known_are_shared_and_new_ones_come_first() {
        let before = service(&described(&["c", "b", "a"]), None);
        let after = service(&described(&["e", "d", "c", "b"]), Some(&before));
        let ids: Vec<&str> = after.events.iter().map(|event| &*event.id).collect();
        assert_eq!(ids, ["e", "d", "c", "b"]);
        assert!(std::sync::Arc::ptr_eq(&after.events[2].message, &before.events[0].message));
        let later = service(&described(&["z", "y"]), Some(&after));
        assert_eq!(&*later.events[1].message, "message y");
    }

    #[test]
    fn a_service_from_before_deployment_controllers_counts_as_ecs() {
        let old = service(&described(&[]), None);
        assert_eq!((&*old.controller, &*old.scheduling, old.strategy), ("ECS", "REPLICA", None));
    }
}
