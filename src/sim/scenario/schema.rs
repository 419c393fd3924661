//! The schema of a scenario file. Each struct is one TOML table; each field
//! documents one key. Durations are texts such as `"90s"`, `"12m"`, `"3d4h"`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Fleet, Span};

/// A whole scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line for people.
    pub about: String,
    /// Numbers that `--set` may override; `[fleet]` refers to them by `"$name"`.
    #[serde(default)]
    pub parameters: BTreeMap<String, u32>,
    /// How much of the past is played before the scenario opens; default 75 minutes.
    #[serde(default = "default_past")]
    pub past: Span,
    /// Profiles. At least one.
    pub context: Vec<Context>,
    /// Clusters.
    #[serde(default)]
    pub cluster: Vec<Cluster>,
    /// Services.
    #[serde(default)]
    pub service: Vec<Service>,
    /// Scripts that act from outside.
    #[serde(default)]
    pub actor: Vec<Actor>,
    /// Many alike services, made by numbers.
    pub fleet: Option<Fleet>,
    /// Fault rules, see `faults`.
    #[serde(default)]
    pub fault: Vec<crate::sim::faults::Rule>,
}

fn default_past() -> Span {
    Span::minutes(75)
}

/// `[[context]]`: a profile. Several contexts may share an account and a region.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Name, as of a profile.
    pub name: String,
    /// Region.
    pub region: String,
    /// Account, twelve digits.
    pub account: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Makes the credentials temporary.
    pub session_token: Option<String>,
    /// Temporary credentials end this long after the start.
    pub expires: Option<Span>,
    /// Role name in the caller's ARN.
    #[serde(default = "default_role")]
    pub role: String,
    /// Role session name in the caller's ARN.
    #[serde(default = "default_session")]
    pub session: String,
    /// IAM action patterns; default all.
    #[serde(default = "default_allow")]
    pub allow: Vec<String>,
}

fn default_role() -> String {
    "OnCallOps".to_owned()
}

fn default_session() -> String {
    "oncall".to_owned()
}

fn default_allow() -> Vec<String> {
    vec!["*".to_owned()]
}

/// `[[cluster]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Name.
    pub name: String,
    /// Context whose account and region hold the cluster.
    pub context: Spanned<String>,
    /// `disabled`, `enabled` or `enhanced`.
    #[serde(default = "default_insights")]
    pub container_insights: String,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Container instances.
    #[serde(default)]
    pub instances: Vec<Instances>,
    /// Capacity providers over Auto Scaling groups.
    #[serde(default)]
    pub capacity_provider: Vec<CapacityProvider>,
}

fn default_insights() -> String {
    "disabled".to_owned()
}

/// `[[cluster.instances]]`: alike container instances.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instances {
    /// How many.
    pub count: u32,
    /// EC2 instance type.
    #[serde(rename = "type")]
    pub kind: String,
    /// CPU units each.
    pub cpu: u32,
    /// MiB each that the agent leaves to tasks.
    pub memory: u32,
    /// Age of the registration.
    pub age: Span,
    /// Capacity provider that owns them.
    pub capacity_provider: Option<Spanned<String>>,
    /// Whether the agent is connected.
    #[serde(default = "yes")]
    pub agent_connected: bool,
    /// DRAINING instead of ACTIVE.
    #[serde(default)]
    pub draining: bool,
}

/// `[[cluster.capacity_provider]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapacityProvider {
    /// Name.
    pub name: String,
    /// Auto Scaling group.
    pub auto_scaling_group: String,
}

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
    /// Circuit breaker: `rollback` (default), `stop` or `off`.
    #[serde(default)]
    pub breaker: Breaker,
    /// Health check grace period.
    #[serde(default)]
    pub grace: Span,
    /// enableExecuteCommand.
    #[serde(default)]
    pub exec: bool,
    /// Task CPU units.
    #[serde(default = "default_cpu")]
    pub cpu: u32,
    /// Task memory in MiB.
    #[serde(default = "default_memory")]
    pub memory: u32,
    /// Processor architecture, `X86_64` or `ARM64`.
    #[serde(default = "default_architecture")]
    pub architecture: String,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Target group in front of it.
    pub load_balancer: Option<LoadBalancer>,
    /// Containers. At least one.
    pub container: Vec<Container>,
    /// How its tasks fare; default well.
    #[serde(default)]
    pub behaviour: Behaviour,
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

/// `[service.load_balancer]`: a target group and the load balancer it hangs on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// Load balancer name; services may share one.
    pub name: String,
    /// Network instead of application load balancer.
    #[serde(default)]
    pub network: bool,
    /// `internal` instead of `internet-facing`.
    #[serde(default)]
    pub internal: bool,
    /// Host header of the listener rule; without one, a path rule `/SERVICE/*`.
    pub host: Option<String>,
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

/// `[[service.container]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Name.
    pub name: String,
    /// Image without tag: a repository of the account's registry, or with a
    /// registry host in front one from elsewhere.
    pub image: String,
    /// Tag of the running revision.
    pub tag: String,
    /// Whether its end ends the task.
    #[serde(default = "yes")]
    pub essential: bool,
    /// CPU units, 0 for no reservation.
    #[serde(default)]
    pub cpu: u32,
    /// Hard memory limit in MiB, 0 for none.
    #[serde(default)]
    pub memory: u32,
    /// Container ports.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Environment variable name to the name of a Secrets Manager secret.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Command.
    #[serde(default)]
    pub command: Vec<String>,
    /// Container health check.
    pub health_check: Option<HealthCheck>,
    /// Log driver; `awslogs` into `/ecs/FAMILY` by default.
    #[serde(default)]
    pub log_driver: LogDriver,
    /// What its log lines look like.
    pub voice: Voice,
    /// Log lines per second, on average.
    #[serde(default = "default_rate")]
    pub rate: f64,
}

fn default_rate() -> f64 {
    1.0
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

fn thirty() -> u32 {
    30
}
fn five() -> u32 {
    5
}
fn three() -> u32 {
    3
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

/// How the tasks of a revision fare.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// What befalls them.
    #[serde(default)]
    pub fate: Fate,
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
    /// For `pull_fails`: the agent's words after `CannotPullContainerError: `.
    pub error: Option<String>,
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
    /// The first essential container exits with `code`.
    Exits,
    /// The first essential container is killed for its memory, code 137.
    Oom,
    /// The load balancer's health check fails.
    Unhealthy,
    /// The container health check fails.
    ContainerUnhealthy,
    /// The image cannot be pulled.
    PullFails,
    /// A secret cannot be read, so that no container starts.
    SecretFails,
    /// Answers health checks only `after` so long.
    SlowStart,
    /// Ends well with code 0 `after` so long, as a batch job does.
    Ends,
}

/// `[[actor]]`: acts on the scenario from outside, again and again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Name, seen as startedBy or in createdBy.
    pub name: String,
    /// Cluster of the service.
    pub cluster: Spanned<String>,
    /// Service that it acts on.
    pub service: Spanned<String>,
    /// Period.
    pub every: Span,
    /// First time after the scenario opens; times before are counted back from
    /// it in whole periods. Default one period.
    pub first: Option<Span>,
    /// What it does.
    pub act: Act,
    /// How the tasks fare that `deploy` or `run` brings.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// For `scale`: desiredCount becomes each of these in turn.
    #[serde(default)]
    pub desired: Vec<u32>,
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
    /// `RunTask` with the service's task definition.
    Run,
}
