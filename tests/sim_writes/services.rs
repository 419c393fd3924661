//! Services: redeployed, scaled, rolled back, deleted; by each deployment controller.

use super::clients::{ecs, registry, scaling};
use super::{described, refusal, until, world};
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace, SuspendedState};
use aws_sdk_ecs::types::{
    DeploymentConfiguration, DeploymentEarlySuccessCriteria, DeploymentLifecycleHookAction, ServiceDeployment, ServiceDeploymentStatus,
    ServiceRevisionCleanup, StopServiceDeploymentStopType,
};
use std::time::Duration;

const OKY: &str = "project-oky-ecs-cluster";
const API: &str = "project-oky-ecs-api-task-service-1lehr9r5";

#[tokio::test]
async fn scaling_sends_one_number_and_needs_no_role() {
    let sim = world("seeds");
    // This role may update two services and pass two roles, and reads next to nothing.
    let updater = ecs(&sim, "oky-updater");
    let reply = updater.update_service().cluster(OKY).service(API).desired_count(2).send().await.unwrap();
    let service = reply.service().unwrap();
    assert_eq!((service.desired_count(), service.deployments().len()), (2, 1), "scaling starts no deployment");
    let (code, words) = refusal(updater.update_service().cluster(OKY).service("other").desired_count(2).send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(
        words.contains("ecs:UpdateService on resource: arn:aws:ecs:eu-west-2:637423184246:service/project-oky-ecs-cluster/other"),
        "{words}"
    );
    let admin = ecs(&sim, "oky-admin");
    until(&sim, "two tasks run", async || described(&admin, OKY, API).await.running_count() == 2).await;
}

#[tokio::test]
async fn a_redeploy_alone_keeps_the_revision_and_a_rollback_names_it_in_full() {
    let sim = world("seeds");
    let ecs = ecs(&sim, "oky-admin");
    let before = described(&ecs, OKY, API).await;
    let forced = ecs.update_service().cluster(OKY).service(API).force_new_deployment(true).send().await.unwrap().service.unwrap();
    assert_eq!(forced.task_definition(), before.task_definition());
    assert_eq!(forced.deployments().len(), 2);
    let done = async || described(&ecs, OKY, API).await.deployments().len() == 1;
    until(&sim, "it has landed", done).await;
    let (family, number) = before.task_definition().unwrap().rsplit_once(':').unwrap();
    let older = format!("{family}:{}", number.parse::<u32>().unwrap() - 1);
    let back = ecs.update_service().cluster(OKY).service(API).task_definition(&older).send().await.unwrap().service.unwrap();
    assert_eq!(back.task_definition(), Some(older.as_str()));
    let again = ecs.update_service().cluster(OKY).service(API).task_definition(&older).send().await.unwrap().service.unwrap();
    assert_eq!(again.deployments()[0].id(), back.deployments()[0].id(), "the revision that is there starts nothing");
    let config = DeploymentConfiguration::builder().minimum_healthy_percent(50).maximum_percent(150).build();
    let tuned = ecs.update_service().cluster(OKY).service(API).deployment_configuration(config).enable_execute_command(true);
    let tuned = tuned.send().await.unwrap().service.unwrap();
    assert!(tuned.enable_execute_command());
    assert_eq!(tuned.deployment_configuration().unwrap().maximum_percent(), Some(150));
    assert_eq!(tuned.deployments()[0].id(), back.deployments()[0].id(), "neither starts a deployment");
}

#[tokio::test]
async fn a_deregistered_revision_and_one_that_never_was_are_refused() {
    let sim = world("seeds");
    let ecs = ecs(&sim, "oky-admin");
    let running = described(&ecs, OKY, API).await.task_definition().unwrap().to_owned();
    let (family, number) = running.rsplit_once(':').unwrap();
    let older = format!("{family}:{}", number.parse::<u32>().unwrap() - 1);
    let gone = ecs.deregister_task_definition().task_definition(&older).send().await.unwrap();
    assert_eq!(gone.task_definition().unwrap().status().map(aws_sdk_ecs::types::TaskDefinitionStatus::as_str), Some("INACTIVE"));
    let deploy = |definition: String| ecs.update_service().cluster(OKY).service(API).task_definition(definition).send();
    assert_eq!(refusal(deploy(older).await), ("ClientException".to_owned(), "TaskDefinition is inactive".to_owned()));
    let never = format!("{family}:9999");
    assert_eq!(refusal(deploy(never).await), ("ClientException".to_owned(), "TaskDefinition not found.".to_owned()));
    assert_eq!(described(&ecs, OKY, API).await.task_definition(), Some(running.as_str()));
}

#[tokio::test]
async fn a_service_that_was_deleted_meanwhile_is_not_active() {
    let sim = world("small");
    let ecs = ecs(&sim, "acme-prod");
    let (code, words) = refusal(ecs.delete_service().cluster("web-prod").service("cart").send().await);
    assert_eq!((code.as_str(), words.as_str()), ("InvalidParameterException", "The service cannot be stopped while it is scaled above 0."));
    let deleted = ecs.delete_service().cluster("web-prod").service("cart").force(true).send().await.unwrap();
    assert_eq!(deleted.service().unwrap().status(), Some("DRAINING"));
    let scale = ecs.update_service().cluster("web-prod").service("cart").desired_count(2).send().await;
    assert_eq!(refusal(scale), ("ServiceNotActiveException".to_owned(), "Service was not ACTIVE.".to_owned()));
    let listed = ecs.list_services().cluster("web-prod").max_results(100).send().await.unwrap();
    assert!(!listed.service_arns().iter().any(|arn| arn.ends_with("/cart")));
    until(&sim, "its tasks are gone", async || described(&ecs, "web-prod", "cart").await.status() == Some("INACTIVE")).await;
}

#[tokio::test]
async fn what_a_controller_or_a_daemon_does_not_take_is_refused_in_awss_words() {
    let sim = world("small");
    let ecs = ecs(&sim, "acme-prod");
    let update = |service: &str| ecs.update_service().cluster("web-prod").service(service);
    let edge = described(&ecs, "web-prod", "edge").await;
    let definition = edge.task_sets()[0].task_definition().unwrap().to_owned();
    let instead = "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.";
    let (code, words) = refusal(update("edge").force_new_deployment(true).send().await);
    assert_eq!((code.as_str(), words), ("InvalidParameterException", format!("Cannot force a new deployment {instead}")));
    let both = update("edge").force_new_deployment(true).task_definition(definition).send().await;
    assert_eq!(refusal(both).1, format!("Unable to update task definition {instead}"));
    let network = edge.task_sets()[0].network_configuration().unwrap().clone();
    assert_eq!(
        refusal(update("edge").network_configuration(network).send().await).1,
        format!("Unable to update network parameters {instead}")
    );
    assert_eq!(update("edge").desired_count(4).send().await.unwrap().service().unwrap().desired_count(), 4);
    let daemon = refusal(update("host-metrics").desired_count(3).send().await);
    assert_eq!(daemon.0, "InvalidParameterException");
    assert!(daemon.1.starts_with("The daemon scheduling strategy does not support a desired count for services."), "{}", daemon.1);
    assert!(update("host-metrics").force_new_deployment(true).send().await.is_ok());
    assert_eq!(refusal(update("cart").desired_count(5001).send().await).0, "InvalidParameterException");
    assert_eq!(refusal(update("cart").desired_count(-1).send().await).0, "InvalidParameterException");
}

async fn newest(ecs: &aws_sdk_ecs::Client, cluster: &str, service: &str) -> ServiceDeployment {
    let listed = ecs.list_service_deployments().cluster(cluster).service(service).send().await.unwrap();
    let arn = listed.service_deployments()[0].service_deployment_arn().unwrap();
    ecs.describe_service_deployments().service_deployment_arns(arn).send().await.unwrap().service_deployments.unwrap().remove(0)
}

#[tokio::test]
async fn a_deployment_under_way_is_stopped_and_one_that_has_ended_is_not() {
    let sim = world("seeds");
    let ecs = ecs(&sim, "oky-admin");
    let forced = ecs.update_service().cluster(OKY).service(API).force_new_deployment(true).send().await.unwrap();
    let arn = forced.service().unwrap().current_service_deployment().unwrap().to_owned();
    let stop = |kind: StopServiceDeploymentStopType| ecs.stop_service_deployment().service_deployment_arn(&arn).stop_type(kind).send();
    assert_eq!(refusal(stop(StopServiceDeploymentStopType::Abort).await).0, "InvalidParameterException");
    stop(StopServiceDeploymentStopType::Rollback).await.unwrap();
    assert_eq!(newest(&ecs, OKY, API).await.status(), Some(&ServiceDeploymentStatus::RollbackRequested));
    let back = async || newest(&ecs, OKY, API).await.status() == Some(&ServiceDeploymentStatus::RollbackSuccessful);
    until(&sim, "it is rolled back", back).await;
    assert_eq!(refusal(stop(StopServiceDeploymentStopType::Rollback).await).0, "ConflictException");
    let never = "arn:aws:ecs:eu-west-2:637423184246:service-deployment/project-oky-ecs-cluster/none/AAAAAAAAAAAAAAAAAAAAA";
    let gone = ecs.stop_service_deployment().service_deployment_arn(never).send().await;
    assert_eq!(refusal(gone).0, "ServiceDeploymentNotFoundException");
}

#[tokio::test]
async fn a_paused_deployment_is_continued_or_rolled_back() {
    for (action, end) in [
        (DeploymentLifecycleHookAction::Continue, ServiceDeploymentStatus::Successful),
        (DeploymentLifecycleHookAction::Rollback, ServiceDeploymentStatus::RollbackSuccessful),
    ] {
        let sim = world("shifts.toml");
        let ecs = ecs(&sim, "shifts");
        ecs.update_service().cluster("main").service("web").force_new_deployment(true).send().await.unwrap();
        let hook = async || {
            let deployment = newest(&ecs, "main", "web").await;
            let waits =
                |h: &&aws_sdk_ecs::types::DeploymentLifecycleHookDetail| h.status().is_some_and(|s| s.as_str() == "AWAITING_ACTION");
            deployment.lifecycle_hook_details().iter().find(waits).and_then(|h| h.hook_id()).map(str::to_owned)
        };
        until(&sim, "a hook waits", async || hook().await.is_some()).await;
        let (id, arn) = (hook().await.unwrap(), newest(&ecs, "main", "web").await.service_deployment_arn().unwrap().to_owned());
        let answer = |id: &str| ecs.continue_service_deployment().service_deployment_arn(&arn).hook_id(id).action(action.clone()).send();
        assert_eq!(refusal(answer("hook-none").await).0, "InvalidParameterException");
        answer(&id).await.unwrap();
        assert_eq!(refusal(answer(&id).await).0, "InvalidParameterException", "nobody waits any more");
        until(&sim, "it ends", async || newest(&ecs, "main", "web").await.status() == Some(&end)).await;
    }
}

#[tokio::test]
async fn early_success_comes_before_the_old_tasks_have_gone() {
    let sim = world("seeds");
    let ecs = ecs(&sim, "lomash-staging");
    let early = |percent| {
        let criteria = DeploymentEarlySuccessCriteria::builder().enable(true).healthy_percent(percent);
        let criteria = criteria.source_service_revision_cleanup(ServiceRevisionCleanup::Deferred).build();
        DeploymentConfiguration::builder().minimum_healthy_percent(50).maximum_percent(200).early_success_criteria(criteria).build()
    };
    let update = |percent| {
        let update = ecs.update_service().cluster("lomash-staging").service("content-service").force_new_deployment(true);
        update.deployment_configuration(early(percent)).send()
    };
    assert_eq!(refusal(update(20).await).0, "InvalidParameterException", "less than minimumHealthyPercent");
    update(50).await.unwrap();
    let successful =
        async || newest(&ecs, "lomash-staging", "content-service").await.status() == Some(&ServiceDeploymentStatus::Successful);
    until(&sim, "half of the tasks are well", successful).await;
    let service = described(&ecs, "lomash-staging", "content-service").await;
    assert_eq!(service.deployments().len(), 2, "the old tasks go in the background");
    until(&sim, "they have gone", async || described(&ecs, "lomash-staging", "content-service").await.deployments().len() == 1).await;
}

#[tokio::test]
async fn a_range_is_changed_and_scaling_is_suspended_one_without_the_other() {
    let sim = world("seeds");
    let scaling = scaling(&sim, "lomash-production");
    let id = "service/lomash-production/product-service";
    let register = || {
        let register = scaling.register_scalable_target().service_namespace(ServiceNamespace::Ecs).resource_id(id);
        register.scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
    };
    let shown = async || {
        let all = scaling.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs).resource_ids(id).send().await.unwrap();
        let target = all.scalable_targets()[0].clone();
        (target.min_capacity(), target.max_capacity(), target.suspended_state().unwrap().dynamic_scaling_in_suspended())
    };
    assert_eq!(shown().await, (2, 15, Some(false)));
    register().max_capacity(20).send().await.unwrap();
    assert_eq!(shown().await, (2, 20, Some(false)));
    let suspended = SuspendedState::builder().dynamic_scaling_in_suspended(true).dynamic_scaling_out_suspended(true).build();
    register().suspended_state(suspended).send().await.unwrap();
    assert_eq!(shown().await, (2, 20, Some(true)));
    assert_eq!(refusal(register().min_capacity(30).send().await).0, "ValidationException");
}

#[tokio::test]
async fn an_image_that_has_expired_is_told_from_one_that_is_there() {
    use aws_sdk_ecr::types::ImageIdentifier;
    let sim = world("seeds");
    let registry = registry(&sim, "oky-admin");
    let asked = |tag: &str| {
        let id = ImageIdentifier::builder().image_tag(tag).build();
        registry.describe_images().repository_name("oky/api_en").image_ids(id).send()
    };
    assert!(asked("2025_04").await.is_ok());
    sim.start_drill("O6").unwrap();
    assert_eq!(refusal(asked("2025_04").await).0, "ImageNotFoundException");
    let id = ImageIdentifier::builder().image_tag("2025_04").build();
    let batch = registry.batch_get_image().repository_name("oky/api_en").image_ids(id).send().await.unwrap();
    assert_eq!(batch.failures()[0].failure_code().map(aws_sdk_ecr::types::ImageFailureCode::as_str), Some("ImageNotFound"));
    sim.step(Duration::from_secs(1));
}
