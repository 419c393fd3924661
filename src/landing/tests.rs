//! Releases of each kind as they land, told from facts made by hand.

use super::*;
use crate::model::sample::{ago, deployment, event, group, service, stopped, target, task};
use crate::model::{
    CircuitBreaker, Deployment, LifecycleEvent, LifecycleHook, RevisionShare, Rollback, Shift, TargetState, TaskSet, TrafficShare,
};

/// What a service is told from in a test; everything is known unless it is taken away.
struct World {
    service: Service,
    tasks: Option<Vec<Arc<Task>>>,
    targets: Vec<crate::model::Target>,
    records: Option<Vec<Arc<ServiceDeployment>>>,
    revisions: Vec<ServiceRevision>,
    code: Option<CodeDeployment>,
    releases: Vec<Release>,
    now: i64,
}

impl World {
    fn new(service: Service) -> Self {
        World {
            service,
            tasks: Some(Vec::new()),
            targets: Vec::new(),
            records: None,
            revisions: Vec::new(),
            code: None,
            releases: Vec::new(),
            now: 0,
        }
    }

    fn seen<R>(&self, look: impl FnOnce(&Seen) -> R) -> R {
        let arn = group();
        let groups: Vec<Group> = (!self.targets.is_empty()).then_some(Group { arn: &arn, targets: &self.targets }).into_iter().collect();
        let verdict = crate::verdict::service(&crate::verdict::Known {
            service: &self.service,
            tasks: self.tasks.as_deref().unwrap_or_default(),
            groups: &groups,
            instances: &[],
            deployments: self.records.as_deref().unwrap_or_default(),
            code: self.code.as_ref(),
            definition: &|_| None,
            lines: &|_, _| Vec::new(),
            memo: &crate::verdict::cause::Memo::default(),
            now: ago(self.now),
        });
        look(&Seen {
            service: &self.service,
            tasks: self.tasks.as_deref(),
            groups: &groups,
            instances: &[],
            records: self.records.as_deref(),
            revision: &|arn| self.revisions.iter().find(|revision| revision.arn == *arn),
            code: &|id| self.code.as_ref().filter(|code| code.id == *id),
            releases: &|application, group| if (&**application, &**group) == ("shop", "blue-green") { &self.releases } else { &[] },
            alarms: &[],
            verdict: &verdict,
            now: ago(self.now),
        })
    }

    fn landing(&self) -> Landing {
        let mut track = self.track();
        self.seen(|seen| track.take(seen));
        track.landing().expect("there is a release").clone()
    }

    fn track(&self) -> Track {
        Track::newest(Whole { ctx: crate::model::Ctx(0), cluster: self.service.cluster.clone(), service: self.service.arn.clone() })
    }
}

/// `api` between revision 7 and 8, which wants two tasks and began so many seconds ago.
fn rolling(seconds: i64) -> Service {
    let new = Deployment {
        running: 1,
        created_at: Some(ago(seconds)),
        updated_at: Some(ago(seconds)),
        ..deployment(8, "PRIMARY", "IN_PROGRESS")
    };
    let old = Deployment { running: 2, desired: 1, ..deployment(7, "ACTIVE", "COMPLETED") };
    Service { deployments: vec![new, old], current_deployment: Some("record".into()), ..service("api") }
}

fn record(status: &str, seconds: i64) -> ServiceDeployment {
    ServiceDeployment {
        arn: "record".into(),
        status: status.into(),
        created_at: Some(ago(seconds)),
        started_at: Some(ago(seconds)),
        target_revision: Some("rev8".into()),
        sources: vec![RevisionShare { arn: "rev7".into(), requested: 2, running: 2, ..RevisionShare::default() }],
        ..ServiceDeployment::default()
    }
}

fn past(name: &str, began: i64, took: i64, status: &str) -> Arc<ServiceDeployment> {
    Arc::new(ServiceDeployment {
        arn: name.into(),
        finished_at: Some(ago(began - took)),
        target_revision: None,
        sources: Vec::new(),
        ..record(status, began)
    })
}

fn revision(arn: &str, number: u32) -> ServiceRevision {
    let definition = deployment(number, "PRIMARY", "").task_definition;
    ServiceRevision { arn: arn.into(), task_definition: definition, ..ServiceRevision::default() }
}

