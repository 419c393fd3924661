//! Releases as they land: drills that an operator watches to the end, what a watch costs, and the watch without a screen.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "support/clients.rs"]
mod clients;
#[path = "stage/mod.rs"]
mod stage;
#[allow(dead_code, reason = "the drills take more of it")]
#[path = "drills/walk.rs"]
mod walk;

use midwatch::app::Effect;
use midwatch::config::{Config, WatchSettings};
use midwatch::feed::{Feed, Wanted};
use midwatch::sim::{Options, Sim};
use midwatch::watch::every;
use stage::shots::shots;
use stage::{Stage, sim};
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use walk::{go, hides, later, rest, service, shows, words};

const CAMPUS: &str = "strong-dolphin-qr0d3scampuslearn-cluster";
const BACKEND: &str = "CampusLearn-Backend-Service";

/// A context of the seeds, with everything that a terminal can be asked for.
fn at(context: &str) -> Stage {
    let config = Config { watch: WatchSettings { bell: true, notify: true, title: true }, ..Config::default() };
    let mut stage = Stage::configured(sim("seeds"), context, config);
    rest(&mut stage);
    stage
}

fn watch(stage: &mut Stage, cluster: &str, name: &str) {
    service(stage, cluster, name);
    stage.press("w");
    rest(stage);
}

fn rings(stage: &mut Stage) -> Vec<String> {
    let rung = |effect| match effect {
        Effect::Ring { bell: true, notify: Some(text) } => Some(text),
        _ => None,
    };
    stage.take_effects().into_iter().filter_map(rung).collect()
}

#[test]
fn c1_a_rollback_is_followed_to_its_end_and_never_called_a_release() {
    let mut stage = at("campuslearn");
    watch(&mut stage, CAMPUS, BACKEND);
    shows(&mut stage, &["NEW", "CampusLearn-Backend:102", "OLD", "CampusLearn-Backend:101", "of 3 failures", "ETA", "min 100%"]);
    let (mut back, mut over) = (false, false);
    for _ in 0..60 {
        later(&mut stage, 20);
        let screen = words(&stage.screen(120, 35));
        assert!(!screen.contains("is released"), "{screen}");
        back |= screen.contains("going back to CampusLearn-Backend:101");
        over = screen.contains("ROLLBACK_SUCCESSFUL");
        if over {
            break;
        }
    }
    assert!(back && over, "going back {back}, over {over}\n{}", stage.screen(120, 35));
    shows(&mut stage, &["CampusLearn-Backend:102 is NOT released: rolled back to CampusLearn-Backend:101", "3 of 3 failures", "took"]);
    // The reasons of the tasks that failed stand in the timeline.
    shows(&mut stage, &["Task failed ELB health checks", "rollback began"]);
    let rung = rings(&mut stage);
    assert_eq!(rung.len(), 1, "{rung:?}");
    assert!(rung[0].contains("NOT released"), "{rung:?}");
    for _ in 0..3 {
        later(&mut stage, 60);
    }
    assert!(rings(&mut stage).is_empty(), "it rings once");
}

#[test]
fn l3_a_canary_bakes_and_a_stop_is_followed_back() {
    let mut stage = at("lomash-production");
    watch(&mut stage, "lomash-production", "order-payment-service");
    shows(&mut stage, &["CODE_DEPLOY", "new 10% · old 90%", "left, then all traffic moves", "3 of 3 targets healthy", "AllowTraffic"]);
    // What matters fits on a small screen too.
    for size in [(80, 24), (60, 15)] {
        let small = stage.screen(size.0, size.1);
        let line =
            |label: &str| small.lines().map(words).find(|line| line.starts_with(label)).unwrap_or_else(|| panic!("{label}\n{small}"));
        assert!(line("stage ").starts_with("stage AllowTraffic InProgress · "), "{small}");
        assert!(line("stage ").contains("s left, then") && line("traffic ").contains("new 10% · old 90%"), "{small}");
        assert!(line("elapsed ").contains(" · ETA "), "{small}");
    }
    stage.sim.start_drill("L3").unwrap();
    later(&mut stage, 60);
    shows(&mut stage, &["Task failed ELB", "0/3 healthy"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let described = clients::ecs(&stage.sim, "lomash-production").describe_services().cluster("lomash-production");
        let described = described.services("order-payment-service").send().await.unwrap();
        let sets = described.services()[0].task_sets().to_vec();
        let green = sets.iter().find(|set| set.status() == Some("ACTIVE")).unwrap().external_id().unwrap().to_owned();
        let stop = clients::code_deploy(&stage.sim, "lomash-production").stop_deployment().deployment_id(green).auto_rollback_enabled(true);
        stop.send().await.unwrap();
    });
    let mut over = false;
    for _ in 0..40 {
        later(&mut stage, 20);
        let screen = words(&stage.screen(120, 35));
        assert!(!screen.contains("is released"), "{screen}");
        over = screen.contains("is NOT released");
        if over {
            break;
        }
    }
    assert!(over, "{}", stage.screen(120, 35));
    shows(&mut stage, &["rolled back to", "Stopped"]);
    assert_eq!(rings(&mut stage).len(), 1);
}

