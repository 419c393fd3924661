//! The plans of changes: what they send, warn of and forbid, on facts made by hand.

use super::*;
use crate::aws::{AwsError, ErrorKind};
use crate::change::revisions::{self, Ended};
use crate::change::{Call, Inverse, Weight};
use crate::feed::{Outcome, Update, Value};
use crate::model::{
    Container, ContainerDefinition, Context, Held, Image, ImageIndex, LifecycleHook, RevisionShare, ScalableTarget, ServiceDeployment,
    ServiceRevision, Suspended, Task, TaskDefinition, sample, scaling_resource,
};

const CTX: Ctx = Ctx(0);
const IMAGE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:live";

struct World {
    store: Store,
    fleet: Fleet,
    config: Config,
    cluster: Arn,
}

impl World {
    fn of(service: Service) -> World {
        let fleet = Fleet(vec![Context { name: "shop".into(), region: "eu-west-1".into(), profile: None, production: None }]);
        let mut world = World { store: Store::default(), fleet, config: Config::default(), cluster: service.cluster.clone() };
        world.put(Feed::Services(CTX, service.cluster.clone()), Value::Services(vec![Arc::new(service)]));
        world
    }

    fn put(&mut self, feed: Feed, value: Value) {
        self.store.apply(Update { feed, epoch: 0, at: sample::ago(0), outcome: Outcome::Whole(value) });
    }

    fn refuse(&mut self, feed: Feed, action: &str, code: &str) {
        let error = AwsError {
            kind: if code.starts_with("AccessDenied") { ErrorKind::Denied } else { ErrorKind::NotFound },
            action: action.into(),
            what: format!("Cannot do it: {code} for {action}").into(),
            hint: "".into(),
            code: Some(code.into()),
            request_id: None,
        };
        self.store.apply(Update { feed, epoch: 0, at: sample::ago(0), outcome: Outcome::Failed(Arc::new(error)) });
    }

    fn define(&mut self, revision: u32, change: impl FnOnce(&mut TaskDefinition)) -> Arn {
        let arn = revision_arn(revision);
        let mut definition = TaskDefinition {
            arn: arn.clone(),
            family: "api".into(),
            revision,
            status: "ACTIVE".into(),
            cpu: None,
            memory: None,
            network_mode: Some("awsvpc".into()),
            pid_mode: None,
            task_role: Some("arn:aws:iam::123456789012:role/api".into()),
            execution_role: None,
            platform: None,
            registered_at: None,
            registered_by: None,
            containers: vec![ContainerDefinition { name: "app".into(), image: IMAGE.into(), ..ContainerDefinition::default() }],
            volumes: Vec::new(),
            tags: Vec::new(),
        };
        change(&mut definition);
        self.put(Feed::TaskDefinition(CTX, arn.clone()), Value::TaskDefinition(Arc::new(definition)));
        arn
    }

    fn image(&mut self, digest: &str, media_type: Option<&str>) {
        let image = Image { digest: digest.into(), media_type: media_type.map(Into::into), ..Image::default() };
        self.put(Feed::Image(CTX, IMAGE.into()), Value::Image(Arc::new(image)));
    }

    fn run(&mut self, digest: &str) {
        let container = Container { image: IMAGE.into(), digest: Some(digest.into()), ..sample::container("app") };
        let task = Task { containers: vec![container], ..sample::task("0123456789abcdef", "RUNNING") };
        self.put(Feed::Tasks(CTX, self.cluster.clone()), Value::Tasks(vec![Arc::new(task)]));
    }

    fn facts(&self) -> Facts<'_> {
        Facts { store: &self.store, fleet: &self.fleet, config: &self.config, ctx: CTX, cluster: &self.cluster, now: sample::ago(0) }
    }
}

