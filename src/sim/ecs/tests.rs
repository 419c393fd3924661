//! What ECS accepts and refuses, on the embedded scenarios.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::sim::scenario;
use crate::sim::world::World;

const NOW: Ms = crate::sim::clock::FIXED_START;

fn small() -> World {
    World::open(&scenario::load("small", &[]).unwrap(), 1, NOW).unwrap()
}

fn large() -> World {
    let set = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let sizes = [set("services", "130"), set("tasks", "600"), set("clusters", "1")];
    World::open(&scenario::load("large", &sizes).unwrap(), 1, NOW).unwrap()
}

fn ask(world: &mut World, operation: &str, body: &Value) -> Reply {
    let caller = Caller { arn: "arn:aws:sts::219087346512:assumed-role/Test/test".to_owned() };
    handle(&mut world.estates[0], &caller, operation, body)
}

fn told(world: &mut World, operation: &str, body: &Value) -> Value {
    ask(world, operation, body).unwrap()
}

fn code(world: &mut World, operation: &str, body: &Value) -> (&'static str, String) {
    let error = ask(world, operation, body).unwrap_err();
    assert_eq!(error.status, 400);
    (error.code, error.message)
}

fn advance(world: &mut World, seconds: i64) {
    world.advance_to(world.now() + seconds * 1000);
}

/// All pages of a list, and how many there were.
fn pages(world: &mut World, operation: &str, key: &str, body: &Value) -> (Vec<Value>, usize) {
    let (mut all, mut count, mut body) = (Vec::new(), 0, body.clone());
    loop {
        let reply = told(world, operation, &body);
        all.extend(reply[key].as_array().unwrap().iter().cloned());
        count += 1;
        match reply.get("nextToken") {
            Some(token) => body["nextToken"] = token.clone(),
            None => return (all, count),
        }
    }
}

#[test]
fn pages_have_the_sizes_of_aws_and_lose_nothing() {
    let mut w = large();
    let (services, count) = pages(&mut w, "ListServices", "serviceArns", &json!({"cluster": "core-01"}));
    assert_eq!((services.len(), count), (130, 13), "ten to a page by default");
    let most = json!({"cluster": "core-01", "maxResults": 100});
    assert_eq!(pages(&mut w, "ListServices", "serviceArns", &most).1, 2);
    let (tasks, count) = pages(&mut w, "ListTasks", "taskArns", &json!({"cluster": "core-01"}));
    assert!(tasks.len() >= 600 && count == tasks.len().div_ceil(100));
    let mut distinct = tasks.clone();
    distinct.sort_by_key(ToString::to_string);
    distinct.dedup();
    assert_eq!(distinct.len(), tasks.len());
    for size in [0, 101, -1] {
        let body = json!({"cluster": "core-01", "maxResults": size});
        assert_eq!(code(&mut w, "ListServices", &body).0, "InvalidParameterException");
    }
    let body = json!({"cluster": "core-01", "nextToken": "made up"});
    assert_eq!(code(&mut w, "ListTasks", &body), ("InvalidParameterException", "Invalid token".to_owned()));
}

#[test]
fn a_page_goes_on_where_it_was_although_tasks_came_and_went() {
    let mut w = large();
    let first = told(&mut w, "ListTasks", &json!({"cluster": "core-01"}));
    let last = first["taskArns"][99].as_str().unwrap().to_owned();
    told(&mut w, "StopTask", &json!({"cluster": "core-01", "task": last}));
    let next = told(&mut w, "ListTasks", &json!({"cluster": "core-01", "nextToken": first["nextToken"]}));
    let arns = next["taskArns"].as_array().unwrap();
    assert_eq!(arns.len(), 100);
    assert!(arns.iter().all(|arn| arn.as_str().unwrap() > last.as_str()));
}

