//! Who may call what on what: the statements of a policy for each access key, and AWS's wording when none of them allows a call.
//!
//! Only identity policies that allow, with the one condition `iam:PassedToService`: enough to see a client without
//! `ecs:ListServices`, without Live Tail, or with two services and nothing else. It knows nothing of how the request came.

use super::scenario::schema::Statement;
use super::world::Estate;
use serde_json::Value;

/// Who ECS passes the roles of tasks to.
const PASSED_TO: &str = "ecs-tasks.amazonaws.com";

/// Whether a statement allows `action` on `resource`; without a resource, only a statement on any resource does. As in IAM, the case
/// of actions does not matter.
pub(super) fn allows(policy: &[Statement], action: &str, resource: Option<&str>) -> bool {
    // "No permissions are required to perform this operation", says the reference of STS.
    action == "sts:GetCallerIdentity"
        || policy.iter().any(|statement| {
            statement.action.iter().any(|pattern| matches(pattern, action))
                && statement.resource.iter().any(|pattern| matches(pattern, resource.unwrap_or("*")))
                && statement.passed_to_service.as_deref().is_none_or(|service| action == "iam:PassRole" && service == PASSED_TO)
        })
}

/// The first role that a call hands to tasks and that the policy does not let the caller pass.
pub(super) fn unpassable(policy: &[Statement], operation: &str, body: &Value, estate: &Estate) -> Option<String> {
    let roles = |from: &Value| ["taskRoleArn", "executionRoleArn"].map(|key| from.get(key).and_then(Value::as_str).map(str::to_owned));
    let handed: Vec<String> = match operation {
        "RegisterTaskDefinition" => roles(body).into_iter().flatten().collect(),
        "RunTask" => {
            let wanted = body.get("taskDefinition").and_then(Value::as_str).unwrap_or_default();
            let wanted = wanted.rsplit('/').next().unwrap_or_default();
            let definition = match wanted.split_once(':') {
                Some((family, revision)) => revision.parse().ok().and_then(|revision| estate.definition(family, revision)),
                None => estate.newest(wanted),
            };
            let document = definition.and_then(|d| serde_json::from_str::<Value>(&d.document).ok());
            let overridden = body.get("overrides").map_or([None, None], roles);
            let own = document.as_ref().map_or([None, None], roles);
            overridden.into_iter().zip(own).filter_map(|(over, own)| over.or(own)).collect()
        }
        _ => Vec::new(),
    };
    handed.into_iter().find(|role| !allows(policy, "iam:PassRole", Some(role)))
}

/// IAM's wildcards: `*` for any run of characters, `?` for one; without regard to case.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to take up again when the last `*` has to swallow one character more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

/// The message of an `AccessDenied`: it names the caller, the action and, where the action has one, the resource.
pub(super) fn denial(caller_arn: &str, action: &str, resource: Option<&str>) -> String {
    let on = resource.map(|arn| format!(" on resource: {arn}")).unwrap_or_default();
    format!("User: {caller_arn} is not authorized to perform: {action}{on} because no identity-based policy allows the {action} action")
}

/// The resources that a call needs to be allowed on. AWS names the first that it refuses in its denial; for Elastic Load Balancing's
/// Describe calls there are none, and for calls that have no resource of their own it says `*`.
pub(super) fn resources(service: &str, operation: &str, region: &str, account: &str, body: &Value) -> Vec<String> {
    let key = match (service, operation) {
        ("ecs", "DescribeServices") => "services",
        ("ecs", "DescribeTasks") => "tasks",
        ("ecs", "DescribeClusters") => "clusters",
        _ => "",
    };
    let several = body.get(key).and_then(Value::as_array).filter(|all| all.len() > 1);
    let Some(several) = several else { return resource(service, operation, region, account, body).into_iter().collect() };
    let one = |name: &Value| {
        let mut body = body.clone();
        body[key] = Value::Array(vec![name.clone()]);
        resource(service, operation, region, account, &body)
    };
    several.iter().filter_map(one).collect()
}

