//! Blue/green, linear and canary deployments by ECS.

use super::*;

/// Service `api` with a pair of target groups; `rollout` are keys of `[service.rollout]` and tables below it.
fn pair(rollout: &str, more: &str) -> World {
    let service = format!(
        r#"desired = 2
[[service.container]]
name = "app"
image = "api"
tag = "v1.2.3"
ports = [8080]
voice = "plain"
[service.load_balancer]
name = "public"
host = "api.acme.example"
port = 8080
pair = true
test_port = 8443
interval = "10s"
drain = "10s"
[service.rollout]
{rollout}
{more}
"#
    );
    open(IRELAND, "", &service)
}

fn deployment(w: &mut World) -> Value {
    let listed = call(w, "ListServiceDeployments", &json!({"cluster": "main", "service": "api"}));
    let arn = listed["serviceDeployments"][0]["serviceDeploymentArn"].clone();
    call(w, "DescribeServiceDeployments", &json!({"serviceDeploymentArns": [arn]}))["serviceDeployments"][0].clone()
}

fn weights(w: &World) -> Vec<u32> {
    w.estates[0].load_balancers[0].listeners[0].rules[0].forward.iter().map(|(_, weight)| *weight).collect()
}

/// Stages as they come, and the production weights of the target within them.
fn watch(w: &mut World, seconds: i64) -> (Vec<String>, Vec<f64>) {
    let (mut stages, mut shares): (Vec<String>, Vec<f64>) = (Vec::new(), Vec::new());
    run(w, seconds, |w| {
        let d = deployment(w);
        if let Some(stage) = d["lifecycleStage"].as_str()
            && stages.last().map(String::as_str) != Some(stage)
        {
            stages.push(stage.to_owned());
        }
        let share = d["targetServiceRevision"]["requestedProductionTrafficWeight"].as_f64().unwrap();
        if d["status"] == "IN_PROGRESS" && shares.last() != Some(&share) {
            shares.push(share);
        }
    });
    (stages, shares)
}

const ALL: [&str; 9] = [
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
];

#[test]
fn blue_green_goes_through_its_stages_and_bakes_before_it_cleans_up() {
    let mut w = pair("strategy = \"BLUE_GREEN\"\nbake = \"2m\"", &release("fate = \"healthy\""));
    let config = service(&mut w)["deploymentConfiguration"].clone();
    assert_eq!((&config["strategy"], &config["bakeTimeInMinutes"]), (&json!("BLUE_GREEN"), &json!(2)));
    let advanced = service(&mut w)["loadBalancers"][0]["advancedConfiguration"].clone();
    for key in ["alternateTargetGroupArn", "productionListenerRule", "testListenerRule", "roleArn"] {
        assert!(advanced[key].as_str().is_some_and(|arn| arn.starts_with("arn:")), "{key}: {advanced}");
    }
    assert_eq!(weights(&w), [100, 0]);
    let mut both = 0;
    let (stages, shares) = {
        let seen = watch(&mut w, 100);
        both += w.estates[0].tasks.values().filter(|t| !t.stopping()).count();
        let rest = watch(&mut w, 300);
        ([seen.0, rest.0].concat(), [seen.1, rest.1].concat())
    };
    let mut stages = stages;
    stages.dedup();
    assert_eq!(stages, ALL);
    assert!(shares.contains(&0.0) && shares.contains(&100.0), "{shares:?}");
    assert_eq!(both, 4, "both revisions stand while it bakes");
    assert_eq!(weights(&w), [0, 100]);
    let d = deployment(&mut w);
    assert_eq!(d["status"], "SUCCESSFUL");
    let s = service(&mut w);
    assert_eq!((&s["runningCount"], s["deployments"].as_array().unwrap().len()), (&json!(2), 1));
    // The next one goes the other way.
    call(&mut w, "UpdateService", &json!({"cluster": "main", "service": "api", "forceNewDeployment": true}));
    run(&mut w, 400, |_| {});
    assert_eq!(weights(&w), [100, 0]);
}

