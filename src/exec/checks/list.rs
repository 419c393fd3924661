//! The checks themselves, one function for each, in the words of AWS's documentation.

use super::{Check, Facts, Finding, Known, explain_failure, look};
use crate::model::{Str, TaskStatus};

use Finding::{Failed, MayNotLook, Passed, Reading, Unknown, Warn};

/// The rights that the agent in the task needs. Source: "ECS Exec prerequisites".
const AGENT_RIGHTS: &str =
    "ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel ssmmessages:OpenControlChannel ssmmessages:OpenDataChannel";

/// Oldest ECS agents on EC2 that know ECS Exec, on Linux and on Windows.
const AGENTS: [[u32; 3]; 2] = [[1, 50, 2], [1, 56, 0]];

/// Oldest platforms of Fargate that know ECS Exec, on Linux and on Windows.
const PLATFORMS: [[u32; 3]; 2] = [[1, 4, 0], [1, 0, 0]];

pub(super) fn all(facts: &Facts) -> Vec<Check> {
    let always = [caller, rights, running, enabled, agent, version, role, role_rights, network];
    let sometimes = [root, init, shared_processes, own_keys];
    let mut found: Vec<Check> = always.iter().map(|check| check(facts)).collect();
    found.extend(sometimes.iter().filter_map(|check| check(facts)));
    found.push(encryption(facts));
    found.extend(recording(facts));
    found.push(shell(facts));
    found
}

fn check(what: &'static str, told: impl Into<String>, result: Finding) -> Check {
    Check { what, told: told.into(), result }
}

fn failed(fix: impl Into<String>) -> Finding {
    Failed { fix: fix.into() }
}

fn warn(fix: impl Into<String>) -> Finding {
    Warn { fix: fix.into() }
}

fn unknown(look: impl Into<String>) -> Finding {
    Unknown { look: look.into() }
}

