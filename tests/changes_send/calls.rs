//! Each call as it goes over the wire: what the plan names, and nothing else.

use super::{World, clients, cluster_of, contract, paused, ready, two_sets};
use midwatch::aws::{ErrorKind, Sent};
use midwatch::change::{Call, Revision, ServiceChange};
use midwatch::model::{Arn, Ctx, Suspended};
use serde_json::{Value, json};

/// The one request of an operation that a call makes, and what came of it.
async fn wire(world: &World, ctx: Ctx, call: &Call, operation: &str) -> (Value, Sent) {
    drop(world.sim.take_requests());
    let sent = world.clients.api(ctx).send(call, None).await.unwrap();
    let mut requests = world.sent(operation);
    assert_eq!(requests.len(), 1, "{call:?}");
    (requests.remove(0), sent)
}

async fn cart(world: &World) -> (Ctx, Arn, Arn) {
    let service = world.service("acme-prod", "web-prod", "cart").await;
    let service = Arn::from(service.service_arn().unwrap());
    (world.ctx("acme-prod"), cluster_of(&service), service)
}

fn update(cluster: &Arn, service: &Arn, set: ServiceChange) -> Call {
    Call::UpdateService { cluster: cluster.clone(), service: service.clone(), set }
}

#[tokio::test]
async fn only_what_changes_is_sent_of_a_service() {
    let world = World::open("small").await;
    let (ctx, cluster, service) = cart(&world).await;
    let named = |mut more: Value| {
        more["cluster"] = json!(cluster.as_str());
        more["service"] = json!(service.as_str());
        more
    };
    let scale = update(&cluster, &service, ServiceChange { desired: Some(5), ..ServiceChange::default() });
    let (request, sent) = wire(&world, ctx, &scale, "UpdateService").await;
    assert_eq!(request, named(json!({"desiredCount": 5})));
    assert!(sent.request_id.is_some());
    assert_eq!(sent.service.unwrap().desired, 5, "the answer shows the service");
    let redeploy = update(&cluster, &service, ServiceChange { force: true, ..ServiceChange::default() });
    let (request, sent) = wire(&world, ctx, &redeploy, "UpdateService").await;
    assert_eq!(request, named(json!({"forceNewDeployment": true})));
    assert!(sent.made.unwrap().starts_with("ecs-svc/"));
    let revision = Arn::from(world.service("acme-prod", "web-prod", "cart").await.task_definition().unwrap());
    let back = update(&cluster, &service, ServiceChange { revision: Some(Revision::Known(revision.clone())), ..ServiceChange::default() });
    let (request, _) = wire(&world, ctx, &back, "UpdateService").await;
    assert_eq!(request, named(json!({"taskDefinition": revision.as_str()})));
    let exec = update(&cluster, &service, ServiceChange { exec: Some(true), ..ServiceChange::default() });
    let (request, _) = wire(&world, ctx, &exec, "UpdateService").await;
    assert_eq!(request, named(json!({"enableExecuteCommand": true})));
}

#[tokio::test]
async fn a_count_beyond_all_counting_is_refused_before_it_is_sent() {
    let world = World::open("small").await;
    let (ctx, cluster, service) = cart(&world).await;
    drop(world.sim.take_requests());
    let huge = update(&cluster, &service, ServiceChange { desired: Some(u32::MAX), ..ServiceChange::default() });
    let error = world.clients.api(ctx).send(&huge, None).await.unwrap_err();
    assert_eq!((error.kind, world.sim.requests().len()), (ErrorKind::Invalid, 0));
    assert!(error.what.contains("4294967295 is more than AWS can count"), "{}", error.what);
}

#[tokio::test]
async fn a_running_deployment_is_rolled_back_by_its_arn() {
    let world = World::open("small").await;
    let (ctx, cluster, service) = cart(&world).await;
    let redeploy = update(&cluster, &service, ServiceChange { force: true, ..ServiceChange::default() });
    world.clients.api(ctx).send(&redeploy, None).await.unwrap();
    let current = world.service("acme-prod", "web-prod", "cart").await.current_service_deployment().unwrap().to_owned();
    let call = Call::StopServiceDeployment { deployment: Arn::from(&*current) };
    let (request, _) = wire(&world, ctx, &call, "StopServiceDeployment").await;
    assert_eq!(request, json!({"serviceDeploymentArn": current, "stopType": "ROLLBACK"}));
}

