//! Tasks, their containers, and the instances that run them.

use super::{arn, count, maybe, maybe_arn, own, port, tags, text, time};
use crate::model::{Arn, Container, ContainerInstance, Str, Task, TaskStatus};
use aws_sdk_ecs::types as ecs;

/// A task of `DescribeTasks`.
pub fn task(from: &ecs::Task) -> Task {
    Task {
        arn: own(from.task_arn()).map_or_else(|| arn(None), Arn),
        cluster: arn(from.cluster_arn()),
        group: text(from.group()),
        started_by: maybe(from.started_by()),
        status: TaskStatus::parse(&text(from.last_status())),
        desired: text(from.desired_status()),
        health: text(from.health_status().map(ecs::HealthStatus::as_str)),
        task_definition: arn(from.task_definition_arn()),
        launch_type: maybe(from.launch_type().map(ecs::LaunchType::as_str)),
        capacity_provider: maybe(from.capacity_provider_name()),
        zone: maybe(from.availability_zone()),
        instance: maybe_arn(from.container_instance_arn()),
        ip: address(from),
        cpu: maybe(from.cpu()),
        memory: maybe(from.memory()),
        exec_enabled: from.enable_execute_command(),
        platform_version: maybe(from.platform_version()),
        role: maybe(from.overrides().and_then(ecs::TaskOverride::task_role_arn)),
        subnet: maybe(interface_detail(from, "subnetId")),
        created_at: time(from.created_at()),
        started_at: time(from.started_at()),
        stopping_at: time(from.stopping_at()),
        stopped_at: time(from.stopped_at()),
        stop_code: maybe(from.stop_code().map(ecs::TaskStopCode::as_str)),
        stopped_reason: maybe(from.stopped_reason()),
        containers: from.containers().iter().map(container).collect(),
        tags: tags(from.tags.as_ref()),
    }
}

/// The address by which a target group of type `ip` knows the task: that of its network interface, IPv4 before IPv6.
fn address(from: &ecs::Task) -> Option<Str> {
    let detail = |name| interface_detail(from, name);
    let of_containers = || from.containers().iter().flat_map(ecs::Container::network_interfaces);
    let address = detail("privateIPv4Address")
        .or_else(|| of_containers().find_map(ecs::NetworkInterface::private_ipv4_address))
        .or_else(|| detail("ipv6Address"))
        .or_else(|| of_containers().find_map(ecs::NetworkInterface::ipv6_address));
    own(address)
}

/// A detail of the task's network interface.
fn interface_detail<'a>(from: &'a ecs::Task, name: &str) -> Option<&'a str> {
    let interfaces = from.attachments().iter().filter(|attachment| attachment.r#type() == Some("ElasticNetworkInterface"));
    interfaces.flat_map(ecs::Attachment::details).find(|detail| detail.name() == Some(name)).and_then(ecs::KeyValuePair::value)
}

fn container(from: &ecs::Container) -> Container {
    let agent = from.managed_agents().iter().find(|agent| agent.name() == Some(&ecs::ManagedAgentName::ExecuteCommandAgent));
    Container {
        name: text(from.name()),
        image: text(from.image()),
        digest: maybe(from.image_digest()),
        status: text(from.last_status()),
        health: text(from.health_status().map(ecs::HealthStatus::as_str)),
        exit_code: from.exit_code(),
        reason: maybe(from.reason()),
        runtime_id: own(from.runtime_id()),
        bindings: from.network_bindings().iter().map(|binding| (port(binding.container_port()), port(binding.host_port()))).collect(),
        exec_agent: maybe(agent.and_then(|agent| agent.last_status())),
        exec_reason: maybe(agent.and_then(|agent| agent.reason())),
        exec_started_at: time(agent.and_then(|agent| agent.last_started_at())),
    }
}

