//! What Application Auto Scaling is asked. Everything of a context at once where that costs no more than one service alone.

use super::super::api::{Api, Call};
use super::super::{AwsError, convert};
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::Str;
use aws_sdk_applicationautoscaling::types::ServiceNamespace;
use std::sync::Arc;

/// Largest page of targets, activities and schedules.
const PAGE: i32 = 50;

/// Pages of activities that are read: they come newest first, and six weeks of a busy service are thousands.
const ACTIVITY_PAGES: usize = 2;

/// Pages of any other list; a token that leads nowhere new ends it before.
const PAGES: usize = 100;

fn call<'a>(priority: Priority, action: &'a str, what: &'a str) -> Call<'a> {
    Call { throttle: Throttle::Scaling, priority, action, what }
}

/// Whether a list goes on with another page.
pub(super) fn goes_on(token: &mut Option<String>, next: Option<String>) -> bool {
    // A token that leads to itself would go on for ever.
    let new = next.filter(|next| !next.is_empty() && token.as_ref() != Some(next));
    let on = new.is_some();
    *token = new;
    on
}

/// The ranges of all services of the context.
pub(super) async fn targets(api: &Api, priority: Priority) -> Result<Value, AwsError> {
    let call = call(priority, "application-autoscaling:DescribeScalableTargets", "read the scaling ranges");
    let (mut rows, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = api
            .call(call, |sdk| {
                let ask = sdk.scaling.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs).max_results(PAGE);
                ask.set_next_token(token.clone()).send()
            })
            .await?;
        rows.extend(page.scalable_targets().iter().map(convert::scalable_target));
        if !goes_on(&mut token, page.next_token) {
            break;
        }
    }
    rows.sort_by(|a, b| a.resource.cmp(&b.resource));
    Ok(Value::ScalableTargets(Arc::new(rows)))
}

/// The policies of all services of the context.
pub(super) async fn policies(api: &Api, priority: Priority) -> Result<Value, AwsError> {
    let call = call(priority, "application-autoscaling:DescribeScalingPolicies", "read the scaling policies");
    let (mut rows, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = api
            // Without a size AWS chooses the largest page itself; what it allows here has changed over the years.
            .call(call, |sdk| {
                sdk.scaling.describe_scaling_policies().service_namespace(ServiceNamespace::Ecs).set_next_token(token.clone()).send()
            })
            .await?;
        rows.extend(page.scaling_policies().iter().map(convert::scaling_policy));
        if !goes_on(&mut token, page.next_token) {
            break;
        }
    }
    rows.sort_by(|a, b| (&a.resource, &a.name).cmp(&(&b.resource, &b.name)));
    Ok(Value::ScalingPolicies(Arc::new(rows)))
}

/// The schedules of all services of the context.
pub(super) async fn scheduled(api: &Api, priority: Priority) -> Result<Value, AwsError> {
    let call = call(priority, "application-autoscaling:DescribeScheduledActions", "read the scheduled scaling");
    let (mut rows, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = api
            .call(call, |sdk| {
                let ask = sdk.scaling.describe_scheduled_actions().service_namespace(ServiceNamespace::Ecs).max_results(PAGE);
                ask.set_next_token(token.clone()).send()
            })
            .await?;
        rows.extend(page.scheduled_actions().iter().map(convert::scheduled_action));
        if !goes_on(&mut token, page.next_token) {
            break;
        }
    }
    rows.sort_by(|a, b| (&a.resource, &a.name).cmp(&(&b.resource, &b.name)));
    Ok(Value::ScheduledActions(Arc::new(rows)))
}

/// The newest activities of a service, or of all, those included that scaled nothing and say why.
pub(super) async fn activities(api: &Api, resource: Option<&Str>, priority: Priority) -> Result<Value, AwsError> {
    let what = resource.map_or("read the scaling activities".to_owned(), |resource| format!("read the scaling activities of {resource}"));
    let call = call(priority, "application-autoscaling:DescribeScalingActivities", &what);
    let (mut rows, mut token) = (Vec::new(), None);
    for _ in 0..ACTIVITY_PAGES {
        let page = api
            .call(call, |sdk| {
                let ask = sdk.scaling.describe_scaling_activities().service_namespace(ServiceNamespace::Ecs).max_results(PAGE);
                let ask = ask.set_resource_id(resource.map(ToString::to_string)).include_not_scaled_activities(true);
                ask.set_next_token(token.clone()).send()
            })
            .await?;
        rows.extend(page.scaling_activities().iter().map(convert::scaling_activity));
        if !goes_on(&mut token, page.next_token) {
            break;
        }
    }
    rows.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
    Ok(Value::ScalingActivities(Arc::new(rows)))
}