#[tokio::test]
async fn tasks_are_stopped_protected_and_run() {
    let world = World::open("small").await;
    let (ctx, cluster, service) = cart(&world).await;
    let ecs = clients::ecs(&world.sim, "acme-prod");
    let tasks = ecs.list_tasks().cluster("web-prod").service_name("cart").send().await.unwrap().task_arns.unwrap();
    let protect =
        |protect, minutes| Call::UpdateTaskProtection { cluster: cluster.clone(), tasks: vec![Arn::from(&*tasks[0])], protect, minutes };
    let (request, _) = wire(&world, ctx, &protect(true, Some(30)), "UpdateTaskProtection").await;
    let expected = json!({"cluster": cluster.as_str(), "tasks": [tasks[0]], "protectionEnabled": true, "expiresInMinutes": 30});
    assert_eq!(request, expected);
    let (request, _) = wire(&world, ctx, &protect(false, None), "UpdateTaskProtection").await;
    assert_eq!(request, json!({"cluster": cluster.as_str(), "tasks": [tasks[0]], "protectionEnabled": false}));
    let stop = Call::StopTask { cluster: cluster.clone(), task: Arn::from(&*tasks[0]), reason: "stopped with midwatch".to_owned() };
    let (request, _) = wire(&world, ctx, &stop, "StopTask").await;
    assert_eq!(request, json!({"cluster": cluster.as_str(), "task": tasks[0], "reason": "stopped with midwatch"}));
    let revision = world.service("acme-prod", "web-prod", "cart").await.task_definition().unwrap().to_owned();
    let run = Call::RunTask {
        cluster: cluster.clone(),
        revision: Arn::from(&*revision),
        launch_type: Some("FARGATE".into()),
        capacity_providers: Vec::new(),
        network: Some((vec!["subnet-1".into()], vec!["sg-1".into()], Some("DISABLED".into()))),
        command: Some(("app".into(), vec!["migrate".to_owned(), "--force".to_owned()])),
        started_by: "midwatch".to_owned(),
        client_token: "once".to_owned(),
    };
    let (request, sent) = wire(&world, ctx, &run, "RunTask").await;
    let expected = json!({
        "cluster": cluster.as_str(), "taskDefinition": revision, "count": 1, "launchType": "FARGATE", "startedBy": "midwatch", "clientToken": "once",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}},
        "overrides": {"containerOverrides": [{"name": "app", "command": ["migrate", "--force"]}]},
    });
    assert_eq!(request, expected);
    assert!(sent.made.unwrap().contains(":task/web-prod/"));
    assert!(service.as_str().contains("cart"));
}

#[tokio::test]
async fn what_aws_could_not_do_is_an_error_though_the_answer_is_good() {
    let world = contract("shifts.toml").await;
    let ecs = clients::ecs(&world.sim, "shifts");
    let hosted = ecs.describe_services().cluster("main").services("hosted").send().await.unwrap().services.unwrap().remove(0);
    let run = Call::RunTask {
        cluster: Arn::from(hosted.cluster_arn().unwrap()),
        revision: Arn::from(hosted.task_definition().unwrap()),
        launch_type: Some("EC2".into()),
        capacity_providers: Vec::new(),
        network: None,
        command: None,
        started_by: "midwatch".to_owned(),
        client_token: "once".to_owned(),
    };
    let error = world.clients.api(world.ctx("shifts")).send(&run, None).await.unwrap_err();
    assert!(error.what.starts_with("Cannot run a task of hosted:") && error.what.contains("RESOURCE:PORTS on "), "{}", error.what);
    assert!(error.request_id.is_some());
}

#[tokio::test]
async fn a_scaling_range_is_changed_in_the_parts_that_are_named() {
    let world = World::open("seeds").await;
    let ctx = world.ctx("lomash-production");
    let range = Call::RegisterScalableTarget {
        resource: "service/lomash-production/product-service".into(),
        min: None,
        max: Some(20),
        suspended: None,
    };
    drop(world.sim.take_requests());
    let answer = world.clients.api(ctx).send(&range, None).await;
    let request = world.sent("RegisterScalableTarget").remove(0);
    let same = json!({
        "ServiceNamespace": "ecs", "ResourceId": "service/lomash-production/product-service", "ScalableDimension": "ecs:service:DesiredCount",
    });
    let mut expected = same.clone();
    expected["MaxCapacity"] = json!(20);
    assert_eq!(request, expected, "{answer:?}");
    let off = Suspended { scale_in: true, scale_out: true, scheduled: false };
    let suspend = Call::RegisterScalableTarget {
        resource: "service/lomash-production/product-service".into(),
        min: None,
        max: None,
        suspended: Some(off),
    };
    drop(world.sim.take_requests());
    let answer = world.clients.api(ctx).send(&suspend, None).await;
    let mut expected = same;
    expected["SuspendedState"] =
        json!({"DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": true, "ScheduledScalingSuspended": false});
    assert_eq!(world.sent("RegisterScalableTarget").remove(0), expected, "{answer:?}");
}

