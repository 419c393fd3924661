//! The clockwork through its only door, `advance_to`, read as an API client would.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::sim::ecs::{self, Caller};
use crate::sim::scenario;
use serde_json::{Value, json};

const NOW: Ms = crate::sim::clock::FIXED_START;

/// One service `api` behind a load balancer in cluster `main`, with extra keys for the service and more tables.
fn world(keys: &str, more: &str) -> World {
    let text = format!(
        r#"
about = "a test"
past = "1s"

[[context]]
name = "test"
region = "eu-west-1"
account = "123456789012"
access_key = "AKIATEST"
secret_key = "secret"

[[cluster]]
name = "main"
context = "test"

[[service]]
name = "api"
cluster = "main"
revision = 7
age = "90d"
deployed = "2d"
{keys}

[[service.container]]
name = "app"
image = "api"
tag = "v1.2.3"
ports = [8080]
secrets = {{ DATABASE_URL = "prod/api/database-url" }}
voice = "plain"

[service.load_balancer]
name = "public"
port = 8080
interval = "10s"
healthy = 3
unhealthy = 2
drain = "30s"

{more}
"#
    );
    let scenario = scenario::read("test.toml", &text, &[]).unwrap();
    World::open(&scenario, 1, NOW).unwrap()
}

fn call(world: &mut World, operation: &str, body: &Value) -> Value {
    let caller = Caller { arn: "arn:aws:sts::123456789012:assumed-role/Test/test".to_owned() };
    ecs::handle(&mut world.estates[0], &caller, operation, body).unwrap()
}

fn refused(world: &mut World, operation: &str, body: &Value) -> (String, String) {
    let caller = Caller { arn: "arn:aws:sts::123456789012:assumed-role/Test/test".to_owned() };
    let error = ecs::handle(&mut world.estates[0], &caller, operation, body).unwrap_err();
    (error.code.to_owned(), error.message)
}

fn service(world: &mut World) -> Value {
    let reply = call(world, "DescribeServices", &json!({"cluster": "main", "services": ["api"]}));
    reply["services"][0].clone()
}

fn tasks(world: &mut World, status: &str) -> Vec<Value> {
    let listed = call(world, "ListTasks", &json!({"cluster": "main", "desiredStatus": status}));
    if listed["taskArns"].as_array().unwrap().is_empty() {
        return Vec::new();
    }
    let reply = call(world, "DescribeTasks", &json!({"cluster": "main", "tasks": listed["taskArns"]}));
    assert_eq!(reply["failures"], json!([]));
    reply["tasks"].as_array().unwrap().clone()
}

fn events(service: &Value) -> Vec<String> {
    let all = service["events"].as_array().unwrap();
    all.iter().map(|e| e["message"].as_str().unwrap().to_owned()).collect()
}

/// Seconds by seconds; `look` sees every one of them.
fn run(world: &mut World, seconds: i64, mut look: impl FnMut(&mut World)) {
    for _ in 0..seconds {
        let next = world.now() + 1000;
        world.advance_to(next);
        look(world);
    }
}

/// A release of `api` whose tasks fare in a given way, one second from now.
fn release(fate: &str) -> String {
    format!(
        r#"
[[actor]]
name = "ci"
cluster = "main"
service = "api"
every = "10h"
first = "1s"
act = "deploy"
[actor.behaviour]
{fate}
"#
    )
}

