//! Clusters, their container instances and capacity providers.

use serde_json::{Value, json};

use super::body::{Body, page};
use super::{ApiError, Caller, Reply, cluster, is_arn, missing, put, seconds, short, tags};
use crate::sim::scenario::schema::{Exec, Logging};
use crate::sim::world::{ContainerInstance, Estate, InstanceStatus, TaskStatus};

pub(super) fn list(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let arns: Vec<String> = estate.clusters.iter().map(|c| estate.cluster_arn(&c.name)).collect();
    page(body, "clusterArns", (100, 100), &arns)
}

pub(super) fn describe(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let mut names = body.texts("clusters")?;
    if names.is_empty() {
        names.push("default");
    }
    if names.len() > 100 {
        return Err(ApiError::parameter("Clusters cannot have more than 100 elements."));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let means = |c: &crate::sim::world::Cluster| c.name == short(name) && (!is_arn(name) || estate.cluster_arn(&c.name) == name);
        match estate.clusters.iter().position(means) {
            Some(index) => found.push(one(estate, index, body)?),
            None if is_arn(name) => failures.push(missing(name)),
            None => failures.push(missing(&estate.cluster_arn(name))),
        }
    }
    Ok(json!({"clusters": found, "failures": failures}))
}

/// (RUNNING, PENDING) tasks among some.
fn counts<'a>(tasks: impl Iterator<Item = &'a crate::sim::world::Task>) -> (u32, u32) {
    tasks.fold((0, 0), |(running, pending), task| match task.status {
        TaskStatus::Running => (running + 1, pending),
        TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => (running, pending + 1),
        _ => (running, pending),
    })
}

fn one(estate: &Estate, index: usize, body: Body<'_>) -> Reply {
    let cluster = &estate.clusters[index];
    let tasks = || cluster.tasks.iter().filter_map(|id| estate.tasks.get(id));
    let (running, pending) = counts(tasks());
    let instances = estate.instances.iter().filter(|i| i.cluster == index && !i.gone).count();
    let mut out = json!({
        "clusterArn": estate.cluster_arn(&cluster.name),
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": instances,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": cluster.services.values().filter(|&&index| !estate.services[index].deleted).count(),
        "statistics": [], "tags": [], "settings": [],
        "capacityProviders": cluster.capacity_providers,
        "defaultCapacityProviderStrategy": [],
    });
    if body.includes("TAGS")? {
        out["tags"] = tags(&cluster.tags);
    }
    if body.includes("SETTINGS")? {
        out["settings"] = json!([{"name": "containerInsights", "value": cluster.container_insights}]);
    }
    if body.includes("CONFIGURATIONS")? {
        out["configuration"] = json!({"executeCommandConfiguration": exec(estate, &cluster.exec)});
    }
    if body.includes("ATTACHMENTS")? {
        out["attachments"] = json!([]);
        out["attachmentsStatus"] = json!("UPDATE_COMPLETE");
    }
    if body.includes("STATISTICS")? {
        let (fargate, hosted) = (counts(tasks().filter(|t| t.on_fargate())), counts(tasks().filter(|t| !t.on_fargate())));
        let (mut on_fargate, mut on_ec2) = (0, 0);
        for service in cluster.services.values().map(|&s| &estate.services[s]) {
            let fargate = service.current_revision().is_some_and(|r| !r.platform_version.is_empty());
            *if fargate { &mut on_fargate } else { &mut on_ec2 } += 1;
        }
        let named = [
            ("runningEC2TasksCount", hosted.0),
            ("runningFargateTasksCount", fargate.0),
            ("pendingEC2TasksCount", hosted.1),
            ("pendingFargateTasksCount", fargate.1),
            ("activeEC2ServiceCount", on_ec2),
            ("activeFargateServiceCount", on_fargate),
            ("drainingEC2ServiceCount", 0),
            ("drainingFargateServiceCount", 0),
        ];
        out["statistics"] = named.iter().map(|(name, n)| json!({"name": name, "value": n.to_string()})).collect();
    }
    Ok(out)
}