#[tokio::test]
async fn a_release_by_code_deploy_reuses_its_spec_and_is_stopped_with_a_rollback() {
    let world = contract("beside.toml").await;
    let (ctx, code) = (world.ctx("shop"), clients::code_deploy(&world.sim, "shop"));
    let listed = code.list_deployments().application_name("shop-pay").deployment_group_name("shop-pay-production").send().await.unwrap();
    let last = code.get_deployment().deployment_id(&listed.deployments()[0]).send().await.unwrap().deployment_info.unwrap();
    let spec = last.revision().unwrap().app_spec_content().unwrap().content().unwrap().to_owned();
    let running = world.service("shop", "shop", "pay").await.task_sets()[0].task_definition().unwrap().to_owned();
    let create = Call::CreateDeployment {
        application: "shop-pay".into(),
        group: "shop-pay-production".into(),
        app_spec: spec.as_str().into(),
        revision: Revision::Known(Arn::from(&*running)),
        description: "rolled back with midwatch".to_owned(),
    };
    let (request, sent) = wire(&world, ctx, &create, "CreateDeployment").await;
    let expected = json!({
        "applicationName": "shop-pay", "deploymentGroupName": "shop-pay-production", "description": "rolled back with midwatch",
        "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": spec}},
    });
    assert_eq!(request, expected, "the same revision leaves the same text, hooks and all");
    let id = sent.made.unwrap();
    let (request, _) = wire(&world, ctx, &Call::StopDeployment { id: id.clone() }, "StopDeployment").await;
    assert_eq!(request, json!({"deploymentId": &*id, "autoRollbackEnabled": true}));
    let go_on = Call::ContinueDeployment { id: id.clone(), wait: "READY_WAIT" };
    drop(world.sim.take_requests());
    let error = world.clients.api(ctx).send(&go_on, None).await.unwrap_err();
    assert_eq!(world.sent("ContinueDeployment"), [json!({"deploymentId": &*id, "deploymentWaitType": "READY_WAIT"})]);
    assert!(error.what.starts_with(&format!("Cannot continue the deployment {id}: ")), "{}", error.what);
}

#[tokio::test]
async fn a_hook_that_waits_is_answered_by_its_id() {
    for (roll_back, action) in [(false, "CONTINUE"), (true, "ROLLBACK")] {
        let world = contract("shifts.toml").await;
        let (_, deployment, hook) = paused(&world).await;
        let call = Call::ContinueServiceDeployment { deployment: deployment.clone(), hook: hook.as_str().into(), roll_back };
        let (request, sent) = wire(&world, world.ctx("shifts"), &call, "ContinueServiceDeployment").await;
        assert_eq!(request, json!({"serviceDeploymentArn": deployment.as_str(), "hookId": hook, "action": action}));
        assert_eq!(sent.made.as_deref(), Some(deployment.as_str()));
    }
}

#[tokio::test]
async fn an_external_service_gets_another_primary_task_set_by_its_id() {
    let world = contract("shifts.toml").await;
    let (service, set) = two_sets(&world).await;
    let cluster = cluster_of(&service);
    let call = Call::UpdateServicePrimaryTaskSet { cluster: cluster.clone(), service: service.clone(), task_set: set.as_str().into() };
    let (request, sent) = wire(&world, world.ctx("shifts"), &call, "UpdateServicePrimaryTaskSet").await;
    assert_eq!(request, json!({"cluster": cluster.as_str(), "service": service.as_str(), "primaryTaskSet": set}));
    assert_eq!(sent.made.as_deref(), Some(&*set));
}

#[tokio::test]
async fn instances_are_drained_and_activated_by_their_names() {
    let world = contract("shifts.toml").await;
    let ecs = clients::ecs(&world.sim, "shifts");
    let names = ecs.list_container_instances().cluster("main").send().await.unwrap().container_instance_arns.unwrap();
    let instances: Vec<Arn> = names.iter().map(|name| Arn::from(&**name)).collect();
    let cluster = Arn::from(world.service("shifts", "main", "web").await.cluster_arn().unwrap());
    for (drain, status) in [(true, "DRAINING"), (false, "ACTIVE")] {
        let call = Call::UpdateContainerInstancesState { cluster: cluster.clone(), instances: instances.clone(), drain };
        let (request, _) = wire(&world, world.ctx("shifts"), &call, "UpdateContainerInstancesState").await;
        assert_eq!(request, json!({"cluster": cluster.as_str(), "containerInstances": names, "status": status}));
    }
    // One of them is gone, and AWS says so in a good answer.
    let never = Arn::from(&*format!("{}0", names[0].rsplit_once('/').map_or(&*names[0], |(head, _)| head).to_owned() + "/"));
    let call = Call::UpdateContainerInstancesState { cluster, instances: vec![instances[0].clone(), never], drain: true };
    let error = world.clients.api(world.ctx("shifts")).send(&call, None).await.unwrap_err();
    assert!(error.what.contains("MISSING on "), "{}", error.what);
}

#[tokio::test]
async fn a_release_that_waits_is_told_to_go_on() {
    let world = contract("beside.toml").await;
    let (_, id) = ready(&world).await;
    let call = Call::ContinueDeployment { id: id.as_str().into(), wait: "READY_WAIT" };
    let (request, sent) = wire(&world, world.ctx("shop"), &call, "ContinueDeployment").await;
    assert_eq!(request, json!({"deploymentId": id, "deploymentWaitType": "READY_WAIT"}));
    assert_eq!(sent.made.as_deref(), Some(&*id));
}
