//! Where the lines of a task are: the streams that its own task definition names, and words for containers whose lines are elsewhere.
//!
//! It reads task definitions as they were given and asks nobody.

use crate::model::{Container, ContainerDefinition, LogConfiguration, LogScope, LogStream, Str, Task, TaskDefinition, TaskStatus};

/// What is known of the lines of one container of one task.
#[derive(Clone, Debug, PartialEq)]
pub enum Whereabouts {
    /// They are, or were, in this stream.
    Stream(LogStream),
    /// The container has not started, so there is no stream yet.
    NotYet(String),
    /// They are not in `CloudWatch` Logs as far as can be told: one line that says where.
    Elsewhere(String),
}

/// Whether a task belongs to a scope.
#[must_use]
pub fn in_scope(task: &Task, scope: &LogScope) -> bool {
    match scope {
        LogScope::Service(service) => task.service() == Some(service.name()),
        LogScope::Task(arn) | LogScope::Container(arn, _) => task.arn == *arn,
    }
}

/// The whereabouts of the lines of a task, container by container in the order of its definition.
#[must_use]
pub fn whereabouts(task: &Task, definition: &TaskDefinition, scope: &LogScope) -> Vec<Whereabouts> {
    let wanted = |container: &&ContainerDefinition| match scope {
        LogScope::Container(_, name) => container.name == *name,
        LogScope::Service(_) | LogScope::Task(_) => true,
    };
    definition.containers.iter().filter(wanted).map(|container| of_container(task, container)).collect()
}

fn of_container(task: &Task, definition: &ContainerDefinition) -> Whereabouts {
    let name = &definition.name;
    let Some(logs) = &definition.logs else {
        return Whereabouts::Elsewhere(format!("container {name} has no log configuration: its output stays with the container runtime"));
    };
    let container = task.containers.iter().find(|container| container.name == *name);
    let place = match &*logs.driver {
        "awslogs" => awslogs(logs, container, task, name),
        "awsfirelens" => firelens(logs, task, name),
        driver => Err(format!("container {name} logs by {driver}{}", options(logs))),
    };
    match place {
        Err(words) => Whereabouts::Elsewhere(words),
        Ok(_) if !started(task, container) && task.stopped() => {
            Whereabouts::NotYet(format!("{name}: it never started, so it has no lines; the task's stop reason says why"))
        }
        Ok(_) if !started(task, container) => Whereabouts::NotYet(format!("{name}: no stream yet, task is {}", task.status.as_str())),
        Ok(None) => Whereabouts::NotYet(format!("{name}: no stream prefix, and no container id yet to find the stream by")),
        Ok(Some((group, region, stream))) => {
            let ended = task.stopped() || container.is_some_and(|container| &*container.status == "STOPPED");
            Whereabouts::Stream(LogStream { group, region, stream, task: task.arn.clone(), container: name.clone(), ended })
        }
    }
}

type Place = (Str, Str, Str);

/// `prefix/container/task-id`; without a prefix, which only EC2 allows, the runtime's id of the container.
fn awslogs(logs: &LogConfiguration, container: Option<&Container>, task: &Task, name: &str) -> Result<Option<Place>, String> {
    let Some(group) = logs.option("awslogs-group") else { return Err(format!("container {name} logs by awslogs without awslogs-group")) };
    let region = logs.option("awslogs-region").cloned().unwrap_or_else(|| task.arn.region().into());
    let stream = match logs.option("awslogs-stream-prefix").filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => Some(format!("{prefix}/{name}/{}", task.arn.name()).into()),
        None => container.and_then(|container| container.runtime_id.clone()),
    };
    Ok(stream.map(|stream| (group.clone(), region, stream)))
}

/// `FireLens` may send to `CloudWatch` too; its stream is the prefix, the container's name, `-firelens-` and the task's id.
fn firelens(logs: &LogConfiguration, task: &Task, name: &str) -> Result<Option<Place>, String> {
    let output = logs.option("Name").map_or("", |name| &**name);
    let group = logs.option("log_group_name").or_else(|| logs.option("log_group"));
    match (output, group, logs.option("log_stream_prefix")) {
        ("cloudwatch" | "cloudwatch_logs", Some(group), Some(prefix)) if !group.contains("$(") && !prefix.contains("$(") => {
            let region = logs.option("region").cloned().unwrap_or_else(|| task.arn.region().into());
            Ok(Some((group.clone(), region, format!("{prefix}{name}-firelens-{}", task.arn.name()).into())))
        }
        _ => Err(format!("container {name} logs by awsfirelens{}", options(logs))),
    }
}

