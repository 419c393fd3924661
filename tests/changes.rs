//! Changes as an operator makes them, keys to requests: the whole program but its terminal, the real SDK, the embedded AWS. What AWS
//! heard is what counts.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "changes/aims.rs"]
mod aims;
#[path = "support/clients.rs"]
mod clients;
#[path = "changes/gate.rs"]
mod gate;
#[path = "changes/moved.rs"]
mod moved;
#[path = "changes/pickers.rs"]
mod pickers;
#[path = "stage/mod.rs"]
mod stage;
#[path = "changes/trouble.rs"]
mod trouble;
#[path = "changes/undo.rs"]
mod undo;
#[path = "changes/verbs.rs"]
mod verbs;

use midwatch::app::{Effect, Event};
use midwatch::change::apply::Progress;
use midwatch::sim::Received;
use serde_json::json;
use stage::shots::{SIZES, shots};
use stage::{Stage, sim};

/// The cursor on a service in the list of its cluster, everything read.
fn service(scenario: &str, cluster: &str, name: &str) -> Stage {
    listed(Stage::open(sim(scenario)), cluster, name)
}

/// The same of one context of the seeds, of two that share a cluster.
fn only(context: &str, cluster: &str, name: &str) -> Stage {
    listed(Stage::only(sim("seeds"), context), cluster, name)
}

/// A scenario of the contract tests.
fn contract(file: &str) -> String {
    format!("{}/tests/contract/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn listed(mut stage: Stage, cluster: &str, name: &str) -> Stage {
    stage.settle();
    stage.press(":");
    stage.write(&format!("cluster {cluster}"));
    stage.press("enter");
    stage.screen(120, 35);
    stage.settle();
    stage.find(name);
    stage.screen(120, 35);
    stage.settle();
    stage
}

/// A service that is nobody's production.
fn storefront() -> Stage {
    service("small", "web-stage", "storefront")
}

/// Presses keys one by one, each seen on the screen before the next.
fn keys(stage: &mut Stage, keys: &str) {
    for key in keys.split_whitespace() {
        stage.press(key);
        stage.screen(120, 35);
        stage.settle();
        stage.screen(120, 35);
    }
}

/// Says a word to the palette.
fn command(stage: &mut Stage, word: &str) {
    stage.press(":");
    stage.write(word);
    stage.press("enter");
    stage.screen(120, 35);
    stage.settle();
    stage.screen(120, 35);
}

/// Types a name into the line that confirms, and Enter.
fn confirm(stage: &mut Stage, text: &str) {
    stage.press("tab");
    stage.screen(120, 35);
    stage.write(text);
    stage.press("enter");
}

/// Requests that change something, oldest first.
fn changes(stage: &Stage) -> Vec<Received> {
    let reads = ["Describe", "List", "Get", "BatchGet", "Filter", "StartLive"];
    let writes = |request: &Received| !reads.iter().any(|read| request.call.operation.starts_with(read));
    stage.sim.requests().into_iter().filter(writes).collect()
}

/// Operations and parameters of what changed something.
fn sent(stage: &Stage) -> Vec<(String, serde_json::Value)> {
    changes(stage).into_iter().map(|request| (request.call.operation.to_owned(), request.parameters)).collect()
}

/// Waits for the last word on an order.
fn landed(stage: &mut Stage) -> Progress {
    let last = |stage: &Stage| {
        let last = stage.progress.last().map(|(_, progress)| progress.clone());
        last.filter(|progress| matches!(progress, Progress::Done | Progress::Moved(..) | Progress::Refused(_) | Progress::Rehearsed(_)))
    };
    stage.until("the order has landed", |stage| last(stage).is_some());
    let word = last(stage).unwrap();
    stage.progress.clear();
    word
}

/// Presses the key that confirms and waits until AWS has taken it.
fn yes(stage: &mut Stage) {
    // A plan that has just become another one, by an answer that came late, is looked at for a moment.
    stage.step(1);
    keys(stage, "y");
    assert_eq!(landed(stage), Progress::Done, "{}", stage.screen(120, 35));
}

/// As [`yes`], and waits until what it changed has been read again.
fn done(stage: &mut Stage) {
    yes(stage);
    stage.step(6);
    stage.refresh_quietly();
}

fn shows(stage: &mut Stage, texts: &[&str]) {
    let screen = stage.screen(120, 35);
    for text in texts {
        assert!(screen.contains(text), "no {text}\n{screen}");
    }
}

#[test]
fn a_redeploy_is_one_call_that_names_nothing_but_itself() {
    let mut stage = storefront();
    keys(&mut stage, "R");
    shots!(stage, "redeploy_dialog");
    keys(&mut stage, "enter");
    assert_eq!(sent(&stage), [], "Cancel has the focus");
    keys(&mut stage, "R R R");
    assert_eq!(sent(&stage), [], "the key that opened it does not confirm");
    keys(&mut stage, "y");
    assert_eq!(landed(&mut stage), Progress::Done);
    let [(operation, parameters)] = &sent(&stage)[..] else { panic!("{:?}", sent(&stage)) };
    assert_eq!(operation, "UpdateService");
    assert_eq!(parameters["forceNewDeployment"], true);
    assert_eq!(parameters.as_object().unwrap().len(), 3, "cluster and service beside it: {parameters}");
    shows(&mut stage, &["redeploy storefront: AWS has taken it · request "]);
}

#[test]
fn scaling_sends_the_count_alone() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    shows(&mut stage, &["2  →  [ 3 ]", "--desired-count 3"]);
    shots!(stage, "scale_dialog");
    keys(&mut stage, "y");
    assert_eq!(landed(&mut stage), Progress::Done);
    let [(operation, parameters)] = &sent(&stage)[..] else { panic!("{:?}", sent(&stage)) };
    assert_eq!((operation.as_str(), &parameters["desiredCount"]), ("UpdateService", &json!(3)));
    assert_eq!(parameters.as_object().unwrap().len(), 3, "no role has to be passed: {parameters}");
    keys(&mut stage, "S");
    shows(&mut stage, &["3  →  [ 3 ]"]);
}

