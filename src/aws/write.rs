//! The only place that sends a change: the gate is asked first, then exactly what the call names goes out, once.
//!
//! Nothing is sent again behind the operator's back but what AWS throttled, which was not done. What AWS could not do although it
//! answered with success (`failures` of a reply) is an error here.

mod register;

use super::api::{Api, Call as Asking};
use super::failure::{Doing, failure};
use super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::change::app_spec::with_task_definition;
use crate::change::gate::Asked;
use crate::change::{Call, Revision, ServiceChange};
use crate::model::{Arn, Service, Str};
use aws_sdk_applicationautoscaling::types as scaling;
use aws_sdk_codedeploy::types as deploy;
use aws_sdk_ecs::types as sdk;
use aws_types::request_id::RequestId;

/// What AWS answered to a call that was done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sent {
    /// AWS's request id.
    pub request_id: Option<Str>,
    /// The revision that was registered.
    pub registered: Option<Arn>,
    /// The deployment or task that was made.
    pub made: Option<Str>,
    /// The service as it stands afterwards, where the answer tells: some roles may see it nowhere else.
    pub service: Option<Box<Service>>,
}

impl Sent {
    fn of(answer: &impl RequestId) -> Sent {
        Sent { request_id: answer.request_id().map(convert::clean), ..Sent::default() }
    }
}

impl Api {
    /// Sends a call, once. `registered` is the revision that an earlier step of the same plan made.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] when the gate keeps it, else what AWS said. Where [`AwsError::may_apply`] holds, it may have been done all the
    /// same.
    pub async fn send(&self, call: &Call, registered: Option<&Arn>) -> Result<Sent, AwsError> {
        let what = words(call, registered);
        let (cluster, target) = (call.cluster(), call.target());
        let asked = Asked { ctx: self.ctx(), cluster: cluster.as_ref(), action: call.action(), target: &target };
        let doing = Doing { action: call.action(), what: &what, profile: None };
        if let Err(why) = self.gate().check(asked, self.now()) {
            return Err(failure(ErrorKind::Locked, doing, &why, ""));
        }
        let sent = self.send_through(call, registered, &what).await;
        if let Err(error) = &sent
            && error.kind == ErrorKind::Denied
            && *error.action == *call.action()
        {
            self.gate().learn_refusal(asked, &error.came().into(), self.now());
        }
        sent
    }

