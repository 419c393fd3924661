//! Every pane as it looks: the real SDK against the embedded AWS at a standstill, drawn at three sizes. A snapshot that changes is
//! read by whoever changed it, as an operator would read the screen.

#[path = "stage/mod.rs"]
mod stage;

use midwatch::app::Event;
use midwatch::feed::{Feed, Outcome, Update, Value};
use midwatch::model::TaskDefinition;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use stage::shots::{SIZES, shots};
use stage::{Stage, scenario, sim};
use std::sync::Arc;

/// Waits until nothing is open any more, and until rows are no longer held for a key.
fn rest(stage: &mut Stage) {
    // The desk shows the most rows, and rows in view are what targets and definitions are asked for.
    stage.screen(120, 35);
    stage.settle();
    // What troubled services are asked beside their tasks is wanted only once they are judged.
    stage.refresh_quietly();
    stage.settle();
    stage.step(4);
    stage.refresh_quietly();
    stage.settle();
}

/// Goes to a pane or a thing by the palette.
fn go(stage: &mut Stage, name: &str) {
    stage.press(":");
    stage.write(name);
    stage.press("enter");
}

/// The services of a cluster.
fn cluster(scene: &mut Stage, name: &str) {
    scene.settle();
    go(scene, &format!("cluster {name}"));
    scene.settle();
    assert!(scene.screen(120, 35).contains(&format!("Services {name}")), "{}", scene.screen(120, 35));
}

/// The cursor on a service in the list of its cluster.
fn service(cluster_name: &str, name: &str) -> Stage {
    let mut stage = Stage::small();
    cluster(&mut stage, cluster_name);
    stage.find(name);
    stage
}

#[test]
fn a_step_of_the_cursor_touches_a_few_rows_and_leaves_a_true_screen() {
    let mut stage = Stage::small();
    cluster(&mut stage, "payments-prod");
    for pane in ["services", "tasks", "events", "clusters"] {
        go(&mut stage, &format!("pane {pane}"));
        rest(&mut stage);
        for (width, height) in SIZES {
            stage.keys("g");
            stage.screen(width, height);
            let mut steps = 0;
            // Each frame is held against one that is drawn from nothing.
            for keys in ["j", "j", "k", "down", "space", "j", "G", "k", "k", "g", "s", "j", "!", "j", "V", "j", "esc", "j", "z", "j", "k"] {
                stage.keys(keys);
                stage.screen(width, height);
                steps += usize::from(stage.touched.as_ref().is_some_and(|rows| rows.len() < usize::from(height)));
            }
            assert!(steps >= 3, "{pane} at {width}x{height}: {steps} of the frames were steps");
        }
    }
}

#[test]
fn what_was_heard_before_a_key_is_shown_after_its_frame() {
    let definition = |feed: &Feed| matches!(feed, Feed::TaskDefinition(..));
    let mut stage = Stage::small();
    stage.fault("[[fault]]\noperation = 'ecs:DescribeTaskDefinition'\nkind = 'hang'\n");
    stage.settle_but(definition);
    go(&mut stage, "cluster payments-prod");
    stage.settle_but(definition);
    stage.screen(120, 35);
    let awaited = stage.app.wanted().iter().map(midwatch::feed::Wanted::feed).find(|feed| definition(feed)).cloned();
    let Some(Feed::TaskDefinition(ctx, arn)) = awaited else { panic!("the list wants the definitions of its rows") };
    let value = Value::TaskDefinition(Arc::new(TaskDefinition { arn: arn.clone(), ..TaskDefinition::default() }));
    let (feed, now) = (Feed::TaskDefinition(ctx, arn), stage.now());
    stage.app.update(Event::Update(Box::new(Update { feed, epoch: 0, at: now, outcome: Outcome::Whole(value) })), now);
    // The key no longer wants what has come; its frame is drawn before that is told.
    stage.press("j");
    let mut frame = Buffer::empty(Rect::new(0, 0, 120, 35));
    stage.app.draw(&mut frame);
    assert!(stage.app.unsettled());
    stage.app.settle();
    assert!(stage.app.dirty(), "what came with the key is never drawn");
}