fn of_new(task: Task) -> Arc<Task> {
    Arc::new(Task { started_by: Some("ecs-svc/8".into()), task_definition: deployment(8, "", "").task_definition, ..task })
}

fn with_records(service: Service, records: Vec<ServiceDeployment>) -> World {
    World {
        records: Some(records.into_iter().map(Arc::new).collect()),
        revisions: vec![revision("rev7", 7), revision("rev8", 8)],
        ..World::new(service)
    }
}

#[test]
fn tasks_stand_on_their_sides_with_their_targets() {
    let at = |id: &str, ip: &str, status: &str| Task { ip: Some(ip.into()), ..task(id, status) };
    let mut world = with_records(rolling(200), vec![record("IN_PROGRESS", 200)]);
    world.tasks = Some(vec![
        of_new(at("n1", "10.0.0.1", "RUNNING")),
        of_new(at("n2", "10.0.0.2", "RUNNING")),
        of_new(Task { started_at: None, ..at("n3", "10.0.0.3", "PENDING") }),
        Arc::new(at("o1", "10.0.0.4", "RUNNING")),
        Arc::new(at("o2", "10.0.0.5", "DEACTIVATING")),
        of_new(stopped("n4", 60, "TaskFailedToStart", "CannotPullContainerError: no such tag", None)),
        // Long before this release.
        Arc::new(stopped("o3", 3000, "TaskFailedToStart", "ResourceInitializationError", None)),
    ]);
    world.targets = vec![
        target("10.0.0.1", TargetState::Healthy, None),
        target("10.0.0.2", TargetState::Unhealthy, Some("Target.Timeout")),
        target("10.0.0.4", TargetState::Healthy, None),
    ];
    let landing = world.landing();
    assert_eq!((landing.brings(), landing.replaces()), ("api:8", "api:7"));
    assert_eq!(landing.new.counts(), "1/2 healthy · 1 unhealthy · 1 starting · 1 failed");
    assert_eq!(landing.old.counts(), "1/1 healthy · 1 leaving");
    assert_eq!((landing.new.targets, landing.old.targets), (Some((1, 2)), Some((1, 1))));
    assert_eq!(landing.new.tasks.last().map(|line| line.over), Some(true), "what is over stands last");
    let capacity = landing.capacity.unwrap();
    assert_eq!((capacity.min, capacity.max), ((100, 2), (200, 4)));
    assert!(landing.end().is_none());
}

#[test]
fn failures_are_those_that_ecs_reports_and_never_computed() {
    let mut world = with_records(rolling(200), vec![ServiceDeployment { failures: Some((2, 5)), ..record("IN_PROGRESS", 200) }]);
    world.service.circuit_breaker = Some(CircuitBreaker { enabled: true, rollback: true });
    world.tasks = Some(vec![of_new(stopped("n1", 60, "EssentialContainerExited", "Essential container in task exited", Some(1)))]);
    let landing = world.landing();
    assert_eq!(landing.failures, Some((2, 5)));
    assert_eq!(landing.evidence[0], "2 of 5 failures: ECS goes back to api:7 at 5");
    let unheard = World::new(rolling(200)).landing();
    assert_eq!(unheard.failures, None, "two is the service's count, not the breaker's");
}

#[test]
fn a_rollback_that_succeeded_is_no_success() {
    let back = Deployment { created_at: Some(ago(100)), ..deployment(7, "PRIMARY", "COMPLETED") };
    let steady = Service { deployments: vec![back], ..service("api") };
    let rolled = ServiceDeployment {
        finished_at: Some(ago(20)),
        rollback: Some(Rollback {
            reason: Some("tasks failed to start".into()),
            started_at: Some(ago(100)),
            revision: Some("rev7".into()),
        }),
        ..record("ROLLBACK_SUCCESSFUL", 600)
    };
    let landing = with_records(steady, vec![rolled]).landing();
    assert_eq!(landing.end(), Some(&End::RolledBack("tasks failed to start".to_owned())));
    assert!(landing.why.starts_with("api:8 is NOT released: rolled back to api:7: tasks failed to start"), "{}", landing.why);
    assert_eq!((landing.health, landing.pace.took), (Health::Fail, Some(580)));
}

