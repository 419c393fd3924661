//! `ListTasks`, `DescribeTasks` and `StopTask`: what a task looks like.

use serde_json::{Value, json};

use super::body::{Body, page};
use super::services::LAUNCH_TYPES;
use super::{ApiError, Caller, Reply, cluster, is_arn, missing, put, seconds, service, short, tags, uuid};
use crate::sim::world::{ContainerStatus, Estate, Health, Task, TaskId, TaskStatus};

pub(super) fn list(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let filters = ["family", "serviceName", "containerInstance", "daemonName", "launchType"];
    let started_by = body.text("startedBy")?;
    let others = || filters.iter().chain(&["desiredStatus"]).any(|key| body.get(key).is_some());
    if started_by.is_some() && others() {
        return Err(ApiError::parameter("cannot specify startedBy with other filters"));
    }
    let desired = body.one_of("desiredStatus", &["RUNNING", "PENDING", "STOPPED"])?.unwrap_or("RUNNING");
    let launch = body.one_of("launchType", &LAUNCH_TYPES)?;
    let family = body.text("family")?;
    let of_service = match body.text("serviceName")? {
        None => None,
        Some(name) => {
            Some(service(estate, cluster, name).ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))?)
        }
    };
    let host = body.text("containerInstance")?.map(short);
    let daemon = body.text("daemonName")?;
    let wanted = |task: &&Task| {
        // ECS sets no desired status of PENDING, so that filter never finds anything.
        let status = if task.stopping() { "STOPPED" } else { "RUNNING" };
        status == desired
            && daemon.is_none()
            && started_by.is_none_or(|by| started_by_of(task).as_deref() == Some(by))
            && family.is_none_or(|f| f == task.definition.family)
            && of_service.is_none_or(|s| task.service == Some(s))
            && launch.is_none_or(|l| l == if task.on_fargate() { "FARGATE" } else { "EC2" })
            && host.is_none_or(|h| task.instance.is_some_and(|i| format!("{:032x}", estate.instances[i].id) == h))
    };
    let scope = of_service.map_or(&estate.clusters[cluster].tasks, |s| &estate.services[s].tasks);
    let tasks = scope.iter().filter_map(|id| estate.tasks.get(id)).filter(wanted);
    let arns: Vec<String> = tasks.map(|t| estate.task_arn(t)).collect();
    page(body, "taskArns", (100, 100), &arns)
}

/// The deployment of a service's task, or what `RunTask` was told.
fn started_by_of(task: &Task) -> Option<String> {
    match task.service {
        Some(_) => Some(format!("ecs-svc/{}", task.deployment)),
        None => task.started_by.clone(),
    }
}

pub(super) fn describe(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let names = body.texts("tasks")?;
    if names.is_empty() {
        return Err(ApiError::parameter("Tasks cannot be empty."));
    }
    if names.len() > 100 {
        return Err(ApiError::parameter("Tasks cannot have more than 100 elements."));
    }
    let with_tags = body.includes("TAGS")?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match task_of(estate, cluster, name)? {
            Some(task) => found.push(one(estate, task, with_tags)),
            None if is_arn(name) => failures.push(missing(name)),
            None => {
                let path = format!("task/{}/{name}", estate.cluster_name(cluster));
                failures.push(missing(&estate.arn("ecs", &path)));
            }
        }
    }
    Ok(json!({"tasks": found, "failures": failures}))
}

/// The task that an id or ARN means within a cluster.
pub(super) fn task_of<'a>(estate: &'a Estate, cluster: usize, name: &str) -> Result<Option<&'a Task>, ApiError> {
    let id = short(name);
    let odd = || ApiError::parameter("taskId length should be one of [32,36]");
    if id.len() != 32 && id.len() != 36 {
        return Err(odd());
    }
    let task = u128::from_str_radix(id, 16).ok().and_then(|bits| estate.tasks.get(&TaskId(bits)));
    Ok(task.filter(|t| t.cluster == cluster && (!is_arn(name) || estate.task_arn(t) == name)))
}

pub(super) fn stop(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let name = body.needed("task", "Task cannot be empty.")?;
    let reason = body.text("reason")?.unwrap_or("Task stopped by user");
    let not_found = || ApiError::parameter("The referenced task was not found.");
    let id = task_of(estate, cluster, name)?.ok_or_else(not_found)?.id;
    estate.stop_task_by_user(id, reason);
    let task = estate.tasks.get(&id).ok_or_else(not_found)?;
    Ok(json!({"task": one(estate, task, true)}))
}