#[test]
fn l2_above_the_maximum_the_range_is_changed_first() {
    let mut stage = service("seeds", "lomash-production", "product-service");
    keys(&mut stage, "S 2 0");
    shots!(stage, "scale_outside_the_range");
    keys(&mut stage, "r");
    shows(&mut stage, &["(•) r raise the maximum to 20", "register-scalable-target"]);
    stage.press("esc");
    // What the arrows mark is what is planned, too.
    keys(&mut stage, "S 2 0 tab down");
    shows(&mut stage, &["(•) r raise the maximum to 20", "register-scalable-target"]);
    stage.press("up");
    stage.settle();
    assert!(!stage.screen(120, 35).contains("register-scalable-target"), "{}", stage.screen(120, 35));
    stage.press("esc");
    assert_eq!(sent(&stage), []);
    arm(&mut stage);
    keys(&mut stage, "S 2 0 r tab");
    // Past the choice.
    confirm(&mut stage, "product-service");
    assert_eq!(landed(&mut stage), Progress::Done);
    stage.settle();
    let operations: Vec<String> = sent(&stage).into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(operations, ["RegisterScalableTarget", "UpdateService"]);
    stage.press(":");
    stage.write("undo");
    stage.press("enter");
    stage.settle();
    stage.refresh_quietly();
    shows(&mut stage, &["Take back", "[ Cancel ]", "register-scalable-target", "--desired-count"]);
}

/// Arms the context of the screen for 15 minutes.
fn arm(stage: &mut Stage) {
    stage.press(":");
    stage.write("write 15m");
    stage.press("enter");
    shows(stage, &["ARMED"]);
}

#[test]
fn production_is_locked_until_it_is_armed_and_locks_again() {
    let mut stage = service("small", "payments-prod", "fx-rates");
    shows(&mut stage, &["RO"]);
    keys(&mut stage, "R");
    shows(&mut stage, &["▌PROD▐", "✖ production is locked: :write 15m opens it", "cannot be done: production is locked"]);
    let screen = stage.screen(120, 35);
    assert!(!screen.contains("type  fx-rates") && !screen.contains("next field"), "nothing is filled in that cannot be sent:\n{screen}");
    keys(&mut stage, "y Y");
    confirm(&mut stage, "fx-rates");
    assert_eq!(sent(&stage), []);
    // A time that no gate gives is refused, not cut.
    command(&mut stage, "write 99h");
    shows(&mut stage, &["write 99h: 8h is the longest", "RO"]);
    command(&mut stage, "write 2h");
    shows(&mut stage, &["ARMED 2h00m"]);
    command(&mut stage, "write off");
    arm(&mut stage);
    stage.step(60);
    shows(&mut stage, &["ARMED 14m"]);
    stage.step(6);
    stage.refresh_quietly();
    keys(&mut stage, "R");
    confirm(&mut stage, "fx-rates");
    assert_eq!(landed(&mut stage), Progress::Done);
    assert_eq!(sent(&stage).len(), 1);
    stage.step(15 * 60);
    shows(&mut stage, &["RO"]);
}

