//! The verdicts held to hand-made values: here single tasks and targets, in `rules` every rule, in `stories` what an operator asks.

mod rules;
mod stories;

use super::cause::Memo;
use super::*;
use crate::model::sample::{ago, container, group, service as steady, stopped, target as a_target, task as a_task};
use crate::model::{
    Arn, CodeDeployment, Container, ContainerDefinition, ContainerInstance, Service, ServiceDeployment, Target, TargetState, Task,
    TaskDefinition, Time,
};
use std::sync::Arc;

fn now() -> Time {
    ago(0)
}

/// A service with all that is known of it.
struct Scene {
    service: Service,
    tasks: Vec<Arc<Task>>,
    groups: Vec<(Arn, Vec<Target>)>,
    instances: Vec<Arc<ContainerInstance>>,
    deployments: Vec<Arc<ServiceDeployment>>,
    code: Option<CodeDeployment>,
    definitions: Vec<TaskDefinition>,
    /// Lines of a container, by its name.
    lines: Vec<(&'static str, Vec<&'static str>)>,
}

impl Scene {
    fn of(service: Service) -> Self {
        Scene {
            service,
            tasks: Vec::new(),
            groups: Vec::new(),
            instances: Vec::new(),
            deployments: Vec::new(),
            code: None,
            definitions: Vec::new(),
            lines: Vec::new(),
        }
    }

    fn task(&mut self, task: Task) -> &mut Self {
        self.tasks.push(Arc::new(task));
        self
    }

    fn targets(&mut self, targets: &[Target]) -> &mut Self {
        self.groups.push((group(), targets.to_vec()));
        self
    }

    fn judge(&self) -> Verdict {
        self.judge_at(now())
    }

    fn judge_at(&self, now: Time) -> Verdict {
        let groups: Vec<Group> = self.groups.iter().map(|(arn, targets)| Group { arn, targets }).collect();
        service(&Known {
            service: &self.service,
            tasks: &self.tasks,
            groups: &groups,
            instances: &self.instances,
            deployments: &self.deployments,
            code: self.code.as_ref(),
            definition: &|arn| self.definitions.iter().find(|d| d.arn == *arn),
            lines: &|_, name| self.lines.iter().filter(|(own, _)| *own == name).flat_map(|(_, lines)| lines.iter().copied()).collect(),
            memo: &Memo::default(),
            now,
        })
    }
}

fn healthy(id: &str) -> Target {
    a_target(id, TargetState::Healthy, None)
}

fn sick(id: &str) -> Target {
    a_target(id, TargetState::Unhealthy, Some("Target.Timeout"))
}

fn in_progress(revision: u32) -> crate::model::Deployment {
    crate::model::sample::deployment(revision, "PRIMARY", "IN_PROGRESS")
}

