//! What the embedded AWS remembers, in AWS's words. Plain values with public
//! fields: the clockwork beside this file moves them, the services above it
//! render them. Nothing here knows a wire format or reads a clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::sim::scenario::{Act, Behaviour, HealthCheck, Voice};

use super::queue::Queue;
use crate::sim::rng::Rng;

/// Milliseconds since the Unix epoch on the virtual clock.
pub type Ms = i64;

/// One way into the world: a profile with its keys and what they allow.
#[derive(Debug, Clone)]
pub struct Context {
    /// Name, as of a profile.
    pub name: String,
    /// Home region of the profile.
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Must accompany the keys when set (temporary credentials).
    pub session_token: Option<String>,
    /// Virtual time at which temporary credentials end.
    pub expires_at: Option<Ms>,
    /// Role name in the caller's ARN.
    pub role: String,
    /// Role session name in the caller's ARN.
    pub session: String,
    /// IAM action patterns such as `ecs:Describe*`.
    pub allow: Vec<String>,
}

impl Context {
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    #[must_use]
    pub fn caller_arn(&self) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{}", self.account, self.role, self.session)
    }
}

/// All that one account holds in one region; independent of every other estate.
#[derive(Debug)]
pub struct Estate {
    /// Twelve digits.
    pub account: String,
    /// For instance `eu-west-1`.
    pub region: String,
    /// Virtual time up to which this estate has been played.
    pub now: Ms,
    /// Clusters; indices are stable.
    pub clusters: Vec<Cluster>,
    /// Services of all clusters; indices are stable.
    pub services: Vec<Service>,
    /// Every task that `DescribeTasks` still knows, stopped ones included.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Container instances of all clusters; indices are stable.
    pub instances: Vec<ContainerInstance>,
    /// Capacity providers beside FARGATE and `FARGATE_SPOT`.
    pub capacity_providers: Vec<CapacityProvider>,
    /// Task definition families; revisions ascending.
    pub families: BTreeMap<String, Vec<Arc<TaskDefinition>>>,
    /// Load balancers; indices are stable.
    pub load_balancers: Vec<LoadBalancer>,
    /// Target groups; indices are stable.
    pub target_groups: Vec<TargetGroup>,
    /// `CloudWatch` log groups by name.
    pub log_groups: BTreeMap<String, LogGroup>,
    /// ECR repositories by name.
    pub repositories: BTreeMap<String, Repository>,
    /// What is due, by time.
    pub queue: Queue,
    /// The estate's only source of chance.
    pub rng: Rng,
    /// Scripts that act on the estate from outside (a CI bot, a schedule).
    pub actors: Vec<Actor>,
    /// Private addresses handed out so far.
    pub addresses: u32,
}

/// An ECS cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Cluster name.
    pub name: String,
    /// Capacity provider names.
    pub capacity_providers: Vec<String>,
    /// `disabled`, `enabled` or `enhanced`.
    pub container_insights: String,
    /// Key and value.
    pub tags: Vec<(String, String)>,
    /// Indices into [`Estate::services`] by service name.
    pub services: BTreeMap<String, usize>,
    /// Tasks of this cluster, stopped ones included.
    pub tasks: BTreeSet<TaskId>,
}

/// A capacity provider over an Auto Scaling group.
#[derive(Debug, Clone)]
pub struct CapacityProvider {
    /// Name.
    pub name: String,
    /// Name of the Auto Scaling group.
    pub auto_scaling_group: String,
}

/// ACTIVE or DRAINING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceStatus {
    /// Takes tasks.
    Active,
    /// Takes no tasks and is being emptied.
    Draining,
}