#[test]
fn a_rolling_deployment_keeps_between_minimum_and_maximum_and_completes() {
    for (minimum, maximum) in [(100, 200), (50, 100), (75, 150), (0, 100)] {
        let keys = format!("desired = 4\nminimum = {minimum}\nmaximum = {maximum}");
        let mut w = world(&keys, &release("fate = \"healthy\""));
        let (least, most) = (4 * minimum / 100, 4 * maximum / 100);
        let mut seen = 0;
        run(&mut w, 600, |w| {
            let well = w.estates[0].tasks.keys().filter(|id| w.estates[0].is_well(**id)).count();
            assert!(well >= least, "{well} well at {minimum}/{maximum}");
            let alive = w.estates[0].tasks.values().filter(|t| !t.stopping()).count();
            assert!(alive <= most, "{alive} alive at {minimum}/{maximum}");
            seen = seen.max(service(w)["deployments"].as_array().unwrap().len());
        });
        assert_eq!(seen, 2, "both deployments are listed while they overlap");
        let s = service(&mut w);
        assert_eq!(s["deployments"].as_array().unwrap().len(), 1, "{minimum}/{maximum}");
        assert_eq!(s["deployments"][0]["rolloutState"], "COMPLETED");
        assert!(s["taskDefinition"].as_str().unwrap().ends_with("task-definition/api:8"));
        let said = events(&s);
        assert!(said[0].ends_with("has reached a steady state."), "{said:?}");
        assert!(said[1].ends_with("deployment completed."), "{said:?}");
        for words in ["has started", "registered", "has stopped", "deregistered", "has begun draining connections"] {
            assert!(said.iter().any(|m| m.contains(words)), "no event says {words}: {said:?}");
        }
    }
}

#[test]
fn the_breaker_trips_at_its_threshold_and_rolls_back_to_the_deployment_before() {
    let mut w = world("desired = 4", &release("fate = \"exits\"\nafter = \"8s\"\ncode = 3"));
    let good = service(&mut w)["deployments"][0]["id"].clone();
    let mut most_failed = 0;
    let mut states = Vec::new();
    run(&mut w, 400, |w| {
        let s = service(w);
        most_failed = most_failed.max(s["deployments"][0]["failedTasks"].as_u64().unwrap());
        for d in s["deployments"].as_array().unwrap() {
            let state = format!("{} {}", d["status"].as_str().unwrap(), d["rolloutState"].as_str().unwrap());
            if !states.contains(&state) {
                states.push(state);
            }
        }
    });
    assert_eq!(most_failed, 2, "the third failure is the threshold of four desired tasks");
    for state in ["PRIMARY IN_PROGRESS", "ACTIVE COMPLETED", "ACTIVE FAILED", "PRIMARY COMPLETED"] {
        assert!(states.iter().any(|s| s == state), "{state} was never seen: {states:?}");
    }
    let s = service(&mut w);
    assert_eq!(s["deployments"][0]["id"], good, "the good deployment is PRIMARY again");
    let said = events(&s).join("\n");
    assert!(said.contains("deployment failed: tasks failed to start."), "{said}");
    assert!(said.contains(&format!("rolling back to deployment {}.", good.as_str().unwrap())), "{said}");

    let listed = call(&mut w, "ListServiceDeployments", &json!({"cluster": "main", "service": "api"}));
    let brief = &listed["serviceDeployments"][0];
    assert_eq!(brief["status"], "ROLLBACK_SUCCESSFUL");
    let arns = json!({"serviceDeploymentArns": [brief["serviceDeploymentArn"]]});
    let full = call(&mut w, "DescribeServiceDeployments", &arns)["serviceDeployments"][0].clone();
    assert_eq!(full["deploymentCircuitBreaker"], json!({"status": "TRIGGERED", "failureCount": 3, "threshold": 3}));
    assert_eq!(full["rollback"]["serviceRevisionArn"], s["currentServiceRevisions"][0]["arn"]);
    let stopped = tasks(&mut w, "STOPPED");
    let exited: Vec<&Value> = stopped.iter().filter(|t| t["stopCode"] == "EssentialContainerExited").collect();
    assert!(exited.len() >= 3);
    assert!(exited.iter().all(|t| t["containers"][0]["exitCode"] == 3));
}

