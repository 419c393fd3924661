//! A role that may update two services and read next to nothing.

use super::{World, registering};
use midwatch::change::apply::Progress;
use midwatch::change::{Basis, Call, Revision, ServiceChange, Step, Verb};
use midwatch::model::Arn;

#[tokio::test]
async fn o2_the_service_updater_deploys_an_image_and_goes_back() {
    let world = World::open("seeds").await;
    let (cluster, name) = ("project-oky-ecs-cluster", "project-oky-ecs-api-task-service-1lehr9r5");
    let before = world.service("oky-admin", cluster, name).await;
    let (service, base) = (Arn::from(before.service_arn().unwrap()), before.task_definition().unwrap().to_owned());
    let ctx = world.ctx("oky-updater");
    let deploy = |revision| {
        let set = ServiceChange { revision: Some(revision), ..ServiceChange::default() };
        Call::UpdateService { cluster: super::cluster_of(&service), service: service.clone(), set }
    };
    let basis = Basis::Service {
        arn: service.clone(),
        status: "ACTIVE".into(),
        desired: 1,
        revision: Arn::from(&*base),
        deployment: before.deployments()[0].id().unwrap().into(),
        state: before.deployments()[0].rollout_state().unwrap().as_str().into(),
    };
    let register = registering::clone_of(&world, "oky-updater", &base, "2025_06").await;
    let mut plan = super::plan(Verb::DeployImage, ctx, &service, register, vec![basis]);
    plan.steps.push(Step { call: deploy(Revision::Registered), what: "deploy".into() });
    let heard = world.carry_out(vec![plan.clone()]).await;
    assert_eq!(heard.progress.last(), Some(&Progress::Done), "{:?} {:?}", heard.progress, heard.said);
    let sent = heard.progress.iter().filter(|progress| matches!(progress, Progress::Sent { .. })).count();
    assert_eq!(sent, 2, "{:?}", heard.progress);
    let now = world.service("oky-admin", cluster, name).await;
    assert_ne!(now.task_definition(), Some(&*base));
    let back = super::plan(Verb::RollBack, ctx, &service, deploy(Revision::Known(Arn::from(&*base))), Vec::new());
    let heard = world.carry_out(vec![back]).await;
    assert_eq!(heard.progress.last(), Some(&Progress::Done), "{:?}", heard.progress);
    assert_eq!(world.service("oky-admin", cluster, name).await.task_definition(), Some(&*base));
    // What its policy does not name is refused, by name.
    let stop = Call::StopTask { cluster: super::cluster_of(&service), task: service.clone(), reason: String::new() };
    let error = world.clients.api(ctx).send(&stop, None).await.unwrap_err();
    assert!(error.what.contains("AccessDenied for ecs:StopTask as "), "{}", error.what);
}
