//! `ExecuteCommand`: whether a session in a container may begin, by the state of the task, its agent, its role and its network.
//!
//! Two texts stand for nearly every reason, as with the service itself; telling them apart is a client's work.

use serde_json::{Value, json};

use super::body::Body;
use super::tasks::{agent_runs, container_arn, task_of};
use super::{ApiError, cluster};
use crate::sim::exec::{AT_ONCE, Order, Place, Reply, Sessions, What};
use crate::sim::scenario::schema::{Exec, ExecAgent, Logging};
use crate::sim::world::{Estate, Task, TaskId, TaskStatus};

const NOT_ENABLED: &str = "The execute command failed because execute command was not enabled when the task was run or the execute command \
    agent isn\u{2019}t running. Wait and try again or run a new task with execute command enabled and try again.";
const INTERNAL: &str = "The execute command failed due to an internal error. Try again later.";

pub(super) fn execute(estate: &Estate, sessions: &Sessions, body: Body<'_>) -> Result<Order, ApiError> {
    let cluster = cluster(estate, body)?;
    let name = body.needed("task", "Task cannot be empty.")?;
    let command = body.needed("command", "Command cannot be empty.")?;
    if !body.flag("interactive")?.unwrap_or(false) {
        return Err(ApiError::parameter("Interactive is the only mode supported currently."));
    }
    let task = task_of(estate, cluster, name)?.ok_or_else(|| ApiError::parameter("The referenced task was not found."))?;
    let container = container(task, body.text("container")?)?;
    if task.status != TaskStatus::Running || !task.exec || !agent_runs(estate, task, container) {
        return Err(ApiError::parameter(NOT_ENABLED));
    }
    let agent = agent_of(estate, task);
    if !connects(sessions, task, container, &agent) {
        return Err(ApiError::client("TargetNotConnectedException", INTERNAL));
    }
    let of = &task.definition.containers[container];
    let cluster_name = estate.cluster_name(cluster).to_owned();
    let arn = estate.task_arn(task);
    let key = estate.clusters[cluster].exec.kms_key.as_ref().map(|key| estate.arn("kms", &format!("key/{key}")));
    let refused = key
        .as_ref()
        .filter(|_| !agent.decrypts)
        .map(|key| format!("AccessDeniedException: User: {arn} is not authorized to perform: kms:Decrypt on resource: {key}"));
    Ok(Order {
        key,
        may_not_decrypt: refused,
        may_not_record: unrecorded(&estate.clusters[cluster].exec).filter(|_| !agent.records),
        ports: Vec::new(),
        agent: agent.version,
        place: Place {
            account: estate.account.clone(),
            region: estate.region.clone(),
            target: format!("ecs:{cluster_name}_{}_{}", task.id, task.runtime_id(container)),
            cluster: cluster_name.clone(),
            task: task.id,
            container,
            container_name: of.name.clone(),
        },
        what: What::Command(command.to_owned()),
        environment: environment(estate, task, container),
        reply: Reply::Ecs(json!({
            "clusterArn": estate.cluster_arn(&cluster_name),
            "containerArn": container_arn(task, container, &arn),
            "containerName": of.name,
            "interactive": true,
            "taskArn": arn,
        })),
    })
}

