//! Plans of every change, made of what the real SDK reads from the embedded AWS: what they say, what they would send, what they refuse.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

mod change;
#[path = "support/clients.rs"]
mod clients;

use change::{World, notes, says, text, unblocked};
use midwatch::change::plans::{self, RangeChoice, RollBack};
use midwatch::change::revisions::{self, Ended};
use midwatch::change::{Basis, Call, Inverse, Level, Revision, Verb, Weight, diff};
use midwatch::feed::Feed;
use midwatch::model::{Ctx, Suspended};

const OKY: &str = "project-oky-ecs-cluster";
const API: &str = "project-oky-ecs-api-task-service-1lehr9r5";
const CAMPUS: &str = "strong-dolphin-qr0d3scampuslearn-cluster";
const BACKEND: &str = "CampusLearn-Backend-Service";

fn lomash() -> World {
    World::open("seeds", "lomash-production", "lomash-production")
}

#[test]
fn l2_a_count_above_the_maximum_offers_three_ways_each_with_its_own_calls() {
    let mut world = lomash();
    let product = world.arn("product-service");
    world.preview(Verb::Scale, std::slice::from_ref(&product));
    let facts = world.facts();
    let choices = plans::range_choices(&facts, &product, 20);
    assert_eq!(
        choices.iter().map(|(choice, _)| *choice).collect::<Vec<_>>(),
        [RangeChoice::Once, RangeChoice::ChangeRange, RangeChoice::Suspend]
    );
    assert!(choices[0].1.contains("leave 2-15") && choices[1].1.contains("raise the maximum to 20"), "{choices:?}");
    assert_eq!(plans::range_choices(&facts, &product, 15), []);

    let once = plans::scale(&facts, &product, 20, RangeChoice::Once).unwrap();
    unblocked(&once);
    says(&once, Weight::Warning, &["between 2 and 15", "20 is above the maximum of 15"]);
    says(&once, Weight::Warning, &["brings the count back to 15"]);
    assert_eq!((once.level, once.word, once.steps.len()), (Level::Grave, None, 1));
    let Call::UpdateService { set, .. } = &once.steps[0].call else { panic!("{:?}", once.steps) };
    // The count alone, so that no role has to be passed.
    assert_eq!((set.desired, set.force, set.exec), (Some(20), false, None));
    assert_eq!(set.revision, None);

    let range = plans::scale(&facts, &product, 20, RangeChoice::ChangeRange).unwrap();
    let Call::RegisterScalableTarget { resource, min, max, suspended } = &range.steps[0].call else { panic!("{:?}", range.steps) };
    assert_eq!((&**resource, *min, *max, *suspended), ("service/lomash-production/product-service", None, Some(20), None));
    assert!(matches!(range.steps[1].call, Call::UpdateService { .. }));
    // What was before comes back in one plan, range first.
    let before = world.service("product-service").desired;
    let inverse = range.inverse.unwrap();
    let Inverse::Several(both) = *inverse else { panic!("{inverse:?}") };
    assert!(matches!(both[0], Inverse::Range { range: (2, 15), .. }), "{both:?}");
    assert_eq!(both[1], Inverse::Scale { service: product.clone(), desired: before });

    let suspend = plans::scale(&facts, &product, 20, RangeChoice::Suspend).unwrap();
    assert_eq!((suspend.level, suspend.word), (Level::Drastic, Some("force")));
    let all = Suspended { scale_in: true, scale_out: true, scheduled: true };
    assert!(matches!(suspend.steps[0].call, Call::RegisterScalableTarget { min: None, max: None, suspended: Some(own), .. } if own == all));
}

#[test]
fn a_count_that_aws_would_refuse_is_a_blocker_before_the_call() {
    let mut world = lomash();
    let busy = world.arn("order-payment-service");
    world.preview(Verb::Scale, std::slice::from_ref(&busy));
    let plan = plans::scale(&world.facts(), &busy, 5, RangeChoice::Once).unwrap();
    says(&plan, Weight::Blocker, &["AWS refuses another count while CodeDeploy deployment d-"]);
    assert!(plan.basis.iter().any(|basis| matches!(basis, Basis::Code { .. })));

    let auth = world.arn("auth-service");
    world.preview(Verb::Scale, std::slice::from_ref(&auth));
    let facts = world.facts();
    let desired = world.service("auth-service").desired;
    says(&plans::scale(&facts, &auth, desired, RangeChoice::Once).unwrap(), Weight::Blocker, &["already"]);
    says(&plans::scale(&facts, &auth, u32::MAX, RangeChoice::Once).unwrap(), Weight::Blocker, &["more than AWS can count"]);
    says(&plans::scale(&facts, &auth, 6000, RangeChoice::Once).unwrap(), Weight::Warning, &["quota", "5000"]);
    let zero = plans::scale(&facts, &auth, 0, RangeChoice::Once).unwrap();
    assert_eq!((zero.level, zero.word), (Level::Drastic, Some("zero")));
    says(&zero, Weight::Warning, &["out of service"]);
    let gone = plans::scale(&facts, &world.arn("nobody"), 3, RangeChoice::Once).unwrap_err();
    assert!(gone.contains("nobody"), "{gone}");
}

