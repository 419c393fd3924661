//! The verdicts held to hand-made values, rule by rule.

use super::*;
use crate::model::sample::{NOW, ago, container, deployment, event, service as steady, stopped, target as a_target, task as a_task};
use crate::model::{Container, Service, ServiceEvent, Target, TargetState, Task, Time};
use std::sync::Arc;

fn now() -> Time {
    ago(0)
}

fn judge(s: &Service, tasks: &[Task], targets: &[Target]) -> Verdict {
    let tasks: Vec<Arc<Task>> = tasks.iter().cloned().map(Arc::new).collect();
    service(s, &tasks, &[("api", targets)], now())
}

fn healthy(id: &str) -> Target {
    a_target(id, TargetState::Healthy, None)
}

fn sick(id: &str) -> Target {
    a_target(id, TargetState::Unhealthy, Some("Target.Timeout"))
}

#[test]
fn a_service_that_has_what_it_wants_is_steady_on_its_revision() {
    let verdict = judge(&steady("api"), &[a_task("a", "RUNNING")], &[healthy("10.0.0.1")]);
    assert_eq!((verdict.health, &*verdict.why), (Health::Ok, "steady on api:7"));
    assert_eq!(verdict.since, Some(ago(3000)));
}

#[test]
fn a_service_that_wants_nothing_or_leaves_is_idle() {
    let mut s = Service { desired: 0, running: 0, ..steady("api") };
    assert_eq!(judge(&s, &[], &[]).health, Health::Idle);
    s.running = 1;
    assert_ne!(judge(&s, &[], &[]).health, Health::Idle, "a task that still runs is worth a look");
    let s = Service { status: "DRAINING".into(), ..steady("api") };
    assert_eq!((judge(&s, &[], &[]).health, judge(&s, &[], &[]).why.as_str()), (Health::Idle, "service is DRAINING"));
}

#[test]
fn a_deployment_with_failed_tasks_fails_and_says_why_the_newest_died() {
    let mut s = steady("api");
    s.deployments[0] = deployment(8, "PRIMARY", "IN_PROGRESS");
    (s.deployments[0].failed, s.deployments[0].running) = (3, 0);
    let tasks = [
        stopped("old", 600, "EssentialContainerExited", "Essential container in task exited", Some(1)),
        stopped("new", 60, "EssentialContainerExited", "Essential container in task exited", Some(127)),
    ];
    let verdict = judge(&s, &tasks, &[]);
    assert_eq!(verdict.health, Health::Fail);
    assert_eq!(verdict.why, "deploy api:8 · 3 tasks failed · 0/2 up · exit 127 (command not found) · Essential container in task exited");
    assert_eq!(verdict.since, Some(ago(3600)));
}

#[test]
fn a_completed_deployment_that_once_failed_tasks_is_no_failure() {
    let mut s = steady("api");
    s.deployments[0].failed = 2;
    assert_eq!(judge(&s, &[], &[]).health, Health::Ok);
}

#[test]
fn a_release_that_rolls_back_names_both_revisions() {
    let mut s = steady("api");
    s.deployments = vec![deployment(7, "PRIMARY", "IN_PROGRESS"), deployment(8, "ACTIVE", "FAILED")];
    let verdict = judge(&s, &[], &[]);
    assert_eq!((verdict.health, &*verdict.why), (Health::Fail, "api:8 failed, rolling back to api:7 · 2/2 up"));
}

#[test]
fn a_rollback_counts_for_half_an_hour_though_the_service_is_steady_again() {
    let failed =
        |seconds| ServiceEvent { ..event("(service api) (deployment ecs-svc/8) deployment failed: tasks failed to start.", seconds) };
    let mut s = steady("api");
    s.events = vec![event("(service api) has reached a steady state.", 30), failed(1700)];
    let verdict = judge(&s, &[], &[]);
    assert_eq!((verdict.health, verdict.since), (Health::Fail, Some(ago(1700))));
    assert!(verdict.why.starts_with("last release failed, rolled back to api:7 · 2/2 up"), "{}", verdict.why);
    s.events = vec![failed(1900)];
    assert_eq!(judge(&s, &[], &[]).health, Health::Ok);
    s.events = vec![failed(600)];
    s.deployments[0].created_at = Some(ago(300));
    assert_eq!(judge(&s, &[], &[]).health, Health::Ok, "a release after the failed one is another story");
}

