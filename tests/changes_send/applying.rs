//! Orders: what moved meanwhile, what is in the journal when, what is told of a call that nobody answered.

use super::{World, clients, cluster_of_any, plan};
use midwatch::change::apply::{Order, Progress, Told};
use midwatch::change::journal::{self, Phase};
use midwatch::change::trace::Trace;
use midwatch::change::{Basis, Call, Change, Inverse, Plan, Revision, ServiceChange, Step, Verb};
use midwatch::config::Places;
use midwatch::model::Arn;
use std::path::PathBuf;
use std::sync::Mutex;

async fn cart(world: &World) -> Arn {
    Arn::from(world.service("acme-prod", "web-prod", "cart").await.service_arn().unwrap())
}

/// A state directory of its own, for a journal on the disk.
fn places(name: &str) -> (PathBuf, Places) {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&root);
    let places = Places::below(&root);
    (root, places)
}

fn stop(world: &World, context: &str, tasks: &[String]) -> Plan {
    let arns: Vec<Arn> = tasks.iter().map(|task| Arn::from(&**task)).collect();
    let call = |task: &Arn| Call::StopTask { cluster: cluster_of_any(task), task: task.clone(), reason: "midwatch".to_owned() };
    let basis = arns.iter().map(|task| Basis::Task { arn: task.clone(), alive: true }).collect();
    let mut plan = plan(Verb::StopTasks, world.ctx(context), &arns[0], call(&arns[0]), basis);
    plan.steps = arns.iter().map(|task| Step { what: format!("stop task {}", task.name()), call: call(task) }).collect();
    plan.targets = arns;
    plan
}

async fn tasks(world: &World, context: &str, cluster: &str, service: &str) -> Vec<String> {
    clients::ecs(&world.sim, context).list_tasks().cluster(cluster).service_name(service).send().await.unwrap().task_arns.unwrap()
}