#[test]
fn a_canary_has_its_share_until_it_has_all() {
    let mut w = pair("strategy = \"CANARY\"\npercent = 10.0\nstep_bake = \"3m\"\nbake = \"1m\"", &release("fate = \"healthy\""));
    run(&mut w, 120, |_| {});
    let d = deployment(&mut w);
    assert_eq!((&d["lifecycleStage"], &d["status"]), (&json!("PRODUCTION_TRAFFIC_SHIFT"), &json!("IN_PROGRESS")));
    assert_eq!(d["targetServiceRevision"]["requestedProductionTrafficWeight"], 10.0);
    assert_eq!(d["sourceServiceRevisions"][0]["requestedProductionTrafficWeight"], 90.0);
    assert_eq!(weights(&w), [90, 10]);
    run(&mut w, 500, |_| {});
    assert_eq!((&deployment(&mut w)["status"], weights(&w)), (&json!("SUCCESSFUL"), vec![0, 100]));
}

#[test]
fn a_linear_shift_goes_in_equal_steps() {
    let mut w = pair("strategy = \"LINEAR\"\npercent = 25.0\nstep_bake = \"1m\"", &release("fate = \"healthy\""));
    let (_, shares) = watch(&mut w, 500);
    assert_eq!(shares, [0.0, 25.0, 50.0, 75.0, 100.0]);
}

#[test]
fn a_pause_waits_for_its_answer() {
    let hook = "strategy = \"BLUE_GREEN\"\n[[service.rollout.hook]]\nstages = [\"POST_TEST_TRAFFIC_SHIFT\"]";
    for (action, status, end) in [("CONTINUE", "SUCCESSFUL", [0, 100]), ("ROLLBACK", "ROLLBACK_SUCCESSFUL", [100, 0])] {
        let mut w = pair(hook, &release("fate = \"healthy\""));
        run(&mut w, 300, |_| {});
        let d = deployment(&mut w);
        assert_eq!(d["lifecycleStage"], "POST_TEST_TRAFFIC_SHIFT");
        let waiting = d["lifecycleHookDetails"][0].clone();
        assert_eq!((&waiting["status"], &waiting["targetType"]), (&json!("AWAITING_ACTION"), &json!("PAUSE")));
        let answer = json!({"serviceDeploymentArn": d["serviceDeploymentArn"], "hookId": waiting["hookId"], "action": action});
        call(&mut w, "ContinueServiceDeployment", &answer);
        run(&mut w, 300, |_| {});
        assert_eq!((&deployment(&mut w)["status"], weights(&w)), (&json!(status), end.to_vec()));
        assert_eq!(service(&mut w)["runningCount"], 2);
        assert_eq!(refused(&mut w, "ContinueServiceDeployment", &answer).0, "InvalidParameterException");
    }
}

#[test]
fn a_function_that_fails_and_a_pause_that_nobody_answers_roll_back() {
    let fails = "[[service.rollout.hook]]\nstages = [\"PRE_SCALE_UP\"]\nfunction = \"smoke\"\nfails = true";
    let late = "[[service.rollout.hook]]\nstages = [\"POST_SCALE_UP\"]\ntimeout = \"2m\"";
    let said = [
        "because PRE_SCALE_UP lifecycle hook(s) failed. Lifecycle hook target arn:aws:lambda:eu-west-1:123456789012:function:smoke returned FAILED",
        "because POST_SCALE_UP lifecycle hook(s) failed.",
    ];
    for ((hook, word), said) in [(fails, "FAILED"), (late, "TIMED_OUT")].into_iter().zip(said) {
        let mut w = pair(&format!("strategy = \"BLUE_GREEN\"\n{hook}"), &release("fate = \"healthy\""));
        run(&mut w, 500, |_| {});
        let d = deployment(&mut w);
        assert_eq!((&d["status"], &d["lifecycleHookDetails"][0]["status"]), (&json!("ROLLBACK_SUCCESSFUL"), &json!(word)));
        assert!(d["statusReason"].as_str().unwrap().contains(said), "{}", d["statusReason"]);
        assert_eq!(weights(&w), [100, 0]);
        assert!(service(&mut w)["taskDefinition"].as_str().unwrap().ends_with(":7"));
    }
}

