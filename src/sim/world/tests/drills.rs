//! Drills: troubles that wait until they are started.

use super::*;

fn drill(steps: &str) -> String {
    format!("[[drill]]\nname = \"C3\"\nabout = \"Spot wants a task back\"\n{steps}\n")
}

fn step(act: &str) -> String {
    format!("[[drill.step]]\ncluster = \"main\"\nservice = \"api\"\n{act}\n")
}

#[test]
fn nothing_happens_before_a_drill_is_started_and_then_it_does_once() {
    let mut w = world("desired = 3\nlaunch = \"FARGATE_SPOT\"", &drill(&step("act = \"interrupt\"")));
    run(&mut w, 60, |_| {});
    assert!(tasks(&mut w, "STOPPED").is_empty());
    w.start_drill("c3").unwrap();
    run(&mut w, 200, |_| {});
    let stopped = tasks(&mut w, "STOPPED");
    assert_eq!(stopped.len(), 1);
    assert_eq!(
        (&stopped[0]["stopCode"], &stopped[0]["stoppedReason"]),
        (&json!("SpotInterruption"), &json!("Your Spot Task was interrupted."))
    );
    assert_eq!(stopped[0]["capacityProviderName"], "FARGATE_SPOT");
    assert_eq!(service(&mut w)["runningCount"], 3);
    let unknown = w.start_drill("C4").unwrap_err();
    assert_eq!(unknown, "no drill `C4`; did you mean `C3`?");
}

#[test]
fn a_fate_befalls_tasks_that_run_and_leaves_them_again() {
    let steps = step("act = \"befall\"\nbehaviour = { fate = \"unhealthy\", after = \"1s\", at_most = 1, status = 500 }");
    let over =
        "[[drill]]\nname = \"over\"\nabout = \"well again\"\n[[drill.step]]\ncluster = \"main\"\nservice = \"api\"\nact = \"befall\"\n";
    let mut w = world("desired = 2\ngrace = \"30d\"", &format!("{}{over}", drill(&steps)));
    w.start_drill("C3").unwrap();
    run(&mut w, 60, |_| {});
    let sick = |w: &World| w.estates[0].target_groups[0].targets.iter().filter(|t| t.state == TargetState::Unhealthy).count();
    assert_eq!(sick(&w), 1);
    w.start_drill("over").unwrap();
    run(&mut w, 90, |_| {});
    assert_eq!(sick(&w), 0);
}

#[test]
fn protected_tasks_are_not_scaled_in_until_it_ends() {
    let mut w = world("desired = 3", "");
    let arns: Vec<Value> = tasks(&mut w, "RUNNING").iter().map(|t| t["taskArn"].clone()).collect();
    let body = json!({"cluster": "main", "tasks": arns, "protectionEnabled": true, "expiresInMinutes": 5});
    let reply = call(&mut w, "UpdateTaskProtection", &body);
    assert_eq!(reply["protectedTasks"][0]["protectionEnabled"], true);
    call(&mut w, "UpdateService", &json!({"cluster": "main", "service": "api", "desiredCount": 1}));
    run(&mut w, 120, |_| {});
    assert_eq!(service(&mut w)["runningCount"], 3);
    let said = events(&service(&mut w)).join("\n");
    assert!(said.contains("was unable to scale in due to (reason 2 tasks under protection)"), "{said}");
    run(&mut w, 500, |_| {});
    assert_eq!(service(&mut w)["runningCount"], 1);
    let reply = call(&mut w, "GetTaskProtection", &json!({"cluster": "main"}));
    assert_eq!(reply["protectedTasks"][0]["protectionEnabled"], false);
    let body = json!({"cluster": "main", "tasks": arns, "protectionEnabled": true, "expiresInMinutes": 2881});
    assert_eq!(refused(&mut w, "UpdateTaskProtection", &body).0, "InvalidParameterException");
}