#[test]
fn each_word_of_ecs_has_its_end() {
    let end = |status: &str| {
        let over = ServiceDeployment { finished_at: Some(ago(10)), ..record(status, 200) };
        with_records(rolling(200), vec![over]).landing().end().cloned()
    };
    assert_eq!(end("SUCCESSFUL"), Some(End::Released));
    assert!(matches!(end("ROLLBACK_FAILED"), Some(End::Failed(_))));
    assert!(matches!(end("STOPPED"), Some(End::Failed(_))));
    assert_eq!((end("IN_PROGRESS"), end("PENDING"), end("STOP_REQUESTED")), (None, None, None));
    assert_eq!((end("ROLLBACK_IN_PROGRESS"), end("ROLLBACK_REQUESTED")), (None, None));
    assert_eq!(end("A_WORD_OF_TOMORROW"), None);
}

#[test]
fn a_deployment_that_the_records_do_not_know_yet_is_not_taken_for_the_one_before() {
    let mut world = with_records(rolling(5), vec![ServiceDeployment { finished_at: Some(ago(4000)), ..record("SUCCESSFUL", 5000) }]);
    world.service.current_deployment = None;
    let landing = world.landing();
    assert_eq!((landing.end(), landing.brings(), &*landing.status), (None, "api:8", "IN_PROGRESS"));
    // The record comes, and it is the same release.
    let mut track = world.track();
    world.seen(|seen| track.take(seen));
    let fresh = ServiceDeployment { arn: "fresh".into(), ..record("IN_PROGRESS", 5) };
    world.records = Some(vec![Arc::new(fresh), past("record", 5000, 1000, "SUCCESSFUL")]);
    let news = world.seen(|seen| track.take(seen));
    assert!(news.iter().all(|news| news.kind != Kind::End), "{news:?}");
    assert_eq!(track.followed().unwrap().record, Some("fresh".into()));
}

#[test]
fn without_the_records_the_service_itself_tells_the_end() {
    let entry = |revision, status, rollout, seconds| Deployment { created_at: Some(ago(seconds)), ..deployment(revision, status, rollout) };
    let mut world = World::new(rolling(200));
    let mut track = Track::only(world.track().whole, None);
    world.seen(|seen| track.take(seen));
    assert!(track.runs());
    world.service.deployments = vec![entry(8, "PRIMARY", "COMPLETED", 200)];
    let mut released = track.clone();
    let news = world.seen(|seen| released.take(seen));
    assert_eq!(released.landing().unwrap().end(), Some(&End::Released));
    assert_eq!(news.iter().filter(|news| news.kind == Kind::End).count(), 1);
    assert!(world.seen(|seen| released.take(seen)).is_empty(), "the end is told once");
    // The way back has an id of its own, and a revision that was there before.
    let back = Deployment { id: "ecs-svc/9".into(), ..entry(7, "PRIMARY", "IN_PROGRESS", 50) };
    world.service.deployments = vec![back.clone(), entry(8, "ACTIVE", "FAILED", 200)];
    let mut failed = track.clone();
    world.seen(|seen| failed.take(seen));
    assert!(matches!(failed.landing().unwrap().standing, Standing::GoingBack(_)));
    world.service.deployments = vec![Deployment { rollout_state: Some("COMPLETED".into()), ..back }];
    world.service.events = vec![event("(service api) (deployment ecs-svc/8) deployment failed: tasks failed to start.", 60)];
    world.seen(|seen| failed.take(seen));
    assert_eq!(failed.landing().unwrap().end(), Some(&End::RolledBack("deployment failed: tasks failed to start.".to_owned())));
    // Another release without a word of failure.
    world.service.events.clear();
    let mut beaten = track;
    world.seen(|seen| beaten.take(seen));
    assert_eq!(beaten.landing().unwrap().end(), Some(&End::Superseded));
}