fn revision_arn(revision: u32) -> Arn {
    Arn(format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/api:{revision}").into())
}

fn arn() -> Arn {
    sample::service("api").arn
}

#[track_caller]
fn says(plan: &Plan, weight: Weight, words: &[&str]) {
    let fits = |note: &&Note| note.weight == weight && words.iter().all(|word| note.text.contains(word));
    assert!(plan.notes.iter().any(|note| fits(&note)), "no {weight:?} says {words:?}: {:#?}", plan.notes);
}

#[test]
fn a_daemon_takes_no_count_and_stops_before_it_starts() {
    let world = World::of(Service { scheduling: "DAEMON".into(), min_percent: Some(0), max_percent: Some(100), ..sample::service("api") });
    says(&scale(&world.facts(), &arn(), 5, RangeChoice::Once).unwrap(), Weight::Blocker, &["DAEMON", "refuses a count"]);
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Warning, &["stops the old task of an instance before it starts"]);
}

#[test]
fn capacity_is_told_by_min_and_max_percent() {
    let plan = |desired: u32, least: u32, most: u32| {
        let world =
            World::of(Service { desired, running: desired, min_percent: Some(least), max_percent: Some(most), ..sample::service("api") });
        redeploy(&world.facts(), &arn()).unwrap()
    };
    says(&plan(3, 100, 100), Weight::Warning, &["the deployment hangs"]);
    // 3 × 50 % is 1.5: AWS rounds the lower bound up, the upper one down.
    says(&plan(3, 50, 150), Weight::Warning, &["as few as 2 of 3 tasks", "at most 4"]);
    says(&plan(2, 0, 200), Weight::Warning, &["all 2 tasks may stop"]);
    says(&plan(4, 100, 200), Weight::Info, &["never fewer than 4 of 4 tasks run, at most 8"]);
    says(&plan(0, 100, 200), Weight::Info, &["wants no tasks"]);
}

#[test]
fn an_external_controller_is_explained_and_its_old_task_set_is_the_way_back() {
    let set = |revision: u32, status: &str| TaskSet {
        id: format!("ecs-svc/{revision}").into(),
        status: status.into(),
        task_definition: revision_arn(revision),
        external_id: Some("our-deployer".into()),
        ..TaskSet::default()
    };
    let service = Service {
        controller: "EXTERNAL".into(),
        deployments: Vec::new(),
        task_definition: Arn::default(),
        task_sets: vec![set(7, "PRIMARY"), set(6, "ACTIVE")],
        ..sample::service("api")
    };
    let mut world = World::of(service);
    let plan = redeploy(&world.facts(), &arn()).unwrap();
    says(&plan, Weight::Blocker, &["EXTERNAL controller (our-deployer)"]);
    assert_eq!(plan.steps, []);
    world.define(6, |_| {});
    let back = roll_back(&world.facts(), &arn(), &RollBack::Revision(revision_arn(6))).unwrap();
    assert!(
        matches!(&back.steps[0].call, Call::UpdateServicePrimaryTaskSet { task_set, .. } if &**task_set == "ecs-svc/6"),
        "{:?}",
        back.steps
    );
    let gone = roll_back(&world.facts(), &arn(), &RollBack::Revision(revision_arn(5))).unwrap();
    assert!(gone.blocked() && gone.steps.is_empty());
    assert!(enable_exec(&world.facts(), &arn()).unwrap().blocked());
}

#[test]
fn an_express_service_is_warned_about_and_its_image_is_not_changed_here() {
    let mut world = World::of(Service { management: Some("ECS".into()), ..sample::service("api") });
    says(&scale(&world.facts(), &arn(), 5, RangeChoice::Once).unwrap(), Weight::Warning, &["Express"]);
    let reply = serde_json::json!({"taskDefinition": {"taskDefinitionArn": revision_arn(7).as_str(), "family": "api", "containerDefinitions": [{"name": "app", "image": "a:1"}]}});
    world.put(Feed::RawDefinition(CTX, revision_arn(7)), Value::RawDefinition(Arc::new(reply)));
    let plan = deploy_image(&world.facts(), &arn(), &[("app".into(), "a:2".into())]).unwrap();
    says(&plan, Weight::Blocker, &["UpdateExpressGatewayService"]);
}