/// A task as `DescribeTasks`, `RunTask` and `StopTask` show it.
pub(super) fn one(estate: &Estate, task: &Task, with_tags: bool) -> Value {
    let arn = estate.task_arn(task);
    let provisioned = task.connectivity_at.is_some() || task.eni.is_none();
    let size = |n: u32| json!(n.to_string());
    let mut out = json!({
        "attachments": attachments(task, &estate.region),
        "attributes": [{"name": "ecs.cpu-architecture", "value": architecture(task)}],
        "availabilityZone": task.zone,
        "clusterArn": estate.cluster_arn(estate.cluster_name(task.cluster)),
        "containers": containers(estate, task, &arn),
        "cpu": size(task.definition.cpu),
        "createdAt": seconds(task.created_at),
        "desiredStatus": if task.stopping() { "STOPPED" } else { "RUNNING" },
        "enableExecuteCommand": task.exec,
        "group": task.group,
        "healthStatus": health_word(task.health),
        "lastStatus": status_word(task.status),
        "launchType": if task.on_fargate() { "FARGATE" } else { "EC2" },
        "memory": size(task.definition.memory),
        "overrides": overrides(task),
        "tags": if with_tags { tags(&task_tags(estate, task)) } else { json!([]) },
        "taskArn": arn,
        "taskDefinitionArn": estate.definition_arn(&task.definition),
        "version": task.version,
    });
    put(&mut out, "startedBy", started_by_of(task).map(|by| json!(by)));
    put(&mut out, "capacityProviderName", task.capacity_provider.as_ref().map(|name| json!(name)));
    if provisioned {
        out["connectivity"] = json!("CONNECTED");
    }
    if let Some(host) = task.instance.map(|i| &estate.instances[i]) {
        out["containerInstanceArn"] = json!(estate.instance_arn(host));
    }
    if task.on_fargate() {
        out["platformVersion"] = json!(task.platform_version);
        out["platformFamily"] = json!("Linux");
        out["ephemeralStorage"] = json!({"sizeInGiB": 20});
        out["fargateEphemeralStorage"] = json!({"sizeInGiB": 20});
    }
    if let Some(stop) = &task.stop {
        out["stopCode"] = json!(stop.code);
        out["stoppedReason"] = json!(stop.reason);
    }
    for (key, at) in [
        ("connectivityAt", task.connectivity_at),
        ("pullStartedAt", task.pull_started_at),
        ("pullStoppedAt", task.pull_stopped_at),
        ("startedAt", task.started_at),
        ("stoppingAt", task.stopping_at),
        ("executionStoppedAt", task.execution_stopped_at),
        ("stoppedAt", task.stopped_at),
    ] {
        put(&mut out, key, at.map(seconds));
    }
    out
}

/// Own tags, and what `enableECSManagedTags` and `propagateTags` add for a service.
fn task_tags(estate: &Estate, task: &Task) -> Vec<(String, String)> {
    let mut all = task.tags.clone();
    if let Some(service) = task.service.map(|s| &estate.services[s]) {
        all.extend(service.tags.iter().cloned());
        all.push(("aws:ecs:clusterName".to_owned(), estate.cluster_name(task.cluster).to_owned()));
        all.push(("aws:ecs:serviceName".to_owned(), service.name.clone()));
    }
    all
}

fn architecture(task: &Task) -> &'static str {
    if task.definition.document.contains("\"ARM64\"") { "arm64" } else { "x86_64" }
}

fn attachments(task: &Task, region: &str) -> Value {
    let Some(eni) = &task.eni else { return json!([]) };
    let status = match task.status {
        TaskStatus::Provisioning => "ATTACHING",
        TaskStatus::Deprovisioning => "DETACHING",
        TaskStatus::Stopped => "DELETED",
        _ => "ATTACHED",
    };
    let mut details = vec![json!({"name": "subnetId", "value": eni.subnet})];
    if status != "ATTACHING" {
        let detail = |name: &str, value: String| json!({"name": name, "value": value});
        details.push(detail("networkInterfaceId", eni.id.clone()));
        details.push(detail("macAddress", eni.mac.clone()));
        details.push(detail("privateDnsName", format!("ip-{}.{region}.compute.internal", eni.ip.replace('.', "-"))));
        details.push(detail("privateIPv4Address", eni.ip.clone()));
    }
    json!([{
        "id": uuid(eni.attachment), "type": "ElasticNetworkInterface", "status": status, "details": details,
    }])
}

