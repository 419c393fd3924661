//! What can be watched. A feed is a plain key that starts with its context; whoever wants one names it, and the watcher does the rest.

use crate::model::{
    Alarm, AppSpec, Arn, Cluster, CodeDeployment, ContainerInstance, Ctx, Held, Identity, Image, ImageIndex, LogLine, LogScope, LogSources,
    Look, Protected, Release, RepositoryImages, Revisions, Route, ScalableTarget, ScalingActivity, ScalingPolicy, ScheduledAction, Seen,
    Service, ServiceDeployment, ServiceMetrics, ServiceRevision, Str, Target, TargetGroup, Task, TaskDefinition, Time,
};
use std::sync::Arc;

/// A question to AWS that is asked again and again while somebody looks at the answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Feed {
    /// Who the caller is. Asked once.
    Identity(Ctx),
    /// All clusters with their counts.
    Clusters(Ctx),
    /// All services of a cluster, by the cluster's ARN or name.
    Services(Ctx, Arn),
    /// One service, more often than the list.
    Service(Ctx, Arn),
    /// All tasks of a cluster, running and stopped; never asked per service.
    Tasks(Ctx, Arn),
    /// The tasks of a cluster that stopped within about an hour: one call, where [`Feed::Tasks`] takes several. They say why something fails.
    Stopped(Ctx, Arn),
    /// One task-definition revision, by ARN. Asked once.
    TaskDefinition(Ctx, Arn),
    /// A revision with its tags in AWS's own JSON, nothing masked: what a clone is made of. Asked once, never drawn as it is.
    RawDefinition(Ctx, Arn),
    /// The newest revisions of a family.
    Revisions(Ctx, Str),
    /// Past and present deployments of a service, newest first.
    ServiceDeployments(Ctx, Arn),
    /// EC2 instances of a cluster.
    Instances(Ctx, Arn),
    /// Settings of a target group. Asked seldom.
    TargetGroup(Ctx, Arn),
    /// Health of the targets in a group.
    Targets(Ctx, Arn),
    /// What ECR says of an image reference. Asked once for a digest, again and again for a tag, which may move.
    Image(Ctx, Str),
    /// The platforms of an index, by a reference with the index's digest. Asked once.
    ImageIndex(Ctx, Str),
    /// The newest images of a repository, by `registry/repository`.
    RepositoryImages(Ctx, Str),
    /// Whether parameters and secrets are there, by their `valueFrom`s in order. Values are never asked for in clear, and never kept.
    Vault(Ctx, Arc<[Str]>),
    /// Which of these tasks of a cluster are protected now.
    Protection(Ctx, Arn, Arc<[Arn]>),
    /// A service revision, by ARN. Asked once, together with others.
    ServiceRevision(Ctx, Arn),
    /// What CodeDeploy does to a service, by the service's ARN and the deployment's id.
    CodeDeployment(Ctx, Arn, Str),
    /// Where CodeDeploy deploys a service and the `AppSpec` that it last used, by the service's ARN.
    AppSpec(Ctx, Arn),
    /// The newest deployments of a deployment group, by application and group.
    CodeDeployments(Ctx, Str, Str),
    /// The rules of a load balancer, by ARN.
    Routes(Ctx, Arn),
    /// The ranges within which services scale; all of the context.
    ScalableTargets(Ctx),
    /// What scales services; all of the context.
    ScalingPolicies(Ctx),
    /// When services are scaled by the clock; all of the context.
    ScheduledActions(Ctx),
    /// What was scaled lately, by the resource `service/CLUSTER/NAME`, or of all services. The newest hundred.
    ScalingActivities(Ctx, Option<Str>),
    /// The alarms of these names; all of the context when none is named.
    Alarms(Ctx, Arc<[Str]>),
    /// CPU and memory of a service. AWS charges for it: only ever wanted when the operator asked for it.
    Metrics(Ctx, Arn),
    /// Log lines of a scope; see [`Wanted::Logs`].
    Logs(Ctx, LogScope),
    /// The reply of AWS itself, as JSON, for one thing. Asked once per visit.
    Raw(Ctx, RawOf),
    /// What only IAM, EC2 or KMS can tell of a session. Asked once per visit, and only where a session is looked into.
    Look(Ctx, Look),
}

/// What the JSON view can show as AWS sent it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RawOf {
    /// A cluster by ARN.
    Cluster(Arn),
    /// A service by ARN; the cluster's ARN first.
    Service(Arn, Arn),
    /// A task by ARN; the cluster's ARN first.
    Task(Arn, Arn),
    /// A task definition by ARN.
    TaskDefinition(Arn),
    /// A target group's health by ARN. (The wire is XML; the JSON has the same names.)
    Targets(Arn),
}