/// For what is not known: why, and how it then stands.
fn missing<T>(what: &'static str, of: &Known<T>) -> Check {
    match of {
        Known::Denied(action) => check(what, format!("may not look: AccessDenied for {action}"), MayNotLook { action: action.clone() }),
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

fn rights(facts: &Facts) -> Check {
    let what = "caller's rights";
    let needed = ["ecs:ExecuteCommand", "ssmmessages:OpenDataChannel"];
    let refused: Vec<&Str> = facts.refused.iter().filter(|action| needed.contains(&&***action)).collect();
    if let Some(action) = refused.first() {
        return check(what, format!("AWS refused {action}"), failed(format!("ask for {action}: {}", resource(facts, action))));
    }
    let who = me(facts);
    check(
        what,
        "only IAM can tell before a session is asked for",
        unknown(format!(
            "{}; {}",
            look::may(&who, needed[0], &[facts.task.arn.to_string(), facts.task.cluster.to_string()]),
            look::may(&who, needed[1], &[look::session(facts)])
        )),
    )
}

fn resource(facts: &Facts, action: &str) -> String {
    if action.starts_with("ssmmessages:") {
        // A policy on session/${aws:userid}-* does not match a session that ECS made.
        return "on arn:aws:ssm:*:*:session/ecs-execute-command-*".to_owned();
    }
    format!("on the task {} and on its cluster {}", facts.task.arn.name(), facts.task.cluster.name())
}

fn me(facts: &Facts) -> String {
    facts.caller.yes().map_or_else(|| "YOUR_ROLE_ARN".to_owned(), |caller| role_of(&caller.arn))
}

/// The role of a session of that role: what IAM simulates is the role.
fn role_of(arn: &str) -> String {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        [a, partition, "sts", region, account, path] => match path.strip_prefix("assumed-role/").and_then(|path| path.split('/').next()) {
            Some(role) => format!("{a}:{partition}:iam:{region}:{account}:role/{role}"),
            None => arn.to_owned(),
        },
        _ => arn.to_owned(),
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
    match (facts.role(), &facts.definition) {
        (Some(role), _) => check(what, role.to_string(), Passed),
        (None, Known::Yes(_)) if facts.fargate() => check(
            what,
            "none: the agent has nobody to act as",
            failed("give the task definition a taskRoleArn with the four ssmmessages actions"),
        ),
        (None, Known::Yes(_)) => check(
            what,
            "none: on EC2 the agent acts as the instance's role",
            unknown(format!("{}; the role of that profile needs {AGENT_RIGHTS}", look::profile(facts))),
        ),
        (None, other) => missing(what, other),
    }
}

fn role_rights(facts: &Facts) -> Check {
    let what = "role's rights";
    let Some(role) = facts.role() else {
        return check(what, "there is no task role to look at", unknown(format!("whichever role the agent acts as needs {AGENT_RIGHTS}")));
    };
    let look = look::may(role, AGENT_RIGHTS, &[]);
    if stranded(facts) {
        return check(what, "a likely cause: the agent cannot register", Warn { fix: look });
    }
    check(what, "only IAM can tell", Unknown { look })
}

/// Whether everything says that exec is on and the agent still is not reached: then role or network is at fault.
fn stranded(facts: &Facts) -> bool {
    let down = facts.task.exec_enabled
        && facts.task.status == TaskStatus::Running
        && facts.container().is_some_and(|container| matches!(container.exec_agent.as_deref(), Some("STOPPED")));
    let refused = facts.failure.as_deref().is_some_and(|text| {
        let text = text.to_lowercase();
        text.contains("targetnotconnected") || text.contains("internal error") || text.contains("is not connected")
    });
    down || refused
}

fn network(facts: &Facts) -> Check {
    let what = "way to ssmmessages";
    let region = facts.task.arn.region();
    let subnets = facts.task.subnet.iter().chain(facts.service.yes().into_iter().flat_map(|service| &service.subnets));
    let subnets: Vec<&str> = subnets.map(|subnet| &**subnet).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let look = look::way(facts, subnets.first().copied());
    let private = facts.service.yes().is_some_and(|service| service.public_ip.as_deref() == Some("DISABLED"));
    match (stranded(facts), private) {
        (true, true) => check(
            what,
            format!(
                "the likely cause: the task has no public address, so without a NAT gateway it needs an interface endpoint com.amazonaws.{region}.ssmmessages"
            ),
            Warn { fix: look },
        ),
        (true, false) => check(
            what,
            format!("a likely cause: neither a route out nor an interface endpoint com.amazonaws.{region}.ssmmessages"),
            Warn { fix: look },
        ),
        (false, true) => check(
            what,
            format!(
                "no public address: it needs a NAT gateway or an interface endpoint com.amazonaws.{region}.ssmmessages; only EC2 can tell"
            ),
            Unknown { look },
        ),
        (false, false) => check(what, "only EC2 can tell", Unknown { look }),
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

fn encryption(facts: &Facts) -> Check {
    let what = "encryption";
    let cluster = match &facts.cluster {
        Known::Yes(cluster) => cluster,
        other => return missing(what, other),
    };
    let Some(key) = &cluster.exec.key else { return check(what, "TLS; the cluster names no key of KMS", Passed) };
    let role = facts.role().map_or("TASK_ROLE_ARN", |role| role);
    check(
        what,
        format!("with KMS key {key}: you need kms:GenerateDataKey on it, the task role kms:Decrypt"),
        unknown(format!(
            "{}; {}",
            look::may(&me(facts), "kms:GenerateDataKey", &[look::key(facts, key)]),
            look::may(role, "kms:Decrypt", &[look::key(facts, key)])
        )),
    )
}

fn recording(facts: &Facts) -> Option<Check> {
    let what = "session log";
    let cluster = facts.cluster.yes()?;
    let told = super::audit(facts);
    if cluster.exec.logging.as_deref() != Some("OVERRIDE") {
        return Some(check(what, told, Passed));
    }
    let (groups, buckets) = (cluster.exec.log_group.is_some(), cluster.exec.bucket.is_some());
    let groups =
        if groups { &["logs:DescribeLogGroups", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"][..] } else { &[] };
    let buckets = if buckets { &["s3:PutObject", "s3:GetBucketLocation", "s3:GetEncryptionConfiguration"][..] } else { &[] };
    let actions: Vec<&str> = groups.iter().chain(buckets).copied().collect();
    let role = facts.role().map_or("TASK_ROLE_ARN", |role| role);
    Some(check(what, format!("{told}; the image needs script and cat"), unknown(look::may(role, &actions.join(" "), &[]))))
}

fn shell(facts: &Facts) -> Check {
    let image = facts.container().map_or("the image", |container| &*container.image);
    check(
        "shell",
        "no call tells what an image holds",
        unknown(format!("the command must be in {image}; images without a shell have none to open")),
    )
}