/// A task of a revision's deployment that ended with this code.
fn exited(id: &str, revision: u32, seconds: i64, exit: i32) -> Task {
    Task {
        started_by: Some(format!("ecs-svc/{revision}").into()),
        task_definition: Arn(format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/api:{revision}").into()),
        started_at: Some(ago(seconds + 20)),
        ..stopped(id, seconds, "EssentialContainerExited", "Essential container in task exited", Some(exit))
    }
}

fn definition(revision: u32, containers: Vec<ContainerDefinition>) -> TaskDefinition {
    TaskDefinition {
        arn: Arn(format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/api:{revision}").into()),
        family: "api".into(),
        revision,
        status: "ACTIVE".into(),
        cpu: None,
        memory: None,
        network_mode: Some("bridge".into()),
        pid_mode: None,
        task_role: None,
        execution_role: Some("arn:aws:iam::123456789012:role/api-execution".into()),
        platform: None,
        registered_at: None,
        registered_by: None,
        containers,
        volumes: Vec::new(),
        tags: Vec::new(),
    }
}

fn instance(id: &str, cpu: u32, memory: u32) -> Arc<ContainerInstance> {
    Arc::new(ContainerInstance {
        arn: Arn(format!("arn:aws:ecs:eu-west-1:123456789012:container-instance/main/{id}").into()),
        ec2_instance: Some(id.into()),
        status: "ACTIVE".into(),
        agent_connected: true,
        running: 1,
        pending: 0,
        cpu: (cpu, 2048),
        memory: (memory, 985),
        ..ContainerInstance::default()
    })
}

fn release(status: &str, seconds: i64, failures: Option<(u32, u32)>) -> Arc<ServiceDeployment> {
    Arc::new(ServiceDeployment {
        arn: Arn(format!("arn:aws:ecs:eu-west-1:123456789012:service-deployment/main/api/{status}").into()),
        status: status.into(),
        started_at: Some(ago(seconds)),
        finished_at: Some(ago(seconds)),
        created_at: Some(ago(seconds)),
        failures,
        ..ServiceDeployment::default()
    })
}

#[test]
fn a_stop_that_was_meant_is_never_a_failure_whatever_the_exit_code() {
    for (code, reason) in
        [("UserInitiated", "Task stopped by user"), ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)")]
    {
        for exit in [Some(0), Some(1), Some(137), Some(143), None] {
            let stop = stopped("a", 60, code, reason, exit);
            assert!(stopped_normally(&stop), "{code} {exit:?}");
            assert_eq!((task(&stop, now()).health, stop_sentence(&stop).as_str()), (Health::Idle, reason));
        }
    }
    let mut scene = Scene::of(Service { running: 1, ..steady("api") });
    scene.task(stopped("a", 60, "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)", Some(143)));
    assert_eq!(scene.judge().why, "1/2 tasks run, 0 pending", "it is no reason either");
}

#[test]
fn a_stop_that_was_not_meant_is_a_failure_and_names_what_killed_the_task() {
    for (code, reason, exit, sentence) in [
        ("EssentialContainerExited", "Essential container in task exited", Some(1), "exit 1 · Essential container in task exited"),
        ("EssentialContainerExited", "Essential container in task exited", Some(0), "exit 0 · Essential container in task exited"),
        ("TaskFailedToStart", "ResourceInitializationError: no secret", None, "ResourceInitializationError: no secret"),
        (
            "ServiceSchedulerInitiated",
            "Task failed ELB health checks in (target-group x)",
            Some(143),
            "exit 143 (SIGTERM) · Task failed ELB health checks in (target-group x)",
        ),
        ("SpotInterruption", "Your Spot Task was interrupted.", Some(143), "exit 143 (SIGTERM) · Your Spot Task was interrupted."),
    ] {
        let stop = stopped("a", 60, code, reason, exit);
        assert!(!stopped_normally(&stop), "{code} {reason}");
        assert_eq!((task(&stop, now()).health, stop_sentence(&stop).as_str()), (Health::Fail, sentence));
    }
}

#[test]
fn memory_that_ran_out_is_told_even_when_the_scheduler_meant_the_stop() {
    let mut stop = stopped("a", 60, "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)", Some(0));
    let killed = Container {
        exit_code: Some(137),
        reason: Some("OutOfMemoryError: Container killed due to memory usage".into()),
        ..container("worker")
    };
    stop.containers.push(killed);
    assert!(!stopped_normally(&stop));
    assert!(
        stop_sentence(&stop).starts_with("worker · OutOfMemoryError: Container killed due to memory usage · exit 137 (SIGKILL) · "),
        "{}",
        stop_sentence(&stop)
    );
    assert_eq!(exit_codes(&stop), "app 0 · worker 137");
}

#[test]
fn the_newest_failure_is_the_last_stop_that_was_not_meant() {
    let failed =
        |id: &str, seconds| Arc::new(stopped(id, seconds, "EssentialContainerExited", "Essential container in task exited", Some(1)));
    let meant = Arc::new(stopped("meant", 10, "UserInitiated", "Task stopped by user", Some(0)));
    let running = Arc::new(a_task("running", "RUNNING"));
    let tasks = [failed("older", 300), failed("newer", 60), meant, running];
    assert_eq!(newest_failure(&tasks).unwrap().arn.name(), "newer");
    assert!(newest_failure(&tasks[2..]).is_none());
}

#[test]
fn a_task_is_judged_by_its_state_and_a_start_that_takes_long_warns() {
    let health = |task_: &Task| task(task_, now()).health;
    let starting = |seconds| Task { created_at: Some(ago(seconds)), started_at: None, ..a_task("a", "PROVISIONING") };
    assert_eq!((health(&starting(60)), health(&starting(400))), (Health::Roll, Health::Warn));
    assert_eq!(health(&a_task("a", "RUNNING")), Health::Ok);
    assert_eq!(health(&Task { health: "UNHEALTHY".into(), ..a_task("a", "RUNNING") }), Health::Fail);
    assert_eq!(health(&a_task("a", "HIBERNATING")), Health::Unknown);
    assert_eq!(health(&a_task("a", "STOPPING")), Health::Idle);
}

#[test]
fn a_target_is_judged_by_its_state_and_told_where_to_look() {
    for (state, reason, health) in [
        (TargetState::Healthy, None, Health::Ok),
        (TargetState::Initial, Some("Elb.InitialHealthChecking"), Health::Roll),
        (TargetState::Draining, Some("Target.DeregistrationInProgress"), Health::Idle),
        (TargetState::Unhealthy, Some("Target.Timeout"), Health::Fail),
        (TargetState::Unused, Some("Target.NotInUse"), Health::Idle),
        (TargetState::Unused, Some("Target.IpUnusable"), Health::Warn),
        (TargetState::Unavailable, Some("Target.HealthCheckDisabled"), Health::Unknown),
        (TargetState::Other("puzzled".into()), None, Health::Unknown),
    ] {
        let verdict = target(&a_target("10.0.0.1", state.clone(), reason), None);
        assert_eq!(verdict.health, health, "{state:?}");
        assert_eq!(verdict.next.is_empty(), health != Health::Fail, "{state:?}");
    }
    let in_grace = target(&sick("10.0.0.1"), Some(ago(-60)));
    assert_eq!((in_grace.health, in_grace.next.is_empty()), (Health::Roll, true));
}

#[test]
fn worse_health_comes_first_and_every_health_looks_different_without_colour() {
    let all = [Health::Fail, Health::Warn, Health::Roll, Health::Unknown, Health::Ok, Health::Idle];
    assert!(all.is_sorted());
    let signs: std::collections::HashSet<&str> = all.iter().map(|health| health.glyph()).collect();
    assert_eq!(signs.len(), all.len());
    assert_eq!(all.iter().filter(|health| health.troubled()).count(), 2);
}
