//! What two revisions of a task definition have in common and what not, in the words of whoever reads it: images, sizes, ports,
//! environment, secrets by name, health checks, logs, and anything else by its place in the JSON.
//!
//! It reads AWS's own JSON, so that fields which this build does not know are compared too. Values that look like secrets are masked.

use crate::model::ImageUri;
use crate::text::clean;
use crate::text::secret::{MASK, looks_secret};
use serde_json::{Map, Value};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// What, as `image app`, `env app LOG_LEVEL`, `cpu`, or the place in the JSON.
    pub what: String,
    /// As it is in the first; nothing where it is not there.
    pub before: Option<String>,
    /// As it is in the second; nothing where it is not there.
    pub after: Option<String>,
}

/// Two images of one repository by what tells them apart: the repository with the first's tag or digest, and the second's alone. Nothing for
/// any other two, which are told in full.
#[must_use]
pub fn of_one_repository(before: &str, after: &str) -> Option<(String, String)> {
    let (old, new) = (ImageUri::parse(before), ImageUri::parse(after));
    let apart = old.name() == new.name() && old.short() != new.short();
    apart.then(|| (format!("{}:{}", old.repository, old.short()), new.short().to_owned()))
}

/// Fields that tell of a revision rather than of what it runs.
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

/// Fields of a container that are told apart by name, with the field that names an entry, that holds its value, and the word for it.
const NAMED: [(&str, &str, &str, &str); 3] = [
    ("environment", "name", "value", "env"),
    ("secrets", "name", "valueFrom", "secret"),
    ("environmentFiles", "value", "type", "env file"),
];