#[tokio::test]
async fn what_is_confirmed_is_sent_once_and_stands_in_the_journal_before_and_after() {
    let mut world = World::open("small").await;
    let (root, kept) = places("journal");
    world.desk.places = kept;
    let mut scaling = world.scaling("acme-prod", &cart(&world).await, 5).await;
    scaling.changes = vec![Change { what: "desired".into(), before: "3".into(), after: "5".into() }];
    drop(world.sim.take_requests());
    let heard = world.carry_out(vec![scaling]).await;
    let [Progress::Checking, Progress::Sending { plan: 0, step: 0 }, Progress::Sent { request_id: Some(id), .. }, Progress::Done] =
        &heard.progress[..]
    else {
        panic!("{:?}", heard.progress)
    };
    let operations: Vec<&str> = world.sim.requests().iter().map(|sent| sent.call.operation).collect();
    assert_eq!(operations, ["DescribeServices", "UpdateService"], "read again, then sent");
    assert_eq!(world.service("acme-prod", "web-prod", "cart").await.desired_count(), 5);
    let file = root.join("state/journal.jsonl");
    let records = journal::read(&std::fs::read_to_string(&file).unwrap());
    assert_eq!(records, heard.records);
    let [intent, outcome] = &records[..] else { panic!("{records:?}") };
    assert!(matches!(&intent.phase, Phase::Intent { trace: Trace::Service { desired: Some(5), .. } }));
    assert!(matches!(&outcome.phase, Phase::Done { request_id: Some(kept), .. } if kept == id));
    assert_eq!((&*intent.user, &*intent.context, &*intent.verb, &*intent.action), ("ann", "acme-prod", "scale", "ecs:UpdateService"));
    assert_eq!((&*intent.before[0], &*intent.after[0], &*intent.cli[0]), ("desired 3", "desired 5", "aws scale"));
    assert_eq!(intent.id, outcome.id);
    assert!(journal::open(&records).is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::remove_dir_all(root).unwrap();
}

#[tokio::test]
async fn x3_someone_else_deployed_between_the_preview_and_the_confirmation() {
    let world = World::open("small").await;
    let service = cart(&world).await;
    let mut scaling = world.scaling("acme-prod", &service, 9).await;
    scaling.inverse = Ok(Box::new(Inverse::Scale { service: service.clone(), desired: 3 }));
    let before = world.service("acme-prod", "web-prod", "cart").await.desired_count();
    let other = clients::ecs(&world.sim, "acme-prod");
    other.update_service().cluster("web-prod").service("cart").desired_count(6).force_new_deployment(true).send().await.unwrap();
    drop(world.sim.take_requests());
    let heard = world.carry_out(vec![scaling]).await;
    let [Progress::Checking, Progress::Moved(moved, plans)] = &heard.progress[..] else { panic!("{:?}", heard.progress) };
    let told: Vec<(&str, &str)> = moved.iter().map(|moved| (&*moved.target, moved.what)).collect();
    assert_eq!(told, [("cart", "desired"), ("cart", "deployment"), ("cart", "rollout")]);
    assert_eq!((moved[0].was.as_str(), moved[0].now.as_str()), (before.to_string().as_str(), "6"));
    assert!(world.sent("UpdateService").is_empty() && heard.records.is_empty(), "nothing was sent");
    assert!(matches!(plans[0].inverse.as_deref(), Ok(Inverse::Scale { desired: 6, .. })), "the way back is to the six");
    let heard = world.carry_out_order(Order { id: 2, plans: plans.clone(), compared: true }).await;
    assert_eq!(heard.progress.last(), Some(&Progress::Done));
    assert!(heard.records[0].compared);
    assert_eq!(world.service("acme-prod", "web-prod", "cart").await.desired_count(), 9);
}

#[tokio::test]
async fn a_revision_deregistered_and_a_service_deleted_meanwhile_block_the_plan() {
    let world = World::open("small").await;
    let (service, other) = (cart(&world).await, clients::ecs(&world.sim, "acme-prod"));
    let revision = world.service("acme-prod", "web-prod", "cart").await.task_definition().unwrap().to_owned();
    let mut back = world.scaling("acme-prod", &service, 3).await;
    back.basis = vec![Basis::Revision { arn: Arn::from(&*revision), active: true }];
    other.deregister_task_definition().task_definition(&revision).send().await.unwrap();
    let heard = world.carry_out(vec![back]).await;
    let Some(Progress::Moved(moved, plans)) = heard.progress.last() else { panic!("{:?}", heard.progress) };
    assert_eq!((moved[0].was.as_str(), moved[0].now.as_str(), plans[0].blocked()), ("ACTIVE", "INACTIVE", true));
    let scaling = world.scaling("acme-prod", &service, 4).await;
    other.delete_service().cluster("web-prod").service("cart").force(true).send().await.unwrap();
    let heard = world.carry_out(vec![scaling]).await;
    let Some(Progress::Moved(_, plans)) = heard.progress.last() else { panic!("{:?}", heard.progress) };
    assert!(plans[0].blocked());
    drop(world.sim.take_requests());
    let heard = world.carry_out(plans.clone()).await;
    assert!(matches!(&heard.progress[..], [Progress::Refused(why)] if why.contains("nothing was sent")), "{:?}", heard.progress);
    assert!(world.sim.requests().is_empty());
}

#[tokio::test]
async fn a_reply_that_never_comes_is_found_out_about_by_reading() {
    let world = World::open("small").await;
    let service = cart(&world).await;
    for kind in ["cut_reply", "lost_reply"] {
        let desired = world.service("acme-prod", "web-prod", "cart").await.desired_count() + 1;
        let scaling = world.scaling("acme-prod", &service, u32::try_from(desired).unwrap()).await;
        world.fault(&format!("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = '{kind}'\n"));
        drop(world.sim.take_requests());
        let heard = world.carry_out(vec![scaling]).await;
        let [.., Progress::Unanswered { found, .. }, Progress::Done] = &heard.progress[..] else { panic!("{:?}", heard.progress) };
        assert_eq!(*found, format!("it applies: cart wants {desired} tasks"));
        assert_eq!(world.sent("UpdateService").len(), 1, "it is not sent again");
        assert!(matches!(&heard.records[1].phase, Phase::Unanswered { known: true, .. }));
    }
}

#[tokio::test]
async fn a_request_that_got_lost_on_its_way_is_told_as_such() {
    let world = World::open("small").await;
    let scaling = world.scaling("acme-prod", &cart(&world).await, 8).await;
    world.fault("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = 'reset'\n");
    let heard = world.carry_out(vec![scaling]).await;
    let [.., Progress::Unanswered { found, .. }, Progress::Done] = &heard.progress[..] else { panic!("{:?}", heard.progress) };
    assert!(found.starts_with("it does not apply so far: cart wants "), "{found}");
}

#[tokio::test]
async fn where_reading_is_denied_that_is_told_and_the_plan_goes_on() {
    let world = World::open("small").await;
    let scaling = world.scaling("acme-prod", &cart(&world).await, 7).await;
    world.fault("[[fault]]\noperation = 'ecs:DescribeServices'\nkind = 'deny'\n");
    let heard = world.carry_out(vec![scaling.clone()]).await;
    assert!(
        matches!(&heard.said[..], [said] if said.contains("AccessDenied for ecs:DescribeServices") && said.contains("not compared with what it is now"))
    );
    assert_eq!(heard.progress.last(), Some(&Progress::Done));
    world.fault("[[fault]]\noperation = 'ecs:DescribeServices'\nkind = 'expired_token'\n");
    drop(world.sim.take_requests());
    let heard = world.carry_out(vec![scaling]).await;
    assert!(matches!(heard.progress.last(), Some(Progress::Refused(why)) if why.contains("nothing was sent")), "{:?}", heard.progress);
    assert!(world.sent("UpdateService").is_empty(), "nobody knows what is there now");
}

#[tokio::test]
async fn a_throttled_write_passes_in_the_end() {
    let world = World::open("small").await;
    let scaling = world.scaling("acme-prod", &cart(&world).await, 7).await;
    world.fault("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = 'throttle'\n");
    let heard = world.carry_out(vec![scaling]).await;
    assert!(matches!(heard.progress[..], [.., Progress::Sent { .. }, Progress::Done]), "{:?}", heard.progress);
    assert_eq!(heard.records.len(), 2, "it was one change");
}

#[tokio::test]
async fn of_many_tasks_each_is_told_and_one_that_ended_is_left_out() {
    let world = World::open("small").await;
    let running = tasks(&world, "acme-prod", "web-prod", "cart").await;
    assert!(running.len() >= 3, "{running:?}");
    let all = stop(&world, "acme-prod", &running);
    let other = clients::ecs(&world.sim, "acme-prod");
    other.stop_task().cluster("web-prod").task(&running[0]).send().await.unwrap();
    let heard = world.carry_out(vec![all]).await;
    let Some(Progress::Moved(moved, plans)) = heard.progress.last() else { panic!("{:?}", heard.progress) };
    assert_eq!((moved.len(), moved[0].now.as_str(), plans[0].steps.len()), (1, "stopped", running.len() - 1));
    assert!(!plans[0].blocked());
    world.fault("[[fault]]\noperation = 'ecs:StopTask'\ntimes = 1\nkind = 'error'\ncode = 'InvalidParameterException'\nmessage = 'no'\n");
    let heard = world.carry_out(plans.clone()).await;
    let failed = heard.progress.iter().filter(|progress| matches!(progress, Progress::Failed { .. })).count();
    let sent = heard.progress.iter().filter(|progress| matches!(progress, Progress::Sent { .. })).count();
    assert_eq!((failed, sent), (1, running.len() - 2), "the others do not wait for it");
}

#[tokio::test]
async fn a_bulk_order_goes_on_with_the_next_service_and_a_plan_ends_at_its_first_failure() {
    let world = World::open("small").await;
    let service = cart(&world).await;
    let ecs = clients::ecs(&world.sim, "acme-prod");
    let names = ecs.list_services().cluster("web-prod").send().await.unwrap().service_arns.unwrap();
    let other = Arn::from(&**names.iter().find(|name| !name.ends_with("/cart")).unwrap());
    let mut two_steps = world.scaling("acme-prod", &service, 5).await;
    two_steps.steps.push(two_steps.steps[0].clone());
    let next = world.scaling("acme-prod", &other, 4).await;
    world.fault(
        "[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = 'error'\ncode = 'InvalidParameterException'\nmessage = 'no'\n",
    );
    drop(world.sim.take_requests());
    let heard = world.carry_out(vec![two_steps, next]).await;
    assert!(matches!(heard.progress[2], Progress::Failed { plan: 0, step: 0, .. }), "{:?}", heard.progress);
    assert!(matches!(heard.progress[4], Progress::Sent { plan: 1, step: 0, .. }), "{:?}", heard.progress);
    assert_eq!((world.sent("UpdateService").len(), world.sent("DescribeServices").len()), (2, 1), "one reading for both");
}

#[tokio::test]
async fn a_registered_revision_is_what_the_next_step_deploys() {
    let world = World::open("small").await;
    let service = cart(&world).await;
    let base = world.service("acme-prod", "web-prod", "cart").await.task_definition().unwrap().to_owned();
    let set = ServiceChange { revision: Some(Revision::Registered), ..ServiceChange::default() };
    let mut deploy = world.scaling("acme-prod", &service, 3).await;
    let update = Call::UpdateService { cluster: deploy.cluster.clone(), service, set };
    let register = super::registering::clone_of(&world, "acme-prod", &base, "v9").await;
    deploy.steps = vec![Step { call: register, what: "register".into() }, Step { call: update, what: "deploy".into() }];
    let heard = world.carry_out(vec![deploy]).await;
    assert_eq!(heard.progress.last(), Some(&Progress::Done), "{:?}", heard.progress);
    let now = world.service("acme-prod", "web-prod", "cart").await.task_definition().unwrap().to_owned();
    assert!(now != base && now.contains("task-definition/cart:"), "{now}");
    assert!(matches!(&heard.records[1].phase, Phase::Done { made: Some(made), .. } if **made == *now));
    assert!(matches!(&heard.records[2].phase, Phase::Intent { trace: Trace::Service { revision: Some(arn), .. } } if arn.as_str() == now));
}

#[tokio::test]
async fn without_a_journal_nothing_is_sent() {
    let mut world = World::open("small").await;
    let (root, kept) = places("full");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("state"), "a file where the directory should be").unwrap();
    world.desk.places = kept;
    let scaling = world.scaling("acme-prod", &cart(&world).await, 5).await;
    drop(world.sim.take_requests());
    let heard = world.carry_out(vec![scaling.clone(), scaling]).await;
    let failed: Vec<&Progress> = heard.progress.iter().filter(|progress| matches!(progress, Progress::Failed { .. })).collect();
    let [Progress::Failed { error, .. }] = failed[..] else { panic!("{:?}", heard.progress) };
    assert!(error.what.contains("journal.jsonl") && error.what.contains("nothing was sent"), "{}", error.what);
    assert!(world.sent("UpdateService").is_empty());
    std::fs::remove_dir_all(root).unwrap();
}