/// An EC2 host with an ECS agent.
#[derive(Debug, Clone)]
pub struct ContainerInstance {
    /// 32 hex digits in the ARN.
    pub id: u128,
    /// Index into [`Estate::clusters`].
    pub cluster: usize,
    /// `i-…`.
    pub ec2_instance_id: String,
    /// For instance `m6i.large`.
    pub instance_type: String,
    /// Availability zone.
    pub zone: String,
    /// Private IPv4 address.
    pub ip: String,
    /// CPU units, 1024 to the core.
    pub cpu: u32,
    /// Memory in MiB left to tasks by the agent.
    pub memory: u32,
    /// CPU units not reserved by tasks.
    pub cpu_left: u32,
    /// Memory in MiB not reserved by tasks.
    pub memory_left: u32,
    /// Host ports in use.
    pub ports: BTreeSet<u16>,
    /// Whether it takes tasks.
    pub status: InstanceStatus,
    /// The agent's connection to ECS.
    pub agent_connected: bool,
    /// Capacity provider name.
    pub capacity_provider: Option<String>,
    /// When the agent registered.
    pub registered_at: Ms,
}

/// One revision of a task definition.
#[derive(Debug)]
pub struct TaskDefinition {
    /// Family.
    pub family: String,
    /// Revision, from 1.
    pub revision: u32,
    /// The `taskDefinition` of `DescribeTaskDefinition` as compact JSON.
    pub document: Box<str>,
    /// Key and value; they travel beside the document.
    pub tags: Vec<(String, String)>,
    /// When it was registered.
    pub registered_at: Ms,
    /// ACTIVE, or INACTIVE.
    pub active: bool,
    /// Network mode.
    pub network: NetworkMode,
    /// Task-level CPU units; the sum of the containers' when the task sets none.
    pub cpu: u32,
    /// Task-level memory in MiB.
    pub memory: u32,
    /// Whether the document sets CPU and memory at task level.
    pub task_size: bool,
    /// Containers in document order.
    pub containers: Vec<ContainerDefinition>,
    /// How tasks of this revision fare.
    pub behaviour: Arc<Behaviour>,
}

/// Network mode of a task definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkMode {
    /// Own network interface.
    Awsvpc,
    /// Docker bridge with mapped ports.
    Bridge,
    /// Ports of the host.
    Host,
    /// No network.
    None,
}

/// What the clockwork and the logs need to know of a container.
#[derive(Debug, Clone)]
pub struct ContainerDefinition {
    /// Container name.
    pub name: String,
    /// Image as written in the document.
    pub image: String,
    /// Digest that the tag resolved to, `sha256:…`; empty when it resolves to none.
    pub digest: String,
    /// Whether its end ends the task.
    pub essential: bool,
    /// CPU units.
    pub cpu: u32,
    /// Hard memory limit in MiB, 0 when unset.
    pub memory: u32,
    /// Soft memory limit in MiB, 0 when unset.
    pub memory_reservation: u32,
    /// (container port, host port or 0, protocol).
    pub ports: Vec<(u16, u16, String)>,
    /// Container health check timings, when the document has one.
    pub health_check: Option<HealthCheck>,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_timeout: u32,
    /// Present when the log driver is awslogs.
    pub log: Option<AwsLogs>,
    /// What its log lines look like.
    pub voice: Voice,
    /// Log lines per second on average.
    pub rate: f64,
}

/// awslogs options of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsLogs {
    /// `awslogs-group`.
    pub group: String,
    /// `awslogs-region`.
    pub region: String,
    /// `awslogs-stream-prefix`; without it (EC2 only) the stream is the runtime id.
    pub prefix: Option<String>,
}

/// REPLICA or DAEMON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduling {
    /// A number of tasks.
    Replica,
    /// One task on each active container instance.
    Daemon,
}

/// Who deploys a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controller {
    /// The ECS scheduler.
    Ecs,
    /// AWS `CodeDeploy`.
    CodeDeploy,
    /// Somebody with task sets.
    External,
}

/// Circuit breaker settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// Counts failures and fails deployments.
    pub enable: bool,
    /// Returns to the last good revision.
    pub rollback: bool,
}

