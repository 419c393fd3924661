//! The log tail through the real SDK against the embedded AWS: the past, what comes, what is missing, what is denied.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use midwatch::aws::{Clients, ContextSpec, ErrorKind, Poll, connect};
use midwatch::budget::Priority;
use midwatch::feed::{Feed, Outcome, TailState, Value};
use midwatch::logs::source::tail;
use midwatch::logs::{Buffer, Whereabouts, in_scope, whereabouts};
use midwatch::model::{Ctx, LogLine, LogScope, LogSources, LogStream, Time};
use midwatch::sim::{Options, Sim};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Long enough for anything that happens at all; nobody waits for it when it happens.
const PATIENCE: Duration = Duration::from_mins(5);

/// The small world at a standstill, so that only steps move it.
fn small() -> Sim {
    Sim::start(Options { speed: 0.0, ..Options::default() }).unwrap()
}

async fn clients(sim: &Sim) -> Clients {
    let spec = |info: &midwatch::sim::ContextInfo| ContextSpec {
        name: info.name.clone(),
        region: Some(info.region.clone()),
        endpoint_url: Some(sim.endpoint()),
        keys: Some((info.access_key.clone(), info.secret_key.clone())),
        session_token: info.session_token.clone(),
        ..ContextSpec::default()
    };
    connect(sim.contexts().iter().map(spec).collect()).await.unwrap()
}

async fn value(clients: &Clients, feed: Feed) -> Value {
    let mut poll = Poll::new(clients.api(feed.ctx()).clone(), feed);
    match poll.ask(Priority::Focus, &mut |_, _| {}).await.unwrap() {
        Outcome::Whole(value) => value,
        other => panic!("{other:?} is not a whole answer"),
    }
}

/// The streams of the first service whose tasks have some, with the service's name.
async fn service_with_streams(clients: &Clients, least: usize) -> (String, Vec<LogStream>) {
    let ctx = Ctx(0);
    let Value::Clusters(clusters) = value(clients, Feed::Clusters(ctx)).await else { panic!("clusters") };
    for cluster in clusters {
        let Value::Services(services) = value(clients, Feed::Services(ctx, cluster.arn.clone())).await else { panic!("services") };
        let Value::Tasks(tasks) = value(clients, Feed::Tasks(ctx, cluster.arn.clone())).await else { panic!("tasks") };
        for service in services {
            let scope = LogScope::Service(service.arn.clone());
            let mut streams = Vec::new();
            for task in tasks.iter().filter(|task| in_scope(task, &scope) && !task.stopped()) {
                let Value::TaskDefinition(definition) = value(clients, Feed::TaskDefinition(ctx, task.task_definition.clone())).await
                else {
                    panic!("definition")
                };
                streams.extend(whereabouts(task, &definition, &scope).into_iter().filter_map(|place| match place {
                    Whereabouts::Stream(stream) => Some(stream),
                    _ => None,
                }));
            }
            if streams.len() >= least {
                return (service.name.to_string(), streams);
            }
        }
    }
    panic!("no service has {least} streams")
}

/// A tail at work, and what it has said.
struct Listening {
    sources: watch::Sender<Arc<LogSources>>,
    heard: mpsc::Receiver<Outcome>,
    task: JoinHandle<()>,
    lines: Vec<LogLine>,
    state: TailState,
}

impl Listening {
    fn start(clients: &Clients, streams: Vec<LogStream>, since: i64, live: bool) -> Self {
        let sources = LogSources { ctx: Ctx(0), streams, since: Time::from_millisecond(since).unwrap(), live, glance: false };
        let (sources, receiver) = watch::channel(Arc::new(sources));
        let (tx, heard) = mpsc::channel(64);
        let api = clients.api(Ctx(0)).clone();
        let task = tokio::spawn(async move {
            let tx = &tx;
            tail(api, receiver, |outcome| async move { tx.send(outcome).await.is_ok() }).await;
        });
        Listening { sources, heard, task, lines: Vec::new(), state: TailState::default() }
    }