#[test]
fn fleet() {
    let mut stage = Stage::small();
    rest(&mut stage);
    stage.metered(6.0);
    shots!(stage, "fleet_live");
}

#[test]
fn clusters() {
    let mut stage = Stage::small();
    stage.settle();
    go(&mut stage, "pane clusters");
    rest(&mut stage);
    shots!(stage, "clusters_live");
}

#[test]
fn services() {
    let mut stage = service("payments-prod", "checkout");
    rest(&mut stage);
    shots!(stage, "services_live");
    stage.press("space");
    stage.press("/");
    stage.write("r");
    shots!(stage, "services_filter_open");
    stage.press("enter");
    rest(&mut stage);
    shots!(stage, "services_filtered_and_marked");
    stage.keys("esc esc o");
    shots!(stage, "services_order_menu");
    stage.keys("esc t");
    shots!(stage, "services_columns_menu");
}

#[test]
fn services_of_every_kind() {
    let mut stage = service("web-prod", "edge");
    rest(&mut stage);
    shots!(stage, "services_of_every_kind_live");
}

#[test]
fn triage() {
    let mut stage = service("payments-prod", "checkout");
    stage.press("i");
    rest(&mut stage);
    shots!(stage, "triage_live");
    stage.keys("tab tab");
    rest(&mut stage);
    shots!(stage, "triage_logs");
    stage.press("tab");
    stage.press("z");
    shots!(stage, "triage_zoomed");
}

#[test]
fn tasks() {
    let mut stage = service("payments-prod", "checkout");
    stage.press("enter");
    rest(&mut stage);
    shots!(stage, "tasks_live");
    stage.find("OutOfMemory");
    rest(&mut stage);
    shots!(stage, "tasks_stopped");
}

#[test]
fn a_stopped_task_is_kept_when_aws_forgets_it() {
    let mut stage = service("payments-prod", "checkout");
    stage.press("enter");
    rest(&mut stage);
    let screen = stage.screen(160, 35);
    let lost = screen.lines().find(|line| line.contains("✖ STOPPED") && line.contains("OutOfMemory")).unwrap().to_owned();
    let id = lost.split_whitespace().find(|word| word.len() == 8 && word.bytes().all(|b| b.is_ascii_hexdigit())).unwrap();
    stage.step(3700);
    rest(&mut stage);
    stage.press("/");
    stage.write(id);
    stage.press("enter");
    let screen = stage.screen(160, 35);
    assert!(screen.contains(id) && screen.contains("kept, AWS lists it no more"), "{screen}");
    assert!(screen.contains("OutOfMemory"), "the evidence is still there: {screen}");
}

#[test]
fn tasks_of_a_cluster() {
    let mut stage = Stage::small();
    stage.settle();
    go(&mut stage, "pane clusters");
    stage.settle();
    stage.find("web-prod");
    stage.press("T");
    rest(&mut stage);
    shots!(stage, "tasks_of_a_cluster_live");
}

#[test]
fn targets() {
    let mut stage = service("payments-prod", "ledger-api");
    stage.press("h");
    rest(&mut stage);
    shots!(stage, "targets_live");
}

#[test]
fn logs() {
    let mut stage = service("payments-prod", "checkout");
    stage.press("l");
    stage.screen(120, 35);
    stage.read_up();
    shots!(stage, "logs_live");
}

#[test]
fn events() {
    let mut stage = service("payments-prod", "checkout");
    stage.press("e");
    rest(&mut stage);
    shots!(stage, "events_live");
}

#[test]
fn deployments() {
    let mut stage = service("payments-prod", "checkout");
    stage.press("D");
    rest(&mut stage);
    shots!(stage, "deployments_live");
}

