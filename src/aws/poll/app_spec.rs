//! What a new deployment of a service by CodeDeploy starts from: application, group, and the `AppSpec` that brought what serves now.

use super::super::api::{Api, Call};
use super::super::connect::Sdk;
use super::super::failure::{Doing, failure};
use super::super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::{AppSpec, Arn};
use aws_sdk_codedeploy::types as deploy;
use std::sync::Arc;

/// Applications and groups that one call describes.
const TOGETHER: usize = 100;

/// Pages of a list that are read; a token that leads nowhere new ends it before.
const PAGES: usize = 20;

fn call<'a>(priority: Priority, action: &'a str, what: &'a str) -> Call<'a> {
    Call { throttle: Throttle::CodeDeploy, priority, action, what }
}

/// The `AppSpec` by the deployment that its task sets name; where they name none, by the group that deploys the service.
pub(super) async fn app_spec(api: &Api, service: &Arn, priority: Priority) -> Result<Value, AwsError> {
    let id = match serving(api, service, priority).await? {
        Some(id) => id,
        None => last_of_group(api, service, priority).await?,
    };
    let what = format!("read the AppSpec of the CodeDeploy deployment {id}");
    let action = "codedeploy:GetDeployment";
    let answer = api.call(call(priority, action, &what), |sdk| sdk.codedeploy.get_deployment().deployment_id(&id).send()).await?;
    let doing = Doing { action, what: &what, profile: None };
    let info = answer.deployment_info().ok_or_else(|| failure(ErrorKind::Malformed, doing, "the reply names none", "Asking again"))?;
    let content = info.revision().and_then(content);
    let elsewhere = || {
        let kind = info.revision().and_then(|r| r.revision_type()).map_or("no revision", deploy::RevisionLocationType::as_str);
        failure(ErrorKind::NotFound, doing, &format!("it was not sent as a text but as {kind}"), "Deploy it as it was deployed before")
    };
    Ok(Value::AppSpec(Arc::new(AppSpec {
        application: convert::clean(info.application_name().unwrap_or_default()),
        group: convert::clean(info.deployment_group_name().unwrap_or_default()),
        content: content.ok_or_else(elsewhere)?.into(),
        deployment: convert::clean(&id),
    })))
}

fn content(revision: &deploy::RevisionLocation) -> Option<&str> {
    let own = revision.app_spec_content().and_then(|spec| spec.content());
    // The former name of the same.
    let former = || revision.string().and_then(|raw| raw.content());
    own.or_else(former).filter(|content| !content.is_empty())
}

/// The deployment that made the task set which serves.
async fn serving(api: &Api, service: &Arn, priority: Priority) -> Result<Option<String>, AwsError> {
    let what = format!("describe service {}", service.name());
    let call = Call { throttle: Throttle::ServiceRead, priority, action: "ecs:DescribeServices", what: &what };
    let cluster = service.cluster_name().map(str::to_owned);
    let send = |sdk: Arc<Sdk>| sdk.ecs.describe_services().set_cluster(cluster.clone()).services(service.as_str()).send();
    let answer = match api.call(call, send).await {
        Ok(answer) => answer,
        // The groups know the way too.
        Err(error) if error.kind == ErrorKind::Denied => return Ok(None),
        Err(error) => return Err(error),
    };
    let sets = answer.services().first().map(aws_sdk_ecs::types::Service::task_sets).unwrap_or_default();
    let primary = sets.iter().find(|set| set.status() == Some("PRIMARY"));
    Ok(primary.and_then(|set| set.external_id()).filter(|id| id.starts_with("d-")).map(str::to_owned))
}

/// The last deployment of the group that deploys the service which ended well.
async fn last_of_group(api: &Api, service: &Arn, priority: Priority) -> Result<String, AwsError> {
    let what = format!("find the CodeDeploy deployment group of {}", service.name());
    for application in applications(api, &what, priority).await? {
        for group in groups(api, &application, &what, priority).await? {
            let deploys = |own: &deploy::EcsService| {
                // AWS takes the cluster's name or its ARN here.
                let cluster = own.cluster_name().and_then(|name| name.rsplit('/').next());
                own.service_name() == Some(service.name()) && cluster == service.cluster_name()
            };
            if group.ecs_services().iter().any(deploys) {
                let last = group.last_successful_deployment().or(group.last_attempted_deployment());
                let doing = Doing { action: "codedeploy:BatchGetDeploymentGroups", what: &what, profile: None };
                let never =
                    || failure(ErrorKind::NotFound, doing, "its group has never deployed it", "Make the first deployment elsewhere");
                return last.and_then(|last| last.deployment_id()).map(str::to_owned).ok_or_else(never);
            }
        }
    }
    let doing = Doing { action: "codedeploy:BatchGetDeploymentGroups", what: &what, profile: None };
    Err(failure(ErrorKind::NotFound, doing, "no group deploys it", ""))
}

/// The names of all applications for ECS.
async fn applications(api: &Api, what: &str, priority: Priority) -> Result<Vec<String>, AwsError> {
    let (mut names, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let list = call(priority, "codedeploy:ListApplications", what);
        let page = api.call(list, |sdk| sdk.codedeploy.list_applications().set_next_token(token.clone()).send()).await?;
        names.extend(page.applications().to_vec());
        if !super::scaling::goes_on(&mut token, page.next_token) {
            break;
        }
    }
    let mut found = Vec::new();
    for some in names.chunks(TOGETHER) {
        let describe = call(priority, "codedeploy:BatchGetApplications", what);
        let send = |sdk: Arc<Sdk>| sdk.codedeploy.batch_get_applications().set_application_names(Some(some.to_vec())).send();
        let answer = api.call(describe, send).await?;
        let ecs = answer.applications_info().iter().filter(|info| info.compute_platform() == Some(&deploy::ComputePlatform::Ecs));
        found.extend(ecs.filter_map(|info| info.application_name()).map(str::to_owned));
    }
    Ok(found)
}

async fn groups(api: &Api, application: &str, what: &str, priority: Priority) -> Result<Vec<deploy::DeploymentGroupInfo>, AwsError> {
    let (mut names, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let list = call(priority, "codedeploy:ListDeploymentGroups", what);
        let send =
            |sdk: Arc<Sdk>| sdk.codedeploy.list_deployment_groups().application_name(application).set_next_token(token.clone()).send();
        let page = api.call(list, send).await?;
        names.extend(page.deployment_groups().to_vec());
        if !super::scaling::goes_on(&mut token, page.next_token) {
            break;
        }
    }
    let mut found = Vec::new();
    for some in names.chunks(TOGETHER) {
        let describe = call(priority, "codedeploy:BatchGetDeploymentGroups", what);
        let send = |sdk: Arc<Sdk>| {
            let ask = sdk.codedeploy.batch_get_deployment_groups().application_name(application);
            ask.set_deployment_group_names(Some(some.to_vec())).send()
        };
        found.extend(api.call(describe, send).await?.deployment_groups_info.unwrap_or_default());
    }
    Ok(found)
}
