//! Sessions inside containers of the embedded AWS, by a client that was written for this alone: what the other end of `exec` says and does.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "sim_exec/builtin.rs"]
mod builtin;
#[path = "support/channel.rs"]
mod channel;
#[path = "sim_exec/shell.rs"]
mod shell;

use channel::{Channel, call, execute, send};
use midwatch::sim::{ContextInfo, Options, Shell, Sim};
use serde_json::{Value, json};

/// A context's own simulator, at a standstill.
pub struct World {
    pub sim: Sim,
    pub keys: ContextInfo,
    pub cluster: &'static str,
}

impl World {
    /// The service `checkout` of the small scenario, whose tasks have two containers and exec turned on.
    pub fn small(shell: Shell) -> Self {
        let sim = Sim::start(Options { speed: 0.0, shell, ..Options::default() }).unwrap();
        let keys = sim.contexts().iter().find(|context| context.name == "acme-prod").unwrap().clone();
        Self { sim, keys, cluster: "payments-prod" }
    }

    pub fn call(&self, service: &str, target: &str, body: &Value) -> (u16, Value) {
        send(self.sim.addr(), &call(self.sim.addr(), &self.keys, service, target, body))
    }

    pub fn ecs(&self, operation: &str, body: &Value) -> (u16, Value) {
        self.call("ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), body)
    }

    pub fn ssm(&self, operation: &str, session: &str) -> (u16, Value) {
        self.call("ssm", &format!("AmazonSSM.{operation}"), &json!({"SessionId": session}))
    }

    /// ARNs of a service's running tasks.
    pub fn tasks(&self, service: &str) -> Vec<String> {
        let (_, listed) = self.ecs("ListTasks", &json!({"cluster": self.cluster, "serviceName": service}));
        listed["taskArns"].as_array().unwrap().iter().map(|arn| arn.as_str().unwrap().to_owned()).collect()
    }

    pub fn task(&self) -> String {
        self.tasks("checkout").remove(0)
    }

    pub fn execute(&self, task: &str, command: &str) -> (u16, Value) {
        execute(self.sim.addr(), &self.keys, self.cluster, task, "app", command)
    }

    /// A session with a command, and its channel.
    #[track_caller]
    pub fn open(&self, command: &str) -> (Value, Channel) {
        let (status, granted) = self.execute(&self.task(), command);
        assert_eq!(status, 200, "{granted}");
        let channel = self.channel(&granted["session"]);
        (granted, channel)
    }

    pub fn channel(&self, session: &Value) -> Channel {
        let text = |key: &str| session[key].as_str().unwrap();
        Channel::open(self.sim.addr(), &self.keys, text("streamUrl"), text("tokenValue"))
    }
}
