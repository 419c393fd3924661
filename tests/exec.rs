//! Sessions inside containers from end to end: the program's client, real sockets, and the embedded AWS at the other end.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.
#![cfg(unix)]

#[path = "exec/command_line.rs"]
mod command_line;
#[path = "support/terminal.rs"]
mod terminal;
#[path = "exec/troubles.rs"]
mod troubles;

use midwatch::aws::{self, Clients, ContextSpec, ErrorKind};
use midwatch::change::gate::{Rules, Why};
use midwatch::config::Config;
use midwatch::exec::link::Trust;
use midwatch::exec::session::{Options, Session, open};
use midwatch::exec::{Ask, End, Said};
use midwatch::feed::{Feed, Outcome, Update, Wanted};
use midwatch::model::{Arn, Context, Ctx, Fleet, Task, TaskStatus};
use midwatch::sim::{self, Shell, Sim};
use midwatch::store::Store;
use midwatch::watch::Watcher;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Long enough for anything that happens at all, even where the machine is busy.
const PATIENCE: Duration = Duration::from_mins(5);

const CTX: Ctx = Ctx(0);

/// The embedded AWS at a standstill, and a way in.
struct World {
    sim: Sim,
    clients: Clients,
    cluster: Arn,
}

impl World {
    /// The small scenario's production, which has exec on and no key.
    async fn start(shell: Shell) -> World {
        let options = sim::Options { speed: 0.0, shell, ..sim::Options::default() };
        World::of(Sim::start(options).unwrap(), "acme-prod", "payments-prod").await
    }

    /// A cluster with a service for each reason for which a session does not begin, or one whose sessions are encrypted.
    async fn of_reasons(cluster: &'static str) -> World {
        let scenario = format!("{}/tests/sim_exec/reasons.toml", env!("CARGO_MANIFEST_DIR"));
        let options = sim::Options { scenario, speed: 0.0, shell: Shell::Real, ..sim::Options::default() };
        World::of(Sim::start(options).unwrap(), "acme", cluster).await
    }

    async fn of(sim: Sim, context: &str, cluster: &str) -> World {
        let info = sim.contexts().iter().find(|known| known.name == context).unwrap().clone();
        let spec = ContextSpec {
            name: info.name.clone(),
            region: Some(info.region.clone()),
            endpoint_url: Some(sim.endpoint()),
            keys: Some((info.access_key.clone(), info.secret_key.clone())),
            session_token: info.session_token.clone(),
            ..ContextSpec::default()
        };
        let clients = aws::connect(vec![spec]).await.unwrap();
        clients.gate().set(rules());
        let cluster = Arn(format!("arn:aws:ecs:{}:{}:cluster/{cluster}", info.region, info.account).as_str().into());
        World { sim, clients, cluster }
    }

