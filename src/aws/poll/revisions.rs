//! Service revisions: what a deployment ran, in full. They never change, so each is asked for once, together with its kin.

use super::super::api::{Api, Call};
use super::super::batch::{Asking, ask_together};
use super::super::failure::{Doing, failure};
use super::super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::{Arn, ServiceRevision};
use std::sync::Arc;
use std::time::Duration;

/// How long the first of a batch waits for company.
const GATHER: Duration = Duration::from_millis(10);

/// `DescribeServiceRevisions` takes at most so many.
const TOGETHER: usize = 20;

const ACTION: &str = "ecs:DescribeServiceRevisions";

/// One service revision.
pub(super) async fn revision(api: &Api, arn: &Arn, priority: Priority) -> Result<Value, AwsError> {
    let asking = Asking { batch: Api::revisions, gather: GATHER, together: TOGETHER };
    let answer = ask_together(api, asking, arn, move |api, arns| answer_all(api, arns, priority)).await;
    answer.unwrap_or_else(|| Err(absent(arn))).map(|revision| Value::ServiceRevision(Arc::new(revision)))
}

async fn answer_all(api: Api, arns: Vec<Arn>, priority: Priority) -> Vec<(Arn, Result<ServiceRevision, AwsError>)> {
    let call = Call { throttle: Throttle::ServiceRevision, priority, action: ACTION, what: "describe the service revisions" };
    let names: Vec<String> = arns.iter().map(ToString::to_string).collect();
    let answer = api.call(call, |sdk| sdk.ecs.describe_service_revisions().set_service_revision_arns(Some(names.clone())).send()).await;
    let found: Result<Vec<ServiceRevision>, AwsError> =
        answer.map(|answer| answer.service_revisions().iter().map(convert::service_revision).collect());
    let one = |arn: Arn| {
        let one = match &found {
            Ok(found) => found.iter().find(|revision| revision.arn == arn).cloned().ok_or_else(|| absent(&arn)),
            Err(error) => Err(error.clone()),
        };
        (arn, one)
    };
    arns.into_iter().map(one).collect()
}

fn absent(arn: &Arn) -> AwsError {
    let what = format!("describe the service revision {}", arn.name());
    let doing = Doing { action: ACTION, what: &what, profile: None };
    failure(ErrorKind::NotFound, doing, "AWS keeps none from before 25 October 2024", "")
}