impl Feed {
    /// Whether the answer stays true as long as the program runs, so that it is asked for once.
    #[must_use]
    pub fn lasts(&self) -> bool {
        match self {
            // A tag may move, a digest cannot.
            Feed::Image(_, reference) => reference.contains('@'),
            Feed::Identity(_) | Feed::TaskDefinition(..) | Feed::RawDefinition(..) | Feed::ImageIndex(..) | Feed::ServiceRevision(..) => {
                true
            }
            _ => false,
        }
    }

    /// Whether it is asked so seldom, or stands so much beside what a pane is about, that it says nothing about how live the screen is.
    /// Where it fails, its own column or pane says so.
    #[must_use]
    pub fn beside(&self) -> bool {
        let seldom = matches!(
            self,
            Feed::Image(..)
                | Feed::RepositoryImages(..)
                | Feed::Vault(..)
                | Feed::Protection(..)
                | Feed::Routes(..)
                | Feed::Metrics(..)
                | Feed::Revisions(..)
                | Feed::AppSpec(..)
                | Feed::CodeDeployments(..)
                | Feed::Look(..)
        );
        let scaling = matches!(self, Feed::ScalableTargets(_) | Feed::ScalingPolicies(_) | Feed::ScheduledActions(_));
        self.lasts() || seldom || scaling
    }

    /// The context that it belongs to.
    #[must_use]
    pub fn ctx(&self) -> Ctx {
        match self {
            Feed::Identity(ctx)
            | Feed::Clusters(ctx)
            | Feed::Services(ctx, _)
            | Feed::Service(ctx, _)
            | Feed::Tasks(ctx, _)
            | Feed::Stopped(ctx, _)
            | Feed::TaskDefinition(ctx, _)
            | Feed::RawDefinition(ctx, _)
            | Feed::Revisions(ctx, _)
            | Feed::AppSpec(ctx, _)
            | Feed::ServiceDeployments(ctx, _)
            | Feed::Instances(ctx, _)
            | Feed::TargetGroup(ctx, _)
            | Feed::Targets(ctx, _)
            | Feed::Image(ctx, _)
            | Feed::ImageIndex(ctx, _)
            | Feed::RepositoryImages(ctx, _)
            | Feed::Vault(ctx, _)
            | Feed::Protection(ctx, ..)
            | Feed::ServiceRevision(ctx, _)
            | Feed::CodeDeployment(ctx, ..)
            | Feed::CodeDeployments(ctx, ..)
            | Feed::Routes(ctx, _)
            | Feed::ScalableTargets(ctx)
            | Feed::ScalingPolicies(ctx)
            | Feed::ScheduledActions(ctx)
            | Feed::ScalingActivities(ctx, _)
            | Feed::Alarms(ctx, _)
            | Feed::Metrics(ctx, _)
            | Feed::Logs(ctx, _)
            | Feed::Raw(ctx, _)
            | Feed::Look(ctx, _) => *ctx,
        }
    }
}

/// A feed that a visible pane wants, with what the poll needs beside the key.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// A plain feed. `focus` marks what the operator looks at: it goes first when the budget is short and is polled more often.
    Poll {
        /// What.
        feed: Feed,
        /// Looked at, rather than merely counted.
        focus: bool,
    },
    /// A plain feed that can wait: its first question is asked within [`SPREAD`](crate::watch::SPREAD), spread with the others of its
    /// context, and it is asked again seldom. Wanted as a [`Wanted::Poll`] by anybody else, it is one.
    Trickle {
        /// What.
        feed: Feed,
    },
    /// A plain feed that is asked half as often as one that nobody looks at: a costly one beside what tells the news.
    Gently {
        /// What.
        feed: Feed,
    },
    /// A log tail: the key stays while its streams change.
    Logs {
        /// Always [`Feed::Logs`].
        feed: Feed,
        /// What to read now.
        sources: Arc<LogSources>,
    },
}

impl Wanted {
    /// The key.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        match self {
            Wanted::Poll { feed, .. } | Wanted::Gently { feed } | Wanted::Trickle { feed } | Wanted::Logs { feed, .. } => feed,
        }
    }
}

/// What a poll has to say.
#[derive(Clone, Debug)]
pub struct Update {
    /// Which feed.
    pub feed: Feed,
    /// Epoch of the reconcile that started the poll; an older one is thrown away.
    pub epoch: u32,
    /// When the answer was complete: by the local clock as the poll sends it, by AWS's once the loop hands it on.
    pub at: Time,
    /// The answer.
    pub outcome: Outcome,
}