#[test]
fn c2_a_plain_scale_is_undone_by_the_former_count() {
    let mut world = World::open("seeds", "campuslearn", CAMPUS);
    let backend = world.arn(BACKEND);
    world.preview(Verb::Scale, std::slice::from_ref(&backend));
    let before = world.service(BACKEND).desired;
    let plan = plans::scale(&world.facts(), &backend, before + 2, RangeChoice::Once).unwrap();
    unblocked(&plan);
    assert_eq!((plan.level, plan.changes[0].before.clone()), (Level::Plain, before.to_string()));
    world.drill("C2", 30);
    let undo = plans::undo(&world.facts(), &plan.inverse.unwrap()).unwrap();
    let Call::UpdateService { set, .. } = &undo.steps[0].call else { panic!("{:?}", undo.steps) };
    assert_eq!((set.desired, undo.changes[0].before.as_str()), (Some(before), "4"));
}

#[test]
fn l5_a_redeploy_by_codedeploy_sends_the_last_app_spec_with_the_same_revision() {
    let mut world = lomash();
    let auth = world.arn("auth-service");
    let waiting = plans::redeploy(&world.facts(), &auth).unwrap_err();
    assert!(waiting.contains("still reading the AppSpec"), "{waiting}");
    world.preview(Verb::Redeploy, std::slice::from_ref(&auth));
    let plan = plans::redeploy(&world.facts(), &auth).unwrap();
    unblocked(&plan);
    let Call::CreateDeployment { app_spec, revision, application, .. } = &plan.steps[0].call else { panic!("{:?}", plan.steps) };
    let runs = world.service("auth-service").task_sets.iter().find(|set| &*set.status == "PRIMARY").unwrap().task_definition.clone();
    assert_eq!((revision, application.is_empty()), (&Revision::Known(runs), false));
    assert!(app_spec.contains("TaskDefinition"), "{app_spec}");
    says(&plan, Weight::Info, &["a second set of", "beside the old one"]);
}

#[test]
fn l3_and_l4_the_way_back_of_codedeploy_is_to_stop_while_it_runs_and_a_release_of_its_own_afterwards() {
    let mut world = lomash();
    let busy = world.arn("order-payment-service");
    world.preview(Verb::RollBack, std::slice::from_ref(&busy));
    assert!(plans::way_out(&world.facts(), &busy).unwrap().contains("d-"));
    let stop = plans::roll_back(&world.facts(), &busy, &RollBack::StopDeployment).unwrap();
    unblocked(&stop);
    assert!(matches!(stop.steps[0].call, Call::StopDeployment { .. }) && stop.steps.len() == 1, "{:?}", stop.steps);
    assert_ne!(stop.changes[0].before, stop.changes[0].after);
    // Nothing else may be started beside it.
    let family = world.service("order-payment-service").task_sets[0].task_definition.clone();
    let beside = plans::roll_back(&world.facts(), &busy, &RollBack::Revision(family)).unwrap();
    says(&beside, Weight::Blocker, &["AWS takes one at a time"]);

    let content = world.arn("content-service");
    let former = world.service("content-service").task_sets[0].task_definition.clone();
    world.drill("L4", 1);
    world.step(4800);
    world.preview_revision(&content, &former);
    let rows = revisions::history(&world.facts(), &content);
    let good = rows.iter().find(|row| row.last_good).unwrap_or_else(|| panic!("{rows:#?}"));
    assert_eq!((&good.arn, &good.ended, good.ran.is_some()), (&former, &Ended::Successful, true), "{rows:#?}");
    assert_eq!(plans::way_out(&world.facts(), &content), None);
    let plan = plans::roll_back(&world.facts(), &content, &RollBack::Revision(former.clone())).unwrap();
    unblocked(&plan);
    let Call::CreateDeployment { revision, app_spec, .. } = &plan.steps[0].call else { panic!("{:?}", plan.steps) };
    assert_eq!(revision, &Revision::Known(former));
    assert!(app_spec.contains("Hooks"), "hooks survive: {app_spec}");
    assert!(!plan.steps.iter().any(|step| matches!(step.call, Call::UpdateService { .. })));
    assert_eq!(plan.level, Level::Grave);
}

#[test]
fn o4_a_redeploy_of_one_task_never_drops_to_zero_and_says_so() {
    let mut world = World::open("seeds", "oky-admin", OKY);
    let api = world.arn(API);
    world.preview(Verb::Redeploy, std::slice::from_ref(&api));
    let plan = plans::redeploy(&world.facts(), &api).unwrap();
    unblocked(&plan);
    says(&plan, Weight::Info, &["never fewer than 1 of 1 task run, at most 2"]);
    says(&plan, Weight::Info, &["oky/api_en", "is what runs"]);
    let Call::UpdateService { set, .. } = &plan.steps[0].call else { panic!("{:?}", plan.steps) };
    assert!(set.force && set.revision.is_none() && set.desired.is_none());
    assert_eq!((plan.level, plan.verb), (Level::Plain, Verb::Redeploy));
}

