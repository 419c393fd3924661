//! Every other verb, from its word to the request and back by `:undo`.

use super::{changes, command, confirm, contract, keys, landed, only, sent, service, shows, storefront, yes};
use crate::stage::Stage;
use midwatch::change::apply::Progress;
use serde_json::json;

const OKY: &str = "project-oky-ecs-cluster";
const CMS: &str = "project-oky-ecs-cms-task-service-smibyuqs";

/// The newest request that changed something: its operation and its parameters.
fn last(stage: &Stage) -> (String, serde_json::Value) {
    sent(stage).pop().unwrap()
}

/// A canary that waits for an answer, in its watch.
pub fn paused() -> Stage {
    let mut stage = service(&contract("shifts.toml"), "main", "web");
    keys(&mut stage, "R");
    yes(&mut stage);
    for _ in 0..60 {
        stage.step(10);
        stage.refresh_quietly();
        if stage.screen(120, 35).contains("waits for an answer") {
            return stage;
        }
    }
    panic!("no hook ever waits\n{}", stage.screen(120, 35));
}

#[test]
fn a_hook_that_waits_is_continued() {
    let mut stage = paused();
    command(&mut stage, "continue");
    shows(&mut stage, &["Continue main/web", "POST_TEST_TRAFFIC_SHIFT", "CONTINUE", "continue-service-deployment"]);
    yes(&mut stage);
    let (operation, parameters) = last(&stage);
    assert_eq!((operation.as_str(), &parameters["action"]), ("ContinueServiceDeployment", &json!("CONTINUE")));
    command(&mut stage, "undo");
    shows(&mut stage, &["cannot be taken back"]);
}

#[test]
fn a_hook_that_waits_is_answered_with_a_roll_back() {
    let mut stage = paused();
    command(&mut stage, "abandon");
    shows(&mut stage, &["POST_TEST_TRAFFIC_SHIFT", "ROLLBACK"]);
    yes(&mut stage);
    let (operation, parameters) = last(&stage);
    assert_eq!((operation.as_str(), &parameters["action"]), ("ContinueServiceDeployment", &json!("ROLLBACK")));
    let mut back = false;
    for _ in 0..60 {
        stage.step(10);
        stage.refresh_quietly();
        back |= stage.screen(120, 35).contains("NOT released");
    }
    assert!(back, "the watch never says that it went back\n{}", stage.screen(120, 35));
}

#[test]
fn a_release_of_code_deploy_that_waits_is_continued() {
    let mut stage = service(&contract("beside.toml"), "shop", "edge");
    keys(&mut stage, "R");
    yes(&mut stage);
    assert_eq!(last(&stage).0, "CreateDeployment");
    for wait in ["READY_WAIT", "TERMINATION_WAIT"] {
        let mut waits = false;
        for _ in 0..60 {
            stage.step(10);
            stage.refresh_quietly();
            command(&mut stage, "continue");
            waits = stage.screen(120, 35).contains(wait);
            if waits {
                break;
            }
            stage.press("esc");
        }
        assert!(waits, "{wait} never comes\n{}", stage.screen(120, 35));
        yes(&mut stage);
        let (operation, parameters) = last(&stage);
        assert_eq!((operation.as_str(), &parameters["deploymentWaitType"]), ("ContinueDeployment", &json!(wait)));
    }
}

#[test]
fn a_task_is_protected_for_the_minutes_that_are_typed_and_let_go_again() {
    let mut stage = storefront();
    keys(&mut stage, "T");
    command(&mut stage, "protect");
    keys(&mut stage, "3 0");
    shows(&mut stage, &["[ 30 ]", "not protected", "protected for 30 minutes", "--expires-in-minutes 30"]);
    yes(&mut stage);
    let (operation, parameters) = last(&stage);
    assert_eq!(operation, "UpdateTaskProtection");
    assert_eq!((&parameters["protectionEnabled"], &parameters["expiresInMinutes"]), (&json!(true), &json!(30)));
    assert_eq!(parameters["tasks"].as_array().unwrap().len(), 1);
    command(&mut stage, "unprotect");
    shows(&mut stage, &["--no-protection-enabled"]);
    yes(&mut stage);
    assert_eq!(last(&stage).1["protectionEnabled"], false);
    command(&mut stage, "undo");
    shows(&mut stage, &["Take back", "--protection-enabled"]);
}

#[test]
fn an_instance_is_drained_and_taken_back() {
    let mut stage = service(&contract("shifts.toml"), "main", "web");
    command(&mut stage, "pane instances");
    command(&mut stage, "drain");
    shows(&mut stage, &["ACTIVE", "DRAINING", "update-container-instances-state"]);
    yes(&mut stage);
    let (operation, parameters) = last(&stage);
    assert_eq!((operation.as_str(), &parameters["status"]), ("UpdateContainerInstancesState", &json!("DRAINING")));
    // By the name that its row has.
    shows(&mut stage, &["drain i-"]);
    stage.refresh_quietly();
    command(&mut stage, "undo");
    shows(&mut stage, &["Take back"]);
    yes(&mut stage);
    assert_eq!(last(&stage).1["status"], "ACTIVE");
}

#[test]
fn a_one_off_task_runs_the_words_of_its_command_as_a_shell_would_part_them() {
    let mut stage = storefront();
    command(&mut stage, "run-task");
    shows(&mut stage, &["[  ]", "empty: its own", "run-task"]);
    stage.press("tab");
    stage.write("sh -c 'echo \"a b");
    shows(&mut stage, &["a ' is not closed"]);
    stage.write("\"; exit 3'");
    keys(&mut stage, "tab");
    yes(&mut stage);
    let (operation, parameters) = last(&stage);
    assert_eq!(operation, "RunTask");
    assert_eq!(parameters["overrides"]["containerOverrides"][0]["command"], json!(["sh", "-c", "echo \"a b\"; exit 3"]));
    assert_eq!((&parameters["count"], &parameters["startedBy"]), (&json!(1), &json!("midwatch")));
    assert!(parameters["networkConfiguration"]["awsvpcConfiguration"]["subnets"].is_array(), "as the service's own: {parameters}");
}

