//! ECS Exec and roles: their texts name what others are about, so they are read early; a right that is missing is read late, for what it is
//! missing for says more.

use super::super::Cause as C;
use super::super::Confidence::High;
use super::super::rule::{Rule, TARGET};
use super::{START, rule};

/// The agent of ECS Exec.
pub(super) const EXEC: &[Rule] = &[rule(
    START | TARGET,
    &[&[
        "executecommand",
        "execute command",
        "exec agent",
        "execagent",
        "ssm agent",
        "ssm-agent",
        "targetnotconnected",
        "ssmmessages",
        "session manager",
        "session-manager",
        "sessionmanager",
    ]],
    &["unable to retrieve secret"],
    (C::ExecAgent, High),
    "ECS Exec's agent does not work[: {detail}]",
    "enableExecuteCommand, ssmmessages:* in the task role, a route to the ssmmessages endpoint; the task itself may be well",
)];

const UNASSUMABLE: &str = "ECS cannot assume the role[ {role}]";
const UNASSUMABLE_NEXT: &str =
    "that the role exists, that ecs-tasks.amazonaws.com may assume it (trust policy), and iam:PassRole of whoever registered it";

const NOT_ASSUMED: &[&str] = &[
    "assume the role",
    "assume role",
    "assumerole",
    "unable to assume",
    "failed to assume",
    "be assumed",
    "could not assume",
    "cannot assume",
    "can't assume",
    "assuming role",
    "assume the service",
    "execution role credentials",
    "no execution credentials",
];

/// Roles that ECS cannot assume.
pub(super) const ROLES: &[Rule] = &[
    rule(
        START,
        &[NOT_ASSUMED, &["rolled back", "rolling back"]],
        &[],
        (C::RoleUnassumable, High),
        "the deployment went back, for ECS cannot assume the role[ {role}]",
        UNASSUMABLE_NEXT,
    ),
    rule(START, &[NOT_ASSUMED], &[], (C::RoleUnassumable, High), UNASSUMABLE, UNASSUMABLE_NEXT),
    // A role that may not do something else was assumed before.
    rule(
        START,
        &[&["trust relationship", "trust policy", "iam permissions polic"]],
        &["not authorized to perform"],
        (C::RoleUnassumable, High),
        UNASSUMABLE,
        UNASSUMABLE_NEXT,
    ),
];

/// A right that a role lacks, for something that has no cause of its own; then what a load balancer refuses for itself.
pub(super) const RIGHTS: &[Rule] = &[
    rule(
        START | TARGET,
        &[&["not authorized to perform", "not authorized to use", "unauthorizedoperation"]],
        &[],
        (C::Other, High),
        "a role may not do what ECS needs of it[: {action} is denied][ for role {role}]",
        "the policies of the role[ {role}][: that they allow {action}]; for the one that ECS made itself, who changed it",
    ),
    rule(
        START,
        &[&["failed to register targets", "failed to deregister targets", "failed to describe target health"]],
        &[],
        (C::Other, High),
        "the load balancer refuses what ECS asks of it[: {detail}]",
        "the target group[ {group}] against the task's: VPC, target type (ip for awsvpc, else instance), port, and that it exists",
    ),
];
