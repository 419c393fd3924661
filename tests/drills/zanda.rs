//! Zanda 360: two environments behind one load balancer, seventeen parameters, an image of Docker Hub.

use crate::walk::{at, go, hides, later, line, rest, service, shows, words};

const PRODUCTION: &str = "learning-platform-cluster1";
const STAGING: &str = "learning-platform-staging-cluster1";

#[test]
fn z1_a_parameter_that_nobody_wrote_is_named_with_the_role_that_asked() {
    let mut stage = at("zanda360");
    let problem = line(&mut stage, "learning-platform-cluster1/api");
    assert!(problem.contains("FAIL"), "{problem}");
    service(&mut stage, PRODUCTION, "api");
    shows(&mut stage, &["/learning-platform/production/SMTP_PASSWORD", "not found", "learning-platform-production-execution"]);
    hides(&mut stage, &["denied"]);
}

#[test]
fn z1_a_parameter_that_may_not_be_read_says_denied() {
    let mut stage = at("zanda360");
    stage.press(":");
    stage.write("drill Z1");
    stage.press("enter");
    for _ in 0..3 {
        later(&mut stage, 60);
    }
    service(&mut stage, STAGING, "api");
    shows(&mut stage, &["/learning-platform/staging/POSTGRES_PASSWORD", "denied", "learning-platform-staging-execution"]);
    hides(&mut stage, &["not found"]);
}

#[test]
fn z2_the_hosts_that_lead_to_a_target_group_tell_staging_from_production() {
    let mut stage = at("zanda360");
    service(&mut stage, PRODUCTION, "frontend");
    stage.press("h");
    rest(&mut stage);
    shows(&mut stage, &["learning-platform-prod-nginx", "*.zanda360.com", "*.smartlms.co.uk"]);
    hides(&mut stage, &["*.staging."]);
    let mut stage = at("zanda360");
    service(&mut stage, STAGING, "frontend");
    stage.press("h");
    rest(&mut stage);
    shows(&mut stage, &["learning-platform-stage-nginx", "*.staging.zanda360.com", "*.staging.smartlms.co.uk"]);
}

#[test]
fn z3_an_image_of_docker_hub_is_called_that() {
    let mut stage = at("zanda360");
    go(&mut stage, &format!("cluster {STAGING}"));
    go(&mut stage, "pane images");
    rest(&mut stage);
    let image = line(&mut stage, "busybox");
    assert!(image.contains("not in ECR (Docker Hub)"), "{image}");
}

#[test]
fn z4_a_target_of_no_task_is_shown_as_such() {
    let mut stage = at("zanda360");
    stage.press(":");
    stage.write("drill Z4");
    stage.press("enter");
    later(&mut stage, 5);
    service(&mut stage, PRODUCTION, "frontend");
    stage.press("h");
    rest(&mut stage);
    let stray = line(&mut stage, "10.20.9.77");
    assert!(stray.contains("no task"), "{stray}");
    let screen = stage.screen(120, 35);
    let matched = screen.lines().filter(|line| line.contains(":80") && line.contains("healthy") && !line.contains("no task")).count();
    assert!(matched >= 2, "{screen}");
}

#[test]
fn z5_a_service_without_a_load_balancer_has_no_target_group() {
    let mut stage = at("zanda360");
    service(&mut stage, STAGING, "api");
    stage.press("h");
    rest(&mut stage);
    shows(&mut stage, &["no target group"]);
    let screen = words(&stage.screen(120, 35));
    assert!(!screen.contains("0 healthy"), "{screen}");
}