#[test]
fn o1_a_deploy_clones_registers_and_updates_with_tags_kept() {
    let mut world = World::open("seeds", "oky-admin", OKY);
    let api = world.arn(API);
    let base = world.service(API).task_definition.clone();
    world.preview(Verb::DeployImage, std::slice::from_ref(&api));
    let definition = world.store.definition(Ctx(0), &base).unwrap().clone();
    let container = definition.containers[0].name.clone();
    let repository = definition.containers[0].image.rsplit_once(':').unwrap().0.to_owned();
    let images = world.store.repository_images(Ctx(0), &text(&repository)).unwrap().clone();
    let tag = images.images.iter().flat_map(|image| &image.tags).find(|tag| !definition.containers[0].image.ends_with(&***tag)).unwrap();
    let wanted = text(&format!("{repository}:{tag}"));
    world.know(|facts, out| plans::wanted_of_image(facts, &wanted, out));
    let plan = plans::deploy_image(&world.facts(), &api, &[(container.clone(), wanted.clone())]).unwrap();
    unblocked(&plan);
    let Call::RegisterTaskDefinition(register) = &plan.steps[0].call else { panic!("{:?}", plan.steps) };
    assert_eq!((&register.base, &register.images), (&base, &vec![(container.clone(), wanted.clone())]));
    let raw = world.store.raw_definition(Ctx(0), &base).unwrap();
    assert!(raw["taskDefinition"]["revision"].is_u64() && register.request.get("revision").is_none());
    assert_eq!(register.request.get("tags"), raw.get("tags").filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty())));
    assert_eq!(register.request["containerDefinitions"][0]["image"], *wanted);
    let Call::UpdateService { set, .. } = &plan.steps[1].call else { panic!("{:?}", plan.steps) };
    assert_eq!(set.revision, Some(Revision::Registered));
    says(&plan, Weight::Info, &["iam:PassRole"]);
    let lines: Vec<String> =
        diff::of(raw, &register.request).into_iter().map(|line| line.what).filter(|what| !what.starts_with("tag")).collect();
    assert_eq!(lines, [format!("image {container}")]);
    assert_eq!(plan.inverse.unwrap(), Box::new(Inverse::Revision { service: api.clone(), revision: base }));

    // A tag that is not there, one that cannot be, a container that is not there.
    let missing = text(&format!("{repository}:1999_01"));
    world.know(|facts, out| plans::wanted_of_image(facts, &missing, out));
    let plan = plans::deploy_image(&world.facts(), &api, &[(container.clone(), missing)]).unwrap();
    says(&plan, Weight::Blocker, &["ECR has no oky/api_en:1999_01"]);
    let odd = plans::deploy_image(&world.facts(), &api, &[(container.clone(), text("not an image"))]).unwrap();
    says(&odd, Weight::Blocker, &["no image reference"]);
    let same = plans::deploy_image(&world.facts(), &api, &[(container, definition.containers[0].image.clone())]).unwrap();
    says(&same, Weight::Blocker, &["says so already"]);
    assert!(plans::deploy_image(&world.facts(), &api, &[(text("nobody"), wanted)]).unwrap_err().contains("nobody"));
    assert!(plans::deploy_image(&world.facts(), &api, &[]).is_err());
}

#[test]
fn o2_who_may_update_and_not_read_names_what_to_clone() {
    let mut world = World::open("seeds", "oky-updater", OKY);
    let api = world.arn(API);
    let images = [(text("project-oky-api"), text("637423184246.dkr.ecr.eu-west-2.amazonaws.com/oky/api_en:2025_06"))];
    let why = plans::deploy_image(&world.facts(), &api, &images).unwrap_err();
    assert!(why.contains("ecs:ListServices") || why.contains("ecs:DescribeServices"), "{why}");
    let family = world.revision("project-oky-ecs-api-task");
    world.ask(Feed::RawDefinition(Ctx(0), family.clone()));
    world.know(|facts, out| plans::wanted_of_image(facts, &images[0].1, out));
    let plan = plans::deploy_image_of(&world.facts(), &api, Some(&family), &images).unwrap();
    unblocked(&plan);
    let Call::RegisterTaskDefinition(register) = &plan.steps[0].call else { panic!("{:?}", plan.steps) };
    assert!(
        register.base.as_str().rsplit(':').next().unwrap().parse::<u32>().is_ok(),
        "a family is cloned by its newest revision: {}",
        register.base
    );
    says(&plan, Weight::Warning, &["may not be read"]);
    let earlier = world.revision("project-oky-ecs-api-task:1");
    let back = plans::roll_back(&world.facts(), &api, &RollBack::Revision(earlier.clone())).unwrap();
    unblocked(&back);
    let Call::UpdateService { set, .. } = &back.steps[0].call else { panic!("{:?}", back.steps) };
    assert_eq!((&set.revision, back.level), (&Some(Revision::Known(earlier)), Level::Grave));
}

#[test]
fn o6_an_image_that_expired_blocks_the_way_back_before_the_call() {
    let mut world = World::open("seeds", "oky-admin", OKY);
    let api = world.arn(API);
    world.drill("O6", 5);
    world.preview(Verb::RollBack, std::slice::from_ref(&api));
    let rows = revisions::history(&world.facts(), &api);
    let current = rows.iter().find(|row| row.current).unwrap().revision;
    let earlier = rows.iter().find(|row| row.revision < current).unwrap_or_else(|| panic!("{rows:#?}")).arn.clone();
    world.preview_revision(&api, &earlier);
    let plan = plans::roll_back(&world.facts(), &api, &RollBack::Revision(earlier)).unwrap();
    says(&plan, Weight::Blocker, &["ECR has no oky/api_en:2025_04"]);
}

