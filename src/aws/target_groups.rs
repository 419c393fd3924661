//! Settings of target groups. Panes want them one by one; AWS's scarcest budget wants them asked for together.

use super::api::{Api, Call};
use super::batch::{Asking, ask_together};
use super::failure::{Doing, failure};
use super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::model::{Arn, TargetGroup};
use std::time::Duration;

/// How long the first of a batch waits for company.
const GATHER: Duration = Duration::from_millis(10);

/// Groups in one call. One that is unknown fails the whole call, which then is repeated one by one: a small batch keeps that cheap.
const TOGETHER: usize = 20;

type Answer = Result<TargetGroup, AwsError>;

/// One target group, asked for together with the others that are wanted at the same moment.
pub(super) async fn target_group(api: &Api, arn: &Arn, priority: Priority) -> Answer {
    let asking = Asking { batch: Api::target_groups, gather: GATHER, together: TOGETHER };
    let answer = ask_together(api, asking, arn, move |api, arns| answer_all(api, arns, priority)).await;
    answer.unwrap_or_else(|| Err(absent(arn)))
}

async fn answer_all(api: Api, arns: Vec<Arn>, priority: Priority) -> Vec<(Arn, Answer)> {
    let together = describe(&api, &arns.iter().collect::<Vec<_>>(), priority).await;
    let mut answers = Vec::with_capacity(arns.len());
    for arn in arns {
        let one = match &together {
            Ok(groups) => groups.iter().find(|group| group.arn == arn).cloned().ok_or_else(|| absent(&arn)),
            Err(error) if error.kind == ErrorKind::NotFound => {
                describe(&api, &[&arn], priority).await.and_then(|groups| groups.into_iter().next().ok_or_else(|| absent(&arn)))
            }
            Err(error) => Err(error.clone()),
        };
        answers.push((arn, one));
    }
    answers
}

async fn describe(api: &Api, arns: &[&Arn], priority: Priority) -> Result<Vec<TargetGroup>, AwsError> {
    let what = match arns {
        [one] => format!("describe target group {}", one.target_group_name()),
        several => format!("describe {} target groups", several.len()),
    };
    let call = Call { throttle: Throttle::LoadBalancing, priority, action: "elasticloadbalancing:DescribeTargetGroups", what: &what };
    let names: Vec<String> = arns.iter().map(ToString::to_string).collect();
    let answer = api.call(call, |sdk| sdk.elb.describe_target_groups().set_target_group_arns(Some(names.clone())).send()).await?;
    Ok(answer.target_groups().iter().map(convert::target_group).collect())
}

fn absent(arn: &Arn) -> AwsError {
    let what = format!("describe target group {}", arn.target_group_name());
    let doing = Doing { action: "elasticloadbalancing:DescribeTargetGroups", what: &what, profile: None };
    failure(ErrorKind::NotFound, doing, "it does not exist any more", "")
}