#[test]
fn a_task_that_cannot_be_placed_fails_the_service_while_tasks_are_missing() {
    let words = "(service api) was unable to place a task because no container instance met all of its requirements.";
    let mut s = Service { running: 1, events: vec![event(words, 60)], ..steady("api") };
    let verdict = judge(&s, &[], &[]);
    assert_eq!(verdict.health, Health::Fail);
    assert_eq!(verdict.why, "was unable to place a task because no container instance met all of its requirements");
    s.running = 2;
    assert_ne!(judge(&s, &[], &[]).health, Health::Fail);
}

#[test]
fn nothing_running_fails_once_the_deployment_is_past_its_first_minutes() {
    let mut s = Service { running: 0, ..steady("api") };
    assert_eq!((judge(&s, &[], &[]).health, judge(&s, &[], &[]).why.as_str()), (Health::Fail, "0 of 2 tasks run"));
    s.deployments[0].created_at = Some(ago(60));
    assert_ne!(judge(&s, &[], &[]).health, Health::Fail);
}

#[test]
fn unhealthy_targets_warn_and_fail_when_none_is_left() {
    let verdict = judge(&steady("api"), &[], &[healthy("10.0.0.1"), sick("10.0.0.2")]);
    assert_eq!((verdict.health, &*verdict.why), (Health::Warn, "1/2 targets unhealthy · Target.Timeout · 10.0.0.2:80"));
    let verdict = judge(&steady("api"), &[], &[sick("10.0.0.1"), sick("10.0.0.2"), a_target("10.0.0.9", TargetState::Draining, None)]);
    assert_eq!((verdict.health, &*verdict.why), (Health::Fail, "2/2 targets unhealthy · Target.Timeout · 10.0.0.1:80"));
}

#[test]
fn a_target_in_its_grace_is_no_failure_and_an_endless_grace_excuses_ten_minutes() {
    let mut s = Service { grace_seconds: 120, ..steady("api") };
    let young = Task { started_at: Some(ago(60)), ..a_task("a", "RUNNING") };
    assert_eq!(judge(&s, std::slice::from_ref(&young), &[sick("10.0.0.1")]).health, Health::Ok);
    assert_eq!(judge(&s, &[a_task("a", "RUNNING")], &[sick("10.0.0.1")]).health, Health::Fail);
    assert_eq!(judge(&s, &[], &[sick("10.0.0.1")]).health, Health::Fail, "without its task nothing excuses a target");
    s.grace_seconds = 2_000_000_000;
    assert_eq!(excused_until(&s, Some(&young), now()), Some(Time::from_second(NOW - 60 + 600).unwrap()));
    assert_eq!(judge(&s, &[a_task("a", "RUNNING")], &[sick("10.0.0.1")]).health, Health::Fail);
}

#[test]
fn a_deployment_that_goes_well_rolls() {
    let mut s = steady("api");
    s.deployments = vec![deployment(8, "PRIMARY", "IN_PROGRESS"), deployment(7, "ACTIVE", "COMPLETED")];
    s.deployments[0].running = 1;
    let verdict = judge(&s, &[], &[healthy("10.0.0.1")]);
    assert_eq!((verdict.health, &*verdict.why), (Health::Roll, "rolling to api:8 · 1/2 up"));
}

