//! What the gate keeps, whoever asks: every call there is, in every way of being read-only.

use super::{World, cluster_of};
use midwatch::aws::ErrorKind;
use midwatch::change::apply::{Order, Progress};
use midwatch::change::gate::{Rules, Standing, Why};
use midwatch::change::journal::Phase;
use midwatch::change::{Call, Register, Revision, ServiceChange};
use midwatch::config::Config;
use midwatch::model::{Arn, Fleet};
use std::sync::Arc;
use std::time::Duration;

/// One of each call.
fn every_call(service: &Arn) -> Vec<Call> {
    let cluster = cluster_of(service);
    let deployment = Arn::from(&*service.as_str().replace(":service/", ":service-deployment/")).as_str().to_owned() + "/abc";
    let deployment = Arn::from(&*deployment);
    let task = Arn::from(&*service.as_str().replace(":service/", ":task/"));
    let revision = Arn::from("arn:aws:ecs:eu-west-1:219087346512:task-definition/cart:1");
    vec![
        Call::UpdateService {
            cluster: cluster.clone(),
            service: service.clone(),
            set: ServiceChange { desired: Some(1), ..ServiceChange::default() },
        },
        Call::StopServiceDeployment { deployment: deployment.clone() },
        Call::ContinueServiceDeployment { deployment, hook: "h".into(), roll_back: false },
        Call::UpdateServicePrimaryTaskSet { cluster: cluster.clone(), service: service.clone(), task_set: "ecs-svc/1".into() },
        Call::RegisterTaskDefinition(Box::new(Register { base: revision.clone(), images: Vec::new(), request: Arc::default() })),
        Call::StopTask { cluster: cluster.clone(), task: task.clone(), reason: String::new() },
        Call::RunTask {
            cluster: cluster.clone(),
            revision: revision.clone(),
            launch_type: None,
            capacity_providers: Vec::new(),
            network: None,
            command: None,
            started_by: String::new(),
            client_token: String::new(),
        },
        Call::UpdateContainerInstancesState { cluster: cluster.clone(), instances: vec![task.clone()], drain: true },
        Call::UpdateTaskProtection { cluster, tasks: vec![task], protect: true, minutes: None },
        Call::RegisterScalableTarget { resource: "service/web-prod/cart".into(), min: None, max: None, suspended: None },
        Call::CreateDeployment {
            application: "a".into(),
            group: "g".into(),
            app_spec: "{}".into(),
            revision: Revision::Known(revision),
            description: String::new(),
        },
        Call::StopDeployment { id: "d-1".into() },
        Call::ContinueDeployment { id: "d-1".into(), wait: "READY_WAIT" },
    ]
}

async fn cart(world: &World) -> Arn {
    Arn::from(world.service("acme-prod", "web-prod", "cart").await.service_arn().unwrap())
}

#[tokio::test]
async fn no_call_passes_in_any_way_of_being_read_only() {
    let world = World::open("small").await;
    let service = cart(&world).await;
    let ctx = world.ctx("acme-prod");
    let rules = |read_only: &[bool]| Rules::new(&Config::default(), &world.desk.fleet, read_only);
    let mut production = world.desk.fleet.clone();
    production.0.iter_mut().for_each(|context| context.production = Some(true));
    let all = vec![true; world.desk.fleet.0.len()];
    let ways = [
        ("nobody has said anything", Rules::default()),
        ("--read-only", rules(&[]).locked(Some(Why::Flag))),
        ("READ_ONLY", rules(&[]).locked(Some(Why::Environment))),
        ("read_only", rules(&all)),
        ("locked until", Rules::new(&Config::default(), &production, &[])),
        ("dry run", rules(&[]).dry(true)),
    ];
    for (way, rules) in ways {
        world.clients.gate().set(rules);
        for call in every_call(&service) {
            drop(world.sim.take_requests());
            let error = world.clients.api(ctx).send(&call, None).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Locked, "{way}: {call:?}");
            assert!(way == "nobody has said anything" || error.what.contains(way), "{way}: {}", error.what);
            assert!(world.sim.requests().is_empty(), "{way}: {call:?} reached AWS");
            assert!(!error.may_apply());
        }
    }
}