/// An instance of `DescribeContainerInstances`.
pub fn container_instance(from: &ecs::ContainerInstance) -> ContainerInstance {
    let left_of = |name: &str| (resource(from.remaining_resources(), name), resource(from.registered_resources(), name));
    let attribute = |name: &str| maybe(from.attributes().iter().find(|attribute| attribute.name() == name).and_then(ecs::Attribute::value));
    // AWS spells it `DockerVersion: 25.0.13`.
    let docker =
        from.version_info().and_then(ecs::VersionInfo::docker_version).map(|version| version.trim_start_matches("DockerVersion: "));
    ContainerInstance {
        arn: arn(from.container_instance_arn()),
        ec2_instance: maybe(from.ec2_instance_id()),
        status: text(from.status()),
        agent_connected: from.agent_connected(),
        running: count(from.running_tasks_count()),
        pending: count(from.pending_tasks_count()),
        cpu: left_of("CPU"),
        memory: left_of("MEMORY"),
        registered_at: time(from.registered_at()),
        ports: ports(from.remaining_resources()),
        agent_version: maybe(from.version_info().and_then(ecs::VersionInfo::agent_version)),
        docker_version: maybe(docker),
        instance_type: attribute("ecs.instance-type"),
        zone: attribute("ecs.availability-zone"),
        capacity_provider: maybe(from.capacity_provider_name()),
        status_reason: maybe(from.status_reason()),
        health: maybe(from.health_status().and_then(|health| health.overall_status()).map(ecs::InstanceHealthCheckState::as_str)),
    }
}

fn resource(resources: &[ecs::Resource], name: &str) -> u32 {
    resources.iter().find(|resource| resource.name() == Some(name)).map_or(0, |resource| count(resource.integer_value()))
}

/// Ports that are taken. AWS lists what is reserved under `PORTS` of the remaining resources: what is not named there is free.
fn ports(resources: &[ecs::Resource]) -> Vec<u16> {
    let lists = resources.iter().filter(|resource| resource.name() == Some("PORTS"));
    let mut ports: Vec<u16> = lists.flat_map(ecs::Resource::string_set_value).filter_map(|port| port.parse().ok()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, value: &str) -> ecs::Attachment {
        ecs::Attachment::builder()
            .r#type("ElasticNetworkInterface")
            .details(ecs::KeyValuePair::builder().name(name).value(value).build())
            .build()
    }

    #[test]
    fn a_task_is_known_by_the_address_of_its_network_interface() {
        let v6 = ecs::Task::builder().attachments(interface("ipv6Address", "fd00::1"));
        assert_eq!(task(&v6.clone().build()).ip.as_deref(), Some("fd00::1"));
        let both = v6.attachments(interface("privateIPv4Address", "10.0.0.7"));
        assert_eq!(task(&both.build()).ip.as_deref(), Some("10.0.0.7"));
        assert_eq!(task(&ecs::Task::builder().build()).ip, None);
    }

    #[test]
    fn states_and_codes_of_tomorrow_are_kept() {
        let strange = ecs::Task::builder().last_status("HIBERNATING").stop_code("MoonPhase".into()).health_status("DIZZY".into());
        let strange = task(&strange.build());
        assert_eq!(strange.status, TaskStatus::Other("HIBERNATING".into()));
        assert_eq!((strange.stop_code.as_deref(), &*strange.health), (Some("MoonPhase"), "DIZZY"));
    }

    #[test]
    fn an_instance_tells_what_is_left_of_what_it_has() {
        let cpu = |units| ecs::Resource::builder().name("CPU").integer_value(units).build();
        let from = ecs::ContainerInstance::builder().registered_resources(cpu(2048)).remaining_resources(cpu(512)).build();
        assert_eq!(container_instance(&from).cpu, (512, 2048));
    }

    #[test]
    fn an_instance_tells_which_ports_are_taken() {
        let taken = ecs::Resource::builder().name("PORTS").string_set_value("80").string_set_value("22").string_set_value("80").build();
        let from = ecs::ContainerInstance::builder()
            .remaining_resources(taken)
            .registered_resources(ecs::Resource::builder().name("PORTS").string_set_value("2375").build());
        assert_eq!(container_instance(&from.build()).ports, [22, 80]);
    }
}
