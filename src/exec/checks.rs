//! What ECS Exec needs before a session can be: each thing looked at as far as the caller's rights allow, with the fix where it is missing.
//!
//! Pure: it reads what the feeds brought and asks nothing. What EC2, IAM or KMS did not tell is never called passed; the check says what
//! to run to look. What a refusal means once it has come is [`explain_failure`]'s.

mod failure;
mod list;
mod look;
mod looked;
mod network;
mod rights;

pub use failure::{Explained, explain_failure};

use crate::aws::ErrorKind;
use crate::feed::Feed;
use crate::model::{Arn, Cluster, Container, ContainerDefinition, ContainerInstance, Ctx, Identity, Service, Str, Task, TaskDefinition};
use crate::store::{Slot, Store};
use looked::Looked;
use std::sync::Arc;

/// One thing that a session needs, or that its user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a few words that stay the same.
    pub what: &'static str,
    /// What was found, in words.
    pub told: String,
    /// How it stands.
    pub result: Finding,
    /// It is what IAM's simulator or the routes say, which a session may prove wrong: no reason to keep anybody from opening one.
    pub surmise: bool,
}

/// How a check came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// As it has to be.
    Passed,
    /// No session can be until this is mended.
    Failed {
        /// What mends it.
        fix: String,
    },
    /// A session can be, with this in mind; or this is the likely cause why none can.
    Warn {
        /// What would mend it.
        fix: String,
    },
    /// AWS refused to let the caller look.
    MayNotLook {
        /// The right that is missing, in IAM's words.
        action: Str,
        /// What somebody with more rights can run to look.
        look: Option<String>,
    },
    /// Nothing that a session needs, for whoever wants more than that.
    Aside,
    /// This program cannot tell.
    Unknown {
        /// What to run, or to look at, to know.
        look: String,
    },
    /// The answer has not come yet.
    Reading,
}

impl Check {
    /// Glyph before the check.
    #[must_use]
    pub fn glyph(&self) -> &'static str {
        match self.result {
            Finding::Passed => "●",
            Finding::Failed { .. } => "✖",
            Finding::Warn { .. } => "▲",
            Finding::MayNotLook { .. } | Finding::Unknown { .. } => "?",
            Finding::Reading => "◌",
            Finding::Aside => "·",
        }
    }

    /// One word for the finding, the same in every output.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.result {
            Finding::Passed => "passed",
            Finding::Failed { .. } => "failed",
            Finding::Warn { .. } => "warning",
            Finding::MayNotLook { .. } => "may not look",
            Finding::Unknown { .. } => "unknown",
            Finding::Reading => "reading",
            Finding::Aside => "aside",
        }
    }

    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        match &self.result {
            Finding::Failed { fix } | Finding::Warn { fix } => Some(fix.clone()),
            Finding::MayNotLook { action, look: None } => Some(format!("ask for {action} to have it looked at")),
            Finding::MayNotLook { action, look: Some(look) } => Some(format!("ask for {action}, or somebody who has it to run: {look}")),
            Finding::Unknown { look } => Some(look.clone()),
            Finding::Passed | Finding::Reading | Finding::Aside => None,
        }
    }

    /// Whether it keeps a session from being.
    #[must_use]
    pub fn failed(&self) -> bool {
        matches!(self.result, Finding::Failed { .. })
    }
}

/// Something that a feed was to bring.
#[derive(Clone, Debug, PartialEq)]
pub enum Known<T> {
    /// It is here.
    Yes(T),
    /// AWS refused: the action in IAM's words.
    Denied(Str),
    /// No answer; why, in words.
    Failed(Str),
    /// Asked, not answered yet.
    Reading,
    /// Answered, and there is none of it.
    None,
}

impl<T> Known<T> {
    fn yes(&self) -> Option<&T> {
        if let Known::Yes(value) = self { Some(value) } else { None }
    }

    /// The same for something that rests on it, and that is not there even where this is.
    fn same<U>(&self) -> Known<U> {
        match self {
            Known::Yes(_) | Known::None => Known::None,
            Known::Denied(action) => Known::Denied(action.clone()),
            Known::Failed(why) => Known::Failed(why.clone()),
            Known::Reading => Known::Reading,
        }
    }
}

/// What the checks go by.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The task.
    pub task: Arc<Task>,
    /// Name of the container.
    pub container: Str,
    /// Who asks.
    pub caller: Known<Arc<Identity>>,
    /// The task's cluster.
    pub cluster: Known<Arc<Cluster>>,
    /// What the task runs.
    pub definition: Known<Arc<TaskDefinition>>,
    /// The service that started it, where one did.
    pub service: Known<Arc<Service>>,
    /// The instance that it runs on, where it is one of the account's own.
    pub instance: Known<Arc<ContainerInstance>>,
    /// Actions of the caller that AWS has refused lately, in IAM's words.
    pub refused: Vec<Str>,
    /// Why a session that was asked for lately did not come about.
    pub failure: Option<Str>,
    /// What IAM, EC2 and KMS were to tell, and what they did.
    looked: Looked,
}