/// How sessions in its containers are encrypted and logged.
fn exec(estate: &Estate, of: &Exec) -> Value {
    let logging = match of.logging {
        Logging::None => "NONE",
        Logging::Default => "DEFAULT",
        Logging::Override => "OVERRIDE",
    };
    let mut out = json!({"logging": logging});
    put(&mut out, "kmsKeyId", of.kms_key.as_ref().map(|key| json!(estate.arn("kms", &format!("key/{key}")))));
    if of.logging == Logging::Override {
        let mut places = json!({"cloudWatchEncryptionEnabled": false, "s3EncryptionEnabled": false});
        put(&mut places, "cloudWatchLogGroupName", of.log_group.as_ref().map(|name| json!(name)));
        put(&mut places, "s3BucketName", of.bucket.as_ref().map(|name| json!(name)));
        out["logConfiguration"] = places;
    }
    out
}

pub(super) fn list_instances(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let allowed = ["ACTIVE", "DRAINING", "REGISTERING", "DEREGISTERING", "REGISTRATION_FAILED"];
    let status = body.one_of("status", &allowed)?;
    let wanted = |i: &&ContainerInstance| status.is_none_or(|s| s == status_word(i));
    let here = estate.instances.iter().filter(|i| i.cluster == cluster && !i.gone).filter(wanted);
    let mut arns: Vec<String> = here.map(|i| estate.instance_arn(i)).collect();
    arns.sort();
    page(body, "containerInstanceArns", (100, 100), &arns)
}

pub(super) fn describe_instances(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let names = body.texts("containerInstances")?;
    if names.is_empty() {
        return Err(ApiError::parameter("Container instances cannot be empty."));
    }
    if names.len() > 100 {
        return Err(ApiError::parameter("Container instances cannot have more than 100 elements."));
    }
    let health = body.includes("CONTAINER_INSTANCE_HEALTH")?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let here = |i: &&ContainerInstance| i.cluster == cluster && !i.gone && format!("{:032x}", i.id) == short(name);
        match estate.instances.iter().position(|i| here(&i)) {
            Some(index) => found.push(instance(estate, index, health)),
            None if is_arn(name) => failures.push(missing(name)),
            None => {
                let path = format!("container-instance/{}/{name}", estate.cluster_name(cluster));
                failures.push(missing(&estate.arn("ecs", &path)));
            }
        }
    }
    Ok(json!({"containerInstances": found, "failures": failures}))
}

pub(super) fn update_instances(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let cluster = cluster(estate, body)?;
    let names = body.texts("containerInstances")?;
    if names.is_empty() {
        return Err(ApiError::parameter("Container instances cannot be empty."));
    }
    if names.len() > 10 {
        return Err(ApiError::parameter("Container instances cannot have more than 10 elements."));
    }
    let status = body.needed("status", "Container instance status cannot be empty.")?;
    let status = match status {
        "ACTIVE" => InstanceStatus::Active,
        "DRAINING" => InstanceStatus::Draining,
        other => return Err(ApiError::parameter(format!("Invalid container instance status: {other}. Valid values: ACTIVE, DRAINING"))),
    };
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let here = |i: &ContainerInstance| i.cluster == cluster && !i.gone && format!("{:032x}", i.id) == short(name);
        match estate.instances.iter().position(here) {
            Some(index) => {
                estate.set_instance_status(index, status);
                found.push(instance(estate, index, false));
            }
            None if is_arn(name) => failures.push(missing(name)),
            None => {
                let path = format!("container-instance/{}/{name}", estate.cluster_name(cluster));
                failures.push(missing(&estate.arn("ecs", &path)));
            }
        }
    }
    Ok(json!({"containerInstances": found, "failures": failures}))
}

fn status_word(instance: &ContainerInstance) -> &'static str {
    match instance.status {
        InstanceStatus::Active => "ACTIVE",
        InstanceStatus::Draining => "DRAINING",
    }
}

