//! `AppSpec` of `CodeDeploy` for ECS: JSON, or the part of YAML in which people write it: maps, lists, plain and quoted
//! scalars, comments. No anchors, no block texts, no flow style beyond what is JSON.

use serde_json::{Map, Value, json};

/// What an `AppSpec` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSpec {
    /// ARN, or `family:revision`.
    pub definition: String,
    /// Container and port behind the load balancer.
    pub container: Option<(String, u16)>,
    /// Lifecycle hook and function.
    pub hooks: Vec<(String, String)>,
}

/// Reads an `AppSpec`; why not, in one line.
///
/// # Errors
/// What is missing or cannot be read.
pub fn read(text: &str) -> Result<AppSpec, String> {
    let value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|_| "The AppSpec content is not valid JSON.".to_owned())?
    } else {
        yaml(text).ok_or("The AppSpec content is not valid YAML.")?
    };
    let member =
        |value: &Value, key: &str| value.as_object()?.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, v)| v.clone());
    let resources = member(&value, "Resources").ok_or("The AppSpec file must have a Resources section.")?;
    let first = resources.get(0).and_then(Value::as_object).and_then(|members| members.values().next().cloned());
    let service = first.ok_or("The AppSpec file must name one resource in its Resources section.")?;
    let kind = member(&service, "Type").and_then(|kind| kind.as_str().map(str::to_owned));
    if kind.as_deref() != Some("AWS::ECS::Service") {
        return Err("The Type of the resource in the AppSpec file must be AWS::ECS::Service.".to_owned());
    }
    let properties = member(&service, "Properties").ok_or("The AppSpec file must have Properties.")?;
    let definition = member(&properties, "TaskDefinition").and_then(|t| t.as_str().map(str::to_owned)).filter(|t| !t.is_empty());
    let balancer = member(&properties, "LoadBalancerInfo");
    let container = balancer.and_then(|info| {
        let name = member(&info, "ContainerName")?.as_str()?.to_owned();
        let port = member(&info, "ContainerPort")?;
        let port = port.as_u64().or_else(|| port.as_str()?.parse().ok())?;
        Some((name, u16::try_from(port).ok()?))
    });
    let hooks = member(&value, "Hooks").and_then(|hooks| hooks.as_array().cloned()).unwrap_or_default();
    let hook = |hook: &Value| {
        let (name, function) = hook.as_object()?.iter().next()?;
        Some((name.clone(), function.as_str()?.to_owned()))
    };
    Ok(AppSpec {
        definition: definition.ok_or("The AppSpec file must specify a TaskDefinition.")?,
        container,
        hooks: hooks.iter().filter_map(hook).collect(),
    })
}

/// One as `aws deploy` users write it.
#[must_use]
pub fn write(definition: &str, container: &str, port: u16, hooks: &[(String, String)]) -> String {
    let hooks: Vec<Value> = hooks.iter().map(|(name, function)| json!({ name: function })).collect();
    let mut spec = json!({
        "version": 0.0,
        "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {
            "TaskDefinition": definition, "LoadBalancerInfo": {"ContainerName": container, "ContainerPort": port},
        }}}],
    });
    if !hooks.is_empty() {
        spec["Hooks"] = json!(hooks);
    }
    spec.to_string()
}

/// A line without its indent and comment.
type Line<'a> = (usize, &'a str);

fn yaml(text: &str) -> Option<Value> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let code = line.split(" #").next().unwrap_or(line).trim_end();
        let inner = code.trim_start();
        if !inner.is_empty() && !inner.starts_with('#') && inner != "---" {
            lines.push((code.len() - inner.len(), inner));
        }
    }
    let mut at = 0;
    let value = block(&lines, &mut at, 0)?;
    (at == lines.len()).then_some(value)
}

/// A map or a list whose lines stand at `indent` or deeper.
fn block(lines: &[Line<'_>], at: &mut usize, least: usize) -> Option<Value> {
    let &(indent, first) = lines.get(*at)?;
    if indent < least {
        return None;
    }
    if first.starts_with("- ") || first == "-" { list(lines, at, indent) } else { map(lines, at, indent, None) }
}

fn list(lines: &[Line<'_>], at: &mut usize, indent: usize) -> Option<Value> {
    let mut items = Vec::new();
    while let Some(&(found, line)) = lines.get(*at) {
        let Some(rest) = line.strip_prefix('-').filter(|_| found == indent) else { break };
        *at += 1;
        let inner = rest.trim_start();
        if inner.is_empty() {
            items.push(block(lines, at, indent + 1)?);
        } else if pair(inner).is_some() {
            // The item is a map that begins on the line of the dash.
            items.push(map(lines, at, indent + 1 + rest.len() - inner.len(), Some(inner))?);
        } else {
            items.push(scalar(inner));
        }
    }
    Some(Value::Array(items))
}

fn map(lines: &[Line<'_>], at: &mut usize, indent: usize, first: Option<&str>) -> Option<Value> {
    let mut members = Map::new();
    let mut pending = first;
    loop {
        let line = match pending.take() {
            Some(line) => line,
            None => match lines.get(*at) {
                Some(&(found, line)) if found == indent && !line.starts_with("- ") => {
                    *at += 1;
                    line
                }
                _ => break,
            },
        };
        let (key, value) = pair(line)?;
        let value = if value.is_empty() {
            match lines.get(*at) {
                // A list may stand at the indent of its key.
                Some(&(found, next)) if found > indent || found == indent && next.starts_with('-') => block(lines, at, indent)?,
                _ => Value::Null,
            }
        } else {
            scalar(value)
        };
        members.insert(key.to_owned(), value);
    }
    Some(Value::Object(members))
}

fn pair(line: &str) -> Option<(&str, &str)> {
    if let Some((key, value)) = line.split_once(": ") {
        return Some((key.trim().trim_matches(['"', '\'']), value.trim()));
    }
    line.strip_suffix(':').map(|key| (key.trim().trim_matches(['"', '\'']), ""))
}

fn scalar(text: &str) -> Value {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return json!(inner);
        }
    }
    text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    const ARN: &str = "arn:aws:ecs:eu-west-2:111122223333:task-definition/api:7";

    #[test]
    fn json_and_yaml_say_the_same() {
        let hooks = vec![("BeforeAllowTraffic".to_owned(), "smoke".to_owned())];
        let from_json = read(&write(ARN, "api", 3000, &hooks)).unwrap();
        let text = format!(
            "version: 0.0\n# what to deploy\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        \
             TaskDefinition: \"{ARN}\"\n        LoadBalancerInfo:\n          ContainerName: 'api' # behind the ALB\n          \
             ContainerPort: 3000\nHooks:\n- BeforeAllowTraffic: smoke\n"
        );
        assert_eq!(read(&text).unwrap(), from_json);
        assert_eq!(from_json, AppSpec { definition: ARN.to_owned(), container: Some(("api".to_owned(), 3000)), hooks });
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(read("{}").unwrap_err().contains("Resources"));
        assert!(read("{").unwrap_err().contains("JSON"));
        assert!(read("- just\n  nonsense: [").unwrap_err().contains("YAML") || read("- just").unwrap_err().contains("Resources"));
        let other = write(ARN, "api", 1, &[]).replace("AWS::ECS::Service", "AWS::Lambda::Function");
        assert!(read(&other).unwrap_err().contains("AWS::ECS::Service"));
        assert!(read(&write("", "api", 1, &[])).unwrap_err().contains("TaskDefinition"));
    }
}