#[test]
fn a_service_that_is_not_active_is_not_changed() {
    let world = World::of(Service { status: "DRAINING".into(), ..sample::service("api") });
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Blocker, &["DRAINING"]);
}

#[test]
fn a_tag_that_moved_is_told_and_an_index_is_no_move_while_one_of_its_platforms_runs() {
    let mut world = World::of(sample::service("api"));
    world.define(7, |_| {});
    world.run("sha256:aaaaaaaaaaaaaaaa");
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Warning, &["ECR has not answered yet"]);
    world.image("sha256:bbbbbbbbbbbbbbbb", None);
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Warning, &["has moved: aaaaaaaaaaaa runs", "starts bbbbbbbbbbbb"]);
    world.image("sha256:bbbbbbbbbbbbbbbb", Some("application/vnd.oci.image.index.v1+json"));
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Warning, &["ECR has not answered yet"]);
    let index = |child: &str| Value::ImageIndex(Arc::new(ImageIndex { children: vec![(child.into(), Some("linux/amd64".into()))] }));
    let feed = Feed::ImageIndex(CTX, IMAGE.replace(":live", "@sha256:bbbbbbbbbbbbbbbb").into());
    world.put(feed.clone(), index("sha256:aaaaaaaaaaaaaaaa"));
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Info, &["shop/api:live is what runs"]);
    world.put(feed, index("sha256:cccccccccccccccc"));
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Warning, &["has moved"]);
    world.image("sha256:aaaaaaaaaaaaaaaa", None);
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Info, &["is what runs"]);
}

#[test]
fn an_earlier_revision_is_checked_before_it_is_deployed() {
    let mut world = World::of(sample::service("api"));
    world.define(7, |_| {});
    let back = |world: &World| roll_back(&world.facts(), &arn(), &RollBack::Revision(revision_arn(6))).unwrap();
    says(&back(&world), Weight::Warning, &["still reading api:6"]);
    world.refuse(Feed::TaskDefinition(CTX, revision_arn(6)), "ecs:DescribeTaskDefinition", "AccessDeniedException");
    says(&back(&world), Weight::Warning, &["api:6 may not be read (ecs:DescribeTaskDefinition)"]);
    world.define(6, |definition| definition.status = "INACTIVE".into());
    says(&back(&world), Weight::Blocker, &["api:6 is INACTIVE"]);
    world.define(6, |definition| definition.containers[0].secrets = vec![("KEY".into(), "arn:aws:ssm:eu-west-1:1:parameter/key".into())]);
    world.refuse(Feed::Image(CTX, IMAGE.into()), "ecr:DescribeImages", "ImageNotFoundException");
    says(&back(&world), Weight::Blocker, &["ECR has no shop/api:live"]);
    says(&back(&world), Weight::Warning, &["whether /key is still there is not known"]);
    world.refuse(Feed::Image(CTX, IMAGE.into()), "ecr:DescribeImages", "AccessDeniedException");
    says(&back(&world), Weight::Warning, &["cannot be told", "ecr:DescribeImages"]);
    // Both name the same tag and nothing tells what the earlier one ran.
    world.image("sha256:aaaaaaaaaaaaaaaa", None);
    says(&back(&world), Weight::Warning, &["both would start aaaaaaaaaaaa", "is not known"]);
    let same = roll_back(&world.facts(), &arn(), &RollBack::Revision(revision_arn(7))).unwrap();
    says(&same, Weight::Blocker, &["runs api:7 now"]);
}

