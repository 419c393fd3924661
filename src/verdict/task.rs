//! Judges single tasks and targets, and says in one line why a task stopped.

use super::{Health, Verdict, cause};
use crate::model::{Container, Target, TargetState, Task, TaskDefinition, TaskStatus, Time};
use std::sync::Arc;

/// Seconds in a state before running after which a task counts as held up. Fargate takes one to two minutes for a large image.
const HELD_UP_SECONDS: i64 = 300;

/// How a task is.
#[must_use]
pub fn task(task: &Task, now: Time) -> Verdict {
    match &task.status {
        TaskStatus::Stopped | TaskStatus::Deprovisioning | TaskStatus::Stopping | TaskStatus::Deactivating => stopping(task),
        TaskStatus::Running if &*task.health == "UNHEALTHY" => Verdict::new(Health::Fail, "container health check fails")
            .since(task.started_at)
            .next("run the health check's command in the container", "l logs · d the command"),
        TaskStatus::Running => Verdict::new(Health::Ok, "running").since(task.started_at),
        TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => {
            let waiting = task.created_at.map_or(0, |at| now.as_second() - at.as_second());
            let health = if waiting > HELD_UP_SECONDS { Health::Warn } else { Health::Roll };
            Verdict::new(health, starting(task)).since(task.created_at)
        }
        TaskStatus::Other(word) => Verdict::new(Health::Unknown, format!("state {word}")),
    }
}

fn starting(task: &Task) -> &'static str {
    match task.status {
        TaskStatus::Provisioning => "network interface is being made",
        TaskStatus::Activating => "being registered in its target groups",
        _ => "image is being pulled, or a place looked for",
    }
}

fn stopping(task: &Task) -> Verdict {
    let health = if stopped_normally(task) { Health::Idle } else { Health::Fail };
    Verdict::new(health, stop_sentence(task)).since(task.stopped_at.or(task.stopping_at))
}

/// How a task is that stands alone, with the cause where it ended or fails its check.
#[must_use]
pub fn lone_task(of: &Task, definition: Option<&TaskDefinition>, now: Time) -> Verdict {
    let mut verdict = task(of, now);
    if of.stopped() || of.stop_code.is_some() {
        let explained = cause::stopped(&stop(of, definition));
        verdict.explain(&explained);
        verdict.why.clone_from(&explained.says);
    } else if verdict.health == Health::Fail {
        verdict.cause = Some(cause::Cause::ContainerHealthCheck);
        verdict.confidence = Some(cause::Confidence::High);
    }
    verdict
}

/// Whether a stop was meant: a scale-in, a replacement by a deployment, or a person. Such a stop is no failure whatever the exit code.
#[must_use]
pub fn stopped_normally(task: &Task) -> bool {
    let reason = task.stopped_reason.as_deref().unwrap_or("");
    let out_of_memory = task.containers.iter().any(|c| c.reason.as_deref().is_some_and(|r| r.contains("OutOfMemory")));
    if out_of_memory {
        return false;
    }
    // A task that no service keeps running may end; that it ends well is all that is asked of it.
    let ended_well = task.service().is_none() && !task.containers.is_empty() && task.containers.iter().all(|c| c.exit_code == Some(0));
    match task.stop_code.as_deref() {
        Some("UserInitiated") => true,
        Some("EssentialContainerExited") if ended_well => true,
        Some("ServiceSchedulerInitiated") => reason.starts_with("Scaling activity initiated by"),
        Some(_) => false,
        // A task on its way out carries no code until it stops.
        None => !reason.contains("failed") && !reason.contains("Error"),
    }
}

/// Why a task stopped, in one line: what killed it first, then AWS's sentence.
#[must_use]
pub fn stop_sentence(task: &Task) -> String {
    let told = task.stopped_reason.as_deref().unwrap_or("");
    if stopped_normally(task) {
        return if told.is_empty() { "stopping".to_owned() } else { told.to_owned() };
    }
    let culprit = culprit(task, None);
    let exit = culprit.and_then(|c| c.exit_code).map(|code| format!("exit {code}{}", exit_word(code)));
    let own = culprit.and_then(|c| c.reason.as_deref()).filter(|reason| !told.contains(reason));
    let name = culprit.filter(|_| task.containers.len() > 1).map(|c| c.name.to_string());
    let parts: Vec<String> =
        [name, own.map(str::to_owned), exit, Some(told.to_owned())].into_iter().flatten().filter(|p| !p.is_empty()).collect();
    parts.join(" · ")
}