#[test]
fn l7_one_task_at_a_time_and_the_release_is_out() {
    let mut stage = at("lomash-staging");
    stage.sim.start_drill("L7").unwrap();
    stage.step(5);
    watch(&mut stage, "lomash-staging", "product-service");
    let (mut drained, mut over) = (false, false);
    for _ in 0..80 {
        later(&mut stage, 10);
        let screen = stage.screen(120, 35);
        drained |= screen.contains("draining") || screen.contains("DEACTIVATING");
        let capacity = screen.lines().find(|line| line.contains("capacity"));
        assert!(capacity.is_none_or(|line| line.contains("now 2 of 2") || line.contains("now 3 of 2")), "{screen}");
        over = words(&screen).contains("is released after");
        if over {
            break;
        }
    }
    assert!(drained && over, "drained {drained}, over {over}\n{}", stage.screen(120, 35));
    shows(&mut stage, &["SUCCESSFUL", "2/2 healthy"]);
    let rung = rings(&mut stage);
    assert!(rung.len() == 1 && rung[0].contains("is released"), "{rung:?}");
}

#[test]
fn a_release_that_was_over_before_anybody_looked_is_no_news() {
    let config = Config { watch: WatchSettings { bell: true, notify: true, title: true }, ..Config::default() };
    let mut stage = Stage::configured(sim("small"), "acme-stage", config);
    rest(&mut stage);
    watch(&mut stage, "web-stage", "storefront");
    shows(&mut stage, &["is released"]);
    hides(&mut stage, &["OLD ?", "0/0 healthy"]);
    assert!(rings(&mut stage).is_empty(), "it ended hours ago");
    stage.press("esc");
    later(&mut stage, 20);
    hides(&mut stage, &["watching"]);
}

#[test]
fn what_differs_between_the_sides_is_a_key_away() {
    let mut stage = at("campuslearn");
    watch(&mut stage, CAMPUS, BACKEND);
    shows(&mut stage, &["4 shows what differs"]);
    stage.press("4");
    rest(&mut stage);
    shows(&mut stage, &["CampusLearn-Backend:101 → CampusLearn-Backend:102", "differ", "image"]);
    hides(&mut stage, &["Timeline"]);
    stage.press("3");
    shows(&mut stage, &["3 Timeline", "B rolls back"]);
    stage.press("B");
    rest(&mut stage);
    shows(&mut stage, &["Revisions", "stop it and roll back, the quickest"]);
}

#[test]
fn a_watch_fits_every_terminal() {
    for (context, cluster, name, shot) in
        [("campuslearn", CAMPUS, BACKEND, "rolling"), ("lomash-production", "lomash-production", "order-payment-service", "canary")]
    {
        let mut stage = at(context);
        watch(&mut stage, cluster, name);
        shots!(stage, format_args!("watch_{shot}"));
    }
}

