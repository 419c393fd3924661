//! The calls that change something, with what they change and nothing else: what is not named here is not sent, and AWS keeps it.

use crate::model::{Arn, Str, Suspended};
use std::sync::Arc;

/// A revision of a task definition that a call names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// One that exists, by its full ARN: a family alone would mean its newest.
    Known(Arn),
    /// The one that an earlier step of the same plan registers.
    Registered,
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// `ecs:UpdateService`.
    UpdateService {
        /// Cluster.
        cluster: Arn,
        /// Service.
        service: Arn,
        /// What of it.
        set: ServiceChange,
    },
    /// `ecs:StopServiceDeployment` with `ROLLBACK`, the only type that AWS documents as valid.
    StopServiceDeployment {
        /// The service deployment.
        deployment: Arn,
    },
    /// `ecs:ContinueServiceDeployment`.
    ContinueServiceDeployment {
        /// The service deployment.
        deployment: Arn,
        /// The hook that waits.
        hook: Str,
        /// `ROLLBACK` instead of `CONTINUE`.
        roll_back: bool,
    },
    /// `ecs:UpdateServicePrimaryTaskSet`, for the controller `EXTERNAL`.
    UpdateServicePrimaryTaskSet {
        /// Cluster.
        cluster: Arn,
        /// Service.
        service: Arn,
        /// The task set that is to serve.
        task_set: Str,
    },
    /// `ecs:RegisterTaskDefinition`.
    RegisterTaskDefinition(Box<Register>),
    /// `ecs:StopTask`.
    StopTask {
        /// Cluster.
        cluster: Arn,
        /// Task.
        task: Arn,
        /// For the task's `stoppedReason`.
        reason: String,
    },
    /// `ecs:RunTask`, one task.
    RunTask {
        /// Cluster.
        cluster: Arn,
        /// What to run.
        revision: Arn,
        /// Launch type; nothing lets the cluster's default strategy decide.
        launch_type: Option<Str>,
        /// Capacity providers with base and weight, instead of a launch type.
        capacity_providers: Vec<(Str, u32, u32)>,
        /// Subnets, security groups and whether a public address is given, for awsvpc.
        network: Option<(Vec<Str>, Vec<Str>, Option<Str>)>,
        /// Container and the command that it runs instead of its own.
        command: Option<(Str, Vec<String>)>,
        /// For the task's `startedBy`, at most 128 characters.
        started_by: String,
        /// So that a repeated request starts one task, at most 64 characters.
        client_token: String,
    },
    /// `ecs:UpdateContainerInstancesState`, ten at most.
    UpdateContainerInstancesState {
        /// Cluster.
        cluster: Arn,
        /// Instances.
        instances: Vec<Arn>,
        /// `DRAINING`, else `ACTIVE`.
        drain: bool,
    },
    /// `ecs:UpdateTaskProtection`, ten at most.
    UpdateTaskProtection {
        /// Cluster.
        cluster: Arn,
        /// Tasks.
        tasks: Vec<Arn>,
        /// On or off.
        protect: bool,
        /// Minutes until it ends by itself, 1 to 2880.
        minutes: Option<u32>,
    },
    /// `application-autoscaling:RegisterScalableTarget` of a service's desired count. What is not named stays.
    RegisterScalableTarget {
        /// `service/CLUSTER/SERVICE`.
        resource: Str,
        /// Fewest tasks.
        min: Option<u32>,
        /// Most tasks.
        max: Option<u32>,
        /// What is switched off.
        suspended: Option<Suspended>,
    },
    /// `codedeploy:CreateDeployment` of an `AppSpec`.
    CreateDeployment {
        /// Application.
        application: Str,
        /// Deployment group.
        group: Str,
        /// The `AppSpec` as the last deployment had it, JSON or YAML.
        app_spec: Arc<str>,
        /// The task definition to put into it.
        revision: Revision,
        /// For whoever reads the deployment.
        description: String,
    },
    /// `codedeploy:StopDeployment` with automatic rollback.
    StopDeployment {
        /// The deployment's id.
        id: Str,
    },
    /// `codedeploy:ContinueDeployment`.
    ContinueDeployment {
        /// The deployment's id.
        id: Str,
        /// `READY_WAIT` or `TERMINATION_WAIT`.
        wait: &'static str,
    },
}

