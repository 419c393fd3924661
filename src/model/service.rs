//! Services, their deployments and their events.

use super::{Arn, Str, Time};

/// A service as `DescribeServices` gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    /// Identity.
    pub arn: Arn,
    /// Short name.
    pub name: Str,
    /// The cluster's ARN.
    pub cluster: Arn,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: Str,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks in `RUNNING`.
    pub running: u32,
    /// Tasks in `PENDING`.
    pub pending: u32,
    /// `EC2`, `FARGATE`, `EXTERNAL`, …; absent when a capacity provider strategy decides.
    pub launch_type: Option<Str>,
    /// Capacity providers with base and weight.
    pub capacity_providers: Vec<(Str, u32, u32)>,
    /// `1.4.0`, `LATEST`, …
    pub platform_version: Option<Str>,
    /// `REPLICA` or `DAEMON`.
    pub scheduling: Str,
    /// `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    pub controller: Str,
    /// `ROLLING`, `BLUE_GREEN`, `LINEAR`, `CANARY`, when told.
    pub strategy: Option<Str>,
    /// Task definition that the service asks for.
    pub task_definition: Arn,
    /// `PRIMARY` first, as AWS orders them.
    pub deployments: Vec<Deployment>,
    /// For the controllers `CODE_DEPLOY` and `EXTERNAL`.
    pub task_sets: Vec<TaskSet>,
    /// Service deployment in progress, when told.
    pub current_deployment: Option<Arn>,
    /// Newest first, 100 at most.
    pub events: Vec<ServiceEvent>,
    /// Target groups (or Classic load balancers) that its tasks join.
    pub load_balancers: Vec<LoadBalancer>,
    /// Lower bound during a deployment, percent of desired.
    pub min_percent: Option<u32>,
    /// Upper bound during a deployment, percent of desired.
    pub max_percent: Option<u32>,
    /// Deployment circuit breaker, when configured.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Names of the alarms that fail a deployment, when they are switched on.
    pub alarms: Vec<Str>,
    /// Minutes that old and new tasks run side by side after the traffic has moved, for native blue/green.
    pub bake_minutes: Option<u32>,
    /// `ECS` for an Express service, which is changed in its own way; `CUSTOMER` else, when told.
    pub management: Option<Str>,
    /// Service revisions that have tasks now.
    pub revisions: Vec<RevisionShare>,
    /// Seconds during which unhealthy targets do not count.
    pub grace_seconds: u32,
    /// Whether new tasks get the ECS Exec agent.
    pub exec_enabled: bool,
    /// Creation time.
    pub created_at: Option<Time>,
    /// Creator's ARN.
    pub created_by: Option<Str>,
    /// Subnets of awsvpc tasks.
    pub subnets: Vec<Str>,
    /// Security groups of awsvpc tasks.
    pub security_groups: Vec<Str>,
    /// `ENABLED` or `DISABLED`, for awsvpc.
    pub public_ip: Option<Str>,
    /// Tags, key and value.
    pub tags: Vec<(Str, Str)>,
}

