//! IAM itself, as far as it tells what a principal may do: the policy simulator, roles and instance profiles.
//!
//! Roles are those that the scenario speaks of: of contexts, with their policies, and of tasks, with what their sessions need. Every
//! container instance has the one profile of its account.

use super::super::ecs::ApiError;
use super::super::rng;
use super::super::scenario::schema::{ExecAgent, Statement};
use super::super::wire::{iso, refuse};
use super::super::world::{Context, World};
use super::allows;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Profile and role of container instances, as the console calls both.
pub(in crate::sim) const INSTANCE_ROLE: &str = "ecsInstanceRole";

/// Results of a page when the caller does not say.
const PAGE: usize = 100;

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(in crate::sim) fn handle(world: &World, caller: &Context, operation: &str, body: &Value) -> Result<Value, ApiError> {
    match operation {
        "SimulatePrincipalPolicy" => simulate(world, caller, body),
        "GetRole" => role(world, caller, body),
        "GetInstanceProfile" => profile(world, caller, body),
        _ => Err(refuse(400, "InvalidAction", format!("Could not find operation {operation} for version 2010-05-08"))),
    }
}

fn needed<'a>(body: &'a Value, key: &str, member: &str) -> Result<&'a str, ApiError> {
    let given = body.get(key).and_then(Value::as_str).filter(|value| !value.is_empty());
    given.ok_or_else(|| {
        let why = format!("1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must not be null");
        refuse(400, "ValidationError", why)
    })
}

fn texts<'a>(body: &'a Value, key: &str) -> Vec<&'a str> {
    body.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A role of an account: its path, and its policy.