/// What of a service is changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceChange {
    /// Tasks wanted.
    pub desired: Option<u32>,
    /// Revision to run.
    pub revision: Option<Revision>,
    /// Start new tasks though nothing else is different.
    pub force: bool,
    /// Whether new tasks get the agent of ECS Exec.
    pub exec: Option<bool>,
}

/// A revision to register: an existing one with other images.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// The revision that is cloned.
    pub base: Arn,
    /// Container and its new image.
    pub images: Vec<(Str, Str)>,
    /// The request in full, as JSON in AWS's names: what AWS told of the base without the fields that registering refuses, with the tags
    /// and the new images. What is sent is held against it, so that a field which this build does not know is never lost in silence.
    pub request: Arc<serde_json::Value>,
}

impl Call {
    /// The action that the role needs, in IAM's words.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Call::UpdateService { .. } => "ecs:UpdateService",
            Call::StopServiceDeployment { .. } => "ecs:StopServiceDeployment",
            Call::ContinueServiceDeployment { .. } => "ecs:ContinueServiceDeployment",
            Call::UpdateServicePrimaryTaskSet { .. } => "ecs:UpdateServicePrimaryTaskSet",
            Call::RegisterTaskDefinition(_) => "ecs:RegisterTaskDefinition",
            Call::StopTask { .. } => "ecs:StopTask",
            Call::RunTask { .. } => "ecs:RunTask",
            Call::UpdateContainerInstancesState { .. } => "ecs:UpdateContainerInstancesState",
            Call::UpdateTaskProtection { .. } => "ecs:UpdateTaskProtection",
            Call::RegisterScalableTarget { .. } => "application-autoscaling:RegisterScalableTarget",
            Call::CreateDeployment { .. } => "codedeploy:CreateDeployment",
            Call::StopDeployment { .. } => "codedeploy:StopDeployment",
            Call::ContinueDeployment { .. } => "codedeploy:ContinueDeployment",
        }
    }

    /// The cluster that a call acts in, by its ARN where that is known.
    #[must_use]
    pub fn cluster(&self) -> Option<Arn> {
        match self {
            Call::UpdateService { cluster, .. }
            | Call::UpdateServicePrimaryTaskSet { cluster, .. }
            | Call::StopTask { cluster, .. }
            | Call::RunTask { cluster, .. }
            | Call::UpdateContainerInstancesState { cluster, .. }
            | Call::UpdateTaskProtection { cluster, .. } => Some(cluster.clone()),
            Call::StopServiceDeployment { deployment } | Call::ContinueServiceDeployment { deployment, .. } => {
                let (head, path) = deployment.as_str().split_once(":service-deployment/")?;
                Some(Arn(format!("{head}:cluster/{}", path.split('/').next()?).into()))
            }
            Call::RegisterScalableTarget { resource, .. } => resource.split('/').nth(1).map(Arn::from),
            Call::RegisterTaskDefinition(_)
            | Call::CreateDeployment { .. }
            | Call::StopDeployment { .. }
            | Call::ContinueDeployment { .. } => None,
        }
    }

    /// What a call acts on, as a policy would name it.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Call::UpdateService { service, .. } | Call::UpdateServicePrimaryTaskSet { service, .. } => service.to_string(),
            Call::StopServiceDeployment { deployment } | Call::ContinueServiceDeployment { deployment, .. } => deployment.to_string(),
            Call::RegisterTaskDefinition(register) => register.base.name().split(':').next().unwrap_or_default().to_owned(),
            Call::StopTask { cluster, .. }
            | Call::UpdateContainerInstancesState { cluster, .. }
            | Call::UpdateTaskProtection { cluster, .. } => cluster.to_string(),
            Call::RunTask { revision, .. } => revision.to_string(),
            Call::RegisterScalableTarget { resource, .. } => resource.to_string(),
            Call::CreateDeployment { group, .. } => group.to_string(),
            Call::StopDeployment { id } | Call::ContinueDeployment { id, .. } => id.to_string(),
        }
    }
}
