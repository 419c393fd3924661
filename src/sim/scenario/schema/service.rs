//! `[[service]]` of a scenario file: a service, its target group and its containers.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Behaviour, Capacity, Rollout};
use crate::sim::scenario::Span;

/// Where the tasks of a service run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum LaunchType {
    /// Fargate by launch type.
    #[serde(rename = "FARGATE")]
    Fargate,
    /// Fargate and Fargate Spot by a capacity provider strategy of 1 : 1.
    #[serde(rename = "FARGATE_SPOT")]
    FargateSpot,
    /// Container instances.
    #[serde(rename = "EC2")]
    Ec2,
}

/// `[[service]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file, and none excludes another")]
pub struct Service {
    /// Name.
    pub name: String,
    /// Cluster.
    pub cluster: Spanned<String>,
    /// desiredCount; ignored by a DAEMON.
    pub desired: u32,
    /// Where tasks run.
    #[serde(default = "default_launch")]
    pub launch: LaunchType,
    /// Capacity provider strategy, in place of `launch`'s own.
    #[serde(default)]
    pub capacity: Vec<Capacity>,
    /// Network mode on container instances: `bridge` (default), `host` or `awsvpc`.
    #[serde(default)]
    pub network: Network,
    /// Availability zones that its subnets are in, from the first; default all three.
    #[serde(default = "three_zones")]
    pub zones: usize,
    /// One task on each container instance.
    #[serde(default)]
    pub daemon: bool,
    /// `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    #[serde(default)]
    pub controller: Controller,
    /// Task definition family; the service's name by default.
    pub family: Option<String>,
    /// Current revision of the family.
    #[serde(default = "one")]
    pub revision: u32,
    /// Age of the service.
    pub age: Span,
    /// Age of the running deployment.
    pub deployed: Span,
    /// minimumHealthyPercent.
    #[serde(default = "hundred")]
    pub minimum: u32,
    /// maximumPercent.
    #[serde(default = "two_hundred")]
    pub maximum: u32,
    /// Members of its task definition that are newer than any client, as AWS adds them from time to time.
    #[serde(default)]
    pub future: BTreeMap<String, toml::Value>,
    /// Circuit breaker: `rollback` (default), `stop` or `off`.
    #[serde(default)]
    pub breaker: Breaker,
    /// Blue/green, linear or canary, hooks, alarms; default a rolling deployment without them.
    #[serde(default)]
    pub rollout: Rollout,
    /// Express: resourceManagementType ECS.
    #[serde(default)]
    pub express: bool,
    /// The running revision has been deregistered since: INACTIVE.
    #[serde(default)]
    pub deregistered: bool,
    /// Health check grace period.
    #[serde(default)]
    pub grace: Span,
    /// enableExecuteCommand.
    #[serde(default)]
    pub exec: bool,
    /// What keeps sessions in its containers from working; default nothing.
    #[serde(default)]
    pub exec_agent: ExecAgent,
    /// Its containers share one process namespace: `pidMode` of the task definition.
    #[serde(default)]
    pub shared_pids: bool,
    /// Task CPU units.
    #[serde(default = "default_cpu")]
    pub cpu: u32,
    /// Task memory in MiB.
    #[serde(default = "default_memory")]
    pub memory: u32,
    /// On container instances: MiB that the task definition asks for as a whole, in place of what its containers ask for.
    pub task_memory: Option<u32>,
    /// Processor architecture, `X86_64` or `ARM64`.
    #[serde(default = "default_architecture")]
    pub architecture: String,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Task role; `FAMILY-task` by default, none when it is empty.
    pub task_role: Option<String>,
    /// Task execution role; `ecs-task-execution` by default.
    pub execution_role: Option<String>,
    /// Log group of its containers; `/ecs/FAMILY` by default.
    pub log_group: Option<String>,
    /// Days that the log group keeps; default 30.
    pub log_retention: Option<u32>,
    /// Target group in front of it.
    pub load_balancer: Option<LoadBalancer>,
    /// Containers. At least one.
    pub container: Vec<Container>,
    /// How its tasks fare; default well.
    #[serde(default)]
    pub behaviour: Behaviour,
}

