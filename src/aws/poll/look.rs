//! What IAM, EC2 and KMS tell of a session before it is opened. Each is one question that is asked once; none of them changes anything.

mod network;

use super::super::api::{Api, Call};
use super::super::connect::Sdk;
use super::super::convert;
use super::super::direct::{Element, Service};
use super::super::{AwsError, ErrorKind};
use crate::budget::{Priority, Throttle};
use crate::model::{Decision, KmsKey, Look, Right, RightsAsked, Seen, Str};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Pages of one question at most; a simulation of eight actions is one.
const PAGES: usize = 10;

/// What was seen.
pub(super) async fn look(api: &Api, look: &Look, priority: Priority) -> Result<Seen, AwsError> {
    Ok(match look {
        Look::Rights(asked) => Seen::Rights(rights(api, asked, priority).await?),
        Look::Instance(id) => Seen::Instance(network::instance(api, id, priority).await?),
        Look::Profile(name) => Seen::Profile(profile(api, name, priority).await?),
        Look::Subnet(id) => Seen::Subnet(network::subnet(api, id, priority).await?),
        Look::Endpoints(vpc) => Seen::Endpoints(network::endpoints(api, vpc, priority).await?),
        Look::Routes { subnet, vpc } => Seen::Routes(network::routes(api, subnet, vpc, priority).await?),
        Look::Key(key) => Seen::Key(kms_key(api, key, priority).await?),
    })
}

/// A call by IAM's name of it, to its service.
async fn ask(
    api: &Api,
    service: Service,
    action: &str,
    what: &str,
    priority: Priority,
    parameters: &[(String, String)],
) -> Result<Element, AwsError> {
    let throttle = if service == Service::Iam { Throttle::Rights } else { Throttle::Network };
    let operation = action.split_once(':').map_or(action, |(_, operation)| operation);
    let call = Call { throttle, priority, action, what };
    api.call(call, |sdk| async move { sdk.direct.query(service, operation, parameters).await }).await
}

fn pair(name: impl Into<String>, value: impl Into<String>) -> (String, String) {
    (name.into(), value.into())
}

/// Asks the simulator. The ARN of a session of a role lacks the role's path, without which IAM does not know the role: it is asked for then.
async fn rights(api: &Api, asked: &RightsAsked, priority: Priority) -> Result<Vec<Right>, AwsError> {
    let Some(name) = role_without_path(&asked.who) else { return simulate(api, &asked.who, asked, priority).await };
    let known = api.roles().lock().await.get(&asked.who).cloned();
    let whole = match known {
        Some(whole) => whole,
        // The roles of IAM Identity Center always have a path.
        None if name.starts_with("AWSReservedSSO_") => whole(api, &asked.who, name, priority).await?,
        None => match simulate(api, &asked.who, asked, priority).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                let whole = whole(api, &asked.who, name, priority).await?;
                if whole == asked.who {
                    return Err(error);
                }
                whole
            }
            answer => return answer,
        },
    };
    simulate(api, &whole, asked, priority).await
}

/// The whole ARN of a role, asked for once: whoever else wants it waits.
async fn whole(api: &Api, who: &Str, name: &str, priority: Priority) -> Result<Str, AwsError> {
    let mut known = api.roles().lock().await;
    if let Some(whole) = known.get(who) {
        return Ok(Str::clone(whole));
    }
    let whole = role(api, name, priority).await?;
    known.insert(Str::clone(who), Str::clone(&whole));
    Ok(whole)
}

fn role_without_path(arn: &str) -> Option<&str> {
    arn.split_once(":role/").map(|(_, name)| name).filter(|name| !name.contains('/'))
}

/// The whole ARN of a role.
async fn role(api: &Api, name: &str, priority: Priority) -> Result<Str, AwsError> {
    let what = format!("find the role {name}");
    let answer = ask(api, Service::Iam, "iam:GetRole", &what, priority, &[pair("RoleName", name)]).await?;
    Ok(convert::clean(answer.child("Role").and_then(|role| role.text("Arn")).unwrap_or_default()))
}