    async fn next(&mut self) -> Outcome {
        let outcome = timeout(PATIENCE, self.heard.recv()).await.expect("a tail speaks again and again").expect("a tail never gives up");
        if let Outcome::Lines(lines, state) = &outcome {
            self.lines.extend(lines.iter().cloned());
            self.state = state.clone();
        }
        outcome
    }

    /// Listens until something is so.
    async fn until(&mut self, what: &str, mut so: impl FnMut(&Listening) -> bool) {
        let wait = async {
            while !so(self) {
                self.next().await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"));
    }

    fn change(&self, change: impl FnOnce(&mut LogSources)) {
        self.sources.send_modify(|sources| {
            let mut new = LogSources::clone(sources);
            change(&mut new);
            *sources = Arc::new(new);
        });
    }

    /// Asks at once, as a refresh does.
    fn poke(&self) {
        self.change(|_| {});
    }

    fn repeats(&self) -> usize {
        self.lines.len() - self.lines.iter().map(|line| line.key).collect::<HashSet<_>>().len()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_service_is_read_from_the_past_into_the_present_without_gap_or_repeat() {
    let sim = small();
    let clients = clients(&sim).await;
    let (_, streams) = service_with_streams(&clients, 2).await;
    let since = sim.now() - 600_000;
    let mut tail = Listening::start(&clients, streams.clone(), since, false);
    tail.until("the past is read", |tail| tail.state.caught_up).await;
    let past = tail.lines.len();
    assert!(past > 0, "a service that runs has said something in ten minutes");
    assert!(tail.lines.iter().all(|line| line.at.as_millisecond() >= since));
    assert!(tail.lines.iter().map(|line| &line.source.stream).collect::<HashSet<_>>().len() >= 2, "several streams are merged");
    for _ in 0..5 {
        sim.step(Duration::from_mins(1));
        tail.poke();
        let before = tail.lines.len();
        tail.until("new lines come", |tail| tail.lines.len() > before).await;
    }
    assert_eq!(tail.repeats(), 0);
    // What a reader who asks later is told is what the follower heard, but for the last seconds, in which lines are still arriving.
    let mut late = Listening::start(&clients, streams, since, false);
    late.until("the past is read again", |late| late.state.caught_up).await;
    let settled = sim.now() - 20_000;
    let keys =
        |tail: &Listening| tail.lines.iter().filter(|line| line.at.as_millisecond() < settled).map(|line| line.key).collect::<HashSet<_>>();
    assert_eq!(keys(&tail), keys(&late));
    let filters = sim.take_calls().iter().filter(|call| call.operation == "FilterLogEvents").count();
    assert!(filters < 40, "streams are read together, in {filters} calls");
}

#[tokio::test]
async fn a_stream_that_does_not_exist_yet_is_waited_for_and_hides_no_other() {
    // Finding the missing one takes more calls than a bucket holds at a standstill, so here time goes on.
    let sim = Sim::start(Options::default()).unwrap();
    let clients = clients(&sim).await;
    let (_, mut streams) = service_with_streams(&clients, 2).await;
    let mut missing = streams[0].clone();
    missing.stream = "ecs/app/00000000000000000000000000000000".into();
    streams.push(missing);
    let mut tail = Listening::start(&clients, streams, sim.now() - 600_000, false);
    tail.until("the others are read", |tail| tail.state.caught_up && !tail.lines.is_empty()).await;
    assert_eq!(tail.state.waiting, 1);
    assert_eq!(tail.repeats(), 0);
}

#[tokio::test]
async fn a_log_group_that_does_not_exist_is_named() {
    let sim = small();
    let clients = clients(&sim).await;
    let (_, mut streams) = service_with_streams(&clients, 1).await;
    streams.truncate(1);
    streams[0].group = "/ecs/nowhere".into();
    let mut tail = Listening::start(&clients, streams, sim.now() - 60_000, false);
    tail.until("it is said", |tail| tail.state.note.is_some()).await;
    assert!(tail.state.note.as_ref().unwrap().contains("/ecs/nowhere does not exist"));
}

#[tokio::test]
async fn a_task_that_joins_is_read_from_the_start_of_the_range() {
    let sim = small();
    let clients = clients(&sim).await;
    let (_, streams) = service_with_streams(&clients, 2).await;
    let mut tail = Listening::start(&clients, streams[..1].to_vec(), sim.now() - 600_000, false);
    tail.until("the first is read", |tail| tail.state.caught_up).await;
    assert!(tail.lines.iter().all(|line| line.source.stream == streams[0].stream));
    tail.change(|sources| sources.streams.clone_from(&streams));
    tail.until("the second is read", |tail| tail.lines.iter().any(|line| line.source.stream == streams[1].stream)).await;
    assert_eq!(tail.repeats(), 0);
}

#[tokio::test]
async fn a_failure_is_told_and_the_tail_goes_on_when_it_has_passed() {
    let sim = small();
    let clients = clients(&sim).await;
    let (_, streams) = service_with_streams(&clients, 1).await;
    let denied = "[[fault]]\noperation = \"logs:FilterLogEvents\"\nkind = \"deny\"\n";
    sim.set_faults(denied).unwrap();
    let mut tail = Listening::start(&clients, streams, sim.now() - 600_000, false);
    let error = loop {
        if let Outcome::Failed(error) = tail.next().await {
            break error;
        }
    };
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.what.contains("logs:FilterLogEvents"), "{error}");
    sim.set_faults("").unwrap();
    tail.poke();
    tail.until("lines come", |tail| !tail.lines.is_empty()).await;
}

#[tokio::test]
async fn live_tail_brings_what_comes_and_nothing_twice() {
    let sim = small();
    let clients = clients(&sim).await;
    let (_, streams) = service_with_streams(&clients, 2).await;
    let mut tail = Listening::start(&clients, streams, sim.now() - 600_000, true);
    tail.until("Live Tail is on", |tail| tail.state.live).await;
    let before = tail.lines.len();
    for _ in 0..30 {
        sim.step(Duration::from_secs(10));
        if tail.lines.len() > before + 5 {
            break;
        }
        let _ = timeout(Duration::from_secs(2), tail.next()).await;
    }
    assert!(tail.lines.len() > before, "lines come by Live Tail");
    assert_eq!(tail.repeats(), 0);
    assert!(tail.state.live && tail.state.note.is_none(), "{:?}", tail.state);
}

#[tokio::test]
async fn a_denied_live_tail_falls_back_to_polling_and_says_so() {
    let sim = small();
    let clients = clients(&sim).await;
    let (_, streams) = service_with_streams(&clients, 1).await;
    sim.set_faults("[[fault]]\noperation = \"logs:StartLiveTail\"\nkind = \"deny\"\n").unwrap();
    let mut tail = Listening::start(&clients, streams, sim.now() - 600_000, true);
    tail.until("it is said", |tail| tail.state.note.is_some()).await;
    let note = tail.state.note.clone().unwrap();
    assert!(note.contains("logs:StartLiveTail") && note.ends_with("polling instead"), "{note}");
    let before = tail.lines.len();
    sim.step(Duration::from_mins(2));
    tail.poke();
    tail.until("lines come by polling", |tail| tail.lines.len() > before).await;
    assert!(!tail.state.live);
}

#[tokio::test]
async fn a_buffer_holds_what_the_tail_brought_in_order() {
    let sim = small();
    let clients = clients(&sim).await;
    let (_, streams) = service_with_streams(&clients, 2).await;
    let mut tail = Listening::start(&clients, streams, sim.now() - 600_000, false);
    let mut buffer = Buffer::default();
    while !buffer.state().caught_up {
        if let Outcome::Lines(lines, state) = tail.next().await {
            buffer.push(lines, state);
        }
    }
    assert_eq!(buffer.len(), tail.lines.len());
    assert!(buffer.heads().iter().is_sorted());
    let text = |line: &midwatch::logs::Line| line.log.text.chars().all(|c| c == '\n' || !c.is_control());
    assert!(buffer.heads().iter().flat_map(|key| buffer.group(key.id)).all(text));
}
