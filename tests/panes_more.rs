//! The panes that look beside ECS: instances, images, scaling, alarms, the timeline, access, CodeDeploy's canary and metrics. Like
//! `tests/panes.rs`, over a scenario that has something to show in each.

#[path = "stage/mod.rs"]
mod stage;

use stage::shots::shots;
use stage::{Stage, sim};

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

/// The line of keys.
fn keys_of(stage: &mut Stage, width: u16, height: u16) -> String {
    stage.screen(width, height).trim_end().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn keys_that_do_nothing_are_not_offered() {
    let mut stage = shop();
    rest(&mut stage);
    assert!(!keys_of(&mut stage, 120, 35).contains("Esc back"), "there is nothing behind the first screen");
    stage.press("?");
    let help = stage.screen(120, 80);
    assert!(help.contains("Describe it, readable") && !help.contains("Show CPU and memory"), "{help}");
    stage.keys("esc /");
    stage.write("shop");
    stage.press("enter");
    assert!(keys_of(&mut stage, 120, 35).contains("Esc back"), "a filter can be peeled: {}", stage.screen(120, 35));
    // A list without rows has nothing to open, filter or copy.
    let mut stage = shop();
    service(&mut stage, "poller");
    go(&mut stage, "pane instances");
    rest(&mut stage);
    assert!(keys_of(&mut stage, 120, 35).contains("⏎ open"), "{}", stage.screen(120, 35));
    stage.press("/");
    stage.write("nothing-is-called-so");
    stage.press("enter");
    let keys = keys_of(&mut stage, 120, 35);
    assert!(!keys.contains("⏎ open") && !keys.contains("c copy") && keys.contains("Esc back"), "{keys}");
}

#[test]
fn an_instance_opens_the_tasks_that_it_runs() {
    let mut stage = shop();
    service(&mut stage, "legacy");
    stage.press("I");
    rest(&mut stage);
    stage.find("i-0aa11bb22cc33dd44");
    shows(&mut stage, 120, 35, &["instance i-0aa11bb22cc33dd44 ─"]);
    stage.press("enter");
    rest(&mut stage);
    let screen = stage.screen(120, 35);
    assert!(
        screen.contains("legacy") && screen.contains("Tasks shop/i-0aa11bb22cc33dd44 · 1") && !screen.contains("catalogue"),
        "{screen}"
    );
}

#[test]
fn what_there_is_nothing_to_judge_of_is_not_called_idle() {
    let mut stage = shop();
    stage.settle();
    go(&mut stage, "pane clusters");
    stage.settle();
    stage.find("shop");
    for key in ["n", "p"] {
        stage.press(key);
        rest(&mut stage);
        let screen = stage.screen(120, 35);
        assert!(!screen.contains("IDLE"), "{screen}");
        stage.press("esc");
        stage.settle();
    }
}

#[test]
fn both_sides_of_a_canary_count_and_are_told_apart() {
    let mut stage = shop();
    service(&mut stage, "checkout");
    stage.step(240);
    stage.refresh_quietly();
    rest(&mut stage);
    shows(&mut stage, 120, 35, &["groups ", "4●"]);
    stage.press("enter");
    rest(&mut stage);
    let screen = stage.screen(120, 35);
    assert!(screen.lines().filter(|line| line.contains("RUNNING") && line.contains("healthy")).count() >= 4, "{screen}");
    assert!(screen.lines().any(|line| line.contains("target ") && line.contains(" in ")), "{screen}");
}

#[test]
fn a_context_whose_account_is_not_known_counts_as_production() {
    let sim = sim("small");
    let context = sim.contexts().iter().find(|context| !context.name.contains("prod")).unwrap().name.clone();
    let mut stage = Stage::only(sim, &context);
    stage.settle();
    assert!(!stage.screen(120, 35).contains("PROD"), "{}", stage.screen(120, 35));
    let mut stage = Stage::only(self::sim("small"), &context);
    stage.fault("[[fault]]\noperation = '*'\nkind = 'deny'\n");
    stage.settle();
    shows(&mut stage, 120, 35, &["▌PROD?▐", "--cluster"]);
}

#[test]
fn a_low_fleet_says_how_many_clusters_are_out_of_view() {
    let mut stage = Stage::open(sim("seeds"));
    rest(&mut stage);
    let screen = stage.screen(60, 15);
    assert!(screen.contains('↓') && screen.contains(" more"), "{screen}");
    // The reason is worth more than the whole name.
    let why = stage.screen(80, 24);
    assert!(why.contains("tasks cannot start ×") && why.contains("next"), "{why}");
}

#[test]
fn triage_shows_what_the_verdict_rests_on_and_the_error_of_the_dead_container_in_full() {
    let mut stage = Stage::open(sim("seeds"));
    rest(&mut stage);
    stage.find("tutorbloc/production");
    stage.press("enter");
    rest(&mut stage);
    rest(&mut stage);
    let screen = stage.screen(120, 35);
    let logs: Vec<&str> = screen.lines().skip_while(|line| !line.contains("5 Logs of app")).collect();
    assert!(logs[0].contains("STOPPED ") && !logs[0].contains("FOLLOW") && !logs[0].contains("→ now"), "{screen}");
    let text: String = logs[1..].iter().map(|line| line.trim_matches(['│', ' '])).collect();
    assert!(text.contains("tutor_timezone`)"), "the end of the error is what says which column\n{screen}");
    let seen = screen.lines().find(|line| line.starts_with(" seen ")).unwrap_or_default();
    assert!(seen.contains("task "), "{screen}");
}

#[test]
fn tasks_that_are_kept_are_counted_as_such_and_ages_are_told_from_the_start() {
    let mut stage = Stage::small();
    stage.settle();
    go(&mut stage, "cluster payments-prod");
    stage.settle();
    stage.find("checkout");
    stage.press("enter");
    rest(&mut stage);
    let screen = stage.screen(160, 35);
    let stopped = screen.lines().find(|line| line.contains("✖ STOPPED")).unwrap_or_default();
    let after = stopped.split("STOPPED ").nth(1).unwrap_or_default();
    assert!(after.starts_with(|c: char| c.is_ascii_digit()), "how long ago stands beside the state: {stopped}");
    assert!(!screen.contains("kept"), "{screen}");
    stage.step(3700);
    rest(&mut stage);
    shows(&mut stage, 160, 35, &[" of them kept "]);
}

#[test]
fn what_a_step_makes_wanted_is_found_out_once_its_frame_is_drawn() {
    let mut stage = shop();
    stage.settle();
    go(&mut stage, "cluster shop");
    rest(&mut stage);
    let watched = |stage: &Stage| {
        let feeds = stage.app.wanted().iter().map(midwatch::feed::Wanted::feed);
        let names =
            feeds.filter_map(|feed| if let midwatch::feed::Feed::Service(_, arn) = feed { Some(arn.name().to_owned()) } else { None });
        names.collect::<Vec<_>>()
    };
    let before = watched(&stage);
    let now = stage.now();
    stage.app.update(midwatch::app::Event::Key("j".parse().unwrap()), now);
    assert_eq!(watched(&stage), before);
    stage.app.follow();
    let after = watched(&stage);
    assert!(after != before && after.len() == 1, "{before:?} {after:?}");
    assert!(!stage.app.follow() && watched(&stage) == after, "a step is followed once");
}