/// A port forward: the session that `StartSession` may begin, without asking ECS; none if the target cannot be reached.
pub(super) fn forward(estate: &Estate, sessions: &Sessions, target: &str, what: What) -> Option<Order> {
    let rest = target.strip_prefix("ecs:")?;
    let (cluster, rest) = rest.rsplit_once('_').and_then(|(head, runtime)| Some((head.rsplit_once('_')?, runtime)))?;
    let ((cluster_name, id), runtime) = (cluster, rest);
    let id = u128::from_str_radix(id, 16).ok().map(TaskId)?;
    let task = estate.tasks.get(&id).filter(|task| estate.cluster_name(task.cluster) == cluster_name)?;
    let container = (0..task.containers.len()).find(|index| task.runtime_id(*index) == runtime)?;
    let agent = agent_of(estate, task);
    let fit = task.status == TaskStatus::Running && task.exec && agent_runs(estate, task, container);
    if !fit || !connects(sessions, task, container, &agent) {
        return None;
    }
    let of = &task.definition.containers[container];
    Some(Order {
        place: Place {
            account: estate.account.clone(),
            region: estate.region.clone(),
            target: target.to_owned(),
            cluster: cluster_name.to_owned(),
            task: id,
            container,
            container_name: of.name.clone(),
        },
        what,
        environment: Vec::new(),
        reply: Reply::Ssm,
        key: None,
        may_not_decrypt: None,
        may_not_record: None,
        // On a network of their own, containers of a task reach each other's ports.
        ports: task.definition.containers.iter().flat_map(|of| of.ports.iter().map(|port| port.0)).collect(),
        agent: agent.version,
    })
}

fn agent_of(estate: &Estate, task: &Task) -> ExecAgent {
    task.service.map_or_else(ExecAgent::default, |service| estate.services[service].exec_agent.clone())
}

/// What the agent says when it may not write where a cluster records sessions.
fn unrecorded(exec: &Exec) -> Option<&'static str> {
    let bucket = "We couldn't start the session because encryption is not set up on the selected Amazon S3 bucket. Either encrypt the bucket or \
        choose an option to enable logging without encryption.";
    let group = "We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group. Either encrypt \
        the log group or choose an option to enable logging without encryption.";
    match exec {
        Exec { logging: Logging::Override, log_group: Some(_), .. } => Some(group),
        Exec { logging: Logging::Override, bucket: Some(_), .. } => Some(bucket),
        _ => None,
    }
}

/// Whether Systems Manager reaches the agent, and the agent has room.
fn connects(sessions: &Sessions, task: &Task, container: usize, agent: &ExecAgent) -> bool {
    // In a shared process namespace there is one agent for all containers.
    let shared = task.definition.document.contains("\"pidMode\":\"task\"");
    let elsewhere = sessions.open_in_task(task.id) - sessions.open_in(task.id, container);
    agent.allowed && agent.reachable && sessions.open_in(task.id, container) < AT_ONCE && !(shared && elsewhere > 0)
}

/// The container that is meant; a task with one needs no name.
fn container(task: &Task, name: Option<&str>) -> Result<usize, ApiError> {
    let all = &task.definition.containers;
    match name {
        Some(name) => {
            let found = all.iter().position(|of| of.name == name);
            found.ok_or_else(|| ApiError::parameter("The container name specified was not found in the task."))
        }
        None if all.len() == 1 => Ok(0),
        None => Err(ApiError::parameter("A container name must be specified for tasks with more than one container.")),
    }
}

/// What a program in a container finds in its environment.
fn environment(estate: &Estate, task: &Task, container: usize) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&task.definition.document).unwrap_or_default();
    let of = &document["containerDefinitions"][container];
    let list = |key: &str| of[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
    let own = list("environment").into_iter().filter_map(|pair| Some((text(&pair, "name")?, text(&pair, "value")?)));
    let secret = list("secrets").into_iter().filter_map(|pair| Some((text(&pair, "name")?, "not-a-real-value".to_owned())));
    let host = match &task.eni {
        Some(eni) => format!("ip-{}.{}.compute.internal", eni.ip.replace('.', "-"), estate.region),
        None => task.runtime_id(container).chars().take(12).collect(),
    };
    let metadata = format!("http://169.254.170.2/v4/{}", task.runtime_id(container));
    let added = [
        ("HOSTNAME", host),
        ("AWS_REGION", estate.region.clone()),
        ("AWS_DEFAULT_REGION", estate.region.clone()),
        ("AWS_EXECUTION_ENV", if task.on_fargate() { "AWS_ECS_FARGATE" } else { "AWS_ECS_EC2" }.to_owned()),
        ("ECS_CONTAINER_METADATA_URI_V4", metadata),
    ];
    own.chain(secret).chain(added.map(|(name, value)| (name.to_owned(), value))).collect()
}