#[test]
fn what_is_pasted_or_comes_in_a_flood_confirms_nothing() {
    let mut stage = storefront();
    keys(&mut stage, "R");
    let now = stage.now();
    assert_eq!(stage.app.update(Event::Paste("y\n".to_owned()), now), []);
    for key in "y e s".split_whitespace() {
        assert_eq!(stage.app.update(Event::Key(key.parse().unwrap()), now), []);
    }
    assert_eq!(stage.app.update(Event::Rest, now), [], "three keys at once");
    shows(&mut stage, &["[ Cancel ]"]);
    assert_eq!(stage.app.update(Event::Key("y".parse().unwrap()), now), [], "it may be the first of many");
    assert!(matches!(stage.app.update(Event::Rest, now).as_slice(), [Effect::Apply(_)]), "it came alone");
}

#[test]
fn the_same_within_five_seconds_is_asked_once_more() {
    let mut stage = storefront();
    keys(&mut stage, "R y");
    assert_eq!(landed(&mut stage), Progress::Done);
    // Back from the watch.
    keys(&mut stage, "esc R y");
    shows(&mut stage, &["the same was sent 0 s ago"]);
    assert_eq!(sent(&stage).len(), 1);
    keys(&mut stage, "y");
    assert_eq!(landed(&mut stage), Progress::Done);
    assert_eq!(sent(&stage).len(), 2);
}

#[test]
fn x3_what_moved_meanwhile_is_shown_and_asked_again() {
    let mut stage = service("seeds", "lomash-staging", "customer-service");
    keys(&mut stage, "S 3");
    // Somebody deploys it and scales it to 4, and no poll has seen that yet.
    stage.sim.start_drill("X3").unwrap();
    stage.press("y");
    let Progress::Moved(moved, _) = landed(&mut stage) else { panic!("{:?}", stage.progress) };
    assert!(moved.iter().any(|moved| moved.what == "desired" && moved.now == "4"), "{moved:?}");
    assert_eq!(sent(&stage), [], "nothing was sent");
    shows(&mut stage, &["something else now", "now 4 · yours 3"]);
    // Else the picture shows whichever poll was the first to see it.
    stage.refresh_quietly();
    shows(&mut stage, &["something else now", "now 4 · yours 3"]);
    shots!(stage, "moved_dialog");
    stage.step(2);
    confirm(&mut stage, "customer-service");
    assert_eq!(landed(&mut stage), Progress::Done);
    assert_eq!(sent(&stage)[0].1["desiredCount"], 3);
}

#[test]
fn letters_that_come_together_open_nothing_and_that_is_said() {
    let mut stage = storefront();
    for text in ["RSBXyyyy", "Server", "aRyxz"] {
        let now = stage.now();
        for letter in text.chars() {
            drop(stage.app.update(Event::Key(letter.to_string().parse().unwrap()), now));
        }
        assert_eq!(stage.app.update(Event::Rest, now), [], "{text}");
        let screen = stage.screen(120, 35);
        assert!(!screen.contains("[ Cancel ]"), "{text}\n{screen}");
        assert!(screen.contains("many letters at once look like text for another window"), "{text}\n{screen}");
    }
    // A key that is held is one letter, and two keys at once are a quick hand.
    let now = stage.now();
    for key in ["R", "R", "R", "R", "R"] {
        drop(stage.app.update(Event::Key(key.parse().unwrap()), now));
    }
    drop(stage.app.update(Event::Rest, now));
    shows(&mut stage, &["Redeploy web-stage/storefront", "[ Cancel ]"]);
    assert_eq!(sent(&stage), []);
}

