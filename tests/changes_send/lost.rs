//! A call of each kind whose answer never comes: it was done, and reading finds that out.

use super::{World, clients, cluster_of, contract, paused, plan, ready, two_sets};
use midwatch::change::apply::Progress;
use midwatch::change::{Call, Revision, ServiceChange, Verb};
use midwatch::model::{Arn, Suspended};

/// Sends a call whose reply is cut off, and what was found.
async fn found(world: &World, context: &str, target: &Arn, call: Call) -> String {
    let action = call.action();
    world.fault(&format!("[[fault]]\noperation = '{action}'\ntimes = 1\nkind = 'cut_reply'\n"));
    let heard = world.carry_out(vec![plan(Verb::Scale, world.ctx(context), target, call, Vec::new())]).await;
    let [.., Progress::Unanswered { found, .. }, Progress::Done] = &heard.progress[..] else { panic!("{action}: {:?}", heard.progress) };
    found.clone()
}

#[tokio::test]
async fn of_services_and_tasks() {
    let world = World::open("small").await;
    let described = world.service("acme-prod", "web-prod", "cart").await;
    let (service, base) = (Arn::from(described.service_arn().unwrap()), described.task_definition().unwrap().to_owned());
    let cluster = cluster_of(&service);
    let update = |set| Call::UpdateService { cluster: cluster.clone(), service: service.clone(), set };
    let told = found(&world, "acme-prod", &service, update(ServiceChange { exec: Some(true), ..ServiceChange::default() })).await;
    assert_eq!(told, "it applies: cart has ECS Exec on");
    let register = super::registering::clone_of(&world, "acme-prod", &base, "v9").await;
    let told = found(&world, "acme-prod", &service, register).await;
    assert!(told.starts_with("it applies: the newest revision is cart:"), "{told}");
    let newest = told.rsplit(' ').next().unwrap();
    let newest = Arn::from(&*format!("{}/{newest}", base.rsplit_once('/').unwrap().0));
    let deploy = update(ServiceChange { revision: Some(Revision::Known(newest.clone())), ..ServiceChange::default() });
    let told = found(&world, "acme-prod", &service, deploy).await;
    assert!(told.starts_with(&format!("it applies: cart asks for {} in the deployment ecs-svc/", newest.name())), "{told}");
    let current = world.service("acme-prod", "web-prod", "cart").await.current_service_deployment().unwrap().to_owned();
    let told = found(&world, "acme-prod", &service, Call::StopServiceDeployment { deployment: Arn::from(&*current) }).await;
    assert!(told.starts_with("it applies: the deployment is "), "{told}");
    let ecs = clients::ecs(&world.sim, "acme-prod");
    let tasks = ecs.list_tasks().cluster("web-prod").service_name("cart").send().await.unwrap().task_arns.unwrap();
    let task = Arn::from(&*tasks[0]);
    let protect = Call::UpdateTaskProtection { cluster: cluster.clone(), tasks: vec![task.clone()], protect: true, minutes: None };
    assert_eq!(found(&world, "acme-prod", &task, protect).await, "it applies: 1 of 1 are protected");
    let stop = Call::StopTask { cluster: cluster.clone(), task: task.clone(), reason: String::new() };
    assert_eq!(found(&world, "acme-prod", &task, stop).await, "it applies: the task has stopped or stops");
    let run = Call::RunTask {
        cluster,
        revision: Arn::from(&*base),
        launch_type: Some("FARGATE".into()),
        capacity_providers: Vec::new(),
        network: Some((vec!["subnet-1".into()], Vec::new(), None)),
        command: None,
        started_by: "midwatch/ann".to_owned(),
        client_token: "once".to_owned(),
    };
    let told = found(&world, "acme-prod", &service, run).await;
    assert!(told.starts_with("it applies: task ") && told.ends_with(" was started"), "{told}");
}

