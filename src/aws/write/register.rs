//! Registers a clone of a revision with other images. The typed SDK drops what it does not know, so what it is about to send is held
//! against what was shown to the operator, and is not sent when anything of that is missing or different. Elastic Inference, which AWS
//! has ended, is such a thing.

use super::Sent;
use crate::aws::api::{Api, Call as Asking};
use crate::aws::failure::{Doing, failure};
use crate::aws::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::change::Register;
use crate::model::Arn;
use aws_sdk_ecs::types as sdk;
use aws_sdk_sts::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// Differences that are named; the rest is counted.
const NAMED: usize = 6;

pub(super) async fn register(api: &Api, register: &Register, asking: Asking<'_>) -> Result<Sent, AwsError> {
    let doing = Doing { action: asking.action, what: asking.what, profile: None };
    let (base, tags) = base(api, register).await?;
    let mut containers = base.container_definitions.unwrap_or_default();
    for (name, image) in &register.images {
        let container = containers.iter_mut().find(|container| container.name().is_some_and(|own| convert::clean(own) == *name));
        let missing = || failure(ErrorKind::Invalid, doing, &format!("{} has no container {name}", register.base.name()), "");
        container.ok_or_else(missing)?.image = Some(image.to_string());
    }
    let check = Check { expected: Arc::clone(&register.request), found: Arc::default() };
    let answer = api
        .call(asking, |client| {
            let ask = client.ecs.register_task_definition().set_family(base.family.clone());
            let ask = ask.set_task_role_arn(base.task_role_arn.clone()).set_execution_role_arn(base.execution_role_arn.clone());
            let ask = ask.set_network_mode(base.network_mode.clone()).set_container_definitions(Some(containers.clone()));
            let ask = ask.set_volumes(base.volumes.clone()).set_placement_constraints(base.placement_constraints.clone());
            let ask = ask.set_requires_compatibilities(base.requires_compatibilities.clone());
            let ask = ask.set_cpu(base.cpu.clone()).set_memory(base.memory.clone()).set_tags(tags.clone());
            let ask = ask.set_pid_mode(base.pid_mode.clone()).set_ipc_mode(base.ipc_mode.clone());
            let ask = ask.set_proxy_configuration(base.proxy_configuration.clone());
            let ask = ask.set_ephemeral_storage(base.ephemeral_storage.clone()).set_runtime_platform(base.runtime_platform.clone());
            ask.set_enable_fault_injection(base.enable_fault_injection).customize().interceptor(check.clone()).send()
        })
        .await;
    let differ = std::mem::take(&mut *check.found.lock().unwrap_or_else(PoisonError::into_inner));
    if !differ.is_empty() {
        let more = differ.len().saturating_sub(NAMED);
        let named = differ.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        let came = format!("what would be sent is not what was shown: {named}{rest}");
        let hint = "Nothing was sent; fields that this version does not know would be lost. Register it with the AWS CLI";
        return Err(failure(ErrorKind::Invalid, doing, &came, hint));
    }
    let answer = answer?;
    let made = answer.task_definition().and_then(|made| made.task_definition_arn()).map(|arn| Arn(convert::clean(arn)));
    let unnamed = || failure(ErrorKind::Malformed, doing, "the reply names no revision", "");
    let made = made.ok_or_else(unnamed)?;
    Ok(Sent { registered: Some(made), ..Sent::of(&answer) })
}