fn containers(estate: &Estate, task: &Task, arn: &str) -> Value {
    let one = |index: usize| {
        let (of, now) = (&task.definition.containers[index], &task.containers[index]);
        let mut out = json!({
            "containerArn": container_arn(task, index, arn),
            "taskArn": arn,
            "name": of.name,
            "image": of.image,
            "lastStatus": match now.status {
                ContainerStatus::Pending => "PENDING",
                ContainerStatus::Running => "RUNNING",
                ContainerStatus::Stopped => "STOPPED",
            },
            "networkBindings": now.bindings.iter().map(|(port, host, protocol)| {
                json!({"bindIP": "0.0.0.0", "containerPort": port, "hostPort": host, "protocol": protocol})
            }).collect::<Vec<_>>(),
            "networkInterfaces": interfaces(task),
            "healthStatus": health_word(now.health),
            "cpu": of.cpu.to_string(),
        });
        let started = now.started_at.is_some();
        put(&mut out, "memory", (of.memory > 0).then(|| json!(of.memory.to_string())));
        put(&mut out, "memoryReservation", (of.memory_reservation > 0).then(|| json!(of.memory_reservation.to_string())));
        put(&mut out, "runtimeId", started.then(|| json!(task.runtime_id(index))));
        let digest = task.digests.get(index).filter(|digest| started && !digest.is_empty());
        put(&mut out, "imageDigest", digest.map(|digest| json!(estate.platform_digest(task, &of.image, digest))));
        let exit = now.exit_code.filter(|_| now.status == ContainerStatus::Stopped);
        put(&mut out, "exitCode", exit.map(|code| json!(code)));
        put(&mut out, "reason", now.reason.as_ref().map(|r| json!(r)));
        if task.exec {
            out["managedAgents"] = json!([agent(estate, task, index)]);
        }
        out
    };
    (0..task.definition.containers.len()).map(one).collect()
}

/// ARN of a container, by its task's.
pub(super) fn container_arn(task: &Task, index: usize, arn: &str) -> String {
    let (prefix, path) = arn.split_once("task/").unwrap_or_default();
    let bits = u128::from(crate::sim::rng::hash(&format!("{path}/{}", task.definition.containers[index].name)));
    format!("{prefix}container/{path}/{}", uuid(bits << 64 | task.id.0 >> 64))
}

/// Why the agent of a container has stopped, if it has. Whether it can be reached is not known to it.
fn agent_stopped(estate: &Estate, task: &Task, container: usize) -> Option<String> {
    let agent = task.service.map(|service| &estate.services[service].exec_agent);
    let document: Value = serde_json::from_str(&task.definition.document).unwrap_or_default();
    let read_only = document["containerDefinitions"][container]["readonlyRootFilesystem"] == true;
    let said = agent.and_then(|agent| agent.stopped.clone());
    let unable = read_only || agent.is_some_and(|agent| !agent.allowed);
    said.or_else(|| unable.then(|| "ExecuteCommandAgent stopped: unable to start the agent".to_owned()))
}

/// Whether the agent of a container is there to talk to.
pub(super) fn agent_runs(estate: &Estate, task: &Task, container: usize) -> bool {
    task.containers[container].status == ContainerStatus::Running && agent_stopped(estate, task, container).is_none()
}

/// The agent that `ExecuteCommand` talks to.
fn agent(estate: &Estate, task: &Task, container: usize) -> Value {
    let of = &task.containers[container];
    let stopped = if of.status == ContainerStatus::Running { agent_stopped(estate, task, container) } else { None };
    let mut out = json!({"name": "ExecuteCommandAgent", "lastStatus": match of.status {
        _ if stopped.is_some() => "STOPPED",
        ContainerStatus::Pending => "PENDING",
        ContainerStatus::Running => "RUNNING",
        ContainerStatus::Stopped => "STOPPED",
    }});
    put(&mut out, "lastStartedAt", of.started_at.map(|at| seconds(at + 4_000)));
    put(&mut out, "reason", stopped.map(|why| json!(why)));
    out
}

fn interfaces(task: &Task) -> Value {
    match &task.eni {
        Some(eni) if task.status != TaskStatus::Provisioning => {
            json!([{"attachmentId": uuid(eni.attachment), "privateIpv4Address": eni.ip}])
        }
        _ => json!([]),
    }
}

fn overrides(task: &Task) -> Value {
    let names = task.definition.containers.iter().map(|c| json!({"name": c.name}));
    let mut out = json!({"containerOverrides": names.collect::<Vec<_>>(), "inferenceAcceleratorOverrides": []});
    let given = task.overrides.as_ref().and_then(Value::as_object);
    for (key, value) in given.into_iter().flatten() {
        out[key] = value.clone();
    }
    out
}

fn health_word(health: Health) -> &'static str {
    match health {
        Health::Unknown => "UNKNOWN",
        Health::Healthy => "HEALTHY",
        Health::Unhealthy => "UNHEALTHY",
    }
}

fn status_word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Provisioning => "PROVISIONING",
        TaskStatus::Pending => "PENDING",
        TaskStatus::Activating => "ACTIVATING",
        TaskStatus::Running => "RUNNING",
        TaskStatus::Deactivating => "DEACTIVATING",
        TaskStatus::Stopping => "STOPPING",
        TaskStatus::Deprovisioning => "DEPROVISIONING",
        TaskStatus::Stopped => "STOPPED",
    }
}