#[test]
fn parameters_and_secrets_are_looked_for_before_new_tasks_want_them() {
    let secret = "arn:aws:secretsmanager:eu-west-1:1:secret:prod/db-AbCdEf:password::";
    let both: Arc<[Str]> = Arc::new(["/app/KEY".into(), secret.into()]);
    let service = || Service { subnets: vec!["subnet-1".into()], ..sample::service("api") };
    let mut world = World::of(service());
    let reads = |definition: &mut TaskDefinition| {
        let all = [("B", "/app/KEY"), ("A", secret), ("C", "/app/KEY")];
        definition.containers[0].secrets = all.map(|(name, from)| (name.into(), from.into())).to_vec();
    };
    world.define(7, reads);
    world.define(6, reads);
    world.define(5, |_| {});
    let plans = |world: &World| {
        let facts = world.facts();
        let back = roll_back(&facts, &arn(), &RollBack::Revision(revision_arn(6))).unwrap();
        [redeploy(&facts, &arn()).unwrap(), back, run_task(&facts, &arn(), &revision_arn(6), None).unwrap()]
    };
    for plan in plans(&world) {
        says(&plan, Weight::Info, &["2 secrets", "those of the running revision", "AWS has not answered yet"]);
    }
    let mut hold = |held: [Held; 2]| {
        world.put(Feed::Vault(CTX, both.clone()), Value::Vault(Arc::new(held.to_vec())));
        plans(&world)
    };
    for plan in hold([Held::There, Held::There]) {
        says(&plan, Weight::Info, &["all 2 secrets that it reads are there"]);
    }
    for plan in hold([Held::There, Held::Gone("Secrets Manager has no such secret".into())]) {
        says(&plan, Weight::Blocker, &["prod/db: Secrets Manager has no such secret: no new task could start"]);
        says(&plan, Weight::Info, &["1 secret that it reads is there"]);
    }
    for plan in hold([Held::Untold("AccessDenied for ssm:GetParameters".into()), Held::There]) {
        says(&plan, Weight::Info, &["those of the running revision", "AccessDenied for ssm:GetParameters"]);
        assert!(!plan.blocked(), "what may not be read forbids nothing: {:#?}", plan.notes);
    }
    // Nothing that runs reads them, so nothing speaks for their being there.
    let running = Service { task_definition: revision_arn(5), ..service() };
    world.put(Feed::Services(CTX, running.cluster.clone()), Value::Services(vec![Arc::new(running)]));
    let back = roll_back(&world.facts(), &arn(), &RollBack::Revision(revision_arn(6))).unwrap();
    says(&back, Weight::Warning, &["whether /app/KEY is still there is not known: AccessDenied for ssm:GetParameters"]);
}

#[test]
fn a_hook_that_waits_is_answered_and_nothing_else_is() {
    let service = Service { strategy: Some("BLUE_GREEN".into()), current_deployment: Some("arn:d".into()), ..sample::service("api") };
    let mut world = World::of(service);
    let record = |status: &str| ServiceDeployment {
        arn: "arn:d".into(),
        status: "IN_PROGRESS".into(),
        lifecycle_stage: Some("POST_SCALE_UP".into()),
        hooks: vec![LifecycleHook {
            id: "hook-1".into(),
            kind: "PAUSE".into(),
            status: status.into(),
            expires_at: Some(sample::ago(-600)),
            ..LifecycleHook::default()
        }],
        ..ServiceDeployment::default()
    };
    assert!(answer_hook(&world.facts(), &arn(), false).unwrap_err().contains("still reading"));
    world.put(Feed::ServiceDeployments(CTX, arn()), Value::ServiceDeployments(vec![Arc::new(record("SUCCEEDED"))]));
    assert!(answer_hook(&world.facts(), &arn(), false).unwrap_err().contains("waits"));
    world.put(Feed::ServiceDeployments(CTX, arn()), Value::ServiceDeployments(vec![Arc::new(record("AWAITING_ACTION"))]));
    for back in [false, true] {
        let plan = answer_hook(&world.facts(), &arn(), back).unwrap();
        assert!(
            matches!(&plan.steps[0].call, Call::ContinueServiceDeployment { hook, roll_back, .. } if &**hook == "hook-1" && *roll_back == back)
        );
        says(&plan, Weight::Info, &["AWS decides in 10m"]);
    }
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Warning, &["under way", "ECS give it up"]);
    says(&redeploy(&world.facts(), &arn()).unwrap(), Weight::Info, &["a second set of 2 tasks"]);
    assert!(way_out(&world.facts(), &arn()).is_some());
}