#[test]
fn z1_a_parameter_that_nobody_wrote_forbids_another_deployment_of_what_wants_it() {
    let mut world = World::open("seeds", "zanda360", "learning-platform-cluster1");
    let api = world.arn("api");
    world.preview(Verb::Redeploy, std::slice::from_ref(&api));
    let plan = plans::redeploy(&world.facts(), &api).unwrap();
    says(&plan, Weight::Blocker, &["/learning-platform/production/SMTP_PASSWORD: Parameter Store has no such parameter"]);
    let asked = world.sim.requests();
    let parameters: Vec<_> = asked.iter().filter(|sent| sent.call.operation == "GetParameters").map(|sent| &sent.parameters).collect();
    assert!(!parameters.is_empty() && parameters.iter().all(|sent| sent["WithDecryption"] == false), "no value in clear: {parameters:?}");
    assert!(parameters.iter().all(|sent| sent["Names"].as_array().unwrap().len() <= 10), "AWS takes ten at once");
}

#[test]
fn a_way_back_that_lacks_the_same_parameter_says_that_it_is_missing_for_both() {
    let mut world = World::open("seeds", "zanda360", "learning-platform-cluster1");
    let api = world.arn("api");
    world.preview(Verb::RollBack, std::slice::from_ref(&api));
    let now = world.service("api").task_definition.name().to_owned();
    let number: u32 = now.rsplit(':').next().unwrap().parse().unwrap();
    let earlier = world.revision(&format!("{}:{}", now.split(':').next().unwrap(), number - 1));
    world.preview_revision(&api, &earlier);
    let plan = plans::roll_back(&world.facts(), &api, &RollBack::Revision(earlier)).unwrap();
    let missing = "/learning-platform/production/SMTP_PASSWORD: Parameter Store has no such parameter";
    says(&plan, Weight::Blocker, &[missing, &format!("the running revision {now} reads it as well"), "missing for both"]);
    // Of one revision alone nothing is said of another.
    world.preview(Verb::Redeploy, std::slice::from_ref(&api));
    let plan = plans::redeploy(&world.facts(), &api).unwrap();
    says(&plan, Weight::Blocker, &[missing]);
    assert!(!notes(&plan, Weight::Blocker).iter().any(|note| note.contains("both")), "{:#?}", plan.notes);
}

#[test]
fn secrets_are_looked_for_and_a_role_that_may_not_is_told_so() {
    let mut world = World::open("seeds", "lomash-staging", "lomash-staging");
    let payments = world.arn("order-payment-service");
    world.preview(Verb::Redeploy, std::slice::from_ref(&payments));
    let plan = plans::redeploy(&world.facts(), &payments).unwrap();
    says(&plan, Weight::Info, &["all 4 secrets that it reads are there"]);
    unblocked(&plan);
    let mut world = World::open("seeds", "lomash-staging", "lomash-staging");
    world.sim.set_faults("[[fault]]\noperation = 'secretsmanager:DescribeSecret'\nkind = 'deny'\n").unwrap();
    world.preview(Verb::Redeploy, std::slice::from_ref(&payments));
    let plan = plans::redeploy(&world.facts(), &payments).unwrap();
    says(
        &plan,
        Weight::Info,
        &["4 secrets that it reads are those of the running revision", "AccessDenied for secretsmanager:DescribeSecret"],
    );
    unblocked(&plan);
}

#[test]
fn t3_a_moving_tag_makes_the_way_back_a_trap_and_a_pin_is_offered() {
    let mut world = World::open("seeds", "tutorbloc", "tutorbloc");
    let production = world.arn("production");
    world.drill("T3", 1200);
    world.preview(Verb::RollBack, std::slice::from_ref(&production));
    let rows = revisions::history(&world.facts(), &production);
    let current = rows.iter().find(|row| row.current).unwrap().revision;
    let good = rows.iter().find(|row| row.last_good).unwrap_or_else(|| panic!("{rows:#?}"));
    assert!(good.revision < current && good.ended == Ended::Successful && good.ran.is_some(), "{rows:#?}");
    let earlier = good.arn.clone();
    world.preview_revision(&production, &earlier);
    let plan = plans::roll_back(&world.facts(), &production, &RollBack::Revision(earlier.clone())).unwrap();
    says(&plan, Weight::Warning, &["app: the tag tutorbloc.app:production has moved since", "Pin it"]);
    let pins = plans::pins(&world.facts(), &production, &earlier);
    assert!(pins.iter().any(|(name, image)| &**name == "app" && image.contains("tutorbloc.app@sha256:")), "{pins:?}");
    let pinned = plans::roll_back(&world.facts(), &production, &RollBack::Pinned(earlier.clone(), pins.clone())).unwrap();
    let Call::RegisterTaskDefinition(register) = &pinned.steps[0].call else { panic!("{:?}", pinned.steps) };
    assert_eq!((&register.base, &register.images), (&earlier, &pins));
    assert!(matches!(&pinned.steps[1].call, Call::UpdateService { set, .. } if set.revision == Some(Revision::Registered)));
    assert_eq!(pinned.level, Level::Grave);
}

