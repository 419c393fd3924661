//! Container instances: room, ports, agents, draining, and what is said when nothing fits.

use super::*;

/// Two instances of 1 vCPU and 1,000 MiB, and a service of 400 MiB with keys of its own.
fn hosts(keys: &str, ports: &str, more: &str) -> World {
    let two = r#"[[cluster.instances]]
count = 2
type = "t3.small"
cpu = 1024
memory = 1000
age = "9d"
ids = ["i-0aaaaaaaaaaaaaaa1", "i-0aaaaaaaaaaaaaaa2"]"#;
    let service = format!(
        r#"launch = "EC2"
{keys}
[[service.container]]
name = "app"
image = "api"
tag = "v1"
memory = 400
cpu = 256
{ports}
voice = "plain"
[service.load_balancer]
name = "public"
port = 80
interval = "10s"
drain = "10s"
{more}
"#
    );
    open(LONDON, two, &service)
}

fn instances(w: &mut World) -> Vec<Value> {
    let arns = call(w, "ListContainerInstances", &json!({"cluster": "main"}))["containerInstanceArns"].clone();
    let reply = call(w, "DescribeContainerInstances", &json!({"cluster": "main", "containerInstances": arns}));
    reply["containerInstances"].as_array().unwrap().clone()
}

fn left(instance: &Value, name: &str) -> Value {
    let all = instance["remainingResources"].as_array().unwrap();
    let one = all.iter().find(|r| r["name"] == name).unwrap();
    if name == "PORTS" { one["stringSetValue"].clone() } else { one["integerValue"].clone() }
}

#[test]
fn room_and_ports_are_counted_and_targets_are_instances() {
    let mut w = hosts("desired = 2", "ports = [80]\nhost_ports = [80]", "");
    for instance in instances(&mut w) {
        assert_eq!((left(&instance, "CPU"), left(&instance, "MEMORY")), (json!(768), json!(600)));
        assert!(left(&instance, "PORTS").as_array().unwrap().contains(&json!("80")));
        assert_eq!(instance["runningTasksCount"], 1);
    }
    let targets: Vec<String> = w.estates[0].target_groups[0].targets.iter().map(|t| format!("{}:{}", t.id, t.port)).collect();
    assert!(targets.contains(&"i-0aaaaaaaaaaaaaaa1:80".to_owned()), "{targets:?}");
    let bindings = tasks(&mut w, "RUNNING")[0]["containers"][0]["networkBindings"].clone();
    assert_eq!((&bindings[0]["hostPort"], &bindings[0]["containerPort"]), (&json!(80), &json!(80)));
}

#[test]
fn ports_that_docker_chooses_let_two_tasks_share_a_host() {
    let w = hosts("desired = 4", "ports = [80]", "");
    let ports: std::collections::BTreeSet<(String, u16)> =
        w.estates[0].target_groups[0].targets.iter().map(|t| (t.id.clone(), t.port)).collect();
    assert_eq!(ports.len(), 4);
    assert!(ports.iter().all(|(_, port)| *port >= 32_768));
}

#[test]
fn a_fixed_port_that_is_taken_is_said_when_the_minimum_keeps_it() {
    let mut w = hosts("desired = 2\nminimum = 100\nmaximum = 200", "ports = [80]\nhost_ports = [80]", &release("fate = \"healthy\""));
    run(&mut w, 120, |_| {});
    let said = events(&service(&mut w)).join("\n");
    assert!(said.contains("is already using a port required by your task."), "{said}");
    assert_eq!(service(&mut w)["deployments"].as_array().unwrap().len(), 2);
}

#[test]
fn full_hosts_are_said_with_what_is_short_and_where() {
    let fill = "[[drill]]\nname = \"T4\"\nabout = \"memory is full\"\n\
        [[drill.step]]\nname = \"nightly-export\"\ncluster = \"main\"\nact = \"fill\"\nleave = 100\n\
        [[drill.step]]\ncluster = \"main\"\nservice = \"api\"\nact = \"redeploy\"\nfirst = \"5s\"\n";
    let mut w = hosts("desired = 2", "ports = [80]", fill);
    w.start_drill("T4").unwrap();
    run(&mut w, 120, |_| {});
    let said = events(&service(&mut w)).join("\n");
    assert!(said.contains("was unable to place a task because no container instance met all of its requirements."), "{said}");
    assert!(said.contains("has insufficient memory available."), "{said}");
    let named = instances(&mut w).iter().any(|i| said.contains(i["containerInstanceArn"].as_str().unwrap().rsplit('/').next().unwrap()));
    assert!(named, "{said}");
    assert!(instances(&mut w).iter().all(|i| left(i, "MEMORY") == json!(100)));
    let batch = call(&mut w, "ListTasks", &json!({"cluster": "main", "family": "nightly-export"}));
    assert_eq!(batch["taskArns"].as_array().unwrap().len(), 2);
}

