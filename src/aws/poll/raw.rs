//! Things as AWS sent them, for the JSON view: the reply's own bytes, so that fields which this program does not know are
//! there too. Values that look like secrets are masked; ELB's XML is told as JSON with the same names.

use crate::aws::api::{Api, Call};
use crate::aws::connect::Sdk;
use crate::aws::failure::{Doing, failure};
use crate::aws::interceptors::Body;
use crate::aws::{AwsError, ErrorKind};
use crate::budget::{Priority, Throttle};
use crate::feed::{RawOf, Value as Answer};
use crate::model::Arn;
use crate::text::{clean_multiline, secret};
use aws_sdk_ecs::types as sdk;
use aws_sdk_elasticloadbalancingv2::types as elb;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The thing as pretty-printed JSON.
pub(super) async fn raw(api: &Api, of: &RawOf) -> Result<Answer, AwsError> {
    let mut json = match of {
        RawOf::Cluster(arn) => first(cluster(api, arn).await?, "clusters", arn, "ecs:DescribeClusters")?,
        RawOf::Service(cluster, arn) => first(service(api, cluster, arn).await?, "services", arn, "ecs:DescribeServices")?,
        RawOf::Task(cluster, arn) => first(task(api, cluster, arn).await?, "tasks", arn, "ecs:DescribeTasks")?,
        RawOf::TaskDefinition(arn) => task_definition(api, arn).await?,
        RawOf::Targets(arn) => targets(api, arn).await?,
    };
    mask(&mut json);
    let text = serde_json::to_string_pretty(&json).expect("a JSON value has only string keys");
    Ok(Answer::Raw(clean_multiline(&text).into()))
}

async fn cluster(api: &Api, arn: &Arn) -> Result<Value, AwsError> {
    let what = format!("read cluster {}", arn.name());
    let call = asked(Throttle::ClusterRead, "ecs:DescribeClusters", &what);
    let body = Body::default();
    let send = |client: Arc<Sdk>| {
        let all = [
            sdk::ClusterField::Attachments,
            sdk::ClusterField::Configurations,
            sdk::ClusterField::Settings,
            sdk::ClusterField::Statistics,
            sdk::ClusterField::Tags,
        ];
        client.ecs.describe_clusters().clusters(arn.as_str()).set_include(Some(all.to_vec())).customize().interceptor(body.clone()).send()
    };
    api.call(call, send).await?;
    parse(&body, call)
}

async fn service(api: &Api, cluster: &Arn, arn: &Arn) -> Result<Value, AwsError> {
    let what = format!("read service {}", arn.name());
    let call = asked(Throttle::ServiceRead, "ecs:DescribeServices", &what);
    let body = Body::default();
    let send = |client: Arc<Sdk>| {
        let ask = client.ecs.describe_services().cluster(cluster.as_str()).services(arn.as_str()).include(sdk::ServiceField::Tags);
        ask.customize().interceptor(body.clone()).send()
    };
    api.call(call, send).await?;
    parse(&body, call)
}

async fn task(api: &Api, cluster: &Arn, arn: &Arn) -> Result<Value, AwsError> {
    let what = format!("read task {}", arn.name());
    let call = asked(Throttle::ClusterResourceRead, "ecs:DescribeTasks", &what);
    let body = Body::default();
    let send = |client: Arc<Sdk>| {
        let ask = client.ecs.describe_tasks().cluster(cluster.as_str()).tasks(arn.as_str()).include(sdk::TaskField::Tags);
        ask.customize().interceptor(body.clone()).send()
    };
    api.call(call, send).await?;
    parse(&body, call)
}

async fn task_definition(api: &Api, arn: &Arn) -> Result<Value, AwsError> {
    let what = format!("read task definition {}", arn.name());
    let call = asked(Throttle::TaskDefinitionRead, "ecs:DescribeTaskDefinition", &what);
    let body = Body::default();
    let send = |client: Arc<Sdk>| {
        let ask = client.ecs.describe_task_definition().task_definition(arn.as_str()).include(sdk::TaskDefinitionField::Tags);
        ask.customize().interceptor(body.clone()).send()
    };
    api.call(call, send).await?;
    parse(&body, call)
}

async fn targets(api: &Api, arn: &Arn) -> Result<Value, AwsError> {
    let what = format!("read the target health of {}", arn.target_group_name());
    let call = asked(Throttle::LoadBalancing, "elasticloadbalancing:DescribeTargetHealth", &what);
    let send = |client: Arc<Sdk>| {
        client.elb.describe_target_health().target_group_arn(arn.as_str()).include(elb::DescribeTargetHealthInputIncludeEnum::All).send()
    };
    let answer = api.call(call, send).await?;
    Ok(json!({ "TargetHealthDescriptions": answer.target_health_descriptions().iter().map(target).collect::<Vec<Value>>() }))
}