    async fn send_through(&self, call: &Call, registered: Option<&Arn>, what: &str) -> Result<Sent, AwsError> {
        let asking = |throttle| Asking { throttle, priority: Priority::Focus, action: call.action(), what };
        let doing = Doing { action: call.action(), what, profile: None };
        match call {
            Call::UpdateService { cluster, service, set } => {
                self.update_service(asking(Throttle::ServiceModify), cluster, service, set, registered).await
            }
            Call::StopServiceDeployment { deployment } => {
                let answer = self
                    .call(asking(Throttle::ServiceModify), |sdk| {
                        let ask = sdk.ecs.stop_service_deployment().service_deployment_arn(deployment.as_str());
                        ask.stop_type(sdk::StopServiceDeploymentStopType::Rollback).send()
                    })
                    .await?;
                Ok(Sent { made: Some(deployment.as_str().into()), ..Sent::of(&answer) })
            }
            Call::ContinueServiceDeployment { deployment, hook, roll_back } => {
                let action =
                    if *roll_back { sdk::DeploymentLifecycleHookAction::Rollback } else { sdk::DeploymentLifecycleHookAction::Continue };
                let answer = self
                    .call(asking(Throttle::ServiceModify), |sdk| {
                        let ask = sdk.ecs.continue_service_deployment().service_deployment_arn(deployment.as_str());
                        ask.hook_id(&**hook).action(action.clone()).send()
                    })
                    .await?;
                Ok(Sent { made: Some(deployment.as_str().into()), ..Sent::of(&answer) })
            }
            Call::UpdateServicePrimaryTaskSet { cluster, service, task_set } => {
                let answer = self
                    .call(asking(Throttle::ServiceModify), |sdk| {
                        let ask = sdk.ecs.update_service_primary_task_set().cluster(cluster.as_str()).service(service.as_str());
                        ask.primary_task_set(&**task_set).send()
                    })
                    .await?;
                Ok(Sent { made: Some(task_set.clone()), ..Sent::of(&answer) })
            }
            Call::RegisterTaskDefinition(register) => register::register(self, register, asking(Throttle::TaskDefinitionModify)).await,
            Call::StopTask { cluster, task, reason } => {
                let answer = self
                    .call(asking(Throttle::ClusterResourceModify), |sdk| {
                        sdk.ecs.stop_task().cluster(cluster.as_str()).task(task.as_str()).reason(reason).send()
                    })
                    .await?;
                Ok(Sent { made: Some(task.as_str().into()), ..Sent::of(&answer) })
            }
            Call::RunTask { .. } => self.run_task(asking(Throttle::ClusterResourceModify), call, doing).await,
            Call::UpdateContainerInstancesState { cluster, instances, drain } => {
                let status = if *drain { sdk::ContainerInstanceStatus::Draining } else { sdk::ContainerInstanceStatus::Active };
                let names: Vec<String> = instances.iter().map(ToString::to_string).collect();
                let answer = self
                    .call(asking(Throttle::ClusterResourceModify), |sdk| {
                        let ask = sdk.ecs.update_container_instances_state().cluster(cluster.as_str());
                        ask.set_container_instances(Some(names.clone())).status(status.clone()).send()
                    })
                    .await?;
                whole(Sent::of(&answer), answer.failures(), doing)
            }
            Call::UpdateTaskProtection { cluster, tasks, protect, minutes } => {
                let names: Vec<String> = tasks.iter().map(ToString::to_string).collect();
                let minutes = minutes.map(|minutes| number(minutes, doing)).transpose()?;
                let answer = self
                    .call(asking(Throttle::TaskProtection), |sdk| {
                        let ask = sdk.ecs.update_task_protection().cluster(cluster.as_str()).set_tasks(Some(names.clone()));
                        ask.protection_enabled(*protect).set_expires_in_minutes(minutes).send()
                    })
                    .await?;
                whole(Sent::of(&answer), answer.failures(), doing)
            }
            Call::RegisterScalableTarget { .. } => self.register_range(asking(Throttle::Scaling), call, doing).await,
            Call::CreateDeployment { .. } => self.create_deployment(asking(Throttle::CodeDeploy), call, registered, doing).await,
            Call::StopDeployment { id } => {
                let answer = self
                    .call(asking(Throttle::CodeDeploy), |sdk| {
                        sdk.codedeploy.stop_deployment().deployment_id(&**id).auto_rollback_enabled(true).send()
                    })
                    .await?;
                Ok(Sent { made: Some(id.clone()), ..Sent::of(&answer) })
            }
            Call::ContinueDeployment { id, wait } => {
                let answer = self
                    .call(asking(Throttle::CodeDeploy), |sdk| {
                        let wait = deploy::DeploymentWaitType::from(*wait);
                        sdk.codedeploy.continue_deployment().deployment_id(&**id).deployment_wait_type(wait).send()
                    })
                    .await?;
                Ok(Sent { made: Some(id.clone()), ..Sent::of(&answer) })
            }
        }
    }

    async fn update_service(
        &self,
        asking: Asking<'_>,
        cluster: &Arn,
        service: &Arn,
        set: &ServiceChange,
        registered: Option<&Arn>,
    ) -> Result<Sent, AwsError> {
        let doing = Doing { action: asking.action, what: asking.what, profile: None };
        let desired = set.desired.map(|desired| number(desired, doing)).transpose()?;
        let revision = set.revision.as_ref().map(|revision| revision_of(revision, registered, doing)).transpose()?;
        let answer = self
            .call(asking, |sdk| {
                let ask = sdk.ecs.update_service().cluster(cluster.as_str()).service(service.as_str()).set_desired_count(desired);
                let ask = ask.set_task_definition(revision.as_ref().map(ToString::to_string)).set_enable_execute_command(set.exec);
                ask.set_force_new_deployment(set.force.then_some(true)).send()
            })
            .await?;
        let now = answer.service().map(|service| Box::new(convert::service(service, None)));
        let primary = now.as_ref().and_then(|service| service.deployments.first());
        Ok(Sent { made: primary.map(|deployment| deployment.id.clone()), service: now, ..Sent::of(&answer) })
    }