#[test]
fn an_agent_that_is_gone_takes_no_task() {
    let gone = "[[actor]]\nname = \"aws\"\ncluster = \"main\"\nact = \"agent_disconnect\"\n";
    let mut w = hosts("desired = 2", "ports = [80]", gone);
    run(&mut w, 5, |_| {});
    assert!(instances(&mut w).iter().all(|i| i["agentConnected"] == json!(false)));
    call(&mut w, "UpdateService", &json!({"cluster": "main", "service": "api", "desiredCount": 3}));
    run(&mut w, 60, |_| {});
    let said = events(&service(&mut w)).join("\n");
    assert!(said.contains("encountered error \"AGENT\""), "{said}");
    let body = json!({"cluster": "main", "taskDefinition": "api", "launchType": "EC2"});
    let failure = call(&mut w, "RunTask", &body)["failures"][0].clone();
    assert_eq!(failure["reason"], "AGENT");
    assert!(failure["arn"].as_str().unwrap().contains(":container-instance/main/"));
}

#[test]
fn a_drained_host_is_emptied_of_services_and_keeps_other_tasks() {
    let mut w = hosts("desired = 2", "ports = [80]", "");
    let lone = call(&mut w, "RunTask", &json!({"cluster": "main", "taskDefinition": "api", "launchType": "EC2", "startedBy": "me"}));
    let host = lone["tasks"][0]["containerInstanceArn"].clone();
    run(&mut w, 30, |_| {});
    let body = json!({"cluster": "main", "containerInstances": [host], "status": "DRAINING"});
    assert_eq!(call(&mut w, "UpdateContainerInstancesState", &body)["containerInstances"][0]["status"], "DRAINING");
    let mut fewest = 9;
    run(&mut w, 300, |w| fewest = fewest.min(service(w)["runningCount"].as_u64().unwrap()));
    assert!(fewest >= 2, "100 percent stay: {fewest}");
    let there = call(&mut w, "ListTasks", &json!({"cluster": "main", "containerInstance": host}));
    assert_eq!(there["taskArns"], json!([lone["tasks"][0]["taskArn"]]), "only the task without a service is left");
    assert_eq!(service(&mut w)["runningCount"], 2);
    let body = json!({"cluster": "main", "containerInstances": [host], "status": "ASLEEP"});
    assert_eq!(refused(&mut w, "UpdateContainerInstancesState", &body).0, "InvalidParameterException");
}

#[test]
fn a_terminated_host_takes_its_tasks_with_it() {
    let ends = "[[actor]]\nname = \"asg\"\ncluster = \"main\"\nact = \"terminate\"\ninstance = 0\nfirst = \"2s\"\n";
    let mut w = hosts("desired = 2", "ports = [80]", ends);
    run(&mut w, 120, |_| {});
    assert_eq!(instances(&mut w).len(), 1);
    let stopped = tasks(&mut w, "STOPPED");
    assert_eq!(stopped[0]["stoppedReason"], "Host EC2 (instance i-0aaaaaaaaaaaaaaa1) terminated.");
    assert_eq!(service(&mut w)["runningCount"], 2, "both run on the other host");
}

#[test]
fn a_strategy_fills_its_base_and_then_its_weights() {
    let keys = "desired = 9\ncapacity = [{ provider = \"FARGATE\", base = 1, weight = 1 }, { provider = \"FARGATE_SPOT\", weight = 3 }]";
    let mut w = world(keys, "");
    let on = |w: &mut World, name: &str| tasks(w, "RUNNING").iter().filter(|t| t["capacityProviderName"] == name).count();
    assert_eq!((on(&mut w, "FARGATE"), on(&mut w, "FARGATE_SPOT")), (3, 6));
    let strategy = service(&mut w)["capacityProviderStrategy"].clone();
    assert_eq!(strategy[1], json!({"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 0}));
}

/// Addresses that more than one living task has, in all of a world.
fn shared_addresses(w: &World) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let estates = w.estates.iter();
    let living = estates.flat_map(|e| e.tasks.values().map(move |t| (e, t))).filter(|(_, t)| t.status != TaskStatus::Stopped);
    let addresses = living.filter_map(|(e, t)| t.eni.as_ref().map(|eni| format!("{} {} {}", e.account, eni.subnet, eni.ip)));
    addresses.filter(|address| !seen.insert(address.clone())).collect()
}

#[test]
fn no_two_tasks_share_an_address_while_both_live() {
    for name in ["seeds", "small", "large"] {
        let mut w = World::open(&scenario::load(name, &[]).unwrap(), 1, NOW).unwrap();
        assert_eq!(shared_addresses(&w), [] as [String; 0], "{name} as it opens");
        for _ in 0..20 {
            w.advance_to(w.now() + 60_000);
            assert_eq!(shared_addresses(&w), [] as [String; 0], "{name}");
        }
    }
}
