//! What moved between the preview and the confirmation, whatever of it the preview told: was, now and yours, and a plan made anew.

use super::pickers::shop;
use super::{confirm, keys, landed, sent, service, shows, storefront};
use crate::clients;
use crate::stage::Stage;
use aws_sdk_applicationautoscaling::types as scaling;
use midwatch::change::apply::Progress;
use midwatch::change::journal::Phase;
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// What moved, as `what was → now`.
fn moved(stage: &mut Stage) -> Vec<String> {
    let Progress::Moved(moved, _) = landed(stage) else { panic!("{}", stage.screen(120, 35)) };
    moved.into_iter().map(|moved| format!("{} {} → {}", moved.what, moved.was, moved.now)).collect()
}

#[test]
fn a_range_that_is_registered_meanwhile_is_told_and_warned_of() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    let other = clients::scaling(&stage.sim, "acme-stage");
    let register =
        other.register_scalable_target().service_namespace(scaling::ServiceNamespace::Ecs).resource_id("service/web-stage/storefront");
    let register = register.scalable_dimension(scaling::ScalableDimension::EcsServiceDesiredCount).min_capacity(1).max_capacity(2);
    runtime().block_on(register.send()).unwrap();
    stage.press("y");
    assert_eq!(moved(&mut stage), ["scaling range none → 1 to 2"]);
    shows(&mut stage, &["scaling range: was none · now 1 to 2 · yours stays"]);
    // The plan is made anew from what was read: its warnings are those of the range.
    stage.refresh_quietly();
    shows(
        &mut stage,
        &["was none · now 1 to 2", "3 is above the maximum of 2", "the range stays: when scaling next acts it brings the count back to 2"],
    );
    assert_eq!(sent(&stage).len(), 1, "only the registration");
}

#[test]
fn bounds_that_were_told_and_moved_are_told_again() {
    let mut stage = storefront();
    keys(&mut stage, "R");
    let ecs = clients::ecs(&stage.sim, "acme-stage");
    let bounds = aws_sdk_ecs::types::DeploymentConfiguration::builder().minimum_healthy_percent(0).maximum_percent(100).build();
    runtime().block_on(ecs.update_service().cluster("web-stage").service("storefront").deployment_configuration(bounds).send()).unwrap();
    stage.press("y");
    let told = moved(&mut stage);
    assert!(told.iter().any(|line| line.starts_with("minimumHealthyPercent ") && line.ends_with("→ 0 %")), "{told:?}");
    shows(&mut stage, &["minimumHealthyPercent: was ", "now 0 %", "all 2 tasks may stop before a new one runs"]);
}

#[test]
fn an_image_that_is_gone_when_it_is_confirmed_stops_the_change() {
    let mut stage = shop();
    keys(&mut stage, "R");
    shows(&mut stage, &["api:v7 is what runs"]);
    stage.sim.start_drill("Z2").unwrap();
    stage.sim.step(std::time::Duration::from_secs(1));
    stage.press("y");
    let told = moved(&mut stage);
    assert!(told.iter().any(|line| line.starts_with("digest ") && line.ends_with(" → gone")), "{told:?}");
    shows(&mut stage, &["api:v7 digest: was ", "now gone", "cannot be done: "]);
    stage.step(3);
    keys(&mut stage, "y");
    assert_eq!(sent(&stage), []);
}

#[test]
fn after_it_moved_the_journal_tells_what_was_there_then() {
    let mut stage = service("seeds", "lomash-staging", "customer-service");
    keys(&mut stage, "S 3");
    stage.sim.start_drill("X3").unwrap();
    stage.press("y");
    assert!(moved(&mut stage).iter().any(|line| line.starts_with("desired ") && line.ends_with(" → 4")));
    // What was read again is what the plan is made of, before any poll has seen it.
    shows(&mut stage, &["4  →  3"]);
    stage.step(2);
    confirm(&mut stage, "customer-service");
    assert_eq!(landed(&mut stage), Progress::Done);
    let records = stage.records.clone();
    let intent = records.iter().find(|record| matches!(record.phase, Phase::Intent { .. })).unwrap();
    assert_eq!((&*intent.before[0], &*intent.after[0], intent.compared), ("desired 4", "desired 3", true));
}