/// `[service.exec_agent]`: the agent in its containers that `ExecuteCommand` talks to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a trait of its own, and none excludes another")]
pub struct ExecAgent {
    /// Whether the task role allows the four actions of `ssmmessages`.
    pub allowed: bool,
    /// Whether the subnets have a way to `ssmmessages`: an endpoint, or a way out.
    pub reachable: bool,
    /// Whether the task role may decrypt with the key of the cluster.
    pub decrypts: bool,
    /// Whether the task role may write where the cluster records sessions.
    pub records: bool,
    /// The reason that a managed agent that has stopped gives; it has, if there is one.
    pub stopped: Option<String>,
    /// Its version: up to 3.0.196.0 it forwards one connection at a time, up to 3.1.1511.0 it wants to hear something each 30 s.
    pub version: String,
}

impl Default for ExecAgent {
    fn default() -> Self {
        Self { allowed: true, reachable: true, decrypts: true, records: true, stopped: None, version: "3.3.2299.0".to_owned() }
    }
}

/// Network mode of a service on container instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Docker bridge with mapped ports.
    #[default]
    Bridge,
    /// Ports of the host.
    Host,
    /// Network interface of its own.
    Awsvpc,
}

/// What a container waits for before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Condition {
    /// The other has started.
    Start,
    /// The other's health check passes.
    Healthy,
    /// The other has ended.
    Complete,
    /// The other has ended with code 0.
    Success,
}

impl Condition {
    /// AWS's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Healthy => "HEALTHY",
            Self::Complete => "COMPLETE",
            Self::Success => "SUCCESS",
        }
    }
}

/// What a deployment that keeps failing comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Breaker {
    /// It is rolled back.
    #[default]
    Rollback,
    /// It fails and stays.
    Stop,
    /// It goes on for ever.
    Off,
}

/// Who deploys a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Controller {
    /// The ECS scheduler.
    #[default]
    #[serde(rename = "ECS")]
    Ecs,
    /// AWS `CodeDeploy`.
    #[serde(rename = "CODE_DEPLOY")]
    CodeDeploy,
    /// Somebody with task sets.
    #[serde(rename = "EXTERNAL")]
    External,
}

/// `[service.load_balancer]`: a target group and the load balancer it hangs on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file, and none excludes another")]
pub struct LoadBalancer {
    /// Load balancer name; services may share one.
    pub name: String,
    /// Network instead of application load balancer.
    #[serde(default)]
    pub network: bool,
    /// `internal` instead of `internet-facing`.
    #[serde(default)]
    pub internal: bool,
    /// Number in the DNS name of the load balancer; invented by default.
    pub dns_number: Option<u32>,
    /// Target group name; `CLUSTER-SERVICE` by default.
    pub target_group: Option<String>,
    /// 16 hex digits at the end of its ARN; invented by default.
    pub target_group_id: Option<String>,
    /// A second target group `NAME-b` for blue/green by ECS; `[[code_deploy]]` makes its own.
    #[serde(default)]
    pub pair: bool,
    /// Port of a listener for test traffic, with `pair`.
    pub test_port: Option<u16>,
    /// The listener forwards here whatever no rule takes.
    #[serde(default)]
    pub default: bool,
    /// Host header of the listener rule; without one, a path rule `/SERVICE/*`.
    pub host: Option<String>,
    /// Further hosts of the same rule.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Path patterns of the listener rule, with or without a host.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Container that takes the requests; default the first.
    pub container: Option<Spanned<String>>,
    /// Container port.
    pub port: u16,
    /// Health check path.
    #[serde(default = "default_path")]
    pub path: String,
    /// Health check interval.
    #[serde(default = "default_interval")]
    pub interval: Span,
    /// Health check timeout.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
    /// Checks in a row that make a target healthy.
    #[serde(default = "default_healthy")]
    pub healthy: u32,
    /// Checks in a row that make it unhealthy.
    #[serde(default = "default_unhealthy")]
    pub unhealthy: u32,
    /// Codes that count as success.
    #[serde(default = "default_matcher")]
    pub matcher: String,
    /// Deregistration delay.
    #[serde(default = "default_drain")]
    pub drain: Span,
}

