//! What goes wrong between the dialog and AWS: the world moves on, AWS refuses, throttles, or says nothing.

use super::verbs::paused;
use super::{changes, command, confirm, contract, keys, landed, only, sent, service, shows, storefront};
use crate::clients;
use crate::stage::Stage;
use midwatch::change::apply::Progress;
use midwatch::sim::Sim;
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Somebody else at work.
fn ecs(sim: &Sim) -> aws_sdk_ecs::Client {
    clients::ecs(sim, "acme-stage")
}

/// Waits for the last word on an order, and returns all that was told of it.
fn told(stage: &mut Stage) -> Vec<Progress> {
    let last = |stage: &mut Stage| {
        matches!(stage.progress.last(), Some((_, Progress::Done | Progress::Moved(..) | Progress::Refused(_) | Progress::Rehearsed(_))))
    };
    stage.until("the order has landed", last);
    stage.progress.drain(..).map(|(_, progress)| progress).collect()
}

#[test]
fn a_revision_that_was_deregistered_after_it_was_picked_is_not_deployed() {
    let mut stage = storefront();
    keys(&mut stage, "B enter");
    shows(&mut stage, &["storefront:1203 is ACTIVE"]);
    let other = ecs(&stage.sim);
    runtime().block_on(other.deregister_task_definition().task_definition("storefront:1203").send()).unwrap();
    confirm(&mut stage, "storefront");
    let Progress::Moved(moved, _) = landed(&mut stage) else { panic!("{:?}", stage.progress) };
    assert_eq!((moved[0].was.as_str(), moved[0].now.as_str()), ("ACTIVE", "INACTIVE"));
    shows(&mut stage, &["something else now", "INACTIVE", "cannot be done"]);
    stage.step(3);
    keys(&mut stage, "y tab enter");
    assert_eq!(sent(&stage).len(), 1, "only the deregistration: {:?}", sent(&stage));
}

#[test]
fn a_service_that_was_deleted_meanwhile_is_not_scaled() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    let other = ecs(&stage.sim);
    runtime().block_on(other.delete_service().cluster("web-stage").service("storefront").force(true).send()).unwrap();
    stage.press("y");
    assert!(matches!(landed(&mut stage), Progress::Moved(..)));
    shows(&mut stage, &["something else now", "cannot be done"]);
    stage.step(3);
    keys(&mut stage, "y");
    let operations: Vec<String> = sent(&stage).into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(operations, ["DeleteService"]);
}

/// An action with the way to the dialog that needs it, and the text that confirms there; nothing is `y`.
type Way = (&'static str, fn() -> Stage, &'static str);

pub fn walked(mut stage: Stage, way: &str) -> Stage {
    keys(&mut stage, way);
    stage
}

pub fn commanded(mut stage: Stage, way: &str, word: &str) -> Stage {
    keys(&mut stage, way);
    command(&mut stage, word);
    stage
}

pub fn deploy() -> Stage {
    let mut stage = storefront();
    keys(&mut stage, "a i");
    stage.find("r1203");
    walked(stage, "enter")
}

/// A canary of the other kind, under way.
fn under_way() -> Stage {
    let mut stage = service(&contract("beside.toml"), "shop", "pay");
    keys(&mut stage, "R y");
    assert_eq!(landed(&mut stage), Progress::Done);
    stage.step(30);
    stage.refresh_quietly();
    keys(&mut stage, "B 1");
    stage
}

const WAYS: &[Way] = &[
    ("ecs:UpdateService", || walked(storefront(), "R"), ""),
    ("ecs:UpdateService", || walked(storefront(), "S 3"), ""),
    ("ecs:UpdateService", || walked(storefront(), "B enter"), "storefront"),
    ("ecs:RegisterTaskDefinition", deploy, ""),
    ("ecs:StopTask", || walked(storefront(), "T X"), ""),
    ("ecs:UpdateTaskProtection", || commanded(storefront(), "T", "protect"), ""),
    ("ecs:RunTask", || commanded(storefront(), "", "run-task"), ""),
    ("ecs:UpdateContainerInstancesState", drained, ""),
    ("ecs:StopServiceDeployment", stopped, ""),
    ("application-autoscaling:RegisterScalableTarget", ranged, ""),
    ("codedeploy:CreateDeployment", || walked(service(&contract("beside.toml"), "shop", "pay"), "R"), ""),
    ("codedeploy:StopDeployment", under_way, ""),
    ("ecs:ContinueServiceDeployment", || commanded(paused(), "", "continue"), ""),
    ("codedeploy:ContinueDeployment", ready, ""),
];

/// A release of the other kind that waits before it moves the traffic, in the dialog that lets it go on.
fn ready() -> Stage {
    let mut stage = service(&contract("beside.toml"), "shop", "edge");
    keys(&mut stage, "R y");
    assert_eq!(landed(&mut stage), Progress::Done);
    for _ in 0..60 {
        stage.step(10);
        stage.refresh_quietly();
        command(&mut stage, "continue");
        if stage.screen(120, 35).contains("READY_WAIT") {
            return stage;
        }
        stage.press("esc");
    }
    panic!("it never waits\n{}", stage.screen(120, 35));
}

