//! Systems Manager, as far as sessions go: which may be taken up again, and which are to end.
//!
//! Sessions that ECS began are among them. Parameters are in `vault`.

use super::ecs::ApiError;
use super::exec::{self, Sessions};
use super::wire::refuse;
use serde_json::Value;

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(sessions: &mut Sessions, operation: &str, body: &Value, account: &str, region: &str) -> Result<Value, ApiError> {
    let id = body.get("SessionId").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| {
        let words = "1 validation error detected: Value null at 'sessionId' failed to satisfy constraint: Member must not be null";
        refuse(400, "ValidationException", words)
    })?;
    match operation {
        "ResumeSession" => exec::resume(sessions, account, region, id),
        "TerminateSession" => exec::terminate(sessions, account, region, id),
        _ => Err(refuse(400, "UnknownOperationException", "")),
    }
}