/// The container that ended the task: one whose reason is memory, then one with a reason of its own, then an essential one that ended
/// badly by itself, and last one that may only have followed the stop signal.
#[must_use]
pub fn culprit<'a>(task: &'a Task, definition: Option<&TaskDefinition>) -> Option<&'a Container> {
    let essential = |c: &Container| definition.and_then(|d| d.containers.iter().find(|own| own.name == c.name)).map(|own| own.essential);
    let told = |c: &Container| c.reason.as_deref().map_or(0, |reason| 1 + u8::from(reason.contains("OutOfMemory")));
    let badness = |c: &Container| {
        let code = c.exit_code?;
        let followed = matches!(code, 0 | 137 | 143);
        // An essential container that ends with 0 ends the task; the others are then stopped by signal.
        let ended_first = code == 0 && essential(c) == Some(true);
        Some((essential(c) != Some(false), !followed, ended_first, code != 0))
    };
    // The first of equals: AWS lists containers in the order of the task definition.
    let of_reason = task.containers.iter().rev().filter(|c| told(c) > 0).max_by_key(|c| (told(c), badness(c)));
    of_reason.or_else(|| task.containers.iter().rev().filter(|c| badness(c).is_some()).max_by_key(|c| badness(c)))
}

/// What AWS told of a stop, for the rules of causes.
pub(super) fn stop(task: &Task, definition: Option<&TaskDefinition>) -> cause::Stop {
    let essential = |c: &Container| definition.and_then(|d| d.containers.iter().find(|own| own.name == c.name)).map(|own| own.essential);
    let ended = |c: &Container| cause::Ended {
        name: c.name.to_string(),
        reason: c.reason.as_deref().unwrap_or_default().to_owned(),
        // Windows' codes are 32 bits without a sign; others are never negative.
        exit_code: c.exit_code.map(|code| i64::from(code.cast_unsigned())),
        essential: essential(c),
    };
    cause::Stop {
        reason: task.stopped_reason.as_deref().unwrap_or_default().to_owned(),
        stop_code: task.stop_code.as_deref().unwrap_or_default().to_owned(),
        containers: task.containers.iter().map(ended).collect(),
        of_service: Some(task.service().is_some()),
    }
}

/// What an exit code says by convention: 128 + the signal's number, or the shell's own.
pub(super) fn exit_word(code: i32) -> &'static str {
    match code {
        126 => " (not executable)",
        127 => " (command not found)",
        130 => " (SIGINT)",
        134 => " (SIGABRT)",
        137 => " (SIGKILL)",
        139 => " (SIGSEGV)",
        143 => " (SIGTERM)",
        _ => "",
    }
}

/// Exit codes of the containers that have one, as in `1` or `app 1 · envoy 0`.
#[must_use]
pub fn exit_codes(task: &Task) -> String {
    let ended: Vec<&Container> = task.containers.iter().filter(|c| c.exit_code.is_some()).collect();
    let code = |c: &Container| c.exit_code.map_or_else(String::new, |code| code.to_string());
    match ended.as_slice() {
        [] => String::new(),
        [only] => code(only),
        many => many.iter().map(|c| format!("{} {}", c.name, code(c))).collect::<Vec<_>>().join(" · "),
    }
}

/// The newest stop that was not meant.
#[must_use]
pub fn newest_failure(tasks: &[Arc<Task>]) -> Option<&Arc<Task>> {
    tasks.iter().filter(|t| t.stopped() && !stopped_normally(t)).max_by_key(|t| t.stopped_at)
}

/// How a target is. `grace_until` is the end of the grace period of the task behind it, when that has not passed.
#[must_use]
pub fn target(target: &Target, grace_until: Option<Time>) -> Verdict {
    let reason = target.reason.as_deref().unwrap_or("");
    let told = match &target.description {
        Some(description) if !reason.is_empty() => format!("{reason} · {description}"),
        Some(description) => description.to_string(),
        None => reason.to_owned(),
    };
    match &target.state {
        TargetState::Healthy => Verdict::new(Health::Ok, "gets traffic"),
        TargetState::Unhealthy if grace_until.is_none() => {
            let next = cause::target(&told).next_check;
            Verdict::new(Health::Fail, told).next(next, "l logs")
        }
        TargetState::Initial | TargetState::Unhealthy => Verdict::new(Health::Roll, told),
        TargetState::Unused if reason == "Target.InvalidState" || reason == "Target.IpUnusable" => Verdict::new(Health::Warn, told),
        TargetState::Draining | TargetState::UnhealthyDraining | TargetState::Unused => Verdict::new(Health::Idle, told),
        TargetState::Unavailable | TargetState::Other(_) => Verdict::new(Health::Unknown, told),
    }
}
