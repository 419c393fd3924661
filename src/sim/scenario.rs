//! Scenarios: the TOML files that say what stands in the embedded AWS at the
//! start and how it fares. This module reads and checks them; it builds nothing.
//!
//! Unknown keys and names are refused with file, line, column and the nearest
//! right name. The schema is the structs of this module and of [`schema`].

mod explain;
mod fleet;
pub mod schema;
mod span;

pub use explain::{Error, nearest, refuse};
pub use fleet::Fleet;
pub use schema::{
    Act, Actor, Behaviour, CapacityProvider, Cluster, Container, Context, HealthCheck, Instances,
    LaunchType, LoadBalancer, Scenario, Service, Voice,
};
pub use span::Span;

/// Scenarios that are built in: name and text.
pub const EMBEDDED: [(&str, &str); 2] = [
    ("small", include_str!("scenarios/small.toml")),
    ("large", include_str!("scenarios/large.toml")),
];
