//! What becomes of container instances: agents that go away, draining, termination, and tasks that only fill them.

use serde_json::json;

use super::lifecycle::NewTask;
use super::register::{Flavour, Trait};
use super::state::{ActorScript, Estate, InstanceStatus, Launch, Stop, Task, TaskId, TaskStatus};
use crate::sim::scenario::Voice;

impl Estate {
    /// The agent of an instance comes or goes; its tasks run on.
    pub fn connect_agent(&mut self, instance: usize, connected: bool) {
        self.instances[instance].agent_connected = connected;
        self.wake_cluster(instance);
    }

    /// `UpdateContainerInstancesState`. Tasks of services are replaced within their percents; others stay.
    pub fn set_instance_status(&mut self, instance: usize, status: InstanceStatus) {
        self.instances[instance].status = status;
        if status == InstanceStatus::Draining {
            // "Service tasks on the container instance that are in the PENDING state are stopped immediately."
            let waits = |id: &TaskId| self.tasks.get(id).is_some_and(|t| t.service.is_some() && t.status < TaskStatus::Running);
            let waiting: Vec<TaskId> = self.tasks_on(instance).into_iter().filter(waits).collect();
            for id in waiting {
                let reason = "Task stopped because its container instance is draining.".to_owned();
                self.stop_task(id, Stop { code: "ServiceSchedulerInitiated", reason });
            }
        }
        self.wake_cluster(instance);
    }

    /// The EC2 instance ends, and its tasks with it.
    pub fn terminate_instance(&mut self, instance: usize) {
        let host = &mut self.instances[instance];
        (host.gone, host.agent_connected, host.status) = (true, false, InstanceStatus::Draining);
        let reason = format!("Host EC2 (instance {}) terminated.", host.ec2_instance_id);
        for id in self.tasks_on(instance) {
            self.stop_task(id, Stop { code: "TerminationNotice", reason: reason.clone() });
        }
        self.wake_cluster(instance);
    }

    /// Tasks on an instance that are not told to stop.
    pub(super) fn tasks_on(&self, instance: usize) -> Vec<TaskId> {
        self.tasks.values().filter(|t| t.instance == Some(instance) && !t.stopping()).map(|t| t.id).collect()
    }

    fn wake_cluster(&mut self, instance: usize) {
        let cluster = self.instances[instance].cluster;
        let services: Vec<usize> = self.clusters[cluster].services.values().copied().collect();
        for service in services {
            self.wake(service, 3_000);
        }
    }

    /// Whether a task runs where it may not stay.
    pub(super) fn is_draining(&self, task: &Task) -> bool {
        task.instance.is_some_and(|host| self.instances[host].status == InstanceStatus::Draining)
    }

    /// A task without a service takes the memory of an instance, but for `leave` MiB.
    pub(super) fn fill(&mut self, instance: usize, script: &ActorScript) {
        let left = self.instances[instance].memory_left.saturating_sub(script.leave.unwrap_or(64));
        if left == 0 || self.instances[instance].status != InstanceStatus::Active {
            return;
        }
        let family = script.name.rsplit('/').next().unwrap_or("batch").to_owned();
        let input = json!({
            "family": family,
            "networkMode": "bridge",
            "executionRoleArn": self.role_arn("ecs-task-execution"),
            "requiresCompatibilities": ["EC2"],
            "containerDefinitions": [{
                "name": family, "image": format!("{}/{family}:latest", self.registry()), "memory": left, "cpu": 0, "essential": true,
            }],
        });
        self.push_image(&family, "latest", 1, self.now - 86_400_000);
        let by = format!("arn:aws:sts::{}:assumed-role/ci-deploy/{}", self.account, script.name);
        let mut flavour = Flavour::plain(&by, self.now);
        flavour.traits = vec![Trait { name: family.clone(), voice: Voice::Silent, rate: 0.0, stops_with: None }];
        let definition = self.register(&input, flavour);
        let new = NewTask {
            cluster: self.instances[instance].cluster,
            service: None,
            deployment: 0,
            started_by: Some(script.name.clone()),
            group: format!("family:{family}"),
            behaviour: std::sync::Arc::clone(&definition.behaviour),
            definition,
            launch: Launch::Ec2,
            platform_version: String::new(),
            exec: false,
            tags: Vec::new(),
            overrides: None,
            on: Some(instance),
        };
        // What does not fit has been taken by others since: full is full.
        let _ = self.start_task(new);
    }
}