/// The revision that is cloned, as AWS knows it now, with its tags.
async fn base(api: &Api, register: &Register) -> Result<(sdk::TaskDefinition, Option<Vec<sdk::Tag>>), AwsError> {
    let what = format!("read {} to clone it", register.base.name());
    let action = "ecs:DescribeTaskDefinition";
    let asking = Asking { throttle: Throttle::TaskDefinitionRead, priority: Priority::Focus, action, what: &what };
    let answer = api
        .call(asking, |client| {
            let ask = client.ecs.describe_task_definition().task_definition(register.base.as_str());
            ask.include(sdk::TaskDefinitionField::Tags).send()
        })
        .await?;
    let missing = || failure(ErrorKind::Malformed, Doing { action, what: &what, profile: None }, "the reply names none", "");
    // Tags of AWS's own, as CloudFormation's, may not be sent.
    let own = |tag: &sdk::Tag| !tag.key().is_some_and(|key| key.to_lowercase().starts_with("aws:"));
    let tags = answer.tags.map(|tags| tags.into_iter().filter(own).collect::<Vec<_>>()).filter(|tags| !tags.is_empty());
    Ok((answer.task_definition.ok_or_else(missing)?, tags))
}

/// Holds a request against what was shown, before it is signed.
#[derive(Clone, Debug)]
struct Check {
    expected: Arc<Value>,
    found: Arc<Mutex<Vec<String>>>,
}

#[dyn_dispatch_hint]
impl Intercept for Check {
    fn name(&self) -> &'static str {
        "Check"
    }

    fn read_before_signing(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request().body().bytes().unwrap_or_default();
        let found = match serde_json::from_slice::<Value>(body) {
            Ok(sent) => differences(&self.expected, &sent),
            Err(error) => vec![format!("the request itself ({error})")],
        };
        if found.is_empty() {
            return Ok(());
        }
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Err("the request is not what was shown".into())
    }
}

/// Where two requests differ, by path. A list that is empty and one that is not there say the same, and so do 0 CPU units of a container
/// and none, which the SDK writes always.
fn differences(expected: &Value, sent: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", expected, sent, &mut found);
    found
}

fn compare(path: &str, expected: &Value, sent: &Value, found: &mut Vec<String>) {
    match (expected, sent) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) if key == "tags" && path.is_empty() => compare(&inner, &sorted(a), &sorted(b), found),
                    (Some(a), Some(b)) => compare(&inner, a, b, found),
                    (Some(only), None) | (None, Some(only)) if says_nothing(key, only) => {}
                    (Some(_), None) => found.push(format!("{inner} is missing")),
                    (None, _) => found.push(format!("{inner} was not shown")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{n}]"), a, b, found);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        (a, b) if a == b => {}
        _ => found.push(format!("{path} is different")),
    }
}

fn says_nothing(key: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Number(number) => key == "cpu" && number.as_i64() == Some(0),
        _ => false,
    }
}

/// AWS keeps no order among tags.
fn sorted(tags: &Value) -> Value {
    let mut tags = tags.as_array().cloned().unwrap_or_default();
    tags.sort_by_key(ToString::to_string);
    Value::Array(tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_that_would_be_lost_is_named() {
        let shown = json!({"family": "web", "containerDefinitions": [{"name": "app", "image": "a:2", "dreams": {"deep": true}, "cpu": 0}]});
        let sent = json!({"family": "web", "containerDefinitions": [{"name": "app", "image": "a:2"}]});
        assert_eq!(differences(&shown, &sent), ["containerDefinitions[0].dreams is missing"]);
        assert_eq!(differences(&sent, &shown), ["containerDefinitions[0].dreams was not shown"]);
        let other = json!({"family": "web", "containerDefinitions": [{"name": "app", "image": "a:3"}]});
        assert_eq!(differences(&sent, &other), ["containerDefinitions[0].image is different"]);
        let two = json!({"family": "web", "containerDefinitions": []});
        assert_eq!(differences(&sent, &two), ["containerDefinitions is different"]);
    }

    #[test]
    fn what_says_nothing_is_no_difference() {
        let shown = json!({"volumes": [], "cpu": "256", "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]});
        let sent = json!({"cpu": "256", "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]});
        assert!(differences(&shown, &sent).is_empty());
        assert_eq!(differences(&json!({"cpu": "256"}), &json!({})), ["cpu is missing"]);
        assert_eq!(differences(&json!({"readonlyRootFilesystem": false}), &json!({})), ["readonlyRootFilesystem is missing"]);
    }
}
