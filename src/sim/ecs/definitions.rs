//! Task definitions and their families.

use std::sync::Arc;

use serde_json::{Value, json};

use super::body::{Body, page};
use super::{ApiError, Caller, Reply, is_arn, tags};
use crate::sim::world::{Estate, TaskDefinition};

pub(super) fn list(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    // By its name a prefix, in truth the whole family name.
    let family = body.text("familyPrefix")?;
    let status = body.one_of("status", &["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"])?.unwrap_or("ACTIVE");
    let newest_first = body.one_of("sort", &["ASC", "DESC"])? == Some("DESC");
    let families = estate.families.iter().filter(|(name, _)| family.is_none_or(|f| f == *name));
    let all = families.flat_map(|(_, revisions)| revisions.iter());
    let wanted = all.filter(|d| status == if d.active { "ACTIVE" } else { "INACTIVE" });
    let mut arns: Vec<String> = wanted.map(|d| estate.definition_arn(d)).collect();
    if newest_first {
        arns.reverse();
    }
    page(body, "taskDefinitionArns", (100, 100), &arns)
}

pub(super) fn families(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let prefix = body.text("familyPrefix")?.unwrap_or("");
    let status = body.one_of("status", &["ACTIVE", "INACTIVE", "ALL"])?.unwrap_or("ACTIVE");
    let wanted = |revisions: &[Arc<TaskDefinition>]| {
        let active = revisions.iter().any(|d| d.active);
        status == "ALL" || active == (status == "ACTIVE")
    };
    let families = estate.families.iter().filter(|(name, revisions)| name.starts_with(prefix) && wanted(revisions));
    let names: Vec<String> = families.map(|(name, _)| name.clone()).collect();
    page(body, "families", (100, 100), &names)
}

pub(super) fn describe(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let given = body.needed("taskDefinition", "TaskDefinition cannot be empty.")?;
    let with_tags = body.includes("TAGS")?;
    let definition = find(estate, given)?.ok_or_else(|| ApiError::general("Unable to describe task definition."))?;
    let mut reply = json!({"taskDefinition": document(&definition)});
    if with_tags {
        reply["tags"] = tags(&definition.tags);
    }
    Ok(reply)
}

fn document(definition: &TaskDefinition) -> Value {
    serde_json::from_str(&definition.document).unwrap_or_default()
}

/// The task definition that `FAMILY`, `FAMILY:REVISION` or an ARN means.
pub(super) fn find(estate: &Estate, given: &str) -> Result<Option<Arc<TaskDefinition>>, ApiError> {
    let name = if is_arn(given) {
        match given.strip_prefix(&estate.arn("ecs", "task-definition/")) {
            Some(name) => name,
            None => return Ok(None),
        }
    } else {
        given
    };
    let Some((family, revision)) = name.split_once(':') else { return Ok(estate.newest(name).cloned()) };
    let number = revision.parse::<u32>().ok().filter(|n| *n > 0);
    let number = number.ok_or_else(|| ApiError::general(format!("Invalid revision number. Number: {revision}")))?;
    Ok(estate.definition(family, number).cloned())
}

pub(super) fn register(estate: &mut Estate, caller: &Caller, body: Body<'_>) -> Reply {
    let family = body.text("family")?.unwrap_or_default();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if family.is_empty() || family.len() > 255 || !family.chars().all(good) {
        return Err(ApiError::general("Family contains invalid characters."));
    }
    // A document of 64 KiB, says the page of quotas; the words stand so in people's code.
    let length = body.0.to_string().len();
    if length > LONGEST {
        return Err(ApiError::general(format!("Actual length: '{length}'. Max allowed length is '{LONGEST}' bytes.")));
    }
    body.one_of("networkMode", &["bridge", "host", "awsvpc", "none"])?;
    check_containers(body)?;
    check_order(body)?;
    check_size(body)?;
    if body.list("tags")?.is_some_and(Vec::is_empty) {
        return Err(ApiError::parameter("Tags can not be empty."));
    }
    let flavour = estate.inherited_flavour(body.0, &caller.arn);
    let definition = estate.register_sent(body.0, flavour);
    let mut reply = json!({"taskDefinition": document(&definition)});
    if !definition.tags.is_empty() {
        reply["tags"] = tags(&definition.tags);
    }
    Ok(reply)
}

pub(super) fn deregister(estate: &mut Estate, _: &Caller, body: Body<'_>) -> Reply {
    let given = body.needed("taskDefinition", "TaskDefinition cannot be empty.")?;
    if !given.rsplit('/').next().is_some_and(|name| name.contains(':')) {
        return Err(ApiError::general("Invalid revision number. Number: null"));
    }
    let definition = find(estate, given)?.ok_or_else(|| ApiError::general("The specified task definition does not exist."))?;
    let gone =
        estate.deregister_definition(&definition).ok_or_else(|| ApiError::general("The specified task definition does not exist."))?;
    Ok(json!({"taskDefinition": document(&gone)}))
}

