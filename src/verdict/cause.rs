//! Why something happened, in one word: judges the texts that AWS prints for stopped tasks, containers, service events and targets.
//!
//! Pure functions over text. The rules are one table in `rules`, the names that are read out of a text (image, role, port …) another in
//! `names`; what several containers of one stop mean together is in `stop`. Knows neither the store nor the screen, and asks nobody.

mod exit;
mod fragments;
mod memo;
mod names;
mod patterns;
mod plain;
mod rule;
mod rules;
mod stop;
#[cfg(test)]
mod tests;

pub use exit::word as exit_word;
pub use memo::Memo;
pub use stop::{Ended, Stop, stopped};

use rule::{CONTAINER, EVENT, Field, REASON, Read, TARGET};

/// One word for each cause. The words are part of what `midwatch explain --json` promises to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The tag, digest or repository does not exist.
    ImageNotFound,
    /// No permission to pull.
    ImagePullDenied,
    /// The registry cannot be reached.
    ImagePullNetwork,
    /// The registry refuses for rate.
    ImagePullRateLimit,
    /// No manifest for the platform, or a program for another one.
    ImageWrongArchitecture,
    /// No space left on device.
    DiskFull,
    /// A secret or parameter is not there.
    SecretMissing,
    /// A secret or parameter may not be read.
    SecretDenied,
    /// The service of a secret or parameter cannot be reached.
    SecretNetwork,
    /// The environment file in S3 is missing or may not be read.
    EnvFileUnavailable,
    /// The log group is not there.
    LogGroupMissing,
    /// The log driver may not create or write.
    LogDriverDenied,
    /// Where logs go cannot be reached.
    LogNetwork,
    /// ECS cannot assume the role.
    RoleUnassumable,
    /// A volume could not be mounted.
    VolumeMount,
    /// The task's network interface could not be had.
    NetworkInterface,
    /// The runtime could not create or start the container.
    ContainerStartFailed,
    /// Killed for memory.
    OutOfMemory,
    /// The program ended by itself.
    AppExit,
    /// The program touched memory that is not its own.
    Segfault,
    /// Killed after the stop timeout, or by a signal.
    SignalKillTimeout,
    /// The load balancer's check failed.
    ElbHealthCheck,
    /// The container's own check failed.
    ContainerHealthCheck,
    /// A scale-in stopped it.
    NormalScaleIn,
    /// A deployment replaced it.
    NormalDeploymentReplace,
    /// A person or a tool stopped it.
    UserStopped,
    /// Spot took the capacity back.
    SpotInterruption,
    /// The instance is gone.
    HostTerminated,
    /// The instance is being drained.
    InstanceDraining,
    /// AWS maintains the platform.
    PlatformMaintenance,
    /// AWS has no capacity now.
    CapacityUnavailable,
    /// A limit of the account is reached.
    QuotaReached,
    /// There is no instance, or none that fits and AWS does not say why.
    PlacementNoInstances,
    /// No instance has the CPU.
    PlacementCpu,
    /// No instance has the memory.
    PlacementMemory,
    /// No instance has the port free.
    PlacementPort,
    /// No instance has what a constraint asks for.
    PlacementAttribute,
    /// The agent of the instance is not connected.
    PlacementAgent,
    /// ECS slows down restarting.
    StartBackoff,
    /// The deployment failed by its breaker or alarms.
    CircuitBreaker,
    /// The deployment goes back.
    RollingBack,
    /// Minimum and maximum percent leave no room.
    DeploymentBlockedByPercent,
    /// ECS or a service that it calls is throttled.
    Throttled,
    /// Task protection holds back a scale-in.
    ScaleInProtected,
    /// Everything runs as wanted.
    SteadyState,
    /// A deployment ended well.
    DeploymentCompleted,
    /// Tasks were started.
    TasksStarted,
    /// A target is registered or about to be.
    TargetRegistered,
    /// A target leaves.
    TargetDraining,
    /// Tasks move between zones.
    AzRebalance,
    /// ECS Exec's agent failed.
    ExecAgent,
    /// Service Connect failed.
    ServiceConnect,
    /// None of these.
    Other,
}

/// Every cause with its word, in the order of the type.
const WORDS: &[(Cause, &str)] = &[
    (Cause::ImageNotFound, "image_not_found"),
    (Cause::ImagePullDenied, "image_pull_denied"),
    (Cause::ImagePullNetwork, "image_pull_network"),
    (Cause::ImagePullRateLimit, "image_pull_rate_limit"),
    (Cause::ImageWrongArchitecture, "image_wrong_architecture"),
    (Cause::DiskFull, "disk_full"),
    (Cause::SecretMissing, "secret_missing"),
    (Cause::SecretDenied, "secret_denied"),
    (Cause::SecretNetwork, "secret_network"),
    (Cause::EnvFileUnavailable, "env_file_unavailable"),
    (Cause::LogGroupMissing, "log_group_missing"),
    (Cause::LogDriverDenied, "log_driver_denied"),
    (Cause::LogNetwork, "log_network"),
    (Cause::RoleUnassumable, "role_unassumable"),
    (Cause::VolumeMount, "volume_mount"),
    (Cause::NetworkInterface, "network_interface"),
    (Cause::ContainerStartFailed, "container_start_failed"),
    (Cause::OutOfMemory, "out_of_memory"),
    (Cause::AppExit, "app_exit"),
    (Cause::Segfault, "segfault"),
    (Cause::SignalKillTimeout, "signal_kill_timeout"),
    (Cause::ElbHealthCheck, "elb_health_check"),
    (Cause::ContainerHealthCheck, "container_health_check"),
    (Cause::NormalScaleIn, "normal_scale_in"),
    (Cause::NormalDeploymentReplace, "normal_deployment_replace"),
    (Cause::UserStopped, "user_stopped"),
    (Cause::SpotInterruption, "spot_interruption"),
    (Cause::HostTerminated, "host_terminated"),
    (Cause::InstanceDraining, "instance_draining"),
    (Cause::PlatformMaintenance, "platform_maintenance"),
    (Cause::CapacityUnavailable, "capacity_unavailable"),
    (Cause::QuotaReached, "quota_reached"),
    (Cause::PlacementNoInstances, "placement_no_instances"),
    (Cause::PlacementCpu, "placement_cpu"),
    (Cause::PlacementMemory, "placement_memory"),
    (Cause::PlacementPort, "placement_port"),
    (Cause::PlacementAttribute, "placement_attribute"),
    (Cause::PlacementAgent, "placement_agent"),
    (Cause::StartBackoff, "start_backoff"),
    (Cause::CircuitBreaker, "circuit_breaker"),
    (Cause::RollingBack, "rolling_back"),
    (Cause::DeploymentBlockedByPercent, "deployment_blocked_by_percent"),
    (Cause::Throttled, "throttled"),
    (Cause::ScaleInProtected, "scale_in_protected"),
    (Cause::SteadyState, "steady_state"),
    (Cause::DeploymentCompleted, "deployment_completed"),
    (Cause::TasksStarted, "tasks_started"),
    (Cause::TargetRegistered, "target_registered"),
    (Cause::TargetDraining, "target_draining"),
    (Cause::AzRebalance, "az_rebalance"),
    (Cause::ExecAgent, "exec_agent"),
    (Cause::ServiceConnect, "service_connect"),
    (Cause::Other, "other"),
];