async fn simulate(api: &Api, who: &str, asked: &RightsAsked, priority: Priority) -> Result<Vec<Right>, AwsError> {
    let what = format!("see what {} may do", who.rsplit('/').next().unwrap_or(who));
    let mut parameters = vec![pair("PolicySourceArn", who)];
    let numbered = |name: &'static str, all: &[Str]| {
        all.iter().enumerate().map(|(n, one)| pair(format!("{name}.member.{}", n + 1), &**one)).collect::<Vec<_>>()
    };
    parameters.extend(numbered("ActionNames", &asked.actions));
    parameters.extend(numbered("ResourceArns", &asked.resources));
    for (n, (key, value)) in asked.context.iter().enumerate() {
        let at = format!("ContextEntries.member.{}", n + 1);
        parameters.push(pair(format!("{at}.ContextKeyName"), &**key));
        parameters.push(pair(format!("{at}.ContextKeyType"), "string"));
        parameters.push(pair(format!("{at}.ContextKeyValues.member.1"), &**value));
    }
    let mut rights = Vec::new();
    for _ in 0..PAGES {
        let page = ask(api, Service::Iam, "iam:SimulatePrincipalPolicy", &what, priority, &parameters).await?;
        rights.extend(page.list("EvaluationResults").flat_map(evaluated));
        let marker = page.text("Marker").filter(|_| page.text("IsTruncated") == Some("true"));
        let Some(marker) = marker else { break };
        parameters.retain(|(name, _)| name != "Marker");
        parameters.push(pair("Marker", marker));
    }
    Ok(rights)
}

/// One result: with more than one resource, those of each of them are within it.
fn evaluated(result: &Element) -> Vec<Right> {
    let action = result.text("EvalActionName").unwrap_or_default();
    let by = |detail: &Element, kind: &str, flag: &str| detail.child(kind).and_then(|found| found.text(flag)) == Some("false");
    let one = |of: &Element, name: &str, decision: &str| Right {
        action: convert::clean(action),
        resource: convert::clean(of.text(name).unwrap_or("*")),
        decision: match of.text(decision) {
            Some("allowed") => Decision::Allowed,
            Some("explicitDeny") => Decision::ExplicitDeny,
            _ => Decision::ImplicitDeny,
        },
        missing: of.list("MissingContextValues").map(|key| convert::clean(key.own())).collect(),
        // The organisation's answer is the action's, whatever the resource.
        by_organization: by(result, "OrganizationsDecisionDetail", "AllowedByOrganizations"),
        by_boundary: by(of, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary"),
    };
    let single: Vec<Right> = result.list("ResourceSpecificResults").map(|of| one(of, "EvalResourceName", "EvalResourceDecision")).collect();
    if single.is_empty() { vec![one(result, "EvalResourceName", "EvalDecision")] } else { single }
}

/// The role in an instance profile.
async fn profile(api: &Api, name: &str, priority: Priority) -> Result<Option<Str>, AwsError> {
    let what = format!("read the instance profile {name}");
    let answer = ask(api, Service::Iam, "iam:GetInstanceProfile", &what, priority, &[pair("InstanceProfileName", name)]).await?;
    let role = answer.child("InstanceProfile").and_then(|profile| profile.list("Roles").next());
    Ok(role.and_then(|role| role.text("Arn")).map(convert::clean))
}

/// What is read of the answer about a key.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Described {
    key_metadata: Option<KeyMetadata>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct KeyMetadata {
    arn: Option<String>,
    key_state: Option<String>,
}

async fn kms_key(api: &Api, key: &str, priority: Priority) -> Result<KmsKey, AwsError> {
    let what = format!("describe the KMS key {}", key.rsplit('/').next().unwrap_or(key));
    let call = Call { throttle: Throttle::Session, priority, action: "kms:DescribeKey", what: &what };
    let members = &json!({ "KeyId": key });
    let ask = |sdk: Arc<Sdk>| async move { sdk.direct.json(Service::Kms, api.region(), "DescribeKey", members).await };
    let Described { key_metadata } = api.call(call, ask).await?;
    let found = key_metadata.unwrap_or_default();
    Ok(KmsKey { arn: convert::clean(&found.arn.unwrap_or_default()), state: convert::clean(&found.key_state.unwrap_or_default()) })
}