#[test]
fn t5_a_fixed_host_port_on_full_instances_is_said_before_the_redeploy() {
    let mut world = World::open("seeds", "tutorbloc", "tutorbloc");
    world.drill("T5", 240);
    let production = world.arn("production");
    world.preview(Verb::Redeploy, std::slice::from_ref(&production));
    assert_eq!(world.service("production").running, 2, "the drill holds both instances");
    let plan = plans::redeploy(&world.facts(), &production).unwrap();
    says(&plan, Weight::Warning, &["host port 80 is fixed", "all 2 instances are taken", "is already using a port required by your task"]);
}

#[test]
fn c1_a_deployment_under_way_is_stopped_first_and_a_finished_one_is_not() {
    let mut world = World::open("seeds", "campuslearn", CAMPUS);
    let backend = world.arn(BACKEND);
    // The release that stands there at first comes to its end.
    for _ in 0..60 {
        world.step(30);
        if world.service(BACKEND).current_deployment.is_none() {
            break;
        }
    }
    let idle = plans::roll_back(&world.facts(), &backend, &RollBack::StopDeployment);
    world.drill("C1", 60);
    world.preview(Verb::RollBack, std::slice::from_ref(&backend));
    assert!(plans::way_out(&world.facts(), &backend).is_some());
    let plan = plans::roll_back(&world.facts(), &backend, &RollBack::StopDeployment).unwrap();
    unblocked(&plan);
    assert!(
        matches!(&plan.steps[0].call, Call::StopServiceDeployment { deployment } if deployment.as_str().contains(":service-deployment/"))
    );
    assert!(
        plan.basis.iter().any(|basis| matches!(basis, Basis::Deployment { status, .. } if &**status == "IN_PROGRESS")),
        "{:?}",
        plan.basis
    );
    assert_ne!(plan.changes[0].before, plan.changes[0].after, "{:?}", plan.changes);
    let redeploy = plans::redeploy(&world.facts(), &backend).unwrap();
    says(&redeploy, Weight::Warning, &["is under way"]);
    if let Err(why) = idle {
        assert!(why.contains("no deployment of"), "{why}");
    }
}

#[test]
fn stopping_tasks_says_what_goes_on_and_leaves_out_what_stops_already() {
    let mut world = World::open("seeds", "oky-admin", OKY);
    world.ask(Feed::Tasks(Ctx(0), world.cluster.clone()));
    let tasks = world.store.tasks_of(Ctx(0), &world.cluster, API).to_vec();
    let live = tasks.iter().find(|task| !task.stopped()).unwrap().arn.clone();
    let plan = plans::stop_tasks(&world.facts(), std::slice::from_ref(&live)).unwrap();
    unblocked(&plan);
    says(&plan, Weight::Warning, &["no other task of", "runs"]);
    assert_eq!((plan.level, plan.watch.clone(), plan.inverse.is_err()), (Level::Plain, Some(world.arn(API)), true));
    assert!(matches!(&plan.steps[0].call, Call::StopTask { task, .. } if *task == live));
    let all: Vec<_> =
        world.store.tasks(Ctx(0), &world.cluster).unwrap().iter().filter(|task| !task.stopped()).map(|task| task.arn.clone()).collect();
    let many = plans::stop_tasks(&world.facts(), &all).unwrap();
    assert_eq!((many.level, many.steps.len(), many.targets.len()), (Level::Grave, all.len(), all.len()));
    assert!(plans::stop_tasks(&world.facts(), &[world.arn("x")]).unwrap_err().contains("gone"));

    let protect = plans::protect(&world.facts(), std::slice::from_ref(&live), true, Some(30)).unwrap();
    unblocked(&protect);
    assert!(matches!(&protect.steps[0].call, Call::UpdateTaskProtection { protect: true, minutes: Some(30), .. }));
    let undone = plans::undo(&world.facts(), &protect.inverse.unwrap()).unwrap();
    assert_eq!(undone.verb, Verb::Unprotect);
    says(&plans::protect(&world.facts(), &[live], true, Some(0)).unwrap(), Weight::Blocker, &["1 to 2880"]);
}

#[test]
fn draining_says_what_moves_and_whether_there_is_room() {
    let mut world = World::open("seeds", "tutorbloc", "tutorbloc");
    world.preview(Verb::Drain, &[]);
    let instances = world.store.instances(Ctx(0), &world.cluster).unwrap().to_vec();
    let one = instances[0].arn.clone();
    let plan = plans::instances(&world.facts(), std::slice::from_ref(&one), true).unwrap();
    unblocked(&plan);
    assert!(
        matches!(&plan.steps[0].call, Call::UpdateContainerInstancesState { instances, drain: true, .. } if *instances == [one.clone()])
    );
    assert_eq!(plan.inverse.unwrap(), Box::new(Inverse::Instances { instances: vec![one], drain: false }));
    let all: Vec<_> = instances.iter().map(|i| i.arn.clone()).collect();
    let both = plans::instances(&world.facts(), &all, true).unwrap();
    assert_eq!(both.level, Level::Grave);
    says(&both, Weight::Warning, &["no other instance takes tasks"]);
    assert!(plans::instances(&world.facts(), &all, false).unwrap_err().contains("already"));
}

