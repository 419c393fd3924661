//! The clockwork through its only door, `advance_to`, read as an API client would.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod drills;
mod hosts;
mod rolling;
mod seeds;
mod shifts;
mod starts;
mod tasks;

use super::*;
use crate::sim::ecs::{self, Caller};
use crate::sim::scenario;
use serde_json::{Value, json};

const NOW: Ms = crate::sim::clock::FIXED_START;

/// Region and account of the worlds below.
const IRELAND: (&str, &str) = ("eu-west-1", "123456789012");
const LONDON: (&str, &str) = ("eu-west-2", "170904582664");

/// Cluster `main` with tables of its own, and service `api` in it, with keys, tables and whatever else follows.
fn open((region, account): (&str, &str), cluster: &str, service: &str) -> World {
    let text = format!(
        r#"
about = "a test"
past = "1s"
[[context]]
name = "test"
region = "{region}"
account = "{account}"
access_key = "AKIATEST"
secret_key = "secret"
[[cluster]]
name = "main"
context = "test"
{cluster}
[[service]]
name = "api"
cluster = "main"
revision = 7
age = "90d"
deployed = "2d"
{service}
"#
    );
    World::open(&scenario::read("test.toml", &text, &[]).unwrap(), 1, NOW).unwrap()
}

/// One service `api` behind a load balancer in cluster `main`, with extra keys for the service and more tables.
fn world(keys: &str, more: &str) -> World {
    let service = format!(
        r#"{keys}
[[service.container]]
name = "app"
image = "api"
tag = "v1.2.3"
ports = [8080]
secrets = {{ DATABASE_URL = "prod/api/database-url" }}
voice = "plain"
[service.load_balancer]
name = "public"
port = 8080
interval = "10s"
healthy = 3
unhealthy = 2
drain = "30s"
{more}
"#
    );
    open(IRELAND, "", &service)
}

fn call(world: &mut World, operation: &str, body: &Value) -> Value {
    let caller = Caller { arn: "arn:aws:sts::123456789012:assumed-role/Test/test".to_owned() };
    ecs::handle(&mut world.estates[0], &caller, operation, body).unwrap()
}

fn refused(world: &mut World, operation: &str, body: &Value) -> (String, String) {
    let caller = Caller { arn: "arn:aws:sts::123456789012:assumed-role/Test/test".to_owned() };
    let error = ecs::handle(&mut world.estates[0], &caller, operation, body).unwrap_err();
    (error.code.to_owned(), error.message)
}

fn service(world: &mut World) -> Value {
    let reply = call(world, "DescribeServices", &json!({"cluster": "main", "services": ["api"]}));
    reply["services"][0].clone()
}

fn tasks(world: &mut World, status: &str) -> Vec<Value> {
    let listed = call(world, "ListTasks", &json!({"cluster": "main", "desiredStatus": status}));
    if listed["taskArns"].as_array().unwrap().is_empty() {
        return Vec::new();
    }
    let reply = call(world, "DescribeTasks", &json!({"cluster": "main", "tasks": listed["taskArns"]}));
    assert_eq!(reply["failures"], json!([]));
    reply["tasks"].as_array().unwrap().clone()
}

fn events(service: &Value) -> Vec<String> {
    let all = service["events"].as_array().unwrap();
    all.iter().map(|e| e["message"].as_str().unwrap().to_owned()).collect()
}

/// Seconds by seconds; `look` sees every one of them.
fn run(world: &mut World, seconds: i64, mut look: impl FnMut(&mut World)) {
    for _ in 0..seconds {
        let next = world.now() + 1000;
        world.advance_to(next);
        look(world);
    }
}

/// A release of `api` whose tasks fare in a given way, one second from now.
fn release(fate: &str) -> String {
    format!(
        r#"
[[actor]]
name = "ci"
cluster = "main"
service = "api"
every = "10h"
first = "1s"
act = "deploy"
[actor.behaviour]
{fate}
"#
    )
}