#[test]
fn a_deployment_that_goes_back_already_is_not_stopped_again() {
    let mut world = World::of(Service { current_deployment: Some("arn:d".into()), ..sample::service("api") });
    let record = ServiceDeployment { arn: "arn:d".into(), status: "ROLLBACK_IN_PROGRESS".into(), ..ServiceDeployment::default() };
    world.put(Feed::ServiceDeployments(CTX, arn()), Value::ServiceDeployments(vec![Arc::new(record)]));
    says(&roll_back(&world.facts(), &arn(), &RollBack::StopDeployment).unwrap(), Weight::Blocker, &["ROLLBACK_IN_PROGRESS"]);
    let still = World::of(sample::service("api"));
    assert!(roll_back(&still.facts(), &arn(), &RollBack::StopDeployment).unwrap_err().contains("no deployment of api is under way"));
}

#[test]
fn ranges_that_may_not_be_read_are_told_with_the_action() {
    let mut world = World::of(sample::service("api"));
    says(&scale(&world.facts(), &arn(), 3, RangeChoice::Once).unwrap(), Weight::Warning, &["not known yet"]);
    world.refuse(Feed::ScalableTargets(CTX), "application-autoscaling:DescribeScalableTargets", "AccessDeniedException");
    let plan = scale(&world.facts(), &arn(), 3, RangeChoice::Once).unwrap();
    says(&plan, Weight::Warning, &["application-autoscaling:DescribeScalableTargets"]);
    assert!(!plan.blocked());
    world.put(Feed::ScalableTargets(CTX), Value::ScalableTargets(Arc::new(Vec::new())));
    assert!(scale(&world.facts(), &arn(), 3, RangeChoice::Once).unwrap().notes.iter().all(|note| note.weight == Weight::Info));
    assert!(scaling_range(&world.facts(), &arn(), 1, 2, Suspended::default()).unwrap_err().contains("does not scale api"));
}

#[test]
fn undoing_a_wider_range_brings_back_range_and_count_in_one_plan() {
    let mut world = World::of(Service { desired: 20, ..sample::service("api") });
    let target = ScalableTarget { resource: scaling_resource("main", "api").into(), min: 2, max: 20, ..ScalableTarget::default() };
    let resource = target.resource.clone();
    world.put(Feed::ScalableTargets(CTX), Value::ScalableTargets(Arc::new(vec![target])));
    let range = Inverse::Range { resource, range: (2, 15), suspended: Suspended::default() };
    let inverse = Inverse::Several(vec![range, Inverse::Scale { service: arn(), desired: 6 }]);
    let plan = undo(&world.facts(), &inverse).unwrap();
    let changes: Vec<String> = plan.changes.iter().map(|c| format!("{} {} {}", c.what, c.before, c.after)).collect();
    assert_eq!(changes, ["range 2-20 2-15", "desired 20 6"]);
    assert!(matches!(plan.steps[0].call, Call::RegisterScalableTarget { max: Some(15), .. }));
    assert!(matches!(plan.steps[1].call, Call::UpdateService { .. }));
    assert_eq!(plan.verb, Verb::Scale);
    assert!(matches!(plan.inverse.unwrap().as_ref(), Inverse::Several(both) if both.len() == 2));
    // The range went back, and the count did not: what is left is the count.
    let resource = scaling_resource("main", "api").into();
    world.put(
        Feed::ScalableTargets(CTX),
        Value::ScalableTargets(Arc::new(vec![ScalableTarget { resource, min: 2, max: 15, ..ScalableTarget::default() }])),
    );
    let rest = undo(&world.facts(), &inverse).unwrap();
    assert_eq!(rest.changes.iter().map(|c| (&*c.what, &*c.after)).collect::<Vec<_>>(), [("desired", "6")]);
    assert!(!rest.blocked() && rest.steps.len() == 1, "{rest:?}");
}

