//! What is picked before the dialog opens: an image, a revision.

use super::{confirm, contract, keys, landed, listed, service, shows};
use crate::stage::{self, Stage, sim};
use midwatch::change::apply::Progress;

/// One service whose image is built for two platforms, and reads a parameter.
const SHOP: &str = r#"
about = "One service of two platforms"

[[context]]
name = "shop"
region = "eu-west-2"
account = "219087346512"
access_key = "AKIAMIDWATCHSHOP0001"
secret_key = "shop/secret/for/loopback/only/0000000001"

[[cluster]]
name = "main"
context = "shop"

[[service]]
name = "api"
cluster = "main"
desired = 1
revision = 7
age = "90d"
deployed = "10d"
execution_role = "shop-execution"

[[service.container]]
name = "app"
image = "api"
tag = "v7"
voice = "plain"
parameters = { SMTP_PASSWORD = "SMTP_PASSWORD" }

[[repository]]
name = "api"
context = "shop"

[[repository.image]]
tags = ["v7"]
pushed = "16d"
platforms = ["linux/amd64", "linux/arm64"]
scan = { CRITICAL = 1, HIGH = 4 }

[[repository.image]]
tags = ["v6"]
pushed = "40d"
platforms = ["linux/amd64", "linux/arm64"]

[[drill]]
name = "Z1"
about = "a parameter is gone"

[[drill.step]]
cluster = "main"
act = "delete_parameter"
parameter = "SMTP_PASSWORD"

[[drill]]
name = "Z2"
about = "an image expires"

[[drill.step]]
cluster = "main"
act = "expire_image"
image = "api:v7"
"#;

pub fn shop() -> Stage {
    listed(Stage::open(sim(&stage::scenario(SHOP))), "main", "api")
}

#[test]
fn an_image_of_two_platforms_shows_who_runs_it_and_what_its_scan_found() {
    let mut stage = shop();
    keys(&mut stage, "a i");
    stage.settle();
    let screen = stage.screen(120, 35);
    let line = screen.lines().find(|line| line.contains(" v7 ")).unwrap_or_else(|| panic!("{screen}"));
    assert!(line.contains("1 critical 4 high") && line.contains(" api"), "{screen}");
    let older = screen.lines().find(|line| line.contains(" v6 ")).unwrap();
    assert!(!older.contains("critical") && !older.contains(" api"), "{screen}");
    shows(&mut stage, &["of linux/amd64: an index is not scanned itself"]);
}

#[test]
fn a_parameter_that_is_deleted_meanwhile_stops_the_change() {
    let mut stage = shop();
    keys(&mut stage, "R");
    shows(&mut stage, &["1 secret that it reads is there"]);
    stage.sim.start_drill("Z1").unwrap();
    stage.sim.step(std::time::Duration::from_secs(1));
    stage.press("y");
    let Progress::Moved(moved, _) = landed(&mut stage) else { panic!("{:?}", stage.progress) };
    assert_eq!((moved[0].what, moved[0].was.as_str()), ("secret", "there"));
    shows(&mut stage, &["SMTP_PASSWORD secret: was there · now ", "cannot be done: /SMTP_PASSWORD"]);
}

#[test]
fn in_a_canary_of_code_deploy_the_last_good_one_is_what_serves() {
    let mut stage = service(&contract("beside.toml"), "shop", "pay");
    keys(&mut stage, "B");
    let star = |screen: &str| screen.lines().find(|line| line.contains('★')).map(str::to_owned);
    let before = stage.screen(120, 35);
    let serves = before.lines().find(|line| line.contains("● runs now")).unwrap_or_else(|| panic!("{before}")).to_owned();
    let number = serves.split_whitespace().find(|word| word.chars().all(|c| c.is_ascii_digit())).unwrap().to_owned();
    keys(&mut stage, "down enter");
    confirm(&mut stage, "pay");
    assert_eq!(landed(&mut stage), Progress::Done);
    // From the watch to the list again.
    keys(&mut stage, "esc esc");
    stage.step(30);
    stage.refresh_quietly();
    keys(&mut stage, "B");
    let screen = stage.screen(120, 35);
    let good = star(&screen).unwrap_or_else(|| panic!("{screen}"));
    assert!(good.contains(&number) && good.contains("serves now"), "{number}: {good}\n{screen}");
    assert!(screen.contains("(rolling out) → ") && screen.contains("(serves)"), "{screen}");
}