#[test]
fn a_deregistered_revision_runs_on_and_cannot_be_deployed() {
    let mut w = world("desired = 1\nderegistered = true", "");
    let s = service(&mut w);
    let described = call(&mut w, "DescribeTaskDefinition", &json!({"taskDefinition": s["taskDefinition"]}));
    assert_eq!(described["taskDefinition"]["status"], "INACTIVE");
    assert_eq!(s["runningCount"], 1);
    let body = json!({"cluster": "main", "service": "api", "taskDefinition": s["taskDefinition"]});
    assert_eq!(refused(&mut w, "UpdateService", &body).1, "TaskDefinition is inactive");
}

#[test]
fn a_stray_target_belongs_to_no_task() {
    let mut w = world("desired = 1", &drill(&step("act = \"stray_target\"\naddress = \"10.20.9.9\"")));
    w.start_drill("C3").unwrap();
    let stray: Vec<&Target> = w.estates[0].target_groups[0].targets.iter().filter(|t| t.task.is_none()).collect();
    assert_eq!((stray.len(), stray[0].id.as_str()), (1, "10.20.9.9"));
}

#[test]
fn task_sets_by_hand_take_over_from_one_another() {
    let mut w = world("desired = 2\ncontroller = \"EXTERNAL\"", "");
    let s = service(&mut w);
    assert_eq!((s["deployments"].clone(), s["taskSets"].as_array().unwrap().len()), (json!([]), 1));
    let group = s["taskSets"][0]["loadBalancers"].clone();
    let body = json!({"cluster": "main", "service": "api", "taskDefinition": "api:7", "externalId": "r-42", "loadBalancers": group,
        "launchType": "FARGATE", "scale": {"value": 50.0, "unit": "PERCENT"},
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}});
    let set = call(&mut w, "CreateTaskSet", &body)["taskSet"].clone();
    assert_eq!((&set["status"], &set["computedDesiredCount"], &set["externalId"]), (&json!("ACTIVE"), &json!(1), &json!("r-42")));
    run(&mut w, 120, |_| {});
    let of = |w: &mut World| {
        call(w, "DescribeTaskSets", &json!({"cluster": "main", "service": "api", "taskSets": [set["id"]]}))["taskSets"][0].clone()
    };
    assert_eq!((&of(&mut w)["runningCount"], &of(&mut w)["stabilityStatus"]), (&json!(1), &json!("STEADY_STATE")));
    let name = |key: &str| json!({"cluster": "main", "service": "api", key: set["taskSetArn"]});
    call(
        &mut w,
        "UpdateTaskSet",
        &json!({"cluster": "main", "service": "api", "taskSet": set["id"], "scale": {"value": 100.0, "unit": "PERCENT"}}),
    );
    assert_eq!(call(&mut w, "UpdateServicePrimaryTaskSet", &name("primaryTaskSet"))["taskSet"]["status"], "PRIMARY");
    let old = s["taskSets"][0]["id"].clone();
    let gone = |force: bool| json!({"cluster": "main", "service": "api", "taskSet": old, "force": force});
    assert_eq!(refused(&mut w, "DeleteTaskSet", &gone(false)).0, "InvalidParameterException");
    assert_eq!(call(&mut w, "DeleteTaskSet", &gone(true))["taskSet"]["status"], "DRAINING");
    run(&mut w, 200, |_| {});
    let s = service(&mut w);
    assert_eq!((s["taskSets"].as_array().unwrap().len(), &s["runningCount"]), (1, &json!(2)));
    assert_eq!(refused(&mut w, "DeleteTaskSet", &gone(true)).0, "TaskSetNotFoundException");
    let force = json!({"cluster": "main", "service": "api", "forceNewDeployment": true});
    assert!(refused(&mut w, "UpdateService", &force).1.contains("EXTERNAL deployment controller"));
}

#[test]
fn a_task_definition_may_hold_members_that_no_client_knows_yet() {
    let mut w = world("desired = 1\nfuture = { quantumIsolation = { enabled = true } }", "");
    let definition = service(&mut w)["taskDefinition"].clone();
    let told = call(&mut w, "DescribeTaskDefinition", &json!({"taskDefinition": definition}));
    assert_eq!(told["taskDefinition"]["quantumIsolation"], json!({"enabled": true}));
}
