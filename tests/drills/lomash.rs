//! Lomash Wood: nine services in three zones, scaling, blue/green by CodeDeploy.

use crate::stage::{Stage, sim};
use crate::walk::{at, go, later, line, rest, service, shows, words};

const PRODUCTION: &str = "lomash-production";

#[test]
fn l1_nine_services_with_targets_scaling_and_zones() {
    let mut stage = at(PRODUCTION);
    go(&mut stage, "cluster lomash-production");
    stage.screen(200, 50);
    rest(&mut stage);
    stage.screen(200, 50);
    stage.settle();
    let screen = stage.screen(200, 50);
    let row = |name: &str| screen.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name}\n{screen}"));
    for (name, range) in [
        ("api-gateway", "2-20"),
        ("auth-service", "2-10"),
        ("product-service", "2-15"),
        ("order-payment-service", "2-10"),
        ("appointment-service", "1-8"),
        ("content-service", "2-10"),
        ("customer-service", "1-8"),
        ("notification-service", "2-12"),
        ("analytics-service", "1-6"),
    ] {
        let row = row(name).replace('–', "-");
        assert!(row.contains(range), "{name} does not show its range {range}\n{screen}");
    }
    assert!(row("api-gateway").contains("CPU 60") && row("product-service").contains("CPU 65"), "{screen}");
    // Its subnets are in two of the three zones.
    assert!(row("customer-service").contains("c0▲"), "no zone is marked\n{screen}");
    stage.press("g");
    stage.find("product-service");
    go(&mut stage, "pane scaling");
    rest(&mut stage);
    shows(&mut stage, &["product-service 2–15", "keeps CPU 65"]);
}

#[test]
fn l3_a_canary_in_bake_shows_weights_and_what_is_left() {
    let mut stage = at(PRODUCTION);
    service(&mut stage, PRODUCTION, "order-payment-service");
    stage.press("D");
    rest(&mut stage);
    shows(&mut stage, &["10%", "90%", "CODE_DEPLOY"]);
    let screen = words(&stage.screen(120, 35));
    assert!(screen.contains("bakes") && screen.contains("3 of 3 targets healthy"), "{screen}");
    stage.keys("esc h");
    rest(&mut stage);
    shows(&mut stage, &["lomash-prod-order-payment", "healthy"]);
    // The idle side of a pair is no failure.
    stage.keys("esc");
    let row = line(&mut stage, "order-payment-service");
    assert!(!row.contains("FAIL") && !row.contains("WARN"), "{row}");
}

#[test]
fn l6_staging_and_production_stand_in_one_list_and_production_is_marked() {
    let mut stage = Stage::open(sim("seeds"));
    rest(&mut stage);
    go(&mut stage, "pane clusters");
    rest(&mut stage);
    stage.press("g");
    stage.find("lomash-production ");
    shows(&mut stage, &["lomash-staging", "▌PROD▐", "…3361"]);
    stage.press("g");
    stage.find("lomash-staging ");
    shows(&mut stage, &["lomash-production", "…0274"]);
    assert!(!stage.screen(120, 35).lines().next().unwrap().contains("PROD"));
}

#[test]
fn l7_a_rolling_release_in_staging_never_has_more_than_one_task_too_many() {
    let mut stage = at("lomash-staging");
    stage.press(":");
    stage.write("drill L7");
    stage.press("enter");
    service(&mut stage, "lomash-staging", "product-service");
    for _ in 0..20 {
        later(&mut stage, 15);
        let row = line(&mut stage, "product-service");
        assert!(row.contains("2/2") || row.contains("3/2"), "{row}");
        if row.contains("ROLL") {
            return;
        }
    }
    panic!("it never rolled\n{}", stage.screen(120, 35));
}
