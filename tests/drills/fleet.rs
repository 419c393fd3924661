//! The first screen of all seven contexts: what a newcomer sees, and what it costs.

use crate::stage::{Stage, sim};
use crate::walk::{line, rest, shows};

#[test]
fn the_first_screen_shows_the_standing_troubles() {
    let mut stage = Stage::open(sim("seeds"));
    rest(&mut stage);
    for trouble in ["tutorbloc/production", "tutorbloc/staging", "learning-platform-cluster1/api", "sLearn-Backend-Service"] {
        let row = line(&mut stage, trouble);
        assert!(row.contains("FAIL") || row.contains("WARN"), "{row}");
    }
    shows(&mut stage, &["lomash-production", "oky-updater: Cannot describe the clusters: AccessDenied for ecs:DescribeClusters"]);
    assert!(line(&mut stage, "lomash-production").contains("ROLL"));
}

#[test]
fn the_first_screen_settles_in_under_forty_calls_and_names_the_causes() {
    let mut stage = Stage::open(sim("seeds"));
    stage.screen(120, 35);
    stage.settle_first();
    let asked: Vec<&str> = stage.sim.calls().iter().map(|call| call.operation).collect();
    assert!(asked.len() < 40, "{} calls: {asked:?}", asked.len());
    for (trouble, why) in [
        ("tutorbloc/production", "container app exits 1"),
        ("tutorbloc/staging", "enough memory left"),
        ("learning-platform-cluster1/api", "a secret is not there"),
        ("sLearn-Backend-Service", "load balancer's health check"),
    ] {
        let row = line(&mut stage, trouble);
        assert!(row.contains(why), "{row}");
    }
}