/// An ECS service.
#[derive(Debug, Clone)]
pub struct Service {
    /// Service name.
    pub name: String,
    /// Index into [`Estate::clusters`].
    pub cluster: usize,
    /// Desired number of tasks.
    pub desired: u32,
    /// When the service was created.
    pub created_at: Ms,
    /// Role that created it.
    pub created_by: String,
    /// REPLICA or DAEMON.
    pub scheduling: Scheduling,
    /// ECS, `CODE_DEPLOY` or EXTERNAL.
    pub controller: Controller,
    /// minimumHealthyPercent.
    pub minimum: u32,
    /// maximumPercent.
    pub maximum: u32,
    /// Circuit breaker.
    pub breaker: Breaker,
    /// healthCheckGracePeriodSeconds.
    pub grace: u32,
    /// enableExecuteCommand.
    pub exec: bool,
    /// Key and value.
    pub tags: Vec<(String, String)>,
    /// Members that AWS echoes and the world does not act on
    /// (placementStrategy, propagateTags, serviceRegistries …).
    pub echo: serde_json::Map<String, Value>,
    /// Newest first; the first is PRIMARY.
    pub deployments: Vec<Deployment>,
    /// Service revisions, oldest first; never shrinks.
    pub revisions: Vec<ServiceRevision>,
    /// Service deployments, oldest first; never shrinks.
    pub history: Vec<ServiceDeployment>,
    /// Newest first, at most 100.
    pub events: VecDeque<ServiceEvent>,
    /// Its tasks, stopped ones included.
    pub tasks: BTreeSet<TaskId>,
    /// Whether the last word was "has reached a steady state."
    pub steady: bool,
    /// When the scheduler looks at it next.
    pub pass_at: Option<Ms>,
    /// Placement failures in a row, for the back-off.
    pub stalled: u32,
    /// Tasks that run but are not yet registered with their target groups.
    pub unregistered: Vec<TaskId>,
}

/// A line of `service.events`.
#[derive(Debug, Clone)]
pub struct ServiceEvent {
    /// Printed as a UUID.
    pub id: u128,
    /// When.
    pub at: Ms,
    /// AWS's wording.
    pub message: String,
}

/// What a service revision pins.
#[derive(Debug, Clone)]
pub struct ServiceRevision {
    /// Number in the service revision ARN.
    pub id: u64,
    /// Task definition.
    pub definition: Arc<TaskDefinition>,
    /// Where tasks run.
    pub launch: Launch,
    /// Platform version, Fargate only.
    pub platform_version: String,
    /// `networkConfiguration` as AWS prints it, awsvpc only.
    pub network: Option<Value>,
    /// Target groups with container and port.
    pub load_balancers: Vec<LoadBalancing>,
    /// When it was made.
    pub created_at: Ms,
}

/// Where a task runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// launchType FARGATE.
    Fargate,
    /// launchType EC2.
    Ec2,
    /// A capacity provider strategy: (provider, weight, base).
    Providers(Vec<(String, u32, u32)>),
}

/// One entry of `service.loadBalancers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancing {
    /// Index into [`Estate::target_groups`].
    pub target_group: usize,
    /// Container name.
    pub container: String,
    /// Container port.
    pub port: u16,
}

/// State of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// `IN_PROGRESS`.
    InProgress,
    /// COMPLETED.
    Completed,
    /// FAILED.
    Failed,
}

/// One entry of `service.deployments`.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// N of `ecs-svc/N`, which is also `task.startedBy`.
    pub id: u64,
    /// Index into [`Service::revisions`].
    pub revision: usize,
    /// Index into [`Service::history`]; a rollback shares that of the failure.
    pub history: usize,
    /// rolloutState.
    pub rollout: Rollout,
    /// rolloutStateReason.
    pub reason: String,
    /// Consecutive failures; a task that becomes healthy resets it.
    pub failed_tasks: u32,
    /// Failures for the back-off between starts.
    pub backoff: u32,
    /// No task is started before this time.
    pub not_before: Ms,
    /// When it was made.
    pub created_at: Ms,
    /// When it last changed.
    pub updated_at: Ms,
}

