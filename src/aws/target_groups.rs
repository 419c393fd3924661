//! Settings of target groups. Panes want them one by one; AWS's scarcest budget wants them asked for together.

use super::api::{Api, Call};
use super::failure::{Doing, failure};
use super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::model::{Arn, TargetGroup};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long the first of a batch waits for company.
const GATHER: Duration = Duration::from_millis(10);

/// Groups in one call. One that is unknown fails the whole call, which then is repeated one by one: a small batch keeps that cheap.
const TOGETHER: usize = 20;

type Answer = Result<TargetGroup, AwsError>;

/// Who waits for which group.
#[derive(Debug, Default)]
pub(super) struct Batch(Mutex<Vec<(Arn, oneshot::Sender<Answer>)>>);

impl Batch {
    fn join(&self, arn: &Arn) -> (bool, oneshot::Receiver<Answer>) {
        let (tell, answer) = oneshot::channel();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((arn.clone(), tell));
        (waiting.len() == 1, answer)
    }

    fn leave(&self) -> Vec<(Arn, oneshot::Sender<Answer>)> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Who gave up need not be asked for.
        waiting.retain(|(_, tell)| !tell.is_closed());
        let rest = waiting.len().saturating_sub(TOGETHER);
        waiting.split_off(rest)
    }
}

/// One target group, asked for together with the others that are wanted at the same moment.
pub(super) async fn target_group(api: &Api, arn: &Arn, priority: Priority) -> Answer {
    let (first, answer) = api.target_groups().join(arn);
    if first {
        // A task of its own, so that the others are answered though the first one gives up.
        let api = api.clone();
        tokio::spawn(async move {
            tokio::time::sleep(GATHER).await;
            loop {
                let batch = api.target_groups().leave();
                if batch.is_empty() {
                    break;
                }
                answer_all(&api, batch, priority).await;
            }
        });
    }
    answer.await.unwrap_or_else(|_| Err(absent(arn)))
}

async fn answer_all(api: &Api, batch: Vec<(Arn, oneshot::Sender<Answer>)>, priority: Priority) {
    let mut arns: Vec<&Arn> = batch.iter().map(|(arn, _)| arn).collect();
    arns.sort_unstable();
    arns.dedup();
    let together = describe(api, &arns, priority).await;
    for (arn, tell) in batch {
        let one = match &together {
            Ok(groups) => groups.iter().find(|group| group.arn == arn).cloned().ok_or_else(|| absent(&arn)),
            Err(error) if error.kind == ErrorKind::NotFound => {
                describe(api, &[&arn], priority).await.and_then(|groups| groups.into_iter().next().ok_or_else(|| absent(&arn)))
            }
            Err(error) => Err(error.clone()),
        };
        // The pane that asked may be gone.
        let _ = tell.send(one);
    }
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