/// All differences: what readers look for first, then the rest. Each argument is a task definition, or a reply that holds one beside its tags.
#[must_use]
pub fn of(before: &Value, after: &Value) -> Vec<DiffLine> {
    let mut lines = Vec::new();
    let (old, new) = (definition(before), definition(after));
    containers(old, new, &mut lines);
    for (key, word) in [
        ("cpu", "cpu"),
        ("memory", "memory"),
        ("taskRoleArn", "task role"),
        ("executionRoleArn", "execution role"),
        ("networkMode", "network mode"),
    ] {
        push(&mut lines, word.to_owned(), shown(old.get(key)), shown(new.get(key)));
    }
    let done = ["cpu", "memory", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions"];
    let rest = |of: &Value| -> Map<String, Value> {
        let own = of.as_object().into_iter().flatten();
        own.filter(|(key, _)| !done.contains(&key.as_str()) && !TOLD.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    walk("", &Value::Object(rest(old)), &Value::Object(rest(new)), &mut lines);
    let tags = |of: &Value| pairs(of.get("tags"), "key", "value");
    named("tag", &tags(before), &tags(after), &mut lines);
    lines
}

fn definition(of: &Value) -> &Value {
    of.get("taskDefinition").unwrap_or(of)
}

fn containers(old: &Value, new: &Value, lines: &mut Vec<DiffLine>) {
    let all = |of: &Value| of["containerDefinitions"].as_array().cloned().unwrap_or_default();
    let (old, new) = (all(old), all(new));
    let name = |of: &Value| of["name"].as_str().map(clean).unwrap_or_default();
    let of_name = |all: &[Value], wanted: &str| all.iter().find(|own| *name(own) == *wanted).cloned();
    for (n, before) in old.iter().enumerate() {
        let name = name(before);
        match of_name(&new, &name) {
            Some(after) => {
                if new.get(n).is_none_or(|same| *self::text(&same["name"]) != *name) {
                    let place =
                        |all: &[Value]| all.iter().position(|own| *self::text(&own["name"]) == *name).map(|n| format!("place {}", n + 1));
                    push(lines, format!("container {name}"), place(&old), place(&new));
                }
                container(&name, before, &after, lines);
            }
            None => push(lines, format!("container {name}"), shown(before.get("image")), None),
        }
    }
    for after in new.iter().filter(|own| of_name(&old, &name(own)).is_none()) {
        push(lines, format!("container {}", name(after)), None, shown(after.get("image")));
    }
}

fn text(value: &Value) -> crate::model::Str {
    clean(value.as_str().unwrap_or_default())
}

fn container(name: &str, old: &Value, new: &Value, lines: &mut Vec<DiffLine>) {
    for (key, word) in [("image", "image"), ("cpu", "cpu of"), ("memory", "memory of"), ("memoryReservation", "soft memory of")] {
        push(lines, format!("{word} {name}"), shown(old.get(key)), shown(new.get(key)));
    }
    push(lines, format!("ports of {name}"), ports(old), ports(new));
    for (key, by, value, word) in NAMED {
        named(&format!("{word} {name}"), &pairs(old.get(key), by, value), &pairs(new.get(key), by, value), lines);
    }
    push(lines, format!("health check of {name}"), check(old.get("healthCheck")), check(new.get("healthCheck")));
    walk(
        &format!("logs of {name}"),
        old.get("logConfiguration").unwrap_or(&Value::Null),
        new.get("logConfiguration").unwrap_or(&Value::Null),
        lines,
    );
    let done = ["name", "image", "cpu", "memory", "memoryReservation", "portMappings", "healthCheck", "logConfiguration"];
    let rest = |of: &Value| -> Value {
        let own = of.as_object().into_iter().flatten();
        let left = own.filter(|(key, _)| !done.contains(&key.as_str()) && !NAMED.iter().any(|(named, ..)| named == key));
        Value::Object(left.map(|(key, value)| (key.clone(), value.clone())).collect())
    };
    walk(name, &rest(old), &rest(new), lines);
}

/// `80/tcp, 8443:443/tcp`.
fn ports(of: &Value) -> Option<String> {
    let all: Vec<String> = of["portMappings"].as_array()?.iter().map(port).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn port(of: &Value) -> String {
    let own = of["containerPort"]
        .as_u64()
        .map(|port| port.to_string())
        .or_else(|| of["containerPortRange"].as_str().map(|range| clean(range).to_string()));
    let own = own.unwrap_or_default();
    let host =
        of["hostPort"].as_u64().filter(|host| *host != 0 && host.to_string() != own).map_or(String::new(), |host| format!("{host}:"));
    let name = of["name"].as_str().map_or(String::new(), |name| format!(" {}", clean(name)));
    format!("{host}{own}/{}{name}", clean(of["protocol"].as_str().unwrap_or("tcp")))
}

/// The command with what of the rest is set: `CMD-SHELL curl … (every 30 s, 3 times, timeout 5 s)`.
fn check(of: Option<&Value>) -> Option<String> {
    let of = of.filter(|of| !of.is_null())?;
    let command: Vec<String> =
        of["command"].as_array().into_iter().flatten().filter_map(Value::as_str).map(|word| clean(word).to_string()).collect();
    let set = [("interval", "every"), ("retries", "retries"), ("timeout", "timeout"), ("startPeriod", "grace")];
    let set: Vec<String> = set.iter().filter_map(|(key, word)| Some(format!("{word} {}", of[*key].as_i64()?))).collect();
    Some(if set.is_empty() { command.join(" ") } else { format!("{} ({})", command.join(" "), set.join(", ")) })
}

type Pairs = Vec<(String, String)>;

fn pairs(of: Option<&Value>, by: &str, value: &str) -> Pairs {
    let all = of.and_then(Value::as_array).into_iter().flatten();
    all.map(|own| (text(&own[by]).to_string(), own[value].as_str().unwrap_or_default().to_owned())).collect()
}

/// Entries with names: their order says nothing.
fn named(word: &str, old: &Pairs, new: &Pairs, lines: &mut Vec<DiffLine>) {
    let of = |all: &Pairs, name: &str| all.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    let mut names: Vec<&String> = old.iter().chain(new).map(|(name, _)| name).collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    for name in names {
        let (before, after) = (of(old, name), of(new, name));
        if before == after {
            continue;
        }
        let hides = word.starts_with("env ") && [&before, &after].into_iter().flatten().any(|value| looks_secret(name, value));
        let shown = |value: Option<String>, other: bool| {
            value.map(|value| match (hides, other) {
                (false, _) => clean(&value).to_string(),
                (true, false) => MASK.to_owned(),
                (true, true) => format!("{MASK} (another)"),
            })
        };
        let differs = before.is_some();
        lines.push(DiffLine { what: format!("{word} {}", clean(name)), before: shown(before, false), after: shown(after, differs) });
    }
}

/// Everything else, by its place; an empty list or object is as good as none, for AWS tells one for the other.
fn walk(place: &str, old: &Value, new: &Value, lines: &mut Vec<DiffLine>) {
    if old == new || (empty(old) && empty(new)) {
        return;
    }
    let at = |key: &str| if place.is_empty() { clean(key).to_string() } else { format!("{place}.{}", clean(key)) };
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let new_keys = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(new_keys) {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                if looks_secret(key, of(a).as_str().or(of(b).as_str()).unwrap_or_default()) && (of(a).is_string() || of(b).is_string()) {
                    let masked = |value: Value, word: &str| (!value.is_null()).then(|| format!("{MASK}{word}"));
                    if of(a) != of(b) {
                        lines.push(DiffLine {
                            what: at(key),
                            before: masked(of(a), ""),
                            after: masked(of(b), if of(a).is_null() { "" } else { " (another)" }),
                        });
                    }
                    continue;
                }
                walk(&at(key), &of(a), &of(b), lines);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() && a.iter().chain(b).all(Value::is_object) => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&format!("{place}[{n}]"), a, b, lines);
            }
        }
        _ => push(lines, place.to_owned(), shown(Some(old)), shown(Some(new))),
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn shown(value: Option<&Value>) -> Option<String> {
    let value = value.filter(|value| !empty(value))?;
    Some(match value {
        Value::String(text) => clean(text).to_string(),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().map(|own| text(own).to_string()).collect::<Vec<_>>().join(" ")
        }
        other => clean(&other.to_string()).to_string(),
    })
}

fn push(lines: &mut Vec<DiffLine>, what: String, before: Option<String>, after: Option<String>) {
    if before != after {
        lines.push(DiffLine { what, before, after });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(before: &Value, after: &Value) -> Vec<String> {
        let side = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
        of(before, after).into_iter().map(|line| format!("{}: {} → {}", line.what, side(line.before), side(line.after))).collect()
    }

    fn reply(container: &Value, more: &Value, tags: &Value) -> Value {
        let mut definition = json!({"family": "web", "containerDefinitions": [container]});
        definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"taskDefinition": definition, "tags": tags})
    }

    #[test]
    fn each_part_is_told_in_its_own_words() {
        let before = reply(
            &json!({"name": "app", "image": "web:1", "cpu": 0, "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
                "environment": [{"name": "A", "value": "1"}, {"name": "OLD", "value": "x"}, {"name": "DB_PASSWORD", "value": "hunter2"}],
                "secrets": [{"name": "S", "valueFrom": "arn:one"}], "healthCheck": {"command": ["CMD", "true"], "interval": 30},
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/a"}}, "mountPoints": []}),
            &json!({"cpu": "256", "revision": 1, "registeredAt": 5.0, "runtimePlatform": {"cpuArchitecture": "X86_64"}}),
            &json!([{"key": "team", "value": "shop"}]),
        );
        let after = reply(
            &json!({"name": "app", "image": "web:2", "cpu": 0, "portMappings": [{"containerPort": 80, "hostPort": 8080, "protocol": "tcp"}],
                "environment": [{"name": "NEW", "value": "y"}, {"name": "DB_PASSWORD", "value": "hunter3"}, {"name": "A", "value": "1"}],
                "secrets": [{"name": "S", "valueFrom": "arn:two"}], "healthCheck": {"command": ["CMD", "true"], "interval": 10},
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/b"}}, "fieldOfTomorrow": {"deep": [1]}}),
            &json!({"cpu": "512", "revision": 2, "registeredAt": 6.0, "runtimePlatform": {"cpuArchitecture": "ARM64"}}),
            &json!([]),
        );
        assert_eq!(
            told(&before, &after),
            [
                "image app: web:1 → web:2",
                "ports of app: 80/tcp → 8080:80/tcp",
                "env app OLD: x → -",
                "env app DB_PASSWORD: •••• → •••• (another)",
                "env app NEW: - → y",
                "secret app S: arn:one → arn:two",
                "health check of app: CMD true (every 30) → CMD true (every 10)",
                "logs of app.options.awslogs-group: /a → /b",
                "app.fieldOfTomorrow: - → {\"deep\":[1]}",
                "cpu: 256 → 512",
                "runtimePlatform.cpuArchitecture: X86_64 → ARM64",
                "tag team: shop → -",
            ]
        );
        assert_eq!(told(&before, &before), Vec::<String>::new());
    }

    #[test]
    fn a_container_that_comes_or_goes_is_one_line() {
        let one = json!({"containerDefinitions": [{"name": "app", "image": "web:1"}]});
        let two = json!({"containerDefinitions": [{"name": "app", "image": "web:1"}, {"name": "side\u{1b}", "image": "proxy:3"}]});
        assert_eq!(told(&one, &two), ["container side␛: - → proxy:3"]);
        assert_eq!(told(&two, &one), ["container side␛: proxy:3 → -"]);
    }
}