fn resource(service: &str, operation: &str, region: &str, account: &str, body: &Value) -> Option<String> {
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let last = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let ecs = |rest: String| Some(format!("arn:aws:ecs:{region}:{account}:{rest}"));
    let cluster = text("cluster").map_or_else(|| "default".to_owned(), last);
    match (service, operation) {
        ("ecs", "DescribeClusters") => {
            let name =
                body.get("clusters").and_then(|names| names.get(0)).and_then(Value::as_str).map_or_else(|| "default".to_owned(), last);
            ecs(format!("cluster/{name}"))
        }
        ("ecs", "ListServices" | "ListTasks" | "ListContainerInstances") => {
            let kind = match operation {
                "ListServices" => "service",
                "ListTasks" => "task",
                _ => return ecs(format!("cluster/{cluster}")),
            };
            ecs(format!("{kind}/{cluster}/*"))
        }
        ("ecs", "DescribeServices" | "UpdateService") => {
            let first = body.get("services").and_then(|names| names.get(0)).and_then(Value::as_str);
            ecs(format!("service/{cluster}/{}", last(first.or_else(|| text("service")).unwrap_or("*"))))
        }
        ("ecs", "DescribeTasks" | "StopTask") => {
            let first = body.get("tasks").and_then(|names| names.get(0)).and_then(Value::as_str);
            ecs(format!("task/{cluster}/{}", last(first.or_else(|| text("task")).unwrap_or("*"))))
        }
        ("ecs", "RegisterTaskDefinition") => ecs(format!("task-definition/{}:*", text("family").unwrap_or("*"))),
        // The reference lists no resource for it, yet policies name task definitions here; those are taken at their word.
        ("ecs", "DescribeTaskDefinition") => {
            let wanted = last(text("taskDefinition").unwrap_or("*"));
            ecs(if wanted.contains(':') { format!("task-definition/{wanted}") } else { format!("task-definition/{wanted}:*") })
        }
        ("logs", "DescribeLogGroups") => Some(format!("arn:aws:logs:{region}:{account}:log-group::log-stream:")),
        ("logs", _) => {
            let listed = body.get("logGroupIdentifiers").and_then(|names| names.get(0)).and_then(Value::as_str);
            let group = text("logGroupName").or_else(|| text("logGroupIdentifier")).or(listed).unwrap_or("*");
            let name = group.split(":log-group:").last().unwrap_or(group);
            Some(format!("arn:aws:logs:{region}:{account}:log-group:{name}:log-stream:"))
        }
        ("ecr", _) => {
            let name = text("repositoryName").unwrap_or("*");
            Some(format!("arn:aws:ecr:{region}:{account}:repository/{name}"))
        }
        ("application-autoscaling", "RegisterScalableTarget") => {
            Some(format!("arn:aws:application-autoscaling:{region}:{account}:scalable-target/*"))
        }
        ("codedeploy", _) => {
            let application = text("applicationName").unwrap_or("*");
            let group = text("deploymentGroupName").or_else(|| text("currentDeploymentGroupName"));
            match (operation, group) {
                ("ListApplications" | "ListDeploymentConfigs", _) => None,
                ("GetDeploymentConfig", _) => {
                    Some(format!("arn:aws:codedeploy:{region}:{account}:deploymentconfig:{}", text("deploymentConfigName").unwrap_or("*")))
                }
                ("GetApplication" | "BatchGetApplications" | "ListDeploymentGroups", _) => {
                    Some(format!("arn:aws:codedeploy:{region}:{account}:application:{application}"))
                }
                (_, group) => Some(format!("arn:aws:codedeploy:{region}:{account}:deploymentgroup:{application}/{}", group.unwrap_or("*"))),
            }
        }
        ("monitoring", "DescribeAlarms" | "SetAlarmState") => {
            let name = body.get("AlarmNames").and_then(|names| names.get(0)).and_then(Value::as_str).or_else(|| text("AlarmName"));
            Some(format!("arn:aws:cloudwatch:{region}:{account}:alarm:{}", name.unwrap_or("*")))
        }
        ("ecs", _) => Some("*".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patterns_match_as_in_a_policy() {
        let list = |patterns: &[&str]| [statement(patterns, &["*"])];
        assert!(allows(&list(&["*"]), "ecs:ListServices", None));
        assert!(allows(&list(&["logs:*", "ECS:describe*"]), "ecs:DescribeTasks", None));
        assert!(allows(&list(&["ecs:*Task?"]), "ecs:ListTasks", None));
        assert!(!allows(&list(&["ecs:Describe*", "ecs:List"]), "ecs:ListTasks", None));
        assert!(!allows(&[], "ecs:ListTasks", None));
        assert!(allows(&[], "sts:GetCallerIdentity", None));
    }

    fn statement(actions: &[&str], resources: &[&str]) -> Statement {
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Statement { action: owned(actions), resource: owned(resources), passed_to_service: None }
    }

    #[test]
    fn a_statement_holds_for_its_resources_alone() {
        let own = "arn:aws:ecs:eu-west-2:111122223333:service/main/api";
        let policy = [statement(&["ecs:UpdateService"], &["arn:aws:ecs:*:111122223333:service/main/a*"])];
        assert!(allows(&policy, "ecs:UpdateService", Some(own)));
        assert!(!allows(&policy, "ecs:UpdateService", Some("arn:aws:ecs:eu-west-2:111122223333:service/main/cms")));
        assert!(!allows(&policy, "ecs:ListClusters", Some("*")));
        assert!(!allows(&policy, "ecs:UpdateService", None), "what has no resource needs a statement on any");
    }

    #[test]
    fn each_of_several_services_must_be_allowed() {
        let body = json!({"cluster": "main", "services": ["api", "cms"]});
        let names = resources("ecs", "DescribeServices", "eu-west-2", "1", &body);
        assert_eq!(names, ["arn:aws:ecs:eu-west-2:1:service/main/api", "arn:aws:ecs:eu-west-2:1:service/main/cms"]);
    }

    #[test]
    fn a_role_that_may_not_be_passed_is_named() {
        let estate = Estate::new("111122223333", "eu-west-2", 1, 0);
        let mut pass = statement(&["iam:PassRole"], &["arn:aws:iam::111122223333:role/api-task-role"]);
        pass.passed_to_service = Some("ecs-tasks.amazonaws.com".to_owned());
        let body = |execution: &str| json!({"taskRoleArn": "arn:aws:iam::111122223333:role/api-task-role", "executionRoleArn": execution});
        let other = "arn:aws:iam::111122223333:role/ecsTaskExecutionRole";
        let policy = [pass.clone()];
        let refused = |body: &Value| unpassable(&policy, "RegisterTaskDefinition", body, &estate);
        assert_eq!(refused(&body("arn:aws:iam::111122223333:role/api-task-role")), None);
        assert_eq!(refused(&body(other)).as_deref(), Some(other));
        pass.passed_to_service = Some("lambda.amazonaws.com".to_owned());
        assert!(!allows(&[pass], "iam:PassRole", Some("arn:aws:iam::111122223333:role/api-task-role")));
    }

    #[test]
    fn a_denial_reads_as_awss_own() {
        let resource = resource("ecs", "ListServices", "eu-west-1", "111122223333", &json!({"cluster": "edge"}));
        assert_eq!(
            denial("arn:aws:sts::111122223333:assumed-role/oncall/night", "ecs:ListServices", resource.as_deref()),
            "User: arn:aws:sts::111122223333:assumed-role/oncall/night is not authorized to perform: ecs:ListServices on resource: \
             arn:aws:ecs:eu-west-1:111122223333:service/edge/* because no identity-based policy allows the ecs:ListServices action"
        );
    }

    #[test]
    fn a_denial_of_logs_names_the_group() {
        let body = json!({"logGroupIdentifiers": ["arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/api"]});
        let arn = resource("logs", "StartLiveTail", "eu-west-1", "111122223333", &body);
        assert_eq!(arn.as_deref(), Some("arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/api:log-stream:"));
        assert_eq!(resource("elasticloadbalancing", "DescribeRules", "eu-west-1", "1", &json!({})), None);
    }
}
