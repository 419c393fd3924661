//! The program measured from outside, as a person has it: the release binary in a terminal of 160x45, against the embedded AWS.
//!
//! `cargo bench --bench terminal` prints the table of README. `-- --peer 'PROGRAM ARG…'` measures another program in the same run;
//! `{cluster}` in its arguments becomes the cluster's name. `-- --quick` takes fewer samples, `-- start` (or `keys`, `idle`,
//! `calls`, `demo`) only some rows. Nothing here is asserted: the figures depend on the machine.

#[path = "../tests/support/terminal.rs"]
mod terminal;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
use midwatch::sim::{ContextInfo, Options, Sim};
use terminal::{Launch, Terminal};

/// A frame is over when nothing more has come for so long: less than lies between two frames of a program that draws all the time.
const SILENCE: Duration = Duration::from_millis(10);
/// The longest wait for a fleet to load: 10,000 tasks at a quarter of AWS's rate are 200 calls at 5 a second.
const LOADING: Duration = Duration::from_mins(3);

fn main() {
    let plan = Plan::from_args(env::args().skip(1));
    let mut table = Table::default();
    for program in plan.programs() {
        if plan.wants("start") {
            start(&plan, &program, &mut table);
        }
        if plan.wants("demo") && program.own {
            demo(&plan, &program, &mut table);
        }
        for size in [Size::SMALL, Size::LARGE, Size::HUGE] {
            fleet(&plan, &program, size, &mut table);
        }
    }
    table.print();
}

/// What to measure, and how thoroughly.
struct Plan {
    rows: Vec<String>,
    peers: Vec<String>,
    starts: usize,
    keys: usize,
    idle: Duration,
}

impl Plan {
    fn from_args(mut args: impl Iterator<Item = String>) -> Self {
        let mut plan = Self { rows: Vec::new(), peers: Vec::new(), starts: 15, keys: 400, idle: Duration::from_secs(30) };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => (plan.starts, plan.keys, plan.idle) = (5, 300, Duration::from_secs(10)),
                "--peer" => plan.peers.extend(args.next()),
                // cargo bench says so itself.
                "--bench" => {}
                _ => plan.rows.push(arg),
            }
        }
        plan
    }

    fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| wanted == row)
    }

    fn programs(&self) -> Vec<Program> {
        let own = Program {
            name: "midwatch".into(),
            command: vec![env!("CARGO_BIN_EXE_midwatch").into(), "--cluster".into(), "{cluster}".into()],
            own: true,
        };
        let peers = self.peers.iter().map(|peer| {
            let command: Vec<String> = peer.split_whitespace().map(str::to_owned).collect();
            let name = command.first().and_then(|path| path.rsplit('/').next()).unwrap_or("peer").to_owned();
            Program { name, command, own: false }
        });
        std::iter::once(own).chain(peers).collect()
    }
}

/// A program under measurement.
struct Program {
    name: String,
    command: Vec<String>,
    /// Whether it is ours and has a demo.
    own: bool,
}

impl Program {
    fn launch(&self, fleet: &Fleet) -> Launch {
        let arguments = self.command[1..].iter().map(|arg| arg.replace("{cluster}", &fleet.cluster));
        Launch::new(&self.command[0])
            .args(arguments)
            .env("HOME", home())
            .env("AWS_ENDPOINT_URL", fleet.sim.endpoint())
            .env("AWS_REGION", &fleet.context.region)
            .env("AWS_ACCESS_KEY_ID", &fleet.context.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &fleet.context.secret_key)
            .size(160, 45)
    }
}

fn home() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-home");
    fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

/// How much the embedded AWS holds.
#[derive(Clone, Copy)]
struct Size {
    name: &'static str,
    services: usize,
    tasks: usize,
}

impl Size {
    const SMALL: Self = Self { name: "25 services", services: 25, tasks: 60 };
    const LARGE: Self = Self { name: "1,000 services", services: 1_000, tasks: 2_000 };
    const HUGE: Self = Self { name: "2,000 services + 10,000 tasks", services: 2_000, tasks: 10_000 };
}

