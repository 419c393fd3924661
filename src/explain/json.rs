//! Reads the JSON that the AWS CLI prints into model values. Missing and unknown fields survive; every text is cleaned as it comes in.
//!
//! Knows the shapes of ECS and Elastic Load Balancing, not the files that they come from. Times come as ISO 8601 or as seconds since the
//! epoch, by the CLI's `cli_timestamp_format`.

use crate::model::{
    Arn, CircuitBreaker, Container, ContainerDefinition, ContainerInstance, Deployment, LifecycleHook, LoadBalancer, LogConfiguration,
    PortMapping, RevisionShare, Rollback, Service, ServiceDeployment, ServiceEvent, Str, Target, TargetState, Task, TaskDefinition,
    TaskSet, TaskStatus, Time,
};
use crate::text::clean;
use serde_json::Value;

/// A JSON object, or nothing where something else stands.
#[derive(Clone, Copy)]
pub(super) struct Of<'a>(pub &'a Value);

impl<'a> Of<'a> {
    pub(super) fn has(self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }

    pub(super) fn at(self, key: &str) -> Of<'a> {
        Of(self.0.get(key).unwrap_or(&Value::Null))
    }

    /// The rows of a list; a single one that was not put into a list counts as one.
    pub(super) fn list(self, key: &str) -> impl Iterator<Item = Of<'a>> {
        let rows = match self.0.get(key) {
            Some(Value::Array(rows)) => rows.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => &[],
        };
        rows.iter().map(Of)
    }

    fn texts(self, key: &str) -> Vec<Str> {
        self.0.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(clean).collect()
    }

    pub(super) fn maybe(self, key: &str) -> Option<Str> {
        match self.0.get(key)? {
            Value::String(text) if !text.is_empty() => Some(clean(text)),
            Value::Number(number) => Some(clean(&number.to_string())),
            _ => None,
        }
    }

    pub(super) fn text(self, key: &str) -> Str {
        self.maybe(key).unwrap_or_default()
    }

    pub(super) fn arn(self, key: &str) -> Arn {
        Arn(self.text(key))
    }

    fn maybe_arn(self, key: &str) -> Option<Arn> {
        self.maybe(key).map(Arn)
    }

    fn number(self, key: &str) -> Option<i64> {
        match self.0.get(key)? {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn maybe_count(self, key: &str) -> Option<u32> {
        self.number(key).map(|number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
    }

    fn count(self, key: &str) -> u32 {
        self.maybe_count(key).unwrap_or(0)
    }

    fn port(self, key: &str) -> u16 {
        self.number(key).and_then(|port| u16::try_from(port).ok()).unwrap_or(0)
    }

    fn flag(self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn time(self, key: &str) -> Option<Time> {
        time(self.0.get(key)?)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "held within the range first")]
fn whole(number: f64) -> Option<i64> {
    (number.abs() < 1e15).then_some(number as i64)
}

/// Before 2014 there was no ECS: an older time, such as 0, stands in for none.
const FIRST: i64 = 1_388_534_400;

/// A time as the CLI prints it; seconds or, where they are too large for that, milliseconds.
pub(super) fn time(value: &Value) -> Option<Time> {
    let told = match value {
        Value::Number(number) => epoch(number.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            let zoned = text.parse::<Time>().ok();
            // A time without its zone is taken for UTC.
            let plain =
                || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
            zoned.or_else(plain).or_else(|| epoch(text.parse().ok()?))
        }
        _ => None,
    };
    told.filter(|at| at.as_second() >= FIRST)
}

fn epoch(seconds: f64) -> Option<Time> {
    let seconds = if seconds.abs() > 1e11 { seconds / 1000.0 } else { seconds };
    Time::from_millisecond(whole(seconds * 1000.0)?).ok()
}

/// A service of `describe-services`.
pub(super) fn service(from: Of) -> Service {
    let arn = from.arn("serviceArn");
    let name = from.maybe("serviceName").unwrap_or_else(|| arn.name().into());
    let configuration = from.at("deploymentConfiguration");
    let breaker = configuration.at("deploymentCircuitBreaker");
    let network = from.at("networkConfiguration").at("awsvpcConfiguration");
    let deployments: Vec<Deployment> = from.list("deployments").map(deployment).collect();
    let primary = deployments.first();
    // Without a number of tasks nothing can be said of it; an empty state tells the judge so.
    let told = from.has("desiredCount") || primary.is_some();
    let status = from.maybe("status").unwrap_or_else(|| if told { "ACTIVE".into() } else { "".into() });
    Service {
        arn: if arn.as_str().is_empty() { Arn(name.clone()) } else { arn.clone() },
        cluster: from.maybe_arn("clusterArn").unwrap_or_else(|| Arn(arn.cluster_name().unwrap_or("default").into())),
        status: if told { status } else { "".into() },
        desired: from.maybe_count("desiredCount").or(primary.map(|d| d.desired)).unwrap_or(0),
        running: from.maybe_count("runningCount").or(primary.map(|d| d.running)).unwrap_or(0),
        pending: from.count("pendingCount"),
        launch_type: from.maybe("launchType"),
        capacity_providers: from
            .list("capacityProviderStrategy")
            .map(|item| (item.text("capacityProvider"), item.count("base"), item.count("weight")))
            .collect(),
        platform_version: from.maybe("platformVersion"),
        scheduling: from.maybe("schedulingStrategy").unwrap_or_else(|| "REPLICA".into()),
        controller: from.at("deploymentController").maybe("type").unwrap_or_else(|| "ECS".into()),
        strategy: configuration.maybe("strategy"),
        task_definition: from.maybe_arn("taskDefinition").or(primary.map(|d| d.task_definition.clone())).unwrap_or_else(|| Arn("".into())),
        task_sets: from.list("taskSets").map(task_set).collect(),
        current_deployment: from.maybe_arn("currentServiceDeployment"),
        events: events(from),
        load_balancers: load_balancers(from),
        min_percent: configuration.maybe_count("minimumHealthyPercent"),
        max_percent: configuration.maybe_count("maximumPercent"),
        circuit_breaker: breaker
            .has("enable")
            .then(|| CircuitBreaker { enabled: breaker.flag("enable"), rollback: breaker.flag("rollback") }),
        grace_seconds: from.count("healthCheckGracePeriodSeconds"),
        exec_enabled: from.flag("enableExecuteCommand"),
        created_at: from.time("createdAt"),
        created_by: from.maybe("createdBy"),
        subnets: network.texts("subnets"),
        security_groups: network.texts("securityGroups"),
        public_ip: network.maybe("assignPublicIp"),
        alarms: if configuration.at("alarms").flag("enable") { configuration.at("alarms").texts("alarmNames") } else { Vec::new() },
        bake_minutes: configuration.maybe_count("bakeTimeInMinutes"),
        management: from.maybe("resourceManagementType"),
        revisions: from.list("currentServiceRevisions").map(share).collect(),
        tags: pairs(from, "tags", "key"),
        deployments,
        name,
    }
}

fn pairs(from: Of, key: &str, name: &str) -> Vec<(Str, Str)> {
    from.list(key).map(|pair| (pair.text(name), pair.text("value"))).collect()
}

/// Events, newest first whatever order they were saved in.
pub(super) fn events(from: Of) -> Vec<ServiceEvent> {
    let event = |e: Of| ServiceEvent { id: e.text("id"), at: e.time("createdAt"), message: e.text("message") };
    let mut events: Vec<ServiceEvent> = from.list("events").map(event).collect();
    if events.iter().all(|e| e.at.is_some()) {
        events.sort_by_key(|e| std::cmp::Reverse(e.at));
    }
    events
}

fn load_balancers(from: Of) -> Vec<LoadBalancer> {
    let one = |lb: Of| LoadBalancer {
        target_group: lb.maybe_arn("targetGroupArn"),
        alternate_target_group: lb.at("advancedConfiguration").maybe_arn("alternateTargetGroupArn"),
        container: lb.text("containerName"),
        port: lb.port("containerPort"),
    };
    from.list("loadBalancers").map(one).collect()
}

fn deployment(from: Of) -> Deployment {
    Deployment {
        id: from.text("id"),
        status: from.text("status"),
        rollout_state: from.maybe("rolloutState"),
        rollout_reason: from.maybe("rolloutStateReason"),
        task_definition: from.arn("taskDefinition"),
        desired: from.count("desiredCount"),
        running: from.count("runningCount"),
        pending: from.count("pendingCount"),
        failed: from.count("failedTasks"),
        created_at: from.time("createdAt"),
        updated_at: from.time("updatedAt"),
    }
}

fn task_set(from: Of) -> TaskSet {
    TaskSet {
        id: from.text("id"),
        status: from.text("status"),
        external_id: from.maybe("externalId"),
        task_definition: from.arn("taskDefinition"),
        desired: from.count("computedDesiredCount"),
        running: from.count("runningCount"),
        pending: from.count("pendingCount"),
        stability: from.maybe("stabilityStatus"),
        scale: from.at("scale").0.get("value").and_then(Value::as_f64),
        updated_at: from.time("updatedAt"),
        stability_at: from.time("stabilityStatusAt"),
        created_at: from.time("createdAt"),
        load_balancers: load_balancers(from),
    }
}

/// A deployment of `describe-service-deployments` or `list-service-deployments`.
pub(super) fn service_deployment(from: Of) -> ServiceDeployment {
    let breaker = from.at("deploymentCircuitBreaker");
    let target = from.at("targetServiceRevision").maybe_arn("arn").or(from.maybe_arn("targetServiceRevisionArn"));
    ServiceDeployment {
        arn: from.arn("serviceDeploymentArn"),
        status: from.text("status"),
        reason: from.maybe("statusReason"),
        target_revision: target,
        started_at: from.time("startedAt"),
        finished_at: from.time("finishedAt"),
        created_at: from.time("createdAt"),
        failures: breaker.maybe_count("failureCount").zip(breaker.maybe_count("threshold")),
        breaker: breaker.maybe("status"),
        lifecycle_stage: from.maybe("lifecycleStage"),
        updated_at: from.time("updatedAt"),
        stopped_at: from.time("stoppedAt"),
        target: from.has("targetServiceRevision").then(|| share(from.at("targetServiceRevision"))),
        sources: from.list("sourceServiceRevisions").map(share).collect(),
        rollback: from.has("rollback").then(|| from.at("rollback")).map(|back| Rollback {
            reason: back.maybe("reason"),
            started_at: back.time("startedAt"),
            revision: back.maybe_arn("serviceRevisionArn"),
        }),
        alarms: (from.at("alarms").texts("alarmNames"), from.at("alarms").texts("triggeredAlarmNames")),
        hooks: from.list("lifecycleHookDetails").map(hook).collect(),
        strategy: from.at("deploymentConfiguration").maybe("strategy"),
        bake_minutes: from.at("deploymentConfiguration").maybe_count("bakeTimeInMinutes"),
    }
}

fn share(from: Of) -> RevisionShare {
    let weight = |key: &str| from.0.get(key).and_then(Value::as_f64);
    RevisionShare {
        arn: from.arn("arn"),
        requested: from.count("requestedTaskCount"),
        running: from.count("runningTaskCount"),
        pending: from.count("pendingTaskCount"),
        production_weight: weight("requestedProductionTrafficWeight"),
        test_weight: weight("requestedTestTrafficWeight"),
    }
}

fn hook(from: Of) -> LifecycleHook {
    LifecycleHook {
        id: from.text("hookId"),
        kind: from.maybe("targetType").unwrap_or_else(|| "AWS_LAMBDA".into()),
        target: from.maybe("targetArn"),
        status: from.text("status"),
        expires_at: from.time("expiresAt"),
        on_timeout: from.maybe("timeoutAction"),
    }
}

/// A task of `describe-tasks`, or of an event that `EventBridge` delivered.
pub(super) fn task(from: Of) -> Task {
    let arn = from.arn("taskArn");
    let of_interface = |name: &str| {
        let details = from.list("attachments").flat_map(|attachment| attachment.list("details"));
        details.into_iter().find(|detail| &*detail.text("name") == name).and_then(|detail| detail.maybe("value"))
    };
    let of_container = || from.list("containers").flat_map(|c| c.list("networkInterfaces")).find_map(|i| i.maybe("privateIpv4Address"));
    Task {
        cluster: from.maybe_arn("clusterArn").unwrap_or_else(|| Arn(arn.cluster_name().unwrap_or("default").into())),
        group: from.text("group"),
        started_by: from.maybe("startedBy"),
        status: TaskStatus::parse(
            &from.maybe("lastStatus").unwrap_or_else(|| if from.has("stoppedReason") { "STOPPED" } else { "UNKNOWN" }.into()),
        ),
        desired: from.text("desiredStatus"),
        health: from.maybe("healthStatus").unwrap_or_else(|| "UNKNOWN".into()),
        task_definition: from.arn("taskDefinitionArn"),
        launch_type: from.maybe("launchType"),
        capacity_provider: from.maybe("capacityProviderName"),
        zone: from.maybe("availabilityZone"),
        instance: from.maybe_arn("containerInstanceArn"),
        ip: of_interface("privateIPv4Address").or_else(of_container).or_else(|| of_interface("ipv6Address")),
        cpu: from.maybe("cpu"),
        memory: from.maybe("memory"),
        exec_enabled: from.flag("enableExecuteCommand"),
        platform_version: from.maybe("platformVersion"),
        role: from.at("overrides").maybe("taskRoleArn"),
        subnet: of_interface("subnetId"),
        created_at: from.time("createdAt"),
        started_at: from.time("startedAt"),
        stopping_at: from.time("stoppingAt"),
        stopped_at: from.time("stoppedAt"),
        stop_code: from.maybe("stopCode"),
        stopped_reason: from.maybe("stoppedReason"),
        containers: from.list("containers").map(container).collect(),
        tags: pairs(from, "tags", "key"),
        arn,
    }
}

fn container(from: Of) -> Container {
    let agent = from.list("managedAgents").find(|agent| &*agent.text("name") == "ExecuteCommandAgent");
    Container {
        name: from.text("name"),
        image: from.text("image"),
        digest: from.maybe("imageDigest"),
        status: from.text("lastStatus"),
        health: from.maybe("healthStatus").unwrap_or_else(|| "UNKNOWN".into()),
        // Windows prints its 32-bit codes unsigned; they are kept as the same bits.
        exit_code: from
            .number("exitCode")
            .and_then(|code| i32::try_from(code).ok().or_else(|| u32::try_from(code).ok().map(u32::cast_signed))),
        reason: from.maybe("reason"),
        runtime_id: from.maybe("runtimeId"),
        bindings: from.list("networkBindings").map(|binding| (binding.port("containerPort"), binding.port("hostPort"))).collect(),
        exec_agent: agent.and_then(|agent| agent.maybe("lastStatus")),
        exec_reason: agent.and_then(|agent| agent.maybe("reason")),
        exec_started_at: agent.and_then(|agent| agent.time("lastStartedAt")),
    }
}

/// One row of `describe-target-health`.
pub(super) fn target(from: Of) -> Target {
    let health = from.at("TargetHealth");
    Target {
        id: from.at("Target").text("Id"),
        port: from.at("Target").port("Port"),
        zone: from.at("Target").maybe("AvailabilityZone"),
        state: match &*health.text("State") {
            "initial" => TargetState::Initial,
            "healthy" => TargetState::Healthy,
            "unhealthy" => TargetState::Unhealthy,
            "unused" => TargetState::Unused,
            "draining" => TargetState::Draining,
            "unhealthy.draining" => TargetState::UnhealthyDraining,
            "unavailable" => TargetState::Unavailable,
            other => TargetState::Other(other.into()),
        },
        reason: health.maybe("Reason"),
        description: health.maybe("Description"),
    }
}

/// A revision of `describe-task-definition`.
pub(super) fn task_definition(from: Of) -> TaskDefinition {
    let arn = from.arn("taskDefinitionArn");
    TaskDefinition {
        family: from.maybe("family").unwrap_or_else(|| arn.name().split(':').next().unwrap_or_default().into()),
        revision: from.count("revision"),
        status: from.text("status"),
        cpu: from.maybe("cpu"),
        memory: from.maybe("memory"),
        network_mode: from.maybe("networkMode"),
        pid_mode: from.maybe("pidMode"),
        task_role: from.maybe("taskRoleArn"),
        execution_role: from.maybe("executionRoleArn"),
        platform: from.at("runtimePlatform").maybe("cpuArchitecture"),
        registered_at: from.time("registeredAt"),
        registered_by: from.maybe("registeredBy"),
        containers: from.list("containerDefinitions").map(container_definition).collect(),
        volumes: from.list("volumes").map(|volume| volume.text("name")).collect(),
        tags: Vec::new(),
        arn,
    }
}

fn container_definition(from: Of) -> ContainerDefinition {
    let port = |p: Of| PortMapping {
        container: p.port("containerPort"),
        host: p.port("hostPort"),
        protocol: p.maybe("protocol").unwrap_or_else(|| "tcp".into()),
    };
    let options = |logs: Of| -> Vec<(Str, Str)> {
        let options = logs.at("options").0.as_object();
        options.into_iter().flatten().filter_map(|(name, value)| Some((clean(name), clean(value.as_str()?)))).collect()
    };
    ContainerDefinition {
        name: from.text("name"),
        image: from.text("image"),
        essential: !from.has("essential") || from.flag("essential"),
        cpu: from.count("cpu"),
        memory: from.maybe_count("memory"),
        memory_reservation: from.maybe_count("memoryReservation"),
        ports: from.list("portMappings").map(port).collect(),
        environment: pairs(from, "environment", "name"),
        environment_files: from.list("environmentFiles").map(|file| file.text("value")).collect(),
        secrets: from.list("secrets").map(|secret| (secret.text("name"), secret.text("valueFrom"))).collect(),
        command: from.texts("command"),
        entry_point: from.texts("entryPoint"),
        health_check: from.has("healthCheck").then(|| from.at("healthCheck").texts("command").join(" ").into()),
        logs: from
            .has("logConfiguration")
            .then(|| from.at("logConfiguration"))
            .map(|logs| LogConfiguration { driver: logs.text("logDriver"), options: options(logs) }),
        depends_on: from.list("dependsOn").map(|on| (on.text("containerName"), on.text("condition"))).collect(),
        readonly_root: from.flag("readonlyRootFilesystem"),
        init_process: from.at("linuxParameters").flag("initProcessEnabled"),
    }
}

/// An instance of `describe-container-instances`.
pub(super) fn container_instance(from: Of) -> ContainerInstance {
    let of = |list: &str, name: &str| from.list(list).find(|r| &*r.text("name") == name).map_or(0, |r| r.count("integerValue"));
    let left_of = |name: &str| (of("remainingResources", name), of("registeredResources", name));
    ContainerInstance {
        arn: from.arn("containerInstanceArn"),
        ec2_instance: from.maybe("ec2InstanceId"),
        status: from.maybe("status").unwrap_or_else(|| "ACTIVE".into()),
        agent_connected: !from.has("agentConnected") || from.flag("agentConnected"),
        running: from.count("runningTasksCount"),
        pending: from.count("pendingTasksCount"),
        cpu: left_of("CPU"),
        memory: left_of("MEMORY"),
        registered_at: from.time("registeredAt"),
        ports: taken_ports(from),
        agent_version: from.at("versionInfo").maybe("agentVersion"),
        docker_version: from.at("versionInfo").maybe("dockerVersion"),
        capacity_provider: from.maybe("capacityProviderName"),
        status_reason: from.maybe("statusReason"),
        health: from.at("healthStatus").maybe("overallStatus"),
        ..ContainerInstance::default()
    }
}

/// Host ports that are taken: what AWS calls remaining are those that are reserved.
fn taken_ports(from: Of) -> Vec<u16> {
    let lists = from.list("remainingResources").filter(|r| matches!(&*r.text("name"), "PORTS" | "PORTS_UDP"));
    let mut ports: Vec<u16> = lists.flat_map(|list| list.texts("stringSetValue")).filter_map(|port| port.parse().ok()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}