fn instance(estate: &Estate, index: usize, health: bool) -> Value {
    let of = &estate.instances[index];
    let (running, pending) = counts(estate.tasks.values().filter(|t| t.instance == Some(index)));
    let resources = |cpu: u32, memory: u32, ports: Vec<String>| {
        let number = |name: &str, n: u32| json!({"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": n});
        let set = |name: &str, of: Vec<String>| json!({"name": name, "type": "STRINGSET", "doubleValue": 0.0, "longValue": 0, "integerValue": 0, "stringSetValue": of});
        json!([number("CPU", cpu), number("MEMORY", memory), set("PORTS", ports), set("PORTS_UDP", Vec::new())])
    };
    let reserved = ["22", "2375", "2376", "51678", "51679"].map(str::to_owned).to_vec();
    let ports = of.ports.iter().map(u16::to_string).collect();
    let attribute = |name: &str, value: &str| json!({"name": name, "value": value});
    let mut out = json!({
        "containerInstanceArn": estate.instance_arn(of),
        "ec2InstanceId": of.ec2_instance_id,
        "version": u64::from(running) * 2 + 40,
        "versionInfo": {"agentVersion": "1.99.1", "agentHash": "5a8f3e1c", "dockerVersion": "DockerVersion: 25.0.13"},
        "remainingResources": resources(of.cpu_left, of.memory_left, ports),
        "registeredResources": resources(of.cpu, of.memory, reserved),
        "status": status_word(of),
        "agentConnected": of.agent_connected,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "attributes": [
            attribute("ecs.availability-zone", &of.zone),
            attribute("ecs.instance-type", &of.instance_type),
            attribute("ecs.os-type", "linux"),
            attribute("ecs.os-family", "LINUX"),
            attribute("ecs.cpu-architecture", &of.architecture),
            attribute("ecs.vpc-id", &estate.vpc()),
            {"name": "com.amazonaws.ecs.capability.logging-driver.awslogs"},
            {"name": "com.amazonaws.ecs.capability.docker-remote-api.1.44"},
            {"name": "ecs.capability.task-eni"},
        ],
        "registeredAt": seconds(of.registered_at),
        "attachments": [],
        "tags": [],
    });
    put(&mut out, "capacityProviderName", of.capacity_provider.as_ref().map(|name| json!(name)));
    if health {
        let status = if of.agent_connected { "OK" } else { "IMPAIRED" };
        out["healthStatus"] = json!({"overallStatus": status, "details": [{
            "type": "CONTAINER_RUNTIME", "status": status,
            "lastUpdated": seconds(estate.now - estate.now.rem_euclid(120_000)),
            "lastStatusChange": seconds(of.registered_at),
        }]});
    }
    out
}

pub(super) fn capacity_providers(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let arn = |name: &str| estate.arn("ecs", &format!("capacity-provider/{name}"));
    let own = estate.capacity_providers.iter().map(|p| p.name.as_str());
    let all: Vec<&str> = ["FARGATE", "FARGATE_SPOT"].into_iter().chain(own).collect();
    let asked = body.texts("capacityProviders")?;
    if asked.len() > 100 {
        return Err(ApiError::parameter("Capacity providers cannot have more than 100 elements."));
    }
    let mut failures = Vec::new();
    let mut shown = Vec::new();
    for name in &asked {
        match all.iter().find(|known| **known == short(name)) {
            Some(known) => shown.push((*known).to_owned()),
            None if is_arn(name) => failures.push(missing(name)),
            None => failures.push(missing(&arn(name))),
        }
    }
    if asked.is_empty() {
        shown = all.iter().map(|name| (*name).to_owned()).collect();
    }
    let mut reply = page(body, "capacityProviders", (10, 10), &shown)?;
    for name in reply["capacityProviders"].as_array_mut().into_iter().flatten() {
        *name = provider(estate, name.as_str().unwrap_or_default(), &arn(name.as_str().unwrap_or_default()));
    }
    reply["failures"] = json!(failures);
    Ok(reply)
}

fn provider(estate: &Estate, name: &str, arn: &str) -> Value {
    let mut out = json!({"capacityProviderArn": arn, "name": name, "status": "ACTIVE", "tags": []});
    match estate.capacity_providers.iter().find(|p| p.name == name) {
        None => out["type"] = json!(name),
        Some(own) => {
            out["type"] = json!("EC2_AUTOSCALING");
            out["updateStatus"] = json!("UPDATE_COMPLETE");
            let group = format!(
                "autoScalingGroup:{}:autoScalingGroupName/{}",
                super::uuid(u128::from(crate::sim::rng::hash(&own.name)) << 60),
                own.auto_scaling_group
            );
            out["autoScalingGroupProvider"] = json!({
                "autoScalingGroupArn": estate.arn("autoscaling", &group),
                "managedScaling": {
                    "status": "ENABLED", "targetCapacity": 90, "minimumScalingStepSize": 1,
                    "maximumScalingStepSize": 10, "instanceWarmupPeriod": 300,
                },
                "managedTerminationProtection": "DISABLED",
                "managedDraining": "ENABLED",
            });
        }
    }
    out
}