#[test]
fn without_a_breaker_a_bad_deployment_goes_on_and_backs_off() {
    let mut w = world("desired = 2\nbreaker = \"off\"", &release("fate = \"pull_fails\""));
    run(&mut w, 1200, |_| {});
    let s = service(&mut w);
    assert_eq!(s["deployments"][0]["rolloutState"], "IN_PROGRESS");
    assert!(s["deployments"][0]["failedTasks"].as_u64().unwrap() > 4);
    assert_eq!(s["runningCount"], 2, "the old tasks stay");
    assert!(events(&s).iter().any(|m| m.contains("is unable to consistently start tasks successfully.")));
    let stopped = tasks(&mut w, "STOPPED");
    assert!(stopped.len() < 20, "{} starts in 20 minutes are no back-off", stopped.len());
    let task = &stopped[0];
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    assert!(task["stoppedReason"].as_str().unwrap().starts_with("CannotPullContainerError: "));
    assert!(task["containers"][0].get("exitCode").is_none(), "it never ran");
}

#[test]
fn an_unhealthy_target_is_left_alone_within_the_grace_period_and_replaced_after_it() {
    let bad = release("fate = \"unhealthy\"\nafter = \"1s\"");
    let mut w = world("desired = 1\nbreaker = \"off\"\ngrace = \"120s\"", &bad);
    let mut unhealthy_at = None;
    let mut stopped_at = None;
    run(&mut w, 400, |w| {
        let now = w.now();
        let groups = &w.estates[0].target_groups;
        let unhealthy = groups[0].targets.iter().find(|t| t.state == TargetState::Unhealthy).and_then(|t| t.task);
        if let Some(task) = unhealthy.and_then(|id| w.estates[0].tasks.get(&id)) {
            unhealthy_at.get_or_insert((now, task.id, task.started_at.unwrap()));
        }
        if let Some((_, id, started)) = unhealthy_at
            && w.estates[0].tasks[&id].stopping()
        {
            stopped_at.get_or_insert((now - started, id));
        }
    });
    let (stopped_after, id) = stopped_at.expect("it is replaced in the end");
    assert!((120_000..140_000).contains(&stopped_after), "stopped {stopped_after} ms after its start");
    let task = tasks(&mut w, "STOPPED").into_iter().find(|t| t["taskArn"].as_str().unwrap().ends_with(&id.to_string()));
    let task = task.unwrap();
    assert_eq!(task["stopCode"], "ServiceSchedulerInitiated");
    assert!(task["stoppedReason"].as_str().unwrap().starts_with("Task failed ELB health checks in (target-group arn:"));
    let said = events(&service(&mut w)).join("\n");
    assert!(said.contains("due to (reason Health checks failed with these codes: [503])"), "{said}");
}