#[test]
fn the_estimate_rests_on_this_service_s_own_past_or_is_none() {
    let of = |records: Vec<Arc<ServiceDeployment>>, seconds| {
        let mut world = World::new(rolling(seconds));
        world.records = Some(std::iter::once(Arc::new(record("IN_PROGRESS", seconds))).chain(records).collect());
        world.tasks = Some(vec![of_new(Task { started_at: Some(ago(30)), ..task("n1", "RUNNING") })]);
        world.landing().pace
    };
    let known = vec![
        past("a", 5000, 200, "SUCCESSFUL"),
        past("b", 6000, 300, "SUCCESSFUL"),
        past("c", 7000, 400, "SUCCESSFUL"),
        past("d", 8000, 4000, "ROLLBACK_SUCCESSFUL"),
    ];
    let pace = of(known.clone(), 100);
    assert_eq!(pace.past, Some(Past { p50: 300, p95: 400, count: 3 }));
    assert_eq!((pace.elapsed, pace.left), (Some(100), Some(200)));
    assert_eq!(of(known.clone(), 350).left, Some(50), "beyond the usual the slowest are what is left");
    assert_eq!(of(known, 900).left, None);
    assert_eq!((of(Vec::new(), 100).past, of(Vec::new(), 100).left), (None, None));
}

#[test]
fn a_release_that_does_not_get_on_is_stuck_and_one_that_drains_or_bakes_is_not() {
    let mut world = with_records(rolling(900), vec![record("IN_PROGRESS", 900)]);
    world.tasks = Some(vec![of_new(Task { started_at: Some(ago(400)), ..task("n1", "RUNNING") })]);
    assert_eq!(world.landing().pace.stuck(), Some(400));
    // A task that runs and dies again is no progress.
    let died = stopped("n2", 10, "EssentialContainerExited", "Essential container in task exited", Some(1));
    world.tasks.as_mut().unwrap().push(of_new(died));
    assert_eq!(world.landing().pace.stuck(), Some(400));
    world.targets = vec![target("10.0.0.9", TargetState::Draining, None)];
    assert_eq!(world.landing().pace.stuck(), None);
    world.targets.clear();
    world.service.strategy = Some("BLUE_GREEN".into());
    let bakes = ServiceDeployment {
        lifecycle_stage: Some("BAKE_TIME".into()),
        bake_minutes: Some(10),
        updated_at: Some(ago(60)),
        ..record("IN_PROGRESS", 900)
    };
    world.records = Some(vec![Arc::new(bakes)]);
    let landing = world.landing();
    assert_eq!((landing.pace.stuck(), landing.stage.bake.as_ref().and_then(|bake| bake.until)), (None, Some(ago(-540))));
}

#[test]
fn a_hook_that_waits_is_said_before_anything_else() {
    let hook = LifecycleHook {
        id: "h".into(),
        kind: "PAUSE".into(),
        status: "AWAITING_ACTION".into(),
        on_timeout: Some("ROLLBACK".into()),
        ..LifecycleHook::default()
    };
    let mut world = with_records(
        rolling(900),
        vec![ServiceDeployment { lifecycle_stage: Some("POST_SCALE_UP".into()), hooks: vec![hook], ..record("IN_PROGRESS", 900) }],
    );
    world.service.strategy = Some("CANARY".into());
    let landing = world.landing();
    assert_eq!(landing.why, "a PAUSE hook waits for an answer at POST_SCALE_UP");
    assert!(landing.next.contains("ROLLBACK") && landing.health == Health::Warn, "{}", landing.next);
}

fn canary(status: &str, weight: f64) -> World {
    let set = |id: &str, revision: u32, status: &str, external: &str, seconds: i64| TaskSet {
        id: id.into(),
        status: status.into(),
        external_id: Some(external.into()),
        task_definition: deployment(revision, "", "").task_definition,
        desired: 2,
        running: 2,
        created_at: Some(ago(seconds)),
        ..TaskSet::default()
    };
    let service = Service {
        controller: "CODE_DEPLOY".into(),
        deployments: Vec::new(),
        task_sets: vec![set("ecs-svc/blue", 7, "PRIMARY", "d-OLD", 9000), set("ecs-svc/green", 8, "ACTIVE", "d-NEW", 250)],
        ..service("api")
    };
    let step = |name: &str, status: &str, began: Option<i64>| LifecycleEvent {
        name: name.into(),
        status: status.into(),
        started_at: began.map(ago),
        ..LifecycleEvent::default()
    };
    let share = |set: &str, label: &str, weight: f64| TrafficShare {
        task_set: set.into(),
        label: Some(label.into()),
        weight,
        ..TrafficShare::default()
    };
    let code = CodeDeployment {
        id: "d-NEW".into(),
        config: "CodeDeployDefault.ECSCanary10Percent5Minutes".into(),
        shift: Some(Shift { percent: 10, minutes: 5, linear: false }),
        status: status.into(),
        created_at: Some(ago(260)),
        started_at: Some(ago(258)),
        events: vec![
            step("Install", "Succeeded", Some(250)),
            step("AllowTraffic", "InProgress", Some(100)),
            step("AfterAllowTraffic", "Pending", None),
        ],
        task_sets: vec![share("ecs-svc/blue", "Blue", 100.0 - weight), share("ecs-svc/green", "Green", weight)],
        ..CodeDeployment::default()
    };
    World { code: Some(code), ..World::new(service) }
}

