//! Parameter Store and Secrets Manager, as far as they tell whether something is there: a client that asks before it deploys.
//!
//! They hold what revisions of task definitions refer to, less what a scenario has taken away. There is nothing secret in them.

use super::ecs::{ApiError, seconds, uuid};
use super::rng::hash;
use super::wire::refuse;
use super::world::Estate;
use base64::Engine as _;
use serde_json::{Value, json};

/// `GetParameters` takes so many names.
const NAMES: usize = 10;

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(estate: &Estate, operation: &str, body: &Value) -> Result<Value, ApiError> {
    match operation {
        "GetParameters" => parameters(estate, body),
        "DescribeSecret" => describe_secret(estate, body),
        _ => Err(refuse(400, "UnknownOperationException", "")),
    }
}

fn parameters(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let names: Vec<&str> = body.get("Names").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if names.is_empty() || names.len() > NAMES {
        let (found, bound) = if names.is_empty() { ("[]", "greater than or equal to 1") } else { ("[…]", "less than or equal to 10") };
        return Err(refuse(
            400,
            "ValidationException",
            format!(
                "1 validation error detected: Value '{found}' at 'names' failed to satisfy constraint: Member must have length {bound}"
            ),
        ));
    }
    let clear = body.get("WithDecryption").and_then(Value::as_bool).unwrap_or(false);
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for asked in names {
        let name = asked.rsplit_once(":parameter/").map_or(asked, |(_, name)| name).trim_start_matches('/');
        if !estate.holds_parameter(name) {
            invalid.push(asked);
            continue;
        }
        // Names with a slash in them are paths, and begin with one.
        let shown = if name.contains('/') { format!("/{name}") } else { name.to_owned() };
        let hidden = base64::engine::general_purpose::STANDARD.encode(format!("{:016x}", hash(name)));
        found.push(json!({
            "Name": shown,
            "Type": "SecureString",
            "Value": if clear { "not-a-real-value".to_owned() } else { hidden },
            "Version": 1,
            "LastModifiedDate": seconds(estate.now - 90 * 86_400_000),
            "ARN": estate.arn("ssm", &format!("parameter/{name}")),
            "DataType": "text",
        }));
    }
    Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
}

fn describe_secret(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let id = body.get("SecretId").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| {
        let words = "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null";
        refuse(400, "ValidationException", words)
    })?;
    let arn = estate.held_secret(id);
    let arn = arn.ok_or_else(|| refuse(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."))?;
    let tail = arn.rsplit_once(":secret:").map_or("", |(_, tail)| tail);
    let name = tail.rsplit_once('-').map_or(tail, |(name, _)| name);
    let version = uuid(u128::from(hash(&arn)) << 64 | u128::from(hash(name)));
    Ok(json!({
        "ARN": arn,
        "Name": name,
        "LastChangedDate": seconds(estate.now - 90 * 86_400_000),
        "CreatedDate": seconds(estate.now - 400 * 86_400_000),
        "VersionIdsToStages": {version: ["AWSCURRENT"]},
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;
    use crate::sim::scenario;
    use crate::sim::world::World;

    #[test]
    fn what_task_definitions_refer_to_is_there_until_it_is_taken_away() {
        let mut w = World::open(&scenario::load("seeds", &[]).unwrap(), 1, crate::sim::clock::FIXED_START).unwrap();
        let estate = w.estate_mut("714208356619", "eu-west-2");
        let arn = |e: &Estate| e.arn("ssm", "parameter/learning-platform/staging/POSTGRES_PASSWORD");
        let names = json!({"Names": ["/learning-platform/staging/POSTGRES_PASSWORD", arn(estate), "NOBODY"]});
        let reply = handle(estate, "GetParameters", &names).unwrap();
        let found: Vec<&Value> = reply["Parameters"].as_array().unwrap().iter().map(|p| &p["Name"]).collect();
        assert_eq!(found, [&names["Names"][0], &names["Names"][0]]);
        assert_eq!(reply["InvalidParameters"], json!(["NOBODY"]));
        estate.absent.insert("learning-platform/staging/POSTGRES_PASSWORD".to_owned());
        let reply = handle(estate, "GetParameters", &names).unwrap();
        assert_eq!(reply["InvalidParameters"], names["Names"]);
        let none = handle(estate, "GetParameters", &json!({"Names": []})).unwrap_err();
        assert_eq!(none.code, "ValidationException");
        let estate = w.estate_mut("482913650274", "eu-west-2");
        let told = handle(estate, "DescribeSecret", &json!({"SecretId": "lomash-staging/database-url"})).unwrap();
        assert_eq!(told["Name"], "lomash-staging/database-url");
        let again = handle(estate, "DescribeSecret", &json!({"SecretId": told["ARN"]})).unwrap();
        assert_eq!(again["ARN"], told["ARN"]);
        let gone = handle(estate, "DescribeSecret", &json!({"SecretId": "nobody"})).unwrap_err();
        assert_eq!((gone.code, &*gone.message), ("ResourceNotFoundException", "Secrets Manager can't find the specified secret."));
    }
}
