//! How tasks fare, and `[[actor]]`: what keeps happening.

use serde::Deserialize;
use toml::Spanned;

use crate::sim::scenario::Span;

/// How the tasks of a revision fare.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// What befalls them.
    #[serde(default)]
    pub fate: Fate,
    /// The container that it befalls; default the first essential one.
    pub container: Option<String>,
    /// How long after the start of the containers it befalls them; default 40 seconds.
    pub after: Option<Span>,
    /// At most so many tasks at a time suffer it; default all.
    pub at_most: Option<u32>,
    /// Exit code, for `exits`; default 1.
    pub code: Option<i32>,
    /// For `unhealthy`: reason code of the target health, default `Target.ResponseCodeMismatch`.
    pub reason: Option<String>,
    /// For `unhealthy`: HTTP status that the check gets; default 503.
    pub status: Option<u16>,
    /// For `pull_fails` and `start_fails`: the agent's words after `CannotPullContainerError: ` or `CannotStartContainerError: `.
    pub error: Option<String>,
    /// For `secret_…`: the variable whose secret or parameter it is; default the container's first.
    pub secret: Option<String>,
    /// Last lines of the log before the end.
    #[serde(default)]
    pub tail: Vec<String>,
}

/// What befalls the tasks of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nothing.
    #[default]
    Healthy,
    /// The container exits with `code`; the others follow, or never start when they depend on it.
    Exits,
    /// The container is killed for its memory, code 137.
    Oom,
    /// The load balancer's health check fails.
    Unhealthy,
    /// The container health check fails.
    ContainerUnhealthy,
    /// The image cannot be pulled: it is not there, or what `error` says.
    PullFails,
    /// The image cannot be pulled because the execution role may not.
    PullDenied,
    /// The image cannot be pulled because Docker Hub has had too many requests.
    PullLimited,
    /// The image cannot be pulled because the registry cannot be reached.
    PullUnreachable,
    /// A secret or parameter does not exist, so that no container starts.
    #[serde(alias = "secret_fails")]
    SecretMissing,
    /// A secret or parameter may not be read by the execution role.
    SecretDenied,
    /// The service that holds secrets or parameters cannot be reached.
    SecretUnreachable,
    /// The environment file in S3 may not be read.
    EnvironmentFileDenied,
    /// The log group does not exist and is not made.
    LogGroupMissing,
    /// The runtime cannot start the container: the command is not there, or what `error` says.
    StartFails,
    /// The network interface does not come in time.
    NetworkInterface,
    /// Answers health checks only `after` so long.
    SlowStart,
    /// Ends well with code 0 `after` so long, as a batch job does.
    Ends,
}

/// `[[actor]]`: acts on the scenario from outside, once or again and again.
///
/// `[[drill.step]]` is the same table; there nothing happens before the drill is started.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Name, seen as startedBy or in createdBy.
    #[serde(default = "default_name")]
    pub name: String,
    /// Cluster of the service; its account and region are where it acts.
    pub cluster: Spanned<String>,
    /// Service that it acts on. Acts on instances, parameters, images and alarms need none.
    pub service: Option<Spanned<String>>,
    /// Period; without one it acts once.
    pub every: Option<Span>,
    /// First time after the scenario opens, or after the drill starts; of an actor with a period, times before are
    /// counted back from it in whole periods. Default one period; without a period, and in a drill, at once.
    pub first: Option<Span>,
    /// What it does.
    pub act: Act,
    /// How the tasks fare that `deploy` or `run` brings, or that `befall` strikes.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// For `scale`: desiredCount becomes each of these in turn.
    #[serde(default)]
    pub desired: Vec<u32>,
    /// For `deploy`: tag of the new image; default the one after the present.
    pub tag: Option<String>,
    /// For `delete_parameter`, `deny_parameter` and `restore_parameter`: name or path.
    pub parameter: Option<String>,
    /// For `expire_image`: `REPOSITORY:TAG`.
    pub image: Option<String>,
    /// For `alarm`: name of the alarm.
    pub alarm: Option<String>,
    /// For acts on container instances: which of the cluster, from 0; default all.
    pub instance: Option<usize>,
    /// For `fill`: MiB of memory to leave on each container instance; default 64.
    pub leave: Option<u32>,
    /// For `stray_target`: address of no task.
    pub address: Option<String>,
    /// For `stop`: what the person says.
    pub reason: Option<String>,
    /// For `fail_function` and `mend_function`: name of a Lambda function that lifecycle hooks call.
    pub function: Option<String>,
}

/// What an actor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Pushes an image, registers a revision with it and updates the service.
    Deploy,
    /// `UpdateService` with forceNewDeployment.
    Redeploy,
    /// `UpdateService` with another desiredCount.
    Scale,
    /// Takes a task of the service away, as AWS does with Fargate Spot.
    Interrupt,
    /// `RunTask` with the service's task definition.
    Run,
    /// The tasks of the newest revision fare by `behaviour` from now on, those that run and those to come; of a release
    /// through `CodeDeploy` that is under way, the green ones.
    Befall,
    /// `StopTask` of one task of the service.
    Stop,
    /// `StopServiceDeployment` of the deployment under way, with rollback.
    Rollback,
    /// Deletes a parameter or secret: tasks that want it fail at their start.
    DeleteParameter,
    /// Takes away the execution roles' permission to read a parameter or secret.
    DenyParameter,
    /// Undoes both.
    RestoreParameter,
    /// A lifecycle policy removes an image from its repository.
    ExpireImage,
    /// Tasks without a service take the memory of container instances.
    Fill,
    /// The agent of a container instance loses its connection.
    AgentDisconnect,
    /// The agent comes back.
    AgentConnect,
    /// `UpdateContainerInstancesState` DRAINING.
    Drain,
    /// The EC2 instance is terminated, and its tasks with it.
    Terminate,
    /// Somebody registers an address of no task in the target group.
    StrayTarget,
    /// An alarm goes off: deployments that are wired to it roll back.
    Alarm,
    /// `UpdateTaskProtection` of all running tasks of the service, for two hours.
    Protect,
    /// `DeregisterTaskDefinition` of the present revision.
    Deregister,
    /// `DeleteService` with force.
    Delete,
    /// A Lambda function of lifecycle hooks says FAILED from now on.
    FailFunction,
    /// It says SUCCEEDED again.
    MendFunction,
}

/// `[[drill]]`: a trouble that does not begin by itself; `Sim::start_drill` starts it by its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// Name, for instance `L2`.
    pub name: String,
    /// One line for people.
    pub about: String,
    /// What happens. At least one.
    pub step: Vec<Actor>,
}

fn default_name() -> String {
    "drill".to_owned()
}
