//! What goes wrong on the way of a write, and the log of what was sent.

use super::clients::{config, context, ecs};
use super::{described, refusal, world};
use aws_sdk_ecs::config::timeout::TimeoutConfig;
use aws_sdk_ecs::error::SdkError;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_write_may_have_been_done_although_nobody_answers() {
    let sim = world("small");
    let timeout = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(300)).build();
    let impatient = config!(aws_sdk_ecs, sim, context(&sim, "acme-prod")).timeout_config(timeout);
    let impatient = aws_sdk_ecs::Client::from_conf(impatient.build());
    let scale = |count| impatient.update_service().cluster("web-prod").service("cart").desired_count(count).send();
    sim.set_faults("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = 'lost_reply'\n").unwrap();
    assert!(matches!(scale(5).await.unwrap_err(), SdkError::TimeoutError(_)));
    assert_eq!(described(&impatient, "web-prod", "cart").await.desired_count(), 5, "it was done all the same");
    sim.set_faults("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = 'cut_reply'\n").unwrap();
    assert!(matches!(scale(6).await.unwrap_err(), SdkError::DispatchFailure(_)));
    assert_eq!(described(&impatient, "web-prod", "cart").await.desired_count(), 6);
    assert!(scale(7).await.is_ok(), "once was all that was asked for");
    let writes: Vec<_> = sim.requests().into_iter().filter(|sent| sent.call.operation == "UpdateService").collect();
    let ends: Vec<(u16, Option<&str>)> = writes.iter().map(|sent| (sent.call.status, sent.call.error_code.as_deref())).collect();
    assert_eq!(ends, [(0, Some("lost_reply")), (0, Some("cut_reply")), (200, None)]);
}

#[tokio::test]
async fn the_log_of_requests_says_who_asked_for_what_and_when() {
    let sim = world("small");
    drop(sim.take_requests());
    ecs(&sim, "acme-prod").update_service().cluster("web-prod").service("cart").desired_count(4).send().await.unwrap();
    let [sent] = &sim.take_requests()[..] else { panic!("one request was sent") };
    assert_eq!((sent.call.service, sent.call.operation, sent.call.at_ms), ("ecs", "UpdateService", sim.now()));
    assert_eq!((&*sent.call.context, &sent.access_key), ("acme-prod", &context(&sim, "acme-prod").access_key));
    assert_eq!(sent.parameters, json!({"cluster": "web-prod", "service": "cart", "desiredCount": 4}));
    assert!(sent.user_agent.contains("aws-sdk-rust"), "{}", sent.user_agent);
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn a_throttled_write_passes_when_it_is_sent_often_enough() {
    let sim = world("small");
    let ecs = ecs(&sim, "acme-prod");
    sim.set_faults("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 2\nkind = 'throttle'\n").unwrap();
    let scale = || ecs.update_service().cluster("web-prod").service("cart").desired_count(5).send();
    for _ in 0..2 {
        assert_eq!(refusal(scale().await), ("ThrottlingException".to_owned(), "Rate exceeded".to_owned()));
    }
    assert!(scale().await.is_ok());
}

#[tokio::test]
async fn a_role_that_may_not_be_passed_and_tags_that_may_not_be_set_are_named() {
    let sim = world("small");
    let ecs = ecs(&sim, "acme-prod");
    let running = described(&ecs, "web-prod", "cart").await;
    let definition = ecs.describe_task_definition().task_definition(running.task_definition().unwrap()).send().await.unwrap();
    let definition = definition.task_definition().unwrap().clone();
    let role = definition.task_role_arn().unwrap().to_owned();
    let tag = aws_sdk_ecs::types::Tag::builder().key("team").value("shop").build();
    let register = ecs
        .register_task_definition()
        .family("one-off")
        .memory("512")
        .task_role_arn(&role)
        .set_container_definitions(definition.container_definitions.clone())
        .tags(tag);
    for (action, resource) in [("iam:PassRole", role.as_str()), ("ecs:TagResource", ":task-definition/one-off:*")] {
        sim.set_faults(&format!("[[fault]]\noperation = '{action}'\nkind = 'deny'\n")).unwrap();
        let (code, words) = refusal(register.clone().send().await);
        assert_eq!(code, "AccessDeniedException");
        assert!(words.contains(&format!("is not authorized to perform: {action} on resource: ")) && words.contains(resource), "{words}");
        assert!(words.ends_with(&format!("because no identity-based policy allows the {action} action")), "{words}");
    }
    let gone = ecs.list_task_definitions().family_prefix("one-off").send().await.unwrap();
    assert!(gone.task_definition_arns().is_empty(), "what was refused was not done");
    sim.set_faults("").unwrap();
    let made = register.send().await.unwrap();
    assert_eq!(made.tags().len(), 1);
    assert!(made.task_definition().unwrap().registered_by().unwrap().contains(":assumed-role/"));
}