#[test]
fn a_roll_back_names_the_whole_revision_and_can_be_undone() {
    let mut stage = storefront();
    keys(&mut stage, "B");
    shows(&mut stage, &["Revisions", "storefront:1203"]);
    shots!(stage, "rollback_pane");
    keys(&mut stage, "enter");
    shots!(stage, "rollback_dialog");
    confirm(&mut stage, "storefront");
    assert_eq!(landed(&mut stage), Progress::Done);
    let [(operation, parameters)] = &sent(&stage)[..] else { panic!("{:?}", sent(&stage)) };
    assert_eq!(operation, "UpdateService");
    let revision = parameters["taskDefinition"].as_str().unwrap();
    assert!(revision.starts_with("arn:aws:ecs:") && revision.contains(":task-definition/storefront:"), "{revision}");
    stage.press(":");
    stage.write("undo");
    stage.press("enter");
    shows(&mut stage, &["storefront:1204", "[ Cancel ]"]);
}

#[test]
fn the_revisions_of_a_service_of_code_deploy_are_not_loading_for_ever() {
    let mut stage = service(&contract("beside.toml"), "shop", "pay");
    keys(&mut stage, "B");
    let screen = stage.screen(120, 35);
    let title = screen.lines().find(|line| line.contains("Revisions")).unwrap_or_else(|| panic!("{screen}"));
    assert!(!title.contains("loading"), "{screen}");
}

#[test]
fn every_way_back_is_seen_on_every_screen_and_enter_takes_the_one_marked() {
    let mut stage = service("small", "payments-prod", "fx-rates");
    keys(&mut stage, "B");
    for (width, height) in SIZES {
        let screen = stage.screen(width, height);
        for n in ["1 ", "2 deploy ", "3 deploy "] {
            let listed = screen.lines().filter(|line| line.trim_start_matches(['│', ' ', '⏎']).starts_with(n));
            assert_eq!(listed.count(), 1, "{n} at {width}x{height}\n{screen}");
        }
        assert!(screen.contains("⏎ 2 deploy "), "{screen}");
    }
    keys(&mut stage, "1");
    shows(&mut stage, &["1 stop a deployment: none is under way"]);
}

#[test]
fn where_a_tag_has_moved_what_ran_is_pinned_and_the_tag_is_never_marked() {
    let mut stage = only("tutorbloc", "tutorbloc", "production");
    stage.sim.start_drill("T3").unwrap();
    stage.step(1200);
    stage.refresh_quietly();
    keys(&mut stage, "B");
    stage.screen(120, 35);
    stage.settle();
    for (width, height) in SIZES {
        let screen = stage.screen(width, height);
        assert!(screen.contains("3 deploy a clone of production:57 with "), "{width}x{height}\n{screen}");
        assert!(!screen.contains("⏎ 2 "), "the moved tag is never what is marked\n{screen}");
        assert!(screen.contains("▲ ") && screen.contains("tags moved"), "{width}x{height}\n{screen}");
        assert!(!screen.contains("they run the same"), "{screen}");
    }
    keys(&mut stage, "2");
    shows(&mut stage, &["Roll back tutorbloc/production", "p pins the images"]);
    keys(&mut stage, "p");
    shows(&mut stage, &["register-task-definition", "pinned"]);
    keys(&mut stage, "esc");
    assert_eq!(sent(&stage), []);
}

#[test]
fn a_change_is_made_from_the_watch_by_the_same_keys() {
    let mut stage = storefront();
    for (key, title) in [("R", "Redeploy web-stage/storefront"), ("S", "Scale web-stage/storefront"), ("X", "Stop tasks web-stage/")] {
        keys(&mut stage, "w");
        shows(&mut stage, &["› watch", "R redeploy", "S scale", "B rollback"]);
        keys(&mut stage, key);
        shows(&mut stage, &[title]);
        keys(&mut stage, "esc esc");
    }
    keys(&mut stage, "w");
    let before = stage.screen(120, 35);
    keys(&mut stage, "enter");
    shows(&mut stage, &["› storefront"]);
    assert_ne!(stage.screen(120, 35), before, "⏎ opens its tasks, as the verdict says");
    assert_eq!(sent(&stage), []);
}

#[test]
fn a_count_that_nobody_has_typed_yet_is_no_error() {
    let mut stage = storefront();
    keys(&mut stage, "S");
    shows(&mut stage, &["type how many, or + and -"]);
    let screen = stage.screen(120, 35);
    assert!(!screen.contains("cannot be done") && !screen.contains("already"), "{screen}");
    keys(&mut stage, "y");
    assert_eq!(sent(&stage), []);
    keys(&mut stage, "9 9 9 9 9 9 9 9 9 9");
    shows(&mut stage, &["✖ desired: 9999999999 is more than ECS can count", "cannot be done"]);
    keys(&mut stage, "esc S - y");
    assert_eq!(landed(&mut stage), Progress::Done);
    stage.step(6);
    stage.refresh_quietly();
    keys(&mut stage, "S");
    let screen = stage.screen(120, 35);
    assert!(!screen.contains("h half"), "half of one is one\n{screen}");
}

