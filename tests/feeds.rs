//! The feeds through the real SDK against the embedded AWS: complete lists within the budget, rows that stay what they were,
//! and failures that say what they are and pass by themselves.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use jiff::Timestamp;
use midwatch::aws::{Clients, ContextSpec, ErrorKind, Poll, connect};
use midwatch::budget::{Priority, Throttle};
use midwatch::feed::{Feed, Outcome, RawOf, Update, Value, Wanted};
use midwatch::model::{Arn, ContainerDefinition, Ctx, LogScope, LogSources, LogStream, Service, Task, TaskStatus};
use midwatch::sim::{Options, Sim};
use midwatch::watch::Watcher;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Long enough for anything that happens at all; nobody waits for it when it happens.
const PATIENCE: Duration = Duration::from_mins(5);

/// The small world at a standstill, so that only steps move it.
fn small() -> Sim {
    Sim::start(Options { speed: 0.0, ..Options::default() }).unwrap()
}

fn specs(sim: &Sim) -> Vec<ContextSpec> {
    let spec = |info: &midwatch::sim::ContextInfo| ContextSpec {
        name: info.name.clone(),
        region: Some(info.region.clone()),
        endpoint_url: Some(sim.endpoint()),
        keys: Some((info.access_key.clone(), info.secret_key.clone())),
        session_token: info.session_token.clone(),
        ..ContextSpec::default()
    };
    sim.contexts().iter().map(spec).collect()
}

async fn clients(sim: &Sim) -> Clients {
    connect(specs(sim)).await.unwrap()
}

fn poll(clients: &Clients, feed: Feed) -> Poll {
    Poll::new(clients.api(feed.ctx()).clone(), feed)
}

async fn ask(poll: &mut Poll) -> Result<Outcome, midwatch::aws::AwsError> {
    poll.ask(Priority::Focus, &mut |_, _| {}).await
}

async fn value(clients: &Clients, feed: Feed) -> Value {
    match ask(&mut poll(clients, feed)).await.unwrap() {
        Outcome::Whole(value) => value,
        other => panic!("{other:?} is not a whole answer"),
    }
}

async fn clusters(clients: &Clients, ctx: Ctx) -> Vec<Arn> {
    let Value::Clusters(clusters) = value(clients, Feed::Clusters(ctx)).await else { panic!("clusters") };
    clusters.iter().map(|cluster| cluster.arn.clone()).collect()
}

async fn services(clients: &Clients, ctx: Ctx, cluster: &Arn) -> Vec<Arc<Service>> {
    let Value::Services(services) = value(clients, Feed::Services(ctx, cluster.clone())).await else { panic!("services") };
    services
}

async fn tasks(clients: &Clients, ctx: Ctx, cluster: &Arn) -> Vec<Arc<Task>> {
    let Value::Tasks(tasks) = value(clients, Feed::Tasks(ctx, cluster.clone())).await else { panic!("tasks") };
    tasks
}

#[tokio::test]
async fn the_feeds_walk_from_clusters_to_targets() {
    let sim = small();
    let clients = clients(&sim).await;
    let (mut definitions, mut groups, mut deployed) = (HashSet::new(), HashSet::new(), 0);
    for (index, info) in sim.contexts().iter().enumerate() {
        let ctx = Ctx(u16::try_from(index).unwrap());
        let Value::Identity(identity) = value(&clients, Feed::Identity(ctx)).await else { panic!("identity") };
        assert_eq!(*identity.account, *info.account);
        for cluster in clusters(&clients, ctx).await {
            let services = services(&clients, ctx, &cluster).await;
            let tasks = tasks(&clients, ctx, &cluster).await;
            assert!(services.iter().all(|service| service.cluster == cluster && !service.name.is_empty()));
            for service in services.iter().filter(|service| service.running > 0) {
                let of_it = tasks.iter().filter(|task| task.service() == Some(&service.name) && !task.stopped()).count();
                assert!(of_it >= usize::try_from(service.running).unwrap(), "{} has {of_it} tasks", service.name);
                groups.extend(service.load_balancers.iter().filter_map(|balancer| Some((ctx, balancer.target_group.clone()?))));
                let Value::ServiceDeployments(deployments) = value(&clients, Feed::ServiceDeployments(ctx, service.arn.clone())).await
                else {
                    panic!("deployments")
                };
                assert!(deployments.is_sorted_by(|a, b| a.created_at >= b.created_at));
                deployed += deployments.len();
                let Value::Services(one) = value(&clients, Feed::Service(ctx, service.arn.clone())).await else { panic!("service") };
                assert_eq!(one, [Arc::clone(service)]);
            }
            definitions.extend(tasks.iter().map(|task| (ctx, task.task_definition.clone())));
        }
    }
    assert!(deployed > 0 && !groups.is_empty() && !definitions.is_empty());
    for (ctx, arn) in definitions {
        let Value::TaskDefinition(definition) = value(&clients, Feed::TaskDefinition(ctx, arn.clone())).await else { panic!("definition") };
        assert_eq!((&definition.arn, definition.containers.is_empty()), (&arn, false));
    }
    for (ctx, arn) in groups {
        let Value::TargetGroup(group) = value(&clients, Feed::TargetGroup(ctx, arn.clone())).await else { panic!("target group") };
        let Value::Targets(targets) = value(&clients, Feed::Targets(ctx, arn.clone())).await else { panic!("targets") };
        assert!(group.arn == arn && group.interval_seconds > 0 && !targets.is_empty());
    }
}