#[tokio::test]
async fn production_is_written_to_while_it_is_armed() {
    let world = World::open("small").await;
    let service = cart(&world).await;
    let ctx = world.ctx("acme-prod");
    let mut fleet = Fleet(world.desk.fleet.0.clone());
    fleet.0.iter_mut().for_each(|context| context.production = None);
    world.clients.gate().set(Rules::new(&Config::default(), &fleet, &[]));
    let (api, call) = (world.clients.api(ctx), every_call(&service).remove(0));
    assert!(api.send(&call, None).await.unwrap_err().what.contains("production is locked until :write 15m arms it"));
    let armed = world.clients.gate().arm(ctx, Duration::from_mins(15), api.now()).unwrap();
    assert!(matches!(armed, Standing::Armed { .. }));
    api.send(&call, None).await.unwrap();
    world.clients.gate().arm(ctx, Duration::ZERO, api.now()).unwrap();
    assert_eq!(api.send(&call, None).await.unwrap_err().kind, ErrorKind::Locked);
}

#[tokio::test]
async fn what_aws_denied_is_kept_at_the_gate_until_it_is_to_be_tried_again() {
    let world = World::open("small").await;
    let service = cart(&world).await;
    let ctx = world.ctx("acme-prod");
    let (api, call) = (world.clients.api(ctx), every_call(&service).remove(0));
    world.fault("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = 'deny'\n");
    let error = api.send(&call, None).await.unwrap_err();
    assert_eq!((error.kind, &*error.action), (ErrorKind::Denied, "ecs:UpdateService"));
    let said = api.send(&call, None).await.unwrap_err();
    assert_eq!(said.kind, ErrorKind::Locked);
    assert!(said.what.contains("AWS has just refused this: AccessDenied for ecs:UpdateService"), "{}", said.what);
    assert_eq!(world.sent("UpdateService").len(), 1);
    world.clients.gate().arm(ctx, Duration::from_mins(1), api.now()).unwrap();
    api.send(&call, None).await.unwrap();
}

#[tokio::test]
async fn a_refusal_names_the_action_the_role_and_who_asked() {
    let world = World::open("small").await;
    let service = cart(&world).await;
    let (ctx, ecs) = (world.ctx("acme-prod"), super::clients::ecs(&world.sim, "acme-prod"));
    let base = world.service("acme-prod", "web-prod", "cart").await.task_definition().unwrap().to_owned();
    let role = ecs.describe_task_definition().task_definition(&base).send().await.unwrap().task_definition.unwrap();
    let role = role.task_role_arn().unwrap().rsplit('/').next().unwrap().to_owned();
    for call in every_call(&service) {
        world.fault(&format!("[[fault]]\noperation = '{}'\nkind = 'deny'\n", call.action()));
        let Err(error) = world.clients.api(ctx).send(&call, None).await else { panic!("{call:?} passed") };
        // What a plan would never hold is refused before AWS sees it.
        if matches!(call, Call::RegisterTaskDefinition(_) | Call::CreateDeployment { .. }) {
            continue;
        }
        assert_eq!((error.kind, &*error.action), (ErrorKind::Denied, call.action()), "{}", error.what);
        assert!(error.what.contains(&format!("AccessDenied for {}", call.action())) && error.what.contains(" as "), "{}", error.what);
    }
    world.fault("[[fault]]\noperation = 'iam:PassRole'\nkind = 'deny'\n");
    let register = super::registering::clone_of(&world, "acme-prod", &base, "v9").await;
    let error = world.clients.api(ctx).send(&register, None).await.unwrap_err();
    assert_eq!(&*error.action, "iam:PassRole");
    assert!(error.what.contains("AccessDenied for iam:PassRole on role/") && error.what.contains(&role), "{}", error.what);
}

#[tokio::test]
async fn a_dry_run_writes_the_journal_and_sends_nothing() {
    let world = World::open("small").await;
    let plan = world.scaling("acme-prod", &cart(&world).await, 5).await;
    world.clients.gate().set(Rules::new(&Config::default(), &world.desk.fleet, &[]).dry(true));
    drop(world.sim.take_requests());
    let heard = world.carry_out_order(Order { id: 1, plans: vec![plan], compared: false }).await;
    assert_eq!(
        heard.progress,
        [Progress::Checking, Progress::Rehearsed("dry run: the call is in the journal, nothing was sent".to_owned())]
    );
    assert!(matches!(&heard.records[..], [record] if record.phase == Phase::DryRun));
    assert!(world.sent("UpdateService").is_empty());
}
