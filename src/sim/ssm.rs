//! Systems Manager, as far as sessions go: port forwards that begin, sessions that are taken up again, and sessions that are to end.
//!
//! Sessions that ECS began are among them. Parameters are in `vault`.

use super::ecs::{self, ApiError};
use super::exec::{self, Order, Sessions};
use super::wire::refuse;
use super::world::Estate;
use serde_json::Value;

/// Forwards to a port of the target.
const OWN: &str = "AWS-StartPortForwardingSession";
/// Forwards to a port of another host, through the target.
const REMOTE: &str = "AWS-StartPortForwardingSessionToRemoteHost";

/// `StartSession`: the session that may begin.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn start(estate: &Estate, sessions: &Sessions, body: &Value) -> Result<Order, ApiError> {
    let target = needed(body, "Target")?;
    let document = body.get("DocumentName").and_then(Value::as_str).unwrap_or_default();
    if document != OWN && document != REMOTE {
        return Err(refuse(400, "InvalidDocument", format!("Document with name {document} does not exist.")));
    }
    let wrong = |name: &str| {
        let words = format!("Parameter \"{name}\" is missing, or its value is not allowed by the document {document}.");
        refuse(400, "InvalidParameters", words)
    };
    let one = |name: &'static str| {
        let values = body.pointer(&format!("/Parameters/{name}")).and_then(Value::as_array).filter(|values| values.len() == 1);
        values.and_then(|values| values[0].as_str()).filter(|value| !value.is_empty())
    };
    let number = one("portNumber").unwrap_or("80").parse().ok().filter(|number: &u16| *number > 0).ok_or_else(|| wrong("portNumber"))?;
    let host = if document == REMOTE { Some(one("host").ok_or_else(|| wrong("host"))?) } else { None };
    let order = ecs::forward(estate, sessions, target, number, host);
    order.ok_or_else(|| refuse(400, "TargetNotConnected", format!("{target} is not connected.")))
}

/// Answers any other call about a session.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(sessions: &mut Sessions, operation: &str, body: &Value, account: &str, region: &str) -> Result<Value, ApiError> {
    let id = needed(body, "SessionId")?;
    match operation {
        "ResumeSession" => exec::resume(sessions, account, region, id),
        "TerminateSession" => exec::terminate(sessions, account, region, id),
        _ => Err(refuse(400, "UnknownOperationException", "")),
    }
}

fn needed<'a>(body: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| {
        let member = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
        let words = format!("1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null");
        refuse(400, "ValidationException", words)
    })
}
