//! What becomes of a change that begins no deployment: the count that was asked for, others in place of what was stopped, many at once.

use super::{changes, command, confirm, done, keys, landed, only, sent, shows, storefront, yes};
use crate::stage::Stage;
use midwatch::change::apply::Progress;

const CAMPUS: &str = "strong-dolphin-qr0d3scampuslearn-cluster";

/// Moves the time on until the screen shows a text, ten minutes at most.
fn until(stage: &mut Stage, text: &str) {
    for _ in 0..120 {
        if stage.screen(120, 35).contains(text) {
            return;
        }
        stage.step(5);
        stage.refresh_quietly();
    }
    panic!("{text:?} never comes\n{}", stage.screen(120, 35));
}

#[test]
fn a_scale_lands_in_the_watch_and_is_no_release() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    yes(&mut stage);
    shows(&mut stage, &["› watch", "scale to 3", "2 of 3 tasks run"]);
    until(&mut stage, "scale to 3: 3 of 3 tasks run");
    let screen = stage.screen(120, 35);
    assert!(!screen.contains("released"), "the deployment was released long ago\n{screen}");
    // Whoever opens the watch afterwards wants the deployment.
    command(&mut stage, "cluster web-stage");
    stage.find("storefront");
    keys(&mut stage, "w");
    until(&mut stage, "storefront:1204 is released");
}

#[test]
fn a_scale_in_a_release_leaves_the_release_watched() {
    let mut stage = storefront();
    keys(&mut stage, "R");
    done(&mut stage);
    keys(&mut stage, "S 3");
    done(&mut stage);
    let screen = stage.screen(120, 35);
    assert!(screen.contains("› watch") && !screen.contains("scale to 3:"), "{screen}");
    until(&mut stage, "is released");
    assert!(!stage.screen(120, 35).contains("scale to 3:"), "{}", stage.screen(120, 35));
}

#[test]
fn a_count_that_somebody_else_changes_is_told_as_such() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    yes(&mut stage);
    let ecs = crate::clients::ecs(&stage.sim, "acme-stage");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ecs.update_service().cluster("web-stage").service("storefront").desired_count(1).send()).unwrap();
    until(&mut stage, "it wants 1 tasks by now, not 3");
}

#[test]
fn a_stopped_task_is_watched_until_another_one_runs() {
    let mut stage = storefront();
    keys(&mut stage, "T X");
    yes(&mut stage);
    shows(&mut stage, &["› watch", "1 task stopped"]);
    until(&mut stage, "1 task stopped: 2 of 2 tasks run");
}

#[test]
fn a_bulk_is_watched_in_the_status_line() {
    let mut stage = storefront();
    keys(&mut stage, "g space space space S +");
    confirm(&mut stage, "scale 3");
    assert_eq!(landed(&mut stage), Progress::Done);
    shows(&mut stage, &["3 watched · how each ends is said here"]);
    stage.step(10);
    stage.refresh_quietly();
    shows(&mut stage, &["3 watched  ", "storefront ", "search "]);
    until(&mut stage, "scale to 3: 3 of 3 tasks run");
}

#[test]
fn c2_a_service_is_scaled_to_four_and_back_by_undo() {
    let mut stage = only("campuslearn", CAMPUS, "CampusLearn-Backend");
    let before = changes(&stage).len();
    keys(&mut stage, "S 4");
    let former: u64 = {
        let screen = stage.screen(120, 35);
        let line = screen.lines().find(|line| line.contains("→  [ 4 ]")).unwrap_or_else(|| panic!("{screen}"));
        line.split("  →  [").next().unwrap().split_whitespace().last().unwrap().parse().unwrap()
    };
    yes(&mut stage);
    // Its release is under way, which is what is watched.
    stage.step(10);
    stage.refresh_quietly();
    shows(&mut stage, &["› watch", "ROLLING"]);
    command(&mut stage, "undo");
    shows(&mut stage, &["Take back ", &format!("--desired-count {former}")]);
    // One is below the range of its scaling, so the name is typed.
    confirm(&mut stage, "CampusLearn-Backend-Service");
    assert_eq!(landed(&mut stage), Progress::Done);
    let counts: Vec<u64> =
        sent(&stage).into_iter().skip(before).map(|(_, parameters)| parameters["desiredCount"].as_u64().unwrap()).collect();
    assert_eq!(counts, [4, former]);
}
