//! Why a session does not begin: the state of the task, its agent, its role, its network, and the caller.

use super::World;
use super::channel::{call, execute, send};
use midwatch::sim::Shell;
use serde_json::{Value, json};

const NOT_ENABLED: &str = "The execute command failed because execute command was not enabled when the task was run or the execute command \
    agent isn\u{2019}t running. Wait and try again or run a new task with execute command enabled and try again.";
const INTERNAL: &str = "The execute command failed due to an internal error. Try again later.";

/// Status, code and words of an answer.
fn told(answer: &(u16, Value)) -> (u16, &str, &str) {
    (answer.0, answer.1["__type"].as_str().unwrap_or_default(), answer.1["message"].as_str().unwrap_or_default())
}

#[test]
fn each_reason_has_the_words_that_ecs_has_for_it() {
    let world = World::of_reasons("main", Shell::Builtin);
    for (service, code, words) in [
        ("off", "InvalidParameterException", NOT_ENABLED),
        ("role", "InvalidParameterException", NOT_ENABLED),
        ("sealed-root", "InvalidParameterException", NOT_ENABLED),
        ("network", "TargetNotConnectedException", INTERNAL),
    ] {
        let answer = world.execute(&world.tasks(service)[0], "sh");
        assert_eq!(told(&answer), (400, code, words), "{service}");
    }
    let fine = world.tasks("fine").remove(0);
    assert_eq!(world.execute(&fine, "sh").0, 200);
}

#[test]
fn the_agents_state_is_in_the_description_of_its_task() {
    let world = World::of_reasons("main", Shell::Builtin);
    let agent = |service: &str| world.described(&world.tasks(service)[0])["containers"][0]["managedAgents"][0].clone();
    assert_eq!((&agent("fine")["name"], &agent("fine")["lastStatus"]), (&json!("ExecuteCommandAgent"), &json!("RUNNING")));
    assert_eq!(agent("network")["lastStatus"], "RUNNING", "an agent does not know who reaches it");
    for service in ["role", "sealed-root"] {
        assert_eq!(agent(service)["lastStatus"], "STOPPED", "{service}");
        assert!(agent(service)["reason"].as_str().is_some(), "{service}");
    }
    assert_eq!(agent("off"), Value::Null);
}

#[test]
fn task_definitions_and_clusters_say_what_a_check_asks_for() {
    let world = World::of_reasons("sealed", Shell::Builtin);
    let definition = |name: &str| world.ecs("DescribeTaskDefinition", &json!({"taskDefinition": name})).1["taskDefinition"].clone();
    assert_eq!(definition("fine")["containerDefinitions"][0]["linuxParameters"]["initProcessEnabled"], true);
    assert_eq!(definition("sealed-root")["containerDefinitions"][0]["readonlyRootFilesystem"], true);
    assert_eq!(definition("shared")["pidMode"], "task");
    let body = json!({"clusters": ["sealed", "main"], "include": ["CONFIGURATIONS"]});
    let (_, described) = world.ecs("DescribeClusters", &body);
    let exec = |at: usize| described["clusters"][at]["configuration"]["executeCommandConfiguration"].clone();
    let key = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555";
    assert_eq!(exec(0)["kmsKeyId"], key);
    assert_eq!((&exec(0)["logging"], &exec(0)["logConfiguration"]["s3BucketName"]), (&json!("OVERRIDE"), &json!("exec-audit")));
    assert_eq!(exec(1), json!({"logging": "DEFAULT"}));
}

#[test]
fn a_shared_process_namespace_has_room_for_one_container() {
    let world = World::of_reasons("main", Shell::Builtin);
    let task = world.tasks("shared").remove(0);
    assert_eq!(world.execute(&task, "sh").0, 200);
    assert_eq!(world.execute(&task, "sh").0, 200);
    let side = execute(world.sim.addr(), &world.keys, "main", &task, "side", "sh");
    assert_eq!(told(&side), (400, "TargetNotConnectedException", INTERNAL));
}

#[test]
fn what_is_asked_for_must_make_sense() {
    let world = World::of_reasons("main", Shell::Builtin);
    let task = world.tasks("fine").remove(0);
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut body = json!({"cluster": "main", "task": task, "container": "app", "command": "sh", "interactive": true});
        change(&mut body);
        let answer = world.ecs("ExecuteCommand", &body);
        told(&answer).1.to_owned()
    };
    assert_eq!(refused(&|body| body["interactive"] = json!(false)), "InvalidParameterException");
    assert_eq!(refused(&|body| body["container"] = json!("nobody")), "InvalidParameterException");
    assert_eq!(refused(&|body| body["container"] = Value::Null), "InvalidParameterException");
    assert_eq!(refused(&|body| body["command"] = Value::Null), "InvalidParameterException");
    assert_eq!(refused(&|body| body["cluster"] = json!("nowhere")), "ClusterNotFoundException");
    assert_eq!(refused(&|body| body["task"] = json!("0".repeat(32))), "InvalidParameterException");
}

#[test]
fn a_caller_needs_the_task_and_its_cluster() {
    let world = World::of_reasons("main", Shell::Builtin);
    let task = world.tasks("fine").remove(0);
    let reader = world.sim.contexts()[1].clone();
    let answer = execute(world.sim.addr(), &reader, "main", &task, "app", "sh");
    let (status, code, words) = told(&answer);
    assert_eq!((status, code), (400, "AccessDeniedException"));
    assert!(words.contains("ecs:ExecuteCommand on resource: arn:aws:ecs:eu-west-1:111122223333:cluster/main"), "{words}");
    let forward = json!({"Target": world.target(&task, "app"), "DocumentName": "AWS-StartPortForwardingSession",
        "Parameters": {"portNumber": ["8080"]}});
    let answer = send(world.sim.addr(), &call(world.sim.addr(), &reader, "ssm", "AmazonSSM.StartSession", &forward));
    assert!(told(&answer).2.contains("ssm:StartSession on resource: arn:aws:ecs:eu-west-1:111122223333:task/main/"), "{answer:?}");
}