#[test]
fn a_scaling_range_is_changed_in_what_differs_and_taken_back() {
    let mut stage = service(&contract("beside.toml"), "shop", "front");
    command(&mut stage, "scaling-range");
    shows(&mut stage, &["[ 2 ]", "[ 8 ]"]);
    keys(&mut stage, "tab tab 9 tab");
    shows(&mut stage, &["2-8", "2-9", "--max-capacity 9"]);
    yes(&mut stage);
    let (operation, parameters) = last(&stage);
    assert_eq!(
        (operation.as_str(), &parameters["MaxCapacity"], parameters.get("MinCapacity")),
        ("RegisterScalableTarget", &json!(9), None)
    );
    stage.refresh_quietly();
    command(&mut stage, "undo");
    yes(&mut stage);
    assert_eq!(last(&stage).1["MaxCapacity"], 8);
    stage.press("@");
    shows(&mut stage, &["undo scaling range", "takes back: ", "2-8 → 2-9"]);
    keys(&mut stage, "j");
    shows(&mut stage, &["taken back at "]);
}

/// A service whose tasks have no agent of ECS Exec.
pub fn without_exec() -> Stage {
    only("oky-admin", OKY, CMS)
}

#[test]
fn exec_is_switched_on_and_off_again() {
    let mut stage = without_exec();
    command(&mut stage, "enable-exec");
    shows(&mut stage, &["exec for new tasks", "redeploy afterwards"]);
    yes(&mut stage);
    let (operation, parameters) = last(&stage);
    assert_eq!((operation.as_str(), &parameters["enableExecuteCommand"]), ("UpdateService", &json!(true)));
    assert_eq!(parameters.as_object().unwrap().len(), 3, "{parameters}");
    stage.refresh_quietly();
    command(&mut stage, "undo");
    yes(&mut stage);
    assert_eq!(last(&stage).1["enableExecuteCommand"], false);
}

#[test]
fn enabling_exec_says_which_checks_would_fail_all_the_same() {
    let reasons = format!("{}/tests/sim_exec/reasons.toml", env!("CARGO_MANIFEST_DIR"));
    let mut stage = service(&reasons, "main", "off-sealed");
    command(&mut stage, "enable-exec");
    shows(&mut stage, &["no session can be all the same: root file system, container app: readonlyRootFilesystem"]);
    stage.press("esc");
    let mut stage = service(&reasons, "main", "off");
    command(&mut stage, "enable-exec");
    let screen = stage.screen(120, 35);
    assert!(screen.contains("init process, container app: off"), "{screen}");
    assert!(!screen.contains("all the same"), "nothing is in the way\n{screen}");
}

#[test]
fn t3_a_moved_tag_is_pinned_from_the_list_of_revisions() {
    let mut stage = only("tutorbloc", "tutorbloc", "production");
    stage.sim.start_drill("T3").unwrap();
    stage.step(1200);
    stage.refresh_quietly();
    keys(&mut stage, "B");
    shows(&mut stage, &["3 deploy a clone of production:", "has moved since"]);
    keys(&mut stage, "3");
    shows(&mut stage, &["register-task-definition", "tutorbloc.app:production  →  ", "pinned by its digest"]);
    confirm(&mut stage, "production");
    assert_eq!(landed(&mut stage), Progress::Done, "{}", stage.screen(120, 35));
    let operations: Vec<&str> = changes(&stage).iter().map(|request| request.call.operation).collect();
    assert_eq!(operations, ["RegisterTaskDefinition", "UpdateService"]);
    let image = sent(&stage)[0].1["containerDefinitions"][0]["image"].as_str().unwrap().to_owned();
    assert!(image.contains("@sha256:"), "{image}");
}

#[test]
fn several_services_are_scaled_each_from_its_own_count() {
    let mut stage = service("small", "web-stage", "mailer");
    keys(&mut stage, "space space S");
    shows(&mut stage, &["[ +0 ]", "type how many"]);
    keys(&mut stage, "+");
    shows(&mut stage, &["[ +1 ]", "mailer", "1  →  2", "storefront", "2  →  3", "type  scale 2  then ⏎"]);
    confirm(&mut stage, "scale 2");
    assert_eq!(landed(&mut stage), Progress::Done);
    let counts: Vec<_> = sent(&stage).iter().map(|(_, parameters)| parameters["desiredCount"].clone()).collect();
    assert_eq!(counts, [json!(2), json!(3)]);
}

#[test]
fn the_menu_offers_what_the_dialog_would_read_first() {
    let mut stage = service(&contract("beside.toml"), "shop", "pay");
    keys(&mut stage, "a");
    let screen = stage.screen(120, 35);
    assert!(screen.contains("redeploy") && !screen.contains("still reading"), "{screen}");
    // What comes first asks for it.
    keys(&mut stage, "R");
    shows(&mut stage, &["Redeploy shop/pay", "create-deployment"]);
}

#[test]
fn the_key_that_confirmed_means_nothing_else_while_it_is_held() {
    let mut stage = storefront();
    keys(&mut stage, "R");
    yes(&mut stage);
    shows(&mut stage, &["› watch"]);
    for _ in 0..20 {
        stage.press("y");
    }
    shows(&mut stage, &["› watch"]);
    // Let go, it is a key again.
    stage.step(2);
    keys(&mut stage, "y");
    shows(&mut stage, &["json"]);
}
