//! Revisions of a family, and one revision as AWS tells it to whoever wants to register another like it: in its own JSON, so that a
//! field which this build does not know is not lost without a word.

use super::super::api::{Api, Call};
use super::super::connect::Sdk;
use super::super::failure::{Doing, failure};
use super::super::interceptors::Body;
use super::super::{AwsError, ErrorKind, convert};
use super::scaling::goes_on;
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::{Arn, Revisions, Str};
use aws_sdk_ecs::types::{SortOrder, TaskDefinitionField, TaskDefinitionStatus};
use std::sync::Arc;

/// Largest page.
const PAGE: i32 = 100;

/// Pages that are read: nobody goes back three hundred releases.
const PAGES: usize = 3;

/// A revision with its tags, unmasked.
pub(super) async fn raw(api: &Api, arn: &Arn, priority: Priority) -> Result<Value, AwsError> {
    let what = format!("read task definition {}", arn.name());
    let action = "ecs:DescribeTaskDefinition";
    let call = Call { throttle: Throttle::TaskDefinitionRead, priority, action, what: &what };
    let body = Body::default();
    let send = |sdk: Arc<Sdk>| {
        let ask = sdk.ecs.describe_task_definition().task_definition(arn.as_str()).include(TaskDefinitionField::Tags);
        ask.customize().interceptor(body.clone()).send()
    };
    api.call(call, send).await?;
    let json = body.take().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let json = json.filter(|json| json["taskDefinition"]["containerDefinitions"].is_array());
    let doing = Doing { action, what: &what, profile: None };
    json.map(|json| Value::RawDefinition(Arc::new(json)))
        .ok_or_else(|| failure(ErrorKind::Malformed, doing, "the reply could not be read", "Asking again"))
}

/// The newest revisions of a family that can be deployed.
pub(super) async fn revisions(api: &Api, family: &Str, priority: Priority) -> Result<Value, AwsError> {
    let what = format!("list the revisions of {family}");
    let call = Call { throttle: Throttle::TaskDefinitionRead, priority, action: "ecs:ListTaskDefinitions", what: &what };
    let (mut arns, mut token, mut cut) = (Vec::new(), None, false);
    for n in 1..=PAGES {
        let send = |sdk: Arc<Sdk>| {
            // AWS calls it a prefix and means the whole name.
            let ask = sdk.ecs.list_task_definitions().family_prefix(&**family).status(TaskDefinitionStatus::Active);
            ask.sort(SortOrder::Desc).max_results(PAGE).set_next_token(token.clone()).send()
        };
        let page = api.call(call, send).await?;
        arns.extend(page.task_definition_arns().iter().map(|arn| Arn(convert::clean(arn))));
        if !goes_on(&mut token, page.next_token) {
            break;
        }
        cut = n == PAGES;
    }
    Ok(Value::Revisions(Arc::new(Revisions { arns, cut })))
}
