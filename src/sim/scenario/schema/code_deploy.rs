//! `[[code_deploy]]` of a scenario file: the application and deployment group that release a `CODE_DEPLOY` service.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::sim::scenario::Span;

/// `[[code_deploy]]`. The service needs `controller = "CODE_DEPLOY"` and a load balancer; a second target group is made
/// for it. An `[[actor]]` with `deploy` or `redeploy` on such a service releases through `CodeDeploy`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeDeploy {
    /// Cluster of the service.
    pub cluster: Spanned<String>,
    /// Service.
    pub service: Spanned<String>,
    /// Application; services may share one. Default `AppECS-CLUSTER-SERVICE`.
    pub application: Option<String>,
    /// Deployment group; default `DgpECS-CLUSTER-SERVICE`.
    pub group: Option<String>,
    /// Deployment configuration: one of AWS's own, or the name of the one that `percent` and `interval` make.
    #[serde(default = "default_config")]
    pub config: String,
    /// For a configuration of one's own: percent of the traffic that shifts first.
    pub percent: Option<u32>,
    /// For a configuration of one's own: pause until the rest shifts, in whole minutes.
    pub interval: Option<Span>,
    /// For a configuration of one's own: shifts `percent` every `interval` instead of all after the first.
    #[serde(default)]
    pub linear: bool,
    /// How long the old task set is kept after the shift.
    #[serde(default = "default_termination")]
    pub termination_wait: Span,
    /// Waits so long for `ContinueDeployment` before traffic shifts, and is stopped without it; default it does not wait.
    pub ready_wait: Option<Span>,
    /// `autoRollbackConfiguration.events`; empty switches it off.
    #[serde(default = "default_rollback")]
    pub rollback: Vec<String>,
    /// Alarms that stop a deployment, by name.
    #[serde(default)]
    pub alarms: Vec<String>,
    /// Lifecycle hook to name of a Lambda function, such as `{ BeforeAllowTraffic = "smoke" }`.
    #[serde(default)]
    pub hooks: BTreeMap<String, String>,
    /// Port of a listener for test traffic; default none.
    pub test_port: Option<u16>,
}

fn default_config() -> String {
    "CodeDeployDefault.ECSAllAtOnce".to_owned()
}

fn default_termination() -> Span {
    Span::minutes(5)
}

fn default_rollback() -> Vec<String> {
    vec!["DEPLOYMENT_FAILURE".to_owned(), "DEPLOYMENT_STOP_ON_ALARM".to_owned(), "DEPLOYMENT_STOP_ON_REQUEST".to_owned()]
}
