//! Changes measured from outside, as a person has them: the release binary in a terminal, against the embedded AWS in real time.
//!
//! `cargo bench --bench changes` prints how long it takes from the key that confirms to the request at AWS, the reading before it included,
//! and from an event at AWS to the screen of an open watch. `-- --quick` takes fewer samples. Nothing here is asserted: the figures depend
//! on the machine.

#[path = "../tests/support/terminal.rs"]
mod terminal;

use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
use midwatch::sim::{Options, Sim};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use terminal::{Launch, PATIENCE, Terminal};

/// The same change of the same service is asked for once more within this time, which is no part of what is measured.
const TWICE: Duration = Duration::from_millis(5200);

/// How often the list of requests is looked at.
const LOOK: Duration = Duration::from_micros(200);

fn main() {
    let rounds = if env::args().any(|argument| argument == "--quick") { 4 } else { 12 };
    let mut out = io::stdout().lock();
    let mut print = |what: &str, mut taken: Vec<Duration>| {
        taken.sort_unstable();
        let (middle, worst) = (taken[taken.len() / 2], taken[taken.len() - 1]);
        writeln!(out, "{what:<58} median {:>6.1} ms  worst {:>6.1} ms  of {}", ms(middle), ms(worst), taken.len()).expect("somebody reads");
    };
    let mut desk = Desk::open();
    let (to_write, after_reading): (Vec<Duration>, Vec<Duration>) = (0..rounds).map(|round| desk.confirm(round)).unzip();
    print("from the key that confirms to the request", to_write);
    print("of that, from the reading before it to the request", after_reading);
    let events = desk.watch(rounds * 2);
    print("from an event at AWS to an open watch (asked every 3 s)", events);
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

struct Desk {
    sim: Sim,
    terminal: Terminal,
    ecs: aws_sdk_ecs::Client,
    runtime: tokio::runtime::Runtime,
}

impl Desk {
    /// The cursor on a service of nobody's production.
    fn open() -> Desk {
        let sim = Sim::start(Options { scenario: "small".to_owned(), speed: 1.0, ..Options::default() }).expect("the scenario is good");
        let info = sim.contexts().iter().find(|info| info.name == "acme-stage").expect("the scenario has it").clone();
        let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-home");
        fs::create_dir_all(&home).expect("the build folder can be written");
        let launch = Launch::new(env!("CARGO_BIN_EXE_midwatch")).args(["--cluster", "web-stage"]).env("HOME", home);
        let launch = launch.env("AWS_ENDPOINT_URL", sim.endpoint()).env("AWS_REGION", &info.region);
        let launch = launch.env("AWS_ACCESS_KEY_ID", &info.access_key).env("AWS_SECRET_ACCESS_KEY", &info.secret_key);
        let mut terminal = launch.start();
        terminal.wait_for("storefront");
        terminal.send("/storefront");
        terminal.key("enter");
        terminal.wait_gone("mailer");
        let config = aws_sdk_ecs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(info.region))
            .credentials_provider(Credentials::new(info.access_key, info.secret_key, None, None, "bench"))
            .endpoint_url(sim.endpoint())
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the system has threads");
        Desk { sim, terminal, ecs: aws_sdk_ecs::Client::from_conf(config.build()), runtime }
    }

    /// Scales it and tells how long the request took from the key on, and from the arrival of the reading before it.
    fn confirm(&mut self, round: usize) -> (Duration, Duration) {
        let count = if round % 2 == 0 { "3" } else { "2" };
        self.terminal.key("S");
        self.terminal.wait_for("Scale web-stage/storefront");
        self.terminal.key(count);
        self.terminal.wait_for(&format!("--desired-count {count}"));
        // News that come now would make another plan of it.
        self.terminal.drain(Duration::from_millis(1500));
        drop(self.sim.take_requests());
        let pressed = Instant::now();
        self.terminal.key("y");
        let (arrived, requests) = loop {
            let requests = self.sim.requests();
            if requests.iter().any(|request| request.call.operation == "UpdateService") {
                break (Instant::now(), requests);
            }
            assert!(pressed.elapsed() < PATIENCE, "nothing is sent:\n{}", self.terminal.text());
            thread::sleep(LOOK);
        };
        let at = |operation: &str| requests.iter().find(|request| request.call.operation == operation).map(|request| request.call.at_ms);
        let reading = at("DescribeServices").zip(at("UpdateService")).map_or(0, |(read, wrote)| wrote.saturating_sub(read));
        self.terminal.wait_gone("Scale web-stage/storefront");
        self.terminal.drain(TWICE);
        (arrived - pressed, Duration::from_millis(u64::try_from(reading).unwrap_or(0)))
    }

    /// Opens a watch on a release and changes the count that it is told to reach.
    fn watch(&mut self, rounds: usize) -> Vec<Duration> {
        let update = self.ecs.update_service().cluster("web-stage").service("storefront").force_new_deployment(true);
        self.runtime.block_on(update.send()).expect("the embedded AWS answers");
        self.terminal.key("w");
        self.terminal.wait_for("› watch");
        self.terminal.wait_for("IN_PROGRESS");
        (0..rounds)
            .map(|round| {
                let count = 3 + i32::try_from(round % 4).expect("a small number");
                let update = self.ecs.update_service().cluster("web-stage").service("storefront").desired_count(count);
                self.runtime.block_on(update.send()).expect("the embedded AWS answers");
                let event = Instant::now();
                let wanted = format!("/{count} healthy");
                let seen = self.terminal.until(PATIENCE, |terminal| terminal.text().contains(&wanted));
                seen.unwrap_or_else(|| panic!("{wanted} never came:\n{}", self.terminal.text())).saturating_duration_since(event)
            })
            .collect()
    }
}
