//! Tasks that fail at their start, and what each of their containers shows.

use super::*;

/// A cluster `main` with one service of the given tables.
fn of_service(service: &str, more: &str) -> World {
    open(LONDON, "", &format!("desired = 1\n{service}\n{more}"))
}

const THREE: &str = r#"
execution_role = "zanda-execution"
[[service.container]]
name = "app"
image = "shop.app"
tag = "production"
moving = true
ports = [9000]
parameters = { SMTP_PASSWORD = "SMTP_PASSWORD", RAILS_MASTER_KEY = "zanda/rails-master-key" }
health_check = { command = "true", interval = 10 }
voice = "php"
[[service.container]]
name = "nginx"
image = "shop.nginx"
tag = "production"
moving = true
depends_on = { app = "HEALTHY" }
voice = "nginx"
[[service.container]]
name = "blackbox"
image = "docker.io/prom/blackbox-exporter"
tag = "latest"
voice = "plain"
"#;

fn release_of(fate: &str) -> String {
    format!(
        "[[actor]]\nname = \"ci\"\ncluster = \"main\"\nservice = \"api\"\nfirst = \"1s\"\nact = \"deploy\"\n[actor.behaviour]\n{fate}\n"
    )
}

fn reasons(w: &mut World) -> Vec<String> {
    tasks(w, "STOPPED").iter().map(|t| t["stoppedReason"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_migration_that_fails_ends_its_container_and_the_others_only_follow() {
    let more =
        release_of("fate = \"exits\"\ncontainer = \"app\"\nafter = \"6s\"\ncode = 1\ntail = [\"SQLSTATE[42S21]: Column already exists\"]");
    let mut w = of_service(THREE, &more);
    run(&mut w, 90, |_| {});
    let stopped = tasks(&mut w, "STOPPED");
    let dead: Vec<&Value> = stopped.iter().filter(|t| t["taskDefinitionArn"].as_str().unwrap().ends_with(":8")).collect();
    assert!(!dead.is_empty());
    for task in dead {
        let [app, nginx, blackbox] = [0, 1, 2].map(|at| &task["containers"][at]);
        assert_eq!((&app["exitCode"], &task["stopCode"]), (&json!(1), &json!("EssentialContainerExited")));
        assert_eq!((nginx.get("exitCode"), &nginx["lastStatus"]), (None, &json!("STOPPED")), "it waited for app and never started");
        assert_eq!(blackbox["exitCode"], json!(143), "told to stop");
        assert!(task.get("startedAt").is_none(), "the task never came to RUNNING");
    }
    assert_eq!(service(&mut w)["runningCount"], 1, "the old revision holds");
    let group = &w.estates[0].log_groups["/ecs/api"];
    let told = group.streams.values().filter(|s| s.last_words && s.behaviour.tail[0].starts_with("SQLSTATE"));
    assert!(told.count() > 0);
}

#[test]
fn a_healthy_start_keeps_the_order_of_its_containers() {
    let mut w = of_service(THREE, &release_of("fate = \"healthy\""));
    let mut seen_waiting = false;
    run(&mut w, 120, |w| {
        let pending = w.estates[0].tasks.values().filter(|t| t.status == TaskStatus::Pending && t.pull_stopped_at.is_some());
        for task in pending {
            seen_waiting |= task.containers[0].started_at.is_some() && task.containers[1].started_at.is_none();
        }
    });
    assert!(seen_waiting, "nginx waits until app is healthy");
    let s = service(&mut w);
    assert_eq!((&s["runningCount"], &s["deployments"][0]["rolloutState"]), (&json!(1), &json!("COMPLETED")));
    let new = &w.estates[0].tasks.values().find(|t| t.definition.revision == 8).unwrap().containers;
    assert!(new[1].started_at > new[0].started_at);
}

#[test]
fn a_parameter_that_is_gone_is_named_and_comes_back() {
    let gone = "[[drill]]\nname = \"Z1\"\nabout = \"a parameter is gone\"\n\
        [[drill.step]]\ncluster = \"main\"\nact = \"delete_parameter\"\nparameter = \"SMTP_PASSWORD\"\n\
        [[drill.step]]\ncluster = \"main\"\nservice = \"api\"\nact = \"redeploy\"\n\
        [[drill]]\nname = \"Z1-over\"\nabout = \"it is back\"\n\
        [[drill.step]]\ncluster = \"main\"\nact = \"restore_parameter\"\nparameter = \"SMTP_PASSWORD\"\n";
    let mut w = of_service(THREE, gone);
    w.start_drill("z1").unwrap();
    run(&mut w, 60, |_| {});
    let all = reasons(&mut w);
    assert!(all.iter().all(|r| r.starts_with("ResourceInitializationError: unable to pull secrets or registry auth")), "{all:?}");
    assert!(all[0].ends_with("invalid ssm parameters: SMTP_PASSWORD"), "{all:?}");
    assert_eq!(tasks(&mut w, "STOPPED")[0]["stopCode"], "TaskFailedToStart");
    w.start_drill("Z1-over").unwrap();
    run(&mut w, 400, |_| {});
    assert_eq!(service(&mut w)["deployments"].as_array().unwrap().len(), 1);
}

#[test]
fn a_denied_parameter_names_its_arn_and_the_execution_role() {
    let mut w = of_service(THREE, &release_of("fate = \"secret_denied\"\nsecret = \"RAILS_MASTER_KEY\""));
    run(&mut w, 60, |_| {});
    let reason = &reasons(&mut w)[0];
    for part in [
        "AccessDeniedException",
        "assumed-role/zanda-execution/",
        "ssm:GetParameters",
        "arn:aws:ssm:eu-west-2:170904582664:parameter/zanda/rails-master-key",
    ] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
}

#[test]
fn each_fate_at_the_start_has_words_of_its_own() {
    let table = [
        ("pull_limited", "toomanyrequests"),
        ("pull_denied", "403 Forbidden"),
        ("pull_unreachable", "i/o timeout"),
        ("pull_fails", ": not found"),
        ("secret_unreachable", "context deadline exceeded"),
        ("start_fails", "CannotStartContainerError: "),
        ("log_group_missing", "The specified log group does not exist"),
        ("network_interface", "Timeout waiting for network interface provisioning"),
        ("environment_file_denied", "failed to download env files"),
    ];
    for (fate, words) in table {
        let mut w = of_service(THREE, &release_of(&format!("fate = \"{fate}\"")));
        run(&mut w, 60, |_| {});
        let all = reasons(&mut w);
        assert!(all.first().is_some_and(|r| r.contains(words)), "{fate}: {all:?}");
        assert!(tasks(&mut w, "STOPPED")[0]["containers"][0].get("exitCode").is_none(), "{fate}");
        assert_eq!(service(&mut w)["runningCount"], 1, "{fate}: the old revision holds");
    }
}

#[test]
fn a_moving_tag_gives_each_release_another_digest() {
    let mut w = of_service(THREE, &release_of("fate = \"healthy\""));
    let digest = |w: &mut World| tasks(w, "RUNNING")[0]["containers"][0]["imageDigest"].clone();
    let before = digest(&mut w);
    run(&mut w, 200, |_| {});
    let s = service(&mut w);
    assert!(s["taskDefinition"].as_str().unwrap().ends_with(":8"));
    assert_ne!(digest(&mut w), before);
    let images = w.estates[0].families["api"].iter().map(|d| d.containers[0].image.clone());
    assert_eq!(images.collect::<std::collections::BTreeSet<_>>().len(), 1, "all revisions name the same tag");
    // Going back to the older revision starts the newest image.
    let new = digest(&mut w);
    call(&mut w, "UpdateService", &json!({"cluster": "main", "service": "api", "taskDefinition": "api:7"}));
    run(&mut w, 200, |_| {});
    assert_eq!(digest(&mut w), new);
}

#[test]
fn a_sidecar_that_ends_leaves_its_task_alone() {
    let sidecar = THREE.replace("name = \"blackbox\"", "name = \"blackbox\"\nessential = false");
    let mut w = of_service(&sidecar, &release_of("fate = \"exits\"\ncontainer = \"blackbox\"\nafter = \"5s\"\ncode = 2"));
    run(&mut w, 200, |_| {});
    let running = tasks(&mut w, "RUNNING");
    let blackbox = &running[0]["containers"][2];
    assert_eq!((&blackbox["lastStatus"], &blackbox["exitCode"]), (&json!("STOPPED"), &json!(2)));
    assert_eq!(running[0]["lastStatus"], "RUNNING");
}
