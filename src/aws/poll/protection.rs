//! Which of some tasks may not be stopped by scaling in and by deployments now.

use super::super::api::{Api, Call};
use super::super::{AwsError, convert};
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::{Arn, Protected};
use std::sync::Arc;

/// `GetTaskProtection` takes so many.
const TOGETHER: usize = 100;

/// The protected ones of some tasks of a cluster. Tasks of no service have none, and are no failure.
pub(super) async fn protection(api: &Api, cluster: &Arn, tasks: &[Arn], priority: Priority) -> Result<Value, AwsError> {
    let what = format!("read the protection of tasks in {}", cluster.name());
    let call = Call { throttle: Throttle::TaskProtection, priority, action: "ecs:GetTaskProtection", what: &what };
    let mut found = Vec::new();
    for some in tasks.chunks(TOGETHER) {
        let names: Vec<String> = some.iter().map(ToString::to_string).collect();
        let ask = |sdk: Arc<super::super::connect::Sdk>| {
            sdk.ecs.get_task_protection().cluster(cluster.as_str()).set_tasks(Some(names.clone())).send()
        };
        let answer = api.call(call, ask).await?;
        let protected = answer.protected_tasks().iter().filter(|task| task.protection_enabled());
        found.extend(protected.filter_map(|task| {
            Some(Protected { task: Arn(convert::clean(task.task_arn()?)), until: convert::time(task.expiration_date()) })
        }));
    }
    Ok(Value::Protection(Arc::new(found)))
}