#[test]
fn a_stopped_task_drains_first_and_walks_through_every_status() {
    let mut w = world("desired = 1", "");
    let arn = tasks(&mut w, "RUNNING")[0]["taskArn"].clone();
    call(&mut w, "StopTask", &json!({"cluster": "main", "task": arn, "reason": "told to"}));
    let mut walked: Vec<String> = Vec::new();
    let mut draining = 0;
    run(&mut w, 120, |w| {
        let reply = call(w, "DescribeTasks", &json!({"cluster": "main", "tasks": [arn]}));
        let status = reply["tasks"][0]["lastStatus"].as_str().unwrap().to_owned();
        if walked.last() != Some(&status) {
            walked.push(status);
        }
        draining += u32::from(w.estates[0].target_groups[0].targets.iter().any(|t| t.state == TargetState::Draining));
    });
    assert_eq!(walked, ["DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]);
    assert!((28..=31).contains(&draining), "drained for {draining} s of 30");
    let reply = call(&mut w, "DescribeTasks", &json!({"cluster": "main", "tasks": [arn]}));
    let task = &reply["tasks"][0];
    assert_eq!((&task["stopCode"], &task["stoppedReason"]), (&json!("UserInitiated"), &json!("told to")));
    let order = ["createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "stoppingAt", "executionStoppedAt", "stoppedAt"];
    let times: Vec<f64> = order.iter().map(|key| task[key].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(service(&mut w)["runningCount"], 1, "another one took its place");
}

#[test]
fn a_started_task_walks_through_every_status() {
    let mut w = world("desired = 1", &release("fate = \"healthy\""));
    let mut walked: Vec<String> = Vec::new();
    run(&mut w, 60, |w| {
        for task in tasks(w, "RUNNING").iter().filter(|t| t["taskDefinitionArn"].as_str().unwrap().ends_with(":8")) {
            let status = task["lastStatus"].as_str().unwrap().to_owned();
            if walked.last() != Some(&status) {
                walked.push(status);
            }
        }
    });
    assert_eq!(walked, ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"]);
}

#[test]
fn stopped_tasks_are_described_for_an_hour() {
    let mut w = world("desired = 1", "");
    let arn = tasks(&mut w, "RUNNING")[0]["taskArn"].clone();
    call(&mut w, "StopTask", &json!({"cluster": "main", "task": arn}));
    run(&mut w, 120, |_| {});
    let minutes = |w: &mut World, n: i64| w.advance_to(w.now() + n * 60_000);
    minutes(&mut w, 57);
    assert_eq!(tasks(&mut w, "STOPPED").len(), 1);
    minutes(&mut w, 4);
    assert_eq!(tasks(&mut w, "STOPPED").len(), 0);
    let reply = call(&mut w, "DescribeTasks", &json!({"cluster": "main", "tasks": [arn]}));
    assert_eq!(reply["failures"], json!([{"arn": arn, "reason": "MISSING"}]));
}

#[test]
fn events_are_capped_at_a_hundred_and_newest_first() {
    let mut w = world("desired = 1", "");
    for _ in 0..60 {
        let wanted = if service(&mut w)["desiredCount"] == 1 { 2 } else { 1 };
        call(&mut w, "UpdateService", &json!({"cluster": "main", "service": "api", "desiredCount": wanted}));
        w.advance_to(w.now() + 300_000);
    }
    let s = service(&mut w);
    assert_eq!(s["events"].as_array().unwrap().len(), 100);
    let times: Vec<f64> = s["events"].as_array().unwrap().iter().map(|e| e["createdAt"].as_f64().unwrap()).collect();
    assert!(times.iter().rev().is_sorted());
}

#[test]
fn the_same_seed_gives_the_same_world_however_time_is_cut() {
    let scenario = scenario::load("small", &[]).unwrap();
    let look = |steps: &[i64]| {
        let mut w = World::open(&scenario, 7, NOW).unwrap();
        for step in steps {
            w.advance_to(w.now() + step);
        }
        let names = json!({"cluster": "payments-prod", "services": ["checkout", "fx-rates", "ledger-api"]});
        let listed = call(&mut w, "ListTasks", &json!({"cluster": "payments-prod"}));
        let described = call(&mut w, "DescribeTasks", &json!({"cluster": "payments-prod", "tasks": listed["taskArns"]}));
        (call(&mut w, "DescribeServices", &names), described)
    };
    assert_eq!(look(&[400_000]), look(&[1; 400].map(|_| 1000)));
    let other = World::open(&scenario, 8, NOW).unwrap();
    let same = World::open(&scenario, 7, NOW).unwrap();
    assert_ne!(other.estates[0].tasks.keys().next(), same.estates[0].tasks.keys().next());
}

#[test]
fn a_scaled_service_changes_its_tasks_but_not_its_deployment() {
    let mut w = world("desired = 2", "");
    let before = service(&mut w)["deployments"][0]["id"].clone();
    call(&mut w, "UpdateService", &json!({"cluster": "main", "service": "api", "desiredCount": 5}));
    assert_eq!(service(&mut w)["desiredCount"], 5);
    run(&mut w, 150, |_| {});
    let s = service(&mut w);
    assert_eq!((&s["runningCount"], &s["deployments"][0]["id"]), (&json!(5), &before));
    call(&mut w, "UpdateService", &json!({"cluster": "main", "service": "api", "desiredCount": 0}));
    run(&mut w, 150, |_| {});
    let s = service(&mut w);
    assert_eq!((&s["runningCount"], &s["deployments"][0]["id"]), (&json!(0), &before));
    assert!(w.estates[0].target_groups[0].targets.is_empty());
}

#[test]
fn a_request_can_roll_a_deployment_back_once() {
    let mut w = world("desired = 2\nbreaker = \"off\"", &release("fate = \"unhealthy\"\nafter = \"1s\""));
    run(&mut w, 60, |_| {});
    let s = service(&mut w);
    let stop = json!({"serviceDeploymentArn": s["currentServiceDeployment"], "stopType": "ROLLBACK"});
    assert_eq!(call(&mut w, "StopServiceDeployment", &stop)["serviceDeploymentArn"], s["currentServiceDeployment"]);
    let arns = json!({"serviceDeploymentArns": [s["currentServiceDeployment"]]});
    let status = |w: &mut World| call(w, "DescribeServiceDeployments", &arns)["serviceDeployments"][0]["status"].clone();
    assert_eq!(status(&mut w), "ROLLBACK_REQUESTED");
    run(&mut w, 3, |_| {});
    assert_eq!(status(&mut w), "ROLLBACK_IN_PROGRESS");
    call(&mut w, "StopServiceDeployment", &stop);
    assert_eq!(status(&mut w), "ROLLBACK_IN_PROGRESS", "what is on its way back goes on");
    run(&mut w, 200, |_| {});
    assert_eq!(status(&mut w), "ROLLBACK_SUCCESSFUL");
    let (code, _) = refused(&mut w, "StopServiceDeployment", &stop);
    assert_eq!(code, "ConflictException");
    assert!(service(&mut w)["taskDefinition"].as_str().unwrap().ends_with("api:7"));
}

#[test]
fn a_newer_deployment_supersedes_the_one_under_way() {
    let mut w = world("desired = 2", "");
    let force = json!({"cluster": "main", "service": "api", "forceNewDeployment": true});
    call(&mut w, "UpdateService", &force);
    run(&mut w, 20, |_| {});
    call(&mut w, "UpdateService", &force);
    assert_eq!(service(&mut w)["deployments"].as_array().unwrap().len(), 3);
    run(&mut w, 300, |_| {});
    let listed = call(&mut w, "ListServiceDeployments", &json!({"cluster": "main", "service": "api"}));
    let states: Vec<&str> =
        listed["serviceDeployments"].as_array().unwrap().iter().take(2).map(|d| d["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["SUCCESSFUL", "STOPPED"]);
    let arns: Vec<&Value> = listed["serviceDeployments"].as_array().unwrap().iter().map(|d| &d["targetServiceRevisionArn"]).collect();
    let revisions = call(&mut w, "DescribeServiceRevisions", &json!({"serviceRevisionArns": arns}));
    assert_eq!(revisions["failures"], json!([]));
}

#[test]
fn a_failing_container_health_check_replaces_the_task() {
    let mut w = world("desired = 1", "");
    // The registered revision carries a health check; its tasks never pass it.
    let base = w.estates[0].newest("api").unwrap().clone();
    let mut input = actors::registration_of(&base).unwrap();
    input["containerDefinitions"][0]["healthCheck"] = json!({"command": ["CMD", "true"], "interval": 10, "retries": 2});
    call(&mut w, "RegisterTaskDefinition", &input);
    let bad = crate::sim::scenario::Behaviour {
        fate: crate::sim::scenario::Fate::ContainerUnhealthy,
        after: Some(crate::sim::scenario::Span::seconds(1)),
        ..Default::default()
    };
    let mut flavour = w.estates[0].inherited_flavour(&input, "test");
    flavour.behaviour = std::sync::Arc::new(bad);
    w.estates[0].register(&input, flavour);
    call(&mut w, "UpdateService", &json!({"cluster": "main", "service": "api", "taskDefinition": "api:9"}));
    run(&mut w, 120, |_| {});
    let stopped = tasks(&mut w, "STOPPED");
    assert!(stopped.iter().any(|t| t["stoppedReason"] == "Task failed container health checks"), "{stopped:?}");
}

#[test]
fn the_small_world_opens_with_a_believable_past() {
    let mut w = World::open(&scenario::load("small", &[]).unwrap(), 1, NOW).unwrap();
    let names = json!({"cluster": "payments-prod", "services": ["checkout", "ledger-api"]});
    let reply = call(&mut w, "DescribeServices", &names);
    let checkout = &reply["services"][0];
    assert!(events(checkout).iter().any(|m| m.contains("rolling back to deployment")));
    let history = call(&mut w, "ListServiceDeployments", &json!({"cluster": "payments-prod", "service": "checkout"}));
    let rolled_back = history["serviceDeployments"].as_array().unwrap().iter();
    assert!(rolled_back.filter(|d| d["status"] == "ROLLBACK_SUCCESSFUL").count() >= 4);
    let stopped = call(&mut w, "ListTasks", &json!({"cluster": "payments-prod", "serviceName": "checkout", "desiredStatus": "STOPPED"}));
    let stopped = call(&mut w, "DescribeTasks", &json!({"cluster": "payments-prod", "tasks": stopped["taskArns"]}));
    let oom = stopped["tasks"].as_array().unwrap().iter().filter(|t| t["containers"][0]["exitCode"] == 137);
    assert!(oom.count() >= 10);
    let sick = w.estates[0].target_groups.iter().flat_map(|g| &g.targets).filter(|t| t.state == TargetState::Unhealthy);
    assert_eq!(sick.count(), 1, "one of ledger-api's four targets");
}

#[test]
fn a_large_world_has_the_size_that_was_asked_for() {
    let set = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let sizes = [set("services", "130"), set("tasks", "701"), set("clusters", "7")];
    let w = World::open(&scenario::load("large", &sizes).unwrap(), 1, NOW).unwrap();
    let e = &w.estates[0];
    assert_eq!((e.clusters.len(), e.services.len()), (7, 130));
    assert_eq!(e.services.iter().map(|s| s.desired).sum::<u32>(), 701);
    let alive = e.tasks.values().filter(|t| !t.stopping()).count();
    assert!((701..730).contains(&alive), "{alive}");
}

#[test]
fn a_slow_start_is_forgiven_within_the_grace_period() {
    let slow = release("fate = \"slow_start\"\nafter = \"70s\"");
    let mut w = world("desired = 2\ngrace = \"120s\"", &slow);
    run(&mut w, 300, |_| {});
    let s = service(&mut w);
    assert_eq!(s["deployments"][0]["rolloutState"], "COMPLETED");
    assert!(s["taskDefinition"].as_str().unwrap().ends_with("api:8"));
    let replaced = tasks(&mut w, "STOPPED");
    assert!(replaced.iter().all(|t| t["taskDefinitionArn"].as_str().unwrap().ends_with("api:7")), "no new task was replaced");
}

#[test]
fn a_slow_start_without_grace_never_comes_up() {
    let slow = release("fate = \"slow_start\"\nafter = \"70s\"");
    let mut w = world("desired = 2", &slow);
    run(&mut w, 600, |_| {});
    let said = events(&service(&mut w)).join("\n");
    assert!(said.contains("due to (reason Health checks failed)"), "{said}");
    assert!(said.contains("rolling back to deployment"), "{said}");
}

#[test]
fn a_secret_that_cannot_be_read_keeps_containers_from_starting() {
    let mut w = world("desired = 1\nbreaker = \"off\"", &release("fate = \"secret_fails\""));
    run(&mut w, 60, |_| {});
    let stopped = tasks(&mut w, "STOPPED");
    let reason = stopped[0]["stoppedReason"].as_str().unwrap();
    assert!(reason.starts_with("ResourceInitializationError: unable to pull secrets or registry auth"), "{reason}");
    assert!(stopped[0].get("startedAt").is_none());
}

#[test]
fn a_log_stream_lives_as_long_as_its_container_and_ends_with_its_last_words() {
    let mut w = world("desired = 3", &release("fate = \"exits\"\nafter = \"12s\"\ntail = [\"panic: no\"]"));
    run(&mut w, 60, |_| {});
    let e = &w.estates[0];
    let group = &e.log_groups["/ecs/api"];
    let ended: Vec<&LogStream> = group.streams.values().filter(|s| s.last_words).collect();
    assert!(ended.len() >= 3, "{}", ended.len());
    for stream in ended {
        assert_eq!(stream.behaviour.tail, ["panic: no"]);
        let lived = stream.ended_at.unwrap() - stream.started_at;
        assert!((10_000..14_000).contains(&lived), "lived {lived} ms");
        let name = format!("ecs/app/{}", stream.task);
        assert!(group.streams.contains_key(&name), "{name}");
    }
    let running = group.streams.values().filter(|s| s.ended_at.is_none());
    assert!(running.clone().all(|s| s.started_at < w.now()));
    assert!(running.count() >= 3);
}

#[test]
fn a_scheduled_job_runs_without_a_service_and_ends_with_code_zero() {
    let mut w = World::open(&scenario::load("small", &[]).unwrap(), 1, NOW).unwrap();
    let cluster = json!({"cluster": "payments-prod", "desiredStatus": "STOPPED", "family": "payments-worker"});
    let listed = call(&mut w, "ListTasks", &cluster);
    let reply = call(&mut w, "DescribeTasks", &json!({"cluster": "payments-prod", "tasks": listed["taskArns"]}));
    let jobs = reply["tasks"].as_array().unwrap();
    assert!(jobs.len() >= 5, "one every ten minutes, kept for an hour");
    for job in jobs {
        assert_eq!(job["startedBy"], "events-rule/settlement-report");
        assert_eq!(job["group"], "family:payments-worker");
        assert_eq!((&job["stopCode"], &job["containers"][0]["exitCode"]), (&json!("EssentialContainerExited"), &json!(0)));
    }
}

#[test]
fn percents_that_leave_no_way_are_said_to() {
    // Of one task, 150 percent is still one task, and 100 percent may not stop.
    let mut w = world("desired = 1\nminimum = 100\nmaximum = 150", &release("fate = \"healthy\""));
    run(&mut w, 400, |_| {});
    let s = service(&mut w);
    assert_eq!(s["deployments"][0]["rolloutState"], "IN_PROGRESS");
    let said = events(&s);
    let stuck = said.iter().filter(|m| m.contains("was unable to stop or start tasks during a deployment")).count();
    assert!((1..8).contains(&stuck), "said {stuck} times");
}

#[test]
fn spot_takes_a_task_and_the_service_replaces_it() {
    let spot = "[[actor]]\nname = \"aws\"\ncluster = \"main\"\nservice = \"api\"\nevery = \"10h\"\nfirst = \"1s\"\nact = \"interrupt\"";
    let mut w = world("desired = 3\nlaunch = \"FARGATE_SPOT\"", spot);
    run(&mut w, 120, |_| {});
    let stopped = tasks(&mut w, "STOPPED");
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0]["stopCode"], "SpotInterruption");
    let s = service(&mut w);
    assert_eq!((&s["runningCount"], s.get("launchType")), (&json!(3), None));
    assert_eq!(s["capacityProviderStrategy"].as_array().unwrap().len(), 2);
}

#[test]
fn a_container_health_check_may_fail_late() {
    let mut w = World::open(&scenario::load("small", &[]).unwrap(), 1, NOW).unwrap();
    let mailer = w.estates[1].services.iter().find(|s| s.name == "mailer").unwrap();
    let said: Vec<&str> = mailer.events.iter().map(|e| e.message.as_str()).collect();
    assert!(said.iter().any(|m| m.ends_with("failed container health checks.")), "{said:?}");
    assert!(mailer.steady, "its replacement is well");
    w.advance_to(NOW + 60_000);
}

mod drills;
mod hosts;
mod seeds;
mod shifts;
mod starts;