#[tokio::test]
async fn a_thousand_services_take_a_hundred_and_twelve_calls_and_none_is_throttled() {
    let set = [("services", "1000"), ("tasks", "1000"), ("clusters", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let sim = Sim::start(Options { scenario: "large".to_owned(), set: set.to_vec(), ..Options::default() }).unwrap();
    let clients = clients(&sim).await;
    let arns = clusters(&clients, Ctx(0)).await;
    assert_eq!(arns.len(), 1);
    let mut poll = poll(&clients, Feed::Services(Ctx(0), arns[0].clone()));
    let (mut parts, mut told) = (0, 0);
    let outcome = poll
        .ask(Priority::Focus, &mut |value, of| {
            let Value::Services(rows) = value else { panic!("services") };
            assert!(of <= 1000);
            (parts, told) = (parts + 1, told + rows.len());
        })
        .await
        .unwrap();
    let Outcome::Whole(Value::Services(services)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(services.len(), 1000);
    assert!(parts > 1 && told <= 1000, "{told} rows came in {parts} parts before the list was whole");
    let calls = sim.take_calls();
    assert_eq!(calls.len(), 112);
    assert!(calls.iter().all(|call| call.status == 200), "none is throttled");
    assert_eq!(clients.meter().throttled_recently, 0);
}

#[tokio::test]
async fn an_answer_that_did_not_change_says_so_and_a_row_that_did_comes_alone() {
    let sim = small();
    let clients = clients(&sim).await;
    let cluster = clusters(&clients, Ctx(0)).await[0].clone();
    let mut poll = poll(&clients, Feed::Tasks(Ctx(0), cluster));
    let first = ask(&mut poll).await.unwrap();
    let Outcome::Whole(Value::Tasks(before)) = first else { panic!("{first:?}") };
    assert!(matches!(ask(&mut poll).await.unwrap(), Outcome::Same));
    let mut after = None;
    for _ in 0..60 {
        sim.step(Duration::from_secs(20));
        if let Outcome::Whole(Value::Tasks(rows)) = ask(&mut poll).await.unwrap() {
            after = Some(rows);
            break;
        }
    }
    let after = after.expect("the small world moves within twenty minutes");
    let kept = after.iter().filter(|row| before.iter().any(|old| Arc::ptr_eq(old, row))).count();
    assert!(kept > 0, "{kept} of {} rows are the same", after.len());
    let recalled = poll.recall().expect("it was answered");
    assert!(matches!(recalled.0, Outcome::Whole(Value::Tasks(rows)) if rows.len() == after.len()));
}

#[tokio::test]
async fn stopped_tasks_are_described_once() {
    let sim = small();
    let clients = clients(&sim).await;
    let mut stopped = None;
    for cluster in clusters(&clients, Ctx(0)).await {
        if tasks(&clients, Ctx(0), &cluster).await.iter().any(|task| task.stopped()) {
            stopped = Some(cluster);
        }
    }
    let cluster = stopped.expect("the small world has a service that fails");
    let mut poll = poll(&clients, Feed::Tasks(Ctx(0), cluster));
    let described = |sim: &Sim| sim.take_calls().iter().filter(|call| call.operation == "DescribeTasks").count();
    drop(sim.take_calls());
    ask(&mut poll).await.unwrap();
    let first = described(&sim);
    ask(&mut poll).await.unwrap();
    assert!(first >= 2 && described(&sim) < first, "running and stopped come in lists of their own");
}

#[tokio::test]
async fn what_aws_sent_is_shown_with_its_secrets_masked() {
    let sim = small();
    let clients = clients(&sim).await;
    let mut seen = 0;
    for cluster in clusters(&clients, Ctx(0)).await {
        let Value::Raw(json) = value(&clients, Feed::Raw(Ctx(0), RawOf::Cluster(cluster.clone()))).await else { panic!("json") };
        assert!(json.contains("\"clusterArn\""));
        for service in services(&clients, Ctx(0), &cluster).await {
            let Value::Raw(json) = value(&clients, Feed::Raw(Ctx(0), RawOf::Service(cluster.clone(), service.arn.clone()))).await else {
                panic!("json")
            };
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(json["serviceName"], *service.name);
            let arn = &service.task_definition;
            let Value::Raw(json) = value(&clients, Feed::Raw(Ctx(0), RawOf::TaskDefinition(arn.clone()))).await else { panic!("json") };
            assert!(json.contains("\"containerDefinitions\""));
            seen += 1;
        }
    }
    assert!(seen > 3);
    let gone = Arn::from("arn:aws:ecs:eu-west-1:1:service/none/none");
    let cluster = clusters(&clients, Ctx(0)).await[0].clone();
    let error = ask(&mut poll(&clients, Feed::Raw(Ctx(0), RawOf::Service(cluster, gone)))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

fn faults(sim: &Sim, operation: &str, kind: &str) {
    sim.set_faults(&format!("[[fault]]\noperation = '{operation}'\nkind = '{kind}'\n")).unwrap();
}

#[tokio::test]
async fn every_kind_of_trouble_is_told_by_its_name_and_passes() {
    let sim = small();
    let clients = clients(&sim).await;
    let mut clusters = poll(&clients, Feed::Clusters(Ctx(0)));
    let broke_off = format!("Cannot list the clusters: the connection to {} broke off", sim.addr());
    let trouble = [
        ("deny", ErrorKind::Denied, "Cannot list the clusters: AccessDenied for ecs:ListClusters"),
        ("expired_token", ErrorKind::Expired, "Cannot list the clusters: the credentials have expired (ExpiredToken)"),
        ("malformed", ErrorKind::Malformed, "Cannot list the clusters: the reply could not be read"),
        ("reset", ErrorKind::Network, &broke_off),
    ];
    for (kind, expected, what) in trouble {
        faults(&sim, "ecs:ListClusters", kind);
        let error = ask(&mut clusters).await.unwrap_err();
        assert_eq!((error.kind, &*error.what), (expected, what), "{kind}");
        assert!(!error.hint.is_empty(), "{kind}");
        sim.set_faults("").unwrap();
        ask(&mut clusters).await.unwrap();
    }
}

#[tokio::test]
async fn an_endpoint_that_nobody_serves_refuses_the_connection() {
    let (specs, port) = {
        let sim = small();
        (specs(&sim), sim.addr().port())
    };
    let clients = connect(specs).await.unwrap();
    let error = ask(&mut poll(&clients, Feed::Clusters(Ctx(0)))).await.unwrap_err();
    let what = format!("Cannot list the clusters: 127.0.0.1:{port} refuses the connection");
    assert_eq!((error.kind, &*error.what), (ErrorKind::Network, &*what));
}

#[tokio::test]
async fn a_throttle_halves_the_rate_and_the_call_is_sent_again() {
    let sim = small();
    let clients = clients(&sim).await;
    sim.set_faults("[[fault]]\noperation = 'ecs:ListClusters'\nevery = 2\nkind = 'throttle'\n").unwrap();
    let mut clusters = poll(&clients, Feed::Clusters(Ctx(0)));
    for _ in 0..2 {
        ask(&mut clusters).await.unwrap();
    }
    assert!(sim.calls().iter().any(|call| call.error_code.as_deref() == Some("ThrottlingException")));
    let (now, full) = clients.api(Ctx(0)).budget().rate(Throttle::ClusterRead);
    assert!(now < full * 0.6, "{now} of {full}");
    assert_eq!(clients.meter().throttled_recently, 1);
    let (other, full) = clients.api(Ctx(0)).budget().rate(Throttle::ServiceRead);
    assert!((other - full).abs() < f64::EPSILON, "only the bucket that was throttled slows down");
}

#[tokio::test]
async fn where_listing_is_denied_the_clusters_that_the_user_named_are_described() {
    let sim = small();
    let arn = clusters(&clients(&sim).await, Ctx(0)).await[0].clone();
    let mut specs = specs(&sim);
    specs[0].clusters = vec![arn.name().to_owned()];
    let clients = connect(specs).await.unwrap();
    faults(&sim, "ecs:ListClusters", "deny");
    let mut poll = poll(&clients, Feed::Clusters(Ctx(0)));
    let outcome = ask(&mut poll).await.unwrap();
    assert!(matches!(outcome, Outcome::Whole(Value::Clusters(rows)) if rows.len() == 1 && rows[0].arn == arn));
    assert!(matches!(ask(&mut poll).await.unwrap(), Outcome::Same));
    let by_name = services(&clients, Ctx(0), &Arn::from(arn.name())).await;
    assert!(!by_name.is_empty() && by_name.iter().all(|service| service.cluster == arn));
}

#[tokio::test]
async fn logs_are_filtered_described_and_tailed() {
    let sim = Sim::start(Options::default()).unwrap();
    let clients = clients(&sim).await;
    let api = clients.api(Ctx(0));
    let (mut group, mut region) = (None, None);
    for cluster in clusters(&clients, Ctx(0)).await {
        for service in services(&clients, Ctx(0), &cluster).await.iter().filter(|service| service.running > 0) {
            let Value::TaskDefinition(definition) = value(&clients, Feed::TaskDefinition(Ctx(0), service.task_definition.clone())).await
            else {
                panic!("definition")
            };
            let logs = definition.containers.iter().filter_map(|container| container.logs.as_ref()).find(|logs| &*logs.driver == "awslogs");
            if let Some(logs) = logs {
                (group, region) = (logs.option("awslogs-group").cloned(), logs.option("awslogs-region").cloned());
            }
        }
    }
    let (group, region) = (group.expect("a group"), region.expect("a region"));
    let found = api.log_group(&region, &group).await.unwrap();
    assert!(found.arn.ends_with(&format!(":log-group:{group}")), "{}", found.arn);
    let (since, mut token, mut events) = (sim.now() - 600_000, None, Vec::new());
    loop {
        let page = api.filter_log_events(&region, &group, &[], since, None, token).await.unwrap();
        events.extend(page.events);
        token = page.next;
        if token.is_none() || events.len() > 100 {
            break;
        }
    }
    assert!(!events.is_empty() && events.iter().all(|event| !event.id.is_empty() && !event.stream.is_empty()));
    let mut tail = tokio::time::timeout(PATIENCE, api.live_tail(&region, &found.arn, &[])).await.unwrap().unwrap();
    let batch = tokio::time::timeout(PATIENCE, tail.next()).await.unwrap();
    assert!(matches!(batch, Some(Ok(_))), "{batch:?}");
    let error = api.log_group(&region, "/no/such/group").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    let error = api.filter_log_events(&region, "/no/such/group", &[], 0, None, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn credentials_are_resolved_for_all_contexts_at_once() {
    let sim = small();
    let clients = clients(&sim).await;
    let resolved = clients.resolve(PATIENCE).await;
    assert_eq!((resolved.len(), resolved.iter().all(Result::is_ok)), (sim.contexts().len(), true));
    assert_eq!(sim.calls().len(), 0, "keys need no call");
}

#[tokio::test]
async fn the_clock_of_aws_is_learnt() {
    let sim = small();
    let clients = clients(&sim).await;
    clusters(&clients, Ctx(0)).await;
    let before = clients.clock_skew_ms();
    sim.step(Duration::from_hours(2));
    clusters(&clients, Ctx(0)).await;
    let minutes = (clients.clock_skew_ms() - before) / 60_000;
    assert!((118..=122).contains(&minutes), "{minutes} min");
}

/// A watcher on a simulator, and what it says.
struct Watched {
    sim: Sim,
    watcher: Watcher,
    updates: mpsc::Receiver<Update>,
}

impl Watched {
    async fn new(sim: Sim) -> Self {
        let (tx, updates) = mpsc::channel(64);
        Watched { watcher: Watcher::new(clients(&sim).await, tx), updates, sim }
    }

    fn want(&mut self, feeds: &[Feed]) {
        let wanted: Vec<Wanted> = feeds.iter().map(|feed| Wanted::Poll { feed: feed.clone(), focus: true }).collect();
        self.watcher.reconcile(&wanted);
    }

    /// The next update that `wanted` accepts.
    async fn next(&mut self, wanted: impl Fn(&Update) -> bool) -> Update {
        let search = async {
            loop {
                let update = self.updates.recv().await.expect("the watcher lives");
                if wanted(&update) {
                    return update;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("it comes")
    }
}

fn answered(update: &Update) -> bool {
    matches!(update.outcome, Outcome::Whole(_) | Outcome::Same)
}

fn failed(update: &Update) -> Option<ErrorKind> {
    match &update.outcome {
        Outcome::Failed(error) => Some(error.kind),
        _ => None,
    }
}

#[tokio::test]
async fn a_hang_in_one_context_delays_no_other() {
    let mut watched = Watched::new(small()).await;
    let hung = watched.sim.contexts()[0].name.clone();
    watched.sim.set_faults(&format!("[[fault]]\ncontext = '{hung}'\nkind = 'hang'\n")).unwrap();
    watched.want(&[Feed::Clusters(Ctx(0)), Feed::Clusters(Ctx(1)), Feed::Identity(Ctx(1))]);
    let start = Instant::now();
    for _ in 0..2 {
        let update = watched.next(|update| failed(update).is_some() || update.feed.ctx() == Ctx(1) && answered(update)).await;
        assert_eq!((update.feed.ctx(), failed(&update)), (Ctx(1), None), "both are there before the other is given up");
    }
    let late = watched.next(|update| failed(update).is_some()).await;
    assert_eq!((late.feed.ctx(), failed(&late)), (Ctx(0), Some(ErrorKind::Timeout)));
    assert!(start.elapsed() >= Duration::from_secs(9), "an attempt has ten seconds");
}

#[tokio::test]
async fn expired_credentials_recover_by_themselves() {
    let mut watched = Watched::new(small()).await;
    faults(&watched.sim, "*", "expired_token");
    watched.want(&[Feed::Clusters(Ctx(0))]);
    let update = watched.next(|update| failed(update).is_some()).await;
    assert_eq!(failed(&update), Some(ErrorKind::Expired));
    watched.sim.set_faults("").unwrap();
    let update = watched.next(answered).await;
    assert_eq!(update.feed, Feed::Clusters(Ctx(0)));
}

#[tokio::test]
async fn what_is_denied_is_not_asked_again_until_somebody_pokes() {
    let mut watched = Watched::new(small()).await;
    faults(&watched.sim, "ecs:ListClusters", "deny");
    watched.want(&[Feed::Clusters(Ctx(0)), Feed::Clusters(Ctx(1))]);
    for _ in 0..2 {
        let update = watched.next(|update| failed(update).is_some()).await;
        assert_eq!(failed(&update), Some(ErrorKind::Denied));
    }
    watched.sim.set_faults("").unwrap();
    watched.watcher.poke(&[Feed::Clusters(Ctx(1))]);
    let update = watched.next(answered).await;
    assert_eq!(update.feed, Feed::Clusters(Ctx(1)));
    let lists = watched.sim.calls().iter().filter(|call| call.operation == "ListClusters").count();
    assert_eq!(lists, 3, "one each, and one for the poke");
}

#[tokio::test]
async fn a_feed_that_comes_back_shows_at_once_what_it_knew() {
    let mut watched = Watched::new(small()).await;
    watched.want(&[Feed::Clusters(Ctx(0))]);
    let first = watched.next(answered).await;
    watched.want(&[]);
    drop(watched.sim.take_calls());
    watched.want(&[Feed::Clusters(Ctx(0))]);
    let again = watched.next(|_| true).await;
    assert!(matches!(again.outcome, Outcome::Recalled(Value::Clusters(_))), "{:?}", again.outcome);
    assert!((again.at.as_millisecond() - first.at.as_millisecond()).abs() < 1000, "dated as it was");
    assert_eq!(watched.sim.calls().len(), 0);
}

/// The log streams of a running service of context 0.
async fn streams(clients: &Clients) -> (Arn, Vec<LogStream>) {
    for cluster in clusters(clients, Ctx(0)).await {
        let tasks = tasks(clients, Ctx(0), &cluster).await;
        for task in tasks.iter().filter(|task| task.status == TaskStatus::Running) {
            let feed = Feed::TaskDefinition(Ctx(0), task.task_definition.clone());
            let Value::TaskDefinition(definition) = value(clients, feed).await else { panic!("definition") };
            let stream = |container: &ContainerDefinition| {
                let logs = container.logs.as_ref().filter(|logs| &*logs.driver == "awslogs")?;
                let prefix = logs.option("awslogs-stream-prefix")?;
                Some(LogStream {
                    group: logs.option("awslogs-group")?.clone(),
                    region: logs.option("awslogs-region")?.clone(),
                    stream: format!("{prefix}/{}/{}", container.name, task.arn.name()).into(),
                    task: task.arn.clone(),
                    container: container.name.clone(),
                    ended: false,
                })
            };
            let streams: Vec<LogStream> = definition.containers.iter().filter_map(stream).collect();
            if !streams.is_empty() {
                return (task.arn.clone(), streams);
            }
        }
    }
    panic!("the small world has tasks that log");
}

#[tokio::test]
async fn a_tail_is_a_feed_like_the_others() {
    let mut watched = Watched::new(Sim::start(Options::default()).unwrap()).await;
    let (task, streams) = streams(&clients(&watched.sim).await).await;
    let since = Timestamp::from_millisecond(watched.sim.now() - 600_000).unwrap();
    let sources = Arc::new(LogSources { ctx: Ctx(0), streams, since, live: false, glance: false });
    let feed = Feed::Logs(Ctx(0), LogScope::Task(task.clone()));
    watched.watcher.reconcile(&[Wanted::Logs { feed: feed.clone(), sources }]);
    let update = watched.next(|update| matches!(&update.outcome, Outcome::Lines(lines, _) if !lines.is_empty())).await;
    let Outcome::Lines(lines, _) = update.outcome else { panic!("lines") };
    assert!(update.feed == feed && lines.iter().all(|line| line.source.task == task && line.at >= since));
    drop(watched.sim.take_calls());
    watched.watcher.poke(&[feed]);
    watched.next(|update| matches!(update.outcome, Outcome::Lines(..))).await;
    assert!(watched.sim.calls().iter().any(|call| call.operation == "FilterLogEvents"));
}

#[tokio::test]
async fn pokes_that_come_while_a_poll_is_in_flight_make_one_more() {
    let mut watched = Watched::new(small()).await;
    watched.sim.set_faults("[[fault]]\noperation = 'ecs:ListClusters'\nkind = 'latency'\nms = 300\n").unwrap();
    watched.want(&[Feed::Clusters(Ctx(0))]);
    watched.next(|update| matches!(update.outcome, Outcome::Busy)).await;
    (0..3).for_each(|_| watched.watcher.poke(&[Feed::Clusters(Ctx(0))]));
    watched.next(answered).await;
    watched.next(answered).await;
    let lists = watched.sim.calls().iter().filter(|call| call.operation == "ListClusters").count();
    assert_eq!(lists, 2);
}

#[tokio::test]
async fn what_the_operator_looks_at_does_not_queue_behind_a_long_list() {
    let set = [("services", "600"), ("tasks", "600"), ("clusters", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let large = Sim::start(Options { scenario: "large".to_owned(), set: set.to_vec(), ..Options::default() }).unwrap();
    let cluster = clusters(&clients(&large).await, Ctx(0)).await[0].clone();
    let mut watched = Watched::new(large).await;
    let list = Feed::Services(Ctx(0), cluster);
    watched.want(std::slice::from_ref(&list));
    let part = watched.next(|update| matches!(update.outcome, Outcome::Part(..))).await;
    let Outcome::Part(Value::Services(rows), _) = part.outcome else { panic!("services") };
    let one = Feed::Service(Ctx(0), rows[0].arn.clone());
    watched.want(&[list.clone(), one.clone()]);
    let update = watched.next(|update| answered(update) && [&list, &one].contains(&&update.feed)).await;
    assert_eq!(update.feed, one, "the list needs ten seconds more");
}

#[tokio::test]
async fn a_new_epoch_marks_its_updates() {
    let mut watched = Watched::new(small()).await;
    watched.want(&[Feed::Clusters(Ctx(0))]);
    assert_eq!(watched.next(answered).await.epoch, 0);
    watched.watcher.set_epoch(7);
    watched.want(&[Feed::Clusters(Ctx(0))]);
    assert_eq!(watched.next(answered).await.epoch, 7);
}
