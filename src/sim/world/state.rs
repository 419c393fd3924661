//! What the embedded AWS remembers, in AWS's words. Plain values with public
//! fields: the clockwork beside this file moves them, the services above it
//! render them. Nothing here knows a wire format or reads a clock.

mod balancer;
mod cluster;
mod definition;
mod release;
mod service;
mod shift;
mod storage;
mod task;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use balancer::*;
pub use cluster::*;
pub use definition::*;
pub use release::*;
pub use service::*;
pub use shift::*;
pub use storage::*;
pub use task::*;
pub use watch::*;

use super::queue::Queue;
use crate::sim::rng::Rng;
pub use crate::sim::scenario::schema::Actor as ActorScript;
use crate::sim::scenario::schema::Statement;

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
    /// Path of the role, `/` for most.
    pub role_path: String,
    /// Role session name in the caller's ARN.
    pub session: String,
    /// What its policy allows.
    pub policy: Vec<Statement>,
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
    /// Private addresses of network interfaces that are there.
    pub in_use: BTreeSet<String>,
    /// Secrets and parameters that are not there, by name or path.
    pub absent: BTreeSet<String>,
    /// Secrets and parameters that execution roles may not read.
    pub denied: BTreeSet<String>,
    /// clientToken of a `RunTask`: what was asked for, and the tasks that it started.
    pub tokens: BTreeMap<String, (serde_json::Value, Vec<TaskId>)>,
    /// Names of the Lambda functions that say FAILED when a deployment calls them.
    pub failing: BTreeSet<String>,
    /// Deployment groups of `CodeDeploy` and what they have deployed.
    pub code_deploy: CodeDeploy,
    /// What watches services and moves their desired counts.
    pub watch: Watch,
}

/// A script of the scenario, bound to the estate that it acts on.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What it does, and how often.
    pub script: ActorScript,
    /// Index into [`Estate::clusters`].
    pub cluster: usize,
    /// Index into [`Estate::services`].
    pub service: Option<usize>,
    /// How often it has acted.
    pub round: u32,
}
