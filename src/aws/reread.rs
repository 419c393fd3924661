//! Reads again what a plan rests on, and looks for what a call left behind that nobody answered. Many at once, few calls: it stands
//! between the operator's word and the first request.

use super::api::{Api, Call as Asking};
use super::failure::{Doing, failure};
use super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::change::Basis;
use crate::change::compare::MISSING;
use crate::change::trace::{Found, Trace};
use crate::model::{Arn, Service, Str, Task, TaskDefinition, Time};
use aws_sdk_applicationautoscaling::types as scaling;
use aws_sdk_codedeploy::types as deploy;
use aws_sdk_ecs::types as sdk;
use futures_util::future::join_all;

fn asking<'a>(throttle: Throttle, action: &'a str, what: &'a str) -> Asking<'a> {
    Asking { throttle, priority: Priority::Focus, action, what }
}

fn doing(asking: Asking<'_>) -> Doing<'_> {
    Doing { action: asking.action, what: asking.what, profile: None }
}

/// Where a service, task or instance is, by its long ARN.
fn cluster_of(arn: &Arn) -> Option<String> {
    let (head, path) = arn.as_str().rsplit_once(':')?;
    let mut parts = path.split('/');
    let (_, cluster) = (parts.next()?, parts.next()?);
    parts.next()?;
    Some(format!("{head}:cluster/{cluster}"))
}

impl Api {
    /// The same things as they are now, in the same order. What AWS no longer names says [`MISSING`], or that it does not run.
    pub async fn reread(&self, basis: &[Basis]) -> Vec<Result<Basis, AwsError>> {
        let services = self.reread_services(basis);
        let tasks = self.reread_tasks(basis);
        let others = join_all(basis.iter().map(|basis| self.reread_one(basis)));
        let (services, tasks, others) = futures_util::future::join3(services, tasks, others).await;
        let found = basis.iter().zip(others).map(|(was, other)| {
            let batched = services.iter().chain(&tasks).find(|(arn, _)| match was {
                Basis::Service { arn: of, .. } | Basis::Task { arn: of, .. } => of == arn,
                _ => false,
            });
            match (other, batched) {
                (Some(read), _) => read,
                (None, Some((_, read))) => read.clone(),
                (None, None) => Ok(was.clone()),
            }
        });
        found.collect()
    }

    async fn reread_services(&self, basis: &[Basis]) -> Vec<(Arn, Result<Basis, AwsError>)> {
        let arns = basis.iter().filter_map(|basis| if let Basis::Service { arn, .. } = basis { Some(arn) } else { None });
        // DescribeServices takes ten names of one cluster.
        let batches = by_cluster(arns, 10).into_iter().map(async |(cluster, arns)| {
            let read = self.services(cluster.as_deref(), &arns).await;
            let one = |arn: &Arn| {
                let found = read.as_ref().map_err(Clone::clone).map(|all| all.iter().find(|service| service.arn == *arn));
                let was = basis.iter().find(|basis| matches!(basis, Basis::Service { arn: of, .. } if of == arn));
                let now = found.map(|found| match (found, was) {
                    (Some(service), _) => Basis::service(service),
                    (None, Some(Basis::Service { arn, desired, revision, deployment, state, .. })) => Basis::Service {
                        arn: arn.clone(),
                        status: MISSING.into(),
                        desired: *desired,
                        revision: revision.clone(),
                        deployment: deployment.clone(),
                        state: state.clone(),
                    },
                    (None, _) => unreachable!("the names come from the basis"),
                });
                (arn.clone(), now)
            };
            arns.iter().map(one).collect::<Vec<_>>()
        });
        join_all(batches).await.into_iter().flatten().collect()
    }

    async fn reread_tasks(&self, basis: &[Basis]) -> Vec<(Arn, Result<Basis, AwsError>)> {
        let arns = basis.iter().filter_map(|basis| if let Basis::Task { arn, .. } = basis { Some(arn) } else { None });
        let batches = by_cluster(arns, 100).into_iter().map(async |(cluster, arns)| {
            let read = self.tasks(cluster.as_deref(), &arns).await;
            let one = |arn: &Arn| {
                let found = read.as_ref().map_err(Clone::clone).map(|all| all.iter().find(|task| task.arn == *arn));
                (arn.clone(), found.map(|found| found.map_or_else(|| Basis::Task { arn: arn.clone(), alive: false }, Basis::task)))
            };
            arns.iter().map(one).collect::<Vec<_>>()
        });
        join_all(batches).await.into_iter().flatten().collect()
    }

    /// Nothing for what is read in batches.
    async fn reread_one(&self, basis: &Basis) -> Option<Result<Basis, AwsError>> {
        Some(match basis {
            Basis::Service { .. } | Basis::Task { .. } => return None,
            Basis::Range { resource, .. } => self.range(resource).await,
            Basis::Instance { arn, .. } => self
                .instances(cluster_of(arn).as_deref(), std::slice::from_ref(arn))
                .await
                .map(|mut all| all.pop().unwrap_or_else(|| Basis::Instance { arn: arn.clone(), status: MISSING.into() })),
            Basis::Deployment { arn, .. } => self.deployment(arn).await.map(|found| {
                found.map_or_else(|| Basis::Deployment { arn: arn.clone(), status: MISSING.into() }, |found| Basis::deployment(&found))
            }),
            Basis::Code { id, .. } => self.code(id).await.map(|info| Basis::code(&convert::code_deployment(&info))),
            Basis::Revision { arn, .. } => match self.definition(arn.as_str()).await {
                Ok(definition) => Ok(Basis::revision(&definition)),
                // What was deleted after it was deregistered is not even described.
                Err(error) if error.code.as_deref() == Some("ClientException") && error.kind != ErrorKind::Denied => {
                    Ok(Basis::Revision { arn: arn.clone(), active: false })
                }
                Err(error) => Err(error),
            },
        })
    }

    async fn services(&self, cluster: Option<&str>, arns: &[Arn]) -> Result<Vec<Service>, AwsError> {
        let what = format!("read {} again", names(arns));
        let asking = asking(Throttle::ServiceRead, "ecs:DescribeServices", &what);
        let list: Vec<String> = arns.iter().map(ToString::to_string).collect();
        let ask = |client: std::sync::Arc<super::connect::Sdk>| {
            client.ecs.describe_services().set_cluster(cluster.map(str::to_owned)).set_services(Some(list.clone())).send()
        };
        match self.call(asking, ask).await {
            Ok(answer) => Ok(answer.services().iter().map(|service| convert::service(service, None)).collect()),
            // The cluster is gone, and with it what was in it.
            Err(error) if error.code.as_deref() == Some("ClusterNotFoundException") => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// One task by its ARN or id; nothing when its cluster has none of that name.
    ///
    /// # Errors
    /// What AWS said.
    pub async fn task(&self, cluster: &Arn, task: &Arn) -> Result<Option<Task>, AwsError> {
        Ok(self.tasks(Some(cluster.as_str()), std::slice::from_ref(task)).await?.pop())
    }

    async fn tasks(&self, cluster: Option<&str>, arns: &[Arn]) -> Result<Vec<Task>, AwsError> {
        let what = format!("read {} again", names(arns));
        let asking = asking(Throttle::ClusterResourceRead, "ecs:DescribeTasks", &what);
        let list: Vec<String> = arns.iter().map(ToString::to_string).collect();
        let ask = |client: std::sync::Arc<super::connect::Sdk>| {
            client.ecs.describe_tasks().set_cluster(cluster.map(str::to_owned)).set_tasks(Some(list.clone())).send()
        };
        Ok(self.call(asking, ask).await?.tasks().iter().map(convert::task).collect())
    }

    async fn instances(&self, cluster: Option<&str>, arns: &[Arn]) -> Result<Vec<Basis>, AwsError> {
        let what = format!("read {} again", names(arns));
        let asking = asking(Throttle::ClusterResourceRead, "ecs:DescribeContainerInstances", &what);
        let list: Vec<String> = arns.iter().map(ToString::to_string).collect();
        let ask = |client: std::sync::Arc<super::connect::Sdk>| {
            let ask = client.ecs.describe_container_instances().set_cluster(cluster.map(str::to_owned));
            ask.set_container_instances(Some(list.clone())).send()
        };
        let answer = self.call(asking, ask).await?;
        Ok(answer.container_instances().iter().map(|instance| Basis::instance(&convert::container_instance(instance))).collect())
    }

    async fn range(&self, resource: &Str) -> Result<Basis, AwsError> {
        let what = format!("read the scaling range of {resource} again");
        let asking = asking(Throttle::Scaling, "application-autoscaling:DescribeScalableTargets", &what);
        let answer = self
            .call(asking, |sdk| {
                let ask = sdk.scaling.describe_scalable_targets().service_namespace(scaling::ServiceNamespace::Ecs);
                ask.resource_ids(&**resource).scalable_dimension(scaling::ScalableDimension::EcsServiceDesiredCount).send()
            })
            .await?;
        let target = answer.scalable_targets().first().map(convert::scalable_target);
        Ok(Basis::range(resource, target.as_ref()))
    }

    async fn deployment(&self, arn: &Arn) -> Result<Option<crate::model::ServiceDeployment>, AwsError> {
        let what = format!("read the deployment {} again", arn.name());
        let asking = asking(Throttle::ServiceDeployment, "ecs:DescribeServiceDeployments", &what);
        let answer = self.call(asking, |sdk| sdk.ecs.describe_service_deployments().service_deployment_arns(arn.as_str()).send()).await?;
        Ok(answer.service_deployments().first().map(convert::service_deployment))
    }

    async fn code(&self, id: &Str) -> Result<deploy::DeploymentInfo, AwsError> {
        let what = format!("read the CodeDeploy deployment {id} again");
        let asking = asking(Throttle::CodeDeploy, "codedeploy:GetDeployment", &what);
        let answer = self.call(asking, |sdk| sdk.codedeploy.get_deployment().deployment_id(&**id).send()).await?;
        answer.deployment_info.ok_or_else(|| failure(ErrorKind::Malformed, doing(asking), "the reply names none", ""))
    }

    async fn definition(&self, name: &str) -> Result<TaskDefinition, AwsError> {
        let what = format!("read {} again", name.rsplit('/').next().unwrap_or(name));
        let asking = asking(Throttle::TaskDefinitionRead, "ecs:DescribeTaskDefinition", &what);
        let answer = self.call(asking, |sdk| sdk.ecs.describe_task_definition().task_definition(name).send()).await?;
        let definition = answer.task_definition();
        let missing = || failure(ErrorKind::Malformed, doing(asking), "the reply names none", "");
        Ok(convert::task_definition(definition.ok_or_else(missing)?, None))
    }

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
            let ask = |client: std::sync::Arc<super::connect::Sdk>| {
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
        let ask = |client: std::sync::Arc<super::connect::Sdk>| {
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

fn names(arns: &[Arn]) -> String {
    match arns {
        [one] => one.name().to_owned(),
        many => format!("{} of them", many.len()),
    }
}

/// Things by their cluster, so many at a time.
fn by_cluster<'a>(arns: impl Iterator<Item = &'a Arn>, most: usize) -> Vec<(Option<String>, Vec<Arn>)> {
    let mut batches: Vec<(Option<String>, Vec<Arn>)> = Vec::new();
    for arn in arns {
        let cluster = cluster_of(arn);
        match batches.iter_mut().find(|(of, arns)| *of == cluster && arns.len() < most) {
            Some((_, batch)) if batch.contains(arn) => {}
            Some((_, batch)) => batch.push(arn.clone()),
            None => batches.push((cluster, vec![arn.clone()])),
        }
    }
    batches
}
