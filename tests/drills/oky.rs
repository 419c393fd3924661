//! Oky: least privilege, immutable tags, logs that are kept a week, and no way out of the network.

use crate::stage::{Stage, sim};
use crate::walk::{at, go, hides, rest, service, shows};
use midwatch::model::Ctx;

const CLUSTER: &str = "project-oky-ecs-cluster";
const CMS: &str = "project-oky-ecs-cms-task-service-smibyuqs";

#[test]
fn o2_each_denied_read_is_named_on_its_pane_and_nothing_loops() {
    let mut stage = Stage::only(sim("seeds"), "oky-updater");
    rest(&mut stage);
    shows(&mut stage, &["ecs:DescribeClusters"]);
    // A poll that is denied is not asked again and again.
    let _ = stage.sim.take_calls();
    for _ in 0..20 {
        stage.step(3);
        stage.refresh_quietly();
    }
    let calls = stage.sim.take_calls();
    assert!(calls.len() <= 60, "{} calls in a minute of somebody who may not ask", calls.len());
    go(&mut stage, "pane access");
    rest(&mut stage);
    shows(&mut stage, &["ecs:ListClusters", "denied"]);
}

/// The updater started as its advice says: by cluster and service, of which it may list neither.
#[test]
fn o2_a_role_that_may_not_list_opens_the_service_that_it_names() {
    let mut stage = Stage::cluster(sim("seeds"), "oky-updater", CLUSTER);
    stage.app.find_service(Ctx(0), CMS);
    rest(&mut stage);
    shows(&mut stage, &[&format!("{CLUSTER} › {CMS}"), "AccessDenied for ecs:ListTasks"]);
}

#[test]
fn o5_logs_older_than_the_retention_say_what_is_kept() {
    let mut stage = at("oky-admin");
    service(&mut stage, CLUSTER, CMS);
    stage.press("l");
    stage.screen(120, 35);
    stage.read_up();
    shows(&mut stage, &["no log lines", "kept 7 days"]);
    hides(&mut stage, &["empty"]);
    // Since the task started, two months ago, there were lines; they are gone.
    stage.press("1");
    stage.screen(120, 35);
    stage.read_up();
    shows(&mut stage, &["no log lines", "kept 7 days"]);
}
