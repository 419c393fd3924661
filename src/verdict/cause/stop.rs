//! What a stop means as a whole: the task's reason, its stop code, and containers of which one is to blame and the rest only followed.
//!
//! Single texts are judged by the table of rules; here is only which of them counts.

use super::rule::{self, CONTAINER, EVENT, REASON, Read, Rule};
use super::{Cause, Confidence, Explanation, exit, one_line, unknown};

/// A stopped task, or one that stops, as far as AWS tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stop {
    /// `stoppedReason`; empty when there is none.
    pub reason: String,
    /// `stopCode`; empty when there is none.
    pub stop_code: String,
    /// Its containers.
    pub containers: Vec<Ended>,
    /// Whether a service keeps the task running, so that even a good end is a failure; none when it is not known.
    pub of_service: Option<bool>,
}

/// A container of a stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ended {
    /// Its name; empty when it is not known.
    pub name: String,
    /// Its own reason; empty when there is none.
    pub reason: String,
    /// Its exit code; none when it never started, or still runs. Windows' codes are larger than 31 bits.
    pub exit_code: Option<i64>,
    /// Whether the task ends with it; none when it is not known.
    pub essential: Option<bool>,
}

/// Causes that a text gives when it says only that something ended: what ended it stands elsewhere. Nor does a text without a cause of its
/// own outweigh one that has one.
fn vague(rule: &Rule) -> bool {
    matches!(rule.cause, Cause::AppExit | Cause::Other) || (rule.cause == Cause::ContainerStartFailed && rule.sure == Confidence::Low)
}

/// Explains a stop.
///
/// Memory's own words beat everything; then the first clear text of the task; then, for a task that only "failed to start" or whose
/// "essential container exited", the container that is to blame: by its reason, else by its exit code.
#[must_use]
pub fn stopped(stop: &Stop) -> Explanation {
    let evidence = evidence(stop);
    let reason = Read::of(&stop.reason);
    let own = of_reason(stop, &reason);
    let heard: Vec<(&Ended, Read)> = stop.containers.iter().map(|c| (c, Read::of(&c.reason))).collect();
    let blamed: Vec<_> = heard.iter().filter_map(|(c, read)| clear(c, read).map(|rule| (*c, read, rule))).collect();
    if let Some((container, read, rule)) = blamed.iter().find(|(.., rule)| rule.cause == Cause::OutOfMemory) {
        return by_text(rule, read, Some(container), stop, evidence);
    }
    if let Some(rule) = own.filter(|rule| !vague(rule)) {
        return by_text(rule, &reason, None, stop, evidence);
    }
    if let Some(meant) = by_code(stop, &evidence) {
        return meant;
    }
    if let Some((container, read, rule)) = blamed.iter().find(|(c, ..)| c.essential != Some(false)).or(blamed.first()) {
        return by_text(rule, read, Some(container), stop, evidence);
    }
    if let Some(container) = culprit(&stop.containers) {
        return by_exit(container, stop, evidence);
    }
    let of_an_end = |read: &&Read| read.rule(REASON | CONTAINER).is_some_and(|rule| rule.cause == Cause::AppExit);
    let mut texts = std::iter::once(&reason).chain(heard.iter().map(|(_, read)| read)).filter(of_an_end);
    if let Some(code) = texts.find_map(|read| exit::in_text(read.told)) {
        return by_exit(&Ended { exit_code: Some(code), ..Ended::default() }, stop, evidence);
    }
    // "Task failed to start" says less than a container's reason that no rule knows, or that has no word of its own.
    let nameless = || heard.iter().find(|(c, _)| !c.reason.trim().is_empty());
    if let Some((container, read)) = own.filter(|rule| rule.sure == Confidence::Low).and_then(|_| nameless()) {
        return match of_container(read) {
            Some(rule) => by_text(rule, read, Some(container), stop, evidence),
            None => unknown(&container.reason, evidence),
        };
    }
    match own {
        Some(rule) => by_text(rule, &reason, None, stop, evidence),
        None if stop.reason.trim().is_empty() => {
            if let Some((container, read, rule)) = heard.iter().find_map(|(c, read)| of_container(read).map(|rule| (c, read, rule))) {
                return by_text(rule, read, Some(container), stop, evidence);
            }
            let text = stop.containers.iter().map(|c| c.reason.as_str()).find(|reason| !reason.trim().is_empty());
            unknown(text.unwrap_or(""), evidence)
        }
        None => unknown(&stop.reason, evidence),
    }
}

/// Explains a container alone.
pub(super) fn container(reason: &str, exit_code: Option<i64>) -> Explanation {
    let ended = Ended { reason: reason.to_owned(), exit_code, ..Ended::default() };
    stopped(&Stop { containers: vec![ended], ..Stop::default() })
}

/// The rule for the task's reason. A service's event that is quoted as a reason is understood too.
fn of_reason(stop: &Stop, reason: &Read) -> Option<&'static Rule> {
    let rule = reason.rule(REASON).or_else(|| reason.rule(CONTAINER | EVENT))?;
    // Whoever calls StopTask may write anything as its reason; of that only AWS's words for a stop count.
    let of_a_stop = matches!(
        rule.cause,
        Cause::UserStopped | Cause::HostTerminated | Cause::InstanceDraining | Cause::SpotInterruption | Cause::PlatformMaintenance
    );
    (stop.stop_code != "UserInitiated" || of_a_stop).then_some(rule)
}

/// The rule for a container's reason.
fn of_container(reason: &Read) -> Option<&'static Rule> {
    reason.rule(CONTAINER).or_else(|| reason.rule(REASON))
}

