//! The commands about one container, against the embedded AWS with a real shell: the doctor, files both ways, forwarded ports.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.
#![cfg(unix)]

use midwatch::aws::{self, Clients, ContextSpec};
use midwatch::change::gate::{LONGEST, Rules};
use midwatch::config::{Config, Places};
use midwatch::exec::copy::Copied;
use midwatch::exec::forwards::Ports;
use midwatch::exec::notes::Notes;
use midwatch::feed::Feed;
use midwatch::finding::{self, CTX, Sought};
use midwatch::model::{Arn, Context, Fleet, Task, TaskStatus};
use midwatch::sim::{Options, Shell, Sim};
use midwatch::store::Store;
use midwatch::{copying, doctor, forwarding};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

const CLUSTER: &str = "payments-prod";

/// Long enough for anything that happens at all, even where the machine is busy.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(5);

/// The small scenario at a standstill, and clients of its first context.
struct World {
    sim: Sim,
    clients: Clients,
}

async fn world() -> World {
    let sim = Sim::start(Options { speed: 0.0, shell: Shell::Real, ..Options::default() }).unwrap();
    let context = sim.contexts().iter().find(|context| context.name == "acme-prod").unwrap();
    let spec = ContextSpec {
        name: context.name.clone(),
        profile: None,
        region: Some(context.region.clone()),
        endpoint_url: Some(sim.endpoint()),
        keys: Some((context.access_key.clone(), context.secret_key.clone())),
        session_token: context.session_token.clone(),
        clusters: Vec::new(),
    };
    let clients = aws::connect(vec![spec]).await.unwrap();
    let context = |(name, region)| Context { production: None, profile: None, name, region };
    let fleet = Fleet(clients.contexts().map(context).collect());
    clients.gate().set(Rules::new(&Config::default(), &fleet, &[false]));
    // As whoever writes a whole command does.
    clients.gate().arm(CTX, LONGEST, clients.api(CTX).now()).unwrap();
    World { sim, clients }
}

impl World {
    /// A running task of a service.
    async fn task(&self, service: &str) -> Arc<Task> {
        let (mut store, cluster) = (Store::default(), Arn::from(CLUSTER));
        finding::ask(&self.clients, &mut store, &|_| vec![Feed::Tasks(CTX, cluster.clone())]).await;
        let tasks = store.tasks(CTX, &cluster).unwrap();
        let runs = |task: &&Arc<Task>| task.service() == Some(service) && task.status == TaskStatus::Running;
        Arc::clone(tasks.iter().find(runs).unwrap())
    }

    /// Without a memory.
    fn notes() -> Notes {
        Notes { places: Places::default(), user: "tester".into(), context: "acme-prod".into() }
    }

    async fn copy(&self, from: String, to: String) -> Result<Copied, String> {
        let asked = copying::Asked { from, to, cluster: Some(CLUSTER.to_owned()), container: Some("app".to_owned()) };
        copying::copy(&self.clients, &asked, &Self::notes(), &mut |_, _| {}).await
    }
}

/// A directory of this test alone, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let path = std::env::temp_dir().join(format!("midwatch-beside-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bytes(length: usize) -> Vec<u8> {
    let mut state = 7u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// How much is copied and forwarded: more where the machine has time for it.