/// Whether the container has run, so that its stream may exist. A stopped container that never ran has no exit code.
fn started(task: &Task, container: Option<&Container>) -> bool {
    let ran = container.is_some_and(|container| container.exit_code.is_some() || matches!(&*container.status, "RUNNING"));
    ran || task.started_at.is_some() || matches!(task.status, TaskStatus::Running | TaskStatus::Deactivating)
}

/// Options in words, without what smells of a secret.
fn options(logs: &LogConfiguration) -> String {
    if logs.options.is_empty() {
        return ", without options".to_owned();
    }
    let shown = logs.options.iter().map(|(name, value)| if secret(name) { format!("{name}=••••") } else { format!("{name}={value}") });
    format!(": {}", shown.collect::<Vec<_>>().join(" "))
}

fn secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "secret", "password", "passwd", "key", "auth", "credential", "dsn"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{definition, task};
    use super::*;
    use crate::model::Arn;

    fn of(task: &Task, definition: &TaskDefinition) -> Whereabouts {
        whereabouts(task, definition, &LogScope::Task(task.arn.clone())).remove(0)
    }

    #[test]
    fn a_stream_is_prefix_container_and_task_in_the_drivers_region() {
        let logs =
            definition("awslogs", &[("awslogs-group", "/ecs/checkout"), ("awslogs-region", "eu-west-2"), ("awslogs-stream-prefix", "ecs")]);
        let Whereabouts::Stream(stream) = of(&task("RUNNING"), &logs) else { panic!("a running task has a stream") };
        assert_eq!(
            (&*stream.group, &*stream.region, &*stream.stream),
            ("/ecs/checkout", "eu-west-2", "ecs/app/70cc0000000000000000000000000000")
        );
        assert!(!stream.ended);
    }

    #[test]
    fn without_a_prefix_the_stream_is_the_containers_runtime_id() {
        let logs = definition("awslogs", &[("awslogs-group", "/ecs/checkout")]);
        let mut running = task("RUNNING");
        assert!(matches!(of(&running, &logs), Whereabouts::NotYet(_)));
        running.containers.push(Container {
            name: "app".into(),
            image: "app".into(),
            digest: None,
            status: "STOPPED".into(),
            health: "UNKNOWN".into(),
            exit_code: Some(1),
            reason: None,
            runtime_id: Some("f00d".into()),
            bindings: Vec::new(),
            exec_agent: None,
            exec_reason: None,
            exec_started_at: None,
        });
        let Whereabouts::Stream(stream) = of(&running, &logs) else { panic!("a container with an id has a stream") };
        assert_eq!((&*stream.stream, &*stream.region, stream.ended), ("f00d", "eu-west-1", true));
    }

    #[test]
    fn a_task_that_has_not_started_has_no_stream_yet() {
        let logs = definition("awslogs", &[("awslogs-group", "/ecs/checkout"), ("awslogs-stream-prefix", "ecs")]);
        assert_eq!(of(&task("PENDING"), &logs), Whereabouts::NotYet("app: no stream yet, task is PENDING".to_owned()));
    }

    #[test]
    fn other_drivers_are_named_with_their_options_and_without_secrets() {
        let words = |driver, options: &[_]| match of(&task("RUNNING"), &definition(driver, options)) {
            Whereabouts::Elsewhere(words) => words,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            words("splunk", &[("splunk-url", "https://splunk.example"), ("splunk-token", "s3cret")]),
            "container app logs by splunk: splunk-url=https://splunk.example splunk-token=••••"
        );
        assert_eq!(
            words("awsfirelens", &[("Name", "datadog"), ("apikey", "s3cret")]),
            "container app logs by awsfirelens: Name=datadog apikey=••••"
        );
        assert!(words("none", &[]).contains("no log configuration"));
    }

    #[test]
    fn firelens_to_cloudwatch_is_read_like_any_stream() {
        let logs = definition(
            "awsfirelens",
            &[("Name", "cloudwatch_logs"), ("log_group_name", "/ecs/x"), ("log_stream_prefix", "from-"), ("region", "eu-west-1")],
        );
        let Whereabouts::Stream(stream) = of(&task("RUNNING"), &logs) else { panic!("the group and the prefix are named") };
        assert_eq!(&*stream.stream, "from-app-firelens-70cc0000000000000000000000000000");
    }

    #[test]
    fn a_service_has_the_tasks_of_its_group() {
        let service = LogScope::Service(Arn::from("arn:aws:ecs:eu-west-1:123456789012:service/payments-prod/checkout"));
        assert!(in_scope(&task("RUNNING"), &service));
        assert!(!in_scope(&Task { group: "service:cart".into(), ..task("RUNNING") }, &service));
    }
}