#[test]
fn a_function_that_begins_to_fail_is_minded_by_the_next_deployment_until_it_is_mended() {
    let step = |act: &str| format!("[[drill.step]]\ncluster = \"main\"\nact = \"{act}\"\nfunction = \"smoke\"\n");
    let drill = |name: &str, act: &str| format!("[[drill]]\nname = \"{name}\"\nabout = \"a function\"\n{}", step(act));
    let hook = "[[service.rollout.hook]]\nstages = [\"POST_SCALE_UP\"]\nfunction = \"smoke\"";
    let more = format!("{}{}", drill("broken", "fail_function"), drill("mended", "mend_function"));
    let mut w = pair(&format!("strategy = \"BLUE_GREEN\"\n{hook}"), &more);
    let force = json!({"cluster": "main", "service": "api", "forceNewDeployment": true});
    for (name, status) in [("broken", "ROLLBACK_SUCCESSFUL"), ("mended", "SUCCESSFUL")] {
        w.start_drill(name).unwrap();
        call(&mut w, "UpdateService", &force);
        run(&mut w, 500, |_| {});
        assert_eq!(deployment(&mut w)["status"], status);
    }
}

#[test]
fn a_stop_rolls_back_from_every_stage() {
    for stage in ALL {
        let mut w = pair("strategy = \"CANARY\"\nstep_bake = \"1m\"\nbake = \"1m\"", &release("fate = \"healthy\""));
        let mut asked = false;
        for _ in 0..600 {
            w.advance_to(w.now() + 1000);
            let d = deployment(&mut w);
            if d["lifecycleStage"] == stage {
                let stop = json!({"serviceDeploymentArn": d["serviceDeploymentArn"], "stopType": "ROLLBACK"});
                call(&mut w, "StopServiceDeployment", &stop);
                asked = true;
                break;
            }
        }
        assert!(asked, "{stage} was never seen");
        run(&mut w, 300, |_| {});
        let s = service(&mut w);
        assert_eq!((&deployment(&mut w)["status"], &s["runningCount"]), (&json!("ROLLBACK_SUCCESSFUL"), &json!(2)), "{stage}");
        assert_eq!(weights(&w), [100, 0], "{stage}");
        assert!(s["taskDefinition"].as_str().unwrap().ends_with(":7"), "{stage}");
    }
}

#[test]
fn an_alarm_rolls_a_bake_back() {
    let alarm =
        "[[drill]]\nname = \"alarm\"\nabout = \"errors\"\n[[drill.step]]\ncluster = \"main\"\nact = \"alarm\"\nalarm = \"api-5xx\"\n";
    let mut w =
        pair("strategy = \"BLUE_GREEN\"\nbake = \"10m\"\nalarms = [\"api-5xx\"]", &format!("{}{alarm}", release("fate = \"healthy\"")));
    run(&mut w, 200, |_| {});
    let d = deployment(&mut w);
    assert_eq!((&d["lifecycleStage"], &d["alarms"]["status"]), (&json!("BAKE_TIME"), &json!("MONITORING")));
    w.start_drill("alarm").unwrap();
    run(&mut w, 200, |_| {});
    let d = deployment(&mut w);
    assert_eq!((&d["status"], &d["alarms"]["triggeredAlarmNames"]), (&json!("ROLLBACK_SUCCESSFUL"), &json!(["api-5xx"])));
    assert_eq!(weights(&w), [100, 0]);
}

#[test]
fn green_tasks_that_never_stand_leave_all_traffic_where_it_was() {
    let mut w = pair("strategy = \"BLUE_GREEN\"\nbake = \"1m\"", &release("fate = \"exits\"\nafter = \"5s\""));
    let (stages, shares) = watch(&mut w, 400);
    assert!(!stages.contains(&"BAKE_TIME".to_owned()), "{stages:?}");
    assert_eq!(shares, [0.0]);
    let d = deployment(&mut w);
    assert_eq!((&d["status"], &d["deploymentCircuitBreaker"]["status"]), (&json!("ROLLBACK_SUCCESSFUL"), &json!("TRIGGERED")));
    assert_eq!((weights(&w), &service(&mut w)["runningCount"]), (vec![100, 0], &json!(2)));
}

#[test]
fn a_threshold_may_be_a_number_of_its_own() {
    let mut w = pair("threshold = { kind = \"COUNT\", value = 5 }", &release("fate = \"exits\"\nafter = \"5s\""));
    run(&mut w, 600, |_| {});
    let breaker = deployment(&mut w)["deploymentCircuitBreaker"].clone();
    assert_eq!((&breaker["threshold"], &breaker["failureCount"]), (&json!(5), &json!(5)));
}
