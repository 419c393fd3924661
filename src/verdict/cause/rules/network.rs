//! The network of a task: Service Connect and the network interface.

use super::super::Cause as C;
use super::super::Confidence::High;
use super::super::fragments::INTERFACE;
use super::super::rule::Rule;
use super::{START, rule};

/// Service Connect.
pub(super) const CONNECT: &[Rule] = &[rule(
    START,
    &[&[
        "service connect",
        "service-connect",
        "serviceconnect",
        "appnet",
        "envoy proxy",
        "envoy readiness",
        "^sc bridge mode",
        " sc bridge mode",
    ]],
    &[],
    (C::ServiceConnect, High),
    "Service Connect failed[: {detail}]",
    "the namespace, port names of the task definition, TLS certificate and role, and the proxy's own log",
)];

/// The network interface.
pub(super) const INTERFACES: &[Rule] = &[rule(
    START,
    &[INTERFACE],
    &["is unhealthy in", "docker0", "an attribute"],
    (C::NetworkInterface, High),
    "the task did not get its network interface[ in {subnet}][ with {securitygroup}][ on {instance}]",
    "free addresses of the subnet, the limit of interfaces (of the account, or of the instance), subnet and security group; then try again",
)];
