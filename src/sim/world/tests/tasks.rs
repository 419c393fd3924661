//! The lives of tasks: every status on the way, health checks, logs, and how they end.

use super::*;

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
