//! The learning platform of a campus: circuit breaker with rollback, grace, Spot, and five megabytes of logs.

use crate::walk::{at, go, hides, later, line, rest, service, shows, words};

const CLUSTER: &str = "strong-dolphin-qr0d3scampuslearn-cluster";
const SERVICE: &str = "CampusLearn-Backend-Service";

#[test]
fn c1_failures_are_counted_against_the_breaker_until_the_rollback_ends() {
    let mut stage = at("campuslearn");
    service(&mut stage, CLUSTER, SERVICE);
    stage.press("D");
    rest(&mut stage);
    shows(&mut stage, &["IN_PROGRESS", "CampusLearn-Backend:102", "of 3"]);
    let mut seen = false;
    for _ in 0..40 {
        later(&mut stage, 60);
        let screen = words(&stage.screen(120, 35));
        seen |= screen.contains("ROLLBACK_IN_PROGRESS");
        if screen.contains("ROLLBACK_SUCCESSFUL") {
            break;
        }
    }
    assert!(seen, "the rollback was never seen under way\n{}", stage.screen(120, 35));
    shows(&mut stage, &["ROLLBACK_SUCCESSFUL", "CampusLearn-Backend:101"]);
    // Steady on 101 is no success of 102.
    stage.press("esc");
    rest(&mut stage);
    let row = line(&mut stage, SERVICE);
    assert!(row.contains("FAIL") || row.contains("WARN"), "{row}");
    shows(&mut stage, &["102", "rolled back", "101"]);
}

#[test]
fn c3_a_spot_interruption_is_said_as_such() {
    let mut stage = at("campuslearn");
    stage.press(":");
    stage.write("drill C3");
    stage.press("enter");
    later(&mut stage, 60);
    service(&mut stage, CLUSTER, SERVICE);
    stage.press("enter");
    rest(&mut stage);
    stage.find("Your Spo");
    rest(&mut stage);
    shows(&mut stage, &["Your Spot Task was interrupted"]);
    stage.press("d");
    rest(&mut stage);
    shows(&mut stage, &["Your Spot Task was interrupted", "FARGATE_SPOT"]);
}

#[test]
fn c4_within_the_grace_an_unhealthy_target_is_no_failure() {
    let mut stage = at("campuslearn");
    service(&mut stage, CLUSTER, SERVICE);
    stage.press("h");
    let mut grace = false;
    for _ in 0..20 {
        later(&mut stage, 30);
        let screen = words(&stage.screen(120, 35));
        grace |= screen.contains("in grace until 03:");
        if grace {
            break;
        }
    }
    assert!(grace, "no target was ever in grace\n{}", stage.screen(120, 35));
}

#[test]
fn c5_five_megabytes_of_logs_are_searched_filtered_and_jumped_in() {
    let mut stage = at("campuslearn");
    service(&mut stage, CLUSTER, SERVICE);
    stage.press("l");
    stage.screen(120, 35);
    stage.read_up();
    shows(&mut stage, &["Logs CampusLearn-Backend-Service", "merged by time", "FOLLOW"]);
    stage.press("6");
    stage.read_up();
    stage.press("/");
    stage.write("health");
    stage.press("enter");
    let hit = stage.screen(120, 35);
    assert!(hit.contains("health"), "{hit}");
    stage.press("esc");
    stage.press("&");
    stage.write("re:5[0-9][0-9]");
    stage.press("enter");
    let screen = stage.screen(120, 35);
    assert!(words(&screen).contains("re:5[0-9][0-9]"), "{screen}");
    stage.press("esc");
    stage.press("T");
    stage.write("02:40");
    stage.press("enter");
    stage.screen(120, 35);
    stage.read_up();
    shows(&mut stage, &["02:40:"]);
    hides(&mut stage, &["cannot"]);
    go(&mut stage, "pane fleet");
}
