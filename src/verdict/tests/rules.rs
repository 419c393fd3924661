//! Every rule decides a case of its own, and the rules above and below it leave that case alone.

use super::*;
use crate::model::sample::{NOW, deployment, event};
use crate::model::{LifecycleHook, LoadBalancer, RevisionShare, TaskSet};
use std::collections::BTreeSet;

fn task_set(revision: u32, status: &str, running: u32, seconds: i64) -> TaskSet {
    TaskSet {
        id: format!("ecs-svc/{revision}").into(),
        status: status.into(),
        external_id: Some("d-ABCDEF123".into()),
        task_definition: definition(revision, Vec::new()).arn,
        desired: 2,
        running,
        pending: 0,
        stability: Some(if running == 2 { "STEADY_STATE" } else { "STABILIZING" }.into()),
        created_at: Some(ago(seconds)),
        load_balancers: vec![LoadBalancer { target_group: Some(green()), alternate_target_group: None, container: "app".into(), port: 80 }],
        ..TaskSet::default()
    }
}

fn green() -> Arn {
    Arn::from("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api-green/fedcba9876543210")
}

fn by_code_deploy(sets: Vec<TaskSet>) -> Service {
    Service { controller: "CODE_DEPLOY".into(), deployments: Vec::new(), task_sets: sets, ..steady("api") }
}

fn rolling() -> Scene {
    Scene::of(Service { deployments: vec![in_progress(8), deployment(7, "ACTIVE", "COMPLETED")], ..steady("api") })
}

fn told(message: &str, seconds: i64, running: u32) -> Scene {
    Scene::of(Service { running, events: vec![event(&format!("(service api) {message}"), seconds)], ..steady("api") })
}

const NO_MEMORY: &str = "was unable to place a task because no container instance met all of its requirements. The closest matching \
    (container-instance 0123456789abcdef0123456789abcdef) has insufficient memory available. For more information, see the \
    Troubleshooting section of the Amazon ECS Developer Guide.";

const PERCENT: &str = "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the \
    minimumHealthyPercent or maximumPercent value and try again.";

