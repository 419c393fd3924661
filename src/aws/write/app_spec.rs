//! An `AppSpec` with another task definition and nothing else changed, so that hooks, network and capacity providers stay as they are.
//!
//! JSON is parsed. YAML is not: the one line that names the task definition is changed, and anything that is not plainly that is refused.

use crate::model::Arn;
use serde_json::Value;

const KEY: &str = "TaskDefinition";

/// The text with `revision` as its task definition.
///
/// # Errors
/// Why it was left alone, to follow a colon.
pub(super) fn with_revision(text: &str, revision: &Arn) -> Result<String, String> {
    if text.trim_start().starts_with('{') { json(text, revision) } else { yaml(text, revision) }
}

fn json(text: &str, revision: &Arn) -> Result<String, String> {
    let before: Value = serde_json::from_str(text).map_err(|error| format!("the AppSpec is no JSON: {error}"))?;
    let mut after = before;
    let mut changed = 0;
    let resources = member(&mut after, "Resources").and_then(Value::as_array_mut).ok_or("the AppSpec has no list Resources")?;
    for resource in resources {
        for service in resource.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
            let Some(named) = member(service, "Properties").and_then(|properties| member(properties, KEY)) else { continue };
            if !named.is_string() {
                return Err("the AppSpec's TaskDefinition is no text".to_owned());
            }
            *named = Value::String(revision.to_string());
            changed += 1;
        }
    }
    if changed != 1 {
        return Err(format!("the AppSpec names {changed} task definitions instead of one"));
    }
    Ok(after.to_string())
}

/// A member by its name, whatever its case, as CodeDeploy reads it.
fn member<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    value.as_object_mut()?.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

fn yaml(text: &str, revision: &Arn) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 64);
    let mut changed = 0;
    for line in text.split_inclusive('\n') {
        match value_of(line)? {
            Some((start, end)) => {
                changed += 1;
                out.push_str(&line[..start]);
                out.push_str(revision.as_str());
                out.push_str(&line[end..]);
            }
            None => out.push_str(line),
        }
    }
    if changed != 1 {
        return Err(format!("the AppSpec names {changed} task definitions instead of one"));
    }
    Ok(out)
}

/// Where the value stands in a line that names the task definition.
fn value_of(line: &str) -> Result<Option<(usize, usize)>, String> {
    let inner = line.trim_start_matches([' ', '\t', '-']);
    let at = line.len() - inner.len();
    let (quote, bare) = match inner.chars().next() {
        Some(quote @ ('"' | '\'')) => (Some(quote), &inner[1..]),
        _ => (None, inner),
    };
    let fits = bare.get(..KEY.len()).is_some_and(|key| key.eq_ignore_ascii_case(KEY));
    if inner.starts_with('#') || !fits {
        // In flow style the key may stand anywhere; a comment may say what it likes.
        let code = line.split(" #").next().unwrap_or(line);
        let hidden = !inner.starts_with('#') && code.to_ascii_lowercase().contains("taskdefinition:");
        return if hidden { Err("the AppSpec is written in a way that is not changed safely".to_owned()) } else { Ok(None) };
    }
    let after_key = &bare[KEY.len()..];
    let after_key = quote.map_or(Some(after_key), |quote| after_key.strip_prefix(quote));
    let Some(value) = after_key.and_then(|rest| rest.trim_start().strip_prefix(':')) else { return Ok(None) };
    let start = line.len() - value.len();
    let start = start + (value.len() - value.trim_start_matches([' ', '\t']).len());
    let value = line[start..].trim_end_matches(['\n', '\r']);
    let unclear = || Err("the AppSpec's TaskDefinition is not on its own line".to_owned());
    debug_assert!(start >= at, "the value stands behind its key");
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => match value[1..].find(quote) {
            Some(length) => Ok(Some((start + 1, start + 1 + length))),
            None => unclear(),
        },
        // Anchors, references, blocks and flow style.
        Some('&' | '*' | '|' | '>' | '{' | '[' | '#') | None => unclear(),
        Some(_) => {
            let plain = value.split(" #").next().unwrap_or(value).trim_end();
            Ok(Some((start, start + plain.len())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "arn:aws:ecs:eu-west-2:111122223333:task-definition/api:7";
    const NEW: &str = "arn:aws:ecs:eu-west-2:111122223333:task-definition/api:6";

    fn with(text: &str) -> Result<String, String> {
        with_revision(text, &Arn::from(NEW))
    }

    #[test]
    fn json_keeps_its_hooks_and_the_order_of_its_members() {
        let text = format!(
            "{{\"version\":0.0,\"Resources\":[{{\"TargetService\":{{\"Type\":\"AWS::ECS::Service\",\"Properties\":{{\"TaskDefinition\":\"{OLD}\",\
             \"PlatformVersion\":\"1.4.0\",\"LoadBalancerInfo\":{{\"ContainerName\":\"api\",\"ContainerPort\":3000}}}}}}}}],\
             \"Hooks\":[{{\"BeforeAllowTraffic\":\"smoke\"}}]}}"
        );
        assert_eq!(with(&text).unwrap(), text.replace(OLD, NEW));
    }

    #[test]
    fn yaml_is_changed_in_one_place() {
        for value in [
            OLD.to_owned(),
            format!("\"{OLD}\""),
            format!("'{OLD}' # the last one"),
            format!("{OLD}   # {OLD}"),
            "<TASK_DEFINITION>".to_owned(),
        ] {
            let text = |value: &str| {
                format!(
                    "version: 0.0\n# TaskDefinition: not this\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        \
                     TaskDefinition: {value}\n        LoadBalancerInfo:\n          ContainerName: api\nHooks:\n  - BeforeAllowTraffic: smoke\n"
                )
            };
            let expected = match value.as_str() {
                "<TASK_DEFINITION>" => NEW.to_owned(),
                _ => value.replacen(OLD, NEW, 1),
            };
            assert_eq!(with(&text(&value)).unwrap(), text(&expected));
        }
        let quoted = format!("Resources:\r\n- T:\r\n    Properties:\r\n      \"taskDefinition\" : {OLD}\r\n");
        assert_eq!(with(&quoted).unwrap(), quoted.replace(OLD, NEW));
    }

    #[test]
    fn what_is_not_plain_is_left_alone_and_said() {
        for text in [
            "version: 0.0\nResources: []\n".to_owned(),
            format!("TaskDefinition: {OLD}\nTaskDefinition: {OLD}\n"),
            format!("Properties: {{TaskDefinition: {OLD}}}\n"),
            "TaskDefinition: >-\n  arn\n".to_owned(),
            "TaskDefinition: *last\n".to_owned(),
            "TaskDefinition:\n  arn\n".to_owned(),
            "TaskDefinition: \"open\n".to_owned(),
            "{\"Resources\":[]}".to_owned(),
            "{\"Resources\":[{\"T\":{\"Properties\":{\"TaskDefinition\":7}}}]}".to_owned(),
            "{".to_owned(),
        ] {
            assert!(with(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_that_only_begins_like_the_key_is_not_it() {
        let text = format!("TaskDefinitionNote: x\nTaskDefinition: {OLD}\n");
        assert_eq!(with(&text).unwrap(), text.replace(OLD, NEW));
    }
}
