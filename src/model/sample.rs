//! Values for tests, each as an ordinary one would be.
#![allow(clippy::must_use_candidate, clippy::missing_panics_doc, reason = "for tests only")]

use super::{
    Arn, CircuitBreaker, Cluster, Container, Deployment, ExecConfiguration, LoadBalancer, Service, ServiceEvent, Target, TargetState, Task,
    TaskStatus, Time,
};

/// The moment at which tests play, in seconds since the epoch.
pub const NOW: i64 = 1_795_230_660;

/// So many seconds before [`NOW`].
pub fn ago(seconds: i64) -> Time {
    Time::from_second(NOW - seconds).expect("a time of this era")
}

/// The cluster `main`.
pub fn cluster() -> Cluster {
    Cluster {
        arn: Arn::from("arn:aws:ecs:eu-west-1:123456789012:cluster/main"),
        name: "main".into(),
        status: "ACTIVE".into(),
        services: 1,
        running: 2,
        pending: 0,
        instances: 0,
        capacity_providers: Vec::new(),
        settings: Vec::new(),
        exec: ExecConfiguration::default(),
        tags: Vec::new(),
    }
}

/// A deployment of a revision of `api` that wants two tasks and has them, an hour old.
pub fn deployment(revision: u32, status: &str, rollout: &str) -> Deployment {
    Deployment {
        id: format!("ecs-svc/{revision}").into(),
        status: status.into(),
        rollout_state: Some(rollout.into()),
        rollout_reason: None,
        task_definition: revision_arn(revision),
        desired: 2,
        running: 2,
        pending: 0,
        failed: 0,
        created_at: Some(ago(3600)),
        updated_at: Some(ago(3000)),
    }
}

fn revision_arn(revision: u32) -> Arn {
    Arn(format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/api:{revision}").into())
}

/// A service of `main` that wants two tasks and has them, steady on revision 7.
pub fn service(name: &str) -> Service {
    Service {
        arn: Arn(format!("arn:aws:ecs:eu-west-1:123456789012:service/main/{name}").into()),
        name: name.into(),
        cluster: cluster().arn,
        status: "ACTIVE".into(),
        desired: 2,
        running: 2,
        pending: 0,
        launch_type: Some("FARGATE".into()),
        capacity_providers: Vec::new(),
        platform_version: None,
        scheduling: "REPLICA".into(),
        controller: "ECS".into(),
        strategy: None,
        task_definition: revision_arn(7),
        deployments: vec![deployment(7, "PRIMARY", "COMPLETED")],
        task_sets: Vec::new(),
        current_deployment: None,
        events: Vec::new(),
        load_balancers: vec![LoadBalancer { target_group: Some(group()), alternate_target_group: None, container: "app".into(), port: 80 }],
        min_percent: Some(100),
        max_percent: Some(200),
        circuit_breaker: Some(CircuitBreaker { enabled: true, rollback: true }),
        created_at: Some(ago(86_400)),
        ..Service::default()
    }
}

/// The target group of every service.
pub fn group() -> Arn {
    Arn::from("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/0123456789abcdef")
}

/// A message of the scheduler, so many seconds old.
pub fn event(message: &str, seconds: i64) -> ServiceEvent {
    ServiceEvent { id: format!("{seconds} {message}").into(), at: Some(ago(seconds)), message: message.into() }
}

/// A task of `api` in this state, half an hour old, with one container `app`.
pub fn task(id: &str, status: &str) -> Task {
    Task {
        arn: Arn(format!("arn:aws:ecs:eu-west-1:123456789012:task/main/{id}").into()),
        cluster: cluster().arn,
        group: "service:api".into(),
        started_by: Some("ecs-svc/7".into()),
        status: TaskStatus::parse(status),
        desired: "RUNNING".into(),
        health: "UNKNOWN".into(),
        task_definition: revision_arn(7),
        launch_type: Some("FARGATE".into()),
        capacity_provider: None,
        zone: None,
        instance: None,
        ip: Some("10.0.0.1".into()),
        cpu: None,
        memory: None,
        platform_version: None,
        role: None,
        subnet: None,
        exec_enabled: false,
        created_at: Some(ago(1860)),
        started_at: Some(ago(1800)),
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        containers: vec![container("app")],
        tags: Vec::new(),
    }
}

/// A task that stopped so many seconds ago, with AWS's code and sentence, and its container's exit code.
pub fn stopped(id: &str, seconds: i64, code: &str, reason: &str, exit: Option<i32>) -> Task {
    Task {
        stopped_at: Some(ago(seconds)),
        stop_code: Some(code.into()),
        stopped_reason: Some(reason.into()),
        containers: vec![Container { exit_code: exit, status: "STOPPED".into(), ..container("app") }],
        ..task(id, "STOPPED")
    }
}

/// A running container.
pub fn container(name: &str) -> Container {
    Container {
        name: name.into(),
        image: format!("{name}:v1").into(),
        digest: None,
        status: "RUNNING".into(),
        health: "UNKNOWN".into(),
        exit_code: None,
        reason: None,
        runtime_id: None,
        bindings: Vec::new(),
        exec_agent: None,
        exec_reason: None,
        exec_started_at: None,
    }
}

/// A target in this state, with AWS's word for the reason.
pub fn target(id: &str, state: TargetState, reason: Option<&str>) -> Target {
    Target { id: id.into(), port: 80, zone: None, state, reason: reason.map(Into::into), description: None }
}
