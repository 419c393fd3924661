//! Sessions inside containers of the embedded AWS, by a client that was written for this alone: what the other end of `exec` says and does.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "sim_exec/builtin.rs"]
mod builtin;
#[path = "support/channel.rs"]
mod channel;
#[path = "sim_exec/keys.rs"]
mod keys;
#[path = "sim_exec/ports.rs"]
mod ports;
#[path = "sim_exec/refusals.rs"]
mod refusals;
#[path = "sim_exec/shell.rs"]
mod shell;
#[path = "sim_exec/troubles.rs"]
mod troubles;

use channel::{Channel, call, execute, send};
use midwatch::sim::{ContextInfo, Options, Shell, Sim};
use serde_json::{Value, json};

/// A context's own simulator, at a standstill.
struct World {
    sim: Sim,
    keys: ContextInfo,
    cluster: &'static str,
}

impl World {
    /// The service `checkout` of the small scenario, whose tasks have two containers and exec turned on.
    fn small(shell: Shell) -> Self {
        let sim = Sim::start(Options { speed: 0.0, shell, ..Options::default() }).unwrap();
        let keys = sim.contexts().iter().find(|context| context.name == "acme-prod").unwrap().clone();
        Self { sim, keys, cluster: "payments-prod" }
    }

    /// A cluster of the scenario with a service for each reason for which a session cannot begin.
    fn of_reasons(cluster: &'static str, shell: Shell) -> Self {
        let scenario = format!("{}/tests/sim_exec/reasons.toml", env!("CARGO_MANIFEST_DIR"));
        let sim = Sim::start(Options { scenario, speed: 0.0, shell, ..Options::default() }).unwrap();
        let keys = sim.contexts()[0].clone();
        Self { sim, keys, cluster }
    }

    fn call(&self, service: &str, target: &str, body: &Value) -> (u16, Value) {
        send(self.sim.addr(), &call(self.sim.addr(), &self.keys, service, target, body))
    }

    fn ecs(&self, operation: &str, body: &Value) -> (u16, Value) {
        self.call("ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), body)
    }

    fn ssm(&self, operation: &str, session: &str) -> (u16, Value) {
        self.call("ssm", &format!("AmazonSSM.{operation}"), &json!({"SessionId": session}))
    }

    /// ARNs of a service's running tasks.
    fn tasks(&self, service: &str) -> Vec<String> {
        let (_, listed) = self.ecs("ListTasks", &json!({"cluster": self.cluster, "serviceName": service}));
        listed["taskArns"].as_array().unwrap().iter().map(|arn| arn.as_str().unwrap().to_owned()).collect()
    }

    fn task(&self) -> String {
        self.tasks("checkout").remove(0)
    }

    /// A task as `DescribeTasks` shows it.
    fn described(&self, task: &str) -> Value {
        self.ecs("DescribeTasks", &json!({"cluster": self.cluster, "tasks": [task]})).1["tasks"][0].clone()
    }

    /// What Systems Manager calls a container.
    fn target(&self, task: &str, container: &str) -> String {
        let described = self.described(task);
        let of = described["containers"].as_array().unwrap().iter().find(|of| of["name"] == container).unwrap().clone();
        format!("ecs:{}_{}_{}", self.cluster, task.rsplit('/').next().unwrap(), of["runtimeId"].as_str().unwrap())
    }

    fn execute(&self, task: &str, command: &str) -> (u16, Value) {
        execute(self.sim.addr(), &self.keys, self.cluster, task, "app", command)
    }

    /// A session with a command, and its channel.
    #[track_caller]
    fn open(&self, command: &str) -> (Value, Channel) {
        let (status, granted) = self.execute(&self.task(), command);
        assert_eq!(status, 200, "{granted}");
        let channel = self.channel(&granted["session"]);
        (granted, channel)
    }

    fn channel(&self, session: &Value) -> Channel {
        let text = |key: &str| session[key].as_str().unwrap();
        Channel::open(self.sim.addr(), &self.keys, text("streamUrl"), text("tokenValue"))
    }
}
