//! A clone of a revision is registered as it was shown, or not at all.

use super::{World, clients};
use midwatch::aws::ErrorKind;
use midwatch::change::{Call, Register};
use midwatch::model::{Arn, Str};
use serde_json::{Value, json};
use std::sync::Arc;

/// What AWS tells of a revision and refuses in a registration.
const TOLD: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// The reply about a revision as AWS wrote it.
async fn told(world: &World, context: &str, base: &str) -> Value {
    let feed = midwatch::feed::Feed::Raw(world.ctx(context), midwatch::feed::RawOf::TaskDefinition(Arn::from(base)));
    let mut poll = aws_poll(world, context, feed);
    let outcome = poll.ask(midwatch::budget::Priority::Focus, &mut |_, _| {}).await.unwrap();
    let midwatch::feed::Outcome::Whole(midwatch::feed::Value::Raw(text)) = outcome else { panic!("a raw reply") };
    serde_json::from_str(&text).unwrap()
}

fn aws_poll(world: &World, context: &str, feed: midwatch::feed::Feed) -> midwatch::aws::Poll {
    midwatch::aws::Poll::new(world.clients.api(world.ctx(context)).clone(), feed)
}

/// The call that clones a revision with another tag in its first container.
pub async fn clone_of(world: &World, context: &str, base: &str, tag: &str) -> Call {
    let told = told(world, context, base).await;
    let mut request = told["taskDefinition"].clone();
    for field in TOLD {
        request.as_object_mut().unwrap().shift_remove(field);
    }
    if told["tags"].as_array().is_some_and(|tags| !tags.is_empty()) {
        request["tags"] = told["tags"].clone();
    }
    let container = &mut request["containerDefinitions"][0];
    let image = format!("{}:{tag}", container["image"].as_str().unwrap().rsplit_once(':').unwrap().0);
    let images: Vec<(Str, Str)> = vec![(container["name"].as_str().unwrap().into(), image.as_str().into())];
    container["image"] = json!(image);
    Call::RegisterTaskDefinition(Box::new(Register { base: Arn::from(base), images, request: Arc::new(request) }))
}

#[tokio::test]
async fn a_clone_differs_in_its_image_alone_and_keeps_its_tags() {
    for (scenario, context, cluster, service) in [
        ("small", "acme-prod", "web-prod", "cart"),
        ("seeds", "oky-admin", "project-oky-ecs-cluster", "project-oky-ecs-api-task-service-1lehr9r5"),
        ("seeds", "tutorbloc", "tutorbloc", "production"),
    ] {
        let world = World::open(scenario).await;
        let ecs = clients::ecs(&world.sim, context);
        let clusters = ecs.list_clusters().send().await.unwrap().cluster_arns.unwrap();
        let cluster = clusters.iter().find(|arn| arn.ends_with(cluster)).unwrap_or(&clusters[0]);
        let described = ecs.describe_services().cluster(cluster).services(service).send().await.unwrap();
        let base = described.services()[0].task_definition().unwrap().to_owned();
        let call = clone_of(&world, context, &base, "2025_06").await;
        let Call::RegisterTaskDefinition(register) = &call else { unreachable!() };
        drop(world.sim.take_requests());
        let sent = world.clients.api(world.ctx(context)).send(&call, None).await.unwrap();
        let made = sent.registered.unwrap();
        assert_ne!(made.as_str(), base);
        let mut on_the_wire = world.sent("RegisterTaskDefinition").remove(0);
        let mut shown = (*register.request).clone();
        // The SDK writes the CPU units of a container always, and they are 0 when nobody gave any.
        for request in [&mut on_the_wire, &mut shown] {
            for container in request["containerDefinitions"].as_array_mut().unwrap() {
                container.as_object_mut().unwrap().entry("cpu").or_insert(json!(0));
            }
        }
        assert_eq!(on_the_wire, shown, "{context}");
    }
}

#[tokio::test]
async fn what_this_build_does_not_know_is_never_lost_in_silence() {
    let world = World::open("small").await;
    let base = world.service("acme-prod", "web-prod", "cart").await.task_definition().unwrap().to_owned();
    let Call::RegisterTaskDefinition(mut register) = clone_of(&world, "acme-prod", &base, "v9").await else { unreachable!() };
    let mut request = (*register.request).clone();
    request["containerDefinitions"][0]["dreamConfiguration"] = json!({"depth": 3});
    request["family"] = json!("another");
    register.request = Arc::new(request);
    drop(world.sim.take_requests());
    let error = world.clients.api(world.ctx("acme-prod")).send(&Call::RegisterTaskDefinition(register), None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.what.contains("containerDefinitions[0].dreamConfiguration is missing"), "{}", error.what);
    assert!(error.what.contains("family is different"), "{}", error.what);
    assert!(world.sent("RegisterTaskDefinition").is_empty());
}

#[tokio::test]
async fn a_base_that_changed_since_it_was_shown_is_not_cloned() {
    let world = World::open("small").await;
    let base = world.service("acme-prod", "web-prod", "cart").await.task_definition().unwrap().to_owned();
    let Call::RegisterTaskDefinition(mut register) = clone_of(&world, "acme-prod", &base, "v9").await else { unreachable!() };
    register.images = vec![("nobody".into(), "image:1".into())];
    let error = world.clients.api(world.ctx("acme-prod")).send(&Call::RegisterTaskDefinition(register), None).await.unwrap_err();
    assert!(error.what.contains("has no container nobody"), "{}", error.what);
}