#[test]
fn tasks_that_fail_their_own_check_warn() {
    let sick = Task { health: "UNHEALTHY".into(), ..a_task("a", "RUNNING") };
    let verdict = judge(&steady("api"), &[sick], &[]);
    assert_eq!((verdict.health, &*verdict.why), (Health::Warn, "1/2 tasks fail their container health check"));
    let gone = Task { health: "UNHEALTHY".into(), ..stopped("a", 60, "UserInitiated", "", Some(0)) };
    assert_eq!(judge(&steady("api"), &[gone], &[]).health, Health::Ok);
}

#[test]
fn missing_tasks_warn_with_the_best_reason_there_is() {
    let s = Service { running: 1, pending: 1, ..steady("api") };
    assert_eq!(judge(&s, &[], &[]).why, "1/2 tasks run, 1 pending");
    let dead = stopped("a", 60, "EssentialContainerExited", "Essential container in task exited", Some(1));
    let verdict = judge(&s, std::slice::from_ref(&dead), &[]);
    assert_eq!((verdict.health, &*verdict.why), (Health::Warn, "1/2 tasks run, 1 pending · exit 1 · Essential container in task exited"));
    let held = Task { created_at: Some(ago(400)), started_at: None, ..a_task("0123456789", "PENDING") };
    let why = judge(&s, &[dead, held], &[]).why;
    assert_eq!(why, "1/2 tasks run, 1 pending · 01234567 held up: image is being pulled, or a place looked for");
}

#[test]
fn a_bad_word_of_the_scheduler_counts_until_a_good_one_or_a_quarter_of_an_hour() {
    let bad = |seconds| event("(service api) operations are being throttled on elb. Will try again later.", seconds);
    let mut s = Service { events: vec![event("(service api) has started 1 tasks: (task 1).", 30), bad(60)], ..steady("api") };
    let verdict = judge(&s, &[], &[]);
    assert_eq!((verdict.health, &*verdict.why), (Health::Warn, "operations are being throttled on elb. Will try again later"));
    s.events.insert(0, event("(service api) has reached a steady state.", 20));
    assert_eq!(judge(&s, &[], &[]).health, Health::Ok);
    s.events = vec![bad(1000)];
    assert_eq!(judge(&s, &[], &[]).health, Health::Ok);
}

#[test]
fn a_stop_that_was_meant_is_never_a_failure_whatever_the_exit_code() {
    for (code, reason) in
        [("UserInitiated", "Task stopped by user"), ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)")]
    {
        for exit in [Some(0), Some(1), Some(137), Some(143), None] {
            let stop = stopped("a", 60, code, reason, exit);
            assert!(stopped_normally(&stop), "{code} {exit:?}");
            assert_eq!((task(&stop, now()).health, stop_sentence(&stop).as_str()), (Health::Idle, reason));
        }
    }
    let s = Service { running: 1, ..steady("api") };
    let scaled_in = stopped("a", 60, "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)", Some(143));
    assert_eq!(judge(&s, &[scaled_in], &[]).why, "1/2 tasks run, 0 pending", "it is no reason either");
}

#[test]
fn a_stop_that_was_not_meant_is_a_failure_and_names_what_killed_the_task() {
    for (code, reason, exit, sentence) in [
        ("EssentialContainerExited", "Essential container in task exited", Some(1), "exit 1 · Essential container in task exited"),
        ("EssentialContainerExited", "Essential container in task exited", Some(0), "exit 0 · Essential container in task exited"),
        ("TaskFailedToStart", "ResourceInitializationError: no secret", None, "ResourceInitializationError: no secret"),
        (
            "ServiceSchedulerInitiated",
            "Task failed ELB health checks in (target-group x)",
            Some(143),
            "exit 143 (SIGTERM) · Task failed ELB health checks in (target-group x)",
        ),
        ("SpotInterruption", "Your Spot Task was interrupted.", Some(143), "exit 143 (SIGTERM) · Your Spot Task was interrupted."),
    ] {
        let stop = stopped("a", 60, code, reason, exit);
        assert!(!stopped_normally(&stop), "{code} {reason}");
        assert_eq!((task(&stop, now()).health, stop_sentence(&stop).as_str()), (Health::Fail, sentence));
    }
}