#[tokio::test]
async fn of_ranges_instances_and_code_deploy() {
    let world = World::open("seeds").await;
    let resource: midwatch::model::Str = "service/lomash-production/product-service".into();
    let listed = world.service("lomash-production", "lomash-production", "product-service").await;
    let service = Arn::from(listed.service_arn().unwrap());
    let off = Suspended { scale_in: true, scale_out: true, scheduled: true };
    let range = Call::RegisterScalableTarget { resource, min: None, max: Some(20), suspended: Some(off) };
    assert_eq!(found(&world, "lomash-production", &service, range).await, "it applies: the scaling range is 2 to 20");
    let ecs = clients::ecs(&world.sim, "tutorbloc");
    let instances = ecs.list_container_instances().cluster("tutorbloc").send().await.unwrap().container_instance_arns.unwrap();
    let instance = Arn::from(&*instances[0]);
    let cluster = super::cluster_of_any(&instance);
    let drain = Call::UpdateContainerInstancesState { cluster, instances: vec![instance.clone()], drain: true };
    assert_eq!(found(&world, "tutorbloc", &instance, drain).await, "it applies: 1 of 1 are DRAINING");
    let world = contract("beside.toml").await;
    let code = clients::code_deploy(&world.sim, "shop");
    let last = code.list_deployments().application_name("shop-pay").deployment_group_name("shop-pay-production").send().await.unwrap();
    let last = code.get_deployment().deployment_id(&last.deployments()[0]).send().await.unwrap().deployment_info.unwrap();
    let spec = last.revision().unwrap().app_spec_content().unwrap().content().unwrap().to_owned();
    let pay = world.service("shop", "shop", "pay").await;
    let (service, running) = (Arn::from(pay.service_arn().unwrap()), Arn::from(pay.task_sets()[0].task_definition().unwrap()));
    let create = Call::CreateDeployment {
        application: "shop-pay".into(),
        group: "shop-pay-production".into(),
        app_spec: spec.as_str().into(),
        revision: Revision::Known(running),
        description: String::new(),
    };
    // Later than what the past of the world holds.
    world.sim.step(std::time::Duration::from_mins(1));
    // Any answer tells what time it is at AWS.
    world.basis(world.ctx("shop"), &service).await;
    let told = found(&world, "shop", &service, create).await;
    assert!(told.starts_with("it applies: the deployment d-") && told.ends_with(" was created"), "{told}");
    let id = told.split(' ').find(|word| word.starts_with("d-")).unwrap();
    let told = found(&world, "shop", &service, Call::StopDeployment { id: id.into() }).await;
    assert_eq!(told, format!("it applies: the deployment {id} is Stopped"));
}

#[tokio::test]
async fn of_hooks_task_sets_and_waits() {
    let world = contract("shifts.toml").await;
    let (service, deployment, hook) = paused(&world).await;
    let go_on = Call::ContinueServiceDeployment { deployment, hook: hook.as_str().into(), roll_back: false };
    let told = found(&world, "shifts", &service, go_on).await;
    assert!(told.starts_with("it applies: the hook is ") && !told.contains("AWAITING_ACTION"), "{told}");
    let world = contract("shifts.toml").await;
    let (service, set) = two_sets(&world).await;
    let call = Call::UpdateServicePrimaryTaskSet { cluster: cluster_of(&service), service: service.clone(), task_set: set.as_str().into() };
    assert_eq!(found(&world, "shifts", &service, call).await, format!("it applies: the primary task set of batch is {set}"));
    let world = contract("beside.toml").await;
    let (service, id) = ready(&world).await;
    let call = Call::ContinueDeployment { id: id.as_str().into(), wait: "READY_WAIT" };
    let told = found(&world, "shop", &service, call).await;
    assert!(told.starts_with(&format!("it applies: the deployment {id} is ")), "{told}");
}

#[tokio::test]
async fn what_was_never_done_is_not_said_to_apply() {
    let world = contract("shifts.toml").await;
    let (service, deployment, hook) = paused(&world).await;
    let call = Call::ContinueServiceDeployment { deployment, hook: hook.as_str().into(), roll_back: false };
    world.fault("[[fault]]\noperation = 'ecs:ContinueServiceDeployment'\ntimes = 1\nkind = 'reset'\n");
    let heard = world.carry_out(vec![plan(Verb::Continue, world.ctx("shifts"), &service, call, Vec::new())]).await;
    let [.., Progress::Unanswered { found, .. }, Progress::Done] = &heard.progress[..] else { panic!("{:?}", heard.progress) };
    assert_eq!(found, "it does not apply so far: the hook is AWAITING_ACTION");
}