/// Status of a service deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// `IN_PROGRESS`.
    InProgress,
    /// SUCCESSFUL.
    Successful,
    /// STOPPED: replaced by a newer deployment or failed without rollback.
    Stopped,
    /// `ROLLBACK_IN_PROGRESS`.
    RollbackInProgress,
    /// `ROLLBACK_SUCCESSFUL`.
    RollbackSuccessful,
    /// `ROLLBACK_FAILED`.
    RollbackFailed,
}

/// Status of the circuit breaker within a service deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerStatus {
    /// TRIGGERED.
    Triggered,
    /// MONITORING.
    Monitoring,
    /// `MONITORING_COMPLETE`.
    MonitoringComplete,
    /// DISABLED.
    Disabled,
}

/// A service deployment: the road from some revisions to another.
#[derive(Debug, Clone)]
pub struct ServiceDeployment {
    /// Last part of the service deployment ARN.
    pub id: String,
    /// Indices of the revisions that it replaces.
    pub sources: Vec<usize>,
    /// Index of the revision that it brings.
    pub target: usize,
    /// Where it stands.
    pub status: DeploymentStatus,
    /// statusReason, may be empty.
    pub reason: String,
    /// When it was made.
    pub created_at: Ms,
    /// When work began.
    pub started_at: Ms,
    /// When it ended.
    pub finished_at: Option<Ms>,
    /// When it was stopped or fell.
    pub stopped_at: Option<Ms>,
    /// When it last changed.
    pub updated_at: Ms,
    /// Rollback under way or done.
    pub rollback: Option<Rollback>,
    /// Circuit breaker.
    pub breaker: BreakerStatus,
    /// Failures counted by the breaker.
    pub failures: u32,
    /// Failures at which the breaker falls.
    pub threshold: u32,
}

/// The rollback of a service deployment.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// Why.
    pub reason: String,
    /// Since when.
    pub started_at: Ms,
    /// Index of the revision that is returned to.
    pub revision: usize,
}

/// The 128 bits of a task id; prints as 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u128);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// lastStatus of a task, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskStatus {
    /// Waits for its network interface.
    Provisioning,
    /// Waits for images and container starts.
    Pending,
    /// Runs, but is being registered with load balancers.
    Activating,
    /// Runs.
    Running,
    /// Is being taken out of load balancers.
    Deactivating,
    /// Was told to stop.
    Stopping,
    /// Gives back its network interface.
    Deprovisioning,
    /// Gone, but described for an hour.
    Stopped,
}

/// healthStatus of a task or container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No verdict, or no health check.
    Unknown,
    /// Passed.
    Healthy,
    /// Failed `retries` times in a row.
    Unhealthy,
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Identity.
    pub id: TaskId,
    /// Index into [`Estate::clusters`].
    pub cluster: usize,
    /// Index into [`Estate::services`]; none for `RunTask`.
    pub service: Option<usize>,
    /// N of `ecs-svc/N`, 0 for `RunTask`.
    pub deployment: u64,
    /// startedBy of a `RunTask`.
    pub started_by: Option<String>,
    /// `service:NAME` or `family:NAME` or what `RunTask` said.
    pub group: String,
    /// Task definition.
    pub definition: Arc<TaskDefinition>,
    /// capacityProviderName.
    pub capacity_provider: Option<String>,
    /// Fargate platform version.
    pub platform_version: String,
    /// lastStatus.
    pub status: TaskStatus,
    /// Availability zone.
    pub zone: String,
    /// Network interface, awsvpc only.
    pub eni: Option<Eni>,
    /// Index into [`Estate::instances`], EC2 only.
    pub instance: Option<usize>,
    /// Containers in document order.
    pub containers: Vec<Container>,
    /// The task's health by its container health checks.
    pub health: Health,
    /// Why it stopped, or will.
    pub stop: Option<Stop>,
    /// enableExecuteCommand at launch.
    pub exec: bool,
    /// Key and value.
    pub tags: Vec<(String, String)>,
    /// `overrides` as sent to `RunTask`.
    pub overrides: Option<Value>,
    /// Targets are (or were) registered: (index of target group, target id, port).
    pub targets: Vec<(usize, String, u16)>,
    /// How its kind fares; mostly that of the task definition.
    pub behaviour: Arc<Behaviour>,
    /// Counts changes, as AWS does.
    pub version: u32,
    /// When it takes its next step; other steps in the queue are void.
    pub due_at: Ms,
    /// Whether this one suffers its revision's behaviour; the others are well.
    pub sick: bool,
    /// Whether it was ever counted as healthy.
    pub proven: bool,
    /// When it was made.
    pub created_at: Ms,
    /// When its network interface was attached.
    pub connectivity_at: Option<Ms>,
    /// When the image pull began.
    pub pull_started_at: Option<Ms>,
    /// When the image pull ended.
    pub pull_stopped_at: Option<Ms>,
    /// When it reached RUNNING.
    pub started_at: Option<Ms>,
    /// When it was told to stop.
    pub stopping_at: Option<Ms>,
    /// When its essential containers ended.
    pub execution_stopped_at: Option<Ms>,
    /// When it reached STOPPED.
    pub stopped_at: Option<Ms>,
}