    /// A running task of a service.
    async fn task(&self, service: &str) -> Arc<Task> {
        let cluster = self.cluster.clone();
        let (tx, mut updates) = mpsc::channel::<Update>(64);
        let mut watcher = Watcher::new(self.clients.clone(), tx);
        let feed = Feed::Tasks(CTX, cluster.clone());
        watcher.reconcile(&[Wanted::Poll { feed: feed.clone(), focus: true }]);
        let mut store = Store::default();
        let found = async {
            loop {
                let update = updates.recv().await.unwrap();
                assert!(!matches!(update.outcome, Outcome::Failed(_)), "{update:?}");
                store.apply(update);
                // Those that stopped may be told of first.
                let runs = |task: &&Arc<Task>| task.service() == Some(service) && task.status == TaskStatus::Running;
                if let Some(task) = store.tasks(CTX, &cluster).unwrap_or_default().iter().find(runs) {
                    return Arc::clone(task);
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap()
    }

    async fn open(&self, command: &str) -> Session {
        let task = self.task("checkout").await;
        self.open_in(&task, command).await.unwrap()
    }

    async fn open_in(&self, task: &Task, command: &str) -> Result<Session, aws::AwsError> {
        let api = self.clients.api(CTX);
        let grant = api.execute_command(&task.cluster, &task.arn, "app", command).await?;
        assert!(grant.target.starts_with(&format!("ecs:{}_", self.cluster.name())) && !grant.target.ends_with('_'), "{grant:?}");
        Ok(open(api.clone(), grant, Options { size: (91, 17), trust: Trust::of(api) }))
    }
}

/// Nothing is production, so that nothing is locked.
fn rules() -> Rules {
    let fleet = Fleet(vec![Context { production: Some(false), profile: None, name: "acme-prod".into(), region: "eu-west-1".into() }]);
    Rules::new(&Config::default(), &fleet, &[false])
}

async fn said(session: &mut Session) -> Option<Said> {
    timeout(PATIENCE, session.said.recv()).await.unwrap()
}

/// Reads output until it holds the text; everything that was shown. The text is what nobody types: whether a prompt or
/// a line's end stands before an answer is open, since what is typed early is echoed before the prompt.
async fn shows(session: &mut Session, text: &str) -> String {
    let (mut shown, mut from) = (String::new(), 0);
    while !shown[from..].contains(text) {
        // Of a flood only the end is looked through again.
        from = shown.len().saturating_sub(text.len());
        from = (0..=from).rev().find(|at| shown.is_char_boundary(*at)).unwrap_or(0);
        match said(session).await {
            Some(Said::Output(bytes)) => shown.push_str(&String::from_utf8_lossy(&bytes)),
            Some(Said::Ended(end)) => panic!("ended before {text:?} came: {end:?} after {shown}"),
            None => panic!("nothing more is said, and {text:?} never came: {shown}"),
            Some(_) => {}
        }
    }
    shown
}

async fn types(session: &Session, text: &str) {
    session.asks.send(Ask::Input(text.into())).await.unwrap();
}

/// Begins to send so many bytes without a pattern; their hash when all are out.
fn sends(session: &Session, length: usize) -> JoinHandle<String> {
    let asks = session.asks.clone();
    tokio::spawn(async move {
        let (mut hash, mut state) = (Sha256::new(), 1_u32);
        for _ in 0..length / 4000 {
            let bytes: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .take(4000)
            .collect();
            hash.update(&bytes);
            asks.send(Ask::Input(bytes)).await.unwrap();
        }
        hex(&hash.finalize())
    })
}

/// How it ended, and what was said besides output on the way.
async fn ends(session: &mut Session) -> (End, Vec<Said>) {
    let mut others = Vec::new();
    loop {
        match said(session).await {
            Some(Said::Ended(end)) => return (end, others),
            Some(Said::Output(_)) => {}
            Some(other) => others.push(other),
            None => panic!("it never said how it ended"),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[tokio::test]
async fn the_built_in_shell_answers_and_exit_ends_the_session() {
    let world = World::start(Shell::Builtin).await;
    let mut session = world.open("sh").await;
    types(&session, "echo it-is-$((1))-here\r").await;
    shows(&mut session, "-here").await;
    types(&session, "exit\r").await;
    assert_eq!(ends(&mut session).await.0, End::Closed(None));
}

#[tokio::test]
async fn keys_typed_before_the_shell_is_there_are_all_heard_and_its_size_is_the_terminals() {
    let world = World::start(Shell::Real).await;
    let mut session = world.open("/bin/sh").await;
    types(&session, "stty size; ").await;
    types(&session, "echo e''nd\r").await;
    let shown = shows(&mut session, "end").await;
    assert!(shown.contains("17 91"), "{shown}");
    session.asks.send(Ask::Size { columns: 120, rows: 50 }).await.unwrap();
    // The size goes its own way; until it is there the shell tells the old one.
    types(&session, "while [ \"$(stty size)\" != '50 120' ]; do :; done; echo resi''zed\r").await;
    shows(&mut session, "resized").await;
}

#[tokio::test]
async fn a_cluster_with_a_key_encrypts_its_sessions_both_ways() {
    let world = World::of_reasons("sealed").await;
    let task = world.task("vault").await;
    let mut session = world.open_in(&task, "/bin/sh").await.unwrap();
    // Kept until the handshake is over.
    types(&session, "echo se''aled\r").await;
    let ready = said(&mut session).await;
    assert!(matches!(&ready, Some(Said::Ready { agent: Some(_), encrypted: true, message: Some(_) })), "{ready:?}");
    shows(&mut session, "sealed").await;
    types(&session, "exit\r").await;
    assert_eq!(ends(&mut session).await.0, End::Closed(None));
}

#[tokio::test]
async fn an_agent_that_may_not_decrypt_says_so() {
    let world = World::of_reasons("sealed").await;
    let task = world.task("vault-shut").await;
    let mut session = world.open_in(&task, "/bin/sh").await.unwrap();
    let (end, _) = ends(&mut session).await;
    assert!(matches!(&end, End::Closed(Some(why)) if why.contains("data key")), "{end:?}");
}

#[tokio::test]
async fn a_task_whose_network_has_no_way_out_is_refused_in_ecss_words() {
    let world = World::of_reasons("main").await;
    for (service, code, words) in [
        ("network", "TargetNotConnectedException", "internal error"),
        ("off", "InvalidParameterException", "execute command was not enabled"),
    ] {
        let task = world.task(service).await;
        let refused = world.open_in(&task, "/bin/sh").await.unwrap_err();
        assert_eq!(refused.code.as_deref(), Some(code), "{service}");
        assert!(refused.what.contains(words), "{service}: {}", refused.what);
    }
}

#[tokio::test]
async fn signals_reach_the_remote() {
    let world = World::start(Shell::Real).await;
    // Not at a prompt: some shells run a trap only after the next line.
    let traps = "trap \"echo it-was-INT\" INT; trap \"echo it-was-QUIT\" QUIT; trap \"echo it-was-TSTP\" TSTP";
    let mut session = world.open(&format!("sh -c '{traps}; echo ready; while :; do sleep 0.05; done'")).await;
    shows(&mut session, "ready").await;
    for (key, name) in [("\x03", "INT"), ("\x1c", "QUIT"), ("\x1a", "TSTP")] {
        types(&session, key).await;
        shows(&mut session, &format!("it-was-{name}")).await;
    }
}

#[tokio::test]
async fn a_program_that_is_missing_is_told_in_the_agents_words() {
    let world = World::start(Shell::Real).await;
    let mut session = world.open("no-such-shell").await;
    let (end, _) = ends(&mut session).await;
    assert!(matches!(&end, End::Closed(Some(why)) if why.contains("Unable to start command")), "{end:?}");
}

#[tokio::test]
async fn forty_megabytes_come_out_whole() {
    let world = World::start(Shell::Real).await;
    let mut expected = Sha256::new();
    let mut length = 0;
    for n in 0..5_200_000_u32 {
        let line = format!("{n}\n");
        length += line.len();
        expected.update(&line);
    }
    assert!(length > 40_000_000);
    let mut session = world.open("sh -c 'stty raw -echo; seq 0 5199999'").await;
    let (mut hash, mut came) = (Sha256::new(), 0);
    loop {
        match said(&mut session).await {
            Some(Said::Output(bytes)) => {
                came += bytes.len();
                hash.update(&bytes);
            }
            Some(Said::Ended(end)) => {
                assert_eq!(end, End::Closed(None));
                break;
            }
            Some(Said::Ready { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((came, hex(&hash.finalize())), (length, hex(&expected.finalize())));
}

#[tokio::test]
async fn forty_megabytes_go_in_whole() {
    const LENGTH: usize = 40_000_000;
    let world = World::start(Shell::Real).await;
    let command = format!("sh -c 'stty raw -echo; echo rea\"\"dy; head -c {LENGTH} | (sha256sum || shasum -a 256)'");
    let mut session = world.open(&command).await;
    shows(&mut session, "ready").await;
    let sending = sends(&session, LENGTH);
    let mut told = String::new();
    while !told.contains(" -") {
        match said(&mut session).await {
            Some(Said::Output(bytes)) => told.push_str(&String::from_utf8_lossy(&bytes)),
            Some(Said::Ready { .. }) => {}
            other => panic!("{other:?} after {told}"),
        }
    }
    let expected = sending.await.unwrap();
    assert!(told.contains(&expected), "{told} and not {expected}");
}

#[tokio::test]
async fn an_interrupt_stops_a_flood_that_nobody_reads() {
    let world = World::start(Shell::Real).await;
    let mut session = world.open("/bin/sh").await;
    types(&session, "yes; echo stop''ped\r").await;
    shows(&mut session, "y\r\ny\r\n").await;
    // Nothing is read here: the way back is full, and the key goes through all the same.
    types(&session, "\x03").await;
    // What is typed right after an interrupt the shell throws away, so it is typed until it is heard.
    let heard = async {
        loop {
            types(&session, "echo stop''ped\r").await;
            if timeout(Duration::from_secs(2), shows(&mut session, "stopped")).await.is_ok() {
                return;
            }
        }
    };
    timeout(PATIENCE, heard).await.unwrap();
}

#[tokio::test]
async fn the_hourly_goodbye_is_not_noticed() {
    let world = World::start(Shell::Real).await;
    let mut session = world.open("/bin/sh").await;
    types(&session, "kept=yes; echo n''0\r").await;
    shows(&mut session, "n0").await;
    let mut others = Vec::new();
    for n in 1..=5 {
        // Less than the idle timeout, more than an hour together.
        world.sim.step(Duration::from_mins(15));
        types(&session, &format!("echo n''{n}-$kept\r")).await;
        let mut shown = String::new();
        while !shown.contains(&format!("n{n}-yes")) {
            match said(&mut session).await {
                Some(Said::Output(bytes)) => shown.push_str(&String::from_utf8_lossy(&bytes)),
                Some(other) => others.push(other),
                None => panic!("it ended after {shown}"),
            }
        }
    }
    assert_eq!(others, []);
}

#[tokio::test]
async fn a_session_that_is_left_frees_its_place() {
    let world = World::start(Shell::Builtin).await;
    let task = world.task("checkout").await;
    let mut first = world.open_in(&task, "sh").await.unwrap();
    let _second = world.open_in(&task, "sh").await.unwrap();
    let refused = world.open_in(&task, "sh").await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("TargetNotConnectedException"), "two at once is all that the agent takes");
    first.asks.send(Ask::Leave).await.unwrap();
    assert_eq!(ends(&mut first).await.0, End::Left);
    assert_eq!(said(&mut first).await, None, "and now AWS knows");
    // The simulator ends it a moment later.
    let again = async { while world.open_in(&task, "sh").await.is_err() {} };
    timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn an_idle_session_ends_with_awss_words() {
    let world = World::start(Shell::Builtin).await;
    let mut session = world.open("sh").await;
    types(&session, "echo he''re\r").await;
    shows(&mut session, "here").await;
    // The prompt may still be on its way, and is no idleness.
    let ended = async {
        loop {
            world.sim.step(Duration::from_mins(21));
            if let Ok((end, _)) = timeout(Duration::from_secs(2), ends(&mut session)).await {
                return end;
            }
        }
    };
    let end = timeout(PATIENCE, ended).await.unwrap();
    assert!(matches!(&end, End::Closed(Some(why)) if why.contains("timed out due to inactivity")), "{end:?}");
}

#[tokio::test]
async fn the_end_of_the_other_side_is_told_and_leaving_waits_for_nothing() {
    let world = World::start(Shell::Builtin).await;
    let mut session = world.open("sh").await;
    types(&session, "echo he''re\r").await;
    shows(&mut session, "here").await;
    drop(world.sim);
    // The prompt may still be on its way.
    let lost = loop {
        match said(&mut session).await {
            Some(Said::Output(_)) => {}
            other => break other,
        }
    };
    assert!(matches!(lost, Some(Said::Lost { attempt: 1, .. })), "{lost:?}");
    session.asks.send(Ask::Leave).await.unwrap();
    let (end, _) = ends(&mut session).await;
    assert_eq!(end, End::Left);
}

#[tokio::test]
async fn a_program_that_is_read_only_opens_no_session() {
    let world = World::start(Shell::Builtin).await;
    let task = world.task("checkout").await;
    world.clients.gate().set(rules().locked(Some(Why::Flag)));
    let refused = world.open_in(&task, "sh").await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Locked);
    assert!(refused.what.contains("--read-only"), "{}", refused.what);
    let refused = world.clients.api(CTX).start_port_session("ecs:payments-prod_0123_0123-1", 80, None).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Locked);
}