/// The same when it says more than that the container ended. That it did not stop at once says less than the code it ended with.
fn clear(container: &Ended, reason: &Read) -> Option<&'static Rule> {
    let only_slow = |rule: &&Rule| rule.cause == Cause::SignalKillTimeout && container.exit_code.is_some();
    of_container(reason).filter(|rule| !vague(rule) && !only_slow(rule))
}

/// What the stop code alone says, when no text does.
fn by_code(stop: &Stop, evidence: &[String]) -> Option<Explanation> {
    let (cause, says, next, confidence) = match &*stop.stop_code {
        "UserInitiated" => (Cause::UserStopped, "a person or a tool stopped the task", "CloudTrail StopTask tells who", Confidence::High),
        "SpotInterruption" => (
            Cause::SpotInterruption,
            "AWS took the Spot capacity back",
            "whether the service replaced it, and the share of FARGATE_SPOT in the capacity provider strategy",
            Confidence::High,
        ),
        "InfrastructureHealth" => (
            Cause::HostTerminated,
            "the host under the task is not healthy",
            "health of the container instance, AWS Health",
            Confidence::Medium,
        ),
        "TerminationNotice" => (
            Cause::HostTerminated,
            "the host under the task is going away",
            "who ends it: AWS Health, the Auto Scaling group",
            Confidence::Medium,
        ),
        "ServiceSchedulerInitiated" if stop.reason.trim().is_empty() => {
            (Cause::NormalScaleIn, "the service's scheduler stopped the task", "the events of the service", Confidence::Low)
        }
        _ => return None,
    };
    let quoted = one_line(&stop.reason);
    let says = if quoted.is_empty() { says.to_owned() } else { format!("{says}: {quoted}") };
    Some(Explanation { cause, says, next_check: rule::to_check(next), confidence, evidence: evidence.to_vec() })
}

/// The container that ended the task, of those with an exit code: one that ended badly by itself, before one that may only have been
/// told to stop; an essential one before others.
fn culprit(containers: &[Ended]) -> Option<&Ended> {
    let badness = |c: &Ended| {
        let code = c.exit_code?;
        let followed = exit::of_a_stop(code);
        // An essential container that ends with 0 ends the task; the others are then stopped by signal.
        let ended_first = code == 0 && c.essential == Some(true);
        Some((c.essential != Some(false), !followed, ended_first, code != 0))
    };
    // The first of equals: AWS lists containers in the order of the task definition.
    containers.iter().rev().filter(|c| badness(c).is_some()).max_by_key(|c| badness(c))
}

fn by_text(rule: &Rule, text: &Read, container: Option<&Ended>, stop: &Stop, evidence: Vec<String>) -> Explanation {
    let (says, next_check) = rule.sentences(text);
    let many = stop.containers.len() > 1;
    let says = match container.filter(|c| many && !c.name.is_empty() && !says.contains(&c.name)) {
        Some(container) => format!("container {}: {says}", container.name),
        None => says,
    };
    let code = container.map_or_else(|| culprit(&stop.containers).and_then(|c| c.exit_code), |c| c.exit_code);
    let says = match code.filter(|code| *code != 0 && !rule.cause.normal()) {
        Some(code) => format!("{says}, {}", exit::shown(code)),
        None => says,
    };
    Explanation { cause: rule.cause, says, next_check, confidence: rule.sure, evidence }
}

fn by_exit(container: &Ended, stop: &Stop, evidence: Vec<String>) -> Explanation {
    let code = container.exit_code.unwrap_or_default();
    let meaning = exit::meaning(code);
    let scheduler = stop.stop_code == "ServiceSchedulerInitiated";
    if scheduler && exit::of_a_stop(code) {
        return unknown(&stop.reason, evidence);
    }
    let name = if container.name.is_empty() { "the container".to_owned() } else { format!("container {}", container.name) };
    let mut says = format!("{name} exited with code {code}: {}", meaning.says);
    let followed: Vec<&str> = stop
        .containers
        .iter()
        .filter(|c| !std::ptr::eq(*c, container) && c.exit_code.is_some_and(exit::of_a_stop))
        .map(|c| &*c.name)
        .collect();
    if followed.iter().any(|name| !name.is_empty()) {
        says = format!("{says}; {} only followed", followed.join(" and "));
    }
    let own = one_line(&container.reason);
    if !own.is_empty() {
        says = format!("{says} ({own})");
    }
    let good_end = code == 0 && stop.of_service == Some(false);
    let confidence = if good_end { Confidence::Low } else { meaning.sure };
    Explanation { cause: meaning.cause, says, next_check: rule::to_check(meaning.next), confidence, evidence }
}

/// Everything that AWS said of the stop, each on its own line.
fn evidence(stop: &Stop) -> Vec<String> {
    let mut told = Vec::new();
    let reason = one_line(&stop.reason);
    if !reason.is_empty() {
        told.push(format!("stoppedReason: {reason}"));
    }
    if !stop.stop_code.is_empty() {
        told.push(format!("stopCode: {}", stop.stop_code));
    }
    for container in &stop.containers {
        let name = if container.name.is_empty() { "container".to_owned() } else { format!("container {}", container.name) };
        let reason = one_line(&container.reason);
        let code = container.exit_code.map(exit::shown);
        let parts: Vec<String> = code.into_iter().chain((!reason.is_empty()).then_some(reason)).collect();
        if !parts.is_empty() {
            told.push(format!("{name}: {}", parts.join(", ")));
        }
    }
    told
}