/// One cluster of that size, served from this process.
struct Fleet {
    sim: Sim,
    context: ContextInfo,
    cluster: String,
    /// Names of all services.
    services: Vec<String>,
}

impl Fleet {
    fn new(size: Size, speed: f64) -> Self {
        let set = [("services", size.services), ("tasks", size.tasks), ("clusters", 1)];
        let set = set.map(|(key, value)| (key.to_owned(), value.to_string())).to_vec();
        let options = Options { scenario: "large".into(), set, speed, ..Options::default() };
        let sim = Sim::start(options).expect("the embedded AWS starts on a free loopback port");
        let context = sim.contexts()[0].clone();
        let (cluster, services) = names(&sim, &context);
        // The bench's own questions do not count.
        let _ = sim.take_calls();
        Self { sim, context, cluster, services }
    }
}

/// The name of the first cluster and those of its services, asked as any client would ask.
fn names(sim: &Sim, context: &ContextInfo) -> (String, Vec<String>) {
    let config = aws_sdk_ecs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(context.region.clone()))
        .endpoint_url(sim.endpoint())
        .credentials_provider(Credentials::new(&context.access_key, &context.secret_key, None, None, "bench"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let client = aws_sdk_ecs::Client::from_conf(config);
    let last = |arn: &String| arn.rsplit('/').next().unwrap_or(arn).to_owned();
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built").block_on(async {
        let clusters = client.list_clusters().send().await.expect("the embedded AWS lists its clusters");
        let cluster = clusters.cluster_arns().first().map(last).expect("there is a cluster");
        let pages = client.list_services().cluster(&cluster).max_results(100).into_paginator().items().send();
        let services = pages.collect::<Result<Vec<_>, _>>().await.expect("the embedded AWS lists its services");
        let services = services.iter().map(last).collect();
        (cluster, services)
    })
}

/// Process start to the first byte, and to every service of a cluster on screen.
fn start(plan: &Plan, program: &Program, table: &mut Table) {
    let fleet = Fleet::new(Size::SMALL, 1.0);
    let (mut first, mut all) = (Vec::new(), Vec::new());
    for _ in 0..plan.starts {
        let mut terminal = program.launch(&fleet).start();
        let seen = terminal.until(LOADING, |t| {
            let text = t.text();
            fleet.services.iter().all(|service| text.contains(service))
        });
        first.extend(terminal.first_byte.map(|at| milliseconds(at - terminal.started)));
        all.extend(seen.map(|at| milliseconds(at - terminal.started)));
    }
    table.row("start to first byte, ms", program, &median(&first));
    table.row("start to 25 services on screen, ms", program, &median(&all));
}

/// Process start to live figures of every cluster of the demo.
fn demo(plan: &Plan, program: &Program, table: &mut Table) {
    let figures = regex::Regex::new(r"\d+/\d+").expect("a pattern that was tried");
    let clusters = ["payments-prod", "web-prod", "web-stage"];
    let mut times = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..plan.starts {
        let mut terminal =
            Launch::new(&program.command[0]).args(["--demo", "small", "--seed", "7"]).env("HOME", home()).size(160, 45).start();
        let seen = terminal.until(LOADING, |t| {
            let text = t.text();
            clusters.iter().all(|cluster| text.lines().any(|line| line.contains(cluster) && figures.is_match(line)))
        });
        times.extend(seen.map(|at| milliseconds(at - terminal.started)));
        if memory.len() < 3 {
            terminal.drain(Duration::from_secs(3));
            memory.extend(resident(&terminal));
        }
    }
    table.row("start to the whole demo fleet live, ms", program, &median(&times));
    table.row("memory, demo with its simulator inside, MB", program, &median(&memory));
}