#[test]
fn eleven_services_and_a_hundred_and_one_tasks_are_too_many() {
    let mut w = large();
    let names: Vec<String> = (0..11).map(|n| format!("s{n}")).collect();
    let body = json!({"cluster": "core-01", "services": names});
    assert_eq!(code(&mut w, "DescribeServices", &body).0, "InvalidParameterException");
    let (tasks, _) = pages(&mut w, "ListTasks", "taskArns", &json!({"cluster": "core-01"}));
    let body = json!({"cluster": "core-01", "tasks": tasks[..101]});
    assert_eq!(code(&mut w, "DescribeTasks", &body).0, "InvalidParameterException");
    let body = json!({"cluster": "core-01", "tasks": tasks[..100]});
    assert_eq!(told(&mut w, "DescribeTasks", &body)["tasks"].as_array().unwrap().len(), 100);
    for (operation, key) in [("DescribeServices", "services"), ("DescribeTasks", "tasks")] {
        let (code, message) = code(&mut w, operation, &json!({"cluster": "core-01", key: []}));
        assert_eq!(code, "InvalidParameterException");
        assert!(message.ends_with(" cannot be empty."), "{message}");
    }
}

#[test]
fn what_is_not_there_is_missing_and_a_missing_cluster_is_an_error() {
    let mut w = small();
    let body = json!({"cluster": "web-prod", "services": ["search", "nope"]});
    let reply = told(&mut w, "DescribeServices", &body);
    assert_eq!(reply["services"].as_array().unwrap().len(), 1);
    let arn = "arn:aws:ecs:eu-west-1:219087346512:service/web-prod/nope";
    assert_eq!(reply["failures"], json!([{"arn": arn, "reason": "MISSING"}]));
    let reply = told(&mut w, "DescribeClusters", &json!({"clusters": ["web-prod", "web-stage"]}));
    assert_eq!(reply["clusters"].as_array().unwrap().len(), 1, "web-stage belongs to another account");
    assert_eq!(reply["failures"][0]["reason"], "MISSING");
    let cluster = ("ClusterNotFoundException", "Cluster not found.".to_owned());
    assert_eq!(code(&mut w, "ListServices", &json!({"cluster": "nope"})), cluster);
    assert_eq!(code(&mut w, "ListTasks", &json!({})), cluster, "there is no cluster named default");
    let body = json!({"cluster": "web-prod", "serviceName": "nope"});
    assert_eq!(code(&mut w, "ListTasks", &body).0, "ServiceNotFoundException");
    let body = json!({"cluster": "web-prod", "service": "nope", "desiredCount": 1});
    assert_eq!(code(&mut w, "UpdateService", &body).0, "ServiceNotFoundException");
    let body = json!({"cluster": "web-prod", "task": "0".repeat(32)});
    assert_eq!(code(&mut w, "StopTask", &body).1, "The referenced task was not found.");
    assert_eq!(code(&mut w, "DescribeTaskDefinition", &json!({"taskDefinition": "nope"})).0, "ClientException");
    assert_eq!(code(&mut w, "DeleteCluster", &json!({})).0, "UnknownOperationException");
}

#[test]
fn a_member_of_the_wrong_type_is_a_serialization_error() {
    let mut w = small();
    let body = json!({"cluster": 7});
    let wanted = ("SerializationException", "NUMBER_VALUE can not be converted to a String".to_owned());
    assert_eq!(code(&mut w, "ListServices", &body), wanted);
    assert_eq!(code(&mut w, "ListServices", &json!([])).0, "SerializationException");
}