/// A case for each rule, by the rule's name, with its health and the beginning of its first line.
fn cases() -> Vec<(&'static str, Scene, Health, &'static str)> {
    let mut all: Vec<(&'static str, Scene, Health, &'static str)> = Vec::new();
    let mut case = |name, scene, health, why| all.push((name, scene, health, why));

    case(
        "not_told",
        Scene::of(Service { status: "".into(), ..steady("api") }),
        Health::Unknown,
        "AWS told neither its state nor its tasks",
    );
    case("not_active", Scene::of(Service { status: "DRAINING".into(), ..steady("api") }), Health::Idle, "service is DRAINING");
    case("nothing_wanted", Scene::of(Service { desired: 0, running: 0, ..steady("api") }), Health::Idle, "0 tasks desired");

    let mut back = Scene::of(Service {
        deployments: vec![deployment(7, "PRIMARY", "IN_PROGRESS"), deployment(8, "ACTIVE", "FAILED")],
        ..steady("api")
    });
    back.task(exited("a", 8, 60, 1));
    case("goes_back", back, Health::Fail, "api:8 failed, rolling back to api:7 · 2/2 up · tasks die at start: container app exits 1");

    let failed = Scene::of(Service { deployments: vec![deployment(8, "PRIMARY", "FAILED")], ..steady("api") });
    case("deployment_failed", failed, Health::Fail, "deployment of api:8 failed · 2/2 up");

    let mut given_up = Scene::of(by_code_deploy(vec![task_set(7, "PRIMARY", 2, 9000)]));
    given_up.code = Some(CodeDeployment {
        id: "d-ABCDEF123".into(),
        status: "Failed".into(),
        error: Some("HEALTH_CONSTRAINTS: the new tasks never got healthy".into()),
        completed_at: Some(ago(120)),
        ..CodeDeployment::default()
    });
    let why = "CodeDeploy d-ABCDEF123 failed: HEALTH_CONSTRAINTS: the new tasks never got healthy · api:7 serves, 2/2 up";
    case("code_deploy_failed", given_up, Health::Fail, why);

    let mut hook = rolling();
    let pause = LifecycleHook { id: "h-1".into(), kind: "PAUSE".into(), status: "AWAITING_ACTION".into(), ..LifecycleHook::default() };
    let target = RevisionShare { production_weight: Some(10.0), ..RevisionShare::default() };
    let waiting = ServiceDeployment {
        hooks: vec![pause],
        target: Some(target),
        lifecycle_stage: Some("POST_TEST_TRAFFIC_SHIFT".into()),
        ..(*release("IN_PROGRESS", 60, None)).clone()
    };
    hook.deployments = vec![Arc::new(waiting)];
    let why = "deployment waits at POST_TEST_TRAFFIC_SHIFT for an answer to its PAUSE hook, else ROLLBACK · 10% of traffic";
    case("hook_waits", hook, Health::Warn, why);

    let mut stop = rolling();
    stop.deployments = vec![release("STOP_REQUESTED", 60, None)];
    case("being_stopped", stop, Health::Warn, "the deployment is being stopped on request");

    let mut dies = rolling();
    (dies.service.deployments[0].failed, dies.service.deployments[0].running) = (3, 0);
    dies.task(exited("a", 8, 60, 127));
    case("release_fails", dies, Health::Fail, "tasks die at start: container app exits 127 (command not found) · api:8 0/2 up");

    case("cannot_place", told(NO_MEMORY, 60, 1), Health::Fail, "");
    let backoff = "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.";
    case("cannot_start", told(backoff, 60, 1), Health::Fail, "is unable to consistently start tasks successfully");

    let mut blocked = told(PERCENT, 60, 2);
    blocked.service.deployments = vec![in_progress(8), deployment(7, "ACTIVE", "COMPLETED")];
    (blocked.service.min_percent, blocked.service.max_percent) = (Some(100), Some(100));
    case("blocked_by_percent", blocked, Health::Warn, "deployment cannot move: min 100% and max 100% of 2 leave no room");

    case("nothing_runs", Scene::of(Service { running: 0, pending: 2, ..steady("api") }), Health::Fail, "0 of 2 tasks run, 2 pending");

    let mut pair = Scene::of(by_code_deploy(vec![task_set(7, "PRIMARY", 2, 9000), task_set(8, "ACTIVE", 2, 300)]));
    pair.targets(&[healthy("10.0.0.1"), healthy("10.0.0.2")]);
    pair.groups.push((green(), vec![sick("10.0.0.3"), healthy("10.0.0.4")]));
    case("replacement_unhealthy", pair, Health::Fail, "api:8 is unhealthy in api-green, 1/2 targets · Target.Timeout · 10.0.0.3:80");

    let mut all_sick = Scene::of(steady("api"));
    all_sick.targets(&[sick("10.0.0.1"), sick("10.0.0.2"), a_target("10.0.0.9", TargetState::Draining, None)]);
    case("all_targets_unhealthy", all_sick, Health::Fail, "2/2 targets unhealthy · Target.Timeout · 10.0.0.1:80");

    let mut went = told("(deployment ecs-svc/8) deployment failed: tasks failed to start.", 1700, 2);
    went.task(exited("a", 8, 1750, 1));
    case("rolled_back", went, Health::Fail, "api:8 failed, rolled back to api:7 · 2/2 up · tasks die at start: container app exits 1");

    let mut killed = Scene::of(steady("api"));
    killed.task(Task { started_at: Some(ago(7260)), ..exited("a", 7, 60, 1) });
    case("tasks_die", killed, Health::Warn, "tasks die after 2 h: container app exits 1 · 2/2 up");

    let mut lost = Scene::of(Service { running: 1, ..steady("api") });
    lost.task(spot("a", 60));
    case("ground_gone", lost, Health::Warn, "Spot interruption took 1 task of FARGATE_SPOT, being replaced · 1/2 up");

    let mut some = Scene::of(steady("api"));
    some.targets(&[healthy("10.0.0.1"), sick("10.0.0.2")]);
    case("some_targets_unhealthy", some, Health::Warn, "1/2 targets unhealthy · Target.Timeout · 10.0.0.2:80");

    let mut own_check = Scene::of(steady("api"));
    own_check.task(Task { health: "UNHEALTHY".into(), ..a_task("a", "RUNNING") });
    case("tasks_unhealthy", own_check, Health::Warn, "1/2 tasks fail their container health check");

    let mut still = rolling();
    still.service.deployments[0].running = 1;
    case("no_progress", still, Health::Warn, "deployment of api:8 stands still for 60 min · 1/2 up");

    let mut rolls = rolling();
    (rolls.service.deployments[0].running, rolls.service.deployments[0].created_at) = (1, Some(ago(60)));
    case("rolls", rolls, Health::Roll, "rolling to api:8 · 1/2 up · 2 old left");

    let sets = vec![task_set(7, "PRIMARY", 2, 9000), task_set(8, "ACTIVE", 1, 300)];
    case("replacement_rolls", Scene::of(by_code_deploy(sets)), Health::Roll, "CodeDeploy d-ABCDEF123 brings api:8 · 1/2 up beside api:7");

    let mut held = Scene::of(Service { running: 1, pending: 1, ..steady("api") });
    held.task(Task { created_at: Some(ago(400)), started_at: None, ..a_task("0123456789", "PENDING") });
    case("task_held_up", held, Health::Warn, "1/2 tasks run, 1 pending · 01234567 held up: image is being pulled");

    case("too_few", Scene::of(Service { running: 1, pending: 1, ..steady("api") }), Health::Warn, "1/2 tasks run, 1 pending");
    case(
        "bad_event",
        told("operations are being throttled on elb. Will try again later.", 60, 2),
        Health::Warn,
        "operations are being throttled on elb",
    );
    case("steady", Scene::of(steady("api")), Health::Ok, "steady on api:7");
    all
}