#[test]
fn describe() {
    let mut stage = service("payments-prod", "ledger-api");
    stage.press("d");
    rest(&mut stage);
    shots!(stage, "describe_service_live");
    stage.keys("G");
    shots!(stage, "describe_service_end");
    stage.keys("esc h d");
    rest(&mut stage);
    shots!(stage, "describe_target_group_live");
    stage.keys("esc esc enter");
    stage.settle();
    stage.press("d");
    rest(&mut stage);
    shots!(stage, "describe_task_live");
    stage.keys("esc esc");
    go(&mut stage, "pane clusters");
    stage.settle();
    stage.find("web-prod");
    stage.press("d");
    rest(&mut stage);
    shots!(stage, "describe_cluster_live");
}

#[test]
fn json() {
    let mut stage = service("payments-prod", "ledger-api");
    stage.press("y");
    stage.settle();
    shots!(stage, "json_service_live");
    stage.keys("esc h");
    stage.settle();
    stage.press("y");
    stage.settle();
    shots!(stage, "json_targets_live");
}

#[test]
fn messages() {
    let mut stage = Stage::small();
    stage.fault("[[fault]]\ncontext = 'acme-stage'\noperation = 'ecs:ListServices'\nkind = 'deny'\n");
    stage.settle();
    stage.press("z");
    stage.press(";");
    stage.step(9);
    shots!(stage, "messages_live");
}

#[test]
fn what_lies_over_a_pane() {
    let mut stage = service("payments-prod", "checkout");
    rest(&mut stage);
    stage.press(":");
    shots!(stage, "palette_open");
    stage.write("ledger");
    shots!(stage, "palette_found");
    stage.keys("esc ?");
    shots!(stage, "help_table");
    stage.write("log");
    shots!(stage, "help_found");
    stage.keys("esc c");
    shots!(stage, "copy_menu");
    stage.keys("esc d ?");
    shots!(stage, "help_text");
}

/// Tells the feeds that hang.
type Hangs = fn(&Feed) -> bool;

#[test]
fn a_first_answer_that_does_not_come() {
    let mut stage = Stage::small();
    stage.fault("[[fault]]\nkind = 'hang'\n");
    stage.settle_but(|_| true);
    shots!(stage, "fleet_loading");

    let cases: [(&str, &str, Hangs, &str); 6] = [
        ("", "ecs:ListServices", |feed| matches!(feed, Feed::Services(..)), "services"),
        ("enter", "ecs:ListTasks", |feed| matches!(feed, Feed::Tasks(..) | Feed::Stopped(..)), "tasks"),
        ("h", "elasticloadbalancing:DescribeTargetHealth", |feed| matches!(feed, Feed::Targets(..)), "targets"),
        ("D", "ecs:ListServiceDeployments", |feed| matches!(feed, Feed::ServiceDeployments(..)), "deployments"),
        ("l", "logs:FilterLogEvents", |feed| matches!(feed, Feed::Logs(..)), "logs"),
        ("y", "ecs:DescribeServices", |feed| matches!(feed, Feed::Raw(..)), "json"),
    ];
    for (key, operation, hangs, name) in cases {
        let mut stage = Stage::small();
        let hang = format!("[[fault]]\noperation = '{operation}'\nkind = 'hang'\n");
        if name != "json" {
            stage.fault(&hang);
        }
        stage.settle_but(hangs);
        go(&mut stage, "cluster payments-prod");
        stage.settle_but(hangs);
        if !key.is_empty() {
            stage.find("ledger-api");
            stage.settle_but(hangs);
            stage.fault(&hang);
            stage.press(key);
            if name != "logs" {
                stage.settle_but(hangs);
            }
        }
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}_loading_80x24"), stage.screen(80, 24));
        });
    }
}