#[test]
fn list_tasks_filters_as_aws_does() {
    let mut w = small();
    let ids = |w: &mut World, body: Value| pages(w, "ListTasks", "taskArns", &body).0.len();
    assert_eq!(ids(&mut w, json!({"cluster": "web-prod", "desiredStatus": "PENDING"})), 0);
    assert_eq!(ids(&mut w, json!({"cluster": "web-prod", "serviceName": "cart"})), 3);
    assert_eq!(ids(&mut w, json!({"cluster": "web-prod", "family": "cart"})), 3);
    assert_eq!(ids(&mut w, json!({"cluster": "web-prod", "launchType": "EC2"})), 6);
    let hosts = told(&mut w, "ListContainerInstances", &json!({"cluster": "web-prod"}));
    let on = |n: usize| json!({"cluster": "web-prod", "containerInstance": hosts["containerInstanceArns"][n]});
    assert_eq!(ids(&mut w, on(0)) + ids(&mut w, on(1)), 6);
    let service = told(&mut w, "DescribeServices", &json!({"cluster": "web-prod", "services": ["cart"]}));
    let by = &service["services"][0]["deployments"][0]["id"];
    assert_eq!(ids(&mut w, json!({"cluster": "web-prod", "startedBy": by})), 3, "startedBy joins tasks to a deployment");
    let both = json!({"cluster": "web-prod", "startedBy": by, "family": "cart"});
    assert_eq!(code(&mut w, "ListTasks", &both).0, "InvalidParameterException");
}

#[test]
fn deployment_controllers_and_daemons_refuse_what_is_not_theirs() {
    let mut w = small();
    let mut refuse = |service: &str, key: &str, value: Value| {
        code(&mut w, "UpdateService", &json!({"cluster": "web-prod", "service": service, key: value}))
    };
    let forced = refuse("edge", "forceNewDeployment", json!(true));
    let words = "Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. \
                 Use AWS CodeDeploy to trigger a new deployment.";
    assert_eq!(forced, ("InvalidParameterException", words.to_owned()));
    let words = "Unable to update task definition on services with a CODE_DEPLOY deployment controller. \
                 Use AWS CodeDeploy to trigger a new deployment.";
    assert_eq!(refuse("edge", "taskDefinition", json!("edge:35")).1, words);
    assert_eq!(refuse("host-metrics", "desiredCount", json!(3)).0, "InvalidParameterException");
    assert_eq!(refuse("cart", "taskDefinition", json!("cart:999")).1, "TaskDefinition not found.");
    let both = json!({"minimumHealthyPercent": 100, "maximumPercent": 100});
    assert_eq!(refuse("cart", "deploymentConfiguration", both).0, "InvalidParameterException");
    let body = json!({"cluster": "web-prod", "service": "edge", "desiredCount": 3});
    assert_eq!(told(&mut w, "UpdateService", &body)["service"]["desiredCount"], 3);
    let sets = told(&mut w, "DescribeServices", &json!({"cluster": "web-prod", "services": ["edge"]}));
    assert_eq!(sets["services"][0]["deployments"], json!([]));
    assert_eq!(sets["services"][0]["taskSets"][0]["startedBy"], "CODE_DEPLOY");
}

#[test]
fn only_some_members_of_update_service_start_a_deployment() {
    let mut w = small();
    let mut deployments = |key: &str, value: Value| {
        let body = json!({"cluster": "web-prod", "service": "cart", key: value});
        told(&mut w, "UpdateService", &body)["service"]["deployments"].as_array().unwrap().len()
    };
    assert_eq!(deployments("desiredCount", json!(4)), 1);
    assert_eq!(deployments("healthCheckGracePeriodSeconds", json!(30)), 1);
    assert_eq!(deployments("enableExecuteCommand", json!(true)), 1);
    assert_eq!(deployments("deploymentConfiguration", json!({"maximumPercent": 150})), 1);
    assert_eq!(deployments("taskDefinition", json!("cart:203")), 1, "the revision that runs already");
    assert_eq!(deployments("taskDefinition", json!("cart:202")), 2);
    assert_eq!(deployments("forceNewDeployment", json!(true)), 3);
}

