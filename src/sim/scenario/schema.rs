//! The schema of a scenario file. Each struct is one TOML table; each field
//! documents one key. Durations are texts such as `"90s"`, `"12m"`, `"3d4h"`.

mod behaviour;
mod code_deploy;
mod registry;
mod rollout;
mod scaling;
mod service;

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Fleet, Span};

pub use behaviour::*;
pub use code_deploy::*;
pub use registry::*;
pub use rollout::*;
pub use scaling::*;
pub use service::*;

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
    /// ECR repositories, beside those that services name.
    #[serde(default)]
    pub repository: Vec<Repository>,
    /// What is asked of services.
    #[serde(default)]
    pub load: Vec<Load>,
    /// Scalable targets.
    #[serde(default)]
    pub scaling: Vec<Scaling>,
    /// `CloudWatch` alarms, beside those that scaling policies make.
    #[serde(default)]
    pub alarm: Vec<Alarm>,
    /// `CodeDeploy` applications and groups.
    #[serde(default)]
    pub code_deploy: Vec<CodeDeploy>,
    /// Scripts that act from outside.
    #[serde(default)]
    pub actor: Vec<Actor>,
    /// Troubles that wait until they are started by name.
    #[serde(default)]
    pub drill: Vec<Drill>,
    /// Many alike services, made by numbers.
    pub fleet: Option<Fleet>,
    /// Fault rules, see `faults`.
    #[serde(default)]
    pub fault: Vec<crate::sim::faults::Rule>,
    /// Troubles of data channels, see `exec::trouble`.
    #[serde(default)]
    pub channel: Vec<crate::sim::exec::trouble::Rule>,
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
    /// Path of the role, which the caller's ARN does not show; `/` by default, `/aws-reserved/sso.amazonaws.com/` with IAM Identity Center.
    #[serde(default = "default_path")]
    pub role_path: String,
    /// Role session name in the caller's ARN.
    #[serde(default = "default_session")]
    pub session: String,
    /// IAM action patterns on any resource; default all, or none beside a `statement`.
    pub allow: Option<Vec<String>>,
    /// Statements of its policy, for those who may not touch everything.
    #[serde(default)]
    pub statement: Vec<Statement>,
    /// Clusters that a user without `ecs:ListClusters` names when the context is opened.
    #[serde(default)]
    pub clusters: Vec<String>,
}

/// `[[context.statement]]`: what a policy allows, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Action patterns such as `ecs:Describe*`.
    pub action: Vec<String>,
    /// Patterns of ARNs; default any.
    #[serde(default = "any_resource")]
    pub resource: Vec<String>,
    /// Condition on `iam:PassedToService`, for `iam:PassRole`.
    pub passed_to_service: Option<String>,
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
    /// executeCommandConfiguration.
    #[serde(default)]
    pub exec: Exec,
}

/// `[cluster.exec]`: how sessions in containers of a cluster are encrypted and logged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// Id of the KMS key that sessions are encrypted with, a UUID.
    pub kms_key: Option<String>,
    /// What becomes of what is said.
    #[serde(default)]
    pub logging: Logging,
    /// Log group, with `OVERRIDE`.
    pub log_group: Option<String>,
    /// Bucket, with `OVERRIDE`.
    pub bucket: Option<String>,
}

/// `logging` of an executeCommandConfiguration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Logging {
    /// Nowhere.
    None,
    /// Where the container's own log goes.
    #[default]
    Default,
    /// Where the configuration says.
    Override,
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
    /// EC2 instance ids, in order; invented where there are too few.
    #[serde(default)]
    pub ids: Vec<String>,
    /// `x86_64` or `arm64`.
    #[serde(default = "default_processor")]
    pub architecture: String,
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

fn default_past() -> Span {
    Span::minutes(75)
}

fn default_role() -> String {
    "OnCallOps".to_owned()
}

fn default_path() -> String {
    "/".to_owned()
}

fn default_session() -> String {
    "oncall".to_owned()
}

fn any_resource() -> Vec<String> {
    vec!["*".to_owned()]
}

fn default_insights() -> String {
    "disabled".to_owned()
}

fn default_processor() -> String {
    "x86_64".to_owned()
}

fn yes() -> bool {
    true
}
