//! The panes that look beside ECS: instances, images, scaling, alarms, the timeline, access, CodeDeploy's canary and metrics. Like
//! `tests/panes.rs`, over a scenario that has something to show in each.

#[path = "stage/mod.rs"]
mod stage;

use stage::{Stage, sim};

/// A desk, a default terminal, and a corner of one.
const SIZES: [(u16, u16); 3] = [(120, 35), (80, 24), (60, 15)];

/// Draws all sizes and holds them against what they were.
macro_rules! shots {
    ($stage:expr, $name:literal) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            for (width, height) in SIZES {
                insta::assert_snapshot!(format!("{}_{width}x{height}", $name), $stage.screen(width, height));
            }
        });
    };
}

fn shop() -> Stage {
    Stage::open(sim(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/panes_more/shop.toml")))
}

/// Waits until nothing is open any more, and until rows are no longer held for a key.
fn rest(stage: &mut Stage) {
    stage.screen(160, 40);
    stage.settle();
    stage.step(4);
    stage.refresh_quietly();
}

/// Goes to a pane or a thing by the palette.
fn go(stage: &mut Stage, name: &str) {
    stage.press(":");
    stage.write(name);
    stage.press("enter");
}

/// The services of the shop in a context, the cursor on one of them.
fn service(stage: &mut Stage, name: &str) {
    stage.settle();
    go(stage, "cluster shop");
    stage.settle();
    stage.find(name);
}

#[track_caller]
fn shows(stage: &mut Stage, width: u16, height: u16, words: &[&str]) {
    let screen = stage.screen(width, height);
    for word in words {
        assert!(screen.contains(word), "{word} is not on\n{screen}");
    }
}

#[test]
fn instances_tell_what_is_left_and_whose_agent_is_silent() {
    let mut stage = shop();
    service(&mut stage, "legacy");
    stage.press("I");
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["i-0aa11bb22cc33dd44", "DRAINING", "disconnected"]);
    shots!(stage, "instances_live");
    stage.find("i-0cc99dd00ee11ff22");
    shows(&mut stage, 120, 35, &["the ECS agent is not in contact"]);
}

#[test]
fn images_tell_moved_expired_and_foreign_tags() {
    let mut stage = shop();
    service(&mut stage, "catalogue");
    go(&mut stage, "pane images");
    rest(&mut stage);
    shots!(stage, "images_of_a_service_live");
    // From the cluster, all of its services.
    let mut stage = shop();
    stage.settle();
    go(&mut stage, "pane clusters");
    stage.settle();
    stage.find("shop");
    stage.press("n");
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["not in ECR (Docker Hub)", "expired or deleted", "moved to"]);
    shots!(stage, "images_live");
}

#[test]
fn scaling_tells_ranges_drivers_and_what_is_off() {
    let mut stage = shop();
    stage.settle();
    go(&mut stage, "pane clusters");
    stage.settle();
    stage.find("shop");
    stage.press("p");
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["2–8", "CPU 60", "all scaling"]);
    shots!(stage, "scaling_live");
    stage.find("catalogue");
    stage.press("enter");
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["catalogue-cpu", "sale", "cron(0 6 * * ? *)"]);
    shots!(stage, "scaling_of_a_service_live");
}

#[test]
fn alarms_tell_what_they_compare_and_what_they_set_off() {
    let mut stage = shop();
    service(&mut stage, "catalogue");
    go(&mut stage, "pane alarms");
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["catalogue-busy", "ALARM", "scaling in"]);
    shots!(stage, "alarms_live");
}

#[test]
fn the_timeline_merges_what_happened_by_time() {
    let mut stage = shop();
    stage.settle();
    go(&mut stage, "pane clusters");
    stage.settle();
    stage.find("shop");
    stage.press("E");
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["event", "deploy", "scaling"]);
    shots!(stage, "timeline_live");
    let mut stage = shop();
    service(&mut stage, "catalogue");
    stage.press("E");
    rest(&mut stage);
    shots!(stage, "timeline_of_a_service_live");
}

#[test]
fn a_canary_shows_its_weights_and_how_long_it_bakes() {
    let mut stage = shop();
    service(&mut stage, "checkout");
    stage.press("D");
    stage.settle();
    stage.step(240);
    stage.refresh_quietly();
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["90%", "10%", "bakes", "targets healthy"]);
    shots!(stage, "canary_live");
}

#[test]
fn targets_tell_which_hosts_lead_to_them_and_which_port_of_which_instance_they_are() {
    let mut stage = shop();
    service(&mut stage, "catalogue");
    stage.press("h");
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["catalogue.shop.example", "www.shop.example"]);
    let mut stage = shop();
    service(&mut stage, "legacy");
    stage.press("h");
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["i-0aa11bb22cc33dd44:80", "old.shop.example"]);
    assert!(!stage.cursor_line(120, 35).contains("no task"), "{}", stage.screen(120, 35));
    shots!(stage, "targets_of_an_instance_live");
    stage.press("esc");
    service(&mut stage, "poller");
    stage.press("h");
    shows(&mut stage, 120, 35, &["poller has no target group"]);
}

#[test]
fn services_tell_zones_and_scaling_on_a_wide_screen() {
    let mut stage = shop();
    service(&mut stage, "catalogue");
    rest(&mut stage);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("services_wide_180x30", stage.screen(180, 30));
    });
}

#[test]
fn metrics_are_asked_for_only_after_their_price_was_said() {
    let mut stage = shop();
    service(&mut stage, "catalogue");
    stage.press("M");
    shows(&mut stage, 120, 35, &["USD an hour", "M again"]);
    let asked = |stage: &Stage| stage.app.wanted().iter().any(|wanted| matches!(wanted.feed(), midwatch::feed::Feed::Metrics(..)));
    assert!(!asked(&stage));
    stage.press("M");
    assert!(asked(&stage));
    rest(&mut stage);
    shots!(stage, "services_metrics_live");
    stage.press("M");
    assert!(!asked(&stage));
}

#[test]
fn a_guest_sees_what_is_denied_on_every_pane_and_in_one_list() {
    let mut stage = shop();
    stage.settle();
    go(&mut stage, "ctx shop-guest");
    stage.settle();
    stage.find("shop");
    for (key, action) in
        [("n", "ecr:DescribeImages"), ("p", "application-autoscaling:DescribeScal"), ("E", "application-autoscaling:DescribeScal")]
    {
        stage.press(key);
        rest(&mut stage);
        shows(&mut stage, 120, 35, &["AccessDenied for", action]);
        stage.press("esc");
        stage.settle();
    }
    go(&mut stage, "pane alarms");
    rest(&mut stage);
    shows(&mut stage, 80, 24, &["AccessDenied for cloudwatch:DescribeAlarms"]);
    stage.press("esc");
    go(&mut stage, "pane access");
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["denied", "ecr:DescribeImages", "allowed", "not asked"]);
    shots!(stage, "access_live");
}