/// Keys, idle cost, memory and calls at one size.
fn fleet(plan: &Plan, program: &Program, size: Size, table: &mut Table) {
    if !["keys", "idle", "calls"].iter().any(|row| plan.wants(row)) {
        return;
    }
    let fleet = Fleet::new(size, 1.0);
    let mut terminal = program.launch(&fleet).start();
    load(&mut terminal, &fleet, size, program, plan, table);
    if plan.wants("keys") {
        let times = keys(&mut terminal, plan.keys);
        table.row(&format!("key to last byte p50 / p99, ms: {}", size.name), program, &percentiles(&times));
    }
    if plan.wants("idle") {
        let (processor, bytes) = idle(&mut terminal, plan.idle);
        table.row(&format!("CPU while nothing is pressed, %: {}", size.name), program, &processor);
        table.row(&format!("bytes/s to the terminal, world moving: {}", size.name), program, &bytes);
        table.row(&format!("memory, MB: {}", size.name), program, &median(&resident(&terminal).into_iter().collect::<Vec<_>>()));
    }
    drop(terminal);
    if program.own && size.tasks >= 10_000 {
        tasks(plan, program, &fleet, table);
    }
    drop(fleet);
    if plan.wants("idle") {
        // Time stands still over there: nothing changes but ages.
        let fleet = Fleet::new(size, 0.0);
        let mut terminal = program.launch(&fleet).start();
        loaded(&mut terminal, &fleet, size);
        terminal.drain(Duration::from_secs(5));
        let (_, bytes) = idle(&mut terminal, plan.idle);
        table.row(&format!("bytes/s to the terminal, nothing changes: {}", size.name), program, &bytes);
    }
}

/// The list of all tasks of a cluster: keys and memory with every task in it.
fn tasks(plan: &Plan, program: &Program, fleet: &Fleet, table: &mut Table) {
    let mut terminal = Program { name: program.name.clone(), command: program.command[..1].to_vec(), own: true }.launch(fleet).start();
    terminal.until(LOADING, |t| t.text().contains(&fleet.cluster));
    let before = described(fleet, "DescribeTasks");
    // From the problems to the clusters, and into the tasks of the first.
    terminal.key("tab");
    terminal.key("T");
    let deadline = Instant::now() + LOADING;
    while Instant::now() < deadline && described(fleet, "DescribeTasks") < before + 100 {
        terminal.drain(Duration::from_millis(50));
    }
    if plan.wants("keys") {
        let times = keys(&mut terminal, plan.keys);
        table.row("key to last byte p50 / p99, ms: list of 10,000 tasks", program, &percentiles(&times));
    }
    if plan.wants("idle") {
        let (processor, _) = idle(&mut terminal, plan.idle);
        table.row("CPU while nothing is pressed, %: list of 10,000 tasks", program, &processor);
        let memory: Vec<f64> = resident(&terminal).into_iter().collect();
        table.row("memory, MB: list of 10,000 tasks", program, &median(&memory));
    }
}

/// How often an operation was answered.
fn described(fleet: &Fleet, operation: &str) -> usize {
    fleet.sim.calls().iter().filter(|call| call.operation == operation && call.status == 200).count()
}

