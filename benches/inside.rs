//! What lies inside a frame, measured by criterion: the verdicts over a large fleet, a key and an answer on a short list and a long one,
//! the filter over a long table, the lines of a log, the sanitiser, the cut of a text to its cell.
//!
//! `cargo bench --bench inside`. Nothing here is asserted: the figures depend on the machine.

use criterion::{BatchSize, Criterion};
use midwatch::app::{App, Event, Shared};
use midwatch::config::Config;
use midwatch::feed::{Feed, Outcome, TailState, Update, Value};
use midwatch::filter::Query;
use midwatch::keys::Key;
use midwatch::logs;
use midwatch::model::{
    Arn, Container, Context, Ctx, Deployment, Fleet, LoadBalancer, LogLine, LogStream, Service, ServiceEvent, Target, TargetState, Task,
    TaskStatus, Time,
};
use midwatch::panes;
use midwatch::store::Store;
use midwatch::text;
use midwatch::theme::Theme;
use midwatch::verdict::Board;
use midwatch::view::Place;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::hint::black_box;
use std::sync::Arc;

/// Rows of the longest list that the program is built for.
const ROWS: usize = 10_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    verdicts(&mut criterion);
    frames(&mut criterion);
    filter(&mut criterion);
    log_lines(&mut criterion);
    sanitiser(&mut criterion);
    criterion.final_summary();
}

fn filter(criterion: &mut Criterion) {
    let rows: Vec<String> =
        (0..ROWS).map(|n| format!("{n:08x} service:checkout-{} checkout:{n} 10.0.{}.{}", n % 97, n / 256 % 256, n % 256)).collect();
    for text in ["check", "chkout9", "re:checkout-1[0-9]", "!checkout-9"] {
        let query = Query::parse(text, &[]).expect("the queries of this bench are sound");
        let kept = || rows.iter().filter(|row| query.matches(row, &|_| None)).count();
        criterion.bench_function(&format!("filter {ROWS} rows by {text}"), |bench| bench.iter(|| black_box(kept())));
    }
}

fn sanitiser(criterion: &mut Criterion) {
    let plain = "2026-11-21T03:11:40Z ERROR heap exhausted order=88213 ".repeat(4);
    let hostile = "\u{1b}[31mred\u{202e}desrever\u{7}\t\u{200b}".repeat(12);
    criterion.bench_function("clean a plain line", |bench| bench.iter(|| text::clean(black_box(&plain))));
    criterion.bench_function("clean a hostile line", |bench| bench.iter(|| text::clean(black_box(&hostile))));
    criterion.bench_function("fit a name into 20 cells", |bench| bench.iter(|| text::fit(black_box(&plain), 20).len()));
}

/// Services of the largest fleet, and tasks of each.
const SERVICES: usize = 2_000;
const TASKS_EACH: usize = 5;

/// One service in so many is in trouble.
const TROUBLED_EACH: usize = 10;

/// The moment at which the bench plays, in seconds since the epoch.
const NOW: i64 = 1_795_230_660;

fn ago(seconds: i64) -> Option<Time> {
    Time::from_second(NOW - seconds).ok()
}

fn verdicts(criterion: &mut Criterion) {
    let (store, fleet) = large(SERVICES);
    let now = Time::from_second(NOW).expect("a time of this era");
    let mut board = Board::default();
    board.refresh(&store, &fleet, now);
    assert_eq!(board.size().0, SERVICES, "the bench judges what it says");
    let name = format!("judge {SERVICES} services and {} tasks", SERVICES * TASKS_EACH);
    criterion.bench_function(&format!("{name} for the first time"), |bench| {
        bench.iter_batched_ref(Board::default, |board| black_box(board.refresh(&store, &fleet, now)), BatchSize::LargeInput);
    });
    criterion.bench_function(&format!("{name} again"), |bench| bench.iter(|| black_box(board.refresh(&store, &fleet, now))));
}