impl Facts {
    /// What the store knows of a task and one of its containers; nothing while the task itself is unknown.
    #[must_use]
    pub fn of(store: &Store, ctx: Ctx, cluster: &Arn, task: &Arn, container: &str) -> Option<Facts> {
        let task = store.task(ctx, cluster, task)?;
        let slot = |feed: &Feed| store.slot(feed);
        let clusters = slot(&Feed::Clusters(ctx));
        let found = store.clusters(ctx).and_then(|all| all.iter().find(|row| row.arn == task.cluster || *row.name == *task.cluster.name()));
        let service = match service_of(task) {
            None => Known::None,
            Some(arn) => known(store.service(ctx, cluster, &arn), slot(&Feed::Service(ctx, arn))),
        };
        let instance = match &task.instance {
            None => Known::None,
            Some(arn) => {
                let row = store.instances(ctx, cluster).and_then(|all| all.iter().find(|row| row.arn == *arn));
                known(row, slot(&Feed::Instances(ctx, cluster.clone())))
            }
        };
        let mut facts = Facts {
            task: Arc::clone(task),
            container: container.into(),
            caller: known(store.identity(ctx), slot(&Feed::Identity(ctx))),
            cluster: known(found, clusters),
            definition: known(store.definition(ctx, &task.task_definition), slot(&Feed::TaskDefinition(ctx, task.task_definition.clone()))),
            service,
            instance,
            refused: store.access(ctx).filter(|(_, access)| access.denied.is_some()).map(|(action, _)| action.clone()).collect(),
            failure: None,
            looked: Looked::new(),
        };
        looked::take_in(&mut facts, store, ctx);
        Some(facts)
    }

    /// The container in the task.
    pub(super) fn container(&self) -> Option<&Container> {
        self.task.containers.iter().find(|container| container.name == self.container)
    }

    /// The container in the definition.
    fn defined(&self) -> Option<&ContainerDefinition> {
        self.definition.yes()?.containers.iter().find(|container| container.name == self.container)
    }

    fn windows(&self) -> bool {
        self.definition.yes().and_then(|definition| definition.platform.as_deref()).is_some_and(|platform| platform.starts_with("WINDOWS"))
    }

    /// The task's own role.
    fn own_role(&self) -> Option<&Str> {
        self.task.role.as_ref().or_else(|| self.definition.yes()?.task_role.as_ref())
    }

    /// Whether the task runs where AWS owns the instance.
    fn fargate(&self) -> bool {
        let provider = self.task.capacity_provider.as_deref().is_some_and(|provider| provider.starts_with("FARGATE"));
        provider || self.task.launch_type.as_deref() == Some("FARGATE")
    }
}

/// The feeds that the checks of a task go by, beside the tasks of its cluster; without [`looks`].
#[must_use]
pub fn feeds(store: &Store, ctx: Ctx, cluster: &Arn, task: &Arn) -> Vec<Feed> {
    let mut feeds = vec![Feed::Identity(ctx), Feed::Clusters(ctx)];
    if let Some(task) = store.task(ctx, cluster, task) {
        feeds.push(Feed::TaskDefinition(ctx, task.task_definition.clone()));
        feeds.extend(service_of(task).map(|service| Feed::Service(ctx, service)));
        feeds.extend(task.instance.as_ref().map(|_| Feed::Instances(ctx, cluster.clone())));
    }
    feeds
}

/// What IAM, EC2 and KMS are asked about a session in a container, as far as the answers so far lead. Only for whoever is about to open one:
/// each is a call that nothing else on screen needs.
#[must_use]
pub fn looks(store: &Store, ctx: Ctx, cluster: &Arn, task: &Arn, container: &str) -> Vec<Feed> {
    let facts = Facts::of(store, ctx, cluster, task, container);
    facts.into_iter().flat_map(|facts| facts.looked).map(|(look, _)| Feed::Look(ctx, look)).collect()
}

