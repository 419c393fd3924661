//! An `AppSpec` with another task definition, and nothing else of its text touched: hooks, comments and order stay as their authors
//! wrote them. It reads just enough of JSON and YAML to find the one value.

use serde_json::Value;
use std::ops::Range;

/// The key whose value is replaced; AWS reads keys in any case.
const KEY: &str = "taskdefinition";

/// The text with its one task definition replaced.
///
/// # Errors
/// One line, when the text names none, or more than one.
pub fn with_task_definition(content: &str, arn: &str) -> Result<String, String> {
    let place = place(content)?;
    let changed = format!("{}{arn}{}", &content[..place.start], &content[place.end..]);
    if content.trim_start().starts_with('{') {
        let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("the AppSpec is no JSON: {error}"));
        let service = read(&changed)?.pointer_mut("/Resources/0").and_then(|one| one.as_object()?.values().next().cloned());
        if service.is_none_or(|service| service["Properties"]["TaskDefinition"] != arn) {
            return Err("the AppSpec names its TaskDefinition in an unusual place".to_owned());
        }
    }
    Ok(changed)
}

/// The task definition that the text names.
#[must_use]
pub fn task_definition(content: &str) -> Option<&str> {
    place(content).ok().map(|place| &content[place])
}

/// Where the value stands, without its quotes.
fn place(content: &str) -> Result<Range<usize>, String> {
    let lower = content.to_ascii_lowercase();
    let found: Vec<Range<usize>> = lower.match_indices(KEY).filter_map(|(at, _)| value_after(content, at)).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err("the AppSpec names no TaskDefinition".to_owned()),
        more => Err(format!("the AppSpec names a TaskDefinition in {} places", more.len())),
    }
}

/// The value of the key that stands at `at`, where it is one: alone on its line's left side or in quotes, with a colon behind it.
fn value_after(content: &str, at: usize) -> Option<Range<usize>> {
    let before = &content[..at];
    let line = &before[before.rfind('\n').map_or(0, |n| n + 1)..];
    let bare = line.trim_start().trim_start_matches("- ").trim_start();
    let key = bare.is_empty() || line.ends_with(['"', '\'', '{', ',']) || line.ends_with("{ ") || line.ends_with(", ");
    if !key || line.trim_start().starts_with('#') {
        return None;
    }
    let mut from = at + KEY.len();
    let skip = |from: usize, blanks: &[char]| from + content[from..].len() - content[from..].trim_start_matches(blanks).len();
    if content[from..].starts_with(['"', '\'']) {
        from += 1;
    }
    from = skip(from, &[' ', '\t']);
    from = content[from..].starts_with(':').then_some(from + 1)?;
    from = skip(from, &[' ', '\t', '\r', '\n']);
    let quote = content[from..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let (from, end) = match quote {
        Some(quote) => (from + 1, content[from + 1..].find(quote)?),
        None => (from, content[from..].find([' ', '\t', '\r', '\n', ',', '}', '#']).unwrap_or(content.len() - from)),
    };
    (end > 0).then_some(from..from + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";
    const NEW: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:6";

    #[test]
    fn only_the_task_definition_is_replaced_in_json_and_in_yaml() {
        let json = format!(
            "{{\"version\":0.0,\"Resources\":[{{\"TargetService\":{{\"Type\":\"AWS::ECS::Service\",\"Properties\":{{\"TaskDefinition\":\"{OLD}\",\"LoadBalancerInfo\":{{}}}}}}}}],\"Hooks\":[{{\"AfterInstall\":\"check\"}}]}}"
        );
        let yaml = format!(
            "version: 0.0\n# TaskDefinition: not this\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: \"{OLD}\" # the release\n        PlatformVersion: 'LATEST'\nHooks:\n  - AfterInstall: \"check\"\n"
        );
        let bare = yaml.replace(&format!("\"{OLD}\""), OLD);
        let flow = format!(
            "version: 0.0\nResources: [{{TargetService: {{Type: AWS::ECS::Service, Properties: {{TaskDefinition: {OLD}, PlatformVersion: LATEST}}}}}}]\n"
        );
        for text in [json, yaml, bare, flow] {
            assert_eq!(task_definition(&text), Some(OLD), "{text}");
            assert_eq!(with_task_definition(&text, NEW), Ok(text.replace(OLD, NEW)), "{text}");
        }
    }

    #[test]
    fn a_text_with_none_or_two_is_refused() {
        assert!(with_task_definition("version: 0.0\n", NEW).unwrap_err().contains("no TaskDefinition"));
        let two = format!("a:\n  TaskDefinition: {OLD}\nb:\n  TaskDefinition: {OLD}\n");
        assert!(with_task_definition(&two, NEW).unwrap_err().contains("2 places"));
        assert_eq!(task_definition("TaskDefinition: "), None);
    }
}
