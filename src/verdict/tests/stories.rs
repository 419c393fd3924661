//! What an operator asks, told by whole situations: who killed the task, what is short, was it there before, is it normal.

use super::rules::spot;
use super::*;
use crate::model::sample::{NOW, deployment, event};
use crate::model::{PortMapping, ServiceEvent};

fn texts(verdict: &Verdict) -> String {
    verdict.evidence.iter().map(|e| e.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn following(name: &str, exit: Option<i32>) -> Container {
    Container { exit_code: exit, status: "STOPPED".into(), ..container(name) }
}

fn with_containers(task: Task, others: &[(&str, Option<i32>)]) -> Task {
    let mut task = task;
    task.containers.extend(others.iter().map(|(name, exit)| following(name, *exit)));
    task
}

fn failing_release() -> Scene {
    let mut s = steady("api");
    s.deployments = vec![in_progress(8), deployment(7, "ACTIVE", "COMPLETED")];
    (s.deployments[0].failed, s.deployments[0].running) = (3, 0);
    Scene::of(s)
}

#[test]
fn a_failed_migration_is_told_with_its_command_its_words_and_who_only_followed() {
    let mut scene = failing_release();
    for (id, seconds) in [("a", 60), ("b", 120), ("c", 180)] {
        scene.task(with_containers(exited(id, 8, seconds, 1), &[("nginx", Some(137)), ("blackbox", None)]));
    }
    scene.lines = vec![
        (
            "app",
            vec![
                "+ php artisan migrate --force",
                "INFO  Running migrations.",
                "SQLSTATE[42S01]: table 'lessons' already exists",
                "  at Connection.php:829",
            ],
        ),
        ("nginx", vec!["signal 3 (SIGQUIT) received, shutting down"]),
    ];
    let verdict = scene.judge();
    assert_eq!(
        verdict.why,
        "tasks die at start ×3: container app exits 1 after `php artisan migrate --force`: SQLSTATE[42S01]: table 'lessons' already exists; \
         nginx and blackbox only followed · api:8 0/2 up"
    );
    assert_eq!((verdict.cause, verdict.began), (Some(Cause::AppExit), Some(Began::After)));
    let told = texts(&verdict);
    for words in [
        "exit 1 ×3 · api:8",
        "app exit 1 · nginx exit 137 · blackbox no exit code",
        "app wrote: SQLSTATE[42S01]",
        "3 failed",
        "with or after the newest deployment, api:8",
    ] {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert!(!told.contains("shutting down"), "what only followed is not quoted: {told}");
}

#[test]
fn without_log_lines_the_command_of_the_definition_is_named() {
    let mut scene = failing_release();
    scene.task(exited("a", 8, 60, 1));
    let command = ["sh", "-c", "php artisan migrate --force && php-fpm"].map(Into::into).to_vec();
    scene.definitions =
        vec![definition(8, vec![ContainerDefinition { name: "app".into(), essential: true, command, ..ContainerDefinition::default() }])];
    let why = scene.judge().why;
    assert!(why.starts_with("tasks die at start: container app exits 1 running `php artisan migrate --force && php-fpm` · api:8"), "{why}");
}

#[test]
fn the_breaker_s_count_is_what_aws_tells_and_never_computed() {
    let mut scene = failing_release();
    scene.task(exited("a", 8, 60, 1));
    assert!(!scene.judge().why.contains("failures"), "nothing is said of a threshold that is not known");
    scene.deployments = vec![release("IN_PROGRESS", 300, Some((2, 3)))];
    assert!(scene.judge().why.ends_with("api:8 0/2 up · 2 of 3 failures"), "{}", scene.judge().why);
    scene.deployments = vec![release("IN_PROGRESS", 300, Some((2, 0)))];
    assert!(scene.judge().why.ends_with("api:8 0/2 up"), "a breaker without a threshold is none");
}

#[test]
fn a_completed_deployment_that_once_failed_tasks_is_no_failure() {
    let mut scene = Scene::of(steady("api"));
    scene.service.deployments[0].failed = 2;
    assert_eq!(scene.judge().health, Health::Ok);
}

#[test]
fn a_rollback_counts_for_half_an_hour_though_the_service_is_steady_again() {
    let failed =
        |seconds| ServiceEvent { ..event("(service api) (deployment ecs-svc/8) deployment failed: tasks failed to start.", seconds) };
    let mut scene = Scene::of(steady("api"));
    scene.service.events = vec![event("(service api) has reached a steady state.", 30), failed(1700)];
    let verdict = scene.judge();
    assert_eq!((verdict.health, verdict.since), (Health::Fail, Some(ago(1700))));
    assert!(verdict.why.starts_with("last release failed, rolled back to api:7 · 2/2 up"), "{}", verdict.why);
    scene.service.events = vec![failed(1900)];
    assert_eq!(scene.judge().health, Health::Ok);
    scene.service.events = vec![failed(600)];
    scene.service.deployments[0].created_at = Some(ago(300));
    assert_eq!(scene.judge().health, Health::Ok, "a release after the failed one is another story");
}

#[test]
fn steady_on_the_old_revision_is_never_success_of_the_new_one() {
    let mut scene = Scene::of(steady("api"));
    scene.deployments = vec![release("ROLLBACK_SUCCESSFUL", 600, Some((3, 3)))];
    scene.task(exited("a", 8, 900, 1));
    let verdict = scene.judge();
    assert_eq!((verdict.state, verdict.rule), (State::Failing, "rolled_back"));
    assert!(verdict.why.starts_with("api:8 failed, rolled back to api:7 · 2/2 up"), "{}", verdict.why);
    scene.deployments = vec![release("ROLLBACK_SUCCESSFUL", 7200, Some((3, 3)))];
    scene.tasks.clear();
    let later = scene.judge();
    assert_eq!((later.health, &*later.why), (Health::Ok, "steady on api:7 · the last release was rolled back"));
}

const NO_MEMORY: &str = "(service api) was unable to place a task because no container instance met all of its requirements. The closest \
    matching (container-instance 0123456789abcdef0123456789abcdef) has insufficient memory available. For more information, see the \
    Troubleshooting section of the Amazon ECS Developer Guide.";

const PORT_TAKEN: &str = "(service api) was unable to place a task because no container instance met all of its requirements. The closest \
    matching (container-instance 0123456789abcdef0123456789abcdef) is already using a port required by your task. For more information, \
    see the Troubleshooting section of the Amazon ECS Developer Guide.";

#[test]
fn a_task_without_a_place_says_what_is_short_by_how_much_and_on_which_instance() {
    let mut scene = Scene::of(Service { running: 1, events: vec![event(NO_MEMORY, 60)], ..steady("api") });
    let container = |memory| ContainerDefinition { memory: Some(memory), essential: true, ..ContainerDefinition::default() };
    scene.definitions = vec![definition(7, vec![container(128), container(128), container(128)])];
    scene.instances = vec![instance("i-0aaa", 512, 96), instance("i-0bbb", 512, 212)];
    let verdict = scene.judge();
    assert_eq!((verdict.health, verdict.state, verdict.cause), (Health::Fail, State::Stuck, Some(Cause::PlacementMemory)));
    assert_eq!(
        verdict.why,
        "no place for a task: a task needs 384 MiB of memory: i-0bbb has 212 left, 172 short, i-0aaa has 96 left, 288 short"
    );
    assert!(texts(&verdict).contains("has insufficient memory available"), "{}", texts(&verdict));

    scene.instances[1] = Arc::new(ContainerInstance { agent_connected: false, ..(*instance("i-0bbb", 512, 900)).clone() });
    assert!(scene.judge().why.ends_with("288 short; 1 more take none: the agent of i-0bbb is not connected"), "{}", scene.judge().why);
    scene.instances.clear();
    assert!(scene.judge().why.contains("memory"), "AWS's own words serve where no instance is known: {}", scene.judge().why);
}

#[test]
fn a_fixed_port_is_one_task_per_instance_and_a_hundred_percent_leaves_no_room() {
    let mut scene = failing_release();
    scene.service.events = vec![event(PORT_TAKEN, 60)];
    (scene.service.deployments[0].failed, scene.service.deployments[0].created_at) = (0, Some(ago(300)));
    let port = PortMapping { container: 80, host: 80, protocol: "tcp".into() };
    scene.definitions = vec![definition(8, vec![ContainerDefinition { ports: vec![port], ..ContainerDefinition::default() }])];
    scene.instances = vec![instance("i-0aaa", 512, 512), instance("i-0bbb", 512, 512)];
    let verdict = scene.judge();
    assert_eq!((verdict.health, verdict.cause), (Health::Warn, Some(Cause::PlacementPort)), "what runs serves on");
    assert_eq!(
        verdict.why,
        "no place for a task: host port 80 is fixed, so one task per instance, and all 2 instances are taken, and the deployment must keep \
         100% running"
    );
    scene.service.running = 1;
    assert_eq!(scene.judge().health, Health::Fail);
}

#[test]
fn a_port_that_is_free_somewhere_is_not_what_is_short() {
    let mut scene = Scene::of(Service { running: 1, events: vec![event(PORT_TAKEN, 60)], ..steady("api") });
    let port = PortMapping { container: 80, host: 80, protocol: "tcp".into() };
    scene.definitions = vec![definition(7, vec![ContainerDefinition { ports: vec![port], ..ContainerDefinition::default() }])];
    let with_ports = |id, ports: &[u16]| Arc::new(ContainerInstance { ports: ports.to_vec(), ..(*instance(id, 512, 512)).clone() });
    scene.instances = vec![with_ports("i-0aaa", &[22, 80]), with_ports("i-0bbb", &[22])];
    assert!(!scene.judge().why.contains("are taken"), "{}", scene.judge().why);
    scene.instances[1] = with_ports("i-0bbb", &[22, 80]);
    assert!(scene.judge().why.contains("all 2 instances are taken"), "{}", scene.judge().why);
}

#[test]
fn a_canary_says_its_share_of_the_traffic_and_an_alarm_that_went_off_comes_first() {
    let mut scene = Scene::of(steady("api"));
    scene.service.deployments = vec![in_progress(8), deployment(7, "ACTIVE", "COMPLETED")];
    scene.service.deployments[0].created_at = Some(ago(60));
    let target = crate::model::RevisionShare { production_weight: Some(10.0), ..Default::default() };
    let canary = ServiceDeployment {
        target: Some(target),
        lifecycle_stage: Some("BAKE_TIME".into()),
        ..(*release("IN_PROGRESS", 60, None)).clone()
    };
    scene.deployments = vec![Arc::new(canary.clone())];
    assert_eq!(scene.judge().why, "rolling to api:8 · 2/2 up · 2 old left · BAKE_TIME · 10% of traffic");
    let back = ServiceDeployment { status: "ROLLBACK_IN_PROGRESS".into(), alarms: (Vec::new(), vec!["api-5xx".into()]), ..canary };
    scene.deployments = vec![Arc::new(back)];
    let verdict = scene.judge();
    assert_eq!((verdict.rule, verdict.cause), ("goes_back", Some(Cause::CircuitBreaker)));
    assert!(verdict.why.starts_with("alarm api-5xx went off · "), "{}", verdict.why);
}

#[test]
fn a_place_that_was_found_since_is_no_failure() {
    let mut scene = Scene::of(Service { events: vec![event(NO_MEMORY, 1000)], ..steady("api") });
    assert_eq!(scene.judge().health, Health::Ok);
    scene.service.events.insert(0, event("(service api) has reached a steady state.", 20));
    scene.service.running = 1;
    assert_ne!(scene.judge().rule, "cannot_place");
}

#[test]
fn a_spot_interruption_is_said_as_such_with_its_provider_and_is_no_failure_once_replaced() {
    let mut scene = Scene::of(steady("api"));
    scene.task(spot("a", 120));
    let verdict = scene.judge();
    assert_eq!((verdict.health, &*verdict.why), (Health::Ok, "steady on api:7 · Spot interruption took 1 task of FARGATE_SPOT, replaced"));
    scene.tasks.clear();
    scene.task(spot("a", 1200));
    assert_eq!(scene.judge().why, "steady on api:7");
    scene.tasks.clear();
    scene.task(spot("a", 60)).task(spot("b", 70));
    scene.service.running = 0;
    let verdict = scene.judge();
    assert!(
        verdict.why.contains("0 of 2 tasks run") || verdict.why.contains("Spot interruption took 2 tasks of FARGATE_SPOT"),
        "{}",
        verdict.why
    );
}

#[test]
fn a_target_in_its_grace_is_no_failure_and_an_endless_grace_excuses_ten_minutes() {
    let young = Task { started_at: Some(ago(60)), ..a_task("a", "RUNNING") };
    let mut scene = Scene::of(Service { grace_seconds: 120, ..steady("api") });
    scene.targets(&[sick("10.0.0.1")]).task(young.clone());
    assert_eq!((scene.judge().health, scene.judge().grace_until), (Health::Ok, Some(ago(-60))));
    scene.tasks = vec![Arc::new(a_task("a", "RUNNING"))];
    assert_eq!((scene.judge().health, scene.judge().grace_until), (Health::Fail, None));
    scene.tasks.clear();
    assert_eq!(scene.judge().health, Health::Fail, "without its task nothing excuses a target");
    scene.service.grace_seconds = 2_000_000_000;
    assert_eq!(excused_until(&scene.service, Some(&young), now()), Some(Time::from_second(NOW - 60 + 600).unwrap()));
    scene.task(a_task("a", "RUNNING"));
    assert_eq!(scene.judge().health, Health::Fail);
    let ahead = Task { started_at: Some(ago(-3600)), ..a_task("a", "RUNNING") };
    assert_eq!(excused_until(&scene.service, Some(&ahead), now()), None, "a clock that is ahead excuses nothing");
}

#[test]
fn a_target_on_an_instance_is_excused_by_the_task_behind_its_port() {
    let mut scene = Scene::of(Service { grace_seconds: 120, ..steady("api") });
    let mut young =
        Task { started_at: Some(ago(60)), ip: None, instance: Some(instance("i-0aaa", 0, 0).arn.clone()), ..a_task("a", "RUNNING") };
    young.containers[0].bindings = vec![(80, 80)];
    scene.instances = vec![instance("i-0aaa", 0, 0)];
    scene.targets(&[sick("i-0aaa")]).task(young);
    assert_eq!(scene.judge().health, Health::Ok);
    scene.instances = vec![instance("i-0bbb", 0, 0)];
    assert_eq!(scene.judge().health, Health::Fail);
}

#[test]
fn the_idle_side_of_a_pair_and_what_drains_are_no_failure() {
    let mut scene = Scene::of(steady("api"));
    scene.targets(&[healthy("10.0.0.1"), a_target("10.0.0.2", TargetState::Draining, Some("Target.DeregistrationInProgress"))]);
    let idle = Arn::from("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api-idle/00000000000000aa");
    scene.groups.push((idle, vec![a_target("10.0.0.3", TargetState::Unused, Some("Target.NotInUse"))]));
    assert_eq!((scene.judge().health, &*scene.judge().why), (Health::Ok, "steady on api:7"));
}

#[test]
fn what_began_before_the_newest_deployment_is_said_to_be_older() {
    let mut scene = Scene::of(Service { running: 1, ..steady("api") });
    scene.service.deployments[0].created_at = Some(ago(200));
    scene.task(exited("old", 7, 600, 1)).task(exited("new", 7, 60, 1));
    let verdict = scene.judge();
    assert_eq!(verdict.began, Some(Began::Before));
    assert!(texts(&verdict).contains("the trouble began before the newest deployment, api:7"), "{}", texts(&verdict));
    scene.tasks.remove(0);
    assert_eq!(scene.judge().began, Some(Began::After));
}

#[test]
fn what_died_of_an_earlier_release_that_failed_is_not_older_trouble() {
    let mut scene = failing_release();
    scene.service.deployments[0].created_at = Some(ago(200));
    scene.task(exited("old", 6, 1200, 1)).task(exited("new", 8, 60, 1));
    assert_eq!(scene.judge().began, Some(Began::After), "6 is neither the new revision nor the one that serves");
    scene.task(exited("served", 7, 900, 1));
    assert_eq!(scene.judge().began, Some(Began::Before), "the one that serves died too");
    scene.tasks.pop();
    scene.service.deployments.pop();
    assert_eq!(scene.judge().began, Some(Began::Before), "nothing tells that 6 went back");
    scene.service.events = vec![event("(service api) (deployment ecs-svc/6) deployment failed: tasks failed to start.", 1100)];
    assert_eq!(scene.judge().began, Some(Began::After));
}

#[test]
fn deaths_of_an_hour_are_grouped_and_counted() {
    let mut scene = Scene::of(Service { running: 1, ..steady("api") });
    scene.service.deployments[0].created_at = Some(ago(86_400));
    for (n, seconds) in [60, 120, 180].into_iter().enumerate() {
        scene.task(exited(&format!("exit{n}"), 7, seconds, 1));
    }
    let pull = "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref registry.example.com/api:v9: not found";
    scene.task(Task { started_at: None, ..stopped("pull", 2400, "TaskFailedToStart", pull, None) });
    let verdict = scene.judge();
    assert_eq!(verdict.health, Health::Fail);
    assert!(verdict.why.starts_with("tasks die at start ×3: container app exits 1"), "{}", verdict.why);
    let told = texts(&verdict);
    assert!(told.contains("exit 1 ×3") && told.contains("image not found · api:7"), "{told}");
}

#[test]
fn deaths_before_the_newest_release_do_not_count_against_it() {
    let mut scene = Scene::of(steady("api"));
    scene.service.deployments[0].created_at = Some(ago(120));
    scene.task(exited("old", 7, 600, 1));
    assert_eq!(scene.judge().health, Health::Ok, "the release was to mend it");
}

#[test]
fn tasks_of_the_old_revision_that_are_replaced_are_no_trouble() {
    let mut s = steady("api");
    s.deployments = vec![in_progress(8), deployment(7, "ACTIVE", "COMPLETED")];
    (s.deployments[0].running, s.deployments[0].created_at, s.deployments[1].running) = (1, Some(ago(60)), 1);
    let mut scene = Scene::of(s);
    scene.task(stopped("old", 20, "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/7)", Some(137)));
    let verdict = scene.judge();
    assert_eq!((verdict.health, &*verdict.why, verdict.progress), (Health::Roll, "rolling to api:8 · 1/2 up · 1 old left", Some((1, 2))));
    assert_eq!(verdict.began, None);
}

#[test]
fn a_daemon_counts_instances_and_without_any_it_is_idle() {
    let mut scene = Scene::of(Service { scheduling: "DAEMON".into(), ..steady("api") });
    assert_eq!(scene.judge().why, "steady on api:7, on 2 of 2 instances");
    (scene.service.desired, scene.service.running) = (0, 0);
    assert_eq!((scene.judge().health, &*scene.judge().why), (Health::Idle, "no instance to run on: a daemon has one task on each"));
}

#[test]
fn a_bad_word_of_the_scheduler_counts_until_a_good_one_or_a_quarter_of_an_hour() {
    let bad = |seconds| event("(service api) operations are being throttled on elb. Will try again later.", seconds);
    let mut scene =
        Scene::of(Service { events: vec![event("(service api) has started 1 tasks: (task 1).", 30), bad(60)], ..steady("api") });
    assert_eq!((scene.judge().health, scene.judge().cause), (Health::Warn, Some(Cause::Throttled)));
    scene.service.events.insert(0, event("(service api) has reached a steady state.", 20));
    assert_eq!(scene.judge().health, Health::Ok);
    scene.service.events = vec![bad(1000)];
    assert_eq!(scene.judge().health, Health::Ok);
}

#[test]
fn a_secret_that_is_missing_or_denied_is_named_with_the_role() {
    let missing = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to \
        retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: /learning/HOST_NAME";
    let denied = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to \
        retrieve secrets from ssm: service call has been retried 1 time(s): AccessDeniedException: User: \
        arn:aws:sts::123456789012:assumed-role/api-execution/0123456789abcdef0123456789abcdef is not authorized to perform: \
        ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:123456789012:parameter/learning/HOST_NAME";
    for (text, cause) in [(missing, Cause::SecretMissing), (denied, Cause::SecretDenied)] {
        let mut scene = failing_release();
        scene.definitions = vec![definition(8, Vec::new())];
        scene.task(Task {
            started_at: None,
            task_definition: scene.definitions[0].arn.clone(),
            ..stopped("a", 60, "TaskFailedToStart", text, None)
        });
        let verdict = scene.judge();
        assert_eq!(verdict.cause, Some(cause), "{}", verdict.why);
        let all = format!("{}\n{}\n{}", verdict.why, verdict.next, texts(&verdict));
        assert!(verdict.why.starts_with("tasks cannot start: ") && verdict.why.contains("/learning/HOST_NAME"), "{}", verdict.why);
        assert!(all.contains("api-execution"), "the execution role is named: {all}");
    }
}

#[test]
fn whoever_scales_up_is_given_the_time_that_a_task_takes() {
    let mut scene = Scene::of(steady("api"));
    scene.service.desired += 1;
    assert_eq!(scene.judge().health, Health::Warn, "nobody is known to start what is missing");
    scene.service.deployments[0].updated_at = Time::from_second(NOW - 5).ok();
    assert_eq!((scene.judge().health, scene.judge().rule), (Health::Roll, "too_few"));
}

#[test]
fn a_task_that_was_told_to_go_is_explained_by_its_complaints_and_not_by_its_last_requests() {
    let mut scene = failing_release();
    let reason = "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/1)";
    scene.task(stopped("a", 60, "ServiceSchedulerInitiated", reason, Some(143)));
    let mut lines = vec!["ERROR health check answers 503: replica of postgres is 912 s behind"];
    lines.extend(["GET /orders 200 14ms"; 60]);
    scene.lines = vec![("app", lines)];
    let told = texts(&scene.judge());
    assert!(told.contains("replica of postgres is 912 s behind"), "{told}");
    assert!(!told.contains("GET /orders"), "{told}");
}

#[test]
fn nobody_is_sent_to_read_the_line_that_the_verdict_quotes() {
    let mut scene = failing_release();
    scene.task(exited("a", 8, 60, 1));
    let next = |scene: &Scene| scene.judge().next_line();
    assert!(next(&scene).contains("last log lines"), "{}", next(&scene));
    scene.lines = vec![("app", vec!["SQLSTATE[42S01]: table 'lessons' already exists"])];
    assert!(next(&scene).contains("mend what the line says"), "{}", next(&scene));
}
