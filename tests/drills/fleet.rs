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