#[test]
fn exec_needs_a_task_role() {
    let mut world = World::of(sample::service("api"));
    world.define(7, |definition| definition.task_role = None);
    says(&enable_exec(&world.facts(), &arn()).unwrap(), Weight::Blocker, &["no task role"]);
    world.define(7, |_| {});
    let plan = enable_exec(&world.facts(), &arn()).unwrap();
    assert!(!plan.blocked());
    says(&plan, Weight::Warning, &["tasks that run now do not get it"]);
    let undone = undo(&world.facts(), &Inverse::Exec { service: arn(), enabled: false }).unwrap();
    says(&undone, Weight::Blocker, &["off for api already"]);
}

#[test]
fn the_past_says_when_a_revision_ran_for_how_long_and_how_it_ended() {
    let mut world = World::of(sample::service("api"));
    let mut past = Vec::new();
    for (n, (revision, status, began)) in
        [(7, "SUCCESSFUL", 3600), (6, "ROLLBACK_SUCCESSFUL", 7200), (5, "SUCCESSFUL", 10_800)].into_iter().enumerate()
    {
        let to = Arn(format!("arn:revision:{n}").into());
        past.push(Arc::new(ServiceDeployment {
            arn: Arn(format!("arn:deployment:{n}").into()),
            status: status.into(),
            started_at: Some(sample::ago(began)),
            target: Some(RevisionShare::default()),
            target_revision: Some(to.clone()),
            ..ServiceDeployment::default()
        }));
        let images = vec![("app".into(), IMAGE.into(), Some(format!("sha256:{n}").into()))];
        let ran = ServiceRevision { arn: to.clone(), task_definition: revision_arn(revision), images, ..ServiceRevision::default() };
        world.put(Feed::ServiceRevision(CTX, to), Value::ServiceRevision(Arc::new(ran)));
    }
    world.put(Feed::ServiceDeployments(CTX, arn()), Value::ServiceDeployments(past));
    let listed = crate::model::Revisions { arns: [8, 7, 6, 5].map(revision_arn).to_vec(), cut: false };
    world.put(Feed::Revisions(CTX, "api".into()), Value::Revisions(Arc::new(listed)));
    let rows = revisions::history(&world.facts(), &arn());
    let told: Vec<_> = rows.iter().map(|row| (row.revision, row.ended.clone(), row.ran, row.current, row.last_good)).collect();
    assert_eq!(
        told,
        [
            (8, Ended::Never, None, false, false),
            (7, Ended::Successful, Some(3600), true, false),
            (6, Ended::Badly("ROLLBACK_SUCCESSFUL".into()), None, false, false),
            (5, Ended::Successful, Some(7200), false, true),
        ]
    );
    assert_eq!(rows[3].images[0].2.as_deref(), Some("sha256:2"));
    assert_eq!(rows[0].status.as_deref(), Some("ACTIVE"));
}

#[test]
fn a_redeploy_counts_what_runs_by_revision_and_not_what_is_asked_for() {
    let mut newest = sample::deployment(31, "PRIMARY", "IN_PROGRESS");
    newest.running = 0;
    let older = sample::deployment(30, "ACTIVE", "COMPLETED");
    let world = World::of(Service { task_definition: revision_arn(31), deployments: vec![newest, older], ..sample::service("api") });
    let plan = redeploy(&world.facts(), &arn()).unwrap();
    assert_eq!((plan.changes[0].before.as_str(), plan.changes[0].after.as_str()), ("2 of api:30", "2 new of api:31"));
}

#[test]
fn scaling_that_is_switched_off_moves_nothing() {
    let mut world = World::of(sample::service("api"));
    let service = sample::service("api");
    let target =
        |suspended| ScalableTarget { resource: scaling_resource(service.cluster.name(), &service.name).into(), min: 2, max: 10, suspended };
    let all = Suspended { scale_in: true, scale_out: true, scheduled: true };
    world.put(Feed::ScalableTargets(CTX), Value::ScalableTargets(Arc::new(vec![target(all)])));
    let plan = scale(&world.facts(), &arn(), 3, RangeChoice::Once).unwrap();
    says(&plan, Weight::Info, &["all scaling is suspended; its range is 2-10"]);
    assert!(plan.notes.iter().all(|note| !note.text.contains("moves it between")), "{:?}", plan.notes);
}