/// Waits until every service was described once, and counts what that took.
fn load(terminal: &mut Terminal, fleet: &Fleet, size: Size, program: &Program, plan: &Plan, table: &mut Table) {
    if !loaded(terminal, fleet, size) {
        table.row(&format!("never loaded: {}", size.name), program, "–");
    }
    if !plan.wants("calls") {
        return;
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let calls = fleet.sim.calls();
    for call in &calls {
        *counts.entry(call.operation.to_owned()).or_default() += 1;
    }
    let throttled = calls.iter().filter(|call| call.error_code.as_deref().is_some_and(|code| code.starts_with("Throttling"))).count();
    let services: usize =
        ["ListClusters", "DescribeClusters", "ListServices", "DescribeServices"].iter().filter_map(|op| counts.get(*op)).sum();
    let parts: Vec<String> = counts.iter().map(|(operation, count)| format!("{count} {operation}")).collect();
    table.row(&format!("calls for a full refresh: {}", size.name), program, &format!("{services}, {throttled} throttled"));
    table.note(&format!("{}, {}: until all were described once: {}", program.name, size.name, parts.join(", ")));
}

fn loaded(terminal: &mut Terminal, fleet: &Fleet, size: Size) -> bool {
    let deadline = Instant::now() + LOADING;
    let wanted = size.services.div_ceil(10);
    while Instant::now() < deadline {
        if described(fleet, "DescribeServices") >= wanted {
            return true;
        }
        terminal.drain(Duration::from_millis(50));
    }
    false
}

/// Milliseconds from a key to the last byte of its frame, for keys that move the cursor down and up again.
fn keys(terminal: &mut Terminal, count: usize) -> Vec<f64> {
    terminal.key("g");
    terminal.drain(Duration::from_secs(2));
    let mut times = Vec::new();
    for key in ["j", "k", "down", "up"].iter().cycle().take(count) {
        let pressed = Instant::now();
        terminal.key(key);
        times.extend(terminal.burst(Duration::from_secs(1), SILENCE).map(|(_, last)| milliseconds(last - pressed)));
        terminal.drain(Duration::from_millis(20));
    }
    times
}

/// CPU in percent of one core, and bytes a second to the terminal.
fn idle(terminal: &mut Terminal, time: Duration) -> (String, String) {
    let (before, started) = (processor_seconds(terminal), Instant::now());
    let bytes = terminal.drain(time);
    let took = started.elapsed().as_secs_f64();
    let percent = before.zip(processor_seconds(terminal)).map(|(before, after)| (after - before) / took * 100.0);
    let percent = percent.map_or("–".into(), |percent| format!("{percent:.2}"));
    #[expect(clippy::cast_precision_loss, reason = "a terminal is not written 2^52 bytes in half a minute")]
    let rate = bytes as f64 / took;
    (percent, format!("{rate:.0}"))
}

/// User and system time of the process so far; Linux only.
fn processor_seconds(terminal: &Terminal) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", terminal.pid())).ok()?;
    // The name of the program stands in brackets and may hold blanks.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    // USER_HZ is 100 on every architecture that Rust and Linux share.
    Some(ticks / 100.0)
}

/// Resident memory in MB; Linux only.
fn resident(terminal: &Terminal) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", terminal.pid())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn median(values: &[f64]) -> String {
    sorted(values).get(values.len() / 2).map_or("–".into(), |value| format!("{value:.1}"))
}

fn percentiles(values: &[f64]) -> String {
    let values = sorted(values);
    let (Some(middle), Some(high)) = (values.get(values.len() / 2), values.get((values.len() * 99 / 100).saturating_sub(1))) else {
        return "–".into();
    };
    format!("{middle:.2} / {high:.2} (n={})", values.len())
}

/// What was measured, one column for each program.
#[derive(Default)]
struct Table {
    rows: Vec<(String, BTreeMap<String, String>)>,
    programs: Vec<String>,
    notes: Vec<String>,
}

impl Table {
    fn row(&mut self, what: &str, program: &Program, value: &str) {
        if !self.programs.contains(&program.name) {
            self.programs.push(program.name.clone());
        }
        say(&format!("{}: {what}: {value}", program.name));
        if !self.rows.iter().any(|(name, _)| name == what) {
            self.rows.push((what.to_owned(), BTreeMap::new()));
        }
        let row = self.rows.iter_mut().find(|(name, _)| name == what).expect("it was put there just now");
        row.1.insert(program.name.clone(), value.to_owned());
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    fn print(&self) {
        say(&format!("\n| What | {} |", self.programs.join(" | ")));
        say(&format!("|---|{}", "---|".repeat(self.programs.len())));
        for (what, values) in &self.rows {
            let cells: Vec<&str> = self.programs.iter().map(|name| values.get(name).map_or("–", String::as_str)).collect();
            say(&format!("| {what} | {} |", cells.join(" | ")));
        }
        for note in &self.notes {
            say(note);
        }
    }
}

fn say(line: &str) {
    // Whoever closed the pipe has read enough.
    let _ = writeln!(io::stdout(), "{line}");
}
