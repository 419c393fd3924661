//! Deployments task by task, the circuit breaker, scaling, and the worlds of the embedded scenarios as they open.

use super::*;

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