#[test]
fn a_registered_revision_describes_as_it_was_sent_and_rolls_out() {
    let mut w = small();
    let old = told(&mut w, "DescribeTaskDefinition", &json!({"taskDefinition": "cart"}))["taskDefinition"].clone();
    let mut input = old.clone();
    for key in ["taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy"] {
        input.as_object_mut().unwrap().remove(key);
    }
    let image = old["containerDefinitions"][0]["image"].as_str().unwrap();
    input["containerDefinitions"][0]["image"] = json!(format!("{}:never-pushed", image.rsplit_once(':').unwrap().0));
    let new = told(&mut w, "RegisterTaskDefinition", &input)["taskDefinition"].clone();
    assert_eq!(new["revision"], 204);
    assert_eq!(new["containerDefinitions"][1], old["containerDefinitions"][1]);
    assert_eq!(new["registeredBy"], "arn:aws:sts::219087346512:assumed-role/Test/test");
    let body = json!({"cluster": "web-prod", "service": "cart", "taskDefinition": new["taskDefinitionArn"]});
    told(&mut w, "UpdateService", &body);
    advance(&mut w, 60);
    let stopped = json!({"cluster": "web-prod", "serviceName": "cart", "desiredStatus": "STOPPED"});
    let (arns, _) = pages(&mut w, "ListTasks", "taskArns", &stopped);
    let tasks = told(&mut w, "DescribeTasks", &json!({"cluster": "web-prod", "tasks": arns}));
    let mut reasons = tasks["tasks"].as_array().unwrap().iter().filter_map(|t| t["stoppedReason"].as_str());
    let failed = |r: &str| r.starts_with("CannotPullContainerError: ") && r.ends_with("cart:never-pushed: not found");
    assert!(reasons.any(failed), "{tasks}");
}

#[test]
fn a_bad_registration_is_refused() {
    let mut w = small();
    let good = json!({"family": "f", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256",
        "memory": "512", "containerDefinitions": [{"name": "a", "image": "nginx:1"}]});
    assert!(ask(&mut w, "RegisterTaskDefinition", &good).is_ok());
    let mut refuse = |pointer: &str, value: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        code(&mut w, "RegisterTaskDefinition", &bad).1
    };
    assert_eq!(refuse("/family", json!("no blanks")), "Family contains invalid characters.");
    assert!(refuse("/cpu", json!("257")).starts_with("Invalid 'cpu' setting for task."));
    assert!(refuse("/memory", json!("600")).starts_with("No Fargate configuration exists for given values."));
    assert_eq!(refuse("/containerDefinitions", json!([])), "Container list cannot be empty.");
    assert!(refuse("/containerDefinitions/0/image", json!("")).contains("image"));
}

#[test]
fn tasks_on_container_instances_get_host_ports_and_run_out_of_room() {
    let mut w = small();
    let (arns, _) = pages(&mut w, "ListTasks", "taskArns", &json!({"cluster": "web-prod", "serviceName": "storefront"}));
    let tasks = told(&mut w, "DescribeTasks", &json!({"cluster": "web-prod", "tasks": arns}))["tasks"].clone();
    let mut targets: Vec<(String, u64)> = Vec::new();
    for task in tasks.as_array().unwrap() {
        let port = task["containers"][0]["networkBindings"][0]["hostPort"].as_u64().unwrap();
        assert!(port >= 32_768);
        targets.push((task["containerInstanceArn"].as_str().unwrap().to_owned(), port));
    }
    targets.sort();
    targets.dedup();
    assert_eq!(targets.len(), 4, "no two tasks share a port of a host");
    let run = json!({"cluster": "web-prod", "taskDefinition": "storefront", "count": 10, "startedBy": "me"});
    let reply = told(&mut w, "RunTask", &run);
    let (started, failed) = (reply["tasks"].as_array().unwrap().len(), reply["failures"].as_array().unwrap().len());
    assert!(started > 0 && failed > 0 && started + failed == 10, "{started} started, {failed} failed");
    assert!(reply["failures"][0]["reason"].as_str().unwrap().starts_with("RESOURCE:"));
    advance(&mut w, 30);
    assert_eq!(pages(&mut w, "ListTasks", "taskArns", &json!({"cluster": "web-prod", "startedBy": "me"})).0.len(), started);
    let force = json!({"cluster": "web-prod", "service": "storefront", "forceNewDeployment": true});
    told(&mut w, "UpdateService", &force);
    advance(&mut w, 60);
    let service = told(&mut w, "DescribeServices", &json!({"cluster": "web-prod", "services": ["storefront"]}));
    let said = service["services"][0]["events"].to_string();
    assert!(said.contains("was unable to place a task because no container instance met all of its requirements"), "{said}");
}