/// `[[service.container]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file, and none excludes another")]
pub struct Container {
    /// Name.
    pub name: String,
    /// Image without tag: a repository of the account's registry, or with a
    /// registry host in front one from elsewhere.
    pub image: String,
    /// Tag of the running revision.
    pub tag: String,
    /// The image is Docker Hub's and named without a registry, as in `busybox`.
    #[serde(default)]
    pub hub: bool,
    /// Whether its end ends the task.
    #[serde(default = "yes")]
    pub essential: bool,
    /// CPU units, 0 for no reservation.
    #[serde(default)]
    pub cpu: u32,
    /// Hard memory limit in MiB, 0 for none.
    #[serde(default)]
    pub memory: u32,
    /// Soft memory limit in MiB, 0 for none.
    #[serde(default)]
    pub memory_reservation: u32,
    /// Container ports.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Host ports of `ports`, in their order, on a bridge network; 0, the default, lets Docker choose.
    #[serde(default)]
    pub host_ports: Vec<u16>,
    /// Each release pushes this very tag again, and `TAG-BUILD` beside it.
    #[serde(default)]
    pub moving: bool,
    /// Containers that come before: name to START, HEALTHY, COMPLETE or SUCCESS.
    #[serde(default)]
    pub depends_on: BTreeMap<String, Condition>,
    /// Exit code when it is told to stop; by default what programs of its voice do.
    pub stops_with: Option<i32>,
    /// Environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Environment variable name to the name of a Secrets Manager secret.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Environment variable name to the name of an SSM parameter.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// ARNs of environment files in S3.
    #[serde(default)]
    pub environment_files: Vec<String>,
    /// Command.
    #[serde(default)]
    pub command: Vec<String>,
    /// `readonlyRootFilesystem`: the agent that sessions need cannot start.
    #[serde(default)]
    pub read_only: bool,
    /// `initProcessEnabled`.
    #[serde(default)]
    pub init: bool,
    /// Container health check.
    pub health_check: Option<HealthCheck>,
    /// Log driver; `awslogs` into `/ecs/FAMILY` by default.
    #[serde(default)]
    pub log_driver: LogDriver,
    /// `awslogs-stream-prefix`; `ecs` by default.
    pub log_prefix: Option<String>,
    /// What its log lines look like.
    pub voice: Voice,
    /// Log lines per second, on average.
    #[serde(default = "default_rate")]
    pub rate: f64,
}

impl Container {
    /// Whether its image lies in the account's own registry.
    #[must_use]
    pub fn is_own(&self) -> bool {
        // A dot alone is no registry: repositories may have dots in their names.
        let host = self.image.split_once('/').map_or("", |(host, _)| host);
        !self.hub && !host.contains('.')
    }
}

/// Log driver of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogDriver {
    /// `CloudWatch` Logs.
    #[default]
    Awslogs,
    /// A `FireLens` log router in the same task.
    Awsfirelens,
    /// This container is the `FireLens` log router; it logs to `CloudWatch` itself.
    Router,
    /// None.
    None,
}

/// `health_check` of a container.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// Shell command.
    pub command: String,
    /// Seconds between checks.
    #[serde(default = "thirty")]
    pub interval: u32,
    /// Seconds until a check counts as failed.
    #[serde(default = "five")]
    pub timeout: u32,
    /// Failures in a row that make it unhealthy.
    #[serde(default = "three")]
    pub retries: u32,
    /// Seconds in which failures do not count.
    #[serde(default)]
    pub start_period: u32,
}

/// The language that a container's log lines speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Voice {
    /// Plain text with a level.
    Plain,
    /// One JSON object per line.
    Json,
    /// Spring Boot, with stack traces.
    Java,
    /// Access log.
    Nginx,
    /// PHP-FPM and Monolog.
    Php,
    /// Gunicorn, with tracebacks.
    Python,
    /// logfmt.
    Go,
    /// Node.js (pino, and plain stack traces).
    Node,
    /// Envoy access and error log.
    Envoy,
    /// Fluent Bit's own log.
    Fluentbit,
    /// Nothing at all.
    Silent,
}

fn default_launch() -> LaunchType {
    LaunchType::Fargate
}

fn default_architecture() -> String {
    "X86_64".to_owned()
}

fn default_cpu() -> u32 {
    256
}

fn default_memory() -> u32 {
    512
}

fn three_zones() -> usize {
    3
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

fn hundred() -> u32 {
    100
}

fn two_hundred() -> u32 {
    200
}

fn default_path() -> String {
    "/healthz".to_owned()
}

fn default_interval() -> Span {
    Span::seconds(15)
}

fn default_timeout() -> Span {
    Span::seconds(5)
}

fn default_healthy() -> u32 {
    3
}

fn default_unhealthy() -> u32 {
    2
}

fn default_matcher() -> String {
    "200".to_owned()
}

fn default_drain() -> Span {
    Span::seconds(60)
}

fn default_rate() -> f64 {
    1.0
}

fn thirty() -> u32 {
    30
}

fn five() -> u32 {
    5
}

fn three() -> u32 {
    3
}