    async fn register_range(&self, asking: Asking<'_>, call: &Call, doing: Doing<'_>) -> Result<Sent, AwsError> {
        let Call::RegisterScalableTarget { resource, min, max, suspended } = call else {
            return Err(failure(ErrorKind::Invalid, doing, "this is no RegisterScalableTarget", ""));
        };
        let bound = |count: &Option<u32>| count.map(|count| number(count, doing)).transpose();
        let (min, max) = (bound(min)?, bound(max)?);
        let suspended = suspended.map(|off| {
            let state = scaling::SuspendedState::builder().dynamic_scaling_in_suspended(off.scale_in);
            state.dynamic_scaling_out_suspended(off.scale_out).scheduled_scaling_suspended(off.scheduled).build()
        });
        let answer = self
            .call(asking, |sdk| {
                let ask = sdk.scaling.register_scalable_target().service_namespace(scaling::ServiceNamespace::Ecs);
                let ask = ask.resource_id(&**resource).scalable_dimension(scaling::ScalableDimension::EcsServiceDesiredCount);
                ask.set_min_capacity(min).set_max_capacity(max).set_suspended_state(suspended.clone()).send()
            })
            .await?;
        Ok(Sent::of(&answer))
    }

    async fn create_deployment(
        &self,
        asking: Asking<'_>,
        call: &Call,
        registered: Option<&Arn>,
        doing: Doing<'_>,
    ) -> Result<Sent, AwsError> {
        let Call::CreateDeployment { application, group, app_spec, revision, description } = call else {
            return Err(failure(ErrorKind::Invalid, doing, "this is no CreateDeployment", ""));
        };
        let revision = revision_of(revision, registered, doing)?;
        let content = with_task_definition(app_spec, revision.as_str())
            .map_err(|why| failure(ErrorKind::Invalid, doing, &why, "Nothing was sent; the AppSpec is to be mended first"))?;
        let spec = deploy::AppSpecContent::builder().content(content).build();
        let location = deploy::RevisionLocation::builder().revision_type(deploy::RevisionLocationType::AppSpecContent);
        let location = location.app_spec_content(spec).build();
        let answer = self
            .call(asking, |sdk| {
                let ask = sdk.codedeploy.create_deployment().application_name(&**application).deployment_group_name(&**group);
                ask.revision(location.clone()).description(description).send()
            })
            .await?;
        Ok(Sent { made: answer.deployment_id().map(convert::clean), ..Sent::of(&answer) })
    }