#[test]
fn leaving_the_pane_keeps_watching_in_the_status_line() {
    let mut stage = at("campuslearn");
    watch(&mut stage, CAMPUS, BACKEND);
    go(&mut stage, "pane fleet");
    // What was said about the way there goes by.
    stage.step(10);
    shows(&mut stage, &["watching", BACKEND]);
    let mut told = false;
    for _ in 0..60 {
        later(&mut stage, 20);
        told |= words(&stage.screen(120, 35)).contains("is NOT released: rolled back");
        if told {
            break;
        }
    }
    assert!(told, "the end was not told\n{}", stage.screen(120, 35));
    assert_eq!(rings(&mut stage).len(), 1);
    stage.step(10);
    shows(&mut stage, &["watching", "rolled back"]);
    // Ten minutes later nobody needs it any more.
    stage.step(601);
    stage.step(1);
    hides(&mut stage, &["watching"]);
}

#[test]
fn a_watch_asks_sixty_times_a_minute_at_most() {
    for (context, cluster, name) in [
        ("campuslearn", CAMPUS, BACKEND),
        ("lomash-production", "lomash-production", "order-payment-service"),
        ("tutorbloc", "tutorbloc", "production"),
    ] {
        let mut stage = at(context);
        watch(&mut stage, cluster, name);
        stage.settle();
        let wanted: Vec<Wanted> = stage.app.wanted().to_vec();
        let mut a_minute = 0.0;
        for want in &wanted {
            let Some(rest) = every(want) else { continue };
            // What one answer takes, as the requests of a refresh show below.
            let calls = match want.feed() {
                Feed::Tasks(..) => 3.0,
                Feed::ServiceDeployments(..) | Feed::CodeDeployment(..) | Feed::CodeDeployments(..) | Feed::Instances(..) => 2.0,
                _ => 1.0,
            };
            a_minute += calls * 60.0 / rest.as_secs_f64();
        }
        assert!(a_minute <= 60.0, "{context}: {a_minute} of {wanted:#?}");
        let _ = stage.sim.take_calls();
        stage.refresh_quietly();
        let calls = stage.sim.take_calls();
        let of = |names: &[&str]| calls.iter().filter(|call| names.contains(&call.operation)).count();
        assert!(of(&["ListTasks", "DescribeTasks"]) <= 3, "{calls:?}");
        assert!(of(&["ListServiceDeployments", "DescribeServiceDeployments"]) <= 2, "{calls:?}");
        assert!(of(&["GetDeployment", "GetDeploymentTarget"]) <= 2, "{calls:?}");
        assert!(of(&["ListContainerInstances", "DescribeContainerInstances"]) <= 2, "{calls:?}");
        assert_eq!(of(&["DescribeServices"]), 1, "{calls:?}");
    }
}

/// The program without a screen, in a world that moves quickly.
fn headless(arguments: &[&str]) -> (Output, Vec<String>) {
    let output = Command::new(env!("CARGO_BIN_EXE_midwatch")).arg("watch").args(arguments).output().unwrap();
    let lines = String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect();
    (output, lines)
}

#[test]
fn without_a_screen_a_rollback_is_exit_code_1_and_the_last_line_says_so() {
    let (output, lines) = headless(&[BACKEND, "--demo", "--profile", "campuslearn", "--speed", "60", "--json", "--timeout", "5m"]);
    let all = lines.join("\n");
    assert_eq!(output.status.code(), Some(1), "{all}\n{}", String::from_utf8_lossy(&output.stderr));
    let read: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read[0]["kind"], "began", "{all}");
    assert!(read[0]["new"]["task_definition"].as_str().unwrap().ends_with("CampusLearn-Backend:102"), "{all}");
    let last = read.last().unwrap();
    assert_eq!((&last["kind"], &last["end"]["result"]), (&"end".into(), &"rolled_back".into()), "{all}");
    assert!(read.iter().filter(|line| line["kind"] == "end").count() == 1, "{all}");
}