#[test]
fn a_canary_shows_weights_and_what_is_left_of_its_bake() {
    let landing = canary("InProgress", 10.0).landing();
    assert_eq!((landing.brings(), landing.replaces(), landing.id()), ("api:8", "api:7", "d-NEW"));
    assert_eq!((landing.new.weight, landing.old.weight), (Some(10.0), Some(90.0)));
    assert_eq!(landing.stage.bake.as_ref().unwrap().until, Some(ago(-200)));
    assert_eq!(landing.strategy, "CODE_DEPLOY ECSCanary10Percent5Minutes");
    assert!(landing.end().is_none() && landing.pace.stuck().is_none());
}

#[test]
fn the_time_that_a_release_has_taken_so_far_never_shrinks() {
    let mut world = World::new(rolling(100));
    let mut track = world.track();
    let mut last = 0;
    let mut elapsed = |world: &World, track: &mut Track| {
        world.seen(|seen| track.take(seen));
        let elapsed = track.landing().unwrap().pace.elapsed.unwrap();
        assert!(elapsed >= last, "{elapsed} after {last}");
        last = elapsed;
        elapsed
    };
    assert_eq!(elapsed(&world, &mut track), 100);
    // ECS begins its own record later, and dates it twice.
    let late = ServiceDeployment { started_at: Some(ago(95)), ..record("IN_PROGRESS", 100) };
    world.records = Some(vec![Arc::new(late)]);
    world.revisions = vec![revision("rev7", 7), revision("rev8", 8)];
    assert_eq!(elapsed(&world, &mut track), 100);
    assert_eq!(world.landing().pace.elapsed, Some(100), "whoever opens it late is told the same");
    // AWS's clock is guessed from its answers.
    world.now = 1;
    assert_eq!(elapsed(&world, &mut track), 100);
    world.now = -7;
    assert_eq!(elapsed(&world, &mut track), 107);
    let mut world = canary("InProgress", 10.0);
    let code = world.code.take();
    let mut track = world.track();
    world.seen(|seen| track.take(seen));
    assert_eq!(track.landing().unwrap().pace.elapsed, Some(250), "by the task set");
    world.code = code;
    world.seen(|seen| track.take(seen));
    assert_eq!(track.landing().unwrap().pace.elapsed, Some(260), "by the deployment that made it");
}

#[test]
fn a_canary_is_timed_by_the_deployments_of_its_group_that_went_well() {
    let mut world = canary("InProgress", 10.0);
    assert_eq!(world.landing().pace.past, None, "nothing is known of the past");
    let code = world.code.as_mut().unwrap();
    (code.application, code.group) = ("shop".into(), "blue-green".into());
    let release = |id: &str, status: &str, began: i64, took: i64| Release {
        id: id.into(),
        status: status.into(),
        created_at: Some(ago(began)),
        completed_at: Some(ago(began - took)),
        ..Release::default()
    };
    world.releases = vec![
        release("d-NEW", "Succeeded", 260, 1),
        release("d-3", "Succeeded", 9_000, 700),
        release("d-2", "Stopped", 19_000, 20),
        release("d-1", "Succeeded", 29_000, 500),
    ];
    let pace = world.landing().pace;
    let past = pace.past.unwrap();
    assert_eq!((past.p50, past.p95, past.count), (500, 700, 2), "neither itself nor what was stopped");
    assert_eq!(pace.left, pace.elapsed.map(|elapsed| 500 - elapsed));
}