/// What would still be in the way, or in mind, of a session in the tasks that a service starts once exec is on: as if one of its tasks was
/// started anew from what the service runs now, and its agents had come up. Nothing while no task of it is known.
#[must_use]
pub fn once_enabled(store: &Store, ctx: Ctx, cluster: &Arn, service: &Service) -> Option<Vec<(Str, Check)>> {
    let model = store.tasks_of(ctx, cluster, &service.name).iter().find(|task| !task.stopped())?;
    let definition =
        known(store.definition(ctx, &service.task_definition), store.slot(&Feed::TaskDefinition(ctx, service.task_definition.clone())));
    let names: Vec<Str> = match &definition {
        Known::Yes(definition) => definition.containers.iter().map(|container| container.name.clone()).collect(),
        _ => model.containers.iter().map(|container| container.name.clone()).collect(),
    };
    let any = model.containers.first()?;
    let up = |name: &Str| {
        let own = model.containers.iter().find(|container| container.name == *name).unwrap_or(any);
        let state = || "RUNNING".into();
        Container { name: name.clone(), status: state(), exec_agent: Some(state()), exec_reason: None, ..own.clone() }
    };
    let task = Arc::new(Task {
        exec_enabled: true,
        status: crate::model::TaskStatus::Running,
        task_definition: service.task_definition.clone(),
        containers: names.iter().map(up).collect(),
        ..Task::clone(model)
    });
    let mut found: Vec<(Str, Check)> = Vec::new();
    for name in names {
        let Some(facts) = Facts::of(store, ctx, cluster, &model.arn, &name) else { continue };
        let facts = Facts { task: Arc::clone(&task), definition: definition.clone(), ..facts };
        let telling = checks(&facts).into_iter().filter(|check| matches!(check.result, Finding::Failed { .. } | Finding::Warn { .. }));
        // What is said of the task is said once, not for each of its containers.
        let new: Vec<_> = telling.filter(|check| !found.iter().any(|(_, known)| known == check)).collect();
        found.extend(new.into_iter().map(|check| (name.clone(), check)));
    }
    Some(found)
}

/// The service that started a task.
fn service_of(task: &Task) -> Option<Arn> {
    let (head, _) = task.arn.as_str().split_once(":task/")?;
    Some(Arn(format!("{head}:service/{}/{}", task.cluster.name(), task.service()?).into()))
}

fn known<T>(value: Option<&Arc<T>>, slot: Option<&Slot>) -> Known<Arc<T>> {
    let error = slot.and_then(|slot| slot.error.as_deref());
    match (value, error) {
        (Some(value), _) => Known::Yes(Arc::clone(value)),
        (None, Some(error)) if error.kind == ErrorKind::Denied => Known::Denied(error.action.clone()),
        (None, Some(error)) => Known::Failed(error.what.clone()),
        (None, None) if slot.is_some_and(|slot| slot.value.is_some() && slot.expected.is_none()) => Known::None,
        (None, None) => Known::Reading,
    }
}

/// Every check of one container, in the order in which a session comes to need them.
#[must_use]
pub fn checks(facts: &Facts) -> Vec<Check> {
    list::all(facts)
}

/// Whether a session of this container is written down somewhere, in one line: whoever opens it should know.
#[must_use]
pub fn audit(facts: &Facts) -> String {
    let cluster = match &facts.cluster {
        Known::Yes(cluster) => cluster,
        Known::Denied(action) => return format!("whether the session is recorded is not known: AccessDenied for {action}"),
        Known::Failed(what) => return format!("whether the session is recorded is not known: {what}"),
        Known::Reading => return "reading whether the session is recorded …".to_owned(),
        Known::None => return "whether the session is recorded is not known".to_owned(),
    };
    let group = || facts.defined().and_then(|container| container.logs.as_ref()).filter(|logs| &*logs.driver == "awslogs");
    match cluster.exec.logging.as_deref() {
        Some("NONE") => "what is shown in the session is recorded nowhere (cluster: logging NONE)".to_owned(),
        Some("OVERRIDE") => {
            let group = cluster.exec.log_group.as_ref().map(|(group, _)| format!("log group {group}"));
            let bucket = cluster.exec.bucket.as_ref().map(|(bucket, _)| format!("s3://{bucket}"));
            match [group, bucket].into_iter().flatten().collect::<Vec<_>>().as_slice() {
                [] => "the cluster records sessions, but names neither log group nor bucket".to_owned(),
                places => format!("what is shown in the session is recorded in {} (cluster configuration)", places.join(" and ")),
            }
        }
        // AWS takes an absent configuration for DEFAULT, which uses the container's own awslogs driver, if it has one.
        _ => match group().and_then(|logs| logs.option("awslogs-group")) {
            Some(group) => format!("what is shown in the session is recorded in the container's log group {group}"),
            None if facts.definition.yes().is_none() => {
                "what is shown in the session is recorded where the container logs, if it uses awslogs".to_owned()
            }
            None => "what is shown in the session is recorded nowhere: the container has no awslogs driver".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests;