fn find(world: &World, caller: &Context, name: &str) -> Option<(String, Vec<Statement>)> {
    if caller.role == name {
        return Some((caller.role_path.clone(), caller.policy.clone()));
    }
    if let Some(of) = world.contexts.iter().find(|context| context.account == caller.account && context.role == name) {
        return Some((of.role_path.clone(), of.policy.clone()));
    }
    let arn = format!("arn:aws:iam::{}:role/{name}", caller.account);
    let statement = |actions: &[&str]| Statement {
        action: actions.iter().map(|action| (*action).to_owned()).collect(),
        resource: vec!["*".to_owned()],
        passed_to_service: None,
    };
    if name == INSTANCE_ROLE {
        return Some(("/".to_owned(), vec![statement(&["ecs:*", "ecr:*", "logs:CreateLogStream", "logs:PutLogEvents", "ssmmessages:*"])]));
    }
    let estates: Vec<_> = world.estates.iter().filter(|estate| estate.account == caller.account).collect();
    let documents = estates.iter().flat_map(|estate| estate.families.values().flatten()).map(|definition| &definition.document);
    let quoted = format!("\"{arn}\"");
    if !documents.into_iter().any(|document| document.contains(&quoted)) {
        return None;
    }
    let task_role = format!("\"taskRoleArn\":{quoted}");
    let services = estates.iter().flat_map(|estate| &estate.services);
    let users = services.filter(|service| service.current_revision().is_some_and(|r| r.definition.document.contains(&task_role)));
    let agents: Vec<&ExecAgent> = users.map(|service| &service.exec_agent).collect();
    // One policy for all that use the role: what any of them lacks, it lacks.
    let all = |of: fn(&ExecAgent) -> bool| !agents.is_empty() && agents.iter().all(|agent| of(agent));
    let mut policy = Vec::new();
    if all(|agent| agent.allowed) {
        policy.push(statement(&[
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ]));
    }
    if all(|agent| agent.decrypts) {
        policy.push(statement(&["kms:Decrypt"]));
    }
    if all(|agent| agent.records) {
        policy.push(statement(&["logs:DescribeLogGroups", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents", "s3:*"]));
    }
    Some(("/".to_owned(), policy))
}

fn no_entity(kind: &str, name: &str) -> ApiError {
    refuse(404, "NoSuchEntity", format!("The {kind} with name {name} cannot be found."))
}

fn simulate(world: &World, caller: &Context, body: &Value) -> Result<Value, ApiError> {
    let source = needed(body, "PolicySourceArn", "policySourceArn")?;
    let actions = texts(body, "ActionNames");
    if actions.is_empty() {
        let why = "1 validation error detected: Value at 'actionNames' failed to satisfy constraint: Member must not be null";
        return Err(refuse(400, "ValidationError", why));
    }
    if let Some(wrong) =
        actions.iter().find(|action| action.split_once(':').is_none_or(|(service, name)| service.is_empty() || name.is_empty()))
    {
        return Err(refuse(400, "InvalidInput", format!("Invalid Action: {wrong}")));
    }
    let path = source.strip_prefix(&format!("arn:aws:iam::{}:role/", caller.account));
    let path = path.ok_or_else(|| refuse(400, "InvalidInput", format!("Invalid Entity Arn: {source}")))?;
    let (folder, name) = path.rsplit_once('/').map_or(("/".to_owned(), path), |(folder, name)| (format!("/{folder}/"), name));
    let found = find(world, caller, name).filter(|(path, _)| *path == folder);
    let (_, policy) = found.ok_or_else(|| no_entity("role", name))?;
    let resources = texts(body, "ResourceArns");
    let verdict = |action: &str, on: &str| if allows(&policy, action, Some(on)) { "allowed" } else { "implicitDeny" };
    let result = |action: &str| {
        let mut result = json!({
            "EvalActionName": action,
            "EvalResourceName": if let [one] = resources.as_slice() { *one } else { "*" },
            "MatchedStatements": [],
            "MissingContextValues": [],
        });
        let all = if resources.is_empty() { vec!["*"] } else { resources.clone() };
        let refused = all.iter().any(|on| verdict(action, on) != "allowed");
        result["EvalDecision"] = json!(if refused { "implicitDeny" } else { "allowed" });
        if all.len() > 1 {
            let one = |on: &&str| json!({"EvalResourceName": on, "EvalResourceDecision": verdict(action, on), "MatchedStatements": [], "MissingContextValues": []});
            result["ResourceSpecificResults"] = all.iter().map(one).collect();
        }
        result
    };
    page(body, actions.into_iter().map(result).collect())
}

/// A page of results; the marker is the number of those before.
fn page(body: &Value, results: Vec<Value>) -> Result<Value, ApiError> {
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let size = match text("MaxItems").map(str::parse::<usize>) {
        None => PAGE,
        Some(Ok(size @ 1..=1000)) => size,
        Some(_) => {
            let why =
                "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000";
            return Err(refuse(400, "ValidationError", why));
        }
    };
    let decoded = |marker: &str| String::from_utf8(STANDARD.decode(marker).ok()?).ok()?.parse::<usize>().ok();
    let from = match text("Marker") {
        None => 0,
        Some(marker) => decoded(marker).ok_or_else(|| refuse(400, "InvalidInput", "Invalid Marker."))?,
    };
    let more = from + size < results.len();
    let marker = more.then(|| STANDARD.encode((from + size).to_string()));
    let shown: Vec<Value> = results.into_iter().skip(from).take(size).collect();
    Ok(json!({"EvaluationResults": shown, "IsTruncated": more, "Marker": marker}))
}

fn described(caller: &Context, name: &str, path: &str) -> Value {
    json!({
        "Path": path,
        "RoleName": name,
        "RoleId": id("AROA", &caller.account, name),
        "Arn": format!("arn:aws:iam::{}:role{path}{name}", caller.account),
        "CreateDate": iso(CREATED),
        "AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D",
        "MaxSessionDuration": 3600,
    })
}

/// When all roles were made: 2024-03-01.
const CREATED: i64 = 1_709_251_200_000;

fn id(prefix: &str, account: &str, name: &str) -> String {
    let number = rng::mix(rng::hash(&format!("{prefix}/{account}/{name}")));
    format!("{prefix}{number:017X}").chars().take(21).collect()
}

fn role(world: &World, caller: &Context, body: &Value) -> Result<Value, ApiError> {
    let name = needed(body, "RoleName", "roleName")?;
    let (path, _) = find(world, caller, name).ok_or_else(|| no_entity("role", name))?;
    Ok(json!({"Role": described(caller, name, &path)}))
}

fn profile(world: &World, caller: &Context, body: &Value) -> Result<Value, ApiError> {
    let name = needed(body, "InstanceProfileName", "instanceProfileName")?;
    let hosts = world.estates.iter().any(|estate| estate.account == caller.account && !estate.instances.is_empty());
    if name != INSTANCE_ROLE || !hosts {
        return Err(refuse(404, "NoSuchEntity", format!("Instance Profile {name} cannot be found.")));
    }
    Ok(json!({"InstanceProfile": {
        "Path": "/",
        "InstanceProfileName": name,
        "InstanceProfileId": id("AIPA", &caller.account, name),
        "Arn": format!("arn:aws:iam::{}:instance-profile/{name}", caller.account),
        "CreateDate": iso(CREATED),
        "Roles": [described(caller, INSTANCE_ROLE, "/")],
    }}))
}