/// What a key costs, and what an answer of AWS costs, on a list of few services and on a long one.
fn frames(criterion: &mut Criterion) {
    for services in [25, SERVICES] {
        let mut app = opened(services);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 160, 45));
        let now = Time::from_second(NOW).expect("a time of this era");
        app.update(Event::Resize(160, 45), now);
        let mut keys = ["j", "j", "j", "k", "k", "k"].iter().cycle().map(|key| key.parse::<Key>().expect("a letter is a key"));
        criterion.bench_function(&format!("a key on {services} services"), |bench| {
            bench.iter(|| black_box(app.update(Event::Key(keys.next().expect("there is no end of them")), now)));
        });
        criterion.bench_function(&format!("a frame of 160x45 of {services} services"), |bench| {
            bench.iter(|| {
                buffer.reset();
                black_box(app.draw(&mut buffer))
            });
        });
        let mut running = [5, 4].iter().cycle();
        criterion.bench_function(&format!("an answer about one of {services} services, until it is on the list"), |bench| {
            bench.iter(|| {
                let mut changed = service(3, &cluster());
                changed.running = *running.next().expect("there is no end of them");
                let (feed, rows) = (Feed::Service(Ctx(0), changed.arn.clone()), Value::Services(vec![Arc::new(changed)]));
                app.update(Event::Update(Box::new(Update { feed, epoch: 0, at: now, outcome: Outcome::Whole(rows) })), now);
                app.settle();
            });
        });
    }
}

/// The program on the services of the large cluster, or of the first few of it.
fn opened(services: usize) -> App {
    let (store, fleet) = large(services);
    let now = Time::from_second(NOW).expect("a time of this era");
    let shared = Shared { store, ..Shared::new(fleet, Config::default(), Theme::built_in("midwatch-dark"), now) };
    let place = Place { ctx: Some(Ctx(0)), cluster: Some(cluster()), ..Place::default() };
    App::open(shared, panes::named("services").expect("there is such a pane"), &place, Vec::new()).expect("a cluster has services")
}

fn cluster() -> Arn {
    Arn::from("arn:aws:ecs:eu-west-1:123456789012:cluster/large")
}

/// One cluster, one service in ten with tasks that died: of memory, of a wrong image, of a program that ended.
fn large(services: usize) -> (Store, Fleet) {
    let (ctx, cluster, count) = (Ctx(0), cluster(), services);
    let services: Vec<Arc<Service>> = (0..count).map(|n| Arc::new(service(n, &cluster))).collect();
    let tasks: Vec<Arc<Task>> = (0..count * TASKS_EACH).map(|n| Arc::new(task(n, &cluster))).collect();
    let mut store = Store::default();
    let mut put = |feed, value| {
        drop(store.apply(Update {
            feed,
            epoch: 0,
            at: Time::from_second(NOW).expect("a time of this era"),
            outcome: Outcome::Whole(value),
        }));
    };
    put(Feed::Services(ctx, cluster.clone()), Value::Services(services.clone()));
    put(Feed::Tasks(ctx, cluster), Value::Tasks(tasks));
    for service in &services {
        let targets = (0..TASKS_EACH).map(|n| target(n, &service.name)).collect();
        let group = service.load_balancers[0].target_group.clone().expect("every service of this bench has a group");
        put(Feed::Targets(ctx, group), Value::Targets(Arc::new(targets)));
    }
    (store, Fleet(vec![Context { name: "large".into(), region: "eu-west-1".into(), profile: None, production: Some(false) }]))
}

