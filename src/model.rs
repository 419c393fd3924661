//! Plain values in AWS's words: what the feeds bring and the panes show. They know neither the SDK nor the screen.
//!
//! Every string was cleaned by [`crate::text::clean`] on its way in, so any of them may be drawn as it is.
//! Rows that did not change between two polls stay the very same `Arc`, which is how the screen knows that nothing moved.

mod alarm;
mod arn;
mod cluster;
mod codedeploy;
mod definition;
mod image;
mod logs;
mod look;
mod route;
#[cfg(test)]
pub mod sample;
mod scaling;
mod service;
mod target;
mod task;
mod vault;

pub use alarm::{Alarm, ServiceMetrics};
pub use arn::{Arn, ImageUri};
pub use cluster::{Cluster, ContainerInstance, ExecConfiguration};
pub use codedeploy::{AppSpec, CodeDeployment, LifecycleEvent, Release, ServiceRevision, Shift, TrafficShare};
pub use definition::{ContainerDefinition, LogConfiguration, Needs, PortMapping, Revisions, TaskDefinition};
pub use image::{Holds, Image, ImageIndex, RepositoryImages, foremost, index_of, is_index};
pub use logs::{LogLine, LogScope, LogSources, LogStream};
pub use look::{Decision, Ec2Instance, Endpoint, KmsKey, Look, Right, RightsAsked, Seen, Subnet, WayOut};
pub use route::Route;
pub use scaling::{ScalableTarget, ScalingActivity, ScalingPolicy, ScheduledAction, Suspended, scaling_resource};
pub use service::{
    CircuitBreaker, Deployment, LifecycleHook, LoadBalancer, RevisionShare, Rollback, Service, ServiceDeployment, ServiceEvent, TaskSet,
};
pub use target::{Target, TargetGroup, TargetState};
pub use task::{Container, Protected, Task, TaskStatus};
pub use vault::{Held, Kept};

use std::sync::Arc;

/// A short text that is shared rather than copied.
pub type Str = Arc<str>;

/// A point in time as AWS gave it.
pub type Time = jiff::Timestamp;

/// One context of the fleet: an index into [`Fleet`]. Contexts are added, never removed, so an index stays true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ctx(pub u16);

/// A context is a profile in a region: the unit that credentials, budgets and failures belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The profile's name, or the scenario's name for it; `default` where neither is given.
    pub name: Str,
    /// Region, as in `eu-west-1`.
    pub region: Str,
    /// The profile that its credentials come from, where one was named or chosen by `AWS_PROFILE`: AWS's own tool takes it as well.
    pub profile: Option<Str>,
    /// Whether it is production, where the configuration says so of this context or of its profile; else names and the account tell.
    pub production: Option<bool>,
}

/// All contexts of this run, in the order of the command line.
#[derive(Clone, Debug, Default)]
pub struct Fleet(pub Vec<Context>);

impl Fleet {
    /// The context behind an index.
    ///
    /// # Panics
    /// Never for an index that this fleet handed out.
    #[must_use]
    pub fn context(&self, ctx: Ctx) -> &Context {
        &self.0[usize::from(ctx.0)]
    }

    /// All indices, in order.
    pub fn all(&self) -> impl Iterator<Item = Ctx> + use<> {
        (0..u16::try_from(self.0.len()).unwrap_or(u16::MAX)).map(Ctx)
    }
}

/// Who the caller is, as STS `GetCallerIdentity` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Twelve digits.
    pub account: Str,
    /// The caller's ARN.
    pub arn: Str,
}