#[test]
fn memory_that_ran_out_is_told_even_when_the_scheduler_meant_the_stop() {
    let mut stop = stopped("a", 60, "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)", Some(0));
    let killed = Container {
        exit_code: Some(137),
        reason: Some("OutOfMemoryError: Container killed due to memory usage".into()),
        ..container("worker")
    };
    stop.containers.push(killed);
    assert!(!stopped_normally(&stop));
    assert!(
        stop_sentence(&stop).starts_with("worker · OutOfMemoryError: Container killed due to memory usage · exit 137 (SIGKILL) · "),
        "{}",
        stop_sentence(&stop)
    );
    assert_eq!(exit_codes(&stop), "app 0 · worker 137");
}

#[test]
fn the_newest_failure_is_the_last_stop_that_was_not_meant() {
    let failed =
        |id: &str, seconds| Arc::new(stopped(id, seconds, "EssentialContainerExited", "Essential container in task exited", Some(1)));
    let meant = Arc::new(stopped("meant", 10, "UserInitiated", "Task stopped by user", Some(0)));
    let running = Arc::new(a_task("running", "RUNNING"));
    let tasks = [failed("older", 300), failed("newer", 60), meant, running];
    assert_eq!(newest_failure(&tasks).unwrap().arn.name(), "newer");
    assert!(newest_failure(&tasks[2..]).is_none());
}

#[test]
fn a_task_is_judged_by_its_state_and_a_start_that_takes_long_warns() {
    let health = |task_: &Task| task(task_, now()).health;
    let starting = |seconds| Task { created_at: Some(ago(seconds)), started_at: None, ..a_task("a", "PROVISIONING") };
    assert_eq!((health(&starting(60)), health(&starting(400))), (Health::Roll, Health::Warn));
    assert_eq!(health(&a_task("a", "RUNNING")), Health::Ok);
    assert_eq!(health(&Task { health: "UNHEALTHY".into(), ..a_task("a", "RUNNING") }), Health::Fail);
    assert_eq!(health(&a_task("a", "HIBERNATING")), Health::Unknown);
    assert_eq!(health(&a_task("a", "STOPPING")), Health::Idle);
}

#[test]
fn a_target_is_judged_by_its_state_and_told_where_to_look() {
    for (state, reason, health) in [
        (TargetState::Healthy, None, Health::Ok),
        (TargetState::Initial, Some("Elb.InitialHealthChecking"), Health::Roll),
        (TargetState::Draining, Some("Target.DeregistrationInProgress"), Health::Idle),
        (TargetState::Unhealthy, Some("Target.Timeout"), Health::Fail),
        (TargetState::Unused, Some("Target.NotInUse"), Health::Idle),
        (TargetState::Unused, Some("Target.IpUnusable"), Health::Warn),
        (TargetState::Unavailable, Some("Target.HealthCheckDisabled"), Health::Unknown),
        (TargetState::Other("puzzled".into()), None, Health::Unknown),
    ] {
        let verdict = target(&a_target("10.0.0.1", state.clone(), reason), None);
        assert_eq!(verdict.health, health, "{state:?}");
        assert_eq!(verdict.next.is_empty(), health != Health::Fail, "{state:?}");
    }
    let in_grace = target(&sick("10.0.0.1"), Some(ago(-60)));
    assert_eq!((in_grace.health, in_grace.next.is_empty()), (Health::Roll, true));
}

#[test]
fn worse_health_comes_first_and_every_health_looks_different_without_colour() {
    let all = [Health::Fail, Health::Warn, Health::Roll, Health::Unknown, Health::Ok, Health::Idle];
    assert!(all.is_sorted());
    let signs: std::collections::HashSet<&str> = all.iter().map(|health| health.glyph()).collect();
    assert_eq!(signs.len(), all.len());
    assert_eq!(all.iter().filter(|health| health.troubled()).count(), 2);
}