/// An elastic network interface of a task.
#[derive(Debug, Clone)]
pub struct Eni {
    /// UUID of the attachment.
    pub attachment: u128,
    /// `eni-…`.
    pub id: String,
    /// `subnet-…`.
    pub subnet: String,
    /// Private IPv4 address.
    pub ip: String,
    /// MAC address.
    pub mac: String,
}

/// stopCode and stoppedReason.
#[derive(Debug, Clone)]
pub struct Stop {
    /// stopCode.
    pub code: &'static str,
    /// stoppedReason.
    pub reason: String,
}

/// lastStatus of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerStatus {
    /// Not started.
    Pending,
    /// Runs.
    Running,
    /// Ended, or never started.
    Stopped,
}

/// A container of a task.
#[derive(Debug, Clone)]
pub struct Container {
    /// lastStatus.
    pub status: ContainerStatus,
    /// Absent when the container never started.
    pub exit_code: Option<i32>,
    /// Docker's or the agent's word.
    pub reason: Option<String>,
    /// healthStatus.
    pub health: Health,
    /// (container port, host port, protocol), bridge and host only.
    pub bindings: Vec<(u16, u16, String)>,
    /// When it started.
    pub started_at: Option<Ms>,
    /// When it ended.
    pub ended_at: Option<Ms>,
}

/// An `ELBv2` load balancer.
#[derive(Debug, Clone)]
pub struct LoadBalancer {
    /// Name.
    pub name: String,
    /// 16 hex digits at the end of the ARN.
    pub id: String,
    /// `application` or `network`.
    pub kind: &'static str,
    /// `internet-facing` or `internal`.
    pub scheme: &'static str,
    /// When it was made.
    pub created_at: Ms,
    /// Listeners.
    pub listeners: Vec<Listener>,
}

/// A listener of a load balancer.
#[derive(Debug, Clone)]
pub struct Listener {
    /// 16 hex digits at the end of the ARN.
    pub id: String,
    /// Port.
    pub port: u16,
    /// HTTP, HTTPS, TCP or TLS.
    pub protocol: &'static str,
    /// Index of the target group of the default action; none answers 404 by fixed response.
    pub default: Option<usize>,
    /// Rules before the default one, by priority.
    pub rules: Vec<Rule>,
}

/// A rule of a listener.
#[derive(Debug, Clone)]
pub struct Rule {
    /// 16 hex digits at the end of the ARN.
    pub id: String,
    /// Priority, from 1.
    pub priority: u32,
    /// Host header that it matches, may be empty.
    pub host: String,
    /// Path pattern that it matches.
    pub path: String,
    /// (index of target group, weight).
    pub forward: Vec<(usize, u32)>,
}

