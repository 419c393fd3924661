//! Clients of the real SDK for the contexts of an embedded AWS: one attempt, so that every answer is seen as it came.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test binary uses its own part")]

use aws_sdk_ecs::config::SharedHttpClient;
use midwatch::sim::{ContextInfo, Sim};

pub fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// The context of a name.
pub fn context<'a>(sim: &'a Sim, name: &str) -> &'a ContextInfo {
    let known = sim.contexts().iter().find(|context| context.name == name);
    known.unwrap_or_else(|| panic!("no context is called {name}"))
}

/// The beginnings of a client's configuration, `config!(aws_sdk_ecs, sim, context)`.
macro_rules! config {
    ($service:ident, $sim:expr, $context:expr) => {{
        let midwatch::sim::ContextInfo { region, access_key, secret_key, .. } = $context.clone();
        $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::latest())
            .region($service::config::Region::new(region))
            .credentials_provider($service::config::Credentials::new(access_key, secret_key, None, None, "test"))
            .endpoint_url($sim.endpoint())
            .http_client($crate::clients::http())
            .retry_config($service::config::retry::RetryConfig::disabled())
    }};
}
pub(crate) use config;

pub fn ecs(sim: &Sim, name: &str) -> aws_sdk_ecs::Client {
    aws_sdk_ecs::Client::from_conf(config!(aws_sdk_ecs, sim, context(sim, name)).build())
}

pub fn code_deploy(sim: &Sim, name: &str) -> aws_sdk_codedeploy::Client {
    aws_sdk_codedeploy::Client::from_conf(config!(aws_sdk_codedeploy, sim, context(sim, name)).build())
}

pub fn scaling(sim: &Sim, name: &str) -> aws_sdk_applicationautoscaling::Client {
    aws_sdk_applicationautoscaling::Client::from_conf(config!(aws_sdk_applicationautoscaling, sim, context(sim, name)).build())
}

pub fn registry(sim: &Sim, name: &str) -> aws_sdk_ecr::Client {
    aws_sdk_ecr::Client::from_conf(config!(aws_sdk_ecr, sim, context(sim, name)).build())
}
