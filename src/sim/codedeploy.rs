//! AWS `CodeDeploy` for ECS: applications, groups, deployments and their targets.
//!
//! It renders and sets off; how a deployment goes on is the world's clockwork.

mod deployments;
mod groups;
mod views;

use super::ecs::ApiError;
use super::wire::refuse;
use super::world::Estate;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Lists come in pages of a hundred; the size cannot be chosen.
const PAGE: usize = 100;

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(estate: &mut Estate, operation: &str, body: &Value) -> Result<Value, ApiError> {
    match operation {
        "ListApplications" => groups::list_applications(estate, body),
        "GetApplication" => groups::application(estate, body),
        "BatchGetApplications" => groups::applications(estate, body),
        "ListDeploymentGroups" => groups::list(estate, body),
        "GetDeploymentGroup" => groups::one(estate, body),
        "BatchGetDeploymentGroups" => groups::batch(estate, body),
        "GetDeploymentConfig" => groups::config(estate, body),
        "ListDeploymentConfigs" => groups::list_configs(estate, body),
        "CreateDeployment" => deployments::create(estate, body),
        "GetDeployment" => deployments::one(estate, body),
        "BatchGetDeployments" => deployments::batch(estate, body),
        "ListDeployments" => deployments::list(estate, body),
        "ListDeploymentTargets" => deployments::list_targets(estate, body),
        "GetDeploymentTarget" => deployments::target(estate, body),
        "BatchGetDeploymentTargets" => deployments::targets(estate, body),
        "StopDeployment" => deployments::stop(estate, body),
        "ContinueDeployment" => deployments::go_on(estate, body),
        _ => Err(refuse(400, "UnknownOperationException", "")),
    }
}

fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn texts<'a>(body: &'a Value, key: &str) -> Vec<&'a str> {
    body.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A list of names in pages.
fn page(body: &Value, key: &str, all: Vec<String>) -> Result<Value, ApiError> {
    let from = match text(body, "nextToken") {
        None => 0,
        Some(token) => {
            let at = offset(key, token).filter(|at| *at < all.len());
            at.ok_or_else(|| refuse(400, "InvalidNextTokenException", "The specified next token is not valid."))?
        }
    };
    let total = all.len();
    let shown: Vec<String> = all.into_iter().skip(from).take(PAGE).collect();
    let next = from + shown.len();
    Ok(json!({key: shown, "nextToken": (next < total).then(|| STANDARD.encode(format!("{key}:{next}")))}))
}

fn offset(key: &str, token: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    text.strip_prefix(key)?.strip_prefix(':')?.parse().ok()
}
