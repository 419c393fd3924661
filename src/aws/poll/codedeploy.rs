//! What CodeDeploy is asked about a deployment that it runs on a service.

use super::super::api::{Api, Call};
use super::super::failure::{Doing, failure};
use super::super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::{Arn, CodeDeployment, Shift, Str};
use std::sync::Arc;

/// The deployment with its target. Where the target may not be read, the rest is shown and says so.
pub(super) async fn deployment(
    api: &Api,
    service: &Arn,
    id: &Str,
    before: Option<&CodeDeployment>,
    priority: Priority,
) -> Result<Value, AwsError> {
    let what = format!("read the CodeDeploy deployment {id}");
    let action = "codedeploy:GetDeployment";
    let call = |action, what| Call { throttle: Throttle::CodeDeploy, priority, action, what };
    let answer = api.call(call(action, &what), |sdk| sdk.codedeploy.get_deployment().deployment_id(&**id).send()).await?;
    let missing = || failure(ErrorKind::Malformed, Doing { action, what: &what, profile: None }, "the reply names none", "Asking again");
    let mut deployment = convert::code_deployment(answer.deployment_info().ok_or_else(missing)?);
    // A config never changes under its name, so it is asked for once.
    deployment.shift = match before.filter(|before| before.config == deployment.config) {
        Some(before) => before.shift,
        None => shift(api, &deployment, priority).await,
    };
    let target = format!("{}:{}", service.cluster_name().unwrap_or("default"), service.name());
    let what = format!("read the target of the CodeDeploy deployment {id}");
    let ask = |sdk: Arc<super::super::connect::Sdk>| sdk.codedeploy.get_deployment_target().deployment_id(&**id).target_id(&target).send();
    match api.call(call("codedeploy:GetDeploymentTarget", &what), ask).await {
        Ok(answer) => {
            let read = answer.deployment_target().and_then(|target| target.ecs_target()).map(convert::target_of);
            (deployment.events, deployment.task_sets) = read.unwrap_or_default();
        }
        // A deployment that has just been created has no target yet.
        Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Invalid | ErrorKind::Other) => {
            deployment.target_missing = Some(error.what);
        }
        Err(error) => return Err(error),
    }
    Ok(Value::CodeDeployment(Arc::new(deployment)))
}

/// How its config moves traffic; by the config's name where the config may not be read.
async fn shift(api: &Api, deployment: &CodeDeployment, priority: Priority) -> Option<Shift> {
    let named = deployment.shift;
    if named.is_some() || deployment.config.is_empty() || deployment.config.starts_with("CodeDeployDefault.") {
        return named;
    }
    let what = format!("read the deployment config {}", deployment.config);
    let call = Call { throttle: Throttle::CodeDeploy, priority, action: "codedeploy:GetDeploymentConfig", what: &what };
    let answer = api.call(call, |sdk| sdk.codedeploy.get_deployment_config().deployment_config_name(&*deployment.config).send()).await;
    answer.ok()?.deployment_config_info().and_then(convert::shift)
}