/// How a poll ended, or stands.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A request is under way.
    Busy,
    /// Part of a list: rows to add or replace by ARN, and how many there will be.
    Part(Value, usize),
    /// The whole answer.
    Whole(Value),
    /// What a poll knew when it was dropped, as it comes back: old, and no sign that anything works now.
    Recalled(Value),
    /// The whole answer, equal to the last one.
    Same,
    /// More log lines, oldest first, without repeats of what was sent before.
    Lines(Vec<LogLine>, TailState),
    /// No answer. What was known stays.
    Failed(Arc<crate::aws::AwsError>),
    /// What answers have told about the rights of the context's role; says nothing about the feed itself.
    Learnt(Vec<Learnt>),
}

/// An action of IAM with what an answer has told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// `ecs:ListServices`.
    pub action: Str,
    /// What AWS said when it refused; nothing when it answered.
    pub denied: Option<Str>,
}

/// How a log tail stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TailState {
    /// Whether the past has been read up to now.
    pub caught_up: bool,
    /// Whether the newest lines come by Live Tail.
    pub live: bool,
    /// Whether AWS left lines out (Live Tail above 500 lines a second).
    pub sampled: bool,
    /// Streams that do not exist yet.
    pub waiting: usize,
    /// A sentence about a group that is missing or a fallback taken.
    pub note: Option<Str>,
    /// Log groups' retention in days, when known: older lines are gone, not absent.
    pub retention_days: Option<u32>,
}

/// The answers, by kind of feed.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// For [`Feed::Identity`].
    Identity(Arc<Identity>),
    /// For [`Feed::Clusters`].
    Clusters(Vec<Arc<Cluster>>),
    /// For [`Feed::Services`] and, with one row, [`Feed::Service`].
    Services(Vec<Arc<Service>>),
    /// For [`Feed::Tasks`] and [`Feed::Stopped`].
    Tasks(Vec<Arc<Task>>),
    /// For [`Feed::TaskDefinition`].
    TaskDefinition(Arc<TaskDefinition>),
    /// For [`Feed::RawDefinition`].
    RawDefinition(Arc<serde_json::Value>),
    /// For [`Feed::Revisions`].
    Revisions(Arc<Revisions>),
    /// For [`Feed::CodeDeployments`], newest first.
    CodeDeployments(Arc<Vec<Release>>),
    /// For [`Feed::AppSpec`].
    AppSpec(Arc<AppSpec>),
    /// For [`Feed::ServiceDeployments`].
    ServiceDeployments(Vec<Arc<ServiceDeployment>>),
    /// For [`Feed::Instances`].
    Instances(Vec<Arc<ContainerInstance>>),
    /// For [`Feed::TargetGroup`].
    TargetGroup(Arc<TargetGroup>),
    /// For [`Feed::Targets`].
    Targets(Arc<Vec<Target>>),
    /// For [`Feed::Image`].
    Image(Arc<Image>),
    /// For [`Feed::ImageIndex`].
    ImageIndex(Arc<ImageIndex>),
    /// For [`Feed::RepositoryImages`].
    RepositoryImages(Arc<RepositoryImages>),
    /// For [`Feed::Vault`], in the order of the key.
    Vault(Arc<Vec<Held>>),
    /// For [`Feed::Protection`]: the protected ones.
    Protection(Arc<Vec<Protected>>),
    /// For [`Feed::ServiceRevision`].
    ServiceRevision(Arc<ServiceRevision>),
    /// For [`Feed::CodeDeployment`].
    CodeDeployment(Arc<CodeDeployment>),
    /// For [`Feed::Routes`].
    Routes(Arc<Vec<Route>>),
    /// For [`Feed::ScalableTargets`].
    ScalableTargets(Arc<Vec<ScalableTarget>>),
    /// For [`Feed::ScalingPolicies`].
    ScalingPolicies(Arc<Vec<ScalingPolicy>>),
    /// For [`Feed::ScheduledActions`].
    ScheduledActions(Arc<Vec<ScheduledAction>>),
    /// For [`Feed::ScalingActivities`], newest first.
    ScalingActivities(Arc<Vec<ScalingActivity>>),
    /// For [`Feed::Alarms`].
    Alarms(Arc<Vec<Alarm>>),
    /// For [`Feed::Metrics`].
    Metrics(Arc<ServiceMetrics>),
    /// For [`Feed::Raw`]: pretty-printed JSON.
    Raw(Arc<str>),
    /// For [`Feed::Look`].
    Seen(Arc<Seen>),
}