fn much() -> usize {
    let asked = std::env::var("MIDWATCH_TEST_BYTES").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(3_000_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_go_in_and_come_out_with_equal_hashes_and_leave_nothing_half_done() {
    let (world, folder) = (world().await, Folder::new());
    let task = world.task("checkout").await;
    let (own, there, back) = (folder.0.join("own"), folder.0.join("there"), folder.0.join("back"));
    let content = bytes(much());
    fs::write(&own, &content).unwrap();
    let copied = world.copy(own.display().to_string(), format!("{}:{}", task.arn.name(), there.display())).await.unwrap();
    assert_eq!((copied.bytes, copied.proven), (content.len() as u64, Some("SHA-256")));
    assert!(fs::read(&there).unwrap() == content, "what went in differs");
    let copied = world.copy(format!("{}:{}", task.arn, there.display()), back.display().to_string()).await.unwrap();
    assert_eq!((copied.bytes, copied.proven), (content.len() as u64, Some("SHA-256")));
    assert!(fs::read(&back).unwrap() == content, "what came back differs");
    let missing = world.copy(format!("{}:{}", task.arn.name(), folder.0.join("none").display()), back.display().to_string()).await;
    assert!(missing.unwrap_err().contains("has no file"));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 3, "something half done is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_goes_in_and_comes_out_as_it_is() {
    let (world, folder) = (world().await, Folder::new());
    let task = world.task("checkout").await;
    let (own, there, back) = (folder.0.join("own"), folder.0.join("there"), folder.0.join("back"));
    let content = bytes(200_000);
    fs::create_dir_all(own.join("a/b")).unwrap();
    fs::write(own.join("a/b/c"), &content).unwrap();
    let copied = world.copy(format!("{}/", own.display()), format!("{}:{}/", task.arn.name(), there.display())).await.unwrap();
    assert_eq!((copied.bytes, copied.files, copied.proven), (200_000, Some(1), Some("SHA-256")));
    assert!(fs::read(there.join("a/b/c")).unwrap() == content, "what went in differs");
    let copied = world.copy(format!("{}:{}/", task.arn, there.display()), back.display().to_string()).await.unwrap();
    assert_eq!((copied.bytes, copied.files, copied.proven), (200_000, Some(1), Some("SHA-256")));
    assert!(fs::read(back.join("a/b/c")).unwrap() == content, "what came back differs");
    assert!(copied.line().starts_with("1 file, 200000 bytes to"), "{}", copied.line());
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 3, "something half done is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_several_containers_is_asked_for() {
    let world = world().await;
    let task = world.task("checkout").await;
    let asked = copying::Asked {
        from: format!("{}:/etc/hosts", task.arn.name()),
        to: ".".to_owned(),
        cluster: Some(CLUSTER.to_owned()),
        container: None,
    };
    let several = copying::copy(&world.clients, &asked, &World::notes(), &mut |_, _| {}).await.unwrap_err();
    assert!(several.contains("choose one of app, envoy with --container"), "{several}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_nothing_where_exec_works_and_says_what_it_could_not_look_at() {
    let world = world().await;
    let task = world.task("checkout").await;
    let short = task.arn.name()[..12].to_owned();
    let mut asked = doctor::Asked { sought: Sought { task: short, cluster: None }, container: None, json: false };
    let mut lines = Vec::new();
    let went = doctor::examine(&world.clients, &asked, &mut |line| lines.push(line.to_owned())).await.unwrap();
    assert_eq!(went, doctor::Went::Well, "{lines:#?}");
    assert!(lines[0].contains("service checkout in payments-prod"), "{}", lines[0]);
    assert!(lines.iter().any(|line| line.starts_with("● enableExecuteCommand")), "{lines:#?}");
    for passed in ["caller's rights", "role's rights", "way to ssmmessages", "port forwarding"] {
        assert!(lines.iter().any(|line| line.starts_with(&format!("● {passed}"))), "{passed}: {lines:#?}");
    }
    assert!(lines.iter().any(|line| line.starts_with("? shell")), "{lines:#?}");
    asked.json = true;
    let mut json = String::new();
    doctor::examine(&world.clients, &asked, &mut |line| json = line.to_owned()).await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["ok"], json["containers"].as_array().unwrap().len()), (&serde_json::json!(true), 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_names_the_fix_where_a_task_was_started_without_exec() {
    let world = world().await;
    let (mut store, cluster) = (Store::default(), Arn::from(CLUSTER));
    finding::ask(&world.clients, &mut store, &|_| vec![Feed::Tasks(CTX, cluster.clone())]).await;
    let tasks = store.tasks(CTX, &cluster).unwrap();
    let without = tasks.iter().find(|task| !task.exec_enabled && task.status == TaskStatus::Running).unwrap();
    let sought = Sought { task: without.arn.to_string(), cluster: None };
    let asked = doctor::Asked { sought, container: None, json: false };
    let mut lines = Vec::new();
    let went = doctor::examine(&world.clients, &asked, &mut |line| lines.push(line.to_owned())).await.unwrap();
    assert_eq!(went, doctor::Went::Badly);
    let at = lines.iter().position(|line| line.starts_with("✖ enableExecuteCommand")).unwrap();
    assert!(lines[at + 1].contains("fix: enable exec for"), "{lines:#?}");
    let nobody = Sought { task: "ffffffffffff".to_owned(), cluster: Some(CLUSTER.to_owned()) };
    let asked = doctor::Asked { sought: nobody, container: None, json: false };
    assert!(doctor::examine(&world.clients, &asked, &mut |_| {}).await.unwrap_err().contains("has no task ffffffffffff"));
}

/// The body of an answer to `GET path`.
async fn get(port: u16, path: &str) -> Vec<u8> {
    got(port, path).await.unwrap()
}

/// The same, or nothing where the connection was closed before.
async fn got(port: u16, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(answer.split_off(head + 4))
}

/// A forward to port 8080 of a task: its lines, its port, what ends it, and what came of it.
async fn forward(
    world: &World,
) -> (mpsc::UnboundedReceiver<String>, u16, oneshot::Sender<()>, tokio::task::JoinHandle<Result<(), String>>) {
    let task = world.task("checkout").await;
    let sought = Sought { task: task.arn.to_string(), cluster: None };
    let asked = forwarding::Asked { sought, container: Some("app".to_owned()), ports: Ports { remote: 8080, local: 0, host: None } };
    let (lines, mut told) = mpsc::unbounded_channel::<String>();
    let (end, ended) = oneshot::channel::<()>();
    let (clients, notes) = (world.clients.clone(), World::notes());
    let forward = tokio::spawn(async move {
        let over = async {
            let _ = ended.await;
        };
        forwarding::forward(&clients, &asked, &notes, &mut |line| drop(lines.send(line.to_owned())), over).await
    });
    let line = told.recv().await.expect("a line once it is open");
    let port: u16 = line.split("127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    (told, port, end, forward)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forward_whose_session_timed_out_is_opened_again_by_the_next_connection() {
    let world = world().await;
    let (mut told, port, end, forward) = forward(&world).await;
    assert_eq!(get(port, "/bytes/1000").await.len(), 1000);
    // As after twenty minutes, without the twenty minutes; the simulator does it to a session with its next message.
    let why = "Your session timed out due to inactivity and has been terminated.";
    world.sim.set_faults(&format!("[[channel]]\nkind = \"closed\"\ntimes = 1\nmessage = \"{why}\"\n")).unwrap();
    let knocking = tokio::spawn(async move {
        loop {
            // What becomes of it is nobody's concern.
            let _ = got(port, "/bytes/10").await;
        }
    });
    let closed = loop {
        let line = told.recv().await.unwrap();
        if line.starts_with("the session is closed: ") {
            break line;
        }
    };
    assert_eq!(closed, format!("the session is closed: {why} · the next connection opens another one"));
    world.sim.set_faults("").unwrap();
    knocking.abort();
    let again = async { while got(port, "/bytes/1000").await.is_none_or(|body| body.len() != 1000) {} };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
    end.send(()).unwrap();
    forward.await.unwrap().unwrap();
    let mut lines = Vec::new();
    while let Some(line) = told.recv().await {
        lines.push(line);
    }
    assert!(lines.iter().any(|line| line == "the session is connected again"), "{lines:#?}");
    assert!(lines.last().unwrap().starts_with("ended 127.0.0.1:"), "{lines:#?}");
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "the port is still taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_connections_through_a_forward_get_equal_bytes_and_its_end_is_told() {
    let world = world().await;
    let (mut told, port, end, forward) = forward(&world).await;
    let each = much() / 50;
    let one = get(port, &format!("/bytes/{}", much())).await;
    assert_eq!(one.len(), much());
    let all: Vec<_> = (0..50).map(|_| tokio::spawn(async move { get(port, &format!("/bytes/{each}")).await })).collect();
    for body in all {
        let body = body.await.unwrap();
        assert_eq!(Sha256::digest(&body), Sha256::digest(&one[..each]));
    }
    end.send(()).unwrap();
    forward.await.unwrap().unwrap();
    let totals = told.recv().await.unwrap();
    assert!(totals.contains("51 connections"), "{totals}");
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "the port is still taken");
}
