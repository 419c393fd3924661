//! Releases through `CodeDeploy`: made from the last `AppSpec`, stopped, continued, and failed by a hook.

use super::clients::{code_deploy, ecs};
use super::{described, refusal, until, world};
use aws_sdk_codedeploy::Client;
use aws_sdk_codedeploy::types::{
    AppSpecContent, DeploymentInfo, DeploymentStatus, DeploymentWaitType, ErrorCode, LifecycleEventStatus, RevisionLocation,
    RevisionLocationType,
};

fn revision(content: &str, sha256: Option<&str>) -> RevisionLocation {
    let spec = AppSpecContent::builder().content(content).set_sha256(sha256.map(str::to_owned)).build();
    RevisionLocation::builder().revision_type(RevisionLocationType::AppSpecContent).app_spec_content(spec).build()
}

async fn info(client: &Client, id: &str) -> DeploymentInfo {
    client.get_deployment().deployment_id(id).send().await.unwrap().deployment_info.unwrap()
}

/// `AppSpec` of the group's last successful deployment.
async fn last_spec(client: &Client, application: &str, group: &str) -> String {
    let listed = client.list_deployments().application_name(application).deployment_group_name(group);
    let listed = listed.include_only_statuses(DeploymentStatus::Succeeded).send().await.unwrap();
    let last = info(client, &listed.deployments()[0]).await;
    last.revision().unwrap().app_spec_content().unwrap().content().unwrap().to_owned()
}

fn create(client: &Client, spec: &str) -> aws_sdk_codedeploy::operation::create_deployment::builders::CreateDeploymentFluentBuilder {
    client.create_deployment().application_name("shop-pay").deployment_group_name("shop-pay-production").revision(revision(spec, None))
}

#[tokio::test]
async fn the_last_spec_is_reused_and_its_hooks_survive() {
    let sim = world("beside.toml");
    let client = code_deploy(&sim, "shop");
    let spec = last_spec(&client, "shop-pay", "shop-pay-production").await;
    assert!(spec.contains("BeforeAllowTraffic") && spec.contains("shop-pay-smoke"), "{spec}");
    let wrong = client.create_deployment().application_name("shop-pay").deployment_group_name("shop-pay-production");
    let wrong = wrong.revision(revision(&spec, Some(&"0".repeat(64)))).send().await;
    assert_eq!(refusal(wrong).0, "InvalidRevisionException");
    let id = create(&client, &spec).description("again").send().await.unwrap().deployment_id.unwrap();
    let made = info(&client, &id).await;
    let content = made.revision().unwrap().app_spec_content().unwrap();
    assert_eq!((content.content(), made.description()), (Some(spec.as_str()), Some("again")));
    let config = client.get_deployment_config().deployment_config_name(made.deployment_config_name().unwrap()).send().await.unwrap();
    let routing = config.deployment_config_info().unwrap().traffic_routing_config().unwrap().clone();
    assert_eq!(routing.time_based_canary().map(|c| (c.canary_percentage(), c.canary_interval())), Some((10, 10)));
    let ecs = ecs(&sim, "shop");
    let scale = ecs.update_service().cluster("shop").service("pay").desired_count(9).send().await;
    let (code, words) = refusal(scale);
    assert_eq!(code, "InvalidParameterException");
    assert!(words.contains("CODE_DEPLOY deployment controller while a deployment is in progress"), "{words}");
    until(&sim, "the task set is named after it", async || {
        described(&ecs, "shop", "pay").await.task_sets().iter().any(|set| set.external_id() == Some(&*id))
    })
    .await;
}