impl Service {
    /// All target groups that its load balancers, the other sides of its pairs and its task sets name, each once.
    #[must_use]
    pub fn target_groups(&self) -> Vec<&Arn> {
        let sets = self.task_sets.iter().flat_map(|set| &set.load_balancers);
        let sides = self.load_balancers.iter().chain(sets).flat_map(|lb| [&lb.target_group, &lb.alternate_target_group]);
        let mut groups: Vec<&Arn> = Vec::with_capacity(1);
        for group in sides.flatten() {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }
}

/// One entry of `service.deployments`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deployment {
    /// `ecs-svc/…`, which its tasks carry as `startedBy`.
    pub id: Str,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: Str,
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`; absent for other controllers.
    pub rollout_state: Option<Str>,
    /// AWS's sentence about the state.
    pub rollout_reason: Option<Str>,
    /// Revision that it runs.
    pub task_definition: Arn,
    /// Tasks wanted of this deployment.
    pub desired: u32,
    /// Tasks in `RUNNING`.
    pub running: u32,
    /// Tasks in `PENDING`.
    pub pending: u32,
    /// Consecutive failures; a healthy task resets it.
    pub failed: u32,
    /// Start.
    pub created_at: Option<Time>,
    /// Last change.
    pub updated_at: Option<Time>,
}

/// A task set of a service that ECS does not deploy itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskSet {
    /// `ecs-svc/…`.
    pub id: Str,
    /// `PRIMARY`, `ACTIVE`, `DRAINING`.
    pub status: Str,
    /// CodeDeploy's deployment id, for `CODE_DEPLOY`.
    pub external_id: Option<Str>,
    /// Revision that it runs.
    pub task_definition: Arn,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks in `RUNNING`.
    pub running: u32,
    /// Tasks in `PENDING`.
    pub pending: u32,
    /// `STEADY_STATE` or `STABILIZING`.
    pub stability: Option<Str>,
    /// Percent of the service's desired count that it should run.
    pub scale: Option<f64>,
    /// Start.
    pub created_at: Option<Time>,
    /// Last change.
    pub updated_at: Option<Time>,
    /// When it came into its stability.
    pub stability_at: Option<Time>,
    /// Target groups of this set.
    pub load_balancers: Vec<LoadBalancer>,
}

/// A message of the service scheduler.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceEvent {
    /// Identity; AWS repeats events in every reply.
    pub id: Str,
    /// When.
    pub at: Option<Time>,
    /// AWS's sentence.
    pub message: Str,
}

/// How a service's tasks join a target group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadBalancer {
    /// Target group; absent for a Classic load balancer.
    pub target_group: Option<Arn>,
    /// The other group of a blue/green pair.
    pub alternate_target_group: Option<Arn>,
    /// Container that takes the traffic.
    pub container: Str,
    /// Its port.
    pub port: u16,
}

/// Settings of the deployment circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Whether it watches.
    pub enabled: bool,
    /// Whether it rolls back.
    pub rollback: bool,
}

/// One entry of `ListServiceDeployments`, with what `DescribeServiceDeployments` adds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceDeployment {
    /// Identity.
    pub arn: Arn,
    /// `IN_PROGRESS`, `SUCCESSFUL`, `ROLLBACK_SUCCESSFUL`, …
    pub status: Str,
    /// AWS's sentence about the status.
    pub reason: Option<Str>,
    /// Revision that it goes to.
    pub target_revision: Option<Arn>,
    /// Start of the work.
    pub started_at: Option<Time>,
    /// End.
    pub finished_at: Option<Time>,
    /// Creation.
    pub created_at: Option<Time>,
    /// Failures and threshold as the breaker counts them, when it watches.
    pub failures: Option<(u32, u32)>,
    /// State of the breaker, when told.
    pub breaker: Option<Str>,
    /// Stage of a native blue/green deployment.
    pub lifecycle_stage: Option<Str>,
    /// Last change.
    pub updated_at: Option<Time>,
    /// When somebody stopped it.
    pub stopped_at: Option<Time>,
    /// Where it goes, with tasks and traffic.
    pub target: Option<RevisionShare>,
    /// Where it comes from, with tasks and traffic.
    pub sources: Vec<RevisionShare>,
    /// Rollback, when there was one.
    pub rollback: Option<Rollback>,
    /// Alarms that it watches, and those of them that went off.
    pub alarms: (Vec<Str>, Vec<Str>),
    /// Hooks that it waits for or has run.
    pub hooks: Vec<LifecycleHook>,
    /// `ROLLING`, `BLUE_GREEN`, `LINEAR`, `CANARY`, when told.
    pub strategy: Option<Str>,
    /// Minutes that it bakes, for native blue/green.
    pub bake_minutes: Option<u32>,
}

/// A service revision with the tasks and the traffic that it has in a deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RevisionShare {
    /// The revision.
    pub arn: Arn,
    /// Tasks wanted.
    pub requested: u32,
    /// Tasks in `RUNNING`.
    pub running: u32,
    /// Tasks in `PENDING`.
    pub pending: u32,
    /// Percent of the production traffic that it should get, for native blue/green.
    pub production_weight: Option<f64>,
    /// Percent of the test traffic that it should get, for native blue/green.
    pub test_weight: Option<f64>,
}

/// How a deployment was rolled back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollback {
    /// AWS's sentence.
    pub reason: Option<Str>,
    /// Start.
    pub started_at: Option<Time>,
    /// Revision that it went back to.
    pub revision: Option<Arn>,
}

/// A hook of a native blue/green deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LifecycleHook {
    /// Identity.
    pub id: Str,
    /// `AWS_LAMBDA` or `PAUSE`.
    pub kind: Str,
    /// Function that is called.
    pub target: Option<Str>,
    /// `IN_PROGRESS`, `AWAITING_ACTION`, `SUCCEEDED`, `FAILED`, …
    pub status: Str,
    /// When it will be decided without anybody.
    pub expires_at: Option<Time>,
    /// What happens then: `CONTINUE` or `ROLLBACK`.
    pub on_timeout: Option<Str>,
}
