//! The checks themselves, one function for each, in the words of AWS's documentation.

use super::looked::AGENT;
use super::{Check, Facts, Finding, Known, explain_failure, look, network, rights};
use crate::model::TaskStatus;

use Finding::{Failed, MayNotLook, Passed, Reading, Unknown, Warn};

/// Oldest ECS agents on EC2 that know ECS Exec, on Linux and on Windows.
const AGENTS: [[u32; 3]; 2] = [[1, 50, 2], [1, 56, 0]];

/// Oldest platforms of Fargate that know ECS Exec, on Linux and on Windows.
const PLATFORMS: [[u32; 3]; 2] = [[1, 4, 0], [1, 0, 0]];

pub(super) fn all(facts: &Facts) -> Vec<Check> {
    let always = [caller, rights::caller, running, enabled, agent, version, role, rights::agent, network::way];
    let sometimes = [root, init, shared_processes, own_keys];
    let mut found: Vec<Check> = always.iter().map(|check| check(facts)).collect();
    found.extend(sometimes.iter().filter_map(|check| check(facts)));
    found.push(rights::encryption(facts));
    found.extend(rights::recording(facts));
    found.push(shell(facts));
    found.extend(rights::forwarding(facts));
    found
}

pub(super) fn check(what: &'static str, told: impl Into<String>, result: Finding) -> Check {
    Check { what, told: told.into(), result, surmise: false }
}

pub(super) fn failed(fix: impl Into<String>) -> Finding {
    Failed { fix: fix.into() }
}

pub(super) fn warn(fix: impl Into<String>) -> Finding {
    Warn { fix: fix.into() }
}

pub(super) fn unknown(look: impl Into<String>) -> Finding {
    Unknown { look: look.into() }
}

/// For what is not known: why, and how it then stands.
pub(super) fn missing<T>(what: &'static str, of: &Known<T>) -> Check {
    match of {
        Known::Denied(action) => {
            check(what, format!("may not look: AccessDenied for {action}"), MayNotLook { action: action.clone(), look: None })
        }
        Known::Failed(why) => check(what, "could not be read", unknown(why.to_string())),
        Known::Yes(_) | Known::Reading => check(what, "reading …", Reading),
        Known::None => check(what, "AWS does not tell", unknown("look for it in the console")),
    }
}

fn caller(facts: &Facts) -> Check {
    let what = "credentials";
    match &facts.caller {
        Known::Yes(caller) => check(what, format!("{} in {}", caller.arn, facts.task.arn.region()), Passed),
        Known::Failed(why) => check(what, "do not work", failed(why.to_string())),
        other => missing(what, other),
    }
}

fn running(facts: &Facts) -> Check {
    let what = "task and container run";
    let task = &facts.task;
    if task.stopped() || task.status > TaskStatus::Running && !matches!(task.status, TaskStatus::Other(_)) {
        let why = task.stopped_reason.as_deref().map_or(String::new(), |why| format!(": {why}"));
        return check(what, format!("the task is {}{why}", task.status.as_str()), failed("choose a task that runs"));
    }
    if task.status != TaskStatus::Running {
        return check(what, format!("the task is {}", task.status.as_str()), warn("wait until it is RUNNING"));
    }
    match facts.container() {
        None => check(what, format!("the task has no container {}", facts.container), failed(format!("choose one of {}", names(facts)))),
        Some(container) if &*container.status != "RUNNING" => {
            let why = container.reason.as_deref().map_or(String::new(), |why| format!(": {why}"));
            check(what, format!("{} is {}{why}", container.name, container.status), failed("choose a container that runs"))
        }
        Some(_) => check(what, "RUNNING", Passed),
    }
}

fn names(facts: &Facts) -> String {
    facts.task.containers.iter().map(|container| &*container.name).collect::<Vec<_>>().join(", ")
}

fn enabled(facts: &Facts) -> Check {
    let what = "enableExecuteCommand";
    if facts.task.exec_enabled {
        return check(what, "the task was started with it", Passed);
    }
    let fix = match (&facts.service, facts.task.service()) {
        (Known::Yes(service), _) if service.exec_enabled => {
            format!("{} has it now, but this task is older: redeploy the service, or choose a newer task", service.name)
        }
        (_, Some(service)) => format!("enable exec for {service}, then redeploy: only tasks started afterwards have it"),
        (_, None) => "run the task anew with --enable-execute-command".to_owned(),
    };
    check(what, "off: the task was started without it", failed(fix))
}

fn agent(facts: &Facts) -> Check {
    let what = "ExecuteCommandAgent";
    if !facts.task.exec_enabled {
        return check(what, "not there, for exec is off", failed("it comes with enableExecuteCommand"));
    }
    let Some(container) = facts.container() else {
        return check(what, "no such container", failed(format!("choose one of {}", names(facts))));
    };
    let why = container.exec_reason.as_deref().map_or(String::new(), |why| format!(": {why}"));
    match container.exec_agent.as_deref() {
        Some("RUNNING") => check(what, "RUNNING", Passed),
        Some("PENDING") => check(what, format!("PENDING{why}"), warn("wait some seconds: it starts after the container")),
        Some(state) => {
            let known = container.exec_reason.as_deref().and_then(explain_failure);
            let fix = known.map_or_else(
                || "mend what fails below, then start a new task: the agent is not started again for long".to_owned(),
                |known| known.fix,
            );
            check(what, format!("{state}{why}"), failed(fix))
        }
        None => check(what, "AWS tells of none in this container", warn("wait some seconds if the task is young; else start a new task")),
    }
}