fn check_containers(body: Body<'_>) -> Result<(), ApiError> {
    let containers = body.list("containerDefinitions")?.map_or(&[][..], Vec::as_slice);
    if containers.is_empty() {
        return Err(ApiError::general("Container list cannot be empty."));
    }
    let mut names = Vec::new();
    for container in containers {
        let container = Body(container);
        let Some(name) = container.text("name")?.filter(|n| !n.is_empty()) else {
            return Err(ApiError::general("Container.name should not be null or empty."));
        };
        if container.text("image")?.is_none_or(str::is_empty) {
            return Err(ApiError::general("Container.image should not be null or empty."));
        }
        if names.contains(&name) {
            return Err(ApiError::general(format!("Container names must be unique. Duplicate: {name}")));
        }
        let memory = container.whole("memory")?.or(container.whole("memoryReservation")?).or(None);
        if memory.is_none() && body.text("memory")?.is_none() {
            return Err(ApiError::general(format!(
                "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
            )));
        }
        container.flag("essential")?;
        container.list("portMappings")?;
        names.push(name);
    }
    let essential = |c: &Value| c.get("essential").and_then(Value::as_bool).unwrap_or(true);
    if !containers.iter().any(essential) {
        return Err(ApiError::general("At least one container must be essential."));
    }
    Ok(())
}

/// Members of a request together.
const LONGEST: usize = 65_536;

/// Containers wait for containers that are there, and not in a ring. The words are ours.
fn check_order(body: Body<'_>) -> Result<(), ApiError> {
    let containers = body.list("containerDefinitions")?.map_or(&[][..], Vec::as_slice);
    let name = |c: &Value| c.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let waits = |c: &Value| -> Vec<String> {
        let all = c.get("dependsOn").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|d| d.get("containerName").and_then(Value::as_str).map(str::to_owned)).collect()
    };
    let mut left: Vec<(String, Vec<String>)> = containers.iter().map(|c| (name(c), waits(c))).collect();
    let known: Vec<String> = left.iter().map(|(name, _)| name.clone()).collect();
    if let Some(odd) = left.iter().flat_map(|(_, waits)| waits).find(|wanted| !known.contains(wanted)) {
        return Err(ApiError::general(format!("Invalid 'dependsOn' setting: container '{odd}' does not exist.")));
    }
    while let Some(at) = left.iter().position(|(_, waits)| !waits.iter().any(|wanted| left.iter().any(|(name, _)| name == wanted))) {
        left.remove(at);
    }
    if left.is_empty() { Ok(()) } else { Err(ApiError::general("Container dependency cycle detected.")) }
}

/// What Fargate allows: CPU units, the least and the most MiB, and the step.
const SIZES: [(u32, u32, u32, u32); 7] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
];

fn check_size(body: Body<'_>) -> Result<(), ApiError> {
    if !body.texts("requiresCompatibilities")?.contains(&"FARGATE") {
        return Ok(());
    }
    if body.text("networkMode")? != Some("awsvpc") {
        return Err(ApiError::general("Fargate only supports network mode ‘awsvpc’."));
    }
    let containers = body.list("containerDefinitions")?.map_or(&[][..], Vec::as_slice);
    let private = |c: &Value| c.get("image").and_then(Value::as_str).is_some_and(|image| image.contains(".dkr.ecr."));
    let logs = |c: &Value| c.pointer("/logConfiguration/logDriver").and_then(Value::as_str) == Some("awslogs");
    let wants = [(containers.iter().any(private), "ECR images"), (containers.iter().any(logs), "log driver awslogs")];
    let wanted = wants.iter().find(|(wants, _)| *wants).map(|(_, what)| *what);
    if let Some(what) = wanted.filter(|_| body.get("executionRoleArn").is_none()) {
        return Err(ApiError::general(format!("Fargate requires task definition to have execution role ARN to support {what}.")));
    }
    let number = |key| Ok::<_, ApiError>(body.text(key)?.and_then(|t| t.parse::<u32>().ok()));
    let (cpu, memory) = (number("cpu")?, number("memory")?);
    let guide = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
    let Some((_, least, most, step)) = SIZES.iter().find(|(size, ..)| Some(*size) == cpu) else {
        return Err(ApiError::general(format!("Invalid 'cpu' setting for task. {guide}")));
    };
    let fits = memory.is_some_and(|m| (*least..=*most).contains(&m) && m.is_multiple_of(*step));
    if !fits {
        return Err(ApiError::general(format!("No Fargate configuration exists for given values. {guide}")));
    }
    Ok(())
}
