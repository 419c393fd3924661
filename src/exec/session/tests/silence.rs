//! A remote that falls silent with the connection standing, and one that is killed: the whole way to the embedded AWS over a socket, with
//! time that is counted instead of waited for.

use super::*;
use crate::feed::Feed;
use crate::finding;
use crate::model::{Arn, TaskStatus};
use crate::sim::{self, Sim};
use crate::store::Store;
use tokio::sync::watch;

/// A session with a shell of the embedded AWS, and what lets its time pass.
struct Long {
    sim: Option<Sim>,
    session: Session,
    passed: watch::Sender<Duration>,
}

impl Long {
    async fn open() -> Long {
        let sim = Sim::start(sim::Options { speed: 0.0, ..sim::Options::default() }).unwrap();
        let context = sim.contexts().iter().find(|context| context.name == "acme-prod").unwrap();
        let spec = ContextSpec {
            name: "test".into(),
            region: Some(context.region.clone()),
            endpoint_url: Some(sim.endpoint()),
            keys: Some((context.access_key.clone(), context.secret_key.clone())),
            session_token: context.session_token.clone(),
            ..ContextSpec::default()
        };
        let clients = aws::connect(vec![spec]).await.unwrap();
        let region = context.region.as_str().into();
        let fleet = Fleet(vec![Context { production: Some(false), profile: None, name: "test".into(), region }]);
        clients.gate().set(Rules::new(&Config::default(), &fleet, &[false]));
        let (mut store, cluster) = (Store::default(), Arn::from("payments-prod"));
        finding::ask(&clients, &mut store, &|_| vec![Feed::Tasks(Ctx(0), cluster.clone())]).await;
        let tasks = store.tasks(Ctx(0), &cluster).unwrap();
        let task = tasks.iter().find(|task| task.service() == Some("checkout") && task.status == TaskStatus::Running).unwrap();
        let api = clients.api(Ctx(0)).clone();
        let grant = api.execute_command(&task.cluster, &task.arn, "app", "sh").await.unwrap();
        let (passed, counted) = watch::channel(Duration::ZERO);
        let clock = Clock { counted: Some((Instant::now(), counted)) };
        let options = Options { size: (80, 24), trust: Trust::LoopbackToo };
        let session = begin(api, grant, options, (PACE, clock));
        let mut long = Long { sim: Some(sim), session, passed };
        long.shows("echo fir''st\r", "first").await;
        long
    }

    /// Types, and reads until the answer has come.
    async fn shows(&mut self, typed: &str, answer: &str) {
        input(&self.session, typed.as_bytes()).await;
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).contains(answer) {
            match said(&mut self.session).await {
                Some(Said::Output(bytes)) => shown.extend(bytes),
                Some(Said::Ready { .. } | Said::Resumed) => {}
                other => panic!("{other:?} instead of {answer}"),
            }
        }
    }

    /// Types and lets time pass until the connection is told to be lost: how much of it, and why.
    async fn until_lost(&mut self) -> (Duration, String) {
        let mut past = Duration::ZERO;
        loop {
            match timeout(Duration::from_millis(20), self.session.said.recv()).await {
                Ok(Some(Said::Lost { attempt: 1, why })) => return (past, why),
                Ok(Some(Said::Output(_))) => {}
                Ok(other) => panic!("{other:?}"),
                Err(_) => {
                    assert!(past < Duration::from_mins(10), "it is never noticed");
                    // The embedded AWS falls silent when it hears something.
                    let _ = self.session.asks.try_send(Ask::Input(b"x".to_vec()));
                    past += Duration::from_secs(1);
                    self.passed.send_modify(|passed| *passed += Duration::from_secs(1));
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remote_that_falls_silent_is_noticed_after_75_seconds_and_dialled_again() {
    let mut long = Long::open().await;
    long.sim.as_ref().unwrap().set_faults("[[channel]]\nkind = \"silence\"\ntimes = 1\n").unwrap();
    let (past, why) = long.until_lost().await;
    assert_eq!(why, "nothing was heard for 75 s");
    // Counted from the last that was heard, which was not at the very beginning.
    assert!((75..=120).contains(&past.as_secs()), "{past:?}");
    long.sim.as_ref().unwrap().set_faults("").unwrap();
    long.shows("\recho se''cond\r", "second").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remote_that_is_killed_is_noticed_before_that_and_leaving_it_is_clean() {
    let mut long = Long::open().await;
    let sim = long.sim.take().unwrap();
    let address = sim.addr();
    drop(sim);
    let (past, why) = long.until_lost().await;
    assert!(past <= Duration::from_secs(75), "{past:?}");
    assert!(!why.is_empty());
    assert!(TcpStream::connect(address).await.is_err(), "the other end still listens");
    long.session.asks.send(Ask::Leave).await.unwrap();
    let (_, rest) = to_the_end(&mut long.session).await;
    assert_eq!(rest.last(), Some(&Said::Ended(End::Left)));
}
