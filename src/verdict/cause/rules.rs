//! The table of rules: what AWS writes, what it means, what to say and what to check. One file for each topic, one order for all.
//!
//! The first row that fits decides, so the order is: memory and disk, whose words are never wrong; AWS's own fixed sentences; then one
//! part for each thing that can fail at a start, in which an error code counts before a hint ("cannot find the log group. There is a
//! connection issue" means the connection); last what is only said in general. To add a text, add it to `tests/causes` and see which row
//! answers; then widen a list of fragments or add a row above the one that is wrong.

mod checks;
mod containers;
mod deployments;
mod events;
mod fetch_checks;
mod health;
mod images;
mod logs;
mod memory;
mod network;
mod placement;
mod roles;
mod secrets;
mod start_checks;
mod stops;
mod targets;
mod volumes;

use super::Cause;
use super::Confidence;
use super::rule::{CONTAINER, Check, EVENT, Field, REASON, Rule};

/// All rows, part by part, in the order in which they are asked.
const TABLE: &[&[Rule]] = &[
    memory::ALL,
    roles::EXEC,
    roles::ROLES,
    deployments::ALL,
    health::ALL,
    stops::BALANCE,
    stops::GROUND,
    stops::MEANT,
    images::LIMITED,
    placement::THROTTLED,
    images::PULLS,
    logs::ENV_FILES,
    logs::LOGGING,
    network::CONNECT,
    volumes::ALL,
    secrets::ALL,
    network::INTERFACES,
    placement::LAUNCHES,
    placement::CAPACITY,
    placement::INSTANCES,
    roles::RIGHTS,
    containers::STARTS,
    containers::ENDS,
    events::ALL,
    targets::ALL,
];

/// A start can fail in words of the task, of the container and of the scheduler.
const START: Field = REASON | CONTAINER | EVENT;
/// What the scheduler says stands in a task's reason or in an event.
const SCHEDULER: Field = REASON | EVENT;

type Any = &'static [&'static str];

/// All rows in order.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    TABLE.iter().copied().flatten()
}

/// What to check, in the order in which it is asked.
pub(super) fn checks() -> impl Iterator<Item = &'static Check> {
    checks::ALL.iter().chain(fetch_checks::ALL).chain(start_checks::ALL)
}

/// Words that AWS and docker put into longer ones themselves: `awslogs-region`, `ecs-serviceconnect`, `mount-watchdog`.
pub(super) const COMPOUNDED: &[&str] = &["awslogs", "serviceconnect", "fluentd", "splunk", "awsfirelens", "firelens"];

const fn rule(
    on: Field,
    all: &'static [Any],
    none: Any,
    (cause, sure): (Cause, Confidence),
    says: &'static str,
    next: &'static str,
) -> Rule {
    Rule { on, all, none, cause, sure, says, next }
}