/// What the next start tells of a journal that ends with an intent.
async fn next_start(world: &World, file: &str) -> (Vec<String>, Vec<journal::Record>) {
    let (said, records) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let tell = |told: Told| match told {
        Told::Said(text) => said.lock().unwrap().push(text),
        Told::Record(record) => records.lock().unwrap().push(*record),
        _ => {}
    };
    world.desk.take_up(&journal::read(file), tell).await;
    (said.into_inner().unwrap(), records.into_inner().unwrap())
}

#[tokio::test]
async fn x6_a_change_whose_outcome_was_never_heard_is_found_out_about_at_the_next_start() {
    let mut world = World::open("small").await;
    let (root, kept) = places("killed");
    world.desk.places = kept;
    let service = cart(&world).await;
    let desired = u32::try_from(world.service("acme-prod", "web-prod", "cart").await.desired_count()).unwrap();
    let scaling = world.scaling("acme-prod", &service, desired + 2).await;
    let heard = world.carry_out(vec![scaling]).await;
    // Killed between the request and its answer: the journal ends with the intent.
    let mut intent = heard.records[0].clone();
    intent.process = 0;
    let file = journal::line(&intent);
    std::fs::write(root.join("state/journal.jsonl"), &file).unwrap();
    let (said, records) = next_start(&world, &file).await;
    let found = format!("it applies: cart wants {} tasks", desired + 2);
    assert!(matches!(&said[..], [said] if said.starts_with("scale cart on ") && said.ends_with(&found)), "{said:?}");
    assert!(records[0].ends() && records[0].id == intent.id);
    let file = std::fs::read_to_string(root.join("state/journal.jsonl")).unwrap();
    assert_eq!(next_start(&world, &file).await.0, Vec::<String>::new(), "it is told once");
    // Killed before the request was sent.
    let Phase::Intent { trace: Trace::Service { desired: wanted, .. } } = &mut intent.phase else { unreachable!() };
    *wanted = Some(99);
    let (said, _) = next_start(&world, &journal::line(&intent)).await;
    assert!(said[0].contains("it does not apply: cart wants "), "{said:?}");
    // Whose context is not open, or may not be read, stays open.
    let elsewhere = journal::Record { context: "another".into(), ..intent.clone() };
    let (said, records) = next_start(&world, &journal::line(&elsewhere)).await;
    assert!(said[0].contains("open context another in eu-west-1 to find out") && records.is_empty(), "{said:?}");
    world.fault("[[fault]]\noperation = 'ecs:DescribeServices'\nkind = 'deny'\n");
    let (said, records) = next_start(&world, &journal::line(&intent)).await;
    assert!(said[0].contains("AccessDenied for ecs:DescribeServices") && records.is_empty(), "{said:?}");
    std::fs::remove_dir_all(root).unwrap();
}