pub fn drained() -> Stage {
    commanded(commanded(service(&contract("shifts.toml"), "main", "web"), "", "pane instances"), "", "drain")
}

fn stopped() -> Stage {
    let mut stage = storefront();
    keys(&mut stage, "R y");
    assert_eq!(landed(&mut stage), Progress::Done);
    stage.refresh_quietly();
    walked(stage, "B 1")
}

pub fn ranged() -> Stage {
    walked(commanded(service(&contract("beside.toml"), "shop", "front"), "", "scaling-range"), "tab tab 9 tab")
}

#[test]
fn access_that_is_denied_names_the_action_and_the_role_for_each_call() {
    for (action, way, text) in WAYS {
        let mut stage = way();
        stage.fault(&format!("[[fault]]\noperation = '{action}'\nkind = 'deny'\n"));
        // The answers that came last have been looked at.
        stage.step(3);
        let before = changes(&stage).len();
        if text.is_empty() {
            stage.press("y");
        } else {
            confirm(&mut stage, text);
        }
        let told = told(&mut stage);
        let failed = told.iter().find_map(|told| if let Progress::Failed { error, .. } = told { Some(error) } else { None });
        let failed = failed.unwrap_or_else(|| panic!("{action}: {told:?}\n{}", stage.screen(120, 35)));
        assert!(failed.what.contains(&format!("AccessDenied for {action} as ")), "{action}: {}", failed.what);
        shows(&mut stage, &["it did not all work", "AccessDenied"]);
        assert_eq!(changes(&stage).len(), before + 1, "{action} is asked once");
        // The gate remembers: what was refused is not asked again.
        keys(&mut stage, "esc");
    }
}

#[test]
fn a_role_that_may_not_be_passed_is_named() {
    let mut stage = only("oky-admin", "project-oky-ecs-cluster", "project-oky-ecs-api-task-service-1lehr9r5");
    keys(&mut stage, "a i");
    stage.find("2025_06");
    keys(&mut stage, "enter");
    stage.fault("[[fault]]\noperation = 'iam:PassRole'\nkind = 'deny'\n");
    stage.press("y");
    let told = told(&mut stage);
    let failed = told.iter().find_map(|told| if let Progress::Failed { error, .. } = told { Some(error) } else { None });
    let failed = failed.unwrap_or_else(|| panic!("{told:?}\n{}", stage.screen(120, 35)));
    assert!(failed.what.contains("AccessDenied for iam:PassRole on role/"), "{}", failed.what);
}

#[test]
fn a_write_that_is_throttled_is_sent_again_until_it_is_taken() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    stage.fault("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 2\nkind = 'throttle'\n");
    stage.press("y");
    assert_eq!(landed(&mut stage), Progress::Done);
    assert_eq!(sent(&stage).len(), 3, "a throttled call was not done");
    shows(&mut stage, &["scale storefront: AWS has taken it"]);
}

#[test]
fn a_write_that_is_throttled_without_end_says_so() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    stage.fault("[[fault]]\noperation = 'ecs:UpdateService'\nkind = 'throttle'\n");
    stage.press("y");
    assert!(told(&mut stage).iter().any(|told| matches!(told, Progress::Failed { error, .. } if error.what.contains("throttles"))));
    shows(&mut stage, &["it did not all work", "AWS throttles these calls"]);
}

#[test]
fn a_reply_that_never_comes_may_still_apply_and_is_found_out_by_reading() {
    for (kind, found) in
        [("cut_reply", "it applies: storefront wants 3 tasks"), ("reset", "it does not apply so far: storefront wants 2 tasks")]
    {
        let mut stage = storefront();
        keys(&mut stage, "S 3");
        stage.fault(&format!("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = '{kind}'\n"));
        stage.press("y");
        let told = told(&mut stage);
        assert!(told.iter().any(|told| matches!(told, Progress::Unanswered { found: own, .. } if own == found)), "{told:?}");
        shows(&mut stage, &["no answer came, the request may still apply", "it did not all work"]);
        assert_eq!(sent(&stage).len(), 1, "it is not sent again");
    }
}

#[test]
fn whoever_stops_waiting_is_told_all_the_same() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    stage.fault("[[fault]]\noperation = 'ecs:UpdateService'\nkind = 'latency'\nms = 1500\n");
    stage.press("y");
    stage.until("it is sent", |stage| stage.progress.iter().any(|(_, progress)| matches!(progress, Progress::Sending { .. })));
    shows(&mut stage, &["sending: scale storefront to 3", "ctrl-c stops waiting"]);
    // Keys meant for something else do nothing meanwhile.
    stage.keys("y enter tab");
    stage.press("ctrl-c");
    shows(&mut stage, &["stopped waiting: the request may still apply"]);
    assert_eq!(landed(&mut stage), Progress::Done);
    assert_eq!(sent(&stage).len(), 1);
    shows(&mut stage, &["scale storefront: AWS has taken it"]);
}