#[test]
fn exec_one_off_tasks_and_ranges_are_planned_by_what_the_service_is() {
    let mut world = lomash();
    let auth = world.arn("auth-service");
    world.preview(Verb::EnableExec, std::slice::from_ref(&auth));
    world.preview(Verb::ScalingRange, std::slice::from_ref(&auth));
    let exec = plans::enable_exec(&world.facts(), &auth).unwrap();
    says(&exec, Weight::Blocker, &["CODE_DEPLOY"]);
    let runs = world.service("auth-service").task_sets[0].task_definition.clone();
    world.preview(Verb::RunTask, std::slice::from_ref(&auth));
    let command = Some((text("auth-service"), vec!["npm".to_owned(), "run".to_owned(), "migrate".to_owned()]));
    let task = plans::run_task(&world.facts(), &auth, &runs, command).unwrap();
    unblocked(&task);
    let Call::RunTask { network, client_token, command, .. } = &task.steps[0].call else { panic!("{:?}", task.steps) };
    assert!(network.as_ref().is_some_and(|(subnets, ..)| !subnets.is_empty()) && client_token.len() <= 64 && command.is_some());
    let stranger = plans::run_task(&world.facts(), &auth, &runs, Some((text("nobody"), vec!["sh".to_owned()]))).unwrap();
    says(&stranger, Weight::Blocker, &["no container nobody"]);

    let range = plans::scaling_range(&world.facts(), &auth, 2, 12, Suspended::default()).unwrap();
    unblocked(&range);
    assert!(
        matches!(&range.steps[0].call, Call::RegisterScalableTarget { min: None, max: Some(12), suspended: None, .. }),
        "{:?}",
        range.steps
    );
    says(&plans::scaling_range(&world.facts(), &auth, 9, 3, Suspended::default()).unwrap(), Weight::Blocker, &["no range"]);
    let off = plans::scaling_range(&world.facts(), &auth, 2, 10, Suspended { scale_in: true, ..Suspended::default() }).unwrap();
    assert_eq!((off.level, off.word), (Level::Drastic, Some("force")));
    assert!(plans::answer_hook(&world.facts(), &auth, false).unwrap_err().contains("waits"));
    assert_eq!(notes(&range, Weight::Blocker), Vec::<&str>::new());
}

#[test]
fn the_app_spec_is_found_by_its_deployment_group_where_the_service_may_not_be_read() {
    let mut world = lomash();
    let auth = world.arn("auth-service");
    world.ask(Feed::AppSpec(Ctx(0), auth.clone()));
    let by_service = world.store.app_spec(Ctx(0), &auth).unwrap().clone();
    world.sim.set_faults("[[fault]]\noperation = 'ecs:DescribeServices'\nkind = 'deny'\n").unwrap();
    world.ask(Feed::AppSpec(Ctx(0), auth.clone()));
    let by_group = world.store.app_spec(Ctx(0), &auth).unwrap().clone();
    assert_eq!(
        (&by_group.application, &by_group.group, &by_group.content),
        (&by_service.application, &by_service.group, &by_service.content)
    );
    assert!(world.store.error(&Feed::AppSpec(Ctx(0), auth.clone())).is_none());
    world.sim.set_faults("[[fault]]\noperation = 'codedeploy:*'\nkind = 'deny'\n").unwrap();
    world.ask(Feed::AppSpec(Ctx(0), auth.clone()));
    let error = world.store.error(&Feed::AppSpec(Ctx(0), auth)).unwrap();
    assert_eq!(&*error.action, "codedeploy:GetDeployment");
}

#[test]
fn the_newest_revisions_of_a_family_come_first() {
    let mut world = World::open("seeds", "oky-admin", OKY);
    let family = text("project-oky-ecs-api-task");
    world.ask(Feed::Revisions(Ctx(0), family.clone()));
    let listed = world.store.revisions(Ctx(0), &family).unwrap();
    let numbers: Vec<u32> = listed.arns.iter().map(|arn| arn.as_str().rsplit(':').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.len() > 1 && numbers.is_sorted_by(|a, b| a > b) && !listed.cut, "{numbers:?}");
}

