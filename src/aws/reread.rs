//! Reads again what a plan rests on. Many at once, few calls: it stands between the operator's word and the first request.

mod look;

use super::api::{Api, Call as Asking};
use super::failure::{Doing, failure};
use super::poll::{images, vault};
use super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::change::Basis;
use crate::change::compare::MISSING;
use crate::feed::Value;
use crate::model::{Arn, ScalableTarget, Service, Str, Task, TaskDefinition};
use aws_sdk_applicationautoscaling::types as scaling;
use aws_sdk_codedeploy::types as deploy;
use futures_util::future::join_all;
use std::time::Duration;

/// The longest wait for what a change can go on without: a registry or a vault that is slow, or has many to tell of.
const BESIDE: Duration = Duration::from_secs(5);

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

/// A second reading of what plans rest on.
pub struct Reread {
    /// The same things as they are now, in the same order.
    pub basis: Vec<Result<Basis, AwsError>>,
    /// The services among them in full, so that a plan can be made anew from them.
    pub services: Vec<Service>,
}

impl Api {
    /// The same things as they are now, in the same order. What AWS no longer names says [`MISSING`], or that it does not run.
    pub async fn reread(&self, basis: &[Basis]) -> Vec<Result<Basis, AwsError>> {
        self.read_again(basis).await.basis
    }

    /// The same, with the services in full.
    pub async fn read_again(&self, basis: &[Basis]) -> Reread {
        let (services, tasks, ranges) = (self.reread_services(basis), self.reread_tasks(basis), self.reread_ranges(basis));
        let others = join_all(basis.iter().map(async |basis| {
            if !basis.can_be_missed() {
                return self.reread_one(basis).await;
            }
            let doing = Doing { action: "", what: "read again what the change rests on", profile: None };
            let read = tokio::time::timeout(BESIDE, self.reread_one(basis)).await;
            read.unwrap_or_else(|_| Some(Err(failure(ErrorKind::Timeout, doing, "no answer in 5 s", ""))))
        }));
        let (services, tasks, ranges, others) = futures_util::future::join4(services, tasks, ranges, others).await;
        let found = basis.iter().zip(others).map(|(was, other)| {
            let service = |arn: &Arn| services.iter().find(|(of, _)| of == arn).map(|(_, read)| read);
            match (was, other) {
                (_, Some(read)) => read,
                (Basis::Service { arn, .. } | Basis::Bounds { arn, .. }, _) => match service(arn) {
                    Some(Ok(Some(now))) if matches!(was, Basis::Bounds { .. }) => Ok(Basis::bounds(now)),
                    Some(Ok(Some(now))) => Ok(Basis::service(now)),
                    Some(Ok(None)) => Ok(missing(was)),
                    Some(Err(error)) => Err(error.clone()),
                    None => Ok(was.clone()),
                },
                (Basis::Task { arn, .. }, _) => {
                    tasks.iter().find(|(of, _)| of == arn).map_or_else(|| Ok(was.clone()), |(_, read)| read.clone())
                }
                (Basis::Range { resource, .. }, _) => {
                    ranges.iter().find(|(of, _)| of == resource).map_or_else(|| Ok(was.clone()), |(_, read)| read.clone())
                }
                (_, None) => Ok(was.clone()),
            }
        });
        let basis = found.collect();
        Reread { basis, services: services.into_iter().filter_map(|(_, read)| read.ok().flatten()).collect() }
    }

    async fn reread_services(&self, basis: &[Basis]) -> Vec<(Arn, Result<Option<Service>, AwsError>)> {
        let arns = basis.iter().filter_map(|basis| match basis {
            Basis::Service { arn, .. } | Basis::Bounds { arn, .. } => Some(arn),
            _ => None,
        });
        // DescribeServices takes ten names of one cluster.
        let batches = by_cluster(arns, 10).into_iter().map(async |(cluster, arns)| {
            let read = self.services(cluster.as_deref(), &arns).await;
            let one = |arn: &Arn| {
                let found = read.as_ref().map_err(Clone::clone).map(|all| all.iter().find(|service| service.arn == *arn).cloned());
                (arn.clone(), found)
            };
            arns.iter().map(one).collect::<Vec<_>>()
        });
        join_all(batches).await.into_iter().flatten().collect()
    }

    async fn reread_ranges(&self, basis: &[Basis]) -> Vec<(Str, Result<Basis, AwsError>)> {
        let all: Vec<&Str> =
            basis.iter().filter_map(|basis| if let Basis::Range { resource, .. } = basis { Some(resource) } else { None }).collect();
        // DescribeScalableTargets takes 50 of them.
        let batches = all.chunks(50).map(async |resources| {
            let read = self.ranges(resources).await;
            let one = |resource: &&Str| {
                let found = read.as_ref().map_err(Clone::clone);
                let range = found.map(|all| Basis::range(resource, all.iter().find(|target| target.resource == **resource)));
                (Str::clone(resource), range)
            };
            resources.iter().map(one).collect::<Vec<_>>()
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
            Basis::Service { .. } | Basis::Bounds { .. } | Basis::Task { .. } | Basis::Range { .. } => return None,
            Basis::Image { reference, .. } => match images::image(self, reference, Priority::Focus).await {
                Ok(Value::Image(image)) => Ok(Basis::image(reference, Some(&image))),
                Ok(_) => Ok(basis.clone()),
                Err(error) if matches!(error.code.as_deref(), Some("ImageNotFoundException" | "RepositoryNotFoundException")) => {
                    Ok(Basis::image(reference, None))
                }
                Err(error) => Err(error),
            },
            Basis::Vault { from, .. } => match vault::vault(self, from, Priority::Focus).await {
                Ok(Value::Vault(held)) => Ok(Basis::vault(from, &held)),
                Ok(_) => Ok(basis.clone()),
                Err(error) => Err(error),
            },
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
        Ok(Basis::range(resource, self.ranges(&[resource]).await?.first()))
    }

    async fn ranges(&self, resources: &[&Str]) -> Result<Vec<ScalableTarget>, AwsError> {
        let of = if let [one] = resources { one.to_string() } else { format!("{} services", resources.len()) };
        let what = format!("read the scaling range of {of} again");
        let asking = asking(Throttle::Scaling, "application-autoscaling:DescribeScalableTargets", &what);
        let names: Vec<String> = resources.iter().map(ToString::to_string).collect();
        let answer = self
            .call(asking, |sdk| {
                let ask = sdk.scaling.describe_scalable_targets().service_namespace(scaling::ServiceNamespace::Ecs);
                let ask = ask.set_resource_ids(Some(names.clone()));
                ask.scalable_dimension(scaling::ScalableDimension::EcsServiceDesiredCount).send()
            })
            .await?;
        Ok(answer.scalable_targets().iter().map(convert::scalable_target).collect())
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
}

/// What was known of a service that AWS no longer names.
fn missing(was: &Basis) -> Basis {
    match was {
        Basis::Service { arn, desired, revision, deployment, state, .. } => Basis::Service {
            arn: arn.clone(),
            status: MISSING.into(),
            desired: *desired,
            revision: revision.clone(),
            deployment: deployment.clone(),
            state: state.clone(),
        },
        other => other.clone(),
    }
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
