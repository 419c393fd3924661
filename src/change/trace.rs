//! What would be seen at AWS if a call was done: so that a call without an answer, or one of a run that was killed, can be found out
//! about by reading. Goes into the journal with the intent.

use super::{Basis, Call, Revision};
use crate::model::{Arn, Str, Time};
use serde::{Deserialize, Serialize};

/// What to look for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "look_for", rename_all = "snake_case")]
pub enum Trace {
    /// A service that is so.
    Service {
        /// Which.
        service: Arn,
        /// The count that it wants.
        desired: Option<u32>,
        /// The revision that it asks for.
        revision: Option<Arn>,
        /// A newer deployment than this one.
        after: Option<Str>,
        /// Whether new tasks get the agent of ECS Exec.
        exec: Option<bool>,
        /// The task set that serves.
        task_set: Option<Str>,
    },
    /// A service deployment that was told to stop.
    Stopped {
        /// Which.
        deployment: Arn,
    },
    /// A hook that no longer waits.
    Answered {
        /// Of this deployment.
        deployment: Arn,
        /// Which.
        hook: Str,
    },
    /// A revision of a family that is newer than the base and has these images.
    Registered {
        /// The revision that was cloned.
        base: Arn,
        /// Container and image.
        images: Vec<(Str, Str)>,
    },
    /// A task that is to stop.
    TaskStopped {
        /// Which.
        task: Arn,
    },
    /// A task that somebody started.
    TaskStarted {
        /// Where.
        cluster: Arn,
        /// Its `startedBy`.
        started_by: Str,
        /// Not before.
        since: Time,
    },
    /// Container instances that drain, or take tasks.
    Instances {
        /// Where.
        cluster: Arn,
        /// Which.
        instances: Vec<Arn>,
        /// `DRAINING`, else `ACTIVE`.
        drain: bool,
    },
    /// Tasks that are protected, or are not.
    Protection {
        /// Where.
        cluster: Arn,
        /// Which.
        tasks: Vec<Arn>,
        /// Whether they are.
        protect: bool,
    },
    /// A range of Application Auto Scaling.
    Range {
        /// `service/CLUSTER/SERVICE`.
        resource: Str,
        /// Fewest tasks.
        min: Option<u32>,
        /// Most tasks.
        max: Option<u32>,
        /// Scaling in, scaling out and schedules: which are switched off.
        suspended: Option<(bool, bool, bool)>,
    },
    /// A deployment of CodeDeploy that was created.
    CodeCreated {
        /// Application.
        application: Str,
        /// Deployment group.
        group: Str,
        /// Not before.
        since: Time,
    },
    /// A deployment of CodeDeploy that was stopped.
    CodeStopped {
        /// Its id.
        id: Str,
    },
    /// A deployment of CodeDeploy that no longer waits.
    CodeContinued {
        /// Its id.
        id: Str,
        /// `READY_WAIT` or `TERMINATION_WAIT`.
        wait: Str,
    },
}

/// What reading told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The call was done.
    Applies(String),
    /// There is no sign of it.
    Absent(String),
}

impl Trace {
    /// What to look for after a call. `basis` is how things were, `registered` the revision that an earlier step made, `now` the time
    /// before the call.
    #[must_use]
    pub fn of(call: &Call, basis: &[Basis], registered: Option<&Arn>, now: Time) -> Trace {
        match call {
            Call::UpdateService { service, set, .. } => Trace::Service {
                service: service.clone(),
                desired: set.desired,
                revision: set.revision.as_ref().and_then(|revision| named(revision, registered)),
                after: (set.force || set.revision.is_some()).then(|| deployment_of(basis, service)).flatten(),
                exec: set.exec,
                task_set: None,
            },
            Call::UpdateServicePrimaryTaskSet { service, task_set, .. } => Trace::Service {
                service: service.clone(),
                desired: None,
                revision: None,
                after: None,
                exec: None,
                task_set: Some(task_set.clone()),
            },
            Call::StopServiceDeployment { deployment } => Trace::Stopped { deployment: deployment.clone() },
            Call::ContinueServiceDeployment { deployment, hook, .. } => {
                Trace::Answered { deployment: deployment.clone(), hook: hook.clone() }
            }
            Call::RegisterTaskDefinition(register) => Trace::Registered { base: register.base.clone(), images: register.images.clone() },
            Call::StopTask { task, .. } => Trace::TaskStopped { task: task.clone() },
            Call::RunTask { cluster, started_by, .. } => {
                Trace::TaskStarted { cluster: cluster.clone(), started_by: started_by.as_str().into(), since: now }
            }
            Call::UpdateContainerInstancesState { cluster, instances, drain } => {
                Trace::Instances { cluster: cluster.clone(), instances: instances.clone(), drain: *drain }
            }
            Call::UpdateTaskProtection { cluster, tasks, protect, .. } => {
                Trace::Protection { cluster: cluster.clone(), tasks: tasks.clone(), protect: *protect }
            }
            Call::RegisterScalableTarget { resource, min, max, suspended } => Trace::Range {
                resource: resource.clone(),
                min: *min,
                max: *max,
                suspended: suspended.map(|off| (off.scale_in, off.scale_out, off.scheduled)),
            },
            Call::CreateDeployment { application, group, .. } => {
                Trace::CodeCreated { application: application.clone(), group: group.clone(), since: now }
            }
            Call::StopDeployment { id } => Trace::CodeStopped { id: id.clone() },
            Call::ContinueDeployment { id, wait } => Trace::CodeContinued { id: id.clone(), wait: (*wait).into() },
        }
    }
}

fn named(revision: &Revision, registered: Option<&Arn>) -> Option<Arn> {
    match revision {
        Revision::Known(arn) => Some(arn.clone()),
        Revision::Registered => registered.cloned(),
    }
}

fn deployment_of(basis: &[Basis], service: &Arn) -> Option<Str> {
    basis.iter().find_map(|basis| match basis {
        Basis::Service { arn, deployment, .. } if arn == service => Some(deployment.clone()),
        _ => None,
    })
}