#[tokio::test]
async fn a_hook_that_fails_fails_the_release_and_rolls_it_back() {
    let text = format!(
        "{}\n[[drill]]\nname = \"smoke\"\nabout = \"the smoke test says no\"\n[[drill.step]]\ncluster = \"shop\"\nact = \"fail_function\"\n\
         function = \"shop-pay-smoke\"\n",
        include_str!("../contract/beside.toml")
    );
    let path = std::env::temp_dir().join(format!("midwatch-{}-hook.toml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let scenario = path.to_str().unwrap().to_owned();
    let sim = midwatch::sim::Sim::start(midwatch::sim::Options { scenario, speed: 0.0, ..Default::default() }).unwrap();
    std::fs::remove_file(path).unwrap();
    sim.start_drill("smoke").unwrap();
    let client = code_deploy(&sim, "shop");
    let before = described(&ecs(&sim, "shop"), "shop", "pay").await.task_sets()[0].id().unwrap().to_owned();
    let spec = last_spec(&client, "shop-pay", "shop-pay-production").await;
    let id = create(&client, &spec).send().await.unwrap().deployment_id.unwrap();
    until(&sim, "it fails", async || info(&client, &id).await.status() == Some(&DeploymentStatus::Failed)).await;
    let failed = info(&client, &id).await;
    let error = failed.error_information().unwrap();
    assert_eq!(error.code(), Some(&ErrorCode::HookExecutionFailure));
    assert_eq!(error.message(), Some("The deployment failed because one or more of the lifecycle event validation functions failed."));
    let target = client.get_deployment_target().deployment_id(&id).target_id("shop:pay").send().await.unwrap();
    let events = target.deployment_target().unwrap().ecs_target().unwrap().lifecycle_events().to_vec();
    let hook = events.iter().find(|e| e.lifecycle_event_name() == Some("BeforeAllowTraffic")).unwrap();
    assert_eq!(hook.status(), Some(&LifecycleEventStatus::Failed));
    assert!(hook.diagnostics().is_some());
    let back = failed.rollback_info().unwrap().rollback_deployment_id().unwrap().to_owned();
    until(&sim, "it is rolled back", async || info(&client, &back).await.status() == Some(&DeploymentStatus::Succeeded)).await;
    let ecs = ecs(&sim, "shop");
    until(&sim, "the old set is alone", async || described(&ecs, "shop", "pay").await.task_sets().len() == 1).await;
    assert_eq!(described(&ecs, "shop", "pay").await.task_sets()[0].id(), Some(before.as_str()));
}

#[tokio::test]
async fn a_release_of_a_deregistered_revision_fails_and_says_so() {
    let sim = world("beside.toml");
    let (client, ecs) = (code_deploy(&sim, "shop"), ecs(&sim, "shop"));
    let running = described(&ecs, "shop", "pay").await.task_sets()[0].task_definition().unwrap().to_owned();
    let spec = last_spec(&client, "shop-pay", "shop-pay-production").await;
    assert!(spec.contains(&running));
    ecs.deregister_task_definition().task_definition(&running).send().await.unwrap();
    let id = create(&client, &spec).send().await.unwrap().deployment_id.unwrap();
    until(&sim, "it fails", async || info(&client, &id).await.status() == Some(&DeploymentStatus::Failed)).await;
    let failed = info(&client, &id).await;
    let error = failed.error_information().unwrap();
    assert_eq!(error.code(), Some(&ErrorCode::EcsUpdateError));
    assert!(error.message().unwrap().contains("TaskDefinition is inactive"), "{error:?}");
    assert_eq!(described(&ecs, "shop", "pay").await.task_sets().len(), 1);
}

#[tokio::test]
async fn a_release_waits_to_be_continued_before_the_shift_and_before_the_old_tasks_end() {
    let sim = world("beside.toml");
    let client = code_deploy(&sim, "shop");
    let spec = last_spec(&client, "AppECS-shop-edge", "DgpECS-shop-edge").await;
    let create = client.create_deployment().application_name("AppECS-shop-edge").deployment_group_name("DgpECS-shop-edge");
    let id = create.revision(revision(&spec, None)).send().await.unwrap().deployment_id.unwrap();
    let go_on = |wait| client.continue_deployment().deployment_id(&id).deployment_wait_type(wait).send();
    until(&sim, "it waits", async || info(&client, &id).await.status() == Some(&DeploymentStatus::Ready)).await;
    assert_eq!(refusal(go_on(DeploymentWaitType::TerminationWait).await).0, "DeploymentIsNotInReadyStateException");
    go_on(DeploymentWaitType::ReadyWait).await.unwrap();
    until(&sim, "the old tasks wait", async || info(&client, &id).await.instance_termination_wait_time_started()).await;
    go_on(DeploymentWaitType::TerminationWait).await.unwrap();
    sim.step(std::time::Duration::from_secs(10));
    assert_eq!(info(&client, &id).await.status(), Some(&DeploymentStatus::Succeeded));
    assert_eq!(refusal(go_on(DeploymentWaitType::TerminationWait).await).0, "DeploymentAlreadyCompletedException");
    let stop = client.stop_deployment().deployment_id(&id).auto_rollback_enabled(true).send().await;
    assert_eq!(refusal(stop).0, "DeploymentAlreadyCompletedException");
}

#[tokio::test]
async fn a_release_that_is_stopped_before_anything_was_made_still_has_its_rollback() {
    let sim = world("beside.toml");
    let client = code_deploy(&sim, "shop");
    let spec = last_spec(&client, "shop-pay", "shop-pay-production").await;
    let id = create(&client, &spec).send().await.unwrap().deployment_id.unwrap();
    let stopped = client.stop_deployment().deployment_id(&id).auto_rollback_enabled(true).send().await.unwrap();
    assert_eq!(stopped.status().map(aws_sdk_codedeploy::types::StopStatus::as_str), Some("Pending"));
    let back = info(&client, &id).await.rollback_info().unwrap().rollback_deployment_id().unwrap().to_owned();
    until(&sim, "it is rolled back", async || info(&client, &back).await.status() == Some(&DeploymentStatus::Succeeded)).await;
    let ecs = ecs(&sim, "shop");
    assert_eq!(described(&ecs, "shop", "pay").await.task_sets().len(), 1);
}
