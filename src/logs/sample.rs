//! Lines and streams for tests.
#![allow(clippy::must_use_candidate, clippy::missing_panics_doc, reason = "for tests only")]

use crate::model::{Arn, ContainerDefinition, LogConfiguration, LogLine, LogStream, Task, TaskDefinition, TaskStatus, Time};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The stream of a container of a task whose id starts with `task`.
pub fn stream(task: &str, container: &str) -> Arc<LogStream> {
    let id = format!("{task}{}", "0".repeat(32_usize.saturating_sub(task.len())));
    Arc::new(LogStream {
        group: "/ecs/checkout".into(),
        region: "eu-west-1".into(),
        stream: format!("ecs/{container}/{id}").into(),
        task: Arn::from(&*format!("arn:aws:ecs:eu-west-1:123456789012:task/payments-prod/{id}")),
        container: container.into(),
        ended: false,
    })
}

/// A line that a stream brought at a time in milliseconds, 0.9 s after it was written.
pub fn line(source: &Arc<LogStream>, at: i64, text: &str) -> LogLine {
    let mut key = DefaultHasher::new();
    (&source.stream, at, text).hash(&mut key);
    let time = |ms| Time::from_millisecond(ms).expect("a time of this era");
    LogLine { at: time(at), ingested: time(at + 900), source: source.clone(), text: text.into(), key: key.finish() }
}

/// A task of the service `checkout` in this state, without containers.
pub fn task(status: &str) -> Task {
    Task {
        arn: Arn::from("arn:aws:ecs:eu-west-1:123456789012:task/payments-prod/70cc0000000000000000000000000000"),
        cluster: Arn::from("arn:aws:ecs:eu-west-1:123456789012:cluster/payments-prod"),
        group: "service:checkout".into(),
        started_by: None,
        status: TaskStatus::parse(status),
        desired: "RUNNING".into(),
        health: "UNKNOWN".into(),
        task_definition: Arn::from("arn:aws:ecs:eu-west-1:123456789012:task-definition/checkout:412"),
        launch_type: None,
        capacity_provider: None,
        zone: None,
        instance: None,
        ip: None,
        cpu: None,
        memory: None,
        exec_enabled: false,
        platform_version: None,
        role: None,
        subnet: None,
        created_at: None,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        containers: Vec::new(),
        tags: Vec::new(),
    }
}

/// The definition of that task: one container `app` with this log driver, `none` for no log configuration.
pub fn definition(driver: &str, options: &[(&str, &str)]) -> TaskDefinition {
    let options = options.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let logs = Some(LogConfiguration { driver: driver.into(), options });
    TaskDefinition {
        arn: Arn::from("arn:aws:ecs:eu-west-1:123456789012:task-definition/checkout:412"),
        family: "checkout".into(),
        revision: 412,
        status: "ACTIVE".into(),
        cpu: None,
        memory: None,
        network_mode: None,
        pid_mode: None,
        task_role: None,
        execution_role: None,
        platform: None,
        registered_at: None,
        registered_by: None,
        containers: vec![ContainerDefinition {
            name: "app".into(),
            logs: logs.filter(|_| driver != "none"),
            ..ContainerDefinition::default()
        }],
        volumes: Vec::new(),
        tags: Vec::new(),
    }
}
