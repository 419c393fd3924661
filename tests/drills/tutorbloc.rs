//! Tutorbloc: container instances, bridge network, moving tags, a migration at every start.

use crate::walk::{at, go, hides, later, line, rest, service, shows};

#[test]
fn t1_three_containers_in_one_log_group_are_merged_and_told_apart() {
    let mut stage = at("tutorbloc");
    service(&mut stage, "tutorbloc", "production");
    stage.press("l");
    stage.screen(120, 35);
    stage.read_up();
    let screen = stage.screen(120, 35);
    shows(&mut stage, &["Logs production", "/ecs/production-app-ec2", "merged by time", " app ", " nginx ", " blackbox "]);
    let times: Vec<&str> = screen.lines().filter_map(|line| line.get(4..16).filter(|text| text.starts_with("03:"))).collect();
    assert!(times.len() > 20 && times.is_sorted(), "{screen}");
    // One of them alone.
    stage.press("&");
    stage.write("container:blackbox");
    stage.press("enter");
    let screen = stage.screen(120, 35);
    let lines: Vec<&str> = screen.lines().filter(|line| line.get(4..7) == Some("03:")).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains(" blackbox ")), "{screen}");
}

#[test]
fn t2_a_migration_that_fails_is_named_with_its_own_lines() {
    let mut stage = at("tutorbloc");
    let problem = line(&mut stage, "tutorbloc/production");
    assert!(problem.contains("FAIL") && problem.contains("app"), "{problem}");
    service(&mut stage, "tutorbloc", "production");
    shows(
        &mut stage,
        &["tasks die at start", "container app exits 1 running `php artisan migrate --force", "SQLSTATE[42S22]: Column not found", "1/1"],
    );
    go(&mut stage, "pane triage");
    rest(&mut stage);
    later(&mut stage, 11);
    shows(&mut stage, &["container app exits 1", "migrate --force", "SQLSTATE[42S22]"]);
    hides(&mut stage, &["nginx exits"]);
}

#[test]
fn t4_memory_that_is_short_is_told_with_its_amount_and_instance() {
    let mut stage = at("tutorbloc");
    service(&mut stage, "tutorbloc", "staging");
    shows(&mut stage, &["FAIL", "a task needs 512 MiB of memory: i-0", "has 416 left, 96 short"]);
    go(&mut stage, "pane instances");
    rest(&mut stage);
    shows(&mut stage, &["416", "800", "928"]);
    let screen = stage.screen(120, 35);
    assert!(screen.lines().filter(|line| line.contains("i-0") && line.contains("ACTIVE")).count() >= 2, "{screen}");
}

#[test]
fn t5_a_fixed_host_port_leaves_no_instance_for_the_next_task() {
    let mut stage = at("tutorbloc");
    stage.press(":");
    stage.write("drill T5");
    stage.press("enter");
    for _ in 0..8 {
        later(&mut stage, 60);
    }
    service(&mut stage, "tutorbloc", "production");
    shows(&mut stage, &["host port 80 is fixed, so one task per instance", "must keep 100% running", "2/2"]);
    stage.press("e");
    rest(&mut stage);
    shows(&mut stage, &["is already using a port required by your task"]);
}

#[test]
fn t6_instance_targets_are_matched_to_their_tasks_by_port() {
    let mut stage = at("tutorbloc");
    service(&mut stage, "tutorbloc", "production");
    stage.press("enter");
    rest(&mut stage);
    let running = line(&mut stage, "RUNNING");
    let task = running.split_whitespace().find(|word| word.len() >= 4 && word.bytes().all(|b| b.is_ascii_hexdigit())).unwrap().to_owned();
    stage.keys("esc h");
    rest(&mut stage);
    let target = line(&mut stage, "healthy");
    assert!(target.contains("i-0") && target.contains(":80"), "{target}");
    assert!(target.contains(&task[..4]), "the target {target} is not matched to task {task}");
    hides(&mut stage, &["no task"]);
}