fn revision(n: usize) -> Arn {
    Arn(format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/service-{n}:7").into())
}

fn service(n: usize, cluster: &Arn) -> Service {
    let name = format!("service-{n}");
    let troubled = n.is_multiple_of(TROUBLED_EACH);
    let wanted = u32::try_from(TASKS_EACH).expect("a handful");
    let running = if troubled { wanted - 2 } else { wanted };
    let group = Arn(format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/0123456789abcdef").into());
    let event = |n: i64| ServiceEvent {
        id: n.to_string().into(),
        at: ago(60 + n * 300),
        message: match n % 3 {
            0 if troubled => format!("(service {name}) has started 1 tasks: (task {n:032x}).").into(),
            _ => format!("(service {name}) has reached a steady state.").into(),
        },
    };
    Service {
        arn: Arn(format!("arn:aws:ecs:eu-west-1:123456789012:service/large/{name}").into()),
        cluster: cluster.clone(),
        status: "ACTIVE".into(),
        desired: wanted,
        running,
        scheduling: "REPLICA".into(),
        controller: "ECS".into(),
        task_definition: revision(n),
        deployments: vec![Deployment {
            id: format!("ecs-svc/{n}").into(),
            status: "PRIMARY".into(),
            rollout_state: Some("COMPLETED".into()),
            task_definition: revision(n),
            desired: wanted,
            running,
            created_at: ago(86_400),
            updated_at: ago(86_000),
            ..Deployment::default()
        }],
        events: (0..100).map(event).collect(),
        load_balancers: vec![LoadBalancer { target_group: Some(group), alternate_target_group: None, container: "app".into(), port: 80 }],
        name: name.into(),
        ..Service::default()
    }
}

const DEATHS: &[(&str, &str, Option<i32>)] = &[
    ("EssentialContainerExited", "Essential container in task exited", Some(1)),
    ("EssentialContainerExited", "OutOfMemoryError: Container killed due to memory usage", Some(137)),
    (
        "TaskFailedToStart",
        "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref app:v7: not found",
        None,
    ),
];

fn task(n: usize, cluster: &Arn) -> Task {
    let (of, nth) = (n / TASKS_EACH, n % TASKS_EACH);
    let dead = of.is_multiple_of(TROUBLED_EACH) && nth < 2;
    let (code, reason, exit) = DEATHS[of % DEATHS.len()];
    let container = |name: &str, exit: Option<i32>| Container {
        name: name.into(),
        image: "app:v7".into(),
        digest: None,
        status: if dead { "STOPPED" } else { "RUNNING" }.into(),
        health: "UNKNOWN".into(),
        exit_code: exit.filter(|_| dead),
        reason: None,
        runtime_id: None,
        bindings: Vec::new(),
        exec_agent: None,
        exec_reason: None,
        exec_started_at: None,
    };
    Task {
        arn: Arn(format!("arn:aws:ecs:eu-west-1:123456789012:task/large/{n:032x}").into()),
        cluster: cluster.clone(),
        group: format!("service:service-{of}").into(),
        started_by: Some(format!("ecs-svc/{of}").into()),
        status: TaskStatus::parse(if dead { "STOPPED" } else { "RUNNING" }),
        desired: "RUNNING".into(),
        health: "UNKNOWN".into(),
        task_definition: revision(of),
        launch_type: Some("FARGATE".into()),
        capacity_provider: None,
        zone: Some("eu-west-1a".into()),
        instance: None,
        ip: Some(format!("10.{}.{}.{}", of / 256, of % 256, nth).into()),
        cpu: None,
        memory: None,
        exec_enabled: false,
        platform_version: None,
        role: None,
        subnet: None,
        created_at: ago(4000),
        started_at: ago(3900),
        stopping_at: None,
        stopped_at: ago(120).filter(|_| dead),
        stop_code: dead.then(|| code.into()),
        stopped_reason: dead.then(|| reason.into()),
        containers: vec![container("app", exit), container("envoy", Some(143))],
        tags: Vec::new(),
    }
}

fn target(n: usize, service: &str) -> Target {
    let of: usize = service.trim_start_matches("service-").parse().unwrap_or(0);
    Target {
        id: format!("10.{}.{}.{n}", of / 256, of % 256).into(),
        port: 80,
        zone: None,
        state: TargetState::Healthy,
        reason: None,
        description: None,
    }
}

/// Lines that come in one poll of a busy service.
const LINES: u64 = 1_000;

fn log_lines(criterion: &mut Criterion) {
    let streams: Vec<Arc<LogStream>> = (0..4).map(stream).collect();
    let line = |n: u64| LogLine {
        at: Time::from_millisecond(NOW * 1000 + i64::try_from(n).expect("a thousand or so") * 3).expect("a time of this era"),
        ingested: Time::from_second(NOW).expect("a time of this era"),
        source: streams[usize::try_from(n % 4).expect("four")].clone(),
        text: format!("2026-11-21T03:11:40Z INFO request served order={n} status=200 took=12ms").into(),
        key: n,
    };
    let lines: Vec<LogLine> = (0..LINES).map(line).collect();
    criterion.bench_function(&format!("take in {LINES} log lines"), |bench| {
        let ready = || (logs::Buffer::default(), lines.clone());
        bench.iter_batched(ready, |(mut buffer, lines)| black_box(buffer.push(lines, TailState::default())), BatchSize::LargeInput);
    });
}

fn stream(n: usize) -> Arc<LogStream> {
    Arc::new(LogStream {
        group: "/ecs/large".into(),
        region: "eu-west-1".into(),
        stream: format!("ecs/app/{n:032x}").into(),
        task: Arn(format!("arn:aws:ecs:eu-west-1:123456789012:task/large/{n:032x}").into()),
        container: "app".into(),
        ended: false,
    })
}