fn asked<'a>(throttle: Throttle, action: &'a str, what: &'a str) -> Call<'a> {
    Call { throttle, priority: Priority::Focus, action, what }
}

fn parse(body: &Body, call: Call) -> Result<Value, AwsError> {
    let doing = Doing { action: call.action, what: call.what, profile: None };
    let parsed = body.take().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    parsed.ok_or_else(|| failure(ErrorKind::Malformed, doing, "the reply could not be read", "Asking again"))
}

fn first(mut envelope: Value, list: &str, arn: &Arn, action: &str) -> Result<Value, AwsError> {
    let found = envelope.get_mut(list).and_then(Value::as_array_mut).filter(|rows| !rows.is_empty()).map(|rows| rows.swap_remove(0));
    let what = format!("read {}", arn.name());
    found.ok_or_else(|| failure(ErrorKind::NotFound, Doing { action, what: &what, profile: None }, "it does not exist any more", ""))
}

fn target(from: &elb::TargetHealthDescription) -> Value {
    let object = |pairs: [(&str, Option<Value>); 3]| {
        let pairs = pairs.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)));
        Value::Object(pairs.collect::<Map<String, Value>>())
    };
    let text = |text: Option<&str>| text.map(Value::from);
    let described = from.target().map(|target| {
        object([
            ("Id", text(target.id())),
            ("Port", target.port().map(Value::from)),
            ("AvailabilityZone", text(target.availability_zone())),
        ])
    });
    let health = from.target_health().map(|health| {
        let (state, reason) =
            (health.state().map(elb::TargetHealthStateEnum::as_str), health.reason().map(elb::TargetHealthReasonEnum::as_str));
        object([("State", text(state)), ("Reason", text(reason)), ("Description", text(health.description()))])
    });
    object([("Target", described), ("HealthCheckPort", text(from.health_check_port())), ("TargetHealth", health)])
}

/// Masks values of environment variables and log options whose names look secret, wherever they stand.
fn mask(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(mask),
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("environment", Value::Array(pairs)) => pairs.iter_mut().for_each(mask_pair),
                    ("options" | "dockerLabels", Value::Object(options)) => {
                        let hidden = |name: &str, value: &Value| secret::looks_secret(name, value.as_str().unwrap_or(""));
                        options.iter_mut().filter(|(name, value)| hidden(name, value)).for_each(|(_, value)| *value = secret::MASK.into());
                    }
                    (_, value) => mask(value),
                }
            }
        }
        _ => {}
    }
}

fn mask_pair(pair: &mut Value) {
    let Value::Object(pair) = pair else { return };
    let name = pair.get("name").and_then(Value::as_str).unwrap_or("").to_owned();
    if let Some(value) = pair.get_mut("value")
        && value.as_str().is_some_and(|value| secret::looks_secret(&name, value))
    {
        *value = secret::MASK.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::secret::MASK;

    #[test]
    fn secrets_in_the_environment_are_masked_wherever_they_stand() {
        let pair = |name: &str| json!({"name": name, "value": "hunter2"});
        let mut json = json!({
            "taskDefinition": {"containerDefinitions": [{
                "environment": [pair("DB_PASSWORD"), pair("STRIPE_KEY"), pair("PORT"), pair("MONKEY")],
                "secrets": [{"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:x"}],
                "logConfiguration": {"options": {"splunk-token": "hunter2", "awslogs-group": "/ecs/web"}},
            }]},
            "overrides": {"containerOverrides": [{"environment": [pair("api.token")]}]},
        });
        mask(&mut json);
        let container = &json["taskDefinition"]["containerDefinitions"][0];
        let values: Vec<&str> = container["environment"].as_array().unwrap().iter().map(|pair| pair["value"].as_str().unwrap()).collect();
        assert_eq!(values, [MASK, MASK, "hunter2", "hunter2"]);
        assert_eq!(container["logConfiguration"]["options"], json!({"splunk-token": MASK, "awslogs-group": "/ecs/web"}));
        assert_eq!(container["secrets"][0]["valueFrom"], "arn:aws:ssm:x");
        assert_eq!(json["overrides"]["containerOverrides"][0]["environment"][0]["value"], MASK);
    }

    #[test]
    fn a_target_is_told_with_the_names_of_the_wire() {
        let health =
            elb::TargetHealth::builder().state(elb::TargetHealthStateEnum::Unhealthy).reason(elb::TargetHealthReasonEnum::Timeout).build();
        let from = elb::TargetHealthDescription::builder()
            .target(elb::TargetDescription::builder().id("10.0.0.1").port(80).build())
            .target_health(health)
            .build();
        let expected =
            json!({"Target": {"Id": "10.0.0.1", "Port": 80}, "TargetHealth": {"State": "unhealthy", "Reason": "Target.Timeout"}});
        assert_eq!(target(&from), expected);
    }
}