    async fn run_task(&self, asking: Asking<'_>, call: &Call, doing: Doing<'_>) -> Result<Sent, AwsError> {
        let Call::RunTask { cluster, revision, launch_type, capacity_providers, network, command, started_by, client_token } = call else {
            return Err(failure(ErrorKind::Invalid, doing, "this is no RunTask", ""));
        };
        let mut strategy = Vec::new();
        for (provider, base, weight) in capacity_providers {
            let item = sdk::CapacityProviderStrategyItem::builder().capacity_provider(&**provider);
            let item = item.base(number(*base, doing)?).weight(number(*weight, doing)?).build();
            strategy.push(item.map_err(|error| failure(ErrorKind::Invalid, doing, &error.to_string(), ""))?);
        }
        let network = match network {
            None => None,
            Some((subnets, groups, public)) => {
                let owned = |names: &[Str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
                let vpc = sdk::AwsVpcConfiguration::builder().set_subnets(Some(owned(subnets)));
                let vpc = vpc.set_security_groups((!groups.is_empty()).then(|| owned(groups)));
                let vpc = vpc.set_assign_public_ip(public.as_deref().map(sdk::AssignPublicIp::from)).build();
                let vpc = vpc.map_err(|error| failure(ErrorKind::Invalid, doing, &error.to_string(), ""))?;
                Some(sdk::NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
            }
        };
        let overrides = command.as_ref().map(|(container, words)| {
            let with = sdk::ContainerOverride::builder().name(&**container).set_command(Some(words.clone())).build();
            sdk::TaskOverride::builder().container_overrides(with).build()
        });
        let answer = self
            .call(asking, |sdk| {
                let ask = sdk.ecs.run_task().cluster(cluster.as_str()).task_definition(revision.as_str()).count(1);
                let ask = ask.set_launch_type(launch_type.as_deref().map(sdk::LaunchType::from)).set_network_configuration(network.clone());
                let ask = ask.set_capacity_provider_strategy((!strategy.is_empty()).then(|| strategy.clone()));
                ask.set_overrides(overrides.clone()).started_by(started_by).client_token(client_token).send()
            })
            .await?;
        let sent = whole(Sent::of(&answer), answer.failures(), doing)?;
        Ok(Sent { made: answer.tasks().first().and_then(|task| task.task_arn()).map(convert::clean), ..sent })
    }
}

/// A good reply may say that some or all of it was not done.
fn whole(sent: Sent, failures: &[sdk::Failure], doing: Doing) -> Result<Sent, AwsError> {
    if failures.is_empty() {
        return Ok(sent);
    }
    let one = |failure: &sdk::Failure| {
        let on = failure.arn().map_or("", |arn| arn.rsplit('/').next().unwrap_or(arn));
        let detail = failure.detail().map_or(String::new(), |detail| format!(" ({detail})"));
        format!("{}{}{on}{detail}", failure.reason().unwrap_or("refused"), if on.is_empty() { "" } else { " on " })
    };
    let came: Vec<String> = failures.iter().map(one).collect();
    let error = failure(ErrorKind::Invalid, doing, &came.join("; "), "");
    Err(AwsError { request_id: sent.request_id, code: failures[0].reason().map(convert::clean), ..error })
}

fn number(count: u32, doing: Doing) -> Result<i32, AwsError> {
    i32::try_from(count).map_err(|_| failure(ErrorKind::Invalid, doing, &format!("{count} is more than AWS can count"), ""))
}

fn revision_of(revision: &Revision, registered: Option<&Arn>, doing: Doing) -> Result<Arn, AwsError> {
    let known = match revision {
        Revision::Known(arn) => Some(arn),
        Revision::Registered => registered,
    };
    known.cloned().ok_or_else(|| failure(ErrorKind::Invalid, doing, "the revision was not registered", ""))
}

/// What is being done, to follow "Cannot".
fn words(call: &Call, registered: Option<&Arn>) -> String {
    let named = |revision: &Revision| match revision {
        Revision::Known(arn) => arn.name().to_owned(),
        Revision::Registered => registered.map_or("the new revision", Arn::name).to_owned(),
    };
    match call {
        Call::UpdateService { service, set, .. } => match set {
            ServiceChange { revision: Some(revision), .. } => format!("deploy {} to {}", named(revision), service.name()),
            ServiceChange { desired: Some(desired), .. } => format!("scale {} to {desired}", service.name()),
            ServiceChange { force: true, .. } => format!("redeploy {}", service.name()),
            _ => format!("change {}", service.name()),
        },
        Call::StopServiceDeployment { deployment } => format!("roll back the deployment of {}", service_in(deployment)),
        Call::ContinueServiceDeployment { deployment, roll_back: false, .. } => {
            format!("continue the deployment of {}", service_in(deployment))
        }
        Call::ContinueServiceDeployment { deployment, .. } => format!("roll back the paused deployment of {}", service_in(deployment)),
        Call::UpdateServicePrimaryTaskSet { service, task_set, .. } => {
            format!("make {task_set} the primary task set of {}", service.name())
        }
        Call::RegisterTaskDefinition(register) => format!("register a clone of {}", register.base.name()),
        Call::StopTask { task, .. } => format!("stop task {}", task.name()),
        Call::RunTask { revision, .. } => format!("run a task of {}", revision.name()),
        Call::UpdateContainerInstancesState { instances, drain, .. } => {
            format!("{} {}", if *drain { "drain" } else { "activate" }, listed(instances))
        }
        Call::UpdateTaskProtection { tasks, protect, .. } => {
            format!("{} {}", if *protect { "protect" } else { "unprotect" }, listed(tasks))
        }
        Call::RegisterScalableTarget { resource, .. } => {
            format!("change the scaling range of {}", resource.rsplit('/').next().unwrap_or(resource))
        }
        Call::CreateDeployment { group, revision, .. } => format!("start a deployment of {} in {group}", named(revision)),
        Call::StopDeployment { id } => format!("stop the deployment {id}"),
        Call::ContinueDeployment { id, .. } => format!("continue the deployment {id}"),
    }
}

fn listed(arns: &[Arn]) -> String {
    arns.iter().map(Arn::name).collect::<Vec<_>>().join(", ")
}

/// The service of `…:service-deployment/CLUSTER/SERVICE/ID`.
fn service_in(deployment: &Arn) -> &str {
    deployment.as_str().rsplit('/').nth(1).unwrap_or(deployment.name())
}