fn version(facts: &Facts) -> Check {
    let windows = usize::from(facts.windows());
    if facts.fargate() {
        let what = "platform version";
        let least = PLATFORMS[windows];
        return match facts.task.platform_version.as_deref() {
            Some("LATEST") => check(what, "LATEST", Passed),
            Some(version) if numbers(version) >= least => check(what, version, Passed),
            Some(version) => {
                let fix = format!("start it with platform version {} or LATEST", dotted(least));
                check(what, format!("{version} does not know ECS Exec"), failed(fix))
            }
            None => check(what, "AWS does not tell", unknown(look::task(facts, "platformVersion"))),
        };
    }
    let what = "ECS agent's version";
    let least = AGENTS[windows];
    match &facts.instance {
        Known::None => check(what, "the task is on no instance of a cluster", Passed),
        Known::Yes(instance) => match instance.agent_version.as_deref() {
            Some(version) if numbers(version) >= least => check(what, version, Passed),
            Some(version) => {
                let fix = format!("update the ECS agent to {} or later", dotted(least));
                check(what, format!("{version} does not know ECS Exec"), failed(fix))
            }
            None => check(what, "the instance does not tell", unknown(look::agent(facts))),
        },
        other => missing(what, other),
    }
}

/// `1.4.0` and `v1.50.2-abc` as numbers; what is none counts as nought.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.trim_start_matches('v').split('.').map(|part| {
        let digits = part.chars().take_while(char::is_ascii_digit).collect::<String>();
        digits.parse().unwrap_or(0)
    });
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

fn dotted(version: [u32; 3]) -> String {
    version.map(|part| part.to_string()).join(".")
}

fn role(facts: &Facts) -> Check {
    let what = "task role";
    let rights = AGENT.join(" ");
    let fix = || failed("give the task definition a taskRoleArn with the four ssmmessages actions");
    match (facts.own_role(), facts.agent_role(), &facts.definition) {
        (Some(role), ..) => check(what, role.to_string(), Passed),
        (None, Known::Yes(role), _) => check(what, format!("none: on EC2 the agent acts as the instance's, {role}"), Passed),
        (None, Known::None, Known::Yes(_)) if facts.fargate() => check(what, "none: the agent has nobody to act as", fix()),
        (None, Known::None, Known::Yes(_)) if facts.host().yes().is_some() => {
            check(what, "none, and its instance has no role either: the agent has nobody to act as", fix())
        }
        (None, Known::Denied(action), Known::Yes(_)) => {
            let told = format!("none: on EC2 the agent acts as the instance's role; may not look: AccessDenied for {action}");
            check(what, told, MayNotLook { action, look: Some(look::profile(facts)) })
        }
        (None, Known::Reading, Known::Yes(_)) if facts.instance.yes().is_some() => check(what, "reading …", Reading),
        (None, _, Known::Yes(_)) => check(
            what,
            "none: on EC2 the agent acts as the instance's role",
            unknown(format!("{}; the role of that profile needs {rights}", look::profile(facts))),
        ),
        (None, _, other) => missing(what, other),
    }
}

impl Facts {
    /// Whether everything says that exec is on and the agent still is not reached: then role or network is at fault.
    pub(super) fn stranded(&self) -> bool {
        let down = self.task.exec_enabled
            && self.task.status == TaskStatus::Running
            && self.container().is_some_and(|container| matches!(container.exec_agent.as_deref(), Some("STOPPED")));
        let refused = self.failure.as_deref().is_some_and(|text| {
            let text = text.to_lowercase();
            text.contains("targetnotconnected") || text.contains("due to an internal error")
        });
        down || refused
    }
}

fn root(facts: &Facts) -> Option<Check> {
    let what = "root file system";
    Some(match (facts.defined(), &facts.definition) {
        (Some(container), _) if container.readonly_root => check(
            what,
            "readonlyRootFilesystem is true: the agent cannot write its files",
            failed("register a revision without it and deploy that"),
        ),
        (Some(_), _) => check(what, "can be written", Passed),
        (None, Known::Yes(_)) => return None,
        (None, other) => missing(what, other),
    })
}

fn init(facts: &Facts) -> Option<Check> {
    let container = facts.defined().filter(|_| !facts.windows())?;
    let what = "init process";
    Some(if container.init_process {
        check(what, "initProcessEnabled", Passed)
    } else {
        check(
            what,
            "off: processes that a session leaves behind stay",
            warn("set linuxParameters.initProcessEnabled to true in the container's definition"),
        )
    })
}

fn shared_processes(facts: &Facts) -> Option<Check> {
    let definition = facts.definition.yes().filter(|definition| definition.pid_mode.as_deref() == Some("task"))?;
    let several = definition.containers.len() > 1;
    several.then(|| {
        check(
            "process namespace",
            "pidMode is task: only one container of the task can have a session",
            warn("end the session of the other container, or leave pidMode out"),
        )
    })
}

fn own_keys(facts: &Facts) -> Option<Check> {
    let container = facts.defined()?;
    let names = container.environment.iter().chain(&container.secrets).map(|(name, _)| name);
    let keys: Vec<&str> = names
        .map(|name| &**name)
        .filter(|name| matches!(*name, "AWS_ACCESS_KEY_ID" | "AWS_ACCESS_KEY" | "AWS_SECRET_ACCESS_KEY"))
        .collect();
    (!keys.is_empty()).then(|| {
        check(
            "keys in the environment",
            format!("{}: the agent uses them instead of the task role", keys.join(", ")),
            warn("take them out, or give their owner the four ssmmessages actions"),
        )
    })
}

fn shell(facts: &Facts) -> Check {
    let image = facts.container().map_or("the image", |container| &*container.image);
    check(
        "shell",
        "no call tells what an image holds",
        unknown(format!("the command must be in {image}; images without a shell have none to open")),
    )
}
