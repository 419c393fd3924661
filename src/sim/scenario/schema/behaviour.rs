//! How tasks fare, and `[[actor]]`: what keeps happening.

use serde::Deserialize;
use toml::Spanned;

use crate::sim::scenario::Span;

/// How the tasks of a revision fare.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// What befalls them.
    #[serde(default)]
    pub fate: Fate,
    /// How long after the start of the containers it befalls them; default 40 seconds.
    pub after: Option<Span>,
    /// At most so many tasks at a time suffer it; default all.
    pub at_most: Option<u32>,
    /// Exit code, for `exits`; default 1.
    pub code: Option<i32>,
    /// For `unhealthy`: reason code of the target health, default `Target.ResponseCodeMismatch`.
    pub reason: Option<String>,
    /// For `unhealthy`: HTTP status that the check gets; default 503.
    pub status: Option<u16>,
    /// For `pull_fails`: the agent's words after `CannotPullContainerError: `.
    pub error: Option<String>,
    /// Last lines of the log before the end.
    #[serde(default)]
    pub tail: Vec<String>,
}

/// What befalls the tasks of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nothing.
    #[default]
    Healthy,
    /// The first essential container exits with `code`.
    Exits,
    /// The first essential container is killed for its memory, code 137.
    Oom,
    /// The load balancer's health check fails.
    Unhealthy,
    /// The container health check fails.
    ContainerUnhealthy,
    /// The image cannot be pulled.
    PullFails,
    /// A secret cannot be read, so that no container starts.
    SecretFails,
    /// Answers health checks only `after` so long.
    SlowStart,
    /// Ends well with code 0 `after` so long, as a batch job does.
    Ends,
}

/// `[[actor]]`: acts on the scenario from outside, again and again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Name, seen as startedBy or in createdBy.
    pub name: String,
    /// Cluster of the service.
    pub cluster: Spanned<String>,
    /// Service that it acts on.
    pub service: Spanned<String>,
    /// Period.
    pub every: Span,
    /// First time after the scenario opens; times before are counted back from
    /// it in whole periods. Default one period.
    pub first: Option<Span>,
    /// What it does.
    pub act: Act,
    /// How the tasks fare that `deploy` or `run` brings.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// For `scale`: desiredCount becomes each of these in turn.
    #[serde(default)]
    pub desired: Vec<u32>,
}

/// What an actor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Pushes an image, registers a revision with it and updates the service.
    Deploy,
    /// `UpdateService` with forceNewDeployment.
    Redeploy,
    /// `UpdateService` with another desiredCount.
    Scale,
    /// Takes a task of the service away, as AWS does with Fargate Spot.
    Interrupt,
    /// `RunTask` with the service's task definition.
    Run,
}