#[test]
fn without_a_screen_a_release_is_exit_code_0() {
    let (output, lines) =
        headless(&["order-payment-service", "--cluster", "lomash-production", "--demo", "--profile", "lomash-production", "--speed", "60"]);
    let all = lines.join("\n");
    assert_eq!(output.status.code(), Some(0), "{all}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(lines.len() > 2 && lines.last().unwrap().contains("is released"), "{all}");
    // Which of the weights it gets to see depends on how busy the machine is.
    assert!(all.contains("% of the traffic"), "{all}");
}

#[test]
fn without_a_screen_a_canary_has_the_eta_of_the_pane() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_midwatch"))
        .args(["watch", "order-payment-service", "--cluster", "lomash-production", "--timeout", "5m"])
        .args(["--demo", "--profile", "lomash-production", "--speed", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines[1].contains("10% of the traffic") && lines[1].contains(" · ETA about "), "{lines:?}");
}

#[test]
fn without_a_screen_time_runs_out_with_exit_code_3() {
    let arguments = [BACKEND, "--cluster", CAMPUS, "--demo", "--profile", "campuslearn", "--speed", "0", "--timeout", "4s"];
    let (output, lines) = headless(&arguments);
    assert_eq!(output.status.code(), Some(3), "{lines:?}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(lines.last().unwrap().contains("timed out"), "{lines:?}");
}

#[test]
fn without_a_screen_what_may_not_be_read_is_named_and_the_end_is_still_told() {
    let sim = Sim::start(Options { scenario: "seeds".to_owned(), speed: 60.0, ..Options::default() }).unwrap();
    sim.set_faults("[[fault]]\noperation = \"ecs:ListServiceDeployments\"\nkind = \"deny\"").unwrap();
    sim.start_drill("L7").unwrap();
    sim.step(std::time::Duration::from_secs(5));
    let run = |context: &str, arguments: &[&str]| {
        let keys = clients::context(&sim, context);
        let output = Command::new(env!("CARGO_BIN_EXE_midwatch"))
            .arg("watch")
            .args(arguments)
            .args(["--timeout", "3m"])
            .args(["--region", &keys.region, "--endpoint-url", &sim.endpoint()])
            .env("AWS_ACCESS_KEY_ID", &keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret_key)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, complained) = run("lomash-staging", &["product-service", "--cluster", "lomash-staging"]);
    assert_eq!(code, Some(0), "{said}\n{complained}");
    assert!(said.lines().count() > 2 && said.lines().last().unwrap().contains("is released"), "{said}");
    assert_eq!(complained.matches("AccessDenied for ecs:ListServiceDeployments").count(), 1, "{complained}");
    // Without the service itself there is nothing to tell.
    let oky = ["project-oky-ecs-api-task-service-1lehr9r5", "--cluster", "project-oky-ecs-cluster"];
    let (code, said, complained) = run("oky-updater", &oky);
    assert_eq!((code, &*said), (Some(2), ""), "{complained}");
    assert!(complained.contains("AccessDenied for ecs:DescribeServices"), "{complained}");
}

#[test]
fn without_a_screen_a_mistake_is_one_line_and_exit_code_2() {
    for (arguments, wanted) in [
        (&["nobody", "--cluster", CAMPUS, "--demo", "--profile", "campuslearn"][..], "has no service nobody"),
        (&["nobody", "--demo", "--profile", "campuslearn"], "has a service nobody"),
        (&[BACKEND, "--demo", "--profile", "nowhere"], "has no context nowhere"),
        (&[BACKEND, "--timeout", "15"], "15m"),
        (&[], "SERVICE"),
    ] {
        let (output, lines) = headless(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        assert_eq!((output.status.code(), lines.len()), (Some(2), 0), "{arguments:?}: {complaint} {lines:?}");
        assert!(complaint.contains(wanted) && complaint.lines().count() == 1, "{arguments:?}: {complaint}");
    }
}

#[test]
fn without_a_screen_the_answer_that_decides_may_come_last() {
    let sim = Sim::start(Options { scenario: "seeds".to_owned(), ..Options::default() }).unwrap();
    sim.set_faults("[[fault]]\noperation = \"ecs:DescribeServices\"\nkind = \"latency\"\nms = 1500").unwrap();
    let keys = clients::context(&sim, "campuslearn");
    let output = Command::new(env!("CARGO_BIN_EXE_midwatch"))
        .args(["watch", "nobody", "--cluster", CAMPUS, "--region", &keys.region, "--endpoint-url", &sim.endpoint()])
        .env("AWS_ACCESS_KEY_ID", &keys.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &keys.secret_key)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert_eq!(complaint.lines().collect::<Vec<_>>(), [format!("midwatch: {CAMPUS} has no service nobody")]);
}
