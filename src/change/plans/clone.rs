//! The request that registers a revision like another one but for its images.

use crate::model::Str;
use serde_json::{Map, Value};

/// What AWS tells of a revision and does not take back.
const TOLD: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// The request from what `DescribeTaskDefinition` with `TAGS` replied: tags stand beside the definition there, and would be lost.
///
/// # Errors
/// One line: the reply holds no definition, or a container has no such name.
pub fn request(reply: &Value, images: &[(Str, Str)]) -> Result<Value, String> {
    let definition = reply.get("taskDefinition").and_then(Value::as_object).ok_or("the task definition could not be read")?;
    let mut request: Map<String, Value> =
        definition.iter().filter(|(key, _)| !TOLD.contains(&key.as_str())).map(|(key, value)| (key.clone(), value.clone())).collect();
    let tags = reply.get("tags").and_then(Value::as_array).into_iter().flatten();
    // Tags of AWS's own, as CloudFormation's, may not be sent.
    let own: Vec<Value> =
        tags.filter(|tag| !tag["key"].as_str().is_some_and(|key| key.to_lowercase().starts_with("aws:"))).cloned().collect();
    if !own.is_empty() {
        request.insert("tags".to_owned(), Value::Array(own));
    }
    for (container, image) in images {
        let containers = request.get_mut("containerDefinitions").and_then(Value::as_array_mut).into_iter().flatten();
        let mut named = containers.filter(|own| own["name"].as_str().is_some_and(|name| crate::text::clean(name) == *container));
        named.next().ok_or_else(|| format!("no container is called {container}"))?["image"] = Value::from(&**image);
    }
    Ok(Value::Object(request))
}

/// The roles that the caller must be allowed to pass.
pub(super) fn roles(request: &Value) -> Vec<String> {
    let mut roles: Vec<String> = Vec::new();
    for role in ["taskRoleArn", "executionRoleArn"].into_iter().filter_map(|key| request[key].as_str()) {
        let role = crate::text::clean(role.rsplit('/').next().unwrap_or(role)).to_string();
        if !role.is_empty() && !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nine_fields_are_left_out_tags_are_sent_again_and_what_is_new_stays() {
        let reply = json!({
            "taskDefinition": {
                "taskDefinitionArn": "arn", "family": "web", "revision": 7, "status": "ACTIVE", "requiresAttributes": [], "compatibilities": [],
                "registeredAt": 1.0, "registeredBy": "me", "deregisteredAt": 2.0, "deleteRequestedAt": 3.0, "fieldOfTomorrow": {"a": [1]},
                "containerDefinitions": [{"name": "app", "image": "old", "essential": true}, {"name": "side", "image": "kept"}],
            },
            "tags": [{"key": "team", "value": "shop"}, {"key": "aws:cloudformation:stack-name", "value": "s"}],
        });
        let expected = json!({
            "family": "web", "fieldOfTomorrow": {"a": [1]},
            "containerDefinitions": [{"name": "app", "image": "new", "essential": true}, {"name": "side", "image": "kept"}],
            "tags": [{"key": "team", "value": "shop"}],
        });
        assert_eq!(request(&reply, &[("app".into(), "new".into())]), Ok(expected));
        assert!(request(&reply, &[("nobody".into(), "new".into())]).unwrap_err().contains("nobody"));
        assert!(request(&json!({}), &[]).is_err());
    }
}