impl Cause {
    /// All causes.
    pub fn all() -> impl Iterator<Item = Cause> {
        WORDS.iter().map(|(cause, _)| *cause)
    }

    /// Its word, as scripts read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(cause, _)| *cause == self).map_or("other", |(_, word)| word)
    }

    /// The cause of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Cause> {
        WORDS.iter().find(|(_, own)| *own == word).map(|(cause, _)| *cause)
    }

    /// Whether nothing went wrong: normal life, or a stop that was meant.
    #[must_use]
    pub fn normal(self) -> bool {
        matches!(
            self,
            Cause::NormalScaleIn
                | Cause::NormalDeploymentReplace
                | Cause::UserStopped
                | Cause::SteadyState
                | Cause::DeploymentCompleted
                | Cause::TasksStarted
                | Cause::TargetRegistered
                | Cause::TargetDraining
                | Cause::AzRebalance
        )
    }
}

/// How far an explanation may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess from little.
    Low,
    /// The likely one of few.
    Medium,
    /// AWS says so.
    High,
}

impl Confidence {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// A cause with what it was judged from and what to look at next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The word.
    pub cause: Cause,
    /// One sentence that repeats what matters in the text: image, parameter, role, port, instance, missing action.
    pub says: String,
    /// What to look at; empty when nothing needs a look.
    pub next_check: String,
    /// How far it may be trusted.
    pub confidence: Confidence,
    /// What it was judged from, in AWS's words.
    pub evidence: Vec<String>,
}

/// Explains an event of a service, or the reason of a deployment's state.
#[must_use]
pub fn event(text: &str) -> Explanation {
    told("event", text, EVENT)
}

/// The cause alone of an event, for who reads many.
#[must_use]
pub fn of_event(text: &str) -> Cause {
    rule_of(&Read::of(text), EVENT).map_or(Cause::Other, |(rule, _)| rule.cause)
}

/// Explains a target by its reason code, its description, or both in one text.
#[must_use]
pub fn target(reason_or_description: &str) -> Explanation {
    told("target", reason_or_description, TARGET)
}

/// Explains a container by its own reason and exit code, without knowing the task.
#[must_use]
pub fn container(reason: &str, exit_code: Option<i64>) -> Explanation {
    stop::container(reason, exit_code)
}

/// The rule for a text of one field. What no rule of its own field fits is tried against the others, for texts are quoted out of their
/// place.
fn rule_of(read: &Read, field: Field) -> Option<(&'static rule::Rule, Confidence)> {
    let own = read.rule(field).map(|rule| (rule, rule.sure));
    // What the scheduler says is never said of a target, nor the other way round.
    let others = match field {
        TARGET => REASON | CONTAINER,
        _ if read.told.contains("service") => REASON | CONTAINER | EVENT,
        _ => REASON | CONTAINER | EVENT | TARGET,
    };
    own.or_else(|| read.rule(others).map(|rule| (rule, rule.sure.min(Confidence::Medium))))
}

/// One text of one field, explained.
fn told(label: &str, text: &str, field: Field) -> Explanation {
    let evidence = if text.trim().is_empty() { Vec::new() } else { vec![format!("{label}: {}", one_line(text))] };
    let read = Read::of(text);
    match rule_of(&read, field) {
        Some((rule, confidence)) => {
            if let Some(code) = exit::in_text(text).filter(|_| rule.cause == Cause::AppExit) {
                return Explanation { evidence, ..stop::container("", Some(code)) };
            }
            let (says, next_check) = rule.sentences(&read);
            Explanation { cause: rule.cause, says, next_check, confidence, evidence }
        }
        None => unknown(text, evidence),
    }
}

fn unknown(text: &str, evidence: Vec<String>) -> Explanation {
    let says = one_line(text);
    let says = if says.is_empty() { "AWS gives no reason".to_owned() } else { says };
    Explanation {
        cause: Cause::Other,
        says,
        next_check: "no rule knows this text: read it, then the events of the service and the last log lines".to_owned(),
        confidence: Confidence::Low,
        evidence,
    }
}

/// A text on one line; line breaks that were made visible on their way in count as blanks too.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c == '\u{2424}').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