#[test]
fn a_daemon_has_one_task_on_each_host_and_is_replaced_in_place() {
    let mut w = small();
    told(&mut w, "UpdateService", &json!({"cluster": "web-prod", "service": "host-metrics", "forceNewDeployment": true}));
    advance(&mut w, 300);
    let service = told(&mut w, "DescribeServices", &json!({"cluster": "web-prod", "services": ["host-metrics"]}));
    let service = &service["services"][0];
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!((&service["desiredCount"], &service["runningCount"]), (&json!(2), &json!(2)));
    let (arns, _) = pages(&mut w, "ListTasks", "taskArns", &json!({"cluster": "web-prod", "serviceName": "host-metrics"}));
    let tasks = told(&mut w, "DescribeTasks", &json!({"cluster": "web-prod", "tasks": arns}));
    assert_ne!(tasks["tasks"][0]["containerInstanceArn"], tasks["tasks"][1]["containerInstanceArn"]);
}

#[test]
fn run_task_wants_what_fargate_wants() {
    let mut w = small();
    let body = json!({"cluster": "payments-prod", "taskDefinition": "fx", "launchType": "FARGATE"});
    assert_eq!(code(&mut w, "RunTask", &body).0, "InvalidParameterException");
    let body = json!({"cluster": "payments-prod", "taskDefinition": "fx", "launchType": "FARGATE", "count": 11});
    assert_eq!(code(&mut w, "RunTask", &body).0, "InvalidParameterException");
    let body = json!({"cluster": "payments-prod", "taskDefinition": "fx", "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}});
    let task = told(&mut w, "RunTask", &body)["tasks"][0].clone();
    assert_eq!((&task["lastStatus"], &task["group"]), (&json!("PROVISIONING"), &json!("family:fx")));
}

#[test]
fn revisions_and_deployments_tell_one_truth() {
    let mut w = small();
    let force = json!({"cluster": "web-prod", "service": "cart", "forceNewDeployment": true});
    let service = told(&mut w, "UpdateService", &force)["service"].clone();
    assert_eq!(service["currentServiceRevisions"].as_array().unwrap().len(), 2);
    let arns = json!({"serviceDeploymentArns": [service["currentServiceDeployment"]]});
    let full = told(&mut w, "DescribeServiceDeployments", &arns)["serviceDeployments"][0].clone();
    assert_eq!(full["targetServiceRevision"]["arn"], service["currentServiceRevisions"][0]["arn"]);
    assert_eq!(full["sourceServiceRevisions"][0]["arn"], service["currentServiceRevisions"][1]["arn"]);
    assert_eq!(full["status"], "IN_PROGRESS");
    let of = json!({"service": service["serviceArn"], "status": ["IN_PROGRESS"]});
    let listed = told(&mut w, "ListServiceDeployments", &of);
    assert_eq!(listed["serviceDeployments"].as_array().unwrap().len(), 1);
    let revisions = told(&mut w, "DescribeServiceRevisions", &json!({"serviceRevisionArns": [full["targetServiceRevision"]["arn"]]}));
    assert_eq!(revisions["serviceRevisions"][0]["taskDefinition"], service["taskDefinition"]);
    assert!(revisions["serviceRevisions"][0]["containerImages"][0]["imageDigest"].as_str().unwrap().starts_with("sha256:"));
}
