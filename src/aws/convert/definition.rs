//! Task definitions. Secrets come by name and source; their values are never asked for.

use super::{arn, clean, count, maybe, port, tags, text, texts, time};
use crate::model::{ContainerDefinition, LogConfiguration, PortMapping, Str, TaskDefinition};
use aws_sdk_ecs::types as ecs;

/// A revision of `DescribeTaskDefinition`; its tags come beside it.
pub fn task_definition(from: &ecs::TaskDefinition, with_tags: Option<&Vec<ecs::Tag>>) -> TaskDefinition {
    TaskDefinition {
        arn: arn(from.task_definition_arn()),
        family: text(from.family()),
        revision: count(from.revision()),
        status: text(from.status().map(ecs::TaskDefinitionStatus::as_str)),
        cpu: maybe(from.cpu()),
        memory: maybe(from.memory()),
        network_mode: maybe(from.network_mode().map(ecs::NetworkMode::as_str)),
        pid_mode: maybe(from.pid_mode().map(ecs::PidMode::as_str)),
        task_role: maybe(from.task_role_arn()),
        execution_role: maybe(from.execution_role_arn()),
        platform: from.runtime_platform().and_then(platform),
        registered_at: time(from.registered_at()),
        registered_by: maybe(from.registered_by()),
        containers: from.container_definitions().iter().map(container).collect(),
        volumes: from.volumes().iter().map(|volume| text(volume.name())).collect(),
        tags: tags(with_tags),
    }
}

fn platform(from: &ecs::RuntimePlatform) -> Option<Str> {
    let words = [from.operating_system_family().map(ecs::OsFamily::as_str), from.cpu_architecture().map(ecs::CpuArchitecture::as_str)];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    maybe(Some(&words.join("/")))
}

fn container(from: &ecs::ContainerDefinition) -> ContainerDefinition {
    ContainerDefinition {
        name: text(from.name()),
        image: text(from.image()),
        essential: from.essential().unwrap_or(true),
        cpu: count(from.cpu()),
        memory: from.memory().map(count),
        memory_reservation: from.memory_reservation().map(count),
        ports: from.port_mappings().iter().map(port_mapping).collect(),
        environment: from.environment().iter().map(|pair| (text(pair.name()), text(pair.value()))).collect(),
        environment_files: from.environment_files().iter().map(|file| clean(file.value())).collect(),
        secrets: from.secrets().iter().map(|secret| (clean(secret.name()), clean(secret.value_from()))).collect(),
        command: texts(from.command.as_ref()),
        entry_point: texts(from.entry_point.as_ref()),
        health_check: from.health_check().and_then(|check| maybe(Some(&check.command().join(" ")))),
        logs: from.log_configuration().map(logs),
        depends_on: from.depends_on().iter().map(|on| (clean(on.container_name()), clean(on.condition().as_str()))).collect(),
        readonly_root: from.readonly_root_filesystem().unwrap_or(false),
        init_process: from.linux_parameters().and_then(ecs::LinuxParameters::init_process_enabled).unwrap_or(false),
    }
}

fn port_mapping(from: &ecs::PortMapping) -> PortMapping {
    PortMapping {
        container: port(from.container_port()),
        host: port(from.host_port()),
        protocol: clean(from.protocol().map_or("tcp", ecs::TransportProtocol::as_str)),
    }
}

fn logs(from: &ecs::LogConfiguration) -> LogConfiguration {
    let mut options: Vec<(Str, Str)> = from.options().into_iter().flatten().map(|(name, value)| (clean(name), clean(value))).collect();
    options.sort();
    LogConfiguration { driver: clean(from.log_driver().as_str()), options }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_options_of_a_log_driver_are_left_out_and_the_others_are_in_order() {
        let secret = ecs::Secret::builder().name("splunk-token").value_from("arn:aws:ssm:x").build().unwrap();
        let from = ecs::LogConfiguration::builder()
            .log_driver("splunk".into())
            .options("b", "2")
            .options("a", "1")
            .secret_options(secret)
            .build()
            .unwrap();
        let logs = logs(&from);
        assert_eq!((&*logs.driver, logs.options.len(), logs.option("a").map(|value| &**value)), ("splunk", 2, Some("1")));
        assert_eq!(logs.option("splunk-token"), None);
        assert_eq!(&*logs.options[0].0, "a");
    }

    #[test]
    fn a_platform_is_told_as_far_as_it_is_known() {
        let arm = ecs::RuntimePlatform::builder().cpu_architecture(ecs::CpuArchitecture::Arm64);
        assert_eq!(platform(&arm.clone().build()).as_deref(), Some("ARM64"));
        assert_eq!(platform(&arm.operating_system_family(ecs::OsFamily::Linux).build()).as_deref(), Some("LINUX/ARM64"));
        assert_eq!(platform(&ecs::RuntimePlatform::builder().build()), None);
    }
}