pub(super) fn spot(id: &str, seconds: i64) -> Task {
    let stop = stopped(id, seconds, "SpotInterruption", "Your Spot Task was interrupted.", Some(143));
    Task { capacity_provider: Some("FARGATE_SPOT".into()), ..stop }
}

#[test]
fn every_rule_decides_its_own_case_and_no_other_s() {
    for (name, scene, health, why) in cases() {
        let verdict = scene.judge();
        assert_eq!(verdict.rule, name, "{}", verdict.why);
        assert_eq!(verdict.health, health, "{name}: {}", verdict.why);
        assert!(verdict.why.starts_with(why), "{name}: {}", verdict.why);
        let row = RULES.iter().find(|rule| rule.name == name).expect("a verdict names its rule");
        assert_eq!(verdict.state, row.state, "{name}");
    }
}

#[test]
fn every_rule_has_a_case_and_a_name_of_its_own() {
    let (named, tried): (BTreeSet<&str>, BTreeSet<&str>) =
        (RULES.iter().map(|rule| rule.name).collect(), cases().iter().map(|case| case.0).collect());
    assert_eq!(named, tried);
    assert_eq!(named.len(), RULES.len());
    assert!(RULES.iter().all(|rule| !rule.about.is_empty()));
}

#[test]
fn whatever_is_on_the_list_of_problems_says_what_to_check_and_shows_evidence() {
    for (name, scene, ..) in cases() {
        let verdict = scene.judge();
        if verdict.health.troubled() {
            assert!(!verdict.next.is_empty(), "{name}: {}", verdict.why);
            assert!(!verdict.evidence.is_empty(), "{name}: {}", verdict.why);
        }
    }
}

#[test]
fn a_verdict_does_not_break_on_times_that_lie_ahead_or_far_behind() {
    for (name, scene, ..) in cases() {
        for seconds in [-86_400 * 400, -7200, -30, 86_400 * 400] {
            let moved = Time::from_second(NOW + seconds).expect("a time of this era");
            let verdict = scene.judge_at(moved);
            assert!(!verdict.why.is_empty() && !verdict.rule.is_empty(), "{name} at {seconds}");
        }
    }
}
