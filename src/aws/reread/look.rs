//! Looks for what a call left behind that nobody answered: whether it was done is found out by reading.

use super::{asking, cluster_of, names};
use crate::aws::api::Api;
use crate::aws::{AwsError, convert};
use crate::budget::Throttle;
use crate::change::Basis;
use crate::change::compare::MISSING;
use crate::change::trace::{Found, Trace};
use crate::model::{Arn, Service, Str, Task, Time};
use aws_sdk_codedeploy::types as deploy;
use aws_sdk_ecs::types as sdk;

impl Api {
    /// Whether a call that left this trace was done, by reading.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn look(&self, trace: &Trace) -> Result<Found, AwsError> {
        let told = |applies: bool, text: String| if applies { Found::Applies(text) } else { Found::Absent(text) };
        Ok(match trace {
            Trace::Service { service, .. } => {
                let read = self.services(cluster_of(service).as_deref(), std::slice::from_ref(service)).await?;
                match read.first() {
                    Some(now) => service_is(trace, now),
                    None => Found::Absent(format!("service {} is not there any more", service.name())),
                }
            }
            Trace::Stopped { deployment } => {
                let status = self.deployment(deployment).await?.map_or_else(|| MISSING.into(), |found| found.status);
                told(status.contains("ROLLBACK") || status.contains("STOP"), format!("the deployment is {status}"))
            }
            Trace::Answered { deployment, hook } => {
                let found = self.deployment(deployment).await?;
                let hook = found.as_ref().and_then(|found| found.hooks.iter().find(|known| known.id == *hook));
                let status = hook.map_or("no longer there", |hook| &*hook.status);
                told(status != "AWAITING_ACTION", format!("the hook is {status}"))
            }
            Trace::Registered { base, images } => {
                let family = base.name().split(':').next().unwrap_or_default();
                let newest = self.definition(family).await?;
                let older = base.name().rsplit(':').next().and_then(|number| number.parse::<u32>().ok());
                let fits = |(name, image): &(Str, Str)| newest.containers.iter().any(|c| c.name == *name && c.image == *image);
                let newer = older.is_some_and(|older| newest.revision > older) && images.iter().all(fits);
                told(newer, format!("the newest revision is {}", newest.arn.name()))
            }
            Trace::TaskStopped { task } => {
                let read = self.tasks(cluster_of(task).as_deref(), std::slice::from_ref(task)).await?;
                let alive = read.first().is_some_and(|task| matches!(Basis::task(task), Basis::Task { alive: true, .. }));
                told(!alive, format!("the task {}", if alive { "still runs" } else { "has stopped or stops" }))
            }
            Trace::TaskStarted { cluster, started_by, since } => self.started(cluster, started_by, *since).await?,
            Trace::Instances { cluster, instances, drain } => {
                let wanted = if *drain { "DRAINING" } else { "ACTIVE" };
                let read = self.instances(Some(cluster.as_str()), instances).await?;
                let so = read.iter().filter(|basis| matches!(basis, Basis::Instance { status, .. } if **status == *wanted)).count();
                told(so == instances.len(), format!("{so} of {} are {wanted}", instances.len()))
            }
            Trace::Protection { cluster, tasks, protect } => self.protection(cluster, tasks, *protect).await?,
            Trace::Range { resource, min, max, suspended } => {
                let Basis::Range { range, suspended: off, .. } = self.range(resource).await? else {
                    unreachable!("a range is read as a range")
                };
                let within = range.is_some_and(|(least, most)| min.is_none_or(|min| min == least) && max.is_none_or(|max| max == most));
                let off = suspended.is_none_or(|wanted| wanted == (off.scale_in, off.scale_out, off.scheduled));
                let range =
                    range.map_or_else(|| "there is no scaling range".to_owned(), |(a, b)| format!("the scaling range is {a} to {b}"));
                told(within && off, range)
            }
            Trace::CodeCreated { application, group, since } => self.created(application, group, *since).await?,
            Trace::CodeStopped { id } => {
                let status = convert::code_deployment(&self.code(id).await?).status;
                told(matches!(&*status, "Stopped" | "Failed"), format!("the deployment {id} is {status}"))
            }
            Trace::CodeContinued { id, wait } => {
                let info = self.code(id).await?;
                let status = convert::code_deployment(&info).status;
                let waits = if &**wait == "READY_WAIT" {
                    &*status == "Ready"
                } else {
                    info.instance_termination_wait_time_started() && &*status != "Succeeded"
                };
                told(!waits, format!("the deployment {id} is {status}"))
            }
        })
    }

    async fn started(&self, cluster: &Arn, started_by: &Str, since: Time) -> Result<Found, AwsError> {
        let what = format!("look for a task started by {started_by}");
        let asking = asking(Throttle::ClusterResourceRead, "ecs:ListTasks", &what);
        let mut arns = Vec::new();
        // startedBy goes with no other filter, and finds only what is to run; what has ended is told apart below.
        for ended in [false, true] {
            let ask = |client: std::sync::Arc<crate::aws::connect::Sdk>| {
                let ask = client.ecs.list_tasks().cluster(cluster.as_str());
                if ended { ask.desired_status(sdk::DesiredStatus::Stopped).send() } else { ask.started_by(&**started_by).send() }
            };
            arns.extend(self.call(asking, ask).await?.task_arns().iter().take(50).map(|arn| Arn(convert::clean(arn))));
        }
        let read = if arns.is_empty() { Vec::new() } else { self.tasks(Some(cluster.as_str()), &arns).await? };
        // Clocks differ by a second or two.
        let lately = |task: &&Task| {
            task.started_by.as_ref() == Some(started_by) && task.created_at.is_some_and(|at| at.as_second() + 5 >= since.as_second())
        };
        Ok(match read.iter().find(lately) {
            Some(task) => Found::Applies(format!("task {} was started", task.arn.name())),
            None => Found::Absent("no such task was started".to_owned()),
        })
    }

    async fn protection(&self, cluster: &Arn, tasks: &[Arn], protect: bool) -> Result<Found, AwsError> {
        let what = format!("read the protection of {}", names(tasks));
        let asking = asking(Throttle::TaskProtection, "ecs:GetTaskProtection", &what);
        let list: Vec<String> = tasks.iter().map(ToString::to_string).collect();
        let ask = |client: std::sync::Arc<crate::aws::connect::Sdk>| {
            client.ecs.get_task_protection().cluster(cluster.as_str()).set_tasks(Some(list.clone())).send()
        };
        let answer = self.call(asking, ask).await?;
        let so = answer.protected_tasks().iter().filter(|task| task.protection_enabled() == protect).count();
        let text = format!("{so} of {} are {}", tasks.len(), if protect { "protected" } else { "not protected" });
        Ok(if so == tasks.len() { Found::Applies(text) } else { Found::Absent(text) })
    }

    async fn created(&self, application: &Str, group: &Str, since: Time) -> Result<Found, AwsError> {
        let what = format!("look for a deployment in {group}");
        let asking = asking(Throttle::CodeDeploy, "codedeploy:ListDeployments", &what);
        // Clocks differ by a second or two.
        let start = aws_smithy_types::DateTime::from_secs(since.as_second() - 5);
        let range = deploy::TimeRange::builder().start(start).build();
        let answer = self
            .call(asking, |sdk| {
                let ask = sdk.codedeploy.list_deployments().application_name(&**application).deployment_group_name(&**group);
                ask.create_time_range(range.clone()).send()
            })
            .await?;
        Ok(match answer.deployments().first() {
            Some(id) => Found::Applies(format!("the deployment {} was created", convert::clean(id))),
            None => Found::Absent("no deployment was created since".to_owned()),
        })
    }
}