/// A world of the contract tests.
fn contract(file: &str, context: &str) -> World {
    contract_of(&std::fs::read_to_string(format!("{}/tests/contract/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap(), file, context)
}

/// The same, with its text changed.
fn contract_of(scenario: &str, file: &str, context: &str) -> World {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("plans-{}-{}-{file}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, scenario).unwrap();
    let world = World::open(path.to_str().unwrap(), context, if context == "shop" { "shop" } else { "main" });
    std::fs::remove_file(path).unwrap();
    world
}

#[test]
fn an_external_controller_is_left_to_deploy_and_its_other_task_set_can_serve_again() {
    let mut world = contract("shifts.toml", "shifts");
    let batch = world.arn("batch");
    for verb in [Verb::Redeploy, Verb::Scale, Verb::RollBack, Verb::EnableExec] {
        world.preview(verb, std::slice::from_ref(&batch));
    }
    says(&plans::redeploy(&world.facts(), &batch).unwrap(), Weight::Blocker, &["EXTERNAL controller", "AWS refuses it to UpdateService"]);
    says(&plans::enable_exec(&world.facts(), &batch).unwrap(), Weight::Blocker, &["not with EXTERNAL"]);
    let scale = plans::scale(&world.facts(), &batch, 5, RangeChoice::Once).unwrap();
    unblocked(&scale);
    assert!(matches!(&scale.steps[0].call, Call::UpdateService { set, .. } if set.desired == Some(5)));
    let gone = world.revision("batch:1");
    says(
        &plans::roll_back(&world.facts(), &batch, &RollBack::Revision(gone)).unwrap(),
        Weight::Blocker,
        &["only that can start a task set of batch:1 again"],
    );
    assert!(plans::roll_back(&world.facts(), &batch, &RollBack::StopDeployment).is_ok_and(|plan| plan.blocked()));
    assert!(plans::answer_hook(&world.facts(), &batch, false).unwrap_err().contains("waits for an answer"));
    // Another set beside the one that serves.
    let (ecs, earlier) = (clients::ecs(&world.sim, "shifts"), world.revision("batch:2"));
    let made = world.wait(async move {
        let own = ecs.describe_services().cluster("main").services("batch").send().await.unwrap().services.unwrap().remove(0);
        let make = ecs.create_task_set().cluster("main").service("batch").task_definition(earlier.as_str());
        let make = make.set_network_configuration(own.task_sets()[0].network_configuration().cloned());
        make.launch_type(aws_sdk_ecs::types::LaunchType::Fargate).send().await.unwrap().task_set.unwrap().id.unwrap()
    });
    world.step(5);
    let earlier = world.revision("batch:2");
    world.preview_revision(&batch, &earlier);
    let back = plans::roll_back(&world.facts(), &batch, &RollBack::Revision(earlier)).unwrap();
    unblocked(&back);
    says(&back, Weight::Warning, &["EXTERNAL and may do otherwise"]);
    assert!(matches!(&back.steps[0].call, Call::UpdateServicePrimaryTaskSet { task_set, .. } if **task_set == *made), "{:?}", back.steps);
}

#[test]
fn a_daemon_takes_no_count_and_is_rolled_instance_by_instance() {
    let mut world = World::open("small", "acme-prod", "web-prod");
    let metrics = world.arn("host-metrics");
    for verb in [Verb::Redeploy, Verb::Scale] {
        world.preview(verb, std::slice::from_ref(&metrics));
    }
    says(&plans::scale(&world.facts(), &metrics, 3, RangeChoice::Once).unwrap(), Weight::Blocker, &["DAEMON", "AWS refuses a count"]);
    let redeploy = plans::redeploy(&world.facts(), &metrics).unwrap();
    unblocked(&redeploy);
    says(&redeploy, Weight::Warning, &["a DAEMON stops the old task of an instance before it starts the new one", "min 0 %, max 100 %"]);
}

#[test]
fn an_express_service_is_changed_by_its_own_operation() {
    let text = std::fs::read_to_string(format!("{}/tests/contract/beside.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let express = text.replacen("name = \"front\"\ncluster", "name = \"front\"\nexpress = true\ncluster", 1);
    assert_ne!(text, express, "the scenario is written otherwise");
    let mut world = contract_of(&express, "express.toml", "shop");
    let front = world.arn("front");
    for verb in [Verb::Redeploy, Verb::Scale, Verb::DeployImage] {
        world.preview(verb, std::slice::from_ref(&front));
    }
    says(&plans::redeploy(&world.facts(), &front).unwrap(), Weight::Warning, &["Express", "may set this back"]);
    says(&plans::scale(&world.facts(), &front, 5, RangeChoice::Once).unwrap(), Weight::Warning, &["Express"]);
    let own = world.store.definition(Ctx(0), &world.service("front").task_definition).unwrap().containers[0].clone();
    let image = text_of(&own.image, "v9");
    let deploy = plans::deploy_image(&world.facts(), &front, &[(own.name, image)]).unwrap();
    says(&deploy, Weight::Blocker, &["its image is changed by UpdateExpressGatewayService"]);
}

/// An image reference with another tag.
fn text_of(image: &str, tag: &str) -> midwatch::model::Str {
    text(&format!("{}:{tag}", image.rsplit_once(':').unwrap().0))
}

#[test]
fn a_native_hook_is_answered_at_its_stage_and_before_that_nothing_is() {
    let mut world = contract("shifts.toml", "shifts");
    let web = world.arn("web");
    let answer = |world: &mut World, back: bool| {
        world.preview(Verb::Continue, std::slice::from_ref(&web));
        plans::answer_hook(&world.facts(), &web, back)
    };
    assert!(answer(&mut world, false).unwrap_err().contains("no deployment of web waits"));
    let ecs = clients::ecs(&world.sim, "shifts");
    world.wait(async move { ecs.update_service().cluster("main").service("web").force_new_deployment(true).send().await.unwrap() });
    let plan = (0..120).find_map(|_| {
        world.step(5);
        answer(&mut world, false).ok()
    });
    let plan = plan.expect("a hook waits within ten minutes");
    unblocked(&plan);
    assert_eq!((plan.changes[0].before.as_str(), plan.changes[0].after.as_str()), ("waits at POST_TEST_TRAFFIC_SHIFT", "CONTINUE"));
    assert!(matches!(&plan.steps[0].call, Call::ContinueServiceDeployment { roll_back: false, .. }));
    assert!(plan.basis.iter().any(|basis| matches!(basis, Basis::Deployment { .. })), "{:?}", plan.basis);
    let back = answer(&mut world, true).unwrap();
    assert!(matches!(&back.steps[0].call, Call::ContinueServiceDeployment { roll_back: true, .. }));
    // The whole is under way, so it can be stopped as well, and another one would give it up.
    world.preview(Verb::RollBack, std::slice::from_ref(&web));
    assert!(matches!(
        &plans::roll_back(&world.facts(), &web, &RollBack::StopDeployment).unwrap().steps[0].call,
        Call::StopServiceDeployment { .. }
    ));
    world.preview(Verb::Redeploy, std::slice::from_ref(&web));
    says(&plans::redeploy(&world.facts(), &web).unwrap(), Weight::Warning, &["under way", "makes ECS give it up"]);
}

#[test]
fn a_release_of_code_deploy_is_continued_at_the_wait_that_it_is_in() {
    let mut world = contract("beside.toml", "shop");
    let edge = world.arn("edge");
    world.preview(Verb::Redeploy, std::slice::from_ref(&edge));
    let redeploy = plans::redeploy(&world.facts(), &edge).unwrap();
    unblocked(&redeploy);
    drop(world.send(&redeploy.steps[0].call, None));
    for (wait, words) in [("READY_WAIT", "waits before it moves"), ("TERMINATION_WAIT", "kept for a while")] {
        let plan = (0..120).find_map(|_| {
            world.step(5);
            world.preview(Verb::Continue, std::slice::from_ref(&edge));
            plans::answer_hook(&world.facts(), &edge, false).ok()
        });
        let plan = plan.unwrap_or_else(|| panic!("{wait} never comes"));
        assert_eq!(plan.changes[0].before, words);
        assert!(matches!(&plan.steps[0].call, Call::ContinueDeployment { wait: own, .. } if *own == wait), "{:?}", plan.steps);
        drop(world.send(&plan.steps[0].call, None));
        world.step(1);
    }
    world.preview(Verb::Scale, std::slice::from_ref(&edge));
}

#[test]
fn a_count_during_a_release_of_code_deploy_is_refused_and_nothing_is_said_to_stop() {
    let mut world = lomash();
    let busy = world.arn("order-payment-service");
    world.preview(Verb::Scale, std::slice::from_ref(&busy));
    let plan = plans::scale(&world.facts(), &busy, 1, RangeChoice::Once).unwrap();
    says(&plan, Weight::Blocker, &["AWS refuses another count while CodeDeploy deployment"]);
    assert!(!plan.notes.iter().any(|note| note.text.contains("without protection first")), "{:#?}", plan.notes);
}

#[test]
fn a_protected_task_is_named_before_it_is_stopped() {
    let mut world = World::open("small", "acme-stage", "web-stage");
    world.ask(Feed::Tasks(Ctx(0), world.cluster.clone()));
    let tasks: Vec<_> = world.store.tasks_of(Ctx(0), &world.cluster, "storefront").iter().map(|task| task.arn.clone()).collect();
    world.preview(Verb::StopTasks, &tasks);
    let plan = plans::stop_tasks(&world.facts(), &tasks).unwrap();
    assert!(!plan.notes.iter().any(|note| note.text.contains("protected")), "{:#?}", plan.notes);
    let protect = plans::protect(&world.facts(), &tasks[..1], true, Some(30)).unwrap();
    drop(world.send(&protect.steps[0].call, None));
    world.step(60);
    world.preview(Verb::StopTasks, &tasks);
    let plan = plans::stop_tasks(&world.facts(), &tasks).unwrap();
    let short = &tasks[0].name()[..8];
    says(&plan, Weight::Warning, &["protected: ", short, "until ", "StopTask stops it all the same"]);
    unblocked(&plan);
    let again = plans::protect(&world.facts(), &tasks, true, Some(60)).unwrap();
    let before: Vec<bool> = again.changes.iter().map(|change| change.before.starts_with("protected until ")).collect();
    assert_eq!(before.iter().filter(|protected| **protected).count(), 1, "{:?}", again.changes);
    // Who may not ask is told so, and may stop it.
    world.sim.set_faults("[[fault]]\noperation = 'ecs:GetTaskProtection'\nkind = 'deny'\n").unwrap();
    let mut world = World::at(world.sim, "acme-stage", "web-stage");
    world.ask(Feed::Tasks(Ctx(0), world.cluster.clone()));
    world.preview(Verb::StopTasks, &tasks);
    let plan = plans::stop_tasks(&world.facts(), &tasks).unwrap();
    says(&plan, Weight::Info, &["whether somebody has protected it is not known", "ecs:GetTaskProtection"]);
}
