//! Amazon ECS: operations by name over an estate, JSON in and JSON out, with
//! AWS's limits, defaults, error codes and texts. It knows no HTTP, no keys and
//! no throttles.

mod body;
mod clusters;
mod definitions;
mod deployments;
mod execute;
mod plan;
mod protection;
mod run;
mod services;
mod task_sets;
mod tasks;
#[cfg(test)]
mod tests;
mod update;

use serde_json::{Value, json};

use super::exec::{Order, Sessions};
use super::world::{Estate, Ms};
use body::Body;

/// Who calls, as far as ECS cares.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `arn:aws:sts::…:assumed-role/…`.
    pub arn: String,
}

/// An error of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// For instance `ClusterNotFoundException`.
    pub code: &'static str,
    /// AWS's words.
    pub message: String,
}

impl ApiError {
    /// An error of the client's making, status 400.
    #[must_use]
    pub fn client(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    fn parameter(message: impl Into<String>) -> Self {
        Self::client("InvalidParameterException", message)
    }

    fn general(message: impl Into<String>) -> Self {
        Self::client("ClientException", message)
    }
}

/// A reply, or an error.
pub type Reply = Result<Value, ApiError>;

type Operation = fn(&mut Estate, &Caller, Body<'_>) -> Reply;

const TABLE: [(&str, Operation); 31] = [
    ("ListClusters", clusters::list),
    ("DescribeClusters", clusters::describe),
    ("ListContainerInstances", clusters::list_instances),
    ("DescribeContainerInstances", clusters::describe_instances),
    ("UpdateContainerInstancesState", clusters::update_instances),
    ("DescribeCapacityProviders", clusters::capacity_providers),
    ("ListServices", services::list),
    ("DescribeServices", services::describe),
    ("UpdateService", update::update),
    ("DeleteService", services::delete),
    ("ListServiceDeployments", deployments::list),
    ("DescribeServiceDeployments", deployments::describe),
    ("DescribeServiceRevisions", deployments::revisions),
    ("StopServiceDeployment", deployments::stop),
    ("ContinueServiceDeployment", deployments::go_on),
    ("DescribeTaskSets", task_sets::describe),
    ("CreateTaskSet", task_sets::create),
    ("UpdateTaskSet", task_sets::update),
    ("UpdateServicePrimaryTaskSet", task_sets::set_primary),
    ("DeleteTaskSet", task_sets::delete),
    ("GetTaskProtection", protection::get),
    ("UpdateTaskProtection", protection::update),
    ("ListTasks", tasks::list),
    ("DescribeTasks", tasks::describe),
    ("StopTask", tasks::stop),
    ("RunTask", run::run),
    ("ListTaskDefinitions", definitions::list),
    ("ListTaskDefinitionFamilies", definitions::families),
    ("DescribeTaskDefinition", definitions::describe),
    ("RegisterTaskDefinition", definitions::register),
    ("DeregisterTaskDefinition", definitions::deregister),
];

/// Whether an operation is one of those that are built in.
#[must_use]
pub fn knows(operation: &str) -> bool {
    TABLE.iter().any(|(name, _)| *name == operation)
}

/// Does one operation at the estate's present time.
///
/// # Errors
/// What AWS would answer; `UnknownOperationException` for an operation that is not built in.
pub fn handle(estate: &mut Estate, caller: &Caller, operation: &str, body: &Value) -> Reply {
    let known = TABLE.iter().find(|(name, _)| *name == operation);
    let Some((_, run)) = known else {
        return Err(ApiError::client("UnknownOperationException", ""));
    };
    if !body.is_object() {
        return Err(ApiError::client("SerializationException", "Start of structure or map found where not expected."));
    }
    run(estate, caller, Body(body))
}

/// `ExecuteCommand`: the session that may begin.
///
/// # Errors
/// What AWS would answer.
pub(super) fn execute(estate: &Estate, sessions: &Sessions, body: &Value) -> Result<Order, ApiError> {
    execute::execute(estate, sessions, Body(body))
}

/// A port forward into a container, by its name for Systems Manager: the session that may begin, none if nobody answers there.
pub(super) fn forward(estate: &Estate, sessions: &Sessions, target: &str, number: u16, host: Option<&str>) -> Option<Order> {
    execute::forward(estate, sessions, target, number, host)
}

/// A timestamp of the JSON protocol: seconds since the epoch with milliseconds.
#[must_use]
pub fn seconds(ms: Ms) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "ms of any year that matters fit in 53 bits")]
    let seconds = ms as f64 / 1000.0;
    json!(seconds)
}

/// Inserts a member unless it is absent: AWS leaves absent members out of its replies.
fn put(out: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(members), Some(value)) = (out.as_object_mut(), value) {
        members.insert(key.to_owned(), value);
    }
}

fn tags(pairs: &[(String, String)]) -> Value {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

fn missing(arn: &str) -> Value {
    json!({"arn": arn, "reason": "MISSING"})
}

/// A UUID of 128 random bits.
#[must_use]
pub fn uuid(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The last part of an ARN, or the name itself.
fn short(name: &str) -> &str {
    if name.starts_with("arn:") { name.rsplit('/').next().unwrap_or(name) } else { name }
}

/// The cluster that a request names; `default` when it names none.
fn cluster(estate: &Estate, body: Body<'_>) -> Result<usize, ApiError> {
    let given = body.text("cluster")?.unwrap_or("default");
    let found = estate.clusters.iter().position(|c| c.name == given || is_arn(given) && estate.cluster_arn(&c.name) == given);
    found.ok_or_else(|| ApiError::client("ClusterNotFoundException", "Cluster not found."))
}

fn is_arn(name: &str) -> bool {
    name.starts_with("arn:")
}

/// The service of a cluster that a name or ARN means.
fn service(estate: &Estate, cluster: usize, given: &str) -> Option<usize> {
    let index = *estate.clusters[cluster].services.get(short(given))?;
    (!is_arn(given) || estate.service_arn(&estate.services[index]) == given).then_some(index)
}
