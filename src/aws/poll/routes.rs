//! What ELB is asked about the way from a load balancer to its target groups.

use super::super::api::{Api, Call};
use super::super::{AwsError, ErrorKind, convert};
use super::scaling::goes_on;
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::{Arn, Route};
use aws_sdk_elasticloadbalancingv2::types::{Listener, Rule};
use std::sync::Arc;

/// Pages of a list; a token that leads nowhere new ends it before.
const PAGES: usize = 20;

/// All rules of all listeners of a load balancer.
pub(super) async fn routes(api: &Api, load_balancer: &Arn, priority: Priority) -> Result<Value, AwsError> {
    let what = format!("describe the listeners of {}", name(load_balancer));
    let call = Call { throttle: Throttle::LoadBalancing, priority, action: "elasticloadbalancing:DescribeListeners", what: &what };
    let (mut listeners, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = api
            .call(call, |sdk| sdk.elb.describe_listeners().load_balancer_arn(load_balancer.as_str()).set_marker(token.clone()).send())
            .await?;
        listeners.extend(page.listeners.unwrap_or_default());
        if !goes_on(&mut token, page.next_marker) {
            break;
        }
    }
    let mut routes: Vec<Route> = Vec::new();
    for listener in listeners {
        routes.extend(convert::routes(&listener, &rules(api, load_balancer, &listener, priority).await?));
    }
    Ok(Value::Routes(Arc::new(routes)))
}

async fn rules(api: &Api, load_balancer: &Arn, listener: &Listener, priority: Priority) -> Result<Vec<Rule>, AwsError> {
    let what = format!("describe the rules of {}:{}", name(load_balancer), listener.port().unwrap_or(0));
    let call = Call { throttle: Throttle::LoadBalancing, priority, action: "elasticloadbalancing:DescribeRules", what: &what };
    let arn = listener.listener_arn().unwrap_or_default();
    let (mut rules, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = api.call(call, |sdk| sdk.elb.describe_rules().listener_arn(arn).set_marker(token.clone()).send()).await;
        let page = match page {
            Ok(page) => page,
            // A listener of a network load balancer has a default action and no rules.
            Err(error) if matches!(error.kind, ErrorKind::Invalid | ErrorKind::NotFound) => return Ok(rules),
            Err(error) => return Err(error),
        };
        rules.extend(page.rules.unwrap_or_default());
        if !goes_on(&mut token, page.next_marker) {
            break;
        }
    }
    Ok(rules)
}

/// A load balancer's name inside `…:loadbalancer/app/NAME/ID`.
fn name(load_balancer: &Arn) -> &str {
    load_balancer.as_str().rsplit('/').nth(1).unwrap_or(load_balancer.name())
}