#[test]
fn a_stopped_canary_goes_back_until_the_old_side_has_all_traffic() {
    let mut world = canary("InProgress", 10.0);
    let mut track = world.track();
    world.seen(|seen| track.take(seen));
    let code = world.code.as_mut().unwrap();
    (code.status, code.completed_at) = ("Stopped".into(), Some(ago(3)));
    let early = world.seen(|seen| track.take(seen));
    assert!(track.runs(), "whether it is rolled back is not told yet: {early:?}");
    world.code.as_mut().unwrap().rollback = Some("Deployment d-BACK was started to roll back".into());
    let news = world.seen(|seen| track.take(seen));
    assert!(news.iter().any(|news| news.kind == Kind::Back), "{news:?}");
    for share in &mut world.code.as_mut().unwrap().task_sets {
        share.weight = if share.label.as_deref() == Some("Blue") { 100.0 } else { 0.0 };
    }
    let news = world.seen(|seen| track.take(seen));
    assert!(matches!(track.landing().unwrap().end(), Some(End::RolledBack(_))), "{news:?}");
    assert_eq!(news.iter().filter(|news| news.kind == Kind::End).count(), 1);
}

#[test]
fn a_newer_release_ends_the_one_that_is_followed() {
    let mut world = with_records(rolling(600), vec![record("IN_PROGRESS", 600)]);
    let (mut only, mut newest) = (Track::only(world.track().whole, None), world.track());
    world.seen(|seen| (only.take(seen), newest.take(seen)));
    let newer = ServiceDeployment { arn: "newer".into(), ..record("IN_PROGRESS", 100) };
    world.records = Some(vec![Arc::new(newer), Arc::new(ServiceDeployment { finished_at: Some(ago(99)), ..record("STOPPED", 600) })]);
    let ends = |news: Vec<News>| news.into_iter().filter(|news| news.kind == Kind::End).count();
    assert_eq!(world.seen(|seen| ends(only.take(seen))), 1);
    assert_eq!(only.landing().unwrap().end(), Some(&End::Superseded));
    assert_eq!(world.seen(|seen| ends(newest.take(seen))), 1);
    assert!(newest.runs() && newest.followed().unwrap().record == Some("newer".into()));
}

#[test]
fn a_task_shows_the_steps_that_it_was_seen_to_take() {
    let mut world = with_records(rolling(100), vec![record("IN_PROGRESS", 100)]);
    let at = |status: &str| Task { created_at: Some(ago(60)), started_at: None, ..task("n1", status) };
    let mut track = world.track();
    for (status, now) in [("PROVISIONING", 58), ("PENDING", 50), ("RUNNING", 20)] {
        let started_at = (status == "RUNNING").then(|| ago(22));
        world.tasks = Some(vec![of_new(Task { started_at, ..at(status) })]);
        world.now = now;
        world.seen(|seen| track.take(seen));
    }
    world.targets = vec![target("10.0.0.1", TargetState::Initial, None)];
    world.seen(|seen| track.take(seen));
    world.targets = vec![target("10.0.0.1", TargetState::Healthy, None)];
    world.now = 10;
    world.seen(|seen| track.take(seen));
    let landing = track.landing().unwrap();
    assert_eq!(landing.new.tasks[0].way(), "PROV 10s▸PEND 28s▸RUN 12s▸LB healthy 12s");
    assert!(
        landing.moments.iter().any(|moment| moment.text.contains("is healthy in its target group, 12s after its start")),
        "{:?}",
        landing.moments
    );
    // Opened late, the same task tells what AWS dates.
    assert_eq!(world.landing().new.tasks[0].way(), "START 38s▸RUN 12s▸LB healthy");
}

#[test]
fn a_service_that_wants_nothing_is_released_and_says_that_nothing_runs() {
    let mut world = with_records(rolling(200), vec![ServiceDeployment { finished_at: Some(ago(190)), ..record("SUCCESSFUL", 200) }]);
    world.service.desired = 0;
    world.service.deployments =
        vec![Deployment { desired: 0, running: 0, created_at: Some(ago(200)), ..deployment(8, "PRIMARY", "COMPLETED") }];
    let landing = world.landing();
    assert_eq!(landing.end(), Some(&End::Released));
    assert!(landing.why.contains("wants no task"), "{}", landing.why);
}