/// An `ELBv2` target group.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    /// Name.
    pub name: String,
    /// 16 hex digits at the end of the ARN.
    pub id: String,
    /// HTTP or TCP.
    pub protocol: &'static str,
    /// Default port.
    pub port: u16,
    /// `ip` or `instance`.
    pub target_type: &'static str,
    /// Health check settings.
    pub check: Check,
    /// `deregistration_delay.timeout_seconds`.
    pub drain: u32,
    /// Index into [`Estate::load_balancers`].
    pub load_balancer: Option<usize>,
    /// Registered and draining targets, in order of registration.
    pub targets: Vec<Target>,
}

/// Health check of a target group.
#[derive(Debug, Clone)]
pub struct Check {
    /// Path, HTTP only.
    pub path: String,
    /// `HealthCheckIntervalSeconds`.
    pub interval: u32,
    /// `HealthCheckTimeoutSeconds`.
    pub timeout: u32,
    /// `HealthyThresholdCount`.
    pub healthy: u32,
    /// `UnhealthyThresholdCount`.
    pub unhealthy: u32,
    /// Matcher, for instance `200-299`.
    pub matcher: String,
}

/// State of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// Not checked often enough.
    Initial,
    /// Takes requests.
    Healthy,
    /// Fails its checks.
    Unhealthy,
    /// Deregistered, finishing requests.
    Draining,
}

/// A registered target.
#[derive(Debug, Clone)]
pub struct Target {
    /// IPv4 address or instance id.
    pub id: String,
    /// Port.
    pub port: u16,
    /// Availability zone.
    pub zone: String,
    /// Its task; none for a stray registration.
    pub task: Option<TaskId>,
    /// State.
    pub state: TargetState,
    /// Reason code, for instance `Target.Timeout`; empty when healthy.
    pub reason: String,
    /// Description; empty when healthy.
    pub description: String,
    /// Since when it is in this state.
    pub since: Ms,
}

/// A `CloudWatch` log group.
#[derive(Debug, Clone)]
pub struct LogGroup {
    /// When it was made.
    pub created_at: Ms,
    /// Retention; none keeps for ever.
    pub retention_days: Option<u32>,
    /// Streams by name.
    pub streams: BTreeMap<String, LogStream>,
}

/// A log stream: one container of one task. Its lines are a pure function of
/// the estate's seed, its name and the time asked for.
#[derive(Debug, Clone)]
pub struct LogStream {
    /// The task, maybe gone by now.
    pub task: TaskId,
    /// Index of the container in the task definition.
    pub container: usize,
    /// What ran.
    pub definition: Arc<TaskDefinition>,
    /// How it fared when `sick`.
    pub behaviour: Arc<Behaviour>,
    /// When the container started.
    pub started_at: Ms,
    /// When it ended.
    pub ended_at: Option<Ms>,
    /// Whether the container ended of itself, so that its last words
    /// (the behaviour's `tail`) are the last lines of the stream.
    pub last_words: bool,
    /// The task suffers its revision's behaviour.
    pub sick: bool,
}

/// An ECR repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// When it was made.
    pub created_at: Ms,
    /// Images, oldest first.
    pub images: Vec<Image>,
}

/// An ECR image.
#[derive(Debug, Clone)]
pub struct Image {
    /// `sha256:…`.
    pub digest: String,
    /// Tags.
    pub tags: Vec<String>,
    /// When it was pushed.
    pub pushed_at: Ms,
    /// Compressed size in bytes.
    pub size: u64,
}

/// A script of the scenario, bound to the estate that it acts on.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Name, for instance `ci-bot`.
    pub name: String,
    /// Index into [`Estate::services`].
    pub service: usize,
    /// Period in ms.
    pub every: Ms,
    /// What it does.
    pub act: Act,
    /// How the tasks fare that it brings.
    pub behaviour: Behaviour,
    /// Counts for `scale`.
    pub desired: Vec<u32>,
    /// How often it has acted.
    pub round: u32,
}