#[test]
fn answers_that_stopped_coming() {
    let fault =
        "[[fault]]\ncontext = 'acme-prod'\nkind = 'error'\ncode = 'ServerException'\nmessage = 'Service unavailable'\nstatus = 500\n";
    let age = |stage: &mut Stage| {
        rest(stage);
        stage.fault(fault);
        stage.step(95);
        stage.refresh_quietly();
    };
    let mut stage = Stage::small();
    age(&mut stage);
    shots!(stage, "fleet_stale");
    let mut stage = service("payments-prod", "checkout");
    age(&mut stage);
    shots!(stage, "services_stale");
    let mut stage = service("payments-prod", "checkout");
    stage.press("enter");
    age(&mut stage);
    shots!(stage, "tasks_stale");
    let mut stage = service("payments-prod", "ledger-api");
    stage.press("h");
    age(&mut stage);
    shots!(stage, "targets_stale");
    let mut stage = service("payments-prod", "ledger-api");
    stage.press("e");
    age(&mut stage);
    shots!(stage, "events_stale");
}

#[test]
fn credentials_that_ended() {
    let mut stage = service("payments-prod", "checkout");
    rest(&mut stage);
    stage.fault("[[fault]]\ncontext = 'acme-prod'\nkind = 'expired_token'\n");
    stage.step(95);
    stage.refresh_quietly();
    shots!(stage, "services_expired");
    stage.keys("esc");
    stage.settle();
    shots!(stage, "fleet_expired");
}

#[test]
fn what_the_role_may_not_see() {
    let deny = |operation: &str| format!("[[fault]]\ncontext = 'acme-prod'\noperation = '{operation}'\nkind = 'deny'\n");
    let mut stage = Stage::small();
    stage.fault(&deny("*"));
    stage.settle();
    shots!(stage, "fleet_denied");
    for (operation, keys, name) in [
        ("ecs:ListTasks", "enter", "tasks"),
        ("elasticloadbalancing:*", "h", "targets"),
        ("ecs:ListServiceDeployments", "D", "deployments"),
        ("logs:*", "l", "logs"),
        ("ecs:DescribeTaskDefinition", "d", "describe"),
    ] {
        let mut stage = Stage::small();
        stage.fault(&deny(operation));
        cluster(&mut stage, "payments-prod");
        stage.find("ledger-api");
        stage.keys(keys);
        rest(&mut stage);
        if name == "describe" {
            // What is missing stands below.
            stage.keys("/");
            stage.write("Task definition");
            stage.press("enter");
        }
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            for (width, height) in SIZES {
                insta::assert_snapshot!(format!("{name}_denied_{width}x{height}"), stage.screen(width, height));
            }
        });
    }
    let mut stage = Stage::small();
    stage.fault(&deny("ecs:ListServices"));
    cluster(&mut stage, "payments-prod");
    rest(&mut stage);
    shots!(stage, "services_denied");
}

const EMPTY: &str = r#"
about = "an account on its first day"
[[context]]
name = "new"
region = "eu-north-1"
account = "123456789012"
access_key = "AKIAEXAMPLE"
secret_key = "secret"
[[cluster]]
name = "hollow"
context = "new"
[[cluster]]
name = "quiet"
context = "new"
[[service]]
name = "sleeper"
cluster = "quiet"
desired = 0
age = "9d"
deployed = "9d"
[service.load_balancer]
name = "lb"
port = 80
[[service.container]]
name = "app"
image = "api"
tag = "v1.2.3"
ports = [80]
voice = "plain"
"#;

#[test]
fn where_there_is_nothing() {
    let mut stage = Stage::open(sim(&scenario(EMPTY)));
    rest(&mut stage);
    shots!(stage, "fleet_empty");
    cluster(&mut stage, "hollow");
    rest(&mut stage);
    shots!(stage, "services_empty");
    for (keys, name) in [("enter", "tasks"), ("h", "targets"), ("l", "logs"), ("e", "events"), ("D", "deployments")] {
        let mut stage = Stage::open(sim(&scenario(EMPTY)));
        cluster(&mut stage, "quiet");
        stage.keys(keys);
        rest(&mut stage);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}_empty_80x24"), stage.screen(80, 24));
        });
    }
    let mut stage = Stage::open(sim(&scenario(EMPTY.split("[[cluster]]").next().unwrap())));
    rest(&mut stage);
    shots!(stage, "fleet_without_clusters");
}