#[test]
fn whoever_starts_more_of_what_cannot_start_is_told() {
    let mut stage = service("seeds", "learning-platform-cluster1", "api");
    stage.refresh_quietly();
    keys(&mut stage, "R");
    shows(&mut stage, &["▲ tasks of learning-platform-api:", "cannot start"]);
    keys(&mut stage, "esc S +");
    shows(&mut stage, &["▲ tasks of learning-platform-api:", "cannot start"]);
    keys(&mut stage, "esc S -");
    assert!(!stage.screen(120, 35).contains("▲ tasks of"), "fewer tasks are no trouble");
}

#[test]
fn an_image_is_picked_and_deployed_in_a_clone_of_the_revision() {
    let mut stage = storefront();
    keys(&mut stage, "a");
    shots!(stage, "change_menu");
    keys(&mut stage, "i");
    shows(&mut stage, &["Images to deploy to storefront · 8 ", "r1204", "type another"]);
    shots!(stage, "deploy_pane");
    stage.find("r1203");
    keys(&mut stage, "enter");
    shows(&mut stage, &["register-task-definition", "r1204", "r1203"]);
    shots!(stage, "deploy_dialog");
    keys(&mut stage, "y");
    assert_eq!(landed(&mut stage), Progress::Done);
    let operations: Vec<String> = sent(&stage).into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(operations, ["RegisterTaskDefinition", "UpdateService"]);
}

#[test]
fn a_tag_that_does_not_exist_is_said_before_anything_is_sent() {
    let mut stage = storefront();
    keys(&mut stage, "a i");
    stage.find("type another");
    stage.press("enter");
    stage.press("ctrl-u");
    stage.write("nosuchtag");
    keys(&mut stage, "enter");
    shows(&mut stage, &["cannot be done", "nosuchtag"]);
    keys(&mut stage, "y");
    assert_eq!(sent(&stage), []);
    stage.press("esc");
    keys(&mut stage, "enter");
    stage.press("ctrl-u");
    stage.write("-bad tag");
    stage.press("enter");
    shows(&mut stage, &["is no tag"]);
}

#[test]
fn marked_tasks_are_stopped_one_call_each_after_the_count_is_typed() {
    let mut stage = storefront();
    keys(&mut stage, "T space space");
    keys(&mut stage, "X");
    shows(&mut stage, &["type  stop 2  then ⏎"]);
    shots!(stage, "stop_marked_tasks");
    confirm(&mut stage, "stop 1");
    assert_eq!(sent(&stage), []);
    keys(&mut stage, "backspace 2 enter");
    assert_eq!(landed(&mut stage), Progress::Done);
    let operations: Vec<String> = sent(&stage).into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(operations, ["StopTask", "StopTask"]);
}

#[test]
fn which_tasks_of_a_service_are_stopped_is_chosen_in_their_list() {
    let mut stage = storefront();
    keys(&mut stage, "a");
    shows(&mut stage, &["stop tasks     storefront · chosen in its list of tasks"]);
    keys(&mut stage, "esc X");
    shows(&mut stage, &["web-stage › storefront › tasks", "Space marks tasks of storefront, X stops those, or the one under the cursor"]);
    assert!(!stage.screen(120, 35).contains("[ Cancel ]"));
    keys(&mut stage, "space X");
    shows(&mut stage, &["Stop tasks web-stage/", "y does it"]);
    keys(&mut stage, "y");
    assert_eq!(landed(&mut stage), Progress::Done);
    assert_eq!(sent(&stage).into_iter().map(|(operation, _)| operation).collect::<Vec<_>>(), ["StopTask"]);
}

#[test]
fn of_many_that_failed_each_row_says_so() {
    let mut stage = storefront();
    stage.fault("[[fault]]\noperation = 'ecs:StopTask'\ntimes = 1\nkind = 'deny'\n");
    keys(&mut stage, "T space space X");
    confirm(&mut stage, "stop 2");
    landed(&mut stage);
    assert_eq!(changes(&stage).len(), 1, "what a role may not do to one task of a cluster is not tried with the next");
    shows(&mut stage, &["it did not all work", "AccessDenied for ecs:StopTask", "refused this: AccessDenied"]);
}