fn service_is(trace: &Trace, now: &Service) -> Found {
    let Trace::Service { desired, revision, after, exec, task_set, .. } = trace else { unreachable!("asked for a service's trace only") };
    let Basis::Service { revision: runs, deployment, .. } = Basis::service(now) else { unreachable!("a service is a service") };
    let primary = now.task_sets.iter().find(|set| &*set.status == "PRIMARY").map(|set| &set.id);
    let so = desired.is_none_or(|desired| desired == now.desired)
        && revision.as_ref().is_none_or(|revision| *revision == runs)
        && after.as_ref().is_none_or(|after| *after != deployment)
        && exec.is_none_or(|exec| exec == now.exec_enabled)
        && task_set.as_ref().is_none_or(|set| primary == Some(set));
    let name = &now.name;
    let text = match trace {
        Trace::Service { desired: Some(_), revision: None, .. } => format!("{name} wants {} tasks", now.desired),
        Trace::Service { exec: Some(_), .. } => format!("{name} has ECS Exec {}", if now.exec_enabled { "on" } else { "off" }),
        Trace::Service { task_set: Some(_), .. } => format!("the primary task set of {name} is {}", primary.map_or("none", |set| set)),
        _ => format!("{name} asks for {} in the deployment {deployment}", runs.name()),
    };
    if so { Found::Applies(text) } else { Found::Absent(text) }
}
